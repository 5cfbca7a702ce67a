import test from 'ava';
import fc from 'fast-check';
import { backoffUs, SchedulingQueue } from '../../../sim/cluster/schedulingQueue.js';
import { SlowQueue } from '../../models/slowQueue.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const S = 1_000_000;
const always = () => true;

/** A queue with one pod that failed so often, the last time at `nowUs`. */
function withFailures(kubernetesMinor: number, failures: number, nowUs: number): SchedulingQueue<string> {
  const queue = new SchedulingQueue<string>({ kubernetesMinor });
  queue.add('web', 0, nowUs - 10_000 * S);
  for (let i = 0; i < failures; i++) {
    // Long ago, so that nothing but the last failure counts.
    const triedUs = nowUs - (failures - 1 - i) * 1000 * S;
    queue.call(triedUs, always);
    queue.next(triedUs);
    queue.failed('web', triedUs);
  }
  return queue;
}

test('B5: the back-off doubles from 1 s to 10 s', (t) => {
  t.deepEqual(
    [1, 2, 3, 4, 5, 6, 99].map((attempts) => backoffUs(attempts) / S),
    [1, 2, 4, 8, 10, 10, 10],
  );
});

test('B6: higher priority first, then the one queued longer, then the one added first', (t) => {
  const queue = new SchedulingQueue<string>({ kubernetesMinor: 37 });
  queue.add('late', 5, 2 * S);
  queue.add('early', 5, S);
  queue.add('twin', 5, S);
  queue.add('urgent', 9, 3 * S);
  const order = [0, 1, 2, 3, 4].map(() => queue.next(4 * S));
  t.deepEqual(order, ['urgent', 'early', 'twin', 'late', null]);
});

test('B5: a pod that fitted nowhere waits for an event', (t) => {
  const queue = withFailures(32, 1, 100 * S);
  t.is(queue.next(105 * S), null);
  queue.call(105 * S, (pod) => pod === 'other');
  t.is(queue.next(105 * S), null);
  queue.call(105 * S, always);
  t.is(queue.next(105 * S), 'web');
});

test('B5: before 1.33 an event within the back-off waits for its end and the look of that second', (t) => {
  // Third failure at 100.4 s: 4 s of back-off, over at 104.4 s, found at 105 s.
  const queue = withFailures(32, 3, 100.4 * S);
  queue.call(101 * S, always);
  t.is(queue.nextAtUs(101 * S), 105 * S);
  t.is(queue.next(104.9 * S), null);
  t.is(queue.next(105 * S), 'web');
});

test('B5: before 1.33 an event just at the end of the back-off makes the pod active', (t) => {
  // First failure at 100.4 s: 1 s of back-off.
  const called = (atUs: number) => {
    const queue = withFailures(32, 1, 100.4 * S);
    queue.call(atUs, always);
    return queue.nextAtUs(atUs);
  };
  t.deepEqual([called(101.3 * S), called(101.4 * S)], [102 * S, 101.4 * S]);
});

test('B5: from 1.33 on an idle scheduler takes a called pod out of its back-off', (t) => {
  const queue = withFailures(33, 3, 100.4 * S);
  t.is(queue.next(101 * S), null);
  queue.call(101 * S, always);
  t.is(queue.nextAtUs(101 * S), 101 * S);
  // Others that are active go first.
  queue.add('new', -1, 101 * S);
  t.deepEqual([queue.next(101 * S), queue.next(101 * S)], ['new', 'web']);
});

test('B5: without an event a pod is tried again after more than five minutes, at a look every 30 s', (t) => {
  // Parked at 10 s: looks at 300 s (290 s parked) and 330 s (320 s parked).
  const queue = withFailures(37, 1, 10 * S);
  t.is(queue.nextAtUs(10 * S), 330 * S);
  t.is(queue.next(329 * S), null);
  t.is(queue.next(330 * S), 'web');
  // Parked at 30 s: 300 s at the look at 330 s is not more than five minutes.
  t.is(withFailures(37, 1, 30 * S).nextAtUs(30 * S), 360 * S);
});

test('a removed pod is not tried, and none can fail that was not', (t) => {
  const queue = new SchedulingQueue<string>({ kubernetesMinor: 37 });
  queue.add('web', 0, 0);
  queue.remove('web');
  t.is(queue.next(S), null);
  t.is(queue.nextAtUs(S), null);
  t.throws(() => queue.failed('web', S), { message: /not being tried/ });
});

test(`the queue and its slow twin hand out the same pods ${SEED_NOTE}`, (t) => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'next', 'next', 'failAll', 'callEven', 'callAll', 'bind'),
    afterMs: fc.oneof(fc.constantFrom(0, 0, 1000), fc.integer({ min: 0, max: 12_000 }), fc.constant(310_000)),
    priority: fc.integer({ min: 0, max: 2 }),
  });
  let handedOut = 0;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
      fc.constantFrom(32, 33),
      (steps, kubernetesMinor) => {
        const fast = new SchedulingQueue<number>({ kubernetesMinor });
        const slow = new SlowQueue(kubernetesMinor);
        const trying: number[] = [];
        let nowUs = 0;
        let made = 0;
        for (const { kind, afterMs, priority } of steps) {
          nowUs += afterMs * 1000;
          if (kind === 'add') {
            fast.add(made, priority, nowUs);
            slow.add(made++, priority, nowUs);
          } else if (kind === 'next') {
            const dueUs = fast.nextAtUs(nowUs);
            const pod = fast.next(nowUs);
            t.is(pod, slow.next(nowUs));
            t.is(dueUs === nowUs, pod !== null);
            if (pod !== null) {
              trying.push(pod);
              handedOut++;
            }
          } else if (kind === 'failAll') {
            for (const pod of trying.splice(0)) {
              fast.failed(pod, nowUs);
              slow.failed(pod, nowUs);
            }
          } else if (kind === 'bind') {
            for (const pod of trying.splice(0, 1)) {
              fast.remove(pod);
              slow.remove(pod);
            }
          } else {
            const mayHelp = (pod: number) => kind === 'callAll' || pod % 2 === 0;
            fast.call(nowUs, mayHelp);
            slow.call(nowUs, mayHelp);
          }
        }
      },
    ),
    { seed, numRuns: 1000 },
  );
  t.true(handedOut > 1000, `only ${handedOut} pods handed out`);
});
