/** What the kube-scheduler reads, in the file: as the API server takes it, every mistake at its place. */
import test from 'ava';
import { PLAIN_POD_SCHEDULING } from '../../scenarios/pod-scheduling.js';
import { linesOf, load, small, unmarked } from './fixtures.js';

const WORKERS = '      workers: 2\n';
const POOL = 'prices: aws/us-east-1}';

/** The second service of the fixture with these keys, and the pool with those. */
function file(service: string, pool = ''): string {
  const block = service.replace(/^/gm, '      ').trimEnd();
  return small([WORKERS, `${WORKERS}${block}\n`], [POOL, `prices: aws/us-east-1${pool}}`]);
}

const scheduling = (service: string, pool = '') => load(file(service, pool)).services[1]!.scheduling;

test('a pod template that says nothing has the defaults', (t) => {
  t.deepEqual(load(file('queue: 1')).services[1]!.scheduling, PLAIN_POD_SCHEDULING);
});

test('rules are written as in a pod template, and nodes have the labels that kubelets and clouds set', (t) => {
  const rules = `
nodeSelector: {disk: ssd}
tolerations: [{key: dedicated, value: data, effect: NoSchedule}, {operator: Exists, effect: NoExecute, tolerationSeconds: 30}]
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms: [{matchExpressions: [{key: cores, operator: Gt, values: ["2"]}]}]
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 50
        podAffinityTerm: {labelSelector: {matchLabels: {app: ledger}}, topologyKey: kubernetes.io/hostname}
topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {}, matchLabelKeys: [app, gone], minDomains: 2}
priority: 7
image: {name: shop/ledger, size: 500Mi}
schedulingGates: [{name: example.com/quota, liftedAfter: 30s}]`;
  const pool =
    ', labels: {disk: ssd, cores: "4"}, taints: [{key: dedicated, value: data, effect: NoSchedule}], maxPods: 30';
  const { cluster, services } = load(file(rules.trimStart(), pool));
  t.like(cluster.nodes[2], { maxPods: 30, taints: [{ key: 'dedicated', value: 'data', effect: 'NoSchedule' }] });
  t.like(cluster.nodes[2]!.labels, {
    disk: 'ssd',
    'topology.kubernetes.io/region': 'r1',
    'topology.kubernetes.io/zone': 'b',
    'kubernetes.io/hostname': 'pool-r1-b-0',
  });
  t.deepEqual(services[1]!.scheduling, {
    nodeSelector: { disk: 'ssd' },
    tolerations: [
      { key: 'dedicated', operator: 'Equal', value: 'data', effect: 'NoSchedule' },
      { key: '', operator: 'Exists', value: '', effect: 'NoExecute' },
    ],
    lostNodeTolerationUs: 30e6,
    nodeAffinity: [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['2'] }], matchFields: [] }],
    preferredNodes: [],
    podAffinity: { required: [], preferred: [] },
    podAntiAffinity: {
      required: [],
      preferred: [
        {
          selector: { matchLabels: { app: 'ledger' }, matchExpressions: [] },
          topologyKey: 'kubernetes.io/hostname',
          weight: 50,
        },
      ],
    },
    topologySpread: [
      {
        topologyKey: 'topology.kubernetes.io/zone',
        maxSkew: 1,
        whenUnsatisfiable: 'DoNotSchedule',
        nodeAffinityPolicy: 'Honor',
        nodeTaintsPolicy: 'Ignore',
        // A label that the pod does not have is passed over.
        selector: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'In', values: ['ledger'] }] },
        minDomains: 2,
      },
    ],
    priority: 7,
    image: { name: 'shop/ledger', sizeBytes: 500 * 2 ** 20 },
    gates: [{ name: 'example.com/quota', liftedAfterUs: 30e6 }],
  });
});

test('zones of one name in two regions keep labels of their own', (t) => {
  const text = small(['[r1/a, r1/b]', '[r1/a, r2/a]'], ['r1/b: 30%', 'r2/a: 30%']);
  const labels = load(text).cluster.nodes.map((node) => node.labels['topology.kubernetes.io/zone']);
  t.deepEqual(labels, ['r1-a', 'r1-a', 'r2-a', 'r2-a']);
});

test('how long pods stay on a lost node follows from their tolerations', (t) => {
  const stays = (tolerations: string) => scheduling(`tolerations: ${tolerations}`).lostNodeTolerationUs;
  // Admission adds 300 s where none applies.
  t.is(
    stays('[{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}]'),
    300e6,
  );
  t.is(
    stays('[{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5}]'),
    5e6,
  );
  t.is(stays('[{operator: Exists}]'), null);
  t.is(stays('[{operator: Exists}, {operator: Exists, effect: NoExecute, tolerationSeconds: -1}]'), 0);
});

