/**
 * Reads a folder of recorded files into a Recording, as a mapping says. The only place in this folder that touches the
 * disk. Files may be plain or .gz. A pattern that matches no file is an error: a role that silently stays empty would
 * only show much later, as a wrong model.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ReadReport, RecordedSeries, RecordedSpan, Recording } from '../recording.js';
import { gridOf, ontoGrid, type Grid } from './grid.js';
import { TraceInputError, parseMapping, type Mapping } from './mapping.js';
import { ReadCounter } from './read-counter.js';
import { readSeriesFile, type SampleSet } from './series.js';
import { readFaults, readSpans, readTopology } from './structure.js';
import { parseDurationMs } from './timestamps.js';
import { suspicionOf } from './units.js';

/** Reads and checks a mapping file. */
export function loadMapping(file: string): Mapping {
  return parseMapping(readFileSync(file, 'utf8'), file);
}

/** The recording in a folder. Throws a TraceInputError that names every file or column that is missing. */
export function readRecording(folder: string, mapping: Mapping): Recording {
  const files = listFiles(folder);
  const problems: string[] = [];
  const matching = (pattern: string): string[] => {
    const found = files.filter((file) => globToRegExp(pattern).test(file));
    if (found.length === 0) problems.push(`${folder}: no file matches "${pattern}" of the mapping ${mapping.name}`);
    return found;
  };
  const text = (file: string): string => readText(join(folder, file));
  const rename = (service: string): string => mapping.rename[service] ?? service;
  const reports: ReadReport[] = [];
  const counted = <T>(file: string, role: string, read: (counter: ReadCounter) => T): T => {
    const counter = new ReadCounter(file, role);
    const result = read(counter);
    reports.push(counter.report());
    return result;
  };

  const contents = mapping.series.flatMap((rules) =>
    matching(rules.match).map((file) => readSeriesFile(text(file), file, rules, mapping.rename)),
  );
  const spans = mapping.spans.flatMap((rules) =>
    matching(rules.match).flatMap((file) =>
      counted(file, 'spans', (counter) => readSpans(text(file), file, rules, counter)).map((span) => ({
        ...span,
        service: rename(span.service),
      })),
    ),
  );
  const edges = mapping.topology.flatMap((rules) =>
    matching(rules.match).flatMap((file) =>
      counted(file, 'topology', (counter) => readTopology(text(file), file, rules, counter)).map((edge) => ({
        source: rename(edge.source),
        target: rename(edge.target),
      })),
    ),
  );
  const faults = mapping.faults.flatMap((rules) =>
    matching(rules.match).flatMap((file) =>
      counted(file, 'faults', (counter) => readFaults(text(file), rules, counter)),
    ),
  );
  if (problems.length > 0) throw new TraceInputError(problems);

  const sets = contents.flatMap((content) => content.sets);
  const grid = gridOf(rateTimes(sets), parseDurationMs(mapping.step) as number);
  if (grid === null) throw new TraceInputError([`${folder}: no row has a readable time`]);
  const series = mergeSeries(sets.map((set) => toSeries(set, grid)));
  reports.unshift(...contents.flatMap((content) => content.reports()));
  const allEdges = edges.length > 0 ? edges : edgesOf(series);
  const services = serviceNames(series, spans, allEdges);
  if (!services.includes(mapping.entry)) {
    throw new TraceInputError([
      `${folder}: the entry "${mapping.entry}" is not among the services read: ${services.join(', ')}`,
    ]);
  }
  return {
    name: mapping.name,
    ...grid,
    entry: mapping.entry,
    services,
    edges: allEdges,
    asynchronous: mapping.asynchronous,
    series,
    spans,
    faults: faults.map((fault) => ({ ...fault, service: rename(fault.service) })),
    split: splitOf(mapping, grid),
    reports,
  };
}

/** The shipped mapping whose `detect` patterns all match the folder; null when none does. Ties: the first by file name. */
export function findMapping(folder: string, mappingFolder: string): { file: string; mapping: Mapping } | null {
  const files = listFiles(folder);
  const candidates = readdirSync(mappingFolder).filter((file) => file.endsWith('.yaml'));
  for (const candidate of candidates.sort()) {
    const file = join(mappingFolder, candidate);
    const mapping = loadMapping(file);
    if (mapping.detect.every((pattern) => files.some((name) => globToRegExp(pattern).test(name))))
      return { file, mapping };
  }
  return null;
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
    .sort();
}

function readText(file: string): string {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** `*` stands for anything but a slash. */
function globToRegExp(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${escaped}$`);
}

/** The rates span the recording; other files may cover only parts of it. */
function rateTimes(sets: readonly SampleSet[]): number[] {
  const rates = sets.filter((set) => set.rule.role === 'requestRate');
  return (rates.length > 0 ? rates : sets).flatMap((set) => set.samples.map((sample) => sample.timeMs));
}

function toSeries(set: SampleSet, grid: Grid): RecordedSeries {
  const values = ontoGrid(set.samples, grid, set.counter);
  const suspicion = suspicionOf(set.rule.role, set.rule.unit, values);
  if (suspicion !== null) set.counter.note(`${set.service}: ${suspicion}`);
  return {
    role: set.rule.role,
    service: set.service,
    source: set.source,
    quantile: set.rule.quantile ?? null,
    reportedBy: set.rule.reportedBy,
    buckets: set.rule.buckets,
    values,
  };
}

/**
 * Several files may hold parts of one series. What adds up (rates, counts, CPU, memory: one file a pod) is added; of
 * latencies, which do not add up, the first value for a point stays.
 */
function mergeSeries(all: readonly RecordedSeries[]): RecordedSeries[] {
  const merged = new Map<string, RecordedSeries>();
  for (const series of all) {
    const key = JSON.stringify([series.role, series.service, series.source, series.quantile, series.reportedBy]);
    const before = merged.get(key);
    const adds = series.role !== 'latency' && series.role !== 'cpuPercentOfLimit';
    const join = (left: number | null, right: number | null): number | null =>
      left === null ? right : right === null || !adds ? left : left + right;
    if (before === undefined) merged.set(key, series);
    else
      merged.set(key, {
        ...before,
        values: before.values.map((value, index) => join(value, series.values[index] ?? null)),
      });
  }
  return [...merged.values()];
}

function edgesOf(series: readonly RecordedSeries[]): { source: string; target: string }[] {
  const named = series.filter(
    (entry) => entry.source !== null && (entry.role === 'callCount' || entry.role === 'requestRate'),
  );
  return named.map((entry) => ({ source: entry.source as string, target: entry.service }));
}

function serviceNames(
  series: readonly RecordedSeries[],
  spans: readonly RecordedSpan[],
  edges: readonly { source: string; target: string }[],
): string[] {
  const names = [
    ...series.map((entry) => entry.service),
    ...spans.map((span) => span.service),
    ...edges.flatMap((edge) => [edge.source, edge.target]),
  ];
  return [...new Set(names)].sort();
}

function splitOf(mapping: Mapping, grid: Grid): Recording['split'] {
  if (mapping.split === undefined) return null;
  const at = (text: string): number => grid.startMs + (parseDurationMs(text) as number);
  const { learn, replay } = mapping.split;
  return {
    learn: { fromMs: at(learn.from), toMs: at(learn.to) },
    replay: { fromMs: at(replay.from), toMs: at(replay.to) },
  };
}
