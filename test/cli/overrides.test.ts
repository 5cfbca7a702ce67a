/** `--set` on the text of a scenario: the value lands where the path says, and no other line moves. */
import test from 'ava';
import { parse } from 'yaml';
import { applyOverrides, parseOverride } from '../../cli/overrides.js';

const TEXT = `# A comment stays.
kind: Scenario
spec:
  run:
    duration: 10m   # ten
    seed: 7
  services:
    - name: frontend
      replicas: 3
    - name: cart
      replicas: 2
  policies: {hpa+wavetank: {extends: hpa}}
  expectations:
    - p95(latency) < 90ms
`;

const set = (...overrides: string[]): string =>
  applyOverrides(
    TEXT,
    overrides.map((text) => parseOverride(text)),
  );
const lineOf = (text: string, word: string): number => text.split('\n').findIndex((line) => line.includes(word));

test('a value is replaced in place, with its comment kept', (t) => {
  t.is(set('run.duration=5m'), TEXT.replace('10m', '"5m"'));
});

test('spec. may be written or left out', (t) => {
  t.is(set('spec.run.seed=8'), set('run.seed=8'));
  t.is(set('run.seed=8'), TEXT.replace('seed: 7', 'seed: 8'));
});

test('list items are named by name or by position', (t) => {
  t.is(set('services.cart.replicas=9'), TEXT.replace('replicas: 2', 'replicas: 9'));
  t.is(set('services[1].replicas=9'), TEXT.replace('replicas: 2', 'replicas: 9'));
});

test('a new key is added without moving the lines that follow', (t) => {
  const changed = set('run.replications=20');
  t.deepEqual((parse(changed) as { spec: { run: unknown } }).spec.run, { duration: '10m', seed: 7, replications: 20 });
  t.is(lineOf(changed, 'p95(latency)'), lineOf(TEXT, 'p95(latency)'));
});

test('keys with dots and slashes stand in quoted brackets, and their = is no separator', (t) => {
  const changed = parse(set('policies["a.b=c"].why=x', 'policies.hpa+wavetank.why=y')) as {
    spec: { policies: unknown };
  };
  t.deepEqual(changed.spec.policies, { 'hpa+wavetank': { extends: 'hpa', why: 'y' }, 'a.b=c': { why: 'x' } });
});

test('several overrides are made in order, and values are YAML', (t) => {
  const changed = parse(set('run.seed=1', 'run.seed=2', 'load=[{rate: 5/s}]')) as { spec: Record<string, unknown> };
  t.deepEqual(changed.spec.run, { duration: '10m', seed: 2 });
  t.deepEqual(changed.spec.load, [{ rate: '5/s' }]);
});

test('JSON input is changed as well', (t) => {
  const json = JSON.stringify({ spec: { run: { seed: 7 } } }, null, 2);
  t.deepEqual(JSON.parse(applyOverrides(json, [parseOverride('run.seed=8')])), { spec: { run: { seed: 8 } } });
});

test('an unknown item is refused with the names there are', (t) => {
  t.throws(() => set('services.crat.replicas=1'), { message: /no item "crat".*frontend, cart/ });
});

test('an override without = is refused with an example', (t) => {
  t.throws(() => parseOverride('run.duration'), { message: /expected path=value, as in/ });
});
