/**
 * The simulator against queueing theory (closed forms; SEMANTICS part D). Service times have a mean of 10 ms; theory
 * speaks in units of it. Every figure is a mean over seeds; it must lie within four standard errors of the closed form (with
 * 16 seeds a true figure misses that once in 900 times), and the standard error must be small enough to mean something.
 */
import test, { type ExecutionContext } from 'ava';
import type { Distribution, Scenario } from '../../scenarios/types.js';
import {
  meanAndMargin,
  aLoad,
  anEndpoint,
  aNode,
  aScenario,
  aService,
  call,
  constant,
  cpu,
  exponential,
  runSeeds,
} from './builders.js';
import { SEED_NOTE } from '../seed.js';

const MEAN_US = 10_000;
const SEEDS = 16;

interface Figures {
  readonly mean: number;
  readonly p95?: number;
  readonly p99?: number;
  readonly wait?: number;
}

/** Compares simulated response times (in mean service times) with the closed form. */
function agrees(t: ExecutionContext, scenario: Scenario, expected: Figures, relativeError = 0.02): void {
  const runs = runSeeds(scenario, SEEDS);
  const unit = MEAN_US / 1000;
  const simulated = {
    mean: runs.map((run) => run.total.latencyMs.mean! / unit),
    p95: runs.map((run) => run.total.latencyMs.p95! / unit),
    p99: runs.map((run) => run.total.latencyMs.p99! / unit),
    wait: runs.map((run) => run.services[0]!.waitMs! / unit),
  };
  for (const [name, value] of Object.entries(expected) as [keyof Figures, number][]) {
    const { mean, margin } = meanAndMargin(simulated[name]);
    const standardError = margin / 2.131;
    t.true(standardError < relativeError * value, `${name}: standard error ${standardError} is too large to tell`);
    // A quantile is read from buckets 0.8 % wide, so it may be off by 0.4 % however long one runs.
    const readingError = name === 'p95' || name === 'p99' ? 0.004 * value : 0;
    t.true(
      Math.abs(mean - value) <= 4 * standardError + readingError,
      `${name}: simulated ${mean} +- ${margin}, closed form ${value}`,
    );
  }
}

/** A single service; `rho` of its capacity of one request per 10 ms and worker. */
function queue(rho: number, workers: number, requests: number, law: Distribution = exponential(MEAN_US)): Scenario {
  const perSecond = (rho * workers * 1e6) / MEAN_US;
  return aScenario({
    services: [aService({ workers, endpoints: [anEndpoint([cpu(law)])] })],
    loads: [aLoad(perSecond)],
    run: { durationUs: Math.ceil((requests / perSecond) * 1e6), warmUpUs: 30e6, seriesUs: 60e6 },
  });
}

// D2: W = 1 / (1 - rho), exponential, so p95 = 2.995732 W and p99 = 4.605170 W.
test(`M/M/1 at 0.5 ${SEED_NOTE}`, (t) =>
  agrees(t, queue(0.5, 1, 150_000), { mean: 2, p95: 5.9915, p99: 9.2103, wait: 1 }));
test(`M/M/1 at 0.8 ${SEED_NOTE}`, (t) =>
  agrees(t, queue(0.8, 1, 200_000), { mean: 5, p95: 14.9787, p99: 23.0259, wait: 4 }));
test(`M/M/1 at 0.9 ${SEED_NOTE}`, (t) => agrees(t, queue(0.9, 1, 300_000), { mean: 10, p95: 29.9573, wait: 9 }, 0.05));

// D3: Erlang C.
test(`M/M/4 at 0.8: wait 0.745541, p95 4.7380, p99 6.8932 ${SEED_NOTE}`, (t) =>
  agrees(t, queue(0.8, 4, 300_000), { mean: 1.745541, wait: 0.745541, p95: 4.738, p99: 6.8932 }));

// D5: Pollaczek-Khinchine, Wq = rho (1 + cs2) / (2 (1 - rho)).
test(`M/G/1 at 0.8 with gamma service, cs2 0.25: wait 2.5 ${SEED_NOTE}`, (t) =>
  agrees(t, queue(0.8, 1, 200_000, { kind: 'gamma', mean: MEAN_US, cv: 0.5 }), { mean: 3.5, wait: 2.5 }));
