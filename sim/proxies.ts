/**
 * Proxies that take time and CPU (SEMANTICS A19). A call passes its caller's proxy and its pod's, and the reply passes both
 * again. A pass waits for one of the proxy's workers, first come, first served, and takes a fixed time plus an exponential
 * one. It keeps the worker for half of the CPU that a request costs: the work of a reply (telemetry among it) delays what
 * comes after it and not the reply itself. So the added latency grows with the load of the proxy, as an M/D/c queue.
 *
 * A sidecar belongs to a pod, a ztunnel to a node. Gateways are proxies of their own: passing one takes the same time, but
 * they never queue and their CPU is nobody's.
 */
import type { Service } from '../scenarios/types.js';
import type { Program } from './program.js';
import { quantileOf } from './quantileTable.js';
import { GOLDEN, mix } from './random.js';

export interface Proxies {
  readonly program: Program;
  readonly fixedUs: number;
  readonly meanUs: number;
  readonly workers: number;
  /** CPU of one pass. */
  readonly passCpuUs: number;
  readonly perNode: boolean;
  /** When each worker is free, by proxy (pod slot or node) x workers. */
  freeUs: Float64Array;
  /** 1 for the slot of an external or a waypoint, which is a proxy itself: none stands there. */
  readonly isBare: Uint8Array;
  /** CPU spent for each pod since it took its slot. */
  readonly cpuUs: Float64Array;
}

/** A draw of its own for each pass of a call. */
export const PASS_OUT = 0x243185be;
export const PASS_IN = 0x550c7dc3;
export const PASS_REPLY = 0x72be5d74;
export const PASS_HOME = 0x80deb1fe;

export function createProxies(program: Program, podBase: Int32Array): Proxies | null {
  const { mesh, cluster } = program.scenario;
  if (mesh.proxy === null) return null;
  const { mode, fixedUs, meanUs, cpuUsPerRequest, workers } = mesh.proxy;
  const perNode = mode === 'ambient';
  const pods = podBase[program.gateway + 1]!;
  const isBare = new Uint8Array(pods);
  program.services.forEach(({ external, isWaypoint }, service) => {
    if (external !== null || isWaypoint) isBare.fill(1, podBase[service], podBase[service + 1]);
  });
  return {
    program,
    fixedUs,
    meanUs,
    workers,
    passCpuUs: cpuUsPerRequest / 2,
    perNode,
    isBare,
    freeUs: new Float64Array((perNode ? cluster.nodes.length : pods) * workers),
    cpuUs: new Float64Array(pods),
  };
}

/** Room for the ztunnels of so many nodes. */
export function growProxies(proxies: Proxies | null, nodes: number): void {
  if (proxies === null || !proxies.perNode || proxies.freeUs.length >= nodes * proxies.workers) return;
  const larger = new Float64Array(2 * nodes * proxies.workers);
  larger.set(proxies.freeUs);
  proxies.freeUs = larger;
}

/** Time that the proxy of `pod`, on `node` (-1: a gateway), takes for a message that reaches it now. */
export function passUs(proxies: Proxies, pod: number, node: number, key: number, nowUs: number): number {
  if (proxies.isBare[pod] === 1) return 0;
  const { program, workers, passCpuUs } = proxies;
  const drawn = quantileOf(program.tables, program.exponentialTable, mix(key + GOLDEN));
  let tookUs = proxies.fixedUs + proxies.meanUs * drawn;
  if (node >= 0) {
    tookUs += waitUs(proxies.freeUs, (proxies.perNode ? node : pod) * workers, workers, passCpuUs, nowUs);
    proxies.cpuUs[pod] = proxies.cpuUs[pod]! + passCpuUs;
  }
  return Math.floor(tookUs + 0.5);
}

/** Takes the worker that is free first for `workUs`; returns how long it had to be waited for. */
export function waitUs(freeUs: Float64Array, base: number, workers: number, workUs: number, nowUs: number): number {
  let first = base;
  for (let i = base + 1; i < base + workers; i++) if (freeUs[i]! < freeUs[first]!) first = i;
  const startUs = Math.max(nowUs, freeUs[first]!);
  freeUs[first] = startUs + workUs;
  return startUs - nowUs;
}

/** A new pod has a proxy of its own, which has done nothing yet. */
export function resetProxy(proxies: Proxies, pod: number): void {
  proxies.cpuUs[pod] = 0;
  if (!proxies.perNode) proxies.freeUs.fill(0, pod * proxies.workers, (pod + 1) * proxies.workers);
}

/** What a pod requests of its node: its container, and its sidecar where it has one. */
export function podRequests(program: Program, service: number): Service['requests'] {
  const { requests } = program.services[service]!;
  const sidecar = sidecarRequests(program);
  if (sidecar === null) return requests;
  return {
    cpuMillicores: requests.cpuMillicores + sidecar.cpuMillicores,
    memoryBytes: requests.memoryBytes + sidecar.memoryBytes,
  };
}

/** Null: pods have none. */
export function sidecarRequests({ scenario }: Program): Service['requests'] | null {
  const { proxy } = scenario.mesh;
  return proxy === null || proxy.mode === 'ambient' ? null : proxy.requests;
}
