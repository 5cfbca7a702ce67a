/**
 * What the model needs to know of one Service, from the snapshot: who offers how much, how long a request keeps a server
 * of each zone busy, and what the wire between two zones costs.
 *
 * Demand is what callers offered: what was refused counts. CPU only serves to learn the time of one request,
 *
 *     S_j = (CPU time of zone j + 200 s0) / (requests answered there + 200),   s0 the same ratio over all zones,
 *
 * since CPU reads 100 % at demand of 1.0 and of 2.5, but its quotient with the answers stays right. A slow zone shows up
 * in S_j and is relieved without a rule of its own. The capacity of a pod is what utilisation is measured against.
 */
import { nameKey, type ClusterView, type WorkloadView } from '../cluster-view.js';
import { zoneOfKey } from '../destination-rules.js';
import type { EngineConfig } from '../types.js';
import { podBasis } from '../utilization.js';
import type { Problem } from './problem.js';

/** Answers that count as the mean of all zones, so that a zone with few answers has no service time of its own. */
const PRIOR_ANSWERS = 200;

export interface ServiceSignals {
  /** Requests/s offered, by source zone; zones that offer nothing are not in it. */
  readonly demand: ReadonlyMap<string, number>;
  /** By zone that holds pods of the Service. */
  readonly zones: ReadonlyMap<string, ZoneSignals>;
  /** Over all zones; null when neither this window nor the memory knows it. */
  readonly cpuMsPerRequest: number | null;
  readonly bytesPerRequest: number;
}

export interface ZoneSignals {
  /** CPU time of one request, shrunk towards the mean of all zones. */
  readonly cpuMsPerRequest: number;
  /** What one pod counts as all of its CPU. */
  readonly coresPerPod: number;
  /** Requests/s answered; null where the snapshot does not say. */
  readonly answeredPerSecond: number | null;
  /** CPU used over that of all its pods with figures; null without any. */
  readonly utilization: number | null;
}

/** @param remembered CPU time of a request that an earlier step learned */
export function serviceSignals(
  view: ClusterView,
  members: readonly WorkloadView[],
  config: EngineConfig,
  remembered: number | null,
): ServiceSignals {
  const sums = zoneSums(view, members, config);
  const told = [...sums.values()].some(({ answered }) => answered !== null);
  let cpu = 0;
  let answered = 0;
  for (const zone of sums.values()) {
    cpu += zone.usedCores * 1000;
    answered += zone.answered ?? 0;
  }
  const served = told ? answered : edgeRate(members);
  const measured = served > 0 && cpu > 0 ? cpu / served : null;
  const mean = measured ?? remembered;

  const window = config.balancer.model.rateWindowSeconds;
  const zones = new Map<string, ZoneSignals>();
  for (const [name, zone] of sums) {
    const own = told ? (zone.answered ?? 0) : 0;
    const used = told && own > 0 ? zone.usedCores * 1000 * window : 0;
    zones.set(name, {
      cpuMsPerRequest: mean === null ? 0 : (used + PRIOR_ANSWERS * mean) / (own * window + PRIOR_ANSWERS),
      coresPerPod: zone.pods > 0 && zone.cores > 0 ? zone.cores / zone.pods : 1,
      answeredPerSecond: told ? own : null,
      utilization: zone.measuredCores > 0 ? zone.usedCores / zone.measuredCores : null,
    });
  }
  return {
    demand: offeredRates(view, members),
    zones,
    cpuMsPerRequest: mean,
    bytesPerRequest: meanBytes(members) ?? config.balancer.model.bytesPerRequest,
  };
}

/** The problem of the Service with so many pods in each place; `leastPercent` by source and place. */
export function serviceProblem(
  view: ClusterView,
  signals: ServiceSignals,
  sources: readonly string[],
  pods: ReadonlyMap<string, number>,
  leastPercent: Float64Array,
  config: EngineConfig,
): Problem {
  const { model } = config.balancer;
  const places = [...pods.keys()];
  const cores = places.map((zone) => signals.zones.get(zone)?.coresPerPod ?? meanCores(signals));
  const concurrency = model.podConcurrency > 0 ? model.podConcurrency : Math.max(...cores);
  return {
    sources: sources.length,
    places: places.length,
    demand: Float64Array.from(sources, (zone) => signals.demand.get(zone) ?? 0),
    pods: Float64Array.from(pods.values()),
    serviceMs: Float64Array.from(places, (zone, j) => {
      const cpuMs = signals.zones.get(zone)?.cpuMsPerRequest ?? signals.cpuMsPerRequest ?? 0;
      return (cpuMs * concurrency) / cores[j]!;
    }),
    concurrency,
    wireMs: Float64Array.from(
      sources.flatMap((from) => places.map((to) => wireMs(view, from, to, signals.bytesPerRequest, config))),
    ),
    leastPercent,
    weights: model,
  };
}

