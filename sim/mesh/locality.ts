/**
 * From the endpoints of a service, the zone of a caller and the routing objects to the table the caller's proxy routes by:
 * priority levels with their share, in each the zones with their weight, in each the healthy endpoints.
 *
 * Two steps, as in the real system. The control plane groups endpoints by zone and gives each group a priority (failover)
 * or a weight (distribute). The proxy then weighs that by health: shares of priorities (priority.ts) and of zones. Called
 * when endpoints or rules change, never per request.
 *
 * Rules: Istio's locality load balancing and Envoy's priority, locality-weight and panic documents, read with their code.
 */
import type { EndpointAlgorithm } from './clusterPolicy.js';
import { matchesLocality, splitZone } from '../../engine/locality-match.js';
import { overprovisionedShare, priorityState } from './priority.js';
import {
  effectiveLocalitySetting,
  hasOutlierDetection,
  trafficPolicyOf,
  type DistributeEntry,
  type EffectiveLocality,
  type FailoverEntry,
  type IstioLevel,
  type Spec,
  type TrafficPolicy,
} from './localitySetting.js';
import { zoneAwareShares, type CallerCount } from './zoneAware.js';

export type { IstioLevel } from './localitySetting.js';

export type Algorithm = EndpointAlgorithm;

export interface RouteEndpoint {
  readonly index: number;
  /** `region/zone`. */
  readonly zone: string;
  readonly node: string;
  /** Ready, and not ejected by this proxy. */
  readonly healthy: boolean;
  /** Unhealthy because this proxy ejected it: then it counts in the totals at every Istio level. */
  readonly ejected?: boolean;
}

export interface RouteLocality {
  readonly zone: string;
  /** Weight of the group as the control plane sends it (A4); the number of its endpoints unless `distribute` says more. */
  readonly weight: number;
  /** The weight after health (A7). */
  readonly effectiveWeight: number;
  /** `index` of the usable endpoints, in the order given: the healthy ones; in panic all of them. */
  readonly endpoints: readonly number[];
}

export interface RoutePriority {
  /** Integers that sum to 100 over the priorities. */
  readonly loadPercent: number;
  readonly panic: boolean;
  /**
   * Zones with at least one usable endpoint; with `zoneShares` every zone. None: whoever lands here gets 503 "no healthy
   * upstream" (UH).
   */
  readonly localities: readonly RouteLocality[];
}

export interface Route {
  readonly algorithm: Algorithm;
  /**
   * True: pick a locality by effective weight (weighted round robin), then an endpoint in it. False, or in a priority in
   * panic: the endpoints of all its localities form one pool.
   */
  readonly localityWeighted: boolean;
  /** At least one. */
  readonly priorities: readonly RoutePriority[];
  /** Zone-aware routing: shares of the first priority's localities, drawn for each request; null: there is none. */
  readonly zoneShares: readonly number[] | null;
}

export interface RouteInput {
  readonly clientZone: string;
  readonly clientNode: string;
  /** All endpoints that are not terminating, ready or not. */
  readonly endpoints: readonly RouteEndpoint[];
  /** `spec` of the DestinationRule that holds for the host, or null. */
  readonly destinationRule: Spec | null;
  /** Mesh-wide `localityLbSetting`; null is Istio's default (enabled, empty). */
  readonly meshSetting: Spec | null;
  /** Mesh-wide `zoneAwareLbSetting`; left out: none. */
  readonly meshZoneAware?: Spec | null;
  /** Pods of the calling service by zone; null or left out: its proxies do not know them (no self-discovery). */
  readonly callers?: ReadonlyMap<string, CallerCount> | null;
  /** The Service's `trafficDistribution`; left out: none. */
  readonly trafficDistribution?: string | null;
  /** Left out: the behaviour of the releases before 1.31. */
  readonly compat?: IstioLevel;
}

/** Envoy's own panic threshold, which stands where Istio sets none. */
const ENVOY_PANIC_THRESHOLD_PERCENT = 50;

