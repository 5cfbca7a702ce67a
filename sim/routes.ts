/**
 * Writes the routes of a service into the tables that sim/pick.ts reads: for every edge that leads to it and every zone
 * with callers, what `buildRoute` (sim/mesh/locality.ts) makes of the endpoints and the DestinationRule in force. Runs
 * whenever endpoints or rules have changed and the change has reached the proxies.
 */
import type { ComplexRoute, WarmSchedule } from './pick.js';
import { usableEndpoints, type EndpointHints } from './cluster/kubeProxy.js';
import { readClusterPolicy } from './mesh/clusterPolicy.js';
import { edfSlots, edfStart } from './mesh/edf.js';
import { warmFactor, type WarmUp } from './mesh/warmUp.js';
import { maglevTable, ringTable } from './mesh/hashTable.js';
import { buildRoute, sendsNotReady as reachesProxies, type Route, type RouteEndpoint } from './mesh/locality.js';
import type { OutlierState } from './mesh/outlierState.js';
import { effectiveLocalitySetting, type SettingInput } from './mesh/localitySetting.js';
import type { CallerCount } from './mesh/zoneAware.js';
import type { Service } from '../scenarios/types.js';
import type { Program } from './program.js';
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from './random.js';
import {
  POD_SERVING,
  ROUTE_COMPLEX,
  ROUTE_CONNECTED,
  ROUTE_HASHED,
  ROUTE_LEAST_REQUEST,
  ROUTE_NONE,
  ROUTE_POOLED,
  ROUTE_RANDOM,
  ROUTE_ROUND_ROBIN,
  type World,
} from './world.js';

const ALGORITHMS = {
  LEAST_REQUEST: ROUTE_LEAST_REQUEST,
  ROUND_ROBIN: ROUTE_ROUND_ROBIN,
  RANDOM: ROUTE_RANDOM,
  RING_HASH: ROUTE_HASHED,
  MAGLEV: ROUTE_HASHED,
} as const;

export interface RouteChange {
  readonly service: number;
  readonly endpoints: readonly RouteEndpoint[];
  readonly destinationRule: Readonly<Record<string, unknown>> | null;
  /** Without a mesh: the hints of the endpoints, by name (their index). */
  readonly hints: ReadonlyMap<string, EndpointHints>;
  /** Counts the changes of this service: proxies start a new schedule with each. */
  readonly version: number;
}

export function writeRoutes(world: World, change: RouteChange): void {
  const { program } = world;
  const { cluster } = program.scenario;
  // Before 1.31 only ready endpoints reach the proxies (SEMANTICS A10).
  const listed = sendsNotReady(world, change.service) && reachesProxies(settingInput(world, change));
  const known = change.endpoints.filter((endpoint) => endpoint.healthy || listed);
  noteSeen(world, change);
  world.routeInputs[change.service] = { ...change, hostCount: known.length };
  const writeEdge = (edge: number, routes: readonly Route[]): void =>
    routes.forEach((route, zone) => {
      writeRoute(world, edge, zone, route, change.version);
      if (world.breakers[edge]?.isPool) poolRoute(world, edge * cluster.zones.length + zone);
    });
  const edges = edgesTo(world, change.service).filter((edge) => program.balancesRequests[program.edgeSource[edge]!]);
  for (const edge of edgesTo(world, change.service))
    if (!edges.includes(edge))
      writeEdge(
        edge,
        cluster.zones.map((zone) => connectionRoute(world, change, zone.name)),
      );
  if (!knowsCallers(world) || !balancesZones(world, change)) {
    const routes = cluster.zones.map((zone) => routeFrom(world, change, zone.name, change.endpoints, null));
    for (const edge of edges) writeEdge(edge, routes);
    return;
  }
  // Each caller looks at its own siblings, and its own change is felt where it calls.
  for (const edge of edges) {
    const callers = callersOf(world, edge);
    writeEdge(
      edge,
      cluster.zones.map((zone) => routeFrom(world, change, zone.name, change.endpoints, callers)),
    );
  }
}

