/**
 * From the endpoints of a service, the place of a caller and the routing objects to the table the caller's proxy routes by:
 * priority levels with their share, in each the localities with their weight, in each the healthy endpoints. A locality is
 * `region/zone/subzone`, or `region/zone` where nodes have no label for subzones.
 *
 * Two steps, as in the real system. The control plane groups endpoints by locality and gives each group a priority
 * (failover) or a weight (distribute). The proxy then weighs that by health: shares of priorities (priority.ts) and of
 * localities. Called when endpoints or rules change, never per request.
 *
 * Rules: Istio's locality load balancing and Envoy's priority, locality-weight and panic documents, read with their code.
 */
import { HOSTNAME_LABEL } from '../cluster/schedulerInput.js';
import type { EndpointAlgorithm } from './clusterPolicy.js';
import { matchesLocality, splitLocality, SUBZONE_LABEL, type Locality } from '../../engine/locality-match.js';
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
  /** `region/zone` of its node. */
  readonly zone: string;
  /** Where Istio takes it to be; left out: in its zone, and in no subzone. */
  readonly locality?: string;
  /** Empty where it stands on none. */
  readonly node: string;
  /** Ready, and not ejected by this proxy. */
  readonly healthy: boolean;
  /** Unhealthy because this proxy ejected it: then it counts in the totals at every Istio level. */
  readonly ejected?: boolean;
}

export interface RouteLocality {
  readonly locality: string;
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
   * Localities with at least one usable endpoint; with `zoneShares` every one. None: whoever lands here gets 503 "no
   * healthy upstream" (UH).
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
  readonly clientLocality: string;
  readonly clientNode: string;
  /** All endpoints that are not terminating, ready or not. */
  readonly endpoints: readonly RouteEndpoint[];
  /** `spec` of the DestinationRule that holds for the host, or null. */
  readonly destinationRule: Spec | null;
  /** Mesh-wide `localityLbSetting`; null is Istio's default (enabled, empty). */
  readonly meshSetting: Spec | null;
  /** Mesh-wide `zoneAwareLbSetting`; left out: none. */
  readonly meshZoneAware?: Spec | null;
  /** Pods of the calling service by locality; null or left out: its proxies do not know them (no self-discovery). */
  readonly callers?: ReadonlyMap<string, CallerCount> | null;
  /** The Service's `trafficDistribution`; left out: none. */
  readonly trafficDistribution?: string | null;
  /** Left out: the behaviour of the releases before 1.31. */
  readonly compat?: IstioLevel;
}

/** Envoy's own panic threshold, which stands where Istio sets none. */
const ENVOY_PANIC_THRESHOLD_PERCENT = 50;

/** Endpoints of one locality that share a priority. */
export interface Group {
  readonly locality: string;
  readonly priority: number;
  readonly weight: number;
  readonly members: readonly RouteEndpoint[];
}

