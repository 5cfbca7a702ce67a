/** A name that stands in a file, held against those that are declared: unknown ones are told with the nearest right one. */
import { didYouMean, type ProblemCode } from './problems.js';
import type { EndpointNames } from './call-graph.js';
import type { RuleReport } from './destination-rule.js';
import { asRecord, type Report } from './raw.js';
import type { Path } from './source.js';

/** What the names of a file are held against, and where problems go. */
export interface Names {
  readonly zones: readonly string[];
  /** With pods. */
  readonly services: readonly string[];
  /** What rules may speak of: services, and what is external. */
  readonly hosts: readonly string[];
  readonly queues: readonly string[];
  readonly endpoints: EndpointNames;
  readonly report: Report;
  readonly rule: RuleReport;
  readonly hasSidecars: boolean;
}

/** More than these help nobody. */
const MOST_NAMES = 12;

/** Every key of a mapping is a name. */
export function checkKeys(
  code: ProblemCode,
  what: string,
  value: unknown,
  known: readonly string[],
  path: Path,
  report: Report,
): void {
  for (const key of Object.keys(asRecord(value))) {
    if (!known.includes(key))
      report(code, [...path, key], {
        message: `unknown ${what} "${key}"`,
        expected: `one of ${known.join(', ')}`,
        hint: didYouMean(key, known),
        atKey: true,
      });
  }
}

/** What is no text is the schema's problem. */
export function checkName(
  code: ProblemCode,
  what: string,
  name: unknown,
  known: readonly string[],
  path: Path,
  report: Report,
): void {
  if (typeof name !== 'string' || known.includes(name)) return;
  const some = `one of ${known.slice(0, MOST_NAMES).join(', ')}${known.length > MOST_NAMES ? ', ...' : ''}`;
  report(code, path, {
    message: `unknown ${what} "${name}"`,
    expected: known.length === 0 ? null : some,
    hint: didYouMean(name, known),
  });
}
