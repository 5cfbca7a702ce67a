/** Karpenter's NodePools in a dump. */
import test from 'ava';
import { parseScenario } from '../../../scenarios/load.js';
import { importObjects } from '../../../scenarios/objects/index.js';
import { fillIn } from './fill-in.js';

const OBJECTS = `apiVersion: v1
kind: Node
metadata:
  name: n1
  labels:
    karpenter.sh/nodepool: general
    node.kubernetes.io/instance-type: m5.xlarge
    topology.kubernetes.io/region: us-east-1
    topology.kubernetes.io/zone: us-east-1a
spec: {providerID: "aws:///us-east-1a/i-0"}
status: {allocatable: {cpu: 3920m, memory: 15Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

const nodePool = (name: string, version = 'v1'): string => `---
apiVersion: karpenter.sh/${version}
kind: NodePool
metadata: {name: ${name}}
spec:
  weight: 5
  limits: {cpu: 100, memory: 400Gi}
  disruption:
    consolidationPolicy: WhenEmpty
    consolidateAfter: 30s
    budgets: [{nodes: 20%}, {nodes: "0", schedule: "0 9 * * *", duration: 8h}]
  template:
    spec:
      requirements:
        - {key: node.kubernetes.io/instance-type, operator: In, values: [m5.large, m5.xlarge, x9.huge]}
        - {key: kubernetes.io/arch, operator: In, values: [amd64]}
`;

function imported(text: string) {
  const result = importObjects([{ name: 'a.yaml', text }], { name: null, namespaces: [] });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result;
}

test('a NodePool gives its limits, types and weight to the pool of its nodes, and consolidation to the scenario', (t) => {
  const result = imported(OBJECTS + nodePool('general'));
  t.deepEqual(result.refused, []);
  const loaded = parseScenario(fillIn(result.text).replace('user-timeline-service', 'web'), 'filled.yaml');
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const { cluster, policies } = loaded.scenario;
  const { machines, limits, weight } = cluster.pools[0]!.karpenter!;
  t.deepEqual(
    machines.map(({ instanceType }) => instanceType),
    ['m5.large', 'm5.xlarge'],
  );
  t.deepEqual(limits, { cpuMillicores: 100_000, memoryBytes: 400 * 2 ** 30, nodes: Infinity });
  t.is(weight, 5);
  const autoscaler = policies[0]!.nodeAutoscaler;
  t.like(autoscaler, { kind: 'karpenter', consolidationPolicy: 'WhenEmpty', consolidateAfterUs: 30e6 });
  t.like(autoscaler, { budget: { percent: 20 } });
  t.deepEqual(
    result.partly.filter(({ kind }) => kind === 'NodePool').map(({ reason }) => reason),
    [
      'instance types without a price are left out: x9.huge',
      'of its requirements only a list of instance types is simulated',
      'of its budgets one without reasons and schedule is simulated',
    ],
  );
});

test('a NodePool without nodes, or of an older version, is left out by name', (t) => {
  const { leftOut, text } = imported(OBJECTS + nodePool('batch') + nodePool('general', 'v1beta1'));
  t.deepEqual(
    leftOut.map(({ name, reason }) => [name, reason]),
    [
      ['batch', 'no node of the input belongs to it: its size is not known'],
      ['general', 'only karpenter.sh/v1 is read'],
    ],
  );
  t.false(text.includes('karpenter'));
});

/** The dump with these lines in the specs of the node, of the pods and of the NodePool's template. */
function tainted(node: string, toleration: string, template: string): string {
  return (
    OBJECTS.replace('spec: {providerID:', `spec: {${node}providerID:`).replace(
      'spec: {containers:',
      `spec: {${toleration}containers:`,
    ) + nodePool('general').replace('      requirements:', `${template}      requirements:`)
  );
}

function poolAndNotes(text: string) {
  const result = imported(text);
  const loaded = parseScenario(fillIn(result.text).replace('user-timeline-service', 'web'), 'filled.yaml');
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const { nodes, pools } = loaded.scenario.cluster;
  return {
    taints: pools[0]!.taints,
    onNode: nodes[0]!.taints,
    notes: result.partly.flatMap(({ kind, reason }) =>
      kind === 'NodePool' && reason.includes('aint') ? [reason] : [],
    ),
  };
}

test('the taints of a NodePool are those of its pool', (t) => {
  const tolerated = 'tolerations: [{key: team, operator: Exists}], ';
  const ours = [{ key: 'team', value: 'search', effect: 'NoSchedule' }];
  const inPool = '      taints: [{key: team, value: search, effect: NoSchedule}]\n';
  const inNode = 'taints: [{key: team, value: search, effect: NoSchedule}], ';
  t.deepEqual(poolAndNotes(tainted(inNode, tolerated, inPool)), { taints: ours, onNode: ours, notes: [] });
  t.deepEqual(poolAndNotes(tainted('', tolerated, inPool)), {
    taints: ours,
    onNode: ours,
    notes: ['taints that its nodes do not have yet hold for them, too: team:NoSchedule'],
  });
  t.deepEqual(poolAndNotes(tainted(inNode, tolerated, '')), {
    taints: [],
    onNode: [],
    notes: ['taints of its nodes that it does not have are left out: team:NoSchedule'],
  });
});

test('taints of the start-up are not those of its pool', (t) => {
  const passing = '{key: node.cilium.io/agent-not-ready, value: "true", effect: NoExecute}';
  const notes = [
    'its startupTaints are not simulated, nodes take pods once they are ready: node.cilium.io/agent-not-ready:NoExecute',
  ];
  for (const node of ['', `taints: [${passing}], `])
    t.deepEqual(
      poolAndNotes(tainted(node, 'tolerations: [{operator: Exists}], ', `      startupTaints: [${passing}]\n`)),
      {
        taints: [],
        onNode: [],
        notes,
      },
    );
});
