/**
 * Kubernetes objects from the texts in which tools write them: streams of documents (helm, kustomize), Lists (kubectl),
 * lists of one kind whose items do not repeat it (the API itself), JSON or YAML. Each object keeps its place, so that all
 * that is said of it names the file, the document and the line. What is wrong is collected, never thrown: a dump is
 * mended once, not once for each mistake.
 */
import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import type { Problem, ProblemCode } from '../problems.js';
import { asList, asRecord, isObject } from '../raw.js';
import { formatPath, makeSource, type Path, type ProblemDetail, type Source } from '../source.js';

export type Raw = Readonly<Record<string, unknown>>;

export interface InputFile {
  /** As it shall stand in messages. */
  readonly name: string;
  readonly text: string;
}

export interface KubeObject {
  readonly kind: string;
  readonly name: string;
  /** "default" where none is written, as kubectl takes it. */
  readonly namespace: string;
  readonly value: Raw;
  /** `Deployment shop/cart (cluster.yaml:15)`. */
  readonly where: string;
  readonly problem: (code: ProblemCode, path: Path, detail: ProblemDetail) => Problem;
}

export interface ReadObjects {
  readonly objects: readonly KubeObject[];
  /** Objects that stand twice with the same content: counted, and read once. */
  readonly repeated: readonly KubeObject[];
  readonly problems: readonly Problem[];
}

export function readObjects(files: readonly InputFile[]): ReadObjects {
  const problems: Problem[] = [];
  const objects: KubeObject[] = [];
  const repeated: KubeObject[] = [];
  const byKey = new Map<string, KubeObject>();
  for (const object of files.flatMap((file) => readFile(file, problems))) {
    const group = String(object.value['apiVersion']).split('/').slice(0, -1).join('/');
    const key = [group, object.kind, object.namespace, object.name].join('\n');
    const before = byKey.get(key);
    if (before === undefined) {
      byKey.set(key, object);
      objects.push(object);
    } else if (content(before) === content(object)) repeated.push(object);
    else
      problems.push(
        object.problem('WT0602', ['metadata', 'name'], {
          message: `stands already, with other content: ${before.where}`,
          hint: 'leave one of the two out',
        }),
      );
  }
  return { objects, repeated, problems };
}

function readFile({ name, text }: InputFile, problems: Problem[]): KubeObject[] {
  const lines = text.split(/\r\n|\n|\r/);
  const lineCounter = new LineCounter();
  const sourceOf = (document?: Document): Source => makeSource(name, document, lineCounter, lines);
  const odd = /[\0\uFFFD]/.exec(text);
  if (odd !== null) {
    const line = text.slice(0, odd.index).split('\n').length;
    const problem = sourceOf().problem('WT0101', [], { message: 'not UTF-8 text', expected: 'a text file in UTF-8' });
    problems.push({ ...problem, line, excerpt: null });
    return [];
  }
  const parsed = parseAllDocuments(text, {
    lineCounter,
    uniqueKeys: true,
    merge: true,
    version: '1.2',
    prettyErrors: false,
  });
  const documents = Array.isArray(parsed) ? (parsed as Document[]) : [];
  return documents.flatMap((document, index) => {
    const source = sourceOf(document);
    const label = documents.length > 1 ? `document ${index + 1}` : '';
    const broken = document.errors.map((error): Problem => {
      const { line, col } = lineCounter.linePos(error.pos[0]);
      const isTemplate = text.includes('{{');
      return {
        ...source.problem(error.code === 'DUPLICATE_KEY' ? 'WT0103' : 'WT0102', [], {
          message: error.message.replace(/\s+/g, ' '),
          hint: isTemplate ? 'is it a Helm template? "helm template" fills it in' : null,
        }),
        ...{ line, column: Math.max(1, col), path: label, value: null, excerpt: lines[line - 1] ?? null },
      };
    });
    problems.push(...broken);
    if (broken.length > 0) return [];
    try {
      const value = document.toJS() as unknown;
      return value === null ? [] : objectsOf(value, [], label, source, problems);
    } catch (error) {
      problems.push({
        ...source.problem('WT0102', [], { message: error instanceof Error ? error.message : String(error) }),
        path: label,
      });
      return [];
    }
  });
}

/** A List may hold Lists; an item of a list of one kind need not say its kind. */
function objectsOf(
  value: unknown,
  path: Path,
  label: string,
  source: Source,
  problems: Problem[],
  inherited: Raw = {},
): KubeObject[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => objectsOf(item, [...path, index], label, source, problems));
  const raw = { ...inherited, ...asRecord(value) };
  const kind = raw['kind'];
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(raw['items'])) {
    const one = kind === 'List' ? {} : { apiVersion: raw['apiVersion'], kind: kind.slice(0, -'List'.length) };
    return asList(raw['items']).flatMap((item, index) =>
      objectsOf(item, [...path, 'items', index], label, source, problems, one),
    );
  }
  const problem = problemMaker(raw, path, label, source);
  const metadata = asRecord(raw['metadata']);
  const named = typeof metadata['name'] === 'string' && metadata['name'] !== '';
  const missing = [
    ...['apiVersion', 'kind'].filter((key) => typeof raw[key] !== 'string' || raw[key] === ''),
    ...(named ? [] : ['metadata.name']),
  ];
  if (!isObject(value) || missing.length > 0) {
    const message = isObject(value)
      ? `no Kubernetes object: it has no ${missing.join(', no ')}`
      : 'no Kubernetes object';
    problems.push(problem('WT0601', [], { message, expected: 'apiVersion, kind and metadata.name' }));
    return [];
  }
  const name = String(metadata['name']);
  if (/[^\x21-\x7e]/.test(name) || /[^\w.-]/.test(String(kind))) {
    problems.push(problem('WT0208', ['metadata', 'name'], { message: 'not the name of a Kubernetes object' }));
    return [];
  }
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default';
  const spoken = metadata['namespace'] === undefined ? name : `${namespace}/${name}`;
  const { line } = source.locate(path);
  const where = `${String(kind)} ${spoken} (${source.file}:${line})`;
  return [{ kind: String(kind), name, namespace, value: raw, where, problem }];
}

/** `cluster.yaml:15:3: document 2, Deployment cart, spec.replicas: ...`. */
function problemMaker(raw: Raw, path: Path, label: string, source: Source): KubeObject['problem'] {
  const { kind, metadata } = raw;
  const name = asRecord(metadata)['name'];
  const spoken = typeof kind === 'string' ? `${kind} ${typeof name === 'string' ? name : ''}`.trim() : '';
  return (code, inside, detail) => {
    const found = source.problem(code, [...path, ...inside], detail);
    const words = [label, spoken === '' ? formatPath(path) : spoken, formatPath(inside)];
    return { ...found, path: words.filter((word) => word !== '').join(', ') };
  };
}

/** What the owner wrote; what the cluster counts up meanwhile is no difference. */
function content({ value }: KubeObject): string {
  const { status: _status, metadata, ...rest } = value;
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...kept } = asRecord(metadata);
  return JSON.stringify({ ...rest, metadata: kept });
}
