/**
 * Reading a file that may be wrong anywhere: the checks of names run on the plain data, even where the schema has
 * complained, so that one pass over the file finds everything. A value of the wrong type counts as absent here; the
 * schema has already said so.
 */
import type { Problem, ProblemCode } from './problems.js';
import type { Path, ProblemDetail } from './source.js';

export type Raw = Readonly<Record<string, unknown>>;

export type Report = (code: ProblemCode, path: Path, detail: ProblemDetail) => void;

export function reporter(make: (code: ProblemCode, path: Path, detail: ProblemDetail) => Problem): {
  readonly report: Report;
  readonly problems: Problem[];
} {
  const problems: Problem[] = [];
  return { problems, report: (code, path, detail) => problems.push(make(code, path, detail)) };
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One problem for every name that stood before. */
export function reportDuplicates(
  report: Report,
  what: string,
  names: readonly (readonly [name: unknown, path: Path])[],
): void {
  const seen = new Set<string>();
  for (const [name, path] of names) {
    if (typeof name !== 'string') continue;
    if (seen.has(name)) report('WT0305', path, { message: `the ${what} "${name}" is declared twice` });
    seen.add(name);
  }
}

/** A key of the object itself: "constructor" is a fine name for a service. */
export function own<T>(record: Readonly<Record<string, T>>, key: unknown): T | undefined {
  return typeof key === 'string' && Object.hasOwn(record, key) ? record[key] : undefined;
}
