/** What scenarios state of scheduling, in the run: where pods go, which wait, when they are tried again (B5 to B8). */
import test from 'ava';
import { PLAIN_POD_SCHEDULING, type PodScheduling } from '../../scenarios/pod-scheduling.js';
import type { Fault, NodeSpec, Service } from '../../scenarios/types.js';
import { simulate, startingServices } from '../../sim/index.js';
import type { WaitingPods } from '../../traces/run-result.js';
import { SEED } from '../seed.js';
import { aLoad, aNode, aScenario, aService, constant } from './builders.js';

const SECOND = 1e6;
const ZONE = 'topology.kubernetes.io/zone';
const HOSTNAME = 'kubernetes.io/hostname';

const rules = (parts: Partial<PodScheduling>): PodScheduling => ({ ...PLAIN_POD_SCHEDULING, ...parts });
const ofApp = (app: string) => ({ matchLabels: { app }, matchExpressions: [] });
const onlyOn = (node: string): Partial<PodScheduling> => ({ nodeSelector: { [HOSTNAME]: node } });
const preferring = (...values: string[]): Partial<PodScheduling> => ({
  preferredNodes: [
    { weight: 100, term: { matchExpressions: [{ key: HOSTNAME, operator: 'In', values }], matchFields: [] } },
  ],
});

interface World {
  readonly zones?: number;
  readonly nodes: readonly NodeSpec[];
  readonly services: readonly Service[];
  readonly faults?: readonly Fault[];
  readonly seconds?: number;
  readonly kubernetesMinor?: number;
}

function scenario({ zones = 1, nodes, services, faults = [], seconds = 60, kubernetesMinor = 37 }: World) {
  const plain = aScenario({
    zones,
    nodes,
    services,
    loads: [aLoad(0, { from: [{ atUs: 0, shares: [1, 0, 0].slice(0, zones) }] })],
    run: { warmUpUs: 0, durationUs: seconds * SECOND, seriesUs: SECOND },
    over: { faults },
  });
  return { ...plain, compat: { ...plain.compat, kubernetesMinor } };
}

/** Names of the services of the pods on each node at the start. */
function placed(world: World): string[][] {
  return startingServices(scenario(world), { policy: 0, seed: SEED }).map((pods) =>
    pods.map((service) => world.services[service]!.name),
  );
}

function run(world: World) {
  const { series, waitingPods = [] } = simulate(scenario(world), { policy: 0, seed: SEED });
  return { ready: series.readyReplicas, waiting: waitingPods };
}

const drained = (node: number, atSeconds: number, forSeconds: number | null = null): Fault => ({
  kind: 'nodeDrain',
  node,
  atUs: atSeconds * SECOND,
  forUs: forSeconds === null ? null : forSeconds * SECOND,
});
const waitOf = (waiting: readonly WaitingPods[], service: string) => waiting.find((one) => one.service === service);

test('B7: a tainted pool stays empty but for pods that tolerate the taint', (t) => {
  const taint = { key: 'dedicated', value: 'data', effect: 'NoSchedule' } as const;
  const nodes = [aNode('n0', 0), aNode('n1', 0, { taints: [taint], labels: { pool: 'data' } })];
  const tolerations = [{ ...taint, operator: 'Equal' as const }];
  const web = aService({ name: 'web', replicas: 4 });
  const db = aService({ name: 'db', replicas: 2, scheduling: rules({ tolerations, nodeSelector: { pool: 'data' } }) });
  t.deepEqual(placed({ nodes, services: [web, db] }), [new Array(4).fill('web'), ['db', 'db']]);
  const { waiting } = run({ nodes: [nodes[1]!], services: [web] });
  t.is(waiting[0]!.reasons[0]!.message, '0 of 1 nodes fit: 1 with a taint that the pod does not tolerate');
});

test('B7: anti-affinity by host places one pod on each node, and the rest waits with its reason', (t) => {
  const nodes = [0, 1, 2].map((i) => aNode(`n${i}`, 0));
  const podAntiAffinity = { required: [{ selector: ofApp('web'), topologyKey: HOSTNAME }], preferred: [] };
  const web = aService({ name: 'web', labels: { app: 'web' }, replicas: 5, scheduling: rules({ podAntiAffinity }) });
  const world = { nodes, services: [web], seconds: 60 };
  t.deepEqual(placed(world), [['web'], ['web'], ['web']]);
  // Two pods over the whole minute.
  t.deepEqual(run(world).waiting, [
    {
      service: 'web',
      mostPods: 2,
      podsAtEnd: 2,
      podSeconds: 120,
      reasons: [{ message: "0 of 3 nodes fit: 3 against the pod's anti-affinity", podSeconds: 120 }],
    },
  ]);
});

