import test from 'ava';
import { buildRoute, type IstioLevel, type Route, type RouteEndpoint } from '../../../sim/mesh/locality.js';
import { matchesLocality } from '../../../engine/locality-match.js';
import { effectiveLocalitySetting, type Spec } from '../../../sim/mesh/localitySetting.js';

/** `[zone, healthy, unhealthy]` per zone; each endpoint on its own node, healthy ones first. */
function endpointsIn(...zones: [string, number, number?][]): RouteEndpoint[] {
  let index = 0;
  return zones.flatMap(([zone, healthy, unhealthy = 0]) =>
    Array.from({ length: healthy + unhealthy }, (_, i) => ({
      index: index,
      zone,
      node: `node-${index++}`,
      healthy: i < healthy,
    })),
  );
}

function rule(localityLbSetting: object | null, outlierDetection?: object, simple?: string): Spec {
  return {
    host: 'cart',
    trafficPolicy: {
      loadBalancer: { ...(simple && { simple }), ...(localityLbSetting && { localityLbSetting }) },
      ...(outlierDetection && { outlierDetection }),
    },
  };
}

function route(
  endpoints: RouteEndpoint[],
  destinationRule: Spec | null,
  given: {
    clientLocality?: string;
    clientNode?: string;
    meshSetting?: Spec | null;
    compat?: IstioLevel;
    trafficDistribution?: string;
  } = {},
): Route {
  return buildRoute({
    clientLocality: 'eu/a',
    clientNode: 'node-0',
    meshSetting: null,
    endpoints,
    destinationRule,
    ...given,
  });
}

/** Share of the requests in percent that each zone gets, to three decimals. */
function percentByZone(route: Route): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const { loadPercent, localities } of route.priorities.filter((priority) => priority.loadPercent > 0)) {
    const weightOf = (l: (typeof localities)[number]) =>
      route.localityWeighted ? l.effectiveWeight : l.endpoints.length;
    const sum = localities.reduce((total, locality) => total + weightOf(locality), 0);
    for (const l of localities) shares[l.locality] = (shares[l.locality] ?? 0) + (loadPercent * weightOf(l)) / sum;
  }
  return Object.fromEntries(Object.entries(shares).map(([zone, share]) => [zone, Math.round(share * 1000) / 1000]));
}

const zonesByPriority = (route: Route) =>
  route.priorities.map(({ localities }) => localities.map(({ locality }) => locality));

test('A1: a rule without locality setting takes the mesh setting, a rule with one replaces it whole', (t) => {
  const meshSetting = { enabled: true, distribute: [{ from: '*', to: { 'eu/*': 100 } }] };
  t.is(effectiveLocalitySetting({ destinationRule: null, meshSetting }).kind, 'distribute');
  t.is(effectiveLocalitySetting({ destinationRule: rule(null, {}), meshSetting }).kind, 'distribute');
  t.deepEqual(effectiveLocalitySetting({ destinationRule: rule({ enabled: true }, {}), meshSetting }), {
    kind: 'failover',
    explicit: false,
    failover: [],
    failoverPriority: [],
  });
});

test('A1: enabled false in the rule ends the search instead of falling through to the mesh', (t) => {
  const meshSetting = { enabled: true, distribute: [{ from: '*', to: { 'eu/*': 100 } }] };
  t.deepEqual(effectiveLocalitySetting({ destinationRule: rule({ enabled: false }, {}), meshSetting }), {
    kind: 'none',
  });
});

test('A1: a mesh that switches locality load balancing off has none, unless the rule has a block', (t) => {
  const meshSetting = { enabled: false };
  t.is(effectiveLocalitySetting({ destinationRule: rule(null, {}), meshSetting }).kind, 'none');
  t.is(effectiveLocalitySetting({ destinationRule: rule({}, {}), meshSetting }).kind, 'failover');
});

test('A2: 2 pods here and 8 elsewhere without outlier detection keep 20 % in the zone', (t) => {
  const out = route(endpointsIn(['eu/a', 2], ['eu/b', 8]), rule(null));
  t.deepEqual(percentByZone(out), { 'eu/a': 20, 'eu/b': 80 });
  t.is(out.priorities.length, 1);
  t.false(out.localityWeighted);
  t.is(out.algorithm, 'LEAST_REQUEST');
});

