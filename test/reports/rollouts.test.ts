/** Rollouts in the summary and on the page: every number over the seeds, the worst one where it matters. */
import test from 'ava';
import { htmlReport } from '../../reports/html.js';
import { summaryText } from '../../reports/summary.js';
import type { RolloutFigures, RunResult } from '../../traces/run-result.js';
import { aRun } from './fixtures.js';

const rollout: RolloutFigures = {
  ...{ service: 'checkout', workload: 'checkout', atSeconds: 60 },
  ...{ outcome: 'finished', tookSeconds: 10, fewestAvailable: 8, mostPods: 13 },
};
const stuck: RolloutFigures = { ...rollout, outcome: 'stuck', tookSeconds: null };

/** A rollout in each of two seeds, under the last policy alone. */
function withRollouts(...seeds: readonly RolloutFigures[]): RunResult {
  const run = aRun({ seeds: [7, 8] });
  const policies = run.policies.slice(-1).map((policy) => ({
    ...policy,
    replications: policy.replications.map((one, seed) => ({ ...one, rollouts: [seeds[seed]!] })),
  }));
  return { ...run, policies };
}

const summary = (run: RunResult): string =>
  summaryText(run, { color: false, elapsedSeconds: null, reportFile: null }).replace(/\n {11}/g, ' ');

test('the summary says when each rollout had finished, and with how few pods', (t) => {
  const run = withRollouts(rollout, { ...rollout, tookSeconds: 20, fewestAvailable: 7 });
  t.true(summary(run).includes('rollouts checkout at 60 s: finished in 15 s, at least 7 available, at most 13 pods'));
});

test('what is stuck is said to be, and in how many seeds', (t) => {
  t.true(summary(withRollouts(stuck, stuck)).includes('checkout at 60 s: stuck, at least 8 available'));
  t.true(summary(withRollouts(rollout, stuck)).includes('finished in 10 s, stuck in 1 of 2 seeds, at least'));
  t.true(summary(withRollouts({ ...stuck, outcome: 'underWay' }, stuck)).includes('not done at the end in 1 of 2'));
});

test('the page has a table of rollouts only where there are some', async (t) => {
  const page = await htmlReport(withRollouts(rollout, stuck));
  const numbers = '<td class="number">8</td><td class="number">13</td>';
  t.true(page.includes(`>finished in 10 s, stuck in 1 of 2 seeds</td>${numbers}`));
  t.false((await htmlReport(aRun())).includes('<h2>Rollouts'));
  t.false(summary(aRun()).includes('rollouts'));
});
