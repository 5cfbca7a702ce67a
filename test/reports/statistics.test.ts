import test from 'ava';
import fc from 'fast-check';
import { estimate, pairedDifference, pairedRatio, seedsNeeded, studentQuantile } from '../../reports/statistics.js';
import { SEED as seed } from '../seed.js';

const near = (a: number | undefined | null, b: number, within = 1e-9): boolean =>
  a !== undefined && a !== null && Math.abs(a - b) <= within * Math.max(1, Math.abs(b));

test('Student quantiles agree with the printed tables', (t) => {
  // t table, two-sided 5 %: 1, 4, 9, 29 and 120 degrees of freedom.
  for (const [degrees, tabulated] of [
    [1, 12.7062],
    [4, 2.776445],
    [9, 2.262157],
    [29, 2.04523],
    [120, 1.97993],
  ] as const) {
    t.true(near(studentQuantile(0.975, degrees), tabulated, 5e-6), `${degrees}`);
  }
});

test('the interval of 1, 2, 3, 4, 5 is 3 ± 2.776445 sqrt(2.5 / 5)', (t) => {
  const found = estimate([1, 2, 3, 4, 5]);
  t.is(found.mean, 3);
  // sample variance 10 / 4 = 2.5; half width 2.776445 x 0.70710678 = 1.963243
  t.true(near(found.interval?.low, 3 - 1.963243, 1e-6));
  t.true(near(found.interval?.high, 3 + 1.963243, 1e-6));
  t.is(found.reason, null);
});

test('one seed has a mean but no interval, and says why', (t) => {
  t.deepEqual(estimate([7]), {
    seeds: 1,
    mean: 7,
    standardDeviation: null,
    interval: null,
    reason: 'one seed gives no interval',
  });
});

test('a figure that a seed lacks has no mean over the others', (t) => {
  const found = estimate([1, null, 3]);
  t.is(found.mean, null);
  t.is(found.interval, null);
  t.is(found.reason, '1 of 3 seeds do not have this figure');
  t.is(estimate([]).mean, null);
});

test('paired differences lose what the seeds share', (t) => {
  // a - b = 1, 1, 2 while a and b wander together: mean 4/3, variance 1/3, t(0.975, 2) = 4.302653.
  const found = pairedDifference([11, 21, 32], [10, 20, 30]);
  t.true(near(found.mean, 4 / 3));
  const half = (4.302653 * Math.sqrt(1 / 3)) / Math.sqrt(3);
  t.true(near(found.interval?.high, 4 / 3 + half, 1e-6));
  // var(a) = 331 / 3, var(b) = 100: 1 - (1/3) / (331/3 + 100)
  t.true(near(found.varianceReduction, 1 - 1 / 3 / (331 / 3 + 100)));
});

test('opposite seeds make pairing worse than none, and it shows as a negative reduction', (t) => {
  // a = 1, 3 and b = 3, 1: var 2 each, a - b = -2, 2 has variance 8: 1 - 8/4 = -1.
  t.is(pairedDifference([1, 3], [3, 1]).varianceReduction, -1);
});

test('the reduction is null where nothing varies', (t) => {
  t.is(pairedDifference([2, 2], [1, 1]).varianceReduction, null);
});

test('lists of unlike length cannot be paired', (t) => {
  t.throws(() => pairedDifference([1], [1, 2]), { message: /differ in length/ });
});

test('a ratio lies in its Fieller interval, and at both ends the paired t interval of a - r b touches 0', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 1, max: 9, noNaN: true }), fc.double({ min: 90, max: 110, noNaN: true })), {
          minLength: 3,
          maxLength: 30,
        }),
        (pairs) => {
          const a = pairs.map((pair) => pair[0]);
          const b = pairs.map((pair) => pair[1]);
          const found = pairedRatio(a, b);
          if (found === null) return false;
          const { low, high } = found.interval;
          const touches = (r: number): boolean => {
            const interval = pairedDifference(
              a,
              b.map((figure) => figure * r),
            ).interval;
            if (interval === null) return false;
            return Math.min(Math.abs(interval.low), Math.abs(interval.high)) < 1e-6;
          };
          return low <= found.ratio && found.ratio <= high && touches(low) && touches(high);
        },
      ),
      { seed },
    ),
  );
});

test('a ratio to something that may be 0 has no interval', (t) => {
  t.is(pairedRatio([1, 2, 3], [0, 0, 0]), null);
  t.is(pairedRatio([1, 2, 3], [-1, 0, 2]), null);
});

test('the seeds needed are the first number at which the interval leaves the limit', (t) => {
  // sd 1, distance 0.5: t(0.975, 17) = 2.1098 > 0.5 sqrt(18) = 2.1213? no, it is below: 18 seeds.
  // 17 seeds: t(0.975, 16) = 2.1199 > 0.5 sqrt(17) = 2.0616, so not yet.
  const found = { seeds: 5, mean: 10, standardDeviation: 1, interval: null, reason: null };
  t.is(seedsNeeded(found, 10.5), 18);
  t.is(seedsNeeded(found, 10), null);
  t.is(seedsNeeded(found, 10.0001), null);
  t.is(seedsNeeded({ ...found, standardDeviation: null }, 11), null);
});