test('A2: the same with an empty outlierDetection sends 100 % to the 2 pods in the zone', (t) => {
  const out = route(endpointsIn(['eu/a', 2], ['eu/b', 8]), rule(null, {}));
  t.deepEqual(zonesByPriority(out), [['eu/a'], ['eu/b']]);
  t.deepEqual(
    out.priorities.map(({ loadPercent }) => loadPercent),
    [100, 0],
  );
  t.deepEqual(out.priorities[0]!.localities[0]!.endpoints, [0, 1]);
  t.false(out.localityWeighted);
});

test('A2: failover without outlier detection has no effect', (t) => {
  const out = route(endpointsIn(['eu/a', 2], ['us/a', 2]), rule({ failover: [{ from: 'eu', to: 'us' }] }));
  t.deepEqual(zonesByPriority(out), [['eu/a', 'us/a']]);
  t.false(out.localityWeighted);
});

test('A2: without a pod in the own zone the other zones of the region come first, then other regions', (t) => {
  const out = route(endpointsIn(['us/a', 1], ['eu/c', 1], ['eu/b', 2]), rule(null, {}));
  t.deepEqual(zonesByPriority(out), [['eu/c', 'eu/b'], ['us/a']]);
});

test('A3: without subzones the own zone is priority 0, not 1', (t) => {
  // Region, zone and subzone are all equal: the subzone is "" on both sides.
  const out = route(endpointsIn(['us/a', 1], ['eu/b', 1], ['eu/a', 1]), rule(null, {}));
  t.deepEqual(zonesByPriority(out), [['eu/a'], ['eu/b'], ['us/a']]);
});

test('A4: a pattern matches by region, zone and wildcard', (t) => {
  const matching = ['*', 'us-west', 'us-west/*', 'us-west/zone1', 'us-west/zone1/*'];
  const other = ['us-east', 'us-west/zone2', 'us-west/zone1/sub', 'us-wes', '*/zone2'];
  t.deepEqual(
    matching.filter((pattern) => !matchesLocality(pattern, 'us-west/zone1')),
    [],
  );
  t.deepEqual(
    other.filter((pattern) => matchesLocality(pattern, 'us-west/zone1')),
    [],
  );
});

test('A4 worked 1: 80/20 over 10 and 5 pods is 80 % and 20 %', (t) => {
  const distribute = [{ from: 'us-west/zone1/*', to: { 'us-west/zone1/*': 80, 'us-west/zone2/*': 20 } }];
  const endpoints = endpointsIn(['us-west/zone1', 10], ['us-west/zone2', 5]);
  const out = route(endpoints, rule({ distribute }), { clientLocality: 'us-west/zone1' });
  t.true(out.localityWeighted);
  t.deepEqual(percentByZone(out), { 'us-west/zone1': 80, 'us-west/zone2': 20 });
  // Per endpoint 8 % and 4 %.
  t.deepEqual(
    out.priorities[0]!.localities.map(({ locality, endpoints: each }) => percentByZone(out)[locality]! / each.length),
    [8, 4],
  );
});

test('A4 worked 2: a wildcard over groups of 3 and 1 rounds each up, 53, 18 and 30 of 101', (t) => {
  const distribute = [{ from: 'us-west/*', to: { 'us-west/*': 70, 'us-east/*': 30 } }];
  const endpoints = endpointsIn(['us-west/zone1', 3], ['us-west/zone2', 1], ['us-east/zone1', 2]);
  const out = route(endpoints, rule({ distribute }), { clientLocality: 'us-west/zone1' });
  t.deepEqual(
    out.priorities[0]!.localities.map(({ weight }) => weight),
    [53, 18, 30],
  );
  t.deepEqual(percentByZone(out), { 'us-west/zone1': 52.475, 'us-west/zone2': 17.822, 'us-east/zone1': 29.703 });
});

test('A4: an unlisted zone gets nothing, even when every listed one is dead', (t) => {
  const dr = rule({ distribute: [{ from: 'eu/a', to: { 'eu/a': 100 } }] });
  t.deepEqual(percentByZone(route(endpointsIn(['eu/a', 1], ['eu/b', 9]), dr)), { 'eu/a': 100 });
  for (const compat of ['<=1.30', '>=1.31'] as const) {
    const dead = route(endpointsIn(['eu/a', 0, 1], ['eu/b', 9]), dr, { compat });
    t.deepEqual(dead.priorities, [{ loadPercent: 100, panic: false, localities: [] }]);
  }
});

