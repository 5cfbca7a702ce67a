/** The fault slowPod: stolen CPU time slows a pod down and is nobody's use. */
import test from 'ava';
import type { Fault, Policy, Scenario } from '../../scenarios/types.js';
import { takeSlot } from '../../sim/control/slots.js';
import { simulate } from '../../sim/index.js';
import { takeRecord } from '../../sim/kernel/records.js';
import { compileProgram } from '../../sim/program.js';
import { cpuUsedUs, joinCpu, setStolenShare } from '../../sim/sharing.js';
import { createWorld } from '../../sim/world.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, constant, cpu, exponential, staticPolicy } from './builders.js';

const SECOND = 1e6;
const slow = (parts: Partial<Extract<Fault, { kind: 'slowPod' }>> = {}): Fault => ({
  kind: 'slowPod',
  service: 0,
  pods: null,
  share: 0.5,
  atUs: 0,
  forUs: null,
  rampUs: 0,
  ...parts,
});
const run = (scenario: Scenario): ReplicationResult => simulate(scenario, { policy: 0, seed: SEED });

/** Every 50 ms a request of 10 ms of CPU, alone on the pod; steps of 10 s. */
function metronome(faults: readonly Fault[], parts: Parameters<typeof aService>[0] = {}, cores = 100): Scenario {
  return aScenario({
    nodes: [aNode('node', 0, { cpuMillicores: cores * 1000 })],
    services: [aService({ endpoints: [anEndpoint([cpu(constant(10_000))])], ...parts })],
    loads: [aLoad(20, { arrivals: 'even' })],
    run: { warmUpUs: 0, durationUs: 100 * SECOND, seriesUs: 10 * SECOND },
    over: { faults },
  });
}

for (const [where, parts, cores] of [
  ['a pod with a core for each worker', {}, 100],
  ['a pod that shares its own cores', { workers: 8, limits: { cpuMillicores: 2000, memoryBytes: null } }, 100],
  ['a pod that may meet others on its node', { workers: 8, replicas: 2 }, 4],
] as const)
  test(`half of the time stolen from ${where}: work takes twice as long exactly, and uses no more ${SEED_NOTE}`, (t) => {
    const fault = slow({ atUs: 30 * SECOND, forUs: 30 * SECOND });
    const { series, services } = run(metronome([fault], parts, cores));
    // Steps 3, 4 and 5 are those of the fault, and a request may be under way as it begins and as it ends.
    const inside = series.meanMs.filter((_, step) => step !== 3 && step !== 6);
    t.deepEqual(inside, [10, 10, 10, 20, 20, 10, 10, 10]);
    t.true(series.meanMs[3]! > 19.9 && series.meanMs[6]! < 10.1);
    t.is(services[0]!.cpuMillicores, run(metronome([], parts, cores)).services[0]!.cpuMillicores);
  });

test('a request under way is slow for just the part of it that the fault lasts', (t) => {
  for (const cores of [100, 1]) {
    const requests = { cpuMillicores: 500, memoryBytes: 1e8 };
    const scenario = metronome([slow()], { workers: 2, requests }, cores);
    const world = createWorld(compileProgram({ ...scenario, loads: [] }), 1, [2, 1], []);
    takeSlot(world, 0, 0, 0, 0);
    // With one core for the four threads of two pods they may meet.
    t.is(world.sharing[0]!.node === null, cores === 100);
    const { words, doubles } = world.records;
    joinCpu(world, words, doubles, 0, takeRecord(world.records), SECOND, 0);
    const used: number[] = [];
    for (const [atUs, stolen] of [
      [400_000, 0.5],
      [1_000_000, 0],
      [1_200_000, 0],
    ] as const) {
      used.push(cpuUsedUs(world, 0, atUs));
      setStolenShare(world, 0, stolen, atUs);
    }
    // 0.4 s whole, 0.6 s at half speed, 0.2 s whole.
    t.deepEqual(used, [400_000, 700_000, 900_000]);
  }
});

