import test from 'ava';
import fc from 'fast-check';
import {
  countOutcome,
  createOutlierState,
  eject,
  needsSweep,
  OUTCOME_5XX,
  OUTCOME_GATEWAY,
  OUTCOME_LOCAL,
  OUTCOME_SUCCESS,
  sweep,
  type OutlierPolicy,
  type OutlierState,
} from '../../../sim/mesh/outlierState.js';
import { readClusterPolicy } from '../../../sim/mesh/clusterPolicy.js';
import { SlowOutlierDetector } from '../../models/slowOutlier.js';
import { SEED, SEED_NOTE } from '../../seed.js';

const SECOND = 1e6;

const policyOf = (outlierDetection: Record<string, unknown>): OutlierPolicy =>
  readClusterPolicy({ trafficPolicy: { outlierDetection } }, null).outlier!;

function stateOf(outlierDetection: Record<string, unknown>, endpoints: number, envoyMinor = 39): OutlierState {
  return createOutlierState(policyOf(outlierDetection), 1, endpoints, envoyMinor);
}

test('A14: an empty block means 5 failures, 10 s, 30 s, 10 %, 0 %, gateway errors off', (t) => {
  t.deepEqual(policyOf({}), {
    consecutive5xx: 5,
    consecutiveGateway: 0,
    intervalUs: 10 * SECOND,
    baseEjectionUs: 30 * SECOND,
    maxEjectionPercent: 10,
    minHealthPercent: 0,
    splitLocalOrigin: false,
    consecutiveLocalOrigin: 5,
  });
});

test('A14 worked 1: 10 % ejects none of 5 endpoints, one of 10; 50 % one of 3; old Envoy always one', (t) => {
  const ejected = (percent: number, endpoints: number, envoyMinor?: number): number => {
    const state = stateOf({ maxEjectionPercent: percent }, endpoints, envoyMinor);
    for (let pair = 0; pair < endpoints; pair++) eject(state, 0, pair, endpoints, 0);
    return state.ejectedCount[0]!;
  };
  t.is(ejected(10, 5), 0);
  t.is(ejected(10, 10), 1);
  t.is(ejected(50, 3), 1);
  t.is(ejected(10, 5, 26), 1);
});

test('A14 worked 2: ejected at 3 s, back at 40; again at 41, back at 110; forgiven at 120 and 130', (t) => {
  const state = stateOf({}, 10);
  t.true(eject(state, 0, 0, 10, 3 * SECOND));
  const backAt = (from: number): number => {
    for (let at = from; ; at += 10) if (sweep(state, 0, at * SECOND)) return at;
  };
  t.is(backAt(10), 40);
  t.true(eject(state, 0, 0, 10, 41 * SECOND));
  t.is(state.multiplier[0], 2);
  t.is(backAt(50), 110);
  t.is(state.multiplier[0], 2);
  sweep(state, 0, 120 * SECOND);
  t.is(state.multiplier[0], 1);
  sweep(state, 0, 130 * SECOND);
  t.is(state.multiplier[0], 0);
  t.false(needsSweep(state, 0));
});

test('A14: the multiplier tops out at 11 for 30 s, and no ejection lasts over 300 s', (t) => {
  const state = stateOf({ maxEjectionPercent: 100 }, 1);
  let now = 0;
  for (let i = 0; i < 20; i++) {
    eject(state, 0, 0, 1, now);
    const ejectedAt = now;
    do now += 10 * SECOND;
    while (!sweep(state, 0, now));
    t.true(now - ejectedAt <= 300 * SECOND);
  }
  t.is(state.multiplier[0], 11);
});

test('A14: any success starts the count again, and a refused ejection does too', (t) => {
  const state = stateOf({ consecutive5xxErrors: 3 }, 5);
  const outcomes = [OUTCOME_5XX, OUTCOME_LOCAL, OUTCOME_SUCCESS, OUTCOME_5XX, OUTCOME_GATEWAY, OUTCOME_LOCAL];
  t.deepEqual(
    outcomes.map((outcome) => countOutcome(state, 0, outcome)),
    [false, false, false, false, false, true],
  );
  t.false(eject(state, 0, 0, 5, 0));
  t.is(state.errors[0], 0);
});

test('A14: gateway errors count 502 to 504 and failures without an answer; a 500 starts them again', (t) => {
  const state = stateOf({ consecutive5xxErrors: 0, consecutiveGatewayErrors: 2 }, 5);
  t.deepEqual(
    [OUTCOME_GATEWAY, OUTCOME_5XX, OUTCOME_LOCAL, OUTCOME_GATEWAY].map((outcome) => countOutcome(state, 0, outcome)),
    [false, false, false, true],
  );
});

test('A14: split counts failures without an answer apart', (t) => {
  const state = stateOf(
    { consecutive5xxErrors: 2, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2 },
    5,
  );
  t.deepEqual(
    [OUTCOME_5XX, OUTCOME_LOCAL, OUTCOME_5XX, OUTCOME_LOCAL, OUTCOME_LOCAL].map((outcome) =>
      countOutcome(state, 0, outcome),
    ),
    [false, false, true, false, true],
  );
});

test(`the detector and its slow twin agree on any sequence of answers and sweeps ${SEED_NOTE}`, (t) => {
  const NAMES = { ok: OUTCOME_SUCCESS, '500': OUTCOME_5XX, '503': OUTCOME_GATEWAY, none: OUTCOME_LOCAL } as const;
  const anEvent = fc.record({
    afterUs: fc.integer({ min: 0, max: 4 * SECOND }),
    host: fc.nat(11),
    status: fc.constantFrom('ok' as const, '500' as const, '503' as const, 'none' as const, 'none' as const),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(10, 34, 50, 100),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      fc.array(anEvent, { minLength: 20, maxLength: 300 }),
      (hosts, maxEjectionPercent, consecutive5xxErrors, consecutiveGatewayErrors, events) => {
        const raw = {
          maxEjectionPercent,
          consecutive5xxErrors,
          consecutiveGatewayErrors,
          interval: '5s',
          baseEjectionTime: '8s',
        };
        const state = stateOf(raw, hosts);
        const slow = new SlowOutlierDetector(policyOf(raw), hosts);
        let nowUs = 0;
        for (const { afterUs, host, status } of events) {
          const untilUs = nowUs + afterUs;
          for (let tick = Math.floor(nowUs / 5e6) + 1; tick * 5e6 <= untilUs; tick++) {
            sweep(state, 0, tick * 5e6);
            slow.sweep(tick * 5e6);
          }
          nowUs = untilUs;
          const pair = host % hosts;
          if (slow.hosts[pair]!.ejectedAtUs !== null) continue;
          const ours = countOutcome(state, pair, NAMES[status]) && eject(state, 0, pair, hosts, nowUs);
          if (ours !== slow.answer(pair, status, nowUs)) return false;
          const out = [...state.ejectedAtUs].map((at) => (at < 0 ? null : at));
          if (JSON.stringify(out) !== JSON.stringify(slow.hosts.map(({ ejectedAtUs }) => ejectedAtUs))) return false;
          if (slow.hosts.some(({ timesEjected }, i) => timesEjected !== state.multiplier[i])) return false;
        }
        return true;
      },
    ),
    { seed: SEED, numRuns: 400 },
  );
  t.pass();
});
