/** What reports say of queues of messages: a table under the services, a section of the page, and gates. */
import test from 'ava';
import { parseExpectation } from '../../scenarios/expectations.js';
import { figureOf } from '../../reports/figures.js';
import { htmlReport } from '../../reports/html.js';
import { summaryText } from '../../reports/summary.js';
import type { QueueFigures, RunResult } from '../../traces/run-result.js';
import { aRun } from './fixtures.js';

const times = { mean: 4298, p50: 1000, p90: 9000, p95: 14_300, p99: 15_000 };
const orders: QueueFigures = {
  queue: 'orders',
  published: 14_520,
  publishedPerSecond: 60.5,
  refused: 0,
  processed: 14_000,
  deadLettered: 140,
  redelivered: 3,
  waitMs: times,
  doneMs: times,
  length: { mean: 260, most: 1745, atEnd: 380 },
  oldestSeconds: 12,
  inFlight: 0,
};

function withQueue(): RunResult {
  const run = aRun();
  return {
    ...run,
    policies: run.policies.map((policy) => ({
      ...policy,
      replications: policy.replications.map((one) => ({
        ...one,
        queues: [orders],
        series: {
          ...one.series,
          queues: [{ queue: 'orders', lengths: [0, 500, 1745, 380], oldestSeconds: [null, 4, 14, 12] }],
        },
      })),
    })),
  };
}

const plain = { color: false, elapsedSeconds: null, reportFile: null };

test('the summary has a row for each queue, and none without', (t) => {
  const text = summaryText(withQueue(), plain);
  t.regex(text, /queue +msg\/s +wait +p95 +length +most +at end +oldest +dead/);
  t.regex(text, /orders +60\.5 +4,298 ms +14\.3 s +260 +1,745 +380 +12 s +140/);
  t.notRegex(summaryText(aRun(), plain), /msg\/s/);
});

test('the page has a section of queues', async (t) => {
  t.timeout(120_000);
  t.regex(await htmlReport(withQueue()), /Queues of messages/);
});

test('gates read the length, the waiting time and the share of dead messages', (t) => {
  const figure = (text: string): number | null => {
    const { gate } = parseExpectation(text);
    return figureOf(withQueue().policies[0]!.replications[0]!, gate!);
  };
  t.is(figure('max(queueLength{queue="orders"}) < 1'), 1745);
  t.is(figure('mean(queueLength{queue="orders"}) < 1'), 260);
  t.is(figure('p95(queueTime{queue="orders"}) < 1s'), 14_300);
  // 140 of the 14,140 that came to an end.
  t.is(figure('ratio(deadLettered{queue="orders"}) < 1%'), 140 / 14_140);
  t.is(figure('max(queueLength{queue="other"}) < 1'), null);
});
