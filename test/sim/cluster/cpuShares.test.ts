import test from 'ava';
import fc from 'fast-check';
import { cpuShares, cpuWeight } from '../../../sim/cluster/cpuShares.js';
import { shareCores, shareNodeCores, type CpuPod } from '../../models/coreShares.js';
import { slowShares } from '../../models/slowShares.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

test('B12 worked: shares and weights by request', (t) => {
  const rows: [number, number, number, number][] = [
    [100, 102, 4, 17],
    [250, 256, 10, 35],
    [500, 512, 20, 59],
    [1000, 1024, 39, 100],
    [2000, 2048, 79, 174],
  ];
  for (const [request, shares, linear, curved] of rows) {
    t.is(cpuShares(request), shares, `${request}m`);
    t.is(cpuWeight(shares, 'linear'), linear, `${request}m linear`);
    t.is(cpuWeight(shares, 'curved'), curved, `${request}m curved`);
  }
});

test('B12: shares and weights end where the kernel ends them', (t) => {
  t.deepEqual([0, 1, 2, 1_000_000].map(cpuShares), [2, 2, 2, 262_144]);
  for (const formula of ['linear', 'curved'] as const) {
    t.deepEqual([cpuWeight(2, formula), cpuWeight(262_144, formula)], [1, 10_000]);
  }
});

test('B12: weights never fall as requests grow', (t) => {
  for (const formula of ['linear', 'curved'] as const) {
    let last = 0;
    for (let request = 0; request <= 64_000; request += 10) {
      const weight = cpuWeight(cpuShares(request), formula);
      t.true(weight >= last && weight <= 10_000);
      last = weight;
    }
  }
});

const busy = (requestMillicores: number, fields: Partial<CpuPod> = {}): CpuPod => ({
  qos: 'Burstable',
  requestMillicores,
  demandCores: 4,
  limitCores: Infinity,
  ...fields,
});

function isNear(actual: readonly number[], expected: readonly number[]): boolean {
  return actual.length === expected.length && actual.every((cores, p) => Math.abs(cores - expected[p]!) < 1e-9);
}

test('B12: under contention 500m and 1000m share 59 : 100 by the new formula, 20 : 39 by the old', (t) => {
  const pods = [busy(500), busy(1000)];
  t.true(isNear(shareNodeCores(pods, 1.59, 'curved'), [0.59, 1]));
  t.true(isNear(shareNodeCores(pods, 0.59, 'linear'), [0.2, 0.39]));
});

test('B12: without contention a pod takes what it wants, beyond its request and up to its limit', (t) => {
  const pods = [busy(100, { demandCores: 3 }), busy(100, { limitCores: 0.5 })];
  t.true(isNear(shareNodeCores(pods, 4, 'curved'), [3, 0.5]));
});

test('B12: what one pod leaves goes to the others by weight', (t) => {
  // 3 cores, weights 1 : 1 : 1; the first wants half a core, the rest share 2.5.
  const claim = (demandCores: number) => ({ weight: 1, demandCores, limitCores: Infinity });
  t.deepEqual(shareCores([claim(0.5), claim(4), claim(4)], 3), [0.5, 1.25, 1.25]);
});

test('B12: a guaranteed pod competes with the burstable group as a whole, not with its pods', (t) => {
  // Linear: 1000m weighs 39; two burstable pods of 500m make a group of 1000m, also 39, halved between them.
  const pods = [busy(1000, { qos: 'Guaranteed' }), busy(500), busy(500)];
  t.true(isNear(shareNodeCores(pods, 2, 'linear'), [1, 0.5, 0.5]));
  // Side by side, 39 : 20 : 20, they would get 78/79, 40/79 and 40/79 of a core.
});

test('B12: best-effort pods all together weigh 1', (t) => {
  const idle = (fields: Partial<CpuPod> = {}) => busy(0, { qos: 'BestEffort', ...fields });
  // 39 : 1 of 4 cores, the 1 shared by two.
  t.true(isNear(shareNodeCores([busy(1000, { demandCores: 9 }), idle(), idle()], 4, 'linear'), [3.9, 0.05, 0.05]));
});

test(`cores by weight agree with pouring drop by drop, and none is lost or invented ${SEED_NOTE}`, (t) => {
  const claim = fc.record({
    weight: fc.integer({ min: 1, max: 200 }),
    demandCores: fc.nat(40).map((tenths) => tenths / 10),
    limitCores: fc.oneof(
      fc.constant(Infinity),
      fc.integer({ min: 1, max: 20 }).map((tenths) => tenths / 10),
    ),
  });
  const property = fc.property(fc.array(claim, { maxLength: 8 }), fc.integer({ min: 1, max: 16 }), (claims, cores) => {
    const given = shareCores(claims, cores);
    const wanted = claims.reduce((sum, { demandCores, limitCores }) => sum + Math.min(demandCores, limitCores), 0);
    const total = given.reduce((sum, share) => sum + share, 0);
    return isNear(given, slowShares(claims, cores)) && Math.abs(total - Math.min(wanted, cores)) < 1e-9;
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 2000 }));
});
