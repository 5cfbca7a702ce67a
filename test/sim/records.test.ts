/** Room for records: bursts within one event, and no growth without need. */
import test from 'ava';
import type { Scenario } from '../../scenarios/types.js';
import { setUp } from '../../sim/control/setUp.js';
import { simulate } from '../../sim/index.js';
import { runEvents } from '../../sim/loop.js';
import { compileProgram } from '../../sim/program.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, constant, cpu, exponential } from './builders.js';

const SECOND = 1e6;
const tenCalls = {
  kind: 'call' as const,
  calls: [{ service: 1, endpoint: 0, probability: 1, count: 10 }],
  repeat: 'parallel' as const,
};

test('a worker that comes free may let thousands of waiting requests make their calls at once', (t) => {
  // One request takes the only worker for 20 s; 2,000 others gather behind it, and each only makes ten calls.
  const scenario = aScenario({
    services: [
      aService({ endpoints: [anEndpoint([cpu(constant(20 * SECOND))]), { ...anEndpoint([tenCalls]), name: 'calls' }] }),
      aService({ name: 'callee', workers: 1000, endpoints: [anEndpoint([])] }),
    ],
    loads: [
      aLoad(1, { name: 'long', arrivals: 'even', rate: oneRequest }),
      aLoad(100, { name: 'calling', endpoint: 1, arrivals: 'even' }),
    ],
    run: { durationUs: 30 * SECOND, warmUpUs: 0, seriesUs: SECOND },
  });
  const result = simulate(scenario, { policy: 0, seed: 1 });
  // The long one, and every other one as soon as its ten calls (which take no time) have answered.
  t.deepEqual(result.total.requests, { total: 3001, succeeded: 3001, failed: 0 });
  t.is(result.services[1]!.requests.total, 30_000);
});

test('many requests may finish on a shared CPU in the same microsecond', (t) => {
  // 500 calls reach one pod together, share its core to the end, and each makes ten calls then.
  const fan = { ...tenCalls, calls: [{ service: 1, endpoint: 0, probability: 1, count: 500 }] };
  const scenario = aScenario({
    nodes: [aNode('one-core', 0, { cpuMillicores: 1000 })],
    services: [
      aService({ requests: { cpuMillicores: 10, memoryBytes: 1 }, endpoints: [anEndpoint([fan])] }),
      aService({
        name: 'middle',
        workers: 5000,
        requests: { cpuMillicores: 10, memoryBytes: 1 },
        endpoints: [
          anEndpoint([cpu(constant(100)), { ...tenCalls, calls: [{ ...tenCalls.calls[0]!, service: 2, count: 30 }] }]),
        ],
      }),
      aService({
        name: 'last',
        requests: { cpuMillicores: 10, memoryBytes: 1 },
        workers: 1,
        endpoints: [anEndpoint([{ kind: 'wait', delay: constant(1000) }])],
      }),
    ],
    loads: [aLoad(1, { arrivals: 'even', rate: oneRequest })],
    run: { durationUs: 30 * SECOND, warmUpUs: 0, seriesUs: SECOND },
  });
  const result = simulate(scenario, { policy: 0, seed: 1 });
  // 500 x 100 us on one core, then 1 ms without a worker.
  t.is(result.total.latencyMs.mean, 51);
  t.is(result.services[2]!.requests.total, 15_000);
});

test('a run ten times as long needs no more records: requests and timers give theirs back', (t) => {
  // A shared core under a quota arms a new timer with nearly every event.
  const scenario = aScenario({
    services: [
      aService({
        workers: 50,
        limits: { cpuMillicores: 700, memoryBytes: null },
        endpoints: [anEndpoint([cpu(exponential(5000)), tenCalls])],
      }),
      aService({
        name: 'callee',
        workers: 3,
        holdsWorkerWhileCalling: true,
        replicas: 4,
        queue: 2,
        endpoints: [anEndpoint([cpu(exponential(900))])],
      }),
    ],
    loads: [aLoad(60)],
    run: { durationUs: 1000 * SECOND, warmUpUs: 0 },
  });
  const { world } = setUp(compileProgram(scenario), scenario.policies[0]!, 1, null);
  let used = 0;
  const mostUsedUntil = (endUs: number): number => {
    while (world.nowUs < endUs) {
      t.true(runEvents(world, world.nowUs + SECOND), '4,096 records are enough');
      used = Math.max(used, world.records.capacity - world.records.freeCount);
    }
    return used;
  };
  const first = mostUsedUntil(100 * SECOND);
  // The highest of ten times as many looks is a little higher by chance; a leak would be ten times as high.
  t.true(mostUsedUntil(1000 * SECOND) < 2.5 * first, `${used} records after 1000 s, ${first} after 100 s`);
});

const oneRequest: Scenario['loads'][number]['rate'] = [
  { atUs: 0, perSecond: 1 },
  { atUs: SECOND, perSecond: 1 },
  { atUs: SECOND, perSecond: 0 },
];
