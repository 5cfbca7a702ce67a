import test from 'ava';
import fc from 'fast-check';
import {
  bucketIndex,
  bucketStartUs,
  ENVOY_BOUNDS_US,
  ENVOY_BUCKETS,
  envoyBucket,
  envoyQuantileMs,
  HISTOGRAM_SIZE,
  quantileUs,
} from '../../../sim/kernel/histogram.js';
import { SEED, SEED_NOTE } from '../../seed.js';

const latency = fc.oneof(fc.nat(600), fc.nat(100_000), fc.nat(0x7fffffff));

test(`every value lies in its bucket, and a bucket is at most 1/128 wide ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(latency, (valueUs) => {
      const index = bucketIndex(valueUs);
      const start = bucketStartUs(index);
      const end = bucketStartUs(index + 1);
      return index < HISTOGRAM_SIZE && start <= valueUs && valueUs < end && end - start <= Math.max(1, start / 128);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  t.is(bucketIndex(0x7fffffff), HISTOGRAM_SIZE - 1);
});

test(`a quantile is within 0.4 % of the one of the sorted values ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(
      fc.array(latency, { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 999 }),
      (values, perMille) => {
        const counts = new Uint32Array(HISTOGRAM_SIZE);
        for (const value of values) counts[bucketIndex(value)]!++;
        const q = perMille / 1000;
        const exact = [...values].sort((a, b) => a - b)[Math.ceil(q * values.length - 1e-9) - 1]!;
        return Math.abs(quantileUs(counts, 0, q)! - exact) <= exact * 0.004 + 1e-9;
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
  t.is(quantileUs(new Uint32Array(HISTOGRAM_SIZE), 0, 0.5), null);
});

test(`the Envoy bucket of a value is the first bound that is not below it ${SEED_NOTE}`, (t) => {
  const near = fc.constantFrom(...ENVOY_BOUNDS_US).chain((bound) => fc.integer({ min: bound - 2, max: bound + 2 }));
  fc.assert(
    fc.property(fc.oneof(latency, near), (valueUs) => {
      const expected = ENVOY_BOUNDS_US.findIndex((bound) => valueUs <= bound);
      const value = Math.min(valueUs, 0x7fffffff);
      const bucket = envoyBucket(value, bucketIndex(value));
      // The histogram ends at 2^31 us, which lies in the bucket of 3,600 s.
      return valueUs > 0x7fffffff || bucket === (expected < 0 ? ENVOY_BUCKETS - 1 : expected);
    }),
    { seed: SEED, numRuns: 3000 },
  );
  t.pass();
});

test('100 requests of 6 ms read as 9.75 ms at p95 and 7.5 ms at p50 in Envoy buckets (SEMANTICS A20)', (t) => {
  const counts = new Float64Array(ENVOY_BUCKETS);
  counts[envoyBucket(6000, bucketIndex(6000))] = 100;
  t.is(envoyQuantileMs(counts, 0, 0.95), 9.75);
  t.is(envoyQuantileMs(counts, 0, 0.5), 7.5);
});