test(`a ramp takes more and more: tenths of the share in ten steps ${SEED_NOTE}`, (t) => {
  const { series } = run(metronome([slow({ atUs: 0, rampUs: 100 * SECOND })]));
  // 10 ms / (1 - 0.05), / (1 - 0.1), ... rounded up to a microsecond.
  const expected = Array.from({ length: 10 }, (_, i) => Math.ceil(10_000 / (1 - 0.05 * (i + 1)) - 1e-6) / 1000);
  // The first of each step began in the one before: one in 200, and up to 2 ms faster.
  t.true(
    series.meanMs.every((ms, step) => Math.abs(ms! - expected[step]!) <= 0.011),
    series.meanMs.join(', '),
  );
});

test(`two thieves combine as independent ones, and a pod from which all is stolen stands still ${SEED_NOTE}`, (t) => {
  const both = run(metronome([slow(), slow({ share: 0.2 })]));
  t.is(both.total.latencyMs.mean, 25); // 10 / (0.5 x 0.8)
  const all = run(metronome([slow({ share: 1, atUs: 20 * SECOND, forUs: 10 * SECOND })]));
  t.true(all.series.requestsPerSecond[2]! <= 0.1, 'but for one whose answer was on its way');
  // What has queued up meanwhile, 200 requests, is worked off within the 4 s after it: all of the work is done.
  t.is(all.services[0]!.cpuMillicores, run(metronome([])).services[0]!.cpuMillicores);
});

test(`a fault of length 0 changes nothing but its own line ${SEED_NOTE}`, (t) => {
  const figures = ({ total, services, edges, cost }: ReplicationResult) => ({ total, services, edges, cost });
  t.deepEqual(figures(run(metronome([slow({ forUs: 0 })]))), figures(run(metronome([]))));
});

test(`the autoscaler sees nothing of stolen time ${SEED_NOTE}`, (t) => {
  const policy: Policy = {
    ...staticPolicy,
    hpas: [{ service: 0, minReplicas: 1, maxReplicas: 5, targetCpuPercent: 25, metrics: null, behavior: null }],
  };
  const scenario = metronome([slow({ atUs: 20 * SECOND })]);
  const { series, decisions } = run({ ...scenario, policies: [policy] });
  // 200 of 1000 millicores, as without the fault (but for the one request at each end of a step): one pod is enough.
  t.true(series.cpuPercent[0]!.values.every((percent) => Math.abs(percent! - 20) <= 0.1));
  t.deepEqual([decisions.length, Math.max(...series.readyReplicas[0]!.values)], [0, 1]);
});

/** Four pods at 0.5 each, the first of them alone in zone a and slow: at half speed it can do just what a quarter brings. */
function fourPods(algorithm: string): Scenario {
  const base = aScenario({
    zones: 2,
    services: [aService({ replicas: 4, replicasPerZone: [1, 3], endpoints: [anEndpoint([cpu(exponential(10_000))])] })],
    loads: [aLoad(160, { from: [{ atUs: 0, shares: [0, 1] }] })],
    run: { warmUpUs: 20 * SECOND, durationUs: 300 * SECOND },
    over: { faults: [slow({ pods: 1 })] },
  });
  const object = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'service' },
    spec: { host: 'service', trafficPolicy: { loadBalancer: { simple: algorithm } } },
  };
  return { ...base, mesh: { ...base.mesh, destinationRules: [{ service: 0, object }] } };
}

test(`LEAST_REQUEST sends less to a slow pod, ROUND_ROBIN does not ${SEED_NOTE}`, (t) => {
  const [round, least] = ['ROUND_ROBIN', 'LEAST_REQUEST'].map((algorithm) => {
    const { edges, total } = run(fourPods(algorithm));
    const [toSlow, toOthers] = edges[0]!.requestsByZone[1]!;
    return { share: toSlow! / (toSlow! + toOthers!), meanMs: total.latencyMs.mean! };
  });
  t.true(Math.abs(round!.share - 0.25) < 1e-4, `${round!.share}`);
  // Two choices: the slow pod is drawn for 7 of 16 requests and never gets more than a tie allows.
  t.true(least!.share > 0.1 && least!.share < 0.2, `${least!.share}`);
  t.true(least!.meanMs * 1.3 < round!.meanMs, `${least!.meanMs} and ${round!.meanMs}`);
});
