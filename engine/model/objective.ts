/**
 * What a set of rows costs per request, in milliseconds: wire, queues, and what would burn if the peak moved before the
 * next pass.
 *
 *     F = 1/L [ sum_ij l_i w_ij wire_ij + theta sum_j L_j W_j ] + p * sum_s 5 s * sum_j L_j max(0, rho_j - 0.95) / L
 *
 * In case s the hottest source has the demand of another one, and that one its. Only overload counts there: the hedge
 * spreads the rows of cold sources, whose crossings are few, and leaves the rest to the next pass.
 */
import { placeLoads, totalDemand, utilizationOf, type Problem } from './problem.js';
import { softened, softenedSlope, waitsOf, type Waits } from './waits.js';

/** A place this full is about to refuse requests. */
const OVERLOAD = 0.95;
const OVERLOAD_MS = 5000;
/** With more sources than this the peak is taken to move to one of the hottest others: each case costs a pass over all. */
const MOST_CASES = 9;
/** The weight of the hedge is meant for each of these, as it was measured; more cases share it. */
const CASES_OF_THREE_ZONES = 2;

/** The objective, made ready for many questions: `cases[0]` is the demand as it is, the others are those of the hedge. */
export interface Objective {
  readonly problem: Problem;
  readonly waits: Waits;
  readonly total: number;
  readonly cases: readonly Float64Array[];
  /** Weight of each case of the hedge. */
  readonly caseWeight: number;
  /** Utilisation over which its corners are rounded off; 0: as sharp as they are. */
  readonly softness: number;
}

/** @param softness above 0 for an approximation that a search does not get stuck in */
export function objectiveOf(problem: Problem, softness = 0): Objective {
  const cases = problem.weights.hedge > 0 ? [problem.demand, ...movedPeaks(problem.demand)] : [problem.demand];
  // The peak moves to one zone at a time: with more zones it is not likelier to move.
  const caseWeight = problem.weights.hedge * Math.min(1, CASES_OF_THREE_ZONES / Math.max(1, cases.length - 1));
  return { problem, caseWeight, waits: waitsOf(problem, softness), total: totalDemand(problem), cases, softness };
}

/** F of the shares; 0 without demand. */
export function costMs(objective: Objective, shares: Float64Array): number {
  const { problem, total, cases } = objective;
  if (total <= 0) return 0;
  const loads = cases.map((demand) => placeLoads(problem, demand, shares));
  let sum = wireCost(problem, shares);
  for (let j = 0; j < problem.places; j++) {
    sum += caseCost(objective, 0, j, loads[0]![j]!);
    for (let s = 1; s < cases.length; s++) sum += caseCost(objective, s, j, loads[s]![j]!);
  }
  return sum / total;
}

/** Milliseconds per second that a load costs in a place, in one of the cases. */
export function caseCost(objective: Objective, number: number, place: number, load: number): number {
  const { problem, softness } = objective;
  if (number === 0) return objective.waits.cost(place, load);
  const excess = softened(utilizationOf(problem, place, load) - OVERLOAD, softness);
  return excess > 0 ? objective.caseWeight * OVERLOAD_MS * load * excess : 0;
}

/** What one request/s more would cost there. */
export function caseMarginal(objective: Objective, number: number, place: number, load: number): number {
  const { problem, softness } = objective;
  if (number === 0) return objective.waits.marginal(place, load);
  const utilization = utilizationOf(problem, place, load);
  const excess = utilization - OVERLOAD;
  if (excess <= -softness) return 0;
  const slope = softened(excess, softness) + utilization * softenedSlope(excess, softness);
  return objective.caseWeight * OVERLOAD_MS * slope;
}

function wireCost({ demand, wireMs, places }: Problem, shares: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < shares.length; at++) {
    sum += (demand[Math.floor(at / places)]! * shares[at]! * wireMs[at]!) / 100;
  }
  return sum;
}

function movedPeaks(demand: Float64Array): Float64Array[] {
  let hottest = 0;
  demand.forEach((rate, source) => {
    if (rate > demand[hottest]!) hottest = source;
  });
  return [...demand.keys()]
    .filter((source) => demand[source]! < demand[hottest]!)
    .sort((a, b) => demand[b]! - demand[a]! || a - b)
    .slice(0, MOST_CASES)
    .map((source) => {
      const moved = demand.slice();
      moved[hottest] = demand[source]!;
      moved[source] = demand[hottest]!;
      return moved;
    });
}
