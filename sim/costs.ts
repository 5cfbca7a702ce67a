/**
 * What a run cost, in dollars per hour over the measured part. The cluster is fixed, so its nodes cost the same under
 * every policy. A pod pays for the CPU and the memory that it requests of its node; the node's price is split between the
 * two as OpenCost splits it (SEMANTICS C5). What no pod requests is idle. Parts add up to the total.
 */
import type { CostParts } from '../traces/run-result.js';
import type { Cluster } from '../scenarios/types.js';
import { round } from './control/series.js';
import type { Sim } from './control/state.js';

const BYTES_PER_GB = 1e9;
/** OpenCost's default prices; only their ratio matters here. */
const CPU_USD_PER_CORE_HOUR = 0.031611;
const MEMORY_USD_PER_GIB_HOUR = 0.004237;

export function costOf(sim: Sim): CostParts {
  const { scenario } = sim.world.program;
  const hours = scenario.run.durationUs / 3.6e9;
  const transfer = transferUsd(scenario.cluster, sim.world.counters.edgeZoneBytes);
  const nodesUsdPerHour = sim.nodes.reduce((sum, node) => sum + node.spec.priceUsdPerHour, 0);
  let workloadUsdPerHour = 0;
  for (let service = 0; service < sim.world.program.serviceCount; service++)
    workloadUsdPerHour += podsUsdPerHour(sim, service);
  const crossZoneUsdPerHour = transfer.crossZoneUsd / hours;
  const crossRegionUsdPerHour = transfer.crossRegionUsd / hours;
  return {
    nodesUsdPerHour: cents(nodesUsdPerHour),
    workloadUsdPerHour: cents(workloadUsdPerHour),
    idleUsdPerHour: cents(cents(nodesUsdPerHour) - cents(workloadUsdPerHour)),
    crossZoneUsdPerHour: cents(crossZoneUsdPerHour),
    crossRegionUsdPerHour: cents(crossRegionUsdPerHour),
    totalUsdPerHour: cents(cents(nodesUsdPerHour) + cents(crossZoneUsdPerHour) + cents(crossRegionUsdPerHour)),
    attributedUsdPerHour: cents(cents(workloadUsdPerHour) + cents(crossZoneUsdPerHour) + cents(crossRegionUsdPerHour)),
  };
}

/** Dollars for the bytes by [edge x zones x zones + from x zones + to]. */
export function transferUsd(cluster: Cluster, bytes: Float64Array): { crossZoneUsd: number; crossRegionUsd: number } {
  const { zones, transfer } = cluster;
  let crossZoneUsd = 0;
  let crossRegionUsd = 0;
  bytes.forEach((moved, i) => {
    const from = zones[Math.floor(i / zones.length) % zones.length]!;
    const to = zones[i % zones.length]!;
    if (from === to) return;
    if (from.region === to.region) crossZoneUsd += (moved / BYTES_PER_GB) * transfer.crossZoneUsdPerGb;
    else crossRegionUsd += (moved / BYTES_PER_GB) * transfer.crossRegionUsdPerGb;
  });
  return { crossZoneUsd, crossRegionUsd };
}

/** What the pods of a service reserved of their nodes. */
export function serviceCostUsdPerHour(sim: Sim, service: number): number {
  return cents(podsUsdPerHour(sim, service));
}

function podsUsdPerHour(sim: Sim, service: number): number {
  const { requests } = sim.world.program.services[service]!;
  const durationUs = sim.world.program.scenario.run.durationUs;
  let usdPerHour = 0;
  for (const [index, podUs] of sim.usage.podUsByNode) {
    const { spec } = sim.nodes[index]!;
    const share =
      listPrice(requests.cpuMillicores, requests.memoryBytes) / listPrice(spec.cpuMillicores, spec.memoryBytes);
    usdPerHour += (podUs[service]! / durationUs) * share * spec.priceUsdPerHour;
  }
  return usdPerHour;
}

function listPrice(cpuMillicores: number, memoryBytes: number): number {
  return (cpuMillicores / 1000) * CPU_USD_PER_CORE_HOUR + (memoryBytes / 2 ** 30) * MEMORY_USD_PER_GIB_HOUR;
}

/** A thousandth of a cent: below what any bill shows, and parts of it still add up. */
function cents(usd: number): number {
  return round(usd * 100) / 100;
}
