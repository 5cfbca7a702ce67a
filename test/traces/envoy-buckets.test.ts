import test from 'ava';
import { bucketedQuantile, envoyBucketCounts } from '../../traces/envoy-buckets.js';

test('A20 worked: a hundred requests of 6 ms read as 7.5 ms at the median and 9.75 ms at p95', (t) => {
  // All lie in (5, 10]; 5 + 0.5 x 5 and 5 + 0.95 x 5.
  const counts = envoyBucketCounts(new Array<number>(100).fill(6));
  t.is(bucketedQuantile(counts, 0.5), 7.5);
  t.is(bucketedQuantile(counts, 0.95), 9.75);
});

test("A20: the bounds are Envoy's, in milliseconds", (t) => {
  const bounds = [
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
    3_600_000,
  ];
  // A latency at a bound lies below it; one more bucket holds what is above them all.
  const counts = envoyBucketCounts([...bounds, 4e6]);
  t.deepEqual(
    counts,
    [...bounds, 4e6].map(() => 1),
  );
});

test('a latency on a bound belongs to the bucket below it', (t) => {
  // All in (1, 5]: the median reads 1 + 0.5 x 4.
  t.is(bucketedQuantile(envoyBucketCounts([5, 5]), 0.5), 3);
});

test('nothing above the last bound can be read, and no requests have no quantile', (t) => {
  t.is(bucketedQuantile(envoyBucketCounts([4e6]), 0.99), 3_600_000);
  t.is(bucketedQuantile(envoyBucketCounts([]), 0.5), null);
});

test('a quantile between two filled buckets skips the empty ones', (t) => {
  // 50 in (0.5, 1], 50 in (100, 250]: rank 75 is half of the upper bucket: 100 + 0.5 x 150.
  const counts = envoyBucketCounts([...new Array<number>(50).fill(0.7), ...new Array<number>(50).fill(120)]);
  t.is(bucketedQuantile(counts, 0.75), 175);
});
