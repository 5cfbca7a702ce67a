/** Moves of running replicas: what they save, and everything that forbids one. */
import test from 'ava';
import fc from 'fast-check';
import {
  scorePlacement,
  step,
  type EngineConfig,
  type Move,
  type Snapshot,
  type StepOutput,
} from '../../engine/index.js';
import { aNode, aPod, aSnapshot, aWorkload, anEdge, anInput, deepFreeze, GIB, NOW_MS } from './fixtures.js';
import { SEED } from '../seed.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const MOVES = { enabled: true, minSavingPercent: 30, maxPerStep: 1, cooldownSeconds: 600, timeoutSeconds: 300 };
const NODES = ['a1', 'a2', 'b1', 'b2', 'c1'].map((name) =>
  aNode(name, `eu/${name[0]!}`, { allocatable: { cpuMillicores: 8000, memoryBytes: 32 * GIB } }),
);

/** `web` on the given nodes, called from node a1 alone: 0.3 ms within the zone, 1 ms across, 0.05 ms on the node. */
function web(nodes: readonly string[], over: Partial<Snapshot> = {}): Snapshot {
  return aSnapshot({
    nodes: NODES,
    workloads: [aWorkload('web', nodes.length), aWorkload('front', 1)],
    pods: [...nodes.map((node, i) => aPod('web', node, `web-${i}`)), aPod('front', 'a1', 'front-0')],
    edges: [anEdge('front', 'eu/a', 'web', 100, 'a1')],
    ...over,
  });
}

const run = (
  snapshot: Snapshot,
  moves: Partial<EngineConfig['scaler']['moves']> = {},
  over: Parameters<typeof anInput>[1] = {},
): StepOutput =>
  step(
    deepFreeze(
      anInput(snapshot, {
        balancer: { enabled: false },
        ...over,
        scaler: { ...over.scaler, moves: { ...MOVES, ...moves } },
      }),
    ),
  );
const moveOf = ({ decisions }: StepOutput) =>
  decisions.find((one): one is Move => one.kind === 'move' && one.workload.name === 'web');
const why = ({ skipped }: StepOutput) =>
  skipped.find(({ part, workload }) => part === 'moves' && workload.name === 'web')?.reason;

test('the replica farthest from its callers goes to the nearest node that the spread allows', (t) => {
  // Zone b holds two. On b1 and b2: 1 ms. On a1, with its caller: the same-node guess, 0.05 ms, 95 % less.
  const move = moveOf(run(web(['a2', 'b1', 'b2', 'c1'])));
  t.like(move, { pod: 'web-1', fromNode: 'b1', toNode: 'a1', toZone: 'eu/a', replicas: 4, timeoutSeconds: 300 });
  const [near] = scorePlacement({
    candidates: ['a1'],
    neighbours: [{ node: 'a1', requestsPerSecond: 100, direction: 'upstream' }],
    latencies: [],
    settings: { placementRule: 'weightedSum', topology: { a1: { zone: 'eu/a', region: 'eu' } } },
  });
  t.is(move!.signals['scoreFrom'], 1);
  t.is(move!.signals['scoreTo'], near!.score);
  t.is(move!.signals['savingPercent'], 100 * (1 - near!.score));
});

test('off, as it is by default, nothing is said of moves', (t) => {
  const { decisions, skipped } = run(web(['a2', 'b1', 'b2', 'c1']), { enabled: false });
  t.deepEqual(decisions, []);
  t.false(skipped.some(({ part }) => part === 'moves'));
});

test('a saving below the least is none', (t) => {
  const snapshot = web(['a2', 'b1', 'b2', 'c1']);
  t.is(why(run(snapshot, { minSavingPercent: 96 })), 'belowMinDelta');
  t.truthy(moveOf(run(snapshot, { minSavingPercent: 94 })));
});

test('no zone loses its last replica, however far it is', (t) => {
  const { decisions, skipped } = run(web(['a1', 'b1', 'c1']));
  t.deepEqual(decisions, []);
  t.regex(skipped.find(({ part }) => part === 'moves')!.detail, /no allowed node is nearer/);
});

test('the zone skew does not pass its limit, and one that is beyond may not rise', (t) => {
  // a 2, b 2: a third in a and one left in b is a skew of 2.
  const even = web(['a1', 'a2', 'b1', 'b1']);
  t.truthy(moveOf(run(even, {}, { scaler: { maxZoneSkew: 2 } })));
  t.is(why(run(even, {}, { scaler: { maxZoneSkew: 1 } })), 'belowMinDelta');
});

test('two replicas on one node are not the price of a shorter way', (t) => {
  // a1 and a2 hold one each, as b1 and b2 do: one of them would hold two.
  t.is(why(run(web(['a1', 'a2', 'b1', 'b2']))), 'belowMinDelta');
});

test('a node without room for one more is no target, as both run for a while', (t) => {
  const full = { cpuMillicores: 7500, memoryBytes: GIB };
  const nodes = NODES.map((node) => (node.zone === 'eu/a' ? { ...node, requested: full } : node));
  t.is(why(run(web(['a2', 'b1', 'b2', 'c1'], { nodes }))), 'belowMinDelta');
});

