/**
 * The fields of Istio's objects as the CRDs declare them: which there are, what type each has, from which release, and
 * whether the simulation follows it. What `kubectl apply` refuses for its shape alone is refused here.
 */
import type { RuleReport } from './destination-rule.js';
import { didYouMean } from './problems.js';
import { isObject } from './raw.js';
import type { Path } from './source.js';
import { goDurationUs } from '../engine/go-duration.js';

/**
 * Types of the CRDs. "?" may be null, as the wrapper messages of the API may. `duration` is one of at least 1 ms (a rule
 * of the CRD); `preciseDuration` is also in whole milliseconds (istiod's own rule); `anyDuration` is only read as one.
 */
export type FieldType =
  | 'text'
  | 'flag'
  | 'flag?'
  | 'int32'
  | 'uint32'
  | 'uint32?'
  | 'uint64'
  | 'number'
  | 'number?'
  | 'percent?'
  | 'texts'
  | 'object'
  | 'list'
  | 'duration'
  | 'preciseDuration'
  | 'anyDuration'
  | readonly string[];

export interface Field {
  readonly type: FieldType;
  /** False: Istio knows the field, and the simulation leaves it out, with a notice. */
  readonly isModelled: boolean;
  /** First minor release that has it. */
  readonly since: number;
}

/** Istio knows the field, and the simulation follows it. */
export function modelled(type: FieldType): Field {
  return { type, isModelled: true, since: 0 };
}

/** Istio knows the field. */
export function known(type: FieldType, since = 0): Field {
  return { type, isModelled: false, since };
}

type Raw = Readonly<Record<string, unknown>>;

/** Unknown keys and wrong types are errors; fields that are left out become notices, as `notice` words them. */
export function checkKnownFields(
  value: Raw,
  fields: Readonly<Record<string, Field>>,
  path: Path,
  to: RuleReport,
  notice: (key: string) => string,
): void {
  const names = Object.keys(fields).filter((key) => fields[key]!.since <= to.mesh.istioMinor);
  checkKeys(value, names, path, to);
  for (const [key, given] of Object.entries(value)) {
    if (!names.includes(key)) continue;
    const { type, isModelled } = fields[key]!;
    checkType(given, type, [...path, key], to);
    if (!isModelled) to.unmodelled({ code: 'WT0502', path: [...path, key], message: notice(key) });
  }
}

export function checkKeys(value: Raw, names: readonly string[], path: Path, to: RuleReport): void {
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    to.report('WT0201', [...path, key], {
      message: `unknown key "${key}"`,
      expected: `one of ${names.join(', ')}`,
      hint: didYouMean(key, names),
      atKey: true,
    });
  }
}

function checkType(value: unknown, type: FieldType, path: Path, to: RuleReport): void {
  const wrong = typeof type === 'string' ? mistake(value, type) : wordMistake(value, type);
  if (wrong !== null) to.report(wrong.code, path, { ...wrong });
}

interface Mistake {
  readonly code: 'WT0203' | 'WT0401';
  readonly message: string;
  readonly expected: string;
  readonly hint?: string | null;
}

function wordMistake(value: unknown, words: readonly string[]): Mistake | null {
  if (typeof value === 'string' && words.includes(value)) return null;
  const hint = typeof value === 'string' ? didYouMean(value, words) : null;
  return { code: 'WT0401', message: 'none of the words', expected: `one of ${words.join(', ')}`, hint };
}

function mistake(value: unknown, type: Exclude<FieldType, readonly string[]>): Mistake | null {
  if (type.endsWith('?') && value === null) return null;
  switch (type) {
    case 'text':
      return typeof value === 'string' ? null : shape('a text');
    case 'flag':
    case 'flag?':
      return typeof value === 'boolean' ? null : shape('true or false');
    case 'int32':
      return whole(value, -(2 ** 31), 2 ** 31 - 1);
    case 'uint32':
    case 'uint32?':
      return whole(value, 0, 2 ** 32 - 1);
    case 'uint64':
      return whole(value, 0, Number.MAX_SAFE_INTEGER);
    case 'number':
    case 'number?':
      return typeof value === 'number' ? null : shape('a number');
    case 'percent?':
      return typeof value === 'number' && value >= 0 && value <= 100 ? null : range('a number from 0 to 100');
    case 'texts':
      return Array.isArray(value) && value.every((each) => typeof each === 'string') ? null : shape('a list of texts');
    case 'object':
      return isObject(value) ? null : shape('an object');
    case 'list':
      return Array.isArray(value) ? null : shape('a list');
    case 'duration':
    case 'preciseDuration':
    case 'anyDuration':
      return durationMistake(value, type);
  }
}

function durationMistake(value: unknown, type: FieldType): Mistake | null {
  const us = goDurationUs(value);
  const expected = 'a duration such as 1.5s or 250ms';
  if (us === null) return { code: 'WT0401', message: 'not a duration', expected };
  if (type !== 'anyDuration' && us < 1000) return { code: 'WT0401', message: 'below a millisecond', expected };
  if (type === 'preciseDuration' && !isWholeMs(us))
    return { code: 'WT0401', message: 'Istio refuses parts of a millisecond', expected };
  return null;
}

/** In nanoseconds, as Go counts: 4.35 s read as a floating number is not quite 4350 ms. */
export function isWholeMs(us: number): boolean {
  return Math.round(us * 1000) % 1_000_000 === 0;
}

function whole(value: unknown, least: number, most: number): Mistake | null {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return null;
  return { code: 'WT0401', message: 'not a valid number', expected: `a whole number from ${least} to ${most}` };
}

function shape(expected: string): Mistake {
  return { code: 'WT0203', message: `is not ${expected}`, expected };
}

function range(expected: string): Mistake {
  return { code: 'WT0401', message: 'out of range', expected };
}
