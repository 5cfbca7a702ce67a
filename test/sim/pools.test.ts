/** One pool over all versions of a host (SEMANTICS A17): calls that name no subset, or one that several versions carry. */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Mesh, Scenario, Service } from '../../scenarios/types.js';
import { setUp } from '../../sim/control/setUp.js';
import { simulate } from '../../sim/index.js';
import { runEvents } from '../../sim/loop.js';
import { compileProgram } from '../../sim/program.js';
import { growWorld, type World } from '../../sim/world.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { isDrawnFrom } from '../models/chiSquare.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';
import {
  aLoad,
  anEndpoint,
  aNode,
  aScenario,
  aService,
  call,
  constant,
  cpu,
  exponential,
  staticPolicy,
} from './builders.js';

const SECOND = 1e6;
const run = (scenario: Scenario): ReplicationResult => simulate(scenario, { policy: 0, seed: SEED });

/** A version of the service at position 0, or that service. */
function version(label: string, replicas: number, parts: Partial<Service> = {}): Service {
  const isBase = label === 'v1';
  const named = { name: isBase ? 's0' : `s0-${label}`, labels: { version: label }, versionOf: isBase ? null : 0 };
  return aService({ ...named, replicas, workers: 100, endpoints: [anEndpoint([cpu(constant(1000))])], ...parts });
}

interface Given {
  readonly policy?: Record<string, unknown>;
  readonly subsets?: readonly object[];
  readonly http?: readonly object[];
  readonly mesh?: Partial<Mesh>;
  readonly over?: Partial<Scenario>;
  readonly perSecond?: number;
  /** Slots of pods that may come are hashed, too: the same only where none may. */
  readonly isCalm?: boolean;
}

function scenarioOf(services: readonly Service[], given: Given = {}): Scenario {
  const base = aScenario({
    services,
    loads: [aLoad(given.perSecond ?? 200)],
    run: { durationUs: 300 * SECOND, warmUpUs: 0 },
    roundTripUs: 200,
  });
  const plain = rule(0, given.policy ?? {});
  const object: KubeObject = { ...plain, spec: { ...plain.spec, subsets: given.subsets ?? [] } };
  const routes: KubeObject = { ...plain, kind: 'VirtualService', spec: { hosts: ['s0'], http: given.http } };
  return {
    ...base,
    mesh: {
      ...base.mesh,
      destinationRules: [{ service: 0, object }],
      virtualServices: given.http ? [{ service: 0, object: routes }] : [],
      ...given.mesh,
    },
    ...given.over,
  };
}

const requestsOf = (result: ReplicationResult, ...names: readonly string[]): number[] =>
  names.map((name) => result.services.find(({ service }) => service === name)!.requests.total);

const balancer = (simple: string) => ({ loadBalancer: { simple } });

test(`A12: three pods of v1 and one of v2 are four equal pods to two choices ${SEED_NOTE}`, (t) => {
  // One request at a time (2 a second of 1 ms): every pick is a draw among four.
  const result = run(
    scenarioOf([version('v1', 3), version('v2', 1)], {
      perSecond: 2,
      over: {
        run: { ...aScenario().run, durationUs: 20_000 * SECOND, warmUpUs: 0 },
      },
    }),
  );
  isDrawnFrom(t, requestsOf(result, 's0', 's0-v2'), [3, 1]);
});

test(`A12: a slower version gets fewer requests by least request, exactly its share by turns ${SEED_NOTE}`, (t) => {
  const slow = version('v2', 1, { endpoints: [anEndpoint([cpu(constant(40_000))])] });
  const shareOf = (simple: string): readonly [number, number] => {
    const [first, second] = requestsOf(
      run(scenarioOf([version('v1', 3), slow], { policy: balancer(simple) })),
      's0',
      's0-v2',
    );
    return [first! + second!, second!];
  };
  const [all, least] = shareOf('LEAST_REQUEST');
  // 200 a second: v2 has up to two under way at a quarter of them, and loses nearly every draw against an idle pod.
  t.true(least / all < 0.2, `${least} of ${all}`);
  const [turns, quarter] = shareOf('ROUND_ROBIN');
  t.true(Math.abs(4 * quarter - turns) <= 4, `${quarter} of ${turns}`);
});

const outlier = { consecutive5xxErrors: 2, interval: '5s', baseEjectionTime: '10s', maxEjectionPercent: 50 };
const losing = { kind: 'serviceFailure' as const, share: 0.3, atUs: 10 * SECOND, forUs: 60 * SECOND, rampUs: 0 };

