/**
 * The scenario file as text, with a comment wherever a value needs one: from which object it is, or, where it stands as
 * REQUIRED, what is asked for. Written line by line, as no YAML writer puts comments where a reader looks for them.
 */
import { stringify } from 'yaml';
import { PRICE_BOOKS } from '../prices.js';
import { LOCALITY_LABELS } from '../../engine/locality-match.js';
import { own } from '../raw.js';
import { REQUIRED } from '../required.js';
import { API_VERSION } from '../schema.js';
import type { ImportedAutoscaler } from './autoscalers.js';
import type { ImportedExternal } from './externals.js';
import { formatCpu, formatMemory } from './fields.js';
import type { KarpenterFound } from './karpenter.js';
import { ENDPOINT, type Entry, type ImportedMesh } from './mesh.js';
import type { NodePool, NodesFound } from './nodes.js';
import type { Raw } from './read.js';
import type { ImportedService } from './services.js';
import type { AmbientFound, ImportedWaypoint } from './waypoints.js';

export interface ScenarioParts {
  readonly name: string;
  readonly files: readonly string[];
  readonly nodes: NodesFound;
  /** Null: none of its NodePools is there. */
  readonly karpenter: KarpenterFound | null;
  readonly services: readonly ImportedService[];
  readonly externals: readonly ImportedExternal[];
  /** Labels of pods that some rule names. */
  readonly podLabels: ReadonlySet<string>;
  readonly autoscalers: readonly ImportedAutoscaler[];
  readonly mesh: ImportedMesh;
  readonly ambient: AmbientFound;
  readonly entries: readonly Entry[];
  /** Whether anything in the dump is Istio's. */
  readonly hasMesh: boolean;
  /** Proxies of the ingress gateway; null: none in the dump. */
  readonly gateways: { readonly replicas: number; readonly where: string } | null;
  readonly istio: { readonly minor: number; readonly where: string } | null;
  readonly proxy: { readonly cpu: number | null; readonly memory: number | null; readonly where: string } | null;
}

/** Fits an editor beside another one. */
const COLUMNS = 110;

/** Istio 1.N is built on Envoy 1.(N + 8): 1.12 on 1.20, 1.24 on 1.32, 1.31 on 1.39. */
const ENVOY_AHEAD = 8;

export function writeScenario(parts: ScenarioParts): string {
  return [
    ...remark(0, `Made by "wavetank init" from ${list(parts.files)}.`),
    ...remark(
      0,
      'What the objects of a cluster do not say stands as REQUIRED: service times, calls, load, some prices. "wavetank ' +
        'check FILE" names every such place until it is filled in. A value without a comment is from the object named ' +
        'above it; what is not written at all has the default of "wavetank config view".',
    ),
    `apiVersion: ${API_VERSION}`,
    'kind: Scenario',
    'metadata:',
    `  name: ${scalar(parts.name)}`,
    `  why: ${scalar(`The cluster of ${list(parts.files)}. Say here what is to be found out.`)}`,
    'spec:',
    ...compatLines(parts),
    ...clusterLines(parts.nodes, parts.karpenter),
    ...karpenterLines(parts.karpenter),
    ...gatewayLines(parts),
    '',
    '  services:',
    ...parts.services.flatMap((one) => serviceLines(one, parts.podLabels)),
    ...externalLines(parts.externals),
    ...meshLines(parts),
    ...loadLines(parts.entries),
    ...policyLines(parts.autoscalers),
    '',
  ].join('\n');
}

function compatLines({ nodes: { kubelet }, istio }: ScenarioParts): string[] {
  const minor = /^v?1\.(\d+)/.exec(kubelet?.version ?? '')?.[1];
  const lines = [
    ...(minor === undefined ? [] : [beside(`    kubernetes: "1.${minor}"`, `kubelet of ${kubelet!.where}`)]),
    ...(istio === null
      ? []
      : [
          beside(`    istio: "1.${istio.minor}"`, `image of ${istio.where}`),
          beside(`    envoy: "1.${istio.minor + ENVOY_AHEAD}"`, `the one in Istio 1.${istio.minor}`),
        ]),
  ];
  return lines.length === 0 ? [] : ['  compat:', ...lines];
}

