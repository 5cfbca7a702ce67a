/**
 * The model-based rule in the tank, on the hot zone of the library: what its page promises when the peak moves to another
 * zone, when the hot zone dies, and that six pods at two a zone do not saturate for ever.
 */
import test from 'ava';
import { readFileSync } from 'node:fs';
import { simulate } from '../../sim/index.js';
import { load } from '../scenarios/fixtures.js';

const SHARES = 'from: {eu-1/a: 70%, eu-1/b: 15%, eu-1/c: 15%}';
const STOCK = 'engine: {scaler: {mode: placement}, balancer: {enabled: true}}';
const MODEL = 'engine: {scaler: {mode: placement}, balancer: {rule: model}}';

/** Failed requests by policy, as a share of all in the measured seconds that count (the series has a figure for ten). */
function failedOf(
  edits: readonly (readonly [string, string])[],
  policies: readonly string[],
  counts: (second: number) => boolean = () => true,
): number[] {
  let text = readFileSync('scenarios/library/hot-zone.yaml', 'utf8');
  for (const [from, to] of [
    [STOCK, MODEL],
    ...edits,
    ['run: {duration: 7m,', 'run: {duration: 6m, cycle: 15s, rateWindow: 30s,'],
  ] as const) {
    if (!text.includes(from)) throw new Error(`hot-zone.yaml lacks ${from}`);
    text = text.replace(from, to);
  }
  const scenario = load(text);
  return policies.map((name) => {
    const policy = scenario.policies.findIndex((candidate) => candidate.name === name);
    const { series } = simulate(scenario, { policy, seed: 7 });
    const sum = (values: readonly number[]): number =>
      values.reduce((total, value, index) => total + (counts(10 * index) ? value : 0), 0);
    return sum(series.failedPerSecond) / sum(series.requestsPerSecond);
  });
}

/** After two minutes the 245/s of zone a and the 52.5/s of zone b change places. */
const MOVING = `from: {eu-1/a: 100%}
      rate: {points: [{at: 0s, rate: 245/s}, {at: 2m, rate: 245/s}, {at: 2m, rate: 52.5/s}]}
    - name: b
      entry: checkout/pay
      from: {eu-1/b: 100%}
      rate: {points: [{at: 0s, rate: 52.5/s}, {at: 2m, rate: 52.5/s}, {at: 2m, rate: 245/s}]}
    - name: c
      entry: checkout/pay
      from: {eu-1/c: 100%}
      rate: 52.5/s`;

test('8: when the peak moves, nothing to speak of fails with the hedge', (t) => {
  const moving = [[`${SHARES}\n      rate: 350/s`, MOVING]] as const;
  const [perZone, hedged] = failedOf(moving, ['hpa-per-zone', 'hpa+wavetank']);
  t.true(hedged! <= 0.0005, String(hedged));
  t.true(perZone! > 0.005, String(perZone));
  // Without it the new peak has to be seen first, in a window of 30 s: it costs what waiting for new pods costs.
  const [bare] = failedOf(
    [...moving, [MODEL, MODEL.replace('rule: model', 'rule: model, model: {hedge: 0}')]],
    ['hpa+wavetank'],
  );
  t.true(bare! > hedged! && bare! <= 1.2 * perZone!, `${bare} and ${perZone}`);
});

test('8: when the hot zone dies, nothing to speak of fails but what its own entry takes along', (t) => {
  const dies = [
    // Else requests go to dead pods until Kubernetes notices, under any policy.
    [
      '{consecutive5xxErrors: 0}',
      '{consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 100}',
    ],
    ['\n  policies:', '\n  faults:\n    - {at: 2m, for: 3m, zoneOutage: eu-1/a}\n\n  policies:'],
    [MODEL, MODEL.replace('rule: model', 'rule: model, model: {survive: zone}')],
  ] as const;
  // Users of the zone find another entry after ten seconds, until 2:10; what was under way counts where it began.
  const [model] = failedOf(dies, ['hpa+wavetank'], (second) => second < 110 || second >= 130);
  t.true(model! <= 0.0005, String(model));
});

test('six pods at two a zone do not saturate for ever', (t) => {
  const six = [
    ['replicas: 12', 'replicas: 6'],
    ['rate: 350/s', 'rate: 165/s'],
  ] as const;
  const [priority, model] = failedOf(six, ['hpa', 'hpa+wavetank']);
  t.true(priority! > 0.05, String(priority));
  t.true(model! <= 0.001, String(model));
});