export function buildRoute(input: RouteInput): Route {
  const level = input.compat ?? '<=1.30';
  const policy = trafficPolicyOf(input.destinationRule);
  const setting = effectiveLocalitySetting(input);
  const sent = sendsNotReady(input) ? input.endpoints : input.endpoints.filter(isReadyOrEjected);
  const groups = arrange(groupByLocality(sent), setting, input, level);
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
  { clientLocality, callers = null }: RouteInput,
): Route {
  const [first, ...rest] = route.priorities;
  const members = groups.filter(({ priority }) => priority === 0);
  const upstream = members.map((group) => ({ locality: group.locality, healthy: healthyCount(group) }));
  const zoneShares = callers && zoneAwareShares({ clientLocality, callers, upstream, minClusterSize });
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

function groupByLocality(endpoints: readonly RouteEndpoint[]): Group[] {
  return [...groupBy(endpoints, localityOf)].map(([locality, members]) => ({
    locality,
    priority: 0,
    weight: members.length,
    members,
  }));
}

export function localityOf({ zone, locality = zone }: Pick<RouteEndpoint, 'zone' | 'locality'>): string {
  return locality;
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function arrange(groups: Group[], setting: EffectiveLocality, input: RouteInput, level: IstioLevel): Group[] {
  switch (setting.kind) {
    case 'none':
      return groups;
    case 'distribute':
      return applyDistribute(groups, setting.distribute, input.clientLocality);
    case 'zoneAware': {
      const { failover, failoverPriority } = setting;
      const labelled = failoverPriority.length === 0 ? groups : byLabels(groups, failoverPriority, input, level);
      return regionPriorities(labelled, failover, input.clientLocality);
    }
    case 'failover': {
      const { failover, failoverPriority } = setting;
      if (failoverPriority.length === 0) return failoverPriorities(groups, failover, input.clientLocality);
      const labelled = byLabels(groups, failoverPriority, input, level);
      return failover.length === 0 ? labelled : failoverPriorities(labelled, failover, input.clientLocality);
    }
  }
}

/** A4. The first entry whose `from` matches decides; groups it does not list are gone for good. */
export function applyDistribute(
  groups: readonly Group[],
  distribute: readonly DistributeEntry[],
  clientLocality: string,
): Group[] {
  const entry = distribute.find(({ from }) => matchesLocality(from, clientLocality));
  if (entry === undefined) return [...groups];
  const listed: (Group | null)[] = groups.map(() => null);
  for (const [rule, percent] of Object.entries(entry.to)) {
    const matched = groups.flatMap((group, g) =>
      listed[g] === null && matchesLocality(rule, group.locality) ? [g] : [],
    );
    const matchedWeight = matched.reduce((sum, g) => sum + groups[g]!.weight, 0);
    // Rounding up per group over-weights a rule that spans several groups, as in the original.
    for (const g of matched)
      listed[g] = { ...groups[g]!, weight: Math.ceil((groups[g]!.weight * percent) / matchedWeight) };
  }
  return listed.filter((group) => group !== null);
}

/**
 * A5: same subzone, same zone, same region, elsewhere, elsewhere but not where `failover` points. Without labels for subzones
 * all are in the subzone "" (A3). Works inside given priorities.
 */
export function failoverPriorities(
  groups: readonly Group[],
  failover: readonly FailoverEntry[],
  clientLocality: string,
): Group[] {
  return rankByDistance(groups, failover, clientLocality, 5, (client, there, target) => {
    if (there.region !== client.region) return target !== undefined && there.region !== target ? 4 : 3;
    if (there.zone !== client.zone) return 2;
    return there.subzone === client.subzone ? 0 : 1;
  });
}

/** A11: the own region first, then where `failover` points, then the others. Works inside given priorities. */
export function regionPriorities(
  groups: readonly Group[],
  failover: readonly FailoverEntry[],
  clientLocality: string,
): Group[] {
  return rankByDistance(groups, failover, clientLocality, 3, (client, there, target) =>
    there.region === client.region ? 0 : there.region === target ? 1 : 2,
  );
}

/** `distance` gives 0 to `distances` - 1; `target` is the region to which `failover` sends those of the client's. */
function rankByDistance(
  groups: readonly Group[],
  failover: readonly FailoverEntry[],
  clientLocality: string,
  distances: number,
  distance: (client: Locality, there: Locality, target: string | undefined) => number,
): Group[] {
  const client = splitLocality(clientLocality);
  const target = failover.find(({ from }) => from === client.region)?.to;
  return compactPriorities(
    groups.map((group) => ({
      ...group,
      priority: group.priority * distances + distance(client, splitLocality(group.locality), target),
    })),
  );
}

function byLabels(
  groups: readonly Group[],
  labels: readonly string[],
  input: Pick<RouteInput, 'clientLocality' | 'clientNode'>,
  level: IstioLevel,
): Group[] {
  return failoverPriorityLabels(groups, labels, input.clientLocality, input.clientNode, level);
}

/** A6: N ordered labels; the priority is N minus the position of the first that differs. Splits groups where needed. */
export function failoverPriorityLabels(
  groups: readonly Group[],
  labels: readonly string[],
  clientLocality: string,
  clientNode: string,
  level: IstioLevel,
): Group[] {
  // `label=value` stands for all entries of that label; with a second "=" it is only the label.
  const fixed = new Map(
    labels.map((entry) => entry.split('=')).filter(({ length }) => length === 2) as [string, string][],
  );
  const names = labels.map((entry) => entry.split('=')[0]!);
  const client = splitLocality(clientLocality);
  const wanted = names.map((label) => fixed.get(label) ?? labelValue(label, client, clientNode));
  // From 1.31 on a first label `network` is a wish: a mismatch only ranks the endpoint behind all others.
  const networkIsWish = level === '>=1.31' && labels[0] === NETWORK_LABEL;
  const split = groups.flatMap(({ locality, members }) => {
    const there = splitLocality(locality);
    const distanceOn = (node: string): number => {
      const differs = (j: number): boolean => labelValue(names[j]!, there, node) !== wanted[j];
      const penalty = networkIsWish && differs(0) ? names.length : 0;
      const first = names.findIndex((_, j) => !(networkIsWish && j === 0) && differs(j));
      return penalty + (first < 0 ? 0 : names.length - first);
    };
    // Endpoints of one locality differ in their node alone: all but those on the named node are as far away as any other.
    const named = wanted[names.indexOf(HOSTNAME_LABEL)];
    const away = distanceOn(`not ${named}`);
    const here = named === undefined ? away : distanceOn(named);
    const byPriority = groupBy(members, ({ node }) => (node === named ? here : away));
    return [...byPriority].map(([priority, some]) => ({ locality, priority, weight: some.length, members: some }));
  });
  return compactPriorities(split);
}

const NETWORK_LABEL = 'topology.istio.io/network';

/** One network and one cluster are modelled, and no other labels: they are empty everywhere. */
export function labelValue(label: string, { region, zone, subzone }: Locality, node: string): string {
  switch (label) {
    case 'topology.kubernetes.io/region':
      return region;
    case 'topology.kubernetes.io/zone':
      return zone;
    case SUBZONE_LABEL:
      return subzone;
    case HOSTNAME_LABEL:
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
    locality: group.locality,
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
