/**
 * The hot loop: takes events in order of (time, insertion) and carries spans through the call graph. A span is one call
 * from a proxy to a pod. Its life: `startCall` (sim/calls.ts) picks the pod and starts the hop; ARRIVE queues or starts
 * it; `proceed` runs the endpoint's operations until one has to wait; RESUME ends a CPU or wait operation; REPLY brings
 * the answer back to the caller's proxy, which may try again; the caller's span proceeds once its last call has ended.
 *
 * One switch over numeric codes on flat arrays, no allocation, no callbacks. What a scenario does not use (jitter,
 * shared CPU, complex routes) costs one comparison. The loop leaves at `untilUs`, or early when records run short, and
 * the control plane then works on the same arrays.
 */
import { endAttempt, failParent, finishExternal, hopUs, nextAttempt, startCall, timeOut } from './calls.js';
import { bucketIndex, envoyBucket, ENVOY_BUCKETS, HISTOGRAM_SIZE } from './kernel/histogram.js';
import {
  ARRIVED_US,
  CODE,
  DOUBLES,
  FLAGS,
  freeRecord,
  KEY,
  NEXT,
  PARENT,
  PENDING,
  POD,
  STEP,
  TARGET,
  WORDS,
} from './kernel/records.js';
import { findNext, insert, take } from './kernel/wheel.js';
import { queueEvent } from './deliveries.js';
import { sweepEvent } from './outliers.js';
import {
  CALL_PROBABILITY,
  CALL_TARGET,
  CALL_WORDS,
  OP_CALL,
  OP_CPU,
  OP_END,
  OP_OUTSIDE,
  OP_WAIT,
  OP_WORDS,
} from './program.js';
import { PASS_HOME, PASS_IN, PASS_REPLY, passUs } from './proxies.js';
import { quantileOf } from './quantileTable.js';
import { publishMessage } from './queues.js';
import {
  CAUSE_CALL,
  CAUSE_DEMAND,
  CAUSE_DRAW_ERROR,
  CAUSE_GATEWAY,
  CAUSE_HOP_BACK,
  CAUSE_ZONE,
  GOLDEN,
  mix,
  requestKey,
  TWO_TO_MINUS_32,
} from './random.js';
import { completeOnNode, wakeNode, type NodeCpu } from './nodeCpu.js';
import { bringUpToDate, completeDue, joinCpu, wakeCpu } from './sharing.js';
import {
  CAUSE_APP_500,
  CAUSE_APP_503,
  CAUSE_MASK,
  CAUSE_SHIFT,
  CAUSE_UF,
  CAUSE_UNREACHABLE,
  EVENT_ARRIVAL,
  EVENT_ARRIVE,
  EVENT_ATTEMPT,
  EVENT_NODE_CPU,
  EVENT_PROXY_HOME,
  EVENT_PROXY_IN,
  EVENT_QUEUE,
  EVENT_REPLY,
  EVENT_RESUME,
  EVENT_SHARED_CPU,
  EVENT_SWEEP,
  EVENT_TIMEOUT,
  EVENT_USER_RETRY,
  EXTERNAL,
  FLAG_FAILED,
  FLAG_ON_CPU,
  FLAG_STARTED,
  FLAG_WORKER,
  LOAD_BITS,
  LOAD_SHIFT,
  NOBODY,
  STATE_CALLING,
  STATE_ON_SHARED_CPU,
  STATE_QUEUED,
  USER_ATTEMPT_SHIFT,
} from './spans.js';
import { POD_DEAD, POD_DRAINING, POD_SERVING, type World } from './world.js';

