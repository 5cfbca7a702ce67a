import test from 'ava';
import { parseScenario } from '../../scenarios/load.js';
import { PLAIN_POD_SCHEDULING } from '../../scenarios/pod-scheduling.js';
import { linesOf, load, small, SMALL } from './fixtures.js';

test('names become positions, shorthands their long form', (t) => {
  const scenario = load(SMALL);
  t.deepEqual(scenario.services[0]!.endpoints[0]!.steps, [
    { kind: 'cpu', demand: { kind: 'constant', mean: 20_000 } },
    { kind: 'call', calls: [{ service: 1, endpoint: 0, probability: 0.5, count: 2 }], repeat: 'sequential' },
  ]);
  t.deepEqual(scenario.loads, [
    {
      name: 'checkout/pay',
      service: 0,
      endpoint: 0,
      from: [{ atUs: 0, shares: [0.7, 0.3] }],
      arrivals: 'poisson',
      users: null,
      request: { method: 'GET', headers: {}, query: {} },
      rate: [{ atUs: 0, perSecond: 100 }],
    },
  ]);
  t.deepEqual(scenario.policies[1]!.hpas, [
    { service: 0, minReplicas: 1, maxReplicas: 8, targetCpuPercent: 80, metrics: null, behavior: null },
  ]);
  t.deepEqual(
    scenario.mesh.destinationRules.map((rule) => [rule.service, rule.object.metadata.name]),
    [[0, 'checkout-rule']],
  );
});

test('a load has a method, headers without case, and a query', (t) => {
  const dressed = small([
    '- entry: checkout/pay',
    '- entry: checkout/pay\n      method: PUT\n      headers: {X-Canary: "1"}\n      query: {page: "2"}',
  ]);
  t.deepEqual(load(dressed).loads[0]!.request, { method: 'PUT', headers: { 'x-canary': '1' }, query: { page: '2' } });
  const wrong = small([
    '- entry: checkout/pay',
    '- entry: checkout/pay\n      method: "P T"\n      headers: {"a b": x, x-a: y, X-A: z}',
  ]);
  t.deepEqual(
    linesOf(wrong).map((line) => line.replace(/^\S+ /, '')),
    [
      'WT0208 spec.load[0].method: not a valid name',
      'WT0208 spec.load[0].headers["a b"]: no name of a header',
      'WT0208 spec.load[0].headers.X-A: the same header twice',
    ],
  );
});

test('nodes come by pool, zone and number, with the size and price of the book', (t) => {
  const { nodes, transfer } = load(SMALL).cluster;
  t.deepEqual(
    nodes.map((node) => node.name),
    ['pool-r1-a-0', 'pool-r1-a-1', 'pool-r1-b-0', 'pool-r1-b-1'],
  );
  // m5.xlarge: 4 cores, 16 GiB, 0.192 $/h in us-east-1; 0.01 $ a GB at each end between zones.
  t.deepEqual(nodes[3], {
    name: 'pool-r1-b-1',
    pool: 'pool',
    zone: 1,
    cpuMillicores: 4000,
    memoryBytes: 17_179_869_184,
    labels: {
      'topology.kubernetes.io/region': 'r1',
      'topology.kubernetes.io/zone': 'b',
      'kubernetes.io/hostname': 'pool-r1-b-1',
      'kubernetes.io/os': 'linux',
      'node.kubernetes.io/instance-type': 'm5.xlarge',
    },
    taints: [],
    // The kubelet's default.
    maxPods: 110,
    priceUsdPerHour: 0.192,
  });
  t.is(transfer.crossZoneUsdPerGb, 0.02);
});

test('prices and sizes can be stated', (t) => {
  const { nodes, transfer } = load(
    small(
      [
        'prices: aws/us-east-1}',
        'prices: gcp/us-central1, allocatable: {cpu: 3900m, memory: 14Gi}, pricePerHour: 0.1}\n    transfer: {crossZonePerGB: 0}',
      ],
      ['m5.xlarge', 'n2-standard-4'],
    ),
  ).cluster;
  t.like(nodes[0], { cpuMillicores: 3900, memoryBytes: 14 * 2 ** 30, priceUsdPerHour: 0.1 });
  t.is(transfer.crossZoneUsdPerGb, 0);
  t.is(transfer.crossRegionUsdPerGb, (0.01 * 1e9) / 2 ** 30); // 0.01 $ a GiB
});

