/** External services: databases and APIs beside the cluster, over HTTP and over pools of connections. */
import test from 'ava';
import type { Fault, Mesh, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED, SEED_NOTE } from '../seed.js';
import {
  aLoad,
  aScenario,
  aService,
  anEndpoint,
  anExternal,
  call,
  constant,
  exponential,
  meanAndMargin,
  runSeeds,
  staticPolicy,
} from './builders.js';
import { rule } from './anyScenario.js';

const SECOND = 1e6;
const wait = (us: number) => [anEndpoint([{ kind: 'wait', delay: constant(us) }])];

/** A front without work of its own, with room for everybody, that calls what is external. */
function front(parts: Partial<Service> = {}): Service {
  return aService({ name: 'front', workers: 100_000, endpoints: [anEndpoint([call(1)])], ...parts });
}

function scenario(
  external: Service,
  more: {
    front?: Partial<Service>;
    perSecond?: number;
    zones?: number;
    seconds?: number;
    faults?: readonly Fault[];
    mesh?: Partial<Mesh>;
    roundTripUs?: number;
    crossZoneUs?: number;
    even?: boolean;
    rule?: Record<string, unknown>;
  } = {},
): Scenario {
  const base = aScenario({
    zones: more.zones ?? 1,
    services: [front(more.front), external],
    loads: [aLoad(more.perSecond ?? 100, more.even ? { arrivals: 'even' } : {})],
    roundTripUs: more.roundTripUs ?? 0,
    policies: [{ ...staticPolicy, destinationRules: more.rule ? [{ service: 1, object: rule(1, more.rule) }] : [] }],
    run: { durationUs: (more.seconds ?? 60) * SECOND, warmUpUs: 10 * SECOND },
  });
  const { cluster } = base;
  return {
    ...base,
    cluster: {
      ...cluster,
      roundTrip: { ...cluster.roundTrip, crossZoneUs: more.crossZoneUs ?? cluster.roundTrip.crossZoneUs },
    },
    mesh: { ...base.mesh, ...more.mesh },
    faults: more.faults ?? [],
  };
}

const run = (of: Scenario) => simulate(of, { policy: 0, seed: SEED });
/** From the front to what is external. */
const edgeOf = (result: ReturnType<typeof run>) => result.edges.find(({ source }) => source === 'front')!;

// D3, Erlang C with 4 servers at 0.8: Wq = 0.745541 service times, W = 1.745541.
for (const [name, external] of [
  ['a database that works on four requests at once', anExternal({}, { workers: 4 })],
  ['a pool of four connections of one caller', anExternal({ protocol: 'tcp', connectionsPerCaller: 4 })],
] as const) {
  test(`D3: ${name} is M/M/4 ${SEED_NOTE}`, (t) => {
    const runs = runSeeds(scenario(external, { perSecond: 320, seconds: 400 }), 8);
    const { mean, margin } = meanAndMargin(runs.map((one) => edgeOf(one).latencyMs.mean! / 10));
    t.true(margin < 0.05 && Math.abs(mean - 1.745541) < 2 * margin, `${mean} +- ${margin}`);
  });
}

test('callers with a connection each wait for it, and never for that of another', (t) => {
  // Two pods with one connection each, 30 ms a request: 66.67 requests a second, of 100 that come evenly.
  const external = anExternal({ protocol: 'tcp', connectionsPerCaller: 1 }, { endpoints: wait(30_000) });
  const { requestsPerSecond } = edgeOf(run(scenario(external, { front: { replicas: 2 }, even: true, seconds: 300 })));
  t.true(Math.abs(requestsPerSecond - 66.67) < 0.1, `${requestsPerSecond}`);
});

test('without a bound the pool grows as it must', (t) => {
  const external = anExternal({ protocol: 'tcp' }, { endpoints: wait(30_000) });
  t.is(edgeOf(run(scenario(external, { even: true }))).latencyMs.mean, 30);
});

test('one request more than its queue holds is refused', (t) => {
  // Fifty places a second for a hundred requests, evenly: every second one finds the single place taken.
  const external = anExternal({}, { workers: 1, queue: 0, endpoints: wait(15_000) });
  const { requests, responseFlags } = edgeOf(run(scenario(external, { even: true })));
  t.deepEqual([requests.failed / requests.total, responseFlags['503']], [0.5, requests.failed]);
});

test('a database in one zone costs the other zones a round trip, and bytes between zones', (t) => {
  const external = anExternal({}, { endpoints: wait(5000) });
  const edge = edgeOf(
    run(scenario(external, { zones: 2, front: { replicasPerZone: [0, 1] }, crossZoneUs: 2000, roundTripUs: 400 })),
  );
  t.is(edge.latencyMs.mean, 7);
  t.is(edge.crossZoneShare, 1);
  t.true(Math.abs(edge.bytes / 5000 / edge.requests.total - 1) < 0.01);
  t.is(edge.outside, undefined);
});

