/**
 * What the engine asks to be told again at its next step: when each workload was last scaled (cool-down), whose routes
 * deserve an eager look because replicas changed, and which counts it saw (to notice the changes of others). Bounded: a
 * scaling is forgotten once its cool-down is over, a mark once the workload is gone or the balancer has looked, a count
 * when the workload is gone.
 */
import type { Memory } from './types.js';

export const emptyMemory: Memory = Object.freeze({
  apiVersion: 'wavetank/v1alpha1',
  kind: 'Memory',
  formatVersion: '1.0',
  lastScaling: Object.freeze({}),
  postScalingMarks: Object.freeze({}),
  lastSeen: Object.freeze({}),
  othersScaling: Object.freeze({}),
});

/** What is remembered under a key; null: nothing. A workload may be named like a member that every object has. */
export function recall<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | null {
  return record !== undefined && Object.hasOwn(record, key) ? record[key]! : null;
}

/** The memory to hand back, from what was kept and what this step added; sorted as it came, additions last. */
export function nextMemory(
  memory: Memory,
  change: {
    readonly nowMs: number;
    readonly cooldownSeconds: number;
    readonly scaled: ReadonlyMap<string, 'up' | 'down'>;
    readonly marked: ReadonlySet<string>;
    readonly cleared: ReadonlySet<string>;
    readonly known: { has(key: string): boolean };
    readonly seen: ReadonlyMap<string, { readonly replicas: number; readonly expected: number | null }>;
  },
): Memory {
  const { nowMs } = change;
  const lastScaling = Object.entries(memory.lastScaling).filter(
    ([key, { atMs }]) => !change.scaled.has(key) && Math.abs(nowMs - atMs) < change.cooldownSeconds * 1000,
  );
  const marks = Object.entries(memory.postScalingMarks).filter(
    ([key]) => change.known.has(key) && !change.cleared.has(key) && !change.marked.has(key),
  );
  return {
    ...memory,
    lastScaling: Object.fromEntries([
      ...lastScaling,
      ...[...change.scaled].map(([key, direction]) => [key, { atMs: nowMs, direction }] as const),
    ]),
    postScalingMarks: Object.fromEntries([
      ...marks,
      ...[...change.marked].map((key) => [key, { atMs: nowMs }] as const),
    ]),
    lastSeen: Object.fromEntries(change.seen),
    othersScaling: Object.fromEntries(
      Object.entries(memory.othersScaling ?? {}).filter(([, { upAtMs, downAtMs }]) => {
        const isRecent = (atMs: number | null): boolean =>
          atMs !== null && Math.abs(nowMs - atMs) < change.cooldownSeconds * 1000;
        return isRecent(upAtMs) || isRecent(downAtMs);
      }),
    ),
  };
}