test('A4: a client that no from matches spreads by endpoint count, locality first', (t) => {
  const dr = rule({ distribute: [{ from: 'us/*', to: { 'us/*': 100 } }] });
  const out = route(endpointsIn(['eu/a', 2], ['us/a', 6]), dr);
  t.true(out.localityWeighted);
  t.deepEqual(zonesByPriority(out), [['eu/a', 'us/a']]);
  t.deepEqual(percentByZone(out), { 'eu/a': 25, 'us/a': 75 });
});

test('A4: the first from that matches is used, the rest ignored', (t) => {
  const distribute = [
    { from: 'eu/a', to: { 'eu/a': 100 } },
    { from: 'eu/b', to: { 'eu/b': 100 } },
  ];
  t.deepEqual(percentByZone(route(endpointsIn(['eu/a', 1], ['eu/b', 1]), rule({ distribute }))), { 'eu/a': 100 });
});

test('A4: a listed zone without pods disappears and the rest takes all', (t) => {
  const distribute = [{ from: '*', to: { 'eu/a': 80, 'eu/b': 20 } }];
  t.deepEqual(percentByZone(route(endpointsIn(['eu/b', 3]), rule({ distribute }))), { 'eu/b': 100 });
});

/** Priority of a lone endpoint, told by what stands beside it: one endpoint in each place that it might share. */
for (const [title, failover, expected] of [
  ['without an entry', [], [['r1/z1'], ['r1/z2'], ['r2/z1', 'r3/z1']]],
  ['r1 to r2', [{ from: 'r1', to: 'r2' }], [['r1/z1'], ['r1/z2'], ['r2/z1'], ['r3/z1']]],
  ['of another region', [{ from: 'r3', to: 'r2' }], [['r1/z1'], ['r1/z2'], ['r2/z1', 'r3/z1']]],
] as const)
  test(`A5: a failover ${title} ranks own zone, own region, the region named, the others`, (t) => {
    const endpoints = endpointsIn(['r1/z1', 1], ['r1/z2', 1], ['r2/z1', 1], ['r3/z1', 1]);
    t.deepEqual(zonesByPriority(route(endpoints, rule({ failover }, {}), { clientLocality: 'r1/z1' })), expected);
  });

test('A5 worked: failover r1 to r2 orders r1/z2, r2, r3 and keeps r3 as a last resort', (t) => {
  const dr = rule({ failover: [{ from: 'r1', to: 'r2' }] }, {});
  const endpoints = endpointsIn(['r1/z2', 1], ['r3/z1', 1], ['r2/z1', 1]);
  const out = route(endpoints, dr, { clientLocality: 'r1/z1' });
  t.deepEqual(zonesByPriority(out), [['r1/z2'], ['r2/z1'], ['r3/z1']]);
  t.true(out.localityWeighted);
});

const REGION = 'topology.kubernetes.io/region';
const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

test('A6 worked: region, zone, hostname rank same node, same zone, same region, elsewhere', (t) => {
  const at = (index: number, zone: string, node: string) => ({ index, zone, node, healthy: true });
  const endpoints = [at(0, 'us/a', 'n4'), at(1, 'eu/b', 'n3'), at(2, 'eu/a', 'n2'), at(3, 'eu/a', 'n1')];
  const out = route(endpoints, rule({ failoverPriority: [REGION, ZONE, HOST] }, {}), { clientNode: 'n1' });
  t.deepEqual(
    out.priorities.map(({ localities }) => localities.flatMap((locality) => locality.endpoints)),
    [[3], [2], [1], [0]],
  );
  t.true(out.localityWeighted);
  t.deepEqual(
    out.priorities.map(({ loadPercent }) => loadPercent),
    [100, 0, 0, 0],
  );
});

test('A6: gaps in the priorities are closed', (t) => {
  const out = route(endpointsIn(['us/a', 1], ['eu/b', 1]), rule({ failoverPriority: [REGION, ZONE, HOST] }, {}));
  t.deepEqual(zonesByPriority(out), [['eu/b'], ['us/a']]);
});

test('A6: a label with a value compares against that value, not against the client', (t) => {
  const out = route(endpointsIn(['eu/a', 1], ['us/a', 1]), rule({ failoverPriority: [`${REGION}=us`] }, {}));
  t.deepEqual(zonesByPriority(out), [['us/a'], ['eu/a']]);
});

