import test from 'ava';
import {
  desiredReplicas,
  isWithin,
  newHpaState,
  recommendReplicas,
  type HpaPod,
  type HpaSpec,
} from '../../../sim/cluster/hpa.js';

const SECOND_US = 1_000_000;
const NOW_US = 3600 * SECOND_US;

/** A pod that has long been ready, with a fresh sample of this usage; null: no sample. */
function aPod(cpuMillicores: number | null, fields: Partial<HpaPod> = {}): HpaPod {
  return {
    phase: 'Running',
    deleting: false,
    startedAtUs: 0,
    readyCondition: { ready: true, changedAtUs: 5 * SECOND_US },
    cpuRequestMillicores: 100,
    sample: cpuMillicores === null ? null : { cpuMillicores, atUs: NOW_US - SECOND_US, windowUs: 15 * SECOND_US },
    ...fields,
  };
}

const pods = (count: number, cpuMillicores: number | null, fields: Partial<HpaPod> = {}) =>
  Array.from({ length: count }, () => aPod(cpuMillicores, fields));

const TOLERANCES = { up: 0.1, down: 0.1 };
const recommend = (given: HpaPod[], target: number, tolerances = TOLERANCES, current = given.length) =>
  recommendReplicas(NOW_US, current, given, target, tolerances);

test('B1 worked: 303m of 400m is 75 %, which at a target of 60 % makes 4 pods 5', (t) => {
  t.deepEqual(recommend([...pods(3, 76), aPod(75)], 60), { replicas: 5, utilizationPercent: 75 });
});

test('B1: the floor to a percent matters: 304m is 76 % and asks for a sixth pod', (t) => {
  // 76/60 x 4 = 5.07.
  t.deepEqual(recommend(pods(4, 76), 60), { replicas: 6, utilizationPercent: 76 });
});

test('B1: the edges of the tolerance belong to it', (t) => {
  t.true(isWithin(TOLERANCES, 1.1));
  t.false(isWithin(TOLERANCES, 1.1001));
  t.true(isWithin(TOLERANCES, 0.9));
  t.false(isWithin(TOLERANCES, 0.8999));
});

test('B1 worked: ratios of 1.10 and 0.90 change nothing', (t) => {
  t.is((recommend(pods(10, 66), 60) as { replicas: number }).replicas, 10);
  t.is((recommend(pods(10, 54), 60) as { replicas: number }).replicas, 10);
  // 67/60 x 10 = 11.2 and 53/60 x 10 = 8.8.
  t.is((recommend(pods(10, 67), 60) as { replicas: number }).replicas, 12);
  t.is((recommend(pods(10, 53), 60) as { replicas: number }).replicas, 9);
});

test('B1: the ratio multiplies the pods counted, not the replicas asked for', (t) => {
  // 8 are asked for, 4 exist: ceil(1.5 x 4).
  t.is((recommend(pods(4, 90), 60, TOLERANCES, 8) as { replicas: number }).replicas, 6);
});

test('B1: a product above a whole number by rounding in float64 asks for one more, as in Go', (t) => {
  // 7/100 x 100 is 7.000000000000001 in float64.
  t.is((7 / 100) * 100, 7.000000000000001);
  t.is((recommend(pods(100, 7), 100) as { replicas: number }).replicas, 8);
});

test('B2 worked: on the way up a pod without a sample uses nothing', (t) => {
  // 270/400 = 67 %, 1.34 x 4 = 5.36; without the rule 1.8 x 4 = 8.
  t.is((recommend([...pods(3, 90), aPod(null)], 50) as { replicas: number }).replicas, 6);
});

test('B2 worked: on the way down a pod without a sample uses all it asked for', (t) => {
  // 160/400 = 40 %, 0.8 x 4 = 3.2; without the rule 0.4 x 4 = 2.
  t.deepEqual(recommend([...pods(3, 20), aPod(null)], 50), { replicas: 4, utilizationPercent: 20 });
});

test('B2: assumptions never turn the direction round', (t) => {
  // 60 % of 50 asks for more; with three at 0 it is 30 %, which alone would make 6 pods 4.
  t.deepEqual(recommend([...pods(3, 60), ...pods(3, null)], 50), { replicas: 6, utilizationPercent: 60 });
});

test('B2: fewer pods than asked for cannot turn a step up into a step down', (t) => {
  // As worked above, 1.34 x 4 pods asks for 6, but 8 are on order.
  t.deepEqual(recommend([...pods(3, 90), aPod(null)], 50, TOLERANCES, 8), { replicas: 8, utilizationPercent: 90 });
});

test('B2: with a target above 100 % a missing pod is assumed at the target', (t) => {
  // 3 x 100 + 200 = 500 of 400 = 125 %; 0.625 x 4 = 2.5 -> 3. Assumed at 100 %: 0.5 x 4 = 2.
  t.is((recommend([...pods(3, 100), aPod(null)], 200) as { replicas: number }).replicas, 3);
});

