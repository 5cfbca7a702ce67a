/**
 * `npm run quality`: all cases under all policies on the process pool, then `docs/decision-quality.md`, and the figures of
 * every seed as JSON. `--seeds N` (default 20), `--first-seed N`, `--workers N`, `--case NAME` and `--policy NAME` (several
 * times), `--page FILE`, `--json FILE`; `--from FILE` makes the page of figures that are there.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { runJobs, type Job } from '../../../cli/pool.js';
import { stableJson } from '../../../reports/json.js';
import type { ReplicationResult } from '../../../traces/run-result.js';
import { qualityCases } from './cases.js';
import { qualityPage } from './page.js';
import { NO_LOCALITY, PER_ZONE, POLICIES, PRIORITY } from './policies.js';
import { qualityTable, type QualityTable } from './table.js';

/** Far from the seeds of the library's gates, which count up from 12 at most. */
const FIRST_SEED = '1001';
/** Twenty: an interval of half a standard deviation, which is 1 % of a p99. */
const SEEDS = '20';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: SEEDS },
    'first-seed': { type: 'string', default: FIRST_SEED },
    workers: { type: 'string', default: String(availableParallelism()) },
    case: { type: 'string', multiple: true, default: [] },
    policy: { type: 'string', multiple: true, default: [] },
    page: { type: 'string', default: 'docs/decision-quality.md' },
    json: { type: 'string', default: 'out/decision-quality.json' },
    from: { type: 'string' },
  },
});

const table =
  options.from === undefined ? await run() : (JSON.parse(readFileSync(options.from, 'utf8')) as QualityTable);
write(options.page, qualityPage(table));

async function run(): Promise<QualityTable> {
  const cases = chosen(qualityCases(), options.case, 'case');
  // Verdicts are relative to these.
  const baselines = options.policy.length === 0 ? [] : [PRIORITY, NO_LOCALITY, PER_ZONE];
  const policies = chosen(POLICIES, [...options.policy, ...baselines], 'policy');
  const first = count('first-seed');
  const seeds = Array.from({ length: count('seeds') }, (_, index) => first + index);
  const beganMs = performance.now();
  const found = await qualityTable(cases, policies, { seeds, runJobs: onPool });
  for (const name of found.leftOut) console.error(`left out, its settings are unknown to this version: ${name}`);
  console.error(`all of it took ${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
  write(options.json, `${stableJson(found)}\n`);
  return found;
}

async function onPool(jobs: readonly Job[], name: string): Promise<ReplicationResult[]> {
  const beganMs = performance.now();
  const seconds = (): string => ((performance.now() - beganMs) / 1000).toFixed(0);
  const onProgress = (done: number, total: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${done} of ${total} runs, ${seconds()} s`);
  };
  const { signal } = new AbortController();
  const workerFile = new URL('./worker.mjs', import.meta.url);
  const found = await runJobs(jobs, { workerFile, workers: count('workers'), interrupt: signal, onProgress });
  console.error(`${process.stderr.isTTY ? '\r' : ''}${name}: ${jobs.length} runs in ${seconds()} s`);
  return found.map((result) => result!);
}

function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[],
  what: string,
): readonly T[] {
  const unknown = names.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join('; ');
    throw new Error(`--${what} ${unknown.join(', ')}: unknown; expected of ${known}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function count(option: 'seeds' | 'first-seed' | 'workers'): number {
  const value = Number(options[option]);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${option} ${options[option]}: expected a whole number of at least 1`);
  return value;
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
