/**
 * A model from spans: endpoints are the operations seen, the entry's endpoints are its request classes, calls and their
 * order come from the traces, own times from what is left of a visit when its calls are taken out. The gap between a
 * caller's client span and the visit counts as the callee's time (the request lies before a busy process or its proxy),
 * except for the part that even the fastest calls have, which is the round trip through network and proxies.
 *
 * A sample counts only when neither service involved was under a fault at that time; the structure of calls is kept even
 * then. Operations without a healthy sample take the quantiles that metrics recorded in healthy time.
 */
import type { Distribution } from '../../scenarios/types.js';
import type { Recording } from '../recording.js';
import { callStepsOf, keyOf, type CallStep } from './call-steps.js';
import { lessConstant, type LearnedModel, type ModelEndpoint } from './model.js';
import type { EdgeFanOut } from './rates.js';
import { recordedLatency } from './recorded-latency.js';
import { fitShares, requestClasses, type MeasuredRatio, type RequestClass } from './request-classes.js';
import { lawOfQuantiles, lawOfSamples, sortedQuantile } from './shape.js';
import { allVisits, visitTrees, type Visit } from './visits.js';

/** With fewer own times than this an operation has no shape to speak of; metrics know better. */
const minSamples = 10;

export interface SpanLearning {
  readonly model: LearnedModel;
  readonly classes: readonly {
    readonly endpoint: string;
    readonly description: string;
    readonly shareInSpans: number;
    readonly share: number;
  }[];
}

/** Null when the recording holds no trace that starts at the entry. */
export function modelFromSpans(
  recording: Recording,
  mask: readonly boolean[],
  ratios: readonly MeasuredRatio[],
  cpuMsOf: (service: string) => number,
): SpanLearning | null {
  const trees = visitTrees(recording.spans);
  const roots = trees.filter((visit) => visit.service === recording.entry);
  if (roots.length === 0) return null;
  const visits = allVisits(roots);
  const notices: string[] = [];
  if (roots.length < trees.length)
    notices.push(`${trees.length - roots.length} traces do not start at ${recording.entry} and are left out`);
  const healthyAt = faultFree(recording);
  const roundTripMs = fastestGap(visits, healthyAt);
  const classes = requestClasses(roots);
  const known = ratios.filter((ratio) => classes.some((entry) => entry.visitsByService.has(ratio.service)));
  const shares = fitShares(classes, known, roots.length);

  const ownTimes = (
    group: readonly Visit[],
    service: string,
  ): { law: Distribution; basis: string; beyondMs: number } => {
    const cpuMs = cpuMsOf(service);
    const healthy = group.filter((visit) => healthyAt([visit.service, visit.caller], visit.startMs));
    const samples = healthy.map((visit) => visit.ownMs + Math.max(0, (visit.gapMs ?? roundTripMs) - roundTripMs));
    if (samples.length >= minSamples || (samples.length > 0 && group[0]?.calls.length !== 0)) {
      const waits = samples.map((ms) => Math.max(0, ms - cpuMs));
      const beyond = samples.reduce((sum, ms) => sum + Math.max(0, cpuMs - ms), 0) / samples.length;
      return { law: lawOfSamples(waits), basis: `${samples.length} spans`, beyondMs: beyond };
    }
    const recorded = recordedLatency(recording, service, mask);
    const law = lawOfQuantiles(recorded.quantilesMs, recorded.meanMs);
    if (law === null) {
      notices.push(
        `${service}: all its spans lie in fault windows and no metric knows its latency; they are used as they are`,
      );
      return {
        law: lessConstant(lawOfSamples(group.map((visit) => visit.ownMs)), cpuMs * 1000),
        basis: 'spans under a fault',
        beyondMs: 0,
      };
    }
    const wait = lessConstant(law, cpuMs * 1000);
    const beyondMs = (wait.mean + cpuMs * 1000 - law.mean) / 1000;
    return {
      law: wait,
      basis: `recorded quantiles (${group.length} spans, ${samples.length} outside faults)`,
      beyondMs,
    };
  };

  const endpoint = (name: string, service: string, group: readonly Visit[]): ModelEndpoint => {
    const { law, basis, beyondMs } = ownTimes(group, service);
    return {
      name,
      wait: law,
      callSteps: callStepsOf(group).map((step) => toModelStep(step)),
      basis,
      meanOwnMs: law.mean / 1000 + cpuMsOf(service),
      cpuBeyondOwnMs: beyondMs,
    };
  };

  const endpoints = new Map<string, ModelEndpoint[]>();
  const put = (service: string, made: ModelEndpoint): void =>
    void endpoints.set(service, [...(endpoints.get(service) ?? []), made]);
  classes.forEach((entry, index) => put(recording.entry, endpoint(className(index), recording.entry, entry.visits)));
  const inner = groupByOperation(visits.filter((visit) => visit.caller !== null));
  for (const group of inner)
    put((group[0] as Visit).service, endpoint((group[0] as Visit).operation, (group[0] as Visit).service, group));

  const model: LearnedModel = {
    services: [...endpoints]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, list]) => ({ name, endpoints: list })),
    entries: classes.map((entry, index) => ({
      service: recording.entry,
      endpoint: className(index),
      perDriver: shares[index] as number,
      driver: recording.entry,
      description: entry.description,
    })),
    fanOut: fanOutOf(classes, shares),
    roundTripMs,
    notices,
  };
  const table = classes.map((entry, index) => ({
    endpoint: className(index),
    description: entry.description,
    shareInSpans: entry.shareInSpans,
    share: shares[index] as number,
  }));
  return { model, classes: table };
}

