/** `report`: any report from a run record that was saved before. The record is the product; reports are views of it. */
import { readRunResult } from '../../traces/records.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { runOutputs, writeRun } from '../run-outputs.js';

export async function report(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = runOutputs(args);
  const given = String(args.record);
  const record = readRunResult(given);
  if (!Array.isArray(record.policies) || record.policies.length === 0) {
    throw new InputError(`${given}: the record holds no policies: it is cut off, or was not written by Wavetank`);
  }
  await writeRun(record, outputs, null, args, context);
  return EXIT.ok;
}
