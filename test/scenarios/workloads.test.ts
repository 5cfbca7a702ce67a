/** What keeps the pods of a service in a file, and how they end. */
import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const withService = (fields: string): string => small(['      workers: 2', `      workers: 2\n      ${fields}`]);

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test('a pause before the end, and an application that does not drain', (t) => {
  const [plain] = load(small()).services;
  t.is(plain!.preStopUs, 0);
  t.is(plain!.onTerm, 'drain');
  const { preStopUs, onTerm } = load(withService('preStop: {sleep: 5s}\n      onTerm: exit')).services[1]!;
  t.deepEqual({ preStopUs, onTerm }, { preStopUs: 5e6, onTerm: 'exit' });
});

test(
  'a pause that is longer than the grace, as Kubernetes refuses it',
  finds,
  withService('preStop: {sleep: ¦31s}'),
  'WT0205 spec.services[1].preStop.sleep: longer than terminationGrace, of which it is a part',
);
