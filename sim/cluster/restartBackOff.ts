/**
 * When the kubelet starts a container again that ended: the first time at once, then after 10 s, doubling up to 5 min
 * (CrashLoopBackOff). The wait runs from the end of the container, and doubles with each restart, not with time. A
 * container that ran for more than 10 min since its last restart starts afresh.
 *
 * Source: kubelet's doBackOff and client-go's flowcontrol/backoff.go: `Next` is called when a restart goes ahead, so the
 * 10 s that it notes at the first restart are waited before the second. Shorter waits (ReduceDefaultCrashLoopBackOffDecay)
 * are off by default through 1.36; a node may lower the longest wait (maxContainerRestartPeriod, from 1.35). Restarts
 * happen when the pod is next synced, a little after the moment given here.
 */

export interface RestartState {
  readonly delayUs: number;
  readonly restartedAtUs: number;
}

/** Kubelet's own; longer hides recovery, shorter burns the node's CPU on containers that cannot start. */
const INITIAL_DELAY_US = 10_000_000;
export const DEFAULT_MAX_DELAY_US = 300_000_000;
/** Fixed, whatever the longest wait. */
const STABLE_AFTER_US = 600_000_000;

/** `state` is null before the first restart; hand back the new one at the next end. */
export function restartAfterExit(
  state: RestartState | null,
  exitedAtUs: number,
  maxDelayUs: number,
): { readonly restartAtUs: number; readonly state: RestartState } {
  const isFresh = state === null || exitedAtUs - state.restartedAtUs > STABLE_AFTER_US;
  const restartAtUs = isFresh ? exitedAtUs : exitedAtUs + state.delayUs;
  const delayUs = Math.min(isFresh ? INITIAL_DELAY_US : 2 * state.delayUs, maxDelayUs);
  return { restartAtUs, state: { delayUs, restartedAtUs: restartAtUs } };
}
