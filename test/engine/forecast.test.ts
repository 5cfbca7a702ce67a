/** Forecasts on series whose future is known, and the replicas that they ask for. */
import test from 'ava';
import fc from 'fast-check';
import { emptyMemory, forecast, step, type Memory, type Snapshot } from '../../engine/index.js';
import { addDemand, MOST_SLOTS, samplesOf } from '../../engine/demand-history.js';
import { aNode, aPod, aSnapshot, aWorkload, anInput, GIB } from './fixtures.js';
import { mix } from '../../sim/random.js';
import { SEED } from '../seed.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const near = (actual: number, expected: number, within = 1e-9): boolean => Math.abs(actual - expected) <= within;
const series = (length: number, at: (i: number) => number): number[] => Array.from({ length }, (_, i) => at(i));
const sine = (i: number): number => 5 + 3 * Math.sin((2 * Math.PI * i) / 24);
const foreseen = (history: number[], season: number, steps: number) => {
  const said = forecast(history, season, steps);
  if ('refused' in said) throw new Error(said.refused);
  return said;
};

test('a perfect season comes again, without error', (t) => {
  for (const steps of [1, 3, 12, 24]) {
    // After a whole season the last value is right, too, and is preferred.
    if (steps === 24) t.true('refused' in forecast(series(72, sine), 24, steps));
    else {
      const { value, meanError, errorBand, lastValueError } = foreseen(series(72, sine), 24, steps);
      t.true(near(value, sine(71 + steps)), `${value}`);
      t.true(near(meanError, 0) && near(errorBand, 0) && lastValueError > 0.1);
    }
  }
});

test('a line goes on, which the season before does not tell', (t) => {
  // x = 2 + i / 10, 72 samples: six steps after i = 71 stands 2 + 7.7.
  const said = foreseen(
    series(72, (i) => 2 + i / 10),
    24,
    6,
  );
  t.is(said.model, 'holtWinters');
  t.true(near(said.value, 9.7), `${said.value}`);
  t.true(near(said.lastValueError, 0.6));
});

test('a season on a line is the sum of both', (t) => {
  const both = (i: number): number => sine(i) + i / 20;
  const said = foreseen(series(72, both), 24, 5);
  t.is(said.model, 'holtWinters');
  t.true(near(said.value, both(76), 1e-6), `${said.value}`);
});

test('what does not change, or is not known for three seasons, is not foreseen', (t) => {
  t.true(
    'refused' in
      forecast(
        series(72, () => 4),
        24,
        3,
      ),
  );
  t.regex((forecast(series(71, sine), 24, 3) as { refused: string }).refused, /71 of 72 samples/);
});

test('white noise is refused: nothing beats its mean', (t) => {
  let believed = 0;
  for (let run = 0; run < 300; run++) {
    const noise = series(72, (i) => (mix(SEED + 72 * run + i) >>> 0) / 2 ** 32);
    for (const steps of [1, 3]) if (!('refused' in forecast(noise, 24, steps))) believed++;
  }
  t.log(`${believed} of 600 believed`);
  t.true(believed <= 6, `${believed} of 600`);
});

