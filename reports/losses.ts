/**
 * What each loss cost the users, worst first: a pure function of two series, of the run with the loss and of the run
 * without it on the same seed. Both see the same arrivals and demands, so that what differs is the loss's, even where
 * the load changes meanwhile: the run without it says what would have been normal at that moment.
 */
import type { ReplicationResult, RunSeries } from '../traces/run-result.js';
import { absent, clip, formatMs, formatNumber, formatSeconds, formatShare, printable, wrap } from './format.js';
import { stableJson } from './json.js';
import { paintOf, table, terminalCells } from './terminal.js';

export interface LossFigures {
  /** Succeeded requests over all that ended in the first five minutes of the loss, 0..1. */
  readonly goodputKept: number | null;
  /** From the loss to the end of its last trace; 0: it left none; null: not recovered within the run. */
  readonly recoverySeconds: number | null;
  /** The same, for failures alone. */
  readonly goodputRecoverySeconds: number | null;
  readonly failedRequests: number;
  /** Failed requests over those that a month may lose at the scenario's mean rate, percent. */
  readonly errorBudgetPercent: number | null;
  /** Medians of the p95 of each step: in the minute before the loss and in the five after it. */
  readonly p95BeforeMs: number | null;
  readonly p95AfterMs: number | null;
  /** Services whose disruption budget was broken for longer than without the loss; null: none has a budget. */
  readonly pdbViolations: number | null;
}

export interface LossRow extends LossFigures {
  readonly kind: 'zone' | 'node' | 'pair' | 'blackHole';
  readonly loss: string;
  /** The losses that this one stands for, itself first. */
  readonly alike: readonly string[];
}

export interface LossReport {
  readonly apiVersion: 'wavetank/v1alpha1';
  readonly kind: 'LossReport';
  readonly formatVersion: '1.0';
  readonly wavetankVersion: string;
  readonly scenario: { readonly name: string; readonly why: string; readonly file: string | null };
  readonly command: string;
  readonly seed: number;
  /** Share of the requests that must succeed, 0..1. */
  readonly sloShare: number;
  readonly meanRequestsPerSecond: number;
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
  /** Null: for good. */
  readonly lossSeconds: number | null;
  readonly policies: readonly {
    readonly policy: string;
    /** Black-hole drills made, one a route; null: not asked for. */
    readonly blackHoles: number | null;
    /** The same seconds without any loss. */
    readonly baseline: LossFigures;
    /** Worst first. */
    readonly losses: readonly LossRow[];
  }[];
}

export interface LossTerms {
  readonly atSeconds: number;
  readonly sloShare: number;
  readonly meanRequestsPerSecond: number;
}

const GOODPUT_SECONDS = 300;
const BEFORE_SECONDS = 60;
/** The month of error budgets: 30 days. */
const MONTH_SECONDS = 30 * 86_400;
/** Normal: p95 at most this share, failures at most a tenth of a point above the run without the loss. */
const P95_WITHIN = 0.1;
const FAILED_WITHIN = 0.001;

export function lossFigures(lost: ReplicationResult, baseline: ReplicationResult, terms: LossTerms): LossFigures {
  const { series } = lost;
  const { atSeconds, sloShare, meanRequestsPerSecond } = terms;
  const early = within(series, atSeconds, atSeconds + GOODPUT_SECONDS);
  const answered = sum(early, series.requestsPerSecond);
  const failedEarly = sum(early, series.failedPerSecond);
  const failed = sum(within(series, atSeconds, Infinity), series.failedPerSecond) * series.stepSeconds;
  const budget = (1 - sloShare) * meanRequestsPerSecond * MONTH_SECONDS;
  return {
    goodputKept: answered > 0 ? (answered - failedEarly) / answered : null,
    recoverySeconds: recoverySeconds(series, baseline.series, atSeconds, true),
    goodputRecoverySeconds: recoverySeconds(series, baseline.series, atSeconds, false),
    failedRequests: Math.round(failed),
    errorBudgetPercent: budget > 0 ? (Math.round(failed) / budget) * 100 : null,
    p95BeforeMs: median(within(series, atSeconds - BEFORE_SECONDS, atSeconds).flatMap((i) => series.p95Ms[i] ?? [])),
    p95AfterMs: median(early.flatMap((i) => series.p95Ms[i] ?? [])),
    pdbViolations: violations(lost, baseline),
  };
}

