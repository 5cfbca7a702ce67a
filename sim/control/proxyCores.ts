/**
 * What proxies leave of the cores of their node. Their passes (sim/proxies.ts) are short beside the work of applications
 * and far more frequent, so on a node whose pods share its cores they are taken as a flow: every 100 ms the pods get the
 * cores less what the proxies have used in the 100 ms before. By weight that is what a scheduler does while the proxies
 * want less than their own share; beyond it the pods keep theirs, by requests.
 *
 * Only the pods are slowed by it: a pass takes the same time on a busy node. Shares follow the load with a delay of 100 ms.
 */
import { setCores, type NodeCpu } from '../nodeCpu.js';
import { podRequests, sidecarRequests } from '../proxies.js';
import type { Sim, SimNode } from './state.js';

/** As the kernel's CFS period: shorter than what anybody measures, and dozens of passes at loads that matter. */
export const PROXY_WINDOW_US = 100_000;
/** CPU request of a ztunnel in Istio's chart. */
const ZTUNNEL_MILLICORES = 200;

/** Whether there are such nodes, so that somebody has to look at them. */
export function takesCores({ world }: Sim): boolean {
  const { proxies, program } = world;
  return proxies !== null && proxies.passCpuUs > 0 && program.scenario.cluster.cpuWeights !== null;
}

/** Looks at all nodes at the end of a window; `seenUs` holds, by slot, what the proxies had used at the one before. */
export function shareWithProxies(sim: Sim, seenUs: Float64Array, nowUs: number): void {
  for (const node of sim.fleet) {
    const cpu = sim.world.nodeCpus[node.index];
    if (!cpu) continue;
    const cores = coresForPods(sim, node, cpu, seenUs);
    if (cores === cpu.coreCount) continue;
    setCores(sim.world, cpu, cores, nowUs);
  }
}

function coresForPods(sim: Sim, node: SimNode, { wholeCores }: NodeCpu, seenUs: Float64Array): number {
  const { program } = sim.world;
  const { cpuUs } = sim.world.proxies!;
  const sidecar = sidecarRequests(program)?.cpuMillicores ?? null;
  let usedUs = 0;
  let requested = 0;
  for (const { slot, workload } of node.pods) {
    if (slot < 0) continue;
    const now = cpuUs[slot]!;
    // A new pod in the slot has begun at 0.
    usedUs += now - (now < seenUs[slot]! ? 0 : seenUs[slot]!);
    seenUs[slot] = now;
    requested += podRequests(program, workload.service).cpuMillicores - (sidecar ?? 0);
  }
  const ofProxies = sidecar === null ? ZTUNNEL_MILLICORES : sidecar * node.pods.size;
  const ownShare = requested + ofProxies > 0 ? (wholeCores * requested) / (requested + ofProxies) : 0;
  return Math.max(ownShare, wholeCores - usedUs / PROXY_WINDOW_US);
}
