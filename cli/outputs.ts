/**
 * `-o format` prints to standard output, `-o format=file` writes a file; several at once. At most one may go to standard
 * output, and when one does, nothing else is printed there. Without any for standard output a command prints its default
 * (a table for humans), unless --quiet asks for silence.
 */
import { didYouMean } from '../scenarios/problems.js';
import type { Context } from './context.js';
import { InputError } from './exit-codes.js';
import { writeFileAtomically } from './write-file.js';

export interface Output<Format extends string> {
  readonly format: Format;
  /** Null: standard output. */
  readonly file: string | null;
}

/** How to make each format; asked only for the formats that are wanted, so that nobody loads a chart for a table. */
export type Renderers<Format extends string> = Readonly<Record<Format, () => string | Promise<string>>>;

export function parseOutputs<Format extends string>(
  values: readonly string[],
  formats: readonly Format[],
  fallback: Format,
  quiet: boolean,
): readonly Output<Format>[] {
  const outputs = values.map((value) => parseOutput(value, formats));
  const printed = outputs.filter((output) => output.file === null);
  if (printed.length > 1) {
    const names = printed.map((output) => `-o ${output.format}`).join(' and ');
    throw new InputError(
      `only one format can go to standard output: give ${names} files, as in -o ${printed[0]!.format}=FILE`,
    );
  }
  return printed.length === 0 && !quiet ? [{ format: fallback, file: null }, ...outputs] : outputs;
}

function parseOutput<Format extends string>(value: string, formats: readonly Format[]): Output<Format> {
  const split = value.indexOf('=');
  const name = split < 0 ? value : value.slice(0, split);
  const file = split < 0 ? null : value.slice(split + 1);
  const format = formats.find((known) => known === name);
  if (format === undefined) {
    const hint = didYouMean(name, formats) ?? `formats are ${formats.join(', ')}`;
    throw new InputError(`-o ${value}: unknown format "${name}"; ${hint}`);
  }
  if (file === '') throw new InputError(`-o ${value}: the file name is missing after "="`);
  return { format, file };
}

/** Files first: what is printed last stays on the screen. */
export async function writeOutputs<Format extends string>(
  outputs: readonly Output<Format>[],
  renderers: Renderers<Format>,
  context: Context,
): Promise<void> {
  for (const { format, file } of outputs) {
    if (file !== null) writeFileAtomically(file, withLineEnd(await renderers[format]()));
  }
  for (const { format, file } of outputs) {
    if (file === null) context.print(withLineEnd(await renderers[format]()));
  }
  for (const { format, file } of outputs) {
    if (file !== null) context.say(`${format}: ${file}`);
  }
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
