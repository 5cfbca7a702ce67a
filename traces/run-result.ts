/**
 * The run record: what a run (simulated or live) leaves behind. Every report is a pure function of it. Times are
 * milliseconds or seconds as the names say, money US dollars; a figure that does not exist is null, never 0 or NaN.
 * The same seed and version give the same bytes.
 */
import type { Decision, Skipped } from '../engine/types.js';

export interface RequestCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Quantiles are null below 1 / (1 - q) x 10 requests (1,000 for p99); mean is null without requests. */
export interface LatencyFigures {
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Failed requests by Envoy's response flag (UH, UF, UO, UC, UT, FI, NR, NC), by the application's own status (500, 503), or
 *  `unreachable` where the user found no gateway. They add up to the failed ones; what did not occur is left out. */
export type ResponseFlags = Readonly<Record<string, number>>;

export interface ServiceFigures {
  readonly service: string;
  readonly requests: RequestCounts;
  readonly requestsPerSecond: number;
  /** As the service's pods see it: from arrival at the pod to its reply, waiting included. */
  readonly latencyMs: LatencyFigures;
  /** The same as histogram_quantile reads it from Envoy's coarse buckets: what a dashboard would show. */
  readonly bucketedLatencyMs: Omit<LatencyFigures, 'mean'>;
  /** Mean time in the queue of the pods. */
  readonly waitMs: number | null;
  /** CPU used over the measured part: mean millicores of all pods, and percent of what they requested. */
  readonly cpuMillicores: number;
  readonly cpuPercentOfRequests: number | null;
  readonly meanReplicas: number;
  readonly costUsdPerHour: number | null;
  /** CPU per request received, in milliseconds; null without requests. */
  readonly cpuMsPerRequest: number | null;
  /** Mean millicores of the proxies, for the pods of this service: not part of the figures above. Left out where the
   *  scenario gives the proxies no latency and CPU (`mesh.proxy`). */
  readonly proxyCpuMillicores?: number;
  /** What has instances instead of pods (meanReplicas counts them), and waypoints; left out for other workloads. */
  readonly kind?: 'external' | 'queue' | 'waypoint';
}

/** A queue of messages over the measured part. Messages are counted when they come and go, so sums differ by what waits. */
export interface QueueFigures {
  readonly queue: string;
  readonly published: number;
  readonly publishedPerSecond: number;
  /** Publications that found the queue full. */
  readonly refused: number;
  /** Acknowledged; given up after the last delivery; delivered again. */
  readonly processed: number;
  readonly deadLettered: number;
  readonly redelivered: number;
  /** From publication to the first delivery, and to the acknowledgement. */
  readonly waitMs: LatencyFigures;
  readonly doneMs: LatencyFigures;
  readonly length: { readonly mean: number; readonly most: number; readonly atEnd: number };
  /** Age of the oldest message that waits at the end; null: none waits. */
  readonly oldestSeconds: number | null;
  /** With consumers, or between two deliveries, at the end. */
  readonly inFlight: number;
}

export interface EdgeFigures {
  /** Service name, or `gateway`. */
  readonly source: string;
  readonly destination: string;
  /** The waypoint in between: what it does with the call is an edge of its own. Left out where there is none. */
  readonly via?: string;
  readonly requests: RequestCounts;
  readonly requestsPerSecond: number;
  /** As the caller sees it: network and waiting included. */
  readonly latencyMs: LatencyFigures;
  readonly responseFlags: ResponseFlags;
  readonly bytes: number;
  /** Of the bytes, those that leave the zones for a place outside, and those that come from there. Left out where neither
   *  end is outside. */
  readonly outside?: { readonly sentBytes: number; readonly receivedBytes: number };
  /** Share (0..1) of the requests whose pods stand in different zones; null without requests. */
  readonly crossZoneShare: number | null;
  /** Requests by zone pair: [from][to] over the zones of the scenario; what is outside of them is not there. */
  readonly requestsByZone: readonly (readonly number[])[];
}

/** Null: a price that it rests on is unknown, and it would not be 0. */
export interface CostParts {
  /**
   * Price of the nodes, split into what pods are charged for (the larger of request and use in each sample) and what lies
   * idle. Idle is below 0 where pods used more CPU or memory than their nodes have.
   */
  readonly nodesUsdPerHour: number | null;
  readonly workloadUsdPerHour: number | null;
  /** Of the workload: sidecars, and what was requested but not used. */
  readonly sidecarUsdPerHour: number | null;
  readonly unusedUsdPerHour: number | null;
  readonly idleUsdPerHour: number | null;
  readonly crossZoneUsdPerHour: number | null;
  readonly crossRegionUsdPerHour: number | null;
  /** The load balancer, replies over the internet and NAT gateways; 0 where the scenario does not put them on the bill. */
  readonly loadBalancerUsdPerHour: number | null;
  readonly internetUsdPerHour: number | null;
  readonly natUsdPerHour: number | null;
  /** nodes + cross-zone + cross-region + load balancer + internet + NAT. */
  readonly totalUsdPerHour: number | null;
  /** The same with the workload in place of the nodes: what the policy itself moves on a cluster of fixed size. */
  readonly attributedUsdPerHour: number | null;
}

/** One series a name, all of one length; index i covers [i x stepSeconds, (i+1) x stepSeconds) of the measured part. */
export interface RunSeries {
  readonly stepSeconds: number;
  /** Of the external requests: by the time of their completion. */
  readonly requestsPerSecond: readonly number[];
  readonly failedPerSecond: readonly number[];
  readonly meanMs: readonly (number | null)[];
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  readonly costUsdPerHour: readonly (number | null)[];
  /** Ready replicas at the end of each step, by service and zone. */
  readonly readyReplicas: readonly {
    readonly service: string;
    readonly zone: string;
    readonly values: readonly number[];
  }[];
  /** Mean CPU of the ready pods, percent of requests, by service and zone; null without pods. */
  readonly cpuPercent: readonly {
    readonly service: string;
    readonly zone: string;
    readonly values: readonly (number | null)[];
  }[];
  /** Messages that wait at the end of each step, and the age of the oldest; left out without queues. */
  readonly queues?: readonly {
    readonly queue: string;
    readonly lengths: readonly number[];
    readonly oldestSeconds: readonly (number | null)[];
  }[];
  /** Nodes in the cluster at the end of each step, by zone; left out where no policy adds or removes any. */
  readonly nodes?: readonly { readonly zone: string; readonly values: readonly number[] }[];
}

/** Nodes that came and went in the measured part. */
export interface NodeScaling {
  /** Nodes that became ready, and nodes that went. */
  readonly nodesAdded: number;
  readonly nodesRemoved: number;
  /** Nodes that were paid for, mean over time. */
  readonly meanNodes: number;
  /** Pods that got a node which came after them, and how long they waited for it. */
  readonly podsThatWaited: number;
  readonly meanWaitSeconds: number | null;
}

export interface LoggedDecision {
  readonly atSeconds: number;
  readonly decidedBy: 'wavetank' | 'hpa' | 'clusterAutoscaler' | 'karpenter' | 'scheduler';
  readonly summary: string;
  /** Wavetank's own decision, whole; null for the other autoscalers. */
  readonly decision: Decision | null;
  readonly because: string;
}

/** Pods of one service that found no node at once. */
export interface WaitingPods {
  readonly service: string;
  /** At the same time. */
  readonly mostPods: number;
  readonly podsAtEnd: number;
  /** Over the measured part, all its pods together. */
  readonly podSeconds: number;
  /** What the scheduler said of them, the longest waits first, three at most. */
  readonly reasons: readonly { readonly message: string; readonly podSeconds: number }[];
}

export interface FaultFigures {
  readonly fault: string;
  readonly atSeconds: number;
  /** Succeeded requests over all that ended during the fault (or its first 5 minutes), 0..1. */
  readonly goodputKept: number | null;
  /** From the fault to its last trace: p95 more than 10 % (in two steps of the series in a row) or the failed share more
   *  than 0.1 points above what they were before. 0 where it left none; null: not recovered within the run. */
  readonly recoverySeconds: number | null;
}

export interface FaultTolerance {
  readonly faults: readonly FaultFigures[];
  /** By service with a disruption budget: how long it was broken, and how many pods it was short of at worst. */
  readonly budgets: readonly {
    readonly service: string;
    readonly brokenSeconds: number;
    readonly shortOfPods: number;
  }[];
  /** At the end of the run. */
  readonly zonesCovered: readonly {
    readonly service: string;
    readonly zones: number;
    readonly survivesAnyZoneLoss: boolean;
    readonly survivesAnyNodeLoss: boolean;
  }[];
}

/** A rollout, in one workload of its service. Pods on their way out are not counted. */
export interface RolloutFigures {
  readonly service: string;
  /** Its Deployment or StatefulSet: the service's name, or one per zone. */
  readonly workload: string;
  readonly atSeconds: number;
  /**
   * `finished`: all pods were new and available. `superseded`: the next rollout of the service came first. At the end of
   * the run otherwise: `stuck` where every pod that is missing will not come by itself (it never gets ready, finds no
   * room, or waits for the end of one whose node is away), else `underWay`.
   */
  readonly outcome: 'finished' | 'superseded' | 'stuck' | 'underWay';
  readonly tookSeconds: number | null;
  /** Meanwhile: the fewest pods that were ready for minReadySeconds, and the most that there were. */
  readonly fewestAvailable: number;
  readonly mostPods: number;
}

/** An identity checked from outside; a run with a failed one is a bug and stops. */
export interface CheckOutcome {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
}

export interface ReplicationResult {
  readonly seed: number;
  /** Digest of the figures below, to compare two runs at a glance. */
  readonly digest: string;
  /** External requests: the users' view, from the gateway's acceptance to the reply. */
  readonly total: {
    readonly requests: RequestCounts;
    readonly requestsPerSecond: number;
    readonly latencyMs: LatencyFigures;
    readonly responseFlags: ResponseFlags;
  };
  /** The same per load, in the scenario's order. */
  readonly loads: readonly {
    readonly load: string;
    readonly requests: RequestCounts;
    readonly latencyMs: LatencyFigures;
  }[];
  readonly services: readonly ServiceFigures[];
  readonly edges: readonly EdgeFigures[];
  /** In the scenario's order; left out without queues. */
  readonly queues?: readonly QueueFigures[];
  /** Bytes of all edges to and from places outside of the zones; left out without any. */
  readonly outsideBytes?: { readonly sent: number; readonly received: number };
  readonly crossZoneShare: number | null;
  readonly cost: CostParts;
  readonly series: RunSeries;
  readonly decisions: readonly LoggedDecision[];
  readonly skipped: readonly { readonly atSeconds: number; readonly skipped: Skipped }[];
  /** Left out where every pod found its node at once. */
  readonly waitingPods?: readonly WaitingPods[];
  readonly faultTolerance: FaultTolerance;
  /** Left out where no policy of the scenario adds or removes nodes. */
  readonly nodeScaling?: NodeScaling;
  /** In the order in which they began. Left out where the scenario has no rollouts. */
  readonly rollouts?: readonly RolloutFigures[];
  readonly checks: readonly CheckOutcome[];
  /** Spans and events simulated, for speed figures. Not part of the digest. */
  readonly work: { readonly events: number; readonly spans: number; readonly requests: number };
}

export interface PolicyResult {
  readonly policy: string;
  readonly why: string;
  readonly replications: readonly ReplicationResult[];
}

export interface RunResult {
  readonly apiVersion: 'wavetank/v1alpha1';
  readonly kind: 'RunResult';
  readonly formatVersion: '1.0';
  readonly wavetankVersion: string;
  readonly scenario: {
    readonly name: string;
    readonly why: string;
    readonly file: string | null;
    readonly digest: string;
  };
  /** Releases whose rules were simulated, such as `1.31`. */
  readonly compat: { readonly istio: string; readonly envoy: string; readonly kubernetes: string };
  /** Tables of list prices that were used, and of which day they are. Absent in records of earlier versions. */
  readonly priceBooks?: readonly { readonly name: string; readonly asOf: string }[];
  readonly command: string;
  readonly zones: readonly string[];
  readonly services: readonly string[];
  readonly nodeCount: number;
  readonly durationSeconds: number;
  readonly warmUpSeconds: number;
  readonly notices: readonly string[];
  readonly expectations: readonly {
    readonly text: string;
    readonly file: string;
    readonly line: number;
    readonly column: number;
  }[];
  /** In the scenario's order; the first is the baseline of relative expectations. */
  readonly policies: readonly PolicyResult[];
}
