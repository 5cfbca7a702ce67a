import test from 'ava';
import { nodeLossTimeline, type NodeLossInput } from '../../../sim/cluster/nodeLoss.js';

const SECOND_US = 1_000_000;

/** The timeline in seconds after the loss at 1000 s. */
function timeline(fields: Partial<NodeLossInput> = {}): { readonly drop: number; readonly replaced: number } {
  const lostAtUs = 1000 * SECOND_US;
  const { notReadyAtUs, evictedAtUs } = nodeLossTimeline({ lostAtUs, leasePhaseUs: 0, ...fields });
  return { drop: (notReadyAtUs - lostAtUs) / SECOND_US, replaced: (evictedAtUs - lostAtUs) / SECOND_US };
}

test('B13 worked: from 1.32 traffic stops after 50 to 55 s and replacements come at 350 to 355 s', (t) => {
  // Renewed and seen at 0; the check at 50 is not yet more than 50 s on, the one at 55 is.
  t.deepEqual(timeline(), { drop: 55, replaced: 355 });
});

test('B13: a check that comes later sees the renewal later, and the loss too', (t) => {
  // Checks at 4, 9, ...: the renewal of 0 is seen at 4, 54 is not more than 50 s on, 59 is.
  t.deepEqual(timeline({ checkPhaseUs: 4 * SECOND_US }), { drop: 59, replaced: 359 });
});

test('B13: before 1.32 both come 10 s earlier', (t) => {
  t.deepEqual(timeline({ kubernetes: '<=1.31' }), { drop: 45, replaced: 345 });
});

test('B13: the clock starts at the last renewal, not at the loss', (t) => {
  // Renewals at 991 and 1001: the last one came 9 s before the loss and was seen 5 s before it.
  t.deepEqual(timeline({ leasePhaseUs: SECOND_US }), { drop: 50, replaced: 350 });
});

test('B13: the detection is never more than 10 s early or late against the grace period', (t) => {
  for (let lease = 0; lease < 10; lease++) {
    for (let check = 0; check < 5; check++) {
      const { drop } = timeline({ leasePhaseUs: lease * SECOND_US, checkPhaseUs: check * SECOND_US });
      t.true(drop > 40 && drop <= 60, `lease ${lease}, check ${check}: ${drop}`);
    }
  }
});

test('B13: the nodes of a lost zone are emptied one every 10 s, but all leave the endpoints at once', (t) => {
  t.deepEqual(timeline({ nodesTaintedBefore: 3 }), { drop: 55, replaced: 385 });
});
