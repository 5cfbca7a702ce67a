/**
 * The figures a simulation would give at low load, computed instead of simulated (see `predict.ts`). A fidelity table of
 * these says how good the learned model is before any queue, and stands beside the table of the real simulation.
 */
import type { Scenario } from '../../scenarios/types.js';
import { bucketedQuantile } from '../envoy-buckets.js';
import type { LatencyQuantiles, SimulatedFigures } from '../fidelity.js';
import { predictServices } from './predict.js';

export function predictedFigures(scenario: Scenario): SimulatedFigures {
  return new Map(
    predictServices(scenario).map(({ service, requestsPerSecond, cpuMillicores, latency }) => {
      const latencyMs = quantiles((q) => latency.quantileMs(q));
      const bucketedLatencyMs = quantiles((q) => bucketedQuantile(latency.bucketShares, q));
      return [
        service,
        { requestsPerSecond, cpuMillicores: cpuMillicores > 0 ? cpuMillicores : null, latencyMs, bucketedLatencyMs },
      ];
    }),
  );
}

function quantiles(at: (q: number) => number | null): LatencyQuantiles {
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
}
