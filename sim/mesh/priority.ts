/**
 * How a proxy shares requests out over priority levels, from the healthy and total hosts of each.
 *
 * Everyday picture: level 0 is home. It counts as 100 % able until fewer than 5 of 7 hosts are healthy (factor 1.4); what
 * it cannot take overflows to level 1, and so on. All of it is integer arithmetic with the remainder given to the first
 * level that has health, as Envoy's code does it (8/92 where Envoy's own documentation prints 7/93).
 *
 * Panic: a level whose healthy share is below a threshold ignores health and uses all its hosts, but only when the levels
 * together cannot carry everything. Istio sets the threshold to 0, so it never panics: with nothing healthy, level 0 gets
 * 100 % of the requests and answers 503.
 */

/** Envoy's default; Istio leaves it. 100 would spill from the first lost host on, 200 only once half are gone. */
const OVERPROVISIONING_FACTOR_PERCENT = 140;

export interface PriorityState {
  /** Integers that sum to 100. */
  readonly loadPercent: readonly number[];
  readonly panic: readonly boolean[];
}

/** Levels in order; at least one. */
export function priorityState(
  healthy: readonly number[],
  total: readonly number[],
  panicThresholdPercent: number,
): PriorityState {
  const carried = totalAvailability(availabilities(healthy, total));
  const panic = total.map(
    (hosts, level) => carried < 100 && healthyPercent(healthy[level]!, hosts) < panicThresholdPercent,
  );
  const loadPercent = panic.every((inPanic) => inPanic) ? loadsByHostCount(total) : priorityLoads(healthy, total);
  return { loadPercent, panic };
}

/** Loads without panic; integers that sum to 100. With nothing healthy, all goes to the first level. */
export function priorityLoads(healthy: readonly number[], total: readonly number[]): number[] {
  const health = availabilities(healthy, total);
  const carried = totalAvailability(health);
  if (carried === 0) return total.map((_, level) => (level === 0 ? 100 : 0));
  let remaining = 100;
  const loads = health.map((levelHealth) => {
    const load = Math.min(remaining, Math.floor((levelHealth * 100) / carried));
    remaining -= load;
    return load;
  });
  const firstWithHealth = health.findIndex((levelHealth) => levelHealth > 0);
  loads[firstWithHealth]! += remaining;
  return loads;
}

/** Share of its hosts' worth of traffic that a group can take, 0 to 1, in real numbers (used per locality, A7). */
export function overprovisionedShare(healthy: number, total: number): number {
  return Math.min(1, (OVERPROVISIONING_FACTOR_PERCENT / 100) * (healthy / total));
}

function availabilities(healthy: readonly number[], total: readonly number[]): number[] {
  return total.map((hosts, level) =>
    hosts === 0 ? 0 : Math.min(100, Math.floor((OVERPROVISIONING_FACTOR_PERCENT * healthy[level]!) / hosts)),
  );
}

function totalAvailability(health: readonly number[]): number {
  return Math.min(
    100,
    health.reduce((sum, levelHealth) => sum + levelHealth, 0),
  );
}

function healthyPercent(healthy: number, total: number): number {
  return total === 0 ? 0 : (100 * healthy) / total;
}

function loadsByHostCount(total: readonly number[]): number[] {
  const hosts = total.reduce((sum, count) => sum + count, 0);
  if (hosts === 0) return total.map((_, level) => (level === 0 ? 100 : 0));
  const loads = total.map((count) => Math.floor((100 * count) / hosts));
  const remainder = 100 - loads.reduce((sum, load) => sum + load, 0);
  loads[total.findIndex((count) => count > 0)]! += remainder;
  return loads;
}
