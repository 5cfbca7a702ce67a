/** Whose place a pod takes (B7): the order of the choice, criterion by criterion, on nodes where room is one number. */
import test from 'ava';
import { choosePreemption, type PreemptablePod, type PreemptionNode } from '../../../sim/cluster/preemption.js';

interface Pod {
  readonly uid: number;
  readonly cores: number;
  readonly priority?: number;
  readonly started?: number;
  readonly budgets?: readonly string[];
}

/** A node with pods that fill all but `free` of it, seen by a pod that wants `wanted` cores. */
function node(name: string, wanted: number, free: number, pods: readonly Pod[]): PreemptionNode {
  return {
    name,
    pods: pods.map(({ uid, priority = 0, started = 0, budgets = [] }): PreemptablePod => ({
      uid,
      priority,
      startedUs: started,
      budgets,
    })),
    fitsWithout: (gone) => free + pods.reduce((sum, { uid, cores }) => sum + (gone.has(uid) ? cores : 0), 0) >= wanted,
  };
}

function chosen(
  nodes: readonly PreemptionNode[],
  allowed: Readonly<Record<string, number>> = {},
  priority = 100,
): [node: string, victims: number[], violations: number] | null {
  const found = choosePreemption(priority, nodes, new Map(Object.entries(allowed)));
  return found && [found.node, found.victims.map(({ uid }) => uid), found.budgetViolations];
}

test('only pods of lower priority go, and no more of them than must', (t) => {
  // Wants 2 of 4 cores: of three pods of 1, 1 and 2 with priorities 5, 1 and 1 the first two may stay.
  const pods = [
    { uid: 1, cores: 1, priority: 5 },
    { uid: 2, cores: 1, priority: 1, started: 10 },
    { uid: 3, cores: 2, priority: 1, started: 20 },
  ];
  t.deepEqual(chosen([node('a', 2, 0, pods)]), ['a', [3], 0]);
  // The same priority is not lower.
  t.is(chosen([node('a', 2, 0, pods)], {}, 1), null);
  // Of priority 5 the first stays, whatever it frees.
  t.is(chosen([node('a', 4, 0, pods)], {}, 5), null);
  t.deepEqual(chosen([node('a', 3, 0, pods)], {}, 5), ['a', [2, 3], 0]);
});

test('the most important stay first: by priority, then those that have run longest', (t) => {
  const alike = (uid: number, started: number) => ({ uid, cores: 1, started });
  // One of three must go: the youngest.
  t.deepEqual(chosen([node('a', 1, 0, [alike(1, 30), alike(2, 10), alike(3, 20)])]), ['a', [1], 0]);
});

test('pods whose budget would break are let stay before more important ones', (t) => {
  const pods = [
    { uid: 1, cores: 1, priority: 50 },
    { uid: 2, cores: 1, priority: 1, budgets: ['b'] },
  ];
  t.deepEqual(chosen([node('a', 1, 0, pods)], { b: 0 }), ['a', [1], 0]);
  t.deepEqual(chosen([node('a', 1, 0, pods)], { b: 1 }), ['a', [2], 0]);
  // Where both must go the budget does not hold it up.
  t.deepEqual(chosen([node('a', 2, 0, pods)], { b: 0 }), ['a', [1, 2], 1]);
});

test('a budget is spent pod by pod, the most important first', (t) => {
  const guarded = (uid: number, started: number) => ({ uid, cores: 1, started, budgets: ['b'] });
  // One disruption is allowed: it goes to the oldest, so the other two are those to be spared, and it is the victim.
  t.deepEqual(chosen([node('a', 1, 0, [guarded(1, 10), guarded(2, 20), guarded(3, 30)])], { b: 1 }), ['a', [1], 0]);
});

const one = (name: string, pod: Omit<Pod, 'cores'>): PreemptionNode => node(name, 1, 0, [{ cores: 1, ...pod }]);
const MIN = -(2 ** 31);

const table: [criterion: string, nodes: PreemptionNode[], best: string][] = [
  [
    'fewest victims against a budget, before all else',
    [one('a', { uid: 1, priority: 1, budgets: ['b'] }), one('b', { uid: 2, priority: 90 })],
    'b',
  ],
  [
    'the lowest priority of the most important victim, before the sum',
    [
      one('a', { uid: 1, priority: 10 }),
      node('b', 2, 0, [
        { uid: 2, cores: 1, priority: 9 },
        { uid: 3, cores: 1, priority: 9 },
      ]),
    ],
    'b',
  ],
  [
    'the smallest sum of priorities',
    [
      node('a', 2, 0, [
        { uid: 1, cores: 1, priority: 9 },
        { uid: 2, cores: 1, priority: 8 },
      ]),
      node('b', 2, 0, [
        { uid: 3, cores: 1, priority: 9 },
        { uid: 4, cores: 1, priority: 7 },
      ]),
    ],
    'b',
  ],
  [
    'each victim counts in the sum, also below zero: one of -1 is less harm than two of -1',
    [
      node('a', 2, 0, [
        { uid: 1, cores: 1, priority: -1 },
        { uid: 2, cores: 1, priority: -1 },
      ]),
      one('b', { uid: 3, priority: -1 }),
    ],
    'b',
  ],
  [
    'the fewest victims, where the lowest priority there is adds nothing to the sum',
    [
      node('a', 2, 0, [
        { uid: 1, cores: 1, priority: 9 },
        { uid: 2, cores: 1, priority: MIN },
      ]),
      one('b', { uid: 3, priority: 9 }),
    ],
    'b',
  ],
  [
    'the latest start of the most important victims: the oldest of them speaks for the node',
    [
      node('a', 2, 0, [
        { uid: 1, cores: 1, started: 10 },
        { uid: 2, cores: 1, started: 90 },
      ]),
      node('b', 2, 0, [
        { uid: 3, cores: 1, started: 20 },
        { uid: 4, cores: 1, started: 21 },
      ]),
    ],
    'b',
  ],
  ['the first, where all are alike', [one('b', { uid: 1 }), one('a', { uid: 2 })], 'b'],
  ['a node where nothing helps is none', [node('a', 9, 0, [{ uid: 1, cores: 1 }]), one('b', { uid: 2 })], 'b'],
];
for (const [criterion, nodes, best] of table)
  test(`the node: ${criterion}`, (t) => {
    t.is(chosen(nodes, { b: 0 })![0], best);
  });

test('a pod that fits without anybody going has no victims to ask for', (t) => {
  t.is(chosen([node('a', 1, 1, [{ uid: 1, cores: 1 }])]), null);
  t.is(chosen([node('a', 1, 0, [])]), null);
});
