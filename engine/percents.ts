/**
 * Turns weights into whole percents that sum to exactly 100, the only form Istio takes. Largest remainder: everyone
 * gets the whole part of the exact share, the points left over go to the largest fractions, ties to the earlier one.
 * Places with a floor are served first, as water finds its level: who would fall below is fixed at the floor and the
 * rest share what remains, until nobody falls below.
 */

/**
 * @param weights how much each place should get, any scale; negative and non-finite count as 0
 * @param floors least percent of each place, whole numbers; when they do not fit into 100 together, the places with
 *   the larger weights keep theirs
 * @returns whole percents in the order given, summing to 100; all 0 when no weight is positive
 */
export function toPercents(weights: readonly number[], floors: readonly number[] = []): number[] {
  const usable = weights.map((weight) => (Number.isFinite(weight) && weight > 0 ? weight : 0));
  // Divided by the largest first: the sum of weights near the end of the number range would be infinite.
  const largest = Math.max(0, ...usable);
  if (largest === 0) return usable;
  const relative = usable.map((weight) => weight / largest);
  const granted = floorsThatFit(relative, floors);

  const fixed = granted.map(() => false);
  for (;;) {
    const exact = exactShares(relative, granted, fixed);
    const below = exact.flatMap((share, index) => (!fixed[index] && share < granted[index]! ? [index] : []));
    if (below.length === 0) return roundedToHundred(exact, granted, fixed);
    for (const index of below) fixed[index] = true;
  }
}

function floorsThatFit(weights: readonly number[], floors: readonly number[]): number[] {
  const granted = weights.map(() => 0);
  let left = 100;
  const heaviestFirst = weights.map((_, index) => index).sort((a, b) => weights[b]! - weights[a]! || a - b);
  for (const index of heaviestFirst) {
    const floor = floors[index] ?? 0;
    if (floor > left) continue;
    granted[index] = floor;
    left -= floor;
  }
  return granted;
}

function exactShares(weights: readonly number[], floors: readonly number[], fixed: readonly boolean[]): number[] {
  let percentLeft = 100;
  let weightLeft = 0;
  weights.forEach((weight, index) => {
    if (fixed[index]) percentLeft -= floors[index]!;
    else weightLeft += weight;
  });
  return weights.map((weight, index) => {
    if (fixed[index]) return floors[index]!;
    return weightLeft > 0 ? (weight / weightLeft) * percentLeft : 0;
  });
}

// Fractions closer than this are one fraction: what divides the same numbers in another order must round the same way.
const SAME_FRACTION = 1e-9;

function roundedToHundred(exact: readonly number[], floors: readonly number[], fixed: readonly boolean[]): number[] {
  const percents = exact.map((share) => Math.floor(share + SAME_FRACTION));
  const fractions = exact.map((share, index) => Math.round((share - percents[index]!) / SAME_FRACTION));
  let missing = 100 - percents.reduce((sum, percent) => sum + percent, 0);
  const order = exact
    .map((_, index) => index)
    .filter((index) => !fixed[index] && exact[index]! > 0)
    .sort((a, b) => fractions[b]! - fractions[a]! || a - b);
  for (const index of order) {
    if (missing <= 0) break;
    percents[index]!++;
    missing--;
  }
  return percents;
}
