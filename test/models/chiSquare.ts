/**
 * Pearson's chi-square: are these counts draws of these shares? The statistic exceeds the critical value in one of
 * 10,000 true cases, so a suite of fifty such tests raises a false alarm in one of two hundred seeds. Every cell should expect
 * five draws at least. A cell of share 0 must stay empty.
 */
import gammaQuantile from '@stdlib/stats-base-dists-gamma-quantile';
import type { ExecutionContext } from 'ava';

export const FALSE_ALARM = 1e-4;

/** Sum over the cells of (count - expected)^2 / expected. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  const all = shares.reduce((sum, share) => sum + share, 0);
  return counts.reduce((sum, count, i) => {
    const expected = (draws * shares[i]!) / all;
    return sum + (expected === 0 ? (count === 0 ? 0 : Infinity) : (count - expected) ** 2 / expected);
  }, 0);
}

/** The quantile of chi-square: that of a gamma variate of half the degrees of freedom and rate one half. */
export function chiSquareQuantile(p: number, degrees: number): number {
  return gammaQuantile(p, degrees / 2, 1 / 2);
}

/** The counts are draws of the shares, as far as one can tell. */
export function isDrawnFrom(
  t: ExecutionContext,
  counts: readonly number[],
  shares: readonly number[],
  what = 'counts',
): void {
  const degrees = shares.filter((share) => share > 0).length - 1;
  const [found, critical] = [chiSquare(counts, shares), chiSquareQuantile(1 - FALSE_ALARM, degrees)];
  t.true(found < critical, `${what} ${counts.join(' ')}: chi-square ${found}, critical ${critical}`);
}

/** The counts keep to the shares far more closely than draws would: one of 10,000 sets of draws does so well. */
export function isEvenerThanDrawn(t: ExecutionContext, statistic: number, degrees: number): void {
  const critical = chiSquareQuantile(FALSE_ALARM, degrees);
  t.true(statistic < critical, `chi-square ${statistic}, draws stay below ${critical} once in ${1 / FALSE_ALARM}`);
}
