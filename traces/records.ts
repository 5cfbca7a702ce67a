/**
 * Run records on disk. Writing is atomic: the text goes to a file beside the target, is flushed, and takes the target's
 * name in one step, so that a reader never sees half a record and a crash leaves the old one. Reading refuses a record of
 * another major format version: its fields may mean something else.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RunResult } from './run-result.js';

/** The major version this code reads; a higher minor only adds fields. */
const knownMajor = 1;

/** A record that cannot be used; the message names the file and what is wrong with it. */
export class RecordError extends Error {
  constructor(file: string, problem: string) {
    super(`${file}: ${problem}`);
    this.name = 'RecordError';
  }
}

/** Writes a value as JSON with a final newline. */
export function writeJsonFile(file: string, value: unknown): void {
  const text = JSON.stringify(value, null, 1);
  if (text === undefined) throw new RecordError(file, 'the value has no JSON form');
  writeTextFile(file, `${text}\n`);
}

/** Writes a text atomically. Folders on the way are made; what cannot be written leaves nothing behind and throws. */
export function writeTextFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  // In the same folder: a rename across file systems is not atomic.
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  try {
    const handle = openSync(beside, 'w');
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Reads a run record back. Throws a RecordError when it is no such record or of an unknown major version. */
export function readRunResult(file: string): RunResult {
  const parsed = parseJson(file);
  if (typeof parsed !== 'object' || parsed === null) throw new RecordError(file, 'expected a JSON object');
  const record = parsed as Partial<RunResult>;
  if (record.kind !== 'RunResult')
    throw new RecordError(file, `kind is ${JSON.stringify(record.kind)}, expected "RunResult"`);
  const version = /^(\d+)\.(\d+)$/.exec(String(record.formatVersion));
  if (version === null)
    throw new RecordError(file, `formatVersion is ${JSON.stringify(record.formatVersion)}, expected "1.0"`);
  if (Number(version[1]) !== knownMajor) {
    throw new RecordError(file, `formatVersion ${record.formatVersion} is not readable here: only ${knownMajor}.x is`);
  }
  return parsed as RunResult;
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new RecordError(file, (error as Error).message);
  }
}
