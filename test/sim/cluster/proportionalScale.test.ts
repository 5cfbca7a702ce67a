import test from 'ava';
import fc from 'fast-check';
import { rescaleRollout } from '../../../sim/cluster/proportionalScale.js';
import type { RolloutState } from '../../../sim/cluster/rollingUpdate.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

/** Sets that are all up, surge 3 and unavailable 2. */
function aRollout(desired: number, current: number, old: number[]): RolloutState {
  const size = (replicas: number) => ({ replicas, available: replicas });
  return { desired, limits: { maxSurge: 3, maxUnavailable: 2 }, current: size(current), old: old.map(size) };
}

test('B10: 8 old and 5 new pods of 10 + 3 become 11 and 7 when 15 are asked for', (t) => {
  // 18 pods now: 8 x 18 / 13 = 11.08 -> 11, 5 x 18 / 13 = 6.92 -> 7.
  t.deepEqual(rescaleRollout(aRollout(15, 5, [8]), 10), { current: 7, old: [11] });
});

test('B10: shrinking takes from both too', (t) => {
  // 8 pods now, 5 fewer: 8 x 8 / 13 = 4.92 -> 5 (-3), 5 x 8 / 13 = 3.08 -> 3 (-2).
  t.deepEqual(rescaleRollout(aRollout(5, 5, [8]), 10), { current: 3, old: [5] });
  t.deepEqual(rescaleRollout(aRollout(0, 5, [8]), 10), { current: 0, old: [0] });
});

test('B10: what rounding leaves goes to the largest set, of equal ones the newer when growing', (t) => {
  // 4 sets of 3 of 9 + 3; 10 + 3 = 13 pods: 3 x 13 / 12 = 3.25 -> 3 each, 1 left over for the newest.
  t.deepEqual(rescaleRollout(aRollout(10, 3, [3, 3, 3]), 9), { current: 4, old: [3, 3, 3] });
  // One fewer: 3 x 11 / 12 = 2.75 -> 3 each, and the oldest loses one.
  t.deepEqual(rescaleRollout(aRollout(8, 3, [3, 3, 3]), 9), { current: 3, old: [2, 3, 3] });
});

test('B10: a single set takes the whole number, a new one before any other', (t) => {
  t.deepEqual(rescaleRollout(aRollout(12, 10, [0]), 10), { current: 12, old: [0] });
  t.deepEqual(rescaleRollout(aRollout(12, 0, [10]), 10), { current: 0, old: [12] });
  t.deepEqual(rescaleRollout(aRollout(2, 0, []), 0), { current: 2, old: [] });
});

test('B10: a complete new set ends the old ones', (t) => {
  t.deepEqual(rescaleRollout(aRollout(10, 10, [2]), 10), { current: 10, old: [0] });
});

test(`B10: a rescaled rollout fills desired + surge, and no set moves against the change ${SEED_NOTE}`, (t) => {
  // Of a rollout at its limit: the sets share desired + surge pods.
  const cut = fc.integer({ min: 1, max: 40 }).chain((before) =>
    fc.record({
      before: fc.constant(before),
      old: fc.integer({ min: 1, max: before + 2 }),
      desired: fc.integer({ min: 1, max: 80 }),
    }),
  );
  fc.assert(
    fc.property(cut, ({ before, old, desired }) => {
      // Without a change nobody asks.
      fc.pre(desired !== before);
      const current = before + 3 - old;
      const after = rescaleRollout(aRollout(desired, current, [old]), before);
      const grows = desired > before;
      // Whole numbers: the share within one pod, as the other set's rounding may add to its own.
      const isNear = (now: number, was: number) => Math.abs(now * (before + 3) - was * (desired + 3)) <= before + 3;
      return (
        after.current + after.old[0]! === desired + 3 &&
        (grows ? after.current >= current && after.old[0]! >= old : after.current <= current && after.old[0]! <= old) &&
        isNear(after.current, current) &&
        isNear(after.old[0]!, old)
      );
    }),
    { seed, numRuns: 1000 },
  );
  t.pass();
});
