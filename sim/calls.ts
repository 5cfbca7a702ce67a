/**
 * A call as the caller's proxy makes it: fault injection and the choice among weighted destinations (`sim/targets.ts`),
 * then attempts. An attempt picks a pod (sim/pick.ts), passes the circuit breakers (sim/breakers.ts) and is a span from
 * then on; its outcome feeds the outlier detector (sim/outliers.ts) and may lead to another attempt after a back-off.
 * Only the end of the call is counted on its edge and told to the caller, as in source-side metrics (SEMANTICS A16).
 *
 * One record carries a call through all its attempts; START_US stays the start of the call. When an attempt times out
 * while its pod works on it, the record is left to the pod (FLAG_DETACHED) and the call goes on in a new one. Time-outs
 * cannot be taken out of the event queue, so each carries the stamp of its attempt and is void when that has changed.
 */
import { closeConnections } from './connections.js';
import { admit, breakConnection, giveBackConnection, leavePending, mayRetry, openConnection } from './breakers.js';
import { bucketIndex, HISTOGRAM_SIZE } from './kernel/histogram.js';
import {
  CODE,
  CONNECTION,
  DOUBLES,
  FLAGS,
  freeRecord,
  KEY,
  PARENT,
  PENDING,
  POD,
  START_US,
  STEP,
  takeRecord,
  TARGET,
  WORDS,
} from './kernel/records.js';
import { insert } from './kernel/wheel.js';
import { backOffUs } from './mesh/backOff.js';
import { noteOutcome } from './outliers.js';
import { pickPod } from './pick.js';
import { PASS_OUT, passUs } from './proxies.js';
import { quantileOf } from './quantileTable.js';
import { endDelivery, endLateDelivery } from './queues.js';
import {
  CAUSE_DRAW_ABORT,
  CAUSE_DRAW_DELAY,
  CAUSE_DRAW_LOSS,
  CAUSE_DRAW_MIRROR,
  CAUSE_DRAW_RETRY,
  CAUSE_DRAW_USER,
  CAUSE_HOP_THERE,
  GOLDEN,
  mix,
  TWO_TO_MINUS_32,
} from './random.js';
import {
  ATTEMPT_MASK,
  ATTEMPT_SHIFT,
  CAUSE_ANSWERED,
  CAUSE_APP_500,
  CAUSE_APP_503,
  CAUSE_DIRECT,
  CAUSE_FI,
  CAUSE_MASK,
  CAUSE_SHIFT,
  CAUSE_UF,
  CAUSE_UH,
  CAUSE_UO,
  CAUSE_UT,
  CAUSES,
  EVENT_ARRIVE,
  EVENT_ATTEMPT,
  EVENT_PROXY_IN,
  EVENT_REPLY,
  EVENT_TIMEOUT,
  EVENT_USER_RETRY,
  EXTERNAL,
  FLAG_DETACHED,
  FLAG_FAILED,
  FLAG_TIMED,
  LOAD_BITS,
  LOAD_MASK,
  LOAD_SHIFT,
  NOBODY,
  passedOn,
  STATE_PENDING,
  TRIED_HOSTS,
  USER_ATTEMPT_MASK,
  USER_ATTEMPT_SHIFT,
} from './spans.js';
import { chooseTarget, type RequestPolicy } from './targets.js';
import type { Program } from './program.js';
import type { World } from './world.js';

/** A pick that lands on a pod tried before is drawn again this often, then taken (Istio's retry host predicate, A16). */
const HOST_REDRAWS = 5;
/** From hearing of a failure until a user sends the request again, in a retry storm. */
const USER_PAUSE_US = 1_000_000;

/**
 * Starts a call of `parent` (a span, or EXTERNAL - gateway) from the pod `caller`; `target` is a target, or ~route where
 * the proxy has to choose. `flags` carries the load of an external request, and of every call where routes ask for headers.
 * False when the call failed on the spot.
 */
