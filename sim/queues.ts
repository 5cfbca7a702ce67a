/**
 * Queues of messages: what waits, and who would take it. A message is published by a call to the broker (OP_ENQUEUE ends
 * its endpoint) and waits until a consumer has a place for it. Consumers pull, so nobody balances: of the pods with a free
 * place the one that has had none for longest gets the next message (equal ones in the order in which they came). A
 * delivery is a call from the broker to the pod (sim/deliveries.ts); its reply is the acknowledgement.
 *
 * A delivery that fails brings its message back to the head of the queue, as brokers do it, after a delay; after so
 * many deliveries the message is dead. A message that never reached its consumer has not been delivered.
 */
import { CODE, KEY, POD, takeRecord, WORDS } from './kernel/records.js';
import { HISTOGRAM_SIZE, bucketIndex } from './kernel/histogram.js';
import { insert } from './kernel/wheel.js';
import type { CompiledQueue, Program } from './program.js';
import { CAUSE_DRAW_MESSAGE, mix } from './random.js';
import { CAUSE_UC, CAUSE_UF, CAUSE_UT, EVENT_QUEUE, EXTERNAL } from './spans.js';
import { POD_SERVING, type World } from './world.js';

export interface QueueState {
  readonly index: number;
  readonly compiled: CompiledQueue;
  readonly messages: Messages;
  /** Waiting messages, and how many are on their way or at work, or wait for their next delivery. */
  head: number;
  tail: number;
  length: number;
  delayed: number;
  // Consumers, by slot: places for messages (0: none of them), places taken, the target of a delivery, since when it pulls.
  readonly places: Int32Array;
  readonly taken: Int32Array;
  readonly targets: Int32Array;
  readonly joinedUs: Float64Array;
  /** Pods with a free place, longest wait first; -1 ends the list. */
  readonly nextConsumer: Int32Array;
  readonly isListed: Uint8Array;
  firstConsumer: number;
  lastConsumer: number;
  /** An event is planned that hands messages out. */
  isArmed: boolean;
  /** Since the start of the run, warm-up included, for the checkers. */
  readonly whole: { published: number; processed: number; dead: number };
  readonly figures: QueueCounts;
}

/** Messages by number; numbers of messages that are gone are used again. */
interface Messages {
  count: number;
  free: number;
  next: Int32Array;
  key: Int32Array;
  user: Int32Array;
  load: Int32Array;
  attempts: Int32Array;
  /** Deliveries that never reached their consumer. */
  lost: Int32Array;
  publishedUs: Float64Array;
  /** Since when it waits this time. */
  sinceUs: Float64Array;
}

/** Counts of the measured part. */
export interface QueueCounts {
  published: number;
  refused: number;
  processed: number;
  dead: number;
  redelivered: number;
  most: number;
  /** From publication to the first delivery, and to the acknowledgement. */
  waits: number;
  waitUs: number;
  readonly waitHistogram: Uint32Array;
  doneUs: number;
  readonly doneHistogram: Uint32Array;
  /** For Little's law: the integral of the length up to the last change, and the waits, clipped to the measured part. */
  areaUs: number;
  areaAtUs: number;
  sojournUs: number;
}

export function createQueues(program: Program, podBase: Int32Array, pods: number): QueueState[] {
  return program.queues.map((compiled, index): QueueState => {
    const places = new Int32Array(pods);
    const targets = new Int32Array(pods);
    for (const { service, target, concurrency } of compiled.consumers) {
      places.fill(concurrency, podBase[service], podBase[service + 1]);
      targets.fill(target, podBase[service], podBase[service + 1]);
    }
    return {
      ...{ index, compiled, places, targets },
      messages: createMessages(),
      ...{ head: -1, tail: -1, length: 0, delayed: 0 },
      taken: new Int32Array(pods),
      joinedUs: new Float64Array(pods).fill(Infinity),
      nextConsumer: new Int32Array(pods).fill(-1),
      isListed: new Uint8Array(pods),
      ...{ firstConsumer: -1, lastConsumer: -1, isArmed: false },
      whole: { published: 0, processed: 0, dead: 0 },
      figures: {
        ...{ published: 0, refused: 0, processed: 0, dead: 0, redelivered: 0, most: 0 },
        ...{ waits: 0, waitUs: 0, doneUs: 0, areaUs: 0, areaAtUs: 0, sojournUs: 0 },
        waitHistogram: new Uint32Array(HISTOGRAM_SIZE),
        doneHistogram: new Uint32Array(HISTOGRAM_SIZE),
      },
    };
  });
}

