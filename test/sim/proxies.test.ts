import test from 'ava';
import { SIDECAR_PRESETS, ZTUNNEL_PRESETS } from '../../scenarios/proxy-presets.js';
import type { Proxy, Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { waitUs } from '../../sim/proxies.js';
import { openStream, nextWord, TWO_TO_MINUS_32 } from '../../sim/random.js';
import { SEED_NOTE, SEED } from '../seed.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, call, constant, cpu, staticPolicy } from './builders.js';

const PROXY: Proxy = {
  mode: 'sidecar',
  fixedUs: 100,
  meanUs: 50,
  cpuUsPerRequest: 200,
  workers: 2,
  requests: { cpuMillicores: 100, memoryBytes: 1e8 },
};

/** A gateway calls a, which works 1 ms and calls b, which works 1 ms; nobody waits. 50 requests a second. */
function chain(proxy: Proxy | null): Scenario {
  const many = { workers: 100, replicas: 1 };
  const scenario = aScenario({
    services: [
      aService({ ...many, name: 'a', endpoints: [anEndpoint([cpu(constant(1000)), call(1)])] }),
      aService({ ...many, name: 'b', endpoints: [anEndpoint([cpu(constant(1000))])] }),
    ],
    loads: [aLoad(50)],
    roundTripUs: 400,
  });
  return { ...scenario, mesh: { ...scenario.mesh, proxy } };
}

test('A19: each hop adds four passes of 0.10 ms and an exponential 0.05 ms', (t) => {
  t.log(SEED_NOTE);
  const plain = simulate(chain(null), { policy: 0, seed: SEED }).total.latencyMs.mean!;
  // Two hops of 0.4 ms and 2 ms of work.
  t.is(plain, 2.8);
  const idle = { ...PROXY, cpuUsPerRequest: 0 };
  const added = simulate(chain(idle), { policy: 0, seed: SEED }).total.latencyMs.mean! - plain;
  // Two hops x 4 x 0.15 ms; deviation sqrt(8) x 0.05 ms over 30,000 requests: 0.8 us.
  t.true(Math.abs(added - 1.2) < 0.004, `added ${added} ms`);
});

test('A19: 0.2 ms of CPU a request is 0.20 cores at 1000 requests a second, for each proxy and each call', (t) => {
  t.log(SEED_NOTE);
  const result = simulate(chain(PROXY), { policy: 0, seed: SEED });
  const [a, b] = result.services;
  // a's proxy stands on two hops, b's on one.
  t.true(Math.abs(a!.proxyCpuMillicores! - 0.4 * a!.requestsPerSecond) < 0.01, `a ${a!.proxyCpuMillicores}`);
  t.true(Math.abs(b!.proxyCpuMillicores! - 0.2 * b!.requestsPerSecond) < 0.01, `b ${b!.proxyCpuMillicores}`);
  t.true(Math.abs(a!.cpuMillicores - a!.requestsPerSecond) < 0.01, 'the work of the application is counted apart');
});

test('without a proxy model the result has no CPU of proxies', (t) => {
  const [a] = simulate(chain(null), { policy: 0, seed: SEED }).services;
  t.false('proxyCpuMillicores' in a!);
});

for (const [name, workers, rho, isExponential, expected] of [
  ['D6 worked: M/D/1 at 0.8', 1, 0.8, false, 2.0],
  ['D6 worked: M/D/1 at 0.5', 1, 0.5, false, 0.5],
  ['D3 worked: M/M/2 at 0.8', 2, 0.8, true, 1.777778],
  ['D3 worked: M/M/4 at 0.8', 4, 0.8, true, 0.745541],
] as const) {
  test(`a message waits for a worker of the proxy: ${name}`, (t) => {
    t.log(SEED_NOTE);
    const stream = openStream(SEED, name);
    const draw = (): number => -Math.log((nextWord(stream) + 0.5) * TWO_TO_MINUS_32);
    const freeUs = new Float64Array(workers + 1);
    const count = 2_000_000;
    let [nowUs, waited] = [0, 0];
    for (let i = 0; i < count; i++) {
      nowUs += draw() / (rho * workers);
      waited += waitUs(freeUs, 1, workers, isExponential ? draw() : 1, nowUs);
    }
    // Waits are correlated over about 1 / (1 - rho)^2 services: 4 % is beyond four deviations.
    t.true(Math.abs(waited / count / expected - 1) < 0.04, `${waited / count} for ${expected}`);
    t.is(freeUs[0], 0);
  });
}

test('a proxy near its limit adds more than an idle one', (t) => {
  // Two passes of 8 ms each a request, one worker, 50 requests a second at b: 80 % busy.
  const busy = { ...PROXY, fixedUs: 0, meanUs: 0, cpuUsPerRequest: 16_000, workers: 1 };
  const scenario = chain(busy);
  const direct = { ...scenario, loads: [aLoad(50, { service: 1 })] };
  const added = simulate(direct, { policy: 0, seed: SEED }).total.latencyMs.mean! - 1.4;
  // Two waits a request. One alone would be M/D/1's 16 ms (D5 at 0.8, service 8 ms) with independent arrivals; a request and
  // its reply come 1 ms apart, which makes it more.
  t.true(added > 2 * 16, `added ${added} ms`);
});

test('the scheduler counts the requests of sidecars', (t) => {
  const one = { zones: 1, nodes: [aNode('n', 0, { cpuMillicores: 2150 })], services: [aService({ replicas: 2 })] };
  const scenario = aScenario({ ...one, loads: [aLoad(10)] });
  const withProxy = (proxy: Proxy | null): number =>
    simulate({ ...scenario, mesh: { ...scenario.mesh, proxy } }, { policy: 0, seed: SEED }).services[0]!.meanReplicas;
  t.is(withProxy(null), 2);
  t.is(withProxy(PROXY), 1);
  t.is(withProxy({ ...PROXY, mode: 'ambient' }), 2);
});

test('the HPA sees the CPU and the request of whole pods', (t) => {
  // 40 requests a second x 10 ms on 1000m is 40 %; a proxy at 20 ms a request adds 800m: 1200 of 1100 is 109 %.
  const hpa = { service: 0, minReplicas: 1, maxReplicas: 9, targetCpuPercent: 60, metrics: null, behavior: null };
  const scenario = aScenario({
    services: [aService({ workers: 8, endpoints: [anEndpoint([cpu(constant(10_000))])] })],
    loads: [aLoad(40, { arrivals: 'even' })],
    policies: [{ ...staticPolicy, hpas: [hpa] }],
    run: { warmUpUs: 300e6 },
  });
  const replicas = (proxy: Proxy | null): number =>
    simulate({ ...scenario, mesh: { ...scenario.mesh, proxy } }, { policy: 0, seed: SEED }).services[0]!.meanReplicas;
  t.is(replicas(null), 1);
  // ceil(109 / 60) = 2.
  t.is(replicas({ ...PROXY, cpuUsPerRequest: 20_000 }), 2);
  t.is(replicas({ ...PROXY, cpuUsPerRequest: 20_000, mode: 'ambient' }), 1);
});

// Quantiles of the gamma distribution of shape 4 and scale 1 (any table): 6.6808 and 10.0451.
for (const [name, figures, p90, p99] of [
  ['1.20, two sidecars', SIDECAR_PRESETS['istio-1.20']!, 0.228, 0.298],
  ['1.12, two sidecars (p99 published as 2.7)', SIDECAR_PRESETS['istio-1.12']!, 1.7, 2.556],
  ['1.5, two sidecars (p99 published as 2.7)', SIDECAR_PRESETS['istio-1.5']!, 2.8, 2.8],
  ['1.22, two ztunnels', ZTUNNEL_PRESETS['istio-1.24']!, 0.17, 0.2],
] as const) {
  test(`A19 worked: ${name}`, (t) => {
    const at = (gamma: number): number => (4 * figures.fixedUs + gamma * figures.meanUs) / 1000;
    t.true(Math.abs(at(6.6808) - p90) < 0.001, `p90 ${at(6.6808)}`);
    t.true(Math.abs(at(10.0451) - p99) < 0.001, `p99 ${at(10.0451)}`);
  });
}
