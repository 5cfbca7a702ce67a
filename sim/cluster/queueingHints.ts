/**
 * Whether an event may help a pod that fitted nowhere, by the plugins that rejected its nodes: each knows which events
 * could change its mind. A pod that no event helps stays parked for five minutes (schedulingQueue).
 *
 * From 1.32 on each plugin looks at what has changed (queueing hints): a removed pod helps against its own matches only,
 * room of any pod. Before, the kind of event was enough. A pod that is kept away by the anti-affinity of others is not
 * called when one of those goes, only when one that its own terms match does; so the released code has it.
 * Sources: EventsToRegister and isSchedulableAfter... of the plugins; KEP 4247, on by default from 1.32 on; before it
 * eventhandlers.go, which checks a changed node for room and taints first.
 */
import type { FilterPlugin } from './schedulerFilters.js';
import { allTaints, domainOf, type BoundPod, type TotalNode, type TotalPod } from './schedulerInput.js';
import { matchesSelector } from './selectors.js';
import { toleratesAll } from './taints.js';
import { matchesTerm } from './podAffinity.js';

export type ClusterEvent =
  | {
      /** A pod is bound, or gone from its node. */
      readonly kind: 'podBound' | 'podGone';
      readonly pod: Pick<BoundPod, 'namespace' | 'labels'>;
      /** Of the same service: constraints without a selector count it. */
      readonly isAlike: boolean;
    }
  /** A node was cordoned or uncordoned, lost or found again. */
  | { readonly kind: 'nodeTaints'; readonly node: TotalNode }
  /** Every plugin that may have rejected a pod looks at a new node: one that takes it and has the room is enough. */
  | { readonly kind: 'nodeAdded'; readonly node: TotalNode };

/** From here on plugins look at what has changed. */
const HINTS_MINOR = 32;

export function mayHelp(
  event: ClusterEvent,
  pod: TotalPod,
  rejectedBy: ReadonlySet<FilterPlugin>,
  kubernetesMinor: number,
): boolean {
  const looksClosely = kubernetesMinor >= HINTS_MINOR;
  if (event.kind === 'nodeAdded') return toleratesAll(pod.tolerations, allTaints(event.node)) && fits(pod, event.node);
  if (event.kind === 'nodeTaints') {
    const isOpen = toleratesAll(pod.tolerations, allTaints(event.node));
    if (!looksClosely) return isOpen && fits(pod, event.node);
    if (isOpen && (rejectedBy.has('NodeUnschedulable') || rejectedBy.has('TaintToleration'))) return true;
    const keys = hardConstraints(pod).map(({ topologyKey }) => topologyKey);
    return rejectedBy.has('PodTopologySpread') && keys.every((key) => domainOf(event.node, key) !== undefined);
  }
  const isGone = event.kind === 'podGone';
  if (isGone && (rejectedBy.has('NodeResourcesFit') || rejectedBy.has('NodePorts'))) return true;
  const maySpread = rejectedBy.has('PodTopologySpread') && (!looksClosely || isCounted(event, pod));
  return maySpread || (rejectedBy.has('InterPodAffinity') && helpsAffinity(event, pod, looksClosely));
}

function fits({ requests }: TotalPod, { allocatable, requested, podCount, maxPods }: TotalNode): boolean {
  return (
    podCount < maxPods &&
    (['cpuMillicores', 'memoryBytes'] as const).every((resource) => {
      return requests[resource] === 0 || requested[resource] + requests[resource] <= allocatable[resource];
    })
  );
}

function hardConstraints({ spread }: TotalPod) {
  return spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule');
}

type PodEvent = Extract<ClusterEvent, { kind: 'podBound' | 'podGone' }>;

function isCounted({ pod: other, isAlike }: PodEvent, pod: TotalPod): boolean {
  return (
    other.namespace === pod.namespace &&
    hardConstraints(pod).some(({ selector }) =>
      selector === undefined ? isAlike : matchesSelector(selector, other.labels),
    )
  );
}

function helpsAffinity({ kind, pod: other }: PodEvent, pod: TotalPod, looksClosely: boolean): boolean {
  if (kind === 'podGone' && !looksClosely) return true;
  const { required } = kind === 'podBound' ? pod.affinity : pod.antiAffinity;
  return required.length > 0 && required.every((term) => matchesTerm(term, pod.namespace, other));
}
