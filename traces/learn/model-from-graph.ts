/**
 * A model from a call graph when there are no spans: one endpoint a service, calls one after the other, fan-out as solved
 * from rates or counted edges. The own time of a service is its recorded latency less what its calls take (mean fan-out
 * times the callee's mean), in the shape of its recorded quantiles. Where the calls alone take longer than the service
 * does, they cannot all be sequential and awaited; the own time is then set to a small share and the fact is reported.
 *
 * Services that call but are called by nobody are entries of their own, driven by their own recorded rate. Calls declared
 * asynchronous become loads of their own, driven by the entry's rate times the learned fan-out.
 */
import type { Distribution } from '../../scenarios/types.js';
import type { Recording } from '../recording.js';
import { lessConstant, type LearnedModel, type ModelEndpoint, type ModelEntry } from './model.js';
import { meanWhere, ratesOf, type EdgeFanOut } from './rates.js';
import { recordedLatency } from './recorded-latency.js';
import { lawOfQuantiles, scaleLaw } from './shape.js';

/** A service with fewer requests than this in the part to learn from is left out: nothing can be learned about it. */
const minRequests = 10;

/** What own time is left to a service whose calls already take longer than itself. */
const leastOwnShare = 0.05;

/** The only endpoint of a service of which no operation is known. */
const endpointName = 'request';

export function modelFromGraph(
  recording: Recording,
  mask: readonly boolean[],
  fanOut: readonly EdgeFanOut[],
  cpuMsOf: (service: string) => number,
): LearnedModel {
  const notices: string[] = [];
  const seconds = (mask.filter(Boolean).length * recording.stepMs) / 1000;
  const busy = recording.services.filter(
    (service) => (meanWhere(ratesOf(recording, service) ?? [], mask) ?? 0) * seconds >= minRequests,
  );
  const left = recording.services.filter((service) => !busy.includes(service));
  if (left.length > 0) notices.push(`left out, with fewer than ${minRequests} requests: ${left.join(', ')}`);
  const used = fanOut.filter(
    (edge) => busy.includes(edge.source) && busy.includes(edge.target) && edge.callsPerRequest > 1e-6,
  );
  const acyclic = withoutCycles(used, notices);
  const isAsynchronous = (edge: EdgeFanOut): boolean =>
    recording.asynchronous.some((other) => other.source === edge.source && other.target === edge.target);
  const awaited = acyclic.filter((edge) => !isAsynchronous(edge));

  const services = busy.map((service) => {
    const calls = awaited.filter((edge) => edge.source === service);
    const own = ownTime(recording, mask, service, calls, notices);
    const cpuMs = cpuMsOf(service);
    const wait = lessConstant(own.law, cpuMs * 1000);
    const endpoint: ModelEndpoint = {
      name: endpointName,
      wait,
      callSteps: calls.map((edge) => ({ calls: [toCall(edge)], repeat: 'sequential' })),
      basis: own.basis,
      meanOwnMs: wait.mean / 1000 + cpuMs,
      cpuBeyondOwnMs: (wait.mean + cpuMs * 1000 - own.law.mean) / 1000,
    };
    return { name: service, endpoints: [endpoint] };
  });
  const called = new Set(acyclic.map((edge) => edge.target));
  const roots = busy.filter((service) => !called.has(service) || service === recording.entry);
  const entries: ModelEntry[] = roots.map((service) => ({
    service,
    endpoint: endpointName,
    perDriver: 1,
    driver: service,
    description:
      service === recording.entry ? 'the entry' : 'called by nobody in the graph: its own recorded rate drives it',
  }));
  for (const edge of acyclic.filter(isAsynchronous)) {
    for (const root of roots) {
      const perDriver = visitsPerRequest(root, acyclic).get(edge.source) ?? 0;
      if (perDriver === 0) continue;
      const description = `not awaited by ${edge.source}: ${edge.callsPerRequest.toPrecision(3)} per request of it`;
      entries.push({
        service: edge.target,
        endpoint: endpointName,
        perDriver: perDriver * edge.callsPerRequest,
        driver: root,
        description,
      });
    }
  }
  return { services, entries, fanOut: acyclic, roundTripMs: 0, notices };
}

/** Visits of every service caused by one request to the root, through awaited and other calls alike. */
export function visitsPerRequest(root: string, edges: readonly EdgeFanOut[]): Map<string, number> {
  const visits = new Map<string, number>();
  const walk = (service: string, amount: number): void => {
    visits.set(service, (visits.get(service) ?? 0) + amount);
    for (const edge of edges) if (edge.source === service) walk(edge.target, amount * edge.callsPerRequest);
  };
  walk(root, 1);
  return visits;
}

function toCall(edge: EdgeFanOut): ModelEndpoint['callSteps'][number]['calls'][number] {
  const below = edge.callsPerRequest < 1;
  return {
    service: edge.target,
    endpoint: endpointName,
    probability: below ? edge.callsPerRequest : 1,
    count: below ? 1 : edge.callsPerRequest,
  };
}

function ownTime(
  recording: Recording,
  mask: readonly boolean[],
  service: string,
  calls: readonly EdgeFanOut[],
  notices: string[],
): { law: Distribution; basis: string } {
  const recorded = recordedLatency(recording, service, mask);
  const law = lawOfQuantiles(recorded.quantilesMs, recorded.meanMs);
  if (law === null) {
    notices.push(`${service}: no latency recorded; it answers at once`);
    return { law: { kind: 'constant', mean: 0 }, basis: 'none' };
  }
  const wholeMs = recorded.meanMs ?? law.mean / 1000;
  const callsMs = calls.reduce((sum, edge) => {
    const callee = recordedLatency(recording, edge.target, mask);
    const calleeMs = callee.meanMs ?? (lawOfQuantiles(callee.quantilesMs, null)?.mean ?? 0) / 1000;
    return sum + edge.callsPerRequest * calleeMs;
  }, 0);
  const share = 1 - callsMs / wholeMs;
  if (share < 0) {
    const figures = `${callsMs.toFixed(1)} ms of ${wholeMs.toFixed(1)} ms`;
    notices.push(
      `${service}: its calls alone would take ${figures}; they must partly run in parallel or not be awaited`,
    );
  }
  return { law: scaleLaw(law, share < 0 ? leastOwnShare : share), basis: 'recorded quantiles less its calls' };
}

/** Drops the edges that close a cycle, going through callers by name. */
function withoutCycles(edges: readonly EdgeFanOut[], notices: string[]): EdgeFanOut[] {
  const kept: EdgeFanOut[] = [];
  const reaches = (from: string, to: string): boolean =>
    from === to || kept.some((edge) => edge.source === from && reaches(edge.target, to));
  for (const edge of [...edges].sort((a, b) => (a.source + a.target < b.source + b.target ? -1 : 1))) {
    if (reaches(edge.target, edge.source))
      notices.push(`${edge.source} -> ${edge.target} closes a cycle and is left out`);
    else kept.push(edge);
  }
  return kept;
}
