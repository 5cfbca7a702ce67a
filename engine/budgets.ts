/**
 * Which pods PodDisruptionBudgets let go now, as the eviction API would answer (SEMANTICS B9). Nothing that scales by
 * replica counts is ever asked by Kubernetes itself, so whoever proposes to take a pod away asks here:
 *
 *     expected         = sum of the replicas that the controllers of the selected pods ask for
 *     desiredHealthy   = minAvailable, percentages ceil(share * expected); or max(0, expected - maxUnavailable), alike
 *     allowed          = max(0, healthy - desiredHealthy)       healthy: ready and not on its way out
 *
 * What cannot be read forbids (errors fail in the safe direction): a budget whose selector makes no sense, for every pod
 * of its namespace; one whose limit makes no sense, or whose pods belong to workloads that the snapshot does not list,
 * for the pods it selects; two budgets on one pod, since the eviction API answers that with an error; pods whose labels
 * were not recorded; a list of budgets that could not be fetched.
 *
 * A budget is looked up by one pair of its `matchLabels`, so that asking costs pods and budgets, not their product; the
 * work is done when somebody first asks.
 */
import { nameKey, type ClusterView } from './cluster-view.js';
import { matchesLabelSelector, readLabelSelector, type Labels, type LabelSelector } from './label-selector.js';
import type { KubeObject, SnapshotPod } from './types.js';

export interface Budgets {
  /** Why the pod must not be taken away now, in one sentence with the numbers; null: it may. */
  refusal(pod: SnapshotPod): string | null;
  /** The pod is taken away by a decision: the next answers count it as gone. */
  spend(pod: SnapshotPod): void;
}

export function findBudgets(view: ClusterView): Budgets {
  const { podDisruptionBudgets, unreadableLists } = view.snapshot;
  if (unreadableLists?.includes('podDisruptionBudgets')) {
    return { refusal: () => 'the PodDisruptionBudgets could not be listed', spend: () => undefined };
  }
  if (podDisruptionBudgets.length === 0) return { refusal: () => null, spend: () => undefined };

  const index = indexBudgets(podDisruptionBudgets);
  const gone = new Set<string>();
  let tallied = false;
  const of = (pod: SnapshotPod): readonly Budget[] => {
    if (!tallied) tally(view, index);
    tallied = true;
    return budgetsOf(index, pod);
  };
  return {
    refusal: (pod) => {
      const inNamespace = index.get(pod.namespace);
      if (!inNamespace || pod.node === null || pod.terminating) return null;
      if (inNamespace.unreadable !== null) return inNamespace.unreadable;
      if (pod.labels === undefined) return `the labels of ${pod.name} are not known, so its budgets are not either`;
      const [budget, ...more] = of(pod);
      if (budget === undefined) return null;
      if (more.length > 0) {
        const names = [budget, ...more].map(({ name }) => name).join(' and ');
        return `${pod.name} has ${more.length + 1} disruption budgets (${names}), which the eviction API refuses`;
      }
      return refusalOf(budget, pod);
    },
    spend: (pod) => {
      const key = nameKey(pod.namespace, pod.name);
      if (gone.has(key) || pod.labels === undefined || !isHealthy(pod)) return;
      gone.add(key);
      for (const budget of of(pod)) budget.healthy--;
    },
  };
}

type Limit = { readonly field: 'minAvailable' | 'maxUnavailable'; readonly count: number; readonly isPercent: boolean };

interface Budget {
  readonly name: string;
  readonly selector: LabelSelector;
  /** Null: it cannot be read. */
  readonly limit: Limit | null;
  readonly lets: 'IfHealthyBudget' | 'AlwaysAllow';
  readonly workloads: Set<string>;
  healthy: number;
  expected: number;
  /** A selected pod of a workload that the snapshot does not list, or that cannot be told from another. */
  stray: string | null;
}

interface NamespaceBudgets {
  readonly byPair: Map<string, Budget[]>;
  /** Budgets without `matchLabels`: every pod is held against them. */
  readonly others: Budget[];
  unreadable: string | null;
}

