/**
 * The time series of a run: at the end of every step, what happened in it and what stands. Latencies are those of the
 * external requests that were answered in the step.
 */
import type { LatencyFigures, RunSeries } from '../../traces/run-result.js';
import { quantileUs } from '../kernel/histogram.js';
import { billUsd, billedBytes } from '../bill.js';
import { nodesUsd, sumOfKnown, transferCost } from '../costs.js';
import { oldestSeconds } from '../queueFigures.js';
import { cpuUsedUs } from '../sharing.js';
import { countNodes, tellsNodes } from './nodeScaling.js';
import { foldAllConnections } from './slots.js';
import type { Sim, SimPod } from './state.js';

export interface SeriesRecorder {
  /** Starts the next step without recording: at the end of the warm-up. */
  begin(nowUs: number): void;
  record(nowUs: number): void;
  readonly series: RunSeries;
}

export function createSeries(sim: Sim, stepSeconds: number): SeriesRecorder {
  const { world } = sim;
  const { scenario, serviceCount, order } = world.program;
  const zoneCount = scenario.cluster.zones.length;
  const requestsPerSecond: number[] = [];
  const failedPerSecond: number[] = [];
  const meanMs: (number | null)[] = [];
  const p50Ms: (number | null)[] = [];
  const p95Ms: (number | null)[] = [];
  const p99Ms: (number | null)[] = [];
  const costUsdPerHour: (number | null)[] = [];
  const withPods = order.filter((declared) => scenario.services[declared]!.external === null);
  const cells = withPods.flatMap((declared) =>
    scenario.cluster.zones.map((zone, zoneIndex) => ({
      declared,
      service: world.program.indexOf[declared]!,
      zoneIndex,
      name: scenario.services[declared]!.name,
      zone: zone.name,
      ready: [] as number[],
      cpu: [] as (number | null)[],
    })),
  );
  const queues = world.queues.map((queue) => ({
    queue,
    declared: order[queue.compiled.service]!,
    lengths: [] as number[],
    oldest: [] as (number | null)[],
  }));
  // A pod that was restarted counts from 0 again: its generation tells.
  const cpuBefore = new Map<SimPod, { readonly generation: number; readonly cpuUs: number }>();
  const generationOf = (pod: SimPod): number => sim.sensors.generation[pod.slot]!;
  const usedSince = (pod: SimPod, nowUs: number): number => {
    const before = cpuBefore.get(pod);
    return cpuUsedUs(world, pod.slot, nowUs) - (before?.generation === generationOf(pod) ? before.cpuUs : 0);
  };
  let bytesBefore = new Float64Array(world.counters.edgeZoneBytes.length);
  let billedBefore = billedBytes(world);
  let beganUs = 0;
  const nodes = tellsNodes(sim) ? countNodes(sim) : null;

  const readyPods = (): SimPod[][] => {
    const byCell: SimPod[][] = Array.from({ length: serviceCount * zoneCount }, () => []);
    for (const pod of sim.pods) {
      if (pod.ready && pod.deletedUs === null && pod.node)
        byCell[pod.workload.service * zoneCount + pod.node.spec.zone]!.push(pod);
    }
    return byCell;
  };

  const begin = (nowUs: number): void => {
    beganUs = nowUs;
    world.counters.seriesSums.fill(0);
    world.counters.seriesHistogram.fill(0);
    foldAllConnections(world);
    bytesBefore = world.counters.edgeZoneBytes.slice();
    billedBefore = billedBytes(world);
    cpuBefore.clear();
    for (const pod of sim.pods) {
      if (pod.slot < 0) continue;
      cpuBefore.set(pod, { generation: generationOf(pod), cpuUs: cpuUsedUs(world, pod.slot, nowUs) });
    }
  };

  const record = (nowUs: number): void => {
    const seconds = (nowUs - beganUs) / 1e6;
    const { seriesSums, seriesHistogram } = world.counters;
    const [succeeded, failed, latencyUs] = [seriesSums[0]!, seriesSums[1]!, seriesSums[2]!];
    requestsPerSecond.push(round((succeeded + failed) / seconds));
    failedPerSecond.push(round(failed / seconds));
    meanMs.push(succeeded > 0 ? round(latencyUs / succeeded / 1000) : null);
    p50Ms.push(quantileMs(seriesHistogram, succeeded, 0.5));
    p95Ms.push(quantileMs(seriesHistogram, succeeded, 0.95));
    p99Ms.push(quantileMs(seriesHistogram, succeeded, 0.99));
    foldAllConnections(world);
    const moved = world.counters.edgeZoneBytes.map((bytes, i) => bytes - bytesBefore[i]!);
    const transfer = transferCost(scenario.cluster, moved);
    const billed = billedBytes(world);
    const since = {
      requests: billed.requests - billedBefore.requests,
      replies: billed.replies - billedBefore.replies,
      sent: billed.sent - billedBefore.sent,
      received: billed.received - billedBefore.received,
    };
    const bill = billUsd(scenario.cluster.bill, since, nowUs - beganUs);
    const usd = sumOfKnown([
      nodesUsd(sim, beganUs, nowUs),
      transfer.crossZoneUsd,
      transfer.crossRegionUsd,
      bill.loadBalancerUsd,
      bill.internetUsd,
      bill.natUsd,
    ]);
    costUsdPerHour.push(usd === null ? null : round((usd * 3600) / seconds));
    const byCell = readyPods();
    for (const cell of cells) {
      const pods = byCell[cell.service * zoneCount + cell.zoneIndex]!;
      cell.ready.push(pods.length);
      const requested = scenario.services[cell.declared]!.requests.cpuMillicores;
      let usedUs = 0;
      for (const pod of pods) usedUs += usedSince(pod, nowUs);
      const known = pods.length > 0 && requested > 0;
      cell.cpu.push(known ? round(((usedUs / (nowUs - beganUs)) * 1000 * 100) / (requested * pods.length)) : null);
    }
    for (const { queue, lengths, oldest } of queues) {
      lengths.push(queue.length);
      oldest.push(oldestSeconds(queue, nowUs));
    }
    nodes?.record();
    begin(nowUs);
  };

  const byDeclared = (): typeof cells =>
    [...cells].sort((a, b) => a.declared - b.declared || a.zoneIndex - b.zoneIndex);
  const queueSeries = (): NonNullable<RunSeries['queues']> =>
    [...queues]
      .sort((a, b) => a.declared - b.declared)
      .map(({ declared, lengths, oldest }) => ({
        queue: scenario.services[declared]!.name,
        lengths,
        oldestSeconds: oldest,
      }));
  return {
    begin,
    record,
    get series() {
      return {
        stepSeconds,
        requestsPerSecond,
        failedPerSecond,
        meanMs,
        p50Ms,
        p95Ms,
        p99Ms,
        costUsdPerHour,
        readyReplicas: byDeclared().map((cell) => ({ service: cell.name, zone: cell.zone, values: cell.ready })),
        cpuPercent: byDeclared().map((cell) => ({ service: cell.name, zone: cell.zone, values: cell.cpu })),
        ...(queues.length === 0 ? {} : { queues: queueSeries() }),
        ...(nodes === null ? {} : { nodes: nodes.series }),
      };
    },
  };
}

/** Three decimals: a microsecond for milliseconds, and digests that are easy to read. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** No quantile from fewer than ten requests beyond it. */
export function quantileMs(counts: Uint32Array, total: number, q: number, base = 0): number | null {
  if (total < 10 / (1 - q) - 1e-6) return null;
  const us = quantileUs(counts, base, q);
  return us === null ? null : us / 1000;
}

export function latencyFigures(counts: Uint32Array, base: number, total: number, sumUs: number): LatencyFigures {
  return {
    mean: total > 0 ? round(sumUs / total / 1000) : null,
    p50: quantileMs(counts, total, 0.5, base),
    p90: quantileMs(counts, total, 0.9, base),
    p95: quantileMs(counts, total, 0.95, base),
    p99: quantileMs(counts, total, 0.99, base),
  };
}
