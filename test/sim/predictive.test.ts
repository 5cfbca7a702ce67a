/** A load that comes again: pods are ready before its peak once three seasons have been seen. */
import test from 'ava';
import { defaultEngineConfig, type Decision } from '../../engine/index.js';
import { simulate } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aLoad, aScenario, aService, constant, staticPolicy } from './builders.js';

const SECOND = 1e6;
const SEASON = 400;
const SEASONS = 6;
/** A pod of one core and 10 ms: 60/s are 0.6 of it, 300/s are 3, for a quarter of each season. */
const LOW = 60;
const HIGH = 300;
const PEAK_AT = 200;
const PEAK_FOR = 100;

function run(enabled: boolean) {
  const scaler = {
    ...defaultEngineConfig.scaler,
    minReplicas: 2,
    cooldownSeconds: 20,
    coldPodGraceSeconds: 30,
    predictive: { enabled, horizonSeconds: 60, seasonSeconds: SEASON, sampleSeconds: 20 },
  };
  const engine = { ...defaultEngineConfig, scaler, balancer: { ...defaultEngineConfig.balancer, enabled: false } };
  const rate = Array.from({ length: SEASONS }, (_, season) => {
    const from = season * SEASON * SECOND;
    const point = (atSeconds: number, perSecond: number) => ({ atUs: from + atSeconds * SECOND, perSecond });
    return [point(0, LOW), point(PEAK_AT, LOW), point(PEAK_AT, HIGH), point(PEAK_AT + PEAK_FOR, HIGH)].concat([
      point(PEAK_AT + PEAK_FOR, LOW),
      point(SEASON, LOW),
    ]);
  }).flat();
  const scenario = aScenario({
    services: [
      aService({
        replicas: 2,
        startUp: { imagePull: constant(5e6), ready: constant(2e7), probeInitialDelayUs: 0, probePeriodUs: 1e6 },
      }),
    ],
    loads: [aLoad(LOW, { rate })],
    policies: [{ ...staticPolicy, engine }],
    run: {
      warmUpUs: 0,
      durationUs: SEASONS * SEASON * SECOND,
      ...{ cycleUs: 10 * SECOND, scrapeUs: 5 * SECOND, rateWindowUs: 20 * SECOND },
    },
  });
  const decisions: { atSeconds: number; decision: Decision }[] = [];
  /** Ready replicas at the last look before each peak. */
  const ready: number[] = [];
  simulate(scenario, {
    policy: 0,
    seed: SEED,
    onSnapshot: ({ atMs, input: { snapshot }, output }) => {
      for (const decision of output.decisions) decisions.push({ atSeconds: atMs / 1000, decision });
      const inSeason = (atMs / 1000) % SEASON;
      if (inSeason <= PEAK_AT) ready[Math.floor(atMs / 1000 / SEASON)] = snapshot.workloads[0]!.readyReplicas;
    },
  });
  return { decisions, ready };
}

test('once three seasons are known, pods are ready before the peak; without a forecast never', (t) => {
  const without = run(false);
  const foreseeing = run(true);
  t.log(`ready before the peaks: ${foreseeing.ready.join(' ')}; without: ${without.ready.join(' ')}`);
  // 3 pods' worth at 70 % are 5 replicas. Low load leaves 2 or 3: 0.6 of 5 is 12 %, and 5 * 12 / 20 = 3.
  for (const ready of without.ready) t.true(ready <= 3);
  for (const ready of foreseeing.ready.slice(0, 3)) t.true(ready <= 3);
  for (const ready of foreseeing.ready.slice(4)) t.true(ready >= 5, foreseeing.ready.join());
  const ahead = foreseeing.decisions.filter(({ decision }) => 'forecastModel' in decision.signals);
  t.true(ahead.length >= 2);
  for (const { decision, atSeconds } of ahead) {
    t.is(decision.kind, 'scaleUp');
    t.true(atSeconds >= 3 * SEASON, `at ${atSeconds} s`);
    t.regex(decision.because, /is foreseen/);
  }
});
