/** The simulator against queueing theory: bounded queues and the choice among servers (SEMANTICS D4, D9, D10). */
import test from 'ava';
import { mm1k, powerOfChoices, roundRobin, twoServers } from '../models/closedForms.js';
import { aLoad, aScenario, aService, runSeeds } from './builders.js';
import { agrees, balanced, isNear, MEAN_US, meanResponse, SEEDS } from './queueingTheory.js';
import { SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';

// Two ways to bound a queue: the proxy's one connection and its pending requests, and the pod's own queue.
for (const [rho, size, bound] of [
  [0.8, 5, 'pool'],
  [0.8, 10, 'pool'],
  [1, 5, 'pool'],
  [1.2, 10, 'pool'],
  [0.8, 5, 'queue'],
  [1.2, 10, 'queue'],
] as const) {
  const place = bound === 'pool' ? 'one connection and K - 1 pending requests' : 'K - 1 places in the queue of the pod';
  test(`D4: M/M/1/${size} at ${rho}, by ${place} ${SEED_NOTE}`, (t) => {
    const pool = { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: size - 1 } };
    const base = aScenario({
      services: [aService(bound === 'pool' ? {} : { queue: size - 1 })],
      loads: [aLoad(rho * 100)],
      run: { warmUpUs: 30e6, durationUs: 600e6, seriesUs: 60e6 },
    });
    const destinationRules = bound === 'pool' ? [{ service: 0, object: rule(0, { connectionPool: pool }) }] : [];
    const runs = runSeeds({ ...base, mesh: { ...base.mesh, destinationRules } }, SEEDS);
    const { empty, lost, throughput, response, inSystem } = mm1k(rho, size);
    const near = (name: string, read: (run: (typeof runs)[number]) => number, value: number) =>
      isNear(t, name, runs.map(read), value, 0.04);
    const perUnit = ({ total }: (typeof runs)[number]): number =>
      (total.requestsPerSecond * (total.requests.succeeded / total.requests.total) * MEAN_US) / 1e6;
    const responseOf = ({ total }: (typeof runs)[number]): number => (total.latencyMs.mean! * 1000) / MEAN_US;
    near('loss', ({ total }) => total.requests.failed / total.requests.total, lost);
    near('throughput', perUnit, throughput);
    near('busy', ({ services }) => services[0]!.cpuMillicores / 1000, 1 - empty);
    near('response', responseOf, response);
    near('in system', (run) => perUnit(run) * responseOf(run), inSystem);
  });
}

for (const [rho, requests] of [
  [0.5, 80_000],
  [0.8, 150_000],
] as const)
  test(`D9: two choices among two servers, one caller, at ${rho}, against the exact chain ${SEED_NOTE}`, (t) =>
    agrees(t, balanced(2, rho, requests), { mean: twoServers(rho, 3 / 4) }));

// The distance to the limit falls as 1/N: 1 % at 500 (SEMANTICS D9), and the noise of some 300,000 to 800,000 requests.
for (const [rho, requests, tolerance] of [
  [0.5, 150_000, 0.01],
  [0.7, 150_000, 0.01],
  [0.8, 200_000, 0.01],
  [0.9, 400_000, 0.015],
  [0.95, 400_000, 0.02],
] as const)
  test(`D9: two choices among 500 servers, one caller, at ${rho}, against the mean field ${SEED_NOTE}`, (t) => {
    const mean = meanResponse(runSeeds(balanced(500, rho, requests), 2));
    const { response } = powerOfChoices(rho, 2);
    t.true(Math.abs(mean / response - 1) < tolerance, `mean ${mean}, mean field ${response}`);
  });

test(`D9: one choice is chance, and gives the 5 of M/M/1 at 0.8 ${SEED_NOTE}`, (t) =>
  agrees(t, balanced(10, 0.8, 80_000, 1, 'RANDOM'), { mean: powerOfChoices(0.8, 1).response }));

test(`D9: two choices get worse with the number of callers, towards random choice ${SEED_NOTE}`, (t) => {
  const means = [1, 4, 32].map((gateways) => meanResponse(runSeeds(balanced(4, 0.8, 150_000, gateways), 4)));
  t.true(means[0]! * 1.1 < means[1]! && means[1]! * 1.1 < means[2]!, `means ${means.join(', ')}`);
  t.true(means[2]! < 5.2, `random choice among M/M/1 gives 5, two choices with stale counts no more: ${means[2]}`);
});

for (const [servers, rho, requests] of [
  [2, 0.8, 80_000],
  [4, 0.8, 120_000],
  [10, 0.8, 80_000],
  [4, 0.5, 60_000],
] as const)
  test(`D10: round robin over ${servers} servers at ${rho}: an exponential response ${SEED_NOTE}`, (t) => {
    const mean = roundRobin(servers, rho).response;
    const [p95, p99] = [2.995732 * mean, 4.60517 * mean];
    agrees(t, balanced(servers, rho, requests, 1, 'ROUND_ROBIN'), { mean, p95, p99 });
  });
