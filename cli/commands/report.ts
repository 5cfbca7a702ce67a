/** `report`: any report from a run record that was saved before. The record is the product; reports are views of it. */
import type { RunResult } from '../../traces/run-result.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { readJson } from '../read-json.js';
import { runOutputs, writeRun } from '../run-outputs.js';

/** Versions of the record that differ in the first number differ in meaning; a higher second number only adds fields. */
const READABLE_MAJOR = '1';

export async function report(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = runOutputs(args);
  const file = String(args.record);
  await writeRun(readRecord(file), outputs, null, args, context);
  return EXIT.ok;
}

export function readRecord(file: string): RunResult {
  const record = readJson(file, 'RunResult');
  const version = String(record.formatVersion);
  if (version.split('.')[0] !== READABLE_MAJOR) {
    throw new InputError(
      `${file}: format version ${version} cannot be read here, only ${READABLE_MAJOR}.x; use a matching Wavetank`,
    );
  }
  if (!Array.isArray(record.policies) || record.policies.length === 0) {
    throw new InputError(`${file}: the record holds no policies: it is cut off, or was not written by Wavetank`);
  }
  return record as unknown as RunResult;
}
