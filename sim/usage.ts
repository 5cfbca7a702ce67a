/**
 * What pods used and reserved over the measured part: CPU time and pod-seconds by service, and the requests that stood
 * on the nodes. Brought up to date whenever a pod is bound or leaves its node, and at the ends.
 */
import { cpuUsedUs } from './sharing.js';
import type { Sim, SimPod } from './control/state.js';

export interface Usage {
  /** By internal service index, over the measured part. */
  readonly cpuUs: Float64Array;
  /** CPU of the proxies, by the service whose pods they work for. */
  readonly proxyCpuUs: Float64Array;
  readonly podUs: Float64Array;
  /** Pod-microseconds by node, and in each by service. */
  readonly podUsByNode: Map<number, Float64Array>;
  readonly since: Map<SimPod, { cpuUs: number; proxyCpuUs: number; atUs: number }>;
}

export function createUsage(serviceCount: number): Usage {
  return {
    cpuUs: new Float64Array(serviceCount),
    proxyCpuUs: new Float64Array(serviceCount),
    podUs: new Float64Array(serviceCount),
    podUsByNode: new Map(),
    since: new Map(),
  };
}

/** Starts the measured part: what was used before does not count. */
export function beginUsage(sim: Sim, usage: Usage, nowUs: number): void {
  usage.cpuUs.fill(0);
  usage.proxyCpuUs.fill(0);
  usage.podUs.fill(0);
  usage.podUsByNode.clear();
  usage.since.clear();
  for (const pod of sim.pods) if (pod.slot >= 0) openUsage(sim, usage, pod, nowUs);
}

export function openUsage(sim: Sim, usage: Usage, pod: SimPod, nowUs: number): void {
  const proxyCpuUs = sim.world.proxies?.cpuUs[pod.slot] ?? 0;
  usage.since.set(pod, { cpuUs: cpuUsedUs(sim.world, pod.slot, nowUs), proxyCpuUs, atUs: nowUs });
}

/** A pod leaves its node: what it used since it was last looked at is added up. */
export function closeUsage(sim: Sim, usage: Usage, pod: SimPod, nowUs: number): void {
  const since = usage.since.get(pod);
  if (!since || !pod.node) return;
  usage.since.delete(pod);
  const { service } = pod.workload;
  usage.cpuUs[service] = usage.cpuUs[service]! + cpuUsedUs(sim.world, pod.slot, nowUs) - since.cpuUs;
  const proxyCpuUs = sim.world.proxies?.cpuUs[pod.slot] ?? 0;
  usage.proxyCpuUs[service] = usage.proxyCpuUs[service]! + proxyCpuUs - since.proxyCpuUs;
  usage.podUs[service] = usage.podUs[service]! + nowUs - since.atUs;
  const onNode = usage.podUsByNode.get(pod.node.index) ?? new Float64Array(usage.podUs.length);
  onNode[service] = onNode[service]! + nowUs - since.atUs;
  usage.podUsByNode.set(pod.node.index, onNode);
}

export function endUsage(sim: Sim, usage: Usage, nowUs: number): void {
  for (const pod of [...usage.since.keys()]) closeUsage(sim, usage, pod, nowUs);
}
