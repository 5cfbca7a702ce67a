/**
 * Inverse transform by table: one 32-bit word in, one variate out, the same on every machine. Each distribution becomes
 * a table of its quantiles at points that are dense where it matters: an octave of tail probability has 64 cells, on
 * both sides of the median, down to 2^-32. Between points the quantile is taken as linear. Only additions and
 * multiplications run per draw; log, exp and the special functions run when the table is built, from portable ports.
 *
 * Layout: two sides (0 below the median, 1 above), each with 31 octaves of 64 cells and one end point. A word below 2^31
 * is the lower tail itself, one above is complemented to the upper tail. `bit` is the tail's leading bit, the six bits
 * after it choose the cell; cell (bit, k) starts at tail 2^bit (1 + k/64) / 2^32, so entries run from the far tail to the
 * median.
 *
 * The piecewise-linear law has a mean slightly off the true one (about 1e-5 for the exponential, more for a heavy tail
 * that is cut at 2^-32); the table is scaled so that its own mean is the mean asked for. Queueing answers depend on the
 * mean most of all.
 */
import ln from '@stdlib/math-base-special-ln';
import exp from '@stdlib/math-base-special-exp';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import gammaQuantile from '@stdlib/stats-base-dists-gamma-quantile';
import type { Distribution } from '../scenarios/types.js';
import { TWO_TO_MINUS_32 } from './random.js';

const CELLS = 64;
const BITS = 31;
const SIDE = BITS * CELLS + 1;
/** Numbers in one table. */
export const TABLE_SIZE = 2 * SIDE;

/** 64 / 2^bit: scales a tail with leading bit `bit` to [64, 128). */
const BIT_SCALE = Float64Array.from({ length: BITS }, (_, bit) => CELLS / 2 ** bit);

/** The variate that `word` (any 32-bit integer) stands for, from the table that starts at `base`. */
export function quantileOf(tables: Float64Array, base: number, word: number): number {
  const side = word >>> 31;
  // The lowest bit is set so that no tail is 0: words pair up around the odd numbers.
  const tail = (word ^ -side) | 1;
  const bit = 31 - Math.clz32(tail);
  const scaled = tail * BIT_SCALE[bit]!;
  const whole = scaled | 0;
  const at = base + side * SIDE + bit * CELLS + whole - CELLS;
  const low = tables[at]!;
  return low + (tables[at + 1]! - low) * (scaled - whole);
}

const tablesOf = new WeakMap<Distribution, Float64Array>();

/** One variate of a law that is drawn from now and then; its table is made once. */
export function drawFrom(distribution: Distribution, word: number): number {
  let table = tablesOf.get(distribution);
  if (table === undefined) {
    table = new Float64Array(TABLE_SIZE);
    fillQuantileTable(table, 0, distribution, 1);
    tablesOf.set(distribution, table);
  }
  return quantileOf(table, 0, word);
}

/** Fills `tables[base ...]` with the quantiles of `distribution`, in `factor` times its unit. */
export function fillQuantileTable(
  tables: Float64Array,
  base: number,
  distribution: Distribution,
  factor: number,
): void {
  const quantile = quantileFunction(distribution);
  for (let side = 0; side < 2; side++) {
    for (let i = 0; i < SIDE; i++) {
      const tail = 2 ** Math.floor(i / CELLS) * (1 + (i % CELLS) / CELLS) * TWO_TO_MINUS_32;
      tables[base + side * SIDE + i] = quantile(tail, side === 1);
    }
  }
  const mean = tableMean(tables, base);
  const scale = mean > 0 ? (distribution.mean * factor) / mean : 0;
  for (let i = 0; i < TABLE_SIZE; i++) tables[base + i] = tables[base + i]! * scale;
}

/** Mean of the piecewise-linear law: each cell's middle times its probability, and the two words of the last tail. */
function tableMean(tables: Float64Array, base: number): number {
  let mean = 0;
  for (let side = 0; side < 2; side++) {
    const start = base + side * SIDE;
    mean += tables[start]! * TWO_TO_MINUS_32;
    for (let i = 0; i < SIDE - 1; i++) {
      const probability = (2 ** Math.floor(i / CELLS) / CELLS) * TWO_TO_MINUS_32;
      mean += probability * 0.5 * (tables[start + i]! + tables[start + i + 1]!);
    }
  }
  return mean;
}

/** Quantile at a tail probability: of the upper tail (P(X > x) = tail) or of the lower one (P(X <= x) = tail). */
function quantileFunction(distribution: Distribution): (tail: number, upper: boolean) => number {
  switch (distribution.kind) {
    case 'constant':
      return () => distribution.mean;
    case 'exponential':
      return (tail, upper) => -ln(upper ? tail : 1 - tail) * distribution.mean;
    case 'lognormal': {
      if (distribution.cv === 0) return () => distribution.mean;
      const variance = ln(1 + distribution.cv * distribution.cv);
      const sigma = Math.sqrt(variance);
      return (tail, upper) => {
        const z = normalQuantile(tail, 0, 1);
        return distribution.mean * exp((upper ? -z : z) * sigma - variance / 2);
      };
    }
    case 'gamma': {
      if (distribution.cv === 0) return () => distribution.mean;
      const shape = 1 / (distribution.cv * distribution.cv);
      return (tail, upper) => gammaQuantile(upper ? 1 - tail : tail, shape, shape / distribution.mean);
    }
    case 'empirical':
      return (tail, upper) => empiricalQuantile(distribution.bounds, distribution.weights, upper ? 1 - tail : tail);
  }
}

function empiricalQuantile(bounds: readonly number[], weights: readonly number[], probability: number): number {
  let below = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (weight > 0 && probability <= below + weight) {
      return bounds[i]! + (bounds[i + 1]! - bounds[i]!) * ((probability - below) / weight);
    }
    below += weight;
  }
  return bounds[weights.length]!;
}
