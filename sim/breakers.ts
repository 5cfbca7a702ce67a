/**
 * Connection pools and circuit breakers of one edge, by calling proxy (SEMANTICS A15). The limits hold for the cluster
 * in one proxy, summed over its endpoints; the pools themselves are per endpoint. With HTTP/1.1 a connection carries one
 * request: without an idle one the proxy opens another while it may, else the request waits, up to the limit of pending
 * ones. An endpoint may always have one connection, or it could never be reached. What overflows fails at once (UO).
 *
 * Connections stay open once opened (the idle time-out of an hour is longer than a run of interest).
 *
 * The pool of a caller of TCP is the same with one queue for all: whatever connection goes free, the request that has
 * waited longest gets it, and goes where it leads. A connection that breaks is closed, and the next opened elsewhere.
 */
import { NEXT, WORDS } from './kernel/records.js';
import type { ClusterPolicy } from './mesh/clusterPolicy.js';

export interface Breaker {
  readonly maxConnections: number;
  readonly maxPending: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** Retries allowed at once as a share of the requests under way, which then replaces maxRetries. */
  readonly retryBudget: { readonly share: number; readonly least: number } | null;
  readonly capacity: number;
  /** A pool of TCP: its waiting requests are those of the caller (at its first pair), not of one pod. */
  readonly isPool: boolean;
  /** Of a pool, by caller: the pod after the one whose connection was used last. */
  readonly turn: Int32Array;
  // By caller.
  readonly active: Int32Array;
  readonly pending: Int32Array;
  readonly connections: Int32Array;
  readonly retries: Int32Array;
  // By caller x capacity + pod called.
  readonly open: Int32Array;
  readonly busy: Int32Array;
  readonly head: Int32Array;
  readonly tail: Int32Array;
}

/** Null where nothing is limited, as by Istio's defaults. */
export function createBreaker(pool: ClusterPolicy['pool'], callers: number, capacity: number): Breaker | null {
  const { maxConnections, maxPending, maxRequests, maxRetries, retryBudget } = pool;
  const limits = [maxConnections, maxPending, maxRequests, maxRetries];
  if (limits.every((limit) => limit === Infinity) && retryBudget === null) return null;
  return newBreaker(pool, callers, capacity, false);
}

/** The pools of the callers of an external of TCP: `perCaller` connections (null: no limit), but no more than the rule's. */
export function createPool(
  pool: ClusterPolicy['pool'],
  perCaller: number | null,
  callers: number,
  capacity: number,
): Breaker {
  const maxConnections = Math.min(pool.maxConnections, perCaller ?? Infinity);
  const unlimited = { maxPending: Infinity, maxRequests: Infinity, maxRetries: Infinity, retryBudget: null };
  return newBreaker({ ...pool, ...unlimited, maxConnections }, callers, capacity, true);
}

function newBreaker(pool: ClusterPolicy['pool'], callers: number, capacity: number, isPool: boolean): Breaker {
  const { maxConnections, maxPending, maxRequests, maxRetries, retryBudget } = pool;
  const pairs = callers * capacity;
  return {
    isPool,
    turn: new Int32Array(isPool ? callers : 0),
    maxConnections,
    maxPending,
    maxRequests,
    maxRetries,
    retryBudget: retryBudget && { share: retryBudget.percent / 100, least: retryBudget.minRetryConcurrency },
    capacity,
    active: new Int32Array(callers),
    pending: new Int32Array(callers),
    connections: new Int32Array(callers),
    retries: new Int32Array(callers),
    open: new Int32Array(pairs),
    busy: new Int32Array(pairs),
    head: new Int32Array(pairs).fill(-1),
    tail: new Int32Array(pairs).fill(-1),
  };
}

/** 1: the request may go; 0: it waits in the queue of its pod; -1: refused. */
export function admit(breaker: Breaker, caller: number, pair: number, id: number, words: Int32Array): number {
  if (breaker.active[caller]! >= breaker.maxRequests) return -1;
  if (breaker.busy[pair]! >= breaker.open[pair]!) {
    if (breaker.connections[caller]! >= breaker.maxConnections && (breaker.isPool || breaker.open[pair]! > 0)) {
      if (breaker.pending[caller]! >= breaker.maxPending) return -1;
      breaker.pending[caller]!++;
      words[id * WORDS + NEXT] = -1;
      const line = lineOf(breaker, caller, pair);
      const tail = breaker.tail[line]!;
      if (tail >= 0) words[tail * WORDS + NEXT] = id;
      else breaker.head[line] = id;
      breaker.tail[line] = id;
      return 0;
    }
    breaker.open[pair]!++;
    breaker.connections[caller]!++;
  }
  breaker.busy[pair]!++;
  breaker.active[caller]!++;
  return 1;
}

