/**
 * Nodes become pools: nodes of one pool label and one instance type, counted by zone. Room for pods is the least
 * allocatable of them, less what DaemonSets take on every node, as a scenario has no pods of its own for those. Nodes that
 * would get no pod (cordoned, not ready, tainted against all workloads) are left out, as their room is not there.
 */
import { SUBZONE_LABEL } from '../../engine/locality-match.js';
import type { Problem } from '../problems.js';
import { capacityOfLabels, PRICE_BOOKS, type Capacity } from '../prices.js';
import { asList, asRecord, own } from '../raw.js';
import { fieldsOf, type Fields } from './fields.js';
import type { Ledger } from './ledger.js';
import { podResources } from './pod-template.js';
import type { KubeObject, Raw } from './read.js';

export interface NodePool {
  readonly name: string;
  readonly nodes: readonly KubeObject[];
  readonly nodesPerZone: ReadonlyMap<string, number>;
  /** Within each zone; null: none. */
  readonly subzone: string | null;
  /** Those that some rule names. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Raw[];
  /** Least of the nodes, less the DaemonSets; null where a node does not say. */
  readonly maxPods: number | null;
  readonly instanceType: string | null;
  readonly capacity: Capacity;
  /** Where the price of the type is known: null asks for it. */
  readonly priceBook: string | null;
  /** In cores and bytes; null where a node does not say. */
  readonly cpuCores: number | null;
  readonly memoryBytes: number | null;
  readonly daemons: readonly KubeObject[];
  readonly daemonCpuCores: number;
  readonly daemonMemoryBytes: number;
}

export interface NodesFound {
  /** Sorted. */
  readonly zones: readonly string[];
  /** The same, and the subzones that nodes are in. */
  readonly localities: readonly string[];
  readonly pools: readonly NodePool[];
  /** Nodes whose labels say no zone or no region. */
  readonly placeless: number;
  readonly kubelet: { readonly version: string; readonly where: string } | null;
}

/** Newest first: a node may carry several generations of the same label. */
const REGION_LABELS = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'];
const ZONE_LABELS = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'];
const TYPE_LABELS = ['node.kubernetes.io/instance-type', 'beta.kubernetes.io/instance-type'];
/** How the managed clusters and Karpenter name their pools. */
const POOL_LABELS = [
  'eks.amazonaws.com/nodegroup',
  'alpha.eksctl.io/nodegroup-name',
  'cloud.google.com/gke-nodepool',
  'kubernetes.azure.com/agentpool',
  'agentpool',
  'karpenter.sh/nodepool',
  'kops.k8s.io/instancegroup',
];
/** Stands for a part of a locality that no label says. */
const NO_PLACE = 'none';

export function readNodes(
  objects: readonly KubeObject[],
  tolerations: readonly Raw[],
  /** Labels that rules of the workloads ask for. */
  named: ReadonlySet<string>,
  ledger: Ledger,
  problems: Problem[],
): NodesFound {
  const nodes = objects
    .filter(({ kind }) => kind === 'Node')
    .map((object) => ({ object, fields: fieldsOf(object, problems) }))
    .filter(({ object, fields }) => {
      const reason = reasonAgainst(fields, tolerations);
      if (reason !== null) ledger.leaveOut(object, reason);
      else ledger.use(object);
      return reason === null;
    });
  const daemons = objects.filter(({ kind }) => kind === 'DaemonSet');
  const byPool = new Map<string, typeof nodes>();
  for (const node of nodes) {
    const labels = node.fields.labels(['metadata', 'labels']);
    const capacity = capacityOfLabels(labels) ?? 'onDemand';
    const told = [capacity, subzoneOf(labels), namedLabels(labels, named), taintsOf(node.fields)];
    const key = [firstOf(labels, POOL_LABELS) ?? '', firstOf(labels, TYPE_LABELS) ?? '', JSON.stringify(told)].join(
      '\n',
    );
    byPool.set(key, [...(byPool.get(key) ?? []), node]);
  }
  const names = new Set<string>();
  const pools = [...byPool].map(([key, members]): NodePool => {
    const [label = '', type = ''] = key.split('\n');
    const instanceType = type === '' ? null : type;
    return poolOf(
      uniqueName(label === '' ? type : label, 'pool', names),
      instanceType,
      members,
      daemons,
      named,
      ledger,
      problems,
    );
  });
  const labelsOf = nodes.map(({ fields }) => fields.labels(['metadata', 'labels']));
  const zonesOf = labelsOf.map(zoneOf);
  const [first] = nodes;
  const version = first?.fields.text(['status', 'nodeInfo', 'kubeletVersion']);
  return {
    zones: [...new Set(zonesOf)].sort(),
    localities: [
      ...new Set([
        ...zonesOf,
        ...labelsOf.flatMap((labels) => (subzoneOf(labels) === null ? [] : `${zoneOf(labels)}/${subzoneOf(labels)}`)),
      ]),
    ],
    pools,
    placeless: zonesOf.filter((zone) => zone.split('/').includes(NO_PLACE)).length,
    kubelet: version === undefined ? null : { version, where: first!.object.where },
  };
}

function reasonAgainst(fields: Fields, tolerations: readonly Raw[]): string | null {
  if (fields.value(['spec', 'unschedulable']) === true) return 'cordoned: it takes no pods';
  const ready = fields.list(['status', 'conditions']).find(({ type }) => type === 'Ready');
  if (ready !== undefined && ready['status'] !== 'True') return 'not ready';
  const against = fields
    .list(['spec', 'taints'])
    .find((taint) => taint['effect'] !== 'PreferNoSchedule' && !tolerations.some((one) => tolerates(one, taint)));
  return against === undefined ? null : `no workload tolerates its taint ${String(against['key'])}`;
}

