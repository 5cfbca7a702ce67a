/**
 * Everything that is drawn, against the shares that it should have, by chi-square: one false alarm in 10,000 true cases a
 * test (test/models/chiSquare.ts). What is scheduled instead of drawn must keep to its shares more closely than that.
 */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Scenario } from '../../scenarios/types.js';
import { setUp } from '../../sim/control/setUp.js';
import { simulate } from '../../sim/index.js';
import { createLoad } from '../../sim/load.js';
import { runEvents } from '../../sim/loop.js';
import type { RouteEndpoint } from '../../sim/mesh/locality.js';
import { pickPod } from '../../sim/pick.js';
import { compileProgram } from '../../sim/program.js';
import { fillQuantileTable, TABLE_SIZE } from '../../sim/quantileTable.js';
import { mix } from '../../sim/random.js';
import { writeRoutes } from '../../sim/routes.js';
import { growWorld, type World } from '../../sim/world.js';
import { chiSquare, isDrawnFrom, isEvenerThanDrawn } from '../models/chiSquare.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { aLoad, anEndpoint, aScenario, aService, constant, staticPolicy, type ScenarioParts } from './builders.js';

const SECOND = 1e6;
const quick = aService({ workers: 1000, endpoints: [anEndpoint([{ kind: 'wait', delay: constant(1000) }])] });

interface Given extends ScenarioParts {
  readonly policy?: Record<string, unknown>;
  readonly istioMinor?: number;
  /** In place of zones a, b and c of one region. */
  readonly regions?: readonly string[];
}

/** A world whose gateways know these pods of service 0. */
function worldOf(endpoints: readonly RouteEndpoint[], given: Given = {}): World {
  const { policy: trafficPolicy = {}, istioMinor = 31, regions, ...parts } = given;
  const base = aScenario({ services: [aService({ replicas: endpoints.length })], ...parts });
  const zones = base.cluster.zones.map((zone, i) =>
    regions ? { ...zone, region: regions[i]!, name: `${regions[i]!}/${zone.zone}` } : zone,
  );
  const scenario = { ...base, cluster: { ...base.cluster, zones }, compat: { ...base.compat, istioMinor } };
  const { world } = setUp(compileProgram(scenario), staticPolicy, SEED, null);
  writeRoutes(world, { service: 0, endpoints, destinationRule: { trafficPolicy }, hints: new Map(), version: 9 });
  return world;
}

/** So many pods in a zone, the first of them healthy. */
function podsIn(zone: string, from: number, count: number, healthy = count): RouteEndpoint[] {
  return Array.from({ length: count }, (_, i) => ({
    index: from + i,
    zone,
    node: `n${from + i}`,
    healthy: i < healthy,
  }));
}

/** How often gateway `slot` picks each pod. */
function picks(world: World, draws: number, slot = 0): number[] {
  const counts = new Array<number>(world.podCapacity[0]!).fill(0);
  const row = world.connectionBase[0]! + slot * world.podCapacity[0]!;
  for (let i = 0; i < draws; i++)
    counts[pickPod(world, 0, world.podBase[1]! + slot, slot, row, mix(mix(i + SEED) + slot), 0)]!++;
  return counts;
}

test(`A12 worked: with 3, 3 and 0 requests under way two choices pick 2/9, 2/9 and 5/9 ${SEED_NOTE}`, (t) => {
  const world = worldOf(podsIn('r/a', 0, 3));
  world.connectionActive.set([3, 3, 0], world.connectionBase[0]);
  isDrawnFrom(t, picks(world, 90_000).slice(0, 3), [2 / 9, 2 / 9, 5 / 9]);
});

test(`A12: with equal counts two choices and RANDOM pick every pod alike ${SEED_NOTE}`, (t) => {
  for (const simple of ['LEAST_REQUEST', 'RANDOM'])
    isDrawnFrom(
      t,
      picks(worldOf(podsIn('r/a', 0, 7), { policy: { loadBalancer: { simple } } }), 70_000).slice(0, 7),
      [1, 1, 1, 1, 1, 1, 1],
      simple,
    );
});

test(`A12: ROUND_ROBIN starts at any pod, and then deals evenly ${SEED_NOTE}`, (t) => {
  const proxies = 2000;
  const policy = { loadBalancer: { simple: 'ROUND_ROBIN' } };
  const world = worldOf(podsIn('r/a', 0, 5), { policy, gatewaysPerZone: proxies });
  const firsts = [0, 0, 0, 0, 0];
  for (let slot = 0; slot < proxies; slot++) picks(world, 1, slot).forEach((count, pod) => (firsts[pod]! += count));
  isDrawnFrom(t, firsts, [1, 1, 1, 1, 1], 'first picks');
  t.deepEqual(picks(world, 500).slice(0, 5), [100, 100, 100, 100, 100]);
});

test(`B14: kube-proxy draws a pod for each connection, all alike ${SEED_NOTE}`, (t) => {
  const base = aScenario();
  const routing = { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null } as const;
  const world = worldOf(podsIn('r/a', 0, 6), { over: { mesh: { ...base.mesh, routing } } });
  isDrawnFrom(t, picks(world, 60_000).slice(0, 6), [1, 1, 1, 1, 1, 1]);
});