export function startCall(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  parent: number,
  caller: number,
  target: number,
  key: number,
  flags: number,
  nowUs: number,
): boolean {
  const { program } = world;
  // A copy has the user of its original, which picks at the same moment.
  if (world.tracksUsers && parent !== NOBODY) world.pickingUser = userOf(world, parent, key, flags);
  let delayUs = 0;
  if (target < 0) {
    const { byClass } = program.routes[~target]!;
    if (byClass !== null) target = byClass[program.loadClass[(flags >>> LOAD_SHIFT) & LOAD_MASK]!]!;
  }
  if (target < 0) {
    const route = program.routes[~target]!;
    if (route.delayBelow > 0 && mix(key ^ CAUSE_DRAW_DELAY) >>> 0 < route.delayBelow) delayUs = route.delayUs;
    const aborted = route.abortBelow > 0 && mix(key ^ CAUSE_DRAW_ABORT) >>> 0 < route.abortBelow;
    const chosen = chooseTarget(route, key);
    target = route.targets[chosen]!;
    const cause = aborted ? route.abortCause : route.causes[chosen]!;
    if (cause !== 0) {
      if (delayUs === 0 && cause !== CAUSE_ANSWERED) {
        countEnd(world, program.targetEdge[target]!, -1, cause, 0, nowUs);
        world.failedCause = cause;
        return false;
      }
      const id = newCall(
        world,
        words,
        doubles,
        parent,
        target,
        key,
        flags | FLAG_FAILED | (cause << CAUSE_SHIFT),
        nowUs,
      );
      words[id * WORDS + POD] = -1;
      words[id * WORDS + CODE] = EVENT_ATTEMPT;
      insert(world.queue, words, id, nowUs + delayUs);
      return true;
    }
    if (route.mirror >= 0 && mix(key ^ CAUSE_DRAW_MIRROR) >>> 0 < route.mirrorBelow) {
      const copyKey = mix(key ^ CAUSE_DRAW_MIRROR ^ GOLDEN);
      startCall(world, words, doubles, NOBODY, caller, route.mirror, copyKey, flags & LOAD_BITS, nowUs);
    }
  }
  const isTimed = program.policyTimed[program.targetPolicy[target]!] === 1;
  if (delayUs > 0) {
    const id = newCall(world, words, doubles, parent, target, key, flags, nowUs);
    if (isTimed) world.calls.delaysUs[id] = delayUs;
    words[id * WORDS + POD] = -1;
    words[id * WORDS + CODE] = EVENT_ATTEMPT;
    insert(world.queue, words, id, nowUs + delayUs);
    return true;
  }
  const edge = program.targetEdge[target]!;
  const callerSlot = caller - world.podBase[program.edgeSource[edge]!]!;
  const destination = program.edgeDestination[edge]!;
  const row = world.connectionBase[edge]! + callerSlot * world.podCapacity[destination]!;
  const pod = pickPod(world, edge, caller, callerSlot, row, key, nowUs);
  if (pod < 0) {
    world.counters.whole.spans++;
    countEnd(world, edge, -1, CAUSE_UH, 0, nowUs);
    countRefusal(world, edge, callerSlot);
    world.failedCause = CAUSE_UH;
    return false;
  }
  const id = newCall(world, words, doubles, parent, target, key, flags, nowUs);
  if (isTimed) world.calls.delaysUs[id] = 0;
  if (launch(world, words, id, caller, callerSlot, row, pod, nowUs)) return true;
  countEnd(world, edge, pod, CAUSE_UO, 0, nowUs);
  countRefusal(world, edge, callerSlot);
  voidTimeout(world, id);
  freeRecord(world.records, id);
  world.failedCause = CAUSE_UO;
  return false;
}

/**
 * Starts a delivery from a broker's slot to a consumer, which has a place for it: nothing is picked or refused. `flags`
 * carries the load of its message.
 */
export function startDelivery(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  broker: number,
  pod: number,
  target: number,
  key: number,
  flags: number,
  nowUs: number,
): { readonly id: number; readonly connection: number } {
  const { program, podBase, podCapacity } = world;
  const edge = program.targetEdge[target]!;
  const callerSlot = broker - podBase[program.edgeSource[edge]!]!;
  const row = world.connectionBase[edge]! + callerSlot * podCapacity[program.edgeDestination[edge]!]!;
  const id = newCall(world, words, doubles, EXTERNAL - broker, target, key, flags, nowUs);
  world.calls.delaysUs[id] = 0;
  launch(world, words, id, broker, callerSlot, row, pod, nowUs);
  return { id, connection: words[id * WORDS + CONNECTION]! };
}

