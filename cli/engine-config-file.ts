/** A YAML (or JSON) file of engine settings: a mapping, for `engine-settings.ts` to lay over others. */
import { parse } from 'yaml';
import { isFields, type Fields } from './engine-settings.js';
import { InputError } from './exit-codes.js';
import { readText } from './scenario-input.js';

export function readEngineSettings(file: string): Fields {
  let value: unknown;
  try {
    value = parse(readText(file));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: not YAML: ${(error as Error).message}`);
  }
  if (!isFields(value)) throw new InputError(`${file}: expected a mapping of engine settings`);
  return value;
}
