/** Faults that bend the world: each against what bookkeeping or a formula says, and gone without a trace when over. */
import test, { type ExecutionContext } from 'ava';
import type { Fault, FaultTimes } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { aLoad, anEndpoint, aScenario, aService, constant } from './builders.js';

const SECOND = 1e6;
const always: FaultTimes = { atUs: 0, forUs: null, rampUs: 0 };
const during = (from: number, to: number, ramp = 0): FaultTimes => ({
  atUs: from * SECOND,
  forUs: (to - from) * SECOND,
  rampUs: ramp * SECOND,
});

/** Two zones, users in zone a, one pod in zone b, 1 ms of waiting, round trips of 2 ms, no retries to speak of. */
function run(faults: readonly Fault[], perSecond = 200): ReplicationResult {
  const scenario = aScenario({
    zones: 2,
    roundTripUs: 2000,
    services: [
      aService({
        replicasPerZone: [0, 1],
        workers: 1000,
        endpoints: [anEndpoint([{ kind: 'wait', delay: constant(1000) }])],
      }),
    ],
    loads: [aLoad(perSecond, { from: [{ atUs: 0, shares: [1, 0] }] })],
    run: { warmUpUs: 0, durationUs: 200 * SECOND, seriesUs: 10 * SECOND },
    over: { faults },
  });
  return simulate(scenario, { policy: 0, seed: SEED });
}

function isShare(t: ExecutionContext, count: number, of: number, share: number): void {
  const margin = 4 * Math.sqrt((share * (1 - share)) / of);
  t.true(Math.abs(count / of - share) <= margin, `${count} of ${of} is ${count / of}, not ${share} +- ${margin}`);
}

test(`a service that fails 20 % answers 500 to that share, and nobody tries again ${SEED_NOTE}`, (t) => {
  const { total } = run([{ kind: 'serviceFailure', service: 0, share: 0.2, ...always }]);
  isShare(t, total.requests.failed, total.requests.total, 0.2);
  t.deepEqual(Object.keys(total.responseFlags), ['500']);
});

test(`two failures at once combine as independent ones ${SEED_NOTE}`, (t) => {
  const half = { kind: 'serviceFailure', service: 0, share: 0.5, ...always } as const;
  const { total } = run([half, { ...half, share: 0.2 }]);
  isShare(t, total.requests.failed, total.requests.total, 0.6);
});

test(`a fault ends where it should, and a ramp grows to it ${SEED_NOTE}`, (t) => {
  const { series } = run([{ kind: 'serviceFailure', service: 0, share: 0.5, ...during(50, 150, 50) }], 2000);
  const failed = series.failedPerSecond.map((rate, i) => rate / series.requestsPerSecond[i]!);
  // Steps of a tenth every 5 s: 10 s from 50 s on hold .05 and .1; from 95 s on .5.
  // An answer of the last millisecond may reach its user after the end.
  t.deepEqual([failed[4], failed[16], failed[19]], [0, 0, 0]);
  isShare(t, Math.round(failed[5]! * 20_000), 20_000, 0.075);
  isShare(t, Math.round(failed[12]! * 20_000), 20_000, 0.5);
});

test(`added latency is added to each round trip, and only while it lasts ${SEED_NOTE}`, (t) => {
  const { series } = run([{ kind: 'linkLatency', from: 0, to: 1, addedUs: 30_000, ...during(50, 100) }]);
  // 2 ms of network and 1 ms of waiting.
  t.deepEqual([series.meanMs[2], series.meanMs[7], series.meanMs[15]], [3, 33, 3]);
});

test(`with 30 % of calls lost, two retries leave .3 cubed, each after a connect time-out ${SEED_NOTE}`, (t) => {
  const { total } = run([{ kind: 'linkLoss', from: 1, to: 0, share: 0.3, ...always }], 1000);
  // Those that began in the last 30 s have not failed yet.
  isShare(t, total.requests.failed, 1000 * 170, 0.027);
  t.deepEqual(Object.keys(total.responseFlags), ['UF']);
});

test(`a partition fails every call between its zones and heals at once ${SEED_NOTE}`, (t) => {
  const { total, series } = run([{ kind: 'zonePartition', from: 0, to: 1, ...during(50, 80) }]);
  // Three connect time-outs of 10 s each: who starts before 50 s arrives, who tries last after 80 s too. Failures show
  // 30 s after the start of calls made from 50 s to about 60 s, which try last before 80 s.
  const failing = series.failedPerSecond.flatMap((rate, i) => (rate > 0 ? [i * 10] : []));
  t.deepEqual(failing, [80]);
  isShare(t, total.requests.failed, 200 * 10, 0.99);
  t.true(series.meanMs[6] === null || series.meanMs[6]! >= 3);
  t.is(series.meanMs[19], 3);
});

test(`in a retry storm every failed request comes back up to three times ${SEED_NOTE}`, (t) => {
  const failing = { kind: 'serviceFailure', service: 0, share: 0.5, ...always } as const;
  const calm = run([failing]).total.requests;
  const storm = run([failing, { kind: 'retryStorm', load: 0, retries: 3, ...always }]).total.requests;
  // 1 + 1/2 + 1/4 + 1/8 times the requests.
  t.true(Math.abs(storm.total / calm.total - 1.875) < 0.03, `${storm.total / calm.total}`);
  isShare(t, storm.failed, storm.total, 0.5);
});

test(`a fault of length 0 changes nothing but its own line ${SEED_NOTE}`, (t) => {
  const figures = ({ total, services, edges, cost }: ReplicationResult) => ({ total, services, edges, cost });
  const nothing = figures(run([]));
  for (const fault of [
    { kind: 'serviceFailure', service: 0, share: 1 },
    { kind: 'linkLatency', from: 0, to: 1, addedUs: 1e6 },
    { kind: 'linkLoss', from: 0, to: 1, share: 1 },
    { kind: 'zonePartition', from: 0, to: 1 },
    { kind: 'retryStorm', load: 0, retries: 3 },
  ] as const)
    t.deepEqual(figures(run([{ ...fault, atUs: 50 * SECOND, forUs: 0, rampUs: 0 }])), nothing, fault.kind);
});
