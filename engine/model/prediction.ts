/** What the model expects of the routes that stand after a step, and how true the expectation of the step before was. */
import { figure } from '../outcome.js';
import type { Memory, Prediction, Signals } from '../types.js';
import { costMs, objectiveOf } from './objective.js';
import { placeLoads, totalDemand, utilizationOf, type Problem } from './problem.js';
import type { ServiceSignals } from './signals.js';
import { waitsOf } from './waits.js';

/** @param shares percent by source and place, of `sources` and the zones in the order of `zones` */
export function predict(
  problem: Problem,
  sources: readonly string[],
  zones: readonly string[],
  shares: Float64Array,
  atMs: number,
  cpuMsPerRequest: number,
): Prediction {
  const total = totalDemand(problem);
  const loads = placeLoads(problem, problem.demand, shares);
  const waits = waitsOf(problem);
  let crossing = 0;
  sources.forEach((from, i) =>
    zones.forEach((to, j) => {
      if (from !== to) crossing += (problem.demand[i]! * shares[i * zones.length + j]!) / 100;
    }),
  );
  const part = (rate: number): number => (total > 0 ? rate / total : 0);
  return {
    atMs,
    zones: Object.fromEntries(
      zones.map((zone, j) => [zone, { utilization: utilizationOf(problem, j, loads[j]!), share: part(loads[j]!) }]),
    ),
    meanWaitMs: part(loads.reduce((sum, load, j) => sum + load * waits.waitMs(j, load), 0)),
    crossZoneShare: part(crossing),
    costMs: costMs(objectiveOf(problem), shares),
    cpuMsPerRequest,
  };
}

/** Predicted beside observed, zone by zone; nothing without a prediction of an earlier step. */
export function hindsight(before: Prediction | undefined, { zones }: ServiceSignals, nowMs: number): Signals {
  if (before === undefined) return {};
  let answered = 0;
  for (const { answeredPerSecond } of zones.values()) answered += answeredPerSecond ?? 0;
  const signals: Record<string, number | null> = { predictionAgeSeconds: (nowMs - before.atMs) / 1000 };
  for (const [zone, { utilization, share }] of Object.entries(before.zones)) {
    const now = zones.get(zone);
    signals[`${zone} predictedUtilization`] = utilization;
    signals[`${zone} observedUtilization`] = now?.utilization ?? null;
    signals[`${zone} predictedShare`] = share;
    const rate = now?.answeredPerSecond ?? null;
    signals[`${zone} observedShare`] = rate !== null && answered > 0 ? rate / answered : null;
  }
  return signals;
}

/** The same as a sentence for a skip: the zone that was expected to be busiest. */
export function hindsightSentence(before: Prediction | undefined, { zones }: ServiceSignals): string {
  const busiest = Object.entries(before?.zones ?? {}).reduce<readonly [string, number] | null>(
    (top, [zone, { utilization }]) => (top === null || utilization > top[1] ? [zone, utilization] : top),
    null,
  );
  if (busiest === null) return '';
  const observed = zones.get(busiest[0])?.utilization ?? null;
  if (observed === null) return '';
  return `; zone ${busiest[0]} was predicted at ${figure(100 * busiest[1])} % and is at ${figure(100 * observed)} %`;
}

/** The memory with the predictions of this step alone: as many as there are Services. */
export function withPredictions(memory: Memory, predictions: ReadonlyMap<string, Prediction>): Memory {
  const { predictions: _, ...rest } = memory;
  return predictions.size === 0 ? rest : { ...rest, predictions: Object.fromEntries(predictions) };
}
