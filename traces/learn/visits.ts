/**
 * From spans to visits. A visit is one request as one service sees it: everything the service's spans did between the
 * arrival and the reply. A tracer writes several spans per visit (server, helper functions, client); for the model only
 * three things count: which calls went to other services and when, how long the whole took, and what is left of it when
 * the time waiting for calls is taken out (the own time).
 *
 * The gap of a visit is the caller's client span minus the visit itself: network, both proxies, and the time the request
 * lay in front of a busy process.
 */
import type { RecordedSpan } from '../recording.js';

export interface VisitCall {
  readonly visit: Visit;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Visit {
  readonly service: string;
  readonly operation: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly ownMs: number;
  readonly calls: readonly VisitCall[];
  readonly caller: string | null;
  /** Null where the caller wrote no client span, or there is no caller. */
  readonly gapMs: number | null;
}

/** The first visit of every trace that starts with a span without a parent, in the order of the spans. */
export function visitTrees(spans: readonly RecordedSpan[]): Visit[] {
  const children = new Map<string, RecordedSpan[]>();
  for (const span of spans) {
    if (span.parentId === null) continue;
    const siblings = children.get(span.parentId);
    if (siblings === undefined) children.set(span.parentId, [span]);
    else siblings.push(span);
  }
  return spans.filter((span) => span.parentId === null).map((span) => toVisit(span, null, children));
}

/** The visit itself and all below it. */
export function allVisits(roots: readonly Visit[]): Visit[] {
  const found: Visit[] = [];
  const waiting = [...roots];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    found.push(visit);
    waiting.push(...visit.calls.map((call) => call.visit));
  }
  return found;
}

function toVisit(
  top: RecordedSpan,
  client: RecordedSpan | null,
  children: ReadonlyMap<string, readonly RecordedSpan[]>,
): Visit {
  const calls: VisitCall[] = [];
  const collect = (span: RecordedSpan): void => {
    const below = children.get(span.spanId) ?? [];
    const remote = below.filter((child) => child.service !== top.service);
    for (const child of remote) {
      const isClientSpan = span !== top && remote.length === 1;
      const outer = isClientSpan ? span : child;
      const visit = { ...toVisit(child, isClientSpan ? span : null, children), caller: top.service };
      calls.push({ visit, startMs: outer.startMs, endMs: outer.startMs + outer.durationMs });
    }
    below.filter((child) => child.service === top.service).forEach(collect);
  };
  collect(top);
  calls.sort((left, right) => left.startMs - right.startMs || left.endMs - right.endMs);
  return {
    service: top.service,
    operation: top.operation,
    startMs: top.startMs,
    durationMs: top.durationMs,
    ownMs: Math.max(0, top.durationMs - coveredMs(calls)),
    calls,
    caller: null,
    gapMs: client === null ? null : Math.max(0, client.durationMs - top.durationMs),
  };
}

/** Length of the union of the calls' intervals (they are sorted by start). */
function coveredMs(calls: readonly VisitCall[]): number {
  let covered = 0;
  let endMs = -Infinity;
  for (const call of calls) {
    covered += Math.max(0, call.endMs - Math.max(call.startMs, endMs));
    endMs = Math.max(endMs, call.endMs);
  }
  return covered;
}
