/** Routes by the node and the subzone of the caller, in runs (SEMANTICS A3 to A6, B14). */
import test from 'ava';
import fc from 'fast-check';
import { PLAIN_POD_SCHEDULING, type PodScheduling } from '../../scenarios/pod-scheduling.js';
import type { Fault, Mesh, NodeSpec, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { buildRoute, type RouteEndpoint } from '../../sim/mesh/locality.js';
import { BY_CALLER } from '../../sim/places.js';
import { compileProgram } from '../../sim/program.js';
import { slowPriorities } from '../models/slowFailover.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { anyScenario, rule } from './anyScenario.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, call, constant, staticPolicy } from './builders.js';

const SECOND = 1e6;
const SUBZONE = 'topology.istio.io/subzone';
const HOSTNAME = 'kubernetes.io/hostname';
const KUBE_PROXY: Mesh['routing'] = { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null };

const rules = (parts: Partial<PodScheduling>): PodScheduling => ({ ...PLAIN_POD_SCHEDULING, ...parts });

/** n1 and n2 in zone a, n3 in zone b. */
const threeNodes = (first?: string, second?: string): NodeSpec[] => [
  aNode('n1', 0, { labels: first === undefined ? {} : { [SUBZONE]: first } }),
  aNode('n2', 0, { labels: second === undefined ? {} : { [SUBZONE]: second } }),
  aNode('n3', 1),
];

/**
 * Users in zone a call `front` on n1, which calls `back`, whose work takes no time: what a request takes tells where it was.
 * 10 ms between users and front, then 1 ms within n1, 10 ms within zone a and 100 ms to zone b.
 */
function frontAndBack(parts: {
  readonly nodes: readonly NodeSpec[];
  readonly back: Partial<Service>;
  readonly front?: Partial<Service>;
  readonly trafficPolicy?: Record<string, unknown>;
  readonly routing?: Mesh['routing'];
  readonly faults?: readonly Fault[];
  readonly seconds?: number;
}): Scenario {
  const front = aService({
    name: 'front',
    workers: 1000,
    scheduling: rules({ nodeSelector: { [HOSTNAME]: 'n1' } }),
    endpoints: [anEndpoint([call(1)])],
    ...parts.front,
  });
  const back = aService({
    name: 'back',
    workers: 1000,
    labels: { app: 'back' },
    endpoints: [anEndpoint([{ kind: 'wait', delay: constant(0) }])],
    ...parts.back,
  });
  const base = aScenario({
    zones: 2,
    nodes: parts.nodes,
    services: [front, back],
    loads: [aLoad(50, { from: [{ atUs: 0, shares: [1, 0] }] })],
    run: { durationUs: (parts.seconds ?? 60) * SECOND, warmUpUs: 0, seriesUs: 10 * SECOND },
    over: { faults: parts.faults ?? [] },
  });
  const roundTrip = { ...base.cluster.roundTrip, sameNodeUs: 1000, sameZoneUs: 10_000, crossZoneUs: 100_000 };
  // At random, as two choices would send less to where requests take longer.
  const loadBalancer = { simple: 'RANDOM', ...(parts.trafficPolicy?.['loadBalancer'] as object | undefined) };
  const destinationRules = [{ service: 1, object: rule(1, { ...parts.trafficPolicy, loadBalancer }) }];
  return {
    ...base,
    cluster: { ...base.cluster, roundTrip },
    mesh: { ...base.mesh, destinationRules, ...(parts.routing ? { routing: parts.routing } : {}) },
  };
}

/** The first on n1, the second on n2 (no two on one node), the third in zone b. */
const oneOnEach: Partial<Service> = {
  replicas: 3,
  replicasPerZone: [2, 1],
  scheduling: rules({
    preferredNodes: [
      { weight: 100, term: { matchExpressions: [{ key: HOSTNAME, operator: 'In', values: ['n1'] }], matchFields: [] } },
    ],
    podAntiAffinity: {
      required: [{ selector: { matchLabels: { app: 'back' }, matchExpressions: [] }, topologyKey: HOSTNAME }],
      preferred: [],
    },
  }),
};

const notOnFirst = {
  matchExpressions: [{ key: HOSTNAME, operator: 'NotIn' as const, values: ['n1'] }],
  matchFields: [],
};

