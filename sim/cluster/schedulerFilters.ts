/**
 * Which nodes a pod may go to at all: one filter per plugin of kube-scheduler's default profile, in its order; the first
 * that rejects a node names the reason. Volumes, extended resources and devices are not modelled.
 * Sources: the plugins nodeunschedulable, nodename, tainttoleration, nodeaffinity, nodeports, noderesources (fit.go),
 * podtopologyspread and interpodaffinity.
 */
import { affinityFilters } from './podAffinity.js';
import { allLabels, NO_LABELS, type HostPort, type Resources, type TotalInput } from './schedulerInput.js';
import type { TotalNode, TotalPod } from './schedulerInput.js';
import { matchesLabels, matchesNodeTerm } from './selectors.js';
import { CORDON_TAINT, NOT_READY_TAINT, toleratesAll, toleratesTaint } from './taints.js';
import { hardSpreadFilter } from './topologySpread.js';

/** As kube-scheduler calls them; what calls a parked pod back depends on who rejected it (queueingHints). */
export type FilterPlugin =
  | 'NodeUnschedulable'
  | 'TaintToleration'
  | 'NodeAffinity'
  | 'NodePorts'
  | 'NodeResourcesFit'
  | 'PodTopologySpread'
  | 'InterPodAffinity';

export interface Filter {
  readonly plugin: FilterPlugin;
  /** Reads after a number of nodes: "2 not ready". */
  readonly reason: string;
  readonly passes: (node: number) => boolean;
}

export function buildFilters(input: TotalInput): Filter[] {
  const { pod, nodes } = input;
  const toleratesCordon = toleratesTaint(pod.tolerations, CORDON_TAINT);
  const toleratesNotReady = toleratesTaint(pod.tolerations, NOT_READY_TAINT);
  const free = (node: TotalNode, resource: keyof Resources) => node.allocatable[resource] - node.requested[resource];
  // A request of nothing fits even where more is bound than allocatable.
  const fits = (node: TotalNode, resource: keyof Resources) =>
    pod.requests[resource] === 0 || pod.requests[resource] <= free(node, resource);
  const byNode = (plugin: FilterPlugin, reason: string, passes: (node: TotalNode) => boolean): Filter => ({
    plugin,
    reason,
    passes: (node) => passes(nodes[node]!),
  });
  return [
    byNode('NodeUnschedulable', 'cordoned', (node) => node.schedulable || toleratesCordon),
    byNode('TaintToleration', 'not ready', (node) => node.ready || toleratesNotReady),
    byNode('TaintToleration', 'with a taint that the pod does not tolerate', (node) =>
      toleratesAll(pod.tolerations, node.taints),
    ),
    {
      plugin: 'NodeAffinity',
      reason: 'not the required zone or node',
      passes: (node) => isPinnedTo(pod, nodes[node]!, node),
    },
    byNode('NodeAffinity', 'not of the node affinity', (node) => matchesNodeAffinity(pod, node)),
    byNode(
      'NodePorts',
      'without a free host port',
      (node) => !pod.hostPorts.some((port) => isTaken(port, node.usedPorts)),
    ),
    byNode('NodeResourcesFit', 'with too many pods', (node) => node.podCount + 1 <= node.maxPods),
    byNode('NodeResourcesFit', 'without enough cpu', (node) => fits(node, 'cpuMillicores')),
    byNode('NodeResourcesFit', 'without enough memory', (node) => fits(node, 'memoryBytes')),
    ...pod.spread
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')
      .map((constraint) => hardSpreadFilter(input, constraint, (node) => isEligible(pod, nodes[node]!, node))),
    ...affinityFilters(input),
  ];
}

/** All that says on which nodes the pod belongs; spread constraints honour it when they count. */
export function isEligible(pod: TotalPod, node: TotalNode, index: number): boolean {
  return isPinnedTo(pod, node, index) && matchesNodeAffinity(pod, node);
}

function isPinnedTo(pod: TotalPod, node: TotalNode, index: number): boolean {
  return (
    (pod.requiredNode === null || pod.requiredNode === index) &&
    (pod.requiredZone === null || pod.requiredZone === node.zone)
  );
}

function matchesNodeAffinity(pod: TotalPod, node: TotalNode): boolean {
  if (pod.nodeAffinity.length === 0 && pod.nodeSelector === NO_LABELS) return true;
  const labels = allLabels(node);
  if (!matchesLabels(pod.nodeSelector, labels)) return false;
  return pod.nodeAffinity.length === 0 || pod.nodeAffinity.some((term) => matchesNodeTerm(term, labels, node.name));
}

function isTaken(wanted: HostPort, used: readonly HostPort[]): boolean {
  const isAnyAddress = (hostIp: string) => hostIp === '0.0.0.0';
  return used.some(
    ({ protocol, port, hostIp }) =>
      protocol === wanted.protocol &&
      port === wanted.port &&
      (hostIp === wanted.hostIp || isAnyAddress(hostIp) || isAnyAddress(wanted.hostIp)),
  );
}
