/**
 * Everything that waits in the simulator, a span or a timer, is one record of 64 bytes in one typed array, reached by
 * its number. Records are visited at random, so one cache line per record beats one array per field (measured). The
 * same memory is seen as 16 integers and as 8 doubles; times are whole microseconds in doubles (exact up to 2^53 us,
 * 285 years).
 *
 * A record is in at most one list at a time (an event bucket, a pod's queue, or the free list), so one link serves all.
 */
export const WORDS = 16;
export const DOUBLES = 8;

/** Link to the next record of the list that this one is in; -1 ends it. */
export const NEXT = 0;
/** Event code (see sim/spans.ts), or FREE. */
export const CODE = 1;
/** Position in the endpoint's program: the step to do next. */
export const STEP = 2;
/** Pod that works on the span; for pod timers the pod; for arrivals the load. */
export const POD = 3;
/** Span that waits for this one; NOBODY or a gateway's number, both negative, see sim/spans.ts. */
export const PARENT = 4;
/** Child calls that have not replied yet. */
export const PENDING = 5;
/** Key of all draws of this span. */
export const KEY = 6;
/** Index of (caller, callee) in the connection tables. */
export const CONNECTION = 7;
/** What is called, by whom, under which policy: a target of sim/program.ts. */
export const TARGET = 8;
/** See FLAG_ constants in sim/spans.ts. */
export const FLAGS = 9;
/** Doubles: start at the caller; arrival at the pod; demand or virtual finish of the step under way. */
export const START_US = 5;
export const ARRIVED_US = 6;
export const DEMAND = 7;

/** Words 10..15 are the three doubles above: (START_US = 5) x 2 = word 10. */

export interface Records {
  words: Int32Array;
  doubles: Float64Array;
  /** First free record, -1 when none is left. */
  free: number;
  freeCount: number;
  capacity: number;
}

export const FREE = 0;

export function createRecords(capacity: number): Records {
  const buffer = new ArrayBuffer(capacity * WORDS * 4);
  const records = {
    words: new Int32Array(buffer),
    doubles: new Float64Array(buffer),
    free: -1,
    freeCount: 0,
    capacity: 0,
  };
  addFree(records, 0, capacity);
  return records;
}

/** Doubles the room; the numbers of live records stay valid, the typed arrays are new. */
export function growRecords(records: Records): void {
  const capacity = records.capacity * 2;
  const buffer = new ArrayBuffer(capacity * WORDS * 4);
  const words = new Int32Array(buffer);
  words.set(records.words);
  const old = records.capacity;
  records.words = words;
  records.doubles = new Float64Array(buffer);
  addFree(records, old, capacity);
}

/** Takes a record; the caller has made sure that one is free. */
export function takeRecord(records: Records): number {
  const id = records.free;
  if (id < 0) throw new Error('no free record: growRecords must run before the pool is empty');
  records.free = records.words[id * WORDS + NEXT]!;
  records.freeCount--;
  return id;
}

export function freeRecord(records: Records, id: number): void {
  const at = id * WORDS;
  records.words[at + CODE] = FREE;
  records.words[at + NEXT] = records.free;
  records.free = id;
  records.freeCount++;
}

/** Links the records from..to-1 so that the lowest number is taken first. */
function addFree(records: Records, from: number, to: number): void {
  for (let id = to - 1; id >= from; id--) {
    records.words[id * WORDS + CODE] = FREE;
    records.words[id * WORDS + NEXT] = records.free;
    records.free = id;
  }
  records.freeCount += to - from;
  records.capacity = to;
}
