import test from 'ava';
import * as units from '../../scenarios/units.js';
import type { Amount } from '../../scenarios/units.js';

const reads = test.macro((t, kind: Amount, cases: readonly (readonly [string | number, number])[]) => {
  for (const [input, value] of cases) t.deepEqual(kind.parse(input), { ok: true, value }, `${input}`);
});

const refuses = test.macro(
  (t, kind: Amount, cases: readonly (readonly [string | number, 'unit' | 'range', string | null])[]) => {
    for (const [input, wrong, hint] of cases) {
      const parsed = kind.parse(input);
      t.false(parsed.ok, `${input}`);
      if (!parsed.ok) t.deepEqual([parsed.wrong, parsed.hint], [wrong, hint], `${input}`);
    }
  },
);

test('durations are read as Go reads them, in microseconds', reads, units.duration, [
  ['250us', 250],
  ['250µs', 250],
  ['0.05ms', 50],
  ['20ms', 20_000],
  ['30s', 30e6],
  ['20m', 1.2e9],
  ['24h', 8.64e10],
  ['1h30m', 5.4e9],
  ['1.5s', 1.5e6],
  ['500ns', 0.5],
  ['0', 0],
  [0, 0],
]);

test(
  'durations without a unit, with a foreign one, or below zero are refused with what was meant',
  refuses,
  units.duration,
  [
    [30, 'unit', 'write 30ms, 30s or 30m'],
    ['30', 'unit', 'write 30ms, 30s or 30m'],
    ['2d', 'unit', 'days are written in hours: 48h'],
    ['5sec', 'unit', 'did you mean 5s?'],
    ['5min', 'unit', 'did you mean 5m?'],
    ['5MS', 'unit', 'did you mean 5ms?'],
    ['-5s', 'range', null],
    ['5s later', 'unit', null],
    ['soon', 'unit', null],
    ['', 'unit', null],
  ],
);

test('CPU quantities are read as Kubernetes reads them, in millicores', reads, units.cpu, [
  ['100m', 100],
  ['1', 1000],
  [1.5, 1500],
  ['0.25', 250],
]);

test('CPU quantities in other units are refused', refuses, units.cpu, [
  ['100M', 'unit', 'did you mean 100m?'],
  ['1 core', 'unit', null],
  ['-1', 'range', null],
]);

test('memory quantities are read as Kubernetes reads them, in bytes', reads, units.memory, [
  ['1Gi', 1_073_741_824],
  ['256Mi', 268_435_456],
  ['512M', 512_000_000],
  ['100k', 100_000],
  ['1e9', 1_000_000_000],
  [2048, 2048],
  ['1.5Ki', 1536],
]);

test("Kubernetes' thousandths of a byte are taken for the slip they are", refuses, units.memory, [
  ['128m', 'unit', 'did you mean 128Mi?'],
  ['1GB', 'unit', 'did you mean 1Gi?'],
  ['2kb', 'unit', 'did you mean 2Ki?'],
  ['-1Gi', 'range', null],
]);

test('sizes, rates, shares and percentages are read', (t) => {
  t.deepEqual(units.size.parse('2kB'), { ok: true, value: 2000 });
  t.deepEqual(units.size.parse('1KiB'), { ok: true, value: 1024 });
  t.deepEqual(units.size.parse(700), { ok: true, value: 700 });
  t.deepEqual(units.rate.parse('1400/s'), { ok: true, value: 1400 });
  t.deepEqual(units.rate.parse('90/m'), { ok: true, value: 1.5 });
  t.deepEqual(units.rate.parse('1800/h'), { ok: true, value: 0.5 });
  t.deepEqual(units.fraction.parse('70%'), { ok: true, value: 0.7 });
  t.deepEqual(units.fraction.parse(0.9), { ok: true, value: 0.9 });
  t.deepEqual(units.percent.parse('60%'), { ok: true, value: 60 });
  t.deepEqual(units.percent.parse('130%'), { ok: true, value: 130 });
});

test('sizes in bits and rates without a time are refused', (t) => {
  const hint = (kind: Amount, input: string | number) => {
    const parsed = kind.parse(input);
    return parsed.ok ? 'accepted' : `${parsed.wrong}: ${parsed.hint}`;
  };
  t.is(hint(units.size, '2KB'), 'unit: did you mean 2kB?');
  t.is(hint(units.size, '3m'), 'unit: did you mean 3MB?');
  t.is(hint(units.rate, 300), 'unit: did you mean 300/s?');
  t.is(hint(units.rate, '300rps'), 'unit: did you mean 300/s?');
  t.is(hint(units.rate, '300/min'), 'unit: did you mean 300/m?');
  t.is(hint(units.rate, '-1/s'), 'range: null');
  t.is(hint(units.fraction, 70), 'unit: did you mean 70%?');
  t.is(hint(units.fraction, '170%'), 'range: null');
  t.is(hint(units.percent, 60), 'unit: did you mean 60%?');
  t.is(hint(units.percent, '0.6'), 'unit: did you mean 60%?');
  t.is(hint(units.percent, '0%'), 'range: null');
});

test('the pattern shown to editors takes every example of the message, and the reader agrees', (t) => {
  for (const kind of [units.duration, units.cpu, units.memory, units.size, units.rate, units.fraction, units.percent]) {
    const examples = kind.expected
      .replace(/\(.*\)/, '')
      .split(/such as /)[1]!
      .split(/, | or /);
    for (const example of examples.map((text) => text.trim())) {
      t.regex(example, new RegExp(kind.pattern), kind.expected);
      t.true(kind.parse(example).ok, example);
    }
  }
});

test('quantities are read as Kubernetes reads them, in thousandths rounded up', (t) => {
  const read = (text: string | number) => {
    const parsed = units.quantity.parse(text);
    return parsed.ok ? parsed.value : parsed.message;
  };
  t.deepEqual(
    ['100', '1.5', '500m', '2k', '1Ki', '1.1', '0.0001', 7].map(read),
    [100_000, 1500, 500, 2_000_000, 1_024_000, 1100, 1, 7000],
  );
  t.deepEqual(['-1', '5rps', 'k'].map(read), [
    'a quantity cannot be negative here',
    'not a quantity',
    'not a quantity',
  ]);
});