function countRefusal({ refused, rotationBase }: World, edge: number, callerSlot: number): void {
  const at = rotationBase[edge]! + callerSlot;
  refused[at] = refused[at]! + 1;
}

function newCall(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  parent: number,
  target: number,
  key: number,
  flags: number,
  nowUs: number,
): number {
  const id = takeRecord(world.records);
  const at = id * WORDS;
  words[at + PARENT] = parent;
  words[at + PENDING] = 0;
  words[at + KEY] = key;
  words[at + TARGET] = target;
  words[at + FLAGS] = flags;
  doubles[id * DOUBLES + START_US] = nowUs;
  if (world.tracksUsers) world.calls.users[id] = world.pickingUser;
  return id;
}

/** A word that stands for the user of a call: the same down the whole call tree, as applications pass headers on. */
function userOf(world: World, parent: number, key: number, flags: number): number {
  if (parent >= 0) return world.calls.users[parent]!;
  const word = mix(key ^ CAUSE_DRAW_USER);
  const load = (flags >>> LOAD_SHIFT) & LOAD_MASK;
  const { users } = world.program.scenario.loads[load]!;
  if (users === null) return word;
  return mix(Math.imul(Math.floor((word >>> 0) * TWO_TO_MINUS_32 * users) + 1, GOLDEN) ^ world.loads[load]!.seedA);
}

/** Sends an attempt to `pod`; false when a circuit breaker refuses it. */
function launch(
  world: World,
  words: Int32Array,
  id: number,
  caller: number,
  callerSlot: number,
  row: number,
  pod: number,
  nowUs: number,
): boolean {
  const { program } = world;
  const at = id * WORDS;
  const target = words[at + TARGET]!;
  const edge = program.targetEdge[target]!;
  const connection = row + pod - world.podBase[program.edgeDestination[edge]!]!;
  world.counters.whole.spans++;
  words[at + POD] = pod;
  words[at + CONNECTION] = connection;
  if (program.policyTimed[program.targetPolicy[target]!] === 1) armTimeout(world, words, id, nowUs);
  const breaker = world.breakers[edge]!;
  if (breaker !== null) {
    const admitted = admit(breaker, callerSlot, connection - world.connectionBase[edge]!, id, words);
    if (admitted < 0) return false;
    if (admitted === 0) {
      words[at + CODE] = STATE_PENDING;
      world.podHeld[pod] = world.podHeld[pod]! + 1;
      return true;
    }
  }
  depart(world, words, id, caller, pod, connection, nowUs);
  return true;
}

/** The request leaves the caller's proxy. */
function depart(
  world: World,
  words: Int32Array,
  id: number,
  caller: number,
  pod: number,
  connection: number,
  nowUs: number,
): void {
  const { program } = world;
  const at = id * WORDS;
  let endpoint = program.targetEndpoint[words[at + TARGET]!]!;
  if (endpoint < 0) endpoint = program.pooledEndpoint[~endpoint * program.serviceCount + world.podService[pod]!]!;
  const key = words[at + KEY]!;
  world.connectionActive[connection] = world.connectionActive[connection]! + 1;
  world.connectionRequests[connection] = world.connectionRequests[connection]! + 1;
  world.connectionBytes[connection] = world.connectionBytes[connection]! + program.endpointBytes[endpoint]!;
  words[at + STEP] = program.endpointStart[endpoint]!;
  if (world.anyLoss && isLost(world, caller, pod, key)) {
    words[at + CODE] = EVENT_REPLY;
    words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (CAUSE_UF << CAUSE_SHIFT);
    insert(world.queue, words, id, nowUs + world.lossUs[program.targetEdge[words[at + TARGET]!]!]!);
    return;
  }
  const { proxies } = world;
  const outUs = proxies === null ? 0 : passUs(proxies, caller, world.podNode[caller]!, key ^ PASS_OUT, nowUs);
  words[at + CODE] = proxies === null ? EVENT_ARRIVE : EVENT_PROXY_IN;
  insert(world.queue, words, id, nowUs + outUs + hopUs(world, caller, pod, key ^ CAUSE_HOP_THERE));
}

