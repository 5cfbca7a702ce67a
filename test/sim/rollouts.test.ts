/** Rollouts in the run, against timelines derived by hand (SEMANTICS B10). */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Rollout, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aDeployment, aLoad, aScenario, aService, aStatefulSet, constant, staticPolicy } from './builders.js';

const SECOND = 1e6;
/** A new pod is ready 5 s after its creation: 2 s for the image, 3 s of start. */
const READY_SECONDS = 5;

const restart: Rollout = { atUs: 100 * SECOND, service: 0, imagePull: null, ready: null, neverReady: false };
const badRelease: Rollout = { ...restart, neverReady: true };

function scenario(service: Partial<Service>, rollouts: readonly Rollout[], over: Partial<Scenario> = {}): Scenario {
  return aScenario({
    services: [aService(service)],
    loads: [aLoad(1)],
    run: { warmUpUs: 0, durationUs: 400 * SECOND, seriesUs: SECOND },
    over: { rollouts, ...over },
  });
}

function run(service: Partial<Service>, rollouts: readonly Rollout[], over: Partial<Scenario> = {}) {
  const result = simulate(scenario(service, rollouts, over), { policy: 0, seed: SEED });
  const ready = result.series.readyReplicas[0]!.values;
  return { ...result, rollouts: result.rollouts!, ready };
}

const finished = (tookSeconds: number, fewestAvailable: number, mostPods: number) => ({
  ...{ service: 'service', workload: 'service', atSeconds: 100 },
  ...{ outcome: 'finished' as const, tookSeconds, fewestAvailable, mostPods },
});

test('B10: ten pods, 25 %: at most 13 pods, at least 8 available, done in two turns', (t) => {
  // Surge ceil(2.5) = 3, unavailable floor(2.5) = 2. At once: 3 new, 2 old gone, 2 new for them: 8 old and 5 new. When
  // those 5 are ready 13 are available: 5 old go, 5 new come, and when they are ready the last 3 old go.
  const { rollouts, ready } = run({ replicas: 10 }, [restart]);
  t.deepEqual(rollouts, [finished(2 * READY_SECONDS, 8, 13)]);
  t.deepEqual([ready[98], ready[102], ready[107], ready[112]], [10, 8, 8, 10]);
});

test('B10: three pods: one more and none fewer, one after the other', (t) => {
  t.deepEqual(run({ replicas: 3 }, [restart]).rollouts, [finished(3 * READY_SECONDS, 3, 4)]);
});

test('B10: one pod with no surge and 1 % unavailable goes first, with 1 % surge and none unavailable last', (t) => {
  const roll = (maxSurge: `${number}%`, maxUnavailable: `${number}%`) =>
    run({ replicas: 1, controller: aDeployment({ type: 'RollingUpdate', maxSurge, maxUnavailable }) }, [restart])
      .rollouts;
  t.deepEqual(roll('0%', '1%'), [finished(READY_SECONDS, 0, 1)]);
  t.deepEqual(roll('1%', '0%'), [finished(READY_SECONDS, 1, 2)]);
});

