/**
 * Weighted round robin by earliest deadline, as Envoy picks a locality.
 *
 * Everyday picture: each entry has a clock that rings every 1/weight; whoever rings first is picked and wound up again.
 * Shares equal the weights in the long run, and over a handful of picks they are off by about one, where independent
 * random draws would be off by the square root of the number of picks. Entries that ring together go in the order in
 * which they were wound up.
 *
 * Every proxy would start in step with every other one, so each starts at a random place: as if a random number of picks
 * had been made already (Envoy's `createWithPicks`). Most of them are skipped in closed form, fewer than one per entry are
 * made one by one.
 *
 * State is a stretch of a Float64Array, `edfSlots(count)` long, beginning at `at`: [next order, deadline, order, deadline,
 * order, ...]. Weights are a stretch of another array, so that all callers with one route share them; all are above 0.
 * Start again whenever the weights change.
 */

/** Next order, before the entries. */
const HEADER = 1;
/** Deadline and order. */
const STRIDE = 2;

/**
 * Picks to skip at most. Envoy draws from 4e8; a million is far more than the period of any integer weights that occur
 * (theirs sum to about 100), so every phase is as likely as any other, and deadlines stay small enough to be
 * told apart exactly.
 */
const MAX_SKIPPED_PICKS = 2 ** 20;

export function edfSlots(count: number): number {
  return HEADER + STRIDE * count;
}

/** Fills the state. `uniform` in [0, 1) sets the random start; 0 starts from the beginning. */
export function edfStart(
  state: Float64Array,
  at: number,
  weights: Float64Array,
  weightsAt: number,
  count: number,
  uniform: number,
): void {
  const picks = Math.floor(uniform * MAX_SKIPPED_PICKS);
  let weightSum = 0;
  for (let i = 0; i < count; i++) weightSum += weights[weightsAt + i]!;

  let skipped = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[weightsAt + i]!;
    // One less than its share, so that rounding can never skip past a deadline that is not yet due.
    const own = Math.max(0, Math.floor((picks * weight) / weightSum) - 1);
    skipped += own;
    state[at + HEADER + STRIDE * i] = (own + 1) / weight;
    state[at + HEADER + STRIDE * i + 1] = rankByWeight(weights, weightsAt, count, i);
  }
  state[at] = count;
  for (; skipped < picks; skipped++) edfPick(state, at, weights, weightsAt, count);
}

/** Index (0..count-1) of the entry that is next, which is wound up again. */
export function edfPick(
  state: Float64Array,
  at: number,
  weights: Float64Array,
  weightsAt: number,
  count: number,
): number {
  const entries = at + HEADER;
  let first = 0;
  let firstDeadline = state[entries]!;
  let firstOrder = state[entries + 1]!;
  for (let i = 1; i < count; i++) {
    const deadline = state[entries + STRIDE * i]!;
    const order = state[entries + STRIDE * i + 1]!;
    if (deadline < firstDeadline || (deadline === firstDeadline && order < firstOrder)) {
      first = i;
      firstDeadline = deadline;
      firstOrder = order;
    }
  }
  // Counted in rings, not added up, so that entries that should ring together keep doing so.
  const weight = weights[weightsAt + first]!;
  state[entries + STRIDE * first] = (Math.round(firstDeadline * weight) + 1) / weight;
  state[entries + STRIDE * first + 1] = state[at]!++;
  return first;
}

/** Index of the entry that is next, left as it is: `edfWindUp` follows, where weights change from pick to pick. */
export function edfFirst(state: Float64Array, at: number, count: number): number {
  const entries = at + HEADER;
  let first = 0;
  for (let i = 1; i < count; i++) {
    const ahead = state[entries + STRIDE * i]! - state[entries + STRIDE * first]!;
    if (ahead < 0 || (ahead === 0 && state[entries + STRIDE * i + 1]! < state[entries + STRIDE * first + 1]!))
      first = i;
  }
  return first;
}

/** Winds up a picked entry with the weight that it has now. */
export function edfWindUp(state: Float64Array, at: number, entry: number, weight: number): void {
  const place = at + HEADER + STRIDE * entry;
  state[place] = state[place]! + 1 / weight;
  state[place + 1] = state[at]!++;
}

/** Of two entries due at once the lighter was wound up earlier; of equal ones, the first in line. */
function rankByWeight(weights: Float64Array, weightsAt: number, count: number, entry: number): number {
  const own = weights[weightsAt + entry]!;
  let rank = 0;
  for (let i = 0; i < count; i++) {
    const other = weights[weightsAt + i]!;
    if (other < own || (other === own && i < entry)) rank++;
  }
  return rank;
}
