import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { TraceInputError, parseMapping } from '../../../traces/read/mapping.js';

test('every mistake in a mapping is reported at once, with its line', (t) => {
  const text = `apiVersion: wavetank/v1alpha1
kind: TraceMapping
name: broken
why: to see the messages
detect: [a.csv]
step: 60
entry: web
colour: blue
series:
  - match: a.csv
    format: csv
    time: { column: t, format: unix-s }
    values:
      - { column: v, role: latency, unit: parsec }
      - { column: c, role: cpu, unit: s }
`;
  const error = t.throws(() => parseMapping(text, 'broken.yaml'), { instanceOf: TraceInputError });
  const all = error.problems.join('\n');
  t.regex(all, /broken\.yaml:6:7: step/);
  t.regex(all, /colour/);
  t.regex(all, /broken\.yaml:14:\d+: series\.0\.values\.0\.unit: unknown unit for latency; known: s, ms, us, ns/);
  t.regex(all, /broken\.yaml:14:\d+: series\.0\.values\.0\.quantile: a latency needs a quantile/);
  t.regex(all, /broken\.yaml:15:\d+: series\.0\.values\.1\.unit: unknown unit for cpu/);
  t.is(error.problems.length, 5);
});

test('text that is no YAML is reported with its line', (t) => {
  const error = t.throws(() => parseMapping('name: [a\nstep: 5m\n', 'odd.yaml'), {
    instanceOf: TraceInputError,
  });
  t.regex(error.problems[0] as string, /^odd\.yaml:\d+:\d+: /);
});

test('the shipped mappings are valid', (t) => {
  const files = readdirSync('mappings').filter((file) => file.endsWith('.yaml'));
  t.true(files.length >= 2);
  for (const file of files) t.notThrows(() => parseMapping(readFileSync(`mappings/${file}`, 'utf8'), file));
});
