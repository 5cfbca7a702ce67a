/**
 * Puts samples on the regular grid. A sample goes to the nearest point; when two fall on one point the nearer one in time
 * stays (ties: the earlier row), the other is counted as a duplicate. Steps that are not quite regular (scrapes drift by
 * a second) are only noted. A sample far outside the recording is a corrupt timestamp, not an extension of the recording.
 */
import type { ReadCounter } from './read-counter.js';

export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly pointCount: number;
}

export interface TimedValue {
  readonly timeMs: number;
  readonly value: number | null;
  readonly line: number;
}

/**
 * The grid that holds most samples: from the first to the last time within 30 days of the median time. One corrupt
 * clock (years ahead) therefore cannot stretch the grid; its samples fall outside and are reported.
 */
export function gridOf(timesMs: readonly number[], stepMs: number): Grid | null {
  const sorted = Float64Array.from(timesMs).sort();
  const median = sorted[sorted.length >> 1];
  if (median === undefined) return null;
  const near = sorted.filter((timeMs) => Math.abs(timeMs - median) <= 30 * 86_400_000);
  const startMs = near[0] ?? median;
  const endMs = near[near.length - 1] ?? median;
  return { startMs, stepMs, pointCount: Math.round((endMs - startMs) / stepMs) + 1 };
}

export function ontoGrid(samples: readonly TimedValue[], grid: Grid, counter: ReadCounter): (number | null)[] {
  const values = new Array<number | null>(grid.pointCount).fill(null);
  const distanceMs = new Float64Array(grid.pointCount).fill(Infinity);
  for (const sample of samples) {
    const index = Math.round((sample.timeMs - grid.startMs) / grid.stepMs);
    if (index < 0 || index >= grid.pointCount) {
      counter.drop('timestamp outside the recording', sample.line);
      continue;
    }
    const away = Math.abs(sample.timeMs - (grid.startMs + index * grid.stepMs));
    if (distanceMs[index] !== Infinity) counter.drop('second sample for one step', sample.line);
    if (away < (distanceMs[index] as number)) {
      distanceMs[index] = away;
      values[index] = sample.value;
    }
  }
  noteIrregularities(samples, grid, values, counter);
  return values;
}

function noteIrregularities(
  samples: readonly TimedValue[],
  grid: Grid,
  values: readonly (number | null)[],
  counter: ReadCounter,
): void {
  const jitters = samples.slice(1).filter((sample, index) => {
    const gapMs = sample.timeMs - (samples[index] as TimedValue).timeMs;
    const off = Math.abs(gapMs - grid.stepMs);
    return off >= 0.005 * grid.stepMs && off < 0.5 * grid.stepMs;
  }).length;
  if (jitters > 0)
    counter.tally(`steps differ from the regular ${grid.stepMs / 1000} s by less than half a step`, jitters);
  const first = values.findIndex((value) => value !== null);
  const last = values.findLastIndex((value) => value !== null);
  const gaps = values.slice(Math.max(0, first), last + 1).filter((value) => value === null).length;
  if (gaps > 0) counter.tally('steps have no value', gaps);
}
