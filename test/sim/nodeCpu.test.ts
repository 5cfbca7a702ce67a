/** Pods that share the cores of their node (SEMANTICS B12): against closed forms and a twin in exact time. */
import test from 'ava';
import fc from 'fast-check';
import type { CpuWeights, Scenario, Service } from '../../scenarios/types.js';
import { cpuShares, cpuWeight } from '../../sim/cluster/cpuShares.js';
import { takeSlot } from '../../sim/control/slots.js';
import { simulate } from '../../sim/index.js';
import { CODE, freeRecord, KEY, POD, takeRecord, WORDS } from '../../sim/kernel/records.js';
import { findNext, take } from '../../sim/kernel/wheel.js';
import { completeOnNode, nodeCpuOf } from '../../sim/nodeCpu.js';
import { compileProgram } from '../../sim/program.js';
import { CFS_PERIOD_US } from '../../sim/sharedCpu.js';
import { cpuUsedUs, joinCpu, setStolenShare } from '../../sim/sharing.js';
import { EVENT_NODE_CPU } from '../../sim/spans.js';
import { createWorld, type World } from '../../sim/world.js';
import { contendedNode, type FluidJob, type FluidPod } from '../models/contendedNode.js';
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

function withWeights(scenario: Scenario, cpuWeights: CpuWeights | null): Scenario {
  return { ...scenario, cluster: { ...scenario.cluster, cpuWeights } };
}

/** One pod of each service on one node; plenty of workers. */
function aWorld(coreCount: number, services: readonly Partial<Service>[], weights: CpuWeights = 'curved'): World {
  const scenario = aScenario({
    nodes: [aNode('node', 0, { cpuMillicores: coreCount * 1000 })],
    services: services.map((parts, i) => aService({ name: `s${i}`, workers: 100, ...parts })),
    loads: [],
  });
  const capacity = [...services.map(() => 1), 1];
  const world = createWorld(compileProgram(withWeights(scenario, weights)), 1, capacity, []);
  services.forEach((_, pod) => takeSlot(world, pod, 0, 0, 0));
  return world;
}

/** When each job is done, through the event queue, and the CPU time of each pod then. */
function runJobs(world: World, jobs: readonly FluidJob[]): { doneUs: number[]; usedUs: number[] } {
  const { words, doubles } = world.records;
  const order = jobs.map((_, j) => j).sort((a, b) => jobs[a]!.atUs - jobs[b]!.atUs || a - b);
  const jobOf = new Map<number, number>();
  const doneUs = jobs.map(() => -1);
  let next = 0;
  let lastUs = 0;
  for (;;) {
    const arrivalUs = next < order.length ? jobs[order[next]!]!.atUs : Infinity;
    const offset = findNext(world.queue, words, arrivalUs);
    const eventUs = offset < 0 ? Infinity : world.queue.blockStartUs + offset;
    if (eventUs === Infinity && arrivalUs === Infinity) break;
    if (eventUs < arrivalUs) {
      const timer = take(world.queue, words, offset);
      const [code, node, stamp] = [CODE, POD, KEY].map((field) => words[timer * WORDS + field]);
      freeRecord(world.records, timer);
      const nodeCpu = world.nodeCpus[node!]!;
      if (code !== EVENT_NODE_CPU || stamp !== nodeCpu.stamp) continue;
      for (;;) {
        const id = completeOnNode(world, words, doubles, nodeCpu, eventUs);
        if (id < 0) break;
        doneUs[jobOf.get(id)!] = eventUs;
        lastUs = eventUs;
        freeRecord(world.records, id);
      }
    } else {
      const job = jobs[order[next]!]!;
      const id = takeRecord(world.records);
      jobOf.set(id, order[next]!);
      joinCpu(world, words, doubles, job.pod, id, job.demandUs, arrivalUs);
      next++;
    }
  }
  return { doneUs, usedUs: usedBy(world, lastUs) };
}

function usedBy(world: World, nowUs: number): number[] {
  return Array.from({ length: world.program.serviceCount }, (_, pod) => cpuUsedUs(world, pod, nowUs));
}

const requests = (cpuMillicores: number) => ({ requests: { cpuMillicores, memoryBytes: 1e8 } });

