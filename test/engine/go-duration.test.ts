/**
 * Expected values are those that Go documents for time.ParseDuration: a number has digits before or after its point, each
 * number a unit, only 0 goes without, and the mu may be either letter.
 */
import test from 'ava';
import fc from 'fast-check';
import { goDurationUs } from '../../engine/go-duration.js';
import { duration } from '../../scenarios/units.js';
import { SEED, SEED_NOTE } from '../seed.js';

test('durations as Go reads them', (t) => {
  const read: readonly [string, number][] = [
    ['0', 0],
    ['+0', 0],
    ['5s', 5e6],
    ['+5s', 5e6],
    ['-1.5h', -5.4e9],
    ['5.s', 5e6],
    ['.5s', 5e5],
    ['1m30s', 9e7],
    ['30s1m', 9e7],
    ['3\u00b5s', 3],
    ['3\u03bcs', 3],
    ['500ns', 0.5],
    ['0s', 0],
  ];
  for (const [text, us] of read) t.is(goDurationUs(text), us, text);
});

test('what Go refuses is null', (t) => {
  for (const text of [
    '',
    '5',
    '00',
    '0.0',
    '.s',
    '.',
    's',
    '1d',
    '1 s',
    ' 5s',
    '5s ',
    '--5s',
    '1e3s',
    '1S',
    '300000000h',
  ])
    t.is(goDurationUs(text), null, text);
  for (const value of [5, null, undefined, {}]) t.is(goDurationUs(value), null);
});

test(`what the loader takes as a duration is what a run reads ${SEED_NOTE}`, (t) => {
  const number = fc.constantFrom('0', '1', '5', '1.5', '5.', '.5', '.', '', '00', '0.0', '12.25');
  const unit = fc.constantFrom('ns', 'us', '\u00b5s', '\u03bcs', 'ms', 's', 'm', 'h', '', 'd', 'S', ' s');
  const text = fc
    .tuple(fc.constantFrom('', '', '+'), fc.array(fc.tuple(number, unit), { maxLength: 3 }))
    .map(([sign, parts]) => sign + parts.map((part) => part.join('')).join(''));
  let taken = 0;
  fc.assert(
    fc.property(text, (word) => {
      const parsed = duration.parse(word);
      const us = goDurationUs(word.trim());
      taken += us === null ? 0 : 1;
      t.is(parsed.ok ? parsed.value : null, us, word);
      t.is(new RegExp(duration.pattern).test(word.trim()), us !== null, `the editor's pattern of "${word}"`);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  t.true(taken > 300, `${taken}`);
});
