/**
 * The snapshot, indexed once per step: who runs where, who calls whom, what is free. Everything after it is a look-up, so
 * that a step costs nodes + pods + edges. Lists keep the order of the snapshot and every tie in the engine goes to the
 * earlier entry: names decide nothing, so renaming changes nothing, and adapters list things in a stable order.
 * `requested` and `free` of a node are this step's own copies and change as the step promises room away.
 */
import { roundTrips, type RoundTrips } from './round-trips.js';
import type {
  ResourceAmounts,
  Snapshot,
  SnapshotEdge,
  SnapshotNode,
  SnapshotOffered,
  SnapshotPod,
  SnapshotResponseTime,
  SnapshotWorkload,
  WorkloadRef,
} from './types.js';

export interface NodeView {
  readonly name: string;
  readonly zone: string;
  readonly allocatable: ResourceAmounts;
  readonly requested: { cpuMillicores: number; memoryBytes: number };
  readonly free: { cpuMillicores: number; memoryBytes: number };
  /** Ready, schedulable and without a taint that keeps ordinary pods away. */
  readonly takesPods: boolean;
}

export interface ZoneView {
  readonly name: string;
  readonly region: string;
  readonly nodes: NodeView[];
  /** Some node could take pods, now or when it is back. A cordoned or reserved zone could not. */
  mayTakePods: boolean;
}

export interface WorkloadView {
  readonly ref: WorkloadRef;
  /** `namespace/kind/name`. */
  readonly key: string;
  readonly workload: SnapshotWorkload;
  /** Pods that are not terminating. */
  readonly pods: SnapshotPod[];
  readonly callers: SnapshotEdge[];
  readonly callees: SnapshotEdge[];
  readonly responseTimes: SnapshotResponseTime[];
  /** Another workload has the same namespace and name: pods cannot be told apart. */
  ambiguous: boolean;
}

export interface ClusterView {
  readonly snapshot: Snapshot;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly zones: ReadonlyMap<string, ZoneView>;
  readonly workloads: readonly WorkloadView[];
  /** By `namespace/name`; the first of several. */
  readonly byName: ReadonlyMap<string, WorkloadView>;
  readonly trips: RoundTrips;
  /** What callers offered, by `namespace/service`. */
  readonly offered: ReadonlyMap<string, readonly SnapshotOffered[]>;
}

export function viewCluster(snapshot: Snapshot): ClusterView {
  const nodes = new Map<string, NodeView>();
  const zones = new Map<string, ZoneView>();
  for (const node of snapshot.nodes) {
    if (nodes.has(node.name)) continue;
    const view = viewNode(node);
    nodes.set(node.name, view);
    let zone = zones.get(node.zone);
    if (!zone) zones.set(node.zone, (zone = { name: node.zone, region: node.region, nodes: [], mayTakePods: false }));
    zone.nodes.push(view);
    if (node.schedulable && !keptAway(node, true)) zone.mayTakePods = true;
  }

  const workloads: WorkloadView[] = [];
  const byName = new Map<string, WorkloadView>();
  for (const workload of snapshot.workloads) {
    const view = viewWorkload(workload);
    workloads.push(view);
    const same = byName.get(nameKey(workload.namespace, workload.name));
    if (same) same.ambiguous = view.ambiguous = true;
    else byName.set(nameKey(workload.namespace, workload.name), view);
  }

  const seenPods = new Set<string>();
  for (const pod of snapshot.pods) {
    const key = nameKey(pod.namespace, pod.name);
    if (seenPods.has(key)) continue;
    seenPods.add(key);
    if (!pod.terminating) byName.get(nameKey(pod.namespace, pod.workload))?.pods.push(pod);
  }
  for (const edge of snapshot.edges) {
    if (!(edge.requestsPerSecond > 0)) continue;
    byName.get(nameKey(edge.destination.namespace, edge.destination.workload))?.callers.push(edge);
    byName.get(nameKey(edge.source.namespace, edge.source.workload))?.callees.push(edge);
  }
  for (const time of snapshot.responseTimes) {
    byName.get(nameKey(time.namespace, time.workload))?.responseTimes.push(time);
  }

  const trips = roundTrips(
    snapshot.latencies.zones,
    snapshot.latencies.nodes,
    (node) => nodes.get(node)?.zone ?? null,
    (zone) => zones.get(zone)?.region ?? zone.split('/')[0]!,
  );
  return { snapshot, nodes, zones, workloads, byName, trips, offered: offeredByService(snapshot) };
}

function offeredByService({ offered }: Snapshot): Map<string, SnapshotOffered[]> {
  const byService = new Map<string, SnapshotOffered[]>();
  for (const row of offered ?? []) {
    const key = nameKey(row.destination.namespace, row.destination.service);
    const rows = byService.get(key);
    if (rows) rows.push(row);
    else byService.set(key, [row]);
  }
  return byService;
}

export function nameKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** As memory and owners know a workload: `namespace/kind/name`. */
export function workloadKey({ namespace, kind, name }: WorkloadRef): string {
  return `${namespace}/${kind}/${name}`;
}

/** Replicas of a workload by node and by zone; pods that are not bound to a known node are in neither. */
export interface ReplicaCounts {
  readonly byNode: Map<string, number>;
  readonly byZone: Map<string, number>;
}

export function countReplicas(view: ClusterView, pods: readonly SnapshotPod[]): ReplicaCounts {
  const counts: ReplicaCounts = { byNode: new Map(), byZone: new Map() };
  for (const pod of pods) {
    const node = pod.node === null ? undefined : view.nodes.get(pod.node);
    if (node) addReplica(counts, node, 1);
  }
  return counts;
}

export function addReplica(counts: ReplicaCounts, node: NodeView, by: 1 | -1): void {
  bump(counts.byNode, node.name, by);
  bump(counts.byZone, node.zone, by);
}

function bump(map: Map<string, number>, key: string, by: number): void {
  const value = (map.get(key) ?? 0) + by;
  if (value > 0) map.set(key, value);
  else map.delete(key);
}

function viewNode(node: SnapshotNode): NodeView {
  return {
    name: node.name,
    zone: node.zone,
    allocatable: node.allocatable,
    requested: { ...node.requested },
    free: {
      cpuMillicores: node.allocatable.cpuMillicores - node.requested.cpuMillicores,
      memoryBytes: node.allocatable.memoryBytes - node.requested.memoryBytes,
    },
    takesPods: node.ready && node.schedulable && !keptAway(node, false),
  };
}

// Put on a node by Kubernetes itself while it is down, cordoned apart; they leave with the trouble.
const PASSING_TAINTS = 'node.kubernetes.io/';

/** The snapshot does not say what a pod tolerates, so a taint that repels pods repels ours. */
function keptAway(node: SnapshotNode, whenHealthy: boolean): boolean {
  return node.taints.some(({ key, effect }) => {
    if (effect !== 'NoSchedule' && effect !== 'NoExecute') return false;
    return !(whenHealthy && key.startsWith(PASSING_TAINTS));
  });
}

function viewWorkload(workload: SnapshotWorkload): WorkloadView {
  const { namespace, kind, name } = workload;
  return {
    ref: { namespace, kind, name },
    key: workloadKey(workload),
    workload,
    pods: [],
    callers: [],
    callees: [],
    responseTimes: [],
    ambiguous: false,
  };
}
