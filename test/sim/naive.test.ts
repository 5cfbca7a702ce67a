/**
 * What a naive simulator gets wrong (SEMANTICS section 0), one test a point, numbered as there. Each shows the figure
 * that the naive reading would give beside the right one. Point 11 stands in balancers.test.ts, 20 in
 * withoutMesh.test.ts, 22 in test/traces/read/net-lag.test.ts.
 */
import test from 'ava';
import { desiredReplicas, HPA_SYNC_PERIOD_US, newHpaState, type HpaPod } from '../../sim/cluster/hpa.js';
import { cpuShares, cpuWeight } from '../../sim/cluster/cpuShares.js';
import { nodeLossTimeline } from '../../sim/cluster/nodeLoss.js';
import { budgetStatus, type BudgetPod, type DisruptionBudget } from '../../sim/cluster/pdb.js';
import { resolveFenceposts } from '../../sim/cluster/rollingUpdate.js';
import { victimOrder } from '../../sim/cluster/replicaset.js';
import { explainScores } from '../../sim/cluster/scheduler.js';
import { transferUsd } from '../../sim/cluster/cost.js';
import { setUp } from '../../sim/control/setUp.js';
import { readClusterPolicy } from '../../sim/mesh/clusterPolicy.js';
import { readHttpRoutes } from '../../sim/mesh/httpRoutes.js';
import { buildRoute, type RouteEndpoint } from '../../sim/mesh/locality.js';
import { createOutlierState, eject, sweep } from '../../sim/mesh/outlierState.js';
import { priorityLoads } from '../../sim/mesh/priority.js';
import { pickPod } from '../../sim/pick.js';
import { compileProgram } from '../../sim/program.js';
import { mix } from '../../sim/random.js';
import { PRICE_BOOKS } from '../../scenarios/prices.js';
import { bucketedQuantile, envoyBucketCounts } from '../../traces/envoy-buckets.js';
import { shareCores } from '../models/coreShares.js';
import { SEED, SEED_NOTE } from '../seed.js';
import {
  aLoad,
  anEndpoint,
  aScenario,
  aService,
  call,
  cpu,
  exponential,
  meanAndMargin,
  runSeeds,
  staticPolicy,
} from './builders.js';

const SECOND = 1e6;

const pod = (index: number, zone: string, healthy = true): RouteEndpoint => ({
  index,
  zone,
  node: `n${index}`,
  healthy,
});
const route = (endpoints: RouteEndpoint[], trafficPolicy: object | null, clientLocality = 'r/a') =>
  buildRoute({
    clientLocality,
    clientNode: '',
    endpoints,
    destinationRule: trafficPolicy && { trafficPolicy },
    meshSetting: null,
  });

test(`naive 1: two choices compare the caller's own requests, may draw one pod twice, and keep the first on a tie ${SEED_NOTE}`, (t) => {
  const scenario = aScenario({ gatewaysPerZone: 2, services: [aService({ replicas: 3 })] });
  const { world } = setUp(compileProgram(scenario), staticPolicy, SEED, null);
  const [firstGateway, secondGateway] = [world.podBase[1]!, world.podBase[1]! + 1];
  // The first gateway has 3, 3 and 0 requests under way; what the second one has must not count.
  world.connectionActive.set([3, 3, 0], world.connectionBase[0]);
  const capacity = world.podCapacity[0]!;
  world.connectionActive.set([0, 0, 9], world.connectionBase[0]! + capacity);
  const draws = 90_000;
  const picked = (gateway: number, slot: number): number[] => {
    const counts = [0, 0, 0];
    const row = world.connectionBase[0]! + slot * capacity;
    for (let i = 0; i < draws; i++) {
      const choice = pickPod(world, 0, gateway, slot, row, mix(i * 2654435761), 0);
      counts[choice] = counts[choice]! + 1;
    }
    return counts;
  };
  // C is drawn at least once with 1 - (2/3)^2 = 5/9; without replacement it would be 2/3.
  const expected = [2 / 9, 2 / 9, 5 / 9].map((share) => share * draws);
  const chi2 = picked(firstGateway, 0).reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
  // Two degrees of freedom: above 27.6 in one of a million true cases.
  t.true(chi2 < 27.6, `chi-square ${chi2}`);
  // For the second gateway C is the worst: only picked when drawn twice, 1/9.
  const share = picked(secondGateway, 1)[2]! / draws;
  t.true(Math.abs(share - 1 / 9) < 5 * Math.sqrt(((1 / 9) * (8 / 9)) / draws), `${share}`);
});

const twoAndEight = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => pod(i, i < 2 ? 'r/a' : 'r/b'));

