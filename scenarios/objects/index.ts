/**
 * From the objects of a cluster to a scenario file: text in, text and findings out, or every problem at once. Nothing is
 * guessed: what Kubernetes and Istio do not know is left as REQUIRED, what a scenario cannot say is listed with a reason.
 * The text is read back before it is handed out: whatever the loader would refuse besides REQUIRED is told now.
 */
import { parseScenario } from '../load.js';
import type { Problem } from '../problems.js';
import { statedLocality } from '../../engine/locality-match.js';
import { asRecord } from '../raw.js';
import { readAutoscalers } from './autoscalers.js';
import { readExternals } from './externals.js';
import { fieldsOf } from './fields.js';
import { readKarpenter } from './karpenter.js';
import { openLedger, type Finding } from './ledger.js';
import { findEntries, gatewayWorkloads, readMesh } from './mesh.js';
import { readNodes, tolerationsOf } from './nodes.js';
import { labelsNamed, readPriorityClasses } from './pod-rules.js';
import { podResources } from './pod-template.js';
import { readObjects, type InputFile, type KubeObject } from './read.js';
import { joinServices, leaveOutWorkload, type ImportedService } from './services.js';
import { readAmbient, waypointWorkloads } from './waypoints.js';
import { readWorkloads, type Workload } from './workloads.js';
import { writeScenario, type ScenarioParts } from './write.js';

export type { Finding } from './ledger.js';
export type { InputFile } from './read.js';

export interface Imported {
  readonly text: string;
  readonly objects: number;
  readonly used: number;
  readonly services: number;
  readonly nodes: number;
  readonly partly: readonly Finding[];
  readonly leftOut: readonly Finding[];
  /** Places that stand as REQUIRED. */
  readonly required: number;
  /** What the loader will refuse once these are filled in, with lines of `text`. */
  readonly refused: readonly Problem[];
}

export interface ImportWishes {
  /** Of the scenario; null: the namespace, where there is one. */
  readonly name: string | null;
  /** Only these; empty: all but those of the cluster itself. */
  readonly namespaces: readonly string[];
}

/** Their workloads keep the cluster and the mesh running, and serve nobody's users. */
const SYSTEM = /^(kube-system|kube-public|kube-node-lease|istio-system|istio-ingress|istio-egress|istio-operator)$/;
/** Read wherever they are: they belong to the whole cluster or mesh. */
const CLUSTER_WIDE = [
  'Node',
  'NodePool',
  'DaemonSet',
  'PriorityClass',
  'ConfigMap',
  'DestinationRule',
  'VirtualService',
  'ServiceEntry',
  'Gateway',
];

export function importObjects(
  files: readonly InputFile[],
  wishes: ImportWishes,
): Imported | { readonly problems: readonly Problem[] } {
  const { objects: all, repeated, problems: unreadable } = readObjects(files);
  const problems = [...unreadable];
  const ledger = openLedger();
  for (const object of repeated) ledger.leaveOut(object, 'stands twice, the same');
  const objects = all.filter((object) => {
    const reason = reasonAgainst(object, wishes.namespaces);
    if (reason !== null) ledger.leaveOut(object, reason);
    return reason === null;
  });

  // Gateways run where the mesh does, so they are looked for everywhere.
  const gateways = gatewayWorkloads(all, readWorkloads(all, openLedger(), []), []);
  const isGateway = ({ object }: Workload): boolean => gateways.some((one) => one.object === object);
  const found = readWorkloads(objects, ledger, problems);
  for (const one of found) if (isGateway(one)) leaveOutWorkload(one, 'an ingress gateway', ledger);
  for (const { object } of gateways) {
    ledger.use(object);
    ledger.note(object, 'as the number of gateways, no more');
  }
  if (gateways.length > 0) for (const object of objects) if (object.kind === 'Gateway') ledger.use(object);
  const ofWaypoints = waypointWorkloads(objects, found);
  const isOfWaypoint = (one: Workload): boolean => [...ofWaypoints.values()].includes(one);
  for (const one of found) if (isOfWaypoint(one)) leaveOutWorkload(one, 'of a waypoint that is not used', ledger);
  const workloads = found.filter((one) => !isGateway(one) && !isOfWaypoint(one));
  const tolerations = tolerationsOf(workloads.map(({ object, podSpec }) => fieldsOf(object, []).value(podSpec)));
  const priorities = readPriorityClasses(objects, ledger, problems);
  const services = joinServices(objects, workloads, priorities, ledger, problems);
  const named = labelsNamed(services.map(({ rules }) => rules));
  const nodes = readNodes(objects, tolerations, named.ofNodes, ledger, problems);
  const karpenter = readKarpenter(objects, nodes.pools, ledger, problems);
  const ambient = readAmbient(
    [...objects, ...all.filter(({ kind }) => kind === 'Namespace')],
    services,
    ofWaypoints,
    ledger,
    problems,
  );
  const scalable = [
    ...services,
    ...ambient.waypoints.flatMap(({ name, workload }) => (workload === null ? [] : [{ name, workload }])),
  ];
  const autoscalers = readAutoscalers(objects, scalable, ledger, problems);
  const externals = readExternals(objects, services, nodes.zones, ledger, problems);
  const stated = services.flatMap(({ workload }) => statedLocality(workload.podLabels) ?? []);
  const places = { zones: nodes.zones, localities: [...nodes.localities, ...stated] };
  const mesh = readMesh(objects, services, externals, places, ledger, problems);
  if (services.length === 0 && problems.length === 0) problems.push(nothingToRun(all, files));
  // Fields are read by more than one part: a mistake in one is told once.
  if (problems.length > 0) return { problems: distinct(problems) };

  const text = writeScenario({
    name: wishes.name ?? nameOf(services),
    files: files.map(({ name }) => name),
    ...{ nodes, karpenter, services, externals, autoscalers, mesh, ambient },
    podLabels: named.ofPods,
    entries: findEntries(objects, services, ledger),
    gateways: gatewaysOf(gateways),
    ...meshFacts(all, services),
  });
  const loaded = parseScenario(text, '');
  const refused = 'problems' in loaded ? loaded.problems : [];
  const { used, partly, leftOut } = ledger.close([...all, ...repeated]);
  return {
    ...{ text, used, partly, leftOut },
    objects: all.length + repeated.length,
    services: services.length,
    nodes: nodes.pools.reduce((sum, pool) => sum + pool.nodes.length, 0),
    required: refused.filter(({ code }) => code === 'WT0209').length,
    refused: refused.filter(({ code }) => code !== 'WT0209'),
  };
}

