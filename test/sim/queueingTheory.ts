/**
 * Runs of the simulator beside queueing theory. Service times have a mean of 10 ms; theory speaks in units of it. A figure
 * is the mean over seeds; it must lie within four standard errors of the closed form (with 16 seeds a true figure misses
 * that once in 900 times), and the standard error must be small enough to mean something. Some 125 figures are compared, so
 * about one seed of ten raises a false alarm somewhere; a second seed tells.
 */
import type { ExecutionContext } from 'ava';
import type { Distribution, Scenario } from '../../scenarios/types.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import type { Queue } from '../models/closedForms.js';
import { aLoad, anEndpoint, aScenario, aService, cpu, exponential, meanAndMargin, runSeeds } from './builders.js';

export const MEAN_US = 10_000;
export const SEEDS = 16;
/** Student's t at 0.975 with 15 degrees of freedom, to turn the half width of an interval into a standard error. */
const T_15 = 2.131;

export interface Figures {
  readonly mean: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p95?: number;
  readonly p99?: number;
  readonly wait?: number;
}

/** What theory says of the responses; their p99 needs long runs, and may be left out. */
export function responses({ response, wait, responseQuantile }: Queue, p99 = true): Figures {
  const [p50, p90, p95] = [responseQuantile(0.5), responseQuantile(0.9), responseQuantile(0.95)];
  return { mean: response, wait, p50, p90, p95, ...(p99 && { p99: responseQuantile(0.99) }) };
}

/** Compares simulated response times (in mean service times) with the closed form. */
export function agrees(t: ExecutionContext, scenario: Scenario, expected: Figures, relativeError = 0.02): void {
  const runs = runSeeds(scenario, SEEDS);
  for (const [name, value] of Object.entries(expected) as [keyof Figures, number][]) {
    const figures = runs.map(({ total, services }) =>
      name === 'wait' ? services[0]!.waitMs! : total.latencyMs[name]!,
    );
    // A quantile is read from buckets 0.8 % wide, so it may be off by 0.4 % however long one runs.
    const readingError = name.startsWith('p') ? 0.004 * value : 0;
    isNear(
      t,
      name,
      figures.map((ms) => (ms * 1000) / MEAN_US),
      value,
      relativeError,
      readingError,
    );
  }
}

/** One figure of 16 seeds against its value. */
export function isNear(
  t: ExecutionContext,
  name: string,
  figures: readonly number[],
  value: number,
  relativeError = 0.02,
  readingError = 0,
): void {
  t.is(figures.length, SEEDS);
  const { mean, margin } = meanAndMargin(figures);
  const standardError = margin / T_15;
  t.true(standardError < relativeError * value, `${name}: standard error ${standardError} is too large to tell`);
  t.true(
    Math.abs(mean - value) <= 4 * standardError + readingError,
    `${name}: simulated ${mean} +- ${margin}, closed form ${value}`,
  );
}

/** A single service; `rho` of its capacity of one request per 10 ms and worker. */
export function queue(
  rho: number,
  workers: number,
  requests: number,
  law: Distribution = exponential(MEAN_US),
): Scenario {
  const perSecond = (rho * workers * 1e6) / MEAN_US;
  return aScenario({
    services: [aService({ workers, endpoints: [anEndpoint([cpu(law)])] })],
    loads: [aLoad(perSecond)],
    run: { durationUs: Math.ceil((requests / perSecond) * 1e6), warmUpUs: 30e6, seriesUs: 60e6 },
  });
}

/** One dispatcher (or several) in front of `pods` single-worker pods. */
export function balanced(
  pods: number,
  rho: number,
  requests: number,
  gateways = 1,
  algorithm = 'LEAST_REQUEST',
): Scenario {
  const perSecond = pods * rho * 100;
  const object = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'service' },
    spec: { host: 'service', trafficPolicy: { loadBalancer: { simple: algorithm } } },
  };
  const scenario = aScenario({
    gatewaysPerZone: gateways,
    services: [aService({ replicas: pods })],
    loads: [aLoad(perSecond)],
    run: { durationUs: Math.ceil((requests / perSecond) * 1e6), warmUpUs: 20e6, seriesUs: 60e6 },
  });
  return { ...scenario, mesh: { ...scenario.mesh, destinationRules: [{ service: 0, object }] } };
}

/** Mean response over the runs, in mean service times. */
export function meanResponse(runs: readonly ReplicationResult[]): number {
  return meanAndMargin(runs.map((run) => (run.total.latencyMs.mean! * 1000) / MEAN_US)).mean;
}
