/**
 * Nodes that are kept for pods whose victims have not left them yet: whoever is of no higher priority sees the nominated
 * pod there, as if it were bound.
 */
import { nonZeroRequests } from '../cluster/scheduler.js';
import type { BoundPod, PodRules, Resources, TotalNode } from '../cluster/schedulerInput.js';
import { boundPodsFor } from './schedulerView.js';
import type { Sim, SimNode, SimPod } from './state.js';

export function priorityOf({ world }: Sim, { workload }: SimPod): number {
  return world.program.services[workload.service]!.scheduling.priority;
}

/** The cluster as the scheduler sees it for a pod: the nodes of the API, and the pods there that matter to it. */
export interface SeenCluster {
  readonly nodes: readonly TotalNode[];
  /** The node of each pod of its service that is to stay. */
  readonly podsOfService: readonly number[];
  readonly boundPods: readonly BoundPod[];
}

/** With those that are nominated. The scheduler also looks without them, for rules that want a pod near: not here. */
export function clusterSeenBy(sim: Sim, pod: SimPod): SeenCluster {
  const { view, nominated } = sim.scheduler;
  const { service } = pod.workload;
  const podsOfService = boundPods(sim, service).map((node) => view.positions.get(node)!);
  const bound = boundPodsFor(view, service);
  if (nominated.size === 0) return { nodes: view.nodes, podsOfService, boundPods: bound };
  const nodes: TotalNode[] = [...view.nodes];
  for (const [other, { node }] of nominated) {
    const position = view.positions.get(node);
    if (other === pod || position === undefined || priorityOf(sim, other) < priorityOf(sim, pod)) continue;
    const { requests, rules } = view.services[other.workload.service]!;
    nodes[position] = withPods(nodes[position]!, [requests], 1);
    if (other.workload.service === service) podsOfService.push(position);
    if (!view.services[service]!.heeds.includes(other.workload.service)) continue;
    bound.push(supposedPod(rules, position));
  }
  return { nodes, podsOfService, boundPods: bound };
}

/** What others see of a pod with such rules that is taken to stand on a node. */
export function supposedPod({ namespace, labels, affinity, antiAffinity }: PodRules, node: number): BoundPod {
  return { node, namespace, labels, affinity, antiAffinity, terminating: false };
}

/** The node of each pod of the service that is to stay. */
export function boundPods(sim: Sim, service: number): SimNode[] {
  const nodes: SimNode[] = [];
  for (const workload of sim.workloads) {
    if (workload.service !== service) continue;
    for (const pod of workload.pods) if (pod.node && pod.deletedUs === null) nodes.push(pod.node);
  }
  return nodes;
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
