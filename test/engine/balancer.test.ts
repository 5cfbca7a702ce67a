import test from 'ava';
import { emptyMemory, step, type SetRoute, type Snapshot, type StepOutput } from '../../engine/index.js';
import { aNode, aPod, aRule, aSnapshot, aWorkload, anEdge, anInput, NOW_MS, ZONES } from './fixtures.js';

const POLICY = (localityLbSetting: Record<string, unknown>) => ({
  trafficPolicy: { loadBalancer: { localityLbSetting } },
});
const keyed = (to: Record<string, number>) =>
  Object.fromEntries(Object.entries(to).map(([zone, percent]) => [`eu/${zone}/*`, percent]));
const row = (from: string, to: Record<string, number>) => ({ from: `eu/${from}/*`, to: keyed(to) });

/** `web` with so many pods per zone, all at 50 %, called from the zones given. */
function web(pods: Record<string, number>, rates: Record<string, number>, over: Partial<Snapshot> = {}): Snapshot {
  const list = Object.entries(pods).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, index) => aPod('web', `n-${zone}`, `web-${zone}-${index}`)),
  );
  return aSnapshot({
    workloads: [aWorkload('web', list.length)],
    pods: list,
    edges: Object.entries(rates).map(([zone, rps]) => anEdge('gw', `eu/${zone}`, 'web', rps)),
    destinationRules: [aRule('web')],
    ...over,
  });
}

const ONLY = { scaler: { mode: 'off' } } as const;
const run = (snapshot: Snapshot, over: Parameters<typeof anInput>[1] = {}) =>
  step(anInput(snapshot, { ...ONLY, ...over }));
const route = ({ decisions }: StepOutput) => decisions.find((entry): entry is SetRoute => entry.kind === 'setRoute');
const reasons = ({ skipped }: StepOutput) => skipped.map(({ reason }) => reason);

// 4 pods a zone, source a: the sum of round trips is 0.3 + 1 + 1 = 2.3; factors .8696, .5652, .5652; 43.48, 28.26, 28.26
// makes 44, 28, 28: .48 is the largest fraction.
test('locality priority counts as all traffic staying, and the first step away is one of 20 points', (t) => {
  const rule = aRule('web', { trafficPolicy: { outlierDetection: {} } });
  const decision = route(run(web({ a: 4, b: 4, c: 4 }, { a: 100 }, { destinationRules: [rule] })));
  // 100 -> 80, 0 -> 20, 0 -> 20, of 120: 66.67, 16.67, 16.67.
  t.deepEqual(decision?.distribute, [row('a', { a: 67, b: 17, c: 16 })]);
  t.is(decision?.host, 'web.default.svc.cluster.local');
  t.deepEqual(decision?.destinationRule, { namespace: 'default', name: 'web', create: false });
  t.is(decision?.signals['eu/a target'], 'eu/a 44, eu/b 28, eu/c 28');
});

test('without locality priority what stands is a share by endpoints', (t) => {
  // Current 34/33/33, target 44/28/28: L1 20, step 5 + 20/50*15 = 11: the target is reached, L1 20 >= 5.
  t.deepEqual(route(run(web({ a: 4, b: 4, c: 4 }, { a: 100 })))?.distribute, [row('a', { a: 44, b: 28, c: 28 })]);
});

test('a standing row is where the step starts, a change below the gate is not written', (t) => {
  const at = (to: Record<string, number>) =>
    run(
      web(
        { a: 4, b: 4, c: 4 },
        { a: 100 },
        { destinationRules: [aRule('web', POLICY({ distribute: [row('a', to)] }))] },
      ),
    );
  // 46/27/27 -> 44/28/28 is L1 4; 48/26/26 is L1 8, step 7.4: arrives.
  t.deepEqual(reasons(at({ a: 46, b: 27, c: 27 })), ['belowMinDelta']);
  t.deepEqual(route(at({ a: 48, b: 26, c: 26 }))?.distribute, [row('a', { a: 44, b: 28, c: 28 })]);
});

