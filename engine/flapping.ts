/**
 * Cool-down and the flapping guard, per workload: after a scaling of ours nothing follows in the same direction, and
 * nothing in the opposite direction follows any change of the count, ours or another's, until `cooldownSeconds` are over.
 * An addition after a removal waits too: a count that goes down and up within a minute has followed noise, and a minute
 * bounds what that costs.
 *
 * Changes by others (an HPA, a human) are not announced: they show as a count that is neither the one seen last nor the
 * one we had asked for then. Their time is that of the step that notices. A change that is undone between two steps, or
 * that undoes an addition of ours, is not seen.
 */
import type { WorkloadView } from './cluster-view.js';
import { recall } from './memory.js';
import { figure } from './outcome.js';
import type { Memory } from './types.js';

export type Direction = 'up' | 'down';

/** What others changed since the last step, added to what is remembered of them. */
export function noticeChanges(memory: Memory, workloads: readonly WorkloadView[], nowMs: number): Memory {
  const { lastSeen = {}, othersScaling = {} } = memory;
  const noticed: Record<string, OthersScaling> = {};
  for (const { key, workload } of workloads) {
    const seen = recall(lastSeen, key);
    if (seen === null) continue;
    const { replicas, expected } = seen;
    const now = workload.desiredReplicas;
    if (now === expected) continue;
    // Where a removal of ours has not come true, it was refused or taken back: the one that waits is the safe reading.
    // An addition that has not come true may be asked for again: overload is the worse mistake.
    if (now === replicas && (expected === null || expected > replicas)) continue;
    // Between what was and what we asked for: somebody went back on part of it.
    const direction = now > (expected ?? replicas) ? 'upAtMs' : 'downAtMs';
    noticed[key] = { ...(recall(othersScaling, key) ?? NEVER), [direction]: nowMs };
  }
  return { ...memory, othersScaling: { ...othersScaling, ...noticed } };
}

type OthersScaling = NonNullable<Memory['othersScaling']>[string];
const NEVER: OthersScaling = { upAtMs: null, downAtMs: null };

/** Why the workload must not be scaled that way yet; null: it may. */
export function tooSoon(
  memory: Memory,
  wish: {
    readonly key: string;
    readonly direction: Direction;
    readonly nowMs: number;
    readonly cooldownSeconds: number;
  },
): { readonly reason: 'cooldown' | 'flapping'; readonly detail: string } | null {
  const { key, direction, nowMs, cooldownSeconds } = wish;
  const ours = recall(memory.lastScaling, key);
  const others = recall(memory.othersScaling, key) ?? NEVER;
  const opposite = direction === 'up' ? 'down' : 'up';
  const changes: readonly [number | null, Direction, string][] = [
    [ours && ours.atMs, ours ? ours.direction : opposite, ''],
    [direction === 'up' ? others.downAtMs : others.upAtMs, opposite, ' by another'],
  ];
  for (const [atMs, changed, by] of changes) {
    const rest = atMs === null ? null : restOf(nowMs, atMs, cooldownSeconds);
    if (rest === null) continue;
    const { ago, leftSeconds } = rest;
    const what = `scaled ${changed}${by} ${ago}`;
    if (changed === direction) return { reason: 'cooldown', detail: `${what}, ${leftSeconds} s to wait` };
    return { reason: 'flapping', detail: `${what}, the opposite has ${leftSeconds} s to wait` };
  }
  return null;
}

/** How long ago something was, and the whole seconds that its rest goes on; null: the rest is over. */
export function restOf(
  nowMs: number,
  atMs: number,
  restSeconds: number,
): { readonly ago: string; readonly leftSeconds: number } | null {
  const elapsedSeconds = Math.abs(nowMs - atMs) / 1000;
  const leftSeconds = Math.ceil(restSeconds - elapsedSeconds);
  return leftSeconds > 0 ? { ago: `${figure(elapsedSeconds)} s ago`, leftSeconds } : null;
}