function isLost(world: World, from: number, to: number, key: number): boolean {
  const share = world.zoneLoss[world.podZone[from]! * world.program.placeCount + world.podZone[to]!]!;
  return share > 0 && (mix(key ^ CAUSE_DRAW_LOSS) >>> 0) * TWO_TO_MINUS_32 < share;
}

/** One-way delay between two pods, jitter applied, in whole microseconds. */
export function hopUs(world: World, from: number, to: number, draw: number): number {
  const { program, podNode, podZone } = world;
  const node = podNode[from]!;
  let delayUs: number;
  if (node >= 0 && node === podNode[to]!) delayUs = program.sameNodeDelayUs;
  else {
    delayUs = world.zoneDelayUs[podZone[from]! * program.placeCount + podZone[to]!]!;
    if (program.nodeExtraUs !== null) delayUs += nodeExtraUs(program, node, podNode[to]!);
  }
  if (program.jitterTable >= 0) delayUs *= quantileOf(program.tables, program.jitterTable, mix(draw));
  return Math.floor(delayUs + 0.5);
}

/** Gateways stand on no node that anybody knows. */
function nodeExtraUs({ nodeExtraUs: extras, scenario }: Program, from: number, to: number): number {
  const nodeCount = scenario.cluster.nodes.length;
  return from < 0 || to < 0 || from >= nodeCount || to >= nodeCount ? 0 : extras![from * nodeCount + to]!;
}

/**
 * The outcome of an attempt has reached the caller's proxy. Returns the parent span when that can go on now, else -1
 * (another attempt follows, other calls are under way, or it was a user's request, which is counted here).
 */
export function endAttempt(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): number {
  const { program, records } = world;
  const at = id * WORDS;
  const flags = words[at + FLAGS]!;
  if ((flags & FLAG_DETACHED) !== 0) {
    const pod = words[at + POD]!;
    world.podHeld[pod] = world.podHeld[pod]! - 1;
    const source = program.edgeSource[program.targetEdge[words[at + TARGET]!]!]!;
    freeRecord(records, id);
    if (program.queueOf[source]! >= 0) endLateDelivery(world, source, pod, doubles[id * DOUBLES + START_US]!, nowUs);
    return -1;
  }
  const connection = words[at + CONNECTION]!;
  world.connectionActive[connection] = world.connectionActive[connection]! - 1;
  const target = words[at + TARGET]!;
  const edge = program.targetEdge[target]!;
  if ((flags & FLAG_TIMED) !== 0) voidTimeout(world, id);
  const failed = (flags & FLAG_FAILED) !== 0;
  if (world.outliers[edge] !== null)
    noteOutcome(world, edge, connection, failed ? (flags >>> CAUSE_SHIFT) & CAUSE_MASK : 0, nowUs);
  if (failed && world.longLived[edge] !== null) dropConnections(world, words, at, edge, flags);
  if (world.breakers[edge] !== null) {
    releaseConnection(world, words, edge, connection, failed && !isAnswer(flags), nowUs);
    endRetry(world, words, at, edge);
  }
  if (failed && planRetry(world, words, doubles, id, (flags >>> CAUSE_SHIFT) & CAUSE_MASK, nowUs)) return -1;
  return endCall(world, words, doubles, id, nowUs);
}

/** A status is an answer; anything else means that the connection is broken. */
function isAnswer(flags: number): boolean {
  const cause = (flags >>> CAUSE_SHIFT) & CAUSE_MASK;
  // An attempt has the later ones only from a waypoint, which has answered with them.
  return cause === CAUSE_APP_500 || cause === CAUSE_APP_503 || cause === CAUSE_FI || cause >= CAUSE_DIRECT;
}

function dropConnections(world: World, words: Int32Array, at: number, edge: number, flags: number): void {
  if (isAnswer(flags)) return;
  closeConnections(world.longLived[edge]!, callerSlotOf(world, words, at, edge), words[at + POD]!);
}

