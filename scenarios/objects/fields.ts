/**
 * Single fields of Kubernetes objects: numbers, texts, quantities, labels and selectors. A missing field is undefined; one
 * of the wrong kind is undefined and a problem at its place. Quantities are Kubernetes' own (all suffixes, also the
 * thousandths of a byte that its arithmetic leaves behind), wider than what a scenario takes, and written back in a form
 * that it takes.
 */
import type { Problem } from '../problems.js';
import { asList, asRecord, isObject } from '../raw.js';
import type { Path } from '../source.js';
import type { KubeObject, Raw } from './read.js';

export interface Fields {
  readonly value: (path: Path) => unknown;
  readonly list: (path: Path) => readonly Raw[];
  readonly text: (path: Path) => string | undefined;
  readonly whole: (path: Path, least?: number) => number | undefined;
  /** In the unit's base: cores or bytes. */
  readonly quantity: (path: Path) => number | undefined;
  readonly labels: (path: Path) => Readonly<Record<string, string>>;
}

export function fieldsOf(object: KubeObject, problems: Problem[]): Fields {
  const wrong = (path: Path, expected: string): undefined => {
    problems.push(object.problem('WT0203', path, { message: 'not what Kubernetes takes here', expected }));
    return undefined;
  };
  const value = (path: Path): unknown => {
    let at: unknown = object.value;
    for (const part of path) at = Array.isArray(at) ? (at as unknown[])[Number(part)] : asRecord(at)[String(part)];
    return at ?? undefined;
  };
  return {
    value,
    list(path) {
      const found = value(path);
      if (found !== undefined && !Array.isArray(found)) wrong(path, 'a list');
      return asList(found).map(asRecord);
    },
    text(path) {
      const found = value(path);
      return found === undefined || typeof found === 'string' ? found : wrong(path, 'a text');
    },
    whole(path, least = 0) {
      const found = value(path);
      if (found === undefined) return undefined;
      return Number.isSafeInteger(found) && (found as number) >= least
        ? (found as number)
        : wrong(path, `a whole number of at least ${least}`);
    },
    quantity(path) {
      const found = value(path);
      if (found === undefined) return undefined;
      return parseQuantity(found) ?? wrong(path, 'a quantity such as 100m, 1.5 or 256Mi');
    },
    labels(path) {
      const found = value(path);
      if (found !== undefined && !isObject(found)) wrong(path, 'a mapping from label to value');
      return Object.fromEntries(Object.entries(asRecord(found)).map(([key, one]) => [key, String(one)]));
    },
  };
}

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** Null for what is none, and for what is below 0. */
export function parseQuantity(value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const match = /^\+?(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([A-Za-z]*))$/.exec(String(value).trim());
  if (match === null) return null;
  const factor = Object.hasOwn(SUFFIXES, match[3] ?? '') ? SUFFIXES[match[3] ?? '']! : null;
  const amount = factor === null ? NaN : Number(match[1]! + (match[2] ?? '')) * factor;
  return Number.isFinite(amount) ? amount : null;
}

/** Rounded up to whole millicores, as Kubernetes rounds; a thousandth of that is forgiven to the arithmetic. */
export function formatCpu(cores: number): string {
  const millicores = Math.ceil(cores * 1000 - 1e-3);
  return millicores % 1000 === 0 ? String(millicores / 1000) : `${millicores}m`;
}

export function formatMemory(bytes: number): string {
  const whole = Math.ceil(bytes);
  for (const [suffix, size] of [['Gi', 2 ** 30] as const, ['Mi', 2 ** 20] as const, ['Ki', 2 ** 10] as const])
    if (whole >= size && whole % size === 0) return `${whole / size}${suffix}`;
  return String(whole);
}

/** A Service's selector: plain labels. None selects nothing. */
export function selectsByLabels(selector: Readonly<Record<string, string>>, labels: Raw): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** A LabelSelector of policy/v1: an empty one selects everything, a missing one nothing. */
export function selects(selector: unknown, labels: Raw): boolean {
  if (!isObject(selector)) return false;
  const { matchLabels, matchExpressions } = asRecord(selector);
  return (
    Object.entries(asRecord(matchLabels)).every(([key, value]) => labels[key] === String(value)) &&
    asList(matchExpressions)
      .map(asRecord)
      .every((one) => holds(one, labels))
  );
}

function holds({ key, operator, values }: Raw, labels: Raw): boolean {
  const value = labels[String(key)];
  const isListed = value !== undefined && asList(values).includes(value);
  if (operator === 'In') return isListed;
  if (operator === 'NotIn') return !isListed;
  return operator === 'Exists' ? value !== undefined : operator === 'DoesNotExist' && value === undefined;
}