test('B7: affinity to pods of another service brings pods to their zone', (t) => {
  const nodes = [0, 1, 2].map((zone) => aNode(`n${zone}`, zone));
  const podAffinity = { required: [{ selector: ofApp('db'), topologyKey: ZONE }], preferred: [] };
  const db = aService({ name: 'db', labels: { app: 'db' }, replicasPerZone: [0, 1, 0] });
  const web = aService({ name: 'web', replicas: 4, scheduling: rules({ podAffinity }) });
  t.deepEqual(placed({ zones: 3, nodes, services: [db, web] }), [[], ['db', 'web', 'web', 'web', 'web'], []]);
});

test('B7: pods go where they prefer to be, and elsewhere once that node is full', (t) => {
  // Weight 2 x 100 of the preference against at most 2 x 28 of the default spread: round(ln 5 x pods + ...) is 11 and 8
  // before the third pod, 100 x 8 / 11 = 72.
  const nodes = [aNode('n0', 0), aNode('n1', 0, { cpuMillicores: 3000 }), aNode('n2', 0)];
  const web = aService({ name: 'web', replicas: 5, scheduling: rules(preferring('n1')) });
  const counts = placed({ nodes, services: [web] }).map((pods) => pods.length);
  t.deepEqual(counts, [1, 3, 1]);
});

test('B8: with fewer domains than minDomains the emptiest counts as none', (t) => {
  const nodes = [aNode('n0', 0), aNode('n1', 1)];
  const constraint = (minDomains: number): PodScheduling['topologySpread'][number] => ({
    topologyKey: ZONE,
    maxSkew: 1,
    whenUnsatisfiable: 'DoNotSchedule',
    selector: ofApp('web'),
    minDomains,
    nodeAffinityPolicy: 'Honor',
    nodeTaintsPolicy: 'Ignore',
  });
  const world = (minDomains: number): World => ({
    zones: 2,
    nodes,
    services: [
      aService({
        name: 'web',
        labels: { app: 'web' },
        replicas: 4,
        scheduling: rules({ topologySpread: [constraint(minDomains)] }),
      }),
    ],
  });
  t.deepEqual(placed(world(2)), [
    ['web', 'web'],
    ['web', 'web'],
  ]);
  // Skew 1 above 0: one pod a zone.
  t.deepEqual(placed(world(3)), [['web'], ['web']]);
  t.is(run(world(3)).waiting[0]!.reasons[0]!.message, `0 of 2 nodes fit: 2 over the ${ZONE} spread's maxSkew`);
});

test('B7: the kubelet takes no more pods than its maxPods', (t) => {
  const world = { nodes: [aNode('n0', 0, { maxPods: 2 })], services: [aService({ name: 'web', replicas: 3 })] };
  t.deepEqual(placed(world), [['web', 'web']]);
  t.is(run(world).waiting[0]!.reasons[0]!.message, '0 of 1 nodes fit: 1 with too many pods');
});

/**
 * Pod `big` needs all but what `filler` leaves of n0. Each drain of a churn node ends one pod, an event that calls `big`,
 * in vain. At 61 s n0 is cordoned and `filler` moves to n1, at 61.5 s n0 takes pods again, and `big` fits.
 */
