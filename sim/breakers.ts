/**
 * Connection pools and circuit breakers of one edge, by calling proxy (SEMANTICS A15). The limits hold for the cluster
 * in one proxy, summed over its endpoints; the pools themselves are per endpoint. With HTTP/1.1 a connection carries one
 * request: without an idle one the proxy opens another while it may, else the request waits, up to the limit of pending
 * ones. An endpoint may always have one connection, or it could never be reached. What overflows fails at once (UO).
 *
 * Connections stay open once opened (the idle time-out of an hour is longer than a run of interest).
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
  const pairs = callers * capacity;
  return {
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
    if (breaker.connections[caller]! >= breaker.maxConnections && breaker.open[pair]! > 0) {
      if (breaker.pending[caller]! >= breaker.maxPending) return -1;
      breaker.pending[caller]!++;
      words[id * WORDS + NEXT] = -1;
      const tail = breaker.tail[pair]!;
      if (tail >= 0) words[tail * WORDS + NEXT] = id;
      else breaker.head[pair] = id;
      breaker.tail[pair] = id;
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
  const id = breaker.head[pair]!;
  if (id < 0) return -1;
  unlink(breaker, pair, -1, id, words);
  breaker.pending[caller]!--;
  breaker.busy[pair]!++;
  breaker.active[caller]!++;
  return id;
}

/** A pending request gives up. */
export function leavePending(breaker: Breaker, caller: number, pair: number, id: number, words: Int32Array): void {
  let before = -1;
  let at = breaker.head[pair]!;
  while (at >= 0 && at !== id) {
    before = at;
    at = words[at * WORDS + NEXT]!;
  }
  if (at < 0) throw new Error(`request ${id} waits for no connection of pair ${pair}`);
  unlink(breaker, pair, before, id, words);
  breaker.pending[caller]!--;
}

function unlink(breaker: Breaker, pair: number, before: number, id: number, words: Int32Array): void {
  const next = words[id * WORDS + NEXT]!;
  if (before >= 0) words[before * WORDS + NEXT] = next;
  else breaker.head[pair] = next;
  if (next < 0) breaker.tail[pair] = before;
}

export function mayRetry(breaker: Breaker, caller: number): boolean {
  const { retryBudget } = breaker;
  const limit = retryBudget
    ? Math.max(retryBudget.least, Math.floor(retryBudget.share * (breaker.active[caller]! + breaker.pending[caller]!)))
    : breaker.maxRetries;
  return breaker.retries[caller]! < limit;
}
