/** Money of whole runs: what is unknown stays so, and the parts add up. */
import test from 'ava';
import type { Scenario } from '../../scenarios/types.js';
import type { CostParts } from '../../traces/run-result.js';
import { aLoad, aNode, aScenario, aService, runSeeds } from './builders.js';

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
