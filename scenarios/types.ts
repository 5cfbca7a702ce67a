/**
 * A scenario after loading: total (every default filled), validated, frozen, with names resolved to indices. The loader
 * (`scenarios/load.ts`) is the only place that makes one from a file; `traces/` makes one from a recording. The simulator
 * compiles it into integer tables. Indices are positions in the declared lists, so that renaming changes no draw.
 *
 * Times are microseconds (fractions allowed here, rounded when the simulator compiles), money is US dollars.
 * Points in time (rates, shares, faults) count from the start of the simulation, where the warm-up begins: in the file
 * they count from the start of the measured part, and the loader has added the warm-up.
 */
import type { EngineConfig, KubeObject } from '../engine/types.js';
import type { Labels, PodScheduling, Taint } from './pod-scheduling.js';

export type { PodScheduling } from './pod-scheduling.js';

/** A non-negative random amount. `mean` has the unit of the field it stands in; cv is standard deviation over mean. */
export type Distribution =
  | { readonly kind: 'constant'; readonly mean: number }
  | { readonly kind: 'exponential'; readonly mean: number }
  | { readonly kind: 'gamma'; readonly mean: number; readonly cv: number }
  | { readonly kind: 'lognormal'; readonly mean: number; readonly cv: number }
  /** Piecewise-uniform between `bounds` (ascending, one more than `weights`); weights sum to 1. */
  | {
      readonly kind: 'empirical';
      readonly bounds: readonly number[];
      readonly weights: readonly number[];
      readonly mean: number;
    };

export interface Zone {
  /** `region/zone`, as declared. */
  readonly name: string;
  readonly region: string;
  readonly zone: string;
}

export interface NodeSpec {
  readonly name: string;
  readonly pool: string;
  readonly zone: number;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** With those that a kubelet and a cloud set: zone, region, host name, instance type. */
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  /** Pods that the kubelet takes at most. */
  readonly maxPods: number;
  /** Null: unknown. Then so are the costs that rest on it. */
  readonly priceUsdPerHour: number | null;
}

export interface RoundTrip {
  readonly sameNodeUs: number;
  readonly sameZoneUs: number;
  readonly crossZoneUs: number;
  readonly crossRegionUs: number;
  /** Zone pairs that differ from the above, both directions listed by the loader. */
  readonly pairs: readonly { readonly from: number; readonly to: number; readonly roundTripUs: number }[];
  /** Pairs of nodes that differ from their zones, likewise. */
  readonly nodePairs: readonly { readonly from: number; readonly to: number; readonly roundTripUs: number }[];
  /** Multiplies each one-way delay; mean 1. Null: none. */
  readonly jitter: Distribution | null;
}

/** A machine that a pool has or may buy. */
export interface MachineType {
  readonly instanceType: string;
  /** Room for pods, and the size of the whole machine. */
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly wholeCpuMillicores: number;
  readonly wholeMemoryBytes: number;
  readonly priceUsdPerHour: number | null;
}

/** What node autoscalers know of a pool. */
export interface NodePool {
  readonly name: string;
  /** What new nodes of it have, by zone: labels without those of a single node; taints; pods that the kubelet takes. */
  readonly labels: readonly Labels[];
  readonly taints: readonly Taint[];
  readonly maxPods: number;
  /** Its nodes of the start, and those that the Cluster Autoscaler adds. */
  readonly machine: MachineType;
  /** The node groups of the Cluster Autoscaler, by zone; null: it leaves the pool alone. */
  readonly groups: readonly { readonly minNodes: number; readonly maxNodes: number }[] | null;
  /** The NodePool of Karpenter; null: it leaves the pool alone. Infinity: no limit. */
  readonly karpenter: {
    readonly weight: number;
    readonly isSpot: boolean;
    readonly machines: readonly MachineType[];
    /** In which zones it buys. */
    readonly zones: readonly number[];
    readonly limits: { readonly cpuMillicores: number; readonly memoryBytes: number; readonly nodes: number };
  } | null;
}

