/**
 * The natural logarithm with the same last bit on every JavaScript engine: the language leaves Math.log's rounding open,
 * and a decision must not depend on the machine that made it. Only additions, multiplications and divisions are used.
 *
 * x = m 2^k with m in [1/sqrt 2, sqrt 2); ln x = k ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172. The series of
 * artanh, s + s^3/3 + s^5/5 + ..., gains 1.5 digits a term; eleven terms reach the precision of a double.
 */
const LN_2 = 0.6931471805599453;
const SQRT_2 = 1.4142135623730951;
const TERMS = 11;

/** ln(x) for finite x > 0. */
export function naturalLog(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa >= SQRT_2; mantissa /= 2) exponent++;
  for (; mantissa < SQRT_2 / 2; mantissa *= 2) exponent--;
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let term = TERMS - 1; term >= 0; term--) sum = sum * square + 1 / (2 * term + 1);
  return exponent * LN_2 + 2 * s * sum;
}
