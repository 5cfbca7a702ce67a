/** What must not change a figure, and what must stay the same when something else changes. */
import test from 'ava';
import type { Distribution, Policy, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
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
import { SEED, SEED_NOTE } from '../seed.js';

const jitter = { kind: 'lognormal', mean: 1, cv: 0.2 } as const;

/** Front calls cart and price; three zones; everything drains before the end, as the load stops at 80 s. */
function shop(over: Partial<Scenario> = {}, names = ['front', 'cart', 'price']): Scenario {
  const services = [
    aService({
      name: names[0]!,
      replicas: 6,
      workers: 4,
      holdsWorkerWhileCalling: true,
      endpoints: [anEndpoint([cpu(exponential(4000)), call(1, 0.7), call(2, 1, 1.5)])],
    }),
    aService({
      name: names[1]!,
      replicas: 3,
      workers: 8,
      endpoints: [anEndpoint([cpu({ kind: 'lognormal', mean: 6000, cv: 1 })])],
    }),
    aService({ name: names[2]!, replicas: 4, endpoints: [anEndpoint([cpu({ kind: 'gamma', mean: 2000, cv: 0.7 })])] }),
  ];
  const scenario = aScenario({
    zones: 3,
    services,
    nodes: ['a', 'b', 'c'].flatMap((zone, i) =>
      [0, 1].map((n) => aNode(`n${n}-${zone}`, i, { cpuMillicores: 16_000 })),
    ),
    loads: [
      aLoad(300, {
        from: [{ atUs: 0, shares: [0.5, 0.3, 0.2] }],
        rate: [
          { atUs: 0, perSecond: 300 },
          { atUs: 80e6, perSecond: 300 },
          { atUs: 80e6, perSecond: 0 },
        ],
      }),
    ],
    run: { durationUs: 120e6, warmUpUs: 0 },
    over,
  });
  const { roundTrip } = scenario.cluster;
  return {
    ...scenario,
    cluster: { ...scenario.cluster, roundTrip: { ...roundTrip, sameZoneUs: 400, crossZoneUs: 1200, jitter } },
  };
}

const run = (scenario: Scenario, policy = 0): ReplicationResult => simulate(scenario, { policy, seed: SEED });

test(`the same seed gives the same bytes, another seed others ${SEED_NOTE}`, (t) => {
  const first = run(shop());
  t.is(JSON.stringify(run(shop())), JSON.stringify(first));
  t.not(simulate(shop(), { policy: 0, seed: SEED + 1 }).digest, first.digest);
});

test(`renaming services changes no figure ${SEED_NOTE}`, (t) => {
  const text = JSON.stringify(run(shop({}, ['x', 'y', 'z'])))
    .replaceAll('"x"', '"front"')
    .replaceAll('"y"', '"cart"')
    .replaceAll('"z"', '"price"');
  const { digest: _, ...expected } = run(shop());
  const { digest: __, ...renamed } = JSON.parse(text) as ReplicationResult;
  t.deepEqual(renamed, expected);
});

test(`renaming zones and nodes changes no figure ${SEED_NOTE}`, (t) => {
  const scenario = shop();
  const zones = scenario.cluster.zones.map((zone, i) => ({ ...zone, name: `r/zone-${9 - i}`, zone: `zone-${9 - i}` }));
  const nodes = scenario.cluster.nodes.map((node, i) => ({ ...node, name: `m${99 - i}` }));
  const renamed = run({ ...scenario, cluster: { ...scenario.cluster, zones, nodes } });
  const original = run(scenario);
  t.deepEqual(renamed.total, original.total);
  t.deepEqual(renamed.edges, original.edges);
  t.deepEqual(renamed.cost, original.cost);
});

test(`the order of the services in the file changes no figure ${SEED_NOTE}`, (t) => {
  const scenario = shop();
  // price, front, cart: indices 0 -> 1, 1 -> 2, 2 -> 0.
  const moved = (index: number): number => (index + 1) % 3;
  const reindex = (service: Service): Service => ({
    ...service,
    endpoints: service.endpoints.map((endpoint) => ({
      ...endpoint,
      steps: endpoint.steps.map((step) =>
        step.kind === 'call'
          ? { ...step, calls: step.calls.map((made) => ({ ...made, service: moved(made.service) })) }
          : step,
      ),
    })),
  });
  const [front, cart, price] = scenario.services.map(reindex);
  const reordered = run({
    ...scenario,
    services: [price!, front!, cart!],
    loads: scenario.loads.map((load) => ({ ...load, service: moved(load.service) })),
  });
  const original = run(scenario);
  t.deepEqual(reordered.total, original.total);
  t.deepEqual([reordered.services[1], reordered.services[2], reordered.services[0]], [...original.services]);
});

test(`an idle service changes no one else's figures ${SEED_NOTE}`, (t) => {
  const scenario = shop();
  const idle = aService({ name: 'idle', replicas: 2 });
  const [before, after] = [run(scenario), run({ ...scenario, services: [...scenario.services, idle] })];
  t.deepEqual(after.total, before.total);
  t.deepEqual(after.services.slice(0, 3), before.services);
  t.deepEqual(after.edges, before.edges);
  t.is(after.services[3]!.requests.total, 0);
});

test(`a zone without nodes and users that no policy names changes no figure ${SEED_NOTE}`, (t) => {
  const scenario = shop();
  const { cluster } = scenario;
  const zones = [...cluster.zones, { name: 'r/d', region: 'r', zone: 'd' }];
  const loads = scenario.loads.map((load) => ({
    ...load,
    from: load.from.map(({ atUs, shares }) => ({ atUs, shares: [...shares, 0] })),
  }));
  const [before, after] = [run(scenario), run({ ...scenario, loads, cluster: { ...cluster, zones } })];
  const inOld = <T>(rows: readonly T[]): readonly T[] => rows.slice(0, cluster.zones.length);
  const edges = after.edges.map((edge) => {
    const requestsByZone = inOld(edge.requestsByZone).map(inOld);
    return { ...edge, requestsByZone };
  });
  t.deepEqual(
    [after.total, after.services, edges, after.cost],
    [before.total, before.services, before.edges, before.cost],
  );
});

test(`twice the pods, nodes and users leave every utilisation as it is ${SEED_NOTE}`, (t) => {
  const scenario = shop();
  const doubled = run({
    ...scenario,
    cluster: {
      ...scenario.cluster,
      nodes: scenario.cluster.nodes.flatMap((node) => [node, { ...node, name: `${node.name}-twin` }]),
    },
    services: scenario.services.map((service) => ({ ...service, replicas: 2 * service.replicas })),
    loads: scenario.loads.map((load) => ({
      ...load,
      rate: load.rate.map(({ atUs, perSecond }) => ({ atUs, perSecond: 2 * perSecond })),
    })),
  });
  for (const [i, service] of run(scenario).services.entries()) {
    const { requests } = service;
    // CPU is the sum of the demands of n requests with a cv of 1 or less: relative deviation 1.42 / sqrt(n), and that of
    // the doubled one by sqrt 2 less. Four deviations of their difference.
    const margin = 4 * Math.SQRT2 * Math.sqrt(1.5 / requests.total);
    const ratio = doubled.services[i]!.cpuPercentOfRequests! / service.cpuPercentOfRequests!;
    t.true(Math.abs(ratio - 1) < margin, `${service.service}: ${ratio} +- ${margin}`);
    t.true(doubled.services[i]!.latencyMs.mean! < service.latencyMs.mean! * 1.02, 'more pods to choose from wait less');
  }
});

test(`in a world twice as slow with half the users per second everything happens at twice the time ${SEED_NOTE}`, (t) => {
  const stretch = (law: Distribution): Distribution => ({ ...law, mean: 2 * law.mean });
  const scenario = shop();
  const { roundTrip } = scenario.cluster;
  const slow = run({
    ...scenario,
    cluster: {
      ...scenario.cluster,
      roundTrip: {
        ...roundTrip,
        sameNodeUs: 2 * roundTrip.sameNodeUs,
        sameZoneUs: 2 * roundTrip.sameZoneUs,
        crossZoneUs: 2 * roundTrip.crossZoneUs,
      },
    },
    services: scenario.services.map((service) => ({
      ...service,
      endpoints: service.endpoints.map((endpoint) => ({
        ...endpoint,
        steps: endpoint.steps.map((step) => (step.kind === 'cpu' ? { ...step, demand: stretch(step.demand) } : step)),
      })),
    })),
    loads: scenario.loads.map((load) => ({
      ...load,
      rate: load.rate.map(({ atUs, perSecond }) => ({ atUs: 2 * atUs, perSecond: perSecond / 2 })),
    })),
    run: { ...scenario.run, durationUs: 2 * scenario.run.durationUs },
  });
  const plain = run(scenario);
  t.deepEqual(slow.total.requests, plain.total.requests);
  // Times are whole microseconds, so a tie or a rounding may turn a pick; that is far below a thousandth of the mean.
  t.true(Math.abs(slow.total.latencyMs.mean! / plain.total.latencyMs.mean! / 2 - 1) < 0.01);
  for (const [i, service] of plain.services.entries()) {
    t.deepEqual(slow.services[i]!.requests, service.requests);
    t.true(
      Math.abs(slow.services[i]!.cpuPercentOfRequests! / service.cpuPercentOfRequests! - 1) < 1e-3,
      service.service,
    );
  }
});

test(`another policy leaves every arrival and every demand as they were ${SEED_NOTE}`, (t) => {
  const local: Policy = {
    ...staticPolicy,
    name: 'local',
    destinationRules: [0, 1, 2].map((service) => ({
      service,
      object: {
        apiVersion: 'networking.istio.io/v1',
        kind: 'DestinationRule',
        metadata: { name: `rule-${service}` },
        spec: { host: 'any', trafficPolicy: { outlierDetection: { consecutive5xxErrors: 0 } } },
      },
    })),
  };
  const scenario = shop({ policies: [staticPolicy, local] });
  const [spread, near] = [run(scenario, 0), run(scenario, 1)];
  t.true(near.crossZoneShare! < 0.05 && spread.crossZoneShare! > 0.5, 'the policies must route differently');
  t.deepEqual(near.total.requests, spread.total.requests);
  // Everything was answered, so the CPU time of each service is the sum of the demands of its requests.
  for (const [i, service] of near.services.entries()) {
    t.deepEqual(service.requests, spread.services[i]!.requests);
    t.is(service.cpuMillicores, spread.services[i]!.cpuMillicores);
  }
});

test(`inner rates follow from the call graph ${SEED_NOTE}`, (t) => {
  const { services } = run(shop());
  const entry = services[0]!.requests.total;
  // Binomial: 0.7 per request for cart; one, and a second with probability 0.5, for price. Four standard deviations.
  t.true(Math.abs(services[1]!.requests.total - 0.7 * entry) < 4 * Math.sqrt(entry * 0.21));
  t.true(Math.abs(services[2]!.requests.total - 1.5 * entry) < 4 * Math.sqrt(entry * 0.25));
});

test('a request through two services takes its hops and demands, to the microsecond', (t) => {
  const scenario = aScenario({
    roundTripUs: 1000,
    services: [
      aService({ name: 'a', endpoints: [anEndpoint([cpu(constant(3000)), call(1), cpu(constant(200))])] }),
      aService({ name: 'b', endpoints: [anEndpoint([cpu(constant(5000)), { kind: 'wait', delay: constant(700) }])] }),
    ],
    loads: [aLoad(1, { arrivals: 'even' })],
    run: { durationUs: 60e6, warmUpUs: 10e6 },
  });
  // gateway -> a 500, a 3000, a -> b 500, b 5000 + 700, b -> a 500, a 200, a -> gateway 500: 10,900 us.
  t.is(run(scenario).total.latencyMs.mean, 10.9);
});
