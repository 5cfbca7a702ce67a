/**
 * The event queue: records ordered by (time, insertion), times in whole microseconds. Two wheels and a heap:
 *
 *   near   one FIFO bucket per microsecond of the current block of `nearSize` us: insertion order costs nothing
 *   far    one FIFO bucket per coming block, `farSize` blocks; emptied into `near` when its block begins
 *   heap   binary heap on (time, insertion) for what lies beyond; its events move to `far` as the window moves on
 *
 * Why this keeps the order: an event reaches a bucket of `near` either by draining its block's FIFO, before anything is
 * inserted directly, or directly, later. The same holds one level up: the heap is drained into a `far` block, in order,
 * at the moment that block enters the window, before anything is inserted there directly.
 *
 * Bitmaps say which buckets hold something. Links live in the records (NEXT), so the queue itself allocates nothing.
 * A bucket is (head, tail) record numbers; the far wheel keeps each record's time in its own table by record number.
 */
import { NEXT, WORDS } from './records.js';

export interface EventQueue {
  /** Microseconds of one block, a power of two. */
  nearSize: number;
  nearBits: number;
  farSize: number;
  /** Time of the first microsecond of the current block. */
  blockStartUs: number;
  /** Where in the block the search for the next event begins (0..nearSize). */
  cursor: number;
  nearHead: Int32Array;
  nearTail: Int32Array;
  nearMap: Int32Array;
  nearTop: Int32Array;
  nearCount: number;
  farHead: Int32Array;
  farTail: Int32Array;
  farMap: Int32Array;
  farCount: number;
  /** Offset within its block of each record that waits in the far wheel. */
  farOffset: Int32Array;
  heapTimeUs: Float64Array;
  heapOrder: Float64Array;
  heapId: Int32Array;
  heapCount: number;
  inserted: number;
}

/** Sizes are powers of two, at least 32. The defaults cover 65 s at 1,024 blocks of 64 ms. */
export function createQueue(capacity: number, nearSize = 65536, farSize = 1024): EventQueue {
  return {
    nearSize,
    nearBits: 31 - Math.clz32(nearSize),
    farSize,
    blockStartUs: 0,
    cursor: 0,
    nearHead: new Int32Array(nearSize).fill(-1),
    nearTail: new Int32Array(nearSize).fill(-1),
    nearMap: new Int32Array(nearSize >>> 5),
    nearTop: new Int32Array(Math.max(1, nearSize >>> 10)),
    nearCount: 0,
    farHead: new Int32Array(farSize).fill(-1),
    farTail: new Int32Array(farSize).fill(-1),
    farMap: new Int32Array(farSize >>> 5),
    farCount: 0,
    farOffset: new Int32Array(capacity),
    heapTimeUs: new Float64Array(64),
    heapOrder: new Float64Array(64),
    heapId: new Int32Array(64),
    heapCount: 0,
    inserted: 0,
  };
}

/** Makes room for record numbers up to `capacity`. */
export function growQueue(queue: EventQueue, capacity: number): void {
  const farOffset = new Int32Array(capacity);
  farOffset.set(queue.farOffset);
  queue.farOffset = farOffset;
}

/** Inserts record `id` at `timeUs`, which must not lie before the last event taken. */
export function insert(queue: EventQueue, words: Int32Array, id: number, timeUs: number): void {
  const offset = timeUs - queue.blockStartUs;
  if (offset < queue.nearSize) insertNear(queue, words, id, offset);
  else insertBeyond(queue, words, id, offset);
}

export function insertNear(queue: EventQueue, words: Int32Array, id: number, offset: number): void {
  words[id * WORDS + NEXT] = -1;
  const tail = queue.nearTail[offset]!;
  queue.nearTail[offset] = id;
  queue.nearCount++;
  if (tail >= 0) {
    words[tail * WORDS + NEXT] = id;
    return;
  }
  queue.nearHead[offset] = id;
  const word = offset >>> 5;
  queue.nearMap[word] = queue.nearMap[word]! | (1 << (offset & 31));
  queue.nearTop[word >>> 5] = queue.nearTop[word >>> 5]! | (1 << (word & 31));
}

export function insertBeyond(queue: EventQueue, words: Int32Array, id: number, offset: number): void {
  const blocksAhead = Math.floor(offset / queue.nearSize);
  if (blocksAhead >= queue.farSize) {
    heapPush(queue, queue.blockStartUs + offset, id);
    return;
  }
  insertFar(queue, words, id, queue.blockStartUs / queue.nearSize + blocksAhead, offset - blocksAhead * queue.nearSize);
}

