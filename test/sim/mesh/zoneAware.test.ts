import test from 'ava';
import fc from 'fast-check';
import { buildRoute, regionPriorities, type RouteEndpoint } from '../../../sim/mesh/locality.js';
import { effectiveLocalitySetting, type Spec } from '../../../sim/mesh/localitySetting.js';
import { zoneAwareShares, type CallerCount } from '../../../sim/mesh/zoneAware.js';
import { SEED, SEED_NOTE } from '../../seed.js';

const ZONES = ['r/a', 'r/b', 'r/c'];

function callers(...counts: readonly number[]): ReadonlyMap<string, CallerCount> {
  return new Map(
    counts.flatMap((count, i) => (count > 0 ? [[ZONES[i]!, { total: count, healthy: count }] as const] : [])),
  );
}

function shares(calling: readonly number[], healthy: readonly number[], clientLocality = 'r/a', minClusterSize = 6) {
  const upstream = healthy.map((count, i) => ({ locality: ZONES[i]!, healthy: count }));
  return zoneAwareShares({ clientLocality, callers: callers(...calling), upstream, minClusterSize });
}

test('A11 worked: callers 4/4/2 and endpoints 2/5/3 keep half in zone a and send a quarter to b and to c', (t) => {
  t.deepEqual(shares([4, 4, 2], [2, 5, 3]), [0.5, 0.25, 0.25]);
});

test('A11 worked: callers 2/4/4 and endpoints 3/3/3 keep all in zone a', (t) => {
  t.deepEqual(shares([2, 4, 4], [3, 3, 3]), [1, 0, 0]);
});

test('A11: shares are whole ten-thousandths, rounded down', (t) => {
  // L = 6666 and 3333, U = 3333 and 6666: kept floor(3333 x 10000 / 6666) = 5000. Of 7 endpoints 2: U = 2857, kept 4285.
  t.deepEqual(shares([2, 1], [3, 6]), [0.5, 0.5]);
  t.deepEqual(shares([2, 1], [2, 5]), [0.4285, 1 - 0.4285]);
});

test('A11: without two zones on either side, without six endpoints, or without siblings here, all is one pool', (t) => {
  t.is(shares([4, 4], [10]), null);
  t.is(shares([4], [5, 5]), null);
  t.is(shares([4, 4], [3, 2]), null);
  t.not(shares([4, 4], [3, 3]), null);
  t.not(shares([4, 4], [3, 2], 'r/a', 5), null);
  t.is(shares([0, 4, 4], [5, 5, 5]), null);
});

test('A11: a zone whose endpoints are all unhealthy is still a zone, and gets nothing', (t) => {
  t.deepEqual(shares([4, 4], [0, 8]), [0, 1]);
  t.deepEqual(shares([4, 4], [8, 0]), [1, 0]);
});

test('A11: when rounding leaves no residual anywhere, any zone may be drawn', (t) => {
  // L = 3335, 3330, 3335 and U = 3334, 3330, 3334: kept floor(3334 x 10000 / 3335) = 9997, and three zones share 3.
  const [a, b, c] = shares([3335, 3330, 3335], [33_346, 33_309, 33_345])!;
  t.true(Math.abs(a! - (0.9997 + 0.0001)) < 1e-12);
  t.true(Math.abs(b! - 0.0001) < 1e-12 && Math.abs(c! - 0.0001) < 1e-12);
});

