/**
 * How a caller's proxy picks a pod: priority, then locality, then endpoint (Envoy's order, SEMANTICS A0), from its own
 * in-flight counts. The common case, one pool of equal endpoints, is a plain list; several priorities or locality
 * weights make a ComplexRoute. Draws are keyed by the span, so a pick does not shift anyone else's.
 *
 * LEAST_REQUEST is Envoy's power of two choices (A12): two draws with replacement; the second wins only when it has
 * strictly fewer requests in flight from this proxy.
 */
import { heldConnection } from './breakers.js';
import { pickConnected } from './connections.js';
import { edfFirst, edfPick, edfWindUp } from './mesh/edf.js';
import { ownerOf, type HashTable } from './mesh/hashTable.js';
import { warmFactor, type WarmUp } from './mesh/warmUp.js';
import { CAUSE_DRAW_ZONE, CAUSE_PICK, CAUSE_PRIORITY, GOLDEN, mix, TWO_TO_MINUS_32 } from './random.js';
import {
  ROUTE_COMPLEX,
  ROUTE_CONNECTED,
  ROUTE_LEAST_REQUEST,
  ROUTE_NONE,
  ROUTE_POOLED,
  ROUTE_ROUND_ROBIN,
  type World,
} from './world.js';

/** A route with several priorities or weighted localities. Localities are numbered through over all priorities. */
export interface ComplexRoute {
  readonly algorithm: number;
  readonly localityWeighted: boolean;
  /** By priority: cumulative load in percent, and one past its last locality. */
  readonly loadBelow: Int32Array;
  readonly localityEnd: Int32Array;
  readonly weight: Float64Array;
  readonly hostStart: Int32Array;
  readonly hostEnd: Int32Array;
  readonly hosts: Int32Array;
  /** Slot of the first caller that has its numbers here; those of the next ones follow. */
  readonly firstCaller: number;
  /** Weighted round robin (mesh/edf.ts) by caller: `scheduleSlots` numbers each, a priority's part from `scheduleAt` on. */
  readonly schedule: Float64Array;
  readonly scheduleSlots: number;
  readonly scheduleAt: Int32Array;
  /** Position of ROUND_ROBIN by caller and locality. */
  readonly rotation: Int32Array;
  /**
   * Zone-aware routing (A11): the localities of the first priority are drawn below these cumulative shares, scaled to
   * 2^32; null: there is none.
   */
  readonly zoneBelow: Float64Array | null;
  /** Consistent hashing: by priority who owns which hash (null: no host), and whether the caller's address is hashed. */
  readonly hash: { readonly tables: readonly (HashTable | null)[]; readonly bySource: boolean } | null;
  readonly warm: WarmSchedule | null;
}

/**
 * While a pod warms up, no endpoint is drawn: all stand in a schedule by earliest deadline (A13), whose weights are
 * taken anew whenever an endpoint is wound up.
 */
export interface WarmSchedule {
  readonly policy: WarmUp;
  /** When the proxies learned of the host, by its place in `hosts`. */
  readonly sinceUs: Float64Array;
  /** By caller `slots` numbers; the endpoints of one pick, which begin at host number h, from `at[h]` on. */
  readonly state: Float64Array;
  readonly slots: number;
  readonly at: Int32Array;
}

/** Global slot of the picked pod, -1 when the route has none (Envoy's 503 UH). */
export function pickPod(
  world: World,
  edge: number,
  caller: number,
  callerSlot: number,
  row: number,
  key: number,
  nowUs: number,
): number {
  const { program } = world;
  if (world.ownRouteCount > 0) {
    const own = world.ownRoutes[world.rotationBase[edge]! + callerSlot]!;
    if (own !== null)
      return pickComplex(
        world,
        own,
        callerSlot,
        caller,
        row - world.podBase[program.edgeDestination[edge]!]!,
        key,
        nowUs,
      );
  }
  const route = world.routeRow[world.rotationBase[edge]! + callerSlot]!;
  const kind = world.routeKind[route]!;
  const calleeBase = world.podBase[program.edgeDestination[edge]!]!;
  if (kind === ROUTE_LEAST_REQUEST) {
    const start = world.routeHosts[route]!;
    return leastRequest(world, world.hosts, start, world.routeHostCount[route]!, row - calleeBase, key);
  }
  if (kind === ROUTE_NONE) return -1;
  if (kind === ROUTE_POOLED) {
    const held = heldConnection(world.breakers[edge]!, callerSlot);
    if (held >= 0) return calleeBase + held;
    return pickByKind(world, world.pooledKind[route]!, edge, route, caller, callerSlot, row, key, nowUs);
  }
  return pickByKind(world, kind, edge, route, caller, callerSlot, row, key, nowUs);
}

