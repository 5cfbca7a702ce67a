/** Writes an output file: whole or not at all (see traces/records.ts); a target that cannot be written is wrong input. */
import { writeTextFile } from '../traces/records.js';
import { InputError } from './exit-codes.js';

export function writeFileAtomically(path: string, content: string): void {
  try {
    writeTextFile(path, content);
  } catch (error) {
    throw new InputError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
