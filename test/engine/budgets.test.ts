/** Budgets as the eviction API reads them; worked numbers from SEMANTICS B9, the slow twin takes pods away one by one. */
import test from 'ava';
import fc from 'fast-check';
import { findBudgets } from '../../engine/budgets.js';
import { viewCluster } from '../../engine/cluster-view.js';
import { step, type KubeObject, type ScaleDown, type Snapshot, type SnapshotPod } from '../../engine/index.js';
import { slowDisruptionsAllowed } from '../models/slowBudget.js';
import { SEED } from '../seed.js';
import { aPod, aSnapshot, aWorkload, anInput, deepFreeze } from './fixtures.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

function aBudget(spec: Record<string, unknown>, name = 'budget', namespace = 'default'): KubeObject {
  const selector = { matchLabels: { app: 'web' } };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace },
    spec: { selector, ...spec },
  };
}

const LABELS = { app: 'web', tier: 'front' };

function webPods(count: number, over: (index: number) => Partial<SnapshotPod> = () => ({})): SnapshotPod[] {
  return Array.from({ length: count }, (_, i) =>
    aPod('web', `n-${'abc'[i % 3]!}`, `web-${i}`, 10, { labels: LABELS, ...over(i) }),
  );
}

function web(budgets: readonly KubeObject[], pods = webPods(7), over: Partial<Snapshot> = {}): Snapshot {
  return aSnapshot({
    workloads: [aWorkload('web', pods.length)],
    pods,
    podDisruptionBudgets: budgets,
    ...over,
  });
}

/** Pods that may go one after the other. */
function letGo(snapshot: Snapshot): number {
  const budgets = findBudgets(viewCluster(deepFreeze(snapshot)));
  let gone = 0;
  for (const pod of snapshot.pods) {
    if (budgets.refusal(pod) !== null) break;
    budgets.spend(pod);
    gone++;
  }
  return gone;
}

const why = (snapshot: Snapshot, pod = snapshot.pods[0]!): string | null =>
  findBudgets(viewCluster(snapshot)).refusal(pod);

test('percentages round up in both fields, whole numbers count pods', (t) => {
  // 7 pods. 50 %: at least ceil(3.5) = 4, so 3 go. At most 30 %: ceil(2.1) = 3 go. At least 5: 2. At most 1: 1.
  t.is(letGo(web([aBudget({ minAvailable: '50%' })])), 3);
  t.is(letGo(web([aBudget({ maxUnavailable: '30%' })])), 3);
  t.is(letGo(web([aBudget({ minAvailable: 5 })])), 2);
  t.is(letGo(web([aBudget({ maxUnavailable: 1 })])), 1);
  t.is(letGo(web([aBudget({ minAvailable: '100%' })])), 0);
  t.is(letGo(web([aBudget({ maxUnavailable: 0 })])), 0);
  t.is(why(web([aBudget({ minAvailable: 7 })])), 'PodDisruptionBudget budget needs 7 healthy pods and has 7');
});