function reasonAgainst({ kind, namespace, value }: KubeObject, namespaces: readonly string[]): string | null {
  if (asRecord(asRecord(value['metadata'])['annotations'])['helm.sh/hook'] !== undefined)
    return 'a hook of Helm: it does not stay';
  if (CLUSTER_WIDE.includes(kind)) return null;
  if (namespaces.length > 0) return namespaces.includes(namespace) ? null : 'of another namespace';
  return SYSTEM.test(namespace) ? 'of a namespace of the cluster itself' : null;
}

function gatewaysOf(gateways: readonly Workload[]): ScenarioParts['gateways'] {
  const [first] = gateways;
  if (first === undefined) return null;
  return { replicas: gateways.reduce((sum, { replicas }) => sum + replicas, 0), where: first.object.where };
}

/** The release of Istio by the tag of its images, and whether sidecars are there. */
function meshFacts(
  objects: readonly KubeObject[],
  services: readonly ImportedService[],
): Pick<ScenarioParts, 'istio' | 'proxy' | 'hasMesh'> {
  const pods = services.flatMap(({ workload }) =>
    [
      { object: workload.object, at: workload.podSpec },
      ...workload.pods.map((object) => ({ object, at: ['spec'] })),
    ].map(({ object, at }) => ({ object, resources: podResources(object, at, []) })),
  );
  const injected = pods.find(({ resources }) => resources.proxy !== null);
  const pilots = objects
    .filter(({ kind }) => kind === 'Deployment')
    .flatMap((object) =>
      fieldsOf(object, [])
        .list(['spec', 'template', 'spec', 'containers'])
        .map(({ image }) => ({ object, image: String(image) })),
    )
    .filter(({ image }) => /\/(pilot|proxyv2):/.test(image));
  const images = [
    ...pilots,
    ...(injected === undefined ? [] : [{ object: injected.object, image: injected.resources.proxyImage ?? '' }]),
  ];
  const [release] = images.flatMap(({ object, image }) => {
    const minor = /:v?1\.(\d{1,3})(\D|$)/.exec(image)?.[1];
    return minor === undefined ? [] : [{ minor: Number(minor), where: object.where }];
  });
  const isIstios = ({ kind, value }: KubeObject): boolean =>
    /^([a-z]+\.)?istio\.io\//.test(String(value['apiVersion'])) ||
    (kind === 'ConfigMap' && typeof asRecord(value['data'])['mesh'] === 'string');
  return {
    hasMesh: images.length > 0 || objects.some(isIstios),
    istio: release ?? null,
    proxy: injected === undefined ? null : { ...injected.resources.proxy!, where: injected.object.where },
  };
}

function nameOf(services: readonly ImportedService[]): string {
  const namespaces = new Set(services.map(({ workload }) => workload.namespace));
  const [only] = namespaces;
  return namespaces.size === 1 && only !== 'default' ? only! : 'imported';
}

function nothingToRun(objects: readonly KubeObject[], files: readonly InputFile[]): Problem {
  const kinds = new Map<string, number>();
  for (const { kind } of objects) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const seen = [...kinds].map(([kind, number]) => `${number} ${kind}`).join(', ');
  return {
    ...{ code: 'WT0604', file: files[0]?.name ?? '', line: 1, column: 1, path: '' },
    message: `nothing that could serve requests in ${seen === '' ? 'no object at all' : seen}`,
    ...{ value: null, excerpt: null },
    expected: 'a Deployment, StatefulSet, ReplicaSet or Pod, and the Service that selects its pods',
    hint: 'namespaces of the cluster itself are only read with --namespace',
  };
}

function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = JSON.stringify([problem.file, problem.line, problem.column, problem.code, problem.path]);
    return !seen.has(key) && seen.add(key);
  });
}
