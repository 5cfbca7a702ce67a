/**
 * How fast a HorizontalPodAutoscaler may follow its own recommendation: stabilisation first, then the rate limit, then
 * minimum and maximum. Pure: history comes in and goes out.
 *
 * Without `behavior` in the spec the old rules hold: the highest recommendation of the last 5 minutes, and at most
 * max(2 x current, 4) at a time. With any `behavior`, its rules and the API's defaults for what it leaves out.
 *
 * Source: kube-controller-manager's horizontal.go. The edges are its own: the legacy window counts a recommendation exactly
 * at its edge, the behavior windows and the rate periods do not. Old entries are overwritten one at a time, as there, so
 * the history stays as short as the longest window needs.
 */

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

export interface ScalingRules {
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly stabilizationWindowSeconds: number;
  readonly policies: readonly ScalingPolicy[];
  /** Null: the controller's own (0.1). */
  readonly tolerance: number | null;
}

export interface BehaviorRules {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

export interface HpaState {
  readonly recommendations: readonly { readonly atUs: number; readonly replicas: number }[];
  readonly scaleUps: readonly ScaleEvent[];
  readonly scaleDowns: readonly ScaleEvent[];
}

/** A change of the replica count that the autoscaler made; `change` is positive both ways. */
export interface ScaleEvent {
  readonly atUs: number;
  readonly change: number;
}

export interface Bounds {
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** Controller flag `--horizontal-pod-autoscaler-downscale-stabilization`; shorter follows every dip in the load. */
const DOWNSCALE_STABILIZATION_SECONDS = 300;
const SECOND_US = 1_000_000;

/** What the API server fills in for a `behavior` that is present (`{}` included). Null in, null out: the legacy path. */
export function behaviorRules(behavior: Readonly<Record<string, unknown>> | null): BehaviorRules | null {
  if (behavior === null) return null;
  const up: ScalingRules = {
    selectPolicy: 'Max',
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
    tolerance: null,
  };
  const down: ScalingRules = {
    selectPolicy: 'Max',
    stabilizationWindowSeconds: DOWNSCALE_STABILIZATION_SECONDS,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    tolerance: null,
  };
  return { scaleUp: overlay(up, behavior['scaleUp']), scaleDown: overlay(down, behavior['scaleDown']) };
}

function overlay(defaults: ScalingRules, written: unknown): ScalingRules {
  const rules = (written ?? {}) as {
    readonly [field in keyof ScalingRules]?: ScalingRules[field] | string | null;
  };
  return {
    selectPolicy: (rules.selectPolicy as ScalingRules['selectPolicy'] | null | undefined) ?? defaults.selectPolicy,
    stabilizationWindowSeconds: Number(rules.stabilizationWindowSeconds ?? defaults.stabilizationWindowSeconds),
    policies: (rules.policies as readonly ScalingPolicy[] | null | undefined) ?? defaults.policies,
    tolerance: rules.tolerance === undefined || rules.tolerance === null ? null : quantity(rules.tolerance),
  };
}

/** A Kubernetes quantity as it occurs for a tolerance: 0.05, "0.05" or "50m". */
function quantity(written: string | number): number {
  const text = String(written);
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text);
}

export interface Normalized {
  readonly replicas: number;
  /** State with the recommendation recorded. */
  readonly state: HpaState;
}

/** `current` lies within the bounds. `recommended` is what the metrics ask for. */
export function normalizeLegacy(
  nowUs: number,
  current: number,
  recommended: number,
  bounds: Bounds,
  state: HpaState,
): Normalized {
  const cutoffUs = nowUs - DOWNSCALE_STABILIZATION_SECONDS * SECOND_US;
  const recent = state.recommendations.filter(({ atUs }) => atUs >= cutoffUs);
  const stabilized = Math.max(recommended, ...recent.map(({ replicas }) => replicas));
  // A guard of old against bogus usage figures: at most double, but 4 is always within reach.
  const upperLimit = Math.min(bounds.maxReplicas, Math.max(2 * current, 4));
  const replicas = stabilized < bounds.minReplicas ? bounds.minReplicas : Math.min(stabilized, upperLimit);
  return { replicas, state: withRecommendation(state, nowUs, recommended, cutoffUs) };
}

/** As `normalizeLegacy`, under `behavior`. */
export function normalizeWithBehavior(
  nowUs: number,
  current: number,
  recommended: number,
  bounds: Bounds,
  rules: BehaviorRules,
  state: HpaState,
): Normalized {
  const upCutoffUs = nowUs - rules.scaleUp.stabilizationWindowSeconds * SECOND_US;
  const downCutoffUs = nowUs - rules.scaleDown.stabilizationWindowSeconds * SECOND_US;
  const since = (cutoffUs: number) =>
    state.recommendations.filter(({ atUs }) => atUs > cutoffUs).map(({ replicas }) => replicas);
  const upRecommendation = Math.min(recommended, ...since(upCutoffUs));
  const downRecommendation = Math.max(recommended, ...since(downCutoffUs));
  const stabilized = Math.min(Math.max(current, upRecommendation), downRecommendation);

  let replicas = stabilized;
  if (stabilized > current) {
    const limit = Math.max(current, upLimit(nowUs, current, rules.scaleUp, state));
    replicas = Math.min(stabilized, limit, bounds.maxReplicas);
  } else if (stabilized < current) {
    const limit = Math.min(current, downLimit(nowUs, current, rules.scaleDown, state));
    replicas = Math.max(stabilized, limit, bounds.minReplicas);
  }
  return { replicas, state: withRecommendation(state, nowUs, recommended, Math.min(upCutoffUs, downCutoffUs)) };
}

function upLimit(nowUs: number, current: number, rules: ScalingRules, state: HpaState): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map((policy) => {
    const base = periodStart(nowUs, current, policy, state);
    // Rounded up: 10 % of one pod must still allow a second one.
    return policy.type === 'Pods' ? base + policy.value : Math.ceil(base * (1 + policy.value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(nowUs: number, current: number, rules: ScalingRules, state: HpaState): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map((policy) => {
    const base = periodStart(nowUs, current, policy, state);
    return policy.type === 'Pods' ? base - policy.value : Math.trunc(base * (1 - policy.value / 100));
  });
  // The largest change down is the lowest count.
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** The count before the changes of the policy's period. */
function periodStart(nowUs: number, current: number, policy: ScalingPolicy, state: HpaState): number {
  const cutoffUs = nowUs - policy.periodSeconds * SECOND_US;
  const changed = (events: readonly ScaleEvent[]) =>
    events.reduce((sum, event) => sum + (event.atUs > cutoffUs ? event.change : 0), 0);
  return current - changed(state.scaleUps) + changed(state.scaleDowns);
}

/** Only changes made under `behavior` are remembered; the legacy path looks at none. */
export function withScaleEvent(
  state: HpaState,
  nowUs: number,
  from: number,
  to: number,
  rules: BehaviorRules | null,
): HpaState {
  if (rules === null || from === to) return state;
  const cutoffUs = (direction: ScalingRules) =>
    nowUs - Math.max(0, ...direction.policies.map(({ periodSeconds }) => periodSeconds)) * SECOND_US;
  const event = { atUs: nowUs, change: Math.abs(to - from) };
  return to > from
    ? { ...state, scaleUps: replaceOld(state.scaleUps, event, cutoffUs(rules.scaleUp)) }
    : { ...state, scaleDowns: replaceOld(state.scaleDowns, event, cutoffUs(rules.scaleDown)) };
}

function withRecommendation(state: HpaState, nowUs: number, replicas: number, cutoffUs: number): HpaState {
  return { ...state, recommendations: replaceOld(state.recommendations, { atUs: nowUs, replicas }, cutoffUs) };
}

/** Puts the entry in place of the last one from before the cutoff, or at the end. */
function replaceOld<T extends { readonly atUs: number }>(entries: readonly T[], entry: T, cutoffUs: number): T[] {
  const old = entries.findLastIndex(({ atUs }) => atUs < cutoffUs);
  return old < 0 ? [...entries, entry] : entries.with(old, entry);
}
