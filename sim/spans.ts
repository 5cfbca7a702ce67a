/**
 * What the integers of a record (sim/kernel/records.ts) mean to the simulator: which event or state it is in, and the
 * flags and parents of a span. Shared by the hot loop, the shared CPUs, the control plane and the checkers.
 */
import { FREE } from './kernel/records.js';

// Event codes (0 is FREE; see kernel/records.ts).
export const EVENT_ARRIVAL = 1;
export const EVENT_ARRIVE = 2;
export const EVENT_RESUME = 3;
export const EVENT_REPLY = 4;
export const EVENT_SHARED_CPU = 5;
/** No event of its own: in a pod's queue, on a shared CPU, or waiting for replies. */
export const STATE_QUEUED = 6;
export const STATE_ON_SHARED_CPU = 7;
export const STATE_CALLING = 8;

// FLAGS: low bits, and the load of an external request from bit 8 on.
export const FLAG_WORKER = 1;
export const FLAG_FAILED = 2;
/** The pod died under it; the caller learns of it at the time in ARRIVED_US. */
export const FLAG_LOST = 4;
export const FLAG_ON_CPU = 8;
export const FLAG_STARTED = 16;
export const LOAD_SHIFT = 8;

/** PARENT of a span that an external request made: EXTERNAL - gateway's pod. */
export const EXTERNAL = -2;
export const NOBODY = -1;

/** True for the record of a call, whatever it waits for; false for timers, arrivals and free records. */
export function isSpan(code: number): boolean {
  return code !== FREE && code !== EVENT_ARRIVAL && code !== EVENT_SHARED_CPU;
}

/** True for a span that its pod works on, or keeps waiting: it has arrived and has not been answered. */
export function isInPod(code: number): boolean {
  return code === EVENT_RESUME || (code >= STATE_QUEUED && code <= STATE_CALLING);
}