test(`M/G/1 at 0.7 with lognormal service, sigma 1: wait 3.171329 ${SEED_NOTE}`, (t) =>
  agrees(
    t,
    queue(0.7, 1, 300_000, { kind: 'lognormal', mean: MEAN_US, cv: Math.sqrt(Math.E - 1) }),
    { mean: 4.171329, wait: 3.171329 },
    0.04,
  ));

// D6: the response is the wait plus 1.
test(`M/D/1 at 0.8: wait 2, its p95 6.620325 and p99 10.355887 ${SEED_NOTE}`, (t) =>
  agrees(t, queue(0.8, 1, 200_000, constant(MEAN_US)), { mean: 3, wait: 2, p95: 7.620325, p99: 11.355887 }));

// D7: E[T] = E[S] / (1 - rho) whatever the law.
const laws: readonly (readonly [string, Distribution])[] = [
  ['constant', constant(MEAN_US)],
  ['exponential', exponential(MEAN_US)],
  ['lognormal', { kind: 'lognormal', mean: MEAN_US, cv: 1.3 }],
];
for (const [name, law] of laws) {
  test(`M/G/1 processor sharing at 0.8 gives a mean of 5 with ${name} service ${SEED_NOTE}`, (t) =>
    agrees(
      t,
      aScenario({
        nodes: [aNode('one-core', 0, { cpuMillicores: 1000 })],
        services: [aService({ workers: 5000, endpoints: [anEndpoint([cpu(law)])] })],
        loads: [aLoad(80)],
        run: { durationUs: 2000e6, warmUpUs: 30e6, seriesUs: 60e6 },
      }),
      { mean: 5 },
    ));
}

// A core shared by 2 x c jobs is M/M/c in the mean (D7): 4 cores at 0.8.
test(`4 shared cores with exponential service have the mean of M/M/4 ${SEED_NOTE}`, (t) =>
  agrees(
    t,
    aScenario({
      nodes: [aNode('four-cores', 0, { cpuMillicores: 4000 })],
      services: [aService({ workers: 5000, endpoints: [anEndpoint([cpu(exponential(MEAN_US))])] })],
      loads: [aLoad(320)],
      run: { durationUs: 700e6, warmUpUs: 30e6, seriesUs: 60e6 },
    }),
    { mean: 1.745541 },
  ));

// With jobs of 10 s a quota of 50 ms per 100 ms is a core at half speed: at 0.04 jobs/s rho is 0.8 and E[T] = 2 x 5.
test(`a quota of half a core halves the rate ${SEED_NOTE}`, (t) => {
  const runs = runSeeds(
    aScenario({
      nodes: [aNode('one-core', 0, { cpuMillicores: 1000 })],
      services: [
        aService({
          workers: 5000,
          requests: { cpuMillicores: 500, memoryBytes: 1e8 },
          limits: { cpuMillicores: 500, memoryBytes: null },
          endpoints: [anEndpoint([cpu(exponential(1e6))])],
        }),
      ],
      loads: [aLoad(0.4)],
      run: { durationUs: 60_000e6, warmUpUs: 500e6, seriesUs: 600e6, scrapeUs: 600e6 },
    }),
    SEEDS,
  );
  const { mean, margin } = meanAndMargin(runs.map((run) => run.total.latencyMs.mean! / 1000));
  // Against the fluid server at half speed a job gains up to half a period (50 ms) of phase: 0.5 % of 10 s.
  t.true(margin < 0.8, `margin ${margin}`);
  t.true(Math.abs(mean - 10) <= margin * 1.9 + 0.05, `mean ${mean} +- ${margin} s, closed form 10 s`);
});

// D8: a tandem of three M/M/1, lambda 8, mu 10 per unit: Erlang-3 with rate 2: mean 1.5, p95 3.147897, p99 4.202973.
test(`a tandem of three services without hops is Erlang-3 ${SEED_NOTE}`, (t) => {
  const stage = (next: number | null) =>
    aService({
      name: `stage ${next ?? 'last'}`,
      endpoints: [anEndpoint([cpu(exponential(MEAN_US)), ...(next === null ? [] : [call(next)])])],
    });
  // mu = 100/s stands for 10 per unit of 0.1 s = 10 mean service times.
  const scenario = aScenario({
    services: [stage(1), stage(2), stage(null)],
    loads: [aLoad(80)],
    run: { durationUs: 2500e6, warmUpUs: 30e6, seriesUs: 60e6 },
  });
  agrees(t, scenario, { mean: 15, p95: 31.47897, p99: 42.02973 });
});

