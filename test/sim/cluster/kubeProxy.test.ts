import test from 'ava';
import fc from 'fast-check';
import { usableEndpoints, type EndpointHints, type ProxyEndpoint } from '../../../sim/cluster/kubeProxy.js';
import {
  desiredByZone,
  topologyHints,
  type TopologyNode,
  type TrafficDistribution,
} from '../../../sim/cluster/topologyHints.js';
import { slowHintCounts, slowUsable } from '../../models/slowEndpoints.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const NEWEST = 37;

/** `a1` is a ready endpoint on node `a1` of zone `a`. */
function anEndpoint(name: string, fields: Partial<ProxyEndpoint> = {}): ProxyEndpoint {
  return { name, node: name, zone: name[0]!, ready: true, serving: true, terminating: false, ...fields };
}

const some = (...names: string[]) => names.map((name) => anEndpoint(name));

/** One node in each zone, with so many cores. */
const cores = (byZone: Record<string, number>): TopologyNode[] =>
  Object.entries(byZone).map(([zone, count]) => ({
    zone,
    cpuMillicores: count * 1000,
    ready: true,
    controlPlane: false,
  }));

function reached(
  endpoints: readonly ProxyEndpoint[],
  from: string,
  trafficDistribution: TrafficDistribution | null,
  kubernetesMinor = NEWEST,
): string[] {
  const { hints } = topologyHints({ trafficDistribution, topologyModeAuto: false }, endpoints, [], kubernetesMinor);
  return usableEndpoints(endpoints, hints, { node: from, zone: from[0]! }, 'Cluster').map(({ name }) => name);
}

test('B14: plain routing uses every ready endpoint, wherever it is', (t) => {
  const endpoints = [...some('a1', 'b1'), anEndpoint('c1', { ready: false })];
  t.deepEqual(reached(endpoints, 'a9', null), ['a1', 'b1']);
});

test('B14: PreferSameZone and PreferClose take the zone if it has one endpoint at all, else every endpoint', (t) => {
  const endpoints = some('a1', 'b1', 'b2', 'b3');
  for (const distribution of ['PreferSameZone', 'PreferClose'] as const) {
    t.deepEqual(reached(endpoints, 'a9', distribution), ['a1']);
    t.deepEqual(reached(endpoints, 'b9', distribution), ['b1', 'b2', 'b3']);
    t.deepEqual(reached(endpoints, 'c9', distribution), ['a1', 'b1', 'b2', 'b3']);
  }
});

test('B14: PreferSameNode takes the node, then the zone, then every endpoint', (t) => {
  const endpoints = some('a1', 'a2', 'b1');
  t.deepEqual(reached(endpoints, 'a1', 'PreferSameNode'), ['a1']);
  t.deepEqual(reached(endpoints, 'a9', 'PreferSameNode'), ['a1', 'a2']);
  t.deepEqual(reached(endpoints, 'c1', 'PreferSameNode'), ['a1', 'a2', 'b1']);
});

test('B14: one ready endpoint without a hint switches hints off, one that is not ready does not', (t) => {
  t.deepEqual(reached([...some('a1', 'b1'), anEndpoint('c1', { zone: null })], 'a9', 'PreferSameZone'), [
    'a1',
    'b1',
    'c1',
  ]);
  const gone = anEndpoint('c1', { zone: null, ready: false });
  t.deepEqual(reached([...some('a1', 'b1'), gone], 'a9', 'PreferSameZone'), ['a1']);
});

test('B14: a client whose node has no zone gets every endpoint', (t) => {
  const endpoints = some('a1', 'b1');
  const service = { trafficDistribution: 'PreferSameZone', topologyModeAuto: false } as const;
  const { hints } = topologyHints(service, endpoints, [], NEWEST);
  t.is(usableEndpoints(endpoints, hints, { node: 'x', zone: null }, 'Cluster').length, 2);
});

test('B14: distributions count from the release that switched them on', (t) => {
  const endpoints = some('a1', 'b1');
  const at = (distribution: TrafficDistribution) =>
    [30, 31, 33, 34].map((minor) => reached(endpoints, 'a1', distribution, minor).length);
  t.deepEqual(at('PreferClose'), [2, 1, 1, 1]);
  t.deepEqual(at('PreferSameZone'), [2, 2, 2, 1]);
  t.deepEqual(at('PreferSameNode'), [2, 2, 2, 1]);
});

test('B14: terminating endpoints that still serve are used only when no endpoint is ready anywhere', (t) => {
  const leaving = (name: string) => anEndpoint(name, { ready: false, terminating: true });
  const dead = anEndpoint('a3', { ready: false, serving: false, terminating: true });
  t.deepEqual(reached([leaving('a1'), anEndpoint('b1')], 'a9', 'PreferSameZone'), ['b1']);
  // Then zones no longer matter.
  t.deepEqual(reached([leaving('a1'), leaving('b1'), dead], 'a9', 'PreferSameZone'), ['a1', 'b1']);
  t.deepEqual(reached([dead], 'a9', null), []);
});

test('B14: a Local policy stays on the node: ready endpoints first, then terminating ones, then none', (t) => {
  const local = (endpoints: ProxyEndpoint[], node: string) =>
    usableEndpoints(endpoints, new Map(), { node, zone: node[0]! }, 'Local').map(({ name }) => name);
  const leaving = anEndpoint('a1', { ready: false, terminating: true });
  t.deepEqual(local(some('a1', 'a2'), 'a1'), ['a1']);
  t.deepEqual(local([leaving, anEndpoint('a2')], 'a1'), ['a1']);
  t.deepEqual(local([leaving, anEndpoint('a2')], 'a9'), []);
});