/** Counts a call on its edge, frees its record and tells the caller. */
function endCall(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): number {
  const at = id * WORDS;
  const flags = words[at + FLAGS]!;
  const parent = words[at + PARENT]!;
  const startUs = doubles[id * DOUBLES + START_US]!;
  const failed = (flags & FLAG_FAILED) !== 0;
  const cause = failed ? (flags >>> CAUSE_SHIFT) & CAUSE_MASK : 0;
  countEnd(world, world.program.targetEdge[words[at + TARGET]!]!, words[at + POD]!, cause, nowUs - startUs, nowUs);
  freeRecord(world.records, id);
  if (parent >= 0) return tellParent(world, words, parent, cause);
  if (parent === NOBODY) return -1;
  // Deliveries come from brokers, whose slots lie below those of the gateways.
  if (EXTERNAL - parent >= world.podBase[world.program.gateway]!) finishExternal(world, flags, startUs, nowUs, cause);
  else endDelivery(world, id, parent, cause, startUs, nowUs);
  return -1;
}

function tellParent(world: World, words: Int32Array, parent: number, cause: number): number {
  const up = parent * WORDS;
  if (cause !== 0) failParent(world, words, up, cause);
  const pending = words[up + PENDING]! - 1;
  words[up + PENDING] = pending;
  return pending === 0 ? parent : -1;
}

/** A call of this span has failed: an application fails with it, a waypoint answers with what it got. */
export function failParent(world: World, words: Int32Array, at: number, cause: number): void {
  const passed = world.passesOn[world.podService[words[at + POD]!]!] === 1 ? passedOn(cause) << CAUSE_SHIFT : 0;
  words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | passed;
}

/** `pod`: the last that the call was sent to; -1: none. A call to a pool counts for the version of that pod. */
function countEnd(world: World, edge: number, pod: number, cause: number, tookUs: number, nowUs: number): void {
  if (nowUs < world.measureFromUs) return;
  const { counters, program } = world;
  const members = program.edgeMembers[edge]!;
  if (members >= 0) edge = program.memberEdge[members + (pod < 0 ? program.gateway : world.podService[pod]!)]!;
  if (cause !== 0) {
    counters.edgeFailed[edge] = counters.edgeFailed[edge]! + 1;
    counters.edgeCauses[edge * CAUSES + cause] = counters.edgeCauses[edge * CAUSES + cause]! + 1;
  } else counters.edgeSucceeded[edge] = counters.edgeSucceeded[edge]! + 1;
  counters.edgeLatencyUs[edge] = counters.edgeLatencyUs[edge]! + tookUs;
  counters.edgeHistogram[edge * HISTOGRAM_SIZE + bucketIndex(tookUs)]!++;
}

/** Plans the next attempt of a failed call; false when there is none. */
function planRetry(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  id: number,
  cause: number,
  nowUs: number,
): boolean {
  const { program, calls } = world;
  const at = id * WORDS;
  const policy = program.policies[program.targetPolicy[words[at + TARGET]!]!]!;
  if ((policy.retryCauses & (1 << cause)) === 0) return false;
  const flags = words[at + FLAGS]!;
  const attempt = (flags >>> ATTEMPT_SHIFT) & ATTEMPT_MASK;
  if (attempt >= policy.attempts || words[at + PARENT] === NOBODY) return false;
  const edge = program.targetEdge[words[at + TARGET]!]!;
  const breaker = world.breakers[edge]!;
  if (breaker !== null) {
    const callerSlot = callerSlotOf(world, words, at, edge);
    if (!mayRetry(breaker, callerSlot)) return false;
    breaker.retries[callerSlot]!++;
  }
  calls.tried[id * TRIED_HOSTS + (attempt % TRIED_HOSTS)] = words[at + POD]!;
  const key = mix(words[at + KEY]! ^ CAUSE_DRAW_RETRY);
  words[at + KEY] = key;
  words[at + FLAGS] =
    (flags & ((LOAD_MASK << LOAD_SHIFT) | (USER_ATTEMPT_MASK << USER_ATTEMPT_SHIFT))) |
    ((attempt + 1) << ATTEMPT_SHIFT);
  words[at + CODE] = EVENT_ATTEMPT;
  let atUs = nowUs + backOffUs(policy.backOffBaseUs, attempt + 1, mix(key + GOLDEN) >>> 0);
  if (policy.timeoutUs > 0) {
    const endUs = deadlineUs(world, policy, id);
    if (atUs >= endUs) {
      atUs = endUs;
      words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (CAUSE_UT << CAUSE_SHIFT);
    }
  }
  world.counters.whole.retries++;
  insert(world.queue, words, id, atUs);
  return true;
}