/** Least goodput first, then longest recovery (never is longest), then most failures, then as planned. */
export function worstFirst(rows: readonly LossRow[]): readonly LossRow[] {
  const last = (seconds: number | null): number => seconds ?? Infinity;
  return rows
    .map((row, index) => ({ row, index }))
    .sort(
      (a, b) =>
        compare(a.row.goodputKept ?? 2, b.row.goodputKept ?? 2) ||
        compare(last(b.row.recoverySeconds), last(a.row.recoverySeconds)) ||
        compare(b.row.failedRequests, a.row.failedRequests) ||
        a.index - b.index,
    )
    .map(({ row }) => row);
}

export function lossJson(report: LossReport): string {
  return `${stableJson(report, 1)}\n`;
}

export function lossText(report: LossReport, options: { readonly color: boolean }): string {
  const paint = paintOf(options.color);
  const rest = `seed ${report.seed}, ${formatNumber(report.meanRequestsPerSecond)} requests/s`;
  const lines = [`${paint.strong(clip(printable(report.scenario.name), 24))}   one loss at a time, ${rest}`];
  for (const { policy, baseline, losses } of report.policies) {
    const [head = '', ...body] = table([
      ['loss', 'goodput', 'recovery', 'budget', 'p95 before', 'after'],
      ...losses.flatMap((row) => rowsOf(lossName(row), row)),
      cells('(none)', baseline),
    ]);
    lines.push('', `  under ${paint.strong(clip(printable(policy), terminalCells - 8))}`, paint.faint(head), ...body);
  }
  const faint = lossNotes(report).flatMap((note) => wrap(note, terminalCells - 2));
  return `${[...lines, '', ...faint.map((line) => paint.faint(`  ${line}`))].join('\n')}\n`;
}

/** What the figures mean, and what the report does not hold. */
export function lossNotes(report: LossReport): string[] {
  const length = report.lossSeconds === null ? 'for good' : `for ${formatSeconds(report.lossSeconds)}`;
  return [
    `each lost ${length} after ${formatSeconds(report.beforeSeconds)}, watched for ${formatSeconds(report.afterSeconds)}`,
    `goodput: succeeded of all requests that ended in the first ${GOODPUT_SECONDS} s; what still waits shows in p95`,
    `budget: part spent of the errors that ${formatShare(report.sloShare, 2)} allows in 30 days; p95: median of steps`,
    'recovery: until p95 and failures are those of the run without the loss; never: not within the run',
    ...alikeNotes(report),
    ...blackHoleNotes(report),
    ...budgetNotes(report),
  ];
}

/** The users' lot stays worse than without the loss until the run ends. */
export function neverRecovers({ recoverySeconds }: LossFigures): boolean {
  return recoverySeconds === null;
}

/** The whole of a month's error budget. */
const WHOLE_BUDGET_PERCENT = 100;

/** Failed where users never recover, or where one loss spends more errors than a whole month may. */
export function lossVerdict(row: LossRow): 'passed' | 'failed' | 'unknown' {
  if (row.goodputKept === null) return 'unknown';
  return neverRecovers(row) || (row.errorBudgetPercent ?? 0) > WHOLE_BUDGET_PERCENT ? 'failed' : 'passed';
}

/** Rounded down, so that 100% means: none failed. */
export function keptText({ goodputKept }: LossFigures): string {
  if (goodputKept === null) return absent;
  return goodputKept === 1 ? '100%' : `${(Math.floor(goodputKept * 1e4) / 100).toFixed(2)}%`;
}

export function recoveryText(figures: LossFigures): string {
  return neverRecovers(figures) ? 'never' : formatSeconds(figures.recoverySeconds);
}

/** A pair takes two lines, as two names of nodes rarely fit into one. */
function rowsOf(name: string, figures: LossFigures): string[][] {
  const [first = '', ...others] = name.split(' + ');
  return [cells(first, figures), ...others.map((other) => [`  + ${other}`])];
}

function cells(name: string, figures: LossFigures): string[] {
  const { errorBudgetPercent, p95BeforeMs, p95AfterMs } = figures;
  return [
    name,
    keptText(figures),
    recoveryText(figures),
    errorBudgetPercent === null ? absent : `${formatNumber(errorBudgetPercent)}%`,
    formatMs(p95BeforeMs),
    formatMs(p95AfterMs),
  ];
}

