import test from 'ava';
import fc from 'fast-check';
import { statefulSetStep, type StatefulPod, type StatefulSetState } from '../../../sim/cluster/statefulSet.js';
import { slowStatefulSetStep } from '../../models/slowStatefulSet.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

function aPod(ordinal: number, fields: Partial<StatefulPod> = {}): StatefulPod {
  return { ordinal, revision: 'new', state: 'ready', terminating: false, ...fields };
}

/** Ready pods 0..count-1, then what differs. */
function aSet(count: number, replicas: number, fields: Partial<StatefulSetState> = {}): StatefulSetState {
  const pods = Array.from({ length: count }, (_, ordinal) => aPod(ordinal));
  return { replicas, policy: 'OrderedReady', update: { partition: 0 }, pods, ...fields };
}

const old = { revision: 'old' } as const;
const unready = { state: 'unready' } as const;
const create = (...ordinals: number[]) => ordinals.map((ordinal) => ({ ordinal, revision: 'new' as const }));

test('an ordered set creates one pod at a time and waits for it', (t) => {
  t.deepEqual(statefulSetStep(aSet(0, 3)), { create: create(0), delete: [] });
  t.deepEqual(statefulSetStep(aSet(1, 3)), { create: create(1), delete: [] });
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods: [aPod(0, unready)] })), { create: [], delete: [] });
  t.deepEqual(statefulSetStep(aSet(3, 3)), { create: [], delete: [] });
});

test('a parallel set creates and removes all at once', (t) => {
  t.deepEqual(statefulSetStep(aSet(0, 3, { policy: 'Parallel' })), { create: create(0, 1, 2), delete: [] });
  t.deepEqual(statefulSetStep(aSet(4, 1, { policy: 'Parallel' })), { create: [], delete: [3, 2, 1] });
});

test('an ordered set removes the highest pod first, one at a time', (t) => {
  t.deepEqual(statefulSetStep(aSet(4, 2)).delete, [3]);
  t.deepEqual(statefulSetStep(aSet(4, 2, { pods: [0, 1, 2].map((o) => aPod(o)) })).delete, [2]);
  const leaving = [aPod(0), aPod(1), aPod(2), aPod(3, { terminating: true })];
  t.deepEqual(statefulSetStep(aSet(0, 2, { pods: leaving })).delete, []);
});

test('an ordered scale-down waits for the pods that stay, and for a broken one below', (t) => {
  const brokenBelow = [aPod(0, unready), aPod(1), aPod(2)];
  t.deepEqual(statefulSetStep(aSet(0, 1, { pods: brokenBelow })).delete, []);
  // Of the two that go, 3 is unready too but 2 is the first unhealthy one: 3 waits.
  const brokenBoth = [aPod(0), aPod(1), aPod(2, unready), aPod(3, unready)];
  t.deepEqual(statefulSetStep(aSet(0, 2, { pods: brokenBoth })).delete, []);
  // Only the last one is broken: it may go.
  const brokenTop = [aPod(0), aPod(1), aPod(2), aPod(3, unready)];
  t.deepEqual(statefulSetStep(aSet(0, 2, { pods: brokenTop })).delete, [3]);
});

test('an update goes from the highest ordinal down to the partition, one ready pod after another', (t) => {
  const outdated = (count: number) => Array.from({ length: count }, (_, ordinal) => aPod(ordinal, old));
  const at = (partition: number, pods: StatefulPod[]) => statefulSetStep(aSet(0, 3, { pods, update: { partition } }));
  t.deepEqual(at(0, outdated(3)).delete, [2]);
  t.deepEqual(at(0, outdated(2)), { create: create(2), delete: [] });
  t.deepEqual(at(0, [...outdated(2), aPod(2, unready)]).delete, []);
  t.deepEqual(at(0, [...outdated(2), aPod(2)]).delete, [1]);
  t.deepEqual(at(2, [...outdated(2), aPod(2)]).delete, []);
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods: outdated(3), update: 'OnDelete' })).delete, []);
});

test('a pod below the partition comes back with the old template', (t) => {
  const pods = [aPod(0, old), aPod(2)];
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods, update: { partition: 2 } })).create, [
    { ordinal: 1, revision: 'old' },
  ]);
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods, update: { partition: 1 } })).create, create(1));
});

test('an ordered set whose update is broken stays stuck even when the template is mended, a parallel one does not', (t) => {
  const pods = [aPod(0, old), aPod(1, old), aPod(2, { ...old, ...unready })];
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods })), { create: [], delete: [] });
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods, policy: 'Parallel' })).delete, [2]);
});

test('a failed pod is removed to be made again', (t) => {
  const pods = [aPod(0), aPod(1, { state: 'finished' }), aPod(2)];
  t.deepEqual(statefulSetStep(aSet(0, 3, { pods })), { create: [], delete: [1] });
});

test(`a pass does what the slow twin permits ${SEED_NOTE}`, (t) => {
  const pod = fc.record({
    there: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    revision: fc.constantFrom('old' as const, 'new' as const),
    state: fc.oneof(
      { weight: 6, arbitrary: fc.constant('ready' as const) },
      fc.constantFrom('unready' as const, 'finished' as const),
    ),
    terminating: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, fc.constant(true)),
  });
  const seen = { create: 0, delete: 0, nothing: 0 };
  fc.assert(
    fc.property(
      fc.array(pod, { maxLength: 7 }),
      fc.nat(7),
      fc.constantFrom('OrderedReady' as const, 'Parallel' as const),
      fc.oneof(
        fc.nat(4).map((partition) => ({ partition })),
        fc.constant('OnDelete' as const),
      ),
      (all, replicas, policy, update) => {
        const pods = all.flatMap(({ there, ...rest }, ordinal) => (there ? [{ ordinal, ...rest }] : []));
        const set = { replicas, policy, update, pods };
        const fast = statefulSetStep(set);
        const slow = slowStatefulSetStep(set);
        t.deepEqual(
          fast.create.map(({ ordinal }) => ordinal),
          slow.create,
        );
        t.deepEqual(
          fast.delete.toSorted((a, b) => a - b),
          slow.delete,
        );
        if (slow.create.length > 0) seen.create++;
        else if (slow.delete.length > 0) seen.delete++;
        else seen.nothing++;
      },
    ),
    { seed, numRuns: 2000 },
  );
  t.true(
    Object.values(seen).every((count) => count > 100),
    JSON.stringify(seen),
  );
});