test('what the API server refuses is refused, all at once and each at its place', (t) => {
  const { text, places } = unmarked(
    file(
      `
nodeSelector: {a b: c, disk: ¦"-"}
tolerations:
  - {value: x, effect: NoExecute, operator: ¦Equal}
  - {key: a, operator: Exists, value: ¦x}
  - {key: a, operator: Exists, tolerationSeconds: ¦5}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: ¦[]}
    preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: ¦101, preference: {}}
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: ¦zone, labelSelector: {matchExpressions: [{key: a, operator: ¦Gt, values: ["1"]}]}}
topologySpreadConstraints:
  - {maxSkew: ¦0, topologyKey: x, whenUnsatisfiable: ¦Maybe}
priority: ¦2000000000
schedulingGates: [{name: g, liftedAfter: 1s}, {name: ¦g, liftedAfter: 2s}]`.trimStart(),
    ).replace('a b: c', 'a b: ¦c'),
  );
  const base = 'spec.services[1]';
  t.deepEqual(
    linesOf(text),
    [
      `WT0208 ${base}.nodeSelector["a b"]: not a label key`,
      `WT0208 ${base}.nodeSelector.disk: not a label value`,
      `WT0207 ${base}.tolerations[0].operator: a toleration of every key`,
      `WT0207 ${base}.tolerations[1].value: a value beside operator Exists`,
      `WT0207 ${base}.tolerations[2].tolerationSeconds: a time beside another effect`,
      `WT0205 ${base}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: must not be empty`,
      `WT0205 ${base}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: must be at most 100`,
      `WT0208 ${base}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: not the label that nodes have`,
      `WT0206 ${base}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: not an allowed word`,
      `WT0205 ${base}.topologySpreadConstraints[0].maxSkew: must be at least 1`,
      `WT0206 ${base}.topologySpreadConstraints[0].whenUnsatisfiable: not an allowed word`,
      `WT0205 ${base}.priority: must be at most 1000000000`,
      `WT0305 ${base}.schedulingGates[1].name: the gate g stands twice`,
    ].map((message, index) => `${places[index]} ${message}`),
  );
});

const refused = test.macro((t, service: string, pool: string, expected: RegExp) => {
  const lines = linesOf(file(service, pool));
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(lines[0]!, expected);
});

const spread = (rest: string) =>
  `topologySpreadConstraints: [{maxSkew: 1, topologyKey: disk, whenUnsatisfiable: ScheduleAnyway, ${rest}}]`;
test(
  'In needs values',
  refused,
  spread('labelSelector: {matchExpressions: [{key: a, operator: In}]}'),
  '',
  /missing key "values"/,
);
test('minDomains in a wish', refused, spread('minDomains: 2'), '', /minDomains in a wish/);
test('matchLabelKeys need a selector', refused, spread('matchLabelKeys: [app]'), '', /without labelSelector/);
test(
  'the short form beside the long one',
  refused,
  `${spread('labelSelector: {}')}\nspread: {zone: hard}`,
  '',
  /WT0207 spec\.services\[1\]\.spread: the short form/,
);
test(
  'a taint twice',
  refused,
  'queue: 1',
  ', taints: [{key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}]',
  /WT0305 .*taints\[1\]/,
);
test('a taint of another effect', refused, 'queue: 1', ', taints: [{key: a, effect: NoEntry}]', /WT0206/);
test(
  'a subzone that is no label value',
  refused,
  'queue: 1',
  ', subzone: a/b',
  /WT0208 .*\.subzone: not a label value/,
);
test(
  'a subzone said twice',
  refused,
  'queue: 1',
  ', subzone: s1, labels: {topology.istio.io/subzone: s1}',
  /WT0207 .*the label that subzone sets/,
);
test('labels that follow from the zone', refused, 'queue: 1', ', labels: {kubernetes.io/hostname: x}', /has already/);

test('the subzone of a pool is a label of its nodes, and of those that may come', (t) => {
  const { nodes, pools } = load(file('queue: 1', ', subzone: rack-1')).cluster;
  const subzones = [...nodes.map(({ labels }) => labels), ...pools[0]!.labels].map(
    (labels) => labels['topology.istio.io/subzone'],
  );
  t.deepEqual(subzones, new Array(subzones.length).fill('rack-1'));
  const written = load(file('queue: 1', ', labels: {topology.istio.io/subzone: rack-1}')).cluster;
  t.deepEqual(written.nodes, nodes);
});

test('one image has one size', (t) => {
  const text = small(
    ['      workers: 4\n', '      workers: 4\n      image: {name: shop, size: 1Gi}\n'],
    [WORKERS, `${WORKERS}      image: {name: shop, size: 2Gi}\n`],
  );
  t.regex(linesOf(text).join('\n'), /^[\d:]+ WT0305 spec\.services\[1\]\.image\.size: the image shop has another size/);
});

test('labels that no node has, and priorities, are said before the run', (t) => {
  const said = (service: string) => load(file(service)).notices.map(({ code, message }) => `${code} ${message}`);
  t.deepEqual(said('nodeSelector: {disk: ssd}'), ['WT0508 ledger: no node has the label disk: ssd']);
  t.deepEqual(said(spread('labelSelector: {}')), ['WT0508 ledger: no node has the label disk']);
  t.deepEqual(
    said(
      'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: Exists}]}]}}}',
    ),
    ['WT0508 ledger: no node has the labels that its node affinity requires'],
  );
  t.deepEqual(said('priority: 5'), []);
  t.deepEqual(said('nodeSelector: {topology.kubernetes.io/zone: a}'), []);
});
