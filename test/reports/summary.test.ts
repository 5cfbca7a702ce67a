import test from 'ava';
import { cellsOf, formatMs, formatNumber } from '../../reports/format.js';
import { waitTable } from '../../reports/waits.js';
import { summaryText } from '../../reports/summary.js';
import { aRun, hpaWavetank } from './fixtures.js';

const plain = { color: false, elapsedSeconds: null, reportFile: null };
const gates = ['p95(latency) <= 1s', 'ratio(failed) <= 0.05%', 'cost <= +5% of baseline', 'survives(any zone)'];
const lines = (text: string): string[] => text.trimEnd().split('\n');

test('no line is wider than 80 cells, whatever the names and numbers', (t) => {
  const services = ['结账服务-非常长的名字-非常长的名字', 'ünïcödé', 'a'.repeat(300), '🚀'];
  const policies = [
    { ...hpaWavetank, policy: 'p'.repeat(120) },
    { ...hpaWavetank, policy: 'q'.repeat(120), nodesUsdPerHour: 123456 },
  ];
  const run = aRun({
    services,
    policies,
    requestsPerSecond: 1_234_567,
    expectations: gates,
    notices: ['n'.repeat(200)],
  });
  for (const line of lines(summaryText(run, plain))) t.true(cellsOf(line) <= 80, `${cellsOf(line)}: ${line}`);
});

test('the verdict is the last line, with the report', (t) => {
  const last = (expectations: string[]): string | undefined =>
    lines(summaryText(aRun({ expectations }), { ...plain, reportFile: 'out/r.html' }))
      .pop()
      ?.trim();
  // hpa survives no zone loss for checkout in this fixture, the candidate does.
  t.is(last(['survives(any zone)']), 'FAIL  1 failed, 1 passed   report: out/r.html');
  t.is(last(['survives(any node)']), 'PASS  2 passed   report: out/r.html');
  t.is(last(['p95(latency{service="nobody"}) < 1s']), 'INCONCLUSIVE  2 inconclusive   report: out/r.html');
  t.is(last([]), 'DONE  no gates   report: out/r.html');
});

test('a failed check outranks every gate', (t) => {
  const text = summaryText(aRun({ expectations: ['survives(any node)'], failedCheck: true }), plain);
  t.regex(lines(text).pop() ?? '', /INVALID {2}a check failed/);
});

test('the busiest twelve services are shown, the others counted', (t) => {
  const services = Array.from({ length: 41 }, (_, index) => `svc-${index}`);
  const text = summaryText(aRun({ services }), plain);
  // The fixture gives later services fewer requests.
  t.regex(text, /svc-11 /);
  t.notRegex(text, /svc-12 /);
  t.regex(text, /… and 29 more/);
});

test('colours appear only when asked for, and change no word', (t) => {
  const run = aRun({ expectations: gates });
  const colored = summaryText(run, { ...plain, color: true });

  const escapes = /\u001B\[\d+m/gu;
  t.regex(colored, escapes);
  t.is(colored.replace(escapes, ''), summaryText(run, plain));
});

test('control characters in names cannot reach the terminal', (t) => {
  const text = summaryText(aRun({ services: ['a\u001B[2Jb', 'c\nd'] }), plain);
  t.false(text.includes('\u001B'));
  t.regex(text, /c\uFFFDd/);
});

test('numbers keep three digits and their unit', (t) => {
  t.is(formatNumber(1234567), '1,234,567');
  t.is(formatNumber(0.0123456), '0.0123');
  t.is(formatNumber(9.999), '10');
  t.is(formatNumber(-0.5), '-0.5');
  t.is(formatNumber(null), '-');
  t.is(formatMs(12345), '12.3 s');
  t.is(formatMs(0.05), '50 us');
});

test('failures are named by their response flags, most frequent first, as means over the seeds', (t) => {
  const run = aRun();
  const flags = [{ UF: 10, '503': 300 }, { UF: 20 }];
  const policies = run.policies.map((policy) => ({
    ...policy,
    replications: policy.replications.slice(0, 2).map((one, seed) => ({
      ...one,
      total: { ...one.total, responseFlags: flags[seed]! },
    })),
  }));
  t.true(lines(summaryText({ ...run, policies }, plain)).includes('  failed   503 150, UF 15'));
  t.notRegex(summaryText(run, plain), /^ {2}failed {3}/m);
});

test('money of unknown price is called unknown, never 0', (t) => {
  const run = aRun({ expectations: ['cost <= 100 USD/month'] });
  const policies = run.policies.map((policy) => ({
    ...policy,
    replications: policy.replications.map((one) => ({
      ...one,
      cost: { ...one.cost, crossZoneUsdPerHour: null, totalUsdPerHour: null, attributedUsdPerHour: null },
    })),
  }));
  const text = summaryText({ ...run, policies }, plain);
  t.regex(text, /\+ unknown cross-zone \+ 0 cross-region =\s+unknown/);
  t.regex(text, /a price that it rests on is\s+unknown/);
});

test('pods that waited for a node are told with what the scheduler said, and not where none did', (t) => {
  const run = aRun();
  const message = '0 of 6 nodes fit: 6 without enough cpu';
  const waits = [4, 2].map((mostPods) => ({
    ...{ service: run.services[0]!, mostPods, podsAtEnd: mostPods, podSeconds: 90 },
    reasons: [{ message, podSeconds: 90 }],
  }));
  const policies = run.policies.map((policy) => ({
    ...policy,
    replications: policy.replications.slice(0, 2).map((one, seed) => ({ ...one, waitingPods: [waits[seed]!] })),
  }));
  const told = summaryText({ ...run, policies }, plain).replaceAll(/\s+/g, ' ');
  // The most of any seed, the mean at the end.
  t.true(told.includes(`4 pods of ${run.services[0]!} at once, 3 at the end: ${message}`), told);
  t.true(JSON.stringify(waitTable({ ...run, policies })).includes(message));
  t.is(waitTable(run), null);
  t.notRegex(summaryText(run, plain), /waiting {3}/);
});
