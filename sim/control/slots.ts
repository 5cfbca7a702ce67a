/**
 * Pods in the world: taking and giving back slots, and what happens to the requests of a pod that stops. A slot is given
 * back only when no call to or from it is under way, so a late reply never meets a stranger.
 */
import { GOLDEN, mix } from '../random.js';
import { ARRIVED_US, CODE, DOUBLES, FLAGS, PARENT, POD, START_US, WORDS } from '../kernel/records.js';
import { ENVOY_BUCKETS } from '../kernel/histogram.js';
import { insert, removeEvents } from '../kernel/wheel.js';
import { forgetPool } from '../breakers.js';
import { finishExternal } from '../calls.js';
import { hopBackUs, leaveSystem } from '../loop.js';
import { forgetCaller } from '../outliers.js';
import {
  CAUSE_MASK,
  CAUSE_UNREACHABLE,
  CAUSE_SHIFT,
  CAUSE_UC,
  EVENT_REPLY,
  EVENT_RESUME,
  EXTERNAL,
  FLAG_FAILED,
  FLAG_ON_CPU,
  FLAG_WORKER,
  NOBODY,
  STATE_CALLING,
  isInPod,
  isSpan,
} from '../spans.js';
import { leadsTo } from '../pools.js';
import { resetProxy } from '../proxies.js';
import { placeCaller } from '../routes.js';
import { enterNode, leaveNode, nodeCpuOf } from '../nodeCpu.js';
import { CFS_PERIOD_US, resetSharedCpu } from '../sharedCpu.js';
import { bringUpToDate, clearCpu } from '../sharing.js';
import { POD_DEAD, POD_FREE, POD_STARTING, type World } from '../world.js';

/** A free slot of the service, or -1 when every slot is taken or still has calls under way. */
export function findSlot(world: World, service: number): number {
  for (let slot = world.podBase[service]!; slot < world.podBase[service + 1]!; slot++) {
    if (world.podState[slot] === POD_FREE && !hasCalls(world, slot)) return slot;
  }
  return -1;
}

/** Prepares a slot for a new pod on `node` in `zone`. */
export function takeSlot(world: World, slot: number, node: number, zone: number, nowUs: number): void {
  foldConnections(world, slot);
  forgetCaller(world, slot);
  const service = world.podService[slot]!;
  forgetPools(world, service, slot);
  world.podState[slot] = POD_STARTING;
  world.podNode[slot] = node;
  world.podZone[slot] = zone;
  placeCaller(world, slot);
  world.podBusy[slot] = 0;
  world.podOnCpu[slot] = 0;
  world.podCpuUs[slot] = 0;
  world.podCpuAtUs[slot] = nowUs;
  if (world.proxies !== null) resetProxy(world.proxies, slot);
  world.podServed[slot] = 0;
  world.podEnvoy.fill(0, slot * ENVOY_BUCKETS, (slot + 1) * ENVOY_BUCKETS);
  if (service === world.program.gateway) return;
  const { limits, workers, external } = world.program.services[service]!;
  if (external !== null) return;
  const nodeMillicores = world.nodes[node]!.cpuMillicores;
  const limitMillicores = limits.cpuMillicores ?? Infinity;
  const nodeCpu = nodeCpuOf(world, node, nodeMillicores);
  // With a core for each worker nobody waits for the CPU and no quota can run out.
  const hasCores = workers * 1000 <= Math.min(limitMillicores, nodeMillicores);
  const shares = nodeCpu !== null || !hasCores || world.program.mayBeSlowed[service]!;
  world.podShares[slot] = shares ? 1 : 0;
  const quotaUs = (limitMillicores / 1000) * CFS_PERIOD_US;
  enterNode(world, world.sharing[slot]!, nodeCpu, service, nowUs);
  resetSharedCpu(world.sharing[slot]!, nodeMillicores / 1000, quotaUs, nowUs);
}

