/** Waypoints of an ambient mesh: proxies of their own between callers and called, which decide for each request. */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Proxy, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import type { EdgeFigures, ReplicationResult } from '../../traces/run-result.js';
import { mmc } from '../models/closedForms.js';
import { SEED, SEED_NOTE } from '../seed.js';
import {
  AMBIENT,
  aLoad,
  anEndpoint,
  aScenario,
  aService,
  behindWaypoint,
  call,
  constant,
  cpu,
  exponential,
  type ScenarioParts,
} from './builders.js';

const SECOND = 1e6;

/** Users call a, which calls b; b is behind a waypoint. */
function chain(
  b: Partial<Service>,
  waypoint: Partial<Service> = {},
  parts: ScenarioParts = {},
  objects: { readonly rule?: object; readonly http?: object } = {},
): Scenario {
  const services = [
    aService({ name: 'a', workers: 1000, endpoints: [anEndpoint([call(1)])] }),
    aService({ name: 'b', workers: 1000, ...b }),
  ];
  return ambient(
    aScenario({
      ...parts,
      services: behindWaypoint(services, waypoint, { hosts: [1] }),
      run: { durationUs: 300 * SECOND, warmUpUs: 0, ...parts.run },
    }),
    objects,
  );
}

function ambient(
  scenario: Scenario,
  { rule, http }: { readonly rule?: object; readonly http?: object } = {},
): Scenario {
  const object = (kind: string, spec: Record<string, unknown>): { service: number; object: KubeObject } => ({
    service: 1,
    object: { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'b' }, spec },
  });
  return {
    ...scenario,
    mesh: {
      ...scenario.mesh,
      routing: AMBIENT,
      destinationRules: rule ? [object('DestinationRule', { host: 'b', trafficPolicy: rule })] : [],
      virtualServices: http ? [object('VirtualService', { hosts: ['b'], http: [http] })] : [],
    },
  };
}

const run = (scenario: Scenario): ReplicationResult => simulate(scenario, { policy: 0, seed: SEED });

function edge(result: ReplicationResult, source: string, destination: string): EdgeFigures {
  return result.edges.find((one) => one.source === source && one.destination === destination)!;
}

const ZTUNNEL: Proxy = {
  mode: 'ambient',
  fixedUs: 28,
  meanUs: 0,
  cpuUsPerRequest: 0,
  workers: 2,
  requests: { cpuMillicores: 0, memoryBytes: 0 },
};

test('a call through a waypoint takes two hops, four ztunnels on the way there and back, and the CPU of the waypoint', (t) => {
  const scenario = chain(
    { endpoints: [anEndpoint([cpu(constant(1000))])] },
    {},
    {
      roundTripUs: 400,
      loads: [aLoad(20, { arrivals: 'even' })],
    },
  );
  const result = run({ ...scenario, mesh: { ...scenario.mesh, proxy: ZTUNNEL } });
  // a to the waypoint: 0.4 + 2 x 0.028 at a's ztunnel; the waypoint: 0.25; on to b: 0.4 + 2 x 0.028 at b's; b: 1.
  const through = edge(result, 'a', 'b');
  t.is(through.via, 'waypoint');
  t.is(through.latencyMs.mean, 2.162);
  t.is(edge(result, 'waypoint', 'b').latencyMs.mean, 1.456);
  // Users to a: 0.4 + 4 x 0.028.
  t.is(result.total.latencyMs.mean, 2.162 + 0.512);
  t.is(result.services[2]!.kind, 'waypoint');
});

test("A19: 0.25 ms of CPU a request is 0.25 cores at 1000 requests a second, and is the waypoint pods' own", (t) => {
  const result = run(chain({}, { replicas: 3 }, { loads: [aLoad(200)] }));
  const { cpuMillicores, requestsPerSecond } = result.services[2]!;
  t.true(Math.abs(cpuMillicores - 0.25 * requestsPerSecond) < 0.1, `${cpuMillicores} at ${requestsPerSecond}`);
});

