import test from 'ava';
import { step, type ScaleDown, type ScaleUp, type Snapshot, type StepOutput } from '../../engine/index.js';
import { aNode, aPod, aSnapshot, aWorkload, anEdge, anInput, GIB, NOW_MS } from './fixtures.js';

const NODES = ['n-a', 'n-b', 'n-c'];
const ROOMY = NODES.map((name, index) =>
  aNode(name, `eu/${'abc'[index]!}`, { allocatable: { cpuMillicores: 32_000, memoryBytes: 64 * GIB } }),
);

/** One workload `web`, pods dealt over the three nodes, each using the given millicores of 1000. */
function web(usages: readonly number[], over: Partial<Snapshot> = {}): Snapshot {
  return aSnapshot({
    nodes: ROOMY,
    workloads: [aWorkload('web', usages.length)],
    pods: usages.map((cpu, index) => aPod('web', NODES[index % 3]!, `web-${index}`, cpu)),
    ...over,
  });
}

const OFF = { balancer: { enabled: false } };
const reasons = ({ skipped }: StepOutput) =>
  skipped.filter(({ part }) => part === 'scaler').map(({ reason }) => reason);
const up = ({ decisions }: StepOutput) => decisions.find((entry): entry is ScaleUp => entry.kind === 'scaleUp');
const down = ({ decisions }: StepOutput) => decisions.find((entry): entry is ScaleDown => entry.kind === 'scaleDown');

test('exactly at a threshold nothing happens', (t) => {
  t.deepEqual(reasons(step(anInput(web([700, 700, 700]), OFF))), ['withinThresholds']);
  t.deepEqual(reasons(step(anInput(web([200, 200, 200]), OFF))), ['withinThresholds']);
});

test('above the upper threshold replicas are added in proportion, to end at it', (t) => {
  // 4 pods at 105 %: 4 * 105 / 70 = 6 exactly. At 71 %: 4.06, so 5. With the rule `one` always 5.
  t.is(up(step(anInput(web([1050, 1050, 1050, 1050]), OFF)))?.replicasTo, 6);
  t.is(up(step(anInput(web([710, 710, 710, 710]), OFF)))?.replicasTo, 5);
  t.is(up(step(anInput(web([1050, 1050, 1050, 1050]), { ...OFF, scaler: { stepRule: 'one' } })))?.replicasTo, 5);
});

test('below the lower threshold replicas are removed in proportion, at least one', (t) => {
  // 8 pods at 10 %: 8 * 10 / 20 = 4. At 19 %: 7.6, rounded up 8, but at least one goes: 7.
  t.is(down(step(anInput(web(Array(8).fill(100)), OFF)))?.replicasTo, 4);
  t.is(down(step(anInput(web(Array(8).fill(190)), OFF)))?.replicasTo, 7);
  t.is(down(step(anInput(web(Array(8).fill(0)), { ...OFF, scaler: { minReplicas: 3 } })))?.replicasTo, 3);
});

test('replica counts stay between least and most', (t) => {
  t.is(up(step(anInput(web(Array(8).fill(2000)), OFF)))?.replicasTo, 10);
  t.deepEqual(reasons(step(anInput(web(Array(10).fill(2000)), OFF))), ['atMaxReplicas']);
  t.deepEqual(reasons(step(anInput(web([10]), OFF))), ['atMinReplicas']);
  const own = { ...OFF, config: { workloads: { 'default/web': { minReplicas: 5, maxReplicas: 6 } } } };
  t.is(up(step(anInput(web([500, 500]), own)))?.replicasTo, 5);
});

test('utilisation is of the request, or of the limit when asked', (t) => {
  const snapshot = web([800, 800]);
  const pods = snapshot.pods.map((pod) => ({ ...pod, limits: { cpuMillicores: 2000, memoryBytes: GIB } }));
  t.truthy(up(step(anInput({ ...snapshot, pods }, OFF))));
  t.deepEqual(reasons(step(anInput({ ...snapshot, pods }, { ...OFF, config: { utilizationBasis: 'limit' } }))), [
    'withinThresholds',
  ]);
});