function blackHoleNotes({ policies }: LossReport): string[] {
  if (policies.every(({ blackHoles }) => blackHoles === null)) return [];
  const without = policies.flatMap(({ policy, blackHoles }) => (blackHoles === 0 ? [printable(policy)] : []));
  const none = `black hole: not tried under ${without.join(', ')}: without a distribute route`;
  const made = policies.flatMap(({ losses }) => losses.filter(({ kind }) => kind === 'blackHole'));
  const back = made.filter(({ goodputRecoverySeconds }) => goodputRecoverySeconds !== null).length;
  return [
    ...(made.length > 0
      ? [
          'black hole: the pods of all zones that a route names are gone, and the engine is dead from then on; goodput ' +
            `recovered without it in ${back} of ${made.length}`,
        ]
      : []),
    ...(without.length > 0 ? [none] : []),
  ];
}

function violations(lost: ReplicationResult, baseline: ReplicationResult): number | null {
  const { budgets } = lost.faultTolerance;
  const before = new Map(baseline.faultTolerance.budgets.map(({ service, brokenSeconds }) => [service, brokenSeconds]));
  if (budgets.length === 0) return null;
  return budgets.filter(({ service, brokenSeconds }) => brokenSeconds > (before.get(service) ?? 0)).length;
}

function budgetNotes({ policies }: LossReport): string[] {
  const rows = policies.flatMap(({ losses }) => losses);
  if (rows.every(({ pdbViolations }) => pdbViolations === null)) return ['PDB violations: no service has a budget'];
  const broken = rows.filter(({ pdbViolations }) => (pdbViolations ?? 0) > 0);
  const [worst] = [...broken].sort((a, b) => b.pdbViolations! - a.pdbViolations!);
  return [
    `PDB violations: ${broken.length} of ${rows.length} losses leave a budget short of pods` +
      (worst ? `; ${lossName(worst)} breaks ${worst.pdbViolations}` : ''),
  ];
}

function alikeNotes({ policies }: LossReport): string[] {
  const some = policies.some(({ losses }) => losses.some(({ alike }) => alike.length > 1));
  return some ? ['N x: N nodes or pairs of one pool and zone that hold the same services, tried once'] : [];
}

export function lossName({ loss, alike }: LossRow): string {
  // In front, as a long name is cut at its end.
  return `${alike.length > 1 ? `${alike.length} x ` : ''}${printable(loss)}`;
}

function recoverySeconds(lost: RunSeries, baseline: RunSeries, atSeconds: number, withP95: boolean): number | null {
  const steps = lost.requestsPerSecond.map((_, i) => i);
  const failedShare = (series: RunSeries, i: number): number => {
    const answered = series.requestsPerSecond[i] ?? 0;
    return answered > 0 ? series.failedPerSecond[i]! / answered : 0;
  };
  const isSlow = (i: number): boolean => {
    const normal = baseline.p95Ms[i] ?? null;
    const p95 = lost.p95Ms[i] ?? null;
    // Too few answers for a p95 where normal running has them is a trace of the loss as well.
    return normal !== null && (p95 === null || p95 > normal * (1 + P95_WITHIN));
  };
  // The p95 of a single step is noisy: only two slow steps in a row count.
  const staysSlow = (i: number): boolean => isSlow(i) && (isSlow(i - 1) || isSlow(i + 1));
  const isBad = (i: number): boolean =>
    failedShare(lost, i) > failedShare(baseline, i) + FAILED_WITHIN || (withP95 && staysSlow(i));
  const lastBad = steps.filter((i) => i * lost.stepSeconds >= atSeconds && isBad(i)).at(-1);
  if (lastBad === undefined) return 0;
  return lastBad + 1 < steps.length ? (lastBad + 1) * lost.stepSeconds - atSeconds : null;
}

/** Steps whose middle lies in the time from..to. */
function within(series: RunSeries, fromSeconds: number, toSeconds: number): number[] {
  return series.requestsPerSecond.flatMap((_, i) => {
    const middle = (i + 0.5) * series.stepSeconds;
    return middle >= fromSeconds && middle < toSeconds ? [i] : [];
  });
}

function sum(steps: readonly number[], values: readonly number[]): number {
  return steps.reduce((total, i) => total + values[i]!, 0);
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
