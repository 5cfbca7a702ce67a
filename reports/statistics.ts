/**
 * From one figure per seed to what may be said about it: mean, 95 % interval, difference of two policies on the same
 * seeds. Replications with different seeds are independent, so Student's t over the per-seed figures is the interval for
 * means and quantiles alike. Policies share their seeds, so differences are taken seed by seed (paired t): what the seeds
 * have in common drops out, and `varianceReduction` says how much that helped.
 *
 * Ratios of two paired means use Fieller's interval (E. C. Fieller, J. Royal Stat. Soc. B 16, 1954): the set of ratios r
 * for which the paired t interval of a - r b contains 0. So a gate on the ratio and the printed interval cannot disagree.
 */
import tQuantile from '@stdlib/stats-base-dists-t-quantile';
import { mean, sampleCovariance, sampleVariance } from 'simple-statistics';

/** One figure per seed; null where a seed does not have it. */
export type Figures = readonly (number | null)[];

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Estimate {
  readonly seeds: number;
  /** Null when a seed lacks the figure: a mean over the rest would be another figure. */
  readonly mean: number | null;
  readonly standardDeviation: number | null;
  /** Null below two seeds. */
  readonly interval: Interval | null;
  /** Why mean or interval is null; null when both stand. */
  readonly reason: string | null;
}

export interface PairedEstimate extends Estimate {
  /** 1 - var(a - b) / (var(a) + var(b)): 0 for independent runs, near 1 when the seeds explain nearly everything. */
  readonly varianceReduction: number | null;
}

export function estimate(figures: Figures): Estimate {
  const seeds = figures.length;
  const present = figures.filter((figure) => figure !== null);
  const missing = seeds - present.length;
  if (seeds === 0) return without('no seed was run', 0);
  if (missing > 0) return without(`${missing} of ${seeds} seeds do not have this figure`, seeds);
  const average = mean(present);
  if (seeds < 2) {
    return { seeds, mean: average, standardDeviation: null, interval: null, reason: 'one seed gives no interval' };
  }
  const standardDeviation = Math.sqrt(sampleVariance(present));
  const half = (studentQuantile(0.975, seeds - 1) * standardDeviation) / Math.sqrt(seeds);
  return {
    seeds,
    mean: average,
    standardDeviation,
    interval: { low: average - half, high: average + half },
    reason: null,
  };
}

/** a - b, seed by seed. Both lists are in the same order of seeds. */
export function pairedDifference(a: Figures, b: Figures): PairedEstimate {
  if (a.length !== b.length) throw new Error(`paired lists differ in length: ${a.length} and ${b.length}`);
  const differences = a.map((figure, index) => minus(figure, b[index] ?? null));
  return { ...estimate(differences), varianceReduction: varianceReduction(a, b) };
}

/** mean(a) / mean(b) with Fieller's interval; null where it is unbounded (b not clearly above 0) or seeds are too few. */
export function pairedRatio(a: Figures, b: Figures): { readonly ratio: number; readonly interval: Interval } | null {
  const [top, bottom] = [complete(a), complete(b)];
  if (top === null || bottom === null || top.length < 2 || top.length !== bottom.length) return null;
  const [meanTop, meanBottom] = [mean(top), mean(bottom)];
  const spread = studentQuantile(0.975, top.length - 1) ** 2 / top.length;
  // Roots of r^2 square - 2 r half + rest = 0, from |mean(a) - r mean(b)| = t sd(a - r b) / sqrt(n).
  const square = meanBottom ** 2 - spread * sampleVariance(bottom);
  const half = meanTop * meanBottom - spread * sampleCovariance(top, bottom);
  const rest = meanTop ** 2 - spread * sampleVariance(top);
  if (meanBottom <= 0 || square <= 0) return null;
  const root = Math.sqrt(Math.max(0, half ** 2 - square * rest));
  return { ratio: meanTop / meanBottom, interval: { low: (half - root) / square, high: (half + root) / square } };
}

/**
 * Seeds after which the interval would no longer reach the limit, if mean and spread stayed as they are. Null where that
 * cannot be said (no spread known, the mean stands on the limit) or is beyond `mostSeeds`.
 */
export function seedsNeeded(found: Estimate, limit: number): number | null {
  if (found.mean === null || found.standardDeviation === null) return null;
  const distance = Math.abs(found.mean - limit);
  if (distance === 0) return null;
  const normal = Math.max(2, Math.floor(((1.96 * found.standardDeviation) / distance) ** 2));
  for (let seeds = Math.min(normal, mostSeeds + 1); seeds <= mostSeeds; seeds++) {
    if (studentQuantile(0.975, seeds - 1) * found.standardDeviation < distance * Math.sqrt(seeds)) return seeds;
  }
  return null;
}

/** Beyond this the difference is too small to be worth the wait: the reader should move the limit instead. */
const mostSeeds = 10_000;

const quantileMemo = new Map<string, number>();

/** Quantile of Student's t distribution. Memoised: reports ask for the same few hundreds of times. */
export function studentQuantile(probability: number, degreesOfFreedom: number): number {
  const key = `${probability}/${degreesOfFreedom}`;
  const known = quantileMemo.get(key);
  if (known !== undefined) return known;
  const quantile = tQuantile(probability, degreesOfFreedom);
  quantileMemo.set(key, quantile);
  return quantile;
}

function varianceReduction(a: Figures, b: Figures): number | null {
  const [left, right] = [complete(a), complete(b)];
  if (left === null || right === null || left.length < 2) return null;
  const apart = sampleVariance(left) + sampleVariance(right);
  if (apart === 0) return null;
  return 1 - sampleVariance(left.map((figure, index) => figure - (right[index] as number))) / apart;
}

function complete(figures: Figures): number[] | null {
  const present = figures.filter((figure) => figure !== null);
  return present.length === figures.length ? present : null;
}

function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function without(reason: string, seeds: number): Estimate {
  return { seeds, mean: null, standardDeviation: null, interval: null, reason };
}