const starting = {
  startedAtUs: NOW_US - 20 * SECOND_US,
  readyCondition: { ready: false, changedAtUs: NOW_US - 20 * SECOND_US },
};

test('B2 worked: 5 pods that just started damp the next step to nothing', (t) => {
  t.is((recommend([...pods(10, 90), ...pods(5, 50, starting)], 60) as { replicas: number }).replicas, 15);
  t.is((recommend([...pods(10, 90), ...pods(5, null, { phase: 'Pending' })], 60) as { replicas: number }).replicas, 15);
});

test('B2: on the way down pods that just started stay out', (t) => {
  // 10 at 30 %: 0.5 x 10 = 5.
  t.is((recommend([...pods(10, 30), ...pods(5, 500, starting)], 60) as { replicas: number }).replicas, 5);
});

test('B2: in its first 5 minutes a ready pod counts only with a sample taken wholly after it became ready', (t) => {
  const readyFor = (seconds: number) =>
    aPod(0, {
      startedAtUs: NOW_US - 60 * SECOND_US,
      readyCondition: { ready: true, changedAtUs: NOW_US - seconds * SECOND_US },
    });
  // The sample is 1 s old over 15 s: ready for 16 s is enough, for 15 s is not. Counted: 45 %, 0.75 x 2 = 1.5.
  t.deepEqual(recommend([aPod(90), readyFor(16)], 60), { replicas: 2, utilizationPercent: 45 });
  t.deepEqual(recommend([aPod(90), readyFor(15)], 60), { replicas: 2, utilizationPercent: 90 });
});

test('B2: an old pod that lost readiness later counts, one that never was ready does not', (t) => {
  const lost = aPod(20, { readyCondition: { ready: false, changedAtUs: 600 * SECOND_US } });
  const never = aPod(20, { readyCondition: { ready: false, changedAtUs: 29 * SECOND_US } });
  t.is((recommend([aPod(60), lost], 60) as { utilizationPercent: number }).utilizationPercent, 40);
  t.is((recommend([aPod(60), never], 60) as { utilizationPercent: number }).utilizationPercent, 60);
});

test('B2: pods that end are ignored', (t) => {
  t.is(
    (
      recommend([...pods(2, 90), aPod(10, { deleting: true }), aPod(10, { phase: 'Failed' })], 60) as {
        replicas: number;
      }
    ).replicas,
    3,
  );
});

test('B2: without any sample there is no answer, and the autoscaler keeps the count', (t) => {
  t.is(recommend(pods(3, null), 60), 'no metrics for any ready pod');
  const spec = aSpec({});
  t.is(
    desiredReplicas({ nowUs: NOW_US, spec, currentReplicas: 3, pods: pods(3, null), state: newHpaState() }).replicas,
    3,
  );
});

function aSpec(fields: Partial<HpaSpec>): HpaSpec {
  return { minReplicas: 1, maxReplicas: 100, targetCpuPercent: 50, behavior: null, ...fields };
}

/** Replica counts of syncs every 15 s, where the metrics ask for `wanted(i)` at the i-th. */
function syncs(spec: HpaSpec, start: number, count: number, wanted: (sync: number) => number): number[] {
  let replicas = start;
  let state = newHpaState();
  return Array.from({ length: count }, (_, sync) => {
    const nowUs = NOW_US + sync * 15 * SECOND_US;
    // One pod at `wanted` times the target asks for that many, rounded up (0.5 asks for 1; 1 would be on target: no move).
    const sample = { cpuMillicores: 50 * wanted(sync), atUs: nowUs, windowUs: 0 };
    const outcome = desiredReplicas({ nowUs, spec, currentReplicas: replicas, pods: [aPod(null, { sample })], state });
    replicas = outcome.replicas;
    state = outcome.state;
    return replicas;
  });
}

test('B3 worked: with an empty behavior 1 goes to 100 by 5, 10, 20, 40, 80', (t) => {
  t.deepEqual(
    syncs(aSpec({ behavior: {} }), 1, 7, () => 100),
    [5, 10, 20, 40, 80, 100, 100],
  );
});

test('B3 worked: without behavior 1 goes to 100 by 4, 8, 16, 32, 64', (t) => {
  t.deepEqual(
    syncs(aSpec({ behavior: null }), 1, 7, () => 100),
    [4, 8, 16, 32, 64, 100, 100],
  );
});

test('B3 worked: down from 10 to 4 waits until the last higher recommendation is 300 s old', (t) => {
  // Recommendation 10 at t = 0, then 4. At 300 s it lies on the window's edge: out under behavior, in on the legacy path.
  const wanted = (sync: number) => (sync === 0 ? 10 : 4);
  const withBehavior = syncs(aSpec({ behavior: {} }), 10, 22, wanted);
  t.deepEqual(withBehavior.slice(18), [10, 10, 4, 4]);
  const legacy = syncs(aSpec({ behavior: null }), 10, 23, wanted);
  t.deepEqual(legacy.slice(19), [10, 10, 4, 4]);
});

