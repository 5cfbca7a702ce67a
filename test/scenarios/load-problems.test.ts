import test from 'ava';
import { linesOf, problemsOf, small, SMALL, unmarked } from './fixtures.js';

/** The problems of a changed fixture, each at its mark in the replacement. */
const finds = test.macro((t, replacements: readonly (readonly [string, string])[], ...expected: readonly string[]) => {
  const { text, places } = unmarked(small(...replacements));
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test('the fixture itself is right', (t) => t.deepEqual(linesOf(SMALL), []));

// Text
test('an empty file is named as such', (t) => {
  t.deepEqual(linesOf(''), ['1:1 WT0104 : the file is empty']);
  t.deepEqual(linesOf('# only a comment\n'), ['1:1 WT0104 : the file is empty']);
});
test('a file of another encoding is refused at the first odd character', (t) => {
  t.deepEqual(linesOf('a: 1\nb: \0x'), ['2:4 WT0101 : not UTF-8 text']);
  t.deepEqual(linesOf(Buffer.from(SMALL, 'utf16le').toString('utf8')), ['1:2 WT0101 : not UTF-8 text']);
});
test('a byte order mark is no problem', (t) => t.deepEqual(linesOf(`\uFEFF${SMALL}`), []));
test('broken YAML is reported where it breaks', (t) => {
  const [first] = problemsOf(small(['zones: [r1/a, r1/b]', 'zones: [r1/a, r1/b']));
  t.is(first?.code, 'WT0102');
  t.true(first!.line >= 6 && first!.line <= 8);
});
test(
  'a key that stands twice',
  finds,
  [['      workers: 4\n', '      workers: 4\n      ¦workers: 5\n']],
  'WT0103 : the key "workers" stands twice',
);
test(
  'two documents in one file',
  finds,
  [['{checkout: {max: 8}}\n', '{checkout: {max: 8}}\n¦---\na: 1\n']],
  'WT0105 : 2 documents in one file',
);
test('too many aliases are an error, not a hang', (t) => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefgh'.split('').map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`),
  ].join('\n');
  t.is(problemsOf(bomb)[0]?.code, 'WT0102');
});

// Identity
test(
  'another kind is said once, without the noise of its other keys',
  finds,
  [['kind: Scenario', 'kind: ¦Deployment']],
  'WT0106 kind: not a scenario of this version',
);
test(
  'another version',
  finds,
  [['wavetank/v1alpha1', '¦wavetank/v9']],
  'WT0106 apiVersion: not a scenario of this version',
);
test(
  'a missing kind',
  finds,
  [
    ['kind: Scenario\n', ''],
    ['apiVersion', '¦apiVersion'],
  ],
  'WT0106 kind: missing key "kind"',
);
test('a list instead of a scenario', (t) => t.deepEqual(linesOf('- a\n- b\n'), ['1:1 WT0203 : is a list']));

// Shape
test(
  'an unknown key',
  finds,
  [['workers: 4', 'workers: 4\n      ¦holdsWorkersWhileCalling: true']],
  'WT0201 spec.services[0].holdsWorkersWhileCalling: unknown key "holdsWorkersWhileCalling"',
);
test('an unknown key knows the nearest right one', (t) => {
  const [problem] = problemsOf(small(['rate: 100/s', 'rate: {bse: 100/s}']));
  t.is(problem?.hint, 'did you mean "base"?');
  t.is(problem?.expected, 'one of base, diurnal, bursts, points');
});
test('a merge key is no part of YAML 1.2', (t) =>
  t.is(
    problemsOf(small(['workers: 4', 'workers: 4\n      <<: {queue: 3}']))[0]?.hint,
    'merge keys are not part of YAML 1.2: write the keys out',
  ));
