import test from 'ava';
import { judge, type GateOutcome } from '../../reports/gates.js';
import type { RunResult } from '../../traces/run-result.js';
import { aRun, hpa, hpaWavetank, type RunTraits } from './fixtures.js';

const only = (text: string, traits: RunTraits = {}): GateOutcome => {
  const { outcomes } = judge(aRun({ expectations: [text], policies: [hpaWavetank], ...traits }));
  if (outcomes[0] === undefined) throw new Error('no outcome');
  return outcomes[0];
};

/** A run whose gateway mean latencies are given, policy by policy and seed by seed. */
function withMeans(meansMs: readonly (readonly number[])[], text: string): RunResult {
  const seeds = meansMs[0]?.map((_, index) => index + 1) ?? [];
  const run = aRun({ expectations: [text], seeds });
  return {
    ...run,
    policies: meansMs.map((means, p) => ({
      policy: `p${p}`,
      why: '',
      replications: (run.policies[0]?.replications ?? []).map((one, index) => ({
        ...one,
        total: { ...one.total, latencyMs: { ...one.total.latencyMs, mean: means[index] ?? null } },
      })),
    })),
  };
}

// mean 3, half width 2.776445 x sqrt(2.5 / 5) = 1.963: the interval is [1.037, 4.963].
for (const [limit, verdict] of [
  [1, 'failed'],
  [1.03, 'failed'],
  [1.05, 'inconclusive'],
  [3, 'inconclusive'],
  [4.9, 'inconclusive'],
  [5, 'passed'],
] as const) {
  test(`means 1..5 ms against < ${limit} ms are ${verdict}`, (t) => {
    t.is(judge(withMeans([[1, 2, 3, 4, 5]], `mean(latency) < ${limit}ms`)).outcomes[0]?.verdict, verdict);
  });
}

test('an inconclusive gate says how many seeds it would take', (t) => {
  const outcome = judge(withMeans([[1, 2, 3, 4, 5]], 'mean(latency) <= 4ms')).outcomes[0];
  // sd sqrt(2.5) = 1.5811 and distance 1: t(0.975, 11) = 2.20099 x 1.5811 = 3.480 > sqrt(12) = 3.464,
  // t(0.975, 12) = 2.17881 x 1.5811 = 3.445 < sqrt(13) = 3.606.
  t.is(outcome?.seedsNeeded, 13);
  t.is(outcome?.reason, 'the limit lies inside the interval');
  t.is(outcome?.shownValue, '3 ms');
  t.is(outcome?.shownInterval, '[1.04, 4.96]');
});

test('a figure without spread passes on its limit with <= and fails with <', (t) => {
  t.is(judge(withMeans([[3, 3, 3]], 'mean(latency) <= 3ms')).verdict, 'passed');
  t.is(judge(withMeans([[3, 3, 3]], 'mean(latency) < 3ms')).verdict, 'failed');
  t.is(judge(withMeans([[3, 3, 3]], 'mean(latency) >= 3ms')).verdict, 'passed');
  t.is(judge(withMeans([[3, 3, 3]], 'mean(latency) > 3ms')).verdict, 'failed');
});

test('a relative gate uses the paired seeds, not the spread they share', (t) => {
  // Seeds differ by a factor of five, but the second policy is always 10 % dearer, give or take 0.01.
  const base = [10, 20, 30, 40, 50];
  const dearer = [11.01, 21.99, 33.01, 43.99, 55];
  const outcome = (limit: string): GateOutcome | undefined =>
    judge(withMeans([base, dearer], `mean(latency) <= ${limit} of baseline`)).outcomes[0];
  t.is(outcome('+12%')?.verdict, 'passed');
  t.is(outcome('+8%')?.verdict, 'failed');
  t.is(outcome('+10%')?.verdict, 'inconclusive');
  t.is(outcome('+12%')?.policy, 'p1');
  t.true(Math.abs((outcome('+12%')?.value ?? 0) - 0.1) < 1e-9);
  t.is(outcome('+12%')?.shownValue, '+10%');
});

test('a relative gate holds for every policy but the first', (t) => {
  const { outcomes } = judge(
    withMeans(
      [
        [1, 2, 3],
        [1, 2, 3],
        [2, 3, 4.5],
      ],
      'mean(latency) <= baseline',
    ),
  );
  t.deepEqual(
    outcomes.map((outcome) => [outcome.policy, outcome.verdict]),
    [
      ['p1', 'passed'],
      ['p2', 'failed'],
    ],
  );
});

test('where the baseline is 0 the difference is judged without a percentage', (t) => {
  const { outcomes } = judge(
    withMeans(
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
      'mean(latency) <= +10% of baseline',
    ),
  );
  t.is(outcomes[0]?.verdict, 'failed');
  t.is(outcomes[0]?.value, null);
  t.is(outcomes[0]?.shownValue, '+1 ms abs.');
});