test('B3: the count found at the first sync is a recommendation, so nothing falls in the first 5 minutes', (t) => {
  t.deepEqual(syncs(aSpec({ behavior: {} }), 10, 21, () => 4).slice(18), [10, 10, 4]);
});

test('B3: a scale-up window takes the lowest recommendation in it', (t) => {
  const behavior = { scaleUp: { stabilizationWindowSeconds: 60 } };
  // Found 2 at the first sync; from then on 6 is asked for: the 2 leaves the open window 60 s later.
  t.deepEqual(
    syncs(aSpec({ behavior }), 2, 6, () => 6),
    [2, 2, 2, 2, 6, 6],
  );
});

test('B3: rate limits count the changes of their period', (t) => {
  const behavior = { scaleUp: { policies: [{ type: 'Pods', value: 3, periodSeconds: 45 }] } };
  t.deepEqual(
    syncs(aSpec({ behavior }), 1, 7, () => 50),
    [4, 4, 4, 7, 7, 7, 10],
  );
});

test('B3: select Min takes the slowest policy and Disabled none', (t) => {
  const slow = { scaleUp: { selectPolicy: 'Min' } };
  t.deepEqual(
    syncs(aSpec({ behavior: slow }), 1, 3, () => 100),
    [2, 4, 8],
  );
  t.deepEqual(
    syncs(aSpec({ behavior: { scaleUp: { selectPolicy: 'Disabled' } } }), 1, 2, () => 100),
    [1, 1],
  );
  const noDown = { scaleDown: { selectPolicy: 'Disabled', stabilizationWindowSeconds: 0 } };
  t.deepEqual(
    syncs(aSpec({ behavior: noDown }), 9, 2, () => 0.5),
    [9, 9],
  );
});

test('B3: percent limits round up on the way up and are cut off on the way down', (t) => {
  const behavior = {
    scaleUp: { policies: [{ type: 'Percent', value: 10, periodSeconds: 15 }] },
    scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 10, periodSeconds: 15 }] },
  };
  // 1 x 1.1 = 1.1 -> 2, 2.2 -> 3; 9 x 0.9 = 8.1 -> 8, 7.2 -> 7.
  t.deepEqual(
    syncs(aSpec({ behavior }), 1, 2, () => 100),
    [2, 3],
  );
  t.deepEqual(
    syncs(aSpec({ behavior }), 9, 2, () => 0.5),
    [8, 7],
  );
});

test('B3: the tolerance of a direction replaces the default, as a number or a quantity', (t) => {
  const ask = (behavior: Readonly<Record<string, unknown>>) =>
    syncs(aSpec({ behavior, targetCpuPercent: 100 }), 20, 1, () => 2.1)[0];
  // One pod at 105 % of 100 %: inside 0.1, outside 0.04.
  t.is(ask({}), 20);
  t.is(syncs(aSpec({ behavior: { scaleUp: { tolerance: '40m' } }, targetCpuPercent: 100 }), 1, 1, () => 2.1)[0], 2);
  t.is(syncs(aSpec({ behavior: { scaleUp: { tolerance: 0.04 } }, targetCpuPercent: 100 }), 1, 1, () => 2.1)[0], 2);
  t.is(syncs(aSpec({ behavior: { scaleUp: { tolerance: 0.06 } }, targetCpuPercent: 100 }), 1, 1, () => 2.1)[0], 1);
});

test('minimum and maximum bind in both paths', (t) => {
  for (const behavior of [null, {}]) {
    t.is(syncs(aSpec({ behavior, maxReplicas: 3 }), 2, 1, () => 50)[0], 3);
    t.is(syncs(aSpec({ behavior, maxReplicas: 3 }), 9, 1, () => 50)[0], 3);
    t.is(syncs(aSpec({ behavior, minReplicas: 2 }), 1, 1, () => 0.5)[0], 2);
    t.is(syncs(aSpec({ behavior, minReplicas: 2 }), 4, 22, () => 0.5).at(-1), 2);
    t.is(syncs(aSpec({ behavior }), 0, 1, () => 5)[0], 0);
  }
});

test('the state stays short however long the run', (t) => {
  let state = newHpaState();
  let replicas = 1;
  for (let sync = 0; sync < 1000; sync++) {
    const nowUs = NOW_US + sync * 15 * SECOND_US;
    const sample = { cpuMillicores: sync % 80 < 40 ? 1000 : 10, atUs: nowUs, windowUs: 0 };
    const spec = aSpec({ behavior: {} });
    ({ state, replicas } = desiredReplicas({
      nowUs,
      spec,
      currentReplicas: replicas,
      pods: [aPod(null, { sample })],
      state,
    }));
  }
  // 300 s of syncs and their edges.
  t.true(state.recommendations.length <= 22);
  t.true(state.scaleUps.length + state.scaleDowns.length <= 6);
});