function clusterLines({ zones, pools, placeless }: NodesFound, karpenter: KarpenterFound | null): string[] {
  if (pools.length === 0)
    return [
      ...remark(2, 'The input holds no nodes.'),
      '  cluster:',
      beside(`    zones: [${REQUIRED}]`, 'such as [eu-1/a, eu-1/b, eu-1/c]'),
      '    nodePools:',
      '      - name: general',
      beside(`        nodesPerZone: ${REQUIRED}`, 'such as 2'),
      beside(`        instanceType: ${REQUIRED}`, 'such as m6i.xlarge; or allocatable and pricePerHour instead'),
      beside(`        prices: ${REQUIRED}`, `one of ${Object.keys(PRICE_BOOKS).join(', ')}`),
    ];
  const regions = new Set(zones.map((zone) => zone.split('/')[0]));
  const isPriced = pools.some(({ priceBook }) => priceBook !== null);
  return [
    '  cluster:',
    ...(placeless > 0
      ? remark(4, `${count(placeless, 'node')} without topology.kubernetes.io/region or /zone: "none" stands for it.`)
      : []),
    beside(`    zones: ${flow(zones)}`, 'labels of the nodes'),
    '    nodePools:',
    ...pools.flatMap((pool) => {
      const taints = karpenter?.pools.get(pool.name)?.taints ?? pool.taints;
      return [...poolLines({ ...pool, taints }), ...growthLines(pool.name, karpenter)];
    }),
    ...(isPriced || zones.length === 1
      ? []
      : [
          '    transfer:',
          beside(`      crossZonePerGB: ${REQUIRED}`, 'US dollars per GB between zones, both ends together'),
          ...(regions.size > 1 ? [beside(`      crossRegionPerGB: ${REQUIRED}`, 'the same between regions')] : []),
        ]),
  ];
}

/** What Karpenter may buy for the pool. */
function growthLines(pool: string, karpenter: KarpenterFound | null): string[] {
  const own = karpenter?.pools.get(pool);
  if (own === undefined) return [];
  const { cpu, memory, nodes } = own.limits;
  const limits = {
    ...(cpu === undefined ? {} : { cpu: formatCpu(cpu) }),
    ...(memory === undefined ? {} : { memory: formatMemory(memory) }),
    ...(nodes === undefined ? {} : { nodes }),
  };
  return [
    beside(`        limits: ${flow(limits)}`, `NodePool ${pool}`),
    ...(own.instanceTypes === null ? [] : [`        instanceTypes: ${flow(own.instanceTypes)}`]),
    ...(own.weight === null ? [] : [`        weight: ${own.weight}`]),
  ];
}

function karpenterLines(karpenter: KarpenterFound | null): string[] {
  if (karpenter === null) return [];
  return [
    '  nodeAutoscaler:',
    beside(`    karpenter: ${flow(karpenter.settings)}`, `disruption of ${karpenter.where}`),
  ];
}