test('combined utilisation is the weighted mean, with weights as fractions of their sum', (t) => {
  // cpu 100 %, memory 50 %: 75 % with 50/50 as with 0.5/0.5, 60 % with 20/80.
  const at = (cpuWeight: number, memoryWeight: number) =>
    step(anInput(web([1000, 1000]), { ...OFF, config: { metric: 'cpu-memory', cpuWeight, memoryWeight } }));
  t.is(up(at(50, 50))?.signals['utilizationPercent'], 75);
  t.is(up(at(0.5, 0.5))?.signals['utilizationPercent'], 75);
  t.deepEqual(reasons(at(20, 80)), ['withinThresholds']);
});

test('a pod without request and limit leaves its workload alone', (t) => {
  const none = { cpuMillicores: null, memoryBytes: null };
  const snapshot = web([900]);
  const bare = {
    ...snapshot,
    workloads: [aWorkload('web', 1, { podRequests: none })],
    pods: snapshot.pods.map((pod) => ({ ...pod, requests: none })),
  };
  t.deepEqual(reasons(step(anInput(bare, OFF))), ['noRequestNorLimit']);
});

test('a pod without metrics holds everything for its grace, then counts as idle on the way up and bars the way down', (t) => {
  const silent = (ageSeconds: number, usages: number[]) => {
    const snapshot = web(usages);
    const cold = aPod('web', 'n-c', 'cold', 0, { usage: null, createdAtMs: NOW_MS - ageSeconds * 1000 });
    return { ...snapshot, workloads: [aWorkload('web', usages.length + 1)], pods: [...snapshot.pods, cold] };
  };
  t.deepEqual(reasons(step(anInput(silent(119, [2000, 2000]), OFF))), ['coldPods']);
  // (90 + 90 + 0) / 3 = 60 %: not above 70. (120 + 120 + 0) / 3 = 80 %: 2 * 120 / 70 = 3.4, so 4.
  t.deepEqual(reasons(step(anInput(silent(120, [900, 900]), OFF))), ['withinThresholds']);
  t.is(up(step(anInput(silent(120, [1200, 1200]), OFF)))?.replicasTo, 4);
  t.deepEqual(reasons(step(anInput(silent(120, [50, 50]), OFF))), ['coldPods']);
});

test('replicas that were asked for and are not there yet are not asked for again', (t) => {
  // 4 wanted, 2 pods at 90 %: 2 * 90 / 4 = 45 %.
  const snapshot = { ...web([900, 900]), workloads: [aWorkload('web', 4, { readyReplicas: 2 })] };
  t.deepEqual(reasons(step(anInput(snapshot, OFF))), ['withinThresholds']);
  t.deepEqual(reasons(step(anInput({ ...snapshot, pods: [] }, OFF))), ['notReady']);
});

test('nothing is removed while a replica is not ready', (t) => {
  const snapshot = { ...web([50, 50, 50]), workloads: [aWorkload('web', 3, { readyReplicas: 2 })] };
  t.deepEqual(reasons(step(anInput(snapshot, OFF))), ['notReady']);
});

test('stale or absent metrics scale nothing', (t) => {
  const health = aSnapshot().health;
  const absent = { ...health, prometheus: { status: 'absent', ageMs: null } } as const;
  const stale = { ...health, prometheus: { status: 'stale', ageMs: 300_000 } } as const;
  t.deepEqual(reasons(step(anInput(web([2000], { health: absent }), OFF))), ['metricsAbsent']);
  t.deepEqual(reasons(step(anInput(web([2000], { health: stale }), OFF))), ['metricsStale']);
});

