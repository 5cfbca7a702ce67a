/**
 * What a run says of its queues of messages: a table for the terminal, and table and chart for the page. Both are empty where
 * the scenario has no queues.
 */
import type { PolicyResult, QueueFigures, RunResult } from '../traces/run-result.js';
import { queueChart } from './charts.js';
import { clip, formatCount, formatMs, formatNumber, formatSeconds, printable } from './format.js';
import { htmlTable, markup, type Markup } from './markup.js';
import { estimate } from './statistics.js';
import { table, type Paint } from './terminal.js';

/** Rows of the terminal under one policy. */
export function queueLines(policy: PolicyResult, paint: Paint): string[] {
  const names = queueNames(policy);
  if (names.length === 0) return [];
  const rows = names.map((name) => {
    const own = reader(policy, name);
    return [
      clip(printable(name), 20),
      formatNumber(own((one) => one.publishedPerSecond)),
      formatMs(own((one) => one.waitMs.mean)),
      formatMs(own((one) => one.waitMs.p95)),
      formatNumber(own((one) => one.length.mean)),
      formatCount(own((one) => one.length.most) ?? 0),
      formatCount(own((one) => one.length.atEnd) ?? 0),
      formatSeconds(own((one) => one.oldestSeconds)),
      formatNumber(own((one) => one.deadLettered)),
    ];
  });
  const header = ['queue', 'msg/s', 'wait', 'p95', 'length', 'most', 'at end', 'oldest', 'dead'];
  const [head = '', ...lines] = table([header, ...rows]);
  return ['', paint.faint(head), ...lines];
}

/** Null: no queues. */
export async function queueSection(result: RunResult): Promise<Markup | null> {
  const names = queueNames(result.policies[0]);
  if (names.length === 0) return null;
  const chart = await queueChart(result, names, {
    id: 'queues',
    description: 'Messages that wait in each queue over time, one panel a policy',
  });
  const rows = result.policies.flatMap((policy) => names.map((name) => [policy.policy, name, ...row(policy, name)]));
  const header = [
    ...['policy', 'queue', 'published', 'per second', 'refused', 'processed', 'delivered again', 'dead'],
    ...['waiting, mean', 'p95', 'p99', 'until done, mean', 'length, mean', 'most', 'at end', 'oldest at end'],
  ];
  return markup`<p class="soft">Messages that wait, mean over the seeds.</p>${chart}${htmlTable('Means over the seeds', header, rows, 2)}`;
}

function row(policy: PolicyResult, name: string): string[] {
  const own = reader(policy, name);
  return [
    formatNumber(own((one) => one.published)),
    formatNumber(own((one) => one.publishedPerSecond)),
    formatNumber(own((one) => one.refused)),
    formatNumber(own((one) => one.processed)),
    formatNumber(own((one) => one.redelivered)),
    formatNumber(own((one) => one.deadLettered)),
    formatMs(own((one) => one.waitMs.mean)),
    formatMs(own((one) => one.waitMs.p95)),
    formatMs(own((one) => one.waitMs.p99)),
    formatMs(own((one) => one.doneMs.mean)),
    formatNumber(own((one) => one.length.mean)),
    formatNumber(own((one) => one.length.most)),
    formatNumber(own((one) => one.length.atEnd)),
    formatSeconds(own((one) => one.oldestSeconds)),
  ];
}

function queueNames(policy: PolicyResult | undefined): readonly string[] {
  return (policy?.replications[0]?.queues ?? []).map(({ queue }) => queue);
}

/** Means over the seeds; null where one of them has no such figure. */
function reader(policy: PolicyResult, name: string): (read: (one: QueueFigures) => number | null) => number | null {
  return (read) =>
    estimate(
      policy.replications.map(({ queues = [] }) => {
        const found = queues.find(({ queue }) => queue === name);
        return found === undefined ? null : read(found);
      }),
    ).mean;
}
