/** `schema`: the JSON Schema of a kind of file, so that an editor completes and checks it while it is written. */
import { didYouMean } from '../../scenarios/problems.js';
import { jsonSchema } from '../../scenarios/schema.js';
import { snapshotJsonSchema } from '../../scenarios/snapshot/schema.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';

const KINDS = ['Scenario', 'Snapshot'] as const;

export function schema(args: Arguments, context: Context): Promise<ExitCode> {
  const name = String(args.kind);
  const kind = KINDS.find((known) => known.toLowerCase() === name.toLowerCase());
  if (kind === undefined) {
    throw new InputError(`schema ${name}: unknown kind; ${didYouMean(name, KINDS) ?? `kinds are ${KINDS.join(', ')}`}`);
  }
  context.print(`${JSON.stringify(kind === 'Snapshot' ? snapshotJsonSchema() : jsonSchema(kind), null, 2)}\n`);
  return Promise.resolve(EXIT.ok);
}