/** Runs every event before `untilUs`; false when it stopped early because records run short (see growWorld). */
export function runEvents(world: World, untilUs: number): boolean {
  const { queue, records, program, counters } = world;
  const words = records.words;
  const doubles = records.doubles;
  const reserve = program.reserve;
  let events = 0;
  for (;;) {
    if (records.freeCount < reserve) {
      counters.whole.events += events;
      return false;
    }
    const offset = findNext(queue, words, untilUs);
    const nowUs = queue.blockStartUs + offset;
    if (offset < 0 || nowUs >= untilUs) break;
    const id = take(queue, words, offset);
    world.nowUs = nowUs;
    events++;
    const at = id * WORDS;
    switch (words[at + CODE]) {
      case EVENT_ARRIVE:
        arrive(world, words, doubles, id, nowUs);
        break;
      case EVENT_RESUME: {
        const flags = words[at + FLAGS]!;
        if ((flags & FLAG_ON_CPU) !== 0) {
          leaveCpu(world, words[at + POD]!, nowUs);
          words[at + FLAGS] = flags & ~FLAG_ON_CPU;
        }
        proceed(world, words, doubles, id, nowUs);
        break;
      }
      case EVENT_REPLY: {
        const caller = endAttempt(world, words, doubles, id, nowUs);
        if (caller >= 0) resumeCaller(world, words, doubles, caller, nowUs);
        break;
      }
      case EVENT_PROXY_IN:
        reachProxy(world, words, id, nowUs);
        break;
      case EVENT_PROXY_HOME:
        returnToProxy(world, words, id, nowUs);
        break;
      case EVENT_ARRIVAL:
        externalRequest(world, words, doubles, id, nowUs);
        break;
      case EVENT_SHARED_CPU: {
        const pod = words[at + POD]!;
        const current = words[at + KEY] === world.sharing[pod]!.stamp;
        freeRecord(records, id);
        if (current) sharedCpuEvent(world, words, doubles, pod, nowUs);
        break;
      }
      case EVENT_NODE_CPU: {
        const node = world.nodeCpus[words[at + POD]!]!;
        const current = words[at + KEY] === node.stamp;
        freeRecord(records, id);
        if (current) nodeCpuEvent(world, words, doubles, node, nowUs);
        break;
      }
      case EVENT_ATTEMPT: {
        const caller = nextAttempt(world, words, doubles, id, nowUs);
        if (caller >= 0) resumeCaller(world, words, doubles, caller, nowUs);
        break;
      }
      case EVENT_TIMEOUT: {
        const caller = timeOut(world, words, doubles, id, nowUs);
        if (caller >= 0) resumeCaller(world, words, doubles, caller, nowUs);
        break;
      }
      case EVENT_SWEEP:
        sweepEvent(world, words, id, nowUs);
        break;
      case EVENT_QUEUE:
        queueEvent(world, words, doubles, id, nowUs);
        break;
      case EVENT_USER_RETRY: {
        const load = words[at + POD]!;
        const attempt = words[at + FLAGS]!;
        freeRecord(records, id);
        enterGateway(world, words, doubles, load, attempt, nowUs);
        break;
      }
      default:
        throw new Error(`record ${id} with code ${words[at + CODE]} in the event queue (seed ${world.seed})`);
    }
  }
  world.nowUs = untilUs;
  counters.whole.events += events;
  return true;
}

/** Next arrival of a load: makes the external request and re-arms the stream. */
function externalRequest(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): void {
  const load = words[id * WORDS + POD]!;
  const state = world.loads[load]!;
  const nextUs = state.next();
  if (nextUs < Infinity) insert(world.queue, words, id, nextUs);
  else freeRecord(world.records, id);
  enterGateway(world, words, doubles, load, 0, nowUs);
}

