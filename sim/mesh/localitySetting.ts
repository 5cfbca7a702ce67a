/**
 * Which locality rule holds for one host, and whether a rule's locality pattern matches a zone.
 *
 * Istio looks at one block only: the DestinationRule's `localityLbSetting` if there is one, else the mesh's. Nothing is
 * merged. `enabled: false` in the rule ends the search. Failover needs outlier detection, as else the proxy would never
 * learn that a nearer endpoint is bad; `distribute` does not. So adding an empty `outlierDetection` to a rule turns zone
 * preference on.
 *
 * Between the two stands the Service's `trafficDistribution`: the own zone first, then the own region, with readiness as
 * health instead of outlier detection (A1, A6). `zoneAwareLbSetting` is not modelled, nor are subsets and port-level
 * policies: the caller hands in the rule that holds for the host as a whole.
 */

export interface DistributeEntry {
  readonly from: string;
  readonly to: Readonly<Record<string, number>>;
}

export interface FailoverEntry {
  readonly from: string;
  readonly to: string;
}

export type EffectiveLocality =
  | { readonly kind: 'none' }
  | { readonly kind: 'distribute'; readonly distribute: readonly DistributeEntry[] }
  | {
      readonly kind: 'failover';
      /** True where the setting itself names `failover` or `failoverPriority`: then locality weights are on (A7). */
      readonly explicit: boolean;
      readonly failover: readonly FailoverEntry[];
      readonly failoverPriority: readonly string[];
    };

/** The parts of a DestinationRule's `trafficPolicy` that decide routes here; checked by the scenario loader. */
export interface TrafficPolicy {
  readonly loadBalancer?: {
    readonly simple?: string;
    readonly consistentHash?: object | null;
    readonly localityLbSetting?: LocalityLbSetting | null;
  };
  readonly outlierDetection?: { readonly minHealthPercent?: number } | null;
}

export interface LocalityLbSetting {
  readonly enabled?: boolean | null;
  readonly distribute?: readonly DistributeEntry[] | null;
  readonly failover?: readonly FailoverEntry[] | null;
  readonly failoverPriority?: readonly string[] | null;
}

export type Spec = Readonly<Record<string, unknown>>;

/** `meshSetting` null is Istio's default: enabled and empty. */
export function effectiveLocalitySetting(input: {
  readonly destinationRule: Spec | null;
  readonly meshSetting: Spec | null;
  /** The Service's own; left out: none. */
  readonly trafficDistribution?: string | null;
}): EffectiveLocality {
  const policy = trafficPolicyOf(input.destinationRule);
  if (isDistributed(input))
    return { kind: 'failover', explicit: true, failover: [], failoverPriority: DISTRIBUTION_LABELS };
  const setting: LocalityLbSetting = policy.loadBalancer?.localityLbSetting ?? input.meshSetting ?? {};
  if (setting.enabled === false) return { kind: 'none' };
  const distribute = setting.distribute ?? [];
  if (distribute.length > 0) return { kind: 'distribute', distribute };
  if (!hasOutlierDetection(policy)) return { kind: 'none' };
  const failover = setting.failover ?? [];
  const failoverPriority = setting.failoverPriority ?? [];
  const explicit = failover.length > 0 || failoverPriority.length > 0;
  return { kind: 'failover', explicit, failover, failoverPriority };
}

/** What Istio makes of PreferClose and PreferSameZone. */
const DISTRIBUTION_LABELS = [
  'topology.istio.io/network',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
];

/** True where the Service's `trafficDistribution` holds: a `localityLbSetting` of the rule, of any content, goes first. */
function isDistributed(input: {
  readonly destinationRule: Spec | null;
  readonly trafficDistribution?: string | null;
}): boolean {
  const own = trafficPolicyOf(input.destinationRule).loadBalancer?.localityLbSetting;
  return (input.trafficDistribution ?? null) !== null && (own === undefined || own === null);
}

export function trafficPolicyOf(destinationRule: Spec | null): TrafficPolicy {
  return (destinationRule?.['trafficPolicy'] as TrafficPolicy | null | undefined) ?? {};
}

/** Present with any content, `{}` included. */
export function hasOutlierDetection(policy: TrafficPolicy): boolean {
  return policy.outlierDetection !== undefined && policy.outlierDetection !== null;
}