/** How the CPU request of a pod becomes its weight against others: cgroup v1's shares, or cgroup v2's weight of either formula. */
export type CpuWeights = 'shares' | 'linear' | 'curved';

export interface Cluster {
  readonly zones: readonly Zone[];
  /** Those of the start. */
  readonly nodes: readonly NodeSpec[];
  readonly pools: readonly NodePool[];
  readonly roundTrip: RoundTrip;
  /** By what pods share the cores of their node when they want more than there are; null: each has the node to itself. */
  readonly cpuWeights: CpuWeights | null;
  /** Charged per byte moved, both ends together. GB = 10^9 bytes. Null: unknown. */
  readonly transfer: { readonly crossZoneUsdPerGb: number | null; readonly crossRegionUsdPerGb: number | null };
  readonly bill: Bill;
  /** The tables of list prices that it names. */
  readonly priceBooks: readonly { readonly name: string; readonly asOf: string }[];
}

/** What stands on the bill besides nodes and traffic between zones. Null: not on it. A null price: unknown. */
export interface Bill {
  /** In front of the gateways; it is passed by each user's request and reply. */
  readonly loadBalancer: { readonly usdPerHour: number | null; readonly usdPerGb: number | null } | null;
  /** For replies to users. */
  readonly internet: { readonly usdPerGb: number | null } | null;
  /** All gateways together. */
  readonly nat: { readonly usdPerHour: number | null; readonly usdPerGb: number | null } | null;
}

/** Ingress gateway proxies: they take no CPU of their own here, but each picks pods with its own in-flight counts. */
export interface Gateways {
  readonly perZone: number;
  /** After a zone is lost, its users are sent to the other zones' gateways once this much time has passed. */
  readonly failoverUs: number;
}

export interface Call {
  readonly service: number;
  readonly endpoint: number;
  readonly probability: number;
  /** Repeats, each drawn on its own with `probability`; the fraction is drawn too: 2.3 is two calls, and a third with
   *  0.3 of the probability. */
  readonly count: number;
}

export type Step =
  | { readonly kind: 'cpu'; readonly demand: Distribution }
  | { readonly kind: 'wait'; readonly delay: Distribution }
  /** The calls of one step start together and the step ends with the last reply; several steps follow one another.
   *  Within a step, a call with count > 1 makes its calls one after the other (`repeat: 'sequential'`) or all at once. */
  | { readonly kind: 'call'; readonly calls: readonly Call[]; readonly repeat: 'sequential' | 'parallel' };