function edgesTo({ program }: World, service: number): number[] {
  return Array.from({ length: program.edgeCount }, (_, edge) => edge).filter(
    (edge) => program.edgeDestination[edge] === service,
  );
}

/** Whether proxies know the pods of their own service, as zone-aware routing needs it (A11). */
export function knowsCallers({ program }: World): boolean {
  const { mesh, compat } = program.scenario;
  return mesh.selfDiscovery && compat.istioMinor >= 31 && mesh.routing.kind === 'istio';
}

export function balancesZones(world: World, change: RouteChange): boolean {
  return effectiveLocalitySetting(settingInput(world, change)).kind === 'zoneAware';
}

function settingInput(world: World, change: RouteChange): SettingInput {
  const { mesh, compat } = world.program.scenario;
  return {
    destinationRule: change.destinationRule,
    meshSetting: mesh.localityLbSetting,
    meshZoneAware: mesh.zoneAwareLbSetting,
    trafficDistribution: world.program.services[change.service]!.trafficDistribution,
    compat: compat.istioMinor >= 31 ? '>=1.31' : '<=1.30',
  };
}

/** Pods of the host that the calling service belongs to, by zone; gateways that serve. */
function callersOf(world: World, edge: number): ReadonlyMap<string, CallerCount> {
  const { program } = world;
  const { zones } = program.scenario.cluster;
  const source = program.edgeSource[edge]!;
  const callers = new Map<string, { total: number; healthy: number }>();
  const count = (zone: string, isHealthy: boolean): void => {
    const found = callers.get(zone) ?? { total: 0, healthy: 0 };
    callers.set(zone, { total: found.total + 1, healthy: found.healthy + (isHealthy ? 1 : 0) });
  };
  if (source === program.gateway) {
    for (let pod = world.podBase[source]!; pod < world.podCount; pod++)
      if (world.podState[pod] === POD_SERVING) count(zones[world.podZone[pod]!]!.name, true);
    return callers;
  }
  for (const service of versionsOf(program, source))
    for (const { zone, healthy } of world.routeInputs[service]?.endpoints ?? []) count(zone, healthy);
  return callers;
}

/** Services behind whose host `service` stands, itself among them. */
export function versionsOf(program: Program, service: number): number[] {
  const hostOf = (index: number): number => program.services[index]!.versionOf ?? program.order[index]!;
  return program.services.flatMap((_, index) => (hostOf(index) === hostOf(service) ? [index] : []));
}

/** Connections of a pool are opened by the route; requests take those that are there. */
function poolRoute(world: World, at: number): void {
  if (world.routeKind[at] === ROUTE_NONE) return;
  world.pooledKind[at] = world.routeKind[at]!;
  world.routeKind[at] = ROUTE_POOLED;
}

/** The route of one proxy that has ejected pods; its numbers by caller stand at slot 0. */
export function writeOwnRoute(world: World, edge: number, caller: number, state: OutlierState): ComplexRoute {
  const { program } = world;
  const input = world.routeInputs[program.edgeDestination[edge]!]!;
  const zone = world.podZone[world.podBase[program.edgeSource[edge]!]! + caller]!;
  const base = world.podBase[program.edgeDestination[edge]!]!;
  const endpoints = input.endpoints.map((endpoint) => {
    const ejected = state.ejectedAtUs[caller * state.capacity + endpoint.index - base]! >= 0;
    return ejected ? { ...endpoint, healthy: false, ejected: true } : endpoint;
  });
  const callers = knowsCallers(world) ? callersOf(world, edge) : null;
  const route = routeFrom(world, input, program.scenario.cluster.zones[zone]!.name, endpoints, callers);
  return complexRoute(world, 1, edge, route, input, input.version + caller, caller);
}

function routeFrom(
  world: World,
  change: RouteChange,
  clientZone: string,
  endpoints: readonly RouteEndpoint[],
  callers: ReadonlyMap<string, CallerCount> | null,
): Route {
  return buildRoute({ clientZone, clientNode: '', endpoints, callers, ...settingInput(world, change) });
}

