/**
 * A rate curve under bursts: every burst multiplies the rate for its time. Growth by a ramp goes in steps, as with every
 * other fault. The curve stays piecewise linear; where the factor changes, two points at one time make a step.
 */
import type { Fault, RatePoint } from '../scenarios/types.js';

export type LoadBurst = Extract<Fault, { kind: 'loadBurst' }>;

/** Steps of a ramp, as in sim/control/effects.ts. */
export const RAMP_STEPS = 10;

export function burstRate(
  points: readonly RatePoint[],
  bursts: readonly LoadBurst[],
  endUs: number,
): readonly RatePoint[] {
  const acting = bursts.filter(({ forUs }) => forUs !== 0);
  if (acting.length === 0) return points;
  const changes = [...new Set(acting.flatMap(changesOf))].sort((a, b) => a - b);
  return points.flatMap((point, i) => {
    const next = points[i + 1] ?? { atUs: Math.max(endUs, point.atUs), perSecond: point.perSecond };
    const cuts = [point.atUs, ...changes.filter((atUs) => atUs > point.atUs && atUs < next.atUs), next.atUs];
    const slope = next.atUs > point.atUs ? (next.perSecond - point.perSecond) / (next.atUs - point.atUs) : 0;
    const rateAt = (atUs: number): number => point.perSecond + slope * (atUs - point.atUs);
    return cuts.slice(0, -1).flatMap((fromUs, c) => {
      const factor = factorAt(acting, fromUs);
      return [fromUs, cuts[c + 1]!].map((atUs) => ({ atUs, perSecond: rateAt(atUs) * factor }));
    });
  });
}

function changesOf({ atUs, forUs, rampUs }: LoadBurst): number[] {
  const endUs = forUs === null ? Infinity : atUs + forUs;
  const steps = Array.from({ length: rampUs > 0 ? RAMP_STEPS : 1 }, (_, step) => atUs + (rampUs * step) / RAMP_STEPS);
  return [...steps.filter((stepUs) => stepUs < endUs), ...(endUs < Infinity ? [endUs] : [])];
}

/** The factor from `nowUs` on. */
function factorAt(bursts: readonly LoadBurst[], nowUs: number): number {
  return bursts.reduce((product, { atUs, forUs, rampUs, times }) => {
    if (nowUs < atUs || (forUs !== null && nowUs >= atUs + forUs)) return product;
    const steps =
      rampUs > 0 ? Math.min(RAMP_STEPS, 1 + Math.floor(((nowUs - atUs) * RAMP_STEPS) / rampUs)) : RAMP_STEPS;
    return product * (1 + ((times - 1) * steps) / RAMP_STEPS);
  }, 1);
}
