import test from 'ava';
import { l1Distance, stepToward, type SourceDistribution } from '../../engine/index.js';

const SETTINGS = { minStep: 5, maxStep: 20, urgencyThreshold: 50, epsilon: 1 };
const row = (from: string, to: Record<string, number>) => ({ from, to });

// step = 5 + min(1, L1/50) * 15: 10 -> 8, 25 -> 12.5 (from 50/50 no whole split has L1 25, so 12 and 13 make 25), 50 and more -> 20.
for (const [target, l1, points] of [
  [{ a: 55, b: 45 }, 10, 8],
  [{ a: 62, b: 37 }, 25, 12.5],
  [{ a: 75, b: 25 }, 50, 20],
  [{ a: 100 }, 100, 20],
] as const) {
  test(`a distance of ${l1} points makes a step of ${points}`, (t) => {
    const result = stepToward({
      current: [row('s', { a: 50, b: 50 })],
      target: [row('s', target)],
      settings: SETTINGS,
    });
    t.deepEqual(result.l1, { s: l1 });
    t.deepEqual(result.steps, { s: points });
  });
}

test('a share moves by one step and arrives when it is near', (t) => {
  const far = stepToward({ current: [row('s', { a: 100 })], target: [row('s', { a: 40, b: 60 })], settings: SETTINGS });
  t.deepEqual(far.next, [row('s', { a: 80, b: 20 })]);
  const near = stepToward({
    current: [row('s', { a: 80, b: 20 })],
    target: [row('s', { a: 77, b: 23 })],
    settings: SETTINGS,
  });
  t.deepEqual(near.next, [row('s', { a: 77, b: 23 })]);
});

test('a share within epsilon of its target stays', (t) => {
  const { next } = stepToward({
    current: [row('s', { a: 50, b: 50 })],
    target: [row('s', { a: 51, b: 49 })],
    settings: SETTINGS,
  });
  t.deepEqual(next, [row('s', { a: 50, b: 50 })]);
});

test('the sum is brought back to 100 by largest remainder', (t) => {
  // 100 -> 80, 0 -> 20, 0 -> 20: 120 points; 66.67, 16.67, 16.67 become 67, 17, 16 (the earlier of equals first).
  const { next } = stepToward({
    current: [row('s', { a: 100 })],
    target: [row('s', { a: 34, b: 33, c: 33 })],
    settings: SETTINGS,
  });
  t.deepEqual(next, [row('s', { a: 67, b: 17, c: 16 })]);
});

test('sources that stand on one side only are included', (t) => {
  const result = stepToward({
    current: [row('old', { a: 60, b: 40 })],
    target: [row('new', { a: 60, b: 40 })],
    settings: SETTINGS,
  });
  // old: both fall by 20 to 40 and 20 of 60; new: both rise to 20 of 40.
  t.deepEqual(result.next, [row('old', { a: 67, b: 33 }), row('new', { a: 50, b: 50 })]);
  t.deepEqual(result.l1, { old: 100, new: 100 });
});

test('with scope total one far source hurries all', (t) => {
  const current = [row('s', { a: 50, b: 50 }), row('u', { a: 100 })];
  const target = [row('s', { a: 55, b: 45 }), row('u', { b: 100 })];
  t.deepEqual(stepToward({ current, target, settings: SETTINGS }).steps, { s: 8, u: 20 });
  const total = stepToward({ current, target, settings: { ...SETTINGS, urgencyScope: 'total' } });
  t.deepEqual(total.steps, { s: 20, u: 20 });
});

test('the distance counts what only one side has', (t) => {
  t.is(l1Distance([row('s', { a: 60, b: 40 })], [row('s', { a: 50, c: 50 })]), 100);
  t.is(l1Distance([row('s', { a: 100 })], []), 100);
  t.is(l1Distance([], []), 0);
});

test('with the default gate of 5, repeated steps end at most 4 points from the target', (t) => {
  for (let share = 0; share <= 100; share++) {
    let current: SourceDistribution[] = [row('s', { a: 100 - share, b: share })];
    const target = [row('s', { a: 40, b: 60 })];
    for (let cycle = 0; cycle < 40; cycle++) {
      const { next } = stepToward({ current, target, settings: SETTINGS });
      if (l1Distance(current, next) < 5) break;
      current = next;
    }
    t.true(l1Distance(current, target) <= 4, `from ${share}: ${JSON.stringify(current)}`);
  }
});
