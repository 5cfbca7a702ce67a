/**
 * Runs plans (a scenario, some of its policies, some seeds) on one warm pool and makes a run record of each. Jobs go
 * seed by seed over all policies, so that an interrupted run still holds whole pairs: seeds for which some policy is
 * missing are left out, as a comparison on different seeds would compare luck.
 */
import { createHash } from 'node:crypto';
import type { Scenario } from '../scenarios/types.js';
import type { PolicyResult, ReplicationResult, RunResult } from '../traces/run-result.js';
import type { Context } from './context.js';
import { runJobs, type Job } from './pool.js';
import { showProgress } from './progress.js';

export interface Plan {
  readonly scenario: Scenario;
  readonly file: string | null;
  /** The command line that makes this record again. */
  readonly command: string;
  /** Indices into the scenario's policies. */
  readonly policies: readonly number[];
  readonly seeds: readonly number[];
}

export interface Execution {
  readonly workers: number;
  readonly quiet: boolean;
  readonly dumpTo: string | null;
}

export interface Executed {
  /** One per plan, in order; on an interrupt with the seeds that were done. */
  readonly results: readonly RunResult[];
  readonly interrupted: boolean;
}

export async function runPlans(plans: readonly Plan[], execution: Execution, context: Context): Promise<Executed> {
  const jobs = plans.flatMap((plan) => jobsOf(plan, execution.dumpTo));
  const found = await runWithProgress(jobs, execution, context);
  let next = 0;
  const results = plans.map((plan) => {
    const own = found.slice(next, (next += plan.seeds.length * plan.policies.length));
    return recordOf(plan, own, context.version);
  });
  return { results, interrupted: context.interrupt.aborted };
}

/** In the order of the jobs; null for each that an interrupt left undone. */
export function runWithProgress(
  jobs: readonly Job[],
  { workers, quiet }: Execution,
  context: Context,
): Promise<readonly (ReplicationResult | null)[]> {
  const { workerFile, interrupt } = context;
  const progress = showProgress(context, quiet);
  return runJobs(jobs, { workerFile, workers, interrupt, onProgress: progress.update }).finally(progress.clear);
}

function jobsOf({ scenario, policies, seeds }: Plan, dumpTo: string | null): Job[] {
  return seeds.flatMap((seed) => policies.map((policy) => ({ scenario, policy, seed, dumpTo })));
}

function recordOf(plan: Plan, found: readonly (ReplicationResult | null)[], version: string): RunResult {
  const { scenario, policies, seeds } = plan;
  const bySeed = seeds.map((_, index) => found.slice(index * policies.length, (index + 1) * policies.length));
  const whole = bySeed.filter((ofSeed) => !ofSeed.includes(null)) as ReplicationResult[][];
  const notices = scenario.notices.map(({ message, file, line }) =>
    file === null ? message : `${file}${line === null ? '' : `:${line}`}: ${message}`,
  );
  const missing = seeds.length - whole.length;
  return {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'RunResult',
    formatVersion: '1.0',
    wavetankVersion: version,
    scenario: { name: scenario.name, why: scenario.why, file: plan.file, digest: digestOf(scenario) },
    compat: {
      istio: `1.${scenario.compat.istioMinor}`,
      envoy: `1.${scenario.compat.envoyMinor}`,
      kubernetes: `1.${scenario.compat.kubernetesMinor}`,
    },
    command: plan.command,
    zones: scenario.cluster.zones.map((zone) => zone.name),
    services: scenario.services.map((service) => service.name),
    priceBooks: scenario.cluster.priceBooks,
    nodeCount: scenario.cluster.nodes.length,
    durationSeconds: scenario.run.durationUs / 1e6,
    warmUpSeconds: scenario.run.warmUpUs / 1e6,
    notices: missing === 0 ? notices : [...notices, `interrupted: ${whole.length} of ${seeds.length} seeds were run`],
    expectations: scenario.expectations,
    policies: policies.map((policy, index): PolicyResult => {
      const { name, why } = scenario.policies[policy]!;
      return { policy: name, why, replications: whole.map((ofSeed) => ofSeed[index]!) };
    }),
  };
}

/** Of what is simulated: where the file lies and what is expected of it make no other run. */
function digestOf(scenario: Scenario): string {
  const { expectations: _expectations, notices: _notices, ...simulated } = scenario;
  return createHash('sha256').update(JSON.stringify(simulated)).digest('hex').slice(0, 16);
}
