/**
 * Latency histograms over whole microseconds: an octave has 128 buckets, so a bucket is at most 0.8 % wide and a value
 * read from its middle is off by at most 0.4 %. Values below 256 us are exact. Adding is one clz and one shift; two
 * histograms merge by adding counts.
 *
 * Bucket index: with e = max(0, floor(log2 v) - 7), index = e x 128 + (v >> e). Values up to 2^31 us (36 min) are kept;
 * longer ones count in the last bucket.
 */
import { bucketedQuantile, envoyBoundsMs } from '../../traces/envoy-buckets.js';

const SUB_BITS = 7;
const SUB = 1 << SUB_BITS;
const MAX_VALUE_US = 0x7fffffff;
/** Counters in one histogram. */
export const HISTOGRAM_SIZE = (31 - SUB_BITS) * SUB + SUB;

/** Index of the bucket that holds `valueUs` (a whole number >= 0). */
export function bucketIndex(valueUs: number): number {
  const value = valueUs > MAX_VALUE_US ? MAX_VALUE_US : valueUs | 0;
  const exponent = 24 - Math.clz32(value | SUB);
  return (exponent << SUB_BITS) + (value >>> exponent);
}

/** Smallest value of a bucket. */
export function bucketStartUs(index: number): number {
  if (index < 2 * SUB) return index;
  const exponent = (index >>> SUB_BITS) - 1;
  return (index - (exponent << SUB_BITS)) * 2 ** exponent;
}

/**
 * The q-quantile (0 < q < 1) in microseconds of the counts in `counts[base ...]`: the value of rank ceil(q x total),
 * taken in the middle of its bucket's whole numbers. Null without counts.
 */
export function quantileUs(counts: Uint32Array | Float64Array, base: number, q: number): number | null {
  let total = 0;
  for (let i = 0; i < HISTOGRAM_SIZE; i++) total += counts[base + i]!;
  if (total === 0) return null;
  // Guards against q x total being a hair above a whole number: 0.95 x 100 is 95.
  const rank = Math.ceil(q * total - 1e-9);
  let seen = 0;
  for (let i = 0; i < HISTOGRAM_SIZE; i++) {
    seen += counts[base + i]!;
    if (seen >= rank) return (bucketStartUs(i) + bucketStartUs(i + 1) - 1) / 2;
  }
  throw new Error('histogram total and counts disagree');
}

/** Upper bounds, in microseconds, of Envoy's default histogram buckets; what lies above is +Inf. */
export const ENVOY_BOUNDS_US = Float64Array.from(envoyBoundsMs, (ms) => ms * 1000);
export const ENVOY_BUCKETS = ENVOY_BOUNDS_US.length + 1;

/** For each fine bucket that no Envoy bound cuts, its Envoy bucket; where a bound cuts it, the lower one. */
const ENVOY_BY_FINE = Uint8Array.from({ length: HISTOGRAM_SIZE }, (_, index) => scanEnvoy(bucketStartUs(index)));

/** Envoy bucket (le semantics) of a value whose fine bucket is known. */
export function envoyBucket(valueUs: number, fineIndex: number): number {
  const bucket = ENVOY_BY_FINE[fineIndex]!;
  return bucket < ENVOY_BOUNDS_US.length && valueUs > ENVOY_BOUNDS_US[bucket]! ? bucket + 1 : bucket;
}

/** The counts of a fine histogram in Envoy's buckets; a fine bucket that a bound cuts goes where its middle lies. */
export function toEnvoyCounts(counts: Uint32Array, base: number): Float64Array {
  const envoy = new Float64Array(ENVOY_BUCKETS);
  for (let i = 0; i < HISTOGRAM_SIZE; i++) {
    const middleUs = (bucketStartUs(i) + bucketStartUs(i + 1) - 1) / 2;
    if (counts[base + i]! > 0) envoy[scanEnvoy(middleUs)]! += counts[base + i]!;
  }
  return envoy;
}

function scanEnvoy(valueUs: number): number {
  let bucket = 0;
  while (bucket < ENVOY_BOUNDS_US.length && valueUs > ENVOY_BOUNDS_US[bucket]!) bucket++;
  return bucket;
}

/** Prometheus' histogram_quantile over the Envoy buckets of `counts[base ...]` (not cumulative); null without counts. */
export function envoyQuantileMs(counts: Float64Array, base: number, q: number): number | null {
  return bucketedQuantile(counts.subarray(base, base + ENVOY_BUCKETS), q);
}
