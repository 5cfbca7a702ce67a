/**
 * Writes the routes of a service into tables (sim/routeTables.ts): for every edge that leads to it and every place of callers
 * (sim/places.ts), what `buildRoute` (sim/mesh/locality.ts) or kube-proxy (sim/cluster/kubeProxy.ts) makes of the endpoints
 * and the rules in force. Runs whenever endpoints or rules have changed and the change has reached the proxies.
 */
import type { Service } from '../scenarios/types.js';
import { usableEndpoints, type EndpointHints, type ProxyEndpoint } from './cluster/kubeProxy.js';
import { nearestEndpoints } from './cluster/ztunnel.js';
import {
  buildRoute,
  localityOf,
  sendsNotReady as reachesProxies,
  type Route,
  type RouteEndpoint,
} from './mesh/locality.js';
import { effectiveLocalitySetting, type SettingInput } from './mesh/localitySetting.js';
import type { OutlierState } from './mesh/outlierState.js';
import type { CallerCount } from './mesh/zoneAware.js';
import type { ComplexRoute } from './pick.js';
import { BY_CALLER, BY_LOCALITY, localityOfPod } from './places.js';
import { hostOf } from './pools.js';
import type { Program } from './program.js';
import { routeOfOne, rowWriter } from './routeTables.js';
import { POD_SERVING, type World } from './world.js';

export interface RouteChange {
  /** A service, or a pool of several (sim/pools.ts). */
  readonly service: number;
  readonly endpoints: readonly RouteEndpoint[];
  readonly destinationRule: Readonly<Record<string, unknown>> | null;
  /** Without a mesh: the hints of the endpoints, by name (their index). */
  readonly hints: ReadonlyMap<string, EndpointHints>;
  /** Counts the changes of this service: proxies start a new schedule with each. */
  readonly version: number;
}

export function writeRoutes(world: World, change: RouteChange): void {
  // Before 1.31 only ready endpoints reach the proxies (SEMANTICS A10).
  const listed = sendsNotReady(world, change.service) && reachesProxies(settingInput(world, change));
  const known = change.endpoints.filter((endpoint) => endpoint.healthy || listed);
  noteSeen(world, change);
  world.routeInputs[change.service] = { ...change, hostCount: known.length };
  const shared = looksAtCallers(world, change) ? null : routeMaker(world, change, null);
  let byConnection: RouteMaker | null = null;
  for (const edge of edgesTo(world, change.service)) {
    const routeAt = balances(world, edge)
      ? (shared ?? routeMaker(world, change, callersOf(world, edge)))
      : (byConnection ??= connectionMaker(world, change));
    writeEdge(world, edge, routeAt, change);
  }
}

function writeEdge(world: World, edge: number, routeAt: RouteMaker, change: RouteChange): void {
  const { program } = world;
  const source = program.edgeSource[edge]!;
  const [base, capacity, firstRow] = [world.podBase[source]!, world.podCapacity[source]!, world.routeBase[edge]!];
  const rows = world.routeBase[edge + 1]! - firstRow;
  const { write, finish } = rowWriter(world, edge, change);
  for (let place = 0; place < rows; place++) {
    if (program.places.routesBy[edge] !== BY_CALLER) write(firstRow + place, routeAt(place, null), 0, capacity);
    // A slot that no pod has had yet calls nobody.
    else if (world.podNode[base + place]! >= 0)
      write(firstRow + place, routeOfCaller(world, base + place, routeAt), place, 1);
  }
  finish();
}

/** A new pod has a slot: leads its calls to the routes of its place. */
export function placeCaller(world: World, slot: number): void {
  const { program } = world;
  const service = world.podService[slot]!;
  const caller = slot - world.podBase[service]!;
  const zone = world.podZone[slot]!;
  const node = world.nodes[world.podNode[slot]!];
  const locality = node === undefined ? zone : localityOfPod(program, program.services[service]!, node);
  world.podLocality[slot] = locality;
  for (let edge = 0; edge < program.edgeCount; edge++) {
    if (program.edgeSource[edge] !== service) continue;
    const by = program.places.routesBy[edge];
    const row = world.routeBase[edge]! + (by === BY_CALLER ? caller : by === BY_LOCALITY ? locality : zone);
    world.routeRow[world.rotationBase[edge]! + caller] = row;
    const change = world.routeInputs[program.edgeDestination[edge]!]!;
    // Before the first change there is nothing to route by.
    if (by !== BY_CALLER || change === null) continue;
    const callers = looksAtCallers(world, change) ? callersOf(world, edge) : null;
    const routeAt = balances(world, edge) ? routeMaker(world, change, callers) : connectionMaker(world, change);
    rowWriter(world, edge, change).write(row, routeOfCaller(world, slot, routeAt), caller, 1);
  }
}

type RouteMaker = (locality: number, node: string | null) => Route;

function routeOfCaller(world: World, slot: number, routeAt: RouteMaker): Route {
  return routeAt(world.podLocality[slot]!, world.nodes[world.podNode[slot]!]?.name ?? null);
}

/** No node has such a name. */
const NO_NODE = '-';

/** What proxies that choose a pod for each request make of the endpoints (sim/mesh/locality.ts). */
function routeMaker(
  world: World,
  change: RouteChange,
  callers: ReadonlyMap<string, CallerCount> | null,
  endpoints = change.endpoints,
): RouteMaker {
  const setting = settingInput(world, change);
  return makeOnce(world, endpoints, (clientLocality, clientNode) =>
    buildRoute({ clientLocality, clientNode, endpoints, callers, ...setting }),
  );
}