/** Whether pods that are not ready may be endpoints for the proxies (A10); a rule can still keep them back. */
export function sendsNotReady(world: World, service: number): boolean {
  const { mesh, compat } = world.program.scenario;
  if (mesh.routing.kind === 'kubeProxy') return false;
  return compat.istioMinor >= 31 || world.program.services[service]!.trafficDistribution !== null;
}

/** What kube-proxy or a ztunnel makes of the endpoints, on the nodes of a zone: any of those it may use, at random. */
function connectionRoute(world: World, change: RouteChange, clientZone: string): Route {
  const { scenario, services } = world.program;
  const usable =
    scenario.mesh.routing.kind === 'ambient'
      ? nearest(change.endpoints, services[change.service]!.trafficDistribution, clientZone)
      : hinted(change, clientZone);
  const weight = usable.length;
  const locality = { zone: clientZone, weight, effectiveWeight: weight, endpoints: usable.map(({ index }) => index) };
  const localities = usable.length > 0 ? [locality] : [];
  return {
    algorithm: 'RANDOM',
    localityWeighted: false,
    priorities: [{ loadPercent: 100, panic: false, localities }],
    zoneShares: null,
  };
}

/** Of a Service with `trafficDistribution` a ztunnel takes the ready endpoints of its zone, else region, else all. */
function nearest(
  endpoints: readonly RouteEndpoint[],
  distribution: Service['trafficDistribution'],
  clientZone: string,
): readonly { readonly index: number }[] {
  const ready = endpoints.filter(({ healthy }) => healthy);
  if (distribution === null) return ready;
  const rankOf = ({ zone }: RouteEndpoint): number =>
    zone === clientZone ? 0 : zone.split('/')[0] === clientZone.split('/')[0] ? 1 : 2;
  const best = Math.min(...ready.map(rankOf));
  return ready.filter((endpoint) => rankOf(endpoint) === best);
}

function hinted(change: RouteChange, clientZone: string): readonly { readonly index: number }[] {
  const endpoints = change.endpoints.map(({ index, zone, node, healthy }) => ({
    index,
    name: `${index}`,
    zone,
    node,
    ready: healthy,
    serving: healthy,
    terminating: false,
  }));
  // Hints for single nodes are not made, so any node of the zone will do.
  return usableEndpoints(endpoints, change.hints, { node: '', zone: clientZone }, 'Cluster');
}

function writeRoute(world: World, edge: number, zone: number, route: Route, version: number): void {
  const { program } = world;
  const at = edge * program.scenario.cluster.zones.length + zone;
  const loaded = route.priorities.filter((priority) => priority.loadPercent > 0);
  world.routeComplex[at] = null;
  if (loaded.every((priority) => priority.localities.length === 0)) {
    world.routeKind[at] = ROUTE_NONE;
    return;
  }
  const isHashed = ALGORITHMS[route.algorithm] === ROUTE_HASHED;
  const change = world.routeInputs[program.edgeDestination[edge]!]!;
  const isPlain = !isHashed && warmingUp(world, change) === null;
  const only = loaded.length === 1 && isPlain ? loaded[0]! : null;
  const isPool = route.zoneShares === null && (!route.localityWeighted || only?.panic);
  if (only && (isPool || only.localities.length === 1)) {
    const hosts = only.localities.flatMap((locality) => locality.endpoints);
    world.routeKind[at] = world.longLived[edge] === null ? ALGORITHMS[route.algorithm] : ROUTE_CONNECTED;
    world.routeHostCount[at] = hosts.length;
    hosts.forEach((host, i) => (world.hosts[world.routeHosts[at]! + i] = host));
    restartRotation(world, edge, version);
    return;
  }
  world.routeKind[at] = ROUTE_COMPLEX;
  world.routeComplex[at] = complexRoute(
    world,
    world.podCapacity[program.edgeSource[edge]!]!,
    edge,
    route,
    change,
    version,
  );
}

