/**
 * How well a simulation reproduces a recording: one row for every figure that was measured, with the error, the tolerance
 * asked, and for each miss a word on who is to blame: the model, a saturated system, or a measurement that cannot tell.
 *
 * Measured figures are taken over the steps outside fault windows: means of rates and CPU; of latency quantiles the median
 * over the steps. A recorded quantile that was read from Envoy's buckets is compared with the simulated latency read from
 * the same buckets: a straight line over 100..250 ms is no p50, but two such lines are alike.
 *
 * The score is one number to watch: the mean of the median absolute relative errors of rates, CPU and latencies (so that
 * one kind being wrong shows, however many rows the others have). 0 is perfect, 0.1 is good, a permuted trace is near 1.
 */
import { envoyBucketOf, envoyBoundsMs } from './envoy-buckets.js';
import { healthyPoints, type RecordedSeries, type Recording } from './recording.js';

export interface LatencyQuantiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface SimulatedService {
  readonly requestsPerSecond: number;
  /** Simulated work only; idle CPU is added here from `idleMillicores`. Null: not simulated. */
  readonly cpuMillicores: number | null;
  /** From arrival at the pod to the reply, in milliseconds: exact, and read through Envoy's buckets. */
  readonly latencyMs: LatencyQuantiles;
  readonly bucketedLatencyMs: LatencyQuantiles;
}

export type SimulatedFigures = ReadonlyMap<string, SimulatedService>;

export type FidelityFigure = 'requestRate' | 'cpu' | 'p50' | 'p90' | 'p95' | 'p99';
export type FidelityVerdict = 'pass' | 'miss' | 'not asked';
export type MissCause = 'model' | 'saturated' | 'measurement';

export interface FidelityRow {
  readonly service: string;
  readonly figure: FidelityFigure;
  readonly unit: '/s' | 'm' | 'ms';
  readonly measured: number;
  /** Standard error of the measured figure over the steps it comes from. */
  readonly measuredError: number;
  readonly simulated: number;
  /** (simulated - measured) / measured, in percent. */
  readonly errorPercent: number;
  /** Null where no tolerance is asked. */
  readonly tolerancePercent: number | null;
  readonly verdict: FidelityVerdict;
  /** Set on each miss, and on rows beyond 25 % that nobody asked for. */
  readonly cause: MissCause | null;
  readonly word: string;
}

export interface FidelityTable {
  readonly rows: readonly FidelityRow[];
  readonly passed: number;
  readonly missed: number;
  /** Median absolute relative error by kind (null without rows), and the mean of the three. */
  readonly medianError: { readonly rates: number | null; readonly cpu: number | null; readonly latency: number | null };
  readonly score: number;
  readonly healthySteps: number;
  readonly steps: number;
}

export const fidelityTolerancePercent = { requestRate: 3, cpu: 15, entryLatency: 25 } as const;

const quantileFigures = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
] as const;

/** CPU in percent of the limit from which throttling is constant and latency no longer follows from demand. */
const saturatedPercent = 90;

export function fidelityTable(
  replayPart: Recording,
  simulated: SimulatedFigures,
  idleMillicores: Readonly<Record<string, number>>,
): FidelityTable {
  const mask = healthyPoints(replayPart);
  const healthyShare = healthyRateShare(replayPart, mask);
  const rows = replayPart.services.flatMap((service) => {
    const figures = simulated.get(service);
    if (figures === undefined) return [];
    const context = { replayPart, mask, service, saturated: isSaturated(replayPart, service, mask) };
    return [
      ...levelRow(context, 'requestRate', figures.requestsPerSecond * healthyShare),
      ...(figures.cpuMillicores === null
        ? []
        : levelRow(context, 'cpu', figures.cpuMillicores + (idleMillicores[service] ?? 0))),
      ...quantileFigures.flatMap(([figure, quantile]) => latencyRow(context, figure, quantile, figures)),
    ];
  });
  const medianError = {
    rates: medianAbsolute(rows.filter((row) => row.figure === 'requestRate')),
    cpu: medianAbsolute(rows.filter((row) => row.figure === 'cpu')),
    latency: medianAbsolute(rows.filter((row) => row.unit === 'ms')),
  };
  const kinds = Object.values(medianError).filter((value): value is number => value !== null);
  return {
    rows,
    passed: rows.filter((row) => row.verdict === 'pass').length,
    missed: rows.filter((row) => row.verdict === 'miss').length,
    medianError,
    score: kinds.length === 0 ? Number.POSITIVE_INFINITY : kinds.reduce((sum, value) => sum + value, 0) / kinds.length,
    healthySteps: mask.filter(Boolean).length,
    steps: mask.length,
  };
}

interface RowContext {
  readonly replayPart: Recording;
  readonly mask: readonly boolean[];
  readonly service: string;
  readonly saturated: boolean;
}

function levelRow(context: RowContext, figure: 'requestRate' | 'cpu', simulated: number): FidelityRow[] {
  const values = healthyValues(wholeSeries(context, figure, null), context.mask);
  const measured = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 0 || measured === 0) return [];
  const measuredError = deviation(values) / Math.sqrt(values.length);
  return [
    judge(context, { figure, unit: figure === 'cpu' ? 'm' : '/s', measured, measuredError, simulated, bucketed: null }),
  ];
}

