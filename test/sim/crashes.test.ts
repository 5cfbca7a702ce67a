/** When callers hear of a pod that is gone: what it was doing at that moment makes no difference. */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Fault, Mesh, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED } from '../seed.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, call, constant, cpu } from './builders.js';

const SECOND = 1e6;
/** One way; the series has a point each millisecond. */
const HOP_MS = 3;
const REQUESTS = 20;
const LOST_AT_MS = 5000;

const longWait = { kind: 'wait', delay: constant(10 * SECOND) } as const;
const longWork = cpu(constant(10 * SECOND));
const once = { atUs: LOST_AT_MS * 1000, forUs: null };

/** What the lost pod does with its requests when it goes: each of them takes 10 s or more. */
const states: Record<string, { readonly service: Partial<Service>; readonly cores?: number }> = {
  'in a wait': { service: { endpoints: [anEndpoint([longWait])] } },
  'on cores of their own': { service: { workers: REQUESTS, endpoints: [anEndpoint([longWork])] }, cores: REQUESTS },
  'on a shared CPU': { service: { workers: REQUESTS, endpoints: [anEndpoint([longWork])] }, cores: 2 },
  'in the queue': { service: { workers: 1, endpoints: [anEndpoint([longWork])] }, cores: REQUESTS },
  'waiting for an answer': { service: { endpoints: [anEndpoint([call(1)])] } },
  'in a wait between two calls': { service: { endpoints: [anEndpoint([cpu(constant(1)), longWait, call(1)])] } },
};

/** How it goes, and from when to when its callers hear of it, in milliseconds. */
const losses: Record<string, { readonly fault: Fault; readonly service?: Partial<Service>; readonly heardMs: number }> =
  {
    'a crash': {
      fault: { kind: 'podCrash', service: 0, pods: null, rampUs: 0, ...once },
      heardMs: LOST_AT_MS + HOP_MS,
    },
    // From 50 MB at 40 MB/s to 250 MB takes 5 s.
    'an OOM kill': {
      fault: { kind: 'memoryLeak', service: 0, bytesPerSecond: 4e7, atUs: 0, forUs: 6 * SECOND, rampUs: 0 },
      heardMs: LOST_AT_MS + HOP_MS,
    },
    // Nobody answers any more: the callers give up after 10 s.
    'the loss of its node': { fault: { kind: 'nodeLoss', node: 0, ...once }, heardMs: LOST_AT_MS + 10_000 },
    'a drain that overruns its grace': {
      fault: { kind: 'nodeDrain', node: 0, ...once },
      service: { terminationGraceUs: 2 * SECOND },
      heardMs: LOST_AT_MS + 2000 + HOP_MS,
    },
    'an exit at the first signal': {
      fault: { kind: 'nodeDrain', node: 0, ...once },
      service: { onTerm: 'exit' },
      heardMs: LOST_AT_MS + HOP_MS,
    },
  };

function virtualService(spec: Record<string, unknown>): Mesh['virtualServices'][number] {
  const object: KubeObject = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'service' },
    spec: { hosts: ['service'], http: [{ route: [{ destination: { host: 'service' } }], ...spec }] },
  };
  return { service: 0, object };
}