/** A user's request reaches a gateway of its zone; `attempt` counts how often the user has sent it before. */
function enterGateway(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  load: number,
  attempt: number,
  nowUs: number,
): void {
  const { program, counters } = world;
  const state = world.loads[load]!;
  const key = requestKey(state.seedA, state.seedB, state.requests++);
  counters.whole.arrivals++;
  if (nowUs >= world.measureFromUs) counters.arrivals[load] = counters.arrivals[load]! + 1;
  const bounds = state.zoneBounds;
  const zoneWord = mix(key ^ CAUSE_ZONE) >>> 0;
  let zone = 0;
  while (zone < bounds.length - 1 && zoneWord >= bounds[zone]!) zone++;
  const perZone = program.scenario.gateways.perZone;
  const gatewayBase = world.podBase[program.gateway]!;
  const inZone = Math.floor((mix(key ^ CAUSE_GATEWAY) >>> 0) * TWO_TO_MINUS_32 * perZone);
  const gateway = gatewayBase + zone * perZone + inZone;
  const flags = (load << LOAD_SHIFT) | (attempt << USER_ATTEMPT_SHIFT);
  if (world.podState[gateway] !== POD_SERVING) {
    // The zone is lost and its users have not been sent elsewhere yet.
    finishExternal(world, flags, nowUs, nowUs, CAUSE_UNREACHABLE);
    return;
  }
  const target = program.loadTarget[load]!;
  if (!startCall(world, words, doubles, EXTERNAL - gateway, gateway, target, key, flags, nowUs))
    finishExternal(world, flags, nowUs, nowUs, world.failedCause);
}

/** A request reaches its pod: it gets a worker, waits for one, or is refused. */
function arrive(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): void {
  const { counters } = world;
  const at = id * WORDS;
  const pod = words[at + POD]!;
  const state = world.podState[pod]!;
  if (state !== POD_SERVING && state !== POD_DRAINING) {
    if (state === POD_DEAD) {
      // Nobody answers: the caller gives up after the connect time-out.
      const lossUs = world.lossUs[world.program.targetEdge[words[at + TARGET]!]!]!;
      doubles[id * DOUBLES + ARRIVED_US] = nowUs + lossUs;
      words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (CAUSE_UF << CAUSE_SHIFT);
      answerAt(world, words, id, nowUs + lossUs);
    } else {
      // The address is gone or not open yet: refused at once.
      words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (CAUSE_UF << CAUSE_SHIFT);
      answerAt(world, words, id, nowUs + hopBackUs(world, words, id));
    }
    return;
  }
  const service = world.podService[pod]!;
  doubles[id * DOUBLES + ARRIVED_US] = nowUs;
  counters.areaUs[service] =
    counters.areaUs[service]! + counters.inSystem[service]! * (nowUs - counters.areaAtUs[service]!);
  counters.areaAtUs[service] = nowUs;
  if (nowUs >= world.measureFromUs) counters.serviceArrivals[service] = counters.serviceArrivals[service]! + 1;
  if (world.podBusy[pod]! < world.workers[service]!) {
    counters.inSystem[service] = counters.inSystem[service]! + 1;
    world.podBusy[pod] = world.podBusy[pod]! + 1;
    words[at + FLAGS] = words[at + FLAGS]! | FLAG_WORKER | FLAG_STARTED;
    if (nowUs >= world.measureFromUs) counters.serviceStarted[service] = counters.serviceStarted[service]! + 1;
    proceed(world, words, doubles, id, nowUs);
    return;
  }
  const limit = world.queueLimit[service]!;
  if (limit >= 0 && world.podQueueLength[pod]! >= limit) {
    if (nowUs >= world.measureFromUs) {
      counters.serviceRefused[service] = counters.serviceRefused[service]! + 1;
      counters.serviceFailed[service] = counters.serviceFailed[service]! + 1;
    }
    words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (CAUSE_APP_503 << CAUSE_SHIFT);
    reply(world, words, id, nowUs);
    return;
  }
  counters.inSystem[service] = counters.inSystem[service]! + 1;
  enqueue(world, words, id, pod);
}

function enqueue(world: World, words: Int32Array, id: number, pod: number): void {
  words[id * WORDS + CODE] = STATE_QUEUED;
  words[id * WORDS + NEXT] = -1;
  const tail = world.podQueueTail[pod]!;
  if (tail >= 0) words[tail * WORDS + NEXT] = id;
  else world.podQueueHead[pod] = id;
  world.podQueueTail[pod] = id;
  world.podQueueLength[pod] = world.podQueueLength[pod]! + 1;
}

