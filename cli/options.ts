/**
 * Options that several commands share, each with one help text, and the readers that turn what was typed into numbers.
 * Commands get plain values; what cannot be read ends with exit code 2 and a sentence that says what would be right.
 */
import type { Options } from 'yargs';
import { InputError } from './exit-codes.js';

const list = { type: 'array', string: true, nargs: 1 } as const;

export const OPTIONS = {
  policy: { ...list, describe: 'Run only this policy (repeatable); default: all of the scenario' },
  seed: { type: 'string', describe: 'First seed; default: the one of the scenario' },
  replications: { type: 'string', alias: 'n', describe: 'Number of seeds; default: as in the scenario' },
  set: { ...list, describe: 'Change a field before the run: path=value (repeatable)' },
  workers: { type: 'string', alias: 'j', describe: 'Processes; default: one per core. Changes no figure' },
  output: { ...list, alias: 'o', describe: 'format, or format=file (repeatable)' },
  quiet: { type: 'boolean', alias: 'q', describe: 'No progress, no table' },
  'fail-on-inconclusive': { type: 'boolean', describe: 'End with 4 when a gate cannot be decided' },
} as const satisfies Record<string, Options>;

/** A whole number from `least` on; undefined where the option was not given. */
export function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > Number.MAX_SAFE_INTEGER) {
    throw new InputError(`--${option} ${text}: expected a whole number, at least ${least}`);
  }
  return value;
}

/** Quotes a word for a POSIX shell where it needs quoting. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