test('a price may be said to be unknown; one that nobody states is unknown too, and told', (t) => {
  const plain = 'allocatable: {cpu: 4, memory: 16Gi}, pricePerHour: unknown}';
  const bare = (transfer: string): ReturnType<typeof load> =>
    load(small(['instanceType: m5.xlarge, ', ''], ['prices: aws/us-east-1}', `${plain}${transfer}`]));
  const silent = bare('');
  t.is(silent.cluster.nodes[0]!.priceUsdPerHour, null);
  t.is(silent.cluster.transfer.crossZoneUsdPerGb, null);
  t.deepEqual(
    silent.notices.map(({ code }) => code),
    ['WT0506'],
  );
  const told = bare('\n    transfer: {crossZonePerGB: unknown}');
  t.is(told.cluster.transfer.crossZoneUsdPerGb, null);
  t.deepEqual(told.notices, []);
});

test('what is left out has the written defaults', (t) => {
  const scenario = load(
    small(
      ['  faults:\n    - {at: 2m, for: 1m, zoneOutage: r1/a}\n', ''],
      ['      from: {r1/a: 70%, r1/b: 30%}\n', ''],
      ['  policies:\n    static: {}\n    hpa:\n      hpa: {checkout: {max: 8}}\n', ''],
    ),
  );
  t.deepEqual(scenario.cluster.roundTrip, {
    sameNodeUs: 50,
    sameZoneUs: 400,
    crossZoneUs: 1200,
    crossRegionUs: 80_000,
    pairs: [],
    nodePairs: [],
    jitter: null,
  });
  t.deepEqual(scenario.gateways, { perZone: 2, failoverUs: 10e6 });
  t.deepEqual(scenario.run, {
    durationUs: 600e6,
    warmUpUs: 60e6,
    seed: 1,
    replications: 5,
    scrapeUs: 15e6,
    rateWindowUs: 60e6,
    cycleUs: 60e6,
    seriesUs: 10e6,
  });
  t.is(scenario.mesh.propagationUs, 100_000);
  t.deepEqual(scenario.mesh.debounce, { quietUs: 100_000, maxUs: 10e6 });
  t.is(scenario.mesh.connectTimeoutUs, 10e6);
  t.is(scenario.mesh.localityLbSetting, null);
  t.deepEqual(scenario.loads[0]!.from, [{ atUs: 0, shares: [0.5, 0.5] }]);
  t.deepEqual(scenario.faults, []);
  t.deepEqual(scenario.policies, [
    {
      name: 'static',
      why: '',
      hpas: [],
      engine: null,
      nodeAutoscaler: null,
      destinationRules: [],
      spread: [],
      deploymentPerZone: [],
    },
  ]);
  t.deepEqual(scenario.services[1], {
    name: 'ledger',
    replicas: 2,
    replicasPerZone: null,
    requests: { cpuMillicores: 500, memoryBytes: 268_435_456 },
    limits: { cpuMillicores: null, memoryBytes: null },
    memoryUseBytes: 134_217_728,
    workers: 2,
    queue: null,
    holdsWorkerWhileCalling: true,
    startUp: {
      imagePull: { kind: 'constant', mean: 0 },
      ready: { kind: 'constant', mean: 5e6 },
      probeInitialDelayUs: 0,
      probePeriodUs: 10e6,
    },
    terminationGraceUs: 30e6,
    controller: {
      kind: 'Deployment',
      minReadyUs: 0,
      strategy: { type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' },
    },
    preStopUs: 0,
    onTerm: 'drain',
    disruptionBudget: null,
    labels: { app: 'ledger' },
    annotations: {},
    versionOf: null,
    trafficDistribution: null,
    topologyModeAuto: false,
    external: null,
    waypoint: null,
    isWaypoint: false,
    spread: { zone: 'soft', maxSkew: 1 },
    scheduling: PLAIN_POD_SCHEDULING,
    endpoints: [
      {
        name: 'append',
        steps: [{ kind: 'cpu', demand: { kind: 'exponential', mean: 5000 } }],
        requestBytes: 1000,
        responseBytes: 4000,
      },
    ],
  });
});

test('points in time are moved by the warm-up, but for the first shares', (t) => {
  const scenario = load(
    small(['from: {r1/a: 70%, r1/b: 30%}', 'from: [{at: 0s, shares: {r1/a: 1}}, {at: 30s, shares: {r1/b: 1}}]']),
  );
  // The warm-up is one minute: a fault at 2 m is at 3 m of the simulation.
  t.deepEqual(scenario.faults, [{ kind: 'zoneOutage', zone: 0, atUs: 180e6, forUs: 60e6 }]);
  t.deepEqual(scenario.loads[0]!.from, [
    { atUs: 0, shares: [1, 0] },
    { atUs: 90e6, shares: [0, 1] },
  ]);
});

test('the laws of demand keep their means', (t) => {
  const law = (text: string) => load(small(['{exponential: 5ms}', text])).services[1]!.endpoints[0]!.steps[0];
  t.deepEqual(law('{gamma: {mean: 5ms, cv: 0.5}}'), { kind: 'cpu', demand: { kind: 'gamma', mean: 5000, cv: 0.5 } });
  t.deepEqual(law('{lognormal: {mean: 5ms, cv: 2}}'), {
    kind: 'cpu',
    demand: { kind: 'lognormal', mean: 5000, cv: 2 },
  });
  t.deepEqual(law('{constant: 5ms}'), { kind: 'cpu', demand: { kind: 'constant', mean: 5000 } });
  // 3/4 in the middle of 0..2 ms, 1/4 in the middle of 2..10 ms: 0.75 x 1 + 0.25 x 6 = 2.25 ms.
  t.deepEqual(law('{empirical: {bounds: [0s, 2ms, 10ms], weights: [3, 1]}}'), {
    kind: 'cpu',
    demand: { kind: 'empirical', bounds: [0, 2000, 10_000], weights: [0.75, 0.25], mean: 2250 },
  });
});

test('a pair of zones with its own round trip is listed both ways, and jitter has mean 1', (t) => {
  const scenario = load(
    small([
      '    nodePools:',
      '    roundTrip: {pairs: [{between: [r1/a, r1/b], roundTrip: 0.8ms}], jitter: {lognormal: {cv: 0.2}}}\n    nodePools:',
    ]),
  );
  t.deepEqual(scenario.cluster.roundTrip.pairs, [
    { from: 0, to: 1, roundTripUs: 800 },
    { from: 1, to: 0, roundTripUs: 800 },
  ]);
  t.deepEqual(scenario.cluster.roundTrip.jitter, { kind: 'lognormal', mean: 1, cv: 0.2 });
});

test('pods per zone, parallel calls and endpoint names with slashes', (t) => {
  const scenario = load(
    small(
      ['replicas: 2', 'replicas: {r1/b: 3}'],
      [
        '- call: {to: ledger/append, probability: 0.5, count: 2}',
        '- {parallel: [ledger, {to: ledger//v1/add, count: 3}], repeat: parallel}',
      ],
      ['{name: append, cpu: {exponential: 5ms}}', '{name: /v1/add, cpu: 1ms}'],
    ).replace('[ledger, {to', '[ledger, {to'),
  );
  t.is(scenario.services[1]!.replicas, 3);
  t.deepEqual(scenario.services[1]!.replicasPerZone, [0, 3]);
  t.deepEqual(scenario.services[0]!.endpoints[0]!.steps[1], {
    kind: 'call',
    calls: [
      { service: 1, endpoint: 0, probability: 1, count: 1 },
      { service: 1, endpoint: 0, probability: 1, count: 3 },
    ],
    repeat: 'parallel',
  });
});

test('expectations keep their place in the file', (t) => {
  const text = `${SMALL}  expectations:\n    - p99(latency) < 200ms\n    - cost <= 1 USD/h\n`;
  const lines = text.split('\n');
  for (const { text: gate, file, line, column } of load(text, 'x/y.yaml').expectations) {
    t.is(file, 'x/y.yaml');
    t.is(lines[line - 1]!.slice(column - 1), gate);
  }
  t.is(load(text).expectations.length, 2);
});

test('the record is frozen all the way down', (t) => {
  const open: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) open.push(path);
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  const scenario = load(small(['static: {}', 'static: {engine: {}}']));
  visit(scenario, 'scenario');
  t.deepEqual(open, []);
  t.throws(() => ((scenario.run as { seed: number }).seed = 2), { instanceOf: TypeError });
});

test('JSON gives the same record as YAML', (t) => {
  const scenario = load(SMALL);
  const asJson = JSON.stringify(
    {
      apiVersion: 'wavetank/v1alpha1',
      kind: 'Scenario',
      metadata: { name: 'j', why: 'w' },
      spec: {
        cluster: {
          zones: ['r1/a', 'r1/b'],
          nodePools: [{ name: 'pool', nodesPerZone: 2, instanceType: 'm5.xlarge', prices: 'aws/us-east-1' }],
        },
        services: [
          {
            name: 'one',
            resources: { requests: { cpu: 1, memory: '1Gi' } },
            workers: 1,
            endpoints: [{ name: 'go', cpu: '1ms' }],
          },
        ],
        load: [{ entry: 'one', rate: '1/s' }],
      },
    },
    null,
    2,
  );
  const loaded = parseScenario(asJson, 'j.json');
  t.true('scenario' in loaded);
  if ('scenario' in loaded) t.deepEqual(loaded.scenario.cluster, scenario.cluster);
});
