import test from 'ava';
import fc from 'fast-check';
import { createRecords, freeRecord, takeRecord } from '../../../sim/kernel/records.js';
import { createQueue, findNext, insert, removeEvents, take } from '../../../sim/kernel/wheel.js';
import { SortedQueue } from '../../models/sortedQueue.js';
import { SEED, SEED_NOTE } from '../../seed.js';

/** Delays around the edges of small wheels: inside a block, in later blocks, beyond the far wheel. */
const delay = fc.oneof(
  fc.nat(3),
  fc.nat(100),
  fc.nat(5_000),
  fc.nat(200_000),
  fc.constantFrom(31, 32, 33, 63, 64, 1023, 1024, 1025, 2047, 2048, 32 * 32, 64 * 64, 64 * 64 - 1),
);
const action = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), delay }),
  fc.record({ kind: fc.constant('take' as const), delay: fc.nat(6) }),
  fc.record({ kind: fc.constant('run' as const), delay }),
  // Every so-manieth of those that wait.
  fc.record({ kind: fc.constant('remove' as const), delay: fc.integer({ min: 1, max: 4 }) }),
);

for (const [nearSize, farSize] of [
  [32, 32],
  [64, 32],
  [1024, 32],
  [64, 1024],
] as const) {
  test(`a queue of ${nearSize} us blocks and ${farSize} of them gives events in the order of a sorted list ${SEED_NOTE}`, (t) => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const records = createRecords(512);
        const queue = createQueue(512, nearSize, farSize);
        const twin = new SortedQueue();
        let nowUs = 0;
        const takeOne = (untilUs: number): boolean => {
          const offset = findNext(queue, records.words, untilUs);
          const timeUs = queue.blockStartUs + offset;
          const expected = twin.takeBefore(untilUs);
          if (offset < 0 || timeUs >= untilUs) {
            if (expected !== null) throw new Error(`expected record ${expected.id} at ${expected.timeUs}, got none`);
            return false;
          }
          const id = take(queue, records.words, offset);
          if (expected?.id !== id || expected.timeUs !== timeUs) {
            throw new Error(`expected ${expected?.id} at ${expected?.timeUs}, got ${id} at ${timeUs}`);
          }
          freeRecord(records, id);
          nowUs = timeUs;
          return true;
        };
        for (const { kind, delay: amount } of actions) {
          if (kind === 'insert') {
            const id = takeRecord(records);
            insert(queue, records.words, id, nowUs + amount);
            twin.insert(id, nowUs + amount);
          } else if (kind === 'remove') {
            const ids = new Set(twin.ids().filter((_, i) => i % amount === 0));
            removeEvents(queue, records.words, ids);
            twin.remove(ids);
            for (const id of ids) freeRecord(records, id);
          } else if (kind === 'take') {
            for (let i = 0; i < amount; i++) takeOne(Infinity);
          } else {
            const untilUs = nowUs + amount;
            while (takeOne(untilUs));
            nowUs = untilUs;
          }
        }
        while (takeOne(Infinity));
      }),
      { seed: SEED, numRuns: 300 },
    );
    t.pass();
  });
}

test('events of one microsecond come in the order of their insertion, whichever way they got there', (t) => {
  const records = createRecords(16);
  const queue = createQueue(16, 32, 32);
  const at = (timeUs: number): number => {
    const id = takeRecord(records);
    insert(queue, records.words, id, timeUs);
    return id;
  };
  // 5000 is beyond the far wheel (32 x 32 = 1024) at first, in it after the event at 4500, near after the one at 4992.
  const first = at(5000);
  at(4500);
  const second = at(5000);
  const next = (): { id: number; timeUs: number } => {
    const offset = findNext(queue, records.words, Infinity);
    return { id: take(queue, records.words, offset), timeUs: queue.blockStartUs + offset };
  };
  t.is(next().timeUs, 4500);
  const third = at(5000);
  at(4992);
  t.is(next().timeUs, 4992);
  const fourth = at(5000);
  t.deepEqual(
    [next(), next(), next(), next()].map(({ id }) => id),
    [first, second, third, fourth],
  );
});
