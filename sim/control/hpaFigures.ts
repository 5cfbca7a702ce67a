/**
 * What the autoscaler's metrics read: CPU and memory as the metrics server last read them, requests and queues as
 * Prometheus last scraped them, by pod or summed over a service. Without Prometheus those last two cannot be read; a pod
 * that it has not scraped often enough has no figure, and a service without any such pod none either.
 *
 * Figures are cut to thousandths, as the Prometheus adapter hands them on.
 */
import type { HpaFigure, HpaMetricSpec } from '../../scenarios/types.js';
import { withAmounts, type HpaMetric, type HpaPod, type MetricPod } from '../cluster/hpa.js';
import { podRequests, sidecarRequests } from '../proxies.js';
import { leakedBytes } from './crashes.js';
import { isRunning } from './pods.js';
import { generationSeen, resourceCpu, scrapedMessages, scrapedQueueLength, servedPerSecond } from './sensors.js';
import type { Sim, SimPod, SimWorkload } from './state.js';

export function readMetrics(
  sim: Sim,
  workload: SimWorkload,
  metrics: readonly HpaMetricSpec[],
  nowUs: number,
): HpaMetric[] {
  return metrics.map((metric): HpaMetric => {
    switch (metric.type) {
      case 'Resource':
      case 'ContainerResource': {
        const { type, resource, target } = metric;
        const of = metric.type === 'Resource' ? 'pod' : metric.container;
        const podOf = resource === 'cpu' ? cpuPod : memoryPod;
        return { type, resource, target, pods: workload.pods.map((pod) => podOf(sim, pod, of, nowUs)) };
      }
      case 'Pods': {
        const { type, figure: name, averageAmount } = metric;
        const pods = sim.outages.prometheusDown
          ? null
          : workload.pods.map((pod) => figurePod(sim, pod, metric.figure, nowUs));
        return { type, name, averageAmount, pods };
      }
      case 'Object':
      case 'External': {
        const { type, figure: name, target } = metric;
        return { type, name, target, amount: serviceAmount(sim, metric.service, metric.figure, nowUs) };
      }
    }
  });
}

/** Running, and ready as the API has it. */
export function isHpaReady(pod: SimPod, nowUs: number): boolean {
  return isRunning(pod, nowUs) && pod.endpoint;
}

/** The whole pod, or one of its containers. */
type Part = 'pod' | 'app' | 'sidecar';

export function hpaPod(sim: Sim, pod: SimPod, of: Part, nowUs: number): HpaPod {
  const sample = pod.dead ? null : resourceCpu(sim.sensors, pod.slot, of);
  return {
    phase: isRunning(pod, nowUs) ? 'Running' : 'Pending',
    deleting: pod.deletedUs !== null,
    startedAtUs: pod.startedUs,
    readyCondition: pod.startedUs === null ? null : { ready: pod.endpoint, changedAtUs: pod.endpointChangedUs },
    cpuRequestMillicores: requestsOf(sim, pod, of).cpuMillicores,
    sample: sample && { cpuMillicores: sample.millicores, atUs: sample.atUs, windowUs: sample.windowUs },
  };
}

/** A pod has no sidecar where the loader refuses a metric of one. */
function requestsOf(
  sim: Sim,
  { workload: { service } }: SimPod,
  of: Part,
): { cpuMillicores: number; memoryBytes: number } {
  const { program } = sim.world;
  if (of === 'app') return program.services[service]!.requests;
  return of === 'pod' ? podRequests(program, service) : sidecarRequests(program)!;
}

function cpuPod(sim: Sim, pod: SimPod, of: Part, nowUs: number): MetricPod {
  return withAmounts(hpaPod(sim, pod, of, nowUs));
}

/** The metrics server shows a pod's memory as soon as it can show its CPU. */
function memoryPod(sim: Sim, pod: SimPod, of: Part, nowUs: number): MetricPod {
  const base = hpaPod(sim, pod, of, nowUs);
  const { sample } = base;
  const app = (atUs: number): number =>
    of === 'sidecar'
      ? 0
      : sim.world.program.services[pod.workload.service]!.memoryUseBytes + leakedBytes(sim, pod, atUs);
  // What a sidecar uses is not known here: all that it requests, as the bill has it.
  const sidecar = of === 'app' ? 0 : (sidecarRequests(sim.world.program)?.memoryBytes ?? 0);
  return {
    ...base,
    requestAmount: requestsOf(sim, pod, of).memoryBytes,
    sample: sample && {
      amount: Math.round(app(sample.atUs) + sidecar),
      atUs: sample.atUs,
      windowUs: sample.windowUs,
    },
  };
}

function figurePod(sim: Sim, pod: SimPod, figure: HpaFigure, nowUs: number): MetricPod {
  const value =
    pod.slot < 0 || pod.dead ? null : slotFigure(sim, pod.slot, sim.sensors.generation[pod.slot]!, figure, nowUs);
  return {
    ...hpaPod(sim, pod, 'pod', nowUs),
    requestAmount: 0,
    // Only the CPU of a pod asks when and over which time it was sampled.
    sample: value === null ? null : { amount: thousandths(value), atUs: nowUs, windowUs: 0 },
  };
}

/** A pod that has gone still has its share in the rate until the window has passed it, as in Prometheus. */
function serviceAmount(sim: Sim, declared: number, figure: HpaFigure, nowUs: number): number | null {
  if (sim.outages.prometheusDown) return null;
  const { podBase, podCapacity, program } = sim.world;
  const service = program.indexOf[declared]!;
  const queue = program.queueOf[service]!;
  if (queue >= 0) {
    const length = scrapedMessages(sim.sensors, queue);
    return length === null ? null : thousandths(length);
  }
  let total: number | null = null;
  for (let slot = podBase[service]!; slot < podBase[service]! + podCapacity[service]!; slot++) {
    const generation = generationSeen(sim.sensors, slot, askedAtUs(sim, nowUs), windowOf(sim));
    const value = generation === 0 ? null : slotFigure(sim, slot, generation, figure, nowUs);
    if (value !== null) total = (total ?? 0) + value;
  }
  return total === null ? null : thousandths(total);
}

function slotFigure(sim: Sim, slot: number, generation: number, figure: HpaFigure, nowUs: number): number | null {
  return figure === 'requests_per_second'
    ? servedPerSecond(sim.sensors, slot, generation, askedAtUs(sim, nowUs), windowOf(sim))
    : scrapedQueueLength(sim.sensors, slot);
}

/** Stale metrics are answered as they were at the last scrape. */
function askedAtUs(sim: Sim, nowUs: number): number {
  return sim.outages.metricsStale ? (sim.sensors.scrapes.at(-1)?.atUs ?? nowUs) : nowUs;
}

function windowOf(sim: Sim): number {
  return sim.world.program.scenario.run.rateWindowUs;
}

function thousandths(value: number): number {
  return Math.trunc(value * 1000);
}
