/**
 * What the control plane of the simulated cluster knows: nodes, workloads, pods, rules. Plain objects, changed a few
 * times a second at most; everything per request is in sim/world.ts. A pod has a slot there from binding to removal.
 */
import type { KubeObject, Memory, Skipped, StepInput, StepOutput } from '../../engine/types.js';
import type {
  Controller,
  Distribution,
  HpaPolicy,
  MachineType,
  NodeSpec,
  Policy,
  Spread,
} from '../../scenarios/types.js';
import type { LoggedDecision } from '../../traces/run-result.js';
import type { HpaState } from '../cluster/hpa.js';
import type { RestartState } from '../cluster/restartBackOff.js';
import type { FilterPlugin } from '../cluster/scheduler.js';
import type { TotalPod } from '../cluster/schedulerInput.js';
import type { SchedulingQueue } from '../cluster/schedulingQueue.js';
import type { CrashLoop } from './crashes.js';
import type { BudgetWatch } from './drain.js';
import type { Gathered } from './endpoints.js';
import type { NodeWaits } from './nodeScaling.js';
import type { Outages } from './outages.js';
import type { Slowdown, SlowPodFault } from './slowPods.js';
import type { Usage } from '../usage.js';
import type { World } from '../world.js';
import type { Calendar } from './calendar.js';
import type { SchedulerView } from './schedulerView.js';
import type { ServiceWaits } from './waits.js';
import type { Sensors } from './sensors.js';

export interface SimNode {
  /** Position in `fleet`. */
  readonly index: number;
  readonly spec: NodeSpec;
  /** Null: of no pool that may grow. */
  readonly machine: MachineType | null;
  /** Requested of the cloud; known to the API; given back to the cloud. */
  phase: 'requested' | 'registered' | 'gone';
  readonly requestedUs: number;
  registeredUs: number | null;
  goneUs: number | null;
  /** An autoscaler is about to remove it, without or with pods that must leave first. */
  deleting: 'empty' | 'drain' | null;
  /** When a pod last came or went; when it was ready, before any. */
  lastPodEventUs: number;
  /** Until then pending pods are meant for it (Karpenter). */
  nominatedUntilUs: number;
  /** Power is on: no fault holds the node down. Faults may overlap, so they are counted. */
  up: boolean;
  faultCount: number;
  /** Drains under way: with any, nothing new is placed here. */
  cordons: number;
  /** What the API says; follows `up` with the delay of the lease. */
  ready: boolean;
  /** Counts the losses, so that a late timer of an earlier one does nothing. */
  epoch: number;
  /** By the pods on it. */
  readonly requested: { cpuMillicores: number; memoryBytes: number };
  readonly pods: Set<SimPod>;
  /** Images by name: when the first pull of each has ended, or will. */
  readonly images: Map<string, number>;
}

export interface NodeWatch {
  /** The scheduler found no node for the pod. */
  readonly unschedulable: (pod: SimPod, nowUs: number) => void;
  readonly bound: (pod: SimPod, node: SimNode, nowUs: number) => void;
  readonly left: (node: SimNode, nowUs: number) => void;
}

/** A pod template, as far as it differs from one to the next. */
export interface Revision {
  readonly imagePull: Distribution;
  readonly ready: Distribution;
  /** A bad release. */
  readonly neverReady: boolean;
}

export interface SimReplicaSet {
  readonly revision: Revision;
  /** What it is asked for. */
  replicas: number;
}

export interface SimDeployment {
  readonly kind: 'Deployment';
  readonly minReadyUs: number;
  readonly strategy: Extract<Controller, { kind: 'Deployment' }>['strategy'];
  /** Oldest first; the last one is of the newest template. */
  sets: SimReplicaSet[];
  /** The number wanted when it last looked. */
  desiredBefore: number;
}

export interface SimStatefulSet {
  readonly kind: 'StatefulSet';
  readonly minReadyUs: number;
  readonly podManagement: 'OrderedReady' | 'Parallel';
  readonly update: { readonly partition: number } | 'OnDelete';
  /** The template of the pods below the partition: the last that all pods had. */
  settled: Revision;
  /** Where the engine wants pods that are still to be made. */
  places: Place[];
}

/** Where a decision wants a pod: preferred node in a required zone. */
export interface Place {
  readonly node: string;
  readonly zone: number;
}

/** `wanted`: places for new pods; `victims`: names of pods to go first. */
export interface SyncHints {
  readonly wanted?: readonly Place[];
  readonly victims?: readonly string[];
}

/** A rollout of one workload. */
export interface Rollout {
  readonly workload: SimWorkload;
  readonly revision: Revision;
  readonly startedUs: number;
  /** When it had finished, or the next one took over. */
  endedUs: number | null;
  isFinished: boolean;
  fewestAvailable: number;
  mostPods: number;
}

export interface SimWorkload {
  readonly index: number;
  readonly name: string;
  /** Internal index (see sim/program.ts). */
  readonly service: number;
  /** Every pod must run in this zone; null: anywhere. */
  readonly pinnedZone: number | null;
  readonly spread: Spread;
  desired: number;
  podsMade: number;
  readonly pods: SimPod[];
  /** The pod template as it is now. */
  revision: Revision;
  readonly controller: SimDeployment | SimStatefulSet;
  /** One pass of the controller; called by `reconcile`. */
  readonly sync: (sim: Sim, workload: SimWorkload, nowUs: number, hints: SyncHints) => void;
  syncPlanned: boolean;
  /** The last one; null: none yet. */
  rollout: Rollout | null;
  readonly hpa: {
    readonly policy: HpaPolicy;
    readonly minReplicas: number;
    readonly maxReplicas: number;
    state: HpaState;
  } | null;
}

