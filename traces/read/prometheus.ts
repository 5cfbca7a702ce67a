/**
 * Reads what Prometheus answers to `query_range` (or `query`): the whole response, its `data`, or the bare result array.
 * Values are strings; "NaN" and "+Inf" mean "no such figure" (a quantile over no requests) and become null samples, which
 * are counted. Pure: text in, samples out. Sample numbers stand in for line numbers, since the file is often one line.
 */
import type { ReadCounter } from './read-counter.js';

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  readonly value: number | null;
  /** Position of the sample in the file, from 1. */
  readonly line: number;
}

/** Samples of all series, in file order. Throws a plain Error when the text is no Prometheus answer at all. */
export function parsePrometheus(text: string, counter: ReadCounter): PrometheusSample[] {
  const samples: PrometheusSample[] = [];
  let position = 0;
  for (const series of resultArray(JSON.parse(text))) {
    const labels = labelsOf(series);
    for (const pair of pairsOf(series)) {
      position += 1;
      counter.read();
      const timeMs = typeof pair[0] === 'number' ? pair[0] * 1000 : Number.NaN;
      if (!Number.isFinite(timeMs)) {
        counter.drop('timestamp is not a number', position);
        continue;
      }
      const value = parseValue(pair[1]);
      if (value === undefined) {
        counter.drop('value is not a number in a string', position);
        continue;
      }
      if (value === null) counter.drop('NaN or infinite value', position);
      samples.push({ labels, timeMs, value, line: position });
    }
  }
  return samples;
}

function resultArray(parsed: unknown): readonly Record<string, unknown>[] {
  if (Array.isArray(parsed)) return parsed as Record<string, unknown>[];
  const response = parsed as { status?: unknown; error?: unknown; data?: { result?: unknown }; result?: unknown };
  if (response.status === 'error') throw new Error(`Prometheus answered with an error: ${String(response.error)}`);
  const result = response.data?.result ?? response.result;
  if (!Array.isArray(result)) throw new Error('neither a Prometheus response nor a result array');
  return result as Record<string, unknown>[];
}

function labelsOf(series: Record<string, unknown>): Record<string, string> {
  const metric = (series['metric'] ?? {}) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(metric).map(([key, value]) => [key, String(value)]));
}

/** A matrix has `values`, a vector one `value`. */
function pairsOf(series: Record<string, unknown>): readonly (readonly unknown[])[] {
  if (Array.isArray(series['values'])) return series['values'] as unknown[][];
  return Array.isArray(series['value']) ? [series['value'] as unknown[]] : [];
}

/** A number; null for NaN and infinities; undefined for anything else. */
export function parseValue(raw: unknown): number | null | undefined {
  if (typeof raw !== 'string' || raw.trim() === '') return undefined;
  if (/^(NaN|[+-]?Inf(inity)?)$/i.test(raw.trim())) return null;
  const value = Number(raw);
  return Number.isNaN(value) ? undefined : value;
}