function boundAfter(kubernetesMinor: number, churnAtSeconds: readonly number[]): number {
  const churn = churnAtSeconds.map((atSeconds, i) => ({ name: `c${i}`, atSeconds }));
  const small = (name: string, scheduling: Partial<PodScheduling>) =>
    aService({ name, terminationGraceUs: 0, scheduling: rules(scheduling) });
  const { waiting } = run({
    nodes: [
      aNode('n0', 0, { cpuMillicores: 4000 }),
      aNode('n1', 0, { cpuMillicores: 2000 }),
      ...churn.map(({ name }) => aNode(name, 0, { cpuMillicores: 1000 })),
    ],
    services: [
      { ...small('filler', { priority: 10, ...preferring('n0') }), replicas: 2 },
      ...churn.map(({ name }) => small(name, onlyOn(name))),
      aService({ name: 'big', requests: { cpuMillicores: 3000, memoryBytes: 1e8 } }),
    ],
    faults: [drained(0, 61, 0.5), ...churn.map(({ atSeconds }, i) => drained(2 + i, atSeconds))],
    seconds: 100,
    kubernetesMinor,
  });
  const { podsAtEnd, podSeconds } = waitOf(waiting, 'big')!;
  if (podsAtEnd > 0) throw new Error('never bound');
  return podSeconds;
}

test('B5: before 1.33 a pod waits 2, 4, 8, 10, 10 s after its second to sixth failure, and for the look of that second', (t) => {
  const bound = [[60.4], [40, 60.4], [20, 40, 60.4], [10, 20, 40, 60.4], [3, 10, 20, 40, 60.4]].map((times) =>
    boundAfter(32, times),
  );
  // The last failure at 60.4 s: 62.4, 64.4, 68.4, 70.4, 70.4 s, each seen at the next whole second.
  t.deepEqual(bound, [63, 65, 69, 71, 71]);
});

test('B5: from 1.33 on the idle scheduler does not wait for the back-off', (t) => {
  const bound = [[60.4], [20, 40, 60.4], [3, 10, 20, 40, 60.4]].map((times) => boundAfter(33, times));
  t.deepEqual(bound, [61.5, 61.5, 61.5]);
});

test('B5: a pod that no event calls is tried again after five minutes', (t) => {
  // `hermit` bears no web beside it. Its move to n1 at 100 s makes room, but the end of a pod that `web` itself has no terms
  // against is no event for it. Parked at 0 s; looks every 30 s: more than 300 s have passed at 330 s.
  const podAntiAffinity = { required: [{ selector: ofApp('web'), topologyKey: HOSTNAME }], preferred: [] };
  const { waiting } = run({
    nodes: [aNode('n0', 0), aNode('n1', 0)],
    services: [
      aService({
        name: 'hermit',
        terminationGraceUs: 0,
        scheduling: rules({ priority: 1, ...preferring('n0'), podAntiAffinity }),
      }),
      aService({ name: 'web', labels: { app: 'web' }, scheduling: rules(onlyOn('n0')) }),
    ],
    faults: [drained(0, 100, 50)],
    seconds: 400,
  });
  const [web] = waiting;
  t.deepEqual([web!.podsAtEnd, web!.podSeconds], [0, 330]);
  t.is(
    web!.reasons[0]!.message,
    '0 of 2 nodes fit: 1 against the anti-affinity of a pod there, 1 not of the node affinity',
  );
});

test('B6: the pod of higher priority takes the room, whoever was queued first', (t) => {
  const world = (high: number): World => {
    const waiting = (name: string, priority: number) => aService({ name, scheduling: rules({ priority }) });
    const filler = aService({
      name: 'filler',
      terminationGraceUs: 0,
      scheduling: rules({ priority: 100, ...preferring('n0') }),
    });
    return {
      nodes: [aNode('n0', 0, { cpuMillicores: 1000 }), aNode('n1', 0, { cpuMillicores: 1000 })],
      // n1 is held for the filler, which moves there while n0 is drained.
      services: [filler, waiting('low', 0), waiting('high', high)].map((service) =>
        service === filler ? service : { ...service, scheduling: { ...service.scheduling, ...onlyOn('n0') } },
      ),
      faults: [drained(0, 20, 5)],
    };
  };
  const atEnd = (high: number) => {
    const { waiting } = run(world(high));
    return ['low', 'high'].map((name) => waitOf(waiting, name)!.podsAtEnd);
  };
  t.deepEqual(atEnd(5), [1, 0]);
  t.deepEqual(atEnd(0), [0, 1]);
});

