import test from 'ava';
import fc from 'fast-check';
import { desiredReplicasByMetrics, newHpaState } from '../../../sim/cluster/hpa.js';
import {
  recommendByMetric,
  recommendByMetrics,
  type HpaMetric,
  type MetricContext,
  type MetricPod,
} from '../../../sim/cluster/hpaMetrics.js';
import { slowMetric } from '../../models/slowMetrics.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const SECOND_US = 1_000_000;
const NOW_US = 3600 * SECOND_US;

/** A pod that has long been ready, with this figure; null: none. */
function aPod(amount: number | null, fields: Partial<MetricPod> = {}): MetricPod {
  return {
    phase: 'Running',
    deleting: false,
    startedAtUs: 0,
    readyCondition: { ready: true, changedAtUs: 5 * SECOND_US },
    requestAmount: 100,
    sample: amount === null ? null : { amount, atUs: NOW_US - SECOND_US, windowUs: 15 * SECOND_US },
    ...fields,
  };
}

const pods = (count: number, amount: number | null, fields: Partial<MetricPod> = {}) =>
  Array.from({ length: count }, () => aPod(amount, fields));

function aContext(fields: Partial<MetricContext> = {}): MetricContext {
  return {
    nowUs: NOW_US,
    currentReplicas: 4,
    statusReplicas: 4,
    readyPodCount: 4,
    tolerances: { up: 0.1, down: 0.1 },
    ...fields,
  };
}

const perPod = (averageAmount: number, given: MetricPod[] | null): HpaMetric => ({
  type: 'Pods',
  name: 'requests_per_second',
  averageAmount,
  pods: given,
});
const whole = (amount: number | null, target: number): HpaMetric => ({
  type: 'Object',
  name: 'queue_length',
  target: { amount: target },
  amount,
});
const shared = (amount: number | null, averageAmount: number): HpaMetric => ({
  type: 'External',
  name: 'queue_length',
  target: { averageAmount },
  amount,
});
const resource = (
  of: 'cpu' | 'memory',
  target: { utilizationPercent: number } | { averageAmount: number },
  given: MetricPod[] | null,
  type: 'Resource' | 'ContainerResource' = 'Resource',
): HpaMetric => ({ type, resource: of, target, pods: given });

test('B1: the average of a figure per pod over its target multiplies the pods counted', (t) => {
  // 75 over 50 is 1.5, times 4.
  t.is(recommendByMetric(perPod(50, pods(4, 75)), aContext()), 6);
  // 45 over 50 is 0.9: tolerated.
  t.is(recommendByMetric(perPod(50, pods(4, 45)), aContext()), 4);
});

test('B1: the average is a whole number, which can keep a ratio within the tolerance', (t) => {
  // 100 over 3 pods is 33; 33/30 = 1.1 is tolerated, 33.3/30 = 1.11 would ask for ceil(3.33) = 4.
  const given = [...pods(2, 33), aPod(34)];
  t.is(recommendByMetric(perPod(30, given), aContext({ currentReplicas: 3 })), 3);
});

test('B1: memory averages keep thousandths of a byte', (t) => {
  // 10 bytes over 3 pods: 3.333 over 3 is 1.111, times 3. Cut to 3 bytes it would be 1.
  const given = [...pods(2, 3), aPod(4)];
  t.is(recommendByMetric(resource('memory', { averageAmount: 3 }, given), aContext({ currentReplicas: 3 })), 4);
});

test('B1: a resource has a target in percent of requests or in amounts', (t) => {
  t.is(recommendByMetric(resource('memory', { utilizationPercent: 60 }, pods(4, 90)), aContext()), 6);
  t.is(recommendByMetric(resource('cpu', { averageAmount: 60 }, pods(4, 90)), aContext()), 6);
  // Requests matter to the percentage alone.
  const bare = pods(4, 90, { requestAmount: 0 });
  t.is(recommendByMetric(resource('cpu', { averageAmount: 60 }, bare), aContext()), 6);
  t.is(recommendByMetric(resource('cpu', { utilizationPercent: 60 }, bare), aContext()), 'a pod has no CPU request');
  t.is(
    recommendByMetric(resource('memory', { utilizationPercent: 60 }, bare), aContext()),
    'a pod has no memory request',
  );
});