/** The moment of a planned attempt. Returns the parent when the call ends here instead, else -1. */
export function nextAttempt(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): number {
  const { program } = world;
  const at = id * WORDS;
  const parent = words[at + PARENT]!;
  const edge = program.targetEdge[words[at + TARGET]!]!;
  if (parent === NOBODY) {
    endRetry(world, words, at, edge);
    freeRecord(world.records, id);
    return -1;
  }
  // An injected abort after its delay, an answer of the proxy itself, or a time-out that fell into the back-off.
  if ((words[at + FLAGS]! & FLAG_FAILED) !== 0) {
    if (((words[at + FLAGS]! >>> CAUSE_SHIFT) & CAUSE_MASK) === CAUSE_ANSWERED)
      words[at + FLAGS] = words[at + FLAGS]! & ~(FLAG_FAILED | (CAUSE_MASK << CAUSE_SHIFT));
    endRetry(world, words, at, edge);
    return endCall(world, words, doubles, id, nowUs);
  }
  const caller = parent >= 0 ? words[parent * WORDS + POD]! : EXTERNAL - parent;
  const callerSlot = caller - world.podBase[program.edgeSource[edge]!]!;
  const row = world.connectionBase[edge]! + callerSlot * world.podCapacity[program.edgeDestination[edge]!]!;
  const attempt = (words[at + FLAGS]! >>> ATTEMPT_SHIFT) & ATTEMPT_MASK;
  let key = words[at + KEY]!;
  if (world.tracksUsers) world.pickingUser = world.calls.users[id]!;
  let pod = pickPod(world, edge, caller, callerSlot, row, key, nowUs);
  for (let redraw = 0; redraw < HOST_REDRAWS && pod >= 0 && wasTried(world, id, attempt, pod); redraw++) {
    key = mix(key + GOLDEN);
    pod = pickPod(world, edge, caller, callerSlot, row, key, nowUs);
  }
  if (pod >= 0 && launch(world, words, id, caller, callerSlot, row, pod, nowUs)) return -1;
  if (pod < 0) {
    world.counters.whole.spans++;
    words[at + POD] = -1;
  }
  const cause = pod < 0 ? CAUSE_UH : CAUSE_UO;
  endRetry(world, words, at, edge);
  if ((words[at + FLAGS]! & FLAG_TIMED) !== 0) voidTimeout(world, id);
  words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (cause << CAUSE_SHIFT);
  return endCall(world, words, doubles, id, nowUs);
}

function wasTried(world: World, id: number, attempts: number, pod: number): boolean {
  const { tried } = world.calls;
  for (let i = 0; i < attempts && i < TRIED_HOSTS; i++) if (tried[id * TRIED_HOSTS + i] === pod) return true;
  return false;
}

/**
 * A breaker's connection is free again: the next pending request of that pod gets it. In a pool that is the next of all,
 * whichever pod the connection leads to; where the connection is broken, it has another one opened.
 */
function releaseConnection(
  world: World,
  words: Int32Array,
  edge: number,
  connection: number,
  isBroken: boolean,
  nowUs: number,
): void {
  const breaker = world.breakers[edge]!;
  const base = world.connectionBase[edge]!;
  const destination = world.program.edgeDestination[edge]!;
  const capacity = world.podCapacity[destination]!;
  const callerSlot = Math.floor((connection - base) / capacity);
  const caller = world.podBase[world.program.edgeSource[edge]!]! + callerSlot;
  let isClosed = breaker.isPool && isBroken;
  for (;;) {
    const id = isClosed
      ? breakConnection(breaker, callerSlot, connection - base, words)
      : giveBackConnection(breaker, callerSlot, connection - base, words);
    if (id < 0) return;
    const at = id * WORDS;
    world.podHeld[words[at + POD]!] = world.podHeld[words[at + POD]!]! - 1;
    if (isClosed) {
      isClosed = false;
      if (world.tracksUsers) world.pickingUser = world.calls.users[id]!;
      const row = base + callerSlot * capacity;
      const pod = pickPod(world, edge, caller, callerSlot, row, words[at + KEY]!, nowUs);
      // Endpoints of externals do not go away.
      if (pod < 0) throw new Error(`no endpoint for a connection of edge ${edge} (seed ${world.seed})`);
      connection = row + pod - world.podBase[destination]!;
      openConnection(breaker, callerSlot, connection - base);
    }
    if (breaker.isPool) {
      words[at + POD] = world.podBase[destination]! + ((connection - base) % capacity);
      words[at + CONNECTION] = connection;
    }
    if (words[at + PARENT] !== NOBODY) {
      depart(world, words, id, caller, words[at + POD]!, connection, nowUs);
      return;
    }
    // Its caller died while it waited: the connection goes to the next.
    if ((words[at + FLAGS]! & FLAG_TIMED) !== 0) voidTimeout(world, id);
    endRetry(world, words, at, edge);
    freeRecord(world.records, id);
  }
}