test(
  'a missing key points at its parent',
  finds,
  [
    ['      workers: 4\n', ''],
    ['name: checkout\n', '¦name: checkout\n'],
  ],
  'WT0202 spec.services[0].workers: missing key "workers"',
);
test('a key without a value', finds, [['workers: 4', 'workers:¦']], 'WT0203 spec.services[0].workers: is empty');
test(
  'a text where a number is wanted',
  finds,
  [['workers: 4', 'workers: ¦four']],
  'WT0203 spec.services[0].workers: is a text',
);
test(
  'a fraction where a whole number is wanted',
  finds,
  [['workers: 4', 'workers: ¦4.5']],
  'WT0203 spec.services[0].workers: is not a whole number',
);
test(
  'a number without its unit',
  finds,
  [['cpu: 20ms', 'cpu: ¦20']],
  'WT0204 spec.services[0].endpoints[0].cpu: 20 has no unit',
);
test(
  'a wrong unit',
  finds,
  [['memory: 256Mi}, limits', 'memory: ¦256m}, limits']],
  'WT0204 spec.services[0].resources.requests.memory: "m" is not a unit of memory',
);
test(
  'a negative number',
  finds,
  [['count: 2', 'count: ¦-2']],
  'WT0205 spec.services[0].endpoints[0].steps[0].call.count: must be at least 0',
);
test(
  'not a number',
  finds,
  [['count: 2', 'count: ¦.nan']],
  'WT0205 spec.services[0].endpoints[0].steps[0].call.count: not a finite number',
);
test(
  'an infinite number',
  finds,
  [['workers: 4', 'workers: ¦.inf']],
  'WT0205 spec.services[0].workers: not a finite number',
);
test(
  'a negative infinite duration',
  finds,
  [['cpu: 20ms', 'cpu: ¦-.inf']],
  'WT0205 spec.services[0].endpoints[0].cpu: not a finite number',
);
test(
  'a negative duration',
  finds,
  [['cpu: 20ms', 'cpu: ¦-20ms']],
  'WT0205 spec.services[0].endpoints[0].cpu: a duration cannot be negative',
);
test(
  'a chance above one',
  finds,
  [['probability: 0.5', 'probability: ¦50']],
  'WT0204 spec.services[0].endpoints[0].steps[0].call.probability: 50 is more than the whole',
);
test(
  'no services at all',
  finds,
  [
    [SMALL.slice(SMALL.indexOf('    - name: checkout'), SMALL.indexOf('  mesh:')), ''],
    ['  services:\n', '  services: ¦[]\n'],
    ['host: checkout', 'host: ¦checkout'],
    ['entry: checkout', 'entry: ¦checkout'],
    ['hpa: {checkout', 'hpa: {¦checkout'],
  ],
  'WT0205 spec.services: must not be empty',
  'WT0402 spec.mesh.objects[0].spec.host: the host is none of the services',
  'WT0301 spec.load[0].entry: unknown service "checkout"',
  'WT0301 spec.policies.hpa.hpa.checkout: unknown service "checkout"',
);
test(
  'no load',
  finds,
  [
    [SMALL.slice(SMALL.indexOf('  load:'), SMALL.indexOf('  faults:')), ''],
    ['  cluster:', '  ¦cluster:'],
  ],
  'WT0202 spec.load: missing key "load"',
);
test('a word that is not allowed', (t) => {
  const [problem] = problemsOf(small(['rate: 100/s', 'rate: 100/s\n      arrivals: poison']));
  t.is(problem?.code, 'WT0206');
  t.is(problem?.hint, 'did you mean "poisson"?');
});
test(
  'a name that Kubernetes would refuse',
  finds,
  [
    ['- name: ledger', '- name: ¦Ledger_1'],
    ['ledger/append', 'Ledger_1/append'],
  ],
  'WT0208 spec.services[1].name: not a valid name',
);
test('a zone without its region', (t) =>
  t.is(problemsOf(small(['zones: [r1/a, r1/b]', 'zones: [r1/a, r1/b, c]']))[0]?.code, 'WT0208'));
test(
  'two laws for one demand',
  finds,
  [['cpu: {exponential: 5ms}', 'cpu: ¦{exponential: 5ms, constant: 4ms}']],
  'WT0207 spec.services[1].endpoints[0].cpu: constant and exponential exclude each other',
);
test(
  'a step that says nothing',
  finds,
  [['- call: {to: ledger/append, probability: 0.5, count: 2}', '- ¦repeat: parallel']],
  'WT0207 spec.services[0].endpoints[0].steps[0]: says nothing',
);
test(
  'a wrong part of a law is reported, not the law',
  finds,
  [['{exponential: 5ms}', '{gamma: {mean: 5ms, cv: ¦0}}']],
  'WT0205 spec.services[1].endpoints[0].cpu.gamma.cv: must be more than 0',
);
test(
  'a histogram whose parts do not fit',
  finds,
  [['{exponential: 5ms}', '{empirical: ¦¦{bounds: [1ms, 2ms, 2ms], weights: [1]}}']],
  'WT0207 spec.services[1].endpoints[0].cpu.empirical: 3 bounds and 1 weights',
  'WT0310 spec.services[1].endpoints[0].cpu.empirical: the bounds do not ascend',
);
test(
  'points beside a base',
  finds,
  [['rate: 100/s', 'rate: ¦{base: 1/s, points: [{at: 0s, rate: 1/s}]}']],
  'WT0207 spec.load[0].rate: points exclude base, diurnal and bursts',
);
test(
  'points out of order',
  finds,
  [['rate: 100/s', 'rate: ¦{points: [{at: 5s, rate: 1/s}, {at: 4s, rate: 1/s}]}']],
  'WT0310 spec.load[0].rate: the points are not in the order of time',
);

