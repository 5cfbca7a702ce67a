/**
 * Durations as Go writes them (`time.ParseDuration`), which Istio's objects and our own files share: an optional sign,
 * then numbers with units, `1h30m`, `1.5s`, `.5ms`; `0` needs no unit. The one reader of them, so that what a file is
 * checked for is what a run reads.
 */
const UNIT_US = new Map<string, number>([
  ['ns', 1e-3],
  ['us', 1],
  // Both forms of the letter: the micro sign and the Greek mu.
  ['\u00b5s', 1],
  ['\u03bcs', 1],
  ['ms', 1e3],
  ['s', 1e6],
  ['m', 6e7],
  ['h', 3.6e9],
]);

const PART = /(\d+\.?\d*|\.\d+)([^\d.]+)/gy;

/** Microseconds; null where the text is no duration, or one beyond Go's 292 years. */
export function goDurationUs(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  const sign = text.startsWith('-') ? -1 : 1;
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return 0;
  const parts = [...unsigned.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== unsigned) return null;
  let totalUs = 0;
  for (const [, amount, unit] of parts) {
    const factorUs = UNIT_US.get(unit!);
    if (factorUs === undefined) return null;
    totalUs += Number(amount) * factorUs;
  }
  return totalUs > MOST_US ? null : sign * totalUs;
}

/** Go counts nanoseconds in 63 bits. */
const MOST_US = 2 ** 63 / 1000;