test('a mark of a scaling opens the gate once, when every replica is ready', (t) => {
  const key = 'default/Deployment/web';
  const memory = { ...emptyMemory, postScalingMarks: { [key]: { atMs: NOW_MS } } };
  const rules = [aRule('web', POLICY({ distribute: [row('a', { a: 47, b: 27, c: 26 })] }))];
  const snapshot = web({ a: 4, b: 4, c: 4 }, { a: 100 }, { destinationRules: rules });
  const gate = { balancer: { minDelta: 20 } };
  t.deepEqual(reasons(run(snapshot, gate)), ['belowMinDelta']);
  const eager = run(snapshot, { ...gate, memory });
  t.truthy(route(eager));
  t.deepEqual(eager.memory.postScalingMarks, {});

  const starting = { ...snapshot, workloads: [aWorkload('web', 12, { readyReplicas: 11 })] };
  const waiting = run(starting, { ...gate, memory });
  t.deepEqual(reasons(waiting), ['belowMinDelta']);
  t.deepEqual(waiting.memory.postScalingMarks, memory.postScalingMarks);

  const health = { ...snapshot.health, istio: { status: 'stale', ageMs: 1 } } as const;
  t.deepEqual(run({ ...snapshot, health }, { memory }).memory.postScalingMarks, memory.postScalingMarks);
});

test('every zone that could get a pod is listed, a cordoned empty one is not', (t) => {
  t.deepEqual(
    route(
      run(
        web(
          { a: 4, b: 4 },
          { a: 100 },
          { destinationRules: [aRule('web', { trafficPolicy: { outlierDetection: {} } })] },
        ),
      ),
    )?.distribute,
    [
      // Factors 1 - .3/1.3 and 1 - 1/1.3: 76.9/23.1, with the floor 76/23/1. From 100: L1 48, step 19.4: 80.6 and 19.4 make
      // 81 and 19; c, within epsilon, gets its floor of 1: 81 and 19 of 99 are 80.19 and 18.81.
      row('a', { a: 80, b: 19, c: 1 }),
    ],
  );
  const nodes = ZONES.map((zone) => aNode(`n-${zone.slice(-1)}`, zone, { schedulable: zone !== 'eu/c' }));
  const decision = route(
    run(
      web(
        { a: 4, b: 4 },
        { a: 100 },
        { nodes, destinationRules: [aRule('web', { trafficPolicy: { outlierDetection: {} } })] },
      ),
    ),
  );
  // Target 77/23, L1 46, step 18.8: 81.2 and 18.8.
  t.deepEqual(decision?.distribute, [row('a', { a: 81, b: 19 })]);
});

test('a row that starves a zone with pods is mended whatever the gate, also one without traffic', (t) => {
  const distribute = [row('a', { a: 44, b: 28, c: 28 }), row('b', { a: 50, b: 50 })];
  const rules = [aRule('web', POLICY({ enabled: true, distribute }))];
  const decision = route(run(web({ a: 4, b: 4, c: 4 }, { a: 100 }, { destinationRules: rules })));
  // b sends nothing now: 50/50 becomes 49.5, 49.5 and the floor.
  t.deepEqual(decision?.distribute, [row('a', { a: 44, b: 28, c: 28 }), row('b', { a: 50, b: 49, c: 1 })]);
});

test('rows of quiet zones stay and other settings are kept', (t) => {
  const quiet = row('c', { a: 5, b: 5, c: 90 });
  const distribute = [row('a', { a: 90, b: 5, c: 5 }), quiet];
  const decision = route(
    run(
      web(
        { a: 4, b: 4, c: 4 },
        { a: 100, b: 0 },
        {
          destinationRules: [aRule('web', POLICY({ kept: 'as it is', distribute }))],
        },
      ),
    ),
  );
  t.deepEqual(decision?.distribute[1], quiet);
  t.is(decision?.distribute.length, 2);
  t.is(decision?.localityLbSetting['kept'], 'as it is');
  t.deepEqual(decision?.localityLbSetting['distribute'], decision?.distribute);
});