test('B12: always busy on a core and a half, 500m and 1000m get 20 : 39 by the old conversion, 59 : 100 by the new, 1 : 2 by shares', (t) => {
  for (const [weights, first, second] of [
    ['linear', 20, 39],
    ['curved', 59, 100],
    ['shares', 512, 1024],
  ] as const) {
    const world = aWorld(1.5, [requests(500), requests(1000)], weights);
    const { words, doubles } = world.records;
    for (const pod of [0, 1]) joinCpu(world, words, doubles, pod, takeRecord(world.records), 1e9, 0);
    const used = usedBy(world, SECOND);
    t.true(Math.abs(used[0]! - (1.5 * SECOND * first) / (first + second)) < 1e-6, `${weights}: ${used.join(', ')}`);
    t.true(Math.abs(used[0]! + used[1]! - 1.5 * SECOND) < 1e-6);
  }
});

test('B12: a guaranteed pod of 1000m stands against two burstable ones of 500m together: a half, a quarter each', (t) => {
  const guaranteed = { ...requests(1000), limits: { cpuMillicores: 1000, memoryBytes: 1e8 } };
  const world = aWorld(2, [guaranteed, requests(500), requests(500)], 'linear');
  const { words, doubles } = world.records;
  for (const pod of [0, 1, 2])
    for (let i = 0; i < 4; i++) joinCpu(world, words, doubles, pod, takeRecord(world.records), 1e9, 0);
  // Within a period, as the guaranteed pod's quota of 100 ms lasts just that long at one core.
  t.deepEqual(
    usedBy(world, 80_000).map((us) => Math.round(us * 1e3) / 1e3),
    [80_000, 40_000, 40_000],
  );
});

test('B12: CFS quotas stay exact on a shared node that has room: 130 ms, and 12.5 ms before a stall of 87.5 ms', (t) => {
  const limited = { ...requests(100), limits: { cpuMillicores: 500, memoryBytes: null } };
  const alone = runJobs(aWorld(8, [limited, limited]), [{ pod: 0, atUs: 0, demandUs: 80_000 }]);
  t.deepEqual(alone.doneUs, [130_000]);
  const four = runJobs(
    aWorld(8, [limited, limited]),
    Array.from({ length: 4 }, () => ({ pod: 1, atUs: 0, demandUs: 12_600 })),
  );
  t.deepEqual(four.doneUs, [100_100, 100_100, 100_100, 100_100]);
});

test('a pod that is throttled leaves its cores to the others until its period ends', (t) => {
  // One core, equal weights: 20 ms of quota are used up at 40 ms; the other pod then has 60 ms to itself.
  const limited = { ...requests(500), limits: { cpuMillicores: 200, memoryBytes: null } };
  const { doneUs } = runJobs(aWorld(1, [limited, requests(500)]), [
    { pod: 0, atUs: 0, demandUs: 30_000 },
    { pod: 1, atUs: 0, demandUs: 80_000 },
  ]);
  // At 100 ms the first has 10 ms left and is alone.
  t.deepEqual(doneUs, [110_000, 100_000]);
});

test(`jobs of pods with weights, quotas and stolen time finish when the twin says, and no CPU time is lost ${SEED_NOTE}`, (t) => {
  const pod = fc.record({
    // Four of them fit on one core.
    requestMillicores: fc.constantFrom(50, 100, 150, 250),
    limitMillicores: fc.constantFrom(null, null, 330, 700),
    guaranteed: fc.boolean(),
    stolen: fc.constantFrom(0, 0, 0.5, 0.3),
  });
  const job = fc.record({
    pod: fc.nat(3),
    atUs: fc.oneof(fc.nat(3000), fc.nat(150_000)),
    demandUs: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 70_000 })),
  });
  const property = fc.property(
    fc.array(pod, { minLength: 4, maxLength: 4 }),
    fc.array(job, { minLength: 1, maxLength: 16 }),
    fc.constantFrom(1, 1.5, 2, 4),
    fc.constantFrom<CpuWeights>('shares', 'linear', 'curved'),
    (pods, jobs, coreCount, weights) => {
      const services = pods.map(({ requestMillicores, limitMillicores, guaranteed }) => ({
        ...requests(requestMillicores),
        limits: guaranteed
          ? { cpuMillicores: requestMillicores, memoryBytes: 1e8 }
          : { cpuMillicores: limitMillicores, memoryBytes: null },
      }));
      const world = aWorld(coreCount, services, weights);
      pods.forEach(({ stolen }, p) => setStolenShare(world, p, stolen, 0));
      const weightOf = (millicores: number): number => cpuWeight(cpuShares(millicores), weights);
      const fluid = pods.map(({ requestMillicores, stolen, guaranteed }, p): FluidPod => ({
        qos: guaranteed ? 'Guaranteed' : 'Burstable',
        weight: weightOf(requestMillicores),
        quotaUs: ((services[p]!.limits.cpuMillicores ?? Infinity) / 1000) * CFS_PERIOD_US,
        stolen,
      }));
      const burstable = pods.filter(({ guaranteed }) => !guaranteed);
      const node = {
        coreCount,
        periodUs: CFS_PERIOD_US,
        burstableWeight: weightOf(burstable.reduce((sum, { requestMillicores }) => sum + requestMillicores, 0)),
        bestEffortWeight: weightOf(0),
      };
      const expected = contendedNode(node, fluid, jobs);
      const { doneUs, usedUs } = runJobs(world, jobs);
      // A job is seen to end up to a microsecond late, and everybody's rates change as late: they add up over the jobs.
      const wrong = doneUs.findIndex((done, j) => Math.abs(done - expected.doneUs[j]!) > 4 + 4 * jobs.length);
      if (wrong >= 0) throw new Error(`job ${wrong} at ${doneUs[wrong]}, not ${expected.doneUs[wrong]}`);
      const demandUs = pods.map((_, p) => jobs.reduce((sum, one) => sum + (one.pod === p ? one.demandUs : 0), 0));
      usedUs.forEach((used, p) => {
        if (Math.abs(used - demandUs[p]!) > 1e-3) throw new Error(`pod ${p} used ${used} of ${demandUs[p]}`);
      });
    },
  );
  t.notThrows(() => fc.assert(property, { seed: SEED, numRuns: 300 }));
});

