/** Every code that Wavetank prints or that its users meet in access logs, by group, and the text behind each. */
import { didYouMean, explain, PROBLEM_CODES } from '../../scenarios/problems.js';
import { decisionKinds, skipReasons, verdicts, type Explanation } from './engine.js';
import { responseFlags } from './flags.js';

export interface Group {
  readonly title: string;
  readonly codes: readonly string[];
  readonly textOf: (code: string) => Explanation | string;
}

const group = (title: string, explanations: Readonly<Record<string, Explanation>>): Group => ({
  title,
  codes: Object.keys(explanations),
  textOf: (code) => explanations[code]!,
});

export const groups: readonly Group[] = [
  group('Decisions of the engine', decisionKinds),
  group('Why the engine leaves a workload alone', skipReasons),
  group('Verdicts of gates', verdicts),
  group('Why requests failed: response flags', responseFlags),
  { title: 'Problems of input files', codes: PROBLEM_CODES, textOf: (code) => explain(code)! },
];

/** The code as it is spelt, and its group; upper and lower case do not matter. Null: there is none. */
export function findCode(given: string): { readonly code: string; readonly group: Group } | null {
  for (const one of groups) {
    const code = one.codes.find((known) => known.toLowerCase() === given.toLowerCase());
    if (code !== undefined) return { code, group: one };
  }
  return null;
}

export function nearestCode(given: string): string {
  const all = groups.flatMap(({ codes }) => codes);
  return didYouMean(given, all) ?? '"wavetank explain" lists all codes';
}
