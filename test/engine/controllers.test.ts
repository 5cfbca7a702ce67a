/** Deployments, StatefulSets and Argo Rollouts: who may go, and when none may. */
import test from 'ava';
import fc from 'fast-check';
import { step, type SkipReason, type SnapshotWorkload, type WorkloadKind } from '../../engine/index.js';
import { aNode, aPod, aSnapshot, aWorkload, anInput, GIB } from './fixtures.js';
import { SEED } from '../seed.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const NODES = ['n-a', 'n-b', 'n-c'].map((name, i) =>
  aNode(name, `eu/${'abc'[i]!}`, { allocatable: { cpuMillicores: 32_000, memoryBytes: 64 * GIB } }),
);

/** What the scaler says to `web`: pods by ordinal, each with its node and millicores of 1000. */
function answer(
  kind: WorkloadKind,
  pods: readonly { node: string | null; cpu: number; ordinal?: number }[],
  over: Partial<SnapshotWorkload> = {},
): { reason: SkipReason } | { to: number; victims: string[] } {
  const snapshot = aSnapshot({
    nodes: NODES,
    workloads: [aWorkload('web', pods.length, { kind, ...over })],
    pods: pods.map(({ node, cpu, ordinal }, i) => aPod('web', node, `web-${ordinal ?? i}`, cpu)),
  });
  const { decisions, skipped } = step(anInput(snapshot, { balancer: { enabled: false } }));
  const [decision] = decisions;
  if (!decision) return { reason: skipped[0]!.reason };
  if (decision.kind === 'scaleUp') return { to: decision.replicasTo, victims: [] };
  if (decision.kind === 'scaleDown')
    return { to: decision.replicasTo, victims: decision.victims.map(({ pod }) => pod) };
  throw new Error(decision.kind);
}

const idle = (count: number) => Array.from({ length: count }, (_, i) => ({ node: `n-${'abc'[i % 3]!}`, cpu: 50 }));
const busy = (count: number) => idle(count).map((pod) => ({ ...pod, cpu: 1050 }));

test('a Rollout is scaled as a Deployment is', (t) => {
  t.deepEqual(answer('Rollout', busy(4)), answer('Deployment', busy(4)));
  t.deepEqual(answer('Rollout', idle(8)), answer('Deployment', idle(8)));
});

test('a canary under way is not disturbed: a Rollout is left alone both ways until every pod is of the newest template', (t) => {
  for (const pods of [busy(4), idle(4)]) {
    t.deepEqual(answer('Rollout', pods, { updatedReplicas: 1 }), { reason: 'rolloutRunning' });
    t.true('to' in answer('Rollout', pods, { updatedReplicas: 4 }));
    t.true('to' in answer('Rollout', pods, { updatedReplicas: null }));
  }
});

test('in the rollout of a Deployment overload is still answered, and no pod is taken away', (t) => {
  // 4 at 105 %: 4 * 105 / 70 = 6.
  t.deepEqual(answer('Deployment', busy(4), { updatedReplicas: 1 }), { to: 6, victims: [] });
  t.deepEqual(answer('Deployment', idle(4), { updatedReplicas: 1 }), { reason: 'rolloutRunning' });
});

test('replicas that are not made yet are no rollout', (t) => {
  const over = { desiredReplicas: 6, readyReplicas: 6, updatedReplicas: 4 };
  t.true('to' in answer('StatefulSet', idle(4), over));
});

test('a StatefulSet whose highest ordinal waits for a node names no other pod: its controller would not take it', (t) => {
  const pods = [...idle(3), { node: null, cpu: 50 }];
  t.deepEqual(answer('StatefulSet', pods), { reason: 'noVictim' });
  t.true('to' in answer('Deployment', pods));
});

test('whatever the places, victims of a StatefulSet are its highest ordinals in falling order', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(40), { minLength: 2, maxLength: 10 }),
      fc.array(fc.constantFrom('n-a', 'n-b', 'n-c'), { minLength: 10, maxLength: 10 }),
      (ordinals, nodes) => {
        const pods = ordinals.map((ordinal, i) => ({ ordinal, node: nodes[i]!, cpu: 50 }));
        const said = answer('StatefulSet', pods);
        if ('reason' in said) return t.fail(said.reason);
        const falling = [...ordinals].sort((a, b) => b - a).map((ordinal) => `web-${ordinal}`);
        t.deepEqual(said.victims, falling.slice(0, said.victims.length));
        t.is(said.victims.length, ordinals.length - said.to);
        return undefined;
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
});
