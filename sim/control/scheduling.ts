/**
 * Asks the scheduler (sim/cluster/scheduler.ts) for the node of a pod, and calls parked pods back when something has
 * happened that may help them. Ties are drawn by a key of the pod, so that one more pod elsewhere changes no other pod's
 * draw.
 */
import type { Guest } from '../cluster/nodeRoom.js';
import { mayHelp, type ClusterEvent } from '../cluster/queueingHints.js';
import { scheduleOn } from '../cluster/scheduler.js';
import { buildFilters } from '../cluster/schedulerFilters.js';
import type { BoundPod } from '../cluster/schedulerInput.js';
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import { clusterSeenBy } from './nominations.js';
import { recordOf, schedulerPod } from './schedulerView.js';
import type { Sim, SimNode, SimPod } from './state.js';

/** The node the scheduler binds the pod to, or null while it fits nowhere: then the pod carries the answer. */
export function findNode(sim: Sim, pod: SimPod): SimNode | null {
  const { view } = sim.scheduler;
  const { wanted } = pod;
  const preferred = wanted
    ? sim.nodes.findIndex((node) => node.spec.name === wanted.node)
    : (view.positions.get(sim.scheduler.nominated.get(pod)?.node as SimNode) ?? -1);
  const asked = schedulerPod(view, pod, preferred >= 0 ? preferred : null);
  const outcome = scheduleOn({
    pod: asked,
    ...clusterSeenBy(sim, pod),
    visitOrder: view.visitOrder,
    visitFrom: view.visitFrom,
    kubernetesMinor: sim.world.program.scenario.compat.kubernetesMinor,
    pick: tieBreaker(sim, pod),
  });
  view.visitFrom = outcome.visitFrom;
  if ('node' in outcome) return sim.nodes[outcome.node]!;
  pod.rejection = { message: outcome.unschedulable, by: outcome.rejectedBy, asked };
  return null;
}

/** A cluster as it might be: `nodes`, those of the API first, and the pods on them. */
export interface SupposedCluster {
  readonly nodes: readonly SimNode[];
  /** The nodes that are asked for, as a range. */
  readonly from: number;
  readonly to: number;
  /** The node of each pod of the service. */
  readonly podsOfService: readonly SimNode[];
  /** The pods that rules speak of. */
  readonly bound: readonly BoundPod[];
}

/** Which of the nodes asked for the scheduler's filters let the pod on. */
export function nodesThatPass(
  sim: Sim,
  pod: SimPod,
  { nodes, from, to, podsOfService, bound }: SupposedCluster,
): readonly boolean[] {
  const { view } = sim.scheduler;
  const position = new Map(nodes.map((node, i) => [node, i]));
  const filters = buildFilters({
    pod: schedulerPod(view, pod, null),
    nodes: nodes.map((node) => recordOf(view, node)),
    podsOfService: podsOfService.map((node) => position.get(node)!),
    boundPods: bound,
    visitOrder: [],
    visitFrom: 0,
    kubernetesMinor: sim.world.program.scenario.compat.kubernetesMinor,
    pick: () => 0,
  });
  return Array.from({ length: to - from }, (_, i) => filters.every(({ passes }) => passes(from + i)));
}

/**
 * The pods that node autoscalers count: the scheduler has looked at them and found no node. What a gate holds, the
 * engine's or one of its template, nobody has looked at; a pod whose victims are on their way out needs no node.
 */
export function unschedulablePods({ unscheduled, scheduler }: Sim, nowUs: number): SimPod[] {
  return unscheduled.filter((pod) => !pod.gated && pod.heldUntilUs <= nowUs && !scheduler.nominated.has(pod));
}

/** What a pod takes of its node, and who may be there beside it. */
export function guestOf({ scheduler }: Sim, { workload }: SimPod): Guest {
  const { requests, company } = scheduler.view.services[workload.service]!;
  return { ...requests, ...company };
}

/** A pod was bound, or is gone from its node. */
export function callForPod(sim: Sim, kind: 'podBound' | 'podGone', pod: SimPod, nowUs: number): void {
  if (sim.unscheduled.length === 0) return;
  const { service } = pod.workload;
  const { rules } = sim.scheduler.view.services[service]!;
  call(sim, nowUs, (waiting) => ({ kind, pod: rules, isAlike: waiting.workload.service === service }));
}

/** A node is new, or its taints have changed: a cordon, a loss, or the end of one. */
export function callForNode(sim: Sim, kind: 'nodeAdded' | 'nodeTaints', node: SimNode, nowUs: number): void {
  if (sim.unscheduled.length === 0) return;
  const event: ClusterEvent = { kind, node: recordOf(sim.scheduler.view, node) };
  call(sim, nowUs, () => event);
}

function call(sim: Sim, nowUs: number, eventFor: (waiting: SimPod) => ClusterEvent): void {
  const { kubernetesMinor } = sim.world.program.scenario.compat;
  sim.scheduler.queue.call(nowUs, (waiting) => {
    const { rejection } = waiting;
    return rejection !== null && mayHelp(eventFor(waiting), rejection.asked, rejection.by, kubernetesMinor);
  });
}

function tieBreaker(sim: Sim, pod: SimPod): (n: number) => number {
  let word = seedWord(sim.world.seed, `bind/${pod.workload.index}/${pod.workload.podsMade}`);
  return (n) => {
    word = mix(word + GOLDEN);
    return Math.floor((word >>> 0) * TWO_TO_MINUS_32 * n);
  };
}