test('B10: with minReadySeconds m each turn takes m longer', (t) => {
  const controller = aDeployment({ type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' }, 20 * SECOND);
  t.deepEqual(run({ replicas: 10, controller }, [restart]).rollouts, [finished(2 * (READY_SECONDS + 20), 8, 13)]);
});

test('Recreate: all old pods go, then the new ones come', (t) => {
  const { rollouts, ready } = run({ replicas: 4, controller: aDeployment({ type: 'Recreate' }) }, [restart]);
  // An idle pod ends when the proxies have had their 0.2 s, and a second later; then 5 s of start.
  t.deepEqual(rollouts, [finished(1.2 + READY_SECONDS, 0, 4)]);
  t.is(ready[103], 0);
});

test('Recreate waits for the slowest of the old pods', (t) => {
  const controller = aDeployment({ type: 'Recreate' });
  const { rollouts } = run({ replicas: 4, controller, preStopUs: 20 * SECOND }, [restart]);
  t.deepEqual(rollouts, [finished(20 + READY_SECONDS, 0, 4)]);
});

test('B10: a bad release stops at the fenceposts, and the old pods go on', (t) => {
  const { rollouts, ready, total } = run({ replicas: 10 }, [badRelease]);
  // Five bad pods and eight old ones, for good.
  t.like(rollouts[0], { outcome: 'stuck', tookSeconds: null, fewestAvailable: 8, mostPods: 13 });
  t.is(ready.at(-1), 8);
  t.is(total.requests.failed, 0);
});

test('B10: the next rollout takes over: the bad pods go first, then the oldest', (t) => {
  const { rollouts, ready } = run({ replicas: 10 }, [badRelease, { ...restart, atUs: 200 * SECOND }]);
  t.is(rollouts[0]!.outcome, 'superseded');
  // 8 old, 5 bad. No room for new ones until the bad are cleaned away, which help nobody; then as before in two turns:
  // 13 - 8 old = 5 new; when they are ready 5 of the old go, 5 new come, and last the 3 old.
  t.deepEqual(rollouts[1], { ...finished(2 * READY_SECONDS, 8, 13), atSeconds: 200 });
  t.is(ready.at(-1), 10);
});

test('own start-up times of the new template hold for its pods alone', (t) => {
  const slow = { ...restart, ready: constant(58 * SECOND) };
  t.deepEqual(run({ replicas: 10 }, [slow]).rollouts, [finished(120, 8, 13)]);
  const { rollouts } = run({ replicas: 10 }, [slow, { ...restart, atUs: 300 * SECOND }]);
  t.is(rollouts[1]!.tookSeconds, 2 * READY_SECONDS);
});

test('naive point 18: a budget does not hold back a rollout', (t) => {
  const disruptionBudget = { limit: { maxUnavailable: 0 }, unhealthyPodEviction: 'IfHealthyBudget' } as const;
  const { rollouts, faultTolerance } = run({ replicas: 10, disruptionBudget }, [restart]);
  t.deepEqual(rollouts, [finished(2 * READY_SECONDS, 8, 13)]);
  t.is(faultTolerance.budgets[0]!.shortOfPods, 2);
});

test('an autoscaler within a stuck rollout: old and new sets keep their shares', (t) => {
  // 8 old and 5 new of 10 + 3. Below one CPU percent the autoscaler asks for the least, 5: 5 + ceil(1.25) = 7 pods are
  // allowed. Old: 8 x 7/13 = 4.3, so 4; new: 5 x 7/13 = 2.7, so 3. Then at least 5 - 1 = 4 must be available.
  const policy = {
    ...staticPolicy,
    hpas: [{ service: 0, minReplicas: 5, maxReplicas: 10, targetCpuPercent: 80, metrics: null, behavior: null }],
  };
  const bad = { ...badRelease, atUs: 10 * SECOND };
  const { rollouts, ready } = run({ replicas: 10 }, [bad], { policies: [policy] });
  t.is(rollouts[0]!.outcome, 'stuck');
  t.is(ready.at(-1), 4);
});

test('with a Deployment in each zone each rolls out by itself', (t) => {
  const base = aScenario({ zones: 2, services: [aService({ replicas: 6 })] });
  const { rollouts } = run({ replicas: 6 }, [restart], {
    cluster: base.cluster,
    policies: [{ ...staticPolicy, deploymentPerZone: [0] }],
    loads: [aLoad(1, { from: [{ atUs: 0, shares: [0.5, 0.5] }] })],
  });
  // Three pods in each: 1 more, 0 fewer.
  t.deepEqual(rollouts, [
    { ...finished(3 * READY_SECONDS, 3, 4), workload: 'service-a' },
    { ...finished(3 * READY_SECONDS, 3, 4), workload: 'service-b' },
  ]);
});

test('an empty list of rollouts changes no byte, nor does one after the end', (t) => {
  const text = (rollouts: readonly Rollout[]): string => {
    const {
      rollouts: _,
      digest: __,
      ...rest
    } = simulate(scenario({ replicas: 3 }, rollouts), { policy: 0, seed: SEED });
    return JSON.stringify(rest);
  };
  t.is(text([]), text([{ ...restart, atUs: 500 * SECOND }]));
  t.false('rollouts' in simulate(scenario({ replicas: 3 }, []), { policy: 0, seed: SEED }));
});

/** A pod's end and the start of the one after it: see Recreate above. */
const TURN_SECONDS = 1.2 + READY_SECONDS;

test('B5: a StatefulSet is updated pod by pod, each when the one before is ready', (t) => {
  const { rollouts } = run({ replicas: 3, controller: aStatefulSet() }, [restart]);
  t.deepEqual(rollouts, [finished(3 * TURN_SECONDS, 2, 3)]);
  // Parallel is about starting and scaling.
  const parallel = run({ replicas: 3, controller: aStatefulSet({ podManagement: 'Parallel' }) }, [restart]);
  t.deepEqual(parallel.rollouts, rollouts);
});

test('pods below the partition keep their template', (t) => {
  const { rollouts } = run({ replicas: 3, controller: aStatefulSet({ update: { partition: 2 } }) }, [restart]);
  t.deepEqual(rollouts, [finished(TURN_SECONDS, 2, 3)]);
  t.like(run({ replicas: 3, controller: aStatefulSet({ update: 'OnDelete' }) }, [restart]).rollouts[0], {
    outcome: 'underWay',
    fewestAvailable: 3,
  });
});

test('B5: an OrderedReady update that never gets ready is stuck, even for the next one; a Parallel one is not', (t) => {
  const rollouts = [badRelease, { ...restart, atUs: 200 * SECOND }];
  const ordered = run({ replicas: 3, controller: aStatefulSet() }, rollouts);
  t.deepEqual(
    ordered.rollouts.map(({ outcome }) => outcome),
    ['superseded', 'stuck'],
  );
  t.is(ordered.ready.at(-1), 2);
  const parallel = run({ replicas: 3, controller: aStatefulSet({ podManagement: 'Parallel' }) }, rollouts);
  t.deepEqual(
    parallel.rollouts.map(({ outcome }) => outcome),
    ['superseded', 'finished'],
  );
  t.is(parallel.ready.at(-1), 3);
});

/** Ten pods in each of two zones, three of them restarting for good; all users in one zone, with failover on. */
function spilled(istioMinor: number): number {
  const strategy = { type: 'RollingUpdate', maxSurge: 0, maxUnavailable: 3 } as const;
  const base = aScenario({
    zones: 2,
    services: [aService({ replicas: 20, workers: 50, controller: aDeployment(strategy) })],
    loads: [aLoad(200, { from: [{ atUs: 0, shares: [1, 0] }] })],
    policies: [{ ...staticPolicy, deploymentPerZone: [0] }],
    run: { warmUpUs: 20 * SECOND, durationUs: 100 * SECOND },
    over: { rollouts: [{ ...badRelease, atUs: SECOND }] },
  });
  const object: KubeObject = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'service' },
    spec: { host: 'service', trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5 } } },
  };
  const mesh = { ...base.mesh, destinationRules: [{ service: 0, object }] };
  const result = simulate({ ...base, mesh, compat: { ...base.compat, istioMinor } }, { policy: 0, seed: SEED });
  return result.crossZoneShare!;
}

test('A10: from Istio 1.31 on, a rolling restart sends traffic to other zones: 7 of 10 ready, 98/2', (t) => {
  // 7/10 x 140 = 98 in whole percent; 20,000 requests, so 0.1 points of deviation, and four of them to be sure.
  t.true(Math.abs(spilled(31) - 0.02) < 0.004, `${spilled(31)}`);
  // Before, proxies are not told of pods that are not ready.
  t.is(spilled(30), 0);
});