function insertFar(queue: EventQueue, words: Int32Array, id: number, block: number, offset: number): void {
  const bucket = block & (queue.farSize - 1);
  words[id * WORDS + NEXT] = -1;
  queue.farOffset[id] = offset;
  queue.farCount++;
  const tail = queue.farTail[bucket]!;
  queue.farTail[bucket] = id;
  if (tail >= 0) words[tail * WORDS + NEXT] = id;
  else {
    queue.farHead[bucket] = id;
    queue.farMap[bucket >>> 5] = queue.farMap[bucket >>> 5]! | (1 << (bucket & 31));
  }
}

/**
 * Offset in the current block of the earliest event, moving to later blocks as needed but never past the block that
 * holds `untilUs`; -1 if no event lies before that block's end. The event itself stays; see `take`.
 */
export function findNext(queue: EventQueue, words: Int32Array, untilUs: number): number {
  for (;;) {
    if (queue.nearCount > 0) return firstNear(queue);
    const block = nextBlock(queue);
    if (block < 0 || block * queue.nearSize > untilUs) return -1;
    enterBlock(queue, words, block);
  }
}

/** Takes the first record of the bucket at `offset` (which must not be empty). */
export function take(queue: EventQueue, words: Int32Array, offset: number): number {
  // Not earlier: an event that was found but not taken may still get company before it.
  queue.cursor = offset;
  const id = queue.nearHead[offset]!;
  const next = words[id * WORDS + NEXT]!;
  queue.nearHead[offset] = next;
  queue.nearCount--;
  if (next < 0) {
    queue.nearTail[offset] = -1;
    clearNear(queue, offset);
  }
  return id;
}

function clearNear(queue: EventQueue, offset: number): void {
  const word = offset >>> 5;
  const left = queue.nearMap[word]! & ~(1 << (offset & 31));
  queue.nearMap[word] = left;
  if (left === 0) queue.nearTop[word >>> 5] = queue.nearTop[word >>> 5]! & ~(1 << (word & 31));
}

/**
 * Takes records out wherever they wait; the order of the others stays. One pass over the whole queue, as no record knows
 * what stands before it: for rare moments, between slices of the hot loop.
 */
export function removeEvents(queue: EventQueue, words: Int32Array, ids: ReadonlySet<number>): void {
  for (let word = 0; word < queue.nearMap.length; word++) {
    for (let bits = queue.nearMap[word]!; bits !== 0; bits &= bits - 1) {
      const offset = (word << 5) + lowestBit(bits);
      queue.nearCount -= unlinkFrom(queue.nearHead, queue.nearTail, offset, words, ids);
      if (queue.nearHead[offset]! < 0) clearNear(queue, offset);
    }
  }
  for (let word = 0; word < queue.farMap.length; word++) {
    for (let bits = queue.farMap[word]!; bits !== 0; bits &= bits - 1) {
      const bucket = (word << 5) + lowestBit(bits);
      queue.farCount -= unlinkFrom(queue.farHead, queue.farTail, bucket, words, ids);
      if (queue.farHead[bucket]! < 0) queue.farMap[word] = queue.farMap[word]! & ~(1 << (bucket & 31));
    }
  }
  removeFromHeap(queue, ids);
}

/** Returns how many of the bucket's records were in `ids`. */
function unlinkFrom(
  heads: Int32Array,
  tails: Int32Array,
  bucket: number,
  words: Int32Array,
  ids: ReadonlySet<number>,
): number {
  let removed = 0;
  let before = -1;
  for (let id = heads[bucket]!; id >= 0;) {
    const next = words[id * WORDS + NEXT]!;
    if (!ids.has(id)) before = id;
    else {
      removed++;
      if (before < 0) heads[bucket] = next;
      else words[before * WORDS + NEXT] = next;
    }
    id = next;
  }
  tails[bucket] = before;
  return removed;
}

function removeFromHeap(queue: EventQueue, ids: ReadonlySet<number>): void {
  const { heapTimeUs, heapOrder, heapId } = queue;
  const kept: { timeUs: number; order: number; id: number }[] = [];
  for (let at = 0; at < queue.heapCount; at++)
    if (!ids.has(heapId[at]!)) kept.push({ timeUs: heapTimeUs[at]!, order: heapOrder[at]!, id: heapId[at]! });
  if (kept.length === queue.heapCount) return;
  // A sorted list is a heap.
  kept.sort((a, b) => a.timeUs - b.timeUs || a.order - b.order);
  kept.forEach(({ timeUs, order, id }, at) => {
    heapTimeUs[at] = timeUs;
    heapOrder[at] = order;
    heapId[at] = id;
  });
  queue.heapCount = kept.length;
}

