/**
 * Runs the cases and keeps of each run the figures of the table: a whole record of every run would not fit into memory.
 * Who runs the jobs is handed in: the process pool, or a test in its own process.
 */
import type { Job } from '../../../cli/pool.js';
import type { ReplicationResult } from '../../../traces/run-result.js';
import { buildCase, isKnown } from './build.js';
import type { Fields, QualityCase } from './cases.js';
import { qualityFigures } from './figures.js';
import type { CaseFigures } from './goal.js';
import type { QualityPolicy } from './policies.js';

export interface CaseTable {
  readonly name: string;
  readonly about: string;
  readonly zones: number;
  readonly againstPriority: boolean;
  readonly cost: 'attributed' | 'total';
  readonly measuredSeconds: number;
  readonly figures: CaseFigures;
}

export interface QualityTable {
  readonly apiVersion: 'wavetank/v1alpha1';
  readonly kind: 'DecisionQuality';
  readonly formatVersion: '1.0';
  readonly seeds: readonly number[];
  readonly policies: readonly { readonly name: string; readonly about: string; readonly isOurs: boolean }[];
  /** Policies that this version does not know. */
  readonly leftOut: readonly string[];
  readonly cases: readonly CaseTable[];
}

export interface TableOptions {
  readonly seeds: readonly number[];
  /** In place of the run of the cases: a test has no minutes. */
  readonly run?: Fields;
  readonly runJobs: (jobs: readonly Job[], name: string) => Promise<readonly ReplicationResult[]>;
}

export async function qualityTable(
  cases: readonly QualityCase[],
  policies: readonly QualityPolicy[],
  options: TableOptions,
): Promise<QualityTable> {
  const known = policies.filter((policy) => isKnown(cases[0]!, policy));
  const tables: CaseTable[] = [];
  for (const one of cases) tables.push(await caseTable(one, known, options));
  return {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'DecisionQuality',
    formatVersion: '1.0',
    seeds: options.seeds,
    policies: known.map(({ name, about, engine }) => ({ name, about, isOurs: engine !== undefined })),
    leftOut: policies.filter((policy) => !known.includes(policy)).map(({ name }) => name),
    cases: tables,
  };
}

async function caseTable(
  one: QualityCase,
  policies: readonly QualityPolicy[],
  { seeds, run, runJobs }: TableOptions,
): Promise<CaseTable> {
  const built = buildCase(one, policies, run);
  // By policy and then by seed: those of one scenario stand together, and a process is sent each scenario but once or twice.
  const jobs = built.flatMap(({ scenario, index }) =>
    seeds.map((seed): Job => ({ scenario, policy: index, seed, dumpTo: null })),
  );
  const results = await runJobs(jobs, one.name);
  const { cluster, run: measured } = built[0]!.scenario;
  const measuredSeconds = measured.durationUs / 1e6;
  const figures = Object.fromEntries(
    policies.map(({ name }, index) => [
      name,
      results
        .slice(index * seeds.length, (index + 1) * seeds.length)
        .map((result) => qualityFigures(result, one.cost, measuredSeconds)),
    ]),
  );
  const { name, about, againstPriority, cost } = one;
  return { name, about, zones: cluster.zones.length, againstPriority, cost, measuredSeconds, figures };
}
