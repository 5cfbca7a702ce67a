/**
 * The outlier detector of one cluster, for every calling proxy on its own (SEMANTICS A14): consecutive failures of an
 * endpoint are counted; at the threshold it is ejected at once, if the cap on ejected endpoints allows. It comes back
 * at a sweep once its time is over; the time grows with each ejection and shrinks with each sweep in good health.
 *
 * Everyday picture: a player is sent off after so many fouls in a row, unless too few would be left on the field; the
 * referee lets players back in only at fixed whistles, and each sending-off lasts longer than the one before.
 *
 * State by pair (caller x capacity + endpoint). Source: Envoy's outlier_detection_impl.cc; Istio's mapping of the fields.
 */
import type { ClusterPolicy } from './clusterPolicy.js';

export type OutlierPolicy = NonNullable<ClusterPolicy['outlier']>;

/** How a request ended, as the detector sees it. */
export const OUTCOME_SUCCESS = 0;
/** An answer of the endpoint: 500 and the like, or 502 to 504. */
export const OUTCOME_5XX = 1;
export const OUTCOME_GATEWAY = 2;
/** No answer: connection failure, reset, time-out. */
export const OUTCOME_LOCAL = 3;

/** Envoy's max_ejection_time, which Istio does not expose; at least the base. */
const MAX_EJECTION_US = 300_000_000;

export interface OutlierState {
  readonly policy: OutlierPolicy;
  /** From Envoy 1.27 on the cap is strict; before, one endpoint could always be ejected. */
  readonly isCapStrict: boolean;
  readonly capacity: number;
  readonly errors: Int32Array;
  readonly gatewayErrors: Int32Array;
  readonly localErrors: Int32Array;
  /** -1: in service. */
  readonly ejectedAtUs: Float64Array;
  readonly returnedAtUs: Float64Array;
  readonly multiplier: Int32Array;
  /** By caller. */
  readonly ejectedCount: Int32Array;
}

export function createOutlierState(
  policy: OutlierPolicy,
  callers: number,
  capacity: number,
  envoyMinor: number,
): OutlierState {
  const pairs = callers * capacity;
  return {
    policy,
    isCapStrict: envoyMinor >= 27,
    capacity,
    errors: new Int32Array(pairs),
    gatewayErrors: new Int32Array(pairs),
    localErrors: new Int32Array(pairs),
    ejectedAtUs: new Float64Array(pairs).fill(-1),
    returnedAtUs: new Float64Array(pairs).fill(-Infinity),
    multiplier: new Int32Array(pairs),
    ejectedCount: new Int32Array(callers),
  };
}

/** Counts an outcome; true when a threshold is reached and the endpoint should be ejected. */
export function countOutcome(state: OutlierState, pair: number, outcome: number): boolean {
  const { policy, errors, gatewayErrors, localErrors } = state;
  if (outcome === OUTCOME_SUCCESS) {
    errors[pair] = 0;
    gatewayErrors[pair] = 0;
    localErrors[pair] = 0;
    return false;
  }
  if (policy.splitLocalOrigin) {
    if (outcome === OUTCOME_LOCAL) return reaches(localErrors, pair, policy.consecutiveLocalOrigin);
    localErrors[pair] = 0;
  }
  let eject = false;
  if (outcome === OUTCOME_5XX) gatewayErrors[pair] = 0;
  else eject = reaches(gatewayErrors, pair, policy.consecutiveGateway);
  return reaches(errors, pair, policy.consecutive5xx) || eject;
}

/** The counter starts again after a trigger, whatever becomes of it. */
function reaches(counts: Int32Array, pair: number, threshold: number): boolean {
  counts[pair] = counts[pair]! + 1;
  if (counts[pair] !== threshold) return false;
  counts[pair] = 0;
  return true;
}

/** Ejects the endpoint if the cap allows; `hosts`: all endpoints of the cluster in this proxy, of all priorities. */
export function eject(state: OutlierState, caller: number, pair: number, hosts: number, nowUs: number): boolean {
  const { policy, ejectedCount, ejectedAtUs, multiplier, isCapStrict } = state;
  if (ejectedAtUs[pair]! >= 0) return false;
  const ejected = ejectedCount[caller]!;
  const allowed = isCapStrict
    ? 100 * (ejected + 1) <= policy.maxEjectionPercent * hosts
    : 100 * ejected < policy.maxEjectionPercent * hosts;
  if (!allowed) return false;
  ejectedAtUs[pair] = nowUs;
  ejectedCount[caller] = ejected + 1;
  const maxUs = Math.max(MAX_EJECTION_US, policy.baseEjectionUs);
  if (multiplier[pair]! * policy.baseEjectionUs < maxUs + policy.baseEjectionUs)
    multiplier[pair] = multiplier[pair]! + 1;
  return true;
}

/** One sweep of a caller's detector: true when an endpoint came back. */
export function sweep(state: OutlierState, caller: number, nowUs: number): boolean {
  const { policy, capacity, ejectedAtUs, returnedAtUs, multiplier } = state;
  const maxUs = Math.max(MAX_EJECTION_US, policy.baseEjectionUs);
  let returned = false;
  for (let pair = caller * capacity; pair < (caller + 1) * capacity; pair++) {
    if (ejectedAtUs[pair]! >= 0) {
      const forUs = Math.min(policy.baseEjectionUs * multiplier[pair]!, maxUs);
      if (nowUs < ejectedAtUs[pair]! + forUs) continue;
      comeBack(state, caller, pair);
      returnedAtUs[pair] = nowUs;
      returned = true;
    } else if (multiplier[pair]! > 0 && nowUs - returnedAtUs[pair]! >= policy.intervalUs) {
      multiplier[pair] = multiplier[pair]! - 1;
    }
  }
  return returned;
}

/** The endpoint is gone from the cluster; a new one in its place starts without a record. */
export function forgetPair(state: OutlierState, caller: number, pair: number): void {
  if (state.ejectedAtUs[pair]! >= 0) comeBack(state, caller, pair);
  state.errors[pair] = 0;
  state.gatewayErrors[pair] = 0;
  state.localErrors[pair] = 0;
  state.multiplier[pair] = 0;
  state.returnedAtUs[pair] = -Infinity;
}

/** True while a sweep could still change something for this caller. */
export function needsSweep(state: OutlierState, caller: number): boolean {
  if (state.ejectedCount[caller]! > 0) return true;
  for (let pair = caller * state.capacity; pair < (caller + 1) * state.capacity; pair++)
    if (state.multiplier[pair]! > 0) return true;
  return false;
}

function comeBack(state: OutlierState, caller: number, pair: number): void {
  state.ejectedAtUs[pair] = -1;
  state.ejectedCount[caller] = state.ejectedCount[caller]! - 1;
  state.errors[pair] = 0;
  state.gatewayErrors[pair] = 0;
  state.localErrors[pair] = 0;
}
