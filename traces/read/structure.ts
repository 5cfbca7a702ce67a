/**
 * Reads what is not a time series: spans, the call graph, the list of injected faults. Pure, and as strict in counting
 * as the rest: a span without a readable time or with an end before its start is dropped with its line number.
 */
import type { FaultWindow, RecordedSpan } from '../recording.js';
import type { FaultsFile, SpansFile, TopologyFile } from './mapping.js';
import { TraceInputError } from './mapping.js';
import type { ReadCounter } from './read-counter.js';
import { applyName } from './series.js';
import { parseTable, type Table } from './table.js';
import { parseDurationMs, parseTimestamp } from './timestamps.js';
import { unitFactor } from './units.js';

export function readSpans(text: string, file: string, rules: SpansFile, counter: ReadCounter): RecordedSpan[] {
  const table = parseTable(text, ['column'], 0, counter);
  const at = columnFinder(table, file);
  const columns = {
    trace: at(rules.traceId),
    span: at(rules.spanId),
    parent: at(rules.parentId),
    service: at(rules.service.column),
    operation: at(rules.operation),
    start: at(rules.start.column),
    duration: at(rules.duration.column),
  };
  const factor = unitFactor('latency', rules.duration.unit) as number;
  const seen = new Set<string>();
  const spans: RecordedSpan[] = [];
  for (const { line, cells } of table.rows) {
    counter.read();
    const cell = (column: number): string => cells[column] as string;
    const service = applyName(rules.service, cell(columns.service));
    const startMs = parseTimestamp(cell(columns.start), rules.start.format);
    const durationMs = cell(columns.duration) === '' ? Number.NaN : Number(cell(columns.duration)) * factor;
    const spanId = cell(columns.span);
    if (service === null) counter.drop('no service name where the mapping looks for it', line);
    else if (startMs === null) counter.drop(`time is not in the form ${rules.start.format}`, line);
    else if (!(durationMs >= 0 && Number.isFinite(durationMs)))
      counter.drop('duration is not a number from 0 up', line);
    else if (seen.has(spanId)) counter.drop('span id seen before', line);
    else {
      seen.add(spanId);
      const parent = cell(columns.parent);
      const parentId = parent === rules.noParent ? null : parent;
      spans.push({
        traceId: cell(columns.trace),
        spanId,
        parentId,
        service,
        operation: cell(columns.operation),
        startMs,
        durationMs,
      });
    }
  }
  const orphans = spans.filter((span) => span.parentId !== null && !seen.has(span.parentId)).length;
  if (orphans > 0) counter.note(`${orphans} spans name a parent that is not in the file`);
  return spans;
}

export function readTopology(
  text: string,
  file: string,
  rules: TopologyFile,
  counter: ReadCounter,
): { source: string; target: string }[] {
  const table = parseTable(text, ['column'], 0, counter);
  const ignore = rules.ignore === undefined ? null : new RegExp(rules.ignore);
  const edges: { source: string; target: string }[] = [];
  const add = (source: string, target: string, line: number): void => {
    counter.read();
    if (ignore?.test(source) || ignore?.test(target)) counter.drop('no call: ignored by the mapping', line);
    else edges.push({ source, target });
  };
  if (rules.shape === 'edges') {
    const at = columnFinder(table, file);
    const [source, target] = [at(rules.source ?? 'source'), at(rules.target ?? 'target')];
    for (const row of table.rows) add(row.cells[source] as string, row.cells[target] as string, row.line);
    return edges;
  }
  for (const row of table.rows) {
    for (const column of table.columns.slice(1)) {
      const cell = row.cells[column.index] as string;
      if (Number(cell) === 1) add(row.cells[0] as string, column.names['column'] as string, row.line);
      else if (cell === '' || Number(cell) !== 0) {
        counter.read();
        counter.drop('matrix cell is neither 0 nor 1', row.line);
      }
    }
  }
  return edges;
}

/** Every object in the JSON text that carries the time and service fields, at whatever depth, in file order. */
export function readFaults(text: string, rules: FaultsFile, counter: ReadCounter): FaultWindow[] {
  const faults: FaultWindow[] = [];
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    const fields = value as Record<string, unknown>;
    if (!(rules.time.column in fields)) return Object.values(fields).forEach(visit);
    counter.read();
    const position = counter.report().rowsRead;
    const timeMs = parseTimestamp(String(fields[rules.time.column]), rules.time.format);
    const named = fields[rules.service.column];
    const service = applyName(rules.service, typeof named === 'string' ? named : undefined);
    if (timeMs === null) counter.drop(`time is not in the form ${rules.time.format}`, position);
    else if (service === null) counter.drop('no service name where the mapping looks for it', position);
    else {
      const fromMs = timeMs - (parseDurationMs(rules.before) as number);
      const toMs = timeMs + (parseDurationMs(rules.after) as number);
      faults.push({ service, kind: String(fields[rules.kind]), fromMs, toMs });
    }
  };
  visit(JSON.parse(text));
  return faults;
}

function columnFinder(table: Table, file: string): (name: string) => number {
  return (name) => {
    const found = table.columns.find((column) => column.names['column'] === name);
    if (found) return found.index;
    const known = table.columns.map((column) => column.names['column']).slice(0, 20);
    throw new TraceInputError([`${file}:1: no column "${name}"; the file has ${known.join(', ')}`]);
  };
}
