import test from 'ava';
import { explain, formatProblem, nearest, PROBLEM_CODES } from '../../scenarios/problems.js';
import { problemsOf, small } from './fixtures.js';

test('a problem is printed with its place, the line, the value, what was expected and a hint', (t) => {
  const [problem] = problemsOf(small(['to: ledger/append', 'to: leger/append']));
  t.is(
    formatProblem(problem!),
    [
      's.yaml:18:26: spec.services[0].endpoints[0].steps[0].call.to: unknown service "leger" [WT0301]',
      '   18 |             - call: {to: leger/append, probability: 0.5, count: 2}',
      '      |                          ^',
      '      value:    "leger/append"',
      '      expected: one of checkout, ledger',
      '      hint:     did you mean "ledger"?',
    ].join('\n'),
  );
});

test('of a line that is too long for a terminal, what stands around the place is shown', (t) => {
  const [problem] = problemsOf(small(['to: ledger/append', 'to: leger/append']));
  const line = `${'a'.repeat(500)}HERE${'b'.repeat(500)}`;
  const shown = (column: number) =>
    formatProblem({ ...problem!, excerpt: line, column })
      .split('\n')
      .slice(1, 3);
  for (const column of [1, 40, 501, 980, 1004]) {
    const [excerpt, caret] = shown(column);
    t.is(excerpt!.length, 80);
    t.is(excerpt![caret!.indexOf('^')], line[column - 1]);
  }
  t.is(shown(501)[0], `   18 | …${'a'.repeat(35)}HERE${'b'.repeat(31)}…`);
});

test('every code has an explanation, and no other code has', (t) => {
  for (const code of PROBLEM_CODES) t.true(explain(code)!.length > 40, code);
  t.is(explain('WT9999'), null);
  t.is(explain('constructor'), null);
});

test('a misspelt name finds its neighbour, an unlike one finds none', (t) => {
  const known = ['checkout', 'ledger', 'rates'];
  t.is(nearest('chekout', known), 'checkout'); // one letter missing
  t.is(nearest('cehckout', known), 'checkout'); // two letters swapped: one edit
  t.is(nearest('Ledger', known), 'ledger'); // case does not count
  t.is(nearest('rate', known), 'rates');
  t.is(nearest('get', ['pay']), null); // three edits in three letters
  t.is(nearest('frontend', known), null);
  t.is(nearest('ab', ['aa', 'bb']), 'aa'); // equally near: the first
});
