/** The guards of the engine where it meets a simulated cluster. */
import test from 'ava';
import { defaultEngineConfig } from '../../engine/index.js';
import type { Policy, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED } from '../seed.js';
import { aLoad, aNode, aScenario, aService, staticPolicy } from './builders.js';

const SECOND = 1e6;
const scaler = { ...defaultEngineConfig.scaler, mode: 'full' as const, coldPodGraceSeconds: 10, cooldownSeconds: 10 };
const engine = { ...defaultEngineConfig, scaler };

/** One service that hardly anybody asks, looked at every 5 s. */
function idle(service: Partial<Service>, policy: Partial<Policy> = {}, over: Partial<Scenario> = {}) {
  const scenario = aScenario({
    nodes: [aNode('n0', 0), aNode('n1', 0)],
    services: [aService({ replicas: 6, ...service })],
    loads: [aLoad(1)],
    policies: [{ ...staticPolicy, engine, ...policy }],
    run: { warmUpUs: 0, durationUs: 300 * SECOND, cycleUs: 5 * SECOND, scrapeUs: 2 * SECOND },
    over,
  });
  let left = 0;
  const result = simulate(scenario, {
    policy: 0,
    seed: SEED,
    onSnapshot: ({ input }) => {
      left = input.snapshot.workloads[0]!.desiredReplicas;
    },
  });
  return { result, left };
}

const reasons = ({ skipped }: ReplicationResult): Set<string> =>
  new Set(skipped.map(({ skipped: { part, reason } }) => `${part} ${reason}`));

test('the engine takes no more pods away than a budget lets go, and never breaks it', (t) => {
  const { result, left } = idle({
    disruptionBudget: { limit: { minAvailable: 4 }, unhealthyPodEviction: 'IfHealthyBudget' },
  });
  t.is(left, 4);
  t.true(reasons(result).has('scaler disruptionBudget'));
  t.is(result.faultTolerance.budgets[0]!.shortOfPods, 0);
  t.is(idle({}).left, 1);
});

test('at most one unavailable lets the engine go down one by one, and none not at all', (t) => {
  const budget = (maxUnavailable: number) =>
    ({ limit: { maxUnavailable }, unhealthyPodEviction: 'IfHealthyBudget' }) as const;
  const slow = idle({ disruptionBudget: budget(1) });
  t.is(slow.left, 1);
  t.deepEqual(
    slow.result.decisions.map(({ summary }) => /\d+ -> \d+/.exec(summary)?.[0]),
    ['6 -> 5', '5 -> 4', '4 -> 3', '3 -> 2', '2 -> 1'],
  );
  t.is(slow.result.faultTolerance.budgets[0]!.shortOfPods, 0);
  t.is(idle({ disruptionBudget: budget(0) }).left, 6);
});

test('without a mesh the balancer is silent for want of Istio, and the scaler works on', (t) => {
  const { mesh } = aScenario({});
  const routing = { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null } as const;
  const { result, left } = idle({}, {}, { mesh: { ...mesh, routing } });
  t.true(reasons(result).has('balancer istioAbsent'));
  t.is(left, 1);
});

test('a count that an autoscaler owns is left to it', (t) => {
  const hpa = { service: 0, minReplicas: 6, maxReplicas: 9, targetCpuPercent: 50, metrics: null, behavior: null };
  const { result, left } = idle({}, { hpas: [hpa] });
  t.true(reasons(result).has('scaler hpaOwned'));
  t.is(left, 6);
});
