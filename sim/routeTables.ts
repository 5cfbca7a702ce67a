/**
 * From a route (sim/mesh/locality.ts) to what sim/pick.ts reads: one pool of equal endpoints is a plain list, everything else
 * a ComplexRoute. What all callers of a route share is made once, and their own schedules and turns by caller.
 */
import { readClusterPolicy } from './mesh/clusterPolicy.js';
import { edfSlots, edfStart } from './mesh/edf.js';
import { maglevTable, ringTable } from './mesh/hashTable.js';
import type { Route } from './mesh/locality.js';
import { warmFactor, type WarmUp } from './mesh/warmUp.js';
import type { ComplexRoute, WarmSchedule } from './pick.js';
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from './random.js';
import type { RouteChange } from './routes.js';
import {
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

/** Slots of the calling service that share a route. */
interface Callers {
  readonly first: number;
  readonly count: number;
  /** Number of the first among all whose starts are drawn: the next ones follow. */
  readonly drawnAs: number;
}

export interface RowWriter {
  /** `first` and `count`: the slots of the callers. */
  readonly write: (row: number, route: Route, first: number, count: number) => void;
  /** Turns of ROUND_ROBIN start anew where a plain list was written. */
  readonly finish: () => void;
}

export function rowWriter(world: World, edge: number, change: RouteChange): RowWriter {
  const { program } = world;
  const shared = new Map<Route, SharedParts>();
  const partsOf = (route: Route): SharedParts => {
    const parts = shared.get(route) ?? sharedParts(world, edge, route, change);
    shared.set(route, parts);
    return parts;
  };
  const capacity = world.podCapacity[program.edgeSource[edge]!]!;
  const isPool = world.breakers[edge]?.isPool ?? false;
  const isWarming = warmingUp(world, change) !== null;
  let hasPlain = false;
  return {
    write(row, route, first, count) {
      world.routeComplex[row] = null;
      const hosts = plainHosts(route, isWarming);
      if (hosts === null) {
        const callers = { first, count, drawnAs: edge * capacity + first };
        world.routeKind[row] = ROUTE_COMPLEX;
        world.routeComplex[row] = withCallers(world, edge, partsOf(route), route, change, change.version, callers);
      } else if (hosts.length === 0) {
        world.routeKind[row] = ROUTE_NONE;
        return;
      } else {
        world.routeKind[row] = world.longLived[edge] === null ? ALGORITHMS[route.algorithm] : ROUTE_CONNECTED;
        world.routeHostCount[row] = hosts.length;
        hosts.forEach((host, i) => (world.hosts[world.routeHosts[row]! + i] = host));
        hasPlain = true;
      }
      if (isPool) poolRoute(world, row);
    },
    finish() {
      if (hasPlain) restartRotation(world, edge, change.version);
    },
  };
}

/** The endpoints of a route that is one pool, none where nobody can be reached; null: it is more than that. */
function plainHosts(route: Route, isWarming: boolean): readonly number[] | null {
  const loaded = route.priorities.filter((priority) => priority.loadPercent > 0);
  if (loaded.every((priority) => priority.localities.length === 0)) return [];
  const [only, ...others] = loaded;
  if (others.length > 0 || isWarming || ALGORITHMS[route.algorithm] === ROUTE_HASHED) return null;
  const { localities, panic } = only!;
  const isOnePool = localities.length === 1 || (route.zoneShares === null && (!route.localityWeighted || panic));
  return isOnePool ? localities.flatMap(({ endpoints }) => endpoints) : null;
}

/** Connections of a pool are opened by the route; requests take those that are there. */
function poolRoute(world: World, row: number): void {
  world.pooledKind[row] = world.routeKind[row]!;
  world.routeKind[row] = ROUTE_POOLED;
}

/** ROUND_ROBIN starts at a random place after every change, in each proxy on its own (A12). */
function restartRotation(world: World, edge: number, version: number): void {
  const base = seedWord(world.seed, `rotation/${version}`);
  for (let at = world.rotationBase[edge]!; at < world.rotationBase[edge + 1]!; at++) {
    world.rotation[at] = mix(base + Math.imul(at, GOLDEN)) >>> 8;
  }
}

/** The route of one proxy that differs from those of its siblings. */
export function routeOfOne(
  world: World,
  edge: number,
  caller: number,
  route: Route,
  change: RouteChange,
): ComplexRoute {
  const parts = sharedParts(world, edge, route, change);
  const callers = { first: caller, count: 1, drawnAs: edge };
  return withCallers(world, edge, parts, route, change, change.version + caller, callers);
}

type SharedParts = Omit<ComplexRoute, 'firstCaller' | 'schedule' | 'rotation' | 'warm'>;

function sharedParts(world: World, edge: number, route: Route, change: RouteChange): SharedParts {
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
      for (const host of locality.endpoints) hosts.push(host);
      hostEnd.push(hosts.length);
    }
    localityEnd.push(weight.length);
  }
  const sizes = sizesOf(localityEnd);
  return {
    algorithm: ALGORITHMS[route.algorithm],
    localityWeighted: route.localityWeighted,
    loadBelow: Int32Array.from(loadBelow),
    localityEnd: Int32Array.from(localityEnd),
    weight: Float64Array.from(weight),
    hostStart: Int32Array.from(hostStart),
    hostEnd: Int32Array.from(hostEnd),
    hosts: Int32Array.from(hosts),
    scheduleSlots: sizes.reduce((sum, size) => sum + edfSlots(size), 0),
    scheduleAt: Int32Array.from(sizes, (_, i) => sizes.slice(0, i).reduce((at, size) => at + edfSlots(size), 0)),
    zoneBelow: zoneBelow(route),
    hash: hashOf(world, edge, route, change),
  };
}