test(`shares are those of the two draws that Envoy makes, value by value ${SEED_NOTE}`, (t) => {
  const counts = fc.array(fc.nat(9), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(counts, counts, fc.constantFrom(...ZONES), (calling, healthy, zone) => {
      const fast = shares(calling, healthy, zone);
      const slow = slowShares(calling, healthy, ZONES.indexOf(zone));
      t.is(fast === null, slow === null);
      fast?.forEach((share, i) => t.true(Math.abs(share - slow![i]!) < 1e-9, `${i}: ${share} and ${slow![i]}`));
      if (fast) t.true(Math.abs(fast.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

/** Slow twin: every value of the two draws is tried, own zone first, with Envoy's accumulated residuals. */
function slowShares(calling: readonly number[], healthy: readonly number[], own: number): number[] | null {
  const order = [own, ...[0, 1, 2].filter((zone) => zone !== own)];
  const allCallers = calling[0]! + calling[1]! + calling[2]!;
  const all = healthy[0]! + healthy[1]! + healthy[2]!;
  if (calling.filter((count) => count > 0).length < 2 || calling[own] === 0 || all < 6) return null;
  const percent = (count: number, of: number) => Math.trunc((10_000 * count) / of);
  const callersOf = (zone: number) => (healthy[zone] === 0 ? 0 : percent(calling[zone]!, allCallers));
  const endpointsOf = (zone: number) => percent(healthy[zone]!, all);
  const share = [0, 0, 0];
  if (endpointsOf(own) > 0 && endpointsOf(own) >= callersOf(own)) {
    share[own] = 1;
    return share;
  }
  const toRoute = callersOf(own) > 0 ? Math.trunc((endpointsOf(own) * 10_000) / callersOf(own)) : 0;
  let sum = 0;
  const residual = order.map((zone, i) => (i === 0 ? 0 : (sum += Math.max(0, endpointsOf(zone) - callersOf(zone)))));
  for (let first = 0; first < 10_000; first++) if (first < toRoute) share[own]! += 1e-4;
  const rest = 1 - toRoute / 10_000;
  if (sum === 0) for (const zone of order) share[zone]! += rest / 3;
  for (let threshold = 0; threshold < sum; threshold++) {
    const i = residual.findIndex((bound) => threshold < bound);
    share[order[i]!]! += rest / sum;
  }
  return share;
}

test('A11: regions are ranked own, failover, others, and nothing else is (the cases of Istio)', (t) => {
  const zones = ['region1/zone1', 'region1/zone2', 'region2/zone1', 'region3/zone1'];
  const groups = zones.map((locality) => ({ locality, priority: 0, weight: 1, members: [] }));
  const ranks = (from?: string) =>
    regionPriorities(groups, from === undefined ? [] : [{ from, to: 'region2' }], 'region1/zone1').map(
      ({ priority }) => priority,
    );
  t.deepEqual(ranks(), [0, 0, 1, 1]);
  t.deepEqual(ranks('region1'), [0, 0, 1, 2]);
  t.deepEqual(ranks('region9'), [0, 0, 1, 1]);
});

test('A1: which setting holds, with zoneAwareLbSetting (the cases of Istio)', (t) => {
  const rule = (loadBalancer: Spec): Spec => ({ trafficPolicy: { loadBalancer, outlierDetection: {} } });
  const kind = (parts: {
    dr?: Spec;
    zoneAware?: Spec;
    locality?: Spec;
    service?: string;
    level?: '<=1.30' | '>=1.31';
  }) =>
    effectiveLocalitySetting({
      destinationRule: parts.dr ? rule(parts.dr) : rule({}),
      meshSetting: parts.locality ?? null,
      meshZoneAware: parts.zoneAware ?? null,
      trafficDistribution: parts.service ?? null,
      compat: parts.level ?? '>=1.31',
    }).kind;
  const distribute = { distribute: [{ from: '*', to: { '*': 100 } }] };
  t.is(kind({ zoneAware: {} }), 'zoneAware');
  t.is(kind({ dr: { zoneAwareLbSetting: {} }, locality: distribute }), 'zoneAware');
  t.is(kind({ dr: { localityLbSetting: distribute }, zoneAware: {} }), 'distribute');
  t.is(kind({ dr: { zoneAwareLbSetting: {}, localityLbSetting: distribute } }), 'zoneAware');
  t.is(kind({ zoneAware: {}, locality: distribute }), 'zoneAware');
  t.is(kind({ zoneAware: { enabled: false } }), 'none');
  t.is(kind({ dr: { zoneAwareLbSetting: { enabled: false } }, locality: distribute }), 'none');
  t.is(kind({ dr: { zoneAwareLbSetting: { enabled: true } }, zoneAware: { enabled: false } }), 'zoneAware');
  t.is(kind({ zoneAware: {}, service: 'PreferSameZone' }), 'failover');
  t.is(kind({ dr: { zoneAwareLbSetting: {} }, service: 'PreferSameZone' }), 'zoneAware');
  t.is(kind({ dr: { localityLbSetting: distribute }, service: 'PreferSameZone' }), 'distribute');
  t.is(kind({ dr: { zoneAwareLbSetting: {} }, zoneAware: {}, level: '<=1.30' }), 'failover');
});

test('A11: zones are balanced in the own region only; the others wait behind it', (t) => {
  const endpoints: RouteEndpoint[] = ['r/a', 'r/a', 'r/b', 'r/b', 'r/b', 'r/b', 's/a', 's/a'].map((zone, index) => ({
    index,
    zone,
    node: '',
    healthy: true,
  }));
  const route = buildRoute({
    clientLocality: 'r/a',
    clientNode: '',
    endpoints,
    destinationRule: { trafficPolicy: { loadBalancer: { zoneAwareLbSetting: {} } } },
    meshSetting: null,
    callers: callers(2, 2),
    compat: '>=1.31',
  });
  // L = 5000 and 5000, U = 3333 and 6666: kept 6666 of 10000.
  t.deepEqual(
    route.priorities.map(({ loadPercent }) => loadPercent),
    [100, 0],
  );
  t.deepEqual(route.zoneShares, [0.6666, 1 - 0.6666]);
  t.is(route.localityWeighted, false);
});