/** Endpoints of one zone that share a priority. */
export interface Group {
  readonly zone: string;
  readonly priority: number;
  readonly weight: number;
  readonly members: readonly RouteEndpoint[];
}

export function buildRoute(input: RouteInput): Route {
  const level = input.compat ?? '<=1.30';
  const policy = trafficPolicyOf(input.destinationRule);
  const setting = effectiveLocalitySetting(input);
  const sent = sendsNotReady(input) ? input.endpoints : input.endpoints.filter(isReadyOrEjected);
  const groups = arrange(groupByZone(sent), setting, input, level);
  const route = {
    algorithm: algorithmOf(policy),
    localityWeighted: setting.kind === 'distribute' || (setting.kind === 'failover' && setting.explicit),
    priorities: weighByHealth(groups, panicThreshold(policy, level, hasDistribution(input))),
    zoneShares: null,
  };
  return setting.kind === 'zoneAware' ? balanceZones(route, groups, setting.minClusterSize, input) : route;
}

/** A11: only in the first priority, and not while it is in panic. */
function balanceZones(
  route: Route,
  groups: readonly Group[],
  minClusterSize: number,
  { clientZone, callers = null }: RouteInput,
): Route {
  const [first, ...rest] = route.priorities;
  const members = groups.filter(({ priority }) => priority === 0);
  const upstream = members.map((group) => ({ zone: group.zone, healthy: healthyCount(group) }));
  const zoneShares = callers && zoneAwareShares({ clientZone, callers, upstream, minClusterSize });
  if (zoneShares === null || first!.panic) return route;
  const localities = members.map((group) => routeLocality(group, false));
  return { ...route, priorities: [{ ...first!, localities }, ...rest], zoneShares };
}

/**
 * A10: before 1.31 only ready endpoints reach the proxies, but for Services with `trafficDistribution`, whatever the rule
 * says of localities. From 1.31 on all do, unless the rule wants panic: then they would be used.
 */
export function sendsNotReady(input: Pick<RouteInput, 'destinationRule' | 'trafficDistribution' | 'compat'>): boolean {
  if (hasDistribution(input)) return true;
  return input.compat === '>=1.31' && minHealthPercent(trafficPolicyOf(input.destinationRule)) === 0;
}

function hasDistribution(input: Pick<RouteInput, 'trafficDistribution'>): boolean {
  return (input.trafficDistribution ?? null) !== null;
}

/** Ejected ones were sent, and are counted. */
function isReadyOrEjected({ healthy, ejected }: RouteEndpoint): boolean {
  return healthy || ejected === true;
}

/** A9. */
function panicThreshold(policy: TrafficPolicy, level: IstioLevel, byReadiness: boolean): number {
  if (byReadiness) return 0;
  if (hasOutlierDetection(policy)) return minHealthPercent(policy);
  return level === '>=1.31' ? 0 : ENVOY_PANIC_THRESHOLD_PERCENT;
}

function minHealthPercent(policy: TrafficPolicy): number {
  return policy.outlierDetection?.minHealthPercent ?? 0;
}

function algorithmOf(policy: TrafficPolicy): Algorithm {
  const loadBalancer = policy.loadBalancer;
  const hash = loadBalancer?.consistentHash;
  if (hash !== undefined && hash !== null) return 'maglev' in hash ? 'MAGLEV' : 'RING_HASH';
  const simple = loadBalancer?.simple;
  switch (simple) {
    case undefined:
    case 'UNSPECIFIED':
    case 'LEAST_CONN':
    case 'LEAST_REQUEST':
    // PASSTHROUGH has no balancer of its own; the loader says how it is simulated.
    case 'PASSTHROUGH':
      return 'LEAST_REQUEST';
    case 'ROUND_ROBIN':
      return 'ROUND_ROBIN';
    case 'RANDOM':
      return 'RANDOM';
    default:
      throw new Error(`load balancing algorithm ${simple} is not modelled`);
  }
}

