/**
 * From dumps to scenario files: what each value is read from, what is asked for, what is left out and said to be, and that
 * the file loads once it is filled in. Expected values are those of the dumps beside this file, read by eye.
 */
import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { parseScenario } from '../../../scenarios/load.js';
import { importObjects, type Imported, type InputFile } from '../../../scenarios/objects/index.js';
import type { Problem } from '../../../scenarios/problems.js';
import type { Scenario } from '../../../scenarios/types.js';
import { fillIn } from './fill-in.js';

const DUMPS = 'test/scenarios/objects/dumps';
const dump = (name: string): InputFile => ({ name, text: readFileSync(`${DUMPS}/${name}`, 'utf8') });
const inline = (text: string, name = 'a.yaml'): InputFile => ({ name, text });

function imported(files: readonly InputFile[], namespaces: readonly string[] = []): Imported {
  const result = importObjects(files, { name: null, namespaces });
  if ('problems' in result)
    throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return result;
}

function problemsOf(...files: readonly InputFile[]): readonly Problem[] {
  const result = importObjects(files, { name: null, namespaces: [] });
  return 'problems' in result ? result.problems : [];
}

function filled({ text }: Imported): Scenario {
  const loaded = parseScenario(fillIn(text), 'filled.yaml');
  if ('problems' in loaded)
    throw new Error(loaded.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return loaded.scenario;
}

const service = (scenario: Scenario, name: string) => scenario.services.find((one) => one.name === name)!;

test('a cluster dumped as a List becomes nodes, services, rules and autoscalers', (t) => {
  const result = imported([dump('boutique.yaml')]);
  t.deepEqual(result.refused, []);
  const scenario = filled(result);
  t.is(scenario.name, 'shop');
  // Six nodes of two a zone; the control plane and the cordoned node take no pods.
  t.deepEqual(
    scenario.cluster.zones.map(({ name }) => name),
    ['us-east-1/us-east-1a', 'us-east-1/us-east-1b', 'us-east-1/us-east-1c'],
  );
  t.deepEqual(
    scenario.cluster.nodes.map(({ zone }) => zone),
    [0, 0, 1, 1, 2, 2],
  );
  // 3920m less 50m and 25m of the DaemonSet; the least memory, 15000001Ki, less 64Mi.
  t.is(scenario.cluster.nodes[0]!.cpuMillicores, 3845);
  t.is(scenario.cluster.nodes[0]!.memoryBytes, (15000001 - 64 * 1024) * 1024);
  // The price book of aws/us-east-1.
  t.is(scenario.cluster.nodes[0]!.priceUsdPerHour, 0.192);
  t.deepEqual(scenario.compat, { istioMinor: 24, envoyMinor: 32, kubernetesMinor: 31 });
  // Five gateway pods over three zones.
  t.is(scenario.gateways.perZone, 2);
  t.is(scenario.mesh.connectTimeoutUs, 3e6);
  t.deepEqual(scenario.mesh.localityLbSetting, {
    enabled: true,
    failoverPriority: ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'],
  });
  t.deepEqual(
    scenario.loads.map(({ name }) => name),
    ['frontend'],
  );
});

test('a service has the resources, probes, grace, spread and budget of its objects', (t) => {
  const scenario = filled(imported([dump('boutique.yaml')]));
  const frontend = service(scenario, 'frontend');
  t.is(frontend.replicas, 3);
  t.deepEqual(frontend.requests, { cpuMillicores: 100, memoryBytes: 64 * 2 ** 20 });
  t.deepEqual(frontend.limits, { cpuMillicores: 200, memoryBytes: 128 * 2 ** 20 });
  t.is(frontend.startUp.probeInitialDelayUs, 10e6);
  t.is(frontend.startUp.probePeriodUs, 5e6);
  t.is(frontend.terminationGraceUs, 5e6);
  t.like(frontend.scheduling.topologySpread[0], { maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' });
  t.deepEqual(frontend.disruptionBudget, { limit: { minAvailable: '50%' }, unhealthyPodEviction: 'AlwaysAllow' });
  t.is(service(scenario, 'cartservice').trafficDistribution, 'PreferClose');
  // Kubernetes takes a limit for the request where there is none.
  t.is(service(scenario, 'redis-cart').requests.memoryBytes, 256 * 2 ** 20);
});

test('workloads that routes tell apart are versions, and calls that the environment names are proposed', (t) => {
  const { text } = imported([dump('boutique.yaml')]);
  const { spec } = parse(text) as { spec: { services: Record<string, unknown>[] } };
  const second = spec.services.find(({ name }) => name === 'productcatalogservice-v2')!;
  t.is(second['versionOf'], 'productcatalogservice');
  t.deepEqual(second['labels'], { app: 'productcatalogservice', version: 'v2' });
  t.regex(text, /The settings of its containers name checkoutservice, cartservice, productcatalogservice\./);
  t.notRegex(text, /settings of its containers name [^.]*frontend/);
});

test('without routes by subset, too, workloads of one Service are its versions', (t) => {
  const routeless = dump('boutique.yaml').text.replaceAll(/, subset: v[12]/g, '');
  const scenario = filled(imported([inline(routeless)]));
  const [first, second] = ['productcatalogservice', 'productcatalogservice-v2'].map((name) => service(scenario, name));
  t.is(first!.replicas + second!.replicas, 4);
  t.is(scenario.services[second!.versionOf!], first);
});

const utilization = (name: string, averageUtilization: number) => ({
  type: 'Resource',
  resource: { name, target: { type: 'Utilization', averageUtilization } },
});

test('autoscalers of both versions are read, and one on another metric is left out by name', (t) => {
  const result = imported([dump('boutique.yaml')]);
  const { spec } = parse(result.text) as { spec: { policies: Record<string, { hpa: unknown }> } };
  t.deepEqual(spec.policies['today']!.hpa, {
    frontend: {
      ...{ min: 3, max: 12 },
      metrics: [utilization('cpu', 70), utilization('memory', 80)],
      behavior: {
        scaleDown: {
          policies: [{ periodSeconds: 60, type: 'Percent', value: 50 }],
          ...{ selectPolicy: 'Max', stabilizationWindowSeconds: 120 },
        },
      },
    },
    checkoutservice: { min: 1, max: 6, targetCpu: '65%' },
  });
  const left = result.leftOut.find(({ kind }) => kind === 'HorizontalPodAutoscaler')!;
  t.is(left.name, 'payment');
  t.regex(left.reason, /External queue_depth 30/);
});

test('an autoscaler on CPU and memory keeps both, in the words of Kubernetes', (t) => {
  const own = {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '200Mi' } },
  };
  const cpu = utilization('cpu', 65);
  const hpa = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cartservice' },
      maxReplicas: 5,
      metrics: [cpu, { type: 'Pods', pods: { metric: { name: 'lag' }, target: { averageValue: '3' } } }, own],
    },
  };
  const result = imported([dump('boutique.yaml'), inline(JSON.stringify(hpa))]);
  const { spec } = parse(result.text) as { spec: { policies: Record<string, { hpa: Record<string, unknown> }> } };
  t.deepEqual(spec.policies['today']!.hpa['cartservice'], { min: 1, max: 5, metrics: [cpu, own] });
  t.true(result.partly.some(({ name, reason }) => name === 'cart' && /its metric Pods lag 3/.test(reason)));
});

