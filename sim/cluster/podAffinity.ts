/**
 * Pods that want to be near other pods, or away from them (B7, B8), by any topology key.
 *
 * Required terms filter. A pod's affinity holds where its domain has a pod that matches all its terms; if no such pod
 * exists anywhere and the pod matches its own terms, it may be the first of its kind. Anti-affinity works both ways: the
 * pods already there keep away a newcomer that matches their terms, even one without terms of its own.
 *
 * Preferred terms score, again both ways: those of the pod and those of the pods already there; a required affinity of
 * the latter adds 1 (hardPodAffinityWeight). Scores are stretched over 0..100 between the worst and the best node.
 * Source: interpodaffinity's filtering.go and scoring.go. Namespace selectors are not modelled.
 */
import type { Filter } from './schedulerFilters.js';
import { domainOf, type AffinityTerm, type TotalInput, type WeightedAffinityTerm } from './schedulerInput.js';
import { matchesSelector, type Labels } from './selectors.js';

interface LabelledPod {
  readonly namespace: string;
  readonly labels: Labels;
}

const MAX_NODE_SCORE = 100;
const HARD_POD_AFFINITY_WEIGHT = 1;

export function affinityFilters(input: TotalInput): Filter[] {
  const { pod, nodes, boundPods } = input;
  const wanted = pod.affinity.required;
  const matchesAllOf = (other: LabelledPod) => wanted.every((term) => matchesTerm(term, pod.namespace, other));
  const near = new DomainSums(input);
  const away = new DomainSums(input);
  const unwelcome = new DomainSums(input);
  for (const bound of boundPods) {
    if (wanted.length > 0 && matchesAllOf(bound)) {
      for (const { topologyKey } of wanted) near.add(topologyKey, bound.node, 1);
    }
    for (const term of pod.antiAffinity.required) {
      if (matchesTerm(term, pod.namespace, bound)) away.add(term.topologyKey, bound.node, 1);
    }
    for (const term of bound.antiAffinity.required) {
      if (matchesTerm(term, bound.namespace, pod)) unwelcome.add(term.topologyKey, bound.node, 1);
    }
  }
  const mayBeFirst = near.isEmpty && matchesAllOf(pod);
  const isNear = (node: number) =>
    wanted.every(({ topologyKey }) => {
      if (domainOf(nodes[node]!, topologyKey) === undefined) return false;
      return mayBeFirst || near.at(topologyKey, node) > 0;
    });
  return [
    { plugin: 'InterPodAffinity', reason: "off the pod's affinity", passes: isNear },
    {
      plugin: 'InterPodAffinity',
      reason: "against the pod's anti-affinity",
      passes: (node) => pod.antiAffinity.required.every(({ topologyKey }) => away.at(topologyKey, node) === 0),
    },
    {
      plugin: 'InterPodAffinity',
      reason: 'against the anti-affinity of a pod there',
      passes: (node) => unwelcome.total(node) === 0,
    },
  ];
}

/** Scores 0..100 of the nodes that passed, in their order. */
export function affinityScores(input: TotalInput, feasible: readonly number[]): number[] {
  const { pod, boundPods } = input;
  const sums = new DomainSums(input);
  for (const bound of boundPods) {
    const score = (terms: readonly WeightedAffinityTerm[], owner: LabelledPod, other: LabelledPod, sign: 1 | -1) => {
      for (const term of terms) {
        if (matchesTerm(term, owner.namespace, other)) sums.add(term.topologyKey, bound.node, sign * term.weight);
      }
    };
    score(pod.affinity.preferred, pod, bound, 1);
    score(pod.antiAffinity.preferred, pod, bound, -1);
    score(asPreferred(bound.affinity.required), bound, pod, 1);
    score(bound.affinity.preferred, bound, pod, 1);
    score(bound.antiAffinity.preferred, bound, pod, -1);
  }
  const raw = feasible.map((node) => sums.total(node));
  const min = Math.min(...raw);
  const max = Math.max(...raw);
  // In this order of operations, as the rounding of 100 x (a / b) and (100 x a) / b differs.
  return raw.map((sum) => (max === min ? 0 : Math.trunc(MAX_NODE_SCORE * ((sum - min) / (max - min)))));
}

function asPreferred(terms: readonly AffinityTerm[]): WeightedAffinityTerm[] {
  return terms.map((term) => ({ ...term, weight: HARD_POD_AFFINITY_WEIGHT }));
}

export function matchesTerm(term: AffinityTerm, ownNamespace: string, other: LabelledPod): boolean {
  const isInNamespace =
    term.namespaces.length === 0 ? other.namespace === ownNamespace : term.namespaces.includes(other.namespace);
  return isInNamespace && matchesSelector(term.selector, other.labels);
}

/** One sum per topology key and domain. */
class DomainSums {
  private readonly byKey = new Map<string, Map<string, number>>();

  constructor(private readonly input: TotalInput) {}

  get isEmpty(): boolean {
    return this.byKey.size === 0;
  }

  /** To the domain that the node lies in; nothing where it has no such label. */
  add(topologyKey: string, node: number, weight: number): void {
    const domain = domainOf(this.input.nodes[node]!, topologyKey);
    if (domain === undefined) return;
    const sums = this.byKey.get(topologyKey) ?? new Map<string, number>();
    this.byKey.set(topologyKey, sums.set(domain, (sums.get(domain) ?? 0) + weight));
  }

  at(topologyKey: string, node: number): number {
    const domain = domainOf(this.input.nodes[node]!, topologyKey);
    return domain === undefined ? 0 : (this.byKey.get(topologyKey)?.get(domain) ?? 0);
  }

  /** Over all keys. */
  total(node: number): number {
    let total = 0;
    for (const key of this.byKey.keys()) total += this.at(key, node);
    return total;
  }
}
