/** Nodes that come and go, in summary, page and gates; and nothing of them where no policy has an autoscaler. */
import test from 'ava';
import { figuresOf } from '../../reports/figures.js';
import { htmlReport } from '../../reports/html.js';
import { summaryText } from '../../reports/summary.js';
import type { RunResult } from '../../traces/run-result.js';
import { aRun } from './fixtures.js';

const plain = { color: false, elapsedSeconds: null, reportFile: null };

/** Three nodes in the first zone; under the last policy, five from the second step on. */
function withNodes(run: RunResult): RunResult {
  return {
    ...run,
    policies: run.policies.map((policy, index) => {
      const grows = index === run.policies.length - 1;
      return {
        ...policy,
        replications: policy.replications.map((one) => ({
          ...one,
          nodeScaling: {
            nodesAdded: grows ? 2 : 0,
            nodesRemoved: 0,
            meanNodes: grows ? 4.9 : 3,
            podsThatWaited: grows ? 7 : 0,
            meanWaitSeconds: grows ? 65 : null,
          },
          series: {
            ...one.series,
            nodes: run.zones.map((zone, z) => ({
              zone,
              values: one.series.requestsPerSecond.map((_, step) => (z > 0 ? 0 : grows && step > 0 ? 5 : 3)),
            })),
          },
        })),
      };
    }),
  };
}

test('the summary has a line for each policy under which nodes came or went', (t) => {
  const lines = summaryText(withNodes(aRun()), plain).split('\n');
  const at = lines.findIndex((line) => line.startsWith('  nodes'));
  t.is(
    `${lines[at]!.trim()} ${lines[at + 1]!.trim()}`.replace(/\s+/g, ' '),
    'nodes hpa+wavetank: 4.9 in the mean, 2 added, 0 removed; 7 pods waited 65 s for one',
  );
  t.is(lines.filter((line) => line.startsWith('  nodes')).length, 1);
  t.false(summaryText(aRun(), plain).includes('  nodes'));
});

test('gates ask for nodes over time, in all or in a zone', (t) => {
  const { policies, zones } = withNodes(aRun());
  const last = policies.at(-1)!;
  const ask = (statistic: 'max' | 'min', labels: { zone?: string }) =>
    figuresOf(last, { statistic, metric: 'nodes', labels })[0];
  t.is(ask('max', {}), 5);
  t.is(ask('min', {}), 3);
  t.is(ask('max', { zone: zones[1]! }), 0);
  t.is(figuresOf(aRun().policies[0]!, { statistic: 'max', metric: 'nodes', labels: {} })[0], null);
});

test('the page draws nodes over time only where some come or go', async (t) => {
  t.timeout(120_000);
  const page = await htmlReport(withNodes(aRun({ seeds: [1] })));
  t.true(page.includes('Nodes over time'));
  t.true(page.includes('Nodes that come and go'));
  t.false((await htmlReport(aRun({ seeds: [1] }))).includes('Nodes over time'));
});
