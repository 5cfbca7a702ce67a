/**
 * What a metric asks for, in exact fractions of whole numbers and one pod at a time: no rounding can hide, and nothing is
 * shared with the model but the shape of its input. Where a product is whole, float64 may end just above it and ask for
 * one more, as the controller does; then both counts are right. Tolerances are to be exact in float64.
 */
import type { MetricPod } from '../../sim/cluster/hpaMetrics.js';

export interface SlowQuestion {
  readonly pods: readonly MetricPod[];
  readonly kind: 'utilization' | 'average';
  readonly isCpu: boolean;
  readonly target: bigint;
  readonly current: number;
  readonly nowUs: number;
  /** Hundred-thousandths. */
  readonly toleranceUp: bigint;
  readonly toleranceDown: bigint;
}

/** The counts that are right; none: no answer. */
export function slowMetric(question: SlowQuestion): number[] {
  const { pods, kind, target, current } = question;
  if (pods.length === 0) return [];
  if (kind === 'utilization' && pods.some((pod) => pod.requestAmount <= 0)) return [];
  const using: [MetricPod, bigint][] = [];
  const silent: MetricPod[] = [];
  const starting: MetricPod[] = [];
  for (const pod of pods) {
    if (pod.phase === 'Failed' || pod.deleting) continue;
    if (pod.phase === 'Pending') starting.push(pod);
    else if (!pod.sample) silent.push(pod);
    else if (question.isCpu && !speaksForItself(pod, question.nowUs)) starting.push(pod);
    else using.push([pod, BigInt(pod.sample.amount)]);
  }
  if (using.length === 0) return [];

  const level = (rows: [MetricPod, bigint][]): bigint => {
    let [used, asked] = [0n, 0n];
    for (const [pod, amount] of rows) [used, asked] = [used + amount, asked + BigInt(pod.requestAmount)];
    return kind === 'utilization' ? (used * 100n) / asked : used / BigInt(rows.length);
  };
  const tolerated = (value: bigint) =>
    value * 100_000n >= target * (100_000n - question.toleranceDown) &&
    value * 100_000n <= target * (100_000n + question.toleranceUp);
  const times = (value: bigint, count: number): number[] => {
    const product = value * BigInt(count);
    const rounded = Number((product + target - 1n) / target);
    return product % target === 0n ? [rounded, rounded + 1] : [rounded];
  };

  const first = level(using);
  const rows = [...using];
  const lift = first > target;
  const fall = first < target;
  for (const pod of silent) {
    if (fall && kind === 'average') rows.push([pod, target]);
    else if (fall) rows.push([pod, (BigInt(pod.requestAmount) * (target > 100n ? target : 100n)) / 100n]);
    else if (lift || kind === 'average') rows.push([pod, 0n]);
  }
  if (lift) for (const pod of starting) rows.push([pod, 0n]);
  if (silent.length === 0 && !(lift && starting.length > 0)) {
    return tolerated(first) ? [current] : times(first, using.length);
  }
  const second = level(rows);
  if (tolerated(second) || (fall && second > target) || (lift && second < target)) return [current];
  const wanted = times(second, rows.length);
  if (second < target) return wanted.map((count) => Math.min(count, current));
  return wanted.map((count) => Math.max(count, current));
}

function speaksForItself(pod: MetricPod, nowUs: number): boolean {
  if (!pod.readyCondition || pod.startedAtUs === null) return false;
  const ageUs = nowUs - pod.startedAtUs;
  const { ready, changedAtUs } = pod.readyCondition;
  if (ageUs < 300e6) return ready && pod.sample!.atUs - pod.sample!.windowUs >= changedAtUs;
  return ready || changedAtUs - pod.startedAtUs >= 30e6;
}
