/**
 * The hold model on the simulator's event queue: `pending` events; each step takes the earliest and puts it back an
 * exponential time (mean 1 s) later. The same workload as the C++ floor.
 */
import { createRecords, takeRecord } from '../../sim/kernel/records.js';
import { createQueue, findNext, insert, take } from '../../sim/kernel/wheel.js';
import { fillQuantileTable, quantileOf, TABLE_SIZE } from '../../sim/quantileTable.js';
import { nextWord, openStream } from '../../sim/random.js';

/** Steps per second, and a checksum so that nothing is optimised away. */
export function hold(pending: number, steps: number): { perSecond: number; checksum: number } {
  const records = createRecords(pending);
  const { words } = records;
  const queue = createQueue(pending);
  const tables = new Float64Array(TABLE_SIZE);
  fillQuantileTable(tables, 0, { kind: 'exponential', mean: 1e6 }, 1);
  const stream = openStream(1, 'hold');
  const delayUs = (): number => Math.floor(1 + quantileOf(tables, 0, nextWord(stream)));
  for (let i = 0; i < pending; i++) insert(queue, words, takeRecord(records), delayUs());
  let checksum = 0;
  const began = performance.now();
  for (let step = 0; step < steps; step++) {
    const offset = findNext(queue, words, Infinity);
    const nowUs = queue.blockStartUs + offset;
    const id = take(queue, words, offset);
    checksum = (Math.imul(checksum, 31) + id) | 0;
    insert(queue, words, id, nowUs + delayUs());
  }
  return { perSecond: steps / ((performance.now() - began) / 1000), checksum };
}