/** ROUND_ROBIN starts at a random place after every change, in each proxy on its own (A12). */
function restartRotation(world: World, edge: number, version: number): void {
  const base = seedWord(world.seed, `rotation/${version}`);
  for (let row = world.rotationBase[edge]!; row < world.rotationBase[edge + 1]!; row++) {
    world.rotation[row] = mix(base + Math.imul(row, GOLDEN)) >>> 8;
  }
}

function complexRoute(
  world: World,
  callers: number,
  edge: number,
  route: Route,
  change: RouteChange,
  version: number,
  firstCaller = 0,
): ComplexRoute {
  const loadBelow: number[] = [];
  const localityEnd: number[] = [];
  const weight: number[] = [];
  const hostStart: number[] = [];
  const hostEnd: number[] = [];
  const hosts: number[] = [];
  let below = 0;
  for (const priority of route.priorities) {
    if (priority.loadPercent === 0) continue;
    below += priority.loadPercent;
    loadBelow.push(below);
    for (const locality of priority.localities) {
      weight.push(locality.effectiveWeight);
      hostStart.push(hosts.length);
      hosts.push(...locality.endpoints);
      hostEnd.push(hosts.length);
    }
    localityEnd.push(weight.length);
  }
  const localities = weight.length;
  const weights = Float64Array.from(weight);
  const sizes = localityEnd.map((end, i) => end - (localityEnd[i - 1] ?? 0));
  const scheduleAt = Int32Array.from(sizes, (_, i) => sizes.slice(0, i).reduce((at, size) => at + edfSlots(size), 0));
  const scheduleSlots = sizes.reduce((sum, size) => sum + edfSlots(size), 0);
  const schedule = new Float64Array(callers * scheduleSlots);
  const rotation = new Int32Array(callers * localities);
  const base = seedWord(world.seed, `schedule/${version}`);
  for (let caller = 0; caller < callers; caller++) {
    const word = mix(base + Math.imul(edge * callers + caller, GOLDEN));
    sizes.forEach((size, i) => {
      const start = (mix(word + i) >>> 0) * TWO_TO_MINUS_32;
      edfStart(schedule, caller * scheduleSlots + scheduleAt[i]!, weights, localityEnd[i]! - size, size, start);
    });
    for (let locality = 0; locality < localities; locality++) {
      rotation[caller * localities + locality] = mix(word - 1 - locality) >>> 8;
    }
  }
  return {
    algorithm: ALGORITHMS[route.algorithm],
    localityWeighted: route.localityWeighted,
    loadBelow: Int32Array.from(loadBelow),
    localityEnd: Int32Array.from(localityEnd),
    weight: weights,
    hostStart: Int32Array.from(hostStart),
    hostEnd: Int32Array.from(hostEnd),
    hosts: Int32Array.from(hosts),
    schedule,
    scheduleSlots,
    scheduleAt,
    rotation,
    zoneBelow: zoneBelow(route),
    warm: warmSchedule(world, edge, route, change, {
      callers,
      firstCaller,
      base,
      hostStart,
      hostEnd,
      hosts,
      localityEnd,
    }),
    hash: hashOf(world, edge, route, change),
  };
}

function zoneBelow({ priorities, zoneShares }: Route): Float64Array | null {
  if (zoneShares === null || priorities[0]!.loadPercent === 0) return null;
  let sum = 0;
  return Float64Array.from(zoneShares, (share) => (sum += share) / TWO_TO_MINUS_32);
}

/** Who is new to the proxies starts its warm-up now; pods of the first route have been there all along. */
function noteSeen(world: World, change: RouteChange): void {
  const before = world.routeInputs[change.service];
  if (!before) return;
  const known = new Set(before.endpoints.filter(({ healthy }) => healthy).map(({ index }) => index));
  for (const { index, healthy } of change.endpoints) {
    if (healthy && !known.has(index)) world.hostSeenUs[index] = world.nowUs;
  }
}

