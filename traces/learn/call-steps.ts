/**
 * Which calls a kind of request makes, in which order, and which at the same time: measured, not assumed. Calls to the
 * same operation form a group; two groups run in parallel when their calls overlap in most of the visits that have both.
 * Groups are ordered by when they typically start. Interleaved sequences (product, price, product, price, ...) become
 * "all products, then all prices": the sum of sequential times is the same.
 */
import type { Visit } from './visits.js';

export interface CallGroup {
  readonly service: string;
  readonly operation: string;
  /** Share of the visits that make at least one such call. */
  readonly probability: number;
  /** Calls of the visits that make one. */
  readonly count: number;
}

export interface CallStep {
  readonly groups: readonly CallGroup[];
  readonly repeat: 'sequential' | 'parallel';
}

/** Overlap in more than this share of the visits means "at the same time"; chance overlaps of sequential calls are rare. */
const overlapShare = 0.5;

export function callStepsOf(visits: readonly Visit[]): CallStep[] {
  const keys = new Map<string, { service: string; operation: string; ranks: number[]; counts: number[] }>();
  for (const visit of visits) {
    const inVisit = new Map<string, { rank: number; count: number }>();
    visit.calls.forEach((call, index) => {
      const key = keyOf(call.visit);
      const entry = inVisit.get(key) ?? { rank: index / visit.calls.length, count: 0 };
      inVisit.set(key, { ...entry, count: entry.count + 1 });
      if (!keys.has(key))
        keys.set(key, { service: call.visit.service, operation: call.visit.operation, ranks: [], counts: [] });
    });
    for (const [key, { rank, count }] of inVisit) {
      keys.get(key)?.ranks.push(rank);
      keys.get(key)?.counts.push(count);
    }
  }
  const ordered = [...keys].sort(([leftKey, left], [rightKey, right]) => {
    return mean(left.ranks) - mean(right.ranks) || (leftKey < rightKey ? -1 : 1);
  });
  const steps: { keys: string[]; groups: CallGroup[] }[] = [];
  for (const [key, { service, operation, counts }] of ordered) {
    const group = { service, operation, probability: counts.length / visits.length, count: mean(counts) };
    const last = steps[steps.length - 1];
    if (last?.keys.some((other) => overlapping(visits, other, key))) {
      last.keys.push(key);
      last.groups.push(group);
    } else steps.push({ keys: [key], groups: [group] });
  }
  return steps.map((step) => ({
    groups: step.groups,
    repeat: step.keys.some((key) => overlapping(visits, key, key)) ? 'parallel' : 'sequential',
  }));
}

/** True when calls of the two groups (or two calls of one group) overlap in most visits that could show it. */
function overlapping(visits: readonly Visit[], left: string, right: string): boolean {
  let able = 0;
  let overlaps = 0;
  for (const visit of visits) {
    const first = visit.calls.filter((call) => keyOf(call.visit) === left);
    const second = left === right ? first.slice(1) : visit.calls.filter((call) => keyOf(call.visit) === right);
    if (first.length === 0 || second.length === 0) continue;
    able += 1;
    if (first.some((a) => second.some((b) => a !== b && a.startMs < b.endMs && b.startMs < a.endMs))) overlaps += 1;
  }
  return able > 0 && overlaps > overlapShare * able;
}

export function keyOf(visit: { readonly service: string; readonly operation: string }): string {
  return `${visit.service}\t${visit.operation}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
