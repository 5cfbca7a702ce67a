/** Figures of a loss against series written by hand, and the order and width of the table. */
import test from 'ava';
import { cellsOf } from '../../reports/format.js';
import { lossHtml } from '../../reports/html-losses.js';
import { junitXml } from '../../reports/junit.js';
import {
  lossFigures,
  lossJson,
  lossText,
  lossVerdict,
  worstFirst,
  type LossReport,
  type LossRow,
} from '../../reports/losses.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { aRun } from './fixtures.js';

const STEPS = 48;
const TERMS = { atSeconds: 60, sloShare: 0.999, meanRequestsPerSecond: 100 };

/** Steps of 10 s, loss at step 6: 100 requests/s, p95 100 ms, except where `change` says otherwise. */
function aReplication(change: Record<number, { failed?: number; p95Ms?: number | null }> = {}): ReplicationResult {
  const [base] = aRun().policies[0]!.replications;
  const steps = Array.from({ length: STEPS }, (_, step) => step);
  return {
    ...base!,
    series: {
      ...base!.series,
      stepSeconds: 10,
      requestsPerSecond: steps.map(() => 100),
      failedPerSecond: steps.map((step) => change[step]?.failed ?? 0),
      p95Ms: steps.map((step) => (change[step]?.p95Ms === undefined ? 100 : change[step].p95Ms)),
    },
  };
}

test('goodput, failures and the spent budget are counted from the loss on', (t) => {
  // 30 + 15 failed a second for 10 s each: 450 of the 30,000 in five minutes. The month has 100/s x 2,592,000 s x 0.1 %
  // = 259,200 errors to give; the 60 failed at step 40 come after the five minutes and count there alone.
  const lost = aReplication({ 2: { failed: 50 }, 6: { failed: 30 }, 7: { failed: 15 }, 40: { failed: 6 } });
  const figures = lossFigures(lost, aReplication(), TERMS);
  t.is(figures.goodputKept, 1 - 450 / 30_000);
  t.is(figures.failedRequests, 510);
  t.true(Math.abs(figures.errorBudgetPercent! - (510 / 259_200) * 100) < 1e-9);
  t.is(figures.pdbViolations, null);
  t.is(figures.recoverySeconds, 350, 'the end of step 40 lies 410 - 60 s after the loss');
});

test('a p95 as in the run without the loss is normal, however much the load has raised it', (t) => {
  const raised = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [8 + i, { p95Ms: 300 }]));
  const normal = aReplication(raised);
  t.is(lossFigures(aReplication(raised), normal, TERMS).recoverySeconds, 0);
  // 331 ms is more than 10 % above; one step alone is noise, two in a row are not.
  t.is(lossFigures(aReplication({ ...raised, 10: { p95Ms: 331 } }), normal, TERMS).recoverySeconds, 0);
  const slow = { ...raised, 10: { p95Ms: 331 }, 11: { p95Ms: 331 } };
  t.is(lossFigures(aReplication(slow), normal, TERMS).recoverySeconds, 60);
  t.is(lossFigures(aReplication(slow), normal, TERMS).goodputRecoverySeconds, 0);
  const figures = lossFigures(aReplication(slow), normal, TERMS);
  t.is(figures.p95BeforeMs, 100);
  t.is(figures.p95AfterMs, 300);
});

test('what is bad in the last step has not recovered', (t) => {
  t.is(lossFigures(aReplication({ 47: { failed: 1 } }), aReplication(), TERMS).recoverySeconds, null);
  const silent = { 46: { p95Ms: null }, 47: { p95Ms: null } };
  t.is(lossFigures(aReplication(silent), aReplication(), TERMS).recoverySeconds, null);
});

function aRow(loss: string, goodputKept: number, recoverySeconds: number | null, failedRequests = 1): LossRow {
  const rest = { errorBudgetPercent: 0.01, p95BeforeMs: 100, p95AfterMs: 12_345, pdbViolations: null };
  return {
    loss,
    kind: loss.startsWith('black') ? 'blackHole' : 'node',
    alike: [loss],
    goodputKept,
    recoverySeconds,
    goodputRecoverySeconds: recoverySeconds,
    failedRequests,
    ...rest,
  };
}

test('worst first: least goodput, then never recovered, then longest, then most failures, then as planned', (t) => {
  const rows = [
    aRow('a', 1, 0),
    aRow('b', 0.9, 10),
    aRow('c', 0.9, null),
    aRow('d', 0.9, 20),
    aRow('e', 1, 0, 5),
    aRow('f', 1, 0),
  ];
  t.deepEqual(
    worstFirst(rows).map(({ loss }) => loss),
    ['c', 'd', 'b', 'e', 'a', 'f'],
  );
});

function aReport(losses: readonly LossRow[]): LossReport {
  return {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'LossReport',
    formatVersion: '1.0',
    wavetankVersion: '0.0.0',
    scenario: { name: 's'.repeat(90), why: 'w', file: null },
    command: 'wavetank run s --losses all --seed 1',
    seed: 1,
    sloShare: 0.9995,
    meanRequestsPerSecond: 1_234_567,
    beforeSeconds: 60,
    afterSeconds: 420,
    lossSeconds: null,
    policies: [{ policy: 'p'.repeat(90), blackHoles: 0, baseline: aRow('none', 1, 0), losses }],
  };
}

