/**
 * Finds the scenario a user means: a file, `-` for standard input, or the name of a built-in one; applies `--set`; and
 * reports everything that is wrong with it at once. A path wins over a built-in name of the same spelling.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { formatProblem, parseScenario } from '../scenarios/load.js';
import { didYouMean } from '../scenarios/problems.js';
import type { Scenario } from '../scenarios/types.js';
import type { Context } from './context.js';
import { InputError } from './exit-codes.js';
import { applyOverrides, type Override } from './overrides.js';

export interface ScenarioInput {
  readonly scenario: Scenario;
  /** As given on the command line: what a replay command needs to say. */
  readonly given: string;
  /** Path of the file; null for standard input and built-in scenarios. */
  readonly file: string | null;
}

export interface ScenarioText {
  readonly text: string;
  readonly file: string | null;
  readonly label: string;
}

const SUFFIX = '.yaml';

export async function loadScenario(
  given: string,
  overrides: readonly Override[],
  context: Context,
): Promise<ScenarioInput> {
  const source = await readScenarioText(given, context);
  return { scenario: parseOrExplain(source, overrides), given, file: source.file };
}

export function parseOrExplain({ text, label }: ScenarioText, overrides: readonly Override[]): Scenario {
  const loaded = parseScenario(applyOverrides(text, overrides), label);
  if ('scenario' in loaded) return loaded.scenario;
  const count = loaded.problems.length;
  const summary = `${count} ${count === 1 ? 'problem' : 'problems'} in ${label}; "wavetank explain CODE" tells more about a code`;
  throw new InputError([...loaded.problems.map(formatProblem), summary].join('\n'));
}

export async function readScenarioText(given: string, context: Context): Promise<ScenarioText> {
  if (given === '-') return { text: await context.readInput(), file: null, label: '<stdin>' };
  if (existsSync(given)) {
    if (statSync(given).isDirectory()) throw new InputError(`${given} is a folder; a scenario is one file`);
    return { text: readText(given), file: given, label: given };
  }
  const names = libraryNames(context.libraryFolder);
  if (names.includes(given)) {
    return {
      text: readFileSync(new URL(given + SUFFIX, context.libraryFolder), 'utf8'),
      file: null,
      label: given + SUFFIX,
    };
  }
  const hint = didYouMean(given, names) ?? `built in are: ${names.join(', ')}`;
  throw new InputError(`${given}: no such file, and no built-in scenario of that name; ${hint}`);
}

export function libraryNames(libraryFolder: URL): string[] {
  return readdirSync(libraryFolder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`cannot read ${file}: ${(error as Error).message}`);
  }
}
