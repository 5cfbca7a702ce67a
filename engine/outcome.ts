/** What one part of the engine answered; the parts fill one list each and `step` joins them. */
import type { WorkloadView } from './cluster-view.js';
import type { Decision, SkipReason, Skipped } from './types.js';

export interface Outcome {
  readonly decisions: Decision[];
  readonly skipped: Skipped[];
}

export function skip({ ref }: WorkloadView, part: Skipped['part'], reason: SkipReason, detail: string): Skipped {
  return { workload: ref, part, reason, detail };
}

/** For sentences: at most two decimals, none where they would be zeros. */
export function figure(value: number): string {
  return String(Math.round(value * 100) / 100);
}
