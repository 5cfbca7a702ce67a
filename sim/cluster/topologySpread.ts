/**
 * Spreading alike pods over zones, hosts or any other domain (B8). A hard constraint keeps the fullest allowed domain
 * within maxSkew of the emptiest; soft ones score domains with fewer pods higher, weighted by the logarithm of the number
 * of domains, and widened by maxSkew so that small differences drown.
 *
 * `matchLabelKeys` is left out: a caller who wants it adds the label to the selector.
 * Sources: podtopologyspread's common.go, filtering.go and scoring.go.
 */
import ln from '@stdlib/math-base-special-ln';
import { allTaints, domainOf, HOSTNAME_LABEL, labelOf, type SpreadConstraint } from './schedulerInput.js';
import type { TotalInput } from './schedulerInput.js';
import { isEmptySelector, matchesSelector } from './selectors.js';
import type { Filter } from './schedulerFilters.js';
import { toleratesAll } from './taints.js';

type NodePredicate = (node: number) => boolean;

const MAX_NODE_SCORE = 100;
/** Applied to a pod whose template has no constraints of its own. */
const DEFAULT_SPREAD: readonly SpreadConstraint[] = [
  { topologyKey: 'hostname', maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway', nodeTaintsPolicy: 'Ignore' },
  { topologyKey: 'zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway', nodeTaintsPolicy: 'Ignore' },
];

export function hardSpreadFilter(input: TotalInput, constraint: SpreadConstraint, isEligible: NodePredicate): Filter {
  const { nodes, pod } = input;
  const { topologyKey, maxSkew, minDomains = 1, selector } = constraint;
  const hardKeys = pod.spread.filter((other) => other.whenUnsatisfiable === 'DoNotSchedule').map((c) => c.topologyKey);
  const counts = countByDomain(input, constraint, isEligible, hardKeys);
  const minimum = counts.size < minDomains ? 0 : Math.min(...counts.values());
  const itself = selector === undefined || matchesSelector(selector, pod.labels) ? 1 : 0;
  return {
    plugin: 'PodTopologySpread',
    reason: `over the ${topologyKey} spread's maxSkew`,
    passes: (node) => {
      const domain = domainOf(nodes[node]!, topologyKey);
      return domain !== undefined && (counts.get(domain) ?? 0) + itself - minimum <= maxSkew;
    },
  };
}

/** Scores 0..100 of the nodes that passed, in their order. */
export function spreadScores(input: TotalInput, feasible: readonly number[], isEligible: NodePredicate): number[] {
  const { pod, nodes } = input;
  const constraints = (pod.spread.length > 0 ? pod.spread : DEFAULT_SPREAD).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway',
  );
  if (constraints.length === 0) return feasible.map(() => 0);
  const keys = constraints.map(({ topologyKey }) => topologyKey);
  const scored = feasible.filter((node) => keys.every((key) => domainOf(nodes[node]!, key) !== undefined));
  const raw = new Map<number, number>(scored.map((node) => [node, 0]));
  for (const constraint of constraints) {
    const counts = countByDomain(input, constraint, isEligible, keys);
    const domain = (node: number) => domainOf(nodes[node]!, constraint.topologyKey)!;
    const isHost = labelOf(constraint.topologyKey) === HOSTNAME_LABEL;
    const domainCount = isHost ? scored.length : new Set(scored.map(domain)).size;
    // More domains weigh more, so that the few zones do not drown the many hosts.
    const weight = ln(domainCount + 2);
    for (const node of scored) {
      const count = counts.get(domain(node)) ?? 0;
      raw.set(node, raw.get(node)! + count * weight + (constraint.maxSkew - 1));
    }
  }
  return normalize(feasible.map((node) => (raw.has(node) ? Math.round(raw.get(node)!) : null)));
}

/** Pods per domain, 0 included, over the nodes that have all the keys and that the constraint's policies let count. */
function countByDomain(
  input: TotalInput,
  constraint: SpreadConstraint,
  isEligible: NodePredicate,
  keys: readonly string[],
): Map<string, number> {
  const { pod, nodes } = input;
  const { topologyKey, nodeTaintsPolicy, nodeAffinityPolicy = 'Honor' } = constraint;
  const counts = new Map<string, number>();
  const countsHere = nodes.map((node, index) => {
    if (keys.some((key) => domainOf(node, key) === undefined)) return false;
    if (nodeAffinityPolicy === 'Honor' && !isEligible(index)) return false;
    return nodeTaintsPolicy === 'Ignore' || toleratesAll(pod.tolerations, allTaints(node));
  });
  nodes.forEach((node, index) => {
    if (countsHere[index]) counts.set(domainOf(node, topologyKey)!, 0);
  });
  for (const index of countedPods(input, constraint)) {
    if (!countsHere[index]) continue;
    const domain = domainOf(nodes[index]!, topologyKey)!;
    counts.set(domain, counts.get(domain)! + 1);
  }
  return counts;
}

/** The node of each pod that the constraint is about. */
function countedPods({ pod, boundPods, podsOfService }: TotalInput, { selector }: SpreadConstraint): readonly number[] {
  if (selector === undefined) return podsOfService;
  // Here, unlike elsewhere, an empty selector counts nobody; only the pod itself matches it (countPodsMatchSelector).
  if (isEmptySelector(selector)) return [];
  return boundPods
    .filter(({ namespace, terminating }) => namespace === pod.namespace && !terminating)
    .filter(({ labels }) => matchesSelector(selector, labels))
    .map(({ node }) => node);
}

/** Null: a node without one of the keys, which scores 0. */
function normalize(raw: readonly (number | null)[]): number[] {
  let min = Infinity;
  let max = 0;
  for (const score of raw) {
    if (score === null) continue;
    min = Math.min(min, score);
    max = Math.max(max, score);
  }
  return raw.map((score) => {
    if (score === null) return 0;
    return max === 0 ? MAX_NODE_SCORE : Math.trunc((MAX_NODE_SCORE * (max + min - score)) / max);
  });
}
