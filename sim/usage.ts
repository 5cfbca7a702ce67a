/**
 * What pods used and reserved over the measured part: CPU time and pod-seconds by service, and what the
 * pods of each node are charged for. Brought up to date whenever a pod is bound or leaves its node, and at the ends.
 */
import { leakedBytes } from './control/crashes.js';
import { sidecarRequests } from './proxies.js';
import { cpuUsedUs } from './sharing.js';
import type { Sim, SimPod } from './control/state.js';

export interface Usage {
  /** By internal service index, over the measured part. */
  readonly cpuUs: Float64Array;
  /** CPU of the proxies, by the service whose pods they work for. */
  readonly proxyCpuUs: Float64Array;
  readonly podUs: Float64Array;
  /** By node. */
  readonly charges: Map<number, Charges>;
  /** By node: CPU time that its pods' own containers have run, whether they were charged for it or not. */
  readonly ranCoreUs: Map<number, number>;
  readonly since: Map<SimPod, Look>;
}

/**
 * What the pods of a node are charged for, each by service: of every container and each sample the larger of what it
 * requested and what it used (OpenCost's specification). Core-microseconds and byte-microseconds.
 */
export interface Charges {
  readonly coreUs: Float64Array;
  readonly byteUs: Float64Array;
  /** The part of the sidecars. */
  readonly sidecarCoreUs: Float64Array;
  readonly sidecarByteUs: Float64Array;
  /** What was used of it. */
  readonly usedCoreUs: Float64Array;
  readonly usedByteUs: Float64Array;
}

interface Look {
  /** When the pod was bound, or the measured part began. */
  readonly cpuUs: number;
  readonly proxyCpuUs: number;
  readonly atUs: number;
  /** The same at the last sample. */
  sampledCpuUs: number;
  sampledProxyCpuUs: number;
  sampledAtUs: number;
}

export function createUsage(serviceCount: number): Usage {
  return {
    cpuUs: new Float64Array(serviceCount),
    proxyCpuUs: new Float64Array(serviceCount),
    podUs: new Float64Array(serviceCount),
    charges: new Map(),
    ranCoreUs: new Map(),
    since: new Map(),
  };
}

/** Starts the measured part: what was used before does not count. */
export function beginUsage(sim: Sim, usage: Usage, nowUs: number): void {
  usage.cpuUs.fill(0);
  usage.proxyCpuUs.fill(0);
  usage.podUs.fill(0);
  usage.charges.clear();
  usage.ranCoreUs.clear();
  usage.since.clear();
  for (const pod of sim.pods) if (pod.slot >= 0) openUsage(sim, usage, pod, nowUs);
}

export function openUsage(sim: Sim, usage: Usage, pod: SimPod, nowUs: number): void {
  const cpuUs = cpuUsedUs(sim.world, pod.slot, nowUs);
  const proxyCpuUs = sim.world.proxies?.cpuUs[pod.slot] ?? 0;
  const sampled = { sampledCpuUs: cpuUs, sampledProxyCpuUs: proxyCpuUs, sampledAtUs: nowUs };
  usage.since.set(pod, { cpuUs, proxyCpuUs, atUs: nowUs, ...sampled });
}

/** One sample of all pods: the shorter they follow each other, the more of a burst above the request is charged. */
export function sampleUsage(sim: Sim, usage: Usage, nowUs: number): void {
  for (const [pod, look] of usage.since) charge(sim, usage, pod, look, nowUs);
}

/** Only time in which the container ran is charged: a pod that waits for its image is not. */
function charge(sim: Sim, usage: Usage, pod: SimPod, look: Look, nowUs: number): void {
  const { program, proxies } = sim.world;
  const { service } = pod.workload;
  const cpuUs = cpuUsedUs(sim.world, pod.slot, nowUs);
  const proxyCpuUs = proxies?.cpuUs[pod.slot] ?? 0;
  const usedCoreUs = cpuUs - look.sampledCpuUs;
  const usedProxyUs = proxyCpuUs - look.sampledProxyCpuUs;
  const ranUs = pod.dead ? 0 : Math.max(0, nowUs - Math.max(look.sampledAtUs, pod.startedUs ?? nowUs));
  look.sampledCpuUs = cpuUs;
  look.sampledProxyCpuUs = proxyCpuUs;
  look.sampledAtUs = nowUs;
  if (pod.node) usage.ranCoreUs.set(pod.node.index, (usage.ranCoreUs.get(pod.node.index) ?? 0) + usedCoreUs);
  if (ranUs === 0 || !pod.node) return;

  const { requests, memoryUseBytes } = program.services[service]!;
  const sidecar = sidecarRequests(program);
  const usedBytes = memoryUseBytes + leakedBytes(sim, pod, nowUs);
  const sidecarCoreUs = sidecar === null ? 0 : Math.max((sidecar.cpuMillicores / 1000) * ranUs, usedProxyUs);
  const sidecarByteUs = (sidecar?.memoryBytes ?? 0) * ranUs;
  const charges = chargesOf(usage, pod.node.index);
  const add = (to: Float64Array, amount: number): void => {
    to[service] = to[service]! + amount;
  };
  add(charges.coreUs, Math.max((requests.cpuMillicores / 1000) * ranUs, usedCoreUs) + sidecarCoreUs);
  add(charges.byteUs, Math.max(requests.memoryBytes, usedBytes) * ranUs + sidecarByteUs);
  add(charges.sidecarCoreUs, sidecarCoreUs);
  add(charges.sidecarByteUs, sidecarByteUs);
  add(charges.usedCoreUs, usedCoreUs + (sidecar === null ? 0 : usedProxyUs));
  // What a sidecar uses of its memory is not known here: all that it requests.
  add(charges.usedByteUs, usedBytes * ranUs + sidecarByteUs);
}

function chargesOf(usage: Usage, node: number): Charges {
  const found = usage.charges.get(node);
  if (found !== undefined) return found;
  const zeros = (): Float64Array => new Float64Array(usage.podUs.length);
  const charges: Charges = {
    coreUs: zeros(),
    byteUs: zeros(),
    sidecarCoreUs: zeros(),
    sidecarByteUs: zeros(),
    usedCoreUs: zeros(),
    usedByteUs: zeros(),
  };
  usage.charges.set(node, charges);
  return charges;
}

/** A pod leaves its node: what it used since it was last looked at is added up. */
export function closeUsage(sim: Sim, usage: Usage, pod: SimPod, nowUs: number): void {
  const since = usage.since.get(pod);
  if (!since || !pod.node) return;
  charge(sim, usage, pod, since, nowUs);
  usage.since.delete(pod);
  const { service } = pod.workload;
  usage.cpuUs[service] = usage.cpuUs[service]! + cpuUsedUs(sim.world, pod.slot, nowUs) - since.cpuUs;
  const proxyCpuUs = sim.world.proxies?.cpuUs[pod.slot] ?? 0;
  usage.proxyCpuUs[service] = usage.proxyCpuUs[service]! + proxyCpuUs - since.proxyCpuUs;
  usage.podUs[service] = usage.podUs[service]! + nowUs - since.atUs;
}

export function endUsage(sim: Sim, usage: Usage, nowUs: number): void {
  for (const pod of [...usage.since.keys()]) closeUsage(sim, usage, pod, nowUs);
}