function forgetPools({ breakers, program, podBase }: World, service: number, slot: number): void {
  for (let edge = 0; edge < program.edgeCount; edge++) {
    const pool = breakers[edge]!;
    if (program.edgeSource[edge] === service && pool?.isPool) forgetPool(pool, slot - podBase[service]!);
  }
}

/** The pod is off its node for good; calls to and from it may still be under way. */
export function leaveSlot(world: World, slot: number): void {
  leaveNode(world, world.sharing[slot]!, world.nowUs);
}

export function giveBackSlot(world: World, slot: number): void {
  world.podState[slot] = POD_FREE;
  world.podIdentity[slot] = mix(world.podIdentity[slot]! + GOLDEN);
}

/** True while a call to or from the pod is under way. */
export function hasCalls(world: World, slot: number): boolean {
  let found = world.podHeld[slot]! > 0;
  forEachConnection(world, slot, (connection) => (found ||= world.connectionActive[connection]! > 0));
  return found;
}

/** True while the pod itself has requests it has not answered. */
export function isBusy(world: World, slot: number): boolean {
  let found = world.podHeld[slot]! > 0;
  forEachConnectionTo(world, slot, (connection) => (found ||= world.connectionActive[connection]! > 0));
  return found;
}

/**
 * The pod stops at once, and its requests with it, whatever they were doing. The kernel of a node that lives on closes
 * their connections, which the callers hear of one hop later (`silentUs` null); of a node that is gone they hear nothing,
 * and give up after `silentUs`. Calls that the pod had made go on at the other end; their replies find nobody.
 */
export function killSlot(world: World, slot: number, silentUs: number | null): void {
  const { records, nowUs } = world;
  const service = world.podService[slot]!;
  world.podState[slot] = POD_DEAD;
  if (world.podShares[slot] === 1) clearCpu(world, slot, nowUs);
  else bringUpToDate(world, slot, nowUs);
  const { words, doubles } = records;
  const lost = new Set<number>();
  const timed = new Set<number>();
  const callers = new Set<number>();
  for (let id = 0; id < records.capacity; id++) {
    const at = id * WORDS;
    const code = words[at + CODE]!;
    if (!isInPod(code) || words[at + POD] !== slot) continue;
    lost.add(id);
    if (code === EVENT_RESUME) timed.add(id);
    if (code === STATE_CALLING) callers.add(id);
  }
  if (timed.size > 0) removeEvents(world.queue, words, timed);
  for (const id of lost) {
    const at = id * WORDS;
    leaveSystem(world, service, doubles[id * DOUBLES + ARRIVED_US]!, nowUs);
    const kept = words[at + FLAGS]! & ~(FLAG_WORKER | FLAG_ON_CPU | (CAUSE_MASK << CAUSE_SHIFT));
    words[at + FLAGS] = kept | FLAG_FAILED | (CAUSE_UC << CAUSE_SHIFT);
    words[at + CODE] = EVENT_REPLY;
    insert(world.queue, words, id, nowUs + (silentUs ?? hopBackUs(world, words, id)));
  }
  if (callers.size > 0) orphanChildren(world, callers);
  world.podBusy[slot] = 0;
  world.podOnCpu[slot] = 0;
  world.podQueueHead[slot] = -1;
  world.podQueueTail[slot] = -1;
  world.podQueueLength[slot] = 0;
  if (service === world.program.gateway) loseExternal(world, slot);
}

/** The calls that lost spans had made: nobody waits for their replies any more. One pass for all of them. */
function orphanChildren(world: World, parents: ReadonlySet<number>): void {
  const { records } = world;
  for (let id = 0; id < records.capacity; id++) {
    const at = id * WORDS;
    const code = records.words[at + CODE]!;
    // A timer's PARENT is left over from the record's last use.
    if (isSpan(code)) {
      if (parents.has(records.words[at + PARENT]!)) records.words[at + PARENT] = NOBODY;
    }
  }
}

