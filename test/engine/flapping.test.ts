/** The guard against flapping: opposite changes of one count within its cool-down, whoever made the first. */
import test from 'ava';
import { emptyMemory, step, type Memory, type StepOutput } from '../../engine/index.js';
import { aPod, aSnapshot, aWorkload, anInput, NOW_MS } from './fixtures.js';

const OFF = { balancer: { enabled: false } };
const BUSY = 690;
const HOT = 900;
const IDLE = 10;

/** `count` pods of `web`, each using so many of 1000 millicores, looked at so many seconds later. */
function look(count: number, cpu: number, seconds: number, memory: Memory): StepOutput {
  const pods = Array.from({ length: count }, (_, i) => aPod('web', `n-${'abc'[i % 3]!}`, `web-${i}`, cpu));
  const snapshot = aSnapshot({ workloads: [aWorkload('web', count)], pods });
  return step(anInput(snapshot, { ...OFF, memory, nowMs: NOW_MS + seconds * 1000 }));
}

const answer = ({ decisions, skipped }: StepOutput): string => decisions[0]?.kind ?? skipped[0]!.reason;

test('what a human has just raised is not lowered before the cool-down is over', (t) => {
  const { memory } = look(2, BUSY, 0, emptyMemory);
  const raised = look(4, IDLE, 60, memory);
  t.is(answer(raised), 'flapping');
  t.is(raised.skipped[0]!.detail, 'scaled up by another 0 s ago, the opposite has 60 s to wait');
  t.is(answer(look(4, IDLE, 119, raised.memory)), 'flapping');
  t.is(answer(look(4, IDLE, 120, raised.memory)), 'scaleDown');
});

test('what another has just lowered is not raised, but lowered further it may be', (t) => {
  const { memory } = look(5, BUSY, 0, emptyMemory);
  const lowered = look(3, HOT, 60, memory);
  t.is(answer(lowered), 'flapping');
  t.is(answer(look(3, HOT, 120, lowered.memory)), 'scaleUp');
  t.is(answer(look(3, IDLE, 60, memory)), 'scaleDown');
});

test('our own decision, carried out or not, is nobody else', (t) => {
  const { decisions, memory } = look(3, HOT, 0, emptyMemory);
  // 3 pods at 90 %: 3 * 90 / 70 = 3.9, so 4.
  t.like(decisions[0], { kind: 'scaleUp', replicasTo: 4 });
  for (const count of [3, 4]) t.deepEqual(look(count, BUSY, 60, memory).memory.othersScaling, {});
  // Six are neither three nor four.
  const { othersScaling } = look(6, BUSY, 60, memory).memory;
  t.deepEqual(othersScaling, { 'default/Deployment/web': { upAtMs: NOW_MS + 60_000, downAtMs: null } });
});

test('a removal of ours that has not come true waits, as it may have been taken back', (t) => {
  // 3 pods at 15 %: 3 * 15 / 20 = 2.25, so at least one goes: 2 are asked for.
  const { decisions, memory } = look(3, 150, 0, emptyMemory);
  t.like(decisions[0], { kind: 'scaleDown', replicasTo: 2 });
  const still = look(3, 150, 60, memory);
  t.is(answer(still), 'flapping');
  t.is(answer(look(3, 150, 120, still.memory)), 'scaleDown');
});

test('an addition of ours that another takes back is neither repeated nor followed by a removal', (t) => {
  const { memory } = look(3, HOT, 0, emptyMemory);
  const undone = look(2, HOT, 30, memory);
  t.is(answer(undone), 'cooldown');
  t.is(answer(look(2, HOT, 61, undone.memory)), 'flapping');
  t.is(answer(look(2, IDLE, 59, undone.memory)), 'flapping');
  t.is(answer(look(2, HOT, 90, undone.memory)), 'scaleUp');
});

test('without a cool-down there is no such guard, and a first look knows of no change', (t) => {
  t.is(answer(look(4, IDLE, 0, emptyMemory)), 'scaleDown');
  const { memory } = look(2, BUSY, 0, emptyMemory);
  const pods = Array.from({ length: 4 }, (_, i) => aPod('web', 'n-a', `web-${i}`, IDLE));
  const snapshot = aSnapshot({ workloads: [aWorkload('web', 4)], pods });
  t.is(answer(step(anInput(snapshot, { ...OFF, memory, scaler: { cooldownSeconds: 0 } }))), 'scaleDown');
});

test('the memory forgets workloads that are gone and changes that are old', (t) => {
  const { memory } = look(2, BUSY, 0, emptyMemory);
  const raised = look(4, BUSY, 60, memory).memory;
  t.deepEqual(look(4, BUSY, 120, raised).memory.othersScaling, {});
  const gone = step(anInput(aSnapshot(), { ...OFF, memory: raised, nowMs: NOW_MS + 200_000 })).memory;
  t.deepEqual([gone.lastSeen, gone.othersScaling], [{}, {}]);
});
