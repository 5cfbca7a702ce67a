/**
 * Amounts as people write them in Kubernetes manifests and in Go: "250ms", "100m", "1Gi", "1400/s", "70%", "2kB".
 * A bare number is taken only where Kubernetes or the key's own name fixes the unit (cpu, memory, bytes, fractions);
 * elsewhere it is refused, because 30 milliseconds read as 30 seconds is a wrong answer that looks right.
 *
 * Each parser answers with the value in our base unit, or says what is wrong and, where the slip is a common one, what
 * was probably meant.
 */
import { goDurationUs } from '../engine/go-duration.js';

export type Parsed =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly wrong: 'unit' | 'range'; readonly message: string; readonly hint: string | null };

export interface Amount {
  readonly parse: (input: string | number) => Parsed;
  /** What a reader is told to write. */
  readonly expected: string;
  /** The same for editors: a regular expression over the text form, and what JSON Schema says of a bare number. */
  readonly pattern: string;
  readonly bareNumber: Readonly<Record<string, unknown>>;
}

const NUMBER = String.raw`\d+(?:\.\d+)?|\.\d+`;

const TIME_UNITS = ['ns', 'us', 'µs', 'ms', 's', 'm', 'h'];

/** As Go writes them, no days. Microseconds. */
export const duration: Amount = {
  expected: 'a duration such as 250us, 20ms, 30s, 10m or 1h30m',
  pattern: String.raw`^\+?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$`,
  bareNumber: { const: 0 },
  parse(input) {
    const text = String(input).trim();
    const us = goDurationUs(text);
    if (text.startsWith('-')) return outOfRange('a duration cannot be negative');
    if (us !== null) return accept(us);
    if (new RegExp(`^\\+?(?:${NUMBER})$`).test(text)) {
      return wrongUnit(`${text} has no unit`, `write ${text}ms, ${text}s or ${text}m`);
    }
    const parts = [...text.replace(/^\+/, '').matchAll(/(\d+\.?\d*|\.\d+)([a-zA-Zµμ]+)/gy)];
    if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.replace(/^\+/, '')) {
      return wrongUnit('not a duration', null);
    }
    const odd = parts.find(([, , unit]) => goDurationUs(`1${unit}`) === null);
    if (odd === undefined) return outOfRange('too large');
    const [, amount, unit] = odd;
    return wrongUnit(`"${unit}" is not a unit of time`, durationHint(amount!, unit!));
  },
};

/** Of a text that we wrote ourselves, such as a default: microseconds. */
export function durationUs(text: string): number {
  const parsed = duration.parse(text);
  if (!parsed.ok) throw new Error(`"${text}" is not a duration`);
  return parsed.value;
}

/** Null: absent, or not an amount (the schema says so). */
export function amountOf(kind: Amount, value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const parsed = kind.parse(value);
  return parsed.ok ? parsed.value : null;
}

function durationHint(amount: string, unit: string): string | null {
  const lower = unit.toLowerCase();
  if (lower === 'd' || lower === 'day' || lower === 'days') return `days are written in hours: ${Number(amount) * 24}h`;
  if (/^(sec|second)s?$/.test(lower)) return `did you mean ${amount}s?`;
  if (/^(min|minute)s?$/.test(lower)) return `did you mean ${amount}m?`;
  if (/^(hour|hr)s?$/.test(lower)) return `did you mean ${amount}h?`;
  if (/^(msec|milli|millisecond)s?$/.test(lower)) return `did you mean ${amount}ms?`;
  return TIME_UNITS.includes(lower) ? `did you mean ${amount}${lower}?` : null;
}

/** Kubernetes CPU quantity. Millicores. */
export const cpu: Amount = {
  expected: 'an amount of CPU such as 100m, 1 or 1.5 (cores)',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)m?$`,
  bareNumber: { minimum: 0 },
  parse(input) {
    const text = String(input).trim();
    if (text.startsWith('-')) return outOfRange('an amount of CPU cannot be negative');
    const match = new RegExp(`^(${NUMBER})(m?)$`).exec(text);
    if (match === null)
      return wrongUnit('not an amount of CPU', /^[\d.]+M$/.test(text) ? `did you mean ${text.slice(0, -1)}m?` : null);
    return finite(Number(match[1]) * (match[2] === 'm' ? 1 : 1000));
  },
};

const MEMORY_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Kubernetes memory quantity. Bytes. Its legal "m" (thousandths of a byte) is always a slip for Mi: refused. */
export const memory: Amount = {
  expected: 'an amount of memory such as 256Mi, 1Gi or 512M',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)(([kMGTP]|[KMGTP]i)?|[eE]\+?\d+)$`,
  bareNumber: { minimum: 0 },
  parse(input) {
    const text = String(input).trim();
    if (text.startsWith('-')) return outOfRange('an amount of memory cannot be negative');
    const exponent = new RegExp(`^(?:${NUMBER})[eE]\\+?\\d+$`).exec(text);
    if (exponent !== null) return finite(Number(text));
    const match = new RegExp(`^(${NUMBER})([a-zA-Z]*)$`).exec(text);
    if (match === null) return wrongUnit('not an amount of memory', null);
    const factor = MEMORY_BYTES[match[2]!];
    return factor === undefined
      ? wrongUnit(`"${match[2]}" is not a unit of memory`, memoryHint(match[1]!, match[2]!))
      : finite(Number(match[1]) * factor);
  },
};

const QUANTITY_FACTOR: Readonly<Record<string, number>> = { m: 1e-3, ...MEMORY_BYTES };

