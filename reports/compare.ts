/**
 * Two policies on the same seeds: what changed, by how much, and may one say so? Each row is a paired difference b - a
 * with its 95 % interval and one word:
 *
 *   same     the whole interval lies within a margin below which nobody would act,
 *   better   the whole interval lies below 0 (every row is a thing one wants less of),
 *   worse    the whole interval lies above 0,
 *   unclear  none of these: more seeds would tell.
 *
 * "same" comes first, so that a tiny but certain difference is not sold as an improvement. The sides may come from two
 * runs: only the seeds both have are used.
 */
import type { Quantity } from '../scenarios/expectations.js';
import type { PolicyResult, RunResult } from '../traces/run-result.js';
import { figureOf, type Measure } from './figures.js';
import {
  estimate,
  pairedDifference,
  pairedRatio,
  type Estimate,
  type Interval,
  type PairedEstimate,
} from './statistics.js';

export type Word = 'better' | 'worse' | 'same' | 'unclear';

export interface ComparedFigure {
  readonly name: string;
  readonly quantity: Quantity;
  readonly a: Estimate;
  readonly b: Estimate;
  readonly difference: PairedEstimate;
  /** mean(b) / mean(a) - 1 with its interval; null where it has none. */
  readonly relative: { readonly change: number; readonly interval: Interval } | null;
  /** Half width of what counts as the same, in the row's unit; null without a figure. */
  readonly margin: number | null;
  readonly word: Word;
}

export interface WorstSeed {
  readonly seed: number;
  readonly aP95Ms: number;
  readonly bP95Ms: number;
}

export interface Comparison {
  readonly a: string;
  readonly b: string;
  readonly seeds: readonly number[];
  readonly figures: readonly ComparedFigure[];
  /** Seeds on which b has the higher p95, largest loss first; at most five. */
  readonly worstSeeds: readonly WorstSeed[];
  readonly seedsLost: number;
  readonly notices: readonly string[];
}

export interface Side {
  readonly label: string;
  readonly policy: PolicyResult;
  /** Digest of the scenario, to say when the sides saw different worlds. */
  readonly scenarioDigest: string;
}

/** One policy of a run as a side. Throws on an unknown name: the caller has checked it against `result.policies`. */
export function sideOf(result: RunResult, policyName: string, label = policyName): Side {
  const policy = result.policies.find((one) => one.policy === policyName);
  if (policy === undefined) throw new Error(`the run has no policy "${policyName}"`);
  return { label, policy, scenarioDigest: result.scenario.digest };
}

export function compare(a: Side, b: Side): Comparison {
  const bySeed = new Map(b.policy.replications.map((one) => [one.seed, one]));
  const pairs = a.policy.replications.flatMap((left) => {
    const right = bySeed.get(left.seed);
    return right === undefined ? [] : [{ left, right }];
  });
  const figures = rows.map((row) =>
    compareFigures(
      row,
      pairs.map(({ left }) => figureOf(left, row.measure)),
      pairs.map(({ right }) => figureOf(right, row.measure)),
    ),
  );
  const losses = pairs
    .flatMap(({ left, right }) => {
      const [aP95Ms, bP95Ms] = [figureOf(left, p95), figureOf(right, p95)];
      return aP95Ms === null || bP95Ms === null || bP95Ms <= aP95Ms ? [] : [{ seed: left.seed, aP95Ms, bP95Ms }];
    })
    .sort((one, other) => other.bP95Ms - other.aP95Ms - (one.bP95Ms - one.aP95Ms) || one.seed - other.seed);
  return {
    a: a.label,
    b: b.label,
    seeds: pairs.map(({ left }) => left.seed),
    figures,
    worstSeeds: losses.slice(0, 5),
    seedsLost: losses.length,
    notices: noticesOf(a, b, pairs.length),
  };
}

interface Row {
  readonly name: string;
  readonly quantity: Quantity;
  readonly measure: Measure;
  readonly margin: { readonly relative: number } | { readonly absolute: number };
}

const p95: Measure = { statistic: 'p95', metric: 'latency', labels: {} };
/**
 * Margins of "same": 2 % of a latency and 1 % of a cost are below what clouds vary by from day to day; 0.01 points of
 * failures are one request in 10,000; one point of crossings moves a bill by less than 1 %. Half of these would call more
 * rows a difference, twice would hide changes that people roll out for.
 */
const latencyMargin = { relative: 0.02 };
const rows: readonly Row[] = [
  {
    name: 'mean',
    quantity: 'latencyMs',
    measure: { statistic: 'mean', metric: 'latency', labels: {} },
    margin: latencyMargin,
  },
  { name: 'p95', quantity: 'latencyMs', measure: p95, margin: latencyMargin },
  {
    name: 'p99',
    quantity: 'latencyMs',
    measure: { statistic: 'p99', metric: 'latency', labels: {} },
    margin: latencyMargin,
  },
  {
    name: 'failed',
    quantity: 'share',
    measure: { statistic: 'ratio', metric: 'failed', labels: {} },
    margin: { absolute: 0.0001 },
  },
  {
    name: 'cost',
    quantity: 'usdPerHour',
    measure: { statistic: 'total', metric: 'cost', labels: {} },
    margin: { relative: 0.01 },
  },
  {
    name: 'cost used',
    quantity: 'usdPerHour',
    measure: { statistic: 'total', metric: 'cost', labels: { part: 'attributed' } },
    margin: { relative: 0.01 },
  },
  {
    name: 'cross-zone',
    quantity: 'share',
    measure: { statistic: 'ratio', metric: 'crossZone', labels: {} },
    margin: { absolute: 0.01 },
  },
];

function compareFigures(
  row: Row,
  aFigures: readonly (number | null)[],
  bFigures: readonly (number | null)[],
): ComparedFigure {
  const [a, b] = [estimate(aFigures), estimate(bFigures)];
  const difference = pairedDifference(bFigures, aFigures);
  const ratio = pairedRatio(bFigures, aFigures);
  const margin =
    'absolute' in row.margin ? row.margin.absolute : a.mean === null ? null : Math.abs(a.mean) * row.margin.relative;
  return {
    name: row.name,
    quantity: row.quantity,
    a,
    b,
    difference,
    relative:
      ratio === null
        ? null
        : { change: ratio.ratio - 1, interval: { low: ratio.interval.low - 1, high: ratio.interval.high - 1 } },
    margin,
    word: wordOf(difference.interval, margin),
  };
}

export function wordOf(interval: Interval | null, margin: number | null): Word {
  if (interval === null || margin === null) return 'unclear';
  if (interval.low >= -margin && interval.high <= margin) return 'same';
  if (interval.high < 0) return 'better';
  return interval.low > 0 ? 'worse' : 'unclear';
}

function noticesOf(a: Side, b: Side, shared: number): string[] {
  const notices: string[] = [];
  const [aSeeds, bSeeds] = [a.policy.replications.length, b.policy.replications.length];
  if (shared === 0) notices.push('the two sides have no seed in common: nothing can be compared');
  else if (shared < aSeeds || shared < bSeeds) {
    notices.push(`only the ${shared} seeds that both sides have are used (${aSeeds} and ${bSeeds} were run)`);
  }
  if (shared === 1) notices.push('one seed gives no interval: run at least 2, better 5 or more');
  if (a.scenarioDigest !== b.scenarioDigest) {
    notices.push('the scenarios differ in more than the policy: the difference is that of both changes together');
  }
  return notices;
}
