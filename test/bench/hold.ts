/**
 * The hold model on the simulator's event queue: `pending` events; each step takes the earliest and puts it back an
 * exponential time (mean 1 s) later. The same workload as the C++ floor. Prints one JSON line.
 *
 *   hold PENDING STEPS
 */
import { createRecords, takeRecord } from '../../sim/kernel/records.js';
import { createQueue, findNext, insert, take } from '../../sim/kernel/wheel.js';
import { fillQuantileTable, quantileOf, TABLE_SIZE } from '../../sim/quantileTable.js';
import { nextWord, openStream } from '../../sim/random.js';

const pending = Number(process.argv[2] ?? 1000);
const steps = Number(process.argv[3] ?? 2_000_000);

const records = createRecords(pending);
const { words } = records;
const queue = createQueue(pending);
const tables = new Float64Array(TABLE_SIZE);
fillQuantileTable(tables, 0, { kind: 'exponential', mean: 1e6 }, 1);
const stream = openStream(1, 'hold');

function hold(count: number): number {
  let checksum = 0;
  for (let step = 0; step < count; step++) {
    const offset = findNext(queue, words, Infinity);
    const nowUs = queue.blockStartUs + offset;
    const id = take(queue, words, offset);
    checksum = (Math.imul(checksum, 31) + id) | 0;
    insert(queue, words, id, nowUs + Math.floor(1 + quantileOf(tables, 0, nextWord(stream))));
  }
  return checksum;
}

for (let i = 0; i < pending; i++)
  insert(queue, words, takeRecord(records), Math.floor(1 + quantileOf(tables, 0, nextWord(stream))));
hold(Math.min(steps, 200_000));
const began = performance.now();
const checksum = hold(steps);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ steps, seconds, stepsPerSecond: Math.round(steps / seconds), checksum }));
