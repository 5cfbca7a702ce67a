/** RE2 as JavaScript has it: what Go's regexp takes and refuses, and what it then matches. */
import test from 'ava';
import { re2 } from '../../engine/re2.js';

test('look-around, back-references, empty, broken and very long patterns are not RE2', (t) => {
  for (const text of ['', '[', 'a**', '(?=x)', '(?!x)y', '(?<=a)b', '(a)\\1', 'a{1001}', 'a'.repeat(1025)])
    t.is(re2(text), null, text);
  for (const text of ['a{1000}', '(?P<name>a)', '(?i)a', 'a|b', '\\Aa\\z']) t.not(re2(text), null, text);
});

test('what JavaScript would read in another way is refused, too', (t) => {
  for (const text of ['[[:alpha:]]+', '\\pL', '\\Qa.b\\E', '\\x{41}', '\\c', 'a\\\\\\u0041'])
    t.is(re2(text), null, text);
  for (const text of ['\\x41', '\\d+\\.\\d', '\\\\u', '[a-z:]', '\\bx\\W']) t.not(re2(text), null, text);
});

test('the whole text must match, in any case where the pattern says so', (t) => {
  t.deepEqual(
    ['/list', '/list/more', '/LIST'].map((path) => re2('/l.*t')!.test(path)),
    [true, false, false],
  );
  t.true(re2('(?i)/list')!.test('/LIST'));
  t.true(re2('\\A/(?P<name>list)\\z')!.test('/list'));
});
