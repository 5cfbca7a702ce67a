/**
 * `--set path=value`: changes a scenario before it is read. The change is made in the text, so that whatever is wrong
 * afterwards is reported like any other mistake, and so that every other value keeps its line: the value (or, for a new
 * key, the nearest thing that holds it) is replaced by one line of JSON and as many line ends as it had.
 *
 * A path is keys joined by dots, `spec.` may be left out. An item of a list is named by its position, `services[0]`, or
 * by its name, `services.frontend`. Keys that hold dots or slashes are put in brackets with quotes: `["eu-1/a"]`.
 */
import { isMap, isScalar, isSeq, parse, parseDocument, type Document, type Node } from 'yaml';
import { InputError } from './exit-codes.js';

export interface Override {
  readonly path: string;
  readonly value: string;
}

type Key = string | number;

const TOP_KEYS = new Set(['apiVersion', 'kind', 'metadata', 'spec']);

export function parseOverride(text: string, option = '--set'): Override {
  const split = findEquals(text);
  if (split <= 0) throw new InputError(`${option} ${text}: expected path=value, as in run.duration=5m`);
  return { path: text.slice(0, split), value: text.slice(split + 1) };
}

/** The first `=` outside of brackets: a quoted key may hold one. */
function findEquals(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']') depth--;
    else if (text[i] === '=' && depth === 0) return i;
  }
  return -1;
}

/** The text with all overrides made, in order. Text that is no YAML at all is left for the loader to complain about. */
export function applyOverrides(text: string, overrides: readonly Override[]): string {
  return overrides.reduce(applyOne, text);
}

function applyOne(text: string, { path, value }: Override): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  const keys = resolvePath(document, fromSpec(splitPath(path)));
  let holder = keys.length;
  while (holder > 0 && !hasRange(document.getIn(keys.slice(0, holder), true))) holder--;
  document.setIn(keys, readValue(path, value));
  const before = parseDocument(text).getIn(keys.slice(0, holder), true) as Node;
  const after = document.getIn(keys.slice(0, holder), true);
  const plain = isMap(after) || isSeq(after) || isScalar(after) ? (after.toJS(document) as unknown) : after;
  const [start, end] = before.range!;
  const lineEnds = '\n'.repeat(text.slice(start, end).split('\n').length - 1);
  return text.slice(0, start) + JSON.stringify(plain) + lineEnds + text.slice(end);
}

function hasRange(node: unknown): boolean {
  return (isMap(node) || isSeq(node) || isScalar(node)) && node.range !== undefined && node.range !== null;
}

export function readValue(path: string, value: string): unknown {
  try {
    return parse(value) as unknown;
  } catch (error) {
    throw new InputError(`--set ${path}: the value ${JSON.stringify(value)} is not YAML: ${(error as Error).message}`);
  }
}

/** The keys of a path, brackets and quotes taken off. */
export function splitPath(path: string): Key[] {
  const keys: Key[] = [];
  let rest = path;
  while (rest !== '') {
    const match = /^\[(\d+)\]|^\[(["'])(.*?)\2\]|^\.?([^.[\]]+)/.exec(rest);
    if (!match) throw new InputError(`--set ${path}: cannot read the path at "${rest}"`);
    keys.push(match[1] !== undefined ? Number(match[1]) : (match[3] ?? match[4]!));
    rest = rest.slice(match[0].length);
  }
  return keys;
}

function fromSpec(keys: Key[]): Key[] {
  return TOP_KEYS.has(String(keys[0])) ? keys : ['spec', ...keys];
}

/** Turns names of list items into their positions. */
function resolvePath(document: Document, path: readonly Key[]): Key[] {
  const resolved: Key[] = [];
  for (const key of path) {
    const holder = document.getIn(resolved, true);
    resolved.push(isSeq(holder) && typeof key === 'string' ? positionOf(holder.items, key, path) : key);
  }
  return resolved;
}

function positionOf(items: readonly unknown[], name: string, path: readonly Key[]): number {
  const position = items.findIndex((item) => isMap(item) && item.get('name') === name);
  if (position >= 0) return position;
  const names = items.flatMap((item) => (isMap(item) && item.has('name') ? [String(item.get('name'))] : []));
  const known =
    names.length > 0 ? `its items are named ${names.join(', ')}` : 'its items have no names: use [0], [1] ...';
  throw new InputError(`--set ${path.join('.')}: there is no item "${name}"; ${known}`);
}