test('a policy selector picks one policy, and one that was not run is inconclusive, not passed', (t) => {
  t.deepEqual(
    judge(aRun({ expectations: ['cost{policy="hpa"} <= 9 USD/h'] })).outcomes.map((outcome) => outcome.policy),
    ['hpa'],
  );
  const absent = only('cost{policy="static"} <= 9 USD/h');
  t.is(absent.verdict, 'inconclusive');
  t.is(absent.reason, 'policy static was not run');
});

test('a relative gate in a run of one policy is inconclusive', (t) => {
  t.is(only('cost <= +10% of baseline').reason, 'no second policy was run to compare with');
});

test('one seed is inconclusive and says that it gives no interval', (t) => {
  const outcome = only('mean(latency) < 999ms', { seeds: [7] });
  t.is(outcome.verdict, 'inconclusive');
  t.is(outcome.reason, 'one seed gives no interval');
  t.is(outcome.seedsNeeded, null);
});

test('p99 below 1,000 requests a seed is inconclusive with its reason', (t) => {
  const outcome = only('p99(latency) < 999ms', { requestsPerSecond: 1, durationSeconds: 600 });
  t.is(outcome.verdict, 'inconclusive');
  t.regex(outcome.reason ?? '', /p99 needs 1,000 requests a seed/);
});

test('survival is a fact of each run, so one seed is enough and one loss fails', (t) => {
  t.is(only('survives(any zone)', { seeds: [7] }).verdict, 'passed');
  t.is(only('survives(any zone)', { policies: [hpa] }).verdict, 'failed');
  t.is(only('survives(any zone){service="ingress"}', { policies: [hpa] }).verdict, 'passed');
  t.is(only('survives(any node)', { policies: [hpa] }).verdict, 'passed');
});

test('a fault that is never recovered from fails, and a run without faults is inconclusive', (t) => {
  const run = aRun({ expectations: ['max(recovery) <= 60s'], policies: [hpa] });
  t.is(judge(run).verdict, 'passed');
  const lost = structuredClone(run) as unknown as {
    policies: { replications: { faultTolerance: { faults: { recoverySeconds: number | null }[] } }[] }[];
  };
  const fault = lost.policies[0]?.replications[2]?.faultTolerance.faults[0];
  if (fault !== undefined) fault.recoverySeconds = null;
  const outcome = judge(lost as unknown as RunResult).outcomes[0];
  t.is(outcome?.verdict, 'failed');
  t.is(outcome?.reason, 'not recovered within the run in 1 of 5 seeds');
  t.is(only('max(recovery) <= 60s', { fault: false }).reason, 'the scenario has no fault to recover from');
});

test('a value off the limit is never printed as the limit', (t) => {
  const outcome = judge(withMeans([[98.04, 98.04]], 'mean(latency) < 98ms')).outcomes[0];
  t.is(outcome?.verdict, 'failed');
  t.is(outcome?.shownValue, '98.04 ms');
});

test('every metric of the grammar has a figure in a full record', (t) => {
  const texts = [
    'p95(latency{service="checkout"}) < 1s',
    'p95(latency{source="gateway", destination="ingress"}) < 1s',
    'p50(latency{load="web"}) < 1s',
    'ratio(failed) <= 1%',
    'ratio(crossZone) <= 99%',
    'ratio(crossZone{source="ingress", destination="checkout"}) <= 99%',
    'rate(requests{service="ledger"}) >= 1 rps',
    'cost{part="idle"} <= 9 USD/h',
    'cost{service="checkout"} <= 9 USD/h',
    'max(replicas{service="checkout"}) <= 99',
    'min(replicas{zone="eu-1/a"}) >= 1',
    'mean(cpu{service="checkout"}) <= 100%',
    'max(cpu) <= 100%',
    'mean(cpu{service="checkout", zone="eu-1/a"}) <= 100%',
    'min(goodput) >= 90%',
  ];
  const { outcomes } = judge(aRun({ expectations: texts, policies: [hpa] }));
  for (const outcome of outcomes) t.is(outcome.verdict, 'passed', JSON.stringify(outcome));
  t.is(outcomes.length, texts.length);
});

test('the verdict of a run is its worst gate', (t) => {
  const run = (expectations: string[]): string => judge(aRun({ expectations })).verdict;
  t.is(run([]), 'passed');
  t.is(run(['mean(latency) < 1s', 'p99(latency{service="nobody"}) < 1s']), 'inconclusive');
  t.is(run(['mean(latency) < 1us', 'p99(latency{service="nobody"}) < 1s']), 'failed');
});
