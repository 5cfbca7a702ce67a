/**
 * What learning finds out, before it is written down as a Scenario: services with endpoints, by name. Two ways lead here,
 * from spans (`model-from-spans.ts`) and from a graph with rates and latencies per service (`model-from-graph.ts`).
 */
import type { Distribution } from '../../scenarios/types.js';
import type { EdgeFanOut } from './rates.js';

export interface ModelCall {
  readonly service: string;
  readonly endpoint: string;
  readonly probability: number;
  readonly count: number;
}

export interface ModelEndpoint {
  readonly name: string;
  /** Time on the pod that is not CPU, before any call. Microseconds. */
  readonly wait: Distribution;
  readonly callSteps: readonly { readonly calls: readonly ModelCall[]; readonly repeat: 'sequential' | 'parallel' }[];
  /** How the own time was learned. */
  readonly basis: string;
  readonly meanOwnMs: number;
  /** Mean by which CPU time exceeds the own time (threads and proxies work beside the request); part of meanOwnMs. */
  readonly cpuBeyondOwnMs: number;
}

export interface ModelEntry {
  readonly service: string;
  readonly endpoint: string;
  /** Requests per request of the recorded rate that drives it. */
  readonly perDriver: number;
  /** The service whose recorded rate drives this load: an entry of the recording. */
  readonly driver: string;
  readonly description: string;
}

export interface LearnedModel {
  readonly services: readonly { readonly name: string; readonly endpoints: readonly ModelEndpoint[] }[];
  readonly entries: readonly ModelEntry[];
  readonly fanOut: readonly EdgeFanOut[];
  readonly roundTripMs: number;
  readonly notices: readonly string[];
}

/** The law with a constant taken off, not below zero. */
export function lessConstant(law: Distribution, constantUs: number): Distribution {
  if (constantUs === 0) return law;
  if (law.kind !== 'empirical') return { kind: 'constant', mean: Math.max(0, law.mean - constantUs) };
  const bounds = law.bounds.map((bound) => Math.max(0, bound - constantUs));
  const mean = law.weights.reduce(
    (sum, weight, index) => sum + (weight * ((bounds[index] as number) + (bounds[index + 1] as number))) / 2,
    0,
  );
  return { ...law, bounds, mean };
}
