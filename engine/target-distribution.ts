/**
 * Where the requests of each source should go, from where the replicas are, how far away, how loaded and how slow they
 * are. A place earns its share by replicas and loses some of it to distance, load and slowness:
 *
 *     weight(from, to) = (1 - min(0.9, rtt / sum of rtt over all edges))      the nearer the better
 *                      * (pods at `to` / all pods)
 *                      * (1 - min(0.9, load at `to` / mean load))             only below-average places gain
 *                      * (1 - penalty(p95 at `to`))
 *     penalty(p95)     = 0 up to the target, then min(0.9, 1 - 1 / (1 + ln(p95 / target)))
 *
 * An edge is a latency row from a source to a place that holds a pod: who calls with places only must list every pair
 * (`step` fills missing pairs in). Then, where the source itself holds at least as many pods as any other place, its own
 * share is raised to `minLocalShare`: the short way is not left for a rounding of load. Shares become whole percents by
 * largest remainder; an edge at 0 is dropped, since Istio refuses it.
 *
 * The formula is the inherited balancer's, in its later form (p95 penalty, floor only for well-staffed local places).
 * Known weakness, kept: every place at 90 % of the mean load or more looks the same.
 */
import { naturalLog } from './natural-log.js';
import { toPercents } from './percents.js';
import type { UtilizationMetric } from './types.js';

/** A pod as the balancer sees it. `node` may be any kind of place; null utilisation counts as the average. */
export interface PlacedPod {
  readonly name: string;
  readonly node: string;
  /** Fractions: 0.5 is half of the request. */
  readonly utilization: { readonly cpu: number; readonly memory: number } | null;
}

export interface LatencyRow {
  readonly from: string;
  readonly to: string;
  readonly rttMs: number;
}

export interface TargetSettings {
  readonly metric: UtilizationMetric;
  /** Any scale: only their ratio counts, and only for `cpu-memory`. */
  readonly cpuWeight: number;
  readonly memoryWeight: number;
  readonly responseTimeTargetMs: number;
  /** Share, 0 to 1. */
  readonly minLocalShare: number;
  /** Every place with a pod gets at least this many percent (rounded up); 0 when left out. */
  readonly minPlacePercent?: number;
}

export interface DistributionEdge {
  readonly from: string;
  readonly to: string;
  /** Whole, 1 to 100. */
  readonly percent: number;
}

/**
 * @param input pods, the places that send (`upstreamNodes`), round trips in ms (the first row of a pair counts), p95 in
 *   ms by place
 * @returns edges that sum to 100 per source and are never 0, sources in order of their first latency row; a source
 *   without an edge is absent, and the list is empty when there is nothing to share: then write nothing
 */
export function targetDistribution(input: {
  readonly pods: readonly PlacedPod[];
  readonly upstreamNodes: readonly string[];
  readonly latencies: readonly LatencyRow[];
  readonly p95ByNode: Readonly<Record<string, number>>;
  readonly settings: TargetSettings;
}): DistributionEdge[] {
  const floorPercent = Math.ceil(input.settings.minPlacePercent ?? 0);
  const result: DistributionEdge[] = [];
  for (const { from, ends, shares } of targetShares(input)) {
    const percents = toPercents(
      shares,
      ends.map(() => floorPercent),
    );
    ends.forEach((to, index) => {
      if (percents[index]! > 0) result.push({ from, to, percent: percents[index]! });
    });
  }
  return result;
}

/** The shares before they are rounded: real numbers that sum to 1 per source, or are all 0. */
export function targetShares(
  input: Parameters<typeof targetDistribution>[0],
): { from: string; ends: string[]; shares: number[] }[] {
  const { settings } = input;
  const places = describePlaces(input.pods, settings);
  const rows = edgesBySource(input.latencies, new Set(input.upstreamNodes), places);

  let totalRttMs = 0;
  for (const row of rows.values()) for (const rttMs of row.values()) totalRttMs += rttMs;

  return [...rows].map(([from, row]) => {
    const ends = [...row.keys()];
    const weights = ends.map((to) => {
      const place = places.get(to)!;
      const p95Ms = Object.hasOwn(input.p95ByNode, to) ? input.p95ByNode[to]! : null;
      const distance = totalRttMs > 0 ? row.get(to)! / totalRttMs : 0;
      return (
        (1 - capped(distance)) *
        (place.podCount / input.pods.length) *
        (1 - capped(place.loadRatio)) *
        (1 - responseTimePenalty(p95Ms, settings.responseTimeTargetMs))
      );
    });
    return { from, ends, shares: withLocalFloor(from, ends, weights, places, settings.minLocalShare) };
  });
}

