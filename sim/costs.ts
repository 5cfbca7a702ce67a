/**
 * What a run cost, in dollars per hour over the measured part. Nodes cost their price for as long as they exist
 * (sim/nodeHours.ts), the same under every policy that has no autoscaler of nodes; a pod pays for the CPU and memory that
 * it requests or uses of its node (sim/usage.ts), what no pod pays for is idle, and bytes that leave a zone are charged per
 * GB. Parts add up to the total. What rests on a price that nobody stated is null, never 0.
 */
import type { CostParts } from '../traces/run-result.js';
import type { Cluster } from '../scenarios/types.js';
import { billUsd, billedBytes, bytesUsd } from './bill.js';
import { chargedUsd, nodeHoursUsd, unitPrices } from './cluster/cost.js';
import type { Sim } from './control/state.js';
import { billedUs } from './nodeHours.js';
import type { Charges } from './usage.js';

const HOUR_US = 3_600_000_000;

export function costOf(sim: Sim): CostParts {
  const { scenario, serviceCount } = sim.world.program;
  const { durationUs } = scenario.run;
  const hours = durationUs / HOUR_US;
  const ofAll = (of: 'all' | 'sidecars' | 'used'): number | null =>
    sumOfKnown(Array.from({ length: serviceCount }, (_, service) => podsUsd(sim, service, of)));
  const moved = transferCost(scenario.cluster, sim.world.counters.edgeZoneBytes);
  // Micro-dollars per hour: whole numbers, so that sums of parts are exact.
  const micro = (usd: number | null): number | null => (usd === null ? null : Math.round((usd / hours) * 1e6));
  const [nodes, workload] = [micro(nodesUsd(sim, sim.world.measureFromUs, sim.endUs)), micro(ofAll('all'))];
  const used = micro(ofAll('used'));
  const [crossZone, crossRegion] = [micro(moved.crossZoneUsd), micro(moved.crossRegionUsd)];
  const bill = billUsd(scenario.cluster.bill, billedBytes(sim.world), durationUs);
  const [balancer, internet, nat] = [micro(bill.loadBalancerUsd), micro(bill.internetUsd), micro(bill.natUsd)];
  const usd = (...parts: (number | null)[]): number | null => {
    const sum = sumOfKnown(parts);
    return sum === null ? null : sum / 1e6;
  };
  return {
    nodesUsdPerHour: usd(nodes),
    workloadUsdPerHour: usd(workload),
    sidecarUsdPerHour: usd(micro(ofAll('sidecars'))),
    unusedUsdPerHour: usd(workload, used === null ? null : -used),
    idleUsdPerHour: usd(nodes, workload === null ? null : -workload),
    crossZoneUsdPerHour: usd(crossZone),
    crossRegionUsdPerHour: usd(crossRegion),
    loadBalancerUsdPerHour: usd(balancer),
    internetUsdPerHour: usd(internet),
    natUsdPerHour: usd(nat),
    totalUsdPerHour: usd(nodes, crossZone, crossRegion, balancer, internet, nat),
    attributedUsdPerHour: usd(workload, crossZone, crossRegion, balancer, internet, nat),
  };
}

/** Dollars for the nodes that existed between two moments. */
export function nodesUsd(sim: Sim, fromUs: number, toUs: number): number | null {
  return sumOfKnown(
    sim.fleet.map((node) => {
      const price = node.spec.priceUsdPerHour;
      return price === null ? null : nodeHoursUsd(billedUs(node, fromUs, toUs), price);
    }),
  );
}

/** Null as soon as one part is unknown: a sum of the rest would look like the whole. */
export function sumOfKnown(parts: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const part of parts) {
    if (part === null) return null;
    sum += part;
  }
  return sum;
}

export interface TransferCost {
  readonly crossZoneUsd: number | null;
  readonly crossRegionUsd: number | null;
}

/** Dollars for the bytes by [edge x zones x zones + from x zones + to]; no bytes cost nothing at any price. */
export function transferCost(cluster: Cluster, bytes: Float64Array): TransferCost {
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
    crossZoneUsd: bytesUsd(crossZoneBytes, transfer.crossZoneUsdPerGb),
    crossRegionUsd: bytesUsd(crossRegionBytes, transfer.crossRegionUsdPerGb),
  };
}

/** What the pods of a service are charged for. */
export function serviceCostUsdPerHour(sim: Sim, service: number): number | null {
  const hours = sim.world.program.scenario.run.durationUs / HOUR_US;
  const usd = podsUsd(sim, service, 'all');
  return usd === null ? null : Math.round((usd / hours) * 1e6) / 1e6;
}

/** Null where a pod stood on a node whose price is unknown. */
function podsUsd(sim: Sim, service: number, of: 'all' | 'sidecars' | 'used'): number | null {
  let usd = 0;
  for (const [index, charges] of sim.usage.charges) {
    const [coreUs, byteUs] = amountsOf(charges, of, service);
    if (coreUs === 0 && byteUs === 0) continue;
    const { priceUsdPerHour, ...size } = sim.fleet[index]!.spec;
    if (priceUsdPerHour === null) return null;
    usd += chargedUsd(coreUs, byteUs, unitPrices({ ...size, priceUsdPerHour }));
  }
  return usd;
}

function amountsOf(charges: Charges, of: 'all' | 'sidecars' | 'used', service: number): [number, number] {
  switch (of) {
    case 'all':
      return [charges.coreUs[service]!, charges.byteUs[service]!];
    case 'sidecars':
      return [charges.sidecarCoreUs[service]!, charges.sidecarByteUs[service]!];
    case 'used':
      return [charges.usedCoreUs[service]!, charges.usedByteUs[service]!];
  }
}
