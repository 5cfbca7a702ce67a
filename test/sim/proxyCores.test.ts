/** Proxies take the cores that they use from the pods of their node. */
import test from 'ava';
import type { Proxy, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { cpuShares, cpuWeight } from '../../sim/cluster/cpuShares.js';
import { nextWord, openStream, TWO_TO_MINUS_32 } from '../../sim/random.js';
import { contendedNode, type FluidJob, type FluidNode, type FluidPod } from '../models/contendedNode.js';
import { SEED, SEED_NOTE } from '../seed.js';
import {
  aLoad,
  anEndpoint,
  aNode,
  aScenario,
  aService,
  constant,
  cpu,
  exponential,
  meanAndMargin,
  runSeeds,
} from './builders.js';

const SECOND = 1e6;

const PROXY: Proxy = {
  mode: 'sidecar',
  fixedUs: 0,
  meanUs: 0,
  cpuUsPerRequest: 200,
  workers: 2,
  requests: { cpuMillicores: 100, memoryBytes: 1e8 },
};

/** Two pods of 500m on one node, each called by users alone. */
function twoPods(proxy: Proxy | null, cores: number, perSecond: number, parts: Partial<Service>): Scenario {
  const requests = { cpuMillicores: 500, memoryBytes: 1e8 };
  const scenario = aScenario({
    nodes: [aNode('node', 0, { cpuMillicores: cores * 1000 })],
    services: [0, 1].map((i) => aService({ name: `s${i}`, requests, ...parts })),
    loads: [0, 1].map((service) => aLoad(perSecond, { name: `load ${service}`, service })),
    run: { durationUs: 600 * SECOND, warmUpUs: 20 * SECOND, seriesUs: 60 * SECOND },
  });
  return { ...scenario, mesh: { ...scenario.mesh, proxy } };
}

/** Millicores that the pods use for themselves, always busy. */
function used(proxy: Proxy | null): number {
  const parts = { workers: 2, queue: 2, endpoints: [anEndpoint([cpu(constant(10_000))])] };
  const busy = twoPods(proxy, 2, 400, parts);
  const { services } = simulate({ ...busy, run: { ...busy.run, durationUs: 60 * SECOND } }, { policy: 0, seed: SEED });
  return services.reduce((sum, { cpuMillicores }) => sum + cpuMillicores, 0);
}

test('what pods and proxies of a full node use together is what it has', (t) => {
  // 800 requests a second, refused or not, at 0.2 ms: 160m of 2000m. Ztunnels use the same here.
  t.true(Math.abs(used(null) - 2000) < 0.1);
  for (const mode of ['sidecar', 'ambient'] as const) {
    const own = used({ ...PROXY, mode });
    t.true(Math.abs(own - 1840) < 5, `${mode}: ${own}`);
  }
});

test('proxies that want more than their share leave the pods theirs', (t) => {
  // 800 x 10 ms would be 8 cores. The pods request 1000m of 1200m: 1667m of 2000m.
  const own = used({ ...PROXY, cpuUsPerRequest: 10_000 });
  t.true(Math.abs(own - 1666.7) < 2, `${own}`);
});

test(`pods wait as on a node that is smaller by what its proxies use ${SEED_NOTE}`, (t) => {
  // 96 requests a second of 10 ms (exponential) on 1.2 cores, less 0.096 for proxies at 1 ms a request. One request runs on one
  // core, more of them on all: a birth-death chain with a = 0.96 and from there on r = 0.96 / cores, so that the mean
  // number is a / (1 - r)^2 / (1 + a / (1 - r)).
  const expected = (cores: number): number => {
    const [a, r] = [0.96, 0.96 / cores];
    return (a / (1 - r) ** 2 / (1 + a / (1 - r)) / 96) * 1000;
  };
  const parts = { workers: 5000, endpoints: [anEndpoint([cpu(exponential(10_000))])] };
  for (const [proxy, cores] of [
    [{ ...PROXY, cpuUsPerRequest: 1000 }, 1.104],
    [null, 1.2],
  ] as const) {
    const means = runSeeds(twoPods(proxy, 1.2, 48, parts), 8).map((run) => run.total.latencyMs.mean!);
    const { mean, margin } = meanAndMargin(means);
    // 70 ms, and 43 without proxies.
    t.true(Math.abs(mean - expected(cores)) < Math.max(2, 2 * margin), `${mean} +- ${margin} for ${expected(cores)}`);
  }
});

test(`B12: taking proxies as a flow is near to taking each pass as a thread of its own ${SEED_NOTE}`, (t) => {
  // The same jobs of two pods on the exact fluid node (500m each): beside 4000 passes of 0.5 ms by two sidecars of 100m, and
  // with the cores less what those use.
  const stream = openStream(SEED, 'flow');
  const draw = (): number => -Math.log((nextWord(stream) + 0.5) * TWO_TO_MINUS_32);
  const jobsOf = (count: number, pods: readonly number[], gapUs: number, demandUs: () => number): FluidJob[] => {
    let atUs = 0;
    return Array.from({ length: count }, (_, i) => ({
      pod: pods[i % pods.length]!,
      atUs: (atUs += draw() * gapUs),
      demandUs: demandUs(),
    }));
  };
  const own = jobsOf(1200, [0, 1], 12_000, () => draw() * 10_000);
  const passes = jobsOf(2400, [2, 3], 6000, () => 500);
  const pod = (millicores: number): FluidPod => ({
    qos: 'Burstable',
    weight: cpuWeight(cpuShares(millicores), 'curved'),
    quotaUs: Infinity,
    stolen: 0,
  });
  const node = (coreCount: number): FluidNode => ({
    coreCount,
    periodUs: 100_000,
    burstableWeight: cpuWeight(cpuShares(1200), 'curved'),
    bestEffortWeight: cpuWeight(cpuShares(2), 'curved'),
  });
  const meanOf = (doneUs: readonly number[]): number =>
    own.reduce((sum, { atUs }, j) => sum + doneUs[j]! - atUs, 0) / own.length;
  const pods = [pod(500), pod(500), pod(100), pod(100)];
  // A pass each 6 ms of 0.5 ms: 0.083 cores of 1.05.
  const exact = meanOf(contendedNode(node(1.05), pods, [...own, ...passes]).doneUs);
  const flow = meanOf(contendedNode(node(1.05 - 500 / 6000), pods, own).doneUs);
  const without = meanOf(contendedNode(node(1.05), pods, own).doneUs);
  t.log(`${exact} as threads, ${flow} as a flow, ${without} without`);
  t.true(Math.abs(flow / exact - 1) < 0.05, `${flow} for ${exact}`);
  t.true(without < 0.95 * exact);
});
