/**
 * The contract of both worlds: what an engine step is told (Snapshot, Memory, EngineConfig) and what it answers
 * (Decision, Skipped, Memory). `sim/` fills a Snapshot from simulated sensors, `live/` from Prometheus and the API
 * server; neither may leave out a field. Everything is plain JSON: no classes, no NaN, no undefined, so that a snapshot
 * that was dumped and read back gives the same decisions.
 *
 * Adapters promise:
 * - node, workload and pod names are unique within their list (pods and workloads: within their namespace);
 * - a zone is named `region/zone` everywhere ("eu-1/a"), the key that Istio's locality matching uses;
 * - a figure that was not observed is `null`, never 0; `health` says why;
 * - rates are over the sensor's window, ages are measured against `observedAtMs`.
 */

import type { ModelSettings } from './model/settings.js';

/** A Kubernetes object as it stands in the API (metadata and spec as written, unknown fields kept). */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'Rollout';

/** Names one workload. */
export interface WorkloadRef {
  readonly namespace: string;
  readonly kind: WorkloadKind;
  readonly name: string;
}

export interface ResourceAmounts {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

export type SourceStatus = 'ok' | 'stale' | 'absent';

export interface SourceHealth {
  readonly status: SourceStatus;
  /** Age of the newest sample in milliseconds; null where the source is absent. */
  readonly ageMs: number | null;
}

export interface SnapshotNode {
  readonly name: string;
  readonly region: string;
  /** `region/zone`. */
  readonly zone: string;
  readonly ready: boolean;
  readonly schedulable: boolean;
  readonly allocatable: ResourceAmounts;
  /** Sum of the requests of the pods bound to the node. */
  readonly requested: ResourceAmounts;
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  readonly priceUsdPerHour: number | null;
}

export interface SnapshotWorkload extends WorkloadRef {
  readonly desiredReplicas: number;
  readonly readyReplicas: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Name of the Kubernetes Service in front of it, or null when nothing selects it. */
  readonly service: string | null;
  /** Requests and limits of one pod of the template; null fields where the template sets none. */
  readonly podRequests: { readonly cpuMillicores: number | null; readonly memoryBytes: number | null };
  readonly podLimits: { readonly cpuMillicores: number | null; readonly memoryBytes: number | null };
  /** Replicas of the newest template, from the workload's status; left out or null where nobody tells. */
  readonly updatedReplicas?: number | null;
}

export interface SnapshotPod {
  readonly name: string;
  readonly namespace: string;
  /** Name of the workload (same namespace) that owns the pod. */
  readonly workload: string;
  /** Node the pod is bound to; null while it waits for one. */
  readonly node: string | null;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** True while a scheduling gate of ours holds the pod back: it waits for a `place` decision. */
  readonly gated: boolean;
  readonly createdAtMs: number;
  readonly requests: { readonly cpuMillicores: number | null; readonly memoryBytes: number | null };
  readonly limits: { readonly cpuMillicores: number | null; readonly memoryBytes: number | null };
  /** Usage over the sensor's window; null where the pod has no metrics yet. */
  readonly usage: ResourceAmounts | null;
  /** Labels of the pod. Left out in older files alone: what selects by labels then forbids. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Requests from the pods of one workload on one node to one destination workload. */
export interface SnapshotEdge {
  readonly source: { readonly namespace: string; readonly workload: string };
  /** Node of the calling proxies. For an ingress gateway: the node it runs on, or null with `sourceZone` set. */
  readonly sourceNode: string | null;
  readonly sourceZone: string;
  readonly destination: { readonly namespace: string; readonly workload: string };
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** 95th percentile of the response time of a workload's pods on one node, as the destination's proxies report it. */
export interface SnapshotResponseTime {
  readonly namespace: string;
  readonly workload: string;
  readonly node: string;
  readonly p95Ms: number;
  /** Requests that these pods answered per second; refused ones, which cost them nothing, are not among them. */
  readonly requestsPerSecond?: number;
}

/** Requests that callers in one zone sent to a Service, answered or not: refused and lost ones count, and each retry. */
export interface SnapshotOffered {
  readonly sourceZone: string;
  readonly destination: { readonly namespace: string; readonly service: string };
  readonly requestsPerSecond: number;
}

export interface SnapshotLatencies {
  /** Round trips between zones, both directions listed, a zone to itself too. */
  readonly zones: readonly { readonly from: string; readonly to: string; readonly rttMs: number }[];
  /** Sparse overrides between nodes. */
  readonly nodes: readonly { readonly from: string; readonly to: string; readonly rttMs: number }[];
}

export interface Snapshot {
  readonly apiVersion: 'wavetank/v1alpha1';
  readonly kind: 'Snapshot';
  readonly formatVersion: '1.0';
  readonly observedAtMs: number;
  readonly health: {
    readonly prometheus: SourceHealth;
    readonly istio: SourceHealth;
    readonly latencyProber: SourceHealth;
  };
  readonly nodes: readonly SnapshotNode[];
  readonly workloads: readonly SnapshotWorkload[];
  readonly pods: readonly SnapshotPod[];
  readonly edges: readonly SnapshotEdge[];
  readonly latencies: SnapshotLatencies;
  readonly responseTimes: readonly SnapshotResponseTime[];
  readonly destinationRules: readonly KubeObject[];
  readonly horizontalPodAutoscalers: readonly KubeObject[];
  readonly scaledObjects: readonly KubeObject[];
  readonly podDisruptionBudgets: readonly KubeObject[];
  /**
   * Lists above that the API server would not give: their emptiness means nothing, and they forbid whatever something
   * in them could forbid. Left out: all were read.
   */
  readonly unreadableLists?: readonly UnreadableList[];
  /** Where it is left out, what the edges show counts as offered. */
  readonly offered?: readonly SnapshotOffered[];
}

export type UnreadableList = 'destinationRules' | 'horizontalPodAutoscalers' | 'scaledObjects' | 'podDisruptionBudgets';

/** What the engine wants back at its next step. Treat as opaque outside `engine/`. */
export interface Memory {
  readonly apiVersion: 'wavetank/v1alpha1';
  readonly kind: 'Memory';
  readonly formatVersion: '1.0';
  /** Last scaling of a workload, by `namespace/kind/name`. */
  readonly lastScaling: Readonly<Record<string, { readonly atMs: number; readonly direction: 'up' | 'down' }>>;
  /** Workloads whose routes want an eager look because their replicas changed, by `namespace/kind/name`. */
  readonly postScalingMarks: Readonly<Record<string, { readonly atMs: number }>>;
  /** The replica count of each workload at the last step, and the one that step asked for (null: none). */
  readonly lastSeen?: Readonly<Record<string, { readonly replicas: number; readonly expected: number | null }>>;
  /** When others (an HPA, a human) were last seen to have raised or lowered a count; null: not lately. */
  readonly othersScaling?: Readonly<
    Record<string, { readonly upAtMs: number | null; readonly downAtMs: number | null }>
  >;
  /** Last move of a workload: its pod and the replica count to which it comes back, by `namespace/kind/name`. */
  readonly lastMoves?: Readonly<
    Record<string, { readonly atMs: number; readonly pod: string; readonly replicas: number }>
  >;
  /** What the model-based balancer expects of its routes, by `namespace/service`. */
  readonly predictions?: Readonly<Record<string, Prediction>>;
  /** Demand of the last seasons, by `namespace/kind/name`: encoded means of past slots, and the sum so far of `slot`. */
  readonly demandHistory?: Readonly<
    Record<string, { readonly slot: number; readonly sum: number; readonly count: number; readonly samples: string }>
  >;
}

/** What the cost model says of a Service under the routes that stand after a step. Shares and utilisation: 1 is all. */
export interface Prediction {
  readonly atMs: number;
  readonly zones: Readonly<Record<string, { readonly utilization: number; readonly share: number }>>;
  readonly meanWaitMs: number;
  readonly crossZoneShare: number;
  readonly costMs: number;
  /** CPU time of a request, kept for a step without completions. */
  readonly cpuMsPerRequest: number;
}

export type UtilizationMetric = 'cpu' | 'memory' | 'cpu-memory';

/** Every setting of a step, total: defaults come from `defaultEngineConfig` in `engine/config.ts`. */
export interface EngineConfig {
  readonly namespaces: readonly string[];
  readonly metric: UtilizationMetric;
  readonly upperThresholdPercent: number;
  readonly lowerThresholdPercent: number;
  readonly cpuWeight: number;
  readonly memoryWeight: number;
  readonly utilizationBasis: 'request' | 'limit';
  readonly responseTimeTargetMs: number;
  readonly scaler: {
    /** `off`: nothing; `placement`: only `place` decisions for gated pods; `full`: replica counts too. */
    readonly mode: 'off' | 'placement' | 'full';
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly stepRule: 'one' | 'proportional';
    readonly maxZones: number;
    readonly maxZoneSkew: number;
    readonly cooldownSeconds: number;
    readonly coldPodGraceSeconds: number;
    readonly placementRule: 'weightedSum' | 'minEdge';
    /** Running replicas go to nodes nearer to their neighbours (mode `full`). */
    readonly moves: {
      readonly enabled: boolean;
      readonly minSavingPercent: number;
      readonly maxPerStep: number;
      readonly cooldownSeconds: number;
      readonly timeoutSeconds: number;
    };
    /** Replicas are added ahead of what the workload's own past foresees. */
    readonly predictive: {
      readonly enabled: boolean;
      readonly horizonSeconds: number;
      readonly seasonSeconds: number;
      readonly sampleSeconds: number;
    };
  };
  readonly balancer: {
    readonly enabled: boolean;
    readonly minDelta: number;
    readonly minStep: number;
    readonly maxStep: number;
    readonly urgencyThreshold: number;
    readonly epsilon: number;
    readonly minLocalShare: number;
    readonly minPlacePercent: number;
    /** Write a DestinationRule where the host has none. */
    readonly createRoutes: boolean;
    /** `inherited`: steps towards shares by latency and load; `model`: least predicted cost (engine/model/). */
    readonly rule: 'inherited' | 'model';
    readonly model: ModelSettings;
  };
  /** Per workload, by `namespace/name`: fields of the scaler that differ from the above. */
  readonly workloads: Readonly<Record<string, { readonly minReplicas?: number; readonly maxReplicas?: number }>>;
}

export type Signals = Readonly<Record<string, number | string | boolean | null>>;

/** A rival that lost, and why. */
export interface Rejected {
  readonly candidate: string;
  readonly reason: string;
  readonly score: number | null;
}

interface DecisionBase {
  readonly workload: WorkloadRef;
  /** The rule that led here, as one sentence. */
  readonly because: string;
  readonly signals: Signals;
  readonly rejected: readonly Rejected[];
}

export interface ScaleUp extends DecisionBase {
  readonly kind: 'scaleUp';
  readonly replicasFrom: number;
  readonly replicasTo: number;
  /** One entry per new replica, in the order in which they should be created. */
  readonly placements: readonly { readonly node: string; readonly zone: string }[];
}

export interface ScaleDown extends DecisionBase {
  readonly kind: 'scaleDown';
  readonly replicasFrom: number;
  readonly replicasTo: number;
  /** The pods that should go, first to go first. */
  readonly victims: readonly { readonly pod: string; readonly node: string }[];
}

/** Where a gated pod should run. */
export interface Place extends DecisionBase {
  readonly kind: 'place';
  readonly pod: string;
  readonly node: string;
  readonly zone: string;
}

export interface SetRoute extends DecisionBase {
  readonly kind: 'setRoute';
  /** Fully qualified host of the DestinationRule. */
  readonly host: string;
  /** The rule to change, or the one to create. */
  readonly destinationRule: { readonly namespace: string; readonly name: string; readonly create: boolean };
  /** `localityLbSetting.distribute`, keys `region/zone/*`, integers that sum to 100 per entry. */
  readonly distribute: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  /** The whole `localityLbSetting` to write: only this field of the object is ours. */
  readonly localityLbSetting: Readonly<Record<string, unknown>>;
}

/** One replica goes to a nearer node: made there first, taken away here when the new one is ready. */
export interface Move extends DecisionBase {
  readonly kind: 'move';
  readonly pod: string;
  readonly fromNode: string;
  readonly toNode: string;
  readonly toZone: string;
  /** The count before and after; one more in between, and never fewer ready ones. */
  readonly replicas: number;
  /** The move is given up, and the extra replica removed, when it has not ended by then. */
  readonly timeoutSeconds: number;
}

export type Decision = ScaleUp | ScaleDown | Place | SetRoute | Move;

export type SkipReason =
  | 'withinThresholds'
  | 'cooldown'
  | 'hpaOwned'
  | 'scaledObjectOwned'
  | 'asleep'
  | 'atMaxReplicas'
  | 'atMinReplicas'
  | 'coldPods'
  | 'noRequestNorLimit'
  | 'metricsAbsent'
  | 'metricsStale'
  | 'istioAbsent'
  | 'notReady'
  | 'noRoom'
  | 'noTraffic'
  | 'noTarget'
  | 'noDestinationRule'
  | 'ownedByAnother'
  | 'belowMinDelta'
  | 'disabled'
  | 'noService'
  | 'noVictim'
  | 'invalid'
  | 'rolloutRunning'
  | 'ordered'
  | 'moving'
  | 'moveLimit'
  | 'forecastHolds'
  | 'disruptionBudget'
  | 'flapping'
  | 'apiError';

/** A part of the engine left a workload alone. Every workload has a decision or a skip from each enabled part. */
export interface Skipped {
  readonly workload: WorkloadRef;
  readonly part: 'scaler' | 'balancer' | 'moves';
  readonly reason: SkipReason;
  /** One sentence with the numbers. */
  readonly detail: string;
}

export interface StepInput {
  readonly nowMs: number;
  readonly snapshot: Snapshot;
  readonly memory: Memory;
  readonly config: EngineConfig;
  /** `placement`: only answer for gated pods (called when one appears, between cycles). */
  readonly scope: 'all' | 'placement';
}

export interface StepOutput {
  readonly decisions: readonly Decision[];
  readonly skipped: readonly Skipped[];
  readonly memory: Memory;
}