test('A6: a network is only preferred from 1.31 on, but one with a value is wanted at every level', (t) => {
  const dr = rule({ failoverPriority: ['topology.istio.io/network=other', ZONE] }, {});
  const bare = rule({ failoverPriority: ['topology.istio.io/network', ZONE, 'topology.istio.io/network=other'] }, {});
  const endpoints = endpointsIn(['eu/b', 1], ['eu/a', 1]);
  for (const compat of ['<=1.30', '>=1.31'] as const)
    t.deepEqual(zonesByPriority(route(endpoints, dr, { compat })), [['eu/b', 'eu/a']]);
  t.deepEqual(zonesByPriority(route(endpoints, bare, { compat: '<=1.30' })), [['eu/b', 'eu/a']]);
  t.deepEqual(zonesByPriority(route(endpoints, bare, { compat: '>=1.31' })), [['eu/a'], ['eu/b']]);
});

test('A6: failover next to failoverPriority orders inside each level', (t) => {
  const dr = rule({ failoverPriority: [HOST], failover: [{ from: 'eu', to: 'us' }] }, {});
  const endpoints = endpointsIn(['eu/a', 2], ['ap/a', 1], ['us/a', 1]);
  const out = route(endpoints, dr);
  t.deepEqual(
    out.priorities.map(({ localities }) => localities.flatMap((locality) => locality.endpoints)),
    [[0], [1], [3], [2]],
  );
});

test('A6: a far endpoint with the wanted label comes before a near one without', (t) => {
  // Level 0, but a region that failover does not point at; level 1 in the own zone.
  const dr = rule({ failoverPriority: [`${HOST}=node-1`], failover: [{ from: 'eu', to: 'us' }] }, {});
  t.deepEqual(zonesByPriority(route(endpointsIn(['eu/a', 1], ['ap/a', 1]), dr)), [['ap/a'], ['eu/a']]);
});

test('A6: a label that no pod has is the same everywhere, and its value is nowhere', (t) => {
  const endpoints = endpointsIn(['eu/b', 1], ['eu/a', 1]);
  const prefer = (label: string) => zonesByPriority(route(endpoints, rule({ failoverPriority: [label, ZONE] }, {})));
  t.deepEqual(prefer('version'), [['eu/a'], ['eu/b']]);
  t.deepEqual(prefer('version=v1'), [['eu/b', 'eu/a']]);
});

test('A9, A10: trafficDistribution sends pods that are not ready, without panic, whatever the rule says', (t) => {
  const endpoints = endpointsIn(['eu/a', 1, 3]);
  for (const setting of [{ enabled: false }, { distribute: [{ from: '*', to: { '*': 100 } }] }])
    for (const compat of ['<=1.30', '>=1.31'] as const) {
      const dr = rule(setting, { minHealthPercent: 60 });
      const out = route(endpoints, dr, { compat, trafficDistribution: 'PreferClose' });
      t.deepEqual(
        out.priorities.map(({ panic, localities }) => [panic, localities.flatMap((one) => one.endpoints)]),
        [[false, [0]]],
      );
    }
});

/** A7 needs distribute with real weights and unhealthy endpoints that are counted. */
function weighted(to: Record<string, number>, endpoints: RouteEndpoint[]): Record<string, number> {
  return percentByZone(route(endpoints, rule({ distribute: [{ from: '*', to }] }), { compat: '>=1.31' }));
}

test('A7 worked: 80/20 with 5 of 10 healthy is 56 to 20', (t) => {
  t.deepEqual(weighted({ 'eu/a': 80, 'eu/b': 20 }, endpointsIn(['eu/a', 5, 5], ['eu/b', 5])), {
    'eu/a': 73.684,
    'eu/b': 26.316,
  });
});

test('A7 worked: 80/20 with 8 of 10 healthy is still 80/20', (t) => {
  t.deepEqual(weighted({ 'eu/a': 80, 'eu/b': 20 }, endpointsIn(['eu/a', 8, 2], ['eu/b', 5])), {
    'eu/a': 80,
    'eu/b': 20,
  });
});

test('A7 worked: weights 1 and 2 with 69 of 100 healthy', (t) => {
  t.deepEqual(weighted({ 'eu/a': 1, 'eu/b': 2 }, endpointsIn(['eu/a', 69, 31], ['eu/b', 5])), {
    'eu/a': 32.569,
    'eu/b': 67.431,
  });
});