test('pods meet only where those that fit have more threads than the node has cores', (t) => {
  const world = (coreCount: number, service: Partial<Service>): boolean =>
    nodeCpuOf(aWorld(coreCount, [service, service]), 0, coreCount * 1000) !== null;
  // Two pods of 4 workers and 4 cores fill a node of 8.
  t.false(world(8, { ...requests(4000), workers: 4 }));
  t.true(world(8, { ...requests(4000), workers: 5 }));
  // There are two pods in all.
  t.false(world(8, { ...requests(100), workers: 4 }));
  // One of them fills the node, and more than half of it is as good.
  t.false(world(4, { ...requests(4000), workers: 50 }));
  t.false(world(4, { ...requests(2001), workers: 50 }));
  t.true(world(4, { ...requests(2000), workers: 50 }));
});

/** Two services of one pod each on one node, both with the same load. */
function twoPods(perSecond: number, parts: Partial<Service>, cores: number, millicores = [500, 500]): Scenario {
  return aScenario({
    nodes: [aNode('node', 0, { cpuMillicores: cores * 1000 })],
    services: [0, 1].map((i) => aService({ name: `s${i}`, ...requests(millicores[i]!), ...parts })),
    loads: [0, 1].map((service) => aLoad(perSecond, { name: `load ${service}`, service })),
    run: { durationUs: 600 * SECOND, warmUpUs: 20 * SECOND, seriesUs: 60 * SECOND },
  });
}

// With exponential work the number of requests on a busy core, however shared, is that of an M/M/1, and so, by Little's
// law, is the mean: 10 ms / (1 - 0.8). Each alone would be at 0.4: 16.7 ms.
test(`two pods of equal weight that share a core have the mean of processor sharing ${SEED_NOTE}`, (t) => {
  const scenario = twoPods(40, { workers: 5000, endpoints: [anEndpoint([cpu(exponential(10_000))])] }, 1);
  const means = (one: Scenario) => meanAndMargin(runSeeds(one, 8).map((run) => run.total.latencyMs.mean!));
  const shared = means(scenario);
  t.true(Math.abs(shared.mean - 50) < Math.max(2, 2 * shared.margin), `${shared.mean} +- ${shared.margin}`);
  const apart = means(withWeights(scenario, null));
  t.true(Math.abs(apart.mean - 50 / 3) < Math.max(0.5, 2 * apart.margin), `${apart.mean} +- ${apart.margin}`);
});

test(`naive 24 as a run: two overloaded pods of 500m and 1000m on two cores use 59 : 100 of them ${SEED_NOTE}`, (t) => {
  const parts = { workers: 2, endpoints: [anEndpoint([cpu(constant(10_000))])] };
  const busy = twoPods(400, parts, 2, [500, 1000]);
  const scenario = { ...busy, run: { ...busy.run, durationUs: 20 * SECOND } };
  const used = (weights: CpuWeights): number[] =>
    simulate(withWeights(scenario, weights), { policy: 0, seed: SEED }).services.map((one) => one.cpuMillicores);
  t.deepEqual(used('curved'), [742.138, 1257.862]); // 2000 x 59/159
  t.deepEqual(used('linear'), [677.966, 1322.034]); // 2000 x 20/59
  t.deepEqual(used('shares'), [666.667, 1333.333]);
});