export interface SimPod {
  /** Ordinal over all pods of the run: the stable key of every list of pods. */
  readonly uid: number;
  readonly name: string;
  readonly workload: SimWorkload;
  /** The number in its name. */
  readonly ordinal: number;
  /** The how-manieth pod of its workload it is, from 0: the key of its start-up times. */
  readonly made: number;
  readonly revision: Revision;
  readonly createdUs: number;
  node: SimNode | null;
  /** Slot in the world; -1 until bound and after removal. */
  slot: number;
  /** It waits for the engine to place it. */
  gated: boolean;
  /** When the last gate of its template is lifted. */
  heldUntilUs: number;
  /** The scheduler has it in its queue. */
  queued: boolean;
  /** What the scheduler answered last, where it found no node. */
  rejection: {
    readonly message: string;
    readonly by: ReadonlySet<FilterPlugin>;
    readonly asked: TotalPod;
  } | null;
  /** What it waits for, as the record will say. */
  wait: { readonly message: string; readonly sinceUs: number } | null;
  /** Where a decision wants it. */
  wanted: Place | null;
  startedUs: number | null;
  ready: boolean;
  readyAtUs: number | null;
  /** When `serving` (as the proxies will see it) last changed. */
  endpointChangedUs: number;
  /** In the endpoints as the API has them. */
  endpoint: boolean;
  deletedUs: number | null;
  /** Its process runs no more. */
  dead: boolean;
  /** Times that its container was started again, and the kubelet's back-off. */
  restarts: number;
  /** When its budget last allowed an eviction; null: never. */
  evictionAllowedUs: number | null;
  restartState: RestartState | null;
}

export interface Sim {
  readonly world: World;
  readonly policy: Policy;
  readonly calendar: Calendar;
  readonly endUs: number;
  /** Nodes that the API has, in the order in which they came. */
  readonly nodes: SimNode[];
  /** Every machine there has been, by its index. */
  readonly fleet: SimNode[];
  /** The scheduler found no node for a pod; null: nobody may be preempted. */
  onUnschedulable: ((pod: SimPod, nowUs: number) => void) | null;
  /** What a node autoscaler hears of pods and nodes; null: there is none. */
  nodeWatch: NodeWatch | null;
  readonly nodeWaits: NodeWaits;
  /** Zones in which no new node is of use (sim/control/drill.ts). */
  readonly closedZones: Set<number>;
  readonly workloads: SimWorkload[];
  readonly pods: Set<SimPod>;
  /** Pods without a node, in the order in which they were made. */
  readonly unscheduled: SimPod[];
  readonly scheduler: {
    readonly view: SchedulerView;
    readonly queue: SchedulingQueue<SimPod>;
    /** The next look at the queue that is planned; Infinity: none. */
    lookAtUs: number;
    /** Nodes that are kept for pods whose victims are to leave them (sim/control/preempting.ts). */
    readonly nominated: Map<SimPod, { readonly node: SimNode; readonly victims: readonly SimPod[] }>;
    /** By internal service index. */
    readonly waits: readonly ServiceWaits[];
  };
  /** While the pods of the start are set up: they are ready at once. */
  starting: boolean;
  /** By internal service index: new pods wait for the engine to place them. */
  readonly gatesPods: readonly boolean[];
  /** The engine is dead: it decides nothing more. */
  engineStopped: boolean;
  /** DestinationRule in force by internal service index. */
  readonly rules: (KubeObject | null)[];
  readonly routeVersion: Int32Array;
  /** Zones whose users are sent elsewhere. */
  readonly zonesDown: Set<number>;
  /** Outages under way by zone, and how many there have been. */
  readonly zoneOutages: { underWay: number; begun: number }[];
  readonly outages: Outages;
  readonly gathered: Gathered;
  readonly budgets: BudgetWatch[];
  readonly crashLoops: Set<CrashLoop>;
  /** Faults that steal CPU time now. */
  readonly slowdowns: Map<SlowPodFault, Slowdown>;
  /** Called when a container starts. */
  onStart: ((pod: SimPod, startUs: number) => void) | null;
  /** Called when a pod becomes ready, ceases to be, or is gone; null: nobody asks. */
  onPodChange: ((workload: SimWorkload, nowUs: number) => void) | null;
  readonly rollouts: Rollout[];
  readonly sensors: Sensors;
  readonly usage: Usage;
  memory: Memory;
  podsMade: number;
  readonly decisions: { readonly atUs: number; readonly entry: LoggedDecision }[];
  readonly skipped: { readonly atUs: number; readonly skipped: Skipped }[];
  readonly lastSkip: Map<string, string>;
  readonly onStep: ((step: EngineStep) => void) | null;
  /** Called when a gated pod appears. */
  onGated: ((nowUs: number) => void) | null;
}

export interface EngineStep {
  readonly atMs: number;
  readonly input: StepInput;
  readonly output: StepOutput;
}