function pickByKind(
  world: World,
  kind: number,
  edge: number,
  route: number,
  caller: number,
  callerSlot: number,
  row: number,
  key: number,
  nowUs: number,
): number {
  const calleeBase = world.podBase[world.program.edgeDestination[edge]!]!;
  if (kind === ROUTE_COMPLEX)
    return pickComplex(world, world.routeComplex[route]!, callerSlot, caller, row - calleeBase, key, nowUs);
  const start = world.routeHosts[route]!;
  const count = world.routeHostCount[route]!;
  if (kind === ROUTE_LEAST_REQUEST) return leastRequest(world, world.hosts, start, count, row - calleeBase, key);
  if (kind === ROUTE_CONNECTED)
    return pickConnected(world, world.longLived[edge]!, caller, callerSlot, start, count, key, nowUs);
  if (kind === ROUTE_ROUND_ROBIN) {
    const at = world.rotationBase[edge]! + callerSlot;
    const position = world.rotation[at]!;
    world.rotation[at] = position + 1;
    return world.hosts[start + (position % count)]!;
  }
  return world.hosts[start + drawIndex(mix(key ^ CAUSE_PICK), count)]!;
}

/** `connectionOffset` + pod slot is the connection of this caller to that pod. */
function leastRequest(
  world: World,
  hosts: Int32Array,
  start: number,
  count: number,
  connectionOffset: number,
  key: number,
): number {
  const word = mix(key ^ CAUSE_PICK);
  const first = hosts[start + drawIndex(word, count)]!;
  if (count === 1) return first;
  const second = hosts[start + drawIndex(mix(word + GOLDEN), count)]!;
  const { connectionActive } = world;
  return connectionActive[connectionOffset + second]! < connectionActive[connectionOffset + first]! ? second : first;
}

function pickComplex(
  world: World,
  route: ComplexRoute,
  callerSlot: number,
  caller: number,
  connectionOffset: number,
  key: number,
  nowUs: number,
): number {
  if (route.hash !== null) return pickHashed(world, route, route.hash, caller);
  const priority = route.loadBelow.length === 1 ? 0 : drawPriority(route, key);
  const from = priority === 0 ? 0 : route.localityEnd[priority - 1]!;
  const end = route.localityEnd[priority]!;
  if (end === from) return -1;
  const localities = route.weight.length;
  const turn = callerSlot - route.firstCaller;
  // Without a choice of locality a priority is one pool; its localities lie side by side in the list of hosts.
  let locality = from;
  let isPool = false;
  if (route.localityWeighted) {
    const at = turn * route.scheduleSlots + route.scheduleAt[priority]!;
    locality += edfPick(route.schedule, at, route.weight, from, end - from);
  } else if (route.zoneBelow !== null && priority === 0) locality = drawZone(route.zoneBelow, key);
  else isPool = true;
  const start = route.hostStart[locality]!;
  const count = (isPool ? route.hostEnd[end - 1]! : route.hostEnd[locality]!) - start;
  if (count === 0) return -1;
  if (route.warm !== null) return pickWarm(world, route, route.warm, turn, connectionOffset, start, count, nowUs);
  if (route.algorithm === ROUTE_LEAST_REQUEST)
    return leastRequest(world, route.hosts, start, count, connectionOffset, key);
  if (route.algorithm === ROUTE_ROUND_ROBIN) {
    const at = turn * localities + locality;
    const position = route.rotation[at]!;
    route.rotation[at] = position + 1;
    return route.hosts[start + (position % count)]!;
  }
  return route.hosts[start + drawIndex(mix(key ^ CAUSE_PICK), count)]!;
}

function pickWarm(
  world: World,
  route: ComplexRoute,
  warm: WarmSchedule,
  turn: number,
  connectionOffset: number,
  start: number,
  count: number,
  nowUs: number,
): number {
  const at = turn * warm.slots + warm.at[start]!;
  const first = edfFirst(warm.state, at, count);
  const host = route.hosts[start + first]!;
  let weight = warmFactor(nowUs - warm.sinceUs[start + first]!, warm.policy);
  if (route.algorithm === ROUTE_LEAST_REQUEST) weight /= world.connectionActive[connectionOffset + host]! + 1;
  edfWindUp(warm.state, at, first, weight);
  return host;
}

/** Envoy takes the priority from the hash, too, so that a user stays where it is. */
function pickHashed(
  world: World,
  route: ComplexRoute,
  hash: NonNullable<ComplexRoute['hash']>,
  caller: number,
): number {
  const word = hash.bySource ? mix(world.podIdentity[caller]! ^ GOLDEN) : world.pickingUser;
  const percent = 1 + ((word >>> 0) % 100);
  let priority = 0;
  while (percent > route.loadBelow[priority]!) priority++;
  const table = hash.tables[priority]!;
  return table === null ? -1 : ownerOf(table, mix(word));
}

/** Envoy draws a whole number 1..100 and walks the cumulative loads (A8). */
function drawPriority(route: ComplexRoute, key: number): number {
  const percent = 1 + drawIndex(mix(key ^ CAUSE_PRIORITY), 100);
  let priority = 0;
  while (percent > route.loadBelow[priority]!) priority++;
  return priority;
}

function drawZone(below: Float64Array, key: number): number {
  const word = mix(key ^ CAUSE_DRAW_ZONE) >>> 0;
  let zone = 0;
  while (zone < below.length - 1 && word >= below[zone]!) zone++;
  return zone;
}

function drawIndex(word: number, count: number): number {
  return Math.floor((word >>> 0) * TWO_TO_MINUS_32 * count);
}
