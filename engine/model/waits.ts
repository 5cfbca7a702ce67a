/**
 * How long a request waits in a place, from the load alone (Sakasegawa's approximation of the queue with many servers):
 *
 *     W = S (1 + cv^2)/2 * rho^(sqrt(2 (c + 1)) - 1) / (c (1 - rho)),   c = k n_eff,   n_eff = n / (1 + (n - 1)/9)
 *
 * A proxy that takes the better of two pods makes n pods nearly one queue, but not quite: hence n_eff. From `maxUtilization`
 * up the wait goes on along its tangent, with a penalty for every bit of excess, so that there is an answer when all places
 * are full, and it levels the excess.
 */
import { power } from './power.js';
import { utilizationOf, type Problem } from './problem.js';

/** Where 9 more pods would make one more queue: fits n = 1 to 16 at rho 0.6 to 0.9. */
const POOLING = 9;
/** Milliseconds per request and unit of excess utilisation: no wire is so long that one would queue instead. */
const EXCESS_MS = 1000;
/** Milliseconds per request and squared unit: what makes the excess level out. */
const SQUARED_EXCESS_MS = 20_000;

export interface Waits {
  /** Mean wait in ms, the tangent above `maxUtilization` included, its penalty not. */
  waitMs(place: number, load: number): number;
  /** Milliseconds per second that a load costs in a place: queueing by its weight, and the penalty. */
  cost(place: number, load: number): number;
  /** What one request/s more would cost there. */
  marginal(place: number, load: number): number;
}

/**
 * What `excess` is above 0, with the corner rounded off over `softness` on both sides: a parabola that leaves 0 and meets
 * the slope of 1.
 */
export function softened(excess: number, softness: number): number {
  if (excess <= -softness) return 0;
  return excess < softness ? ((excess + softness) * (excess + softness)) / (4 * softness) : excess;
}

export function softenedSlope(excess: number, softness: number): number {
  if (excess <= -softness) return 0;
  return excess < softness ? (excess + softness) / (2 * softness) : 1;
}

/** @param softness utilisation over which the corner at `maxUtilization` is rounded off; 0: as sharp as it is */
export function waitsOf(problem: Problem, softness = 0): Waits {
  const { places, pods, serviceMs, concurrency } = problem;
  const { queueWeight, maxUtilization, serviceVariation } = problem.weights;
  const factor = new Float64Array(places);
  const exponent = new Float64Array(places);
  const kinkMs = new Float64Array(places);
  const slopeMs = new Float64Array(places);
  for (let j = 0; j < places; j++) {
    const servers = (concurrency * pods[j]!) / (1 + (pods[j]! - 1) / POOLING);
    factor[j] = (serviceMs[j]! * (1 + serviceVariation * serviceVariation)) / 2 / servers;
    exponent[j] = Math.sqrt(2 * (servers + 1)) - 1;
    kinkMs[j] = (factor[j]! * power(maxUtilization, exponent[j]!)) / (1 - maxUtilization);
    slopeMs[j] = kinkMs[j]! * (exponent[j]! / maxUtilization + 1 / (1 - maxUtilization));
  }

  const waitMs = (place: number, load: number): number => {
    const utilization = utilizationOf(problem, place, load);
    const excess = utilization - maxUtilization;
    if (excess > 0) return kinkMs[place]! + slopeMs[place]! * excess;
    return (factor[place]! * power(utilization, exponent[place]!)) / (1 - utilization);
  };
  return {
    waitMs,
    cost: (place, load) => {
      // A load that a subtraction has left a hair below 0 is none.
      if (load <= 0) return 0;
      const above = utilizationOf(problem, place, load) - maxUtilization;
      const wait = queueWeight * (waitMs(place, load) + EXCESS_MS * softened(above, softness));
      const excess = Math.max(0, above);
      return load * (wait + SQUARED_EXCESS_MS * excess * excess);
    },
    marginal: (place, rate) => {
      const load = Math.max(0, rate);
      const utilization = utilizationOf(problem, place, load);
      const above = utilization - maxUtilization;
      const excess = Math.max(0, above);
      const wait = waitMs(place, load);
      // Utilisation x slope, so that nothing is divided by a load of 0.
      const rise =
        above > 0 ? slopeMs[place]! * utilization : wait * (exponent[place]! + utilization / (1 - utilization));
      const queue =
        wait + rise + EXCESS_MS * (softened(above, softness) + utilization * softenedSlope(above, softness));
      return queueWeight * queue + SQUARED_EXCESS_MS * excess * (excess + 2 * utilization);
    },
  };
}
