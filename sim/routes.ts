/**
 * Writes the routes of a service into the tables that sim/pick.ts reads: for every edge that leads to it and every zone
 * with callers, what `buildRoute` (sim/mesh/locality.ts) makes of the endpoints and the DestinationRule in force. Runs
 * whenever endpoints or rules have changed and the change has reached the proxies.
 */
import type { Program } from './program.js';
import type { ComplexRoute } from './pick.js';
import { edfSlots, edfStart } from './mesh/edf.js';
import { buildRoute, type Route, type RouteEndpoint } from './mesh/locality.js';
import type { OutlierState } from './mesh/outlierState.js';
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from './random.js';
import {
  ROUTE_COMPLEX,
  ROUTE_LEAST_REQUEST,
  ROUTE_NONE,
  ROUTE_RANDOM,
  ROUTE_ROUND_ROBIN,
  type World,
} from './world.js';

const ALGORITHMS = {
  LEAST_REQUEST: ROUTE_LEAST_REQUEST,
  ROUND_ROBIN: ROUTE_ROUND_ROBIN,
  RANDOM: ROUTE_RANDOM,
} as const;

export interface RouteChange {
  readonly service: number;
  readonly endpoints: readonly RouteEndpoint[];
  readonly destinationRule: Readonly<Record<string, unknown>> | null;
  /** Counts the changes of this service: proxies start a new schedule with each. */
  readonly version: number;
}

export function writeRoutes(world: World, change: RouteChange): void {
  const { program } = world;
  const { cluster, compat } = program.scenario;
  // Before 1.32 only ready endpoints reach the proxies (SEMANTICS A10).
  const known = change.endpoints.filter((endpoint) => endpoint.healthy || compat.istioMinor >= 32);
  world.routeInputs[change.service] = { ...change, hostCount: known.length };
  const routes = cluster.zones.map((zone) => routeFrom(world, change, zone.name, change.endpoints));
  for (let edge = 0; edge < program.edgeCount; edge++) {
    if (program.edgeDestination[edge] !== change.service) continue;
    routes.forEach((route, zone) => writeRoute(world, edge, zone, route, change.version));
  }
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
  const route = routeFrom(world, input, program.scenario.cluster.zones[zone]!.name, endpoints);
  return complexRoute(program, 1, edge, route, world.seed, input.version + caller);
}

function routeFrom(world: World, change: RouteChange, clientZone: string, endpoints: readonly RouteEndpoint[]): Route {
  const { mesh, compat } = world.program.scenario;
  return buildRoute({
    clientZone,
    clientNode: '',
    endpoints,
    destinationRule: change.destinationRule,
    meshSetting: mesh.localityLbSetting,
    compat: compat.istioMinor >= 32 ? '>=1.32' : '<=1.31',
  });
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
  const only = loaded.length === 1 ? loaded[0]! : null;
  if (only && (!route.localityWeighted || only.panic || only.localities.length === 1)) {
    const hosts = only.localities.flatMap((locality) => locality.endpoints);
    world.routeKind[at] = ALGORITHMS[route.algorithm];
    world.routeHostCount[at] = hosts.length;
    hosts.forEach((host, i) => (world.hosts[world.routeHosts[at]! + i] = host));
    restartRotation(world, edge, version);
    return;
  }
  world.routeKind[at] = ROUTE_COMPLEX;
  world.routeComplex[at] = complexRoute(
    program,
    world.podCapacity[program.edgeSource[edge]!]!,
    edge,
    route,
    world.seed,
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
  program: Program,
  callers: number,
  edge: number,
  route: Route,
  seed: number,
  version: number,
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
  const base = seedWord(seed, `schedule/${version}`);
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
  };
}