/** n2 in zone a, n3 in zone b. */
const onOthers: Partial<Service> = {
  replicas: 2,
  replicasPerZone: [1, 1],
  scheduling: rules({ nodeAffinity: [notOnFirst] }),
};

const run = (scenario: Scenario) => simulate(scenario, { policy: 0, seed: SEED });

/** Mean of the requests from front to back, without the way of the users. */
const meanMs = (scenario: Scenario): number => run(scenario).loads[0]!.latencyMs.mean! - 10;

for (const [name, routing] of [
  ['A6', undefined],
  ['B14', KUBE_PROXY],
] as const) {
  test(`${name}: PreferSameNode keeps to the node while its pod is ready, then to the zone, then takes any`, (t) => {
    // A crash hits the oldest pods: that of n1, later those of n1 and n2. Each is ready again after 40 s.
    const crash = (atS: number, pods: number): Fault => ({
      kind: 'podCrash',
      service: 1,
      pods,
      atUs: atS * SECOND,
      forUs: null,
      rampUs: 0,
    });
    const startUp = {
      imagePull: constant(0),
      ready: constant(40 * SECOND),
      probeInitialDelayUs: 0,
      probePeriodUs: SECOND,
    };
    const { series } = run(
      frontAndBack({
        nodes: threeNodes(),
        back: { ...oneOnEach, startUp, trafficDistribution: 'PreferSameNode' },
        ...(routing ? { routing } : {}),
        faults: [crash(100, 1), crash(200, 2)],
        seconds: 300,
      }),
    );
    const at = (second: number): number => series.p50Ms[second / 10]!;
    const about = (second: number, ms: number): void => {
      t.true(Math.abs(at(second) / ms - 1) < 0.01, `at ${second} s: ${at(second)}`);
    };
    about(50, 10 + 1);
    about(120, 10 + 10);
    about(170, 10 + 1);
    about(220, 10 + 100);
    about(270, 10 + 1);
  });

  test(`${name}: a caller that moves to another node looks for its pods there`, (t) => {
    const near = (weight: number, node: string): PodScheduling['preferredNodes'][number] => ({
      weight,
      term: { matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [node] }], matchFields: [] },
    });
    const scenario = frontAndBack({
      nodes: threeNodes(),
      front: { scheduling: rules({ preferredNodes: [near(100, 'n1'), near(50, 'n2')] }) },
      // None on n1, so that its drain changes no endpoint.
      back: { ...onOthers, trafficDistribution: 'PreferSameNode' },
      ...(routing ? { routing } : {}),
      faults: [{ kind: 'nodeDrain', node: 0, atUs: 100 * SECOND, forUs: null }],
      seconds: 200,
    });
    const { p50Ms } = run(scenario).series;
    t.true(Math.abs(p50Ms[5]! / 20 - 1) < 0.01, `${p50Ms[5]}`);
    t.true(Math.abs(p50Ms[15]! / 11 - 1) < 0.01, `${p50Ms[15]}`);
  });

  test(`${name}: PreferSameZone does not look at the node: two pods of the zone share`, (t) => {
    const back = { ...oneOnEach, trafficDistribution: 'PreferSameZone' as const };
    const mean = meanMs(frontAndBack({ nodes: threeNodes(), back, ...(routing ? { routing } : {}) }));
    // 3000 requests of 1 or 10 ms: four standard errors of the mean are 0.33 ms.
    t.true(Math.abs(mean - 5.5) < 0.34, `${mean}`);
  });
}

test('B14: PreferSameNode is off before Kubernetes 1.34', (t) => {
  const scenario = frontAndBack({
    nodes: threeNodes(),
    back: { ...oneOnEach, trafficDistribution: 'PreferSameNode' },
    routing: KUBE_PROXY,
  });
  const mean = meanMs({ ...scenario, compat: { ...scenario.compat, kubernetesMinor: 33 } });
  // A third each to 1, 10 and 100 ms: standard deviation 44.7 ms, four standard errors 3.3 ms.
  t.true(Math.abs(mean - 37) < 3.3, `${mean}`);
});

const toHost = (failoverPriority: readonly string[]) => ({
  outlierDetection: {},
  loadBalancer: { localityLbSetting: { failoverPriority } },
});

