/** A rollout step as anyone would do it by hand: one pod at a time, asking before each whether it may. */
import type { ReplicaSetSize, RolloutState } from '../../sim/cluster/rollingUpdate.js';

export function slowRolloutStep(
  { desired, current, old }: RolloutState,
  surge: number,
  unavailable: number,
): { current: number; old: number[] } {
  const sizes = old.map(({ replicas }) => replicas);
  const pods = (sets: readonly ReplicaSetSize[]) =>
    sets.flatMap(({ replicas }) => Array<number>(replicas).fill(1)).length;
  const available = old.reduce((sum, set) => sum + set.available, current.available);
  if (current.replicas > desired) return { current: desired, old: sizes };
  let asked = current.replicas;
  while (asked < desired && asked + pods(old) < desired + surge) asked++;
  if (asked > current.replicas) return { current: asked, old: sizes };

  const floor = Math.max(0, desired - unavailable);
  // Pods whose going leaves the floor standing even if no young pod ever comes up.
  let spare = pods(old) + current.available - floor;
  if (spare <= 0) return { current: asked, old: sizes };
  for (let set = 0; set < old.length; set++) {
    while (spare > 0 && sizes[set]! > old[set]!.available) {
      sizes[set]!--;
      spare--;
    }
  }
  let left = available;
  for (let set = 0; set < old.length; set++) {
    while (left > floor && sizes[set]! > 0) {
      sizes[set]!--;
      left--;
    }
  }
  return { current: asked, old: sizes };
}