test(`D6: the two workers of a waypoint are M/D/2, passed twice by a request ${SEED_NOTE}`, (t) => {
  const slow = behindWaypoint(
    [
      aService({ name: 'a', workers: 1000, endpoints: [anEndpoint([call(1)])] }),
      // So long and so random that what comes back is as good as independent of what came.
      aService({ name: 'b', workers: 1000, endpoints: [anEndpoint([{ kind: 'wait', delay: exponential(400_000) }])] }),
    ],
    {},
    { hosts: [1], figures: { fixedUs: 0, meanUs: 0, cpuUsPerRequest: 8000 } },
  );
  const result = run(ambient(aScenario({ services: slow, loads: [aLoad(200)], run: { durationUs: 1800 * SECOND } })));
  const own = edge(result, 'a', 'b').latencyMs.mean! - edge(result, 'waypoint', 'b').latencyMs.mean!;
  // 400 passes a second of 4 ms by two workers: rho 0.8. Cosmetatos: the wait of M/D/c is half of that of M/M/c, and more by
  // (1 - rho)(c - 1)(sqrt(4 + 5c) - 2) / (16 rho c), here 1.4 %.
  const more = 1 + (0.2 * (Math.sqrt(14) - 2)) / (16 * 0.8 * 2);
  const expected = 2 * 4 * (1 + (more * mmc(2, 0.8).wait) / 2);
  t.true(Math.abs(own / expected - 1) < 0.04, `${own} for ${expected} ms`);
});

test('a waypoint that is offered more than its workers can do makes its callers wait', (t) => {
  const busy = (replicas: number): number => {
    const services = [
      aService({ name: 'a', workers: 1e6, endpoints: [anEndpoint([call(1)])] }),
      aService({ name: 'b', workers: 1000, endpoints: [anEndpoint([cpu(constant(1000))])] }),
    ];
    const figures = { fixedUs: 0, meanUs: 0, cpuUsPerRequest: 10_000 };
    const behind = behindWaypoint(services, { replicas }, { hosts: [1], figures });
    return run(ambient(aScenario({ services: behind, loads: [aLoad(240)], run: { durationUs: 100 * SECOND } }))).total
      .latencyMs.p50!;
  };
  // One pod works 200 requests a second; 240 come, so that the wait grows to a sixth of the time that has passed.
  t.true(busy(1) > 5000);
  t.true(busy(4) < 30);
});

const RETRIES = { retries: { attempts: 2, retryOn: '5xx' }, route: [{ destination: { host: 'b' } }] };

test(`A16: the waypoint tries again for callers that do not: 1 - p^3 succeed ${SEED_NOTE}`, (t) => {
  const failing = { kind: 'serviceFailure', service: 1, share: 0.4, atUs: 0, forUs: null, rampUs: 0 } as const;
  const parts = { loads: [aLoad(200)], over: { faults: [failing] } };
  const result = run(chain({ endpoints: [anEndpoint([])] }, { replicas: 2 }, parts, { http: RETRIES }));
  const { requests, responseFlags } = edge(result, 'a', 'b');
  // 60,000 requests; 1 - 0.4^3 = 0.936; four standard errors are 0.004.
  t.true(Math.abs(requests.succeeded / requests.total - 0.936) < 0.004, `${requests.succeeded} of ${requests.total}`);
  t.deepEqual(Object.keys(responseFlags), ['500']);
  // What b has failed, the waypoint has passed on: an answer of its own it was not.
  t.is(result.services[2]!.requests.failed, 0);
  t.is(result.services[0]!.requests.failed, requests.failed);
  const plain = run(chain({ endpoints: [anEndpoint([])] }, { replicas: 2 }, parts));
  const once = edge(plain, 'a', 'b').requests;
  t.true(Math.abs(once.succeeded / once.total - 0.6) < 0.009, `${once.succeeded} of ${once.total}`);
});

test('A14: each waypoint pod has circuit breakers of its own, whoever calls', (t) => {
  const rule = { connectionPool: { tcp: { maxConnections: 2 }, http: { http1MaxPendingRequests: 1 } } };
  const working = (replicas: number, callers: number): number => {
    const scenario = chain(
      { endpoints: [anEndpoint([{ kind: 'wait', delay: constant(100_000) }])] },
      { replicas },
      { loads: [aLoad(400)] },
      { rule },
    );
    const services = scenario.services.map((one) => (one.name === 'a' ? { ...one, replicas: callers } : one));
    const result = run({ ...scenario, services });
    t.true(edge(result, 'waypoint', 'b').responseFlags['UO']! > 0);
    return edge(result, 'waypoint', 'b').requests.succeeded / 300;
  };
  // Two connections of 100 ms each are 20 requests a second and pod, but for the moments in which nobody waits.
  for (const callers of [1, 5]) {
    const [one, three] = [working(1, callers), working(3, callers)];
    t.true(one > 19.5 && one <= 20.01, `${one}`);
    t.true(three > 58.5 && three <= 60.01, `${three}`);
  }
});

