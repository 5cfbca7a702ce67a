/** The simulator against queueing theory: single queues, shared cores and networks (SEMANTICS D2 to D8). */
import test from 'ava';
import type { Distribution } from '../../scenarios/types.js';
import { jackson, md1WaitQuantile, mg1Wait, mm1, mmc, sharedResponse } from '../models/closedForms.js';
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
import { agrees, isNear, MEAN_US, queue, responses, SEEDS } from './queueingTheory.js';
import { SEED_NOTE } from '../seed.js';

for (const [rho, requests, relativeError] of [
  [0.5, 60_000, 0.02],
  [0.8, 150_000, 0.04],
  [0.9, 300_000, 0.05],
] as const)
  test(`D2: M/M/1 at ${rho} ${SEED_NOTE}`, (t) =>
    agrees(t, queue(rho, 1, requests), responses(mm1(rho)), relativeError));

for (const [servers, rho, requests] of [
  [2, 0.8, 100_000],
  [4, 0.8, 120_000],
  [4, 0.9, 120_000],
  [8, 0.8, 60_000],
  [16, 0.8, 60_000],
] as const)
  test(`D3: M/M/${servers} at ${rho} ${SEED_NOTE}`, (t) =>
    agrees(t, queue(rho, servers, requests), responses(mmc(servers, rho)), 0.04));

const gamma = (cs2: number): Distribution => ({ kind: 'gamma', mean: MEAN_US, cv: Math.sqrt(cs2) });
const lognormal: Distribution = { kind: 'lognormal', mean: MEAN_US, cv: Math.sqrt(Math.E - 1) };

// With cs2 of 0 and of 1 this is D6 and D2.
for (const [name, rho, cs2, law, requests] of [
  ['gamma service of cs2 0.25', 0.8, 0.25, gamma(0.25), 100_000],
  ['gamma service of cs2 4', 0.8, 4, gamma(4), 200_000],
  ['lognormal service of sigma 1', 0.7, Math.E - 1, lognormal, 150_000],
] as const) {
  const wait = mg1Wait(rho, cs2);
  test(`D5: M/G/1 at ${rho} with ${name}: wait ${wait.toFixed(6)} ${SEED_NOTE}`, (t) =>
    agrees(t, queue(rho, 1, requests, law), { mean: wait + 1, wait }, 0.04));
}

for (const [rho, requests] of [
  [0.5, 60_000],
  [0.8, 100_000],
] as const)
  test(`D6: M/D/1 at ${rho}: the wait, and its quantiles by those of the response ${SEED_NOTE}`, (t) => {
    const quantile = (p: number): number => 1 + md1WaitQuantile(rho, p);
    const wait = mg1Wait(rho, 0);
    const [p90, p95, p99] = [quantile(0.9), quantile(0.95), quantile(0.99)];
    // At 0.5 the median is the service itself, which the buckets read within 0.4 %.
    agrees(t, queue(rho, 1, requests, constant(MEAN_US)), { mean: wait + 1, wait, p50: quantile(0.5), p90, p95, p99 });
  });

/** Cores shared by all requests at a load of 0.8, of one law. */
function shared(cores: number, law: Distribution, requests: number) {
  return aScenario({
    nodes: [aNode('node', 0, { cpuMillicores: cores * 1000 })],
    services: [aService({ workers: 5000, endpoints: [anEndpoint([cpu(law)])] })],
    loads: [aLoad(cores * 80)],
    run: { durationUs: (requests / (cores * 80)) * 1e6, warmUpUs: 30e6, seriesUs: 60e6 },
  });
}

const laws: readonly (readonly [string, Distribution])[] = [
  ['constant', constant(MEAN_US)],
  ['exponential', exponential(MEAN_US)],
  ['lognormal', { kind: 'lognormal', mean: MEAN_US, cv: 1.3 }],
];
for (const [name, law] of laws)
  test(`D7: M/G/1 processor sharing at 0.8 gives a mean of 5 with ${name} service ${SEED_NOTE}`, (t) =>
    agrees(t, shared(1, law, 100_000), { mean: sharedResponse(0.8) }));

test(`D7: 4 shared cores with exponential service have the mean of M/M/4 ${SEED_NOTE}`, (t) =>
  agrees(t, shared(4, exponential(MEAN_US), 150_000), { mean: mmc(4, 0.8).response }));