test('A7 worked: a zone with no healthy pod is left out', (t) => {
  t.deepEqual(weighted({ 'eu/a': 80, 'eu/b': 20 }, endpointsIn(['eu/a', 0, 10], ['eu/b', 5])), { 'eu/b': 100 });
});

test('A7: the implicit failover pools the zones of a priority, an explicit one weighs them', (t) => {
  const endpoints = endpointsIn(['eu/b', 1], ['eu/c', 3]);
  t.false(route(endpoints, rule(null, {})).localityWeighted);
  t.true(route(endpoints, rule({ failoverPriority: [REGION] }, {})).localityWeighted);
});

test('A8: priorities spill to the next zones as their own pods fail', (t) => {
  const out = route(endpointsIn(['eu/a', 7, 3], ['eu/b', 5]), rule(null, {}), { compat: '>=1.31' });
  t.deepEqual(percentByZone(out), { 'eu/a': 98, 'eu/b': 2 });
});

test('A9: everything unhealthy is 503, not a spray, from 1.31 on and wherever outlier detection exists', (t) => {
  const endpoints = endpointsIn(['eu/a', 0, 4]).map((endpoint) => ({ ...endpoint, ejected: true }));
  const uh = [{ loadPercent: 100, panic: false, localities: [] }];
  t.deepEqual(route(endpoints, rule(null, {})).priorities, uh);
  t.deepEqual(route(endpoints, rule(null), { compat: '>=1.31' }).priorities, uh);
});

test('A9: minHealthPercent is the panic threshold, below it all hosts are used', (t) => {
  const endpoints = endpointsIn(['eu/a', 1, 3]).map((endpoint) => ({ ...endpoint, ejected: !endpoint.healthy }));
  const out = route(endpoints, rule(null, { minHealthPercent: 50 }));
  t.true(out.priorities[0]!.panic);
  t.deepEqual(out.priorities[0]!.localities[0]!.endpoints, [0, 1, 2, 3]);
});

test('A10 worked: 3 of 10 pods starting up leave all traffic local before 1.31 and spill 2 % from then on', (t) => {
  const endpoints = endpointsIn(['eu/a', 7, 3], ['eu/b', 10]);
  t.deepEqual(percentByZone(route(endpoints, rule(null, {}), { compat: '<=1.30' })), { 'eu/a': 100 });
  t.deepEqual(percentByZone(route(endpoints, rule(null, {}), { compat: '>=1.31' })), { 'eu/a': 98, 'eu/b': 2 });
  // minHealthPercent above 0 switches the sending of not-ready endpoints off again.
  const dr = rule(null, { minHealthPercent: 10 });
  t.deepEqual(percentByZone(route(endpoints, dr, { compat: '>=1.31' })), { 'eu/a': 100 });
});

test('A12: the algorithm is LEAST_REQUEST unless the rule names another', (t) => {
  const endpoints = endpointsIn(['eu/a', 1]);
  t.is(route(endpoints, null).algorithm, 'LEAST_REQUEST');
  t.is(route(endpoints, rule(null, undefined, 'ROUND_ROBIN')).algorithm, 'ROUND_ROBIN');
  t.is(route(endpoints, rule(null, undefined, 'RANDOM')).algorithm, 'RANDOM');
  t.is(route(endpoints, rule(null, undefined, 'PASSTHROUGH')).algorithm, 'LEAST_REQUEST');
  t.throws(() => route(endpoints, rule(null, undefined, 'FASTEST')), { message: /not modelled/ });
});

test('a service without endpoints has one priority that answers 503', (t) => {
  t.deepEqual(route([], rule(null, {})).priorities, [{ loadPercent: 100, panic: false, localities: [] }]);
});

test('zones and endpoints keep the order in which they were given', (t) => {
  const endpoints = endpointsIn(['eu/c', 2], ['eu/a', 1], ['eu/b', 2]).reverse();
  const [only] = route(endpoints, null).priorities;
  t.deepEqual(
    only!.localities.map(({ locality, endpoints: indices }) => [locality, indices]),
    [
      ['eu/b', [4, 3]],
      ['eu/a', [2]],
      ['eu/c', [1, 0]],
    ],
  );
});