test('every object is used or left out with a reason, and what a Secret holds is never written', (t) => {
  for (const files of [['boutique.yaml'], ['helm.yaml', 'nodes.json'], ['pods.json', 'nodes.json']]) {
    const result = imported(files.map(dump));
    t.is(result.used + result.leftOut.length, result.objects, files.join());
    t.true(result.leftOut.every(({ reason }) => reason !== ''));
    t.false(result.text.includes('c2VjcmV0'));
  }
  const reasons = imported([dump('boutique.yaml')]).leftOut.map(({ kind, name }) => `${kind} ${name}`);
  t.deepEqual([...reasons].sort(), [
    'ConfigMap kube-root-ca.crt',
    'CronJob nightly',
    'Deployment istiod',
    'Deployment loadgenerator',
    'DestinationRule default',
    'DestinationRule productcatalog-late',
    'HorizontalPodAutoscaler payment',
    'Node ip-10-0-9-1.ec2.internal',
    'Node ip-10-0-9-2.ec2.internal',
    'Secret card-key',
    'Service frontend-external',
    'Service mail',
  ]);
});

test('rules of placement are those of the pod template, with the labels that they name and no others', (t) => {
  const objects = `apiVersion: v1
kind: Node
metadata:
  name: big
  labels: {pool: data, team: x, topology.kubernetes.io/region: r, topology.kubernetes.io/zone: a, kubernetes.io/os: linux}
spec: {taints: [{key: dedicated, value: data, effect: NoSchedule}]}
status: {allocatable: {cpu: "4", memory: 16Gi, pods: "30"}}
---
apiVersion: v1
kind: Node
metadata: {name: plain, labels: {pool: web, team: y, topology.kubernetes.io/region: r, topology.kubernetes.io/zone: a}}
status: {allocatable: {cpu: "4", memory: 16Gi, pods: "110"}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
preemptionPolicy: Never
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  template:
    metadata: {labels: {app: db, tier: data, chart: db-1}}
    spec:
      priorityClassName: urgent
      nodeSelector: {pool: data, kubernetes.io/os: linux}
      tolerations:
        - {key: dedicated, operator: Exists}
        - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}
      schedulingGates: [{name: example.com/quota}]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - labelSelector: {matchLabels: {tier: data}}
              topologyKey: kubernetes.io/hostname
              namespaces: [other]
      containers: [{name: c, resources: {requests: {cpu: 100m, memory: 64Mi}}}]
`;
  const result = imported([inline(objects)]);
  t.deepEqual(result.refused, []);
  const { spec } = parse(result.text) as { spec: { services: unknown[]; cluster: { nodePools: unknown[] } } };
  t.like(spec.services[0], {
    labels: { app: 'db', tier: 'data' },
    nodeSelector: { pool: 'data', 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { tier: 'data' } }, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
    priority: 1000,
    schedulingGates: [{ name: 'example.com/quota', liftedAfter: 'REQUIRED' }],
  });
  t.like(spec.cluster.nodePools[0], {
    labels: { pool: 'data' },
    taints: [{ key: 'dedicated', value: 'data', effect: 'NoSchedule' }],
    maxPods: 30,
  });
  t.like(spec.cluster.nodePools[1], { labels: { pool: 'web' }, maxPods: 110 });
  t.deepEqual(
    result.partly.map(({ kind, reason }) => `${kind}: ${reason}`),
    [
      'PriorityClass: its preemptionPolicy is not simulated: its pods preempt',
      'Deployment: without a Service: taken to be called by its own name',
      'Deployment: namespaces of an affinity between pods is not simulated',
    ],
  );
});

