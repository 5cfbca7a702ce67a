/**
 * JSON with one order of keys, so that equal records are equal files: `apiVersion`, `kind` and `formatVersion` lead, the
 * rest is alphabetical. JSON has no NaN, no Infinity and no undefined; JSON.stringify would turn them into null or drop
 * them in silence, so they stop here as the bugs they are.
 */
import type { RunResult } from '../traces/run-result.js';
import { judge } from './gates.js';

export function stableJson(value: unknown, indent = 0): string {
  return JSON.stringify(ordered(value, '$'), null, indent);
}

/** The run record itself: what `-o json=` writes and every report can be made from again. */
export function runResultJson(result: RunResult): string {
  return `${stableJson(result, 1)}\n`;
}

/** The gates of one or more runs, for machines. */
export function verdictJson(results: readonly RunResult[]): string {
  const scenarios = results.map((result) => {
    const { verdict, outcomes } = judge(result);
    const gates = outcomes.map((outcome) => ({ ...outcome, passed: outcome.verdict === 'passed' }));
    return { scenario: result.scenario.name, file: result.scenario.file, verdict, gates };
  });
  const record = { apiVersion: 'wavetank/v1alpha1', kind: 'Verdict', formatVersion: '1.0', scenarios };
  return `${stableJson(record, 1)}\n`;
}

const leadingKeys = ['apiVersion', 'kind', 'formatVersion'];

function ordered(value: unknown, path: string): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Error(`${path} is ${value}, which JSON cannot hold`);
  if (value === undefined) throw new Error(`${path} is undefined, which JSON cannot hold`);
  if (Array.isArray(value)) return value.map((item, index) => ordered(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  return Object.fromEntries(
    keys.map((key) => [key, ordered((value as Record<string, unknown>)[key], `${path}.${key}`)]),
  );
}

function rankOf(key: string): number {
  const place = leadingKeys.indexOf(key);
  return place === -1 ? leadingKeys.length : place;
}