test('a replica count that an HPA, a ScaledObject or sleep owns is left alone', (t) => {
  const owner = (kind: string, target: unknown) => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'owner', namespace: 'default' },
    spec: { scaleTargetRef: target },
  });
  const hpas = (target: unknown) => ({ horizontalPodAutoscalers: [owner('HorizontalPodAutoscaler', target)] });
  const at = (over: Partial<Snapshot>) => reasons(step(anInput(web([2000], over), OFF)));
  t.deepEqual(at(hpas({ kind: 'Deployment', name: 'web' })), ['hpaOwned']);
  t.deepEqual(at(hpas({ kind: 'StatefulSet', name: 'web' })), []);
  t.deepEqual(at(hpas({ kind: 'Deployment', name: 'other' })), []);
  t.deepEqual(at(hpas(null)), ['hpaOwned']);
  t.deepEqual(at({ scaledObjects: [owner('ScaledObject', { name: 'web' })] }), ['scaledObjectOwned']);
  t.deepEqual(at({ workloads: [aWorkload('web', 0)], pods: [] }), ['asleep']);
});

test('cool-down holds the same direction, and the guard against flapping the opposite one', (t) => {
  const first = step(anInput(web([2000]), OFF));
  t.deepEqual(first.memory.lastScaling, { 'default/Deployment/web': { atMs: NOW_MS, direction: 'up' } });
  const later = (usages: number[], seconds: number, memory = first.memory) =>
    step(anInput(web(usages), { ...OFF, memory, nowMs: NOW_MS + seconds * 1000 }));
  t.deepEqual(reasons(later([2000], 59.9)), ['cooldown']);
  t.truthy(up(later([2000], 60)));
  t.deepEqual(reasons(later([10, 10], 30)), ['flapping']);
  const afterRemoval = step(anInput(web([10, 10, 10]), OFF)).memory;
  t.deepEqual(reasons(later([2000], 59.9, afterRemoval)), ['flapping']);
  t.truthy(up(later([2000], 60, afterRemoval)));
  t.deepEqual(reasons(later([10, 10, 10], 1, afterRemoval)), ['cooldown']);
  t.deepEqual(later([500], 60).memory.lastScaling, {});
});

test('new replicas go to fresh zones first, then near those who call', (t) => {
  const snapshot = web([2000], { edges: [anEdge('gw', 'eu/b', 'web', 100)] });
  // 1 pod at 200 %: ceil(200/70) = 3. It runs in a; b is where the caller is, then c is the last fresh zone.
  const decision = up(step(anInput(snapshot, OFF)));
  t.deepEqual(decision?.placements, [
    { node: 'n-b', zone: 'eu/b' },
    { node: 'n-c', zone: 'eu/c' },
  ]);
  t.true(decision!.because.length > 0 && decision!.rejected.length > 0);
  // 1/1/1 and six more: b to 3 (2 above the others), then a and c by least used to 2/3/2, b again to 4, then a.
  const covered = { ...web([2000, 2000, 2000]), edges: [anEdge('gw', 'eu/b', 'web', 100)] };
  t.deepEqual(
    up(step(anInput(covered, OFF)))?.placements.map(({ zone }) => zone),
    ['eu/b', 'eu/b', 'eu/a', 'eu/c', 'eu/b', 'eu/a'],
  );
});

test('without callers the least used node is taken', (t) => {
  const nodes = [
    aNode('n-a', 'eu/a', { requested: { cpuMillicores: 1000, memoryBytes: GIB } }),
    aNode('n-b', 'eu/b', { requested: { cpuMillicores: 900, memoryBytes: 3 * GIB } }),
    aNode('n-c', 'eu/c', { requested: { cpuMillicores: 800, memoryBytes: 2 * GIB } }),
  ];
  const at = (metric: 'cpu' | 'memory') =>
    up(step(anInput(web([900, 900], { nodes }), { ...OFF, config: { metric } })));
  t.is(at('cpu')?.placements[0]?.node, 'n-c');
  // Memory: half used, within thresholds; the only fresh zone is c anyway.
  const empty = aSnapshot({ nodes, workloads: [aWorkload('web', 1)] });
  const gated = { ...empty, pods: [aPod('web', null, 'web-0', 0, { gated: true, usage: null })] };
  const placed = (metric: 'cpu' | 'memory' | 'cpu-memory') =>
    step(anInput(gated, { scope: 'placement', config: { metric } })).decisions.map(
      (entry) => entry.kind === 'place' && entry.node,
    );
  t.deepEqual(placed('cpu'), ['n-c']);
  t.deepEqual(placed('memory'), ['n-a']);
  // Fractions of 4000 millicores and 16 GiB, mean: a (.25+.0625)/2, b (.225+.1875)/2, c (.2+.125)/2 = .156, .206, .163.
  t.deepEqual(placed('cpu-memory'), ['n-a']);
});

