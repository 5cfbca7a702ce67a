/** The decision-quality table at a tiny size, so that neither a case nor the page can rot; its arithmetic by hand. */
import test from 'ava';
import type { Job } from '../../../cli/pool.js';
import type { SetRoute } from '../../../engine/types.js';
import { simulate } from '../../../sim/index.js';
import type { LoggedDecision, ReplicationResult } from '../../../traces/run-result.js';
import { buildCase, isKnown } from './build.js';
import { qualityCases, type QualityCase } from './cases.js';
import { FIGURES, qualityFigures, weightPointsMoved, type QualityFigures } from './figures.js';
import { GOAL, judge, losses } from './goal.js';
import { qualityPage } from './page.js';
import { NO_LOCALITY, PER_ZONE, POLICIES, PRIORITY, type QualityPolicy } from './policies.js';
import { qualityTable } from './table.js';

const cases = qualityCases();
const hot = (name: string): QualityCase => cases.find((one) => one.name === name)!;
const runHere = (jobs: readonly Job[]): Promise<ReplicationResult[]> =>
  Promise.resolve(jobs.map(({ scenario, policy, seed }) => simulate(scenario, { policy, seed })));

for (const one of cases) {
  test(`${one.name} loads under every policy, with users and requests the same for all`, (t) => {
    const built = buildCase(
      one,
      POLICIES.filter((policy) => isKnown(one, policy)),
    );
    t.true(built.length >= 8);
    const { loads, cluster } = built[0]!.scenario;
    for (const { policy, scenario, index } of built) {
      t.is(scenario.policies[index]!.name, policy.name);
      t.deepEqual({ loads: scenario.loads, cluster: scenario.cluster }, { loads, cluster });
    }
  });
}

test('cases and policies are named once', (t) => {
  t.is(new Set(cases.map(({ name }) => name)).size, cases.length);
  t.is(new Set(POLICIES.map(({ name }) => name)).size, POLICIES.length);
});

test('a few seconds of the hot zone give the same page again, and another one for other seeds', async (t) => {
  const names = [PRIORITY, NO_LOCALITY, PER_ZONE, 'prefer-same-zone', 'hpa+wavetank'];
  const policies = POLICIES.filter(({ name }) => names.includes(name));
  const page = async (seeds: readonly number[]): Promise<string> => {
    const run = { duration: '5s', warmUp: '20s' };
    return qualityPage(await qualityTable([hot('hot 50 %')], policies, { seeds, run, runJobs: runHere }));
  };
  const first = await page([1, 2]);
  t.is(await page([1, 2]), first);
  t.not(await page([1, 3]), first);
  for (const name of names) t.true(first.includes(`| ${name === 'hpa+wavetank' ? `**${name}**` : name} | `), name);
  // 5 s x 350/s are 1,750 requests: enough for each quantile.
  t.regex(first, /\n\| hpa \| [\d.,]+ \+-[\d.]+ \| [\d.,]+ \+-/);
});

test('a policy with a setting that this version does not know is left out by name, any other mistake stops', async (t) => {
  const policy = POLICIES.find(({ name }) => name === 'wavetank')!;
  const withBalancer = (name: string, balancer: QualityPolicy['engine']): QualityPolicy => ({
    ...policy,
    name,
    ...(balancer ? { engine: balancer } : {}),
  });
  const unknown = withBalancer('later', { scaler: {}, balancer: { noSuchSetting: 1 } });
  const wrong = withBalancer('wrong', { scaler: {}, balancer: { minStep: -1 } });
  const options = { seeds: [1], run: { duration: '1s', warmUp: '0s' }, runJobs: runHere };
  const table = await qualityTable([hot('6 pods')], [policy, unknown], options);
  t.deepEqual(table.leftOut, ['later']);
  t.deepEqual(Object.keys(table.cases[0]!.figures), ['wavetank']);
  t.true(qualityPage(table).includes('does not know their settings: later'));
  await t.throwsAsync(qualityTable([hot('6 pods')], [wrong], options), { message: /minStep/ });
});

function route(from: string, to: SetRoute['distribute'][number]['to'], host = 'a'): LoggedDecision {
  const decision = { kind: 'setRoute', host, distribute: [{ from, to }] } as unknown as SetRoute;
  return { atSeconds: 0, decidedBy: 'wavetank', summary: '', decision, because: '' };
}