/** A further attempt is over: it no longer counts against the limit of retries. */
function endRetry(world: World, words: Int32Array, at: number, edge: number): void {
  const breaker = world.breakers[edge]!;
  if (breaker === null || ((words[at + FLAGS]! >>> ATTEMPT_SHIFT) & ATTEMPT_MASK) === 0) return;
  breaker.retries[callerSlotOf(world, words, at, edge)]!--;
}

function callerSlotOf(world: World, words: Int32Array, at: number, edge: number): number {
  const capacity = world.podCapacity[world.program.edgeDestination[edge]!]!;
  return Math.floor((words[at + CONNECTION]! - world.connectionBase[edge]!) / capacity);
}

/** Arms the earlier of the attempt's own time-out and what is left of the call's. */
function armTimeout(world: World, words: Int32Array, id: number, nowUs: number): void {
  const { program, calls, records } = world;
  const at = id * WORDS;
  const policy = program.policies[program.targetPolicy[words[at + TARGET]!]!]!;
  let endUs = Infinity;
  if (policy.perTryTimeoutUs > 0) endUs = nowUs + policy.perTryTimeoutUs;
  if (policy.timeoutUs > 0) endUs = Math.min(endUs, deadlineUs(world, policy, id));
  words[at + FLAGS] = words[at + FLAGS]! | FLAG_TIMED;
  const timer = takeRecord(records);
  const timerAt = timer * WORDS;
  words[timerAt + CODE] = EVENT_TIMEOUT;
  words[timerAt + POD] = id;
  words[timerAt + KEY] = calls.stamps[id]!;
  insert(world.queue, words, timer, endUs);
}

/** The time-out of the whole call runs from the moment at which the router gets it, behind an injected delay. */
function deadlineUs(world: World, policy: RequestPolicy, id: number): number {
  return world.records.doubles[id * DOUBLES + START_US]! + world.calls.delaysUs[id]! + policy.timeoutUs;
}

function voidTimeout(world: World, id: number): void {
  world.calls.stamps[id] = (world.calls.stamps[id]! + 1) | 0;
}