test('B1: a container metric follows the same rule on the container alone', (t) => {
  // The sidecar's idle share is not in the amounts: 90 of 100 for the container, times 4 over 60 %.
  const metric = resource('cpu', { utilizationPercent: 60 }, pods(4, 90), 'ContainerResource');
  t.is(recommendByMetric(metric, aContext()), 6);
});

test('B1: one figure for all pods multiplies the ready pods', (t) => {
  // 1.5 x 4 ready; 8 are asked for.
  t.is(recommendByMetric(whole(1500, 1000), aContext({ currentReplicas: 8 })), 6);
  t.is(recommendByMetric(whole(1100, 1000), aContext({ currentReplicas: 8 })), 8);
  t.is(recommendByMetric(whole(1500, 1000), aContext({ readyPodCount: 0 })), 0);
  t.is(recommendByMetric(whole(1500, 1000), aContext({ readyPodCount: null })), 'no pods');
});

test('B1: from zero replicas one figure asks for its ratio, without tolerance', (t) => {
  const zero = aContext({ currentReplicas: 0, statusReplicas: 0, readyPodCount: null });
  t.deepEqual(
    [0, 1, 1000, 1001, 5500].map((amount) => recommendByMetric(whole(amount, 1000), zero)),
    [0, 1, 1, 2, 6],
  );
  t.is(recommendByMetric(shared(1001, 1000), zero), 2);
  t.is(recommendByMetric(shared(0, 1000), zero), 0);
});

test('B1: a share of one figure is tolerated against the replicas there, and else divided', (t) => {
  const replicas = (statusReplicas: number) =>
    recommendByMetric(shared(900, 100), aContext({ currentReplicas: 3, statusReplicas }));
  // 900/100 = 9 pods; with 9 the ratio is 1, with 10 it is 0.9, with 12 it is 0.75, with 8 it is 1.125.
  t.deepEqual([9, 10, 12, 8].map(replicas), [9, 10, 9, 9]);
});

const starting = {
  startedAtUs: NOW_US - 20 * SECOND_US,
  readyCondition: { ready: false, changedAtUs: NOW_US - 20 * SECOND_US },
};

test('B2: a pod that just started counts for memory and figures per pod, not for CPU', (t) => {
  const given = [...pods(10, 90), ...pods(5, 90, starting)];
  const context = aContext({ currentReplicas: 15 });
  // All 15 at 90 of 60: 22.5. For CPU, as worked, (10 x 90) / 15 = 60: no change.
  t.is(recommendByMetric(resource('memory', { utilizationPercent: 60 }, given), context), 23);
  t.is(recommendByMetric(perPod(60, given), context), 23);
  t.is(recommendByMetric(resource('cpu', { utilizationPercent: 60 }, given), context), 15);
  t.is(recommendByMetric(resource('cpu', { averageAmount: 60 }, given), context), 15);
});

test('B2: on the way down a pod without a figure is taken to be exactly at an average target', (t) => {
  // (3 x 20 + 50) / 4 = 27; 27/50 = 0.54, times 4 = 2.16.
  t.is(recommendByMetric(perPod(50, [...pods(3, 20), aPod(null)]), aContext()), 3);
});

test('B2: at a ratio of exactly 1 a pod without a figure counts as 0 for averages, and is left out of percentages', (t) => {
  const given = [...pods(3, 50), aPod(null)];
  // 150/4 = 37; 37/50 = 0.74, times 4 = 2.96: a step down although the others are on target.
  t.is(recommendByMetric(perPod(50, given), aContext()), 3);
  t.is(recommendByMetric(resource('cpu', { utilizationPercent: 50 }, given), aContext()), 4);
});

test('B1: of several metrics the largest count wins', (t) => {
  const metrics = [
    perPod(50, pods(4, 75)),
    whole(2500, 1000),
    resource('cpu', { utilizationPercent: 60 }, pods(4, 20)),
  ];
  t.deepEqual(recommendByMetrics(metrics, aContext()), {
    replicas: 10,
    because: 'Object queue_length asks for 10',
    failures: [],
  });
});