/**
 * A message is published; false: the queue is full. `spanKey`, `user` and `load` (its bits in FLAGS) are those of the call
 * that brings it.
 */
export function publishMessage(
  world: World,
  queue: QueueState,
  spanKey: number,
  user: number,
  load: number,
  nowUs: number,
): boolean {
  const { messages, figures, whole } = queue;
  const { maxLength } = queue.compiled.setting;
  const isMeasured = nowUs >= world.measureFromUs;
  if (maxLength !== null && queue.length >= maxLength) {
    if (isMeasured) figures.refused++;
    return false;
  }
  const message = newMessage(messages);
  messages.key[message] = mix(spanKey ^ CAUSE_DRAW_MESSAGE);
  messages.user[message] = user;
  messages.load[message] = load;
  messages.attempts[message] = 0;
  messages.lost[message] = 0;
  messages.publishedUs[message] = nowUs;
  whole.published++;
  if (isMeasured) figures.published++;
  messages.next[message] = -1;
  if (queue.tail >= 0) messages.next[queue.tail] = message;
  else queue.head = message;
  queue.tail = message;
  lengthen(world, queue, message, nowUs);
  return true;
}

/** The oldest message leaves the queue for a consumer. */
export function takeMessage(world: World, queue: QueueState, nowUs: number): number {
  const { messages, figures } = queue;
  const message = queue.head;
  queue.head = messages.next[message]!;
  if (queue.head < 0) queue.tail = -1;
  addArea(queue, nowUs);
  queue.length--;
  const fromUs = Math.max(messages.sinceUs[message]!, world.measureFromUs);
  if (nowUs > fromUs) figures.sojournUs += nowUs - fromUs;
  if (nowUs >= world.measureFromUs) {
    if (messages.attempts[message]! > 0) figures.redelivered++;
    else {
      const waitedUs = nowUs - messages.publishedUs[message]!;
      figures.waits++;
      figures.waitUs += waitedUs;
      figures.waitHistogram[bucketIndex(waitedUs)]!++;
    }
  }
  return message;
}

/** A pod begins to pull: it is ready. */
export function joinConsumers(world: World, slot: number, nowUs: number): void {
  for (const queue of world.queues) {
    if (queue.places[slot] === 0) continue;
    queue.joinedUs[slot] = nowUs;
    queue.taken[slot] = 0;
    if (queue.isListed[slot] === 1) unlist(queue, slot);
    list(queue, slot);
    armDispatch(world, queue, nowUs);
  }
}

/**
 * The pod that gets the next message, and the node of the broker it pulls from, which is that of its own zone where one
 * is up; null when nobody can take one. The pod has taken a place by then.
 */
export function takeConsumer(
  world: World,
  queue: QueueState,
): { readonly pod: number; readonly broker: number } | null {
  let before = -1;
  for (let slot = queue.firstConsumer; slot >= 0;) {
    const next = queue.nextConsumer[slot]!;
    if (world.podState[slot] !== POD_SERVING || queue.taken[slot]! >= queue.places[slot]!) {
      unlink(queue, before, slot);
      slot = next;
      continue;
    }
    const broker = brokerOf(world, queue, slot);
    if (broker >= 0) {
      unlink(queue, before, slot);
      queue.taken[slot] = queue.taken[slot]! + 1;
      if (queue.taken[slot]! < queue.places[slot]!) list(queue, slot);
      return { pod: slot, broker };
    }
    before = slot;
    slot = next;
  }
  return null;
}