test('naive 2: without outlier detection no zone is preferred; adding it, even empty, keeps traffic in the zone', (t) => {
  const without = route(twoAndEight, null);
  t.is(without.priorities.length, 1);
  t.is(without.priorities[0]!.localities.flatMap(({ endpoints }) => endpoints).length, 10);
  const first = route(twoAndEight, { outlierDetection: {} }).priorities[0]!;
  t.is(first.loadPercent, 100);
  t.deepEqual(
    first.localities.map(({ locality }) => locality),
    ['r/a'],
  );
});

test('naive 3: only an explicit failover, failoverPriority or distribute weighs localities', (t) => {
  const weighted = (localityLbSetting: object) =>
    route(twoAndEight, { outlierDetection: {}, loadBalancer: { localityLbSetting } }).localityWeighted;
  t.false(weighted({}));
  t.true(weighted({ failover: [{ from: 'r', to: 's' }] }));
  t.true(weighted({ failoverPriority: ['topology.kubernetes.io/region'] }));
  t.true(weighted({ distribute: [{ from: 'r/a', to: { 'r/a': 100 } }] }));
});

test('naive 4: with distribute, zones not listed get nothing though all listed are dead; an unmatched client spreads by count', (t) => {
  const distribute = [{ from: 'r/a/*', to: { 'r/a/*': 100 } }];
  const rule = { loadBalancer: { localityLbSetting: { distribute } } };
  const dead = twoAndEight.filter(({ zone }) => zone !== 'r/a');
  t.true(route(dead, rule).priorities.every(({ localities }) => localities.length === 0));
  const other = route(twoAndEight, rule, 'r/c');
  t.true(other.localityWeighted);
  t.deepEqual(
    other.priorities[0]!.localities.map(({ weight }) => weight),
    [2, 8],
  );
});

test('naive 5: priority loads are whole percents: 8/92 and 37/35/28, not 7/93 and 36/36/28', (t) => {
  t.deepEqual(priorityLoads([5, 65], [100, 100]), [8, 92]);
  t.deepEqual(priorityLoads([1, 1, 1], [4, 4, 5]), [37, 35, 28]);
});

const outlier = readClusterPolicy({ trafficPolicy: { outlierDetection: {} } }, null).outlier!;

test('naive 6: by default nothing is ejected from fewer than 10 endpoints; old Envoy ejected one', (t) => {
  for (const endpoints of [1, 5, 9]) t.false(eject(createOutlierState(outlier, 1, endpoints, 39), 0, 0, endpoints, 0));
  t.true(eject(createOutlierState(outlier, 1, 10, 39), 0, 0, 10, 0));
  t.true(eject(createOutlierState(outlier, 1, 5, 26), 0, 0, 5, 0));
});

test('naive 7: an ejected pod comes back at a sweep only, and each healthy sweep forgives one ejection', (t) => {
  const state = createOutlierState(outlier, 1, 10, 39);
  eject(state, 0, 0, 10, 3 * SECOND);
  const returns = [10, 20, 30, 40, 50, 60].filter((at) => sweep(state, 0, at * SECOND));
  // 30 s would be over at 33 s.
  t.deepEqual(returns, [40]);
  t.is(state.multiplier[0], 0);
});

test('naive 8: under Istio nothing healthy is 503 UH, not a spray over the sick', (t) => {
  const sick = twoAndEight.map((endpoint) => ({ ...endpoint, healthy: false, ejected: true }));
  const { priorities } = route(sick, { outlierDetection: {} });
  t.true(priorities.every(({ panic, localities }) => !panic && localities.length === 0));
});

test("naive 9: Istio limits nothing by default; Envoy's 1024 and 3 do not hold, and 0 cannot be set", (t) => {
  const limits = (pool: object) => {
    const { maxConnections, maxPending, maxRequests, maxRetries } = readClusterPolicy(
      { trafficPolicy: { connectionPool: pool } },
      null,
    ).pool;
    return [maxConnections, maxPending, maxRequests, maxRetries];
  };
  t.deepEqual(limits({}), [Infinity, Infinity, Infinity, Infinity]);
  t.deepEqual(limits({ tcp: { maxConnections: 0 }, http: { maxRetries: 0 } }), [
    Infinity,
    Infinity,
    Infinity,
    Infinity,
  ]);
});

test('naive 10: two retries by default, of connection failures only; 503 answers were retried before 1.24', (t) => {
  const [now, before] = [31, 23].map((istioMinor) => readHttpRoutes(null, istioMinor)[0]!.retries);
  t.is(now!.attempts, 2);
  t.true(now!.retryOn.connectFailure);
  t.false(now!.retryOn.reset || now!.retryOn.gatewayError || now!.retryOn.fiveXx);
  t.deepEqual(now!.retryOn.statusCodes, []);
  t.deepEqual(before!.retryOn.statusCodes, [503]);
});

