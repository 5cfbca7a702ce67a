/** Crashes, bursts and a control plane that is out of order: each against what its times and rates say. */
import test from 'ava';
import { defaultEngineConfig } from '../../engine/index.js';
import type { Snapshot } from '../../engine/types.js';
import type { Fault, FaultTimes, Policy, Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { burstRate } from '../../sim/loadBurst.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED } from '../seed.js';
import { everyFault } from './everyFault.js';
import { aLoad, anEndpoint, aScenario, aService, constant, cpu, staticPolicy } from './builders.js';

const SECOND = 1e6;
const always: FaultTimes = { atUs: 0, forUs: null, rampUs: 0 };
const during = (from: number, to: number, ramp = 0): FaultTimes => ({
  atUs: from * SECOND,
  forUs: (to - from) * SECOND,
  rampUs: ramp * SECOND,
});

/** Ten even requests a second for one pod, which is ready 3 s after its start; a point of the series a second. */
function scenarioWith(faults: readonly Fault[], policy: Policy = staticPolicy): Scenario {
  return aScenario({
    services: [
      aService({
        limits: { cpuMillicores: null, memoryBytes: 2.5e8 },
        endpoints: [anEndpoint([cpu(constant(1000))])],
      }),
    ],
    loads: [aLoad(10, { arrivals: 'even' })],
    policies: [policy],
    run: { warmUpUs: 0, durationUs: 300 * SECOND, seriesUs: SECOND },
    over: { faults },
  });
}

const run = (faults: readonly Fault[], policy?: Policy): ReplicationResult =>
  simulate(scenarioWith(faults, policy), { policy: 0, seed: SEED });

/** Seconds in which every request failed, as [first, last]. */
function outages({ series }: ReplicationResult): [number, number][] {
  const spans: [number, number][] = [];
  series.failedPerSecond.forEach((failed, i) => {
    if (failed === 0 || failed < series.requestsPerSecond[i]!) return;
    const last = spans.at(-1);
    if (last && last[1] === i - 1) last[1] = i;
    else spans.push([i, i]);
  });
  return spans;
}

test('a burst multiplies the rate while it lasts', (t) => {
  const { total } = run([{ kind: 'loadBurst', load: 0, times: 3, ...during(50, 150) }]);
  // 200 s of 10 and 100 s of 30; the last may still be under way.
  t.true(Math.abs(total.requests.total - 5000) <= 2, `${total.requests.total}`);
});

test('a burst with a ramp grows in ten steps, on any curve', (t) => {
  const points = [
    { atUs: 0, perSecond: 0 },
    { atUs: 100, perSecond: 100 },
  ];
  const area = (curve: readonly { atUs: number; perSecond: number }[]): number =>
    curve
      .slice(1)
      .reduce(
        (sum, point, i) => sum + ((point.atUs - curve[i]!.atUs) * (point.perSecond + curve[i]!.perSecond)) / 2,
        0,
      );
  const burst = { kind: 'loadBurst', load: 0, times: 2, atUs: 0, forUs: 100, rampUs: 0 } as const;
  t.is(area(burstRate(points, [burst], 100)), 10_000);
  // Steps of 1.1, 1.2 .. 2: the line's 5,000 and sum over k = 1..10 of k/10 x (100 k - 50), which is 3,850 - 275.
  t.true(Math.abs(area(burstRate(points, [{ ...burst, rampUs: 100 }], 100)) - 8575) < 1e-6);
  t.is(burstRate(points, [{ ...burst, forUs: 0 }], 100), points);
});

test('a crash breaks its requests at once, and the container is back after a second and its start', (t) => {
  const result = run([{ kind: 'podCrash', service: 0, pods: null, atUs: 100 * SECOND, forUs: null, rampUs: 0 }]);
  // Down from 100 s; started again at 101 s, ready at 104 s, known 0.2 s later.
  t.deepEqual(outages(result), [[100, 103]]);
});

test('a crash loop waits 10 s, 20 s, 40 s and so on between the end of a container and the next start', (t) => {
  const result = run([{ kind: 'crashLoop', service: 0, pods: null, everyUs: 10 * SECOND, ...always }]);
  // Ends at 10, 21, 41, 71, 121, 211; starts at 11 (at once), 31, 61, 111, 201; each start is known 3.2 s later.
  t.deepEqual(outages(result), [
    [10, 13],
    [21, 33],
    [41, 63],
    [71, 113],
    [121, 203],
    [211, 299],
  ]);
});

test('a crash loop of one pod leaves the others alone, and ends with the fault', (t) => {
  const scenario = scenarioWith([{ kind: 'crashLoop', service: 0, pods: 1, everyUs: 10 * SECOND, ...during(0, 50) }]);
  const two = { ...scenario, services: [{ ...scenario.services[0]!, replicas: 2 }] };
  const result = simulate(two, { policy: 0, seed: SEED });
  t.deepEqual(outages(result), []);
  t.true(result.total.requests.failed < 10, `${result.total.requests.failed}`);
});

test('a leak ends the container when it reaches the limit', (t) => {
  // From 50 MB at 10 MB/s to the limit of 250 MB takes 20 s.
  const result = run([{ kind: 'memoryLeak', service: 0, bytesPerSecond: 1e7, ...during(0, 45) }]);
  // Killed at 20 s, started at 21 s, killed at 41 s, started 10 s later; the fault is over then.
  t.deepEqual(outages(result), [
    [20, 23],
    [41, 53],
  ]);
});

test('while Istiod is down a new pod does not become ready, and it does as soon as it is back', (t) => {
  const crash: Fault = { kind: 'podCrash', service: 0, pods: null, atUs: 100 * SECOND, forUs: null, rampUs: 0 };
  t.deepEqual(outages(run([crash, { kind: 'istiodDown', ...during(90, 150) }])), [[100, 149]]);
});

test('while Istiod is down proxies keep the routes that they have', (t) => {
  // Of two nodes one is lost: its endpoint would drop about 50 s later, but nobody pushes that.
  const scenario = scenarioWith([
    { kind: 'nodeLoss', node: 1, atUs: 10 * SECOND, forUs: null },
    { kind: 'istiodDown', ...during(0, 250) },
  ]);
  const flagged = (tested: Scenario): number => {
    const two = {
      ...tested,
      cluster: { ...tested.cluster, nodes: [...tested.cluster.nodes, { ...tested.cluster.nodes[0]!, name: 'n2' }] },
      services: [{ ...tested.services[0]!, replicas: 2 }],
      loads: [aLoad(100)],
      mesh: { ...tested.mesh, connectTimeoutUs: 100_000 },
    };
    const { series } = simulate(two, { policy: 0, seed: SEED });
    // A quarter of them waits for a connect time-out of 100 ms first.
    return series.meanMs.slice(100, 240).filter((mean) => mean !== null && mean > 10).length;
  };
  t.true(flagged(scenario) > 50, `${flagged(scenario)}`);
  t.is(flagged({ ...scenario, faults: scenario.faults.slice(0, 1) }), 0);
});

const engine: Policy = { ...staticPolicy, engine: defaultEngineConfig };

/** What the engine is told at each step, by second. */
function snapshots(faults: readonly Fault[]): { second: number; snapshot: Snapshot }[] {
  const seen: { second: number; snapshot: Snapshot }[] = [];
  simulate(scenarioWith(faults, engine), {
    policy: 0,
    seed: SEED,
    onSnapshot: ({ atMs, input }) => seen.push({ second: atMs / 1000, snapshot: input.snapshot }),
  });
  return seen;
}

test('while Prometheus is down the engine is told that it has no figures, and skips', (t) => {
  const fault: Fault = { kind: 'prometheusOutage', ...during(100, 200) };
  const inside = snapshots([fault]).filter(({ second }) => second > 100 && second < 200);
  t.true(inside.length > 0);
  for (const { snapshot } of inside) {
    t.is(snapshot.health.prometheus.status, 'absent');
    t.deepEqual([snapshot.edges.length, snapshot.responseTimes.length, snapshot.pods[0]!.usage], [0, 0, null]);
  }
  const { skipped } = run([fault], engine);
  t.true(skipped.some((one) => one.atSeconds > 100 && one.atSeconds < 200 && one.skipped.reason === 'metricsAbsent'));
});

test('a gap in the scrapes empties the window, stale metrics freeze it', (t) => {
  // The window is 60 s: at 187.5 s, 87.5 s into the fault, nothing of before is left in it.
  const at = (kind: 'scrapeGap' | 'staleMetrics') =>
    snapshots([{ kind, ...during(100, 200) }]).find(({ second }) => second > 180 && second < 200)!.snapshot;
  const gap = at('scrapeGap');
  t.is(gap.health.prometheus.status, 'absent');
  t.is(gap.pods[0]!.usage, null);
  const stale = at('staleMetrics');
  t.is(stale.health.prometheus.status, 'stale');
  t.true(stale.health.prometheus.ageMs! > 60_000);
  t.not(stale.pods[0]!.usage, null);
});

const hpa: Policy = {
  ...staticPolicy,
  hpas: [{ service: 0, minReplicas: 3, maxReplicas: 3, targetCpuPercent: 60, metrics: null, behavior: null }],
};
const firstScale = ({ decisions }: ReplicationResult) =>
  decisions.filter(({ summary }) => !summary.endsWith('refused')).map(({ atSeconds }) => atSeconds);

test('an API that refuses every write lets nobody scale; one that is slow, later', (t) => {
  const [plainAt] = firstScale(run([], hpa));
  t.true(plainAt! < 60);
  const refused = run([{ kind: 'apiErrors', share: 1, ...during(0, 200) }], hpa);
  t.true(firstScale(refused)[0]! >= 200);
  t.true(refused.decisions.some(({ summary }) => summary.endsWith('refused')));
  const replicas = (result: ReplicationResult, second: number): number =>
    result.series.readyReplicas.reduce((sum, row) => sum + row.values[second]!, 0);
  const slow = run([{ kind: 'apiSlow', addedUs: 60 * SECOND, ...during(0, 200) }], hpa);
  const plain = run([], hpa);
  t.deepEqual([replicas(plain, 60), replicas(slow, 60), replicas(slow, 150)], [3, 1, 3]);
});

test('a fault of length 0 changes nothing, whatever its kind', (t) => {
  const policy: Policy = { ...hpa, engine: defaultEngineConfig };
  const figures = (faults: readonly Fault[]) => {
    const { digest: _digest, faultTolerance: _faults, ...rest } = run(faults, policy);
    return rest;
  };
  const plain = figures([]);
  for (const fault of Object.values(everyFault(100 * SECOND, 0))) t.deepEqual(figures([fault]), plain, fault.kind);
});
