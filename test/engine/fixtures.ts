/** Snapshots with everything defaulted, so that a test states only what it is about. */
import { defaultEngineConfig, emptyMemory } from '../../engine/index.js';
import type {
  EngineConfig,
  KubeObject,
  Snapshot,
  SnapshotEdge,
  SnapshotNode,
  SnapshotPod,
  SnapshotWorkload,
  StepInput,
} from '../../engine/index.js';

export const NOW_MS = 1_000_000_000;
export const GIB = 2 ** 30;
export const ZONES = ['eu/a', 'eu/b', 'eu/c'];

export function aNode(name: string, zone: string, over: Partial<SnapshotNode> = {}): SnapshotNode {
  return {
    name,
    region: zone.split('/')[0]!,
    zone,
    ready: true,
    schedulable: true,
    allocatable: { cpuMillicores: 4000, memoryBytes: 16 * GIB },
    requested: { cpuMillicores: 0, memoryBytes: 0 },
    taints: [],
    priceUsdPerHour: null,
    ...over,
  };
}

export function aWorkload(name: string, replicas: number, over: Partial<SnapshotWorkload> = {}): SnapshotWorkload {
  return {
    namespace: 'default',
    kind: 'Deployment',
    name,
    desiredReplicas: replicas,
    readyReplicas: replicas,
    labels: {},
    annotations: {},
    service: name,
    podRequests: { cpuMillicores: 1000, memoryBytes: GIB },
    podLimits: { cpuMillicores: null, memoryBytes: null },
    ...over,
  };
}

/** Ready, ten minutes old, using `cpu` millicores of a request of 1000 and half of its memory. */
export function aPod(
  workload: string,
  node: string | null,
  name: string,
  cpu = 500,
  over: Partial<SnapshotPod> = {},
): SnapshotPod {
  return {
    name,
    namespace: 'default',
    workload,
    node,
    ready: true,
    terminating: false,
    gated: false,
    createdAtMs: NOW_MS - 600_000,
    requests: { cpuMillicores: 1000, memoryBytes: GIB },
    limits: { cpuMillicores: null, memoryBytes: null },
    usage: { cpuMillicores: cpu, memoryBytes: GIB / 2 },
    ...over,
  };
}

export function anEdge(
  from: string,
  sourceZone: string,
  to: string,
  rps: number,
  sourceNode: string | null = null,
): SnapshotEdge {
  return {
    source: { namespace: 'default', workload: from },
    sourceNode,
    sourceZone,
    destination: { namespace: 'default', workload: to },
    requestsPerSecond: rps,
    bytesPerSecond: 0,
  };
}

export function aRule(host: string, spec: Record<string, unknown> = {}, name = host): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace: 'default' },
    spec: { host, ...spec },
  };
}

/** Three zones with one node each (n-a, n-b, n-c), 0.3 ms inside a zone and 1 ms across. */
export function aSnapshot(over: Partial<Snapshot> = {}): Snapshot {
  const ok = { status: 'ok', ageMs: 1000 } as const;
  return {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'Snapshot',
    formatVersion: '1.0',
    observedAtMs: NOW_MS,
    health: { prometheus: ok, istio: ok, latencyProber: ok },
    nodes: ZONES.map((zone) => aNode(`n-${zone.slice(-1)}`, zone)),
    workloads: [],
    pods: [],
    edges: [],
    latencies: {
      zones: ZONES.flatMap((from) => ZONES.map((to) => ({ from, to, rttMs: from === to ? 0.3 : 1 }))),
      nodes: [],
    },
    responseTimes: [],
    destinationRules: [],
    horizontalPodAutoscalers: [],
    scaledObjects: [],
    podDisruptionBudgets: [],
    ...over,
  };
}

export function anInput(
  snapshot: Snapshot,
  over: {
    readonly scaler?: Partial<EngineConfig['scaler']>;
    readonly balancer?: Partial<EngineConfig['balancer']>;
    readonly config?: Partial<EngineConfig>;
    readonly memory?: StepInput['memory'];
    readonly nowMs?: number;
    readonly scope?: StepInput['scope'];
  } = {},
): StepInput {
  return {
    nowMs: over.nowMs ?? NOW_MS,
    snapshot,
    memory: over.memory ?? emptyMemory,
    scope: over.scope ?? 'all',
    config: {
      ...defaultEngineConfig,
      ...over.config,
      scaler: { ...defaultEngineConfig.scaler, ...over.scaler },
      balancer: { ...defaultEngineConfig.balancer, ...over.balancer },
    },
  };
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
