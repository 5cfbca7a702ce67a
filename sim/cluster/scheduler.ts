/**
 * Which node a pod is bound to, as kube-scheduler's default profile decides it: filter the nodes, score those that pass,
 * take the best, break ties by chance. One call per pod; the work is linear in nodes plus bound pods.
 *
 * The parts: what it is told (schedulerInput), which nodes it looks at (nodeSampling), which may take the pod
 * (schedulerFilters), and which is liked best (schedulerScores). A placement decision enters as `preferredNode`: like a
 * nominated node it is tried first and taken if it passes.
 */
import { feasibleNodesToFind } from './nodeSampling.js';
import { buildFilters, type Filter, type FilterPlugin } from './schedulerFilters.js';
import { completeInput, type ScheduleInput, type TotalInput } from './schedulerInput.js';
import { scoreNodes, type NodeScore } from './schedulerScores.js';

export { feasibleNodesToFind, interleaveZones } from './nodeSampling.js';
export type { FilterPlugin } from './schedulerFilters.js';
export { balancedAllocationScore, leastAllocatedScore, nonZeroRequests } from './schedulerScores.js';
export type { Resources, ScheduleInput, SchedulerNode, SchedulerPod, SpreadConstraint } from './schedulerInput.js';

export type ScheduleResult =
  | { readonly node: number; readonly visitFrom: number }
  | {
      readonly unschedulable: string;
      /** Which plugins rejected nodes; none: the pod was not looked at. */
      readonly rejectedBy: ReadonlySet<FilterPlugin>;
      readonly visitFrom: number;
    };

export function schedulePod(given: ScheduleInput): ScheduleResult {
  return scheduleOn(completeInput(given));
}

/** For a caller who keeps complete records, and has many pods to place. */
export function scheduleOn(input: TotalInput): ScheduleResult {
  const { pod, nodes, visitOrder } = input;
  if (pod.schedulingGates.length > 0) {
    return { unschedulable: describeGates(pod.schedulingGates), rejectedBy: new Set(), visitFrom: input.visitFrom };
  }
  const filters = buildFilters(input);
  const rejectedBy = (node: number) => filters.find((filter) => !filter.passes(node)) ?? null;

  if (pod.preferredNode !== null && rejectedBy(pod.preferredNode) === null) {
    return { node: pod.preferredNode, visitFrom: input.visitFrom };
  }
  const wanted = feasibleNodesToFind(nodes.length);
  const feasible: number[] = [];
  const rejections = new Map<Filter, number>();
  let visited = 0;
  while (visited < visitOrder.length && feasible.length < wanted) {
    const node = visitOrder[(input.visitFrom + visited) % visitOrder.length]!;
    visited++;
    const filter = rejectedBy(node);
    if (filter === null) feasible.push(node);
    else rejections.set(filter, (rejections.get(filter) ?? 0) + 1);
  }
  const visitFrom = visitOrder.length === 0 ? 0 : (input.visitFrom + visited) % visitOrder.length;
  if (feasible.length === 0) {
    const plugins = new Set([...rejections.keys()].map(({ plugin }) => plugin));
    return { unschedulable: describe(nodes.length, rejections), rejectedBy: plugins, visitFrom };
  }
  return { node: bestOf(scoreNodes(input, feasible), input.pick), visitFrom };
}

export function describeGates(names: readonly string[]): string {
  return `held by gates: ${names.join(', ')}`;
}

function describe(nodeCount: number, rejections: ReadonlyMap<Filter, number>): string {
  const parts = [...rejections].map(([{ reason }, count]) => `${count} ${reason}`).sort();
  return [`0 of ${nodeCount} nodes fit`, parts.join(', ')].filter((part) => part !== '').join(': ');
}

function bestOf(scores: readonly NodeScore[], pick: (n: number) => number): number {
  const best = scores.reduce((max, { total }) => Math.max(max, total), -Infinity);
  const tied = scores.filter(({ total }) => total === best);
  return (tied.length === 1 ? tied[0]! : tied[pick(tied.length)]!).node;
}

/** For tests and explanations: the scores of every node that passes, in the order visited. */
export function explainScores(given: ScheduleInput): NodeScore[] {
  const input = completeInput(given);
  const filters = buildFilters(input);
  return scoreNodes(
    input,
    input.visitOrder.filter((node) => filters.every(({ passes }) => passes(node))),
  );
}
