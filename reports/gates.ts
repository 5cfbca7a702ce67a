/**
 * Judges every expectation of a run for every policy it holds for: passed when the whole 95 % interval keeps the limit,
 * failed when the whole interval breaks it, inconclusive when the limit lies inside (then: how many seeds it would take).
 * A limit relative to the baseline is judged on the paired differences a - (1 + change) b against the first policy, on
 * the same seeds. A figure that is missing makes a gate inconclusive with the reason, never passed.
 */
import { parseExpectation, type Gate, type Operator } from '../scenarios/expectations.js';
import type { PolicyResult, RunResult } from '../traces/run-result.js';
import { figuresOf } from './figures.js';
import { formatNumber, formatQuantity, signed } from './format.js';
import { formatDifference, formatInterval } from './terminal.js';
import {
  estimate,
  pairedDifference,
  pairedRatio,
  seedsNeeded,
  type Estimate,
  type Figures,
  type Interval,
} from './statistics.js';

export type Verdict = 'passed' | 'failed' | 'inconclusive';

export interface GateOutcome {
  readonly text: string;
  readonly policy: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly verdict: Verdict;
  /** In the base unit of the gate's quantity; for a relative gate the relative change (0.1 = 10 % more). */
  readonly value: number | null;
  readonly interval: Interval | null;
  /** `52.4 ms` and `[50.9, 54]` as printed; empty where there is none. */
  readonly shownValue: string;
  readonly shownInterval: string;
  /** Why it is not simply passed or failed by its interval; null otherwise. */
  readonly reason: string | null;
  readonly seedsNeeded: number | null;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly outcomes: readonly GateOutcome[];
}

/** Of many verdicts: failed beats inconclusive beats passed; no gates at all is passed. */
export function judge(result: RunResult): Judgement {
  const outcomes = result.expectations.flatMap((expectation) => {
    const { gate, problems } = parseExpectation(expectation.text);
    if (gate === null)
      throw new Error(`expectation "${expectation.text}" was not checked before the run: ${problems[0]?.message}`);
    const { file, line, column } = expectation;
    return judgeGate(gate, result.policies).map((outcome) => ({ ...outcome, file, line, column }));
  });
  const count = (verdict: Verdict): number => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const [passed, failed, inconclusive] = [count('passed'), count('failed'), count('inconclusive')];
  return {
    verdict: failed > 0 ? 'failed' : inconclusive > 0 ? 'inconclusive' : 'passed',
    passed,
    failed,
    inconclusive,
    outcomes,
  };
}

type Judged = Omit<GateOutcome, 'file' | 'line' | 'column'>;

function judgeGate(gate: Gate, policies: readonly PolicyResult[]): Judged[] {
  const relative = gate.limit?.value.kind === 'relative';
  const baseline = policies[0];
  const chosen = policies.filter((policy) =>
    gate.policy === null ? !relative || policy !== baseline : policy.policy === gate.policy,
  );
  if (chosen.length === 0 || baseline === undefined) {
    const policy = gate.policy ?? baseline?.policy ?? '';
    const reason =
      gate.policy !== null ? `policy ${gate.policy} was not run` : 'no second policy was run to compare with';
    return [undecided(gate, policy, null, reason)];
  }
  return chosen.map((policy) => {
    if (gate.limit === null) return judgeSurvival(gate, policy);
    const { operator, value } = gate.limit;
    if (value.kind === 'absolute') return judgeAbsolute(gate, policy, operator, value.value);
    return judgeRelative(gate, policy, baseline, operator, value.percent);
  });
}

function judgeSurvival(gate: Gate, policy: PolicyResult): Judged {
  const figures = figuresOf(policy, gate);
  if (figures.length === 0 || figures.includes(null))
    return undecided(gate, policy.policy, null, 'no replicas were recorded');
  const survived = figures.filter((figure) => figure === 1).length;
  return {
    ...blank(gate, policy.policy),
    verdict: survived === figures.length ? 'passed' : 'failed',
    value: survived / figures.length,
    shownValue: `${survived} of ${figures.length} seeds`,
  };
}

function judgeAbsolute(gate: Gate, policy: PolicyResult, operator: Operator, limit: number): Judged {
  const figures = figuresOf(policy, gate);
  const found = estimate(figures);
  if (gate.metric === 'recovery' && figures.includes(null)) return judgeUnrecovered(gate, policy, figures);
  if (found.mean === null) return undecided(gate, policy.policy, found, missingReason(gate, found));
  const shown = (value: number, extra: number): string => formatQuantity(value, gate.quantity, extra);
  const { verdict, margin } = decide(found.interval, operator, limit);
  const extra = digitsToTell(found.mean, limit, shown);
  return {
    ...blank(gate, policy.policy),
    verdict,
    value: found.mean,
    interval: found.interval,
    shownValue: shown(found.mean, extra),
    shownInterval: bracket(found.interval, found.mean, (value) => shown(value, extra)),
    reason: margin ?? (found.interval === null ? found.reason : null),
    seedsNeeded: verdict === 'inconclusive' ? seedsNeeded(found, limit) : null,
  };
}