test('a pod that is not ready or on its way out is none of the healthy ones', (t) => {
  // At most 1 may be missing of 7, and one is: nobody may go, but the unready one itself may only if 6 are healthy.
  const oneUnready = webPods(7, (i) => ({ ready: i !== 6 }));
  t.is(letGo(web([aBudget({ maxUnavailable: 1 })], oneUnready)), 0);
  t.is(why(web([aBudget({ maxUnavailable: 1 })], oneUnready), oneUnready[6]), null);
  const twoUnready = webPods(7, (i) => ({ ready: i < 5 }));
  t.regex(why(web([aBudget({ maxUnavailable: 1 })], twoUnready), twoUnready[6]) ?? '', /needs 6 .* has 5/);
  const always = aBudget({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  t.is(why(web([always], twoUnready), twoUnready[6]), null);
  const leaving = webPods(7, (i) => ({ terminating: i === 6 }));
  t.is(letGo(web([aBudget({ maxUnavailable: 1 })], leaving)), 0);
  t.is(why(web([aBudget({ maxUnavailable: 0 })], leaving), leaving[6]), null);
  const pending = webPods(7, (i) => ({ node: i === 6 ? null : 'n-a', ready: i !== 6 }));
  t.is(why(web([aBudget({ maxUnavailable: 0 })], pending), pending[6]), null);
});

test('selectors pick by labels and expressions, a missing selector nothing, an empty one all', (t) => {
  const picks = (selector: unknown): boolean => letGo(web([aBudget({ selector, maxUnavailable: 0 })])) === 0;
  const matches = (...matchExpressions: unknown[]): boolean => picks({ matchExpressions });
  t.true(picks({}));
  t.false(picks(undefined));
  t.true(picks({ matchLabels: { app: 'web', tier: 'front' } }));
  t.false(picks({ matchLabels: { app: 'web', tier: 'back' } }));
  t.true(matches({ key: 'tier', operator: 'In', values: ['back', 'front'] }));
  t.false(matches({ key: 'tier', operator: 'NotIn', values: ['front'] }));
  t.true(matches({ key: 'zone', operator: 'NotIn', values: ['front'] }));
  t.true(matches({ key: 'tier', operator: 'Exists' }));
  t.false(matches({ key: 'toString', operator: 'Exists' }));
  t.true(matches({ key: 'zone', operator: 'DoesNotExist' }));
  t.false(picks({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }));
});

test('budgets of another namespace or of other pods forbid nothing', (t) => {
  t.is(letGo(web([aBudget({ minAvailable: 7 }, 'far', 'elsewhere')])), 7);
  t.is(letGo(web([aBudget({ minAvailable: 7, selector: { matchLabels: { app: 'we' } } })])), 7);
});

test('two budgets on one pod forbid, as the eviction API answers with an error', (t) => {
  const both = web([aBudget({ maxUnavailable: 7 }, 'one'), aBudget({ maxUnavailable: 7, selector: {} }, 'two')]);
  t.regex(why(both) ?? '', /2 disruption budgets \(one and two\)/);
});

test('a budget over several workloads counts the replicas of all of them', (t) => {
  // 4 and 6 replicas: half of 10 is 5, so 5 of the 10 ready pods may go.
  const pods = [...webPods(4), ...webPods(6, (i) => ({ name: `api-${i}`, workload: 'api' }))];
  const workloads = [aWorkload('web', 4), aWorkload('api', 6)];
  t.is(letGo(web([aBudget({ minAvailable: '50%' })], pods, { workloads })), 5);
  t.regex(
    why(web([aBudget({ minAvailable: '50%' })], pods, { workloads: workloads.slice(0, 1) })) ?? '',
    /workload of api-0/,
  );
  // Whole numbers need no controller.
  t.is(letGo(web([aBudget({ minAvailable: 8 })], pods, { workloads: [] })), 2);
});

test('what cannot be read forbids', (t) => {
  const unreadable: Record<string, unknown>[] = [
    { minAvailable: '50' },
    { minAvailable: '101%' },
    { minAvailable: -1 },
    { minAvailable: 1.5 },
    { minAvailable: 1, maxUnavailable: 1 },
    {},
    { maxUnavailable: 5, selector: 'app=web' },
    { maxUnavailable: 5, selector: { matchLabels: { app: 1 } } },
    { maxUnavailable: 5, selector: { matchExpressions: [{ key: 'app', operator: 'Gt', values: ['1'] }] } },
    { maxUnavailable: 5, selector: { matchExpressions: [{ key: 'app', operator: 'In', values: [] }] } },
    { maxUnavailable: 5, selector: { matchLabel: { app: 'api' } } },
  ];
  for (const spec of unreadable) t.is(letGo(web([aBudget(spec)])), 0, JSON.stringify(spec));
  t.is(letGo(web([], webPods(7), { unreadableLists: ['podDisruptionBudgets'] })), 0);
  // Files from before labels were recorded: whether a budget means the pod is not known.
  const bare = webPods(3).map(({ labels, ...pod }) => (labels ? pod : pod));
  t.is(letGo(web([aBudget({ maxUnavailable: 3 })], bare)), 0);
  t.is(letGo(web([], bare)), 3);
});

const down = (snapshot: Snapshot) => {
  const { decisions, skipped } = step(anInput(snapshot, { balancer: { enabled: false } }));
  const decision = decisions.find((entry): entry is ScaleDown => entry.kind === 'scaleDown');
  return { decision, reasons: skipped.map(({ reason }) => reason), details: skipped.map(({ detail }) => detail) };
};

test('scaling down takes as many pods as the budget lets go, and says what held it back', (t) => {
  // 7 pods at 1 % of the request: one would do. At least 5 must stay.
  const { decision } = down(web([aBudget({ minAvailable: 5 })]));
  t.is(decision?.replicasTo, 5);
  t.is(decision?.victims.length, 2);
  t.is(decision?.signals['heldBackBy'], 'PodDisruptionBudget budget needs 5 healthy pods and has 5');
  const refused = down(web([aBudget({ maxUnavailable: 0 })]));
  t.deepEqual([refused.decision, refused.reasons], [undefined, ['disruptionBudget']]);
  t.regex(refused.details[0]!, /needs 7 healthy pods and has 7/);
  t.is(down(web([])).decision?.signals['heldBackBy'], undefined);
});

test('two workloads under one budget spend from it together', (t) => {
  const pods = [...webPods(4), ...webPods(4, (i) => ({ name: `api-${i}`, workload: 'api' }))];
  const workloads = [aWorkload('web', 4), aWorkload('api', 4)];
  const output = step(
    anInput(web([aBudget({ minAvailable: 5 })], pods, { workloads }), { balancer: { enabled: false } }),
  );
  const victims = output.decisions.flatMap((entry) => (entry.kind === 'scaleDown' ? entry.victims : []));
  t.is(victims.length, 3);
});

test('a budget lets go what the slow twin finds by trying', (t) => {
  const percent = fc.nat(100).map((share): `${number}%` => `${share}%`);
  const limit = fc.oneof(
    fc.record({ minAvailable: fc.oneof(fc.nat(12), percent) }),
    fc.record({ maxUnavailable: fc.oneof(fc.nat(12), percent) }),
  );
  fc.assert(
    fc.property(limit, fc.nat(12), fc.nat(12), fc.nat(15), (spec, ready, unready, desired) => {
      // The ready ones stand first, so that as many are asked for as the budget lets go.
      const pods = webPods(ready + unready, (i) => ({ ready: i < ready }));
      const snapshot = web([aBudget(spec)], pods, { workloads: [aWorkload('web', desired)] });
      const slow = pods.length === 0 ? 0 : slowDisruptionsAllowed(spec, pods.length, ready, desired);
      const budgets = findBudgets(viewCluster(snapshot));
      let gone = 0;
      for (const pod of pods.slice(0, ready)) {
        if (budgets.refusal(pod) !== null) break;
        budgets.spend(pod);
        gone++;
      }
      t.is(gone, slow, JSON.stringify({ spec, ready, unready, desired }));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});
