/**
 * Which node a pod is bound to, as kube-scheduler's default profile decides it: filter the nodes, score those that pass,
 * take the best, break ties by chance. One call per pod; the work is linear in nodes plus pods of the service.
 *
 * Modelled: cordoned and not-ready nodes, resource fit, a required zone or node, topology spread (hard and soft), and the
 * scores LeastAllocated, BalancedAllocation and PodTopologySpread with their weights. Scores that are the same on every node
 * here (taints, images, affinity) are left out: they change no choice. Scores are integers, divisions cut off.
 *
 * A placement decision enters as `preferredNode`: like a nominated node it is tried first and taken if it passes.
 *
 * Source: the plugins noderesources, podtopologyspread and the scheduler's node sampling.
 */
import ln from '@stdlib/math-base-special-ln';

export interface Resources {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

export interface SchedulerNode {
  /** Index of its zone. */
  readonly zone: number;
  readonly ready: boolean;
  /** False while cordoned. */
  readonly schedulable: boolean;
  readonly allocatable: Resources;
  /** Sum of the requests of the pods bound to it. */
  readonly requested: Resources;
  /** The same sum of `nonZeroRequests` of each pod; only LeastAllocated looks at it. */
  readonly nonZeroRequested: Resources;
}

export interface SpreadConstraint {
  readonly topologyKey: 'zone' | 'hostname';
  readonly maxSkew: number;
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /**
   * Whether domains with nothing but cordoned or lost nodes count. `Ignore` (the taints: the Kubernetes default) counts
   * them, so that a dead zone with no pods left pins the minimum at 0; `Honor` leaves them out.
   */
  readonly nodeTaintsPolicy: 'Ignore' | 'Honor';
}

export interface SchedulerPod {
  readonly requests: Resources;
  readonly requiredZone: number | null;
  readonly requiredNode: number | null;
  readonly preferredNode: number | null;
  /** As in the pod template; empty: the default soft constraints. */
  readonly spread: readonly SpreadConstraint[];
}

export interface ScheduleInput {
  readonly pod: SchedulerPod;
  readonly nodes: readonly SchedulerNode[];
  /** Node index of each bound pod of the same service that is not terminating. */
  readonly podsOfService: readonly number[];
  /** Order in which nodes are visited (see `interleaveZones`). */
  readonly visitOrder: readonly number[];
  /** Where in that order the last search stopped. */
  readonly visitFrom: number;
  /** Draws an index in 0..n-1 uniformly; called only for ties (n > 1). */
  readonly pick: (n: number) => number;
}

export type ScheduleResult =
  | { readonly node: number; readonly visitFrom: number }
  | { readonly unschedulable: string; readonly visitFrom: number };

const MAX_NODE_SCORE = 100;
const LEAST_ALLOCATED_WEIGHT = 1;
const BALANCED_ALLOCATION_WEIGHT = 1;
const POD_TOPOLOGY_SPREAD_WEIGHT = 2;
/** What LeastAllocated assumes for a pod that requests nothing. */
const ASSUMED_REQUESTS: Resources = { cpuMillicores: 100, memoryBytes: 200 * 2 ** 20 };
/** Below this many nodes all are examined, and above it never fewer pass before the search stops. */
const MIN_FEASIBLE_NODES = 100;
/** Applied to a pod whose template has no constraints of its own. */
const DEFAULT_SPREAD: readonly SpreadConstraint[] = [
  { topologyKey: 'hostname', maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway', nodeTaintsPolicy: 'Ignore' },
  { topologyKey: 'zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway', nodeTaintsPolicy: 'Ignore' },
];

export function schedulePod(input: ScheduleInput): ScheduleResult {
  const { pod, nodes, visitOrder } = input;
  const counts = countPods(input);
  const filters = buildFilters(input, counts);
  const rejectedBy = (node: number) => filters.find((filter) => !filter.passes(node))?.reason ?? null;

  if (pod.preferredNode !== null && rejectedBy(pod.preferredNode) === null) {
    return { node: pod.preferredNode, visitFrom: input.visitFrom };
  }
  const wanted = feasibleNodesToFind(nodes.length);
  const feasible: number[] = [];
  const rejections = new Map<string, number>();
  let visited = 0;
  while (visited < visitOrder.length && feasible.length < wanted) {
    const node = visitOrder[(input.visitFrom + visited) % visitOrder.length]!;
    visited++;
    const reason = rejectedBy(node);
    if (reason === null) feasible.push(node);
    else rejections.set(reason, (rejections.get(reason) ?? 0) + 1);
  }
  const visitFrom = visitOrder.length === 0 ? 0 : (input.visitFrom + visited) % visitOrder.length;
  if (feasible.length === 0) return { unschedulable: describe(nodes.length, rejections), visitFrom };
  return { node: bestOf(feasible, totalScores(input, counts, feasible), input.pick), visitFrom };
}

/** How many passing nodes end the search (B6). */
export function feasibleNodesToFind(nodeCount: number): number {
  if (nodeCount < MIN_FEASIBLE_NODES) return nodeCount;
  const percent = Math.max(5, 50 - Math.trunc(nodeCount / 125));
  return Math.max(MIN_FEASIBLE_NODES, Math.trunc((nodeCount * percent) / 100));
}

/** Node indices zone by zone in turn, one of each until all are out: the order in which the scheduler visits nodes. */
export function interleaveZones(zoneOfNode: readonly number[]): number[] {
  const byZone = new Map<number, number[]>();
  zoneOfNode.forEach((zone, node) => {
    const members = byZone.get(zone);
    if (members === undefined) byZone.set(zone, [node]);
    else members.push(node);
  });
  const longest = Math.max(0, ...[...byZone.values()].map(({ length }) => length));
  const order: number[] = [];
  for (let turn = 0; turn < longest; turn++) {
    for (const members of byZone.values()) if (turn < members.length) order.push(members[turn]!);
  }
  return order;
}

/** The requests that LeastAllocated counts for one pod. */
export function nonZeroRequests(requests: Resources): Resources {
  return {
    cpuMillicores: requests.cpuMillicores || ASSUMED_REQUESTS.cpuMillicores,
    memoryBytes: requests.memoryBytes || ASSUMED_REQUESTS.memoryBytes,
  };
}

/** Pods of the service per node and per zone, on the nodes that the pod's own requirements allow. */
interface PodCounts {
  readonly byNode: ReadonlyMap<number, number>;
  readonly byZone: ReadonlyMap<number, number>;
}

function countPods({ pod, nodes, podsOfService }: ScheduleInput): PodCounts {
  const byNode = new Map<number, number>();
  const byZone = new Map<number, number>();
  for (const node of podsOfService) {
    if (!isEligible(pod, nodes, node)) continue;
    const zone = nodes[node]!.zone;
    byNode.set(node, (byNode.get(node) ?? 0) + 1);
    byZone.set(zone, (byZone.get(zone) ?? 0) + 1);
  }
  return { byNode, byZone };
}

/** Node affinity; spread constraints honour it when they count. */
function isEligible(pod: SchedulerPod, nodes: readonly SchedulerNode[], node: number): boolean {
  return (
    (pod.requiredNode === null || pod.requiredNode === node) &&
    (pod.requiredZone === null || pod.requiredZone === nodes[node]!.zone)
  );
}

interface Filter {
  /** Reads after a number of nodes: "2 were not ready". */
  readonly reason: string;
  readonly passes: (node: number) => boolean;
}

function buildFilters(input: ScheduleInput, counts: PodCounts): Filter[] {
  const { pod, nodes } = input;
  const free = (node: number, resource: keyof Resources) =>
    nodes[node]!.allocatable[resource] - nodes[node]!.requested[resource];
  // A request of nothing fits even where more is bound than allocatable.
  const fits = (node: number, resource: keyof Resources) =>
    pod.requests[resource] === 0 || pod.requests[resource] <= free(node, resource);
  return [
    { reason: 'cordoned', passes: (node) => nodes[node]!.schedulable },
    { reason: 'not ready', passes: (node) => nodes[node]!.ready },
    { reason: 'not the required zone or node', passes: (node) => isEligible(pod, nodes, node) },
    { reason: 'without enough cpu', passes: (node) => fits(node, 'cpuMillicores') },
    { reason: 'without enough memory', passes: (node) => fits(node, 'memoryBytes') },
    ...pod.spread
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')
      .map((constraint) => hardSpreadFilter(input, counts, constraint)),
  ];
}

function hardSpreadFilter({ pod, nodes }: ScheduleInput, counts: PodCounts, constraint: SpreadConstraint): Filter {
  const { topologyKey, maxSkew, nodeTaintsPolicy } = constraint;
  const domainOf = (node: number) => (topologyKey === 'zone' ? nodes[node]!.zone : node);
  const byDomain = topologyKey === 'zone' ? counts.byZone : counts.byNode;
  const countOf = (domain: number) => byDomain.get(domain) ?? 0;
  let minimum = Infinity;
  nodes.forEach((state, node) => {
    const isUsable = nodeTaintsPolicy === 'Ignore' || (state.ready && state.schedulable);
    if (isUsable && isEligible(pod, nodes, node)) minimum = Math.min(minimum, countOf(domainOf(node)));
  });
  return {
    reason: `over the ${topologyKey} spread's maxSkew`,
    passes: (node) => countOf(domainOf(node)) + 1 - minimum <= maxSkew,
  };
}

function describe(nodeCount: number, rejections: ReadonlyMap<string, number>): string {
  const parts = [...rejections].map(([reason, count]) => `${count} ${reason}`).sort();
  return [`0 of ${nodeCount} nodes fit`, parts.join(', ')].filter((part) => part !== '').join(': ');
}

function totalScores(input: ScheduleInput, counts: PodCounts, feasible: readonly number[]): number[] {
  const { pod, nodes } = input;
  const spread = spreadScores(pod, nodes, counts, feasible);
  return feasible.map((node, f) => {
    const { allocatable, requested, nonZeroRequested } = nodes[node]!;
    return (
      LEAST_ALLOCATED_WEIGHT * leastAllocatedScore(allocatable, add(nonZeroRequested, nonZeroRequests(pod.requests))) +
      BALANCED_ALLOCATION_WEIGHT * balancedAllocationScore(allocatable, add(requested, pod.requests)) +
      POD_TOPOLOGY_SPREAD_WEIGHT * spread[f]!
    );
  });
}

function add(a: Resources, b: Resources): Resources {
  return { cpuMillicores: a.cpuMillicores + b.cpuMillicores, memoryBytes: a.memoryBytes + b.memoryBytes };
}

/** Mean of the free shares in percent, with the incoming pod in `requested`. */
export function leastAllocatedScore(allocatable: Resources, requested: Resources): number {
  const freePercent = (resource: keyof Resources) =>
    requested[resource] > allocatable[resource]
      ? 0
      : Math.trunc(((allocatable[resource] - requested[resource]) * MAX_NODE_SCORE) / allocatable[resource]);
  return Math.trunc((freePercent('cpuMillicores') + freePercent('memoryBytes')) / 2);
}

/** High where CPU and memory would be used up evenly: 1 minus the standard deviation of the two shares. */
export function balancedAllocationScore(allocatable: Resources, requested: Resources): number {
  const share = (resource: keyof Resources) => Math.min(1, requested[resource] / allocatable[resource]);
  const deviation = Math.abs(share('cpuMillicores') - share('memoryBytes')) / 2;
  return Math.trunc((1 - deviation) * MAX_NODE_SCORE);
}

/** Fewer pods of the service in the node's domains score higher; differences are small by design. */
function spreadScores(
  pod: SchedulerPod,
  nodes: readonly SchedulerNode[],
  counts: PodCounts,
  feasible: readonly number[],
): number[] {
  const constraints = (pod.spread.length > 0 ? pod.spread : DEFAULT_SPREAD).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway',
  );
  if (constraints.length === 0) return feasible.map(() => 0);
  const zoneCount = new Set(feasible.map((node) => nodes[node]!.zone)).size;
  // More domains weigh more, so that the few zones do not drown the many hosts.
  const zoneWeight = ln(zoneCount + 2);
  const hostWeight = ln(feasible.length + 2);
  const raw = feasible.map((node) => {
    let sum = 0;
    for (const { topologyKey, maxSkew } of constraints) {
      const isZone = topologyKey === 'zone';
      const count = isZone ? counts.byZone.get(nodes[node]!.zone) : counts.byNode.get(node);
      sum += (count ?? 0) * (isZone ? zoneWeight : hostWeight) + (maxSkew - 1);
    }
    return Math.round(sum);
  });
  return normalizeSpread(raw);
}

function normalizeSpread(raw: readonly number[]): number[] {
  let min = Infinity;
  let max = 0;
  for (const score of raw) {
    min = Math.min(min, score);
    max = Math.max(max, score);
  }
  return raw.map((score) => (max === 0 ? MAX_NODE_SCORE : Math.trunc((MAX_NODE_SCORE * (max + min - score)) / max)));
}

function bestOf(feasible: readonly number[], scores: readonly number[], pick: (n: number) => number): number {
  const best = scores.reduce((max, score) => Math.max(max, score), -Infinity);
  const tied = feasible.filter((_, f) => scores[f] === best);
  return tied.length === 1 ? tied[0]! : tied[pick(tied.length)]!;
}

/** For tests and explanations: the total score of every node that passes, in the order visited. */
export function explainScores(
  input: ScheduleInput,
): { readonly node: number; readonly spread: number; readonly total: number }[] {
  const counts = countPods(input);
  const filters = buildFilters(input, counts);
  const feasible = input.visitOrder.filter((node) => filters.every(({ passes }) => passes(node)));
  const spread = spreadScores(input.pod, input.nodes, counts, feasible);
  const totals = totalScores(input, counts, feasible);
  return feasible.map((node, f) => ({ node, spread: spread[f]!, total: totals[f]! }));
}
