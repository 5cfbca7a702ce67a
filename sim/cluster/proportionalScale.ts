/**
 * What an autoscaler's change of mind does to a Deployment in the middle of a rollout (B10): the old and the new
 * ReplicaSet grow or shrink together, each by its share, so that a release which never gets ready does not take all the
 * new pods.
 *
 * Each set keeps its share of desired + surge, rounded to the nearest pod; no set moves further than what is left to give
 * or take, and the largest set gets what rounding leaves over. With one set only, or the new one complete, there is no
 * share to keep. Ties: growing, the newer set first; shrinking, the older.
 * Sources: deployment's sync.go (scale), deployment_util.go (GetProportion and what it calls).
 */
import { resolveFenceposts, type RolloutState, type RolloutStep } from './rollingUpdate.js';

interface SizedSet {
  readonly replicas: number;
  /** Position in the answer: old sets first, the new one last. */
  readonly index: number;
}

/** `state.desired` is the new number. The pass ends with it; `rolloutStep` goes on in the next. */
export function rescaleRollout(state: RolloutState, desiredBefore: number): RolloutStep {
  const { current, old, desired } = state;
  const sizes = [...old, current].map(({ replicas }) => replicas);
  const active = sizes.flatMap((replicas, index) => (replicas > 0 ? [{ replicas, index }] : []));
  const isComplete =
    current.replicas === desired && current.available === desired && desiredBefore === desired && desired > 0;
  if (active.length <= 1) sizes[active[0]?.index ?? old.length] = desired;
  else if (isComplete) sizes.fill(0, 0, old.length);
  else giveShares(state, desiredBefore, active, sizes);
  return { current: sizes[old.length]!, old: sizes.slice(0, old.length) };
}

function giveShares(state: RolloutState, desiredBefore: number, active: readonly SizedSet[], sizes: number[]): void {
  const mostPods = (desired: number) => desired + resolveFenceposts(state.limits, desired).surge;
  const allowed = state.desired === 0 ? 0 : mostPods(state.desired);
  const toAdd = allowed - active.reduce((sum, { replicas }) => sum + replicas, 0);
  if (toAdd === 0) return;
  const newerFirst = toAdd > 0 ? 1 : -1;
  const bySize = active.toSorted((a, b) => b.replicas - a.replicas || newerFirst * (b.index - a.index));
  let left = toAdd;
  for (const { replicas, index } of bySize) {
    const share = roundHalfAway((replicas * allowed) / mostPods(desiredBefore)) - replicas;
    const given = toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    sizes[index] = replicas + given;
    left -= given;
  }
  const largest = bySize[0]!.index;
  sizes[largest] = Math.max(0, sizes[largest]! + left);
}

function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}