test('B1: a metric that cannot be read forbids going down and lets the others go up', (t) => {
  const broken = shared(null, 100);
  const up = perPod(50, pods(4, 75));
  const level = perPod(50, pods(4, 50));
  const down = perPod(50, pods(4, 20));
  const ask = (metrics: HpaMetric[]) => {
    const verdict = recommendByMetrics(metrics, aContext());
    return typeof verdict === 'string' ? verdict : verdict.replicas;
  };
  const reason = '1 of 2 metrics cannot be read: External queue_length: no figure';
  t.deepEqual([ask([up, broken]), ask([level, broken]), ask([down, broken])], [6, 4, reason]);
  t.is(ask([down]), 2);
  t.is(ask([broken]), '1 of 1 metrics cannot be read: External queue_length: no figure');
});

function sync(metrics: HpaMetric[], fields: { kubernetesMinor?: number; behavior?: Record<string, unknown> | null }) {
  return desiredReplicasByMetrics({
    nowUs: NOW_US,
    kubernetesMinor: fields.kubernetesMinor ?? 37,
    spec: { minReplicas: 1, maxReplicas: 20, behavior: fields.behavior ?? null },
    metrics,
    currentReplicas: 4,
    statusReplicas: 4,
    readyPodCount: 4,
    state: newHpaState(),
  });
}

test('B1: a tolerance per direction is read from 1.35 on (KEP-4951)', (t) => {
  // 54/50 = 1.08: within 0.1, beyond 0.05; ceil(1.08 x 4) = 5.
  const metrics = [perPod(50, pods(4, 54))];
  const behavior = { scaleUp: { tolerance: '0.05' } };
  const replicas = (kubernetesMinor: number) => sync(metrics, { kubernetesMinor, behavior }).replicas;
  t.deepEqual([33, 34, 35, 37].map(replicas), [4, 4, 5, 5]);
});

test('B3: what the metrics ask for is limited as ever, and the reason names them', (t) => {
  const outcome = sync([whole(9000, 1000), shared(null, 1)], {});
  t.is(outcome.replicas, 8);
  t.is(outcome.recommended, 36);
  t.is(outcome.because, 'Object queue_length asks for 36; External queue_length: no figure: 36 wanted, 8 allowed now');
  t.is(sync([perPod(50, null)], {}).because, '1 of 1 metrics cannot be read: Pods requests_per_second: no figures');
});

test(`figures of pods agree with exact fractions ${SEED_NOTE}`, (t) => {
  const anyPod: fc.Arbitrary<MetricPod> = fc.record({
    phase: fc.constantFrom('Running', 'Running', 'Running', 'Pending', 'Failed'),
    deleting: fc.nat(9).map((n) => n === 0),
    startedAtUs: fc.constantFrom(0, NOW_US - 20 * SECOND_US, NOW_US - 300 * SECOND_US, null),
    readyCondition: fc.option(
      fc.record({
        ready: fc.boolean(),
        changedAtUs: fc.constantFrom(0, 30 * SECOND_US, NOW_US - 16 * SECOND_US, NOW_US - 15 * SECOND_US),
      }),
    ),
    requestAmount: fc.constantFrom(100, 130, 250),
    sample: fc.option(
      fc.record({
        amount: fc.nat(300),
        atUs: fc.constant(NOW_US - SECOND_US),
        windowUs: fc.constant(15 * SECOND_US),
      }),
    ),
  });
  const property = fc.property(
    fc.array(anyPod, { maxLength: 8 }),
    fc.constantFrom('utilization' as const, 'average' as const),
    fc.boolean(),
    fc.integer({ min: 1, max: 130 }),
    fc.integer({ min: 1, max: 10 }),
    (given, kind, isCpu, target, current) => {
      const metric = resource(
        isCpu ? 'cpu' : 'memory',
        kind === 'average' ? { averageAmount: target } : { utilizationPercent: target },
        given,
      );
      // 0.0625 and 0.09375 are exact in float64, so both sides see the same edges.
      const tolerances = { up: 0.0625, down: 0.09375 };
      const fast = recommendByMetric(metric, aContext({ currentReplicas: current, tolerances }));
      const exact = slowMetric({
        pods: given.map((pod) =>
          kind === 'average' && !isCpu && pod.sample
            ? { ...pod, sample: { ...pod.sample, amount: pod.sample.amount * 1000 } }
            : pod,
        ),
        kind,
        isCpu,
        target: BigInt(kind === 'average' && !isCpu ? target * 1000 : target),
        current,
        nowUs: NOW_US,
        toleranceUp: 6250n,
        toleranceDown: 9375n,
      });
      return typeof fast === 'string' ? exact.length === 0 : exact.includes(fast);
    },
  );
  t.notThrows(() => fc.assert(property, { seed, numRuns: 5000 }));
});