test('B14 worked: CPU 8/4/4 and 8 endpoints give 4/2/2, CPU 4/4/4 and 4 endpoints switch hints off', (t) => {
  t.deepEqual(
    desiredByZone(8, cores({ a: 8, b: 4, c: 4 })),
    new Map([
      ['a', 4],
      ['b', 2],
      ['c', 2],
    ]),
  );
  t.is(
    desiredByZone(4, cores({ a: 4, b: 4, c: 4 })),
    'too few endpoints to keep every zone below the overload threshold',
  );
});

test('B14: Auto needs two zones, as many endpoints, and CPU and zone of every ready worker', (t) => {
  const two = cores({ a: 4, b: 4 });
  const rows: [TopologyNode[], number, string][] = [
    [cores({ a: 4 }), 8, 'ready nodes in fewer than two zones'],
    [two, 1, 'fewer endpoints (1) than zones (2)'],
    [[...two, { ...two[0]!, zone: null }], 8, 'a node has no zone or no CPU'],
    [[...two, { ...two[0]!, cpuMillicores: 0 }], 8, 'a node has no zone or no CPU'],
  ];
  for (const [nodes, count, reason] of rows) t.is(desiredByZone(count, nodes), reason);
  // Nodes that are not ready or run the control plane do not count, whatever they lack.
  const ignored = [
    { ...two[0]!, zone: null, ready: false },
    { ...two[0]!, zone: 'z', controlPlane: true },
  ];
  t.deepEqual(desiredByZone(8, [...two, ...ignored]), desiredByZone(8, two));
});

/** How many endpoints are hinted to each zone; null: none are. */
function hintCounts(endpointsInZone: Record<string, number>, cpuInZone: Record<string, number>) {
  const endpoints = Object.entries(endpointsInZone).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, e) => anEndpoint(`${zone}${e}`)),
  );
  const service = { trafficDistribution: null, topologyModeAuto: true };
  const { hints, because } = topologyHints(service, endpoints, cores(cpuInZone), NEWEST);
  if (because !== null) return null;
  const counts: Record<string, number> = {};
  for (const { forZone } of hints.values()) counts[forZone!] = (counts[forZone!] ?? 0) + 1;
  return counts;
}

test('B14: Auto moves whole endpoints from zones with too many to zones with too few', (t) => {
  // Wanted 4/2/2, there are 8/0/0.
  t.deepEqual(hintCounts({ a: 8 }, { a: 8, b: 4, c: 4 }), { a: 4, b: 2, c: 2 });
  // Wanted 5/5, there are 6/4: surplus and need are 1.
  t.deepEqual(hintCounts({ a: 6, b: 4 }, { a: 4, b: 4 }), { a: 5, b: 5 });
  // Wanted 5.5 each of 11, there are 6/5: surplus and need of 0.5 are both below 1.
  t.deepEqual(hintCounts({ a: 6, b: 5 }, { a: 4, b: 4 }), { a: 6, b: 5 });
});

test('B14: Auto goes before trafficDistribution', (t) => {
  const endpoints = some('a1', 'a2', 'a3', 'a4');
  const service = { trafficDistribution: 'PreferSameZone', topologyModeAuto: true } as const;
  const { hints } = topologyHints(service, endpoints, cores({ a: 4, b: 4 }), NEWEST);
  t.deepEqual(
    [...hints.values()].map(({ forZone }) => forZone),
    ['b', 'b', 'a', 'a'],
  );
});

test(`usable endpoints agree with the tiers written out ${SEED_NOTE}`, (t) => {
  const place = fc.option(fc.constantFrom('a', 'b'), { freq: 4 });
  const rows = fc.array(
    fc.record({
      node: fc.constantFrom('n1', 'n2', 'n3'),
      ready: fc.boolean(),
      serving: fc.boolean(),
      terminating: fc.boolean(),
      hint: fc.record({ forZone: place, forNode: fc.option(fc.constantFrom('n1', 'n2'), { freq: 4 }) }),
    }),
    { maxLength: 6 },
  );
  const property = fc.property(rows, place, fc.boolean(), (given, zone, isLocal) => {
    const endpoints = given.map((row, e) =>
      anEndpoint(`e${e}`, { ...row, terminating: row.terminating && !row.ready }),
    );
    const hints = new Map<string, EndpointHints>(given.map(({ hint }, e) => [`e${e}`, hint]));
    const client = { node: 'n1', zone };
    t.deepEqual(
      usableEndpoints(endpoints, hints, client, isLocal ? 'Local' : 'Cluster').map(({ name }) => name),
      slowUsable(endpoints, hints, client, isLocal),
    );
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 2000 }));
});

test(`hints of Auto agree with surplus and need written out, and cover each ready endpoint ${SEED_NOTE}`, (t) => {
  const counts = fc.record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9) });
  // Sixteen cores in all: shares are then exact in float64, and ties are ties.
  const cpus = fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 8 }))
    .map(([a, b]) => ({ a, b, c: 16 - a - b }));
  const property = fc.property(counts, cpus, (endpointsInZone, cpuInZone) => {
    // Where five sixths of a share are whole, float64 may end just above and ask for one more, as in the controller.
    const [all, cpu] = [endpointsInZone, cpuInZone].map(({ a, b, c }) => a + b + c);
    fc.pre(Object.values(cpuInZone).every((part) => (5 * all! * part) % (6 * cpu!) !== 0 || all === 0));
    const found = hintCounts(endpointsInZone, cpuInZone);
    const slow = slowHintCounts(endpointsInZone, cpuInZone);
    const some = slow && Object.fromEntries(Object.entries(slow).filter(([, count]) => count > 0));
    t.deepEqual(found, some);
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 1000 }));
});