function poolLines(pool: NodePool): string[] {
  const { instanceType, priceBook, daemons } = pool;
  const less = (amount: number, shown: string): string => (amount > 0 ? ` less ${shown} of the DaemonSets` : '');
  const cpu = pool.cpuCores === null ? null : pool.cpuCores - pool.daemonCpuCores;
  const memory = pool.memoryBytes === null ? null : pool.memoryBytes - pool.daemonMemoryBytes;
  const known =
    instanceType === null
      ? []
      : Object.entries(PRICE_BOOKS).flatMap(([name, book]) => {
          const usd = own(book.instances, instanceType)?.usdPerHour[pool.capacity];
          return usd === undefined ? [] : [`${usd} in ${name}`];
        });
  return [
    ...remark(6, `${list(pool.nodes.map(({ where }) => where))}${instanceType === null ? '' : `: ${instanceType}`}`),
    ...(daemons.length > 0 ? remark(6, `DaemonSets on each node: ${list(daemons.map(({ where }) => where))}`) : []),
    `      - name: ${scalar(pool.name)}`,
    `        nodesPerZone: ${flow(Object.fromEntries(pool.nodesPerZone))}`,
    ...(pool.subzone === null ? [] : [`        subzone: ${scalar(pool.subzone)}`]),
    ...(Object.keys(pool.labels).length === 0 ? [] : [`        labels: ${flow(pool.labels)}`]),
    ...(pool.taints.length === 0 ? [] : [`        taints: ${flow(pool.taints)}`]),
    ...(pool.maxPods === null
      ? []
      : [
          beside(
            `        maxPods: ${pool.maxPods}`,
            `least of the nodes${daemons.length > 0 ? ` less ${daemons.length} of the DaemonSets` : ''}`,
          ),
        ]),
    ...(priceBook === null
      ? [
          beside(
            `        pricePerHour: ${REQUIRED}`,
            `US dollars per node and hour${pool.capacity === 'onDemand' ? '' : `, ${pool.capacity}`}${known.length === 0 ? '' : `: ${known.join(', ')}`}`,
          ),
        ]
      : [
          `        instanceType: ${scalar(instanceType!)}`,
          `        prices: ${priceBook}`,
          ...(pool.capacity === 'onDemand' ? [] : [`        capacity: ${pool.capacity}`]),
        ]),
    '        allocatable:',
    cpu === null || cpu <= 0
      ? beside(`          cpu: ${REQUIRED}`, 'room for pods on one node')
      : beside(
          `          cpu: ${formatCpu(cpu)}`,
          `least of the nodes${less(pool.daemonCpuCores, formatCpu(pool.daemonCpuCores))}`,
        ),
    memory === null || memory <= 0
      ? beside(`          memory: ${REQUIRED}`, 'room for pods on one node')
      : beside(
          `          memory: ${formatMemory(memory)}`,
          `least of the nodes${less(pool.daemonMemoryBytes, formatMemory(pool.daemonMemoryBytes))}`,
        ),
  ];
}

function gatewayLines({ gateways, nodes }: ScenarioParts): string[] {
  if (gateways === null || nodes.zones.length === 0) return [];
  const perZone = Math.max(1, Math.ceil(gateways.replicas / nodes.zones.length));
  const from = `${count(gateways.replicas, 'pod')} of ${gateways.where}`;
  return ['  gateways:', beside(`    perZone: ${perZone}`, from)];
}

function serviceLines(one: ImportedService, named: ReadonlySet<string>): string[] {
  const { workload, resources, timing, budget, service } = one;
  const { requests, limits } = resources;
  const labels = labelsOf(one, named);
  const limitPairs = [
    ...(limits.cpu === null ? [] : [`cpu: ${formatCpu(limits.cpu)}`]),
    ...(limits.memory === null ? [] : [`memory: ${formatMemory(limits.memory)}`]),
  ];
  const request = (what: string, shown: string | null): string =>
    shown === null
      ? beside(`          ${what}: ${REQUIRED}`, `no container asks for ${what === 'cpu' ? 'CPU' : what}`)
      : `          ${what}: ${shown}`;
  const { probe } = timing;
  return [
    ...remark(4, list([workload.object.where, ...(service === null ? [] : [service.where])])),
    `    - name: ${scalar(one.name)}`,
    ...(one.versionOf === null ? [] : [`      versionOf: ${scalar(one.versionOf)}`]),
    ...(labels === null ? [] : [`      labels: ${flow(labels)}`]),
    beside(`      replicas: ${one.replicas}`, workload.counted ?? ''),
    '      resources:',
    ...(resources.silent.length > 0 && requests.cpu !== null && requests.memory !== null
      ? remark(8, `Without a request of its own: ${list(resources.silent)}`)
      : []),
    '        requests:',
    request('cpu', requests.cpu === null ? null : formatCpu(requests.cpu)),
    request('memory', requests.memory === null ? null : formatMemory(requests.memory)),
    ...(limitPairs.length === 0 ? [] : [`        limits: {${limitPairs.join(', ')}}`]),
    '      startUp:',
    probe === null
      ? beside('        probe: {initialDelay: 0s, period: 1s}', 'no readiness probe: ready once it runs')
      : `        probe: {initialDelay: ${probe.initialDelaySeconds}s, period: ${probe.periodSeconds}s}`,
    ...(timing.graceSeconds === null ? [] : [`      terminationGrace: ${timing.graceSeconds}s`]),
    ...Object.entries(one.controller.fields).map(([key, value]) => `      ${key}: ${flow(value)}`),
    ...(Object.keys(one.rules.keys).length === 0 ? [] : block(one.rules.keys, 6)),
    ...(budget === null
      ? []
      : [
          beside(
            `      disruptionBudget: {${budget.key}: ${scalar(budget.value)}${budget.alwaysAllow ? ', unhealthyPodEviction: AlwaysAllow' : ''}}`,
            budget.object.where,
          ),
        ]),
    ...(one.trafficDistribution === null ? [] : [`      trafficDistribution: ${one.trafficDistribution}`]),
    ...(one.topologyModeAuto ? ['      topologyModeAuto: true'] : []),
    beside(`      workers: ${REQUIRED}`, 'requests that one pod works on at once: its threads, or its pool'),
    '      endpoints:',
    beside(`        - name: ${ENDPOINT}`, 'split it where requests differ in what they cost'),
    beside(`          cpu: ${REQUIRED}`, 'CPU time of one request: 2ms, or {lognormal: {mean: 2ms, cv: 1}}'),
    ...(one.mentions.length > 0 ? remark(10, `The settings of its containers name ${list(one.mentions, 20)}.`) : []),
    beside(
      `          steps: ${REQUIRED}`,
      `its calls: ${one.mentions.length > 0 ? `[{call: ${one.mentions[0]!}}], or ` : ''}[] for none`,
    ),
  ];
}

