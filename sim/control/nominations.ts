/**
 * Nodes that are kept for pods whose victims have not left them yet: whoever is of no higher priority sees the requests of
 * the nominated pod there, as if it were bound.
 */
import { nonZeroRequests } from '../cluster/scheduler.js';
import type { Resources, TotalNode } from '../cluster/schedulerInput.js';
import type { Sim, SimNode, SimPod } from './state.js';

export function priorityOf({ world }: Sim, { workload }: SimPod): number {
  return world.program.services[workload.service]!.scheduling.priority;
}

/** The nodes of the API with what is kept there for others. */
export function nodesSeenBy(sim: Sim, pod: SimPod): readonly TotalNode[] {
  const { view, nominated } = sim.scheduler;
  if (nominated.size === 0) return view.nodes;
  const keepers = new Map<SimNode, Resources[]>();
  for (const [other, node] of nominated) {
    if (other === pod || priorityOf(sim, other) < priorityOf(sim, pod)) continue;
    keepers.set(node, [...(keepers.get(node) ?? []), view.services[other.workload.service]!.requests]);
  }
  if (keepers.size === 0) return view.nodes;
  const seen: TotalNode[] = [...view.nodes];
  for (const [node, requests] of keepers) {
    const position = view.positions.get(node);
    if (position !== undefined) seen[position] = withPods(seen[position]!, requests, 1);
  }
  return seen;
}

/** The node with these pods more (1) or fewer (-1). Its figures are read where they are, so each is named. */
export function withPods(node: TotalNode, pods: readonly Resources[], sign: 1 | -1): TotalNode {
  const { zone, name, labels, taints, maxPods, allocatable, usedPorts, imageBytes, ready, schedulable } = node;
  const sum = (whole: Resources, parts: readonly Resources[]): Resources => ({
    cpuMillicores: parts.reduce((total, part) => total + sign * part.cpuMillicores, whole.cpuMillicores),
    memoryBytes: parts.reduce((total, part) => total + sign * part.memoryBytes, whole.memoryBytes),
  });
  return {
    ...{ zone, name, labels, taints, maxPods, allocatable, usedPorts, imageBytes, ready, schedulable },
    podCount: node.podCount + sign * pods.length,
    requested: sum(node.requested, pods),
    nonZeroRequested: sum(node.nonZeroRequested, pods.map(nonZeroRequests)),
  };
}
