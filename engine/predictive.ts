/**
 * Scales up ahead of what a workload's own past foresees (`forecast.ts`), off by default. A forecast only ever adds: it
 * raises the count before the demand comes, and keeps a removal from undoing that. What the present needs is decided
 * without it, and a forecast that is not clearly better than the last value is not acted on.
 */
import type { WorkloadView } from './cluster-view.js';
import { addDemand, MOST_WORKLOADS, samplesOf, slotOf, slotsPerSeason } from './demand-history.js';
import { forecast, type Forecast } from './forecast.js';
import { recall } from './memory.js';
import { figure } from './outcome.js';
import type { Refusal, ScalerContext, Wish } from './scaler.js';
import type { EngineConfig, Memory } from './types.js';
import { workloadUtilization } from './utilization.js';

/** The memory with the demand of now; workloads that do not report are left as they are. */
export function rememberDemand(
  memory: Memory,
  looked: readonly { readonly workload: WorkloadView; readonly config: EngineConfig }[],
  nowMs: number,
): Memory {
  const asked = looked.filter(({ config }) => config.scaler.predictive.enabled).slice(0, MOST_WORKLOADS);
  if (asked.length === 0) return memory;
  const after = asked.flatMap(({ workload, config }) => {
    const { key } = workload;
    const history = recall(memory.demandHistory, key) ?? undefined;
    const demand = workload.pods.length === 0 ? null : demandOf(workload, config);
    const next = demand === null ? history : addDemand(history, demand, nowMs, config.scaler.predictive);
    return next ? [[key, next] as const] : [];
  });
  return { ...memory, demandHistory: Object.fromEntries(after) };
}

/** In pods; null: unknown, or only known of some. */
function demandOf(workload: WorkloadView, config: EngineConfig): number | null {
  const utilization = workloadUtilization(workload, config);
  if ('missing' in utilization || utilization.percent === null || !Number.isFinite(utilization.percent)) return null;
  return (utilization.percent * utilization.measuredPods) / 100;
}

/** What is wanted when the forecast has been asked, too. */
export function withForecast(
  { nowMs, memory, config }: ScalerContext,
  workload: WorkloadView,
  most: number,
  wish: Wish | Refusal,
): Wish | Refusal {
  if (!config.scaler.predictive.enabled) return wish;
  // Only where the present has been judged, and does not ask for more by itself.
  if ('reason' in wish ? !OPEN.has(wish.reason) : wish.direction === 'up') return wish;
  const foreseen = foresee(memory, workload.key, nowMs, config);
  if ('refused' in foreseen) {
    return 'reason' in wish ? { ...wish, detail: `${wish.detail}; no forecast: ${foreseen.refused}` } : wish;
  }
  const { horizonSeconds } = config.scaler.predictive;
  const needed = Math.min(most, Math.ceil((100 * foreseen.value) / config.upperThresholdPercent - 1e-9));
  const because =
    `In ${figure(horizonSeconds)} s ${figure(foreseen.value)} pods' worth of ${config.metric} is foreseen (${foreseen.model}, ` +
    `within ${figure(foreseen.errorBand)} nine times of ten; off by ${figure(foreseen.meanError)} on its own past, the last value by ` +
    `${figure(foreseen.lastValueError)}), which takes ${needed} replicas at ${figure(config.upperThresholdPercent)} %.`;
  const { desiredReplicas } = workload.workload;
  if (needed > desiredReplicas) {
    const signals = {
      forecastModel: foreseen.model,
      forecastPods: foreseen.value,
      forecastErrorBandPods: foreseen.errorBand,
      forecastMeanErrorPods: foreseen.meanError,
      lastValueMeanErrorPods: foreseen.lastValueError,
      horizonSeconds,
    };
    const utilization = workloadUtilization(workload, config);
    const percent = 'missing' in utilization ? null : utilization.percent;
    return { direction: 'up', replicas: needed, because, percent, signals };
  }
  if ('reason' in wish || needed <= wish.replicas) return wish;
  if (needed === desiredReplicas) return { reason: 'forecastHolds', detail: `${wish.because} But ${because}` };
  return { ...wish, replicas: needed, because: `${wish.because} ${because}` };
}

const OPEN: ReadonlySet<string> = new Set(['withinThresholds', 'atMinReplicas']);

function foresee(
  memory: Memory,
  key: string,
  nowMs: number,
  config: EngineConfig,
): Forecast | { readonly refused: string } {
  const settings = config.scaler.predictive;
  const history = recall(memory.demandHistory, key);
  if (history === null) return { refused: 'there is no history' };
  const season = slotsPerSeason(settings);
  const steps = slotOf(nowMs + settings.horizonSeconds * 1000, settings) - history.slot + 1;
  if (steps < 1 || steps > season) return { refused: 'the history is too old' };
  return forecast(samplesOf(history), season, steps);
}
