import test from 'ava';
import fc from 'fast-check';
import { ageBucket, victimOrder, type ReplicaPod } from '../../../sim/cluster/replicaset.js';
import { SEED as seed } from '../../seed.js';

const SECOND_US = 1_000_000;
const NOW_US = 10_000 * SECOND_US;

function aPod(uid: string, fields: Partial<ReplicaPod> & { readyFor?: number; age?: number } = {}): ReplicaPod {
  const { readyFor = 1000, age = 1000, ...rest } = fields;
  return {
    uid,
    node: uid,
    phase: 'Running',
    ready: true,
    readySinceUs: NOW_US - readyFor * SECOND_US,
    createdAtUs: NOW_US - age * SECOND_US,
    deletionCost: 0,
    restarts: 0,
    ...rest,
  };
}

const order = (...pods: ReplicaPod[]) =>
  victimOrder(pods, NOW_US)
    .map(({ uid }) => uid)
    .join('');

/** Each rule beats all later ones: b should go first by it, although every later rule and the UID speak for a. */
const rules: [string, Partial<ReplicaPod>, Partial<ReplicaPod>][] = [
  ['unassigned before assigned', { phase: 'Pending' }, { node: null }],
  ['Pending before Running', { ready: false, readySinceUs: null }, { phase: 'Pending' }],
  ['Unknown before Running', { ready: false, readySinceUs: null }, { phase: 'Unknown' }],
  ['not ready before ready', { deletionCost: -5 }, { ready: false, readySinceUs: null }],
  ['a lower deletion cost first', { deletionCost: 1, restarts: 9 }, { deletionCost: 0 }],
  ['more restarts first', { createdAtUs: NOW_US - SECOND_US }, { restarts: 1 }],
];
for (const [title, a, b] of rules) {
  test(`B11: ${title}`, (t) => t.is(order(aPod('a', a), aPod('b', b)), 'ba'));
}

test('B11: Pending before Unknown', (t) => {
  t.is(order(aPod('a', { phase: 'Unknown' }), aPod('b', { phase: 'Pending' })), 'ba');
});

test('B11: a pod on a crowded node goes before a younger one elsewhere', (t) => {
  t.is(order(aPod('a', { readyFor: 1 }), aPod('b', { node: 'x' }), aPod('c', { node: 'x' })), 'bca');
});

test('B11: a node is crowded by pods of all ReplicaSets of the owner', (t) => {
  const [a, b] = [aPod('a', { readyFor: 1 }), aPod('b')];
  t.deepEqual(victimOrder([a, b], NOW_US), [a, b]);
  // A pod of the other set stands beside b.
  t.deepEqual(victimOrder([a, b], NOW_US, [a, b, aPod('c', { node: 'b' })]), [b, a]);
});

test('B11 worked: ready 100 s and 130 s lie in one bucket, so the lower UID goes', (t) => {
  t.is(order(aPod('a', { readyFor: 130 }), aPod('b', { readyFor: 100 })), 'ab');
  t.is(order(aPod('a', { readyFor: 100 }), aPod('b', { readyFor: 130 })), 'ab');
});

test('B11 worked: ready 130 s goes before 140 s, whatever the UID', (t) => {
  t.is(order(aPod('a', { readyFor: 140 }), aPod('b', { readyFor: 130 })), 'ba');
});

test('B11 worked: 300 s and 540 s lie in one bucket', (t) => {
  t.is(order(aPod('b', { readyFor: 300 }), aPod('a', { readyFor: 540 })), 'ab');
});

test('B11: buckets are powers of two of nanoseconds', (t) => {
  t.deepEqual(
    [100, 130, 140, 300, 540].map((seconds) => ageBucket(seconds * SECOND_US)),
    [36, 36, 37, 38, 38],
  );
  // 2^36 ns = 68.719476736 s.
  t.deepEqual([ageBucket(68_719_476), ageBucket(68_719_477), ageBucket(0)], [35, 36, -1]);
});

test('B11: timestamps within one second are equal, and restarts decide', (t) => {
  const a = aPod('a', { readySinceUs: NOW_US - 999_999 });
  const b = aPod('b', { readySinceUs: NOW_US - 1, restarts: 1 });
  t.is(order(a, b), 'ba');
});

test('B11: of equal pods the younger goes, and of those the lower UID', (t) => {
  t.is(order(aPod('a', { age: 2000 }), aPod('b', { age: 900 })), 'ba');
  t.is(order(aPod('b'), aPod('a')), 'ab');
});

test('B11: the order does not depend on the order given', (t) => {
  const pod = fc.record({
    node: fc.constantFrom('x', 'y', null),
    readyFor: fc.integer({ min: 1, max: 900 }),
    restarts: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(pod, { minLength: 2, maxLength: 12 }), (fields) => {
      const pods = fields.map((given, i) => aPod(String.fromCharCode(97 + i), given));
      return order(...pods) === order(...pods.toReversed());
    }),
    { seed },
  );
  t.pass();
});
