import test from 'ava';
import { fitLine, nonNegativeLeastSquares, solveLinear } from '../../../traces/learn/linear.js';

const near = (value: number, expected: number, tolerance = 1e-9): boolean => Math.abs(value - expected) <= tolerance;

test('a system that needs a row exchange is solved', (t) => {
  // x + y = 3, 2y... written with a zero pivot: 0x + 2y = 4, x + y = 3 -> y = 2, x = 1.
  t.deepEqual(
    solveLinear(
      [
        [0, 2],
        [1, 1],
      ],
      [4, 3],
    ),
    [1, 2],
  );
  t.is(
    solveLinear(
      [
        [1, 1],
        [2, 2],
      ],
      [1, 2],
    ),
    null,
  );
});

test('non-negative least squares finds the exact mixture of two columns', (t) => {
  const a = [1, 2, 3, 4];
  const b = [5, 1, 4, 2];
  const fit = nonNegativeLeastSquares(
    [a, b],
    a.map((value, row) => 2 * value + 0.5 * (b[row] as number)),
  );
  t.true(near(fit.coefficients[0] as number, 2, 1e-8) && near(fit.coefficients[1] as number, 0.5, 1e-8));
});

test('a column that would need a negative weight gets none, and a bound is kept', (t) => {
  // y = a - b: with b held at 0 the best weight of a is a.y / a.a = (1 - 0) / 2 for a = (1, 1), b = (0, 1), y = (1, 0).
  const fit = nonNegativeLeastSquares(
    [
      [1, 1],
      [0, 1],
    ],
    [1, 0],
  );
  t.true(near(fit.coefficients[0] as number, 0.5) && fit.coefficients[1] === 0);
  t.is(nonNegativeLeastSquares([[1, 1]], [4, 4], [3]).coefficients[0], 3);
});

test('columns that always move together have no standard error to speak of', (t) => {
  const fit = nonNegativeLeastSquares(
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
    [2, 4, 6.1],
  );
  t.deepEqual(fit.standardErrors, [Infinity, Infinity]);
});

test('the line through points comes with the error of its slope', (t) => {
  // (0,1) (1,3) (2,4): slope 1.5, intercept 7/6; residuals -1/6, 1/3, -1/6 -> sum of squares 1/6; error sqrt(1/6 / 1 / 2).
  const line = fitLine([0, 1, 2], [1, 3, 4]);
  t.true(near(line?.slope ?? 0, 1.5) && near(line?.intercept ?? 0, 7 / 6));
  t.true(near(line?.slopeStandardError ?? 0, Math.sqrt(1 / 12)));
  t.is(fitLine([2, 2, 2], [1, 2, 3]), null);
});
