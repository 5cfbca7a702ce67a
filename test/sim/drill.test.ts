/**
 * The black-hole drill on two zones: where a route names one zone alone, its callers have nowhere to go once the pods
 * there are gone; where it names all zones, the replacements take over. And a dead engine decides nothing more.
 */
import test from 'ava';
import { lossAtUs, lossScenario } from '../../scenarios/losses.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { load, small } from '../scenarios/fixtures.js';

const RULE = 'trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}';

function withRoute(to: string, hasVersions = false): ReplicationResult {
  const route = `trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: r1/a/*, to: {${to}}}]}}}`;
  const plain = lossScenario(load(small([RULE, route])), null, null);
  const second = { ...plain.services[0]!, name: 'second', labels: { version: 'v2' }, versionOf: 0 };
  const scenario = hasVersions ? { ...plain, services: [...plain.services, second] } : plain;
  const zones = to.includes('r1/b') ? [0, 1] : [0];
  return simulate(scenario, { policy: 0, seed: 1, drill: { atUs: lossAtUs(scenario), service: 0, zones } });
}

/** Share of the requests of the last minute that failed. */
function failedAtEnd({ series }: ReplicationResult): number {
  const sum = (values: readonly number[]): number => values.slice(-6).reduce((total, value) => total + value, 0);
  return sum(series.failedPerSecond) / sum(series.requestsPerSecond);
}

test('without the only zone that a route names, its callers fail for good', (t) => {
  // 70 % of the users come through zone a; the others have pods of their own zone. Of 6,000 requests, 4 standard
  // errors are 2.4 points.
  const share = failedAtEnd(withRoute('r1/a/*: 100'));
  t.true(Math.abs(share - 0.7) < 0.024, String(share));
});

test('the pods of all versions of the host are in the hole', (t) => {
  const share = failedAtEnd(withRoute('r1/a/*: 100', true));
  t.true(Math.abs(share - 0.7) < 0.024, String(share));
});

test('where the route names all zones, the replacements are found without anybody', (t) => {
  const result = withRoute('r1/a/*: 60, r1/b/*: 40');
  t.is(failedAtEnd(result), 0);
  t.true(Math.max(...result.series.failedPerSecond.slice(6)) > 50, 'nothing is left until they are ready');
});

test('a dead engine decides nothing more, and new pods do not wait for it', (t) => {
  const engine =
    '    wt:\n      hpa: {checkout: {max: 8}}\n      engine: {scaler: {mode: placement}, balancer: {enabled: true, createRoutes: true}}\n';
  const busy = small(['rate: 100/s', 'rate: 120/s']) + engine;
  const scenario = lossScenario(load(busy), null, null);
  const policy = scenario.policies.findIndex(({ name }) => name === 'wt');
  const atUs = lossAtUs(scenario);
  const own = (options: { engineStopsAtUs: number | null }): number =>
    simulate(scenario, { policy, seed: 1, ...options, drill: { atUs, service: 0, zones: [0, 1] } }).decisions.filter(
      ({ decidedBy, atSeconds }) => decidedBy === 'wavetank' && atSeconds >= 60,
    ).length;
  t.true(own({ engineStopsAtUs: null }) > 0, 'the engine has something to decide');
  t.is(own({ engineStopsAtUs: atUs }), 0);
  const dead = simulate(scenario, {
    policy,
    seed: 1,
    engineStopsAtUs: atUs,
    drill: { atUs, service: 0, zones: [0, 1] },
  });
  t.true(failedAtEnd(dead) < 0.001);
});
