import test from 'ava';
import { learnAndSplit } from '../../../traces/learn/learn-and-split.js';
import { predictServices } from '../../../traces/learn/predict.js';
import { syntheticRecording, truth, callsPerRequest, services, level } from '../synthetic.js';

const seed = process.env['WAVETANK_SEED'] ?? 'traces-1';
const options = { learn: null, replay: null, seed: 1 };

test(`fan-out, CPU per call, idle CPU and round trip are recovered from a recording (seed ${seed})`, (t) => {
  const { report, idleMillicores } = learnAndSplit(
    syntheticRecording(seed, { varyingRate: true, pointCount: 600 }),
    options,
  );
  t.is(report.basis, 'spans');
  for (const { source, target, callsPerRequest: learned } of report.fanOut) {
    t.is(source, 'web');
    // Rates carry 2 % uniform noise over 300 steps: 0.1 % in the mean.
    t.true(Math.abs(learned / callsPerRequest(target as 'cart') - 1) < 0.01, `${target}: ${learned}`);
  }
  t.is(report.classes.length, 2);
  t.true(Math.abs((report.classes[0]?.shareInSpans ?? 0) - 0.6) < 0.08);
  t.true(Math.abs((report.classes[0]?.share ?? 0) - truth.viewShare) < 0.005);
  for (const service of services) {
    const cpu = report.services.find((row) => row.service === service)?.cpu;
    t.true(Math.abs((cpu?.cpuMsPerCall ?? 0) / truth.cpuMs[service] - 1) < 0.03, `${service}: ${cpu?.cpuMsPerCall} ms`);
    t.true(
      Math.abs((idleMillicores[service] ?? 0) - truth.idleMillicores) < 2,
      `${service}: ${idleMillicores[service]} m idle`,
    );
  }
  t.true(Math.abs(report.roundTripMs - truth.gapMs) < 1e-9);
});

test(`with a steady rate the idle share is called unknown and all CPU is charged to calls (seed ${seed})`, (t) => {
  const { report } = learnAndSplit(syntheticRecording(seed, { varyingRate: false, pointCount: 600 }), options);
  const web = report.services.find((row) => row.service === 'web')?.cpu;
  t.false(web?.idleIdentified);
  t.regex(web?.note ?? '', /idle share cannot be told/);
  // 10 requests/s x 3 ms + 40 m idle = 70 m over 10/s = 7 ms a call.
  t.true(Math.abs((web?.cpuMsPerCall ?? 0) - 7) < 0.05);
});

test(`the scenario keeps the mean time of each request kind and replays only the entry rate (seed ${seed})`, (t) => {
  const recording = syntheticRecording(seed, { varyingRate: true, pointCount: 600 });
  const { scenario, replayPart } = learnAndSplit(recording, options);
  t.is(replayPart.pointCount, 300);
  t.true(scenario.loads.every((load) => scenario.services[load.service]?.name === 'web'));
  const entry = predictServices(scenario).find(({ service }) => service === 'web');
  // view: 4 + 3 x (10 + 2) + (6 + 2) = 48 ms; buy: 4 + 20 + 2 = 26 ms; 70 : 30 -> 41.4 ms.
  // CPU and own time overlap by up to 0.2 ms where CPU is above the shortest own times.
  t.true(Math.abs((entry?.latency.meanMs ?? 0) - 41.4) < 1, `${entry?.latency.meanMs}`);
  const recorded =
    replayPart.series.find((series) => series.role === 'requestRate' && series.service === 'web')?.values ?? [];
  const points = scenario.loads.map((load) => load.rate[7]?.perSecond ?? 0);
  t.true(Math.abs(points.reduce((sum, value) => sum + value, 0) - (recorded[7] ?? 0)) < 1e-9);
});

test(`nothing is learned from fault windows (seed ${seed})`, (t) => {
  const recording = syntheticRecording(seed, { varyingRate: true, pointCount: 600 });
  const disturbed = recording.series.map((series) =>
    series.role === 'cpu' && series.service === 'cart'
      ? { ...series, values: series.values.map((value, index) => (index < 200 ? 10 * (value ?? 0) : value)) }
      : series,
  );
  const fault = { service: 'cart', kind: 'cpu', fromMs: 0, toMs: 199 * 60_000 };
  const cpuOf = (faults: readonly (typeof fault)[]): number => {
    const { report } = learnAndSplit({ ...recording, series: disturbed, faults }, options);
    return report.services.find((row) => row.service === 'cart')?.cpu?.cpuMsPerCall ?? 0;
  };
  t.true(Math.abs(cpuOf([fault]) / truth.cpuMs.cart - 1) < 0.05);
  t.true(cpuOf([]) > 3 * truth.cpuMs.cart);
});

test(`fan-outs are solved from node rates when there are no spans and no edge counts (seed ${seed})`, (t) => {
  const random = Array.from({ length: 400 }, (_, i) => i);
  const web = random.map((i) => 20 + 5 * Math.sin(i / 7));
  const jobs = random.map((i) => 10 + 4 * Math.cos(i / 11));
  const store = random.map((i) => 0.5 * (web[i] as number) + 2 * (jobs[i] as number));
  const recording = {
    ...syntheticRecording(seed, { varyingRate: true, pointCount: 400 }),
    services: ['jobs', 'store', 'web'],
    edges: [
      { source: 'web', target: 'store' },
      { source: 'jobs', target: 'store' },
    ],
    series: [
      level('requestRate', 'web', web),
      level('requestRate', 'jobs', jobs),
      level('requestRate', 'store', store),
    ],
    spans: [],
  };
  const { report, scenario } = learnAndSplit(recording, options);
  t.is(report.basis, 'rates');
  const learned = Object.fromEntries(report.fanOut.map((edge) => [edge.source, edge.callsPerRequest]));
  t.true(Math.abs((learned['web'] ?? 0) - 0.5) < 1e-6 && Math.abs((learned['jobs'] ?? 0) - 2) < 1e-6);
  t.deepEqual(new Set(scenario.loads.map((load) => scenario.services[load.service]?.name)), new Set(['jobs', 'web']));
});
