/**
 * Hands the messages of a queue to consumers: while one waits and a pod has a free place, a call starts from the broker to
 * that pod. It works there like any request, and its reply is the acknowledgement (sim/queues.ts).
 */
import { startDelivery } from './calls.js';
import { armDispatch, deliveryKey, returnMessage, takeConsumer, takeMessage } from './queues.js';
import { freeRecord, KEY, POD, WORDS } from './kernel/records.js';
import type { World } from './world.js';

/** The event of a queue: a message comes back, or somebody may have a place for one. */
export function queueEvent(world: World, words: Int32Array, doubles: Float64Array, id: number, nowUs: number): void {
  const queue = world.queues[words[id * WORDS + POD]!]!;
  const returned = words[id * WORDS + KEY]!;
  freeRecord(world.records, id);
  returnMessage(world, queue, returned, nowUs);
  const { calls, program, records, counters } = world;
  const { messageBytes, service } = queue.compiled;
  while (queue.head >= 0) {
    // A backlog may meet many free places: make room for their records first, then go on at the same moment.
    if (records.freeCount < program.reserve) return armDispatch(world, queue, nowUs);
    const taken = takeConsumer(world, queue);
    if (taken === null) return;
    const { pod, broker } = taken;
    const message = takeMessage(world, queue, nowUs);
    if (world.tracksUsers) world.pickingUser = queue.messages.user[message]!;
    const target = queue.targets[pod]!;
    const load = queue.messages.load[message]!;
    const delivery = startDelivery(
      world,
      words,
      doubles,
      broker,
      pod,
      target,
      deliveryKey(queue, message),
      load,
      nowUs,
    );
    calls.messages[delivery.id] = message;
    // What the consumer's endpoint says of bytes is for those who call it; a message has its own size.
    const { connection } = delivery;
    world.connectionBytes[connection] =
      world.connectionBytes[connection]! + messageBytes - program.endpointBytes[program.targetEndpoint[target]!]!;
    if (program.outsidePlace[service]! >= 0 && nowUs >= world.measureFromUs) {
      const edge = program.targetEdge[target]!;
      counters.outsideReceivedBytes[edge] = counters.outsideReceivedBytes[edge]! + messageBytes;
    }
  }
}
