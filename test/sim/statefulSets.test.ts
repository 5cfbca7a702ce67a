/** StatefulSets in the run: names, order, and who may not be replaced (SEMANTICS B5). */
import test from 'ava';
import { defaultEngineConfig } from '../../engine/index.js';
import type { Fault, Policy, Scenario, Service } from '../../scenarios/types.js';
import { simulate, type EngineStep } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aDeployment, aLoad, aNode, aScenario, aService, aStatefulSet, staticPolicy } from './builders.js';

const SECOND = 1e6;
const ORDERED = aStatefulSet();

/** The engine looks every 5 s and changes nothing: what it is told shows the pods by name. */
const watching = {
  ...defaultEngineConfig,
  scaler: { ...defaultEngineConfig.scaler, mode: 'off' as const },
  balancer: { ...defaultEngineConfig.balancer, enabled: false },
};

interface Look {
  readonly atSeconds: number;
  readonly pods: readonly string[];
}

function looks(service: Partial<Service>, policy: Partial<Policy>, over: Partial<Scenario> = {}): Look[] {
  const scenario = aScenario({
    nodes: [aNode('n0', 0), aNode('n1', 0)],
    services: [aService(service)],
    loads: [aLoad(1)],
    policies: [{ ...staticPolicy, engine: watching, ...policy }],
    run: { warmUpUs: 0, durationUs: 500 * SECOND, cycleUs: 5 * SECOND, scrapeUs: 2 * SECOND },
    over,
  });
  const seen: Look[] = [];
  const onSnapshot = ({ atMs, input: { snapshot } }: EngineStep): void => {
    const pods = snapshot.pods.filter(({ terminating }) => !terminating).map(({ name }) => name);
    seen.push({ atSeconds: atMs / 1000, pods: pods.sort() });
  };
  simulate(scenario, { policy: 0, seed: SEED, onSnapshot });
  return seen;
}

const sizes = (seen: readonly Look[]): number[] =>
  seen.map(({ pods }) => pods.length).filter((size, i, all) => i === 0 || size !== all[i - 1]);
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `service-${i}`);

/** One pod can serve 100 requests of 10 ms each: 6 are wanted for 300/s at 50 %, and 1 for none. */
const HPA = { service: 0, minReplicas: 1, maxReplicas: 6, targetCpuPercent: 50, metrics: null, behavior: null };

test('an autoscaler adds pods in order, one at a time, and takes the highest ordinals away', (t) => {
  const rate = [
    { atUs: 0, perSecond: 300 },
    { atUs: 60 * SECOND, perSecond: 300 },
    { atUs: 60 * SECOND, perSecond: 0 },
  ];
  const over = { loads: [aLoad(0, { rate })] };
  const seen = looks({ replicas: 2, controller: ORDERED }, { hpas: [HPA] }, over);
  for (const { pods } of seen) t.deepEqual(pods, names(pods.length));
  // Up in order, a pod every 5 s, which the looks of every 5 s see one by one; down after five minutes of calm.
  t.deepEqual(sizes(seen).slice(0, 5), [2, 3, 4, 5, 6]);
  t.deepEqual(seen.at(-1)!.pods, names(1));
});

test('Parallel adds and removes all at once', (t) => {
  const over = { loads: [aLoad(300)] };
  const controller = aStatefulSet({ podManagement: 'Parallel' });
  const seen = looks({ replicas: 2, controller }, { hpas: [HPA] }, over);
  for (const { pods } of seen) t.deepEqual(pods, names(pods.length));
  // Legacy scale-up: at most max(2n, 4) at once.
  t.deepEqual(sizes(seen), [2, 4, 6]);
});

test('the engine names victims by place; the set takes its highest ordinals', (t) => {
  const scaler = { ...defaultEngineConfig.scaler, mode: 'full' as const, coldPodGraceSeconds: 10, cooldownSeconds: 0 };
  const engine = { ...watching, metric: 'cpu' as const, scaler: { ...scaler, minReplicas: 1 } };
  const seen = looks({ replicas: 6, controller: ORDERED }, { engine });
  for (const { pods } of seen) t.deepEqual(pods, names(pods.length));
  t.true(seen.at(-1)!.pods.length < 6);
});

test('who leaves a StatefulSet is who the decision named', (t) => {
  const scaler = { ...defaultEngineConfig.scaler, mode: 'full' as const, coldPodGraceSeconds: 10, cooldownSeconds: 30 };
  const scenario = aScenario({
    zones: 3,
    services: [aService({ replicas: 7, controller: ORDERED })],
    loads: [aLoad(1)],
    policies: [{ ...staticPolicy, engine: { ...watching, metric: 'cpu', scaler } }],
    run: { warmUpUs: 0, durationUs: 300 * SECOND, cycleUs: 30 * SECOND, scrapeUs: 5 * SECOND },
  });
  const named: string[] = [];
  let last: string[] = [];
  simulate(scenario, {
    policy: 0,
    seed: SEED,
    onSnapshot: ({ input, output }) => {
      last = input.snapshot.pods.filter(({ terminating }) => !terminating).map(({ name }) => name);
      for (const decision of output.decisions)
        if (decision.kind === 'scaleDown') named.push(...decision.victims.map(({ pod }) => pod));
    },
  });
  t.true(named.length >= 3, named.join());
  t.deepEqual([...last, ...named].sort(), names(7));
});

const lost: Fault = { kind: 'nodeLoss', node: 0, atUs: 20 * SECOND, forUs: null };

test('pods of a lost node are not replaced before it is back, as two of one name must never be', (t) => {
  const alive = (service: Partial<Service>, fault: Fault): number =>
    looks(service, {}, { faults: [fault] }).at(-1)!.pods.length;
  // Three of six stand on the node, whose loss is noticed after 50 s and its pods deleted 300 s after that.
  t.is(alive({ replicas: 6, controller: aDeployment() }, lost), 6);
  t.is(alive({ replicas: 6, controller: ORDERED }, lost), 3);
  t.is(alive({ replicas: 6, controller: ORDERED }, { ...lost, forUs: 400 * SECOND }), 6);
});

test('a drained pod comes back elsewhere under its name, in order', (t) => {
  const seen = looks(
    { replicas: 4, controller: ORDERED },
    {},
    { faults: [{ kind: 'nodeDrain', node: 0, atUs: 100 * SECOND, forUs: null }] },
  );
  t.deepEqual(seen.at(-1)!.pods, names(4));
  // Two at once were gone, and came back one after the other.
  t.deepEqual(sizes(seen), [4, 2, 3, 4]);
});