/** Gives up a worker; returns the span that gets it, or -1. */
function releaseWorker(world: World, words: Int32Array, doubles: Float64Array, pod: number, nowUs: number): number {
  const head = world.podQueueHead[pod]!;
  if (head < 0) {
    world.podBusy[pod] = world.podBusy[pod]! - 1;
    return -1;
  }
  const at = head * WORDS;
  const next = words[at + NEXT]!;
  world.podQueueHead[pod] = next;
  if (next < 0) world.podQueueTail[pod] = -1;
  world.podQueueLength[pod] = world.podQueueLength[pod]! - 1;
  const flags = words[at + FLAGS]!;
  words[at + FLAGS] = flags | FLAG_WORKER | FLAG_STARTED;
  if ((flags & FLAG_STARTED) === 0 && nowUs >= world.measureFromUs) {
    const { counters } = world;
    const service = world.podService[pod]!;
    counters.serviceStarted[service] = counters.serviceStarted[service]! + 1;
    counters.serviceWaitUs[service] = counters.serviceWaitUs[service]! + nowUs - doubles[head * DOUBLES + ARRIVED_US]!;
  }
  return head;
}

/**
 * Runs the operations of a span until one has to wait; then the same for a span that got its worker. Each span frees
 * at most one worker before it waits, so one variable holds what comes next.
 */
function proceed(world: World, words: Int32Array, doubles: Float64Array, first: number, nowUs: number): void {
  const { program } = world;
  const { ops } = program;
  let id = first;
  while (id >= 0) {
    const at = id * WORDS;
    const pod = words[at + POD]!;
    let next = -1;
    let step = words[at + STEP]!;
    for (;;) {
      const op = step * OP_WORDS;
      const code = ops[op]!;
      if (code === OP_CPU) {
        if ((words[at + FLAGS]! & FLAG_WORKER) === 0) {
          const service = world.podService[pod]!;
          if (world.podBusy[pod]! >= world.workers[service]!) {
            words[at + STEP] = step;
            enqueue(world, words, id, pod);
            break;
          }
          world.podBusy[pod] = world.podBusy[pod]! + 1;
          words[at + FLAGS] = words[at + FLAGS]! | FLAG_WORKER;
        }
        words[at + STEP] = step + 1;
        const demandUs = Math.floor(quantileOf(program.tables, ops[op + 1]!, demandWord(words, at, step)) + 0.5);
        if (world.podShares[pod] === 1) {
          words[at + CODE] = STATE_ON_SHARED_CPU;
          joinCpu(world, words, doubles, pod, id, demandUs, nowUs);
        } else {
          bringUpToDate(world, pod, nowUs);
          world.podOnCpu[pod] = world.podOnCpu[pod]! + 1;
          words[at + FLAGS] = words[at + FLAGS]! | FLAG_ON_CPU;
          words[at + CODE] = EVENT_RESUME;
          insert(world.queue, words, id, nowUs + demandUs);
        }
        break;
      }
      if (code === OP_END) {
        if ((words[at + FLAGS]! & FLAG_WORKER) !== 0) next = releaseWorker(world, words, doubles, pod, nowUs);
        if (world.anyErrors) injectError(world, words, at, pod);
        depart(world, words, doubles, id, pod, nowUs);
        break;
      }
      if (code === OP_WAIT) {
        words[at + STEP] = step + 1;
        next = yieldWorker(world, words, doubles, at, pod, nowUs);
        const delayUs = Math.floor(quantileOf(program.tables, ops[op + 1]!, demandWord(words, at, step)) + 0.5);
        words[at + CODE] = EVENT_RESUME;
        insert(world.queue, words, id, nowUs + delayUs);
        break;
      }
      if (code !== OP_CALL) {
        besides(world, words, id, code, ops[op + 1]!, nowUs);
        step++;
        continue;
      }
      // OP_CALL: start the calls of this step; without any, or after a failure on the spot, go on.
      startCalls(world, words, doubles, id, ops[op + 1]!, ops[op + 2]!, step, nowUs);
      if (words[at + PENDING]! > 0) {
        words[at + STEP] = step + 1;
        words[at + CODE] = STATE_CALLING;
        next = yieldWorker(world, words, doubles, at, pod, nowUs);
        break;
      }
      step = (words[at + FLAGS]! & FLAG_FAILED) !== 0 ? afterFailure(world, pod, step) : step + 1;
    }
    if (next >= 0 && world.records.freeCount < program.reserve) {
      // Many may follow one another here: make room first, then go on at the same moment.
      words[next * WORDS + CODE] = EVENT_RESUME;
      insert(world.queue, words, next, nowUs);
      return;
    }
    id = next;
  }
}

