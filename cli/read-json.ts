/** Reads one of our JSON files and makes sure of its kind, so that a wrong file is named as such and not half understood. */
import type { Context } from './context.js';
import { InputError } from './exit-codes.js';
import { readText } from './scenario-input.js';

const API_VERSION = 'wavetank/v1alpha1';

export async function readJson(
  file: string,
  kinds: readonly string[],
  context: Context,
): Promise<Readonly<Record<string, unknown>>> {
  const source = file === '-' ? await context.readInput() : readText(file);
  const label = file === '-' ? 'standard input' : file;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new InputError(`${label}: not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${label}: expected a JSON object of kind ${kinds.join(' or ')}`);
  }
  const record = value as Readonly<Record<string, unknown>>;
  if (record.apiVersion !== API_VERSION || !kinds.includes(String(record.kind))) {
    const found = `${String(record.apiVersion)}, ${String(record.kind)}`;
    throw new InputError(`${label}: expected apiVersion ${API_VERSION} and kind ${kinds.join(' or ')}, found ${found}`);
  }
  return record;
}