function externalLines(externals: readonly ImportedExternal[]): string[] {
  if (externals.length === 0) return [];
  return [
    '',
    '  externals:',
    ...externals.flatMap(({ name, host, object, protocol, zones }) => [
      ...remark(4, object.where),
      `    - name: ${scalar(name)}`,
      `      host: ${scalar(host)}`,
      ...(zones === null
        ? [
            '      outside:',
            beside(
              `        roundTrip: ${REQUIRED}`,
              'from every zone, such as 20ms; or zones: [region/zone] in the place of outside',
            ),
          ]
        : [beside(`      zones: ${flow(zones)}`, 'localities of its endpoints')]),
      protocol === null
        ? beside(`      protocol: ${REQUIRED}`, 'http, or tcp for connections that proxies do not look into')
        : beside(`      protocol: ${protocol}`, 'by its ports'),
      '      endpoints:',
      beside(`        - name: ${ENDPOINT}`, 'split it where requests differ'),
      beside(
        `          wait: ${REQUIRED}`,
        'time that it works on a request: 20ms, or {lognormal: {mean: 20ms, cv: 1}}',
      ),
    ]),
  ];
}

/** Labels by which routes tell pods apart or place them, and rules pick them; `app` goes without saying where it is the name. */
function labelsOf({ workload, name, versionOf }: ImportedService, named: ReadonlySet<string>): Raw | null {
  const { app, version } = workload.podLabels;
  const picked = Object.entries(workload.podLabels).filter(
    ([key]) => (named.has(key) || LOCALITY_LABELS.includes(key)) && key !== 'app' && key !== 'version',
  );
  const isPlain = app === undefined || app === (versionOf ?? name);
  if (isPlain && version === undefined && picked.length === 0) return null;
  return {
    ...(app === undefined ? {} : { app }),
    ...(version === undefined ? {} : { version }),
    ...Object.fromEntries(picked),
  };
}

function meshLines({ mesh: { objects, config }, proxy, hasMesh, ambient }: ScenarioParts): string[] {
  const localityLbSetting = config?.localityLbSetting ?? null;
  const connectTimeout = config?.connectTimeout ?? null;
  const lines = [
    ...(ambient.because !== null ? ambientLines(ambient, ambient.because) : []),
    ...(hasMesh || ambient.because !== null
      ? []
      : [beside(`    routing: ${REQUIRED}`, 'nothing in the input is of Istio: kubeProxy without it, istio with it')]),
    ...(localityLbSetting === null ? [] : [...remark(4, config!.object.where), ...block({ localityLbSetting }, 4)]),
    ...(connectTimeout === null ? [] : [beside(`    connectTimeout: ${connectTimeout}`, config!.object.where)]),
    ...(proxy === null || ambient.because !== null ? [] : proxyLines(proxy)),
    ...(objects.length === 0 ? [] : ['    objects:']),
    ...objects.flatMap(({ object: { kind, where, value }, name, spec }) => [
      ...remark(6, where),
      ...block([{ apiVersion: value['apiVersion'], kind, metadata: { name }, spec }], 6),
    ]),
  ];
  return lines.length === 0 ? [] : ['', '  mesh:', ...lines];
}

