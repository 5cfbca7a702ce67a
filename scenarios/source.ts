/**
 * A YAML or JSON file with the place of every key and value, so that any later check can point at the line it speaks
 * of. JSON is read by the same parser, being a part of YAML 1.2. Aliases are followed; merge keys ("<<") are not part of
 * YAML 1.2 and show up as an unknown key.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { Problem, ProblemCode } from './problems.js';

export type Path = readonly (string | number)[];

export interface ProblemDetail {
  readonly message: string;
  readonly expected?: string | null;
  readonly hint?: string | null;
  /** Points at the key of the last path segment instead of its value. */
  readonly atKey?: boolean;
}

export interface Source {
  readonly file: string;
  /** Plain data; null when the file could not be read at all. */
  readonly value: unknown;
  /** Place of a value (or key); of its nearest present ancestor where the path leads nowhere. 1-based. */
  readonly locate: (path: Path, atKey?: boolean) => { readonly line: number; readonly column: number };
  readonly problem: (code: ProblemCode, path: Path, detail: ProblemDetail) => Problem;
}

export function readSource(
  text: string,
  file: string,
): { readonly source: Source; readonly problems: readonly Problem[] } {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, uniqueKeys: true, version: '1.2', prettyErrors: false });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  const lines = text.split(/\r\n|\n|\r/);
  const source = makeSource(file, document, lineCounter, lines);

  const fileProblem = (
    code: ProblemCode,
    line: number,
    column: number,
    message: string,
    expected: string | null,
  ): Problem => ({
    code,
    file,
    line,
    column,
    path: '',
    message,
    value: null,
    expected,
    hint: null,
    excerpt: lines[line - 1] ?? null,
  });

  const odd = /[\0\uFFFD]/.exec(text);
  if (odd !== null) {
    const before = text.slice(0, odd.index).split('\n');
    const problem = fileProblem(
      'WT0101',
      before.length,
      before.at(-1)!.length + 1,
      'not UTF-8 text',
      'a text file in UTF-8',
    );
    return { source: { ...source, value: null }, problems: [{ ...problem, excerpt: null }] };
  }
  if (document === undefined || (document.contents === null && document.errors.length === 0)) {
    return {
      source,
      problems: [
        {
          ...fileProblem('WT0104', 1, 1, 'the file is empty', 'a scenario: apiVersion, kind, metadata, spec'),
          excerpt: null,
        },
      ],
    };
  }
  const problems = document.errors.map((error) => {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const duplicate = error.code === 'DUPLICATE_KEY';
    const message = duplicate
      ? `the key "${keyAt(text, error.pos[0])}" stands twice`
      : error.message.replace(/\s+/g, ' ');
    return fileProblem(duplicate ? 'WT0103' : 'WT0102', line, Math.max(1, col), message, null);
  });
  if (documents.length > 1) {
    const { line, col } = lineCounter.linePos(documents[1]!.range[0]);
    problems.push(fileProblem('WT0105', line, col, `${documents.length} documents in one file`, 'one document'));
  }
  if (problems.some((problem) => problem.code === 'WT0102')) return { source: { ...source, value: null }, problems };
  try {
    // Duplicate keys would make toJS throw nothing but keep the last; they are reported above, and one error is enough.
    return { source: { ...source, value: document.toJS() as unknown }, problems };
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
    return { source: { ...source, value: null }, problems: [...problems, fileProblem('WT0102', 1, 1, message, null)] };
  }
}

/** `spec.services[1].name`; keys that are not plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `["${part}"]`;
  }
  return text;
}

/** For a reader of its own: `document` is one of several of the text that `lineCounter` has counted. */
export function makeSource(
  file: string,
  document: Document | undefined,
  lineCounter: LineCounter,
  lines: readonly string[],
): Source {
  const locate = (path: Path, atKey = false): { line: number; column: number } => {
    const offset = document === undefined ? 0 : offsetOf(document, path, atKey);
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    file,
    value: null,
    locate,
    problem(code, path, detail) {
      const { line, column } = locate(path, detail.atKey);
      const node = document === undefined ? null : nodeAt(document, path);
      return {
        code,
        file,
        line,
        column,
        path: formatPath(path),
        message: detail.message,
        value: node === null || detail.atKey === true ? null : shortText(node.toJSON() as unknown),
        expected: detail.expected ?? null,
        hint: detail.hint ?? null,
        excerpt: lines[line - 1] ?? null,
      };
    },
  };
}

function offsetOf(document: Document, path: Path, atKey: boolean): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    const step = childOf(document, node, part);
    if (step === null) return offset;
    const wantsKey = (atKey && depth === path.length - 1) || step.value === null;
    offset = (wantsKey ? step.key?.range?.[0] : step.value?.range?.[0]) ?? offset;
    node = step.value;
  }
  return offset;
}

function nodeAt(document: Document, path: Path): Node | null {
  let node: Node | null = document.contents;
  for (const part of path) {
    const step = childOf(document, node, part);
    if (step === null) return null;
    node = step.value;
  }
  return node;
}

function childOf(
  document: Document,
  parent: Node | null,
  part: string | number,
): { key: Node | null; value: Node | null } | null {
  const node = isAlias(parent) ? (parent.resolve(document) ?? null) : parent;
  if (isSeq(node) && typeof part === 'number') {
    const value = node.items[part] as Node | undefined;
    return value === undefined ? null : { key: null, value };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === String(part));
  return pair === undefined ? null : { key: pair.key as Node, value: pair.value as Node | null };
}

/** One line of at most 60 characters, as JSON would write it but with NaN and infinities by name. */
function shortText(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function keyAt(text: string, offset: number): string {
  return (
    /^("[^"]*"|'[^']*'|[^:\n]*)/
      .exec(text.slice(offset))?.[0]
      .replace(/^["']|["']$/g, '')
      .trim() ?? ''
  );
}