/** The external requests of a gateway that died have failed for their users. */
function loseExternal(world: World, gateway: number): void {
  const { records, nowUs } = world;
  for (let id = 0; id < records.capacity; id++) {
    const at = id * WORDS;
    const code = records.words[at + CODE]!;
    if (!isSpan(code)) continue;
    if (records.words[at + PARENT] !== EXTERNAL - gateway) continue;
    records.words[at + PARENT] = NOBODY;
    finishExternal(
      world,
      records.words[at + FLAGS]!,
      records.doubles[id * DOUBLES + START_US]!,
      nowUs,
      CAUSE_UNREACHABLE,
    );
  }
}

/** Adds the counts of a slot's connections to the totals by zone and zeroes them. */
export function foldConnections(world: World, slot: number): void {
  forEachConnection(world, slot, (connection, edge, caller, callee) => fold(world, connection, edge, caller, callee));
}

/** The same for every connection. */
export function foldAllConnections(world: World): void {
  for (let edge = 0; edge < world.program.edgeCount; edge++) {
    const source = world.program.edgeSource[edge]!;
    const destination = world.program.edgeDestination[edge]!;
    let connection = world.connectionBase[edge]!;
    for (let caller = world.podBase[source]!; caller < world.podBase[source + 1]!; caller++) {
      const end = world.podBase[destination]! + world.podCapacity[destination]!;
      for (let callee = world.podBase[destination]!; callee < end; callee++) {
        fold(world, connection++, edge, caller, callee);
      }
    }
  }
}

function fold(world: World, connection: number, edge: number, caller: number, callee: number): void {
  const requests = world.connectionRequests[connection]! - world.connectionFolded[connection]!;
  if (requests === 0) return;
  const zones = world.program.scenario.cluster.zones.length;
  const [from, to] = [world.podZone[caller]!, world.podZone[callee]!];
  // Bytes to and from outside are counted where they are made (sim/loop.ts).
  if (from < zones && to < zones) {
    const { counters, program } = world;
    const members = program.edgeMembers[edge]!;
    const counted = members < 0 ? edge : program.memberEdge[members + world.podService[callee]!]!;
    const at = (counted * zones + from) * zones + to;
    counters.edgeZoneRequests[at] = counters.edgeZoneRequests[at]! + requests;
    counters.edgeZoneBytes[at] = counters.edgeZoneBytes[at]! + world.connectionBytes[connection]!;
  }
  world.connectionFolded[connection] = world.connectionRequests[connection]!;
  world.connectionBytes[connection] = 0;
}

type Visit = (connection: number, edge: number, caller: number, callee: number) => void;

function forEachConnection(world: World, slot: number, visit: Visit): void {
  forEachConnectionTo(world, slot, visit);
  const { program } = world;
  const service = world.podService[slot]!;
  for (let edge = 0; edge < program.edgeCount; edge++) {
    if (program.edgeSource[edge] !== service) continue;
    const destination = program.edgeDestination[edge]!;
    const base = world.podBase[destination]!;
    const row = world.connectionBase[edge]! + (slot - world.podBase[service]!) * world.podCapacity[destination]!;
    for (let i = 0; i < world.podCapacity[destination]!; i++) visit(row + i, edge, slot, base + i);
  }
}

function forEachConnectionTo(world: World, slot: number, visit: Visit): void {
  const { program } = world;
  const service = world.podService[slot]!;
  for (let edge = 0; edge < program.edgeCount; edge++) {
    if (!leadsTo(program, edge, service)) continue;
    const destination = program.edgeDestination[edge]!;
    const source = program.edgeSource[edge]!;
    const base = world.podBase[source]!;
    const capacity = world.podCapacity[destination]!;
    const column = world.connectionBase[edge]! + slot - world.podBase[destination]!;
    for (let i = 0; i < world.podCapacity[source]!; i++) visit(column + i * capacity, edge, base + i, slot);
  }
}