test('nodes that are full, cordoned, down or tainted take nothing, and no room is said', (t) => {
  const full = { requested: { cpuMillicores: 3500, memoryBytes: 0 } };
  const nodes = [
    aNode('n-a', 'eu/a', full),
    aNode('n-b', 'eu/b', { schedulable: false }),
    aNode('n-c', 'eu/c', { ready: false }),
    aNode('n-d', 'eu/c', { taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }] }),
  ];
  t.deepEqual(reasons(step(anInput(web([2000], { nodes }), OFF))), ['noRoom']);
});

test('what leaves is the youngest pod on the least free node of the fullest zone', (t) => {
  const pods = [
    aPod('web', 'n-a', 'old', 100, { createdAtMs: NOW_MS - 9e6 }),
    aPod('web', 'n-a', 'young', 100, { createdAtMs: NOW_MS - 1e6 }),
    aPod('web', 'n-b', 'alone', 100),
  ];
  const snapshot = { ...web([100, 100, 100]), pods };
  const decision = down(step(anInput(snapshot, { ...OFF, scaler: { stepRule: 'one' } })));
  t.deepEqual(decision?.victims, [{ pod: 'young', node: 'n-a' }]);
  const gone = { ...snapshot, pods: pods.map((pod) => ({ ...pod, node: 'vanished' })) };
  t.deepEqual(reasons(step(anInput(gone, OFF))), ['noVictim']);
});

test('of a StatefulSet the highest ordinals leave, in whatever zones they are', (t) => {
  const pods = ['web-0', 'web-2', 'web-10'].map((name, i) =>
    aPod('web', i === 2 ? 'n-b' : 'n-a', name, 50, { createdAtMs: NOW_MS - (i + 1) * 1e6 }),
  );
  const snapshot = { ...web([50, 50, 50]), workloads: [aWorkload('web', 3, { kind: 'StatefulSet' })], pods };
  // By zone and age it would have been web-0, on the fuller node and the youngest.
  t.deepEqual(down(step(anInput(snapshot, { ...OFF, scaler: { stepRule: 'one' } })))?.victims, [
    { pod: 'web-10', node: 'n-b' },
  ]);
});

test('gated pods see each other and the room they take', (t) => {
  const small = ['n-a', 'n-b'].map((name, index) =>
    aNode(name, `eu/${'ab'[index]!}`, { allocatable: { cpuMillicores: 2000, memoryBytes: 16 * GIB } }),
  );
  const pods = [0, 1, 2, 3, 4].map((index) =>
    aPod('web', null, `web-${index}`, 0, { gated: true, usage: null, createdAtMs: NOW_MS - 1000 + index }),
  );
  const snapshot = aSnapshot({
    nodes: small,
    workloads: [aWorkload('web', 5)],
    pods,
    edges: [anEdge('gw', 'eu/a', 'web', 9)],
  });
  const output = step(anInput(snapshot, { scope: 'placement', scaler: { mode: 'placement' } }));
  // Near the caller first, then the fresh zone, then by distance until a is full; the fifth finds no room.
  t.deepEqual(
    output.decisions.map((entry) => entry.kind === 'place' && `${entry.pod} ${entry.node}`),
    ['web-0 n-a', 'web-1 n-b', 'web-2 n-a', 'web-3 n-b'],
  );
  t.deepEqual(reasons(output), ['noRoom']);
});

test('in mode placement replica counts are left alone, and off says nothing', (t) => {
  t.deepEqual(reasons(step(anInput(web([2000]), { ...OFF, scaler: { mode: 'placement' } }))), ['disabled']);
  const off = step(anInput(web([2000]), { ...OFF, scaler: { mode: 'off' } }));
  t.deepEqual([off.decisions, off.skipped], [[], []]);
});
