/**
 * What the solver is given: sources with their offered demand, places with their pods and service times, and the price of
 * the wire between them. Matrices are rows of sources, columns of places, in one array. Shares are percent of a row.
 */

export interface Problem {
  readonly sources: number;
  readonly places: number;
  /** Offered requests/s by source. */
  readonly demand: Float64Array;
  /** Pods by place, each above 0. */
  readonly pods: Float64Array;
  /** Mean time for which a request holds one of the `concurrency` servers of a pod, by place. */
  readonly serviceMs: Float64Array;
  /** Servers of one pod. */
  readonly concurrency: number;
  /** Round trip plus what a transfer costs, in milliseconds that one would give for it. */
  readonly wireMs: Float64Array;
  /** Least percent that a source must leave to a place. */
  readonly leastPercent: Float64Array;
  readonly weights: ObjectiveWeights;
}

export interface ObjectiveWeights {
  /** Milliseconds of wire that a millisecond of queueing is worth (theta). */
  readonly queueWeight: number;
  /** Utilisation above which a place has no room left. */
  readonly maxUtilization: number;
  /** Coefficient of variation of service times. */
  readonly serviceVariation: number;
  /** Weight of the cases in which the peak has moved; 0: none. */
  readonly hedge: number;
}

/** Requests/s of all sources. */
export function totalDemand({ demand }: Problem): number {
  let sum = 0;
  for (const rate of demand) sum += rate;
  return sum;
}

/** Requests/s that arrive at each place under the shares. */
export function placeLoads(problem: Problem, demand: Float64Array, shares: Float64Array): Float64Array {
  const { sources, places } = problem;
  const loads = new Float64Array(places);
  for (let i = 0; i < sources; i++) {
    for (let j = 0; j < places; j++) loads[j] = loads[j]! + (demand[i]! * shares[i * places + j]!) / 100;
  }
  return loads;
}

/** Part of the capacity of a place that a load takes; above 1 it cannot keep up. */
export function utilizationOf({ serviceMs, concurrency, pods }: Problem, place: number, load: number): number {
  return (load * serviceMs[place]!) / 1000 / (concurrency * pods[place]!);
}

/** Rows in proportion to the pods of the places: what the mesh does where nobody says otherwise. */
export function capacityShares({ sources, places, pods }: Problem): Float64Array {
  const all = pods.reduce((sum, count) => sum + count, 0);
  const shares = new Float64Array(sources * places);
  for (let at = 0; at < shares.length; at++) shares[at] = (100 * pods[at % places]!) / all;
  return shares;
}
