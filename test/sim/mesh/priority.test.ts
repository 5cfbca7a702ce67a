import test from 'ava';
import fc from 'fast-check';
import { overprovisionedShare, priorityLoads, priorityState } from '../../../sim/mesh/priority.js';
import { SEED as seed } from '../../seed.js';

/** [title, healthy, total, loads]: the worked numbers of Envoy's integer arithmetic (A8). */
const worked: [string, number[], number[], number[]][] = [
  ['7 of 10 and 5 of 5 is 98/2', [7, 5], [10, 5], [98, 2]],
  ['1 of 4 and 5 of 5 is 35/65', [1, 5], [4, 5], [35, 65]],
  ['1 of 4 twice is 50/50', [1, 1], [4, 4], [50, 50]],
  ['5 of 100 and 65 of 100 is 8/92, where the documentation prints 7/93', [5, 65], [100, 100], [8, 92]],
  // Healths 35, 35, 28: T = 98; floor(3500/98) = 35, 35, floor(2800/98) = 28; the remainder 2 goes to the first.
  ['healths 35, 35, 28 are 37/35/28, where the documentation prints 36/36/28', [1, 1, 1], [4, 4, 5], [37, 35, 28]],
  ['the remainder skips a dead first level', [0, 1, 1, 1], [4, 4, 4, 5], [0, 37, 35, 28]],
  ['5 of 7 healthy spills nothing', [5, 7], [7, 7], [100, 0]],
  ['72 of 100 healthy spills nothing', [72, 1], [100, 1], [100, 0]],
  ['71 of 100 healthy spills 1 %', [71, 1], [100, 1], [99, 1]],
  ['a dead first level sends everything to the second', [0, 3], [4, 4], [0, 100]],
  ['an empty first level sends everything to the second', [0, 3], [0, 4], [0, 100]],
  ['nothing healthy sends everything to the first level', [0, 0], [4, 4], [100, 0]],
];

for (const [title, healthy, total, loads] of worked) {
  test(`A8 worked: ${title}`, (t) => t.deepEqual(priorityLoads(healthy, total), loads));
}

test('A8: loads are integers from 0 to 100 that sum to 100 and only go to levels with a healthy host', (t) => {
  const level = fc
    .integer({ min: 0, max: 60 })
    .chain((total) => fc.tuple(fc.integer({ min: 0, max: total }), fc.constant(total)));
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), (levels) => {
      const healthy = levels.map(([count]) => count);
      const loads = priorityLoads(
        healthy,
        levels.map(([, count]) => count),
      );
      const someHealthy = healthy.some((count) => count > 0);
      return (
        loads.reduce((sum, load) => sum + load, 0) === 100 &&
        loads.every((load, p) => Number.isInteger(load) && load >= 0 && (load === 0 || !someHealthy || healthy[p]! > 0))
      );
    }),
    { seed },
  );
  t.pass();
});

test("A9 worked: with Envoy's threshold of 50 %, two levels with 1 of 4 healthy are both in panic and share by host count", (t) => {
  t.deepEqual(priorityState([1, 1], [4, 4], 50), { loadPercent: [50, 50], panic: [true, true] });
  // Hosts 6 and 3 of 9: floor(66.7) = 66, 33, remainder 1 to the first.
  t.deepEqual(priorityState([1, 0], [6, 3], 50).loadPercent, [67, 33]);
});

test("A9 worked: with Istio's threshold of 0 the same levels do not panic", (t) => {
  t.deepEqual(priorityState([1, 1], [4, 4], 0), { loadPercent: [50, 50], panic: [false, false] });
  t.deepEqual(priorityState([0, 0], [4, 4], 0), { loadPercent: [100, 0], panic: [false, false] });
});

test('A9: a level below the threshold does not panic while the levels together carry everything', (t) => {
  t.deepEqual(priorityState([1, 5], [4, 5], 50), { loadPercent: [35, 65], panic: [false, false] });
});

test('A9: the threshold is strict: exactly half healthy is no panic', (t) => {
  // Health 70: T = 70 < 100, availability 50 % is not below 50 %.
  t.deepEqual(priorityState([2], [4], 50), { loadPercent: [100], panic: [false] });
  t.deepEqual(priorityState([1], [4], 50), { loadPercent: [100], panic: [true] });
});

test('A9: one level in panic and one not keep the loads by health', (t) => {
  // P0 1/10 -> health 14; P1 3/5 -> 84; T = 98: floor(1400/98) = 14, floor(8400/98) = 85, remainder 1 to P0.
  t.deepEqual(priorityState([1, 3], [10, 5], 50), { loadPercent: [15, 85], panic: [true, false] });
});

test('A7: a locality keeps its full weight until fewer than 5 of 7 hosts are healthy', (t) => {
  t.is(overprovisionedShare(5, 10), 0.7);
  t.is(overprovisionedShare(8, 10), 1);
  t.is(overprovisionedShare(0, 10), 0);
});