/** Milliseconds that one would give for not having to go from one zone to the other. */
export function wireMs(view: ClusterView, from: string, to: string, bytes: number, config: EngineConfig): number {
  const { transferWeight, crossZoneUsdPerGb, crossRegionUsdPerGb } = config.balancer.model;
  const rtt = view.trips.betweenZones(from, to);
  if (from === to) return rtt;
  const region = (zone: string): string => view.zones.get(zone)?.region ?? zone.split('/')[0]!;
  const usdPerGb = region(from) === region(to) ? crossZoneUsdPerGb : crossRegionUsdPerGb;
  // A million requests of so many bytes are a thousandth as many GB.
  return rtt + (transferWeight * bytes * usdPerGb) / 1000;
}

/** Of one pod, over the zones: for one that has no pods yet. */
export function meanCores({ zones }: ServiceSignals): number {
  let sum = 0;
  for (const { coresPerPod } of zones.values()) sum += coresPerPod;
  return zones.size > 0 ? sum / zones.size : 1;
}

interface ZoneSums {
  pods: number;
  cores: number;
  usedCores: number;
  measuredCores: number;
  answered: number | null;
}

function zoneSums(
  view: ClusterView,
  members: readonly WorkloadView[],
  config: EngineConfig,
): ReadonlyMap<string, ZoneSums> {
  const sums = new Map<string, ZoneSums>();
  const of = (zone: string): ZoneSums => {
    let sum = sums.get(zone);
    if (!sum) sums.set(zone, (sum = { pods: 0, cores: 0, usedCores: 0, measuredCores: 0, answered: null }));
    return sum;
  };
  for (const { pods, workload, responseTimes } of members) {
    for (const pod of pods) {
      const node = pod.node === null ? undefined : view.nodes.get(pod.node);
      if (!node) continue;
      const sum = of(node.zone);
      const cores = podBasis(pod, workload, config).cpuMillicores / 1000;
      sum.pods++;
      sum.cores += cores;
      if (pod.usage === null || !Number.isFinite(pod.usage.cpuMillicores)) continue;
      sum.usedCores += pod.usage.cpuMillicores / 1000;
      sum.measuredCores += cores;
    }
    for (const { node, requestsPerSecond } of responseTimes) {
      const zone = view.nodes.get(node)?.zone;
      if (zone === undefined || requestsPerSecond === undefined || !(requestsPerSecond >= 0)) continue;
      const sum = sums.get(zone);
      if (sum) sum.answered = (sum.answered ?? 0) + requestsPerSecond;
    }
  }
  return sums;
}

function offeredRates(view: ClusterView, members: readonly WorkloadView[]): Map<string, number> {
  const rates = new Map<string, number>();
  const add = (zone: string, rate: number): void => {
    if (zoneOfKey(zone) === zone && rate > 0 && Number.isFinite(rate)) rates.set(zone, (rates.get(zone) ?? 0) + rate);
  };
  const { namespace, service } = members[0]!.workload;
  const offered = service === null ? undefined : view.offered.get(nameKey(namespace, service));
  if (offered) for (const { sourceZone, requestsPerSecond } of offered) add(sourceZone, requestsPerSecond);
  else {
    for (const { callers } of members) {
      for (const { sourceZone, requestsPerSecond } of callers) add(sourceZone, requestsPerSecond);
    }
  }
  return rates;
}

function edgeRate(members: readonly WorkloadView[]): number {
  let sum = 0;
  for (const { callers } of members) {
    for (const { requestsPerSecond } of callers) if (Number.isFinite(requestsPerSecond)) sum += requestsPerSecond;
  }
  return sum;
}

/** Null where no edge tells bytes. */
function meanBytes(members: readonly WorkloadView[]): number | null {
  let bytes = 0;
  for (const { callers } of members) {
    for (const { bytesPerSecond } of callers) if (bytesPerSecond > 0) bytes += bytesPerSecond;
  }
  const rate = edgeRate(members);
  return bytes > 0 && rate > 0 && Number.isFinite(bytes) ? bytes / rate : null;
}