test('what is outside is as far from every zone, whatever happens between them, and its bytes are counted apart', (t) => {
  const external = anExternal({ perZone: null, roundTripUs: 20_000 }, { endpoints: wait(5000) });
  const slow: Fault = { kind: 'linkLatency', from: 0, to: 1, addedUs: 50_000, atUs: 0, forUs: null, rampUs: 0 };
  const result = run(scenario(external, { zones: 2, front: { replicas: 2, replicasPerZone: [1, 1] }, faults: [slow] }));
  const edge = edgeOf(result);
  t.is(edge.latencyMs.mean, 25);
  t.is(edge.crossZoneShare, null);
  const { sentBytes, receivedBytes } = edge.outside!;
  t.is(receivedBytes, 4 * sentBytes);
  t.is(edge.bytes, sentBytes + receivedBytes);
  t.deepEqual(result.outsideBytes, { sent: sentBytes, received: receivedBytes });
  t.true(Math.abs(sentBytes / 1000 / edge.requests.total - 1) < 0.01);
});

const lost: Fault = { kind: 'zoneOutage', zone: 1, atUs: 20 * SECOND, forUs: 20 * SECOND };

test('A16: an outage takes the instances of its zone along; HTTP tries the others, a pool does not', (t) => {
  const replicas = { perZone: [1, 1] };
  const parts = { zones: 2, front: { replicasPerZone: [1, 0] }, faults: [lost], mesh: { connectTimeoutUs: SECOND } };
  const overHttp = run(scenario(anExternal(replicas), parts));
  const overTcp = run(scenario(anExternal({ ...replicas, protocol: 'tcp', connectionsPerCaller: 8 }), parts));
  t.is(overHttp.total.requests.failed, 0);
  const { failed } = edgeOf(overTcp).requests;
  // Each broken connection fails one request, and is opened anew, at random, to either instance.
  t.true(failed > 8 && failed < 600, `${failed}`);
  t.deepEqual(edgeOf(overTcp).responseFlags, { UF: failed });
  t.deepEqual(overHttp.faultTolerance.zonesCovered[1], {
    service: 'db',
    zones: 2,
    survivesAnyZoneLoss: true,
    survivesAnyNodeLoss: true,
  });
});

test('A14: outlier detection ejects an instance that is lost', (t) => {
  const parts = { zones: 2, front: { replicasPerZone: [1, 0] }, faults: [{ ...lost, forUs: null }] };
  const failed = (trafficPolicy: Record<string, unknown>): number => {
    const base = scenario(anExternal({ perZone: [1, 1] }), { ...parts, rule: trafficPolicy });
    const virtualServices = [
      {
        service: 1,
        object: {
          ...rule(1, {}),
          kind: 'VirtualService',
          spec: { hosts: ['db'], http: [{ retries: { attempts: 0 } }] },
        },
      },
    ];
    return run({ ...base, mesh: { ...base.mesh, virtualServices, connectTimeoutUs: SECOND } }).total.requests.failed;
  };
  const none = failed({ loadBalancer: { simple: 'LEAST_REQUEST' } });
  const some = failed({
    loadBalancer: { simple: 'LEAST_REQUEST', localityLbSetting: { enabled: false } },
    outlierDetection: { consecutive5xxErrors: 1, baseEjectionTime: '600s', maxEjectionPercent: 100 },
  });
  t.true(some > 0 && some < none / 4, `${some} of ${none}`);
});

test('A15: without a mesh nobody tries again', (t) => {
  const broken: Fault = { kind: 'serviceFailure', service: 1, share: 0.1, atUs: 0, forUs: null, rampUs: 0 };
  const routing = { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null } as const;
  const result = run(scenario(anExternal(), { faults: [broken], mesh: { routing } }));
  t.true(Math.abs(edgeOf(result).requests.failed / edgeOf(result).requests.total - 0.1) < 0.02);
});

test('A19: a call passes no proxy at the other end', (t) => {
  const proxy: Mesh['proxy'] = {
    mode: 'sidecar',
    fixedUs: 1000,
    meanUs: 0,
    cpuUsPerRequest: 0,
    workers: 2,
    requests: { cpuMillicores: 100, memoryBytes: 1e8 },
  };
  // 5 ms of work, 1 ms in the caller's proxy each way.
  t.is(edgeOf(run(scenario(anExternal({}, { endpoints: wait(5000) }), { mesh: { proxy } }))).latencyMs.mean, 7);
});

test('it has no pods, no nodes and no CPU, and nothing about it is scaled', (t) => {
  const result = run(
    scenario(anExternal({}, { endpoints: [anEndpoint([{ kind: 'wait', delay: exponential(5000) }])] })),
  );
  const db = result.services[1]!;
  t.deepEqual([db.kind, db.cpuMillicores, db.meanReplicas, db.costUsdPerHour], ['external', 0, 1, null]);
  t.deepEqual(
    result.series.readyReplicas.map(({ service }) => service),
    ['front'],
  );
});
