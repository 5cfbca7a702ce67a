/** Metrics of an HPA in scenario files, written as autoscaling/v2 writes them. */
import test from 'ava';
import type { HpaMetricSpec } from '../../scenarios/types.js';
import { metricObjects } from '../../sim/control/hpaObject.js';
import { load, linesOf, small } from './fixtures.js';

const withHpa = (hpa: string) => small(['hpa: {checkout: {max: 8}}', `hpa: {checkout: {max: 8, ${hpa}}}`]);
const policyOf = (text: string) => load(text).policies[1]!.hpas[0]!;

const FILE: readonly (readonly [file: string, spec: HpaMetricSpec])[] = [
  [
    '{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}',
    { type: 'Resource', resource: 'cpu', target: { utilizationPercent: 60 } },
  ],
  [
    '{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 250m}}}',
    { type: 'Resource', resource: 'cpu', target: { averageAmount: 250 } },
  ],
  [
    '{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Mi}}}',
    { type: 'Resource', resource: 'memory', target: { averageAmount: 1_048_576 } },
  ],
  [
    '{type: ContainerResource, containerResource: {name: cpu, container: checkout, target: {type: Utilization, averageUtilization: 60}}}',
    { type: 'ContainerResource', resource: 'cpu', container: 'app', target: { utilizationPercent: 60 } },
  ],
  [
    '{type: Pods, pods: {metric: {name: requests_per_second}, target: {type: AverageValue, averageValue: "1.5"}}}',
    { type: 'Pods', figure: 'requests_per_second', averageAmount: 1500 },
  ],
  [
    '{type: Object, object: {metric: {name: queue_length}, describedObject: {apiVersion: v1, kind: Service, name: ledger}, target: {type: Value, value: 2k}}}',
    { type: 'Object', figure: 'queue_length', service: 1, target: { amount: 2_000_000 } },
  ],
  [
    '{type: External, external: {metric: {name: requests_per_second, selector: {matchLabels: {service: ledger}}}, target: {type: AverageValue, averageValue: 500m}}}',
    { type: 'External', figure: 'requests_per_second', service: 1, target: { averageAmount: 500 } },
  ],
];

test('metrics are read as Kubernetes writes them', (t) => {
  const { metrics } = policyOf(withHpa(`metrics: [${FILE.map(([file]) => file).join(', ')}]`));
  t.deepEqual(
    metrics,
    FILE.map(([, spec]) => spec),
  );
});

test('metrics written back as objects are read as the same metrics', (t) => {
  const text = withHpa(`metrics: [${FILE.map(([file]) => file).join(', ')}]`);
  const objects = metricObjects(policyOf(text), load(text).services);
  t.deepEqual(policyOf(withHpa(`metrics: ${JSON.stringify(objects)}`)).metrics, policyOf(text).metrics);
});

test('targetCpu is the short form, and nothing else reads it', (t) => {
  const short = policyOf(withHpa('targetCpu: 65%'));
  t.is(short.metrics, null);
  t.deepEqual(metricObjects(short, []), [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 65 } } },
  ]);
});

const codes = (hpa: string) => linesOf(withHpa(hpa)).map((line) => line.slice(line.indexOf(' ') + 1));
const AT = 'spec.policies.hpa.hpa.checkout.metrics';

test('both forms at once are refused', (t) => {
  t.deepEqual(codes(`targetCpu: 60%, metrics: [${FILE[0]![0]}]`), [
    `WT0207 ${AT}: metrics and targetCpu stand together`,
  ]);
});

test('metrics of services that are not there are refused', (t) => {
  const [objectFile, externalFile] = [FILE[5]![0], FILE[6]![0]].map((file) => file.replace('ledger', 'leger'));
  t.deepEqual(codes(`metrics: [${objectFile}, ${externalFile}]`), [
    `WT0301 ${AT}[0].object.describedObject.name: unknown service "leger"`,
    `WT0301 ${AT}[1].external.metric.selector.matchLabels.service: unknown service "leger"`,
  ]);
});

test('a container is the application, or the sidecar where pods have one', (t) => {
  const metric = FILE[3]![0].replace('container: checkout', 'container: istio-proxy');
  t.deepEqual(codes(`metrics: [${metric}]`), [
    `WT0301 ${AT}[0].containerResource.container: unknown container "istio-proxy"`,
  ]);
  const withSidecars = withHpa(`metrics: [${metric}]`).replace('mesh:\n', 'mesh:\n    proxy: {mode: sidecar}\n');
  t.like(policyOf(withSidecars).metrics![0], { type: 'ContainerResource', container: 'sidecar' });
});

test('slips in a metric are named where they stand', (t) => {
  const one = (number: number, from: string, to: string) => codes(`metrics: [${FILE[number]![0].replace(from, to)}]`);
  t.deepEqual(one(0, 'name: cpu', 'name: disk'), [`WT0206 ${AT}[0].resource.name: not an allowed word`]);
  t.deepEqual(one(0, ': 60', ': 0'), [`WT0205 ${AT}[0].resource.target.averageUtilization: must be at least 1`]);
  t.deepEqual(one(4, '"1.5"', '1.5rps'), [`WT0204 ${AT}[0].pods.target.averageValue: not a quantity`]);
  t.deepEqual(one(4, '"1.5"', '0'), [`WT0205 ${AT}[0].pods.target.averageValue: must be more than 0`]);
  t.deepEqual(one(4, 'requests_per_second', 'qps'), [`WT0206 ${AT}[0].pods.metric.name: not an allowed word`]);
  t.deepEqual(codes('metrics: []'), [`WT0205 ${AT}: must not be empty`]);
});

test('a tolerance of its own is a notice before Kubernetes 1.35, which does not read it', (t) => {
  const text = withHpa('behavior: {scaleUp: {tolerance: "0.2"}}');
  const messages = (file: string) => load(file).notices.map(({ code, message }) => `${code} ${message}`);
  t.deepEqual(messages(text), []);
  t.deepEqual(messages(text.replace('spec:\n', 'spec:\n  compat: {kubernetes: "1.34"}\n')), [
    'WT0502 tolerance is read from Kubernetes 1.35 on: 0.1 holds',
  ]);
});
