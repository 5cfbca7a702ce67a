/**
 * The latency of a service as metrics know it: for each quantile the median over the healthy steps, so that one bad
 * minute does not move it. Where the service itself has no such series, the edge into it with the most values stands in.
 */
import type { RecordedSeries, Recording } from '../recording.js';
import { median } from './shape.js';

export interface RecordedLatency {
  readonly quantilesMs: ReadonlyMap<number, number>;
  readonly meanMs: number | null;
}

export function recordedLatency(recording: Recording, service: string, mask: readonly boolean[]): RecordedLatency {
  const candidates = recording.series.filter(
    (series) => series.role === 'latency' && series.service === service && series.reportedBy === 'destination',
  );
  const levels = [...new Set(candidates.map((series) => series.quantile))];
  const quantilesMs = new Map<number, number>();
  let meanMs: number | null = null;
  for (const level of levels) {
    const values = valuesOf(
      candidates.filter((series) => series.quantile === level),
      mask,
    );
    const middle = median(values);
    if (middle === null) continue;
    if (level === 'mean') meanMs = values.reduce((sum, value) => sum + value, 0) / values.length;
    else if (level !== null) quantilesMs.set(level, middle);
  }
  return { quantilesMs, meanMs };
}

function valuesOf(series: readonly RecordedSeries[], mask: readonly boolean[]): number[] {
  const healthy = series.map((entry) => ({
    whole: entry.source === null,
    values: entry.values.filter((value, index): value is number => value !== null && mask[index] === true),
  }));
  healthy.sort((left, right) => Number(right.whole) - Number(left.whole) || right.values.length - left.values.length);
  return healthy[0]?.values ?? [];
}
