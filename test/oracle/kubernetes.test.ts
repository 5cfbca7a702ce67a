/**
 * Our rules against the answers of the released Kubernetes code, kept in answers/ (README.md says how they are made). The
 * form of a case is written above the Go function that makes it.
 */
import test from 'ava';
import { recommendReplicas, type HpaPod } from '../../sim/cluster/hpa.js';
import {
  behaviorRules,
  normalizeLegacy,
  normalizeWithBehavior,
  withScaleEvent,
  type HpaState,
} from '../../sim/cluster/hpaBehavior.js';
import type { IntOrPercent } from '../../sim/cluster/intOrPercent.js';
import { budgetStatus, type BudgetPod } from '../../sim/cluster/pdb.js';
import { victimOrder } from '../../sim/cluster/replicaset.js';
import { resolveFenceposts, rolloutStep } from '../../sim/cluster/rollingUpdate.js';
import { casesOf } from './cases.js';

const SECOND_US = 1_000_000;
const NOW_US = 1_000_000 * SECOND_US;

test('rolling updates round surge and unavailable as ResolveFenceposts does', (t) => {
  type Case = [IntOrPercent, IntOrPercent, number, number, number];
  for (const [maxSurge, maxUnavailable, desired, surge, unavailable] of casesOf<Case>('fenceposts')) {
    const limits = { maxSurge, maxUnavailable };
    t.deepEqual(resolveFenceposts(limits, desired), { surge, unavailable }, JSON.stringify({ ...limits, desired }));
  }
});

test('the new ReplicaSet grows as NewRSNewReplicas says', (t) => {
  type Case = [IntOrPercent, number, number, number, number];
  for (const [maxSurge, desired, current, old, answer] of casesOf<Case>('new-replicas')) {
    const step = rolloutStep({
      desired,
      limits: { maxSurge, maxUnavailable: 0 },
      current: { replicas: current, available: current },
      old: [{ replicas: old, available: old }],
    });
    t.is(step.current, answer, JSON.stringify({ maxSurge, desired, current, old }));
  }
});

test('a ReplicaSet deletes pods in the order of ActivePodsWithRanks', (t) => {
  type Pod = [string, number, 'Pending' | 'Unknown' | 'Running', number, number, number, number];
  for (const order of casesOf<Pod[]>('victims')) {
    const pods = order.map(([uid, node, phase, readyFor, age, deletionCost, restarts]) => ({
      uid,
      node: node < 0 ? null : node,
      phase,
      ready: readyFor >= 0,
      readySinceUs: readyFor < 0 ? null : NOW_US - readyFor * SECOND_US,
      createdAtUs: NOW_US - age * SECOND_US,
      deletionCost,
      restarts,
    }));
    t.deepEqual(
      victimOrder(pods.toReversed(), NOW_US).map(({ uid }) => uid),
      order.map(([uid]) => uid),
      JSON.stringify(order),
    );
  }
});

type CalculatorPod = [HpaPod['phase'], number, number, number, number, number, number, number];

test('the metrics ask for the replicas of GetResourceReplicas', (t) => {
  type Case = [number, number, number, number, CalculatorPod[], number | null, number | null];
  for (const one of casesOf<Case>('replica-calculator')) {
    const [current, target, up, down, pods, replicas, utilizationPercent] = one;
    const answer = recommendReplicas(NOW_US, current, pods.map(hpaPod), target, { up, down });
    const seen = typeof answer === 'string' ? null : answer;
    t.deepEqual(seen, replicas === null ? null : { replicas, utilizationPercent }, JSON.stringify(one));
  }
});

function hpaPod([phase, deleting, started, ready, changed, request, usage, sampleAge]: CalculatorPod): HpaPod {
  const ago = (seconds: number) => NOW_US - seconds * SECOND_US;
  return {
    phase,
    deleting: deleting === 1,
    startedAtUs: started < 0 ? null : ago(started),
    readyCondition: ready < 0 ? null : { ready: ready === 1, changedAtUs: ago(changed) },
    cpuRequestMillicores: request,
    sample: usage < 0 ? null : { cpuMillicores: usage, atUs: ago(sampleAge), windowUs: 30 * SECOND_US },
  };
}

test('stabilisation, rate limits and bounds follow the autoscaler sync by sync', (t) => {
  type Case = [number, number, number, Record<string, unknown> | null, [number, number, number][]];
  for (const [minReplicas, maxReplicas, first, behavior, steps] of casesOf<Case>('normalize')) {
    const bounds = { minReplicas, maxReplicas };
    const rules = behaviorRules(behavior);
    let state: HpaState = { recommendations: [], scaleUps: [], scaleDowns: [] };
    let current = first;
    let nowUs = NOW_US;
    const replicas = steps.map(([wait, recommended]) => {
      nowUs += wait * SECOND_US;
      const next =
        rules === null
          ? normalizeLegacy(nowUs, current, recommended, bounds, state)
          : normalizeWithBehavior(nowUs, current, recommended, bounds, rules, state);
      state = withScaleEvent(next.state, nowUs, current, next.replicas, rules);
      current = next.replicas;
      return current;
    });
    t.deepEqual(
      replicas,
      steps.map(([, , answer]) => answer),
      JSON.stringify({ ...bounds, first, behavior, steps }),
    );
  }
});

type GuardedPod = [number, number, number, number, number];

test('budgets count and allow as the disruption controller writes into their status', (t) => {
  type Case = [IntOrPercent | null, IntOrPercent | null, number[], GuardedPod[], number[]];
  for (const one of casesOf<Case>('budgets')) {
    const [minAvailable, maxUnavailable, replicas, pods, answer] = one;
    const budget = {
      name: 'web',
      namespace: 'default',
      selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
      limit: minAvailable === null ? { maxUnavailable: maxUnavailable! } : { minAvailable },
      unhealthyPodEviction: 'IfHealthyBudget',
    } as const;
    // Only ReplicaSets with a pod that the budget selects are found.
    const owners = new Set(pods.filter(([, selected]) => selected === 1).map(([owner]) => owner));
    const scale = replicas.reduce((sum, count, set) => sum + (owners.has(set) ? count : 0), 0);
    const status = budgetStatus(budget, pods.map(budgetPod), scale, NOW_US);
    t.deepEqual(
      [status.expectedPods, status.desiredHealthy, status.currentHealthy, status.disruptionsAllowed],
      answer,
      JSON.stringify(one),
    );
  }
});

function budgetPod([, selected, ready, deleting, evicted]: GuardedPod, index: number): BudgetPod {
  return {
    name: `pod-${index}`,
    namespace: 'default',
    labels: { app: selected === 1 ? 'web' : 'other' },
    phase: 'Running',
    ready: ready === 1,
    deleting: deleting === 1,
    evictionAllowedAtUs: evicted < 0 ? null : NOW_US - evicted * SECOND_US,
  };
}