test('the output of helm template: no namespace, no nodes, init containers and sidecars', (t) => {
  const result = imported([dump('helm.yaml')]);
  const scenario = filled(result);
  // The sidecar runs along, 250m + 50m; the first init container needs 1 core, and that is more. 128M + 32Mi.
  t.deepEqual(service(scenario, 'web').requests, { cpuMillicores: 1000, memoryBytes: 128e6 + 32 * 2 ** 20 });
  t.is(service(scenario, 'web').limits.cpuMillicores, null);
  t.is(scenario.loads[0]!.name, 'web');
  // Zones, nodes, type, prices, the mesh, and for the one service its workers, time and calls, and the rate.
  t.is(result.required, 9);
  t.deepEqual(
    result.leftOut.map(({ name }) => name),
    ['release-name-test-connection'],
  );
});

test('pods alone are grouped by the Deployment that their names tell, without the proxy of the mesh', (t) => {
  const result = imported([dump('pods.json'), dump('nodes.json')]);
  const scenario = filled(result);
  // Two pods of one ReplicaSet and one of another; the failed one is none.
  t.is(service(scenario, 'cart').replicas, 3);
  t.is(service(scenario, 'cart').requests.cpuMillicores, 200);
  t.is(scenario.mesh.proxy?.requests.cpuMillicores, 10);
  t.deepEqual(scenario.compat, { istioMinor: 22, envoyMinor: 30, kubernetesMinor: 37 });
  t.deepEqual(
    scenario.cluster.zones.map(({ name }) => name),
    ['none/none'],
  );
});

