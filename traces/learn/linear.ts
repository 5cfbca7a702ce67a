/**
 * The little linear algebra that learning needs: a dense solver, least squares with a sign condition, a straight line
 * with the uncertainty of its slope. Sizes are those of a call graph (tens), so plain elimination and coordinate descent
 * are enough and easy to check by hand.
 */

/** Solves a x = b by elimination with row pivoting. A singular system gives null. */
export function solveLinear(a: readonly (readonly number[])[], b: readonly number[]): number[] | null {
  const size = b.length;
  const rows = a.map((row, index) => [...row, b[index] as number]);
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (Math.abs(at(rows, row, column)) > Math.abs(at(rows, pivot, column))) pivot = row;
    }
    if (Math.abs(at(rows, pivot, column)) < 1e-12) return null;
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    for (let row = column + 1; row < size; row += 1) {
      const factor = at(rows, row, column) / at(rows, column, column);
      for (let k = column; k <= size; k += 1)
        (rows[row] as number[])[k] = at(rows, row, k) - factor * at(rows, column, k);
    }
  }
  const x = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row -= 1) {
    let rest = at(rows, row, size);
    for (let k = row + 1; k < size; k += 1) rest -= at(rows, row, k) * (x[k] as number);
    x[row] = rest / at(rows, row, row);
  }
  return x;
}

function at(rows: readonly (readonly number[])[], row: number, column: number): number {
  return (rows[row] as readonly number[])[column] as number;
}

export interface NonNegativeFit {
  readonly coefficients: readonly number[];
  /** Standard error of each coefficient; Infinity where the columns cannot be told apart. */
  readonly standardErrors: readonly number[];
}

/** Enough sweeps for columns whose correlation is 0.999; the loop ends earlier when nothing moves any more. */
const maxSweeps = 20_000;

/**
 * Minimises |columns x - y|^2 over 0 <= x <= upper by coordinate descent (the problem is convex, so this ends at the
 * optimum). Standard errors are those of ordinary least squares with the same columns.
 */
export function nonNegativeLeastSquares(
  columns: readonly (readonly number[])[],
  y: readonly number[],
  upper: readonly number[] = columns.map(() => Infinity),
): NonNegativeFit {
  const gram = columns.map((left) => columns.map((right) => dot(left, right)));
  const target = columns.map((column) => dot(column, y));
  const x = columns.map(() => 0);
  for (let sweep = 0; sweep < maxSweeps; sweep += 1) {
    let moved = 0;
    for (let i = 0; i < x.length; i += 1) {
      const diagonal = at(gram, i, i);
      if (diagonal === 0) continue;
      const others = x.reduce((sum, value, k) => (k === i ? sum : sum + at(gram, i, k) * value), 0);
      const next = Math.min(upper[i] as number, Math.max(0, ((target[i] as number) - others) / diagonal));
      moved = Math.max(moved, Math.abs(next - (x[i] as number)));
      x[i] = next;
    }
    if (moved < 1e-12) break;
  }
  const residuals = y.map(
    (value, row) => value - columns.reduce((sum, column, i) => sum + (column[row] as number) * (x[i] as number), 0),
  );
  const variance = dot(residuals, residuals) / Math.max(1, y.length - columns.length);
  const standardErrors = x.map((_, i) => {
    const unit = x.map((_value, k) => (k === i ? 1 : 0));
    const inverse = solveLinear(gram, unit)?.[i];
    return inverse === undefined || inverse < 0 ? Infinity : Math.sqrt(variance * inverse);
  });
  return { coefficients: x, standardErrors };
}

export interface Line {
  readonly slope: number;
  readonly intercept: number;
  readonly slopeStandardError: number;
}

/** The least-squares line through points; null with fewer than three points or one single x. */
export function fitLine(x: readonly number[], y: readonly number[]): Line | null {
  const meanX = mean(x);
  const meanY = mean(y);
  const spread = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  if (x.length < 3 || spread === 0) return null;
  const slope = x.reduce((sum, value, i) => sum + (value - meanX) * ((y[i] as number) - meanY), 0) / spread;
  const intercept = meanY - slope * meanX;
  const residual = x.reduce((sum, value, i) => sum + ((y[i] as number) - intercept - slope * value) ** 2, 0);
  return { slope, intercept, slopeStandardError: Math.sqrt(residual / (x.length - 2) / spread) };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function standardDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / Math.max(1, values.length - 1));
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] as number), 0);
}
