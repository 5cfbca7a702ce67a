/** What the engine is shown against what is known to happen: constant load, constant work. */
import test from 'ava';
import { defaultEngineConfig, emptyMemory, step } from '../../engine/index.js';
import type { StepInput } from '../../engine/types.js';
import type { EngineStep } from '../../sim/index.js';
import { simulate } from '../../sim/index.js';
import {
  addWindowResponseTimes,
  servedPerSecond,
  windowCpuMillicores,
  type Sensors,
} from '../../sim/control/sensors.js';
import { ENVOY_BOUNDS_US, ENVOY_BUCKETS } from '../../sim/kernel/histogram.js';
import type { Scenario } from '../../scenarios/types.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, call, constant, cpu, staticPolicy } from './builders.js';

const SECOND = 1e6;
const WORK_US = 4000;

/** 300 requests a second, evenly, through front (2 pods) to back (3 pods), each with 4 ms of CPU per request. */
function steady(over: Partial<Scenario> = {}): Scenario {
  return aScenario({
    zones: 2,
    nodes: [aNode('a0', 0), aNode('a1', 0), aNode('b0', 1)],
    services: [
      aService({ name: 'front', replicas: 2, workers: 8, endpoints: [anEndpoint([cpu(constant(WORK_US)), call(1)])] }),
      aService({ name: 'back', replicas: 3, workers: 8, endpoints: [anEndpoint([cpu(constant(WORK_US))])] }),
    ],
    loads: [aLoad(300, { arrivals: 'even', from: [{ atUs: 0, shares: [0.7, 0.3] }] })],
    policies: [
      { ...staticPolicy, engine: { ...defaultEngineConfig, scaler: { ...defaultEngineConfig.scaler, mode: 'off' } } },
    ],
    roundTripUs: 1000,
    run: { durationUs: 240 * SECOND, warmUpUs: 0 },
    over,
  });
}

function stepsOf(scenario: Scenario): EngineStep[] {
  const steps: EngineStep[] = [];
  simulate(scenario, { policy: 0, seed: 1, onSnapshot: (made) => steps.push(made) });
  return steps;
}

test('edges sum to the offered rate, CPU to rate times work, and bytes to requests times size', (t) => {
  for (const { input } of stepsOf(steady())) {
    const { edges, pods } = input.snapshot;
    for (const name of ['front', 'back']) {
      const inward = edges.filter(({ destination }) => destination.workload === name);
      const rate = inward.reduce((sum, edge) => sum + edge.requestsPerSecond, 0);
      t.true(Math.abs(rate / 300 - 1) < 0.01, `${name}: ${rate} requests/s`);
      const bytes = inward.reduce((sum, edge) => sum + edge.bytesPerSecond, 0);
      t.true(Math.abs(bytes / (300 * 5000) - 1) < 0.01, `${name}: ${bytes} bytes/s`);
      const millicores = pods
        .filter(({ workload }) => workload === name)
        .reduce((sum, pod) => sum + pod.usage!.cpuMillicores, 0);
      // 300/s x 4 ms = 1.2 cores.
      t.true(Math.abs(millicores / 1200 - 1) < 0.02, `${name}: ${millicores} millicores`);
    }
    const fromZoneA = edges
      .filter(({ source, sourceZone }) => source.workload === 'gateway' && sourceZone === 'r/a')
      .reduce((sum, edge) => sum + edge.requestsPerSecond, 0);
    // 0.7 of 18,000 requests in a window, binomial: four standard deviations are 1.4 %.
    t.true(Math.abs(fromZoneA / 210 - 1) < 0.02, `${fromZoneA} requests/s from zone a`);
  }
});