test('what is still REQUIRED is refused one by one, with field and line', (t) => {
  const { text, required } = imported([dump('boutique.yaml')]);
  const loaded = parseScenario(text, 'shop.yaml');
  const problems = 'problems' in loaded ? loaded.problems : [];
  t.is(problems.length, required);
  t.true(problems.every(({ code }) => code === 'WT0209'));
  const lines = text.split('\n');
  for (const { line, path, message } of problems) {
    t.regex(lines[line - 1]!, /REQUIRED/);
    t.regex(path, /^spec\./);
    t.is(message, 'still to be filled in');
  }
  t.true(problems.some(({ path }) => path === 'spec.services[0].workers'));
  t.true(problems.some(({ path, expected }) => path === 'spec.load[0].rate' && expected!.includes('a rate')));
});

test('a second import of the same objects writes the same bytes, in any order of files', (t) => {
  const [one, two] = [dump('pods.json'), dump('nodes.json')];
  t.is(imported([one, two]).text, imported([one, two]).text);
  t.deepEqual(filled(imported([two, one])).services, filled(imported([one, two])).services);
});

test('every mistake in all files is told at once, with file, document and line', (t) => {
  const bad = `apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replicas: three
  template:
    spec:
      containers:
        - name: x
          resources: {requests: {cpu: 100x}}
---
kind: Service
metadata: {name: b}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: r}
spec:
  host: web
  trafficPolicy: {outlierDetection: {intervall: 10s}}
`;
  const found = problemsOf(inline(bad, 'bad.yaml'), inline('a: [1\n', 'worse.yaml'), dump('helm.yaml'));
  const told = found.map(({ file, line, path, code }) => `${file}:${line} ${path} ${code}`);
  t.deepEqual([...told].sort(), [
    'bad.yaml:10 document 1, Deployment a, spec.template.spec.containers[0].resources.requests.cpu WT0203',
    'bad.yaml:12 document 2, Service b WT0601',
    'bad.yaml:20 document 3, DestinationRule r, spec.trafficPolicy.outlierDetection.intervall WT0201',
    'bad.yaml:5 document 1, Deployment a, spec.replicas WT0203',
    'worse.yaml:2  WT0102',
  ]);
});

test('an unfilled Helm template, a text and a list of numbers are no objects', (t) => {
  t.regex(problemsOf(inline('metadata: {{ .Values.x }}\na: {{- b }}\n'))[0]!.hint ?? '', /helm template/);
  t.is(problemsOf(inline('just words\n'))[0]!.code, 'WT0601');
  t.is(problemsOf(inline('[1, 2]\n')).length, 2);
  t.is(problemsOf(inline('PK\0\0'))[0]!.code, 'WT0101');
  t.is(problemsOf(inline('# nothing\n'))[0]!.code, 'WT0604');
});

test('the same object twice is read once, and with another content refused', (t) => {
  const helm = dump('helm.yaml');
  const again = imported([helm, inline(helm.text, 'again.yaml')]);
  t.is(again.services, 1);
  t.is(again.leftOut.filter(({ reason }) => reason === 'stands twice, the same').length, 4);
  const other = problemsOf(helm, inline(helm.text.replace('128M', '256M'), 'b.yaml'));
  t.deepEqual(
    other.map(({ code, file }) => [code, file]),
    [['WT0602', 'b.yaml']],
  );
});

test('Services of one name in two namespaces ask for a choice', (t) => {
  const two = dump('pods.json').text;
  const files = [inline(two, 'a.json'), inline(two.replaceAll('"shop"', '"test"'), 'b.json')];
  t.deepEqual(
    problemsOf(...files).map(({ code }) => code),
    ['WT0603'],
  );
  const one = imported(files, ['test']);
  t.is(one.services, 1);
  t.is(one.leftOut.filter(({ reason }) => reason === 'of another namespace').length, 5);
});

test('real Deployments of a social network, recorded in a cluster, become services', (t) => {
  const path = '../shared/data/simkube/large_trace.json.gz';
  if (!existsSync(path)) {
    t.log(`skipped: ${path} is not there`);
    t.pass();
    return;
  }
  const trace = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    events: { applied_objs: { metadata: { name: string } }[] }[];
  };
  const last = new Map(trace.events.flatMap(({ applied_objs: all }) => all).map((one) => [one.metadata.name, one]));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...last.values()] });
  const result = imported([inline(list, 'trace.json')]);
  // The trace holds 27 Deployments and no Services.
  t.is(last.size, 27);
  t.is(result.services, 27);
  t.is(filled(result).services.length, 27);
});

