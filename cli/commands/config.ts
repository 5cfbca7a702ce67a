/**
 * `config view`: every setting there is, of the engine and of scenario files, in the words of the files. Variables of the
 * environment that the engine honours are taken in, as a live engine would; those it cannot understand are errors.
 */
import { stringify } from 'yaml';
import { configFromEnvironment } from '../../engine/index.js';
import { DEFAULTS } from '../../scenarios/defaults.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { texts } from '../run-options.js';

export async function config(args: Arguments, context: Context): Promise<ExitCode> {
  if (args.action !== 'view')
    throw new InputError(`config ${String(args.action)}: unknown action; did you mean "view"?`);
  const outputs = parseOutputs(texts(args, 'output'), ['yaml', 'json'] as const, 'yaml', false);
  const { config: engine, errors } = configFromEnvironment(context.env);
  if (errors.length > 0) throw new InputError(errors.join('\n'));
  const settings = { engine, scenario: DEFAULTS };
  await writeOutputs(
    outputs,
    { yaml: () => stringify(settings), json: () => JSON.stringify(settings, null, 2) },
    context,
  );
  return EXIT.ok;
}