/** How long the one pod of a service is not ready after each drain, in whole seconds. */
function gaps(scheduling: Partial<PodScheduling>, nodes: number, faults: readonly Fault[], first = 0): number[] {
  const startUp = { imagePull: constant(20e6), ready: constant(3e6), probeInitialDelayUs: 0, probePeriodUs: 1e6 };
  const web = aService({ name: 'web', terminationGraceUs: 0, startUp, scheduling: rules(scheduling) });
  const { ready } = run({
    nodes: Array.from({ length: nodes }, (_, i) => aNode(`n${i}`, 0)),
    services: [web],
    faults,
    seconds: 300,
  });
  const values = ready[0]!.values.slice(first);
  const found: number[] = [];
  let length = 0;
  for (const value of [...values, 1]) {
    if (value === 0) length++;
    else if (length > 0) {
      found.push(length);
      length = 0;
    }
  }
  return found;
}

test('B5: an image is pulled once on each node', (t) => {
  const image = { name: 'shop', sizeBytes: 500 * 2 ** 20 };
  const faults = [drained(0, 100, 50), drained(1, 200, 50)];
  // 20 s of pull and 3 s of start on n1; back on n0, where the pod ran first, the start alone.
  t.deepEqual(gaps({ ...preferring('n0'), image }, 2, faults), [23, 3]);
  // Unknown images are pulled each time.
  t.deepEqual(gaps(preferring('n0'), 2, faults), [23, 23]);
});

test('B8: among equal nodes a pod goes to the one that holds its image', (t) => {
  const image = { name: 'shop', sizeBytes: 500 * 2 ** 20 };
  const service = aService({ name: 'web', scheduling: rules({ image }) });
  const start = placed({ nodes: [0, 1, 2].map((i) => aNode(`n${i}`, 0)), services: [service] });
  const home = start.findIndex((pods) => pods.length === 1);
  const others = [0, 1, 2].filter((node) => node !== home);
  // Away from home, then away from where it went: home has the image, the third node has not. One of the two drains hits.
  const later = others.map((node) => gaps({ image }, 3, [drained(home, 100, 50), drained(node, 200, 50)]));
  t.is(later.flat().length, 3);
  for (const [, second = 3] of later) t.is(second, 3);
});

test('B7: a gated pod waits for the last of its gates', (t) => {
  const gates = [
    { name: 'example.com/a', liftedAfterUs: 10e6 },
    { name: 'example.com/b', liftedAfterUs: 30e6 },
  ];
  const faults = [drained(0, 100, 50)];
  // 30 s of gates, 20 s of pull, 3 s of start.
  t.deepEqual(gaps({ ...preferring('n0'), gates }, 2, faults), [53]);
  const services = [
    aService({ name: 'web', terminationGraceUs: 0, scheduling: rules({ ...preferring('n0'), gates }) }),
  ];
  const { waiting } = run({ nodes: [aNode('n0', 0), aNode('n1', 0)], services, faults, seconds: 200 });
  t.deepEqual(waiting[0]!.reasons, [{ message: 'held by gates: example.com/a, example.com/b', podSeconds: 30 }]);
});

test('B13: pods leave a lost node when their own toleration of it is over', (t) => {
  const lost: Fault = { kind: 'nodeLoss', node: 0, atUs: 10 * SECOND, forUs: null };
  const away = (lostNodeTolerationUs: number | null) =>
    gaps({ ...preferring('n0'), lostNodeTolerationUs }, 2, [lost])[0]!;
  // Both from the same moment on; 30 s more until the replacement is made.
  t.is(away(60e6) - away(30e6), 30);
  // For good: until the end of the run.
  t.true(away(null) > 230);
});

/** Four pods of a core fill the first node; the one of the second must come there when that is drained at 10 s. */
function preempting(priority: number, low: Partial<Service> = {}, kubernetesMinor = 37) {
  const nodes = [aNode('n0', 0, { cpuMillicores: 4000 }), aNode('n1', 0, { cpuMillicores: 1000 })];
  const services = [
    aService({ name: 'high', scheduling: rules({ priority, ...preferring('n1') }) }),
    aService({ name: 'low', replicas: 4, scheduling: rules(onlyOn('n0')), ...low }),
  ];
  const world = { nodes, services, faults: [drained(1, 10)], seconds: 60, kubernetesMinor };
  const { series, decisions, waitingPods = [] } = simulate(scenario(world), { policy: 0, seed: SEED });
  return {
    ready: series.failedPerSecond.map((_, second) =>
      series.readyReplicas.reduce((sum, { values }) => sum + values[second]!, 0),
    ),
    taken: decisions.map(({ atSeconds, decidedBy, summary }) => `${atSeconds} ${decidedBy}: ${summary}`),
    waiting: waitingPods.map(({ service, podsAtEnd }) => `${podsAtEnd} of ${service}`),
  };
}