/** Twenty requests in the first second, for pods of the first node; the second service is elsewhere and slow. */
function scenarioOf(
  parts: { readonly service: Partial<Service>; readonly cores?: number },
  fault: Fault,
  rule: Record<string, unknown> = { retries: { attempts: 0 } },
): Scenario {
  const base = aScenario({
    nodes: [
      aNode('first', 0, { cpuMillicores: 1000 * (parts.cores ?? 1000) }),
      aNode('second', 0, { labels: { for: 'back' } }),
    ],
    services: [
      aService({
        ...{ workers: 1000, limits: { cpuMillicores: null, memoryBytes: 2.5e8 } },
        scheduling: { ...aService().scheduling, nodeSelector: { 'kubernetes.io/hostname': 'first' } },
        ...parts.service,
      }),
      aService({
        name: 'back',
        workers: 1000,
        scheduling: { ...aService().scheduling, nodeSelector: { for: 'back' } },
        endpoints: [anEndpoint([longWait])],
      }),
    ],
    loads: [
      aLoad(0, {
        arrivals: 'even',
        rate: [REQUESTS, REQUESTS, 0].map((perSecond, i) => ({ atUs: i === 0 ? 0 : SECOND, perSecond })),
      }),
    ],
    roundTripUs: 2 * HOP_MS * 1000,
    run: { warmUpUs: 0, durationUs: 40 * SECOND, seriesUs: 1000 },
    over: { faults: [fault] },
  });
  return { ...base, mesh: { ...base.mesh, virtualServices: [virtualService(rule)] } };
}

/** Milliseconds at which users got such an answer. */
function heard({ series }: ReplicationResult, which: 'failed' | 'succeeded'): number[] {
  return series.requestsPerSecond.flatMap((all, ms) => {
    const failed = series.failedPerSecond[ms]!;
    return (which === 'failed' ? failed : all - failed) > 0 ? [ms] : [];
  });
}

for (const [name, { fault, service, heardMs }] of Object.entries(losses)) {
  for (const [state, parts] of Object.entries(states)) {
    test(`callers hear of ${name} at ${heardMs} ms, with their requests ${state}`, (t) => {
      const scenario = scenarioOf({ ...parts, service: { ...parts.service, ...service } }, fault);
      const result = simulate(scenario, { policy: 0, seed: SEED });
      t.deepEqual(result.total.requests, { total: REQUESTS, succeeded: 0, failed: REQUESTS });
      t.deepEqual(heard(result, 'failed'), [heardMs]);
    });
  }
}

const waiting = { service: { endpoints: [anEndpoint([longWait])] } };
const crash: Fault = { kind: 'podCrash', service: 0, pods: 1, rampUs: 0, ...once };

test('what a crash interrupts goes out again as soon as its caller has heard of it', (t) => {
  const two = { service: { ...waiting.service, replicas: 2 } };
  const rule = { retries: { attempts: 1, retryOn: 'reset' } };
  const result = simulate(scenarioOf(two, crash, rule), { policy: 0, seed: SEED });
  t.is(result.total.requests.succeeded, REQUESTS);
  const late = heard(result, 'succeeded').filter((ms) => ms > 12_000);
  // Those of the other pod are done at 11 s. The rest: 5.003 s, a back-off of up to 25 ms, 6 ms there and back, 10 s.
  t.true(late.length > 0);
  const again = LOST_AT_MS + HOP_MS + 2 * HOP_MS + 10_000;
  t.true(
    late.every((ms) => ms >= again && ms <= again + 25),
    late.join(' '),
  );
});

test('a time-out that ends before the silence of a lost node does is what its caller hears', (t) => {
  const lost: Fault = { kind: 'nodeLoss', node: 0, ...once };
  const result = simulate(scenarioOf(waiting, lost, { timeout: '7s', retries: { attempts: 0 } }), {
    policy: 0,
    seed: SEED,
  });
  t.is(result.total.requests.failed, REQUESTS);
  // Sent in the first second, each with 7 s to go.
  const at = heard(result, 'failed');
  t.true(at.length === REQUESTS && at.every((ms) => ms >= 7000 && ms < 8000), at.join(' '));
});

test('a request that its caller has given up on is over with its pod', (t) => {
  const rule = { timeout: '2s', retries: { attempts: 0 } };
  const result = simulate(scenarioOf(waiting, { ...crash, pods: null }, rule), { policy: 0, seed: SEED });
  t.is(result.total.requests.failed, REQUESTS);
  t.true(heard(result, 'failed').every((ms) => ms < 3000));
  // The pod had them still, and would have been done with all twenty at 11 s.
  t.is(result.services[0]!.requests.succeeded, 0);
});
