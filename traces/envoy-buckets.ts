/**
 * Envoy's latency histogram, and the quantile that Prometheus reads out of it. A recorded Istio p90 is not a p90: it is a
 * straight line between two bucket bounds. To compare a simulated latency with it, the simulated one has to pass through
 * the same buckets first. Bounds: Envoy's defaults in milliseconds (SEMANTICS A20); Istio adds none.
 */

/** Upper bounds; one more bucket follows for everything above. */
export const envoyBoundsMs: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** Index of the bucket of a latency: the first whose bound is not below it. */
export function envoyBucketOf(latencyMs: number): number {
  const index = envoyBoundsMs.findIndex((bound) => latencyMs <= bound);
  return index < 0 ? envoyBoundsMs.length : index;
}

/** Counts per bucket (not cumulative), the last one for +Inf. */
export function envoyBucketCounts(latenciesMs: readonly number[]): number[] {
  const counts = new Array<number>(envoyBoundsMs.length + 1).fill(0);
  for (const latencyMs of latenciesMs) (counts[envoyBucketOf(latencyMs)] as number) += 1;
  return counts;
}

/** What `histogram_quantile` answers, in milliseconds; null without requests. In the last bucket: its lower bound. */
export function bucketedQuantile(counts: ArrayLike<number>, q: number): number | null {
  let total = 0;
  for (let index = 0; index < counts.length; index += 1) total += counts[index] as number;
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (let index = 0; index < envoyBoundsMs.length; index += 1) {
    const count = counts[index] as number;
    if (count > 0 && below + count >= rank) {
      const low = index === 0 ? 0 : (envoyBoundsMs[index - 1] as number);
      return low + (((envoyBoundsMs[index] as number) - low) * (rank - below)) / count;
    }
    below += count;
  }
  return envoyBoundsMs[envoyBoundsMs.length - 1] as number;
}
