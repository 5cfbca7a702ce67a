/**
 * What the integers of a record (sim/kernel/records.ts) mean to the simulator: which event or state it is in, and the
 * flags, causes of failure and parents of a span. Shared by the hot loop, the shared CPUs, the control plane and the
 * checkers.
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
/** The caller's proxy makes the next attempt now: after a back-off, or after an injected delay. */
export const EVENT_ATTEMPT = 9;
/** A call's time is up; see sim/calls.ts. */
export const EVENT_TIMEOUT = 10;
/** Waits in the caller's proxy for a connection to its pod. */
export const STATE_PENDING = 11;
/** A sweep of a proxy's outlier detector; see sim/outliers.ts. */
export const EVENT_SWEEP = 12;
/** A user sends a failed request once more. */
export const EVENT_USER_RETRY = 13;

/** With proxies that take time: a request reaches its pod's proxy, and a reply its caller's; see sim/proxies.ts. */
export const EVENT_PROXY_IN = 14;
export const EVENT_PROXY_HOME = 15;
/** A queue of messages has something to do; see sim/queues.ts. */
export const EVENT_QUEUE = 16;

/** Something changes on the CPU of a node whose pods share it; see sim/nodeCpu.ts. */
export const EVENT_NODE_CPU = 17;

// FLAGS: eight bits, the number of the attempt, the cause of the failure, and the load of an external request.
export const FLAG_WORKER = 1;
export const FLAG_FAILED = 2;
export const FLAG_ON_CPU = 8;
export const FLAG_STARTED = 16;
/** Its caller has given up on it: the pod works on, no proxy counts it and nobody waits for the reply. */
export const FLAG_DETACHED = 32;
/** A time-out is armed for this attempt. */
export const FLAG_TIMED = 64;
export const ATTEMPT_SHIFT = 8;
export const ATTEMPT_MASK = 15;
export const CAUSE_SHIFT = 12;
export const CAUSE_MASK = 15;
/** 12 bits: the loader allows no more loads than that. */
export const LOAD_SHIFT = 16;
export const LOAD_MASK = 4095;
export const LOAD_BITS = LOAD_MASK << LOAD_SHIFT;
/** How often the user has sent this request before. */
export const USER_ATTEMPT_SHIFT = 28;
export const USER_ATTEMPT_MASK = 7;

/** Pods of earlier attempts that a call remembers. */
export const TRIED_HOSTS = 6;

// Why a request failed, by the response flag that Envoy's access log would show (SEMANTICS A15).
export const CAUSE_NONE = 0;
/** No healthy upstream: 503. */
export const CAUSE_UH = 1;
/** Connection failure: refused, or timed out while connecting: 503. */
export const CAUSE_UF = 2;
/** Overflow of a circuit breaker: 503, never retried. */
export const CAUSE_UO = 3;
/** Connection terminated under the request: 503. */
export const CAUSE_UC = 4;
/** Time-out of the whole call, or of one attempt: 504. */
export const CAUSE_UT = 5;
/** Aborted by an injected fault. */
export const CAUSE_FI = 6;
/** The application answered 500. */
export const CAUSE_APP_500 = 7;
/** The application refused with 503: its queue is full. */
export const CAUSE_APP_503 = 8;
/** The caller's own proxy is gone (its zone is lost and its users have not been sent elsewhere). */
export const CAUSE_UNREACHABLE = 9;
/** No cluster for a named subset: 503. */
export const CAUSE_NC = 10;
/** No route matches: 404. */
export const CAUSE_NR = 11;
/** A direct response of the route, of 400 or more; behind a waypoint any such answer of its own. */
export const CAUSE_DIRECT = 12;
/** An injected abort with a gRPC status: FI too, but HTTP says 200. */
export const CAUSE_FI_GRPC = 13;
/** No failure, and so in no count: the proxy has answered itself, by a redirect, say. */
export const CAUSE_ANSWERED = 14;
/** A waypoint has answered 504: its own call was timed out. */
export const CAUSE_APP_504 = 15;
export const CAUSES = 16;

/** By cause: the name in results. Those without a flag of Envoy's are named by their status code. */
export const CAUSE_NAMES = [
  '',
  'UH',
  'UF',
  'UO',
  'UC',
  'UT',
  'FI',
  '500',
  '503',
  'unreachable',
  'NC',
  'NR',
  'direct',
  'FI-gRPC',
  '',
  '504',
] as const;

/** What the caller of a waypoint gets to see of a failure behind it: the status of an answer. */
export function passedOn(cause: number): number {
  if (cause === CAUSE_UT) return CAUSE_APP_504;
  if (cause === CAUSE_NR) return CAUSE_DIRECT;
  const isAnswer = cause >= CAUSE_DIRECT || cause === CAUSE_FI || cause === CAUSE_APP_500;
  return isAnswer ? cause : CAUSE_APP_503;
}

/** PARENT of a span that an external request made: EXTERNAL - gateway's pod; of a delivery: EXTERNAL - broker's slot. */
export const EXTERNAL = -2;
export const NOBODY = -1;

/** True for the record of a call, whatever it waits for; false for timers, arrivals and free records. */
export function isSpan(code: number): boolean {
  return (
    (code >= EVENT_ARRIVE &&
      code <= STATE_PENDING &&
      code !== EVENT_SHARED_CPU &&
      code !== EVENT_TIMEOUT &&
      code !== FREE) ||
    code === EVENT_PROXY_IN ||
    code === EVENT_PROXY_HOME
  );
}

/** True for a span that its pod works on, or keeps waiting: it has arrived and has not been answered. */
export function isInPod(code: number): boolean {
  return code === EVENT_RESUME || (code >= STATE_QUEUED && code <= STATE_CALLING);
}

/** True for a call that waits in its caller's proxy and is at no pod. */
export function isInProxy(code: number): boolean {
  return code === EVENT_ATTEMPT || code === STATE_PENDING;
}
