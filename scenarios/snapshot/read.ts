/**
 * Reads a Snapshot, or the StepInput of a dump: text in; a whole record with notices, or every problem at once with its
 * place. JSON that is right is not read a second time for places: dumps are large.
 */
import type { Memory, Snapshot, StepInput } from '../../engine/types.js';
import { didYouMean, type Problem } from '../problems.js';
import { asList, asRecord } from '../raw.js';
import { schemaProblems } from '../schema-problems.js';
import { readSource, type Source } from '../source.js';
import { completeSnapshot } from './complete.js';
import {
  API_VERSION,
  snapshotJsonSchema,
  snapshotSchema,
  stepInputJsonSchema,
  stepInputSchema,
  type StepInputFile,
} from './schema.js';

export interface SnapshotInput {
  readonly kind: 'Snapshot' | 'StepInput';
  readonly nowMs: number;
  readonly snapshot: Snapshot;
  /** Null: a bare Snapshot has none, and neither has a StepInput that leaves it out. */
  readonly memory: Memory | null;
  /** As written; the engine's defaults hold for the rest. */
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly scope: StepInput['scope'];
  readonly notices: readonly string[];
}

export type SnapshotRead =
  | { readonly input: SnapshotInput }
  | { readonly problems: readonly Problem[] }
  /** A readable file of another kind: in a folder that is no mistake. */
  | { readonly otherKind: string; readonly problems: readonly Problem[] };

export const SNAPSHOT_KINDS = ['Snapshot', 'StepInput'] as const;

/** Pure: `fileName` only stands in messages. */
export function readSnapshot(text: string, fileName: string): SnapshotRead {
  const json = parseJson(text);
  const unread = json === undefined ? readSource(text, fileName) : null;
  if (unread !== null && (unread.source.value === null || unread.problems.length > 0)) {
    const expected = 'a Snapshot: apiVersion, kind, observedAtMs, nodes, workloads, pods';
    return { problems: unread.problems.map((one) => (one.code === 'WT0104' ? { ...one, expected } : one)) };
  }
  const value = unread?.source.value ?? json;
  const sourceOf = (): Source => unread?.source ?? readSource(text, fileName).source;

  const { kind, apiVersion } = asRecord(value);
  const wantsInput = kind === 'StepInput';
  if ((kind !== 'Snapshot' && kind !== 'StepInput') || apiVersion !== API_VERSION) {
    return { otherKind: String(kind), problems: identityProblems(sourceOf(), kind, apiVersion) };
  }
  const parsed = wantsInput ? stepInputSchema.safeParse(value) : snapshotSchema.safeParse(value);
  if (!parsed.success) {
    const schema = wantsInput ? stepInputJsonSchema() : snapshotJsonSchema();
    return { problems: inOrder(schemaProblems(sourceOf(), parsed.error.issues, schema)) };
  }
  const file = (wantsInput ? parsed.data : { snapshot: parsed.data, scope: 'all' }) as StepInputFile;
  const { snapshot, notices } = completeSnapshot(file.snapshot);
  return {
    input: {
      kind,
      nowMs: file.nowMs ?? snapshot.observedAtMs,
      snapshot,
      memory: (file.memory ?? null) as Memory | null,
      config: file.config ?? null,
      scope: file.scope,
      notices: [...unknownFields(wantsInput ? asRecord(value)['snapshot'] : value), ...notices],
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function identityProblems(source: Source, kind: unknown, apiVersion: unknown): Problem[] {
  const problems: Problem[] = [];
  if (apiVersion !== API_VERSION) {
    const message = apiVersion === undefined ? 'missing key "apiVersion"' : 'not a file of this version';
    problems.push(source.problem('WT0106', ['apiVersion'], { message, expected: API_VERSION }));
  }
  if (kind !== 'Snapshot' && kind !== 'StepInput') {
    const message = kind === undefined ? 'missing key "kind"' : 'not a kind of file that holds a snapshot';
    const hint = didYouMean(String(kind), SNAPSHOT_KINDS);
    problems.push(source.problem('WT0106', ['kind'], { message, expected: SNAPSHOT_KINDS.join(' or '), hint }));
  }
  return problems;
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : 1));
}

type Schema = Readonly<Record<string, unknown>>;

/** Objects of Kubernetes hold whatever it knows. */
const OPEN = new Set(['destinationRules', 'horizontalPodAutoscalers', 'scaledObjects', 'podDisruptionBudgets']);

/** One notice for each field that no place of its kind knows, however often it stands there. */
function unknownFields(snapshot: unknown): string[] {
  const found = new Map<string, string>();
  const visit = (value: unknown, schema: Schema, path: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, asRecord(schema['items']), `${path}[]`);
      return;
    }
    const properties = asRecord(schema['properties']);
    const known = Object.keys(properties);
    if (known.length === 0) return;
    for (const [key, inner] of Object.entries(asRecord(value))) {
      const here = path === '' ? key : `${path}.${key}`;
      if (Object.hasOwn(properties, key)) {
        if (!(path === '' && OPEN.has(key))) visit(inner, formOf(asRecord(properties[key])), here);
      } else if (!found.has(here)) {
        const hint = didYouMean(key, known);
        found.set(here, `unknown field ${here}: not looked at${hint === null ? '' : `; ${hint}`}`);
      }
    }
  };
  visit(snapshot, snapshotJsonSchema(), '');
  return [...found.values()];
}

/** The form of a value that may be null, when it is not. */
function formOf(schema: Schema): Schema {
  const forms = asList(schema['anyOf']).map(asRecord);
  return forms.find((form) => form['type'] !== 'null') ?? schema;
}
