/**
 * What the scheduler is told: the pod, the nodes, the pods bound already. A caller states what matters and leaves out the
 * rest; `completeInput` fills that in once, so that filters and scores see total records.
 */
import type { Labels, LabelSelector, NodeSelectorTerm } from './selectors.js';
import { CORDON_TAINT, NOT_READY_TAINT, type Taint, type Toleration } from './taints.js';

export interface Resources {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

export interface HostPort {
  readonly protocol: string;
  readonly port: number;
  /** `0.0.0.0`: every address. */
  readonly hostIp: string;
}

/** What a node may have besides its resources. */
export interface NodeTraits {
  /** Left out: its index in the list. */
  readonly name: string;
  /** The zone's and the host's label are there in any case. */
  readonly labels: Labels;
  /** Without those of a cordon or a lost node, which follow from `schedulable` and `ready`. */
  readonly taints: readonly Taint[];
  /** The kubelet's `maxPods`. */
  readonly maxPods: number;
  readonly podCount: number;
  readonly usedPorts: readonly HostPort[];
  /** Bytes of each image that it holds. */
  readonly imageBytes: Readonly<Record<string, number>>;
}

export interface SchedulerNode extends Partial<NodeTraits> {
  /** Index of its zone. */
  readonly zone: number;
  readonly ready: boolean;
  /** False while cordoned. */
  readonly schedulable: boolean;
  readonly allocatable: Resources;
  /** Sum of the requests of the pods bound to it. */
  readonly requested: Resources;
  /** The same sum of `nonZeroRequests` of each pod; only LeastAllocated looks at it. */
  readonly nonZeroRequested: Resources;
}

export interface SpreadConstraint {
  /** `zone`, `hostname` or any label key. */
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /**
   * Whether domains with nothing but cordoned, lost or otherwise tainted nodes count. `Ignore` (the taints: the Kubernetes
   * default) counts them, so that a dead zone with no pods left pins the minimum at 0; `Honor` leaves them out.
   */
  readonly nodeTaintsPolicy: 'Ignore' | 'Honor';
  /** Left out: Honor, only nodes count that the pod's node affinity allows. */
  readonly nodeAffinityPolicy?: 'Ignore' | 'Honor';
  /** With fewer domains than this, the minimum is taken as 0. Left out: 1. */
  readonly minDomains?: number;
  /** Counts `boundPods` of the pod's namespace. Left out: the pods of `podsOfService` count, and the pod itself. */
  readonly selector?: LabelSelector;
}

export interface AffinityTerm {
  readonly selector: LabelSelector | null;
  readonly topologyKey: string;
  /** Empty: the namespace of the pod that carries the term. */
  readonly namespaces: readonly string[];
}

export interface WeightedAffinityTerm extends AffinityTerm {
  /** 1 to 100. */
  readonly weight: number;
}

export interface PodAffinity {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly WeightedAffinityTerm[];
}

/** What a pod may ask besides its resources. */
export interface PodRules {
  readonly namespace: string;
  readonly labels: Labels;
  /** It is not looked at before all of them are removed. */
  readonly schedulingGates: readonly string[];
  readonly tolerations: readonly Toleration[];
  readonly nodeSelector: Labels;
  /** One term must hold; empty: no such rule. */
  readonly nodeAffinity: readonly NodeSelectorTerm[];
  readonly preferredNodes: readonly { readonly weight: number; readonly term: NodeSelectorTerm }[];
  readonly affinity: PodAffinity;
  readonly antiAffinity: PodAffinity;
  readonly hostPorts: readonly HostPort[];
  /** Image of each container. */
  readonly images: readonly string[];
}

export interface SchedulerPod extends Partial<PodRules> {
  readonly requests: Resources;
  readonly requiredZone: number | null;
  readonly requiredNode: number | null;
  readonly preferredNode: number | null;
  /** As in the pod template; empty: the default soft constraints. */
  readonly spread: readonly SpreadConstraint[];
}

/** A pod that has its node: what spread and affinity look at. */
export interface BoundPod {
  readonly node: number;
  readonly namespace: string;
  readonly labels: Labels;
  /** Affinity still sees a pod that is being deleted, spread does not. */
  readonly terminating: boolean;
  readonly affinity: PodAffinity;
  readonly antiAffinity: PodAffinity;
}

export interface ScheduleInput {
  readonly pod: SchedulerPod;
  readonly nodes: readonly SchedulerNode[];
  /** Node index of each bound pod of the same service that is not terminating. */
  readonly podsOfService: readonly number[];
  /** Needed for affinity between pods and for spread constraints with a selector. Left out: none. */
  readonly boundPods?: readonly BoundPod[];
  /** Order in which nodes are visited (see `interleaveZones`). */
  readonly visitOrder: readonly number[];
  /** Where in that order the last search stopped. */
  readonly visitFrom: number;
  /** Draws an index in 0..n-1 uniformly; called only for ties (n > 1). */
  readonly pick: (n: number) => number;
  /** Release whose scores hold. Left out: 1.32, before the BalancedAllocation of 1.33 and 1.36. */
  readonly kubernetesMinor?: number;
}

export type TotalNode = SchedulerNode & NodeTraits;
export type TotalPod = SchedulerPod & PodRules;
export interface TotalInput extends ScheduleInput {
  readonly pod: TotalPod;
  readonly nodes: readonly TotalNode[];
  readonly boundPods: readonly BoundPod[];
  readonly kubernetesMinor: number;
}

export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const HOSTNAME_LABEL = 'kubernetes.io/hostname';
export const NO_LABELS: Labels = {};
export const NO_AFFINITY: PodAffinity = { required: [], preferred: [] };

const PLAIN_RULES: PodRules = {
  namespace: 'default',
  labels: {},
  schedulingGates: [],
  tolerations: [],
  nodeSelector: NO_LABELS,
  nodeAffinity: [],
  preferredNodes: [],
  affinity: NO_AFFINITY,
  antiAffinity: NO_AFFINITY,
  hostPorts: [],
  images: [],
};
/** The kubelet's default of `maxPods` is not used where nobody counts pods. */
const PLAIN_TRAITS = { labels: NO_LABELS, taints: [], maxPods: Infinity, podCount: 0, usedPorts: [], imageBytes: {} };

export function completeInput(input: ScheduleInput): TotalInput {
  return {
    kubernetesMinor: 32,
    boundPods: [],
    ...input,
    pod: { ...PLAIN_RULES, ...input.pod },
    nodes: input.nodes.map(completeNode),
  };
}

/** Field by field: for every pod all nodes come through here, and spreading records was most of the work. */
function completeNode(node: SchedulerNode, index: number): TotalNode {
  return {
    zone: node.zone,
    ready: node.ready,
    schedulable: node.schedulable,
    allocatable: node.allocatable,
    requested: node.requested,
    nonZeroRequested: node.nonZeroRequested,
    name: node.name ?? String(index),
    labels: node.labels ?? PLAIN_TRAITS.labels,
    taints: node.taints ?? PLAIN_TRAITS.taints,
    maxPods: node.maxPods ?? PLAIN_TRAITS.maxPods,
    podCount: node.podCount ?? PLAIN_TRAITS.podCount,
    usedPorts: node.usedPorts ?? PLAIN_TRAITS.usedPorts,
    imageBytes: node.imageBytes ?? PLAIN_TRAITS.imageBytes,
  };
}

/** Its own taints and those that its state brings. */
export function allTaints({ taints, ready, schedulable }: TotalNode): readonly Taint[] {
  if (ready && schedulable) return taints;
  return [...taints, ...(schedulable ? [] : [CORDON_TAINT]), ...(ready ? [] : [NOT_READY_TAINT])];
}

/** The node's domain under a topology key; undefined where it has no such label. */
export function domainOf(node: TotalNode, topologyKey: string): string | undefined {
  const label = labelOf(topologyKey);
  const value = node.labels[label];
  if (value !== undefined) return value;
  if (label === ZONE_LABEL) return String(node.zone);
  return label === HOSTNAME_LABEL ? node.name : undefined;
}

/** With the labels that every node has. */
export function allLabels({ zone, name, labels }: TotalNode): Labels {
  if (labels[ZONE_LABEL] !== undefined && labels[HOSTNAME_LABEL] !== undefined) return labels;
  return { [ZONE_LABEL]: String(zone), [HOSTNAME_LABEL]: name, ...labels };
}

/** The label that a topology key, long or short, stands for. */
export function labelOf(topologyKey: string): string {
  if (topologyKey === 'zone') return ZONE_LABEL;
  return topologyKey === 'hostname' ? HOSTNAME_LABEL : topologyKey;
}