function groupByZone(endpoints: readonly RouteEndpoint[]): Group[] {
  const byZone = new Map<string, RouteEndpoint[]>();
  for (const endpoint of endpoints) {
    const members = byZone.get(endpoint.zone);
    if (members === undefined) byZone.set(endpoint.zone, [endpoint]);
    else members.push(endpoint);
  }
  return [...byZone].map(([zone, members]) => ({ zone, priority: 0, weight: members.length, members }));
}

function arrange(groups: Group[], setting: EffectiveLocality, input: RouteInput, level: IstioLevel): Group[] {
  switch (setting.kind) {
    case 'none':
      return groups;
    case 'distribute':
      return applyDistribute(groups, setting.distribute, input.clientZone);
    case 'zoneAware': {
      const { failover, failoverPriority } = setting;
      const labelled =
        failoverPriority.length === 0
          ? groups
          : failoverPriorityLabels(groups, failoverPriority, input.clientZone, input.clientNode, level);
      return regionPriorities(labelled, failover, input.clientZone);
    }
    case 'failover': {
      const { failover, failoverPriority } = setting;
      if (failoverPriority.length === 0) return failoverPriorities(groups, failover, input.clientZone);
      const labelled = failoverPriorityLabels(groups, failoverPriority, input.clientZone, input.clientNode, level);
      return failover.length === 0 ? labelled : failoverPriorities(labelled, failover, input.clientZone);
    }
  }
}

/** A4. The first entry whose `from` matches decides; groups it does not list are gone for good. */
export function applyDistribute(
  groups: readonly Group[],
  distribute: readonly DistributeEntry[],
  clientZone: string,
): Group[] {
  const entry = distribute.find(({ from }) => matchesLocality(from, clientZone));
  if (entry === undefined) return [...groups];
  const listed: (Group | null)[] = groups.map(() => null);
  for (const [rule, percent] of Object.entries(entry.to)) {
    const matched = groups.flatMap((group, g) => (listed[g] === null && matchesLocality(rule, group.zone) ? [g] : []));
    const matchedWeight = matched.reduce((sum, g) => sum + groups[g]!.weight, 0);
    // Rounding up per group over-weights a rule that spans several groups, as in the original.
    for (const g of matched)
      listed[g] = { ...groups[g]!, weight: Math.ceil((groups[g]!.weight * percent) / matchedWeight) };
  }
  return listed.filter((group) => group !== null);
}

/** A5: same zone, same region, elsewhere, elsewhere but not where `failover` points. Works inside given priorities. */
export function failoverPriorities(
  groups: readonly Group[],
  failover: readonly FailoverEntry[],
  clientZone: string,
): Group[] {
  const client = splitZone(clientZone);
  const target = failover.find(({ from }) => from === client.region);
  return compactPriorities(
    groups.map((group) => {
      const there = splitZone(group.zone);
      let distance: number;
      if (there.region === client.region) distance = there.zone === client.zone ? 0 : 2;
      else distance = target !== undefined && there.region !== target.to ? 4 : 3;
      return { ...group, priority: group.priority * 5 + distance };
    }),
  );
}

/** A11: the own region first, then where `failover` points, then the others. Works inside given priorities. */
export function regionPriorities(
  groups: readonly Group[],
  failover: readonly FailoverEntry[],
  clientZone: string,
): Group[] {
  const client = splitZone(clientZone);
  const target = failover.find(({ from }) => from === client.region);
  return compactPriorities(
    groups.map((group) => {
      const { region } = splitZone(group.zone);
      const distance = region === client.region ? 0 : region === target?.to ? 1 : 2;
      return { ...group, priority: group.priority * 3 + distance };
    }),
  );
}

