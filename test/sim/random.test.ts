import test from 'ava';
import fc from 'fast-check';
import type { Distribution } from '../../scenarios/types.js';
import { fillQuantileTable, quantileOf, TABLE_SIZE } from '../../sim/quantileTable.js';
import { mix, nextWord, openStream, requestKey, seedWord } from '../../sim/random.js';
import { SEED, SEED_NOTE } from '../seed.js';

function tableOf(distribution: Distribution): Float64Array {
  const table = new Float64Array(TABLE_SIZE);
  fillQuantileTable(table, 0, distribution, 1);
  return table;
}

test(`mix maps different words to different words ${SEED_NOTE}`, (t) => {
  const seen = new Set<number>();
  for (let i = 0; i < 200_000; i++) seen.add(mix((i * 7919 + SEED) | 0));
  t.is(seen.size, 200_000);
});

test(`keys of consecutive requests are uniform over 256 cells in each byte (chi-square) ${SEED_NOTE}`, (t) => {
  const draws = 256_000;
  for (const shift of [0, 8, 16, 24]) {
    const cells = new Float64Array(256);
    for (let i = 0; i < draws; i++) cells[(requestKey(seedWord(SEED, 'a'), seedWord(SEED, 'b'), i) >>> shift) & 255]!++;
    const expected = draws / 256;
    const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: mean 255, standard deviation 22.6; six of them either way.
    t.true(chiSquare > 120 && chiSquare < 391, `byte at ${shift}: chi-square ${chiSquare}`);
  }
});

test(`a stream depends on its own label alone, not on what was opened before ${SEED_NOTE}`, (t) => {
  const alone = openStream(SEED, 'arrivals/1');
  const first = [nextWord(alone), nextWord(alone), nextWord(alone)];
  openStream(SEED, 'arrivals/0');
  const again = openStream(SEED, 'arrivals/1');
  t.deepEqual([nextWord(again), nextWord(again), nextWord(again)], first);
  const other = openStream(SEED, 'arrivals/2');
  t.notDeepEqual([nextWord(other), nextWord(other), nextWord(other)], first);
});

// Quantiles from closed forms: exponential -ln(1-p); lognormal with cv 1: sigma^2 = ln 2, median = mean / sqrt 2,
// q95 = median x exp(1.644854 x 0.832555); gamma with cv 0.5 is Erlang-4 with mean 1: q95 = 7.753657 / 4 (chi-square
// with 8 degrees of freedom, 15.507313 / 2); empirical: half the weight in 0..10, half in 10..30.
const quantiles: readonly (readonly [Distribution, number, number])[] = [
  [{ kind: 'exponential', mean: 10_000 }, 0.5, 6931.4718],
  [{ kind: 'exponential', mean: 10_000 }, 0.999, 69_077.5528],
  [{ kind: 'lognormal', mean: 1000, cv: 1 }, 0.5, 707.1068],
  [{ kind: 'lognormal', mean: 1000, cv: 1 }, 0.95, 2781.0],
  [{ kind: 'gamma', mean: 1000, cv: 0.5 }, 0.95, 1938.414],
  [{ kind: 'empirical', bounds: [0, 10, 30], weights: [0.5, 0.5], mean: 12.5 }, 0.75, 20],
  [{ kind: 'constant', mean: 42 }, 0.3, 42],
];
for (const [distribution, probability, expected] of quantiles) {
  test(`the ${probability} quantile of ${JSON.stringify(distribution)} is ${expected}`, (t) => {
    const drawn = quantileOf(tableOf(distribution), 0, Math.floor(probability * 2 ** 32) | 0);
    t.true(Math.abs(drawn / expected - 1) < 5e-4, `drawn ${drawn}`);
  });
}

test(`draws have the mean and variation asked for ${SEED_NOTE}`, (t) => {
  const laws: readonly (readonly [Distribution, number])[] = [
    [{ kind: 'exponential', mean: 5 }, 1],
    [{ kind: 'lognormal', mean: 5, cv: 0.5 }, 0.5],
    [{ kind: 'gamma', mean: 5, cv: 2 }, 2],
    [{ kind: 'constant', mean: 5 }, 0],
  ];
  for (const [distribution, cv] of laws) {
    const table = tableOf(distribution);
    const draws = 1_000_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < draws; i++) {
      const value = quantileOf(table, 0, mix(i + SEED));
      sum += value;
      squares += value * value;
    }
    const mean = sum / draws;
    const deviation = Math.sqrt(Math.max(0, squares / draws - mean * mean));
    const error = (5 * cv) / Math.sqrt(draws);
    t.true(Math.abs(mean - 5) <= 4 * error + 1e-9, `${distribution.kind}: mean ${mean}`);
    t.true(Math.abs(deviation / 5 - cv) < 0.02 * Math.max(1, cv), `${distribution.kind}: cv ${deviation / 5}`);
  }
});

test(`quantiles never fall as the word rises ${SEED_NOTE}`, (t) => {
  const table = tableOf({ kind: 'lognormal', mean: 100, cv: 2 });
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      return quantileOf(table, 0, low | 0) <= quantileOf(table, 0, high | 0);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  t.pass();
});
