/**
 * What the table shows of one run: read from the run record alone, so that they can be checked against any other report.
 */
import type { SetRoute } from '../../../engine/types.js';
import { latencyOf } from '../../../reports/figures.js';
import type { LoggedDecision, ReplicationResult } from '../../../traces/run-result.js';

export const FIGURES = [
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'failedShare',
  'avoidableShare',
  'usdPerHour',
  'usdPerMillionServed',
  'transferShareOfCost',
  'crossZoneShare',
  'pods',
  'weightPointsPerMinute',
  'decisionsPerHour',
] as const;

export type Figure = (typeof FIGURES)[number];

/**
 * Avoidable is what failed of the requests that found a gateway: users of a lost zone find none until DNS sends them elsewhere,
 * and no policy can help them. Null: the run has no such figure, as no p99 below 1,000 requests. */
export type QualityFigures = Readonly<Record<Figure, number | null>>;

export function qualityFigures(
  result: ReplicationResult,
  cost: 'attributed' | 'total',
  measuredSeconds: number,
): QualityFigures {
  const { total, crossZoneShare, decisions } = result;
  const { attributedUsdPerHour, totalUsdPerHour, crossZoneUsdPerHour, crossRegionUsdPerHour } = result.cost;
  const usdPerHour = cost === 'total' ? totalUsdPerHour : attributedUsdPerHour;
  const hours = measuredSeconds / 3600;
  const { succeeded, failed } = total.requests;
  const transfer =
    crossZoneUsdPerHour === null || crossRegionUsdPerHour === null ? null : crossZoneUsdPerHour + crossRegionUsdPerHour;
  const pods = result.services.filter(({ kind }) => kind === undefined);
  return {
    p50Ms: latencyOf(total, 'p50'),
    p95Ms: latencyOf(total, 'p95'),
    p99Ms: latencyOf(total, 'p99'),
    failedShare: ratio(failed, succeeded + failed),
    avoidableShare: ratio(failed - (total.responseFlags['unreachable'] ?? 0), succeeded + failed),
    usdPerHour,
    usdPerMillionServed: usdPerHour === null ? null : ratio(usdPerHour * hours * 1e6, succeeded),
    transferShareOfCost: transfer === null || usdPerHour === null ? null : ratio(transfer, usdPerHour),
    crossZoneShare,
    pods: pods.reduce((sum, { meanReplicas }) => sum + meanReplicas, 0),
    weightPointsPerMinute: weightPointsMoved(decisions) / (measuredSeconds / 60),
    decisionsPerHour: decisions.filter(isDecision).length / hours,
  };
}

/**
 * Sum of the L1 distances between one row of weights and the next one written for the same host and place of callers. What
 * stood before a row's first write of the measured part is not in the record, so that write counts as none.
 */
export function weightPointsMoved(decisions: readonly LoggedDecision[]): number {
  const standing = new Map<string, Readonly<Record<string, number>>>();
  let points = 0;
  for (const { decision } of decisions) {
    if (decision?.kind !== 'setRoute') continue;
    for (const { from, to } of decision.distribute) {
      const row = `${decision.host} ${from}`;
      const before = standing.get(row);
      if (before !== undefined) points += distance(before, to);
      standing.set(row, to);
    }
  }
  return points;
}

type Weights = SetRoute['distribute'][number]['to'];

function distance(a: Weights, b: Weights): number {
  const places = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...places].reduce((sum, place) => sum + Math.abs((a[place] ?? 0) - (b[place] ?? 0)), 0);
}

/** Of autoscalers and engine; the scheduler's log, and the engine's writes that the API refused, decide nothing. */
function isDecision({ decidedBy, decision }: LoggedDecision): boolean {
  return decidedBy === 'wavetank' ? decision !== null : decidedBy !== 'scheduler';
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