for (const [name, healthy, total, loads] of [
  ['7/10 and 5/5', [7, 5], [10, 5], [98, 2]],
  ['1/4 and 5/5', [1, 5], [4, 5], [35, 65]],
  ['5/100 and 65/100', [5, 65], [100, 100], [8, 92]],
  ['healths 35, 35 and 28', [1, 1, 1], [4, 4, 5], [37, 35, 28]],
] as const)
  test(`A8 worked: ${name} draw their priorities ${loads.join('/')} ${SEED_NOTE}`, (t) => {
    // Own zone, own region, elsewhere: priorities 0, 1 and 2.
    const zones = ['r/a', 'r/b', 's/c'];
    let from = 0;
    const endpoints = total.flatMap((count, p) => {
      from += count;
      return podsIn(zones[p]!, from - count, count, healthy[p]);
    });
    const world = worldOf(endpoints, {
      zones: 3,
      regions: ['r', 'r', 's'],
      policy: { outlierDetection: {} },
      istioMinor: 31,
    });
    const counts = zones.map(() => 0);
    picks(world, 100_000).forEach((count, pod) => {
      if (count > 0) counts[zones.indexOf(endpoints[pod]!.zone)]! += count;
    });
    isDrawnFrom(t, counts.slice(0, loads.length), loads);
  });

test(`A7: localities by weight are dealt, not drawn: a start at random, then evener than any draws ${SEED_NOTE}`, (t) => {
  const proxies = 3000;
  const distribute = [{ from: '*', to: { 'r/a': 53, 'r/b': 18, 'r/c': 29 } }];
  const policy = { loadBalancer: { localityLbSetting: { distribute } } };
  const endpoints = ['r/a', 'r/b', 'r/c'].flatMap((zone, i) => podsIn(zone, i, 1));
  const world = worldOf(endpoints, { zones: 3, policy, gatewaysPerZone: proxies });
  const firsts = [0, 0, 0];
  let statistic = 0;
  for (let slot = 0; slot < proxies; slot++) {
    picks(world, 1, slot).forEach((count, pod) => (firsts[pod]! += count));
    statistic += chiSquare(picks(world, 60, slot).slice(0, 3), [53, 18, 29]);
  }
  // Where the schedules of 3,000 proxies stand is drawn: their first picks are independent.
  isDrawnFrom(t, firsts, [53, 18, 29], 'first picks');
  // Two degrees of freedom for each proxy if its picks were draws.
  isEvenerThanDrawn(t, statistic, 2 * proxies);
  t.true(statistic < 0.1 * 2 * proxies, `${statistic}`);
});

function virtualService(http: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'service' },
    spec: { hosts: ['service'], http: [{ route: [{ destination: { host: 'service' } }], ...http }] },
  };
}

/** 1000 requests a second for 100 s, which have all ended 20 s later. */
function routed(http: Record<string, unknown>, parts: ScenarioParts = {}): Scenario {
  const stop = [
    { atUs: 100 * SECOND, perSecond: 1000 },
    { atUs: 100 * SECOND, perSecond: 0 },
  ];
  return aScenario({
    services: [quick],
    loads: [aLoad(1000, { rate: [{ atUs: 0, perSecond: 1000 }, ...stop] })],
    run: { warmUpUs: 0, durationUs: 120 * SECOND },
    ...parts,
    over: { mesh: { ...aScenario().mesh, virtualServices: [{ service: 0, object: virtualService(http) }] } },
  });
}

for (const weights of [
  [90, 10],
  [50, 30, 20],
])
  test(`A17: routes of weights ${weights.join('/')} share the requests so ${SEED_NOTE}`, (t) => {
    const names = ['service', 'second', 'third'].slice(0, weights.length);
    const route = names.map((host, i) => ({ destination: { host }, weight: weights[i] }));
    const services = names.map((name) => ({ ...quick, name }));
    const { edges } = simulate(routed({ route }, { services }), { policy: 0, seed: SEED });
    const counts = names.map((name) => edges.find(({ destination }) => destination === name)!.requests.total);
    isDrawnFrom(t, counts, weights);
  });

