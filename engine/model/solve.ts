/**
 * Finds the shares with the least cost (`objective.ts`), from those in force. F is convex and, but for the wire, a sum over
 * places, so the gradient of a row is known from what one request more would cost in each place.
 *
 * 1. Descent: each row in turn moves from the place where its last request costs most to the one where the next costs
 *    least, as far as that pays (a search along the line), until no row gains.
 * 2. Chains: where a place is just full, rows hold each other. One row goes from a to b while another makes room and goes
 *    from b to c, the load of b unchanged; with c = a the two swap and only the wire changes. Where that helped, the
 *    descent starts again.
 *
 * A visit of a row asks places x cases of the hedge, the chains sources x places^2 + places^3. Above `CHAIN_PLACES` places
 * the chains are left out.
 */
import { caseCost, caseMarginal, objectiveOf, type Objective } from './objective.js';
import { placeLoads } from './problem.js';

/** A move must promise this much (ms per request of the row, per percent of it): less is noise of the arithmetic. */
const LEAST_SLOPE_MS = 0.02;
const LEAST_GAIN_MS = 1e-6;
/** Rounds of chains and descent. */
const ROUNDS = 4;
/** Looks at a place in a case that one descent may take: many visits of few rows, fewer of many, tens of ms at most. */
const LOOKS = 12_000;
const CHAIN_PLACES = 6;
/** Halvings of a line search: a 4096th of a row. */
const HALVINGS = 12;
/**
 * Rows hold each other at the corners of F, where a place is just full: each alone would lose by leaving. So the corners
 * are rounded off at first, by this much utilisation, and sharpened from answer to answer.
 */
const SOFTNESSES = [0.2, 0.05, 0.015, 0.004, 0];

/** @param start percent by source and place, each row summing to 100; not changed */
export function solve(objective: Objective, start: Float64Array): Float64Array {
  const { problem, total } = objective;
  let shares = withLeast(start, problem.leastPercent, problem.places);
  if (total <= 0 || problem.places < 2) return shares;
  for (const softness of SOFTNESSES) {
    const search = startSearch(softness > 0 ? objectiveOf(problem, softness) : objective, shares);
    for (let round = 0; round < ROUNDS; round++) {
      descend(search);
      if (softness > 0 || problem.places > CHAIN_PLACES || !shortenChains(search)) break;
    }
    ({ shares } = search);
  }
  return shares;
}

interface Search {
  readonly objective: Objective;
  readonly shares: Float64Array;
  /** Load, and what one request/s more would cost, by case and place. */
  readonly loads: readonly Float64Array[];
  readonly marginals: readonly Float64Array[];
  /** What a request of the row that is being looked at costs, by place. */
  readonly gradient: Float64Array;
}

function startSearch(objective: Objective, shares: Float64Array): Search {
  const { problem, cases } = objective;
  const loads = cases.map((demand) => placeLoads(problem, demand, shares));
  const marginals = loads.map((row, s) => row.map((load, place) => caseMarginal(objective, s, place, load)));
  return { objective, shares, loads, marginals, gradient: new Float64Array(problem.places) };
}

/** Lifts every share to its least, at the expense of what the others of the row have above theirs. */
function withLeast(start: Float64Array, least: Float64Array, places: number): Float64Array {
  const shares = start.slice();
  for (let row = 0; row < shares.length; row += places) {
    let spare = 0;
    let sum = 0;
    for (let at = row; at < row + places; at++) {
      spare += Math.max(0, start[at]! - least[at]!);
      sum += least[at]!;
    }
    for (let at = row; at < row + places; at++) {
      const above = spare > 0 ? Math.max(0, start[at]! - least[at]!) / spare : 1 / places;
      shares[at] = least[at]! + above * (100 - sum);
    }
  }
  return shares;
}

function descend(search: Search): void {
  const { cases, problem } = search.objective;
  const { sources, places } = problem;
  const visits = Math.ceil(LOOKS / (sources * places * cases.length));
  for (let visit = 0, moved = true; moved && visit < visits; visit++) {
    moved = false;
    for (let source = 0; source < sources; source++) if (moveRow(search, source)) moved = true;
  }
}

