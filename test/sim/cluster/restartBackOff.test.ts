import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_MAX_DELAY_US, restartAfterExit, type RestartState } from '../../../sim/cluster/restartBackOff.js';
import { slowRestarts } from '../../models/slowRestarts.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const SECOND_US = 1_000_000;

/** When a container that runs for so long each time is started again. */
function restarts(runsForSeconds: readonly number[], maxDelayUs: number): number[] {
  let state: RestartState | null = null;
  let nowUs = 0;
  return runsForSeconds.map((seconds) => {
    const next = restartAfterExit(state, nowUs + seconds * SECOND_US, maxDelayUs);
    state = next.state;
    nowUs = next.restartAtUs;
    return nowUs / SECOND_US;
  });
}

test('B12: a container that ends at once restarts after 0, 10, 20, 40, 80, 160 and then 300 s', (t) => {
  t.deepEqual(
    restarts([0, 0, 0, 0, 0, 0, 0, 0], DEFAULT_MAX_DELAY_US),
    // Sums of 0, 10, 20, 40, 80, 160, 300, 300.
    [0, 10, 30, 70, 150, 310, 610, 910],
  );
});

test('B12: the wait begins when the container ends, not when it started', (t) => {
  // Ends at 5: restart at once. Ends at 65: 10 s later.
  t.deepEqual(restarts([5, 60], DEFAULT_MAX_DELAY_US), [5, 75]);
});

test('B12: more than 10 minutes of running start the series afresh, 10 minutes do not', (t) => {
  // The third end is 600 s after the restart at 10: still 20 s to wait.
  t.deepEqual(restarts([0, 0, 600, 0], DEFAULT_MAX_DELAY_US), [0, 10, 630, 670]);
  // At 601 s there is none, and the next wait is 10 s again.
  t.deepEqual(restarts([0, 0, 601, 0], DEFAULT_MAX_DELAY_US), [0, 10, 611, 621]);
});

test('B12: a node with a lower longest wait begins with it when that is below 10 s', (t) => {
  t.deepEqual(restarts([0, 0, 0, 0], 4 * SECOND_US), [0, 4, 8, 12]);
  t.deepEqual(restarts([0, 0, 0, 0], 15 * SECOND_US), [0, 10, 25, 40]);
});

test(`restarts agree with a kubelet that asks every second ${SEED_NOTE}`, (t) => {
  const runs = fc.array(fc.oneof(fc.nat(30), fc.integer({ min: 590, max: 610 })), { maxLength: 12 });
  const property = fc.property(runs, fc.integer({ min: 1, max: 300 }), (seconds, maxSeconds) => {
    t.deepEqual(restarts(seconds, maxSeconds * SECOND_US), slowRestarts(seconds, maxSeconds));
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 500 }));
});
