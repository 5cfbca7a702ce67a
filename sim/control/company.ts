/**
 * Which services' pods bear each other on one node: what required anti-affinity and hard spread by host mean to a node
 * autoscaler that packs pods onto nodes (sim/cluster/nodeRoom.ts). A new node is empty, so the emptiest host has no pod of
 * any kind, and a spread lets as many pods onto a node as its maxSkew.
 */
import type { Company } from '../cluster/nodeRoom.js';
import { matchesTerm } from '../cluster/podAffinity.js';
import { HOSTNAME_LABEL, labelOf, type PodRules, type SpreadConstraint } from '../cluster/schedulerInput.js';
import { isEmptySelector, matchesSelector } from '../cluster/selectors.js';

interface Part {
  readonly rules: PodRules;
  readonly spread: readonly SpreadConstraint[];
}

/** By service. */
export function companyOf(parts: readonly Part[]): Company[] {
  const bears = parts.map((part) => bearsOf(part, parts));
  return parts.map((_, service) => ({
    ...(bears.flat().some(({ kinds }) => kinds.includes(service)) ? { kind: service } : {}),
    ...(bears[service]!.length > 0 ? { bears: bears[service]! } : {}),
  }));
}

function bearsOf({ rules, spread }: Part, parts: readonly Part[]): NonNullable<Company['bears']>[number][] {
  const kindsOf = (is: (other: PodRules) => boolean): number[] =>
    parts.flatMap((other, kind) => (is(other.rules) ? [kind] : []));
  const shuns = (one: PodRules, other: PodRules): boolean =>
    one.antiAffinity.required.some((term) => isByHost(term) && matchesTerm(term, one.namespace, other));
  const shunned = kindsOf((other) => shuns(rules, other) || shuns(other, rules));
  return [
    ...(shunned.length > 0 ? [{ kinds: shunned, most: 0 }] : []),
    ...spread.flatMap((constraint) => {
      const { selector, maxSkew, whenUnsatisfiable } = constraint;
      if (whenUnsatisfiable !== 'DoNotSchedule' || !isByHost(constraint)) return [];
      if (selector === undefined || isEmptySelector(selector)) return [];
      const kinds = kindsOf((other) => matchesSelector(selector, other.labels));
      const itself = matchesSelector(selector, rules.labels) ? 1 : 0;
      return kinds.length > 0 ? [{ kinds, most: maxSkew - itself }] : [];
    }),
  ];
}

function isByHost({ topologyKey }: { readonly topologyKey: string }): boolean {
  return labelOf(topologyKey) === HOSTNAME_LABEL;
}