/** A time-out goes off. Returns the parent when its call ends by it, else -1. */
export function timeOut(world: World, words: Int32Array, doubles: Float64Array, timer: number, nowUs: number): number {
  const { program, records, calls } = world;
  const id = words[timer * WORDS + POD]!;
  const current = words[timer * WORDS + KEY] === calls.stamps[id];
  freeRecord(records, timer);
  if (!current) return -1;
  voidTimeout(world, id);
  const at = id * WORDS;
  const flags = words[at + FLAGS]!;
  const parent = words[at + PARENT]!;
  // Its caller died: nobody is left to give up on it.
  if (parent === NOBODY) {
    words[at + FLAGS] = flags & ~FLAG_TIMED;
    return -1;
  }
  const target = words[at + TARGET]!;
  const edge = program.targetEdge[target]!;
  const connection = words[at + CONNECTION]!;
  const pod = words[at + POD]!;
  const isPending = words[at + CODE] === STATE_PENDING;
  const callId = isPending ? id : takeRecord(records);
  if (isPending) {
    leavePending(
      world.breakers[edge]!,
      callerSlotOf(world, words, at, edge),
      connection - world.connectionBase[edge]!,
      id,
      words,
    );
    world.podHeld[pod] = world.podHeld[pod]! - 1;
  } else {
    // The call goes on in a record of its own; this one stays with the pod.
    words.copyWithin(callId * WORDS, at, at + WORDS);
    calls.delaysUs[callId] = calls.delaysUs[id]!;
    calls.users[callId] = calls.users[id]!;
    calls.messages[callId] = calls.messages[id]!;
    for (let i = 0; i < TRIED_HOSTS; i++) calls.tried[callId * TRIED_HOSTS + i] = calls.tried[id * TRIED_HOSTS + i]!;
    words[at + PARENT] = NOBODY;
    words[at + FLAGS] = (flags | FLAG_DETACHED) & ~FLAG_TIMED;
    world.podHeld[pod] = world.podHeld[pod]! + 1;
    world.connectionActive[connection] = world.connectionActive[connection]! - 1;
    if (world.outliers[edge] !== null) noteOutcome(world, edge, connection, CAUSE_UT, nowUs);
    if (world.breakers[edge] !== null) releaseConnection(world, words, edge, connection, false, nowUs);
  }
  endRetry(world, words, at, edge);
  const callAt = callId * WORDS;
  const kept = (LOAD_MASK << LOAD_SHIFT) | (USER_ATTEMPT_MASK << USER_ATTEMPT_SHIFT) | (ATTEMPT_MASK << ATTEMPT_SHIFT);
  words[callAt + FLAGS] = (flags & kept) | FLAG_FAILED | (CAUSE_UT << CAUSE_SHIFT);
  words[callAt + PENDING] = 0;
  const policy = program.policies[program.targetPolicy[target]!]!;
  const isOver = policy.timeoutUs > 0 && nowUs >= deadlineUs(world, policy, callId);
  if (!isOver && planRetry(world, words, doubles, callId, CAUSE_UT, nowUs)) return -1;
  return endCall(world, words, doubles, callId, nowUs);
}

/** The user's request is over. `flags` holds its load; `cause` 0 is success. */
export function finishExternal(world: World, flags: number, startUs: number, nowUs: number, cause: number): void {
  const { counters } = world;
  const load = (flags >>> LOAD_SHIFT) & LOAD_MASK;
  if (cause !== 0) {
    counters.whole.failed++;
    userRetry(world, flags, load, nowUs);
  } else counters.whole.succeeded++;
  if (nowUs < world.measureFromUs) return;
  if (cause !== 0) {
    counters.loadFailed[load] = counters.loadFailed[load]! + 1;
    counters.loadCauses[load * CAUSES + cause] = counters.loadCauses[load * CAUSES + cause]! + 1;
    counters.seriesSums[1] = counters.seriesSums[1]! + 1;
    return;
  }
  const tookUs = nowUs - startUs;
  const fine = bucketIndex(tookUs);
  counters.loadSucceeded[load] = counters.loadSucceeded[load]! + 1;
  counters.loadLatencyUs[load] = counters.loadLatencyUs[load]! + tookUs;
  counters.loadHistogram[load * HISTOGRAM_SIZE + fine]!++;
  counters.seriesSums[0] = counters.seriesSums[0]! + 1;
  counters.seriesSums[2] = counters.seriesSums[2]! + tookUs;
  counters.seriesHistogram[fine]!++;
}

/** In a retry storm the user tries again: a new request, with chance of its own. */
function userRetry(world: World, flags: number, load: number, nowUs: number): void {
  const limit = world.userRetries[load]!;
  if (limit === 0) return;
  const attempt = (flags >>> USER_ATTEMPT_SHIFT) & USER_ATTEMPT_MASK;
  if (attempt >= limit || attempt >= USER_ATTEMPT_MASK) return;
  const { records } = world;
  // Only the reserve is left: the next slice of the loop makes room, and this user gives up.
  if (records.freeCount === 0) return;
  const id = takeRecord(records);
  records.words[id * WORDS + CODE] = EVENT_USER_RETRY;
  records.words[id * WORDS + POD] = load;
  records.words[id * WORDS + FLAGS] = attempt + 1;
  insert(world.queue, records.words, id, nowUs + USER_PAUSE_US);
}
