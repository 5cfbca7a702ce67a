/**
 * The goal, judged on pairs: both sides met the same requests on every seed. A limit is met where the whole 95 % interval
 * lies within it, missed where the whole interval lies beyond, and open in between. Cost is compared per served request,
 * so that a policy that loses requests does not look cheap for it.
 */
import { estimate, pairedDifference, pairedRatio, type Interval } from '../../../reports/statistics.js';
import type { Figure, QualityFigures } from './figures.js';
import { NO_LOCALITY, PER_ZONE, PRIORITY } from './policies.js';

export type Verdict = 'met' | 'missed' | 'open';

export interface Judged {
  readonly criterion: Criterion;
  /** A ratio minus 1, or a share of failed requests. */
  readonly value: number | null;
  readonly interval: Interval | null;
  readonly verdict: Verdict;
}

export interface Criterion {
  readonly name: string;
  readonly figure: Figure;
  /** Policy that it is relative to; null: the figure itself. */
  readonly against: string | null;
  readonly limit: number;
}

export type CriterionName = 'p99' | 'failed' | 'cheaper' | 'perZone' | 'p99Priority' | 'costPriority';

export const GOAL: Readonly<Record<CriterionName, Criterion>> = {
  p99: { name: 'p99', figure: 'p99Ms', against: NO_LOCALITY, limit: 0.05 },
  failed: { name: 'failed', figure: 'avoidableShare', against: null, limit: 0.0005 },
  cheaper: { name: 'cost to off', figure: 'usdPerMillionServed', against: NO_LOCALITY, limit: -0.35 },
  perZone: { name: 'cost to per zone', figure: 'usdPerMillionServed', against: PER_ZONE, limit: 0.1 },
  p99Priority: { name: 'p99', figure: 'p99Ms', against: PRIORITY, limit: -0.7 },
  costPriority: { name: 'cost', figure: 'usdPerMillionServed', against: PRIORITY, limit: 0.03 },
};

/** Figures by policy, one entry per seed, all in the same order of seeds. */
export type CaseFigures = Readonly<Record<string, readonly QualityFigures[]>>;

/** Open too where either policy was not run. */
export function judge(figures: CaseFigures, policy: string, criterion: Criterion): Judged {
  const own = column(figures, policy, criterion.figure);
  if (criterion.against === null) {
    const { mean, interval } = estimate(own);
    return { criterion, value: mean, interval, verdict: verdictOf(interval, criterion.limit) };
  }
  const found = pairedRatio(own, column(figures, criterion.against, criterion.figure));
  if (found === null) return { criterion, value: null, interval: null, verdict: 'open' };
  const interval = { low: found.interval.low - 1, high: found.interval.high - 1 };
  return { criterion, value: found.ratio - 1, interval, verdict: verdictOf(interval, criterion.limit) };
}

export function column(figures: CaseFigures, policy: string, figure: Figure): (number | null)[] {
  return (figures[policy] ?? []).map((one) => one[figure]);
}

function verdictOf(interval: Interval | null, limit: number): Verdict {
  if (interval === null) return 'open';
  if (interval.high <= limit) return 'met';
  return interval.low > limit ? 'missed' : 'open';
}

export interface Loss {
  readonly policy: string;
  readonly against: string;
  readonly what: readonly string[];
}

/** Margins of the goal itself: less than this is not called a loss. */
const LOSSES: readonly { readonly what: string; readonly figure: Figure; readonly margin: number }[] = [
  { what: 'p99', figure: 'p99Ms', margin: 0.05 },
  { what: 'cost', figure: 'usdPerMillionServed', margin: 0.1 },
];
const FAILED_MARGIN = 0.0005;

/** Where a policy is surely worse than another by more than the goal allows. */
export function losses(figures: CaseFigures, policy: string, against: string): Loss | null {
  if (figures[policy] === undefined || figures[against] === undefined) return null;
  const what = LOSSES.flatMap(({ what, figure, margin }) => {
    const found = pairedRatio(column(figures, policy, figure), column(figures, against, figure));
    if (found === null || found.interval.low <= 1 + margin) return [];
    return [`${what} +${Math.round((found.ratio - 1) * 100)} %`];
  });
  const failed = pairedDifference(
    column(figures, policy, 'avoidableShare'),
    column(figures, against, 'avoidableShare'),
  );
  if (failed.interval !== null && failed.interval.low > FAILED_MARGIN) {
    what.push(`failed +${((failed.mean ?? 0) * 100).toFixed(2)} points`);
  }
  return what.length === 0 ? null : { policy, against, what };
}
