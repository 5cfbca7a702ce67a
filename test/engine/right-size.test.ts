/** Right-sizing, derived by hand from the formulas of its head. */
import test from 'ava';
import fc from 'fast-check';
import { rightSize } from '../../engine/index.js';
import { SEED } from '../seed.js';
import { deepFreeze } from './fixtures.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const MIB = 2 ** 20;
const DAY = 86_400;
const used = (p95: number, max: number) => ({ p50: p95 / 2, p95, p99: p95, max });
const amounts = (cpuMillicores: number | null, mib: number | null) => ({
  cpuMillicores,
  memoryBytes: mib === null ? null : mib * MIB,
});
const usage = (cpu: number, cpuMost: number, mib: number, observedSeconds = DAY) => ({
  cpuMillicores: used(cpu, cpuMost),
  memoryBytes: used(mib * MIB, mib * MIB),
  observedSeconds,
});

test('what uses less than 30 % of its request is made smaller', (t) => {
  // CPU: 100 of 1000: 100 * 1.15 = 115, limit 1.5 * 200 = 300. Memory: 200 of 1000 MiB: 240, limit 1.5 * 200 = 300.
  t.like(rightSize({ usage: usage(100, 200, 200), requests: amounts(1000, 1000), limits: amounts(2000, 2000) }), {
    requests: amounts(115, 240),
    limits: amounts(300, 300),
    cpu: 'over',
    memory: 'over',
    because: `Of processor time p95 of the use is 100 of 1000 millicores; of memory max of the use is ${200 * MIB} of ${1000 * MIB} bytes.`,
  });
});

test('what uses more than 80 % is made larger, and exactly at a bound nothing happens', (t) => {
  // 900 * 1.15 = 1035; 900 MiB * 1.2 = 1080 MiB, its limit 1.5 * 900 = 1350. No limit of CPU was set: none is made.
  t.like(rightSize({ usage: usage(900, 900, 900), requests: amounts(1000, 1000), limits: amounts(null, 1200) }), {
    requests: amounts(1035, 1080),
    limits: amounts(null, 1350),
    cpu: 'under',
    memory: 'under',
  });
  for (const share of [0.3, 0.8]) {
    const at = usage(1000 * share, 1000 * share, 1000 * share);
    t.is(rightSize({ usage: at, requests: amounts(1000, 1000), limits: amounts(null, null) }), null);
  }
});

test('nothing goes below the least size, and what is smaller already is not raised', (t) => {
  t.like(rightSize({ usage: usage(1, 1, 1), requests: amounts(1000, 1000), limits: amounts(1000, 1000) }), {
    requests: amounts(100, 128),
    limits: amounts(100, 128),
  });
  t.is(rightSize({ usage: usage(1, 1, 1), requests: amounts(50, 64), limits: amounts(null, null) }), null);
});

test('who states nothing gets requests, and a limit alone counts as the request', (t) => {
  t.like(rightSize({ usage: usage(200, 400, 500), requests: amounts(null, null), limits: amounts(null, null) }), {
    requests: amounts(230, 600),
    limits: amounts(null, null),
    cpu: 'missing',
  });
  t.like(rightSize({ usage: usage(200, 400, 500), requests: amounts(null, null), limits: amounts(1000, 1000) }), {
    requests: amounts(230, null),
    limits: amounts(600, 1000),
    memory: 'fits',
  });
});

test('without enough or readable usage there is no recommendation', (t) => {
  const big = { requests: amounts(1000, 1000), limits: amounts(null, null) };
  t.is(rightSize({ ...big, usage: usage(1, 1, 1, DAY - 1) }), null);
  t.is(rightSize({ ...big, usage: usage(1, 1, 1, NaN) }), null);
  t.is(rightSize({ ...big, usage: { cpuMillicores: null, memoryBytes: null, observedSeconds: DAY } }), null);
  t.is(rightSize({ ...big, usage: usage(NaN, 1, 500) }), null);
  t.is(rightSize({ ...big, usage: usage(-1, 1, 500) }), null);
  t.like(rightSize({ ...big, usage: usage(NaN, 1, 1) }), { cpu: 'unknown', requests: amounts(1000, 128) });
});

test('a recommendation covers what was used, keeps limits above requests, and is final', (t) => {
  const figure = fc.option(fc.integer({ min: 1, max: 4000 }));
  const world = fc.record({ cpu: fc.nat(3000), mib: fc.nat(3000), rc: figure, rm: figure, lc: figure, lm: figure });
  fc.assert(
    fc.property(world, (w) => {
      const over = (request: number | null, limit: number | null): number | null =>
        limit === null ? null : Math.max(limit, request ?? 0);
      const input = deepFreeze({
        usage: usage(w.cpu, w.cpu * 1.1, w.mib),
        requests: amounts(w.rc, w.rm),
        limits: amounts(over(w.rc, w.lc), over(w.rm, w.lm)),
      });
      const advice = rightSize(input);
      if (advice === null) return;
      t.deepEqual(rightSize(input), advice);
      for (const [of, most] of [
        ['cpuMillicores', w.cpu * 1.1],
        ['memoryBytes', w.mib * MIB],
      ] as const) {
        const [request, limit] = [advice.requests[of], advice.limits[of]];
        if (limit !== null && request !== null) t.true(limit >= request);
        // Whatever was changed leaves room for the most that was seen.
        if (limit !== input.limits[of] && limit !== null) t.true(limit >= Math.floor(most), JSON.stringify(w));
      }
      // Followed, it is not given again in the other direction.
      const again = rightSize({ ...input, requests: advice.requests, limits: advice.limits });
      if (again !== null) t.true(again.cpu !== 'over' && again.memory !== 'over', JSON.stringify(w));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});
