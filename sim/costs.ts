/**
 * What a run cost, in dollars per hour over the measured part. The cluster is fixed, so its nodes cost the same under
 * every policy; a pod pays for the CPU and memory that it requests of its node (sim/cluster/cost.ts), what no pod
 * requests is idle, and bytes that leave a zone are charged per GB. Parts add up to the total.
 */
import type { CostParts } from '../traces/run-result.js';
import type { Cluster } from '../scenarios/types.js';
import { nodeHoursUsd, podUsd, splitNodeCost, transferUsd, unitPrices } from './cluster/cost.js';
import { podRequests } from './proxies.js';
import type { Sim } from './control/state.js';

const HOUR_US = 3_600_000_000;

export function costOf(sim: Sim): CostParts {
  const { scenario, serviceCount } = sim.world.program;
  const { durationUs } = scenario.run;
  const hours = durationUs / HOUR_US;
  const nodesUsd = sim.nodes.reduce((sum, node) => sum + nodeHoursUsd(durationUs, node.spec.priceUsdPerHour), 0);
  const workloadsUsd = Array.from({ length: serviceCount }, (_, service) => podsUsd(sim, service));
  const split = splitNodeCost(nodesUsd, workloadsUsd);
  const workloadNano = split.workloadsNanoUsd.reduce((sum, nano) => sum + nano, 0);
  const moved = transferCost(scenario.cluster, sim.world.counters.edgeZoneBytes);
  // Micro-dollars per hour: whole numbers, so that sums of parts are exact.
  const micro = (usd: number): number => Math.round((usd / hours) * 1e6);
  const [nodes, workload] = [micro(split.nodesNanoUsd / 1e9), micro(workloadNano / 1e9)];
  const [crossZone, crossRegion] = [micro(moved.crossZoneUsd), micro(moved.crossRegionUsd)];
  return {
    nodesUsdPerHour: nodes / 1e6,
    workloadUsdPerHour: workload / 1e6,
    idleUsdPerHour: (nodes - workload) / 1e6,
    crossZoneUsdPerHour: crossZone / 1e6,
    crossRegionUsdPerHour: crossRegion / 1e6,
    totalUsdPerHour: (nodes + crossZone + crossRegion) / 1e6,
    attributedUsdPerHour: (workload + crossZone + crossRegion) / 1e6,
  };
}

/** Dollars for the bytes by [edge x zones x zones + from x zones + to]. */
export function transferCost(cluster: Cluster, bytes: Float64Array): { crossZoneUsd: number; crossRegionUsd: number } {
  const { zones, transfer } = cluster;
  let crossZoneBytes = 0;
  let crossRegionBytes = 0;
  bytes.forEach((moved, i) => {
    const from = zones[Math.floor(i / zones.length) % zones.length]!;
    const to = zones[i % zones.length]!;
    if (from === to) return;
    if (from.region === to.region) crossZoneBytes += moved;
    else crossRegionBytes += moved;
  });
  return {
    crossZoneUsd: transferUsd(crossZoneBytes, transfer.crossZoneUsdPerGb),
    crossRegionUsd: transferUsd(crossRegionBytes, transfer.crossRegionUsdPerGb),
  };
}

/** What the pods of a service requested of their nodes. */
export function serviceCostUsdPerHour(sim: Sim, service: number): number {
  const hours = sim.world.program.scenario.run.durationUs / HOUR_US;
  return Math.round((podsUsd(sim, service) / hours) * 1e6) / 1e6;
}

function podsUsd(sim: Sim, service: number): number {
  const requests = podRequests(sim.world.program, service);
  // By request alone: what a pod uses beyond it is the idle of others, and costs nobody more.
  const use = {
    requestCpuMillicores: requests.cpuMillicores,
    usedCpuMillicores: 0,
    requestMemoryBytes: requests.memoryBytes,
    usedMemoryBytes: 0,
  };
  let usd = 0;
  for (const [index, podUs] of sim.usage.podUsByNode)
    usd += podUsd(use, podUs[service]!, unitPrices(sim.nodes[index]!.spec));
  return usd;
}
