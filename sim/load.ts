/**
 * Open arrivals: one stream of unit-rate arrivals per load, mapped onto the clock by inverting the cumulative rate. The
 * rate is piecewise linear, so its integral is piecewise quadratic and is inverted exactly, segment by segment. Scaling
 * the rate moves the same arrivals closer together, which keeps two runs with different load coupled.
 *
 * Arrivals accumulate in floating point and only the absolute time is rounded to a microsecond: rounding the gaps would
 * bias fast streams (at 200,000/s by up to 10 %).
 */
import type { Load } from '../scenarios/types.js';
import { quantileOf } from './quantileTable.js';
import { nextWord, openStream, seedWord, TWO_TO_MINUS_32 } from './random.js';
import type { LoadState } from './world.js';

/** The arrivals of `load` (number `index` of the scenario) up to `endUs`. */
export function createLoad(
  load: Load,
  index: number,
  seed: number,
  endUs: number,
  tables: Float64Array,
  exponentialTable: number,
): LoadState {
  const stream = openStream(seed, `arrivals/${index}`);
  const curve = cumulative(load.rate, endUs);
  const even = load.arrivals === 'even';
  // Evenly spaced arrivals start at a random phase, or all loads would arrive together.
  let target = even ? nextWord(stream) * TWO_TO_MINUS_32 - 1 : 0;
  let segment = 0;
  return {
    seedA: seedWord(seed, `requests/${index}/a`),
    seedB: seedWord(seed, `requests/${index}/b`),
    requests: 0,
    nextUs: Infinity,
    zoneBounds: zoneBounds(load.from[0]!.shares),
    next() {
      target += even ? 1 : quantileOf(tables, exponentialTable, nextWord(stream));
      while (segment < curve.length && target >= curve[segment]!.endCount) segment++;
      if (segment === curve.length) return Infinity;
      return Math.round(invert(curve[segment]!, target));
    },
  };
}

/** Cumulative shares of the zones as bounds on an unsigned 32-bit draw; a zone without share is never reached. */
export function zoneBounds(shares: readonly number[]): Float64Array {
  const total = shares.reduce((sum, share) => sum + share, 0);
  let below = 0;
  return Float64Array.from(shares, (share) => {
    below += share;
    return total > 0 ? (below / total) * 4294967296 : 0;
  });
}

interface Segment {
  readonly startUs: number;
  readonly startCount: number;
  readonly endCount: number;
  /** Rate at the start, per microsecond, and its growth per microsecond. */
  readonly rate: number;
  readonly slope: number;
}

/** Expected number of arrivals as a function of time, by segment; segments without arrivals are left out. */
function cumulative(points: readonly { atUs: number; perSecond: number }[], endUs: number): Segment[] {
  const segments: Segment[] = [];
  let count = 0;
  points.forEach((point, i) => {
    const next = points[i + 1] ?? { atUs: endUs, perSecond: point.perSecond };
    const lengthUs = Math.min(next.atUs, endUs) - point.atUs;
    if (lengthUs <= 0) return;
    const rate = point.perSecond / 1e6;
    const slope = (next.perSecond - point.perSecond) / 1e6 / (next.atUs - point.atUs);
    const arrivals = rate * lengthUs + (slope * lengthUs * lengthUs) / 2;
    if (arrivals > 0) {
      segments.push({ startUs: point.atUs, startCount: count, endCount: count + arrivals, rate, slope });
    }
    count += arrivals;
  });
  return segments;
}

/** Time at which the cumulative count reaches `target`: the root of slope/2 t^2 + rate t = target - start, stable form. */
function invert(segment: Segment, target: number): number {
  const { startUs, startCount, rate, slope } = segment;
  const count = target - startCount;
  if (slope === 0) return startUs + count / rate;
  return startUs + (2 * count) / (rate + Math.sqrt(Math.max(0, rate * rate + 2 * slope * count)));
}
