/**
 * What became of the rollouts, over the seeds of each policy: for the summary a sentence each, for the page a table. The
 * least available and the most pods are those of the worst seed.
 */
import type { PolicyResult, RolloutFigures, RunResult } from '../traces/run-result.js';
import { absent, formatSeconds } from './format.js';
import { htmlTable, type Markup } from './markup.js';
import { estimate } from './statistics.js';

interface Row {
  readonly policy: string;
  readonly workload: string;
  readonly atSeconds: number;
  readonly outcome: string;
  readonly fewestAvailable: number;
  readonly mostPods: number;
}

/** By policy; a policy of a scenario without rollouts has none. */
export function rolloutRows(policy: PolicyResult): Row[] {
  return (policy.replications[0]?.rollouts ?? []).map(({ workload, atSeconds }, index) => {
    const found = policy.replications.flatMap(({ rollouts }) => rollouts?.[index] ?? []);
    return {
      ...{ policy: policy.policy, workload, atSeconds },
      outcome: outcomeOf(found),
      fewestAvailable: Math.min(...found.map(({ fewestAvailable }) => fewestAvailable)),
      mostPods: Math.max(...found.map(({ mostPods }) => mostPods)),
    };
  });
}

export function rolloutText({ workload, atSeconds, outcome, fewestAvailable, mostPods }: Row): string {
  const pods = `at least ${fewestAvailable} available, at most ${mostPods} pods`;
  return `${workload} at ${formatSeconds(atSeconds)}: ${outcome}, ${pods}`;
}

/** Null: there are no rollouts to speak of. */
export function rolloutTable(result: RunResult): Markup | null {
  const rows = result.policies.flatMap(rolloutRows);
  if (rows.length === 0) return null;
  return htmlTable(
    'Pods that were ready for minReadySeconds, and pods in all but those on their way out; of the worst seed',
    ['policy', 'workload', 'at', 'outcome', 'fewest available', 'most pods'],
    rows.map(({ policy, workload, atSeconds, outcome, fewestAvailable, mostPods }) => [
      ...[policy, workload, formatSeconds(atSeconds), outcome],
      ...[String(fewestAvailable), String(mostPods)],
    ]),
    4,
  );
}

const UNFINISHED = { stuck: 'stuck', underWay: 'not done at the end', superseded: 'superseded by the next' } as const;

function outcomeOf(found: readonly RolloutFigures[]): string {
  const parts = Object.entries(UNFINISHED).flatMap(([outcome, words]) => {
    const { length: count } = found.filter((one) => one.outcome === outcome);
    if (count === 0) return [];
    return [count === found.length ? words : `${words} in ${count} of ${found.length} seeds`];
  });
  const done = found.filter(({ outcome }) => outcome === 'finished').map(({ tookSeconds }) => tookSeconds);
  const took = done.length === 0 ? [] : [`finished in ${formatSeconds(estimate(done).mean)}`];
  return [...took, ...parts].join(', ') || absent;
}