/** The consumer's answer has reached the broker, or its time is up. */
export function endDelivery(
  world: World,
  id: number,
  parent: number,
  cause: number,
  startUs: number,
  nowUs: number,
): void {
  const { words } = world.records;
  const pod = words[id * WORDS + POD]!;
  const broker = EXTERNAL - parent;
  const queue = world.queues[world.program.queueOf[world.podService[broker]!]!]!;
  const { messages, figures, whole } = queue;
  const message = world.calls.messages[id]!;
  // One whose time is up still works on it.
  if (cause !== CAUSE_UT) freePlace(queue, pod, startUs);
  if (cause === 0 && world.podState[broker] === POD_SERVING) {
    whole.processed++;
    if (nowUs >= world.measureFromUs) {
      const tookUs = nowUs - messages.publishedUs[message]!;
      figures.processed++;
      figures.doneUs += tookUs;
      figures.doneHistogram[bucketIndex(tookUs)]!++;
    }
    dropMessage(messages, message);
  } else bringBack(world, queue, message, cause, startUs, nowUs);
  armDispatch(world, queue, nowUs);
}

/** A consumer is done with a message that has gone back to the queue meanwhile. */
export function endLateDelivery(world: World, service: number, pod: number, startUs: number, nowUs: number): void {
  const queue = world.queues[world.program.queueOf[service]!]!;
  freePlace(queue, pod, startUs);
  armDispatch(world, queue, nowUs);
}

/** The event of a queue: `message` comes back from its delay, or -1. */
export function returnMessage(world: World, queue: QueueState, message: number, nowUs: number): void {
  queue.isArmed = queue.isArmed && message >= 0;
  if (message < 0) return;
  queue.delayed--;
  putAtHead(world, queue, message, nowUs);
}

/** Plans to hand messages out at this moment, once everything else has its state. */
export function armDispatch(world: World, queue: QueueState, nowUs: number): void {
  if (queue.isArmed || queue.head < 0) return;
  queue.isArmed = true;
  plan(world, queue, -1, nowUs);
}

/** The integral of the length, brought up to now. */
export function addArea(queue: QueueState, nowUs: number): void {
  const { figures } = queue;
  figures.areaUs += queue.length * (nowUs - figures.areaAtUs);
  figures.areaAtUs = nowUs;
}

/** Starts the measured part. */
export function beginQueueCounts(queue: QueueState, nowUs: number): void {
  const { figures } = queue;
  for (const name of Object.keys(figures) as (keyof QueueCounts)[]) {
    if (name === 'waitHistogram' || name === 'doneHistogram') figures[name].fill(0);
    else figures[name] = 0;
  }
  figures.areaAtUs = nowUs;
  figures.most = queue.length;
}

/** Visits the waiting messages, head first. */
export function forEachWaiting(queue: QueueState, visit: (publishedUs: number, sinceUs: number) => void): void {
  const { next, publishedUs, sinceUs } = queue.messages;
  for (let message = queue.head; message >= 0; message = next[message]!)
    visit(publishedUs[message]!, sinceUs[message]!);
}

/** Back to the queue, now or after a delay, or dead. */
function bringBack(
  world: World,
  queue: QueueState,
  message: number,
  cause: number,
  startUs: number,
  nowUs: number,
): void {
  const { messages, figures, whole } = queue;
  const { attempts, redeliveryDelayUs, visibilityTimeoutUs } = queue.compiled.setting;
  if (cause === CAUSE_UF) loseDelivery(world, queue, message, startUs);
  else messages.attempts[message] = messages.attempts[message]! + 1;
  if (messages.attempts[message]! >= attempts) {
    whole.dead++;
    if (nowUs >= world.measureFromUs) figures.dead++;
    dropMessage(messages, message);
    return;
  }
  let atUs = nowUs;
  // Who waits for a time-out hears of a dead consumer by it alone; else the broken connection tells.
  if (cause === CAUSE_UC || cause === CAUSE_UF) atUs = Math.max(nowUs, startUs + visibilityTimeoutUs);
  else if (cause !== 0 && cause !== CAUSE_UT) atUs = nowUs + Math.round(redeliveryDelayUs);
  if (atUs === nowUs) putAtHead(world, queue, message, nowUs);
  else {
    queue.delayed++;
    plan(world, queue, message, atUs);
  }
}

/** A message that never reached its consumer goes on waiting for its first delivery. */
function loseDelivery(world: World, { messages, figures }: QueueState, message: number, startUs: number): void {
  messages.lost[message] = messages.lost[message]! + 1;
  if (messages.attempts[message]! > 0 || startUs < world.measureFromUs) return;
  const waitedUs = startUs - messages.publishedUs[message]!;
  figures.waits--;
  figures.waitUs -= waitedUs;
  figures.waitHistogram[bucketIndex(waitedUs)]!--;
}

