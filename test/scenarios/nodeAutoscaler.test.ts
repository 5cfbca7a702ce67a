/** Pools that grow and autoscalers of nodes in a file. */
import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const POOL = '- {name: pool, nodesPerZone: 2, instanceType: m5.xlarge, prices: aws/us-east-1}';
const withPool = (more: string, autoscaler: string, policies = ''): string =>
  small(
    [POOL, `- {name: pool, nodesPerZone: 2, instanceType: m5.xlarge, prices: aws/us-east-1${more}}`],
    ['  services:\n', `${autoscaler === '' ? '' : `  nodeAutoscaler: ${autoscaler}\n`}  services:\n`],
    ['    static: {}\n', `    static: {}\n${policies}`],
  );
const MINUTE = 60e6;

test('an autoscaler has the defaults of the real one, and a policy has its own or none', (t) => {
  const { cluster, policies } = load(
    withPool(
      ', minNodesPerZone: 1, maxNodesPerZone: {r1/a: 4, r1/b: 2}',
      '{clusterAutoscaler: {}}',
      '    none: {nodeAutoscaler: null}\n    other: {extends: none, nodeAutoscaler: {karpenter: {}, nodeStart: 30s}}\n',
    ),
  );
  const [byName, none, other] = ['static', 'none', 'other'].map(
    (name) => policies.find((policy) => policy.name === name)!.nodeAutoscaler,
  );
  t.deepEqual(byName, {
    kind: 'clusterAutoscaler',
    nodeStart: { kind: 'lognormal', mean: 60e6, cv: 0.3 },
    scanIntervalUs: 10e6,
    expander: 'least-waste',
    maxNodeProvisionUs: 15 * MINUTE,
    utilizationThreshold: 0.5,
    unneededReadyUs: 10 * MINUTE,
    unneededUnreadyUs: 20 * MINUTE,
    delayAfterAddUs: 10 * MINUTE,
    delayAfterFailureUs: 3 * MINUTE,
  });
  t.is(none, null);
  t.deepEqual(other, {
    kind: 'karpenter',
    nodeStart: { kind: 'constant', mean: 30e6 },
    batchIdleUs: 1e6,
    batchMaxUs: 10e6,
    consolidationPolicy: 'WhenEmptyOrUnderutilized',
    consolidateAfterUs: 0,
    budget: { percent: 10 },
  });
  const [{ groups, karpenter }] = cluster.pools as [(typeof cluster.pools)[0]];
  t.deepEqual(groups, [
    { minNodes: 1, maxNodes: 4 },
    { minNodes: 1, maxNodes: 2 },
  ]);
  t.is(karpenter!.limits.nodes, 6);
});

test('machines of other types lose as much to the system as the own one', (t) => {
  const { cluster } = load(
    withPool(
      ', allocatable: {cpu: 3500m, memory: 14Gi}, instanceTypes: [m5.large, m5.xlarge], limits: {cpu: "20"}',
      '{karpenter: {consolidateAfter: Never, disruptionBudget: 2}}',
    ),
  );
  const { machines, limits } = cluster.pools[0]!.karpenter!;
  t.deepEqual(
    machines.map(({ instanceType, cpuMillicores, memoryBytes, wholeCpuMillicores, priceUsdPerHour }) => [
      instanceType,
      cpuMillicores,
      memoryBytes / 2 ** 30,
      wholeCpuMillicores,
      priceUsdPerHour,
    ]),
    [
      ['m5.large', 1500, 6, 2000, 0.096],
      ['m5.xlarge', 3500, 14, 4000, 0.192],
    ],
  );
  t.deepEqual(limits, { cpuMillicores: 20_000, memoryBytes: Infinity, nodes: Infinity });
});

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test(
  'an autoscaler without a pool that may grow is refused',
  finds,
  withPool('', '{¦clusterAutoscaler: {}}'),
  'WT0207 spec.nodeAutoscaler.clusterAutoscaler: no node pool may grow',
);

test(
  'the start must lie within the bounds',
  finds,
  withPool(', maxNodesPerZone: ¦¦1', '{clusterAutoscaler: {}}'),
  'WT0205 spec.cluster.nodePools[0].maxNodesPerZone: r1/a starts with 2 nodes, and may have 0 to 1',
  'WT0205 spec.cluster.nodePools[0].maxNodesPerZone: r1/b starts with 2 nodes, and may have 0 to 1',
);

test(
  'Karpenter needs prices',
  finds,
  withPool(', maxNodesPerZone: 3, pricePerHour: unknown', '{¦karpenter: {}}'),
  'WT0207 spec.nodeAutoscaler.karpenter: Karpenter chooses by price, and that of pool is unknown',
);

test('what no autoscaler reads is said', (t) => {
  const codes = (text: string) => load(text).notices.map(({ message }) => message);
  t.true(codes(withPool(', maxNodesPerZone: 3', '')).some((message) => message.startsWith('maxNodesPerZone is read')));
  t.true(
    codes(withPool(', minNodesPerZone: 1, maxNodesPerZone: 3, weight: 2', '{clusterAutoscaler: {}}')).some((message) =>
      message.startsWith('weight is read by Karpenter'),
    ),
  );
  t.true(
    codes(withPool(', minNodesPerZone: 1, maxNodesPerZone: 3', '{karpenter: {}}')).some((message) =>
      message.startsWith('Karpenter knows no least number'),
    ),
  );
});
