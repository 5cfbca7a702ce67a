/**
 * Which locality rule holds for one host, and whether a rule's locality pattern matches a zone.
 *
 * Istio looks at one block only: the DestinationRule's `localityLbSetting` if there is one, else the mesh's. Nothing is
 * merged. `enabled: false` in the rule ends the search. Failover needs outlier detection, as else the proxy would never
 * learn that a nearer endpoint is bad; `distribute` does not. So adding an empty `outlierDetection` to a rule turns zone
 * preference on.
 *
 * Between the two stands the Service's `trafficDistribution`: the own zone first (or the own node, then its subzone and its
 * zone), then the own region, with readiness as health instead of outlier detection (A1, A6). From 1.31 on,
 * `zoneAwareLbSetting` goes before `localityLbSetting`, in the rule as in the mesh; releases before do not know it.
 * Port-level policies are not modelled, and the caller hands in the rule that holds for the host or version as a whole.
 */
import { MIN_CLUSTER_SIZE } from './zoneAware.js';

/** Behaviour that changed with Istio 1.31: not-ready endpoints are sent and count as unhealthy, and panic is always off. */
export type IstioLevel = '<=1.30' | '>=1.31';

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
  /** Zones are balanced by the proxy (A11); regions are ranked here, with or without outlier detection. */
  | {
      readonly kind: 'zoneAware';
      readonly failover: readonly FailoverEntry[];
      readonly failoverPriority: readonly string[];
      readonly minClusterSize: number;
    }
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
    readonly zoneAwareLbSetting?: ZoneAwareLbSetting | null;
  };
  readonly outlierDetection?: { readonly minHealthPercent?: number } | null;
}

export interface LocalityLbSetting {
  readonly enabled?: boolean | null;
  readonly distribute?: readonly DistributeEntry[] | null;
  readonly failover?: readonly FailoverEntry[] | null;
  readonly failoverPriority?: readonly string[] | null;
}

export interface ZoneAwareLbSetting {
  readonly enabled?: boolean | null;
  readonly failover?: readonly FailoverEntry[] | null;
  readonly failoverPriority?: readonly string[] | null;
  readonly minClusterSize?: number | null;
}

export type Spec = Readonly<Record<string, unknown>>;

export interface SettingInput {
  readonly destinationRule: Spec | null;
  /** Null is Istio's default: enabled and empty. */
  readonly meshSetting: Spec | null;
  /** Mesh-wide `zoneAwareLbSetting`; left out: none. */
  readonly meshZoneAware?: Spec | null;
  /** The Service's own; left out: none. */
  readonly trafficDistribution?: string | null;
  /** Left out: the behaviour of the releases before 1.31. */
  readonly compat?: IstioLevel;
}

export function effectiveLocalitySetting(input: SettingInput): EffectiveLocality {
  const policy = trafficPolicyOf(input.destinationRule);
  const zoneAware = zoneAwareOf(input);
  if (zoneAware) return zoneAwareSetting(zoneAware);
  if (isDistributed(input)) {
    const failoverPriority = distributionLabels(input.trafficDistribution!);
    return { kind: 'failover', explicit: true, failover: [], failoverPriority };
  }
  const ofMesh = input.compat === '>=1.31' && !hasOwnLocality(policy) ? (input.meshZoneAware ?? null) : null;
  if (ofMesh) return zoneAwareSetting(ofMesh);
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

/** What Istio makes of a `trafficDistribution`: the labels that callers and pods should share, the first one first (A6). */
export function distributionLabels(distribution: string): readonly string[] {
  return distribution === 'PreferSameNode' ? SAME_NODE_LABELS : SAME_ZONE_LABELS;
}

const SAME_ZONE_LABELS = ['topology.istio.io/network', 'topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];
const SAME_NODE_LABELS = [...SAME_ZONE_LABELS, 'topology.istio.io/subzone', 'kubernetes.io/hostname'];

/** True where the Service's `trafficDistribution` holds: a `localityLbSetting` of the rule, of any content, goes first. */
function isDistributed(input: Pick<SettingInput, 'destinationRule' | 'trafficDistribution' | 'compat'>): boolean {
  if ((input.trafficDistribution ?? null) === null) return false;
  return !hasOwnLocality(trafficPolicyOf(input.destinationRule)) && zoneAwareOf(input) === null;
}

function hasOwnLocality({ loadBalancer }: TrafficPolicy): boolean {
  return (loadBalancer?.localityLbSetting ?? null) !== null;
}

/** The rule's own zone-aware setting, where the release knows it. */
function zoneAwareOf(input: Pick<SettingInput, 'destinationRule' | 'compat'>): ZoneAwareLbSetting | null {
  if (input.compat !== '>=1.31') return null;
  return trafficPolicyOf(input.destinationRule).loadBalancer?.zoneAwareLbSetting ?? null;
}

/** Switched off, it ends the search as `localityLbSetting` does. */
function zoneAwareSetting(setting: ZoneAwareLbSetting): EffectiveLocality {
  if (setting.enabled === false) return { kind: 'none' };
  return {
    kind: 'zoneAware',
    failover: setting.failover ?? [],
    failoverPriority: setting.failoverPriority ?? [],
    minClusterSize: setting.minClusterSize ?? MIN_CLUSTER_SIZE,
  };
}

export function trafficPolicyOf(destinationRule: Spec | null): TrafficPolicy {
  return (destinationRule?.['trafficPolicy'] as TrafficPolicy | null | undefined) ?? {};
}

/** Present with any content, `{}` included. */
export function hasOutlierDetection(policy: TrafficPolicy): boolean {
  return policy.outlierDetection !== undefined && policy.outlierDetection !== null;
}
