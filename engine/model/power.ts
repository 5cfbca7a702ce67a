/**
 * Powers with the same last bit on every JavaScript engine, as `../natural-log.ts` explains for the logarithm: x^y is
 * exp(y ln x), and exp(z) = 2^k exp(r) with r within ln 2 / 2 of 0, where fourteen terms of the series reach the precision
 * of a double.
 */
import { naturalLog } from '../natural-log.js';

const LN_2 = 0.6931471805599453;
const TERMS = 14;
/** Below this exp is 0 in a double. */
const UNDERFLOW = -745;

/** `base` to the `exponent`, for 0 <= base <= 1 and exponent >= 0. */
export function power(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (base <= 0) return 0;
  const z = exponent * naturalLog(base);
  if (z < UNDERFLOW) return 0;
  const doublings = Math.round(z / LN_2);
  const rest = z - doublings * LN_2;
  let sum = 1;
  for (let term = TERMS; term > 0; term--) sum = 1 + (sum * rest) / term;
  for (let k = doublings; k < 0; k++) sum /= 2;
  for (let k = doublings; k > 0; k--) sum *= 2;
  return sum;
}
