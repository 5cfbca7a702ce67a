/** The chi-square helper against a table, against draws that are fair, and against draws that are not. */
import test from 'ava';
import { mix } from '../../sim/random.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { chiSquare, chiSquareQuantile } from './chiSquare.js';

// Quantiles from any table of the chi-square distribution.
for (const [degrees, p, expected] of [
  [1, 0.95, 3.841],
  [2, 0.99, 9.21],
  [4, 0.999, 18.467],
  [10, 0.05, 3.94],
  [100, 0.99, 135.807],
] as const)
  test(`the ${p} quantile with ${degrees} degrees of freedom is ${expected}`, (t) =>
    t.is(Number(chiSquareQuantile(p, degrees).toFixed(3)), expected));

test('a die thrown 60 times, by hand', (t) => {
  // (5-10)^2 + (8-10)^2 + (9-10)^2 + (8-10)^2 + (10-10)^2 + (20-10)^2 = 134, over 10.
  t.is(chiSquare([5, 8, 9, 8, 10, 20], [1, 1, 1, 1, 1, 1]), 13.4);
  t.is(chiSquare([1, 1, 1], [1, 1, 0]), Infinity);
});

test(`fair draws exceed the median half the time, and a share that is 2 % off is found ${SEED_NOTE}`, (t) => {
  const counts = (run: number, ofTen: number): number[] => {
    const cells = [0, 0];
    for (let i = 0; i < 20_000; i++) cells[mix(run * 7_919_111 + i * 31 + SEED) >>> 0 < ofTen * 2 ** 32 ? 0 : 1]!++;
    return cells;
  };
  const above = Array.from({ length: 400 }, (_, run) => chiSquare(counts(run, 0.5), [1, 1])).filter(
    (statistic) => statistic > chiSquareQuantile(0.5, 1),
  ).length;
  // 200 of 400, four standard deviations of 10.
  t.true(Math.abs(above - 200) < 40, `${above}`);
  // 0.02 x 20,000 = 400 too many: 400^2 / 10,000 x 2 = 32; critical 15.1.
  t.true(chiSquare(counts(1, 0.52), [1, 1]) > chiSquareQuantile(1 - 1e-4, 1));
});