for (const [title, given] of Object.entries<Given>({
  'least request': {},
  'by turns': { policy: balancer('ROUND_ROBIN') },
  'at random': { policy: balancer('RANDOM') },
  'by hash': {
    isCalm: true,
    policy: { loadBalancer: { consistentHash: { httpHeaderName: 'user', maglev: { tableSize: 251 } } } },
  },
  'ring hash of addresses': { isCalm: true, policy: { loadBalancer: { consistentHash: { useSourceIp: true } } } },
  'with a breaker': {
    policy: { connectionPool: { tcp: { maxConnections: 6 }, http: { http1MaxPendingRequests: 2 } } },
  },
  'with warm-up': { policy: { loadBalancer: { simple: 'ROUND_ROBIN', warmup: { duration: '60s' } } } },
  'with retries': { http: [{ route: [{ destination: { host: 's0' } }], retries: { attempts: 3, retryOn: '5xx' } }] },
  'with injected delays': {
    http: [
      {
        route: [{ destination: { host: 's0' } }],
        fault: {
          delay: { percentage: { value: 20 }, fixedDelay: '30ms' },
          abort: { percentage: { value: 10 }, httpStatus: 503 },
        },
      },
    ],
  },
  'without a mesh': { mesh: { routing: { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null } } },
  'over long-lived connections': {
    mesh: { routing: { kind: 'kubeProxy', connectionsPerCaller: 3, maxAgeUs: 20 * SECOND } },
  },
}))
  test(`A17: an exact copy as a second version changes nothing for the users: ${title} ${SEED_NOTE}`, (t) => {
    const slowly = { endpoints: [anEndpoint([cpu(constant(20_000))])] };
    const crash = { kind: 'podCrash' as const, service: 0, pods: 1, atUs: 60 * SECOND, forUs: null, rampUs: 0 };
    const errors = (services: readonly number[]) => services.map((service) => ({ ...losing, service }));
    const one = scenarioOf([version('v1', 4, slowly)], {
      ...given,
      over: { faults: given.isCalm ? [] : [...errors([0]), crash] },
    });
    const two = scenarioOf([version('v1', 2, slowly), version('v2', 2, slowly)], {
      ...given,
      over: { faults: given.isCalm ? [] : [...errors([0, 1]), crash] },
    });
    const [single, pooled] = [one, two].map(run) as [ReplicationResult, ReplicationResult];
    // Demands are constant, as those of another version are draws of their own; everything else is keyed by the call.
    t.true(single.total.requests.total > 50_000);
    t.deepEqual(pooled.total, single.total);
    t.deepEqual(pooled.loads, single.loads);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    t.is(sum(pooled.edges.map(({ bytes }) => bytes)), sum(single.edges.map(({ bytes }) => bytes)));
    t.is(
      sum(pooled.edges.map(({ requests }) => requests.total)),
      sum(single.edges.map(({ requests }) => requests.total)),
    );
    t.is(sum(requestsOf(pooled, 's0', 's0-v2')), requestsOf(single, 's0')[0]!);
    t.true(requestsOf(pooled, 's0-v2')[0]! > 0);
  });

test(`A17: with random demands an exact copy has the same latency in the mean ${SEED_NOTE}`, (t) => {
  const work = { workers: 1, endpoints: [anEndpoint([cpu(exponential(10_000))])] };
  const means = (services: readonly Service[]): number[] =>
    Array.from(
      { length: 8 },
      (_, i) => simulate(scenarioOf(services), { policy: 0, seed: SEED + i }).total.latencyMs.mean!,
    );
  const single = means([version('v1', 4, work)]);
  const pooled = means([version('v1', 2, work), version('v2', 2, work)]);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1) / values.length;
  // Four standard errors of the difference.
  const error = Math.sqrt(variance(single) + variance(pooled));
  t.true(Math.abs(mean(single) - mean(pooled)) < 4 * error, `${mean(single)} and ${mean(pooled)}, error ${error}`);
});

/** The world of a run, stopped after so many seconds. */
function worldAfter(scenario: Scenario, seconds: number): World {
  const { world } = setUp(compileProgram(scenario), staticPolicy, SEED, null);
  world.serviceErrorShare.fill(0);
  for (const fault of scenario.faults)
    if (fault.kind === 'serviceFailure') world.serviceErrorShare[world.program.indexOf[fault.service]!] = fault.share;
  world.anyErrors = true;
  while (!runEvents(world, seconds * SECOND)) growWorld(world);
  return world;
}

test(`A14 worked: of ten endpoints 10 % may be ejected, which is one, whichever version it is of ${SEED_NOTE}`, (t) => {
  const outlierDetection = { ...outlier, maxEjectionPercent: 10 };
  for (const failing of [[0], [1], [0, 1]]) {
    const faults = failing.map((service) => ({ ...losing, service, share: 1, atUs: 0 }));
    const services = [version('v1', 7), version('v2', 3)];
    const world = worldAfter(scenarioOf(services, { policy: { outlierDetection }, over: { faults } }), 4);
    const pooled = world.program.edgeMembers.findIndex((members) => members >= 0);
    const state = world.outliers[pooled]!;
    t.is(state.ejectedCount[0], 1);
    const slot = state.ejectedAtUs.findIndex((atUs) => atUs >= 0);
    t.true(failing.includes(world.podService[slot]!), `slot ${slot}`);
    // Nine are left to choose from.
    t.is(world.ownRoutes[world.rotationBase[pooled]!]!.hosts.length, 9);
  }
});

