import test from 'ava';
import fc from 'fast-check';
import type { IntOrPercent } from '../../../sim/cluster/intOrPercent.js';
import { resolveFenceposts, rolloutStep, type RolloutState } from '../../../sim/cluster/rollingUpdate.js';
import { slowRolloutStep } from '../../models/slowRollout.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

/** Pairs of replicas and available. */
function aRollout(
  current: [number, number],
  old: [number, number][],
  fields: Partial<RolloutState> = {},
): RolloutState {
  const size = ([replicas, available]: [number, number]) => ({ replicas, available });
  return {
    desired: 10,
    limits: { maxSurge: 3, maxUnavailable: 2 },
    current: size(current),
    old: old.map(size),
    ...fields,
  };
}

test('B10 worked: surge rounds up, unavailable down, and both zero make one unavailable', (t) => {
  const rows: [number, IntOrPercent, IntOrPercent, number, number][] = [
    // desired, maxSurge, maxUnavailable -> surge, unavailable
    [10, '25%', '25%', 3, 2],
    [3, '25%', '25%', 1, 0],
    [1, '0%', '1%', 0, 1],
    [1, '1%', '0%', 1, 0],
    [10, 0, 0, 0, 1],
    [10, 4, '0%', 4, 0],
    // 29 % of 100 is 29, although 0.29 x 100 is 28.999... in floating point.
    [100, '29%', '29%', 29, 29],
  ];
  for (const [desired, maxSurge, maxUnavailable, surge, unavailable] of rows) {
    t.deepEqual(resolveFenceposts({ maxSurge, maxUnavailable }, desired), { surge, unavailable }, `${desired}`);
  }
});

test('B10: the first passes of a rollout of 10 with surge 3 and unavailable 2', (t) => {
  // Room for 3 new pods; then 2 old ones may go; then 13 - 11 = 2 more new ones.
  t.deepEqual(rolloutStep(aRollout([0, 0], [[10, 10]])), { current: 3, old: [10] });
  t.deepEqual(rolloutStep(aRollout([3, 0], [[10, 10]])), { current: 3, old: [8] });
  t.deepEqual(rolloutStep(aRollout([3, 0], [[8, 8]])), { current: 5, old: [8] });
  // 5 new ones, none available: 13 - 8 - 5 = 0 spare, and nothing moves until they are.
  t.deepEqual(rolloutStep(aRollout([5, 0], [[8, 8]])), { current: 5, old: [8] });
  // 2 of them are up: 8 + 2 - 8 = 2 old ones go.
  t.deepEqual(rolloutStep(aRollout([5, 2], [[8, 8]])), { current: 5, old: [6] });
  t.deepEqual(rolloutStep(aRollout([10, 10], [[2, 2]])), { current: 10, old: [0] });
});

test('B10: unavailable old pods go first, oldest set first', (t) => {
  // minAvailable 8, total 13, all 3 new ones up: 5 spare. Clean 2 + 1 unavailable; then 10 - 8 = 2 of the oldest set.
  t.deepEqual(
    rolloutStep(
      aRollout(
        [3, 3],
        [
          [4, 2],
          [6, 5],
        ],
      ),
    ),
    { current: 3, old: [0, 5] },
  );
});

test('B10: a crashing release does not eat the old one when one of its pods is lost', (t) => {
  t.deepEqual(rolloutStep(aRollout([5, 0], [[8, 7]])), { current: 5, old: [8] });
});

test('B10: a roll back takes the crashing pods at once and then goes up', (t) => {
  // Back to the good set: 8 replicas, 7 available; the crashing 5 are old now: 13 - 8 - 1 = 4 may go.
  t.deepEqual(rolloutStep(aRollout([8, 7], [[5, 0]])), { current: 8, old: [1] });
  t.deepEqual(rolloutStep(aRollout([8, 7], [[1, 0]])), { current: 10, old: [1] });
});

test('B10: a smaller desired count trims the new set at once', (t) => {
  t.deepEqual(rolloutStep(aRollout([10, 10], [], { desired: 6 })), { current: 6, old: [] });
});

test('B10: a rollout whose pods always come up keeps both limits and ends', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(5), fc.nat(5), (desired, maxSurge, maxUnavailable) => {
      const limits = { maxSurge, maxUnavailable };
      const { surge, unavailable } = resolveFenceposts(limits, desired);
      let state = aRollout([0, 0], [[desired, desired]], { desired, limits });
      for (let pass = 0; state.current.available < desired || state.old[0]!.replicas > 0; pass++) {
        if (pass > 100) return false;
        const step = rolloutStep(state);
        const old = { replicas: step.old[0]!, available: step.old[0]! };
        const total = step.current + old.replicas;
        const available = state.current.available + old.available;
        if (total > desired + surge || available < Math.max(0, desired - unavailable)) return false;
        // What was asked for in this pass is up before the next.
        state = { ...state, current: { replicas: step.current, available: step.current }, old: [old] };
      }
      return true;
    }),
    { seed, numRuns: 300 },
  );
  t.pass();
});

test(`B10: a step is the same as one made pod by pod ${SEED_NOTE}`, (t) => {
  const size = fc
    .tuple(fc.nat(12), fc.nat(12))
    .map(([a, b]) => ({ replicas: Math.max(a, b), available: Math.min(a, b) }));
  const state = fc.record({
    desired: fc.nat(15),
    limits: fc.record({ maxSurge: fc.nat(5), maxUnavailable: fc.nat(5) }),
    current: size,
    old: fc.array(size, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(state, (rollout) => {
      const { maxSurge, maxUnavailable } = rollout.limits;
      const forced = maxSurge + maxUnavailable === 0 ? 1 : maxUnavailable;
      t.deepEqual(rolloutStep(rollout), slowRolloutStep(rollout, maxSurge, forced));
    }),
    { seed, numRuns: 1000 },
  );
});
