/**
 * From the text of one metrics file and its part of the mapping to samples: which series each cell belongs to, in
 * canonical units. Three shapes: long (names in columns), wide (names in the header), Prometheus (names in labels).
 * Cells that are empty, NaN or no number are counted under the role they were meant for. Pure.
 */
import type { ReadReport } from '../recording.js';
import type { TimedValue } from './grid.js';
import type { NameRule, SeriesFile, SeriesValue } from './mapping.js';
import { TraceInputError } from './mapping.js';
import { parsePrometheus, parseValue } from './prometheus.js';
import { ReadCounter } from './read-counter.js';
import { parseTable, type Table, type TableColumn } from './table.js';
import { parseTimestamp } from './timestamps.js';
import { unitFactor } from './units.js';

/** All samples of one series in one file, and who counts what becomes of them. */
export interface SampleSet {
  readonly rule: SeriesValue;
  readonly service: string;
  readonly source: string | null;
  readonly samples: TimedValue[];
  readonly counter: ReadCounter;
}

export interface SeriesFileContent {
  readonly sets: readonly SampleSet[];
  /** One a rule; asked for after gridding, which counts too. */
  readonly reports: () => ReadReport[];
}

export function readSeriesFile(
  text: string,
  file: string,
  rules: SeriesFile,
  rename: Readonly<Record<string, string>>,
): SeriesFileContent {
  const collector = new Collector(rename, rules.outside);
  const counters = rules.values.map((rule) => {
    const counter = new ReadCounter(file, roleLabel(rule));
    if (rules.format === 'prometheus') collectPrometheus(text, rules, rule, counter, collector);
    else collectCsv(text, file, rules, rule, counter, collector);
    return counter;
  });
  return { sets: [...collector.sets.values()], reports: () => counters.map((counter) => counter.report()) };
}

/** "latency 0.5 at source", "cpu": how a role is called in reports. */
export function roleLabel(rule: SeriesValue): string {
  const reporter = rule.reportedBy === 'source' ? ' at source' : '';
  return rule.quantile === undefined ? rule.role : `${rule.role} ${rule.quantile}${reporter}`;
}

class Collector {
  readonly sets = new Map<string, SampleSet>();

  constructor(
    private readonly rename: Readonly<Record<string, string>>,
    private readonly outside: string | undefined,
  ) {}

  add(rule: SeriesValue, service: string, source: string | null, sample: TimedValue, counter: ReadCounter): void {
    const named = this.rename[service] ?? service;
    const caller = source === null || source === this.outside ? null : (this.rename[source] ?? source);
    const key = JSON.stringify([roleLabel(rule), named, caller]);
    let set = this.sets.get(key);
    if (set === undefined) {
      set = { rule, service: named, source: caller, samples: [], counter };
      this.sets.set(key, set);
    }
    const factor = unitFactor(rule.role, rule.unit) as number;
    set.samples.push({ ...sample, value: sample.value === null ? null : sample.value * factor });
  }
}

function collectPrometheus(
  text: string,
  rules: SeriesFile,
  rule: SeriesValue,
  counter: ReadCounter,
  into: Collector,
): void {
  for (const sample of parsePrometheus(text, counter)) {
    const service = rules.service === undefined ? null : applyName(rules.service, sample.labels[rules.service.column]);
    const source = rules.source === undefined ? null : applyName(rules.source, sample.labels[rules.source.column]);
    if (service === null || (rules.source !== undefined && source === null)) {
      counter.drop('label for the service or its caller is missing', sample.line);
    } else into.add(rule, service, source, sample, counter);
  }
}

function collectCsv(
  text: string,
  file: string,
  rules: SeriesFile,
  rule: SeriesValue,
  counter: ReadCounter,
  into: Collector,
): void {
  const table = parseTable(text, rules.headerRows, rules.skipRowsAfterHeader, counter);
  if (rules.time === undefined)
    throw new TraceInputError([`${file}: the mapping names no time column for this CSV file`]);
  const timeColumn = columnNamed(table, rules.time.column, file);
  const targets =
    rule.column === undefined ? wideColumns(table, rule, timeColumn) : [columnNamed(table, rule.column, file)];
  if (targets.length === 0) throw new TraceInputError([`${file}: no column matches ${JSON.stringify(rule.where)}`]);
  const serviceColumn =
    rules.service && rule.column !== undefined ? columnNamed(table, rules.service.column, file) : null;
  const sourceColumn = rules.source && rule.column !== undefined ? columnNamed(table, rules.source.column, file) : null;
  const names = targets.map((target) => wideNames(target, rule));
  for (const row of table.rows) {
    const timeMs = parseTimestamp(row.cells[timeColumn.index] as string, rules.time.format);
    targets.forEach((target, position) => {
      counter.read();
      if (timeMs === null) return counter.drop(`time is not in the form ${rules.time?.format}`, row.line);
      const service = serviceColumn
        ? applyName(rules.service as NameRule, row.cells[serviceColumn.index])
        : (names[position]?.service ?? null);
      const source = sourceColumn
        ? applyName(rules.source as NameRule, row.cells[sourceColumn.index])
        : (names[position]?.source ?? null);
      if (service === null || (sourceColumn !== null && source === null)) {
        return counter.drop('no service name where the mapping looks for it', row.line);
      }
      const cell = (row.cells[target.index] as string).trim();
      const value = cell === '' ? null : parseValue(cell);
      if (value === undefined) return counter.drop('value is not a number', row.line);
      if (value === null) counter.drop(cell === '' ? 'empty cell' : 'NaN or infinite value', row.line);
      into.add(rule, service, source, { timeMs, value, line: row.line }, counter);
    });
  }
}

function columnNamed(table: Table, name: string, file: string): TableColumn {
  const found = table.columns.find((column) => Object.values(column.names)[0] === name);
  if (found) return found;
  const known = table.columns.map((column) => Object.values(column.names)[0]).slice(0, 20);
  throw new TraceInputError([`${file}:1: no column "${name}"; the file has ${known.join(', ')}`]);
}

/** The columns whose header cells all match the rule's patterns. */
function wideColumns(table: Table, rule: SeriesValue, timeColumn: TableColumn): TableColumn[] {
  const patterns = Object.entries(rule.where ?? {}).map(([row, pattern]) => [row, new RegExp(pattern)] as const);
  return table.columns.filter(
    (column) => column !== timeColumn && patterns.every(([row, pattern]) => pattern.test(column.names[row] ?? '')),
  );
}

/** Service and caller out of a wide column's header: from groups in the patterns, else the header row `service`. */
function wideNames(column: TableColumn, rule: SeriesValue): { service: string | null; source: string | null } {
  const groups: Record<string, string> = {};
  for (const [row, pattern] of Object.entries(rule.where ?? {})) {
    Object.assign(groups, new RegExp(pattern).exec(column.names[row] ?? '')?.groups);
  }
  return { service: groups['service'] ?? column.names['service'] ?? null, source: groups['source'] ?? null };
}

/** The name in a cell: the pattern's first group, or the cell itself; null where it is missing or does not match. */
export function applyName(rule: NameRule, cell: string | undefined): string | null {
  if (cell === undefined || cell === '') return null;
  if (rule.pattern === undefined) return cell;
  return new RegExp(rule.pattern).exec(cell)?.[1] ?? null;
}