/** Kubernetes quantity of anything else. Whole thousandths, rounded up as there. */
export const quantity: Amount = {
  expected: 'a quantity such as 100, 1.5, 500m or 2k',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)([mkMGTP]|[KMGTP]i)?$`,
  bareNumber: { minimum: 0 },
  parse(input) {
    const text = String(input).trim();
    if (text.startsWith('-')) return outOfRange('a quantity cannot be negative here');
    const match = new RegExp(`^(${NUMBER})([a-zA-Z]*)$`).exec(text);
    const factor = match === null ? undefined : QUANTITY_FACTOR[match[2]!];
    if (factor === undefined) return wrongUnit('not a quantity', null);
    // Products such as 1.1 x 1000 are off by less than a millionth.
    return finite(Math.ceil(Math.round(Number(match![1]) * factor * 1e9) / 1e6));
  },
};

function memoryHint(amount: string, unit: string): string | null {
  const letter = unit[0]!.toUpperCase();
  return 'KMGTP'.includes(letter) ? `did you mean ${amount}${letter}i?` : null;
}

const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Size of a message. Bytes; a bare number is bytes, as the keys say so. */
export const size: Amount = {
  expected: 'a size such as 500B, 2kB or 1MB',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)(B|kB|MB|GB|KiB|MiB|GiB)$`,
  bareNumber: { minimum: 0 },
  parse(input) {
    const text = String(input).trim();
    if (text.startsWith('-')) return outOfRange('a size cannot be negative');
    const match = new RegExp(`^(${NUMBER})([a-zA-Z]*)$`).exec(text);
    if (match === null) return wrongUnit('not a size', null);
    const unit = match[2]! === '' ? 'B' : match[2]!;
    const factor = SIZE_BYTES[unit];
    if (factor !== undefined) return finite(Number(match[1]) * factor);
    const near = Object.keys(SIZE_BYTES).find(
      (known) => known.toLowerCase() === unit.toLowerCase() || known[0]!.toLowerCase() === unit.toLowerCase(),
    );
    return wrongUnit(`"${unit}" is not a unit of size`, near === undefined ? null : `did you mean ${match[1]}${near}?`);
  },
};

const PER_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Requests per time. Requests a second. */
export const rate: Amount = {
  expected: 'a rate such as 1400/s, 90/m or 300/h',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)/(s|m|h)$`,
  bareNumber: { not: {} },
  parse(input) {
    const text = String(input).replace(/\s/g, '');
    if (text.startsWith('-')) return outOfRange('a rate cannot be negative');
    const match = new RegExp(`^(${NUMBER})/([a-zA-Z]+)$`).exec(text);
    if (match === null) {
      const bare = /^([\d.]+)(rps|qps|hz)?$/i.exec(text);
      return bare === null
        ? wrongUnit('not a rate', null)
        : wrongUnit(`${text} does not say per what`, `did you mean ${bare[1]}/s?`);
    }
    const seconds = PER_SECONDS[match[2]!];
    if (seconds !== undefined) return finite(Number(match[1]) / seconds);
    const near = Object.keys(PER_SECONDS).find((unit) => match[2]!.toLowerCase().startsWith(unit));
    return wrongUnit(
      `"${match[2]}" is not a unit of time`,
      near === undefined ? null : `did you mean ${match[1]}/${near}?`,
    );
  },
};

/** A part of a whole: "70%" or 0.7. Fraction 0..1. */
export const fraction: Amount = {
  expected: 'a share such as 70% or 0.7',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)%?$`,
  bareNumber: { minimum: 0, maximum: 1 },
  parse(input) {
    const parsed = percentOrNumber(input);
    if (!parsed.ok) return parsed;
    if (parsed.value <= 1) return parsed;
    const bare = typeof input === 'number' || !String(input).includes('%');
    return bare && parsed.value <= 100
      ? { ok: false, wrong: 'unit', message: `${input} is more than the whole`, hint: `did you mean ${input}%?` }
      : outOfRange('a share cannot be more than 100%');
  },
};

/** A percentage that may exceed 100 (utilisation of requests). Percent, the sign is a must. */
export const percent: Amount = {
  expected: 'a percentage such as 60%',
  pattern: String.raw`^(\d+(\.\d+)?|\.\d+)%$`,
  bareNumber: { not: {} },
  parse(input) {
    const text = String(input).trim();
    const parsed = percentOrNumber(text);
    if (!parsed.ok) return parsed;
    if (!text.endsWith('%'))
      return wrongUnit(`${text} has no unit`, `did you mean ${Number(text) <= 1 ? Number(text) * 100 : text}%?`);
    return parsed.value === 0 ? outOfRange('must be more than 0%') : finite(parsed.value * 100);
  },
};

function percentOrNumber(input: string | number): Parsed {
  const text = String(input).trim();
  if (text.startsWith('-')) return outOfRange('cannot be negative');
  const match = new RegExp(`^(${NUMBER})\\s?(%?)$`).exec(text);
  if (match === null) return wrongUnit('not a share', null);
  return finite(match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]));
}

function accept(value: number): Parsed {
  return { ok: true, value };
}

function finite(value: number): Parsed {
  return Number.isFinite(value) ? accept(value) : outOfRange('too large');
}

function wrongUnit(message: string, hint: string | null): Parsed {
  return { ok: false, wrong: 'unit', message, hint };
}

function outOfRange(message: string): Parsed {
  return { ok: false, wrong: 'range', message, hint: null };
}