test('no line of the table is wider than 80 cells, and it never says 100% where a request failed', (t) => {
  const long = { ...aRow('node n'.repeat(30), 0.99999, null), alike: ['x', 'y', 'z'] };
  const text = lossText(aReport([long, aRow('zone a', 1, 10)]), { color: false });
  for (const line of text.split('\n')) t.true(cellsOf(line) <= 80, `${cellsOf(line)}: ${line}`);
  t.regex(text, /99\.99% +never/);
  t.regex(text, /zone a +100% +10 s +0\.01% +100 ms +12\.3 s/);
  t.regex(text, / 3 x node/);
  t.regex(text, /99\.95% allows in 30 days/);
  t.regex(text, /PDB violations: no service has a budget/);
});

test('the table says in how many black holes goodput recovered, and where there was none to try', (t) => {
  const report = aReport([aRow('black hole a: all', 0.9, 30), aRow('black hole b: all', 0.5, null)]);
  const [one] = report.policies;
  const both = {
    ...report,
    policies: [
      { ...one!, blackHoles: 2 },
      { ...one!, policy: 'bare', losses: [], blackHoles: 0 },
    ],
  };
  const text = lossText(both, { color: false }).replace(/\s+/g, ' ');
  t.regex(text, /recovered without it in 1 of 2/);
  t.regex(text, /not tried under bare: without a distribute route/);
});

test('both nodes of a pair are named', (t) => {
  const pair = aRow('node general-eu-west-1-a-0 + node general-eu-west-1-b-11', 0.9, 30);
  const text = lossText(aReport([pair]), { color: false });
  t.regex(text, /^ {2}node general-eu-west-1-a-0 +90\.00%.*\n {4}\+ node general-eu-west-1-b-11$/m);
});

test('the JSON form holds every row in the order of the table', (t) => {
  const report = aReport(worstFirst([aRow('a', 1, 0), aRow('b', 0.5, null)]));
  t.deepEqual(JSON.parse(lossJson(report)), JSON.parse(JSON.stringify(report)));
});

test('the page shows each loss under each policy, runs no script, loads nothing and escapes every name', (t) => {
  const evil = '<script>alert("x")</script>';
  const report = aReport([aRow(`zone ${evil}`, 0.99999, null), aRow('zone b', 1, 10)]);
  const [one] = report.policies;
  const html = lossHtml({
    ...report,
    command: evil,
    scenario: { name: evil, why: evil, file: null },
    policies: [
      { ...one!, policy: 'first' },
      { ...one!, policy: 'second', losses: [aRow('zone b', 0.75, 20)] },
    ],
  });
  t.false(/<script/iu.test(html));
  t.regex(html, /default-src 'none'; style-src 'unsafe-inline'; img-src data:/);
  t.deepEqual(html.match(/(?:src|href)="(?!#|data:)[^"]*"/gu), null);
  t.regex(html, /do not recover from 1 of the 3 losses/);
  // The matrix: zone b costs most, under the second policy, so it comes first; what was not tried has a dash.
  const matrix = html.slice(html.indexOf('id="matrix"'), html.indexOf('id="losses"'));
  t.true(matrix.indexOf('zone b') < matrix.indexOf('zone &#60;script'));
  t.regex(matrix, /zone b<\/td><td class="number">100%<br>.*10 s.*<\/td><td class="number">75\.00%<br>.*20 s/);
  t.regex(
    matrix,
    /99\.99%<br><span class="soft"><span class="failed">never<\/span><\/span><\/td><td class="number">-</,
  );
});

test('in JUnit a loss fails where users never recover or a month of errors is spent at once', (t) => {
  const dear = { ...aRow('zone c', 0.2, 30), errorBudgetPercent: 100.1 };
  const silent = { ...aRow('zone d', 0, 30), goodputKept: null };
  const xml = junitXml([
    { losses: aReport([aRow('zone a', 0.5, null), aRow('zone b', 0.99, 30), dear, silent]) },
    { name: 'other', error: 'no' },
  ]);
  t.regex(xml, /<testsuites name="wavetank" tests="5" failures="2" errors="1" skipped="1">/);
  const cases = xml.split('\n').filter((line) => line.includes('<testcase'));
  t.regex(cases[0]!, /name="zone a \{policy=.*<failure message="goodput kept 50\.00%; recovery never; 0\.01% of/);
  t.regex(
    cases[1]!,
    /name="zone b .*<system-out>goodput kept 99\.00%; recovery 30 s; .*p95 100 ms before, 12\.3 s after/,
  );
  t.regex(cases[2]!, /<failure message="goodput kept 20\.00%; recovery 30 s; 100%/);
  t.regex(cases[3]!, /<skipped message="goodput kept -/);
  const rows = [aRow('zone a', 0.5, null), aRow('zone b', 0.99, 30), dear, silent];
  t.deepEqual(rows.map(lossVerdict), ['failed', 'passed', 'failed', 'unknown']);
});
