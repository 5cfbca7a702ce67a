/**
 * How many calls each service gets per outside request, and per request of each caller, from recorded rates alone.
 * The first is a ratio of sums over the healthy part, with its standard error. The second is known directly where edges
 * were counted; where only nodes have rates it is solved from them: rate(callee) = sum of fan-out x rate(caller), all
 * fan-outs >= 0. Callers whose rates hardly move, or move together, cannot be told apart; that is said, not hidden.
 */
import { findSeries, type Recording } from '../recording.js';
import { mean, nonNegativeLeastSquares } from './linear.js';
import { recordedLatency } from './recorded-latency.js';
import type { MeasuredRatio } from './request-classes.js';

export interface EdgeFanOut {
  readonly source: string;
  readonly target: string;
  readonly callsPerRequest: number;
  readonly basis: 'spans' | 'edge counts' | 'rates';
  /** Null where nothing is to be said about its certainty. */
  readonly note: string | null;
}

/** Requests per second of a service, or null where it has no such series. */
export function ratesOf(recording: Recording, service: string): readonly (number | null)[] | null {
  const rates = findSeries(recording, 'requestRate', service);
  if (rates) return rates.values;
  const counts = findSeries(recording, 'callCount', service);
  return counts ? counts.values.map((value) => (value === null ? null : value / (recording.stepMs / 1000))) : null;
}

/** The mean over the points where the mask is true and there is a value; null without any. */
export function meanWhere(values: readonly (number | null)[], mask: readonly boolean[]): number | null {
  const kept = values.filter((value, index): value is number => value !== null && mask[index] === true);
  return kept.length === 0 ? null : mean(kept);
}

/** Calls per request of the entry, for every other service with a rate. */
export function callsPerEntryRequest(recording: Recording, mask: readonly boolean[]): MeasuredRatio[] {
  const entryRates = ratesOf(recording, recording.entry);
  if (entryRates === null) return [];
  return recording.services.flatMap((service) => {
    const rates = service === recording.entry ? null : ratesOf(recording, service);
    if (rates === null) return [];
    const pairs = pairsWhere([entryRates, rates], mask);
    const entryMean = mean(pairs.map(([entry]) => entry as number));
    const perRequest = mean(pairs.map(([, rate]) => rate as number)) / entryMean;
    if (pairs.length < 2 || !Number.isFinite(perRequest)) return [];
    const squares = pairs.map(([entry, rate]) => ((rate as number) - perRequest * (entry as number)) ** 2);
    return [{ service, perRequest, standardError: Math.sqrt(mean(squares) / pairs.length) / entryMean }];
  });
}

/** Fan-out per edge from counted edges: calls over the caller's own requests in the same steps. */
export function fanOutFromEdgeCounts(
  recording: Recording,
  healthy: (services: readonly string[]) => readonly boolean[],
): EdgeFanOut[] {
  return recording.edges.flatMap(({ source, target }) => {
    const calls = findSeries(recording, 'callCount', target, { source });
    if (calls === undefined) return [];
    const received = receivedCounts(recording, source);
    const pairs = pairsWhere([calls.values, received], healthy([source, target]));
    const total = pairs.reduce((sum, [, count]) => sum + (count as number), 0);
    if (total === 0) return [];
    const callsPerRequest = pairs.reduce((sum, [count]) => sum + (count as number), 0) / total;
    return [{ source, target, callsPerRequest, basis: 'edge counts' as const, note: `${pairs.length} steps` }];
  });
}

/** Fan-out per edge of the graph when only services have rates. */
export function fanOutFromRates(recording: Recording, mask: readonly boolean[]): EdgeFanOut[] {
  return recording.services.flatMap((target) => {
    const rates = ratesOf(recording, target);
    const callers = recording.edges.filter((edge) => edge.target === target).map((edge) => edge.source);
    const known = callers.filter((caller) => (meanWhere(ratesOf(recording, caller) ?? [], mask) ?? 0) > 0).sort();
    if (rates === null || known.length === 0) return [];
    const pairs = pairsWhere([rates, ...known.map((caller) => ratesOf(recording, caller) ?? [])], mask);
    if (pairs.length === 0) return [];
    const targetRates = pairs.map((row) => row[0] as number);
    const columns = known.map((_, index) => pairs.map((row) => row[index + 1] as number));
    if (known.length === 1) {
      const callsPerRequest = mean(targetRates) / mean(columns[0] as number[]);
      return [{ source: known[0] as string, target, callsPerRequest, basis: 'rates' as const, note: null }];
    }
    const upper = known.map((source) => mostCalls(recording, source, target, mask));
    const fit = nonNegativeLeastSquares(columns, targetRates, upper);
    return known.map((source, index) => {
      const callsPerRequest = fit.coefficients[index] as number;
      const error = fit.standardErrors[index] as number;
      const uncertain = error > 0.25 * Math.max(callsPerRequest, 0.05);
      const note = uncertain
        ? `uncertain: +-${Number.isFinite(error) ? error.toFixed(2) : 'infinite'}, callers cannot be told apart well`
        : null;
      return { source, target, callsPerRequest, basis: 'rates' as const, note };
    });
  });
}

/**
 * A service that waits for its calls cannot make more of them than fit into its own time. No bound for callers that
 * nobody calls (outside clients, whose own time is not recorded as such) and for calls declared asynchronous.
 */
function mostCalls(recording: Recording, source: string, target: string, mask: readonly boolean[]): number {
  const awaited = !recording.asynchronous.some((edge) => edge.source === source && edge.target === target);
  const called = recording.edges.some((edge) => edge.target === source);
  const [callerMs, calleeMs] = [source, target].map((service) => recordedLatency(recording, service, mask).meanMs);
  return awaited && called && typeof callerMs === 'number' && calleeMs ? callerMs / calleeMs : Infinity;
}

/** Requests that a service got in each step, by the edges into it and from outside. */
function receivedCounts(recording: Recording, service: string): (number | null)[] {
  const into = recording.series.filter((series) => series.role === 'callCount' && series.service === service);
  return Array.from({ length: recording.pointCount }, (_, index) => {
    const counts = into
      .map((series) => series.values[index])
      .filter((value): value is number => typeof value === 'number');
    return counts.length === 0 ? null : counts.reduce((sum, value) => sum + value, 0);
  });
}

/** Rows of values at the points where all series have one. */
function pairsWhere(series: readonly (readonly (number | null)[])[], mask: readonly boolean[]): number[][] {
  return mask.flatMap((healthy, index) => {
    if (!healthy) return [];
    const row = series.map((values) => values[index] ?? null);
    return row.every((value): value is number => value !== null) ? [row] : [];
  });
}