test(`A17 worked: delay 10 % x 5 s and abort 1 %: .891 neither, .099 delayed, .009 aborted, .001 both ${SEED_NOTE}`, (t) => {
  const delay = { percentage: { value: 10 }, fixedDelay: '5s' };
  const abort = { percentage: { value: 1 }, httpStatus: 500 };
  /** Requests that failed, and that took 5 s: each answered one takes 1 ms besides, and an aborted one nothing. */
  const count = (fault: Record<string, unknown>): { failed: number; delayed: number; all: number } => {
    const scenario = routed({ fault });
    const { world } = setUp(compileProgram(scenario), staticPolicy, SEED, null);
    while (!runEvents(world, scenario.run.durationUs)) growWorld(world);
    const { edgeLatencyUs, edgeSucceeded, edgeFailed } = world.counters;
    const delayed = (edgeLatencyUs[0]! - 1000 * edgeSucceeded[0]!) / (5 * SECOND);
    return { failed: edgeFailed[0]!, delayed, all: edgeSucceeded[0]! + edgeFailed[0]! };
  };
  // Draws are a request's own: with the abort at 100 % the same ones are delayed, and without a delay the same ones fail.
  const { failed, delayed, all } = count({ delay, abort });
  t.is(count({ delay, abort: { ...abort, percentage: { value: 100 } } }).delayed, delayed);
  t.is(count({ abort }).failed, failed);
  // Of the delayed ones, those that were answered stand in the users' latencies.
  const { total } = simulate(routed({ fault: { delay, abort } }), { policy: 0, seed: SEED });
  const both = delayed - Math.round(((total.latencyMs.mean! - 1) * total.requests.succeeded) / 5000);
  isDrawnFrom(t, [all - delayed - failed + both, delayed - both, failed - both, both], [0.891, 0.099, 0.009, 0.001]);
  // Mean added latency .1 x 5 s, within four standard errors (1.5 s over the root of the count).
  t.true(Math.abs((delayed * 5) / all - 0.5) < (4 * 1.5) / Math.sqrt(all));
});

test(`users come from the zones by their shares ${SEED_NOTE}`, (t) => {
  const shares = [0.5, 0.3, 0.2];
  const { edges } = simulate(
    routed({}, { zones: 3, loads: [aLoad(800, { from: [{ atUs: 0, shares }] })], services: [quick] }),
    { policy: 0, seed: SEED },
  );
  const bySource = edges[0]!.requestsByZone.map((row) => row.reduce((sum, count) => sum + count, 0));
  isDrawnFrom(t, bySource, shares);
});

/** Arrivals of a load on its own, in microseconds. */
function arrivals(perSecond: readonly (readonly [number, number])[], endUs: number): number[] {
  const tables = new Float64Array(TABLE_SIZE);
  fillQuantileTable(tables, 0, { kind: 'exponential', mean: 1 }, 1);
  const load = aLoad(0, { rate: perSecond.map(([atUs, rate]) => ({ atUs, perSecond: rate })) });
  const stream = createLoad(load, 0, SEED, endUs, tables, 0);
  const times: number[] = [];
  for (let at = stream.next(); at !== Infinity; at = stream.next()) times.push(at);
  return times;
}

test(`Poisson arrivals: gaps are exponential, in twenty cells of equal chance ${SEED_NOTE}`, (t) => {
  const times = arrivals([[0, 1000]], 100 * SECOND);
  const cells = new Array<number>(20).fill(0);
  let before = 0;
  for (const at of times) {
    // 1 ms on the mean; the share of shorter gaps is 1 - exp(-gap).
    cells[Math.floor(20 * (1 - Math.exp(-(at - before) / 1000)))]!++;
    before = at;
  }
  isDrawnFrom(
    t,
    cells,
    cells.map(() => 1),
    'gaps',
  );
});

const FACTORIALS = [1, 1, 2, 6, 24, 120, 720, 5040, 40_320];

test(`Poisson arrivals: counts in intervals are Poisson, and do not know of the interval before ${SEED_NOTE}`, (t) => {
  const counts = new Array<number>(40_000).fill(0);
  for (const at of arrivals([[0, 1000]], 120 * SECOND)) counts[Math.floor(at / 3000)]!++;
  // Mean 3: e^-3 3^n / n!, and what is left from 9 on.
  const shares = FACTORIALS.map((factorial, n) => (Math.exp(-3) * 3 ** n) / factorial);
  shares.push(1 - shares.reduce((sum, share) => sum + share));
  const cells = shares.map(() => 0);
  for (const count of counts) cells[Math.min(count, 9)]!++;
  isDrawnFrom(t, cells, shares, 'counts');
  // Few (up to 2) or more, after few or more: independent, so products of their shares.
  const few = shares[0]! + shares[1]! + shares[2]!;
  const pairs = [0, 0, 0, 0];
  for (let i = 0; i < counts.length; i += 2) pairs[(counts[i]! > 2 ? 2 : 0) + (counts[i + 1]! > 2 ? 1 : 0)]!++;
  isDrawnFrom(t, pairs, [few * few, few * (1 - few), (1 - few) * few, (1 - few) ** 2], 'pairs');
});

test(`Poisson arrivals on a ramp fall where the rate is ${SEED_NOTE}`, (t) => {
  // From 0 to 2000/s over 50 s: the k-th of ten parts expects (2k - 1)/100 of them.
  const times = arrivals(
    [
      [0, 0],
      [50 * SECOND, 2000],
    ],
    50 * SECOND,
  );
  const cells = new Array<number>(10).fill(0);
  for (const at of times) cells[Math.min(9, Math.floor(at / (5 * SECOND)))]!++;
  isDrawnFrom(
    t,
    cells,
    cells.map((_, k) => 2 * k + 1),
  );
});