test('A0: it is the zone of the waypoint from which a pod is chosen', (t) => {
  const services = { zones: 2, loads: [aLoad(100, { from: [{ atUs: 0, shares: [1, 0] }] })] };
  const scenario = chain({ replicas: 4, replicasPerZone: [2, 2] }, { replicas: 2, replicasPerZone: [0, 2] }, services, {
    rule: { outlierDetection: {} },
  });
  const a = { replicas: 2, replicasPerZone: [2, 0] };
  const result = run({ ...scenario, services: scenario.services.map((one, i) => (i === 0 ? { ...one, ...a } : one)) });
  const [first, second] = [edge(result, 'a', 'b'), edge(result, 'waypoint', 'b')];
  const all = first.requests.total;
  t.deepEqual(first.requestsByZone, [
    [0, all],
    [0, 0],
  ]);
  t.is(second.requestsByZone[1]![0], 0);
  t.true(second.requestsByZone[1]![1]! >= all);
});

test('without any waypoint pod nothing arrives, however many pods are behind it', (t) => {
  const scenario = chain(
    { replicas: 2, replicasPerZone: [2, 0] },
    { replicas: 2, replicasPerZone: [0, 2] },
    {
      zones: 2,
      loads: [aLoad(50, { arrivals: 'even', from: [{ atUs: 0, shares: [1, 0] }] })],
      over: { faults: [{ kind: 'zoneOutage', zone: 1, atUs: 100 * SECOND, forUs: null }] },
    },
  );
  const a = { replicas: 1, replicasPerZone: [1, 0] };
  const result = run({ ...scenario, services: scenario.services.map((one, i) => (i === 0 ? { ...one, ...a } : one)) });
  // 100 seconds of 50 requests, less those that were under way.
  t.true(Math.abs(result.total.requests.succeeded - 5000) < 10, `${result.total.requests.succeeded}`);
  const { responseFlags } = edge(result, 'a', 'b');
  t.deepEqual(
    Object.keys(responseFlags).sort(),
    ['UC', 'UF', 'UH'].filter((flag) => flag in responseFlags),
  );
  t.true(responseFlags['UH']! > 5000);
});

test('users pass a waypoint only where the service says so', (t) => {
  const service = aService({ name: 'b' });
  for (const ingress of [false, true]) {
    const services = behindWaypoint([service], {}, { ingress: ingress ? [0] : [] });
    const [users, fromWaypoint] = run(ambient(aScenario({ services }))).edges;
    t.is(users!.via, ingress ? 'waypoint' : undefined);
    t.is(fromWaypoint!.requests.total > 0, ingress);
  }
});

test('a gateway sees the status of what failed behind the waypoint, not why', (t) => {
  const b = aService({
    name: 'b',
    workers: 1000,
    endpoints: [anEndpoint([{ kind: 'wait', delay: constant(100_000) }])],
  });
  const services = behindWaypoint([aService({ name: 'idle' }), b], {}, { hosts: [1], ingress: [1] });
  const scenario = ambient(aScenario({ services, loads: [aLoad(50, { service: 1 })] }), {
    http: { timeout: '50ms', route: [{ destination: { host: 'b' } }] },
  });
  const result = run(scenario);
  t.deepEqual(Object.keys(edge(result, 'waypoint', 'b').responseFlags), ['UT']);
  t.deepEqual(Object.keys(result.total.responseFlags), ['504']);
  t.is(result.total.requests.succeeded, 0);
});

test('a connection stays with its waypoint pod, so that one of four may get all', (t) => {
  const scenario = chain({}, { replicas: 4, replicasPerZone: [1, 1, 1, 1] }, { zones: 4, loads: [aLoad(100)] });
  const columns = (connectionsPerCaller: number | null): number => {
    const routing = { ...AMBIENT, connectionsPerCaller };
    const { requestsByZone } = edge(run({ ...scenario, mesh: { ...scenario.mesh, routing } }), 'a', 'b');
    return [0, 1, 2, 3].filter((zone) => requestsByZone.some((row) => row[zone]! > 0)).length;
  };
  t.is(columns(1), 1);
  t.is(columns(null), 4);
});

test('trafficDistribution of a waypoint keeps its callers in their zone', (t) => {
  const local = (trafficDistribution: Service['trafficDistribution']): number => {
    const waypoint = { replicas: 2, replicasPerZone: [1, 1], trafficDistribution };
    const scenario = chain({}, waypoint, { zones: 2, loads: [aLoad(100)] });
    const services = scenario.services.map((one, i) =>
      i === 0 ? { ...one, replicas: 2, replicasPerZone: [1, 1] } : one,
    );
    return edge(run({ ...scenario, services }), 'a', 'b').crossZoneShare!;
  };
  t.is(local('PreferSameZone'), 0);
  // 30,000 calls: four standard errors of a half are 1.2 %.
  t.true(Math.abs(local(null) - 0.5) < 0.012);
});