// Names
test(
  'an unknown endpoint',
  finds,
  [['to: ledger/append', 'to: ¦ledger/apend']],
  'WT0302 spec.services[0].endpoints[0].steps[0].call.to: unknown endpoint "apend" of "ledger"',
);
test(
  'a service with several endpoints must say which',
  finds,
  [['entry: checkout/pay', 'entry: ¦checkout']],
  'WT0302 spec.load[0].entry: the service "checkout" has 2 endpoints',
);
test(
  'unknown zones, wherever they stand',
  finds,
  [
    ['from: {r1/a: 70%, r1/b: 30%}', 'from: {r1/a: 70%, ¦r1/c: 30%}'],
    ['zoneOutage: r1/a', 'zoneOutage: ¦r1/z'],
  ],
  'WT0303 spec.load[0].from["r1/c"]: unknown zone "r1/c"',
  'WT0303 spec.faults[0].zoneOutage: unknown zone "r1/z"',
);
test(
  'shares that do not sum to the whole',
  finds,
  [['{r1/a: 70%, r1/b: 30%', '¦{r1/a: 70%, r1/b: 20%']],
  'WT0307 spec.load[0].from: the shares sum to 90%',
);
test(
  'moving shares must start at 0 and ascend',
  finds,
  [['from: {r1/a: 70%, r1/b: 30%}', 'from: [{at: ¦1m, shares: {r1/a: 1}}, {at: ¦1m, shares: {r1/b: 100%}}]']],
  'WT0310 spec.load[0].from[0].at: the first entry must be at 0s',
  'WT0310 spec.load[0].from[1].at: not later than the entry before',
);
test(
  'duplicate services, endpoints, zones, pools and loads',
  finds,
  [
    ['zones: [r1/a, r1/b]', 'zones: [r1/a, r1/b, ¦r1/a]'],
    [
      'prices: aws/us-east-1}',
      'prices: aws/us-east-1}\n      - {name: ¦pool, nodesPerZone: 1, allocatable: {cpu: 1, memory: 1Gi}, pricePerHour: 0}',
    ],
    ['to: ledger/append', 'to: checkout/show'],
    ['{name: show, cpu: 1ms}', '{name: show, cpu: 1ms}\n        - {name: ¦show, cpu: 2ms}'],
    ['- name: ledger\n', '- name: ¦checkout\n'],
    ['  faults:', '    - {entry: ¦checkout/pay, rate: 1/s}\n  faults:'],
  ],
  'WT0305 spec.cluster.zones[2]: the zone "r1/a" is declared twice',
  'WT0305 spec.cluster.nodePools[1].name: the node pool "pool" is declared twice',
  'WT0305 spec.services[0].endpoints[2].name: the endpoint "show" is declared twice',
  'WT0305 spec.services[1].name: the service "checkout" is declared twice',
  'WT0305 spec.load[1].entry: the load "checkout/pay" is declared twice',
);
test(
  'a circle of calls is printed',
  finds,
  [
    [
      '{name: append, cpu: {exponential: 5ms}}',
      '{name: append, cpu: {exponential: 5ms}, steps: [{parallel: [checkout/show, ¦checkout/pay]}]}',
    ],
  ],
  'WT0306 spec.services[1].endpoints[0].steps[0].parallel[1]: the calls form a circle: checkout/pay -> ledger/append -> checkout/pay',
);
test(
  'an endpoint that calls itself',
  finds,
  [['{name: show, cpu: 1ms}', '{name: show, cpu: 1ms, steps: [{call: ¦checkout/show}]}']],
  'WT0306 spec.services[0].endpoints[1].steps[0].call: the calls form a circle: checkout/show -> checkout/show',
);
test(
  'a pod larger than every node',
  finds,
  [['requests: {cpu: 500m, memory: 256Mi}}', 'requests: ¦{cpu: 500m, memory: 17Gi}}']],
  'WT0309 spec.services[1].resources.requests: no node of the cluster has room for such a pod',
);
test(
  'pods wanted in a zone without nodes',
  finds,
  [
    ['nodesPerZone: 2', 'nodesPerZone: {r1/a: 2}'],
    ['replicas: 2', 'replicas: {r1/a: 1, r1/b: ¦1}'],
  ],
  'WT0309 spec.services[1].replicas["r1/b"]: no node in r1/b has room for such a pod',
);
test(
  'unknown prices and instance types',
  finds,
  [['instanceType: m5.xlarge', 'instanceType: ¦m5.xlrge']],
  'WT0308 spec.cluster.nodePools[0].instanceType: unknown instance type "m5.xlrge"',
);
test(
  'a pool of unknown size and price',
  finds,
  [['{name: pool, nodesPerZone: 2, instanceType: m5.xlarge, prices: aws/us-east-1', '¦{name: pool, nodesPerZone: 2']],
  'WT0308 spec.cluster.nodePools[0]: the pool says no allocatable and no pricePerHour',
);
test('an unknown node', (t) => {
  const [problem] = problemsOf(small(['zoneOutage: r1/a', 'nodeLoss: pool-r1-a-9']));
  t.is(problem?.code, 'WT0311');
  t.is(problem?.expected, 'one of pool-r1-a-0, pool-r1-a-1, pool-r1-b-0, pool-r1-b-1');
});
test(
  'a policy that extends nothing',
  finds,
  [['static: {}', 'static: {extends: ¦hpb}']],
  'WT0304 spec.policies.static.extends: unknown policy "hpb"',
);
test(
  'policies that extend each other',
  finds,
  [
    ['static: {}', 'static: {extends: ¦hpa}'],
    ['    hpa:\n', '    hpa:\n      extends: ¦static\n'],
  ],
  'WT0304 spec.policies.static.extends: the policies extend each other: static -> hpa -> static',
  'WT0304 spec.policies.hpa.extends: the policies extend each other: hpa -> static -> hpa',
);
test(
  'an autoscaler for nobody, and one that cannot scale',
  finds,
  [['{checkout: {max: 8}}', '{¦chekout: {max: 8}, ledger: {min: 9, max: ¦3}}']],
  'WT0301 spec.policies.hpa.hpa.chekout: unknown service "chekout"',
  'WT0205 spec.policies.hpa.hpa.ledger.max: max is below min, 9',
);
test(
  'names that every JavaScript object knows are not taken for declared',
  finds,
  [
    ['to: ledger/append', 'to: ¦constructor/append'],
    ['prices: aws/us-east-1', 'prices: ¦constructor'],
    ['hpa: {checkout:', 'hpa: {¦toString:'],
  ],
  'WT0308 spec.cluster.nodePools[0].prices: unknown price book "constructor"',
  'WT0301 spec.services[0].endpoints[0].steps[0].call.to: unknown service "constructor"',
  'WT0301 spec.policies.hpa.hpa.toString: unknown service "toString"',
);

