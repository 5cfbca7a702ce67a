/**
 * What a selector picks: label selectors (services, budgets, spread and affinity terms) and node selector terms
 * (affinity to nodes), both over plain label records.
 *
 * The traps: an empty selector picks everything and none (null) nothing; an empty node selector term picks nothing;
 * `NotIn` and `DoesNotExist` hold where the label is missing; `Gt` and `Lt` read whole numbers and fail on anything else.
 * Sources: apimachinery's labels/selector.go, component-helpers' nodeaffinity.go.
 */
import { holds } from '../../engine/label-selector.js';
import type { Labels, LabelSelector, NodeSelectorTerm, Requirement } from '../../scenarios/pod-scheduling.js';

export type { Labels, LabelSelector, NodeSelectorTerm, Requirement } from '../../scenarios/pod-scheduling.js';

export function matchesSelector(selector: LabelSelector | null, labels: Labels): boolean {
  if (selector === null) return false;
  return matchesLabels(selector.matchLabels, labels) && matchesAll(selector.matchExpressions, labels);
}

/** It picks everything. */
export function isEmptySelector({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

export function matchesLabels(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** All requirements of the term. */
export function matchesNodeTerm(term: NodeSelectorTerm, labels: Labels, nodeName: string): boolean {
  if (term.matchExpressions.length + term.matchFields.length === 0) return false;
  return matchesAll(term.matchExpressions, labels) && matchesAll(term.matchFields, { 'metadata.name': nodeName });
}

function matchesAll(requirements: readonly Requirement[], labels: Labels): boolean {
  return requirements.every((requirement) => matchesRequirement(requirement, labels));
}

export function matchesRequirement({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels[key];
  if (operator !== 'Gt' && operator !== 'Lt') return holds({ operator, values }, value);
  const [left, right] = [wholeNumber(value), wholeNumber(values[0])];
  if (left === null || right === null) return false;
  return operator === 'Gt' ? left > right : left < right;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : null;
}
