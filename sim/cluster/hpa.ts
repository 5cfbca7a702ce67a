/**
 * One sync of a HorizontalPodAutoscaler on CPU utilisation: how many replicas, from the pods, their samples and what was
 * recommended before. Units: CPU in millicores, times in microseconds, utilisation in whole percent of the requests.
 *
 * The ratio is sum of usage over sum of requests, floored to a percent, over the target; it multiplies the pods that were
 * counted, not the replicas asked for. Pods without a figure are assumed to speak against the move: on the way up they use
 * nothing, on the way down all they asked for. Speed limits follow in hpaBehavior.ts.
 *
 * Source: kube-controller-manager's replica_calculator.go and horizontal.go; ratios in float64 as there.
 */
import {
  behaviorRules,
  normalizeLegacy,
  normalizeWithBehavior,
  withScaleEvent,
  type BehaviorRules,
  type Bounds,
  type HpaState,
} from './hpaBehavior.js';
import {
  byUtilization,
  recommendByMetrics,
  type HpaMetric,
  type MetricPod,
  type Recommendation,
  type Tolerances,
} from './hpaMetrics.js';

export type { HpaState } from './hpaBehavior.js';
export { isWithin, type HpaMetric, type MetricPod, type Recommendation, type Tolerances } from './hpaMetrics.js';

export interface HpaPod {
  readonly phase: 'Pending' | 'Running' | 'Failed';
  /** Has a deletion timestamp. */
  readonly deleting: boolean;
  /** When the kubelet took the pod on; null before. */
  readonly startedAtUs: number | null;
  /** The Ready condition and when it last changed; null while there is none. */
  readonly readyCondition: { readonly ready: boolean; readonly changedAtUs: number } | null;
  readonly cpuRequestMillicores: number;
  /** Newest sample: usage over the `windowUs` that ended at `atUs`; null where the metrics server has none. */
  readonly sample: { readonly cpuMillicores: number; readonly atUs: number; readonly windowUs: number } | null;
}

export interface HpaSpec extends Bounds {
  readonly targetCpuPercent: number;
  /** `spec.behavior` as written; null: the legacy path. */
  readonly behavior: Readonly<Record<string, unknown>> | null;
}

export interface HpaOutcome {
  readonly replicas: number;
  /** What the metrics alone ask for; null where they were not asked or gave no answer. */
  readonly recommended: number | null;
  /** Of the pods that count as ready, before missing figures are filled in; null as above. */
  readonly utilizationPercent: number | null;
  readonly because: string;
  readonly state: HpaState;
}

/** `--horizontal-pod-autoscaler-sync-period`: the caller's rhythm. */
export const HPA_SYNC_PERIOD_US = 15_000_000;
/** Either way from 1; smaller chases noise. */
const TOLERANCE = 0.1;
/** From here on a tolerance per direction is on by default (KEP-4951: alpha 1.33, beta 1.35, stable 1.37). */
const TOLERANCE_FIELD_MINOR = 35;

export function newHpaState(): HpaState {
  return { recommendations: [], scaleUps: [], scaleDowns: [] };
}

/** `behavior` as the given release reads it. */
export function behaviorAsOf(behavior: HpaSpec['behavior'], kubernetesMinor: number): HpaSpec['behavior'] {
  if (behavior === null || kubernetesMinor >= TOLERANCE_FIELD_MINOR) return behavior;
  return Object.fromEntries(
    Object.entries(behavior).map(([direction, rules]) => [
      direction,
      { ...(rules as Readonly<Record<string, unknown>>), tolerance: null },
    ]),
  );
}

/** The sync for a target on CPU utilisation alone, with every field of `behavior` in force. */
export function desiredReplicas(input: {
  readonly nowUs: number;
  readonly spec: HpaSpec;
  /** `spec.replicas` of the target. */
  readonly currentReplicas: number;
  /** All pods of the target, terminating ones included. */
  readonly pods: readonly HpaPod[];
  readonly state: HpaState;
}): HpaOutcome {
  const { nowUs, spec, currentReplicas: current, pods } = input;
  const rules = behaviorRules(spec.behavior);
  return sync(input, rules, () => {
    const found = recommendReplicas(nowUs, current, pods, spec.targetCpuPercent, tolerancesOf(rules));
    if (typeof found === 'string') return found;
    return { ...found, seen: `CPU at ${found.utilizationPercent} % of requests, target ${spec.targetCpuPercent} %` };
  });
}

