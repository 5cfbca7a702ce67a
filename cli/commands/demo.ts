/**
 * `demo`: the main job without any set-up, on the default built-in scenario, with a report to open. It shows gates but
 * does not end with 3 when one fails: a demonstration gates nothing.
 */
import { DEFAULT_SCENARIO } from '../../scenarios/library.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { texts } from '../run-options.js';
import { run } from './run.js';

export async function demo(args: Arguments, context: Context): Promise<ExitCode> {
  const output = texts(args, 'output');
  const withReport = output.some((value) => value.startsWith('html'))
    ? output
    : [...output, `html=out/${DEFAULT_SCENARIO}.html`];
  const code = await run({ ...args, scenario: DEFAULT_SCENARIO, output: withReport }, context);
  return code === EXIT.gateFailed ? EXIT.ok : code;
}