/** The warm-up in force while any endpoint is in it, else null. Envoy knows none for the other algorithms. */
function warmingUp(world: World, change: RouteChange): WarmUp | null {
  const { warmup, algorithm } = readClusterPolicy(change.destinationRule, null);
  if (warmup === null || (algorithm !== 'LEAST_REQUEST' && algorithm !== 'ROUND_ROBIN')) return null;
  const latestUs = Math.max(...change.endpoints.map(({ index }) => world.hostSeenUs[index]!));
  return world.nowUs - latestUs <= warmup.windowUs ? warmup : null;
}

interface HostLayout {
  readonly callers: number;
  /** Slot of the first caller in its service. */
  readonly firstCaller: number;
  readonly base: number;
  readonly hostStart: readonly number[];
  readonly hostEnd: readonly number[];
  readonly hosts: readonly number[];
  readonly localityEnd: readonly number[];
}

function warmSchedule(
  world: World,
  edge: number,
  route: Route,
  change: RouteChange,
  layout: HostLayout,
): WarmSchedule | null {
  const policy = warmingUp(world, change);
  if (policy === null) return null;
  const { hosts, hostStart, hostEnd, localityEnd, callers } = layout;
  const sinceUs = Float64Array.from(hosts, (host) => world.hostSeenUs[host]!);
  // What one pick chooses among: a zone where zones are weighed, else all of a priority.
  const ends = localityEnd.map((end, p) => [hostStart[localityEnd[p - 1] ?? 0] ?? 0, hostEnd[end - 1] ?? 0] as const);
  const zones = hostStart.map((start, i) => [start, hostEnd[i]!] as const);
  const pools = zoneBelow(route) === null ? ends : [...zones.slice(0, localityEnd[0]), ...ends.slice(1)];
  const sets = route.localityWeighted ? zones : pools;
  const at = new Int32Array(hosts.length);
  let slots = 0;
  for (const [start, end] of sets) {
    if (end <= start) continue;
    at[start] = slots;
    slots += edfSlots(end - start);
  }
  const state = new Float64Array(callers * slots);
  const weights = new Float64Array(hosts.length);
  const capacity = world.podCapacity[change.service]!;
  for (let caller = 0; caller < callers; caller++) {
    const row = world.connectionBase[edge]! + (layout.firstCaller + caller) * capacity - world.podBase[change.service]!;
    hosts.forEach((host, i) => {
      const active = route.algorithm === 'LEAST_REQUEST' ? world.connectionActive[row + host]! : 0;
      weights[i] = warmFactor(world.nowUs - sinceUs[i]!, policy) / (active + 1);
    });
    for (const [start, end] of sets) {
      if (end <= start) continue;
      const uniform = (mix(layout.base + Math.imul(edge * callers + caller, GOLDEN) + start) >>> 0) * TWO_TO_MINUS_32;
      edfStart(state, caller * slots + at[start]!, weights, start, end - start, uniform);
    }
  }
  return { policy, sinceUs, state, slots, at };
}

/** The tables of consistent hashing, by priority with load. Weights of zones, where they hold, are shared by their pods. */
function hashOf(world: World, edge: number, route: Route, change: RouteChange): ComplexRoute['hash'] {
  if (ALGORITHMS[route.algorithm] !== ROUTE_HASHED) return null;
  const { hash } = readClusterPolicy(change.destinationRule, null);
  if (hash === null) throw new Error('a hashing balancer without consistentHash');
  const loaded = route.priorities.filter((priority) => priority.loadPercent > 0);
  const tables = loaded.map(({ localities }) => {
    const hosts = localities.flatMap(({ weight, endpoints }) =>
      endpoints.map((host) => ({
        host,
        identity: world.podIdentity[host]!,
        weight: route.localityWeighted ? weight / endpoints.length : 1,
      })),
    );
    if (hosts.length === 0) return null;
    return route.algorithm === 'MAGLEV' ? maglevTable(hosts, hash.size) : ringTable(hosts, hash.size);
  });
  // Users come through the gateways from addresses of their own.
  const fromPods = world.program.edgeSource[edge] !== world.program.gateway;
  return { tables, bySource: hash.by === 'source' && fromPods };
}