test('A6: the host name in failoverPriority is that of the caller, or the one that stands there', (t) => {
  const mean = (failoverPriority: readonly string[]): number =>
    meanMs(frontAndBack({ nodes: threeNodes(), back: oneOnEach, trafficPolicy: toHost(failoverPriority) }));
  t.true(Math.abs(mean([HOSTNAME]) - 1) < 1e-6);
  t.true(Math.abs(mean([`${HOSTNAME}=n2`]) - 10) < 1e-6);
  t.true(Math.abs(mean([`${HOSTNAME}=n3`]) - 100) < 1e-6);
});

test('A3, A5: without subzones the zone is one pool; with them the own subzone goes first, then the zone', (t) => {
  const mean = (first: string | undefined, second: string | undefined, back: Partial<Service>, front = {}): number =>
    meanMs(frontAndBack({ nodes: threeNodes(first, second), back, front, trafficPolicy: { outlierDetection: {} } }));
  // Region, zone and subzone "" are equal, so both of the zone are priority 0: half of the requests each.
  t.true(Math.abs(mean(undefined, undefined, oneOnEach) - 5.5) < 0.34);
  t.true(Math.abs(mean('s1', 's1', oneOnEach) - 5.5) < 0.34);
  t.true(Math.abs(mean('s1', 's2', oneOnEach) - 1) < 1e-6);
  // n1 in a subzone and n2 in none are in two.
  t.true(Math.abs(mean('s1', undefined, oneOnEach) - 1) < 1e-6);
  // Nothing in the own subzone: the zone (priority 1) before the region (2).
  t.true(Math.abs(mean('s1', 's2', onOthers) - 10) < 1e-6);
  // The label of the pod goes before those of its node.
  t.true(Math.abs(mean('s1', 's2', oneOnEach, { labels: { 'topology.istio.io/locality': 'r.a.s2' } }) - 10) < 1e-6);
  t.true(Math.abs(mean('s1', 's2', oneOnEach, { labels: { 'istio-locality': 'r.b' } }) - 100) < 1e-6);
});

test('A4: distribute by subzones: 80 and 20 of 100', (t) => {
  const to = { 'r/a/s1': 80, 'r/a/s2': 20 };
  const localityLbSetting = { distribute: [{ from: 'r/a/s1', to }] };
  const nodes = threeNodes('s1', 's2');
  const mean = meanMs(frontAndBack({ nodes, back: oneOnEach, trafficPolicy: { loadBalancer: { localityLbSetting } } }));
  // Dealt, not drawn: 0.8 x 1 + 0.2 x 10 ms, a request or two more or less of 3000.
  t.true(Math.abs(mean - 2.8) < 0.01, `${mean}`);
});

