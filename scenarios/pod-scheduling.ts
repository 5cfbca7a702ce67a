/**
 * What the kube-scheduler reads of a node and of a pod besides their resources, as a scenario has it after loading: in
 * Kubernetes' own terms, every default filled in.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Requirement {
  readonly key: string;
  /** Gt and Lt only in node selector terms. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  /** Empty for Exists and DoesNotExist, one whole number for Gt and Lt. */
  readonly values: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly Requirement[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions: readonly Requirement[];
  /** Over `metadata.name`, the only field there is. */
  readonly matchFields: readonly Requirement[];
}

export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: TaintEffect;
}

export interface Toleration {
  /** Empty (with Exists): every key. */
  readonly key: string;
  readonly operator: 'Equal' | 'Exists';
  readonly value: string;
  /** Null: every effect. */
  readonly effect: TaintEffect | null;
}

export interface PodAffinityTerm {
  /** Null: nobody. */
  readonly selector: LabelSelector | null;
  readonly topologyKey: string;
}

export interface PodAffinityRules {
  readonly required: readonly PodAffinityTerm[];
  readonly preferred: readonly (PodAffinityTerm & {
    /** 1 to 100. */
    readonly weight: number;
  })[];
}

export interface TopologySpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /** Null: nobody counts. */
  readonly selector: LabelSelector | null;
  readonly minDomains: number;
  readonly nodeAffinityPolicy: 'Honor' | 'Ignore';
  readonly nodeTaintsPolicy: 'Honor' | 'Ignore';
}

export interface PodScheduling {
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  /** How long its pods stay bound to a lost node; null: for good. */
  readonly lostNodeTolerationUs: number | null;
  /** One term must hold; empty: no such rule. */
  readonly nodeAffinity: readonly NodeSelectorTerm[];
  readonly preferredNodes: readonly { readonly weight: number; readonly term: NodeSelectorTerm }[];
  readonly podAffinity: PodAffinityRules;
  readonly podAntiAffinity: PodAffinityRules;
  /** Besides the short form, `spread` of the service. */
  readonly topologySpread: readonly TopologySpreadConstraint[];
  /** Orders the scheduling queue; pods of lower priority may have to make room. */
  readonly priority: number;
  /** Null: unknown; each pod then waits for a pull of its own. */
  readonly image: { readonly name: string; readonly sizeBytes: number } | null;
  /** A new pod is not looked at before the last of them is lifted. */
  readonly gates: readonly { readonly name: string; readonly liftedAfterUs: number }[];
}

/** What admission gives every pod that says nothing of lost nodes: 300 s. */
export const DEFAULT_LOST_NODE_TOLERATION_US = 300_000_000;

/** A pod template that says nothing. */
export const PLAIN_POD_SCHEDULING: PodScheduling = {
  nodeSelector: {},
  tolerations: [],
  lostNodeTolerationUs: DEFAULT_LOST_NODE_TOLERATION_US,
  nodeAffinity: [],
  preferredNodes: [],
  podAffinity: { required: [], preferred: [] },
  podAntiAffinity: { required: [], preferred: [] },
  topologySpread: [],
  priority: 0,
  image: null,
  gates: [],
};
