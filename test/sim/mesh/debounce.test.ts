import test from 'ava';
import fc from 'fast-check';
import { ISTIOD_DEBOUNCE, pushTimes, type Debounce } from '../../../sim/mesh/debounce.js';
import { SEED, SEED_NOTE } from '../../seed.js';

const MS = 1000;

test('A18 worked: a single change is pushed after 100 ms of quiet', (t) => {
  t.deepEqual(pushTimes([5 * MS], ISTIOD_DEBOUNCE), [105 * MS]);
  t.deepEqual(pushTimes([0, 60 * MS, 300 * MS], ISTIOD_DEBOUNCE), [160 * MS, 160 * MS, 400 * MS]);
  t.deepEqual(pushTimes([], ISTIOD_DEBOUNCE), []);
});

test('A18 worked: constant churn delays the push to 10 s, then the next batch begins', (t) => {
  const everyHalfQuiet = Array.from({ length: 300 }, (_, i) => i * 50 * MS);
  const pushes = pushTimes(everyHalfQuiet, ISTIOD_DEBOUNCE);
  // Changes at 0 to 10 s are in the push at 10 s; the batch of 10.05 s ends 100 ms after the last change, at 14.95 s.
  t.deepEqual([...new Set(pushes)], [10_000 * MS, 15_050 * MS]);
  t.is(pushes.lastIndexOf(10_000 * MS), 200);
});

test(`pushes are those of a clock that is looked at each moment ${SEED_NOTE}`, (t) => {
  const times = fc.array(fc.nat(60), { maxLength: 30 }).map((list) => list.sort((a, b) => a - b));
  const rule = fc.record({ quietUs: fc.nat(6), maxUs: fc.nat(15) });
  fc.assert(
    fc.property(times, rule, (changes, debounce) => {
      t.deepEqual(pushTimes(changes, debounce), slowPushes(changes, debounce));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

/** Slow twin: moment by moment, changes first, then a push if one is due. */
function slowPushes(changes: readonly number[], { quietUs, maxUs }: Debounce): number[] {
  const pushes: number[] = [];
  let batch: number[] = [];
  for (let now = 0; now <= 100; now++) {
    batch.push(...changes.filter((change) => change === now));
    if (batch.length === 0) continue;
    if (now - batch[batch.length - 1]! < quietUs && now - batch[0]! < maxUs) continue;
    for (const _ of batch) pushes.push(now);
    batch = [];
  }
  return pushes;
}
