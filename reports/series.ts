/**
 * Time series of several seeds as one line with a band: the mean over the seeds, with its 95 % interval from three seeds
 * on, and with smallest and largest before that (an interval from two points is wider than any page). Long runs are
 * thinned to what a screen can show; each seed is averaged over the same steps first, so that band and line agree.
 */
import type { PolicyResult, ReplicationResult } from '../traces/run-result.js';
import { estimate } from './statistics.js';

export interface BandPoint {
  readonly atSeconds: number;
  readonly middle: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** As many points as a chart of 900 pixels shows apart. */
const mostPoints = 240;

export function stepsPerPoint(stepCount: number): number {
  return Math.max(1, Math.ceil(stepCount / mostPoints));
}

export function bandOf(
  policy: PolicyResult,
  read: (replication: ReplicationResult) => readonly (number | null)[],
): BandPoint[] {
  const { replications } = policy;
  const stepSeconds = replications[0]?.series.stepSeconds ?? 1;
  const all = replications.map(read);
  const stepCount = Math.max(0, ...all.map((values) => values.length));
  const steps = stepsPerPoint(stepCount);
  const thinned = all.map((values) => thin(values, steps));
  return Array.from({ length: Math.ceil(stepCount / steps) }, (_, index) => {
    // Of the middle of the steps that the point stands for.
    const atSeconds = Math.min(stepCount, (index + 0.5) * steps) * stepSeconds;
    const present = thinned.map((values) => values[index] ?? null).filter((value) => value !== null);
    if (present.length === 0) return { atSeconds, middle: null, low: null, high: null };
    const found = estimate(present);
    const useInterval = present.length >= 3 && found.interval !== null;
    const [low, high] =
      useInterval && found.interval !== null
        ? [Math.max(0, found.interval.low), found.interval.high]
        : [Math.min(...present), Math.max(...present)];
    return { atSeconds, middle: found.mean, low, high };
  });
}

function thin(values: readonly (number | null)[], steps: number): (number | null)[] {
  if (steps === 1) return [...values];
  return Array.from({ length: Math.ceil(values.length / steps) }, (_, index) => {
    const present = values.slice(index * steps, (index + 1) * steps).filter((value) => value !== null);
    return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
  });
}

/** Ready replicas in a zone, of one service or (null) of all, step by step. */
export function replicasIn(replication: ReplicationResult, zone: string, service: string | null): number[] {
  const chosen = replication.series.readyReplicas.filter(
    (series) => series.zone === zone && (service === null || series.service === service),
  );
  const length = Math.max(0, ...chosen.map((series) => series.values.length));
  return Array.from({ length }, (_, step) => chosen.reduce((sum, series) => sum + (series.values[step] ?? 0), 0));
}

/** Nodes in a zone, step by step; none where no policy adds or removes any. */
export function nodesIn(replication: ReplicationResult, zone: string): readonly number[] {
  return replication.series.nodes?.find((series) => series.zone === zone)?.values ?? [];
}

/** The service whose replica count moves most under any policy; null when none moves. */
export function mostScaledService(
  policies: readonly PolicyResult[],
  services: readonly string[],
  zones: readonly string[],
): string | null {
  let best: { service: string; range: number } | null = null;
  for (const service of services) {
    for (const replication of policies.flatMap((policy) => policy.replications.slice(0, 1))) {
      const perZone = zones.map((zone) => replicasIn(replication, zone, service));
      const totals = (perZone[0] ?? []).map((_, step) => perZone.reduce((sum, values) => sum + (values[step] ?? 0), 0));
      const range = totals.length === 0 ? 0 : Math.max(...totals) - Math.min(...totals);
      if (range > 0 && (best === null || range > best.range)) best = { service, range };
    }
  }
  return best?.service ?? null;
}
