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

export type { HpaState } from './hpaBehavior.js';

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
/** A younger pod's CPU counts only once it is ready and the sample lies wholly after that: starting up burns CPU. */
const CPU_INITIALIZATION_PERIOD_US = 300_000_000;
/** An older pod that went unready within this time of its start never was ready at all. */
const INITIAL_READINESS_DELAY_US = 30_000_000;

export function newHpaState(): HpaState {
  return { recommendations: [], scaleUps: [], scaleDowns: [] };
}

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
  // The first sync counts the replicas it finds as a recommendation: no scale-down in the first 5 minutes.
  const state =
    input.state.recommendations.length > 0
      ? input.state
      : { ...input.state, recommendations: [{ atUs: nowUs, replicas: current }] };
  const outcome = (replicas: number, because: string, next: HpaState, metrics: Recommendation | null): HpaOutcome => ({
    replicas,
    recommended: metrics?.replicas ?? null,
    utilizationPercent: metrics?.utilizationPercent ?? null,
    because,
    state: withScaleEvent(next, nowUs, current, replicas, rules),
  });

  if (current === 0 && spec.minReplicas > 0) return outcome(0, 'scaled to zero: the autoscaler is off', state, null);
  if (current > spec.maxReplicas) return outcome(spec.maxReplicas, 'above maxReplicas', state, null);
  if (current < spec.minReplicas) return outcome(spec.minReplicas, 'below minReplicas', state, null);
  const metrics = recommendReplicas(nowUs, current, pods, spec.targetCpuPercent, tolerancesOf(rules));
  if (typeof metrics === 'string') return outcome(current, metrics, state, null);
  const normalized =
    rules === null
      ? normalizeLegacy(nowUs, current, metrics.replicas, spec, state)
      : normalizeWithBehavior(nowUs, current, metrics.replicas, spec, rules, state);
  return outcome(normalized.replicas, explain(metrics, spec, current, normalized.replicas), normalized.state, metrics);
}

function explain(metrics: Recommendation, spec: HpaSpec, current: number, replicas: number): string {
  const seen = `CPU at ${metrics.utilizationPercent} % of requests, target ${spec.targetCpuPercent} %`;
  if (metrics.replicas === replicas) return replicas === current ? `${seen}: no change` : seen;
  return `${seen}: ${metrics.replicas} wanted, ${replicas} allowed now`;
}

export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

function tolerancesOf(rules: BehaviorRules | null): Tolerances {
  return { up: rules?.scaleUp.tolerance ?? TOLERANCE, down: rules?.scaleDown.tolerance ?? TOLERANCE };
}

/** Both edges belong to the tolerated range. */
export function isWithin(tolerances: Tolerances, ratio: number): boolean {
  return 1 - tolerances.down <= ratio && ratio <= 1 + tolerances.up;
}

export interface Recommendation {
  readonly replicas: number;
  readonly utilizationPercent: number;
}

/** What the metrics ask for, before any limit; a sentence where they cannot say. */
export function recommendReplicas(
  nowUs: number,
  current: number,
  pods: readonly HpaPod[],
  targetPercent: number,
  tolerances: Tolerances,
): Recommendation | string {
  if (pods.length === 0) return 'no pods';
  if (pods.some(({ cpuRequestMillicores }) => cpuRequestMillicores <= 0)) return 'a pod has no CPU request';
  const classes = pods.map((pod) => classify(pod, nowUs));
  const inClass = (wanted: PodClass) => pods.filter((_, p) => classes[p] === wanted);
  const [ready, unready, missing] = [inClass('ready'), inClass('unready'), inClass('missing')];
  if (ready.length === 0) return 'no metrics for any ready pod';

  const counted = ready.map((pod) => usageOf(pod, usageMilli(pod)));
  const utilizationPercent = utilization(counted);
  const ratio = utilizationPercent / targetPercent;
  const keep = { replicas: current, utilizationPercent };
  const unreadyMatters = unready.length > 0 && ratio > 1;
  if (!unreadyMatters && missing.length === 0) {
    return isWithin(tolerances, ratio) ? keep : { replicas: Math.ceil(ratio * ready.length), utilizationPercent };
  }

  if (ratio < 1) {
    const assumedPercent = Math.max(100, targetPercent);
    const assumed = (pod: HpaPod) => Math.trunc((pod.cpuRequestMillicores * assumedPercent) / 100);
    counted.push(...missing.map((pod) => usageOf(pod, assumed(pod))));
  } else if (ratio > 1) {
    counted.push(...missing.map((pod) => usageOf(pod, 0)));
  }
  if (unreadyMatters) counted.push(...unready.map((pod) => usageOf(pod, 0)));

  const filledRatio = utilization(counted) / targetPercent;
  const turnsRound = (ratio < 1 && filledRatio > 1) || (ratio > 1 && filledRatio < 1);
  if (isWithin(tolerances, filledRatio) || turnsRound) return keep;
  const replicas = Math.ceil(filledRatio * counted.length);
  const goesAgainst = (filledRatio < 1 && replicas > current) || (filledRatio > 1 && replicas < current);
  return goesAgainst ? keep : { replicas, utilizationPercent };
}

type PodClass = 'ready' | 'unready' | 'missing' | 'ignored';

function classify(pod: HpaPod, nowUs: number): PodClass {
  if (pod.deleting || pod.phase === 'Failed') return 'ignored';
  if (pod.phase === 'Pending') return 'unready';
  if (pod.sample === null) return 'missing';
  const condition = pod.readyCondition;
  if (condition === null || pod.startedAtUs === null) return 'unready';
  const isYoung = pod.startedAtUs + CPU_INITIALIZATION_PERIOD_US > nowUs;
  const isUnready = isYoung
    ? !condition.ready || pod.sample.atUs < condition.changedAtUs + pod.sample.windowUs
    : !condition.ready && pod.startedAtUs + INITIAL_READINESS_DELAY_US > condition.changedAtUs;
  return isUnready ? 'unready' : 'ready';
}

interface Counted {
  readonly usageMilli: number;
  readonly requestMilli: number;
}

function usageOf(pod: HpaPod, usageMilli: number): Counted {
  return { usageMilli, requestMilli: pod.cpuRequestMillicores };
}

/** Samples come in nanocores, and quantities round up to a whole milli. */
function usageMilli(pod: HpaPod): number {
  return Math.ceil(Math.round(pod.sample!.cpuMillicores * 1e6) / 1e6);
}

function utilization(counted: readonly Counted[]): number {
  const usage = counted.reduce((sum, pod) => sum + pod.usageMilli, 0);
  const requests = counted.reduce((sum, pod) => sum + pod.requestMilli, 0);
  return Math.trunc((usage * 100) / requests);
}