const onCpu = (percent: number, given: MetricPod[]) => resource('cpu', { utilizationPercent: percent }, given);
const justStarted: Partial<MetricPod> = {
  startedAtUs: NOW_US - 20 * SECOND_US,
  readyCondition: { ready: true, changedAtUs: NOW_US - 10 * SECOND_US },
};

const WORKED: readonly (readonly [title: string, metric: HpaMetric, current: number, expected: number])[] = [
  ['B1 worked: 303m of 400m at 60 %', onCpu(60, [...pods(3, 76), aPod(75)]), 4, 5],
  ['B1 worked: a ratio of 1.10', onCpu(60, pods(4, 66)), 4, 4],
  ['B1 worked: a ratio of 1.1001', whole(11_001, 10_000), 4, 5],
  ['B1 worked: 10 pods at 54 of 60 %', onCpu(60, pods(10, 54)), 10, 10],
  ['B2 worked: three at 90m, one missing, 50 %', onCpu(50, [...pods(3, 90), aPod(null)]), 4, 6],
  ['B2 worked: three at 20m, one missing, 50 %', onCpu(50, [...pods(3, 20), aPod(null)]), 4, 4],
  ['B2 worked: 5 new beside 10 at 90 %, 60 %', onCpu(60, [...pods(10, 90), ...pods(5, 90, justStarted)]), 15, 15],
];

for (const [title, metric, current, expected] of WORKED) {
  test(`${title}, as one of the metrics, makes ${current} pods ${expected}`, (t) => {
    const context = aContext({ currentReplicas: current, statusReplicas: current });
    t.is(recommendByMetric(metric, context), expected);
    const verdict = recommendByMetrics([metric], context);
    t.is(typeof verdict === 'string' ? verdict : verdict.replicas, expected);
  });
}

/** Counts after each sync, the metric asking for so many; syncs are just over 15 s apart, as a key is queued again. */
function synced(behavior: Record<string, unknown> | null, from: number, wanted: readonly number[]): number[] {
  let state = newHpaState();
  let current = from;
  return wanted.map((count, number) => {
    const outcome = desiredReplicasByMetrics({
      nowUs: NOW_US + number * 15_001_000,
      kubernetesMinor: 37,
      spec: { minReplicas: 1, maxReplicas: 100, behavior },
      metrics: [shared(count * 100, 100)],
      currentReplicas: current,
      statusReplicas: current,
      readyPodCount: current,
      state,
    });
    state = outcome.state;
    current = outcome.replicas;
    return current;
  });
}

test('B3 worked: 1 to 100 by metrics, with an empty behavior and without', (t) => {
  const hundred = new Array<number>(6).fill(100);
  t.deepEqual(synced({}, 1, hundred), [5, 10, 20, 40, 80, 100]);
  t.deepEqual(synced(null, 1, [...hundred, 100]), [4, 8, 16, 32, 64, 100, 100]);
});

test('B3 worked: 10 to 4 by metrics waits for 300 s and takes one step', (t) => {
  // Syncs 0 to 19 lie within 300 s of the first (19 x 15.001 = 285 s), sync 20 at 300.02 s does not.
  const counts = synced({}, 10, [10, ...new Array<number>(20).fill(4)]);
  t.deepEqual(counts, [...new Array<number>(20).fill(10), 4]);
});
