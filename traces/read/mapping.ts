/**
 * The mapping file: which files of a folder hold which role, in which unit, under which names. It is written by the user,
 * so every mistake is reported with file:line:col, all at once, and unknown keys are mistakes. Nothing is defaulted
 * silently except what stands in the schema below.
 */
import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { parseDurationMs } from './timestamps.js';
import { unitFactor, unitNames } from './units.js';

const duration = z
  .string()
  .refine((text) => parseDurationMs(text) !== null, { error: 'expected a duration such as 60s, 5m or 2h' });

const regularExpression = z.string().refine(isRegularExpression, { error: 'expected a regular expression' });

/** A name taken from a column (or label, or header row); `pattern` keeps its first group, `rename` maps what is left. */
const name = z.strictObject({
  column: z.string(),
  pattern: regularExpression.optional(),
});

const time = z.strictObject({
  column: z.string(),
  format: z.enum(['unix-s', 'unix-ms', 'unix-us', 'unix-ns', 'iso', 'go']),
});

const value = z
  .strictObject({
    /** Long form: the column that holds the value. */
    column: z.string().optional(),
    /** Wide form: header rows and the text (or regular expression with groups `source`, `service`) each must match. */
    where: z.record(z.string(), regularExpression).optional(),
    role: z.enum(['requestRate', 'callCount', 'latency', 'cpu', 'cpuPercentOfLimit', 'memory']),
    unit: z.string(),
    quantile: z.union([z.number().gt(0).lt(1), z.literal('mean')]).optional(),
    reportedBy: z.enum(['destination', 'source']).default('destination'),
    buckets: z.enum(['envoy', 'none']).default('none'),
  })
  .superRefine((entry, context) => {
    if (unitFactor(entry.role, entry.unit) === undefined) {
      const message = `unknown unit for ${entry.role}; known: ${unitNames(entry.role).join(', ')}`;
      context.addIssue({ code: 'custom', path: ['unit'], message });
    }
    if (entry.role === 'latency' && entry.quantile === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['quantile'],
        message: 'a latency needs a quantile (0.5, 0.9, ... or mean)',
      });
    }
    if (entry.role !== 'latency' && entry.quantile !== undefined) {
      context.addIssue({ code: 'custom', path: ['quantile'], message: 'only a latency has a quantile' });
    }
  });

const seriesFile = z.strictObject({
  match: z.string(),
  format: z.enum(['csv', 'prometheus']),
  headerRows: z.array(z.string()).min(1).default(['column']),
  skipRowsAfterHeader: z.int().min(0).default(0),
  /** Not needed for Prometheus, whose samples carry unix seconds. */
  time: time.optional(),
  service: name.optional(),
  source: name.optional(),
  /** The caller's name that stands for callers outside the mesh: such rows count for the service as a whole. */
  outside: z.string().optional(),
  values: z.array(value).min(1),
});

const spansFile = z.strictObject({
  match: z.string(),
  traceId: z.string(),
  spanId: z.string(),
  parentId: z.string(),
  /** What stands in the parent column of a first span. */
  noParent: z.string(),
  service: name,
  operation: z.string(),
  start: time,
  duration: z.strictObject({ column: z.string(), unit: z.enum(['s', 'ms', 'us', 'ns']) }),
});

const topologyFile = z.strictObject({
  match: z.string(),
  /** `edges`: two columns name caller and callee; `matrix`: row names the caller, column the callee, 1 where it calls. */
  shape: z.enum(['edges', 'matrix']),
  source: z.string().optional(),
  target: z.string().optional(),
  /** Rows whose caller or callee matches are no calls (pods to nodes, say). */
  ignore: regularExpression.optional(),
});

const faultsFile = z.strictObject({
  match: z.string(),
  /** Every object in the JSON file that has these fields is a fault, however deep. */
  time: time,
  service: name,
  kind: z.string(),
  /** How long before and after the given time nothing is to be learned. */
  before: duration,
  after: duration,
});

const part = z.strictObject({ from: duration, to: duration });

export const mappingSchema = z.strictObject({
  apiVersion: z.literal('wavetank/v1alpha1'),
  kind: z.literal('TraceMapping'),
  name: z.string(),
  why: z.string(),
  /** A folder is of this kind when each of these patterns matches a file in it. */
  detect: z.array(z.string()).min(1),
  step: duration,
  entry: z.string(),
  /** Names that differ from file to file: recorded name -> the name to use. */
  rename: z.record(z.string(), z.string()).default({}),
  series: z.array(seriesFile).min(1),
  spans: z.array(spansFile).default([]),
  topology: z.array(topologyFile).default([]),
  faults: z.array(faultsFile).default([]),
  /** Calls whose answer the caller does not wait for. */
  asynchronous: z.array(z.strictObject({ source: z.string(), target: z.string() })).default([]),
  /** Times from the start of the recording. */
  split: z.strictObject({ learn: part, replay: part }).optional(),
});

export type Mapping = z.infer<typeof mappingSchema>;
export type SeriesFile = z.infer<typeof seriesFile>;
export type SeriesValue = z.infer<typeof value>;
export type SpansFile = z.infer<typeof spansFile>;
export type TopologyFile = z.infer<typeof topologyFile>;
export type FaultsFile = z.infer<typeof faultsFile>;
export type NameRule = z.infer<typeof name>;

/** Input that cannot be read; `problems` hold one line each, with file:line:col where a place is known. */
export class TraceInputError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'TraceInputError';
  }
}

/** The mapping in a YAML (or JSON) text. Throws a TraceInputError that names every problem. */
export function parseMapping(text: string, file: string): Mapping {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new TraceInputError(
      document.errors.map((error) => `${file}:${place(lines, error.pos[0])}: ${error.message.split('\n')[0]}`),
    );
  }
  const parsed = mappingSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw new TraceInputError(
    parsed.error.issues.map((issue) => {
      const at = place(lines, offsetOf(document, issue.path));
      return `${file}:${at}: ${issue.path.join('.') || '(top)'}: ${issue.message}`;
    }),
  );
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

/** Where the value stands, or else the innermost thing around it that is written in the file. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