test(`A17: a pod serves with what its own version does, and its bytes are counted ${SEED_NOTE}`, (t) => {
  const calling = [{ ...anEndpoint([cpu(constant(1000)), call(2)]), requestBytes: 7, responseBytes: 3 }];
  const services = [
    version('v1', 3),
    version('v2', 1, { endpoints: calling }),
    aService({ name: 'back', workers: 100 }),
  ];
  const result = run(scenarioOf(services));
  const [second, back] = requestsOf(result, 's0-v2', 'back');
  t.is(back, second);
  const edge = (destination: string) =>
    result.edges.find((one) => one.source === 'gateway' && one.destination === destination)!;
  const sent = (destination: string): number => edge(destination).requestsByZone[0]![0]!;
  t.is(edge('s0-v2').bytes, 10 * sent('s0-v2'));
  t.is(edge('s0').bytes, 5000 * sent('s0'));
  t.is(edge('s0').requests.total + edge('s0-v2').requests.total, result.total.requests.total);
});

const SUBSETS = [
  { name: 'v1', labels: { version: 'v1' } },
  { name: 'new', labels: { track: 'new' } },
];
const tracked = (label: string): Service => version(label, 1, { labels: { version: label, track: 'new' } });

test(`A17: a subset may hold several versions, and a route may mix it with the host and with a mirror ${SEED_NOTE}`, (t) => {
  const services = [version('v1', 2), tracked('v2'), tracked('v3')];
  const to = (subset: string | null, weight: number) => ({
    destination: { host: 's0', ...(subset === null ? {} : { subset }) },
    weight,
  });
  const counts = (http: object, perSecond = 200): number[] =>
    requestsOf(run(scenarioOf(services, { subsets: SUBSETS, http: [http], perSecond })), 's0', 's0-v2', 's0-v3');
  const [first, second, third] = counts({ route: [to('new', 1)] });
  t.is(first, 0);
  // Two choices keep the two within a few standard errors of a half, and closer.
  isDrawnFrom(t, [second!, third!], [1, 1]);
  // Half to v1, half to the four pods: 1/2 + 1/2 x 2/4, and 1/2 x 1/4 each.
  isDrawnFrom(t, counts({ route: [to('v1', 50), to(null, 50)] }, 5), [6, 1, 1]);
  // Every request to v1, and a copy to the pool of the other two.
  const [own, copies, more] = counts({ route: [to('v1', 1)], mirror: { host: 's0', subset: 'new' } });
  t.is(copies! + more!, own!);
});

test(`A17: the policy of the subset holds for its pool, that of the rule for the host's ${SEED_NOTE}`, (t) => {
  const [v1, held] = SUBSETS;
  const trafficPolicy = { connectionPool: { http: { http2MaxRequests: 1 } } };
  const services = [version('v1', 2), tracked('v2'), tracked('v3')];
  const flags = (subset: object) =>
    run(
      scenarioOf(services, {
        subsets: [v1!, { ...held, trafficPolicy }],
        http: [{ route: [{ destination: { host: 's0', ...subset } }] }],
      }),
    ).total.responseFlags;
  // One request at a time for both versions: 200 a second of 1.2 ms are refused at about 1 - 1 / (1 + 0.24), Erlang's B.
  const refused = flags({ subset: 'new' })['UO']!;
  t.true(Math.abs(refused / 60_000 - 0.24 / 1.24) < 0.01, `${refused}`);
  t.deepEqual(flags({}), {});
});

test(`A17: the host has no pods left only when no version has: UH is the host's ${SEED_NOTE}`, (t) => {
  const result = run(scenarioOf([version('v1', 0), version('v2', 0)]));
  t.deepEqual(Object.keys(result.total.responseFlags), ['UH']);
  const flags = result.edges.map(({ destination, responseFlags }) => [destination, Object.keys(responseFlags)]);
  t.deepEqual(flags, [
    ['s0', ['UH']],
    ['s0-v2', []],
  ]);
  t.is(requestsOf(run(scenarioOf([version('v1', 0), version('v2', 1)])), 's0-v2')[0], result.total.requests.total);
});

test(`the order of versions in the file, and their names, change no figure ${SEED_NOTE}`, (t) => {
  const [v1, v2, v3] = [
    version('v1', 2, { endpoints: [anEndpoint([cpu(exponential(3000))])] }),
    version('v2', 1, { endpoints: [anEndpoint([cpu(exponential(9000))])] }),
    version('v3', 2, { endpoints: [anEndpoint([cpu(exponential(5000))])] }),
  ];
  const nodes = [aNode('n', 0)];
  const of = (services: readonly Service[]) =>
    run(scenarioOf(services, { over: { cluster: { ...aScenario({ nodes }).cluster } } }));
  const before = of([v1, v2, v3]);
  const after = of([v1, v3, { ...v2, name: 'canary' }]);
  t.deepEqual(after.total, before.total);
  t.deepEqual(requestsOf(after, 's0', 'canary', 's0-v3'), requestsOf(before, 's0', 's0-v2', 's0-v3'));
});
