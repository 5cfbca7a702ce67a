/**
 * A Deployment's rolling update, one pass at a time (B10): how many pods the new ReplicaSet and the old ones should have
 * now. The caller makes or deletes the pods and asks again whenever a pod becomes available or is gone.
 *
 * Like filling one bucket from another: never more than desired + surge pods in all, never fewer than desired - unavailable
 * available ones. A pass that scales up the new set ends there. Otherwise the old sets lose their unavailable pods first
 * (they help nobody), oldest set first; then available ones as far as enough are available. Pods of the new set that are
 * not available yet hold the whole step back, so that a crashing release cannot eat the old one.
 *
 * Sources: deployment_util.go (ResolveFenceposts, NewRSNewReplicas) and rolling.go.
 */
import { resolvePods, type IntOrPercent } from './intOrPercent.js';

export interface RollingLimits {
  readonly maxSurge: IntOrPercent;
  readonly maxUnavailable: IntOrPercent;
}

export interface ReplicaSetSize {
  /** What it is asked for, not what runs. */
  readonly replicas: number;
  /** Pods ready for at least minReadySeconds. */
  readonly available: number;
}

export interface RolloutState {
  readonly desired: number;
  readonly limits: RollingLimits;
  readonly current: ReplicaSetSize;
  /** Oldest first. */
  readonly old: readonly ReplicaSetSize[];
}

/** The new `replicas` of each set. */
export interface RolloutStep {
  readonly current: number;
  readonly old: readonly number[];
}

/** Surge rounds up, unavailable down; if both come to nothing the rollout could not move, so one may be unavailable. */
export function resolveFenceposts(limits: RollingLimits, desired: number): { surge: number; unavailable: number } {
  const surge = resolvePods(limits.maxSurge, desired, 'up');
  const unavailable = resolvePods(limits.maxUnavailable, desired, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function rolloutStep(state: RolloutState): RolloutStep {
  const before: RolloutStep = { current: state.current.replicas, old: state.old.map(({ replicas }) => replicas) };
  const current = newReplicas(state);
  if (current !== before.current) return { ...before, current };
  return { ...before, old: oldReplicas(state) };
}

/** Up as far as the surge allows; down at once when more than desired are asked for. */
function newReplicas({ desired, limits, current, old }: RolloutState): number {
  if (current.replicas >= desired) return desired;
  // From the surge as given: a forced unavailable of 1 does not change it.
  const room = desired + resolveFenceposts(limits, desired).surge - sumReplicas([current, ...old]);
  return current.replicas + Math.min(Math.max(0, room), desired - current.replicas);
}

function oldReplicas({ desired, limits, current, old }: RolloutState): number[] {
  // A few more unavailable than desired would ask for less than nothing.
  const unavailable = Math.min(desired, resolveFenceposts(limits, desired).unavailable);
  const minAvailable = desired - unavailable;
  const sizes = old.map(({ replicas }) => replicas);
  let toClean = sumReplicas([current, ...old]) - minAvailable - (current.replicas - current.available);
  if (toClean <= 0) return sizes;
  old.forEach(({ replicas, available }, set) => {
    const cleaned = Math.min(Math.max(0, toClean), Math.max(0, replicas - available));
    sizes[set] = replicas - cleaned;
    toClean -= cleaned;
  });
  // The status that counts the available still includes all old pods, as none that is available was deleted yet.
  let toScale = [current, ...old].reduce((sum, { available }) => sum + available, 0) - minAvailable;
  return sizes.map((replicas) => {
    const scaled = Math.min(Math.max(0, toScale), replicas);
    toScale -= scaled;
    return replicas - scaled;
  });
}

function sumReplicas(sets: readonly ReplicaSetSize[]): number {
  return sets.reduce((sum, { replicas }) => sum + replicas, 0);
}