function className(index: number): string {
  return `class-${index + 1}`;
}

/** True for a time at which no fault window of any of the services (null: none) is open. */
function faultFree(recording: Recording): (services: readonly (string | null)[], timeMs: number) => boolean {
  return (services, timeMs) =>
    !recording.faults.some(
      (fault) => services.includes(fault.service) && timeMs >= fault.fromMs && timeMs <= fault.toMs,
    );
}

/** The lowest 10 % point of the gaps, over the edges: what a call costs when nobody is busy. 0 without client spans. */
function fastestGap(visits: readonly Visit[], healthyAt: ReturnType<typeof faultFree>): number {
  const byEdge = new Map<string, number[]>();
  for (const visit of visits) {
    if (visit.gapMs === null || !healthyAt([visit.service, visit.caller], visit.startMs)) continue;
    const key = `${visit.caller}\t${visit.service}`;
    byEdge.set(key, [...(byEdge.get(key) ?? []), visit.gapMs]);
  }
  const low = [...byEdge.values()]
    .filter((gaps) => gaps.length >= minSamples)
    .map((gaps) => sortedQuantile(Float64Array.from(gaps).sort(), 0.1));
  return low.length === 0 ? 0 : Math.min(...low);
}

function groupByOperation(visits: readonly Visit[]): Visit[][] {
  const groups = new Map<string, Visit[]>();
  for (const visit of visits) {
    const group = groups.get(keyOf(visit));
    if (group === undefined) groups.set(keyOf(visit), [visit]);
    else group.push(visit);
  }
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group);
}

function toModelStep(step: CallStep): ModelEndpoint['callSteps'][number] {
  const calls = step.groups.map((group) => ({
    service: group.service,
    endpoint: group.operation,
    probability: group.probability,
    count: group.count,
  }));
  return { calls, repeat: step.repeat };
}

/** Calls per request of the caller on every edge, with the fitted shares of the classes. */
function fanOutOf(classes: readonly RequestClass[], shares: readonly number[]): EdgeFanOut[] {
  const calls = new Map<string, number>();
  const received = new Map<string, number>();
  classes.forEach((entry, index) => {
    const weight = (shares[index] as number) / entry.visits.length;
    for (const visit of allVisits(entry.visits)) {
      received.set(visit.service, (received.get(visit.service) ?? 0) + weight);
      const key = `${visit.caller}\t${visit.service}`;
      if (visit.caller !== null) calls.set(key, (calls.get(key) ?? 0) + weight);
    }
  });
  return [...calls]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, count]) => {
      const [source, target] = key.split('\t') as [string, string];
      return {
        source,
        target,
        callsPerRequest: count / (received.get(source) as number),
        basis: 'spans' as const,
        note: null,
      };
    });
}