/** One dispatcher (or several) in front of `pods` single-worker pods. */
function balanced(pods: number, rho: number, requests: number, gateways = 1, algorithm = 'LEAST_REQUEST'): Scenario {
  const perSecond = pods * rho * 100;
  const rule = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'service' },
    spec: { host: 'service', trafficPolicy: { loadBalancer: { simple: algorithm } } },
  };
  return aScenario({
    gatewaysPerZone: gateways,
    services: [aService({ replicas: pods })],
    loads: [aLoad(perSecond)],
    run: { durationUs: Math.ceil((requests / perSecond) * 1e6), warmUpUs: 20e6, seriesUs: 60e6 },
    over: {
      mesh: {
        routing: { kind: 'istio' },
        destinationRules: [{ service: 0, object: rule }],
        virtualServices: [],
        localityLbSetting: null,
        zoneAwareLbSetting: null,
        selfDiscovery: false,
        propagationUs: 2e5,
        debounce: null,
        proxy: null,
        connectTimeoutUs: 1e7,
      },
    },
  });
}

// D9: exact chains for two servers, one caller, Envoy's rule; the mean field for 500 servers.
test(`two choices among two servers, one caller, at 0.5: 1.596561 ${SEED_NOTE}`, (t) =>
  agrees(t, balanced(2, 0.5, 200_000), { mean: 1.596561 }));
test(`two choices among two servers, one caller, at 0.8: 3.267946 ${SEED_NOTE}`, (t) =>
  agrees(t, balanced(2, 0.8, 300_000), { mean: 3.267946 }));
test(`two choices among 500 servers, one caller, at 0.9: 2.614057 in the mean field ${SEED_NOTE}`, (t) => {
  const runs = runSeeds(balanced(500, 0.9, 600_000), 3);
  const { mean } = meanAndMargin(runs.map((run) => run.total.latencyMs.mean! / 10));
  // The distance to the limit falls as 1/N: 1 % at 500 (SEMANTICS D9), and the noise of 1.8 million requests.
  t.true(Math.abs(mean / 2.614057 - 1) < 0.015, `mean ${mean}`);
});
test(`two choices get worse with the number of callers, towards random choice ${SEED_NOTE}`, (t) => {
  const means = [1, 4, 32].map(
    (gateways) =>
      meanAndMargin(runSeeds(balanced(4, 0.8, 150_000, gateways), 4).map((run) => run.total.latencyMs.mean! / 10)).mean,
  );
  t.true(means[0]! * 1.1 < means[1]! && means[1]! * 1.1 < means[2]!, `means ${means.join(', ')}`);
  t.true(means[2]! < 5.2, `random choice among M/M/1 gives 5, two choices with stale counts no more: ${means[2]}`);
});

// D10: GI/M/1 with Erlang-4 arrivals; the response is exponential.
test(`round robin over four servers at 0.8: 3.267384 ${SEED_NOTE}`, (t) =>
  agrees(t, balanced(4, 0.8, 300_000, 1, 'ROUND_ROBIN'), { mean: 3.267384, p95: 2.995732 * 3.267384 }));

test(`a stream of 200,000 requests/s has its rate within four sigma ${SEED_NOTE}`, (t) => {
  const scenario = aScenario({
    services: [
      aService({
        workers: 100_000,
        limits: { cpuMillicores: 1e8, memoryBytes: null },
        endpoints: [anEndpoint([{ kind: 'wait', delay: constant(10) }])],
      }),
    ],
    loads: [aLoad(200_000)],
    run: { durationUs: 5e6, warmUpUs: 0, seriesUs: 1e6 },
  });
  const requests = runSeeds(scenario, 1)[0]!.total.requests.total;
  t.true(Math.abs(requests - 1_000_000) < 4 * Math.sqrt(1_000_000), `${requests} requests in 5 s`);
});
