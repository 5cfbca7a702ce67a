/**
 * Turns measured times into the `empirical` law of a scenario: piecewise uniform, in microseconds. Two sources: samples
 * (spans), or the few quantiles that metrics keep. No family is fitted: the recorded own times have a body of a few
 * milliseconds and a tail from CPU throttling a hundred times longer, which neither a lognormal nor a gamma follows.
 */
import type { Distribution } from '../../scenarios/types.js';

/** Where samples are cut. Fine at the top: the tail of an own time decides the p90 of a request that makes ten calls. */
const cuts: readonly number[] = [
  0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9,
  0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 1,
];

/** The law of some samples. Fewer than two different values give a constant. */
export function lawOfSamples(samplesMs: readonly number[]): Distribution {
  const sorted = Float64Array.from(samplesMs).sort();
  const meanUs = (sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length)) * 1000;
  if (sorted.length < 2 || sorted[0] === sorted[sorted.length - 1]) return { kind: 'constant', mean: meanUs };
  const bounds = cuts.map((q) => sortedQuantile(sorted, q) * 1000);
  const weights = cuts.slice(1).map((q, index) => q - (cuts[index] as number));
  return withMean(piecewise(bounds, weights), meanUs);
}

/**
 * The law through some quantiles in milliseconds (keys between 0 and 1). Below the lowest it reaches down to a point that
 * gives the wanted mean where one can (else to 0), above the highest it ends at 1.5 times it.
 */
export function lawOfQuantiles(quantilesMs: ReadonlyMap<number, number>, meanMs: number | null): Distribution | null {
  const points = [...quantilesMs].sort(([left], [right]) => left - right);
  if (points.length === 0) return null;
  const levels = [0, ...points.map(([q]) => q), 1];
  const top = (points[points.length - 1] as [number, number])[1];
  const heights = [0, ...points.map(([, value]) => value), top * 1.5];
  for (let i = 1; i < heights.length; i += 1) heights[i] = Math.max(heights[i] as number, heights[i - 1] as number);
  const weights = levels.slice(1).map((q, index) => q - (levels[index] as number));
  const first = piecewise(
    heights.map((value) => value * 1000),
    weights,
  );
  if (meanMs === null) return first;
  const missingUs = meanMs * 1000 - first.mean;
  const lowest = Math.min((heights[1] as number) * 1000, Math.max(0, (2 * missingUs) / (weights[0] as number)));
  return piecewise([lowest, ...heights.slice(1).map((value) => value * 1000)], weights);
}

/** Each value times a factor. */
export function scaleLaw(law: Distribution, factor: number): Distribution {
  if (law.kind !== 'empirical') return { ...law, mean: law.mean * factor };
  return { ...law, bounds: law.bounds.map((bound) => bound * factor), mean: law.mean * factor };
}

/** Linear interpolation between order statistics. */
export function sortedQuantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (above - below) * (position - low);
}

export function median(values: readonly number[]): number | null {
  return values.length === 0 ? null : sortedQuantile(Float64Array.from(values).sort(), 0.5);
}

function piecewise(
  bounds: readonly number[],
  weights: readonly number[],
): Extract<Distribution, { kind: 'empirical' }> {
  const mean = weights.reduce(
    (sum, weight, index) => sum + (weight * ((bounds[index] as number) + (bounds[index + 1] as number))) / 2,
    0,
  );
  return { kind: 'empirical', bounds, weights, mean };
}

/** Straight lines between far quantiles overstate the tail a little: the top piece is shortened until the mean is right. */
function withMean(law: Extract<Distribution, { kind: 'empirical' }>, meanUs: number): Distribution {
  const last = law.weights.length - 1;
  const top = law.bounds[last + 1] as number;
  const lower = law.bounds[last] as number;
  const wanted = top - (2 * (law.mean - meanUs)) / (law.weights[last] as number);
  return piecewise([...law.bounds.slice(0, -1), Math.max(lower, wanted)], law.weights);
}