test('a slow zone is sent less', (t) => {
  const times = [{ namespace: 'default', workload: 'web', node: 'n-a', p95Ms: 1000 }];
  const decision = route(
    run(web({ a: 4, b: 4, c: 4 }, { a: 100 }, { responseTimes: times }), { balancer: { minLocalShare: 0 } }),
  );
  // Factors .8696*(1-.6972) = .2633, .5652, .5652 of 1.3937: 18.9, 40.55, 40.55.
  t.is(decision?.signals['eu/a target'], 'eu/a 19, eu/b 41, eu/c 40');
});

test('what another owner set is left alone', (t) => {
  const at = (rules: Snapshot['destinationRules']) =>
    reasons(run(web({ a: 4, b: 4 }, { a: 100 }, { destinationRules: rules })));
  const to = { 'eu/*': 100 };
  for (const rule of [
    aRule('web', POLICY({ failover: [{ from: 'eu', to: 'us' }] })),
    aRule('web', POLICY({ failoverPriority: ['topology.kubernetes.io/zone'] })),
    aRule('web', POLICY({ enabled: false })),
    aRule('web', POLICY({ distribute: [{ from: 'eu/*', to }] })),
    aRule('web', POLICY({ distribute: 'nonsense' })),
    aRule('web', { trafficPolicy: { portLevelSettings: [{ port: { number: 80 } }] } }),
    aRule('web', { subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }] }),
    aRule('*.default.svc.cluster.local', {}, 'wide'),
  ]) {
    t.deepEqual(at([rule]), ['ownedByAnother'], JSON.stringify(rule.spec));
  }
  t.deepEqual(at([aRule('web', {}, 'one'), aRule('web.default', {}, 'two')]), ['ownedByAnother']);
});

test('a host is met by its short name, with its namespace, and in full', (t) => {
  for (const host of ['web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local']) {
    t.truthy(route(run(web({ a: 4, b: 4, c: 4 }, { a: 100 }, { destinationRules: [aRule(host)] }))), host);
  }
  t.deepEqual(reasons(run(web({ a: 4 }, { a: 1 }, { destinationRules: [aRule('web.other')] }))), ['noDestinationRule']);
});

test('a missing rule is created only when asked', (t) => {
  const snapshot = web({ a: 4, b: 4, c: 4 }, { a: 100 }, { destinationRules: [] });
  t.deepEqual(reasons(run(snapshot)), ['noDestinationRule']);
  t.true(route(run(snapshot, { balancer: { createRoutes: true } }))?.destinationRule.create);
});

test('nothing is written without callers, ready pods, a Service, Istio or fresh metrics', (t) => {
  const health = aSnapshot().health;
  const gone = { status: 'absent', ageMs: null } as const;
  const at = (over: Partial<Snapshot>) => reasons(run(web({ a: 4, b: 4, c: 4 }, { a: 100 }, over)));
  t.deepEqual(at({ edges: [] }), ['noTraffic']);
  t.deepEqual(at({ pods: [] }), ['noTarget']);
  t.deepEqual(at({ workloads: [aWorkload('web', 12, { service: null })] }), ['noService']);
  t.deepEqual(at({ workloads: [aWorkload('web', 0)] }), ['asleep']);
  t.deepEqual(at({ health: { ...health, istio: gone } }), ['istioAbsent']);
  t.deepEqual(at({ health: { ...health, prometheus: gone } }), ['metricsAbsent']);
});

test('workloads behind one Service share one route', (t) => {
  const snapshot = web({ a: 4, b: 4, c: 4 }, { a: 100 });
  const output = run({ ...snapshot, workloads: [...snapshot.workloads, aWorkload('canary', 0, { service: 'web' })] });
  t.is(output.decisions.length, 1);
  t.deepEqual(reasons(output), ['ownedByAnother']);
});