test('what the owners of a workload tell the engine stays with it', (t) => {
  const text = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: user-timeline-service
  annotations: {wavetank.io/max-replicas: "40", wavetank.io/mode: "off", helm.sh/chart: shop-1}
spec: {template: {metadata: {labels: {app: user-timeline-service}}, spec: {containers: [{name: c}]}}}
`;
  const { services } = filled(imported([inline(text)]));
  const { annotations } = services.find(({ name }) => name === 'user-timeline-service')!;
  t.deepEqual(annotations, { 'wavetank.io/max-replicas': '40', 'wavetank.io/mode': 'off' });
});

test('how a workload replaces its pods and how they end', (t) => {
  const workload = (kind: string, name: string, spec: string, container = '{name: c}', pod = ''): string =>
    `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: {${spec} template: {metadata: {labels: {app: ${name}}}, spec: {${pod} containers: [${container}]}}}\n`;
  const exec = (...command: string[]): string =>
    `{name: c, lifecycle: {preStop: {exec: {command: ${JSON.stringify(command)}}}}}`;
  const text = [
    workload(
      'Deployment',
      'user-timeline-service',
      'strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}},',
    ),
    workload(
      'Deployment',
      'careful',
      'minReadySeconds: 15, strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}},',
    ),
    workload(
      'Deployment',
      'once',
      'strategy: {type: Recreate},',
      '{name: c, lifecycle: {preStop: {sleep: {seconds: 5}}}}',
    ),
    workload('StatefulSet', 'store', 'podManagementPolicy: Parallel, updateStrategy: {rollingUpdate: {partition: 2}},'),
    workload(
      'StatefulSet',
      'log',
      'updateStrategy: {type: OnDelete}, volumeClaimTemplates: [{metadata: {name: data}}],',
    ),
    workload('Deployment', 'shell', '', exec('/bin/sh', '-c', 'sleep 10')),
    workload('Deployment', 'bare', '', exec('sleep', '90'), 'terminationGracePeriodSeconds: 60,'),
    workload('Deployment', 'nginx', '', exec('sh', '-c', 'sleep 4 && nginx -s quit')),
    workload('Deployment', 'curl', '', exec('curl', 'localhost/stop')),
  ].join('---\n');
  const result = imported([inline(text)]);
  const { services } = filled(result);
  const of = (name: string) => services.find((one) => one.name === name)!;
  const rolling = { type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' };
  t.deepEqual(of('user-timeline-service').controller, { kind: 'Deployment', minReadyUs: 0, strategy: rolling });
  t.deepEqual(of('careful').controller, {
    ...{ kind: 'Deployment', minReadyUs: 15e6, strategy: { ...rolling, maxSurge: 1, maxUnavailable: 0 } },
  });
  t.deepEqual(of('once').controller, { kind: 'Deployment', minReadyUs: 0, strategy: { type: 'Recreate' } });
  const set = { kind: 'StatefulSet', minReadyUs: 0, podManagement: 'OrderedReady' };
  t.deepEqual(of('store').controller, { ...set, podManagement: 'Parallel', update: { partition: 2 } });
  t.deepEqual(of('log').controller, { ...set, update: 'OnDelete' });
  // The kubelet gives a hook no longer than the grace.
  t.deepEqual(
    services.map(({ name, preStopUs }) => `${name} ${preStopUs / 1e6}`),
    ['user-timeline-service 0', 'careful 0', 'once 5', 'store 0', 'log 0', 'shell 10', 'bare 60', 'nginx 4', 'curl 0'],
  );
  const notes = result.partly.flatMap(({ name, reason }) => (/Service/.test(reason) ? [] : [`${name}: ${reason}`]));
  t.deepEqual(notes, [
    'log: volumeClaimTemplates is not simulated',
    'nginx: a preStop hook that does more than sleep is not simulated',
    'curl: a preStop hook that does more than sleep is not simulated',
  ]);
  // What is a default of Kubernetes is not written.
  t.notRegex(result.text, /maxSurge: 25%/);
});

test('a limit that Kubernetes would not take is told with its place', (t) => {
  const spec = 'strategy: {rollingUpdate: {maxSurge: many}}, template: {spec: {containers: [{name: c}]}}';
  const [problem] = problemsOf(inline(`apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {${spec}}\n`));
  t.is(problem!.path, 'Deployment a, spec.strategy.rollingUpdate.maxSurge');
});

const WORKLOAD = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
---
{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {type: LoadBalancer, selector: {app: shop}, ports: [{port: 80}]}}
`;
const istio = (kind: string, name: string, spec: string): string =>
  `---\n{apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: {name: ${name}}, spec: ${spec}}\n`;

test('ServiceEntries become externals, and rules of their hosts stay', (t) => {
  const result = imported([
    inline(
      WORKLOAD +
        istio(
          'ServiceEntry',
          'pay',
          '{hosts: [api.pay.example], resolution: DNS, ports: [{number: 80, name: a, protocol: HTTP}]}',
        ) +
        istio(
          'ServiceEntry',
          'db',
          '{hosts: [db.example], resolution: DNS, ports: [{number: 5432, name: pg, protocol: TCP}]}',
        ) +
        istio('ServiceEntry', 'any', '{hosts: ["*.example"], resolution: NONE}') +
        istio('DestinationRule', 'pay', '{host: api.pay.example, trafficPolicy: {outlierDetection: {interval: 5s}}}') +
        istio('DestinationRule', 'other', '{host: other.example, trafficPolicy: {outlierDetection: {interval: 5s}}}'),
    ),
  ]);
  t.deepEqual(result.refused, []);
  const scenario = filled(result);
  t.deepEqual(
    scenario.services.map(({ name, external }) => [name, external?.host, external?.protocol]),
    [
      ['shop', undefined, undefined],
      ['api-pay-example', 'api.pay.example', 'http'],
      ['db-example', 'db.example', 'tcp'],
    ],
  );
  t.deepEqual(
    scenario.mesh.destinationRules.map(({ service: index }) => index),
    [1],
  );
  // What nobody but the user knows: how far away, and for how long at work.
  for (const wanted of ['roundTrip: REQUIRED', 'wait: REQUIRED']) t.is(result.text.split(wanted).length - 1, 2, wanted);
  t.deepEqual(
    result.leftOut.map(({ name, reason }) => [name, reason]),
    [
      ['any', 'a wildcard stands for no one service'],
      ['other', 'its hosts are none of the services'],
    ],
  );
});

test('nodes of another subzone are another pool, and rules may name it', (t) => {
  const node = (name: string, subzone: string): string =>
    `---\n{apiVersion: v1, kind: Node, metadata: {name: ${name}, labels: {pool: p, topology.kubernetes.io/region: r, topology.kubernetes.io/zone: a${subzone}}}, status: {allocatable: {cpu: "4", memory: 8Gi}}}\n`;
  const nodes =
    node('one', ', topology.istio.io/subzone: s1') + node('two', ', topology.istio.io/subzone: s2') + node('three', '');
  const to = (locality: string): string =>
    `{host: shop, trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: '*', to: {${locality}: 100}}]}}}}`;
  const workload = WORKLOAD.replace(
    'labels: {app: shop}}\n    spec',
    'labels: {app: shop, istio-locality: r.a.s2}}\n    spec',
  );
  const one = imported([inline(workload + nodes + istio('DestinationRule', 'shop', to('r/a/s1')))]);
  const scenario = filled(one);
  t.deepEqual(
    scenario.cluster.nodes.map(({ labels }) => labels['topology.istio.io/subzone']),
    ['s1', 's2', undefined],
  );
  t.is(service(scenario, 'shop').labels['istio-locality'], 'r.a.s2');
  t.deepEqual(
    scenario.notices.filter(({ code }) => code === 'WT0504'),
    [],
  );
});

test('endpoints of a ServiceEntry say in which zones they stand', (t) => {
  const node = (zone: string): string =>
    `---\n{apiVersion: v1, kind: Node, metadata: {name: n-${zone}, labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: ${zone}}}, status: {allocatable: {cpu: "4", memory: 8Gi}}}\n`;
  const endpoints = '[{address: 10.0.0.1, locality: r/b}, {address: 10.0.0.2, locality: r/b/x}]';
  const ports = '[{number: 5432, name: pg, protocol: TCP}]';
  const entry = istio(
    'ServiceEntry',
    'db',
    `{hosts: [db.example], resolution: STATIC, ports: ${ports}, endpoints: ${endpoints}}`,
  );
  const scenario = filled(imported([inline(WORKLOAD + node('a') + node('b') + entry)]));
  t.deepEqual(service(scenario, 'db-example').external!.perZone, [0, 2]);
});