/** The sync for any metrics, as the given release reads `behavior`. */
export function desiredReplicasByMetrics(input: {
  readonly nowUs: number;
  readonly kubernetesMinor: number;
  readonly spec: Bounds & Pick<HpaSpec, 'behavior'>;
  readonly metrics: readonly HpaMetric[];
  /** `spec.replicas` and `status.replicas` of the target. */
  readonly currentReplicas: number;
  readonly statusReplicas: number;
  /** Running pods whose Ready condition is true; null where the selector finds no pod at all. */
  readonly readyPodCount: number | null;
  readonly state: HpaState;
}): HpaOutcome {
  const rules = behaviorRules(input.spec.behavior);
  const tolerances = input.kubernetesMinor >= TOLERANCE_FIELD_MINOR ? tolerancesOf(rules) : tolerancesOf(null);
  return sync(input, rules, () => {
    const verdict = recommendByMetrics(input.metrics, { ...input, tolerances });
    if (typeof verdict === 'string') return verdict;
    const seen = [verdict.because, ...verdict.failures].join('; ');
    return { replicas: verdict.replicas, utilizationPercent: null, seen };
  });
}

interface Seen {
  readonly replicas: number;
  readonly utilizationPercent: number | null;
  readonly seen: string;
}

interface SyncInput {
  readonly nowUs: number;
  readonly spec: Bounds;
  readonly currentReplicas: number;
  readonly state: HpaState;
}

function sync(input: SyncInput, rules: BehaviorRules | null, ask: () => Seen | string): HpaOutcome {
  const { nowUs, spec, currentReplicas: current } = input;
  // The first sync counts the replicas it finds as a recommendation: no scale-down in the first 5 minutes.
  const state =
    input.state.recommendations.length > 0
      ? input.state
      : { ...input.state, recommendations: [{ atUs: nowUs, replicas: current }] };
  const outcome = (replicas: number, because: string, next: HpaState, metrics: Seen | null): HpaOutcome => ({
    replicas,
    recommended: metrics?.replicas ?? null,
    utilizationPercent: metrics?.utilizationPercent ?? null,
    because,
    state: withScaleEvent(next, nowUs, current, replicas, rules),
  });

  if (current === 0 && spec.minReplicas > 0) return outcome(0, 'scaled to zero: the autoscaler is off', state, null);
  if (current > spec.maxReplicas) return outcome(spec.maxReplicas, 'above maxReplicas', state, null);
  if (current < spec.minReplicas) return outcome(spec.minReplicas, 'below minReplicas', state, null);
  const metrics = ask();
  if (typeof metrics === 'string') return outcome(current, metrics, state, null);
  const normalized =
    rules === null
      ? normalizeLegacy(nowUs, current, metrics.replicas, spec, state)
      : normalizeWithBehavior(nowUs, current, metrics.replicas, spec, rules, state);
  return outcome(normalized.replicas, explain(metrics, current, normalized.replicas), normalized.state, metrics);
}

function explain(metrics: Seen, current: number, replicas: number): string {
  if (metrics.replicas === replicas) return replicas === current ? `${metrics.seen}: no change` : metrics.seen;
  return `${metrics.seen}: ${metrics.replicas} wanted, ${replicas} allowed now`;
}

function tolerancesOf(rules: BehaviorRules | null): Tolerances {
  return { up: rules?.scaleUp.tolerance ?? TOLERANCE, down: rules?.scaleDown.tolerance ?? TOLERANCE };
}

/** What CPU utilisation asks for, before any limit; a sentence where it cannot say. */
export function recommendReplicas(
  nowUs: number,
  current: number,
  pods: readonly HpaPod[],
  targetPercent: number,
  tolerances: Tolerances,
): Recommendation | string {
  const context = { nowUs, currentReplicas: current, tolerances };
  return byUtilization(context, pods.map(withAmounts), 'cpu', targetPercent);
}

/** Samples come in nanocores, and quantities round up to a whole milli. */
export function withAmounts(pod: HpaPod): MetricPod {
  const { sample } = pod;
  return {
    ...pod,
    requestAmount: pod.cpuRequestMillicores,
    sample: sample && { ...sample, amount: Math.ceil(Math.round(sample.cpuMillicores * 1e6) / 1e6) },
  };
}
