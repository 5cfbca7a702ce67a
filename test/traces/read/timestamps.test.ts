import test from 'ava';
import { parseDurationMs, parseTimestamp } from '../../../traces/read/timestamps.js';

test('one instant is read alike from every form', (t) => {
  // 2022-08-22 03:51:19.5 UTC is 1661140279.5 seconds after 1970.
  const expected = 1_661_140_279_500;
  t.is(parseTimestamp('1661140279.5', 'unix-s'), expected);
  t.is(parseTimestamp('1661140279500', 'unix-ms'), expected);
  t.is(parseTimestamp('2022-08-22T03:51:19.5Z', 'iso'), expected);
  t.is(parseTimestamp('2022-08-22 03:51:19.5', 'iso'), expected);
  t.is(parseTimestamp('2022-08-22T05:51:19.5+02:00', 'iso'), expected);
  t.is(parseTimestamp('2022-08-22 03:51:19.500000000 +0000 UTC m=+0.079858984', 'go'), expected);
  t.is(parseTimestamp('2022-08-22 05:51:19.5 +0200 CEST', 'go'), expected);
});

test('nanoseconds keep the millisecond', (t) => {
  t.is(Math.floor(parseTimestamp('1661142440784957924', 'unix-ns') as number), 1_661_142_440_784);
});

test('what is no time in the declared form is null', (t) => {
  t.is(parseTimestamp('2022-08-22', 'unix-s'), null);
  t.is(parseTimestamp('1661140279', 'iso'), null);
  t.is(parseTimestamp('2022-08-22T03:51:19Z', 'go'), null);
  t.is(parseTimestamp('', 'unix-s'), null);
  t.is(parseTimestamp('NaN', 'unix-s'), null);
});

test('durations carry their unit', (t) => {
  t.deepEqual(['250ms', '90s', '1.5h', '2d'].map(parseDurationMs), [250, 90_000, 5_400_000, 172_800_000]);
  t.is(parseDurationMs('5'), null);
});
