/** The scheduler's rules one by one, with numbers by hand: taints, affinity, ports, pod counts, images, gates. */
import test from 'ava';
import { explainScores, schedulePod } from '../../../sim/cluster/scheduler.js';
import {
  NO_AFFINITY,
  type AffinityTerm,
  type BoundPod,
  type ScheduleInput,
  type SchedulerNode,
  type SchedulerPod,
} from '../../../sim/cluster/schedulerInput.js';
import { balancedScore } from '../../../sim/cluster/schedulerScores.js';
import {
  matchesNodeTerm,
  matchesRequirement,
  matchesSelector,
  type Requirement,
} from '../../../sim/cluster/selectors.js';
import { toleratesTaint, type Taint, type TaintEffect, type Toleration } from '../../../sim/cluster/taints.js';

const MI = 2 ** 20;
const GI = 2 ** 30;
const NOTHING = { cpuMillicores: 0, memoryBytes: 0 };

function aNode(fields: Partial<SchedulerNode> = {}): SchedulerNode {
  return {
    zone: 0,
    ready: true,
    schedulable: true,
    allocatable: { cpuMillicores: 4000, memoryBytes: 16 * GI },
    requested: NOTHING,
    nonZeroRequested: NOTHING,
    ...fields,
  };
}

function given(nodes: SchedulerNode[], pod: Partial<SchedulerPod>, boundPods: BoundPod[] = []): ScheduleInput {
  return {
    pod: {
      requests: { cpuMillicores: 500, memoryBytes: GI },
      requiredZone: null,
      requiredNode: null,
      preferredNode: null,
      spread: [],
      ...pod,
    },
    nodes,
    podsOfService: [],
    boundPods,
    visitOrder: nodes.map((_, node) => node),
    visitFrom: 0,
    pick: () => 0,
  };
}

function aBound(node: number, fields: Partial<BoundPod> = {}): BoundPod {
  return {
    node,
    namespace: 'default',
    labels: { app: 'web' },
    terminating: false,
    affinity: NO_AFFINITY,
    antiAffinity: NO_AFFINITY,
    ...fields,
  };
}

const web = (topologyKey: string): AffinityTerm => ({
  selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
  topologyKey,
  namespaces: [],
});

function passing(input: ScheduleInput): number[] {
  return explainScores(input).map(({ node }) => node);
}

function why(input: ScheduleInput): string {
  const result = schedulePod(input);
  return 'node' in result ? `node ${result.node}` : result.unschedulable;
}

test('B7: each operator of a requirement, with the label there, different and missing', (t) => {
  const rows: [Requirement['operator'], string[], boolean, boolean, boolean][] = [
    // operator, values, label is 5, label is 7, no label
    ['In', ['5', '6'], true, false, false],
    ['NotIn', ['5', '6'], false, true, true],
    ['Exists', [], true, true, false],
    ['DoesNotExist', [], false, false, true],
    ['Gt', ['5'], false, true, false],
    ['Lt', ['7'], true, false, false],
    ['Gt', ['five'], false, false, false],
  ];
  for (const [operator, values, five, seven, missing] of rows) {
    const holds = (labels: Record<string, string>) => matchesRequirement({ key: 'disk', operator, values }, labels);
    t.deepEqual([holds({ disk: '5' }), holds({ disk: '7' }), holds({})], [five, seven, missing], operator);
  }
});

test('B7: an empty selector picks all pods, none picks nothing, and an empty node term no node', (t) => {
  t.true(matchesSelector({ matchLabels: {}, matchExpressions: [] }, { app: 'web' }));
  t.false(matchesSelector(null, { app: 'web' }));
  t.false(matchesNodeTerm({ matchExpressions: [], matchFields: [] }, {}, 'a'));
  const named = {
    matchExpressions: [],
    matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }],
  } as const;
  t.deepEqual([matchesNodeTerm(named, {}, 'a'), matchesNodeTerm(named, {}, 'b')], [true, false]);
});