function ambientLines({ waypoints }: AmbientFound, because: string): string[] {
  return [
    beside('    routing: ambient', because),
    ...remark(4, 'Latency and CPU of the ztunnels are published figures, see "preset".'),
    '    proxy: {mode: ambient}',
    ...(waypoints.length === 0 ? [] : ['    waypoints:', ...waypoints.flatMap(waypointLines)]),
  ];
}

function waypointLines({ name, object, services, ingress, workload, resources }: ImportedWaypoint): string[] {
  const { requests, limits } = resources;
  const amounts = ({ cpu, memory }: typeof requests): Raw => ({
    ...(cpu === undefined ? {} : { cpu: formatCpu(cpu) }),
    ...(memory === undefined ? {} : { memory: formatMemory(memory) }),
  });
  const waypoint = {
    name,
    services,
    ...(ingress.length === 0 ? {} : { ingress }),
    ...(workload === null
      ? {}
      : { replicas: workload.replicas, resources: { requests: amounts(requests), limits: amounts(limits) } }),
  };
  return [
    ...remark(6, workload === null ? object.where : `${object.where}, ${workload.object.where}`),
    ...block([waypoint], 6),
  ];
}

function proxyLines({ cpu, memory, where }: NonNullable<ScenarioParts['proxy']>): string[] {
  const pairs = [
    ...(cpu === null ? [] : [`cpu: ${formatCpu(cpu)}`]),
    ...(memory === null ? [] : [`memory: ${formatMemory(memory)}`]),
  ];
  return [
    ...remark(
      4,
      `Istio's container runs in ${where}; latency and CPU per request are published figures, see "preset".`,
    ),
    '    proxy:',
    '      mode: sidecar',
    ...(pairs.length === 0 ? [] : [`      requests: {${pairs.join(', ')}}`]),
  ];
}

function loadLines(entries: readonly Entry[]): string[] {
  const from = '      # from: {region/zone: 60%, ...}  where users enter; without it the same in each zone';
  const rate = beside(
    `      rate: ${REQUIRED}`,
    'requests a second, such as 300/s, or {base, diurnal, bursts} or {points}',
  );
  if (entries.length === 0)
    return ['', '  load:', beside(`    - entry: ${REQUIRED}`, 'the service that users call'), rate, from];
  return [
    '',
    '  load:',
    ...entries.flatMap(({ service, because }) => [
      ...remark(4, because),
      `    - entry: ${scalar(service)}`,
      rate,
      from,
    ]),
  ];
}

function policyLines(autoscalers: readonly ImportedAutoscaler[]): string[] {
  const hpas = autoscalers.flatMap(({ service, object, min, max, targetCpuPercent, metrics, behavior }) => [
    ...remark(8, object.where),
    ...block(
      {
        [service]: {
          ...{ min, max },
          ...(targetCpuPercent === null ? {} : { targetCpu: `${targetCpuPercent}%` }),
          ...(metrics === null ? {} : { metrics }),
          ...(behavior === null ? {} : { behavior }),
        },
      },
      8,
    ),
  ]);
  return [
    '',
    '  policies:',
    '    today:',
    '      why: The cluster as it is.',
    ...(hpas.length === 0 ? [] : ['      hpa:', ...hpas]),
    '    today+wavetank:',
    '      why: The same; Wavetank chooses the places of new pods and the zone weights of the routes.',
    '      extends: today',
    '      engine: {scaler: {mode: placement}, balancer: {enabled: true, createRoutes: true}}',
  ];
}

function beside(line: string, comment: string): string {
  return comment === '' ? line : `${line}  # ${comment}`;
}

/** Lines of comment, as wide as the page. */
function remark(indent: number, text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${' '.repeat(indent)}# ${word}`);
  }
  return lines;
}

function list(words: readonly string[], most = 3): string {
  const shown = words.slice(0, most).map((word) => word.replace(/[^\x20-\x7e]/g, '?'));
  return words.length <= most ? shown.join(', ') : `${shown.join(', ')} and ${words.length - most} more`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function scalar(value: string | number): string {
  return stringify(value, { lineWidth: 0 }).trimEnd();
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

function block(value: unknown, indent: number): string[] {
  const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd();
  return text.split('\n').map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
}