/** What only an external has to do with a request: count its bytes, or take its message. */
function besides(world: World, words: Int32Array, id: number, code: number, operand: number, nowUs: number): void {
  const at = id * WORDS;
  const { program, counters } = world;
  if (code === OP_OUTSIDE) {
    if (nowUs < world.measureFromUs) return;
    const edge = program.targetEdge[words[at + TARGET]!]!;
    const sentBytes = program.endpointRequestBytes[operand]!;
    counters.outsideSentBytes[edge] = counters.outsideSentBytes[edge]! + sentBytes;
    counters.outsideReceivedBytes[edge] =
      counters.outsideReceivedBytes[edge]! + program.endpointBytes[operand]! - sentBytes;
    return;
  }
  // A broker that fails has not got the message.
  if (world.anyErrors) injectError(world, words, at, words[at + POD]!);
  if ((words[at + FLAGS]! & FLAG_FAILED) !== 0) return;
  const user = world.tracksUsers ? world.calls.users[id]! : 0;
  if (!publishMessage(world, world.queues[operand]!, words[at + KEY]!, user, words[at + FLAGS]! & LOAD_BITS, nowUs))
    words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED | (CAUSE_APP_503 << CAUSE_SHIFT);
}

/** The draw of an operation, keyed by the span and the operation's place in its endpoint. */
function demandWord(words: Int32Array, at: number, step: number): number {
  return mix((words[at + KEY]! ^ CAUSE_DEMAND) + Math.imul(step, GOLDEN));
}

function startCalls(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  id: number,
  firstRow: number,
  rows: number,
  step: number,
  nowUs: number,
): void {
  const { calls, tellsLoads } = world.program;
  const at = id * WORDS;
  const flags = tellsLoads ? words[at + FLAGS]! & LOAD_BITS : 0;
  const pod = words[at + POD]!;
  const stepKey = mix((words[at + KEY]! ^ CAUSE_CALL) + Math.imul(step, GOLDEN));
  for (let i = 0; i < rows; i++) {
    const row = (firstRow + i) * CALL_WORDS;
    const key = mix(stepKey + Math.imul(i, GOLDEN));
    const bound = calls[row + CALL_PROBABILITY]!;
    if (bound !== -1 && key >>> 0 >= bound >>> 0) continue;
    const target = calls[row + CALL_TARGET]!;
    if (startCall(world, words, doubles, id, pod, target, mix(key ^ GOLDEN), flags, nowUs))
      words[at + PENDING] = words[at + PENDING]! + 1;
    else failParent(world, words, at, world.failedCause);
  }
}

/** A caller whose last call has answered goes on; after a failed one it goes to its end. */
function resumeCaller(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): void {
  const at = id * WORDS;
  // STEP is the one after the calls.
  if ((words[at + FLAGS]! & FLAG_FAILED) !== 0)
    words[at + STEP] = afterFailure(world, words[at + POD]!, words[at + STEP]! - 1);
  proceed(world, words, doubles, id, nowUs);
}

