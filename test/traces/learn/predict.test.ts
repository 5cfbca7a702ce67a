import test from 'ava';
import { predictServices } from '../../../traces/learn/predict.js';
import type { Distribution, Endpoint, Scenario, Step } from '../../../scenarios/types.js';

const constant = (meanMs: number): Distribution => ({ kind: 'constant', mean: meanMs * 1000 });
const uniform = (fromMs: number, toMs: number): Distribution => ({
  kind: 'empirical',
  bounds: [fromMs * 1000, toMs * 1000],
  weights: [1],
  mean: (fromMs + toMs) * 500,
});
const wait = (delay: Distribution): Step => ({ kind: 'wait', delay });

/** Service 0 (web) has the given steps, service 1 (back) waits as given; round trip 2 ms; 10 requests/s. */
function latencyOf(webSteps: readonly Step[], back: Distribution): ReturnType<typeof predictServices> {
  const endpoint = (steps: readonly Step[]): Endpoint => ({ name: 'get', steps, requestBytes: 0, responseBytes: 0 });
  const scenario = {
    cluster: { roundTrip: { sameZoneUs: 2000 } },
    services: [
      { name: 'web', endpoints: [endpoint(webSteps)] },
      { name: 'back', endpoints: [endpoint([wait(back)])] },
    ],
    loads: [{ service: 0, endpoint: 0, rate: [{ atUs: 0, perSecond: 10 }] }],
    run: { durationUs: 60_000_000 },
  };
  return predictServices(scenario as unknown as Scenario);
}

const call = (probability: number, count: number, repeat: 'sequential' | 'parallel' = 'sequential'): Step => ({
  kind: 'call',
  calls: [{ service: 1, endpoint: 0, probability, count }],
  repeat,
});

test('constant times in sequence add up, network included', (t) => {
  // 5 own + 3 x (2 + 10) = 41 ms.
  const web = latencyOf([wait(constant(5)), call(1, 3)], constant(10))[0];
  t.true(Math.abs((web?.latency.meanMs ?? 0) - 41) < 1e-6);
  t.true(Math.abs((web?.latency.quantileMs(0.99) ?? 0) - 41) <= 1);
});

test('optional and fractional calls have the mean and the share that their numbers say', (t) => {
  // Made with probability 0.25, then 2 or 3 calls (2.5): mean 0.25 x 2.5 x 12 = 7.5 ms; three quarters take no time.
  const [web, back] = latencyOf([call(0.25, 2.5)], constant(10));
  t.true(Math.abs((web?.latency.meanMs ?? 0) - 7.5) < 1e-6);
  t.true((web?.latency.quantileMs(0.74) ?? 99) < 1);
  t.true(Math.abs((web?.latency.quantileMs(0.8) ?? 0) - 24) <= 1);
  t.true(Math.abs((back?.requestsPerSecond ?? 0) - 6.25) < 1e-9);
});

test('the slower of two parallel uniform times has mean two thirds and median 0.707 of the range', (t) => {
  const web = latencyOf([call(1, 2, 'parallel')], uniform(0, 600))[0];
  t.true(Math.abs((web?.latency.meanMs ?? 0) - 402) < 1);
  t.true(Math.abs((web?.latency.quantileMs(0.5) ?? 0) - (2 + 600 * Math.SQRT1_2)) < 2);
});

test('two uniform times in sequence make a triangle', (t) => {
  // Sum of two uniforms on 0..100: median 100, and P(sum <= 50) = 50^2 / (2 x 100^2) = 0.125; plus 2 ms network.
  const web = latencyOf([wait(uniform(0, 100)), call(1, 1)], uniform(0, 100))[0];
  t.true(Math.abs((web?.latency.quantileMs(0.5) ?? 0) - 102) < 1);
  t.true(Math.abs((web?.latency.quantileMs(0.125) ?? 0) - 52) < 1);
});