/** A request is over. Returns the pending one that gets its connection, counted as under way, or -1. */
export function giveBackConnection(breaker: Breaker, caller: number, pair: number, words: Int32Array): number {
  breaker.busy[pair]!--;
  breaker.active[caller]!--;
  const id = firstPending(breaker, caller, pair, words);
  if (id < 0) return -1;
  breaker.busy[pair]!++;
  breaker.active[caller]!++;
  return id;
}

/** Of a pool: a connection is closed. Returns the waiting request that may have another one opened, or -1. */
export function breakConnection(breaker: Breaker, caller: number, pair: number, words: Int32Array): number {
  breaker.busy[pair]!--;
  breaker.active[caller]!--;
  breaker.open[pair]!--;
  breaker.connections[caller]!--;
  return firstPending(breaker, caller, pair, words);
}

export function openConnection(breaker: Breaker, caller: number, pair: number): void {
  breaker.open[pair]!++;
  breaker.connections[caller]!++;
  breaker.busy[pair]!++;
  breaker.active[caller]!++;
}

/**
 * Of a pool: the pod (by its place in its service) of an idle connection, in turn; of any one where all are busy and no
 * more may be opened; -1: one is to be opened.
 */
export function heldConnection(breaker: Breaker, caller: number): number {
  const { capacity, open, busy, turn } = breaker;
  const isFull = breaker.connections[caller]! >= breaker.maxConnections;
  let any = -1;
  for (let i = 0; i < capacity; i++) {
    const pod = (turn[caller]! + i) % capacity;
    const pair = caller * capacity + pod;
    if (open[pair]! > busy[pair]!) {
      turn[caller] = (pod + 1) % capacity;
      return pod;
    }
    if (open[pair]! > 0 && any < 0) any = pod;
  }
  return isFull ? any : -1;
}

/** A new pod in the slot of a caller has opened nothing yet. */
export function forgetPool(breaker: Breaker, caller: number): void {
  const from = caller * breaker.capacity;
  breaker.open.fill(0, from, from + breaker.capacity);
  breaker.connections[caller] = 0;
}

/** Where the requests wait that want this pair. */
function lineOf(breaker: Breaker, caller: number, pair: number): number {
  return breaker.isPool ? caller * breaker.capacity : pair;
}

/** Takes the request out that waits longest; -1: none waits. */
function firstPending(breaker: Breaker, caller: number, pair: number, words: Int32Array): number {
  const line = lineOf(breaker, caller, pair);
  const id = breaker.head[line]!;
  if (id < 0) return -1;
  unlink(breaker, line, -1, id, words);
  breaker.pending[caller]!--;
  return id;
}

/** A pending request gives up. */
export function leavePending(breaker: Breaker, caller: number, pair: number, id: number, words: Int32Array): void {
  const line = lineOf(breaker, caller, pair);
  let before = -1;
  let at = breaker.head[line]!;
  while (at >= 0 && at !== id) {
    before = at;
    at = words[at * WORDS + NEXT]!;
  }
  if (at < 0) throw new Error(`request ${id} waits for no connection of pair ${pair}`);
  unlink(breaker, line, before, id, words);
  breaker.pending[caller]!--;
}

function unlink(breaker: Breaker, line: number, before: number, id: number, words: Int32Array): void {
  const next = words[id * WORDS + NEXT]!;
  if (before >= 0) words[before * WORDS + NEXT] = next;
  else breaker.head[line] = next;
  if (next < 0) breaker.tail[line] = before;
}

export function mayRetry(breaker: Breaker, caller: number): boolean {
  const { retryBudget } = breaker;
  const limit = retryBudget
    ? Math.max(retryBudget.least, Math.floor(retryBudget.share * (breaker.active[caller]! + breaker.pending[caller]!)))
    : breaker.maxRetries;
  return breaker.retries[caller]! < limit;
}