test('what owns the count, a rollout, a replica that is not ready, and blindness forbid a move', (t) => {
  const nodes = ['a2', 'b1', 'b2', 'c1'];
  const snapshot = web(nodes);
  const first = (over: object) => [aWorkload('web', 4, over), aWorkload('front', 1)];
  const hpa = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' } },
  };
  const { health } = snapshot;
  const stale = { status: 'stale', ageMs: 300_000 } as const;
  const absent = { status: 'absent', ageMs: null } as const;
  const unready = snapshot.pods.map((pod) => (pod.name === 'web-0' ? { ...pod, ready: false } : pod));
  t.is(why(run({ ...snapshot, horizontalPodAutoscalers: [hpa] })), 'hpaOwned');
  t.is(why(run({ ...snapshot, workloads: first({ kind: 'StatefulSet' }) })), 'ordered');
  t.is(why(run({ ...snapshot, workloads: first({ updatedReplicas: 2 }) })), 'rolloutRunning');
  t.is(why(run({ ...snapshot, pods: unready })), 'notReady');
  t.is(why(run({ ...snapshot, workloads: first({ desiredReplicas: 5 }) })), 'notReady');
  t.is(why(run({ ...snapshot, health: { ...health, prometheus: stale } })), 'metricsStale');
  t.is(why(run({ ...snapshot, health: { ...health, latencyProber: absent } })), 'metricsAbsent');
  t.is(why(run({ ...snapshot, edges: [] })), 'noTraffic');
});

test('a disruption budget that lets nobody go lets nobody move', (t) => {
  const snapshot = web(['a2', 'b1', 'b2', 'c1']);
  const pods = snapshot.pods.map((pod) => ({ ...pod, labels: { app: pod.workload } }));
  const budget = (spec: object) => ({
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web', namespace: 'default' } },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  });
  t.is(why(run({ ...snapshot, pods, podDisruptionBudgets: [budget({ maxUnavailable: 0 })] })), 'disruptionBudget');
  t.truthy(moveOf(run({ ...snapshot, pods, podDisruptionBudgets: [budget({ maxUnavailable: 1 })] })));
});

test('after a move its workload rests, and the whole cluster makes so many a step', (t) => {
  const snapshot = web(['a2', 'b1', 'b2', 'c1']);
  const { memory } = run(snapshot);
  t.is(why(run(snapshot, {}, { memory, nowMs: NOW_MS + 599_000 })), 'cooldown');
  t.truthy(moveOf(run(snapshot, {}, { memory, nowMs: NOW_MS + 600_000 })));

  const twice = {
    ...snapshot,
    workloads: [aWorkload('other', 4), ...snapshot.workloads],
    pods: [...['a2', 'b1', 'b2', 'c1'].map((node, i) => aPod('other', node, `other-${i}`)), ...snapshot.pods],
    edges: [...snapshot.edges, anEdge('front', 'eu/a', 'other', 100, 'a1')],
  };
  t.is(why(run(twice)), 'moveLimit');
  t.is(run(twice, { maxPerStep: 2 }).decisions.filter(({ kind }) => kind === 'move').length, 2);
});

test('while a replica is on the move none is removed, and its end is nobody else’s change', (t) => {
  const idle = (count: number) => ({
    ...web(['a2', 'b1', 'b2', 'c1', 'a1'].slice(0, count)),
    pods: ['a2', 'b1', 'b2', 'c1', 'a1'].slice(0, count).map((node, i) => aPod('web', node, `web-${i}`, 250)),
  });
  const first = run(idle(4));
  t.is(moveOf(first)?.pod, 'web-1');
  // A look later there are five, and their use has fallen below the lower threshold.
  const five = idle(5);
  const lower = {
    ...five,
    pods: five.pods.map((pod) => ({ ...pod, usage: { cpuMillicores: 100, memoryBytes: GIB } })),
  };
  const scaler = { moves: MOVES };
  const during = step(
    anInput(lower, { balancer: { enabled: false }, scaler, memory: first.memory, nowMs: NOW_MS + 60_000 }),
  );
  t.is(during.skipped.find(({ part, workload }) => part === 'scaler' && workload.name === 'web')?.reason, 'moving');
  // Back to four: overload at once is answered, as nobody has scaled anything down.
  const four = idle(4);
  const busy = { ...four, pods: four.pods.map((pod) => ({ ...pod, usage: { cpuMillicores: 900, memoryBytes: GIB } })) };
  const after = step(
    anInput(busy, { balancer: { enabled: false }, scaler, memory: during.memory, nowMs: NOW_MS + 120_000 }),
  );
  t.is(after.decisions[0]?.kind, 'scaleUp');
});

test('whatever the cluster, a move saves what it must, leaves no zone, and stays within the skew', (t) => {
  const names = NODES.map(({ name }) => name);
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 10 }),
      fc.array(fc.record({ node: fc.constantFrom(...names), rps: fc.integer({ min: 1, max: 500 }) }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      (nodes, callers, maxZoneSkew, maxZones) => {
        const edges = callers.map(({ node, rps }) => anEdge('front', `eu/${node[0]!}`, 'web', rps, node));
        const output = run(web(nodes, { edges }), {}, { scaler: { maxZoneSkew, maxZones } });
        const move = moveOf(output);
        if (!move) return t.truthy(why(output));
        const zone = (node: string): string => node[0]!;
        const zones = (list: readonly string[]) => {
          const counts = new Map<string, number>();
          for (const node of list) counts.set(zone(node), (counts.get(zone(node)) ?? 0) + 1);
          return counts;
        };
        const skew = (counts: Map<string, number>) => Math.max(...counts.values()) - Math.min(...counts.values());
        const at = nodes.findIndex((_, i) => `web-${i}` === move.pod);
        t.is(nodes[at], move.fromNode);
        const after = nodes.map((node, i) => (i === at ? move.toNode : node));
        for (const held of zones(nodes).keys()) t.true(zones(after).has(held), `zone ${held} lost its last replica`);
        t.true(skew(zones(after)) <= Math.max(maxZoneSkew, skew(zones(nodes))));
        t.true(zones(after).size <= Math.max(maxZones, zones(nodes).size));
        t.true((move.signals['savingPercent'] as number) >= MOVES.minSavingPercent);
        return undefined;
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});
