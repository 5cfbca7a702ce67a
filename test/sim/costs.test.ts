/** Money of whole runs: what is unknown stays so, and the parts add up. */
import test from 'ava';
import type { Scenario } from '../../scenarios/types.js';
import type { CostParts } from '../../traces/run-result.js';
import { aLoad, aNode, anEndpoint, aScenario, aService, constant, cpu, runSeeds } from './builders.js';

const minute = { warmUpUs: 0, durationUs: 60e6 };
type Transfer = Scenario['cluster']['transfer'];

/** Two zones; pods in both are called from the first. */
function costOf(prices: readonly (number | null)[], transfer: Transfer, zonesWithPods = 2): CostParts {
  const nodes = prices.map((priceUsdPerHour, zone) => aNode(`n${zone}`, zone, { priceUsdPerHour }));
  const replicasPerZone = [1, zonesWithPods === 2 ? 1 : 0];
  const services = [aService({ replicas: zonesWithPods, replicasPerZone })];
  const from = [{ atUs: 0, shares: [1, 0] }];
  const base = aScenario({ zones: 2, nodes, services, loads: [aLoad(20, { from })], run: minute });
  return runSeeds({ ...base, cluster: { ...base.cluster, transfer } }, 1)[0]!.cost;
}

const PAID: Transfer = { crossZoneUsdPerGb: 0.02, crossRegionUsdPerGb: 0.02 };
const UNPRICED: Transfer = { crossZoneUsdPerGb: null, crossRegionUsdPerGb: null };

test('C5: the parts of a run add up to its total', (t) => {
  const cost = costOf([0.2, 0.3], PAID);
  t.is(cost.nodesUsdPerHour, 0.5);
  t.true(cost.crossZoneUsdPerHour! > 0);
  const micro = (usd: number | null): number => Math.round(usd! * 1e6);
  t.is(micro(cost.workloadUsdPerHour) + micro(cost.idleUsdPerHour), micro(cost.nodesUsdPerHour));
  t.is(
    micro(cost.nodesUsdPerHour) + micro(cost.crossZoneUsdPerHour) + micro(cost.crossRegionUsdPerHour),
    micro(cost.totalUsdPerHour),
  );
});

test('one node without a price leaves nodes, idle and total unknown, but not what crosses zones', (t) => {
  const cost = costOf([0.2, null], PAID);
  t.like(cost, { nodesUsdPerHour: null, idleUsdPerHour: null, totalUsdPerHour: null });
  t.true(cost.crossZoneUsdPerHour! > 0);
  t.is(cost.workloadUsdPerHour, null);
  t.is(cost.attributedUsdPerHour, null);
});

test('what pods cost is known where all of them stand on nodes of known price', (t) => {
  const cost = costOf([0.2, null], PAID, 1);
  t.true(cost.workloadUsdPerHour! > 0);
  t.is(cost.nodesUsdPerHour, null);
});

test('bytes of unknown price leave the total unknown; where none cross a zone, they cost nothing at any price', (t) => {
  const crossing = costOf([0.2, 0.3], UNPRICED);
  t.like(crossing, {
    nodesUsdPerHour: 0.5,
    crossZoneUsdPerHour: null,
    totalUsdPerHour: null,
    crossRegionUsdPerHour: 0,
  });
  t.like(costOf([0.2, 0.3], UNPRICED, 1), { crossZoneUsdPerHour: 0, totalUsdPerHour: 0.5 });
});

const GIB = 2 ** 30;
/** 4 cores and 16 GiB at OpenCost's own unit prices: 4 x 0.031611 + 16 x 0.004237 $/h. */
const LISTED = aNode('n', 0, { cpuMillicores: 4000, memoryBytes: 16 * GIB, priceUsdPerHour: 0.194236 });

/** One pod that requests half a core and 1 GiB, with 10 ms of CPU for each request. */
function chargedFor(memoryUseBytes: number, perSecond: readonly (readonly [number, number])[]): CostParts {
  const service = aService({
    requests: { cpuMillicores: 500, memoryBytes: GIB },
    memoryUseBytes,
    endpoints: [anEndpoint([cpu(constant(10_000))])],
  });
  const rate = perSecond.map(([atUs, requests]) => ({ atUs, perSecond: requests }));
  const loads = [aLoad(0, { rate, arrivals: 'even' })];
  const run = { warmUpUs: 0, durationUs: 1200e6 };
  return runSeeds(aScenario({ nodes: [LISTED], services: [service], loads, run }), 1)[0]!.cost;
}

test('C5 worked, in a run: half a core requested, 0.2 used, 1 GiB requested, 1.5 used', (t) => {
  const cost = chargedFor(1.5 * GIB, [[0, 20]]);
  // 0.2216 $ in 10 hours: 0.5 x 0.031611 + 1.5 x 0.004237 $/h. Of it 0.3 cores lie unused.
  t.true(Math.abs(cost.workloadUsdPerHour! - 0.022161) < 2e-6, `${cost.workloadUsdPerHour}`);
  t.true(Math.abs(cost.unusedUsdPerHour! - 0.3 * 0.031611) < 0.02 * 0.031611, `${cost.unusedUsdPerHour}`);
  t.is(cost.sidecarUsdPerHour, 0);
});

test('C5: the larger of request and use is taken in each sample, not of their means', (t) => {
  // 0 cores for ten minutes, then 0.8: on the mean 0.4, below the request of 0.5; charged (0.5 + 0.8) / 2.
  const cost = chargedFor(GIB, [
    [0, 0],
    [599.999e6, 0],
    [600e6, 80],
    [1200e6, 80],
  ]);
  const cores = (cost.workloadUsdPerHour! - 0.004237) / 0.031611;
  t.true(Math.abs(cores - 0.65) < 0.01, `${cores}`);
});