/** Lowest set bit from the cursor's word on; events before the cursor do not exist. */
function firstNear(queue: EventQueue): number {
  let word = queue.cursor >>> 5;
  const here = queue.nearMap[word]!;
  if (here !== 0) return (word << 5) + lowestBit(here);
  let top = word >>> 5;
  let summary = queue.nearTop[top]! & (-1 << (word & 31));
  while (summary === 0) summary = queue.nearTop[++top]!;
  word = (top << 5) + lowestBit(summary);
  return (word << 5) + lowestBit(queue.nearMap[word]!);
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Number of the next block that holds an event, -1 if the queue is empty. */
function nextBlock(queue: EventQueue): number {
  const current = queue.blockStartUs / queue.nearSize;
  if (queue.farCount > 0) {
    const mask = queue.farSize - 1;
    const start = (current + 1) & mask;
    for (let step = 0; step < queue.farSize;) {
      const bucket = (start + step) & mask;
      const bits = queue.farMap[bucket >>> 5]! & (-1 << (bucket & 31));
      if (bits !== 0) {
        const found = (bucket & ~31) + lowestBit(bits);
        return current + 1 + ((found - start) & mask);
      }
      step += 32 - (bucket & 31);
    }
  }
  if (queue.heapCount > 0) return Math.floor(queue.heapTimeUs[0]! / queue.nearSize);
  return -1;
}

/** Makes `block` the current one: the heap's events that come into the window first, then the block's own FIFO. */
function enterBlock(queue: EventQueue, words: Int32Array, block: number): void {
  queue.blockStartUs = block * queue.nearSize;
  queue.cursor = 0;
  const windowEndUs = (block + queue.farSize) * queue.nearSize;
  while (queue.heapCount > 0 && queue.heapTimeUs[0]! < windowEndUs) {
    const timeUs = queue.heapTimeUs[0]!;
    const id = heapPop(queue);
    const itsBlock = Math.floor(timeUs / queue.nearSize);
    insertFar(queue, words, id, itsBlock, timeUs - itsBlock * queue.nearSize);
  }
  const bucket = block & (queue.farSize - 1);
  let id = queue.farHead[bucket]!;
  queue.farHead[bucket] = -1;
  queue.farTail[bucket] = -1;
  queue.farMap[bucket >>> 5] = queue.farMap[bucket >>> 5]! & ~(1 << (bucket & 31));
  while (id >= 0) {
    const next = words[id * WORDS + NEXT]!;
    queue.farCount--;
    insertNear(queue, words, id, queue.farOffset[id]!);
    id = next;
  }
}

function heapPush(queue: EventQueue, timeUs: number, id: number): void {
  if (queue.heapCount === queue.heapId.length) growHeap(queue);
  const { heapTimeUs, heapOrder, heapId } = queue;
  const order = queue.inserted++;
  let at = queue.heapCount++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    // A new event is the latest inserted, so it goes above only what lies strictly later.
    if (heapTimeUs[parent]! <= timeUs) break;
    heapTimeUs[at] = heapTimeUs[parent]!;
    heapOrder[at] = heapOrder[parent]!;
    heapId[at] = heapId[parent]!;
    at = parent;
  }
  heapTimeUs[at] = timeUs;
  heapOrder[at] = order;
  heapId[at] = id;
}

function heapPop(queue: EventQueue): number {
  const { heapTimeUs, heapOrder, heapId } = queue;
  const top = heapId[0]!;
  const count = --queue.heapCount;
  const timeUs = heapTimeUs[count]!;
  const order = heapOrder[count]!;
  const id = heapId[count]!;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= count) break;
    if (child + 1 < count && isBefore(heapTimeUs, heapOrder, child + 1, heapTimeUs[child]!, heapOrder[child]!)) child++;
    if (!isBefore(heapTimeUs, heapOrder, child, timeUs, order)) break;
    heapTimeUs[at] = heapTimeUs[child]!;
    heapOrder[at] = heapOrder[child]!;
    heapId[at] = heapId[child]!;
    at = child;
  }
  heapTimeUs[at] = timeUs;
  heapOrder[at] = order;
  heapId[at] = id;
  return top;
}

function isBefore(times: Float64Array, orders: Float64Array, at: number, timeUs: number, order: number): boolean {
  return times[at]! < timeUs || (times[at]! === timeUs && orders[at]! < order);
}

function growHeap(queue: EventQueue): void {
  const size = queue.heapId.length * 2;
  const heapTimeUs = new Float64Array(size);
  const heapOrder = new Float64Array(size);
  const heapId = new Int32Array(size);
  heapTimeUs.set(queue.heapTimeUs);
  heapOrder.set(queue.heapOrder);
  heapId.set(queue.heapId);
  queue.heapTimeUs = heapTimeUs;
  queue.heapOrder = heapOrder;
  queue.heapId = heapId;
}