test(`D7: on a shared core a tenth of the mean takes 0.5, twice the mean 10 ${SEED_NOTE}`, (t) => {
  // 400/s of 1 ms and 20/s of 20 ms: a load of 0.4 each.
  const sizes = [0.1, 2];
  const base = shared(1, constant(MEAN_US), 16_000);
  const runs = runSeeds(
    {
      ...base,
      services: [{ ...base.services[0]!, endpoints: sizes.map((size) => anEndpoint([cpu(constant(size * MEAN_US))])) }],
      loads: sizes.map((size, endpoint) => aLoad(40 / size, { name: `${size}`, endpoint })),
    },
    SEEDS,
  );
  for (const [i, size] of sizes.entries()) {
    const figures = runs.map(({ loads }) => (loads[i]!.latencyMs.mean! * 1000) / MEAN_US);
    // Work ends on whole microseconds: a job of 1 ms may take one more each time the others change, 0.1 % of it.
    isNear(t, `size ${size}`, figures, sharedResponse(0.8, size), 0.03, 0.001 * size);
  }
});

// With jobs of 10 s a quota of 50 ms per 100 ms is a core at half speed: at 0.04 jobs/s rho is 0.8 and E[T] = 2 x 5.
test(`D7: a quota of half a core halves the rate ${SEED_NOTE}`, (t) => {
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
      run: { durationUs: 40_000e6, warmUpUs: 500e6, seriesUs: 600e6, scrapeUs: 600e6 },
    }),
    SEEDS,
  );
  const { mean, margin } = meanAndMargin(runs.map((run) => run.total.latencyMs.mean! / 1000));
  // Against the fluid server at half speed a job gains up to half a period (50 ms) of phase: 0.5 % of 10 s.
  t.true(margin < 0.8, `margin ${margin}`);
  t.true(Math.abs(mean - 10) <= margin * 1.9 + 0.05, `mean ${mean} +- ${margin} s, closed form 10 s`);
});

test(`D8: a tandem of three services without hops is Erlang-3 ${SEED_NOTE}`, (t) => {
  const stage = (next: number | null) =>
    aService({
      name: `stage ${next ?? 'last'}`,
      endpoints: [anEndpoint([cpu(exponential(MEAN_US)), ...(next === null ? [] : [call(next)])])],
    });
  // mu = 100/s stands for 10 per unit of 0.1 s = 10 mean service times: 1.5, 3.147897 and 4.202973 of them.
  const scenario = aScenario({
    services: [stage(1), stage(2), stage(null)],
    loads: [aLoad(80)],
    run: { durationUs: 1500e6, warmUpUs: 30e6, seriesUs: 60e6 },
  });
  agrees(t, scenario, { mean: 15, p95: 31.47897, p99: 42.02973 });
});

test(`D8: an open network with feedback and asynchronous callers answers in 0.418939 s ${SEED_NOTE}`, (t) => {
  // G calls A, A calls B half the time, B calls A again in a fifth. A call graph has no circles, so each visit has an
  // endpoint of its own, all alike; one request in ten million would come a ninth time.
  const mus = [25, 20, 8];
  const visits = Array.from({ length: 8 }, (_, visit) => visit);
  const goOn = (visit: number, service: number, probability: number) =>
    ({
      kind: 'call',
      calls: [{ service, endpoint: visit, probability, count: 1 }],
      repeat: 'sequential',
    }) as const;
  const services = [
    aService({ name: 'G', endpoints: [anEndpoint([cpu(exponential(1e6 / mus[0]!)), call(1)])] }),
    aService({
      name: 'A',
      endpoints: visits.map((v) => anEndpoint([cpu(exponential(1e6 / mus[1]!)), goOn(v, 2, 0.5)])),
    }),
    aService({
      name: 'B',
      endpoints: visits.map((v) =>
        anEndpoint([cpu(exponential(1e6 / mus[2]!)), ...(v + 1 < visits.length ? [goOn(v + 1, 1, 0.2)] : [])]),
      ),
    }),
  ];
  const network = jackson([
    { gamma: 10, mu: 25, next: { 1: 1 } },
    { gamma: 0, mu: 20, next: { 2: 0.5 } },
    { gamma: 0, mu: 8, next: { 1: 0.2 } },
  ]);
  const runs = runSeeds(
    aScenario({
      services,
      loads: [aLoad(10)],
      run: { durationUs: 6000e6, warmUpUs: 100e6, seriesUs: 600e6, scrapeUs: 60e6 },
    }),
    SEEDS,
  );
  const means = runs.map((run) => run.total.latencyMs.mean! / 1000);
  isNear(t, 'end to end', means, network.response);
  for (const [i, rate] of network.rates.entries()) {
    const figures = runs.map((run) => run.services[i]!);
    isNear(
      t,
      `rate ${i}`,
      figures.map(({ requestsPerSecond }) => requestsPerSecond),
      rate,
    );
    // The number present, by Little's law, is that of an M/M/1, though arrivals with feedback are no Poisson stream.
    const present = figures.map(({ requestsPerSecond, waitMs }) => requestsPerSecond * (waitMs! / 1000 + 1 / mus[i]!));
    isNear(t, `number at ${i}`, present, network.inSystem[i]!, 0.04);
  }
});

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