function putAtHead(world: World, queue: QueueState, message: number, nowUs: number): void {
  queue.messages.next[message] = queue.head;
  if (queue.head < 0) queue.tail = message;
  queue.head = message;
  lengthen(world, queue, message, nowUs);
}

function lengthen(world: World, queue: QueueState, message: number, nowUs: number): void {
  addArea(queue, nowUs);
  queue.length++;
  queue.messages.sinceUs[message] = nowUs;
  if (queue.length > queue.figures.most) queue.figures.most = queue.length;
  armDispatch(world, queue, nowUs);
}

function plan(world: World, queue: QueueState, message: number, atUs: number): void {
  const id = takeRecord(world.records);
  const { words } = world.records;
  words[id * WORDS + CODE] = EVENT_QUEUE;
  words[id * WORDS + POD] = queue.index;
  words[id * WORDS + KEY] = message;
  insert(world.queue, words, id, atUs);
}

/** Only of a delivery to the pod that is there now: another may have taken the slot since, or started again. */
function freePlace(queue: QueueState, pod: number, startUs: number): void {
  if (startUs < queue.joinedUs[pod]!) return;
  queue.taken[pod] = queue.taken[pod]! - 1;
  if (queue.isListed[pod] === 0) list(queue, pod);
}

function list(queue: QueueState, slot: number): void {
  queue.nextConsumer[slot] = -1;
  queue.isListed[slot] = 1;
  if (queue.lastConsumer >= 0) queue.nextConsumer[queue.lastConsumer] = slot;
  else queue.firstConsumer = slot;
  queue.lastConsumer = slot;
}

function unlist(queue: QueueState, slot: number): void {
  let before = -1;
  for (let at = queue.firstConsumer; at !== slot; at = queue.nextConsumer[at]!) before = at;
  unlink(queue, before, slot);
}

function unlink(queue: QueueState, before: number, slot: number): void {
  const next = queue.nextConsumer[slot]!;
  if (before >= 0) queue.nextConsumer[before] = next;
  else queue.firstConsumer = next;
  if (next < 0) queue.lastConsumer = before;
  queue.isListed[slot] = 0;
}

/** -1: none is up, or none can be reached. */
function brokerOf(world: World, queue: QueueState, slot: number): number {
  const { podBase, podState, podZone, program } = world;
  const { service } = queue.compiled;
  const zone = podZone[slot]!;
  let found = -1;
  for (let broker = podBase[service]!; broker < podBase[service + 1]!; broker++) {
    if (podState[broker] !== POD_SERVING) continue;
    if (world.anyLoss && world.zoneLoss[podZone[broker]! * program.placeCount + zone]! >= 1) continue;
    if (podZone[broker] === zone) return broker;
    if (found < 0) found = broker;
  }
  return found;
}

function createMessages(): Messages {
  return {
    ...{ count: 0, free: -1 },
    next: new Int32Array(64),
    key: new Int32Array(64),
    user: new Int32Array(64),
    load: new Int32Array(64),
    attempts: new Int32Array(64),
    lost: new Int32Array(64),
    publishedUs: new Float64Array(64),
    sinceUs: new Float64Array(64),
  };
}

function newMessage(messages: Messages): number {
  const { free } = messages;
  if (free >= 0) {
    messages.free = messages.next[free]!;
    return free;
  }
  if (messages.count === messages.next.length) {
    for (const name of ['next', 'key', 'user', 'load', 'attempts', 'lost'] as const) {
      const larger = new Int32Array(messages.count * 2);
      larger.set(messages[name]);
      messages[name] = larger;
    }
    for (const name of ['publishedUs', 'sinceUs'] as const) {
      const larger = new Float64Array(messages.count * 2);
      larger.set(messages[name]);
      messages[name] = larger;
    }
  }
  return messages.count++;
}

function dropMessage(messages: Messages, message: number): void {
  messages.next[message] = messages.free;
  messages.free = message;
}

/** The key of the draws of the delivery that is made now: another one each time. */
export function deliveryKey({ messages }: QueueState, message: number): number {
  return mix(messages.key[message]! + messages.attempts[message]! + messages.lost[message]!);
}
