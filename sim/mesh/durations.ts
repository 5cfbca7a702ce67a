/** Durations as Istio writes them (Go's and protobuf's text form): `1.5s`, `100ms`, `1m30s`. */

const UNIT_US = { h: 3_600_000_000, m: 60_000_000, s: 1_000_000, ms: 1000, us: 1, µs: 1, ns: 0.001 } as const;

/** Microseconds; null where the text is no duration. */
export function durationUs(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return null;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNIT_US[unit as keyof typeof UNIT_US], 0);
}