test('moving 10 % of a row is 20 points, rows and hosts are told apart, and the first write counts as none', (t) => {
  t.is(weightPointsMoved([route('x', { x: 90, y: 10 })]), 0);
  t.is(weightPointsMoved([route('x', { x: 90, y: 10 }), route('x', { x: 80, y: 20 })]), 20);
  // A place that joins or leaves moves its whole weight: 5 from x, 5 from y, 10 to z.
  t.is(weightPointsMoved([route('x', { x: 90, y: 10 }), route('x', { x: 85, y: 5, z: 10 })]), 20);
  t.is(weightPointsMoved([route('x', { x: 100 }), route('y', { x: 90, y: 10 }), route('x', { y: 100 }, 'b')]), 0);
});

test('cost is what the served requests share, and refused writes are no decisions', (t) => {
  const base = simulate(
    buildCase(hot('hot 50 %'), POLICIES.slice(0, 1), { duration: '1s', warmUp: '0s' })[0]!.scenario,
    {
      policy: 0,
      seed: 1,
    },
  );
  const decided = (decidedBy: LoggedDecision['decidedBy']): LoggedDecision => ({
    ...route('x', {}),
    decidedBy,
    decision: null,
  });
  const result: ReplicationResult = {
    ...base,
    total: {
      ...base.total,
      requests: { total: 1000, succeeded: 750, failed: 250 },
      responseFlags: { UO: 50, unreachable: 200 },
    },
    cost: {
      ...base.cost,
      attributedUsdPerHour: 0.6,
      totalUsdPerHour: 3,
      crossZoneUsdPerHour: 0.1,
      crossRegionUsdPerHour: 0.05,
    },
    decisions: [
      route('x', { x: 100 }),
      decided('hpa'),
      decided('wavetank'),
      decided('scheduler'),
      route('x', { y: 100 }),
    ],
  };
  // 90 s: 0.6 USD/h are 0.015 USD for 750 requests, 20 USD per million; three decisions are 120 an hour; 200 points in 1.5 min.
  const figures = qualityFigures(result, 'attributed', 90);
  t.is(figures.failedShare, 0.25);
  t.is(figures.avoidableShare, 0.05);
  t.is(Number(figures.usdPerMillionServed!.toFixed(9)), 20);
  t.is(Number(figures.transferShareOfCost!.toFixed(9)), 0.25);
  t.is(figures.decisionsPerHour, 120);
  t.is(Number(figures.weightPointsPerMinute!.toFixed(9)), 133.333333333);
  t.is(Number(qualityFigures(result, 'total', 90).usdPerMillionServed!.toFixed(9)), 100);
});

const NOTHING = Object.fromEntries(FIGURES.map((figure) => [figure, 0])) as unknown as QualityFigures;
const seeds = (figure: keyof QualityFigures, values: readonly (number | null)[]): QualityFigures[] =>
  values.map((value) => ({ ...NOTHING, [figure]: value }));

test('a limit is met or missed by the whole interval, else it is open', (t) => {
  const verdict = (ours: readonly (number | null)[]): string =>
    judge({ ours: seeds('p99Ms', ours), [NO_LOCALITY]: seeds('p99Ms', [100, 102, 98]) }, 'ours', GOAL.p99).verdict;
  t.is(verdict([104, 106.08, 101.92]), 'met'); // the same ratio on every seed: no spread at all
  t.is(verdict([106, 108.12, 103.88]), 'missed');
  t.is(verdict([90, 130, 80]), 'open');
  t.is(verdict([104, null, 101.92]), 'open');
  const failed = (ours: readonly number[]): string =>
    judge({ ours: seeds('avoidableShare', ours) }, 'ours', GOAL.failed).verdict;
  t.is(failed([0, 0, 0]), 'met');
  t.is(failed([0.001, 0.001, 0.001]), 'missed');
});

test('only what is surely worse by more than the goal allows is a loss', (t) => {
  const of = (ours: readonly number[], theirs: readonly number[]): unknown =>
    losses({ ours: seeds('p99Ms', ours), theirs: seeds('p99Ms', theirs) }, 'ours', 'theirs');
  t.deepEqual(of([110, 112.2, 107.8], [100, 102, 98]), { policy: 'ours', against: 'theirs', what: ['p99 +10 %'] });
  t.is(of([104, 106.08, 101.92], [100, 102, 98]), null);
  t.is(of([90, 130, 100], [100, 102, 98]), null);
  const failed = { ours: seeds('avoidableShare', [0.02, 0.04]), theirs: seeds('avoidableShare', [0.01, 0.03]) };
  t.deepEqual(losses(failed, 'ours', 'theirs'), { policy: 'ours', against: 'theirs', what: ['failed +1.00 points'] });
});