test('a p95 by node lies in the Envoy bucket of the true one', (t) => {
  const { input } = stepsOf(steady()).at(-1)!;
  const rows = input.snapshot.responseTimes.filter(({ workload }) => workload === 'back');
  t.true(rows.length > 0);
  // 8 workers at a load of 0.4 seldom make anyone wait: all take 4 ms, in the bucket from 1 to 5 ms.
  const [lowMs, highMs] = [1, 5];
  t.true([...ENVOY_BOUNDS_US].includes(lowMs * 1000) && [...ENVOY_BOUNDS_US].includes(highMs * 1000));
  for (const { p95Ms } of rows) t.true(p95Ms > lowMs && p95Ms <= highMs, `${p95Ms} ms`);
});

test('rates cover the window of the last scrapes and no more', (t) => {
  const scenario = steady();
  const load = aLoad(0, {
    arrivals: 'even',
    from: [{ atUs: 0, shares: [0.7, 0.3] }],
    rate: [
      { atUs: 0, perSecond: 300 },
      { atUs: 150 * SECOND, perSecond: 300 },
      { atUs: 150 * SECOND, perSecond: 60 },
    ],
  });
  const rates = stepsOf({ ...scenario, loads: [load] }).map(({ atMs, input }) => [
    atMs / 1000,
    input.snapshot.edges
      .filter(({ destination }) => destination.workload === 'front')
      .reduce((sum, edge) => sum + edge.requestsPerSecond, 0),
  ]);
  // Steps fall half a scrape (7.5 s) after each minute and see the 60 s up to the last scrape. At 187.5 s that is 120 to
  // 180 s: 30 s at 300 and 30 s at 60, 180 in the mean.
  t.deepEqual(
    rates.map(([seconds]) => seconds),
    [67.5, 127.5, 187.5],
  );
  for (const [i, expected] of [300, 300, 180].entries()) {
    t.true(Math.abs(rates[i]![1]! / expected - 1) < 0.01, `${rates[i]![1]} requests/s at ${rates[i]![0]} s`);
  }
});

test('a counter of another pod in the same slot gives no rate', (t) => {
  const scrape = (atUs: number, generation: number, cpuUs: number) => ({
    atUs,
    generation: Int32Array.of(generation),
    cpuUs: Float64Array.of(cpuUs),
    envoy: new Float64Array(ENVOY_BUCKETS).fill(cpuUs),
    connectionRequests: new Float64Array(0),
    served: new Float64Array(0),
    queued: new Int32Array(0),
    refused: new Float64Array(),
    messages: [],
  });
  const sensors = (scrapes: Sensors['scrapes']): Sensors => ({ scrapes, resource: [], generation: Int32Array.of(2) });
  const [old, young, older] = [scrape(15e6, 1, 9e6), scrape(30e6, 2, 1e6), scrape(45e6, 2, 4e6)];
  t.is(windowCpuMillicores(sensors([old, young]), 0), null);
  // 3 s of CPU in 15 s: 200 millicores, from the two scrapes of the new pod.
  t.is(windowCpuMillicores(sensors([old, young, older]), 0), 200);
  const counts = new Float64Array(ENVOY_BUCKETS);
  t.false(addWindowResponseTimes(sensors([old, young]), 0, counts));
  t.true(addWindowResponseTimes(sensors([old, young, older]), 0, counts));
  t.is(counts[0], 3e6);
  // A pod that died has no figures.
  t.is(windowCpuMillicores(sensors([young, older, scrape(60e6, 0, 4e6)]), 0), null);
});

test('a step that was written down and read back decides the same', (t) => {
  const scenario = steady({
    faults: [{ kind: 'nodeLoss', node: 1, atUs: 70 * SECOND, forUs: null }],
    policies: [
      {
        ...staticPolicy,
        engine: {
          ...defaultEngineConfig,
          upperThresholdPercent: 30,
          scaler: { ...defaultEngineConfig.scaler, cooldownSeconds: 0 },
          balancer: { ...defaultEngineConfig.balancer, createRoutes: true },
        },
      },
    ],
  });
  const steps = stepsOf(scenario);
  for (const { input, output } of steps) {
    const readBack = JSON.parse(JSON.stringify(input)) as StepInput;
    t.deepEqual(readBack, input);
    t.is(JSON.stringify(step(readBack)), JSON.stringify(output));
  }
  t.true(steps.some(({ output }) => output.decisions.length > 0));
  t.deepEqual(steps[0]!.input.memory, emptyMemory);
});

