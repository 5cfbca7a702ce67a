/**
 * A sweep as a table and as JSONL: one point for each assignment of parameters and policy. A point is on the Pareto front
 * when no other is at least as good in both p95 and cost and better in one; everything off the front can be left aside,
 * whatever latency is worth to the reader. The flag goes by the means: neighbours whose intervals overlap may trade places.
 */
import type { RunResult } from '../traces/run-result.js';
import { figuresOf, type Measure } from './figures.js';
import { absent, clip, formatNumber, printable } from './format.js';
import { stableJson } from './json.js';
import { estimate, type Estimate } from './statistics.js';
import { paintOf, table } from './terminal.js';

export type ParameterValue = string | number | boolean | null;

export interface SweepPoint {
  /** In the order of the sweep's axes. */
  readonly parameters: readonly { readonly path: string; readonly value: ParameterValue }[];
  readonly policy: string;
  readonly figures: Readonly<Record<SweepFigure, Estimate>>;
}

export interface RankedPoint extends SweepPoint {
  readonly pareto: boolean;
}

const measures = {
  meanMs: { statistic: 'mean', metric: 'latency', labels: {} },
  p95Ms: { statistic: 'p95', metric: 'latency', labels: {} },
  p99Ms: { statistic: 'p99', metric: 'latency', labels: {} },
  failedShare: { statistic: 'ratio', metric: 'failed', labels: {} },
  crossZoneShare: { statistic: 'ratio', metric: 'crossZone', labels: {} },
  costUsdPerHour: { statistic: 'total', metric: 'cost', labels: {} },
} as const satisfies Readonly<Record<string, Measure>>;

export type SweepFigure = keyof typeof measures;

/** The points of one run: one a policy. */
export function sweepPoints(parameters: SweepPoint['parameters'], result: RunResult): SweepPoint[] {
  return result.policies.map((policy) => ({
    parameters,
    policy: policy.policy,
    figures: Object.fromEntries(
      Object.entries(measures).map(([name, measure]) => [name, estimate(figuresOf(policy, measure))]),
    ) as Record<SweepFigure, Estimate>,
  }));
}

/** O(n log n): by rising cost, a point is on the front when its p95 is below all that cost less or as much. */
export function rankPoints(points: readonly SweepPoint[]): RankedPoint[] {
  const placed = points.flatMap((point, index) => {
    const [p95Ms, cost] = [point.figures.p95Ms.mean, point.figures.costUsdPerHour.mean];
    return p95Ms === null || cost === null ? [] : [{ index, p95Ms, cost }];
  });
  placed.sort((a, b) => a.cost - b.cost || a.p95Ms - b.p95Ms || a.index - b.index);
  const front = new Set<number>();
  let best: { p95Ms: number; cost: number } | null = null;
  for (const point of placed) {
    const twin = best !== null && point.p95Ms === best.p95Ms && point.cost === best.cost;
    if (best !== null && !twin && point.p95Ms >= best.p95Ms) continue;
    front.add(point.index);
    best = point;
  }
  return points.map((point, index) => ({ ...point, pareto: front.has(index) }));
}

/** One JSON object a line: parameters, policy, figures with their intervals, and the flag. */
export function sweepJsonl(points: readonly SweepPoint[]): string {
  const lines = rankPoints(points).map((point) =>
    stableJson({
      kind: 'SweepPoint',
      formatVersion: '1.0',
      parameters: Object.fromEntries(point.parameters.map(({ path, value }) => [path, value])),
      policy: point.policy,
      figures: Object.fromEntries(
        Object.entries(point.figures).map(([name, { mean, interval, seeds, reason }]) => [
          name,
          { mean, interval, seeds, reason },
        ]),
      ),
      pareto: point.pareto,
    }),
  );
  return lines.map((line) => `${line}\n`).join('');
}

export function sweepText(points: readonly SweepPoint[], options: { readonly color: boolean }): string {
  const paint = paintOf(options.color);
  const ranked = rankPoints(points);
  const paths = ranked[0]?.parameters.map(({ path }) => path) ?? [];
  const policies = new Set(ranked.map((point) => point.policy)).size > 1;
  const header = [
    '',
    ...paths.map((path) => lastKeys(path)),
    ...(policies ? ['policy'] : []),
    'mean ms',
    'p95 ms',
    '±',
    'p99 ms',
    'failed %',
    'x-zone %',
    'USD/h',
  ];
  const rows = ranked.map((point) => [
    point.pareto ? '*' : '',
    ...point.parameters.map(({ value }) => clip(printable(String(value)), 24)),
    ...(policies ? [clip(printable(point.policy), 20)] : []),
    shown(point.figures.meanMs),
    shown(point.figures.p95Ms),
    halfWidth(point.figures.p95Ms),
    shown(point.figures.p99Ms),
    shown(point.figures.failedShare, 100),
    shown(point.figures.crossZoneShare, 100),
    shown(point.figures.costUsdPerHour),
  ]);
  const [head = '', ...lines] = table([header, ...rows], '  ', 1 + paths.length + (policies ? 1 : 0));
  const body = lines.map((line, index) => (ranked[index]?.pareto === true ? paint.good(line) : line));
  return [
    paint.faint(head),
    ...body,
    '',
    '  * on the Pareto front of p95 and cost; ± half of the 95% interval of p95',
    '',
  ].join('\n');
}

/** `spec.policies.hpa.targetCpu` is told apart well enough by its last two keys. */
function lastKeys(path: string): string {
  return clip(printable(path.split('.').slice(-2).join('.')), 24);
}

function shown({ mean }: Estimate, factor = 1): string {
  return mean === null ? absent : formatNumber(mean * factor);
}

function halfWidth({ interval }: Estimate): string {
  return interval === null ? absent : formatNumber((interval.high - interval.low) / 2);
}