/** A fault without recovery breaks every upper limit, whatever the other seeds say; without faults there is no figure. */
function judgeUnrecovered(gate: Gate, policy: PolicyResult, figures: Figures): Judged {
  const lost = policy.replications.filter((one) =>
    one.faultTolerance.faults.some((fault) => fault.recoverySeconds === null),
  );
  if (lost.length === 0) return undecided(gate, policy.policy, null, 'the scenario has no fault to recover from');
  const reason = `not recovered within the run in ${lost.length} of ${figures.length} seeds`;
  return { ...blank(gate, policy.policy), verdict: 'failed', reason };
}

function judgeRelative(
  gate: Gate,
  policy: PolicyResult,
  baseline: PolicyResult,
  operator: Operator,
  percent: number,
): Judged {
  if (policy === baseline) return undecided(gate, policy.policy, null, 'this policy is the baseline itself');
  const [own, base] = pairBySeed(policy, baseline, gate);
  if (own.length === 0) return undecided(gate, policy.policy, null, 'no seed was run under both policies');
  const factor = 1 + percent / 100;
  const difference = pairedDifference(
    own,
    base.map((figure) => (figure === null ? null : factor * figure)),
  );
  if (difference.mean === null) return undecided(gate, policy.policy, difference, missingReason(gate, difference));
  const { verdict, margin } = decide(difference.interval, operator, 0);
  const ratio = pairedRatio(own, base);
  const outcome = {
    ...blank(gate, policy.policy),
    verdict,
    reason: margin ?? (difference.interval === null ? difference.reason : null),
    seedsNeeded: verdict === 'inconclusive' ? seedsNeeded(difference, 0) : null,
  };
  if (ratio !== null) {
    const interval = { low: ratio.interval.low - 1, high: ratio.interval.high - 1 };
    const shown = (value: number): string => signed(`${formatNumber(value * 100)}%`);
    return {
      ...outcome,
      value: ratio.ratio - 1,
      interval,
      shownValue: shown(ratio.ratio - 1),
      shownInterval: bracket(interval, ratio.ratio - 1, shown),
    };
  }
  // No ratio can be given (the baseline may be 0): the plain difference still can.
  const plain = pairedDifference(own, base);
  const shown = (value: number): string => signed(formatDifference(value, gate.quantity));
  return {
    ...outcome,
    shownValue: `${shown(plain.mean ?? 0)} abs.`,
    shownInterval: bracket(plain.interval, plain.mean ?? 0, shown),
  };
}

/** Figures of both policies on the seeds they share, in the order of the first. */
export function pairBySeed(
  policy: PolicyResult,
  baseline: PolicyResult,
  measure: Parameters<typeof figuresOf>[1],
): [Figures, Figures] {
  const bySeed = new Map(baseline.replications.map((replication) => [replication.seed, replication]));
  const shared = policy.replications.filter((replication) => bySeed.has(replication.seed));
  const partners = shared.flatMap((replication) => bySeed.get(replication.seed) ?? []);
  return [
    figuresOf({ ...policy, replications: shared }, measure),
    figuresOf({ ...baseline, replications: partners }, measure),
  ];
}

function decide(
  interval: Interval | null,
  operator: Operator,
  limit: number,
): { verdict: Verdict; margin: string | null } {
  if (interval === null) return { verdict: 'inconclusive', margin: null };
  const keeps = (value: number): boolean => {
    if (operator === '<') return value < limit;
    if (operator === '<=') return value <= limit;
    return operator === '>' ? value > limit : value >= limit;
  };
  const [low, high] = [keeps(interval.low), keeps(interval.high)];
  if (low && high) return { verdict: 'passed', margin: null };
  if (!low && !high) return { verdict: 'failed', margin: null };
  return { verdict: 'inconclusive', margin: 'the limit lies inside the interval' };
}

/** Enough digits that a value off the limit is not printed as the limit (98.04 against 98). At most six more. */
function digitsToTell(value: number, limit: number, shown: (value: number, extra: number) => string): number {
  let extra = 0;
  while (extra < 6 && value !== limit && shown(value, extra) === shown(limit, extra)) extra++;
  return extra;
}

function bracket(interval: Interval | null, value: number, shown: (value: number) => string): string {
  return interval === null ? '' : formatInterval(interval, value, shown);
}

const unknownPrice = 'a price that it rests on is unknown: see pricePerHour and transfer of the scenario';

function missingReason(gate: Gate, found: Estimate): string {
  if (gate.metric === 'latency' && gate.statistic === 'p99') return `${found.reason}: p99 needs 1,000 requests a seed`;
  if (gate.metric === 'cost') return unknownPrice;
  if (gate.metric === 'goodput') return 'the scenario has no fault, or nothing arrived during it';
  return found.reason ?? 'the figure is missing';
}

function undecided(gate: Gate, policy: string, found: Estimate | null, reason: string): Judged {
  return { ...blank(gate, policy), value: found?.mean ?? null, reason };
}

function blank(gate: Gate, policy: string): Judged {
  return {
    text: gate.text,
    policy,
    verdict: 'inconclusive',
    value: null,
    interval: null,
    shownValue: '',
    shownInterval: '',
    reason: null,
    seedsNeeded: null,
  };
}