/** The worker goes free while a span waits, unless the service's threads block. */
function yieldWorker(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  pod: number,
  nowUs: number,
): number {
  const flags = words[at + FLAGS]!;
  if ((flags & FLAG_WORKER) === 0 || world.holdsWorker[world.podService[pod]!] === 1) return -1;
  words[at + FLAGS] = flags & ~FLAG_WORKER;
  return releaseWorker(world, words, doubles, pod, nowUs);
}

/** Where a span goes on whose call has failed: an application at its end; a waypoint has that answer to pass on. */
function afterFailure(world: World, pod: number, step: number): number {
  if (world.passesOn[world.podService[pod]!] === 1) return step + 1;
  const { ops } = world.program;
  let end = step;
  while (ops[end * OP_WORDS] !== OP_END) end++;
  return end;
}

function leaveCpu(world: World, pod: number, nowUs: number): void {
  bringUpToDate(world, pod, nowUs);
  world.podOnCpu[pod] = world.podOnCpu[pod]! - 1;
}

/** A failing service answers a share of its requests with 500. */
function injectError(world: World, words: Int32Array, at: number, pod: number): void {
  const share = world.serviceErrorShare[world.podService[pod]!]!;
  if (share > 0 && (mix(words[at + KEY]! ^ CAUSE_DRAW_ERROR) >>> 0) * TWO_TO_MINUS_32 < share)
    words[at + FLAGS] = words[at + FLAGS]! | FLAG_FAILED;
}

/** The pod is done with a span: count it and send the reply. */
function depart(world: World, words: Int32Array, doubles: Float64Array, id: number, pod: number, nowUs: number): void {
  const { counters } = world;
  const service = world.podService[pod]!;
  const arrivedUs = doubles[id * DOUBLES + ARRIVED_US]!;
  const tookUs = nowUs - arrivedUs;
  leaveSystem(world, service, arrivedUs, nowUs);
  const fine = bucketIndex(tookUs);
  const envoy = pod * ENVOY_BUCKETS + envoyBucket(tookUs, fine);
  world.podEnvoy[envoy] = world.podEnvoy[envoy]! + 1;
  world.podServed[pod] = world.podServed[pod]! + 1;
  const failed = (words[id * WORDS + FLAGS]! & FLAG_FAILED) !== 0;
  let isOwnFailure = failed;
  if (failed) {
    const hasCause = ((words[id * WORDS + FLAGS]! >>> CAUSE_SHIFT) & CAUSE_MASK) !== 0;
    if (!hasCause) words[id * WORDS + FLAGS] = words[id * WORDS + FLAGS]! | (CAUSE_APP_500 << CAUSE_SHIFT);
    // What a waypoint passes on is the failure of another.
    else if (world.passesOn[service] === 1) isOwnFailure = false;
  }
  if (nowUs >= world.measureFromUs) {
    if (!isOwnFailure) {
      counters.serviceSucceeded[service] = counters.serviceSucceeded[service]! + 1;
    } else counters.serviceFailed[service] = counters.serviceFailed[service]! + 1;
    counters.serviceLatencyUs[service] = counters.serviceLatencyUs[service]! + tookUs;
    counters.serviceHistogram[service * HISTOGRAM_SIZE + fine]!++;
  }
  reply(world, words, id, nowUs);
}

/** Little's law, kept exactly: integral of the number in the system, and sojourns clipped to the measured part. */
export function leaveSystem(world: World, service: number, arrivedUs: number, nowUs: number): void {
  const { counters } = world;
  const inSystem = counters.inSystem[service]!;
  counters.areaUs[service] = counters.areaUs[service]! + inSystem * (nowUs - counters.areaAtUs[service]!);
  counters.areaAtUs[service] = nowUs;
  counters.inSystem[service] = inSystem - 1;
  const fromUs = arrivedUs > world.measureFromUs ? arrivedUs : world.measureFromUs;
  if (nowUs > fromUs) counters.sojournUs[service] = counters.sojournUs[service]! + nowUs - fromUs;
}

