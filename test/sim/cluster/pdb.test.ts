import test from 'ava';
import fc from 'fast-check';
import type { IntOrPercent } from '../../../sim/cluster/intOrPercent.js';
import { budgetStatus, requestEviction, type BudgetPod, type DisruptionBudget } from '../../../sim/cluster/pdb.js';
import { slowDisruptionsAllowed } from '../../models/slowBudget.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const web = { matchLabels: { app: 'web' }, matchExpressions: [] };

function aBudget(limit: DisruptionBudget['limit'], fields: Partial<DisruptionBudget> = {}): DisruptionBudget {
  return {
    name: 'web-budget',
    namespace: 'default',
    selector: web,
    limit,
    unhealthyPodEviction: 'IfHealthyBudget',
    ...fields,
  };
}

function aPod(fields: Partial<BudgetPod> = {}): BudgetPod {
  return {
    name: 'web-0',
    namespace: 'default',
    labels: { app: 'web' },
    phase: 'Running',
    ready: true,
    deleting: false,
    evictionAllowedAtUs: null,
    ...fields,
  };
}

/** So many pods, of which the first are unready. */
function somePods(count: number, unready = 0): BudgetPod[] {
  return Array.from({ length: count }, (_, i) => aPod({ name: `web-${i}`, ready: i >= unready }));
}

test('B9 worked: desired healthy pods and evictions allowed', (t) => {
  const rows: [DisruptionBudget['limit'], number, number, number, number][] = [
    // limit, pods, unready of them -> desiredHealthy, disruptionsAllowed
    [{ minAvailable: '50%' }, 7, 0, 4, 3],
    [{ maxUnavailable: '30%' }, 7, 0, 4, 3],
    [{ maxUnavailable: 1 }, 7, 1, 6, 0],
    [{ maxUnavailable: 1 }, 7, 0, 6, 1],
    [{ minAvailable: 2 }, 3, 0, 2, 1],
    [{ minAvailable: 5 }, 3, 0, 5, 0],
    [{ minAvailable: '100%' }, 3, 0, 3, 0],
    [{ maxUnavailable: '100%' }, 3, 1, 0, 2],
    [{ maxUnavailable: 9 }, 3, 0, 0, 3],
    [{ minAvailable: 0 }, 0, 0, 0, 0],
  ];
  for (const [limit, count, unready, desiredHealthy, disruptionsAllowed] of rows) {
    const status = budgetStatus(aBudget(limit), somePods(count, unready), count, 0);
    t.like(status, { desiredHealthy, disruptionsAllowed }, JSON.stringify(limit));
  }
});

test('B9: percentages and maxUnavailable look at what the controllers ask for, minAvailable at the pods there', (t) => {
  // 4 pods of 10 asked for: 50 % of 10 is 5.
  t.like(budgetStatus(aBudget({ minAvailable: '50%' }), somePods(4), 10, 0), { expectedPods: 10, desiredHealthy: 5 });
  t.like(budgetStatus(aBudget({ maxUnavailable: 2 }), somePods(4), 10, 0), { expectedPods: 10, desiredHealthy: 8 });
  t.like(budgetStatus(aBudget({ minAvailable: 3 }), somePods(4), 10, 0), { expectedPods: 4, disruptionsAllowed: 1 });
});

test('B9: a pod whose eviction was allowed is not healthy for two minutes, then it is forgotten', (t) => {
  const pods = [aPod({ evictionAllowedAtUs: 5_000_000 }), ...somePods(2)];
  const healthyAt = (nowUs: number) => budgetStatus(aBudget({ maxUnavailable: 1 }), pods, 3, nowUs).currentHealthy;
  t.deepEqual([healthyAt(6_000_000), healthyAt(124_999_999), healthyAt(125_000_000)], [2, 2, 3]);
});

test('B9: only pods of its namespace and selector count, and an empty selector takes them all', (t) => {
  const pods = [aPod(), aPod({ namespace: 'other' }), aPod({ labels: { app: 'db' } }), aPod({ deleting: true })];
  const healthy = (selector: DisruptionBudget['selector']) =>
    budgetStatus(aBudget({ minAvailable: 1 }, { selector }), pods, 4, 0).currentHealthy;
  t.is(healthy(web), 1);
  t.is(healthy({ matchLabels: {}, matchExpressions: [] }), 2);
  t.is(healthy({ matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }), 1);
  t.is(healthy(null), 0);
});

test('B9: what the eviction API answers', (t) => {
  const budget = aBudget({ minAvailable: 2 });
  const generous = aBudget({ minAvailable: 2 }, { unhealthyPodEviction: 'AlwaysAllow' });
  const code = (pod: BudgetPod, healthy: number, budgets = [budget]) => {
    const pods = somePods(4, 4 - healthy);
    return requestEviction(pod, budgets, (one) => budgetStatus(one, pods, 4, 0)).code;
  };
  const rows: [string, number, number][] = [
    ['3 of 2 needed', code(aPod(), 3), 201],
    ['2 of 2 needed', code(aPod(), 2), 429],
    ['Pending', code(aPod({ phase: 'Pending', ready: false }), 0), 201],
    ['Succeeded', code(aPod({ phase: 'Succeeded' }), 0), 201],
    ['Failed', code(aPod({ phase: 'Failed' }), 0), 201],
    ['deleting already', code(aPod({ deleting: true }), 0), 201],
    ['unready, budget met', code(aPod({ ready: false }), 2), 201],
    ['unready, budget not met', code(aPod({ ready: false }), 1), 429],
    ['unready, always allowed', code(aPod({ ready: false }), 1, [generous]), 201],
    ['two budgets', code(aPod(), 4, [budget, generous]), 500],
    ['none for it', code(aPod({ labels: { app: 'db' } }), 0), 201],
    ['two budgets, but Pending', code(aPod({ phase: 'Pending' }), 4, [budget, generous]), 201],
  ];
  for (const [what, actual, expected] of rows) t.is(actual, expected, what);
});

test('B9: only the eviction of a healthy pod spends the budget', (t) => {
  const pods = somePods(4, 1);
  const ask = (pod: BudgetPod) =>
    requestEviction(pod, [aBudget({ minAvailable: 2 })], (one) => budgetStatus(one, pods, 4, 0));
  t.deepEqual(ask(pods[1]!), { code: 201, spendsBudget: true });
  t.deepEqual(ask(pods[0]!), { code: 201, spendsBudget: false });
});

test(`B9: a budget lets go as many pods as can be taken one by one ${SEED_NOTE}`, (t) => {
  const amount: fc.Arbitrary<IntOrPercent> = fc.oneof(
    fc.nat(12),
    fc.nat(100).map((share) => `${share}%` as const),
  );
  const limit = fc.oneof(
    amount.map((minAvailable) => ({ minAvailable })),
    amount.map((maxUnavailable) => ({ maxUnavailable })),
  );
  fc.assert(
    fc.property(limit, fc.nat(12), fc.nat(12), fc.nat(12), (one, count, unready, scale) => {
      const healthy = Math.max(0, count - unready);
      const { disruptionsAllowed } = budgetStatus(aBudget(one), somePods(count, unready), scale, 0);
      t.is(disruptionsAllowed, slowDisruptionsAllowed(one, count, healthy, scale));
    }),
    { seed, numRuns: 1000 },
  );
});