/** A6: N ordered labels; the priority is N minus the position of the first that differs. Splits groups where needed. */
export function failoverPriorityLabels(
  groups: readonly Group[],
  labels: readonly string[],
  clientZone: string,
  clientNode: string,
  level: IstioLevel,
): Group[] {
  // `label=value` stands for all entries of that label; with a second "=" it is only the label.
  const fixed = new Map(
    labels.map((entry) => entry.split('=')).filter(({ length }) => length === 2) as [string, string][],
  );
  const wanted = labels.map((entry) => {
    const label = entry.split('=')[0]!;
    return { label, value: fixed.get(label) ?? labelValue(label, clientZone, clientNode) };
  });
  // From 1.31 on a first label `network` is a wish: a mismatch only ranks the endpoint behind all others.
  const networkIsWish = level === '>=1.31' && labels[0] === NETWORK_LABEL;
  const split = groups.flatMap((group) => {
    const byPriority = new Map<number, RouteEndpoint[]>();
    for (const member of group.members) {
      const priority = labelDistance(wanted, member, networkIsWish);
      const members = byPriority.get(priority);
      if (members === undefined) byPriority.set(priority, [member]);
      else members.push(member);
    }
    return [...byPriority].map(([priority, members]) => ({
      zone: group.zone,
      priority,
      weight: members.length,
      members,
    }));
  });
  return compactPriorities(split);
}

function labelDistance(
  wanted: readonly { readonly label: string; readonly value: string }[],
  endpoint: RouteEndpoint,
  networkIsWish: boolean,
): number {
  const differs = wanted.map(({ label, value }) => labelValue(label, endpoint.zone, endpoint.node) !== value);
  const penalty = networkIsWish && differs[0] === true ? wanted.length : 0;
  const first = differs.findIndex((isDifferent, j) => isDifferent && !(networkIsWish && j === 0));
  return penalty + (first < 0 ? 0 : wanted.length - first);
}

const NETWORK_LABEL = 'topology.istio.io/network';

/** One network, one cluster and no subzones are modelled, and no other labels: they are empty everywhere. */
function labelValue(label: string, zoneName: string, node: string): string {
  switch (label) {
    case 'topology.kubernetes.io/region':
      return splitZone(zoneName).region;
    case 'topology.kubernetes.io/zone':
      return splitZone(zoneName).zone;
    case 'kubernetes.io/hostname':
      return node;
    default:
      return '';
  }
}

/** 0..N without gaps; the order of groups stays. */
export function compactPriorities(groups: readonly Group[]): Group[] {
  const used = [...new Set(groups.map(({ priority }) => priority))].sort((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: used.indexOf(group.priority) }));
}

function weighByHealth(groups: readonly Group[], panicThresholdPercent: number): RoutePriority[] {
  const levels = Math.max(1, ...groups.map(({ priority }) => priority + 1));
  const byLevel = Array.from({ length: levels }, (_, level) => groups.filter(({ priority }) => priority === level));
  const state = priorityState(
    byLevel.map((level) => sumOver(level, healthyCount)),
    byLevel.map((level) => sumOver(level, ({ members }) => members.length)),
    panicThresholdPercent,
  );
  return byLevel.map((level, p) => {
    // Without any host, panic would change nothing: the answer is 503 either way.
    const panic = state.panic[p]! && level.length > 0;
    const localities = level
      .map((group) => routeLocality(group, panic))
      .filter(({ endpoints }) => endpoints.length > 0);
    return { loadPercent: state.loadPercent[p]!, panic, localities };
  });
}

function routeLocality(group: Group, panic: boolean): RouteLocality {
  return {
    zone: group.zone,
    weight: group.weight,
    effectiveWeight: group.weight * overprovisionedShare(healthyCount(group), group.members.length),
    endpoints: group.members.filter(({ healthy }) => panic || healthy).map(({ index }) => index),
  };
}

function healthyCount(group: Group): number {
  return group.members.filter(({ healthy }) => healthy).length;
}

function sumOver(groups: readonly Group[], value: (group: Group) => number): number {
  return groups.reduce((sum, group) => sum + value(group), 0);
}