/** The pod's answer sets out; proxies that take time hold it up at both ends. */
function reply(world: World, words: Int32Array, id: number, nowUs: number): void {
  const { proxies } = world;
  if (proxies === null) {
    answerAt(world, words, id, nowUs + hopBackUs(world, words, id));
    return;
  }
  const at = id * WORDS;
  const pod = words[at + POD]!;
  const heldUs = passUs(proxies, pod, world.podNode[pod]!, words[at + KEY]! ^ PASS_REPLY, nowUs);
  words[at + CODE] = EVENT_PROXY_HOME;
  insert(world.queue, words, id, nowUs + heldUs + hopBackUs(world, words, id));
}

/** A request reaches the proxy of its pod; a pod that is gone has none that answers. */
function reachProxy(world: World, words: Int32Array, id: number, nowUs: number): void {
  const at = id * WORDS;
  const pod = words[at + POD]!;
  const state = world.podState[pod]!;
  const isThere = state === POD_SERVING || state === POD_DRAINING;
  const heldUs = isThere ? passUs(world.proxies!, pod, world.podNode[pod]!, words[at + KEY]! ^ PASS_IN, nowUs) : 0;
  words[at + CODE] = EVENT_ARRIVE;
  insert(world.queue, words, id, nowUs + heldUs);
}

/** A reply reaches the proxy of its caller, if that still waits for it. */
function returnToProxy(world: World, words: Int32Array, id: number, nowUs: number): void {
  const at = id * WORDS;
  const parent = words[at + PARENT]!;
  let heldUs = 0;
  if (parent !== NOBODY) {
    const caller = parent >= 0 ? words[parent * WORDS + POD]! : EXTERNAL - parent;
    heldUs = passUs(world.proxies!, caller, world.podNode[caller]!, words[at + KEY]! ^ PASS_HOME, nowUs);
  }
  answerAt(world, words, id, nowUs + heldUs);
}

function answerAt(world: World, words: Int32Array, id: number, timeUs: number): void {
  words[id * WORDS + CODE] = EVENT_REPLY;
  insert(world.queue, words, id, timeUs);
}

/** From the pod of a call to its caller; nobody waits for one that has been given up on. */
export function hopBackUs(world: World, words: Int32Array, id: number): number {
  const at = id * WORDS;
  const parent = words[at + PARENT]!;
  if (parent === NOBODY) return 0;
  const caller = parent >= 0 ? words[parent * WORDS + POD]! : EXTERNAL - parent;
  return hopUs(world, words[at + POD]!, caller, words[at + KEY]! ^ CAUSE_HOP_BACK);
}

/** The timer of a shared CPU: spans whose demand is served go on. */
function sharedCpuEvent(world: World, words: Int32Array, doubles: Float64Array, pod: number, nowUs: number): void {
  // Each completed span may start others on this pod, so they are taken one at a time.
  for (
    let id = completeDue(world, words, doubles, pod, nowUs);
    id >= 0;
    id = completeDue(world, words, doubles, pod, nowUs)
  ) {
    proceed(world, words, doubles, id, nowUs);
    if (world.records.freeCount < world.program.reserve) {
      wakeCpu(world, words, pod, nowUs);
      return;
    }
  }
}

/** The timer of a node whose pods share it, likewise. */
function nodeCpuEvent(world: World, words: Int32Array, doubles: Float64Array, node: NodeCpu, nowUs: number): void {
  for (
    let id = completeOnNode(world, words, doubles, node, nowUs);
    id >= 0;
    id = completeOnNode(world, words, doubles, node, nowUs)
  ) {
    proceed(world, words, doubles, id, nowUs);
    if (world.records.freeCount < world.program.reserve) {
      wakeNode(world, words, node, nowUs);
      return;
    }
  }
}
