/**
 * PodDisruptionBudgets (B9): how many pods may be evicted just now, and what the eviction API answers for one pod.
 *
 * A budget guards only evictions (drains, node scale-downs): rollouts, autoscalers and plain deletes never ask. It counts
 * the healthy pods, says how many it wants, and the rest may go. Percentages of either field round up, which favours
 * safety for minAvailable and generosity for maxUnavailable.
 *
 * Sources: controller/disruption/disruption.go, registry/core/pod/storage/eviction.go (canIgnorePDB, and the two-minute
 * memory of allowed evictions: DeletionTimeout), api/policy/v1.
 */
import { resolvePods, type IntOrPercent } from './intOrPercent.js';
import { matchesSelector, type Labels, type LabelSelector } from './selectors.js';

export interface DisruptionBudget {
  readonly name: string;
  readonly namespace: string;
  /** In budgets an empty selector picks every pod of the namespace. */
  readonly selector: LabelSelector | null;
  readonly limit: { readonly minAvailable: IntOrPercent } | { readonly maxUnavailable: IntOrPercent };
  readonly unhealthyPodEviction: 'IfHealthyBudget' | 'AlwaysAllow';
}

export interface BudgetPod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly ready: boolean;
  readonly deleting: boolean;
  /** When an eviction of it was allowed; null without one. It is not counted as healthy for two minutes after. */
  readonly evictionAllowedAtUs: number | null;
}

export interface BudgetStatus {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
  readonly currentHealthy: number;
  readonly disruptionsAllowed: number;
}

export type EvictionAnswer =
  /** `spendsBudget`: the caller notes `evictionAllowedAtUs`, so that the next request sees one less. */
  | { readonly code: 201; readonly spendsBudget: boolean }
  /** Try again later: the budget forbids it now. */
  | { readonly code: 429; readonly because: string }
  /** Two budgets for one pod are an error of configuration that no waiting mends. */
  | { readonly code: 500; readonly because: string };

/** An allowed eviction that did not lead to a deletion is forgotten after this long. */
const DISRUPTED_POD_MEMORY_US = 120_000_000;

/** `controllerScale`: sum of the replicas that the pods' controllers ask for. */
export function budgetStatus(
  budget: DisruptionBudget,
  pods: readonly BudgetPod[],
  controllerScale: number,
  nowUs: number,
): BudgetStatus {
  const guarded = pods.filter((pod) => guards(budget, pod));
  const { expectedPods, desiredHealthy } = expectation(budget, guarded.length, controllerScale);
  const currentHealthy = guarded.filter((pod) => isHealthy(pod, nowUs)).length;
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  return { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed };
}

export function guards({ namespace, selector }: DisruptionBudget, pod: BudgetPod): boolean {
  return namespace === pod.namespace && matchesSelector(selector, pod.labels);
}

function expectation(
  { limit }: DisruptionBudget,
  podCount: number,
  controllerScale: number,
): { expectedPods: number; desiredHealthy: number } {
  if ('maxUnavailable' in limit) {
    const unavailable = resolvePods(limit.maxUnavailable, controllerScale, 'up');
    return { expectedPods: controllerScale, desiredHealthy: Math.max(0, controllerScale - unavailable) };
  }
  // A plain number needs no controller: bare pods may have such a budget too.
  const expectedPods = typeof limit.minAvailable === 'number' ? podCount : controllerScale;
  return { expectedPods, desiredHealthy: resolvePods(limit.minAvailable, controllerScale, 'up') };
}

function isHealthy({ ready, deleting, evictionAllowedAtUs }: BudgetPod, nowUs: number): boolean {
  const isGoing = evictionAllowedAtUs !== null && nowUs < evictionAllowedAtUs + DISRUPTED_POD_MEMORY_US;
  return ready && !deleting && !isGoing;
}

/** `statusOf` is asked once at most, for the one budget of the pod. */
export function requestEviction(
  pod: BudgetPod,
  budgets: readonly DisruptionBudget[],
  statusOf: (budget: DisruptionBudget) => BudgetStatus,
): EvictionAnswer {
  if (canIgnoreBudgets(pod)) return { code: 201, spendsBudget: false };
  const [budget, ...more] = budgets.filter((candidate) => guards(candidate, pod));
  if (budget === undefined) return { code: 201, spendsBudget: false };
  if (more.length > 0) return { code: 500, because: `${pod.name} has ${more.length + 1} disruption budgets` };
  const { currentHealthy, desiredHealthy, disruptionsAllowed } = statusOf(budget);
  if (!pod.ready) {
    if (budget.unhealthyPodEviction === 'AlwaysAllow') return { code: 201, spendsBudget: false };
    // It takes nothing from the healthy ones, but they may be about to need it.
    if (currentHealthy >= desiredHealthy && desiredHealthy > 0) return { code: 201, spendsBudget: false };
  }
  if (disruptionsAllowed > 0) return { code: 201, spendsBudget: true };
  return { code: 429, because: `${budget.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy}` };
}

/** Pods that serve nobody, or go anyway. */
function canIgnoreBudgets({ phase, deleting }: BudgetPod): boolean {
  return phase === 'Pending' || phase === 'Succeeded' || phase === 'Failed' || deleting;
}