/** What kube-proxy or a ztunnel makes of them: any of those that it may use, at random. */
function connectionMaker(world: World, change: RouteChange): RouteMaker {
  const { endpoints, hints } = change;
  if (world.program.scenario.mesh.routing.kind === 'ambient') {
    const distribution = distributionOf(world, change.service);
    return makeOnce(world, endpoints, (locality, node) =>
      connectionRoute(locality, nearestEndpoints(endpoints, distribution, { node, locality })),
    );
  }
  const proxied = proxyEndpoints(endpoints);
  return makeOnce(world, endpoints, (locality, node) =>
    connectionRoute(locality, usableEndpoints(proxied, hints, { node, zone: locality }, 'Cluster')),
  );
}

/** Makes each route once: of two nodes of a locality that have no endpoint, neither is nearer to any. */
function makeOnce(
  world: World,
  endpoints: readonly RouteEndpoint[],
  make: (locality: string, node: string) => Route,
): RouteMaker {
  const made = new Map<string, Route>();
  const nodes = new Set(endpoints.map(({ node }) => node));
  return (locality, node) => {
    const clientNode = node !== null && nodes.has(node) ? node : NO_NODE;
    const key = `${locality} ${clientNode}`;
    let route = made.get(key);
    if (route === undefined) {
      route = make(world.program.places.localities[locality]!, clientNode);
      made.set(key, route);
    }
    return route;
  };
}

function balances({ program }: World, edge: number): boolean {
  return program.balancesRequests[program.edgeSource[edge]!]!;
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
    trafficDistribution: distributionOf(world, change.service),
    compat: compat.istioMinor >= 31 ? '>=1.31' : '<=1.30',
  };
}

/** Whether it matters to the routes where the siblings of a caller are. */
function looksAtCallers(world: World, change: RouteChange): boolean {
  return knowsCallers(world) && balancesZones(world, change);
}

/** Pods of the host that the calling service belongs to, by locality; gateways that serve. */
function callersOf(world: World, edge: number): ReadonlyMap<string, CallerCount> {
  const { program } = world;
  const { zones } = program.scenario.cluster;
  const source = program.edgeSource[edge]!;
  const callers = new Map<string, { total: number; healthy: number }>();
  const count = (locality: string, isHealthy: boolean): void => {
    const found = callers.get(locality) ?? { total: 0, healthy: 0 };
    callers.set(locality, { total: found.total + 1, healthy: found.healthy + (isHealthy ? 1 : 0) });
  };
  if (source === program.gateway) {
    for (let pod = world.podBase[source]!; pod < world.podCount; pod++)
      if (world.podState[pod] === POD_SERVING) count(zones[world.podZone[pod]!]!.name, true);
    return callers;
  }
  for (const service of versionsOf(program, source))
    for (const endpoint of world.routeInputs[service]?.endpoints ?? []) count(localityOf(endpoint), endpoint.healthy);
  return callers;
}

/** Services behind whose host `service` stands, itself among them. */
export function versionsOf(program: Program, service: number): number[] {
  const hostOf = (index: number): number => program.services[index]!.versionOf ?? program.order[index]!;
  return program.services.flatMap((_, index) => (hostOf(index) === hostOf(service) ? [index] : []));
}

/** The route of one proxy that has ejected pods. */
export function writeOwnRoute(world: World, edge: number, caller: number, state: OutlierState): ComplexRoute {
  const { program } = world;
  const input = world.routeInputs[program.edgeDestination[edge]!]!;
  const base = world.podBase[program.edgeDestination[edge]!]!;
  const endpoints = input.endpoints.map((endpoint) => {
    const ejected = state.ejectedAtUs[caller * state.capacity + endpoint.index - base]! >= 0;
    return ejected ? { ...endpoint, healthy: false, ejected: true } : endpoint;
  });
  const routeAt = routeMaker(world, input, knowsCallers(world) ? callersOf(world, edge) : null, endpoints);
  const slot = world.podBase[program.edgeSource[edge]!]! + caller;
  return routeOfOne(world, edge, caller, routeOfCaller(world, slot, routeAt), input);
}

/** Whether pods that are not ready may be endpoints for the proxies (A10); a rule can still keep them back. */
export function sendsNotReady(world: World, service: number): boolean {
  const { mesh, compat } = world.program.scenario;
  if (mesh.routing.kind === 'kubeProxy') return false;
  return compat.istioMinor >= 31 || distributionOf(world, service) !== null;
}

/** What the Service says of a service or a pool. */
function distributionOf({ program }: World, destination: number): Service['trafficDistribution'] {
  return program.services[hostOf(program, destination)]!.trafficDistribution;
}

/** As kube-proxy and the EndpointSlice controller know them; their name is their index. */
export function proxyEndpoints(endpoints: readonly RouteEndpoint[]): (ProxyEndpoint & { readonly index: number })[] {
  return endpoints.map(({ index, zone, node, healthy }) => ({
    index,
    name: `${index}`,
    zone,
    node,
    ready: healthy,
    serving: healthy,
    terminating: false,
  }));
}

function connectionRoute(locality: string, usable: readonly { readonly index: number }[]): Route {
  const weight = usable.length;
  const endpoints = usable.map(({ index }) => index);
  const localities = weight > 0 ? [{ locality, weight, effectiveWeight: weight, endpoints }] : [];
  return {
    algorithm: 'RANDOM',
    localityWeighted: false,
    priorities: [{ loadPercent: 100, panic: false, localities }],
    zoneShares: null,
  };
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