test('B7: a pod that fits nowhere takes the place of one of lower priority, and of no other', (t) => {
  const { ready, taken, waiting } = preempting(1);
  // All have run equally long, so the last one made goes.
  t.deepEqual(taken, ['10 scheduler: preempt low-3 on n0']);
  // Both are gone at 10 s. The victim leaves 1.2 s later; then a pull of 2 s, a start of 3 s: 16.2 s.
  t.deepEqual([ready[8], ready[10], ready[15], ready[16], ready.at(-1)], [5, 3, 3, 4, 4]);
  t.deepEqual(
    waiting.filter((row) => !row.startsWith('0')),
    ['1 of low'],
  );
  // Before 1.33 its back-off holds it up: its own old pod leaves at 11.2 s, too, and it fails once more; then 2 s of
  // back-off, seen by a look each second, at 14 s.
  const before = preempting(1, {}, 31);
  t.deepEqual(before.taken, taken);
  t.deepEqual([before.ready[17], before.ready[19], before.ready.at(-1)], [3, 4, 4]);
  const alike = preempting(0);
  t.deepEqual([alike.taken, alike.ready.at(-1)], [[], 4]);
  t.deepEqual(alike.waiting, ['1 of high']);
});

test('B9: preemption asks for budgets, and breaks the only one there is', (t) => {
  const budget = { limit: { minAvailable: 4 }, unhealthyPodEviction: 'IfHealthyBudget' } as const;
  t.deepEqual(preempting(1, { disruptionBudget: budget }).taken, ['10 scheduler: preempt low-3 on n0']);
});

test('B7: the room of a victim is kept for its successor, whoever asks for it first', (t) => {
  // With a grace of none the victim leaves at 10 s, and the back-off of its successor ends at 11 s. In between a third
  // pod is evicted from its own node, and finds that core free, but for the pod that is nominated.
  const nodes = [
    aNode('n0', 0, { cpuMillicores: 4000 }),
    aNode('n1', 0, { cpuMillicores: 1000 }),
    aNode('n2', 0, { cpuMillicores: 1000 }),
  ];
  const services = [
    aService({ name: 'high', scheduling: rules({ priority: 1, ...preferring('n1') }) }),
    aService({ name: 'low', replicas: 4, terminationGraceUs: 0, scheduling: rules(onlyOn('n0')) }),
    aService({ name: 'late', scheduling: rules(preferring('n2')) }),
  ];
  const world = { nodes, services, faults: [drained(1, 10), drained(2, 10.5)], kubernetesMinor: 31 };
  const { decisions, waitingPods = [] } = simulate(scenario(world), { policy: 0, seed: SEED });
  t.deepEqual(
    decisions.map(({ summary }) => summary),
    ['preempt low-3 on n0'],
  );
  t.deepEqual(
    waitingPods.map(({ service, podsAtEnd }) => `${podsAtEnd} of ${service}`),
    ['0 of high', '1 of low', '1 of late'],
  );
});

test('B7: a victim made anew sees the labels of the pod that took its place', (t) => {
  // Room is no matter here: only anti-affinity keeps the two apart.
  const apart = { required: [{ selector: ofApp('low'), topologyKey: HOSTNAME }], preferred: [] };
  const services = [
    aService({ name: 'high', scheduling: rules({ priority: 1, podAntiAffinity: apart, ...preferring('n1') }) }),
    aService({ name: 'low', labels: { app: 'low' }, scheduling: rules(onlyOn('n0')) }),
  ];
  const world = { nodes: [aNode('n0', 0), aNode('n1', 0)], services, faults: [drained(1, 10)] };
  const { decisions, waitingPods = [] } = simulate(scenario(world), { policy: 0, seed: SEED });
  t.deepEqual(
    decisions.map(({ summary }) => summary),
    ['preempt low-0 on n0'],
  );
  t.deepEqual(
    waitingPods.map(({ service, podsAtEnd }) => `${podsAtEnd} of ${service}`),
    ['0 of high', '1 of low'],
  );
});