test('naive 12: from 1.31 on, pods that are not ready count in the health of their zone, and traffic spills', (t) => {
  const endpoints = twoAndEight.map((endpoint) => ({ ...endpoint, zone: 'r/a', healthy: endpoint.index >= 3 }));
  const loads = (compat: '<=1.30' | '>=1.31') =>
    buildRoute({
      clientLocality: 'r/a',
      clientNode: '',
      endpoints: [...endpoints, pod(10, 'r/b')],
      destinationRule: { trafficPolicy: { outlierDetection: {} } },
      meshSetting: null,
      compat,
    }).priorities.map(({ loadPercent }) => loadPercent);
  t.deepEqual(loads('<=1.30'), [100, 0]);
  t.deepEqual(loads('>=1.31'), [98, 2]);
});

test('naive 13: a hundred requests of 6 ms read as a p95 of 9.75 ms in coarse buckets', (t) => {
  t.is(bucketedQuantile(envoyBucketCounts(new Array<number>(100).fill(6)), 0.95), 9.75);
});

const NOW = 10_000 * SECOND;
function hpaPods(usages: readonly (number | null)[], young = 0): HpaPod[] {
  return usages.map((cpuMillicores, i) => ({
    phase: 'Running',
    deleting: false,
    startedAtUs: i < young ? NOW - 10 * SECOND : 0,
    readyCondition: { ready: i >= young, changedAtUs: i < young ? NOW - 10 * SECOND : 0 },
    cpuRequestMillicores: 100,
    sample: cpuMillicores === null ? null : { cpuMillicores, atUs: NOW, windowUs: 15 * SECOND },
  }));
}
const hpaAnswer = (pods: HpaPod[], targetCpuPercent: number, behavior: Record<string, unknown> | null = {}) =>
  desiredReplicas({
    nowUs: NOW,
    spec: { minReplicas: 1, maxReplicas: 100, targetCpuPercent, behavior },
    currentReplicas: pods.length,
    pods,
    state: newHpaState(),
  }).recommended;

test('naive 14: utilisation is floored to a percent, and pods that just started count as idle on the way up', (t) => {
  // 303 of 400 is 75.75 %: unfloored 75.75/60 x 4 = 5.05, six pods.
  t.is(hpaAnswer(hpaPods([76, 76, 76, 75]), 60), 5);
  // Ten pods at 90 % want fifteen; with five that just started the ratio is 900/1500 = 60 %: enough.
  t.is(hpaAnswer(hpaPods([...new Array<number>(5).fill(0), ...new Array<number>(10).fill(90)], 5), 60), 15);
});

test('naive 15: an empty behavior is not the same as none: 1, 5, 10, 20 against 1, 4, 8, 16', (t) => {
  const climb = (behavior: Record<string, unknown> | null): number[] => {
    let [replicas, state] = [1, newHpaState()];
    return [0, 1, 2].map((sync) => {
      const nowUs = NOW + sync * HPA_SYNC_PERIOD_US;
      const pods = hpaPods([10_000]).map((one) => ({ ...one, sample: { ...one.sample!, atUs: nowUs } }));
      const spec = { minReplicas: 1, maxReplicas: 100, targetCpuPercent: 50, behavior };
      const outcome = desiredReplicas({ nowUs, spec, currentReplicas: replicas, pods, state });
      [replicas, state] = [outcome.replicas, outcome.state];
      return replicas;
    });
  };
  t.deepEqual(climb({}), [5, 10, 20]);
  t.deepEqual(climb(null), [4, 8, 16]);
});

test('naive 16: scale-down compares ages by powers of two of nanoseconds, then UIDs, and never looks at zones', (t) => {
  const aged = (uid: string, readySeconds: number) => ({
    uid,
    node: uid,
    phase: 'Running' as const,
    ready: true,
    readySinceUs: NOW - readySeconds * SECOND,
    createdAtUs: 0,
    deletionCost: 0,
    restarts: 0,
  });
  const first = (...pods: ReturnType<typeof aged>[]) => victimOrder(pods, NOW)[0]!.uid;
  // 100 s and 130 s share a bucket (68.7 to 137.4 s), though seconds would part them at 128; the UID decides.
  t.is(first(aged('a', 130), aged('b', 100)), 'a');
  t.is(first(aged('a', 140), aged('b', 130)), 'b');
});

test('naive 17: the default spread weighs domains by ln(count + 2) and compresses differences', (t) => {
  const room = { cpuMillicores: 4000, memoryBytes: 16 * 2 ** 30 };
  const none = { cpuMillicores: 0, memoryBytes: 0 };
  const node = (zone: number) => ({
    zone,
    ready: true,
    schedulable: true,
    allocatable: room,
    requested: none,
    nonZeroRequested: none,
  });
  const scores = explainScores({
    pod: {
      requests: { cpuMillicores: 500, memoryBytes: 2 ** 30 },
      requiredZone: null,
      requiredNode: null,
      preferredNode: null,
      spread: [],
    },
    nodes: [node(0), node(0), node(1)],
    podsOfService: [0, 0, 2],
    visitOrder: [0, 1, 2],
    visitFrom: 0,
    pick: () => 0,
  });
  t.deepEqual(
    scores.map(({ spread }) => spread),
    [75, 100, 100],
  );
});

