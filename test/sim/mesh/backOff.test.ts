import test from 'ava';
import { backOffUs } from '../../../sim/mesh/backOff.js';
import { mix } from '../../../sim/random.js';
import { isDrawnFrom } from '../../models/chiSquare.js';
import { SEED, SEED_NOTE } from '../../seed.js';

test(`A16: retries wait whole milliseconds below 25, 50, 100, 200 and from then on 250, each as likely ${SEED_NOTE}`, (t) => {
  for (const [retry, rangeMs] of [
    [1, 25],
    [2, 50],
    [3, 100],
    [4, 200],
    [5, 250],
    [9, 250],
  ] as const) {
    const counts = new Array<number>(rangeMs).fill(0);
    const draws = rangeMs * 400;
    for (let i = 0; i < draws; i++) counts[backOffUs(25_000, retry, mix(i * 7919 + retry + SEED) >>> 0) / 1000]!++;
    isDrawnFrom(
      t,
      counts,
      counts.map(() => 1),
      `retry ${retry}`,
    );
  }
});

test('A16 worked: the means are 12, 24.5 and 49.5 ms', (t) => {
  const mean = (retry: number): number => {
    let sum = 0;
    for (let i = 0; i < 20_000; i++) sum += backOffUs(25_000, retry, Math.floor(((i + 0.5) / 20_000) * 2 ** 32));
    return sum / 20_000 / 1000;
  };
  t.deepEqual([1, 2, 3].map(mean), [12, 24.5, 49.5]);
});

test('another base scales the ranges; one below a millisecond waits not at all', (t) => {
  t.is(backOffUs(2_000_000, 1, 2 ** 32 - 1), 1_999_000);
  t.is(backOffUs(2_000_000, 9, 2 ** 32 - 1), 19_999_000);
  t.is(backOffUs(500, 1, 2 ** 32 - 1), 0);
});