/** One slot, scraped at these seconds with these counts of answered requests; a null is another pod. */
function counted(...samples: readonly (readonly [second: number, served: number | null])[]): Sensors {
  return {
    scrapes: samples.map(([second, served]) => ({
      atUs: second * SECOND,
      generation: Int32Array.of(served === null ? 1 : 2),
      cpuUs: new Float64Array(1),
      envoy: new Float64Array(0),
      connectionRequests: new Float64Array(0),
      served: Float64Array.of(served ?? 0),
      queued: new Int32Array(1),
      refused: new Float64Array(),
      messages: [],
    })),
    resource: [],
    generation: Int32Array.of(2),
  };
}

test('requests per second are read as rate() of Prometheus reads them', (t) => {
  const rate = (sensors: Sensors) => servedPerSecond(sensors, 0, 2, 300 * SECOND, 60 * SECOND);
  // 450 in 45 s, and 7.5 s more at both ends, less than 1.1 intervals: 600 in 60 s.
  t.is(rate(counted([247.5, 5000], [262.5, 5150], [277.5, 5300], [292.5, 5450])), 10);
  // A new pod: 150 in 15 s; forward 7.5 s = 75 more; back only to where it was 0, 5 s = 50: 275 in 60 s.
  t.is(rate(counted([262.5, null], [277.5, 50], [292.5, 200])), 275 / 60);
  // Counting since long, but not scraped before: half an interval back instead. 150 + 75 + 75.
  t.is(rate(counted([262.5, null], [277.5, 5000], [292.5, 5150])), 5);
  // Started again after 5150: 150 + 40 + 150 in 45 s, times 60/45.
  t.true(Math.abs(rate(counted([247.5, 5000], [262.5, 5150], [277.5, 40], [292.5, 190]))! - 340 / 45) < 1e-9);
  t.is(rate(counted([247.5, null], [292.5, 200])), null);
  // What lies on the edge of the window is out.
  t.is(rate(counted([240, 100], [292.5, 200])), null);
});

test('the rate at the start is that of the time since the start', (t) => {
  // 150 in the first 15 s, and on for 7.5 s: 225 in 22.5 s.
  t.is(servedPerSecond(counted([0, 0], [15, 150]), 0, 2, 22.5 * SECOND, 60 * SECOND), 10);
});

test('B4 worked: the HPA answers a step in load 15 to 45 s later: a whole window of the metrics server, and two periods to be seen', (t) => {
  // At 50 % of a target of 60 %; from the step on 67 %, which is over the tolerance only when all of a window shows it.
  const hpa = { service: 0, minReplicas: 1, maxReplicas: 3, targetCpuPercent: 60, metrics: null, behavior: null };
  const reaction = (phase: number): number => {
    const stepUs = (120 + phase) * SECOND;
    const points = [0, 1].flatMap((k) => [{ atUs: stepUs, perSecond: 50 + 17 * k }]);
    const scenario = aScenario({
      services: [aService({ workers: 8, endpoints: [anEndpoint([cpu(constant(10_000))])] })],
      loads: [aLoad(0, { arrivals: 'even', rate: [{ atUs: 0, perSecond: 50 }, ...points] })],
      policies: [{ ...staticPolicy, hpas: [hpa] }],
      run: { warmUpUs: 0, durationUs: 240 * SECOND },
    });
    const { decisions } = simulate(scenario, { policy: 0, seed: 1 });
    return decisions[0]!.atSeconds - 120 - phase;
  };
  const reactions = Array.from({ length: 15 }, (_, phase) => reaction(phase));
  // Scrapes and syncs stand 7.5 s apart here, so one of the three parts is fixed and the others make 15 s.
  for (const seconds of reactions) t.true(seconds >= 15 && seconds <= 45, `${seconds} s`);
  t.is(Math.max(...reactions) - Math.min(...reactions), 14);
});
