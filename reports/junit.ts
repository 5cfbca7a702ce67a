/**
 * Gates as a JUnit file, which every CI system shows: one testsuite a scenario, one testcase a gate and policy.
 * Inconclusive is `skipped`, because it is neither. A scenario that could not be run at all is an `error`, so that it
 * does not look like a suite without tests.
 * Losses: one testcase a loss and policy, failed where users never recover or a single loss spends more errors than a whole
 * month may hold, skipped where nobody was answered and there is nothing to judge.
 */
import type { RunResult } from '../traces/run-result.js';
import { absent, formatMs, formatNumber } from './format.js';
import { judge, type GateOutcome } from './gates.js';
import { keptText, lossName, lossVerdict, recoveryText, type LossReport, type LossRow } from './losses.js';

export type JUnitEntry =
  { readonly result: RunResult } | { readonly losses: LossReport } | { readonly name: string; readonly error: string };

export function junitXml(entries: readonly JUnitEntry[]): string {
  const suites = entries.map((entry) => {
    if ('losses' in entry) return lossSuite(entry.losses);
    return 'result' in entry ? gateSuite(entry.result) : errorSuite(entry.name, entry.error);
  });
  const sum = (count: (suite: Suite) => number): number => suites.reduce((total, suite) => total + count(suite), 0);
  const counts = countAttributes({
    tests: sum((suite) => suite.tests),
    failures: sum((suite) => suite.failures),
    errors: sum((suite) => suite.errors),
    skipped: sum((suite) => suite.skipped),
  });
  const body = suites.flatMap((suite) => [
    `  <testsuite name="${escapeXml(suite.name)}"${countAttributes(suite)}>`,
    ...suite.cases.map((line) => `    ${line}`),
    '  </testsuite>',
  ]);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="wavetank"${counts}>`,
    ...body,
    '</testsuites>',
    '',
  ].join('\n');
}

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

interface Suite extends Counts {
  readonly name: string;
  readonly cases: readonly string[];
}

function gateSuite(result: RunResult): Suite {
  const { outcomes, failed, inconclusive } = judge(result);
  const name = result.scenario.name;
  const broken = result.policies.flatMap((policy) =>
    policy.replications.flatMap((one) =>
      one.checks
        .filter((check) => !check.passed)
        .map((check) =>
          errorCase(name, `check: ${check.name} {policy="${policy.policy}", seed=${one.seed}}`, check.detail),
        ),
    ),
  );
  const cases = outcomes.map((outcome) => gateCase(name, outcome));
  return {
    name,
    tests: cases.length + broken.length,
    failures: failed,
    errors: broken.length,
    skipped: inconclusive,
    cases: [...cases, ...broken],
  };
}

const LOSS_KINDS = { failed: 'failure', unknown: 'skipped', passed: null } as const;

function lossSuite({ scenario, policies }: LossReport): Suite {
  const judged = policies.flatMap(({ policy, losses }) =>
    losses.map((row) => ({ name: `${lossName(row)} {policy="${policy}"}`, row, kind: LOSS_KINDS[lossVerdict(row)] })),
  );
  const count = (kind: 'failure' | 'skipped'): number => judged.filter((one) => one.kind === kind).length;
  const name = `${scenario.name}: losses`;
  return {
    name,
    ...{ tests: judged.length, failures: count('failure'), errors: 0, skipped: count('skipped') },
    cases: judged.map(({ name: one, row, kind }) => {
      const open = `<testcase classname="${escapeXml(name)}" name="${escapeXml(one)}">`;
      const text = escapeXml(lossMessage(row));
      const inner = kind === null ? `<system-out>${text}</system-out>` : `<${kind} message="${text}"/>`;
      return `${open}${inner}</testcase>`;
    }),
  };
}

function lossMessage(row: LossRow): string {
  const budget = row.errorBudgetPercent === null ? absent : `${formatNumber(row.errorBudgetPercent)}%`;
  return [
    `goodput kept ${keptText(row)}`,
    `recovery ${recoveryText(row)}`,
    `${budget} of the error budget of a month`,
    `p95 ${formatMs(row.p95BeforeMs)} before, ${formatMs(row.p95AfterMs)} after`,
  ].join('; ');
}

function errorSuite(name: string, error: string): Suite {
  return { name, tests: 1, failures: 0, errors: 1, skipped: 0, cases: [errorCase(name, 'scenario', error)] };
}

function errorCase(suite: string, name: string, error: string): string {
  return `<testcase classname="${escapeXml(suite)}" name="${escapeXml(name)}"><error message="${escapeXml(error)}"/></testcase>`;
}

function gateCase(suite: string, outcome: GateOutcome): string {
  const place = ` file="${escapeXml(outcome.file)}" line="${outcome.line}"`;
  const open = `<testcase classname="${escapeXml(suite)}" name="${escapeXml(`${outcome.text} {policy="${outcome.policy}"}`)}"${place}`;
  if (outcome.verdict === 'passed') return `${open}/>`;
  const kind = outcome.verdict === 'failed' ? 'failure' : 'skipped';
  return `${open}><${kind} message="${escapeXml(messageOf(outcome))}"/></testcase>`;
}

function messageOf({ text, shownValue, shownInterval, reason, seedsNeeded }: GateOutcome): string {
  const measured =
    shownValue === '' ? [] : [shownInterval === '' ? shownValue : `${shownValue}, 95% interval ${shownInterval}`];
  const seeds = seedsNeeded === null ? [] : [`needs about ${seedsNeeded} seeds`];
  return [...measured, `gate ${text}`, ...(reason === null ? [] : [reason]), ...seeds].join('; ');
}

function countAttributes({ tests, failures, errors, skipped }: Counts): string {
  return ` tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

/** XML 1.0 cannot hold most control characters or lone surrogates, not even escaped: they become the replacement mark. */
function escapeXml(text: string): string {
  return text
    .replace(/[\p{Cs}\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/gu, '\uFFFD')
    .replace(/[&<>"'\t\n\r]/gu, (character) => `&#${character.charCodeAt(0)};`);
}