test('B7: which tolerations bear the taint gpu=yes:NoSchedule', (t) => {
  const taint: Taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };
  const rows: [string, Toleration['operator'], string, TaintEffect | null, boolean][] = [
    ['gpu', 'Equal', 'yes', 'NoSchedule', true],
    ['gpu', 'Equal', 'yes', null, true],
    ['gpu', 'Equal', 'no', null, false],
    ['gpu', 'Equal', 'yes', 'NoExecute', false],
    ['gpu', 'Exists', '', 'NoSchedule', true],
    ['', 'Exists', '', null, true],
    ['', 'Equal', 'yes', null, false],
    ['spot', 'Exists', '', null, false],
  ];
  for (const [key, operator, value, effect, expected] of rows) {
    t.is(toleratesTaint([{ key, operator, value, effect }], taint), expected, `${key} ${operator} ${value} ${effect}`);
  }
});

test('B7: NoSchedule and NoExecute keep pods away, PreferNoSchedule does not', (t) => {
  const taint = (effect: TaintEffect): Taint => ({ key: 'k', value: '', effect });
  const nodes = (['NoSchedule', 'NoExecute', 'PreferNoSchedule'] as const).map((e) => aNode({ taints: [taint(e)] }));
  t.deepEqual(passing(given(nodes, {})), [2]);
  const tolerations: Toleration[] = [{ key: 'k', operator: 'Exists', value: '', effect: 'NoSchedule' }];
  t.deepEqual(passing(given(nodes, { tolerations })), [0, 2]);
});

test('B7: a pod that tolerates everything goes to cordoned and lost nodes', (t) => {
  const nodes = [aNode({ schedulable: false }), aNode({ ready: false })];
  const tolerations: Toleration[] = [{ key: '', operator: 'Exists', value: '', effect: null }];
  t.deepEqual(passing(given(nodes, { tolerations })), [0, 1]);
  t.deepEqual(passing(given(nodes, {})), []);
});

test('B8: 0, 1 and 3 unloved taints score 100, 67 and 0', (t) => {
  // 100 - trunc(100 x 1 / 3) = 100 - 33.
  const taints = (count: number): Taint[] =>
    Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: '', effect: 'PreferNoSchedule' }));
  const scores = explainScores(
    given(
      [0, 1, 3].map((count) => aNode({ taints: taints(count) })),
      {},
    ),
  );
  t.deepEqual(
    scores.map((score) => score.taints),
    [100, 67, 0],
  );
});

test('B8: preferences for nodes of weights 10 and 20 score 33, 100 and 0', (t) => {
  // Sums 10, 30, 0: trunc(100 x 10 / 30) = 33.
  const prefer = (weight: number, key: string) => ({
    weight,
    term: { matchExpressions: [{ key, operator: 'Exists', values: [] } as const], matchFields: [] },
  });
  const nodes = [aNode({ labels: { a: '' } }), aNode({ labels: { a: '', b: '' } }), aNode()];
  const scores = explainScores(given(nodes, { preferredNodes: [prefer(10, 'a'), prefer(20, 'b')] }));
  t.deepEqual(
    scores.map((score) => score.nodeAffinity),
    [33, 100, 0],
  );
});

test('B7: the node selector and one of the affinity terms must hold', (t) => {
  const zoneIs = (values: string[]) => ({
    matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values } as const],
    matchFields: [],
  });
  const ssd = { disk: 'ssd' };
  const nodes = [aNode({ zone: 0, labels: ssd }), aNode({ zone: 1 }), aNode({ zone: 2, labels: ssd })];
  const nodeAffinity = [zoneIs(['1']), zoneIs(['2'])];
  t.deepEqual(passing(given(nodes, { nodeAffinity })), [1, 2]);
  t.deepEqual(passing(given(nodes, { nodeAffinity, nodeSelector: ssd })), [2]);
  t.is(why(given(nodes.slice(0, 1), { nodeAffinity })), '0 of 1 nodes fit: 1 not of the node affinity');
});