function latencyRow(
  context: RowContext,
  figure: 'p50' | 'p90' | 'p95' | 'p99',
  quantile: number,
  figures: SimulatedService,
): FidelityRow[] {
  const series = wholeSeries(context, 'latency', quantile);
  const values = healthyValues(series, context.mask).sort((left, right) => left - right);
  const measured = middle(values);
  const bucketed = series?.buckets === 'envoy';
  const simulated = (bucketed ? figures.bucketedLatencyMs : figures.latencyMs)[figure];
  if (measured === null || measured === 0 || simulated === null) return [];
  // The standard error of a median is 1.2533 times that of a mean for values that scatter normally.
  const measuredError = (1.2533 * deviation(values)) / Math.sqrt(values.length);
  const exact = figures.latencyMs[figure];
  return [
    judge(context, { figure, unit: 'ms', measured, measuredError, simulated, bucketed: bucketed ? exact : null }),
  ];
}

function judge(
  context: RowContext,
  input: Pick<FidelityRow, 'figure' | 'unit' | 'measured' | 'measuredError' | 'simulated'> & {
    readonly bucketed: number | null;
  },
): FidelityRow {
  const { figure, unit, measured, measuredError, simulated } = input;
  const tolerancePercent = toleranceOf(context, input.figure);
  const errorPercent = (100 * (input.simulated - input.measured)) / input.measured;
  const within = Math.abs(errorPercent) <= (tolerancePercent ?? fidelityTolerancePercent.entryLatency);
  const verdict = tolerancePercent === null ? 'not asked' : within ? 'pass' : 'miss';
  const blame = within
    ? { cause: null, word: '' }
    : causeOf(context, input, tolerancePercent ?? fidelityTolerancePercent.entryLatency);
  return {
    service: context.service,
    figure,
    unit,
    measured,
    measuredError,
    simulated,
    errorPercent,
    tolerancePercent,
    verdict,
    ...blame,
  };
}

function toleranceOf(context: RowContext, figure: FidelityFigure): number | null {
  if (figure === 'requestRate' || figure === 'cpu') return fidelityTolerancePercent[figure];
  const asked = context.service === context.replayPart.entry && (figure === 'p50' || figure === 'p90');
  return asked ? fidelityTolerancePercent.entryLatency : null;
}

/** Who is to blame, asking first what would excuse the model: noise, buckets, faults; then saturation. */
function causeOf(
  context: RowContext,
  input: Pick<FidelityRow, 'figure' | 'unit' | 'measured' | 'measuredError' | 'simulated'> & {
    readonly bucketed: number | null;
  },
  tolerancePercent: number,
): { cause: MissCause; word: string } {
  const healthy = context.mask.filter(Boolean).length;
  if (healthy < context.mask.length / 10)
    return { cause: 'measurement', word: 'nearly all of the replayed time is a fault window' };
  const beyond = Math.abs(input.simulated - input.measured) - (tolerancePercent / 100) * input.measured;
  if (beyond <= 2 * input.measuredError) {
    const share = ((200 * input.measuredError) / input.measured).toFixed(1);
    return { cause: 'measurement', word: `the measured figure itself is only known to +-${share} %` };
  }
  if (input.bucketed !== null && envoyBucketOf(input.measured) === envoyBucketOf(input.bucketed)) {
    const bucket = envoyBucketOf(input.measured);
    const range = `${bucket === 0 ? 0 : envoyBoundsMs[bucket - 1]}..${envoyBoundsMs[bucket] ?? 'infinity'} ms`;
    return { cause: 'measurement', word: `both lie in one histogram bucket (${range})` };
  }
  if (context.saturated)
    return { cause: 'saturated', word: `the service ran above ${saturatedPercent} % of its CPU limit` };
  return { cause: 'model', word: modelWords[input.figure] };
}

const modelWords: Readonly<Record<FidelityFigure, string>> = {
  requestRate: 'model: calls per outside request differ from the part learned from',
  cpu: 'model: CPU per call (or its idle share) differs from the part learned from',
  p50: 'model: own times or order of calls differ',
  p90: 'model: own times or order of calls differ',
  p95: 'model: the tail of the own times differs',
  p99: 'model: the tail of the own times differs',
};

function wholeSeries(
  context: RowContext,
  role: RecordedSeries['role'],
  quantile: number | null,
): RecordedSeries | undefined {
  return context.replayPart.series.find(
    (series) =>
      series.role === role &&
      series.service === context.service &&
      series.source === null &&
      series.quantile === quantile,
  );
}

function isSaturated(replayPart: Recording, service: string, mask: readonly boolean[]): boolean {
  const percent = replayPart.series.find((series) => series.role === 'cpuPercentOfLimit' && series.service === service);
  const values = healthyValues(percent, mask);
  return values.length > 0 && values.reduce((sum, value) => sum + value, 0) / values.length >= saturatedPercent;
}

/** Mean entry rate outside fault windows over the mean of all: the simulation's means cover the whole part. */
function healthyRateShare(replayPart: Recording, mask: readonly boolean[]): number {
  const entry = replayPart.series.find(
    (series) => series.role === 'requestRate' && series.service === replayPart.entry && series.source === null,
  );
  const healthy = healthyValues(entry, mask);
  const all = healthyValues(
    entry,
    mask.map(() => true),
  );
  if (healthy.length === 0 || all.length === 0) return 1;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return mean(all) === 0 ? 1 : mean(healthy) / mean(all);
}

function healthyValues(series: RecordedSeries | undefined, mask: readonly boolean[]): number[] {
  return (series?.values ?? []).filter((value, index): value is number => value !== null && mask[index] === true);
}

function medianAbsolute(rows: readonly FidelityRow[]): number | null {
  return middle(rows.map((row) => Math.abs(row.errorPercent) / 100).sort((left, right) => left - right));
}

function middle(sorted: readonly number[]): number | null {
  if (sorted.length === 0) return null;
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
}