/** Moves what pays from the dearest to the cheapest place of a row; false when nothing does. */
function moveRow(search: Search, source: number): boolean {
  const { objective, shares, marginals, gradient } = search;
  const { problem, cases } = objective;
  const { places, leastPercent, wireMs } = problem;
  const row = source * places;
  let from = -1;
  let to = 0;
  for (let place = 0; place < places; place++) {
    let slope = problem.demand[source]! * wireMs[row + place]!;
    for (let s = 0; s < cases.length; s++) slope += cases[s]![source]! * marginals[s]![place]!;
    gradient[place] = slope;
    if (slope < gradient[to]!) to = place;
    const isFree = shares[row + place]! - leastPercent[row + place]! > 1e-9;
    if (isFree && (from < 0 || slope > gradient[from]!)) from = place;
  }
  if (from < 0 || gradient[to]! - gradient[from]! >= -LEAST_SLOPE_MS * objective.total) return false;

  const wire = problem.demand[source]! * (wireMs[row + to]! - wireMs[row + from]!);
  const slopeAfter = (percent: number): number => {
    let slope = wire;
    for (let s = 0; s < cases.length; s++) {
      const rate = cases[s]![source]!;
      const moved = (rate * percent) / 100;
      slope += rate * caseMarginal(objective, s, to, search.loads[s]![to]! + moved);
      slope -= rate * caseMarginal(objective, s, from, search.loads[s]![from]! - moved);
    }
    return slope;
  };
  let high = shares[row + from]! - leastPercent[row + from]!;
  if (slopeAfter(high) > 0) {
    let low = 0;
    for (let n = 0; n < HALVINGS; n++) {
      const middle = (low + high) / 2;
      if (slopeAfter(middle) > 0) high = middle;
      else low = middle;
    }
    // Up to here every further bit has paid.
    high = low;
  }
  if (high <= 0.01) return false;
  shift(search, source, from, -high);
  shift(search, source, to, high);
  return true;
}

/** Milliseconds per second by which F x demand changes when a row gives `percent` more to a place. */
function changeAt({ objective, loads }: Search, source: number, place: number, percent: number): number {
  const { problem, cases } = objective;
  let change = (problem.demand[source]! * percent * problem.wireMs[source * problem.places + place]!) / 100;
  for (let s = 0; s < cases.length; s++) {
    const load = loads[s]![place]!;
    const moved = load + (cases[s]![source]! * percent) / 100;
    if (moved !== load) change += caseCost(objective, s, place, moved) - caseCost(objective, s, place, load);
  }
  return change;
}

function shift({ objective, shares, loads, marginals }: Search, source: number, place: number, percent: number): void {
  const at = source * objective.problem.places + place;
  shares[at] = shares[at]! + percent;
  objective.cases.forEach((demand, s) => {
    loads[s]![place] = loads[s]![place]! + (demand[source]! * percent) / 100;
    marginals[s]![place] = caseMarginal(objective, s, place, loads[s]![place]);
  });
}

/** Parts of what a chain could move that are tried, largest first. */
const CHAIN_PARTS = [1, 0.25, 0.0625];

/** True when some chain was shortened. */
function shortenChains(search: Search): boolean {
  const { places } = search.objective.problem;
  let helped = false;
  for (let a = 0; a < places; a++) {
    for (let b = 0; b < places; b++) {
      if (a === b) continue;
      const first = cheapestRow(search, a, b);
      if (first < 0) continue;
      for (let c = 0; c < places; c++) {
        if (b === c) continue;
        const second = cheapestRow(search, b, c);
        if (second < 0 || first === second) continue;
        if (CHAIN_PARTS.some((part) => shortened(search, first, second, a, b, c, part))) helped = true;
      }
    }
  }
  return helped;
}

/** The source that loses least on the wire by going to `to` instead of `from`; -1: none has anything to move there. */
function cheapestRow({ objective, shares }: Search, from: number, to: number): number {
  const { sources, places, demand, wireMs, leastPercent } = objective.problem;
  let best = -1;
  let least = Infinity;
  for (let source = 0; source < sources; source++) {
    const row = source * places;
    const more = wireMs[row + to]! - wireMs[row + from]!;
    if (demand[source]! <= 0 || shares[row + from]! - leastPercent[row + from]! <= 1e-6 || more >= least) continue;
    best = source;
    least = more;
  }
  return best;
}

function shortened(
  search: Search,
  first: number,
  second: number,
  a: number,
  b: number,
  c: number,
  part: number,
): boolean {
  const { objective, shares, marginals } = search;
  const { places, demand, leastPercent, wireMs } = objective.problem;
  const wire = (source: number, from: number, to: number): number =>
    wireMs[source * places + to]! - wireMs[source * places + from]!;
  // F is convex, so what the first request would not gain the others will not either.
  const hopes = wire(first, a, b) + wire(second, b, c) + (a === c ? 0 : marginals[0]![c]! - marginals[0]![a]!);
  if (hopes >= 0 && objective.cases.length === 1) return false;
  const spare = (source: number, place: number): number => {
    const at = source * places + place;
    return (demand[source]! * (shares[at]! - leastPercent[at]!)) / 100;
  };
  const rate = part * Math.min(spare(first, a), spare(second, b));
  if (rate <= 0) return false;
  const firstPercent = (100 * rate) / demand[first]!;
  const secondPercent = (100 * rate) / demand[second]!;
  const moves: readonly (readonly [number, number, number])[] = [
    [first, a, -firstPercent],
    [first, b, firstPercent],
    [second, b, -secondPercent],
    [second, c, secondPercent],
  ];
  let change = 0;
  for (const [source, place, percent] of moves) {
    change += changeAt(search, source, place, percent);
    shift(search, source, place, percent);
  }
  if (change < -LEAST_GAIN_MS * objective.total) return true;
  for (const [source, place, percent] of moves) shift(search, source, place, -percent);
  return false;
}