test('naive 18: budgets round up in both fields and know nothing of rollouts, whose surge rounds up and shortfall down', (t) => {
  const seven: BudgetPod[] = Array.from({ length: 7 }, (_, i) => ({
    name: `web-${i}`,
    namespace: 'default',
    labels: { app: 'web' },
    phase: 'Running',
    ready: true,
    deleting: false,
    evictionAllowedAtUs: null,
  }));
  const allowed = (limit: DisruptionBudget['limit']): number =>
    budgetStatus(
      {
        name: 'web',
        namespace: 'default',
        selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
        limit,
        unhealthyPodEviction: 'IfHealthyBudget',
      },
      seven,
      7,
      0,
    ).disruptionsAllowed;
  // 50 % of 7 is 3.5: four must stay; 30 % is 2.1: three may go.
  t.deepEqual([allowed({ minAvailable: '50%' }), allowed({ maxUnavailable: '30%' })], [3, 3]);
  t.deepEqual(resolveFenceposts({ maxSurge: '25%', maxUnavailable: '25%' }, 10), { surge: 3, unavailable: 2 });
  t.deepEqual(resolveFenceposts({ maxSurge: '0%', maxUnavailable: '1%' }, 1), { surge: 0, unavailable: 1 });
});

test('naive 19: a dead node keeps its traffic for 50 to 55 s (40 before 1.32) and its replicas stay away for 350', (t) => {
  const after = (kubernetes: '<=1.31' | '>=1.32') => {
    const { notReadyAtUs, evictedAtUs } = nodeLossTimeline({ lostAtUs: 1000 * SECOND, leasePhaseUs: 0, kubernetes });
    return [notReadyAtUs / SECOND - 1000, evictedAtUs / SECOND - 1000];
  };
  t.deepEqual(after('>=1.32'), [55, 355]);
  t.deepEqual(after('<=1.31'), [45, 345]);
});

test('naive 21: AWS bills bytes between zones at both ends, Google once, Azure not at all', (t) => {
  const bytes = 1000 * 5000 * 30 * 86_400;
  const usd = (book: string): string => transferUsd(bytes, PRICE_BOOKS[book]!.crossZoneUsdPerGb).toFixed(2);
  t.deepEqual(['aws/us-east-1', 'gcp/us-central1', 'azure/eastus'].map(usd), ['259.20', '120.70', '0.00']);
});

test(`naive 23: a chain of synchronous calls is no Jackson network: callers hold their worker while they wait ${SEED_NOTE}`, (t) => {
  const tandem = (holdsWorkerWhileCalling: boolean): { mean: number; margin: number } => {
    const front = aService({
      name: 'front',
      holdsWorkerWhileCalling,
      endpoints: [anEndpoint([cpu(exponential(10_000)), call(1)])],
    });
    const scenario = aScenario({
      services: [front, aService()],
      loads: [aLoad(40)],
      run: { durationUs: 600 * SECOND, warmUpUs: 60 * SECOND },
    });
    return meanAndMargin(runSeeds(scenario, 6).map((run) => run.total.latencyMs.mean!));
  };
  // Jackson: two M/M/1 at .4, 16.67 ms each. A worker held for both stages: M/G/1 with Erlang-2 work of 20 ms at .8,
  // mean 20 + .8 x 20 x 1.5 / (2 x .2) = 80 ms (D5 with cs2 = .5), as nobody ever waits at the second stage.
  const free = tandem(false);
  t.true(Math.abs(free.mean - 100 / 3) < Math.max(0.5, 2 * free.margin), `${free.mean}`);
  const held = tandem(true);
  t.true(Math.abs(held.mean - 80) < Math.max(2, 2 * held.margin), `${held.mean} +- ${held.margin}`);
});

test('naive 24: with runc 1.3.2 or crun 1.23 contention no longer shares the CPU in proportion to requests', (t) => {
  const share = (formula: 'linear' | 'curved'): number => {
    const claim = (millicores: number) => ({
      weight: cpuWeight(cpuShares(millicores), formula),
      demandCores: 1,
      limitCores: Infinity,
    });
    return shareCores([claim(500), claim(1000)], 1)[0]!;
  };
  // 20 : 39 by the old line, nearly 1 : 2; 59 : 100 by the new curve.
  t.true(Math.abs(share('linear') - 20 / 59) < 1e-12, `${share('linear')}`);
  t.true(Math.abs(share('curved') - 59 / 159) < 1e-12, `${share('curved')}`);
});