test('B7: a host port is taken per protocol, and on every address by 0.0.0.0', (t) => {
  const port = (protocol: string, hostIp: string) => ({ protocol, port: 80, hostIp });
  const nodes = ['10.0.0.1', '10.0.0.2', '0.0.0.0'].map((ip) => aNode({ usedPorts: [port('TCP', ip)] }));
  t.deepEqual(passing(given(nodes, { hostPorts: [port('TCP', '10.0.0.1')] })), [1]);
  t.deepEqual(passing(given(nodes, { hostPorts: [port('TCP', '0.0.0.0')] })), []);
  t.deepEqual(passing(given(nodes, { hostPorts: [port('UDP', '0.0.0.0')] })), [0, 1, 2]);
});

test('B7: a node takes no pod above its maxPods', (t) => {
  const nodes = [aNode({ maxPods: 110, podCount: 109 }), aNode({ maxPods: 110, podCount: 110 })];
  t.deepEqual(passing(given(nodes, {})), [0]);
  t.is(why(given(nodes.slice(1), {})), '0 of 1 nodes fit: 1 with too many pods');
});

test('B7: a gated pod is not looked at', (t) => {
  t.is(why(given([aNode()], { schedulingGates: ['quota'] })), 'held by gates: quota');
});

test('B8 worked: a 500 MiB image on 3 of 10 nodes scores 12 there and 0 elsewhere', (t) => {
  const holder = aNode({ imageBytes: { shop: 500 * MI } });
  const nodes = Array.from({ length: 10 }, (_, i) => (i < 3 ? holder : aNode()));
  const scores = explainScores(given(nodes, { images: ['shop'] }));
  t.deepEqual(
    scores.map((score) => score.images),
    [12, 12, 12, 0, 0, 0, 0, 0, 0, 0],
  );
});

test('B8: a zone is shared only with pods that an affinity names, and the first of its kind goes anywhere', (t) => {
  const nodes = [aNode({ zone: 0 }), aNode({ zone: 0 }), aNode({ zone: 1 })];
  const affinity = { required: [web('zone')], preferred: [] };
  t.deepEqual(passing(given(nodes, { affinity, labels: { app: 'cache' } }, [aBound(1)])), [0, 1]);
  t.deepEqual(passing(given(nodes, { affinity, labels: { app: 'cache' } })), []);
  t.deepEqual(passing(given(nodes, { affinity, labels: { app: 'web' } })), [0, 1, 2]);
  t.deepEqual(passing(given(nodes, { affinity, labels: { app: 'web' } }, [aBound(2)])), [2]);
  const elsewhere = aBound(2, { namespace: 'other' });
  t.deepEqual(passing(given(nodes, { affinity, labels: { app: 'cache' } }, [elsewhere])), []);
});

test('B8: anti-affinity keeps a pod away, its own and that of the pods already there', (t) => {
  const nodes = [aNode({ zone: 0 }), aNode({ zone: 0 }), aNode({ zone: 1 })];
  const antiAffinity = { required: [web('hostname')], preferred: [] };
  t.deepEqual(passing(given(nodes, { antiAffinity }, [aBound(0), aBound(2, { terminating: true })])), [1]);
  const guard = aBound(0, { labels: { app: 'db' }, antiAffinity: { required: [web('zone')], preferred: [] } });
  t.deepEqual(passing(given(nodes, { labels: { app: 'web' } }, [guard])), [2]);
  t.deepEqual(passing(given(nodes, { labels: { app: 'cache' } }, [guard])), [0, 1, 2]);
});

test('B8: preferences between pods are summed both ways and stretched over 0 to 100', (t) => {
  // Node 0: two pods at +20 = 40. Node 1: one pod that dislikes web, -10, and is no web itself. Node 2: a pod whose
  // required affinity names web, +1. So 40, -10, 1 -> 100, 0, trunc(100 x 11 / 50) = 22.
  const nodes = [aNode(), aNode(), aNode()];
  const db = { app: 'db' };
  const bound = [
    aBound(0),
    aBound(0),
    aBound(1, { labels: db, antiAffinity: { required: [], preferred: [{ ...web('hostname'), weight: 10 }] } }),
    aBound(2, { labels: db, affinity: { required: [web('hostname')], preferred: [] } }),
  ];
  const pod = { labels: { app: 'web' }, affinity: { required: [], preferred: [{ ...web('hostname'), weight: 20 }] } };
  const scores = explainScores(given(nodes, pod, bound));
  t.deepEqual(
    scores.map((score) => score.podAffinity),
    [100, 0, 22],
  );
});

