import test from 'ava';
import fc from 'fast-check';
import { drainPass, isDrained, podGone, startDrain, type NodePod } from '../../../sim/cluster/drain.js';
import { budgetStatus, requestEviction, type BudgetPod, type DisruptionBudget } from '../../../sim/cluster/pdb.js';
import { slowDrain } from '../../models/slowDrain.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const S = 1_000_000;

function aPod(name: string, fields: Partial<NodePod> = {}): NodePod {
  return { name, namespace: 'default', owner: 'other', terminationGraceUs: 30 * S, ...fields };
}

const allow = () => ({ code: 201, spendsBudget: true }) as const;
const wait = () => ({ code: 429, because: 'budget' }) as const;
const names = (pods: readonly { pod: NodePod }[]) => pods.map(({ pod }) => pod.name);

/**
 * Drains pods of one service, all on the node, under maxUnavailable; each evicted pod is gone at once and its replacement
 * is ready elsewhere after `repairS`. Returns the second in which each is evicted.
 */
function drainUnder(podNames: readonly string[], maxUnavailable: number, repairS: number): Map<string, number> {
  const budget: DisruptionBudget = {
    name: 'web',
    namespace: 'default',
    selector: { matchLabels: {}, matchExpressions: [] },
    limit: { maxUnavailable },
    unhealthyPodEviction: 'IfHealthyBudget',
  };
  const evictedAtS = new Map<string, number>();
  let state = startDrain(
    podNames.map((name) => aPod(name)),
    0,
  );
  let nowUs: number | null = 0;
  while (nowUs !== null) {
    const atUs: number = nowUs;
    const podOf = (name: string): BudgetPod => {
      const sinceS = evictedAtS.get(name);
      // The replacement stands for the pod.
      const ready = sinceS === undefined || atUs >= (sinceS + repairS) * S;
      return {
        name,
        namespace: 'default',
        labels: {},
        phase: 'Running',
        ready,
        deleting: false,
        evictionAllowedAtUs: null,
      };
    };
    const pass = drainPass(state, atUs, ({ name }) => {
      const status = () => budgetStatus(budget, podNames.map(podOf), podNames.length, atUs);
      const answer = requestEviction(podOf(name), [budget], status);
      if (answer.code === 201) evictedAtS.set(name, atUs / S);
      return answer;
    });
    state = pass.state;
    for (const { pod } of pass.evicted) state = podGone(state, pod);
    nowUs = pass.nextAtUs;
  }
  return isDrained(state) ? evictedAtS : new Map<string, number>();
}

test('B9: a drain leaves DaemonSet and mirror pods and asks the others by namespace and name', (t) => {
  const pods = [
    aPod('web-b'),
    aPod('proxy', { owner: 'DaemonSet' }),
    aPod('web-a'),
    aPod('etcd', { owner: 'mirror' }),
    aPod('zoo', { namespace: 'a' }),
  ];
  const { evicted, nextAtUs, state } = drainPass(startDrain(pods, 7 * S), 7 * S, allow);
  t.deepEqual(names(evicted), ['zoo', 'web-a', 'web-b']);
  t.is(evicted[0]!.killAtUs, 37 * S);
  t.is(nextAtUs, null);
  t.false(isDrained(state));
  t.true(isDrained(pods.reduce(podGone, state)));
});

test('B9: a pod held back is asked again after 5 s, and holds up no other', (t) => {
  const start = startDrain([aPod('a'), aPod('b')], 0);
  const first = drainPass(start, 0, ({ name }) => (name === 'a' ? wait() : allow()));
  t.deepEqual([names(first.evicted), first.nextAtUs], [['b'], 5 * S]);
  const early = drainPass(first.state, 4 * S, allow);
  t.deepEqual([names(early.evicted), early.nextAtUs], [[], 5 * S]);
  const second = drainPass(early.state, 5 * S, allow);
  t.deepEqual([names(second.evicted), second.nextAtUs], [['a'], null]);
});

test('B9: two budgets on a pod fail the drain for it only', (t) => {
  const start = startDrain([aPod('a'), aPod('b')], 0);
  const { state, evicted } = drainPass(start, 0, ({ name }) =>
    name === 'a' ? { code: 500, because: 'a has 2 disruption budgets' } : allow(),
  );
  t.deepEqual([names(evicted), names(state.failed)], [['b'], ['a']]);
  t.false(isDrained(podGone(state, aPod('b'))));
});

test('B9: a pod that is gone meanwhile is not asked', (t) => {
  const first = drainPass(startDrain([aPod('a')], 0), 0, wait);
  t.true(isDrained(podGone(first.state, aPod('a'))));
});

test('B9: under maxUnavailable 1 and replacements ready after 7 s, three pods leave at 0, 10 and 20 s', (t) => {
  // At 5 s the replacement is not ready yet, at 10 s it is; so again at 15 s and 20 s.
  t.deepEqual(
    [...drainUnder(['a', 'b', 'c'], 1, 7)],
    [
      ['a', 0],
      ['b', 10],
      ['c', 20],
    ],
  );
  // Ready just in time for the next question.
  t.deepEqual(
    [...drainUnder(['a', 'b', 'c'], 1, 5)],
    [
      ['a', 0],
      ['b', 5],
      ['c', 10],
    ],
  );
  t.deepEqual(
    [...drainUnder(['a', 'b', 'c'], 2, 7)],
    [
      ['a', 0],
      ['b', 0],
      ['c', 10],
    ],
  );
});

test(`B9: a drain under a budget keeps the pace of its slow twin ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 23 }),
      (podNames, maxUnavailable, repairS) => {
        t.deepEqual(drainUnder(podNames, maxUnavailable, repairS), slowDrain(podNames, maxUnavailable, repairS));
      },
    ),
    { seed, numRuns: 300 },
  );
});