test('whatever the series, a forecast is at least a fifth better than the last value, and never negative', (t) => {
  const values = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 4 }), (history, steps) => {
      const said = forecast(history, 4, steps);
      if ('refused' in said) return;
      t.true(said.value >= 0);
      t.true(said.meanError <= 0.8 * said.lastValueError);
      t.true(said.errorBand >= 0);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

const SETTINGS = { enabled: true, horizonSeconds: 600, seasonSeconds: 14_400, sampleSeconds: 600 };

test('the history keeps three seasons, each figure within 0.5 %, in a few hundred bytes', (t) => {
  let history: ReturnType<typeof addDemand> | undefined;
  const demand = (i: number): number => 0.05 * 1.1 ** (i % 100);
  for (let i = 0; i < 500; i++) {
    // Two looks a slot: the mean counts.
    for (const part of [0.5, 1.5]) history = addDemand(history, demand(i) * part, i * 600_000 + part * 1000, SETTINGS);
  }
  const samples = samplesOf(history!);
  t.is(samples.length, 72);
  samples.forEach((sample, j) => {
    const expected = demand(499 - 72 + j);
    t.true(Math.abs(sample - expected) <= 0.005 * expected + 0.0005, `${sample} for ${expected}`);
  });
  const longest = 2 * 3 * MOST_SLOTS + JSON.stringify({ ...history, samples: '' }).length;
  t.true(1000 * (longest + 80) < 0.5 * 2 ** 20, `${longest} bytes each`);
});

test('a short gap is bridged, a long one or a clock that goes back begins anew', (t) => {
  const at = (slots: readonly number[]) =>
    slots.reduce<ReturnType<typeof addDemand> | undefined>(
      (h, s) => addDemand(h, s, s * 600_000, SETTINGS),
      undefined,
    )!;
  t.deepEqual(samplesOf(at([1, 2, 5, 6])).map(Math.round), [1, 2, 2, 2, 5]);
  t.deepEqual(samplesOf(at([1, 2, 6, 7])).map(Math.round), [6]);
  t.deepEqual(samplesOf(at([5, 6, 2])), []);
});

const NODES = ['n-a', 'n-b', 'n-c'].map((name, i) =>
  aNode(name, `eu/${'abc'[i]!}`, { allocatable: { cpuMillicores: 64_000, memoryBytes: 256 * GIB } }),
);

/** So many pods at so many millicores of 1000. */
const web = (replicas: number, cpu: number): Snapshot =>
  aSnapshot({
    nodes: NODES,
    workloads: [aWorkload('web', replicas)],
    pods: series(replicas, (i) => i).map((i) => aPod('web', NODES[i % 3]!.name, `web-${i}`, cpu, { createdAtMs: 0 })),
  });

/** Three seasons seen: a demand of 1 pod, but of 4 in the third quarter of each. */
function remembered(): Memory {
  let history: ReturnType<typeof addDemand> | undefined;
  for (let i = 0; i < 72; i++) history = addDemand(history, i % 24 >= 12 && i % 24 < 18 ? 4 : 1, i * 600_000, SETTINGS);
  return { ...emptyMemory, demandHistory: { 'default/Deployment/web': history! } };
}

const ask = (replicas: number, cpu: number, slot: number, over: object = {}) =>
  step(
    anInput(web(replicas, cpu), {
      balancer: { enabled: false },
      scaler: { predictive: SETTINGS, ...over },
      // The memory ends with slot 71; later slots are as those of a season before.
      memory: slot === 72 ? remembered() : later(slot),
      nowMs: slot * 600_000 + 1,
    }),
  );
function later(slot: number): Memory {
  let history = remembered().demandHistory!['default/Deployment/web']!;
  for (let i = 72; i < slot; i++)
    history = addDemand(history, i % 24 >= 12 && i % 24 < 18 ? 4 : 1, i * 600_000, SETTINGS);
  return { ...emptyMemory, demandHistory: { 'default/Deployment/web': history } };
}

test('replicas come a horizon ahead of the peak, with the forecast in the reason', (t) => {
  // 2 pods at 50 %: within thresholds. A slot before the peak 4 pods' worth are foreseen: 4 / 0.7 = 5.7, so 6.
  const [early] = ask(2, 500, 72 + 10).decisions;
  t.is(early, undefined);
  const [decision] = ask(2, 500, 72 + 11).decisions;
  t.is(decision?.kind === 'scaleUp' && decision.replicasTo, 6);
  t.regex(decision!.because, /^In 600 s 4 pods' worth of cpu is foreseen \(seasonalNaive, within 0 nine times of ten/);
  t.like(decision!.signals, { forecastModel: 'seasonalNaive', forecastErrorBandPods: 0, horizonSeconds: 600 });
  const bounded = ask(2, 500, 72 + 11, { maxReplicas: 4 }).decisions[0];
  t.is(bounded?.kind === 'scaleUp' && bounded.replicasTo, 4);
});

test('off, or in another mode, the past is neither kept nor asked', (t) => {
  const off = step(anInput(web(2, 500), { balancer: { enabled: false } }));
  t.is(off.memory.demandHistory, undefined);
  const placement = step(anInput(web(2, 500), { scaler: { mode: 'placement', predictive: SETTINGS } }));
  t.is(placement.memory.demandHistory, undefined);
});

test('what has been added ahead is not removed before the peak, and a forecast removes nothing', (t) => {
  // 6 pods at 15 %: below 20 %, 5 would do for now.
  const held = ask(6, 150, 72 + 11);
  t.deepEqual(held.decisions, []);
  t.is(held.skipped[0]?.reason, 'forecastHolds');
  const quiet = ask(6, 150, 72 + 2).decisions[0];
  t.is(quiet?.kind === 'scaleDown' && quiet.replicasTo, 5);
  // In the peak the end of it is foreseen; what the present needs stays.
  t.deepEqual(ask(6, 600, 72 + 17).decisions, []);
});

test('overload is answered as without a forecast', (t) => {
  const [decision] = ask(4, 1050, 72 + 11).decisions;
  t.is(decision?.kind === 'scaleUp' && decision.replicasTo, 6);
  t.regex(decision!.because, /above 70 %/);
});
