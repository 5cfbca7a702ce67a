/**
 * Reads one timestamp in the form that the mapping declares. Nothing is guessed from the size of a number: 1661140279
 * seconds and 1661140279000 milliseconds differ by a factor that a guess would hide. What is not a time gives null.
 */

export type TimeFormat = 'unix-s' | 'unix-ms' | 'unix-us' | 'unix-ns' | 'iso' | 'go';

/** Go's `time.Time` printed: "2022-08-22 03:51:19.573905004 +0000 UTC m=+0.079858984". The tail is a monotonic reading. */
const goTime = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? ([+-]\d\d)(\d\d)(?: [A-Z+-]\S*)?(?: m=[+-][\d.]+)?$/;

const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

const unitMs = { 'unix-s': 1000, 'unix-ms': 1, 'unix-us': 1e-3, 'unix-ns': 1e-6 } as const;

/** Milliseconds since 1970 UTC, or null. ISO times without an offset are read as UTC. */
export function parseTimestamp(text: string, format: TimeFormat): number | null {
  const trimmed = text.trim();
  if (format === 'go') return parseGoTime(trimmed);
  if (format === 'iso') return parseIsoTime(trimmed);
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return null;
  return Number(trimmed) * unitMs[format];
}

function parseGoTime(text: string): number | null {
  const match = goTime.exec(text);
  if (match === null) return null;
  const [, date, clock, fraction, hours, minutes] = match;
  const wholeMs = Date.parse(`${date}T${clock}${hours}:${minutes}`);
  return Number.isNaN(wholeMs) ? null : wholeMs + Number(`0${fraction ?? ''}`) * 1000;
}

function parseIsoTime(text: string): number | null {
  if (!isoTime.test(text)) return null;
  const timeMs = Date.parse(
    /(Z|[+-]\d\d:?\d\d)$/.test(text) || text.length === 10 ? text : `${text.replace(' ', 'T')}Z`,
  );
  return Number.isNaN(timeMs) ? null : timeMs;
}

/** "90s", "15m", "1.5h", "2d" or "250ms" in milliseconds, or null. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'ms'];
}