test(`A6: priorities by labels are those of the slow twin ${SEED_NOTE}`, (t) => {
  const locality = fc.constantFrom('r/a', 'r/a/s1', 'r/a/s2', 'r/b/s1', 's/a/s1');
  const place = fc.record({ zone: fc.constant('r/a'), locality, node: fc.constantFrom('n1', 'n2', 'n3') });
  const entry = fc.constantFrom(
    ...['topology.istio.io/network', 'topology.kubernetes.io/region', 'topology.kubernetes.io/zone', SUBZONE, HOSTNAME],
    ...[`${HOSTNAME}=n2`, `${SUBZONE}=s2`, 'topology.kubernetes.io/zone=b', 'topology.istio.io/network=n', 'a=b=c'],
  );
  fc.assert(
    fc.property(
      fc.array(place, { minLength: 1, maxLength: 12 }),
      fc.array(entry, { minLength: 1, maxLength: 5 }),
      place,
      fc.boolean(),
      (places, failoverPriority, client, isNew) => {
        const endpoints = places.map((one, index): RouteEndpoint => ({ ...one, index, healthy: true }));
        const { priorities } = buildRoute({
          clientLocality: client.locality,
          clientNode: client.node,
          endpoints,
          destinationRule: { trafficPolicy: toHost(failoverPriority) },
          meshSetting: null,
          compat: isNew ? '>=1.31' : '<=1.30',
        });
        const ours = new Array<number>(places.length);
        priorities.forEach(({ localities }, p) =>
          localities.forEach(({ endpoints: indices }) => indices.forEach((index) => (ours[index] = p))),
        );
        const wanted = slowPriorities(places, failoverPriority, client, isNew);
        if (JSON.stringify(ours) !== JSON.stringify(wanted)) throw new Error(`${ours.join()} and ${wanted.join()}`);
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
  t.pass();
});

/** With nodes in subzones of the given names, by the number of the node. */
function relabelled(scenario: Scenario, nameOf: (subzone: string | undefined) => string | undefined): Scenario {
  const label = (labels: Readonly<Record<string, string>>) => {
    const { [SUBZONE]: old, ...others } = labels;
    const name = nameOf(old);
    return name === undefined ? others : { ...others, [SUBZONE]: name };
  };
  const { cluster } = scenario;
  const nodes = cluster.nodes.map((node) => ({ ...node, labels: label(node.labels) }));
  const pools = cluster.pools.map((pool) => ({ ...pool, labels: pool.labels.map(label) }));
  const services = scenario.services.map((service) => {
    const { 'istio-locality': _, ...labels } = service.labels;
    return { ...service, labels };
  });
  return { ...scenario, cluster: { ...cluster, nodes, pools }, services };
}

/** Envoy compares callers and endpoints there, and gateways are in no subzone. */
function withoutZoneAware(scenario: Scenario): Scenario {
  return { ...scenario, mesh: { ...scenario.mesh, zoneAwareLbSetting: null } };
}

const bytes = (scenario: Scenario): string => JSON.stringify(simulate(scenario, { policy: 0, seed: SEED }));

test(`one subzone for all nodes is as good as none, and its name is nothing ${SEED_NOTE}`, (t) => {
  t.timeout(600_000);
  fc.assert(
    fc.property(anyScenario, (drawn) => {
      const scenario = withoutZoneAware(drawn);
      // Rules that name subzones mean other ones then.
      if (/rack-|subzone/.test(JSON.stringify(scenario.policies))) return;
      const none = bytes(relabelled(scenario, () => undefined));
      if (bytes(relabelled(scenario, () => 's')) !== none) throw new Error('a subzone for all changes the bytes');
      const renamed = (name: string) => bytes(relabelled(scenario, (old) => (old ? name + old : undefined)));
      if (renamed('x') !== renamed('another-')) throw new Error('other names of the subzones change the bytes');
    }),
    { seed: SEED, numRuns: 25 },
  );
  t.pass();
});

test(`a route for each caller is the route of its zone where no rule looks at nodes ${SEED_NOTE}`, (t) => {
  t.timeout(600_000);
  let compared = 0;
  fc.assert(
    // Ztunnels look at nodes whatever the release of Kubernetes.
    fc.property(
      anyScenario.filter(({ mesh }) => mesh.routing.kind !== 'ambient'),
      (drawn) => {
        // Without pods that come and go: a new pod's proxy starts its own turns anew, and a shared table goes on.
        const still = { ...drawn, faults: [], rollouts: [] };
        const [policy] = still.policies;
        const destinationRules = policy!.destinationRules.filter((one) => !JSON.stringify(one).includes(HOSTNAME));
        const isMesh = still.mesh.routing.kind === 'istio';
        const zoneOnly = (word: Service['trafficDistribution']) => (isMesh && word !== null ? 'PreferSameZone' : null);
        const services = still.services.map((service) => ({
          ...service,
          trafficDistribution:
            service.external === null ? zoneOnly(service.trafficDistribution) : service.trafficDistribution,
        }));
        const plain: Scenario = {
          ...{ ...still, services, policies: [{ ...staticPolicy, destinationRules }] },
          compat: { ...still.compat, kubernetesMinor: 33 },
          mesh: { ...still.mesh, localityLbSetting: { enabled: false } },
        };
        const byCaller: Scenario = isMesh
          ? { ...plain, mesh: { ...plain.mesh, localityLbSetting: { enabled: false, failoverPriority: [HOSTNAME] } } }
          : // Off before 1.34.
            {
              ...plain,
              services: services.map((one) =>
                one.external === null ? { ...one, trafficDistribution: 'PreferSameNode' as const } : one,
              ),
            };
        const byNode = ({ places }: ReturnType<typeof compileProgram>) => places.routesBy.includes(BY_CALLER);
        t.false(byNode(compileProgram(plain)));
        if (byNode(compileProgram(byCaller))) compared++;
        if (bytes(byCaller) !== bytes(plain)) throw new Error('the bytes differ');
      },
    ),
    { seed: SEED, numRuns: 30 },
  );
  t.true(compared > 10, `${compared}`);
});