export interface Endpoint {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export interface Spread {
  /** `hard`: DoNotSchedule over zones with maxSkew; `soft`: the kube-scheduler's default constraints. */
  readonly zone: 'soft' | 'hard';
  readonly maxSkew: number;
}

/** A number of pods, or a share of them. */
export type PodCount = number | `${number}%`;

/** What keeps the pods of a service, and how it replaces them when their template changes. */
export type Controller =
  | {
      readonly kind: 'Deployment';
      /** Time for which a pod must be ready before it counts as available. */
      readonly minReadyUs: number;
      readonly strategy:
        | {
            readonly type: 'RollingUpdate';
            /** Pods above the wanted number, rounded up, and pods short of it, rounded down. */
            readonly maxSurge: PodCount;
            readonly maxUnavailable: PodCount;
          }
        /** All old pods go before the first new one is made. */
        | { readonly type: 'Recreate' };
    }
  | {
      readonly kind: 'StatefulSet';
      readonly minReadyUs: number;
      readonly podManagement: 'OrderedReady' | 'Parallel';
      /** Pods below the partition keep their template; `OnDelete`: all do, until somebody deletes them. */
      readonly update: { readonly partition: number } | 'OnDelete';
    };

export interface Service {
  readonly name: string;
  /** Replicas at the start, placed by the simulated scheduler; or a fixed number per zone (index = zone). */
  readonly replicas: number;
  readonly replicasPerZone: readonly number[] | null;
  readonly requests: { readonly cpuMillicores: number; readonly memoryBytes: number };
  readonly limits: { readonly cpuMillicores: number | null; readonly memoryBytes: number | null };
  /** Memory in use per ready pod. */
  readonly memoryUseBytes: number;
  /** Requests that one pod works on at once. */
  readonly workers: number;
  /** Requests that may wait for a worker; null: unbounded. One more is refused with 503. */
  readonly queue: number | null;
  readonly holdsWorkerWhileCalling: boolean;
  readonly startUp: {
    readonly imagePull: Distribution;
    /** From container start until the application answers its probe. */
    readonly ready: Distribution;
    readonly probeInitialDelayUs: number;
    readonly probePeriodUs: number;
  };
  readonly terminationGraceUs: number;
  readonly controller: Controller;
  /** A pause before the application is told to stop, in which it goes on serving: part of the grace. */
  readonly preStopUs: number;
  /** What it does when told: answers all that still comes and then ends, or ends at once. */
  readonly onTerm: 'drain' | 'exit';
  readonly spread: Spread;
  readonly scheduling: PodScheduling;
  /** Its PodDisruptionBudget; null: none. */
  readonly disruptionBudget: {
    readonly limit: { readonly minAvailable: PodCount } | { readonly maxUnavailable: PodCount };
    readonly unhealthyPodEviction: 'IfHealthyBudget' | 'AlwaysAllow';
  } | null;
  /** Labels of the pods, by which subsets tell versions apart. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the workload, which the engine reads (`wavetank.io/...`). */
  readonly annotations: Readonly<Record<string, string>>;
  /** The service behind whose host this one runs as a further version; null: it has a host of its own. */
  readonly versionOf: number | null;
  /** The Service's own field for topology. */
  readonly trafficDistribution: 'PreferClose' | 'PreferSameZone' | 'PreferSameNode' | null;
  /** Annotation `service.kubernetes.io/topology-mode: Auto`; read by kube-proxy alone. */
  readonly topologyModeAuto: boolean;
  readonly endpoints: readonly Endpoint[];
  /** Not of the cluster: instances instead of pods, without node, CPU and autoscaler. Null: a workload. */
  readonly external: External | null;
  /** Calls of it pass a waypoint; null: none. Of ambient alone. */
  readonly waypoint: WaypointOf | null;
  /** It is a waypoint itself: what it calls is passed on, failures too. */
  readonly isWaypoint: boolean;
}

export interface WaypointOf {
  /** The service whose pods are the waypoint, and the first of its endpoints that stand for those of the called one. */
  readonly service: number;
  readonly firstEndpoint: number;
  /** Users' requests pass it, too (istio.io/ingress-use-waypoint). */
  readonly ingress: boolean;
}

/** What answers from beside the cluster's nodes: a managed database, an API on the internet, a message broker. */
export interface External {
  /** By which rules name it. */
  readonly host: string;
  /** Instances by zone (index = zone). Null: outside of every zone, as far from each. */
  readonly perZone: readonly number[] | null;
  /** Outside: the round trip from every zone; else 0. */
  readonly roundTripUs: number;
  /** tcp: pools of long-lived connections, without retries and balancing of requests. */
  readonly protocol: 'http' | 'tcp';
  /** Most connections in the pool of one caller, each with a request at a time; null: no limit. Of tcp alone. */
  readonly connectionsPerCaller: number | null;
  /** A queue of messages: its one endpoint takes them; null: none. */
  readonly queue: MessageQueue | null;
}

export interface MessageQueue {
  /** Messages that may wait; null: any number. One more is refused. */
  readonly maxLength: number | null;
  /** They compete for the messages. */
  readonly consumers: readonly Consumer[];
  /** Deliveries of one message before it counts as dead. */
  readonly attempts: number;
  /** From a failed delivery until the message may be delivered again. */
  readonly redeliveryDelayUs: number;
  /** A message that nobody has acknowledged for so long goes to another consumer; 0: only once its consumer is gone. */
  readonly visibilityTimeoutUs: number;
}

export interface Consumer {
  readonly service: number;
  readonly endpoint: number;
  /** Messages that one pod takes at once. */
  readonly concurrency: number;
}

/** Minor releases whose behaviour is simulated (Istio 1.x, Envoy 1.x, Kubernetes 1.x), where a rule has changed. */
export interface Compat {
  readonly istioMinor: number;
  readonly envoyMinor: number;
  readonly kubernetesMinor: number;
}

/** What the proxies of a mesh take. Null in a mesh: nothing. */
export interface Proxy {
  /** A proxy beside each pod, or one on each node. */
  readonly mode: 'sidecar' | 'ambient';
  /** One pass of one proxy, one way, without waiting: a fixed time and the mean of an exponential one. */
  readonly fixedUs: number;
  readonly meanUs: number;
  /** CPU of one proxy for a request and its reply. */
  readonly cpuUsPerRequest: number;
  /** Threads of one proxy. */
  readonly workers: number;
  /** What each sidecar requests of its node. */
  readonly requests: { readonly cpuMillicores: number; readonly memoryBytes: number };
}

export interface Mesh {
  /**
   * Who chooses the pod: a sidecar per request, or kube-proxy, at random, per connection. Ambient: a ztunnel likewise, of
   * waypoints too; waypoints and gateways choose per request.
   */
  readonly routing:
    | { readonly kind: 'istio' }
    | {
        readonly kind: 'kubeProxy' | 'ambient';
        /** Long-lived connections that one pod holds to a service; null: a new one for each request. */
        readonly connectionsPerCaller: number | null;
        /** Null: until they break. */
        readonly maxAgeUs: number | null;
      };
  /** DestinationRules as Istio writes them, validated as Istio validates them. Hosts are resolved to services. */
  readonly destinationRules: readonly { readonly service: number; readonly object: KubeObject }[];
  /** VirtualServices, likewise; `service` is the host that they route for. */
  readonly virtualServices: readonly { readonly service: number; readonly object: KubeObject }[];
  /** Mesh-wide `localityLbSetting` (null: Istio's default, enabled and empty). */
  readonly localityLbSetting: Readonly<Record<string, unknown>> | null;
  /** Mesh-wide `zoneAwareLbSetting` (null: none); read from Istio 1.31 on. */
  readonly zoneAwareLbSetting: Readonly<Record<string, unknown>> | null;
  /** Proxies know the pods of their own service (ISTIO_META_ENABLE_SELF_DISCOVERY). */
  readonly selfDiscovery: boolean;
  /** From a change of endpoints or rules until every proxy has it; with `debounce`, from Istiod's push on. */
  readonly propagationUs: number;
  /** How Istiod gathers changes into one push; null: each change travels alone. */
  readonly debounce: { readonly quietUs: number; readonly maxUs: number } | null;
  readonly proxy: Proxy | null;
  readonly connectTimeoutUs: number;
}

export interface RatePoint {
  readonly atUs: number;
  readonly perSecond: number;
}

export interface LoadRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface Load {
  readonly name: string;
  readonly service: number;
  readonly endpoint: number;
  /** Share of the users per zone (sums to 1), from the given time on; the first entry is at 0. */
  readonly from: readonly { readonly atUs: number; readonly shares: readonly number[] }[];
  readonly arrivals: 'poisson' | 'even';
  /** Number of users whose header or cookie a proxy may hash, each as likely; null: every request has a user of its own. */
  readonly users: number | null;
  /** What routes may ask of its requests. Applications pass the headers on to whatever they call. */
  readonly request: LoadRequest;
  /** Linear between points; two points at one time make a step; constant after the last. */
  readonly rate: readonly RatePoint[];
}

export type Fault =
  | { readonly kind: 'zoneOutage'; readonly zone: number; readonly atUs: number; readonly forUs: number | null }
  | { readonly kind: 'nodeLoss'; readonly node: number; readonly atUs: number; readonly forUs: number | null }
  /** A node is cordoned and its pods evicted as their budgets allow; at the end it takes pods again. */
  | { readonly kind: 'nodeDrain'; readonly node: number; readonly atUs: number; readonly forUs: number | null }
  /** A share of the requests that the service has worked on is answered with 500. */
  | ({ readonly kind: 'serviceFailure'; readonly service: number; readonly share: number } & FaultTimes)
  /** Round trips between two zones take longer. */
  | ({
      readonly kind: 'linkLatency';
      readonly from: number;
      readonly to: number;
      readonly addedUs: number;
    } & FaultTimes)
  /** A share of the calls between two zones never arrives: the caller gives up after the connect time-out. */
  | ({ readonly kind: 'linkLoss'; readonly from: number; readonly to: number; readonly share: number } & FaultTimes)
  /** No call between two zones arrives. The control plane still sees both. */
  | ({ readonly kind: 'zonePartition'; readonly from: number; readonly to: number } & FaultTimes)
  /** Users send a failed request again after a second, up to so many times. */
  | ({ readonly kind: 'retryStorm'; readonly load: number; readonly retries: number } & FaultTimes)
  /** The rate of a load is multiplied. */
  | ({ readonly kind: 'loadBurst'; readonly load: number; readonly times: number } & FaultTimes)
  /** Containers of so many pods (null: all) end once. */
  | ({ readonly kind: 'podCrash'; readonly service: number; readonly pods: number | null } & FaultTimes)
  /** Containers of so many pods (null: all, new ones too) end each time they have run for so long. */
  | ({
      readonly kind: 'crashLoop';
      readonly service: number;
      readonly pods: number | null;
      readonly everyUs: number;
    } & FaultTimes)
  /** So much (0..1) of the CPU time of so many pods (null: all, new ones too) is stolen by what Kubernetes does not see. */
  | ({
      readonly kind: 'slowPod';
      readonly service: number;
      readonly pods: number | null;
      readonly share: number;
    } & FaultTimes)
  /** Every container of a service uses ever more memory, and is killed at its limit. */
  | ({ readonly kind: 'memoryLeak'; readonly service: number; readonly bytesPerSecond: number } & FaultTimes)
  /** Out of order: Istiod; Prometheus; its scrapes; Prometheus and the metrics server, which go on serving old figures. */
  | ({ readonly kind: 'istiodDown' | 'prometheusOutage' | 'scrapeGap' | 'staleMetrics' } & FaultTimes)
  /** A share of the writes of autoscalers and engine to the Kubernetes API fails. */
  | ({ readonly kind: 'apiErrors'; readonly share: number } & FaultTimes)
  /** Those writes take longer. */
  | ({ readonly kind: 'apiSlow'; readonly addedUs: number } & FaultTimes);

export interface FaultTimes {
  readonly atUs: number;
  /** Null: for good. */
  readonly forUs: number | null;
  /** Time in which the fault grows from nothing to its full strength; 0: at once. */
  readonly rampUs: number;
}

/** The pod template of a service changes. What is left out is as the service declares it. */
export interface Rollout {
  readonly atUs: number;
  readonly service: number;
  /** Start-up of the new pods; null: as declared. */
  readonly imagePull: Distribution | null;
  readonly ready: Distribution | null;
  /** A bad release: its pods start and never become ready. */
  readonly neverReady: boolean;
}

/** What the monitoring knows of a service besides CPU and memory: requests answered a second, requests that wait. */
export type HpaFigure = 'requests_per_second' | 'queue_length';

/** A metric of an HPA. Amounts: millicores of CPU, bytes of memory, thousandths of a figure. */
export type HpaMetricSpec =
  | {
      readonly type: 'Resource';
      readonly resource: 'cpu' | 'memory';
      readonly target: { readonly utilizationPercent: number } | { readonly averageAmount: number };
    }
  /** Of one container of each pod: the application's, which has the name of its service, or the sidecar. */
  | {
      readonly type: 'ContainerResource';
      readonly resource: 'cpu' | 'memory';
      readonly container: 'app' | 'sidecar';
      readonly target: { readonly utilizationPercent: number } | { readonly averageAmount: number };
    }
  /** Of the pods that are scaled. */
  | { readonly type: 'Pods'; readonly figure: HpaFigure; readonly averageAmount: number }
  /** Of all pods of a service, which may be another one; or the messages that wait in a queue. */
  | {
      readonly type: 'Object' | 'External';
      readonly figure: HpaFigure;
      readonly service: number;
      readonly target: { readonly amount: number } | { readonly averageAmount: number };
    };

export interface HpaPolicy {
  readonly service: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetCpuPercent: number;
  /** In place of `targetCpuPercent`; null: that one alone. */
  readonly metrics: readonly HpaMetricSpec[] | null;
  /** `spec.behavior` as Kubernetes writes it; null: the legacy path. */
  readonly behavior: Readonly<Record<string, unknown>> | null;
}

/** Who adds and removes nodes; `nodeStart` is the time from the request of a node until it is ready. */
export type NodeAutoscaler =
  | {
      readonly kind: 'clusterAutoscaler';
      readonly nodeStart: Distribution;
      readonly scanIntervalUs: number;
      readonly expander: 'least-waste' | 'random' | 'price';
      readonly maxNodeProvisionUs: number;
      /** 0..1. */
      readonly utilizationThreshold: number;
      readonly unneededReadyUs: number;
      readonly unneededUnreadyUs: number;
      readonly delayAfterAddUs: number;
      readonly delayAfterFailureUs: number;
    }
  | {
      readonly kind: 'karpenter';
      readonly nodeStart: Distribution;
      readonly batchIdleUs: number;
      readonly batchMaxUs: number;
      readonly consolidationPolicy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized';
      /** Null: nodes stay. */
      readonly consolidateAfterUs: number | null;
      readonly budget: { readonly percent: number } | { readonly nodes: number };
    };

export interface Policy {
  readonly name: string;
  readonly why: string;
  /** With `deploymentPerZone`, min and max of the HPA are divided over the zones (rounded up). */
  readonly hpas: readonly HpaPolicy[];
  /** The Wavetank engine; null: off. */
  readonly engine: EngineConfig | null;
  /** Null: the nodes of the start are all there will be. */
  readonly nodeAutoscaler: NodeAutoscaler | null;
  /** Overrides of the world under this policy. */
  readonly destinationRules: readonly { readonly service: number; readonly object: KubeObject | null }[];
  readonly spread: readonly { readonly service: number; readonly spread: Spread }[];
  /** Services whose one Deployment is replaced by one per zone (pinned to it, with its own HPA). */
  readonly deploymentPerZone: readonly number[];
}

export interface RunSettings {
  readonly durationUs: number;
  /** Simulated before the measured part and left out of every figure. */
  readonly warmUpUs: number;
  readonly seed: number;
  readonly replications: number;
  readonly scrapeUs: number;
  /** Window over which rates are taken. */
  readonly rateWindowUs: number;
  readonly cycleUs: number;
  /** Width of one point of the time series in the result. */
  readonly seriesUs: number;
}

/** A gate as written, and where, for messages and annotations. Parsed by `scenarios/expectations.ts`. */
export interface Expectation {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something worth saying before the run, not an error: saturated input, a setting that is not modelled yet. */
export interface Notice {
  readonly code: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
}

export interface Scenario {
  readonly name: string;
  readonly why: string;
  readonly cluster: Cluster;
  readonly compat: Compat;
  readonly gateways: Gateways;
  /** The workloads, then what is external, then the queues of messages, then the waypoints. */
  readonly services: readonly Service[];
  readonly mesh: Mesh;
  readonly loads: readonly Load[];
  readonly faults: readonly Fault[];
  readonly rollouts: readonly Rollout[];
  readonly policies: readonly Policy[];
  readonly run: RunSettings;
  readonly expectations: readonly Expectation[];
  readonly notices: readonly Notice[];
}
