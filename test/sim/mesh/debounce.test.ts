import test from 'ava';
import fc from 'fast-check';
import { pushTimes, type Debounce } from '../../../sim/mesh/debounce.js';
import { SEED, SEED_NOTE } from '../../seed.js';

const MS = 1000;
const ISTIOD: Debounce = { quietUs: 100 * MS, maxUs: 10_000 * MS };

test('A18 worked: a single change is pushed after 100 ms of quiet', (t) => {
  t.deepEqual(pushTimes([5 * MS], ISTIOD), [105 * MS]);
  t.deepEqual(pushTimes([0, 60 * MS, 300 * MS], ISTIOD), [160 * MS, 160 * MS, 400 * MS]);
  t.deepEqual(pushTimes([], ISTIOD), []);
});

test('A18 worked: constant churn delays the push to 10 s, then the next batch begins', (t) => {
  const everyHalfQuiet = Array.from({ length: 300 }, (_, i) => i * 50 * MS);
  const pushes = pushTimes(everyHalfQuiet, ISTIOD);
  // Changes at 0 to 10 s are in the push at 10 s; the batch of 10.05 s ends 100 ms after the last change, at 14.95 s.
  t.deepEqual([...new Set(pushes)], [10_000 * MS, 15_050 * MS]);
  t.is(pushes.lastIndexOf(10_000 * MS), 200);
});

test('A18: under churn of another rhythm the push comes at the first look after 10 s', (t) => {
  // A change every 70 ms, looks 100 ms after the last change that the look before knew: at 100 (70 known), 170 (140), ...
  // each 70 ms later, so at 100 + 70k: 9.97 s is before 10 s, 10.04 s is the first after it. It carries 0 to 10.01 s.
  const pushes = pushTimes(
    Array.from({ length: 150 }, (_, i) => i * 70 * MS),
    ISTIOD,
  );
  t.is(pushes[0], 10_040 * MS);
  t.is(pushes.lastIndexOf(10_040 * MS), 143);
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

/** Slow twin: moment by moment, changes first, then the timer if it goes off, as Istiod's loop has it. */
function slowPushes(changes: readonly number[], { quietUs, maxUs }: Debounce): number[] {
  const pushes: number[] = [];
  let batch: number[] = [];
  let timer = Infinity;
  for (let now = 0; now <= 100; now++) {
    const came = changes.filter((change) => change === now);
    if (batch.length === 0 && came.length > 0) timer = now + quietUs;
    batch.push(...came);
    if (batch.length === 0 || now < timer) continue;
    const quiet = now - batch[batch.length - 1]!;
    if (quiet < quietUs && now - batch[0]! < maxUs) {
      timer = now + quietUs - quiet;
      continue;
    }
    for (const _ of batch) pushes.push(now);
    batch = [];
  }
  return pushes;
}