test('problems of text, shape and names come all at once, in the order of the file', (t) => {
  const broken = small(
    ['replicas: 4', 'replicas: 4\n      replicas: 4'],
    ['workers: 4', 'wrokers: 4'],
    ['cpu: 20ms', 'cpu: 20'],
    ['to: ledger/append', 'to: leger/append'],
    ['r1/b: 30%', 'r1/b: 40%'],
    ['host: checkout', 'host: chekout'],
  );
  t.deepEqual(
    problemsOf(broken).map((problem) => problem.code),
    ['WT0202', 'WT0103', 'WT0201', 'WT0204', 'WT0301', 'WT0402', 'WT0307'],
  );
});

test('JSON is read with the same places', (t) => {
  const { text, places } = unmarked(
    '{"apiVersion": "wavetank/v1alpha1",\n "kind": "Scenario",\n "metadata": {"name": "x", "why": ¦7},\n "spec": ¦¦¦{}}',
  );
  const messages = [
    'WT0203 metadata.why: is a number',
    'WT0202 spec.cluster: missing key "cluster"',
    'WT0202 spec.services: missing key "services"',
    'WT0202 spec.load: missing key "load"',
  ];
  t.deepEqual(
    linesOf(text),
    messages.map((message, index) => `${places[index]} ${message}`),
  );
});

// Expectations
test(
  'gates that nothing could ever fail',
  finds,
  [
    [
      '  load:',
      '  expectations:\n    - p95(¦latncy) < 200ms\n    - p95(latency{service=¦"chekout"}) < 200ms\n    - ratio(failed) <= 5¦\n  load:',
    ],
  ],
  'WT0312 spec.expectations[0]: unknown metric "latncy"',
  'WT0312 spec.expectations[1]: unknown service "chekout"',
  'WT0312 spec.expectations[2]: the limit of failed needs a unit',
);
