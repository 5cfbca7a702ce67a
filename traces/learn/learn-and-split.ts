/**
 * Learns a scenario from one part of a recording and hands back the other part to compare with. Nothing of the replay
 * part reaches the scenario except the recorded rates of the entries, which are its load.
 */
import type { Scenario } from '../../scenarios/types.js';
import { cutRecording, findSeries, healthyPoints, type Recording, type TimeSpan } from '../recording.js';
import { learnCpu, type LearnedCpu } from './cpu.js';
import { modelFromGraph, visitsPerRequest } from './model-from-graph.js';
import { modelFromSpans, type SpanLearning } from './model-from-spans.js';
import { predictServices } from './predict.js';
import { callsPerEntryRequest, fanOutFromEdgeCounts, fanOutFromRates, ratesOf, type EdgeFanOut } from './rates.js';
import type { MeasuredRatio } from './request-classes.js';
import { toScenario } from './to-scenario.js';
import { bucketedQuantile } from '../envoy-buckets.js';

export interface LearnOptions {
  /** Null: as the mapping says, else the first half. */
  readonly learn: TimeSpan | null;
  /** Null: as the mapping says, else the second half. */
  readonly replay: TimeSpan | null;
  readonly seed: number;
}

export interface LearnedServiceRow {
  readonly service: string;
  /** Calls per request of the entry: as recorded in the part learned from, and as the scenario will make. */
  readonly recordedPerRequest: MeasuredRatio | null;
  readonly learnedPerRequest: number;
  readonly cpu: LearnedCpu | null;
  readonly endpoints: readonly {
    readonly endpoint: string;
    readonly basis: string;
    readonly meanOwnMs: number;
    readonly cpuBeyondOwnMs: number;
  }[];
}

export interface LearningReport {
  readonly learn: TimeSpan;
  readonly replay: TimeSpan;
  readonly healthySteps: number;
  readonly learnedSteps: number;
  readonly basis: 'spans' | 'edge counts' | 'rates';
  readonly fanOut: readonly EdgeFanOut[];
  readonly classes: SpanLearning['classes'];
  readonly services: readonly LearnedServiceRow[];
  readonly roundTripMs: number;
  /** Entry latency without queueing, in milliseconds by quantile: exact, and read through Envoy's buckets. */
  readonly predictedEntry: readonly {
    readonly quantile: number;
    readonly exactMs: number;
    readonly bucketedMs: number | null;
  }[];
  readonly notices: readonly string[];
}

export interface Learned {
  readonly scenario: Scenario;
  readonly replayPart: Recording;
  /** CPU in millicores that each service uses without any request; to be added to simulated CPU. */
  readonly idleMillicores: Readonly<Record<string, number>>;
  readonly report: LearningReport;
}

export function learnAndSplit(recording: Recording, options: LearnOptions): Learned {
  const { learn, replay } = partsOf(recording, options);
  const learnPart = cutRecording(recording, learn);
  const replayPart = cutRecording(recording, replay);
  const mask = healthyPoints(learnPart);
  const cpu = new Map<string, LearnedCpu>();
  for (const service of recording.services) {
    const learned = learnCpu(learnPart, service, mask);
    if (learned !== null) cpu.set(service, learned);
  }
  const cpuMsOf = (service: string): number => cpu.get(service)?.cpuMsPerCall ?? 0;
  const ratios = callsPerEntryRequest(learnPart, mask);
  const fromSpans = modelFromSpans(learnPart, mask, ratios, cpuMsOf);
  const model = fromSpans?.model ?? modelFromGraph(learnPart, mask, graphFanOut(learnPart, mask), cpuMsOf);
  const notices = [...generalNotices(learnPart, replayPart, mask), ...model.notices];
  const scenario = toScenario(model, { learnPart, replayPart, mask, cpu, notices }, options.seed);
  const entryPrediction = predictServices(scenario).find(({ service }) => service === recording.entry)?.latency;
  const perRequest = visitsPerRequest(recording.entry, model.fanOut);
  return {
    scenario,
    replayPart,
    idleMillicores: Object.fromEntries(
      recording.services.map((service) => [service, cpu.get(service)?.idleMillicores ?? 0]),
    ),
    report: {
      learn,
      replay,
      healthySteps: mask.filter(Boolean).length,
      learnedSteps: mask.length,
      basis: model.fanOut[0]?.basis ?? 'rates',
      fanOut: model.fanOut,
      classes: fromSpans?.classes ?? [],
      services: model.services.map((service) => ({
        service: service.name,
        recordedPerRequest: ratios.find((ratio) => ratio.service === service.name) ?? null,
        learnedPerRequest: perRequest.get(service.name) ?? 0,
        cpu: cpu.get(service.name) ?? null,
        endpoints: service.endpoints.map(({ name, basis, meanOwnMs, cpuBeyondOwnMs }) => ({
          endpoint: name,
          basis,
          meanOwnMs,
          cpuBeyondOwnMs,
        })),
      })),
      roundTripMs: model.roundTripMs,
      predictedEntry:
        entryPrediction === undefined
          ? []
          : [0.5, 0.9, 0.95, 0.99].map((quantile) => ({
              quantile,
              exactMs: entryPrediction.quantileMs(quantile),
              bucketedMs: bucketedQuantile(entryPrediction.bucketShares, quantile),
            })),
      notices,
    },
  };
}

function partsOf(recording: Recording, options: LearnOptions): { learn: TimeSpan; replay: TimeSpan } {
  const endMs = recording.startMs + recording.pointCount * recording.stepMs;
  const middleMs = recording.startMs + Math.floor(recording.pointCount / 2) * recording.stepMs;
  return {
    learn: options.learn ?? recording.split?.learn ?? { fromMs: recording.startMs, toMs: middleMs },
    replay: options.replay ?? recording.split?.replay ?? { fromMs: middleMs, toMs: endMs },
  };
}

/** Counted edges where there are any, else solved from rates. */
function graphFanOut(learnPart: Recording, mask: readonly boolean[]): EdgeFanOut[] {
  const counted = fanOutFromEdgeCounts(learnPart, (services) => healthyPoints(learnPart, services));
  return counted.length > 0 ? counted : fanOutFromRates(learnPart, mask);
}

function generalNotices(learnPart: Recording, replayPart: Recording, mask: readonly boolean[]): string[] {
  const notices = ['the recording does not say how many pods a service has: one each is assumed'];
  const healthy = mask.filter(Boolean).length;
  if (healthy < mask.length)
    notices.push(`${mask.length - healthy} of ${mask.length} steps lie in fault windows and are not learned from`);
  if (healthy === 0) notices.push('no step outside fault windows: rates, CPU and latencies could not be learned');
  const gaps = (ratesOf(replayPart, replayPart.entry) ?? []).filter((value) => value === null).length;
  if (gaps > 0)
    notices.push(`${gaps} steps of the entry rate are missing in the replay part and bridged by straight lines`);
  const unknown = learnPart.services.filter((service) => !findSeries(learnPart, 'cpu', service));
  if (unknown.length > 0)
    notices.push(
      `no CPU recorded for ${unknown.length} of ${learnPart.services.length} services: their calls cost none`,
    );
  return notices;
}
