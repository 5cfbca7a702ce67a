/**
 * How long a proxy waits before it tries a call again. Envoy's jittered exponential back-off: retry n waits a whole
 * number of milliseconds below base x 2^(n-1), at most 10 x base, each as likely as any other. With Istio's 25 ms the
 * ranges are [0, 25), [0, 50), [0, 100), [0, 200), [0, 250) ms; the ranges in Envoy's documents (25, 75, 175) are not
 * what its code does (SEMANTICS A16; backoff_strategy.cc).
 */
import { TWO_TO_MINUS_32 } from '../random.js';

const MAX_OVER_BASE = 10;

/** Microseconds before retry `retryNumber` (1, 2, ...); `word` is 32 unsigned random bits. */
export function backOffUs(baseUs: number, retryNumber: number, word: number): number {
  const rangeMs = Math.max(1, Math.floor(Math.min(baseUs * 2 ** (retryNumber - 1), baseUs * MAX_OVER_BASE) / 1000));
  return Math.floor(word * TWO_TO_MINUS_32 * rangeMs) * 1000;
}
