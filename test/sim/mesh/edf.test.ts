import test from 'ava';
import fc from 'fast-check';
import { edfPick, edfSlots, edfStart } from '../../../sim/mesh/edf.js';
import { SEED as seed } from '../../seed.js';

/** The next `picks` choices of a schedule with these weights and this random start. */
function schedule(weights: readonly number[], uniform: number, picks: number): number[] {
  // Odd offsets show that a stretch stays within its bounds.
  const at = 3;
  const state = new Float64Array(at + edfSlots(weights.length) + 2).fill(-1);
  const shared = Float64Array.from([99, ...weights, 99]);
  edfStart(state, at, shared, 1, weights.length, uniform);
  const chosen = Array.from({ length: picks }, () => edfPick(state, at, shared, 1, weights.length));
  if (state.slice(0, at).some((slot) => slot !== -1) || state.slice(-2).some((slot) => slot !== -1))
    throw new Error('wrote outside');
  return chosen;
}

const count = (chosen: readonly number[], entry: number) => chosen.filter((index) => index === entry).length;

test('A12: equal weights take turns in insertion order', (t) => {
  t.deepEqual(schedule([1, 1, 1], 0, 7), [0, 1, 2, 0, 1, 2, 0]);
});

test('A12: with weights 4 and 1 the lighter entry goes first when both are due, as it was wound up earlier', (t) => {
  // Deadlines 0.25, 0.5, 0.75, 1 against 1: a tie at 1.
  t.deepEqual(schedule([4, 1], 0, 10), [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
});

test('A12: real weights give their shares in the long run', (t) => {
  // Effective weights 56 and 20 (A7): 73.684 % of 100,000 picks.
  t.true(Math.abs(count(schedule([56, 20], 0.3, 100_000), 0) - 73_684.2) <= 2);
});

test('A12: over any stretch each count is within one pick per entry of its share, wherever the schedule starts', (t) => {
  const weights = fc.array(fc.double({ min: 0.05, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 });
  const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(weights, uniform, fc.integer({ min: 1, max: 400 }), (given, u, picks) => {
      const sum = given.reduce((total, weight) => total + weight, 0);
      const chosen = schedule(given, u, picks);
      return given.every((weight, i) => Math.abs(count(chosen, i) - (picks * weight) / sum) <= given.length);
    }),
    { seed },
  );
  t.pass();
});

test('A12: the random start equals that many picks made one by one', (t) => {
  for (const weights of [
    [Math.SQRT2, Math.PI, 1],
    [80, 20],
    [53, 18, 30],
    [1, 1, 1],
  ]) {
    const all = schedule(weights, 0, 5003 + 50);
    // Half a pick more than 5003, so that the division cannot round down to 5002.
    t.deepEqual(schedule(weights, 5003.5 / 2 ** 20, 50), all.slice(5003));
  }
});

test('A7: over 7 picks at 80/20 the count varies far less than independent draws would', (t) => {
  // Period 5 (four and one). 7 picks are one period and two more, of which two of the five phases hold the light entry:
  // 5 with probability 0.4, 6 with 0.6, so mean 5.6 and variance 0.24. Independent draws: 7 x 0.8 x 0.2 = 1.12.
  const starts = 4000;
  const counts = Array.from({ length: starts }, (_, k) => count(schedule([80, 20], (k + 0.5) / starts, 7), 0));
  const mean = counts.reduce((sum, c) => sum + c, 0) / starts;
  const variance = counts.reduce((sum, c) => sum + (c - mean) ** 2, 0) / starts;
  t.deepEqual(
    [...new Set(counts)].sort((a, b) => a - b),
    [5, 6],
  );
  t.true(Math.abs(mean - 5.6) < 0.03, `mean ${mean}`);
  t.true(Math.abs(variance - 0.24) < 0.01, `variance ${variance}`);
});

test('A12: proxies that start at random places are spread over all phases', (t) => {
  const starts = 4000;
  const firsts = Array.from({ length: starts }, (_, k) => schedule([80, 20], (k + 0.5) / starts, 1)[0]!);
  t.true(Math.abs(count(firsts, 1) / starts - 0.2) < 0.02);
});

test('a single entry is picked every time', (t) => {
  t.deepEqual(schedule([0.7], 0.99, 3), [0, 0, 0]);
});