function tolerates(toleration: Raw, taint: Raw): boolean {
  const { key, operator, value, effect } = toleration;
  if (effect !== undefined && effect !== '' && effect !== taint['effect']) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  return key === taint['key'] && (operator === 'Exists' || (value ?? '') === (taint['value'] ?? ''));
}

function poolOf(
  name: string,
  instanceType: string | null,
  members: readonly { readonly object: KubeObject; readonly fields: Fields }[],
  daemonSets: readonly KubeObject[],
  named: ReadonlySet<string>,
  ledger: Ledger,
  problems: Problem[],
): NodePool {
  const nodesPerZone = new Map<string, number>();
  for (const { fields } of members) {
    const zone = zoneOf(fields.labels(['metadata', 'labels']));
    nodesPerZone.set(zone, (nodesPerZone.get(zone) ?? 0) + 1);
  }
  const least = (what: string): number | null => {
    const amounts = members.map(({ fields }) => fields.quantity(['status', 'allocatable', what]) ?? null);
    return amounts.some((one) => one === null) ? null : Math.min(...(amounts as number[]));
  };
  const labels = members[0]!.fields.labels(['metadata', 'labels']);
  const capacity = capacityOfLabels(labels) ?? 'onDemand';
  const daemons = daemonSets.filter((one) => {
    const wanted = asRecord(fieldsOf(one, problems).value(['spec', 'template', 'spec', 'nodeSelector']));
    return Object.entries(wanted).every(([key, value]) => labels[key] === value);
  });
  const needs = daemons.map((one) => podResources(one, ['spec', 'template', 'spec'], problems));
  for (const one of daemons) {
    ledger.use(one);
    ledger.note(one, 'as room taken on each node, no more');
  }
  const mostPods = least('pods');
  const priceBook = priceBookOf(instanceType, capacity, members[0]!.fields);
  return {
    name,
    subzone: subzoneOf(labels),
    labels: withoutGiven(namedLabels(labels, named), priceBook !== null),
    taints: taintsOf(members[0]!.fields),
    maxPods: mostPods === null || mostPods <= daemons.length ? null : mostPods - daemons.length,
    nodes: members.map(({ object }) => object),
    nodesPerZone,
    instanceType,
    capacity,
    priceBook,
    cpuCores: least('cpu'),
    memoryBytes: least('memory'),
    daemons,
    daemonCpuCores: needs.reduce((sum, { requests }) => sum + (requests.cpu ?? 0), 0),
    daemonMemoryBytes: needs.reduce((sum, { requests }) => sum + (requests.memory ?? 0), 0),
  };
}

function namedLabels(labels: Readonly<Record<string, string>>, named: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(
    [...named].sort().flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])),
  );
}

/** What a scenario's nodes have without being told. */
function withoutGiven(labels: Readonly<Record<string, string>>, hasType: boolean): Record<string, string> {
  const given = (key: string, value: string): boolean =>
    key === SUBZONE_LABEL ||
    (key === 'kubernetes.io/os' && value === 'linux') ||
    (key === 'node.kubernetes.io/instance-type' && hasType);
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => !given(key, value)));
}

/** Without those that Kubernetes itself sets while there is trouble. */
export function taintsOf(fields: Fields, path: readonly string[] = ['spec', 'taints']): Raw[] {
  return fields
    .list(path)
    .filter(({ key }) => !String(key).startsWith('node.kubernetes.io/'))
    .map(({ key, value, effect }) => ({ key, ...(value === undefined || value === '' ? {} : { value }), effect }));
}

const CLOUDS: Readonly<Record<string, string>> = { aws: 'aws', gce: 'gcp', azure: 'azure' };

/** The book of the node's own cloud and region; another region's price would be a guess. */
function priceBookOf(instanceType: string | null, capacity: Capacity, fields: Fields): string | null {
  const cloud = own(CLOUDS, /^(\w+):\/\//.exec(fields.text(['spec', 'providerID']) ?? '')?.[1]);
  const name = `${cloud ?? ''}/${firstOf(fields.labels(['metadata', 'labels']), REGION_LABELS) ?? ''}`;
  const book = own(PRICE_BOOKS, name);
  return book !== undefined && own(book.instances, instanceType)?.usdPerHour[capacity] !== undefined ? name : null;
}

function zoneOf(labels: Readonly<Record<string, string>>): string {
  const clean = (text: string | undefined): string =>
    text === undefined || text === '' ? NO_PLACE : text.replace(/[/*\s]/g, '-');
  return `${clean(firstOf(labels, REGION_LABELS))}/${clean(firstOf(labels, ZONE_LABELS))}`;
}

function subzoneOf(labels: Readonly<Record<string, string>>): string | null {
  const subzone = labels[SUBZONE_LABEL] ?? '';
  return subzone === '' ? null : subzone;
}

function firstOf(labels: Readonly<Record<string, string>>, keys: readonly string[]): string | undefined {
  return keys.map((key) => own(labels, key)).find((value) => value !== undefined);
}

/** A name as Kubernetes takes it, with a number where it is taken; `otherwise` where nothing is left of the text. */
export function uniqueName(text: string, otherwise: string, taken: Set<string>): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
  const base = plain === '' ? otherwise : plain;
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  taken.add(name);
  return name;
}

/** All tolerations of the workloads that are read. */
export function tolerationsOf(podSpecs: readonly unknown[]): readonly Raw[] {
  return podSpecs.flatMap((spec) => asList(asRecord(spec)['tolerations']).map(asRecord));
}