interface PlaceLoad {
  readonly podCount: number;
  /** Mean load of the place over the mean load of all pods; 1 where unknown. */
  readonly loadRatio: number;
}

function describePlaces(pods: readonly PlacedPod[], settings: TargetSettings): Map<string, PlaceLoad> {
  const sums = new Map<string, { podCount: number; measured: number; load: number }>();
  let measured = 0;
  let load = 0;
  for (const pod of pods) {
    let sum = sums.get(pod.node);
    if (!sum) sums.set(pod.node, (sum = { podCount: 0, measured: 0, load: 0 }));
    sum.podCount++;
    const podLoad = pod.utilization === null ? null : loadOf(pod.utilization, settings);
    if (podLoad === null || !Number.isFinite(podLoad)) continue;
    sum.measured++;
    sum.load += podLoad;
    measured++;
    load += podLoad;
  }
  const mean = measured > 0 ? load / measured : 0;
  return new Map(
    [...sums].map(([node, sum]) => {
      const loadRatio = mean > 0 && sum.measured > 0 ? sum.load / sum.measured / mean : 1;
      return [node, { podCount: sum.podCount, loadRatio }];
    }),
  );
}

function loadOf(utilization: { readonly cpu: number; readonly memory: number }, settings: TargetSettings): number {
  if (settings.metric === 'cpu') return utilization.cpu;
  if (settings.metric === 'memory') return utilization.memory;
  const { cpu, memory } = normalizedWeights(settings);
  return cpu * utilization.cpu + memory * utilization.memory;
}

/** Weights as fractions of their sum, so that 50/50 and 0.5/0.5 are the same; two zeros count alike. */
export function normalizedWeights(settings: { readonly cpuWeight: number; readonly memoryWeight: number }): {
  cpu: number;
  memory: number;
} {
  const sum = settings.cpuWeight + settings.memoryWeight;
  return sum > 0 ? { cpu: settings.cpuWeight / sum, memory: settings.memoryWeight / sum } : { cpu: 0.5, memory: 0.5 };
}

function edgesBySource(
  latencies: readonly LatencyRow[],
  sources: ReadonlySet<string>,
  places: ReadonlyMap<string, PlaceLoad>,
): Map<string, Map<string, number>> {
  const rows = new Map<string, Map<string, number>>();
  for (const { from, to, rttMs } of latencies) {
    if (!sources.has(from) || !places.has(to) || !Number.isFinite(rttMs)) continue;
    let row = rows.get(from);
    if (!row) rows.set(from, (row = new Map<string, number>()));
    if (!row.has(to)) row.set(to, Math.max(0, rttMs));
  }
  return rows;
}

// No single factor may take more than nine tenths of a place's weight: a far or busy place is used less, not dropped.
const LARGEST_CUT = 0.9;

function capped(ratio: number): number {
  return Math.min(LARGEST_CUT, Math.max(0, ratio));
}

/** 0 at or below the target or without data; 0.41 at twice the target, 0.62 at five times. */
function responseTimePenalty(p95Ms: number | null, targetMs: number): number {
  if (p95Ms === null || !Number.isFinite(p95Ms) || !(targetMs > 0) || p95Ms <= targetMs) return 0;
  return Math.min(LARGEST_CUT, 1 - 1 / (1 + naturalLog(p95Ms / targetMs)));
}

function withLocalFloor(
  from: string,
  ends: readonly string[],
  weights: readonly number[],
  places: ReadonlyMap<string, PlaceLoad>,
  floor: number,
): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => (total > 0 ? weight / total : 0));
  const local = ends.indexOf(from);
  if (local < 0 || !(shares[local]! < floor)) return shares;
  const own = places.get(from)!.podCount;
  for (const place of places.values()) if (place.podCount > own) return shares;
  const shrink = (1 - floor) / (1 - shares[local]!);
  return shares.map((share, index) => (index === local ? floor : share * shrink));
}