test('B8: a spread with a selector counts pods of its own namespace that are not being deleted', (t) => {
  const constraint = {
    topologyKey: 'zone',
    maxSkew: 1,
    whenUnsatisfiable: 'DoNotSchedule',
    nodeTaintsPolicy: 'Ignore',
    selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
  } as const;
  const nodes = [aNode({ zone: 0 }), aNode({ zone: 1 })];
  const pod = { labels: { app: 'web' }, spread: [constraint] };
  t.deepEqual(passing(given(nodes, pod, [aBound(0)])), [1]);
  t.deepEqual(passing(given(nodes, pod, [aBound(0, { terminating: true })])), [0, 1]);
  t.deepEqual(passing(given(nodes, pod, [aBound(0, { namespace: 'other' })])), [0, 1]);
  // A pod that the selector does not name does not add to the skew: 1 + 0 - 0 <= 1.
  t.deepEqual(passing(given(nodes, { ...pod, labels: { app: 'cache' } }, [aBound(0)])), [0, 1]);
  // One zone and two wanted: the minimum is 0, so the second pod waits for a zone.
  const one = given([aNode()], { ...pod, spread: [{ ...constraint, minDomains: 2 }] }, [aBound(0)]);
  t.deepEqual(passing(one), []);
  // A node without the key takes none.
  t.deepEqual(passing(given([aNode()], { ...pod, spread: [{ ...constraint, topologyKey: 'rack' }] })), []);
});

test('B8: a spread with an empty selector counts nobody, though it picks the pod itself', (t) => {
  const constraint = {
    topologyKey: 'zone',
    maxSkew: 1,
    whenUnsatisfiable: 'DoNotSchedule',
    nodeTaintsPolicy: 'Ignore',
    selector: { matchLabels: {}, matchExpressions: [] },
  } as const;
  const nodes = [aNode({ zone: 0 }), aNode({ zone: 1 })];
  const bound = [aBound(0), aBound(0)];
  t.deepEqual(passing(given(nodes, { spread: [constraint] }, bound)), [0, 1]);
  const soft = given(nodes, { spread: [{ ...constraint, whenUnsatisfiable: 'ScheduleAnyway' }] }, bound);
  t.deepEqual(
    explainScores(soft).map(({ spread }) => spread),
    [100, 100],
  );
});

test('B8 worked, by release: 1 CPU and 3 Gi plus 500m and 1 Gi score 93 before 1.36 and 73 after', (t) => {
  const allocatable = { cpuMillicores: 4000, memoryBytes: 16 * GI };
  const bound = { cpuMillicores: 1000, memoryBytes: 3 * GI };
  const pod = { cpuMillicores: 500, memoryBytes: GI };
  // With: 0.375 and 0.25 -> 93. Without: 0.25 and 0.1875 -> trunc 96.875 = 96. 50 + trunc((50 + 93 - 96) / 2) = 73.
  t.deepEqual(
    [32, 35, 36, 37].map((minor) => balancedScore(allocatable, bound, pod, minor)),
    [93, 93, 73, 73],
  );
  // No change is 75, from even to lopsided 50, from lopsided to even 100.
  const full = { cpuMillicores: 4000, memoryBytes: 0 };
  const rest = { cpuMillicores: 0, memoryBytes: 16 * GI };
  const both = { cpuMillicores: 2000, memoryBytes: 8 * GI };
  t.is(balancedScore(allocatable, NOTHING, both, 36), 75);
  t.is(balancedScore(allocatable, NOTHING, full, 36), 50);
  t.is(balancedScore(allocatable, full, rest, 36), 100);
  // A pod without requests: 1.33 stopped scoring it.
  t.deepEqual(
    [balancedScore(allocatable, bound, NOTHING, 32), balancedScore(allocatable, bound, NOTHING, 33)],
    [96, 0],
  );
});