function indexBudgets(objects: readonly KubeObject[]): Map<string, NamespaceBudgets> {
  const namespaces = new Map<string, NamespaceBudgets>();
  for (const { metadata, spec } of objects) {
    const namespace = metadata.namespace ?? 'default';
    let index = namespaces.get(namespace);
    if (!index) namespaces.set(namespace, (index = { byPair: new Map(), others: [], unreadable: null }));
    const selector = readLabelSelector(spec['selector']);
    if (selector === 'unreadable') {
      index.unreadable ??= `the selector of PodDisruptionBudget ${metadata.name} cannot be read: it may mean any pod`;
      continue;
    }
    if (selector === null) continue;
    const budget: Budget = {
      name: metadata.name,
      selector,
      limit: readLimit(spec),
      lets: spec['unhealthyPodEvictionPolicy'] === 'AlwaysAllow' ? 'AlwaysAllow' : 'IfHealthyBudget',
      workloads: new Set(),
      healthy: 0,
      expected: 0,
      stray: null,
    };
    const pair = selector.matchLabels[0];
    const list = pair ? (index.byPair.get(pairKey(pair)) ?? []) : index.others;
    list.push(budget);
    if (pair) index.byPair.set(pairKey(pair), list);
  }
  return namespaces;
}

function pairKey([key, value]: readonly [string, string]): string {
  return `${key}=${value}`;
}

/** Exactly one of the two fields, a whole number from 0 or a percentage from 0 to 100. */
function readLimit(spec: Readonly<Record<string, unknown>>): Limit | null {
  const { minAvailable, maxUnavailable } = spec;
  const isSet = (value: unknown): boolean => value !== undefined && value !== null;
  if (isSet(minAvailable) === isSet(maxUnavailable)) return null;
  const field = isSet(minAvailable) ? 'minAvailable' : 'maxUnavailable';
  const value = spec[field];
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 0 ? { field, count: value, isPercent: false } : null;
  }
  const percent = typeof value === 'string' && /^\d{1,3}%$/.test(value) ? Number(value.slice(0, -1)) : NaN;
  return percent <= 100 ? { field, count: percent, isPercent: true } : null;
}

function budgetsOf(index: ReadonlyMap<string, NamespaceBudgets>, { namespace, labels }: SnapshotPod): Budget[] {
  const { byPair, others } = index.get(namespace) ?? NONE;
  const found: Budget[] = [];
  const consider = (budgets: readonly Budget[]): void => {
    for (const budget of budgets) if (matchesLabelSelector(budget.selector, labels!)) found.push(budget);
  };
  for (const pair of Object.entries(labels as Labels)) consider(byPair.get(pairKey(pair)) ?? []);
  consider(others);
  return found;
}

const NONE: NamespaceBudgets = { byPair: new Map(), others: [], unreadable: null };

function tally(view: ClusterView, index: ReadonlyMap<string, NamespaceBudgets>): void {
  const seen = new Set<string>();
  for (const pod of view.snapshot.pods) {
    if (pod.labels === undefined || !index.has(pod.namespace)) continue;
    const name = nameKey(pod.namespace, pod.name);
    if (seen.has(name)) continue;
    seen.add(name);
    for (const budget of budgetsOf(index, pod)) {
      if (isHealthy(pod)) budget.healthy++;
      const owner = view.byName.get(nameKey(pod.namespace, pod.workload));
      if (!owner || owner.ambiguous) budget.stray ??= pod.name;
      else if (!budget.workloads.has(owner.key)) {
        budget.workloads.add(owner.key);
        budget.expected += owner.workload.desiredReplicas;
      }
    }
  }
}

function isHealthy({ ready, terminating }: SnapshotPod): boolean {
  return ready && !terminating;
}

function refusalOf(budget: Budget, pod: SnapshotPod): string | null {
  const title = `PodDisruptionBudget ${budget.name}`;
  if (budget.limit === null) {
    return `${title} must have one of minAvailable and maxUnavailable, whole or in percent, and has not`;
  }
  const desired = desiredHealthy(budget, budget.limit);
  if (desired === null) return `${title} counts replicas, but the workload of ${budget.stray} is not known`;
  if (desired === NOBODY) return `${title} counts 0 replicas, and then lets nobody go`;
  if (!isHealthy(pod)) {
    if (budget.lets === 'AlwaysAllow') return null;
    // It takes nothing from the healthy ones, unless they are about to need it.
    if (budget.healthy >= desired && desired > 0) return null;
  }
  if (budget.healthy > desired) return null;
  return `${title} needs ${desired} healthy pods and has ${budget.healthy}`;
}

// A workload scaled to 0 whose pods still stand: the disruption controller then allows no disruption at all.
const NOBODY = Infinity;

function desiredHealthy({ expected, stray }: Budget, { field, count, isPercent }: Limit): number | null {
  if (field === 'minAvailable' && !isPercent) return count;
  if (stray !== null) return null;
  if (expected <= 0) return NOBODY;
  const pods = isPercent ? Math.ceil((count * expected) / 100) : count;
  return field === 'minAvailable' ? pods : Math.max(0, expected - pods);
}