/** Localities by priority. */
function sizesOf(localityEnd: ArrayLike<number>): number[] {
  return Array.from(localityEnd, (end, i) => end - (localityEnd[i - 1] ?? 0));
}

function withCallers(
  world: World,
  edge: number,
  parts: SharedParts,
  route: Route,
  change: RouteChange,
  version: number,
  callers: Callers,
): ComplexRoute {
  const { weight, localityEnd, scheduleSlots, scheduleAt } = parts;
  const sizes = sizesOf(localityEnd);
  const localities = weight.length;
  const schedule = new Float64Array(callers.count * scheduleSlots);
  const rotation = new Int32Array(callers.count * localities);
  const base = seedWord(world.seed, `schedule/${version}`);
  for (let caller = 0; caller < callers.count; caller++) {
    const word = mix(base + Math.imul(callers.drawnAs + caller, GOLDEN));
    sizes.forEach((size, i) => {
      const start = (mix(word + i) >>> 0) * TWO_TO_MINUS_32;
      edfStart(schedule, caller * scheduleSlots + scheduleAt[i]!, weight, localityEnd[i]! - size, size, start);
    });
    for (let locality = 0; locality < localities; locality++) {
      rotation[caller * localities + locality] = mix(word - 1 - locality) >>> 8;
    }
  }
  const warm = warmSchedule(world, edge, route, parts, change, base, callers);
  return { ...parts, firstCaller: callers.first, schedule, rotation, warm };
}

function zoneBelow({ priorities, zoneShares }: Route): Float64Array | null {
  if (zoneShares === null || priorities[0]!.loadPercent === 0) return null;
  let sum = 0;
  return Float64Array.from(zoneShares, (share) => (sum += share) / TWO_TO_MINUS_32);
}

/** The warm-up in force while any endpoint is in it, else null. Envoy knows none for the other algorithms. */
function warmingUp(world: World, change: RouteChange): WarmUp | null {
  const { warmup, algorithm } = readClusterPolicy(change.destinationRule, null);
  if (warmup === null || (algorithm !== 'LEAST_REQUEST' && algorithm !== 'ROUND_ROBIN')) return null;
  const latestUs = Math.max(...change.endpoints.map(({ index }) => world.hostSeenUs[index]!));
  return world.nowUs - latestUs <= warmup.windowUs ? warmup : null;
}

function warmSchedule(
  world: World,
  edge: number,
  route: Route,
  parts: SharedParts,
  change: RouteChange,
  base: number,
  callers: Callers,
): WarmSchedule | null {
  const policy = warmingUp(world, change);
  if (policy === null) return null;
  const { hosts, hostStart, hostEnd, localityEnd } = parts;
  const sinceUs = Float64Array.from(hosts, (host) => world.hostSeenUs[host]!);
  // What one pick chooses among: a zone where zones are weighed, else all of a priority.
  const ends = Array.from(
    localityEnd,
    (end, p) => [hostStart[localityEnd[p - 1] ?? 0] ?? 0, hostEnd[end - 1] ?? 0] as const,
  );
  const zones = Array.from(hostStart, (start, i) => [start, hostEnd[i]!] as const);
  const pools = parts.zoneBelow === null ? ends : [...zones.slice(0, localityEnd[0]), ...ends.slice(1)];
  const sets = (route.localityWeighted ? zones : pools).filter(([start, end]) => end > start);
  const at = new Int32Array(hosts.length);
  let slots = 0;
  for (const [start, end] of sets) {
    at[start] = slots;
    slots += edfSlots(end - start);
  }
  const state = new Float64Array(callers.count * slots);
  const weights = new Float64Array(hosts.length);
  const capacity = world.podCapacity[change.service]!;
  for (let caller = 0; caller < callers.count; caller++) {
    const row = world.connectionBase[edge]! + (callers.first + caller) * capacity - world.podBase[change.service]!;
    hosts.forEach((host, i) => {
      const active = route.algorithm === 'LEAST_REQUEST' ? world.connectionActive[row + host]! : 0;
      weights[i] = warmFactor(world.nowUs - sinceUs[i]!, policy) / (active + 1);
    });
    for (const [start, end] of sets) {
      const uniform = (mix(base + Math.imul(callers.drawnAs + caller, GOLDEN) + start) >>> 0) * TWO_TO_MINUS_32;
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
