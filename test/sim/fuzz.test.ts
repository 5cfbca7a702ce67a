/** Random scenarios must run, keep their identities (simulate throws if not), repeat to the byte and make sense. */
import test from 'ava';
import fc from 'fast-check';
import type { Scenario } from '../../scenarios/types.js';
import { resolveFenceposts } from '../../sim/cluster/rollingUpdate.js';
import { simulate } from '../../sim/index.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { anyScenario } from './anyScenario.js';

/** More by hand: WAVETANK_FUZZ=5000. */
const RUNS = Number(process.env['WAVETANK_FUZZ'] ?? 60);

test(`random scenarios run, repeat to the byte and have plausible figures ${SEED_NOTE}`, (t) => {
  t.timeout(3_600_000);
  fc.assert(
    fc.property(anyScenario, fc.integer({ min: 0, max: 1e6 }), (scenario, seed) => {
      const result = simulate(scenario, { policy: 0, seed });
      const text = JSON.stringify(result);
      if (JSON.stringify(simulate(scenario, { policy: 0, seed })) !== text) throw new Error('the bytes differ');
      expectPlausible(result, 'result');
      expectSums(scenario, result);
      expectWithinSurge(scenario, result);
    }),
    { seed: SEED, numRuns: RUNS, includeErrorInReport: true },
  );
  t.pass();
});

/** Every number is finite and not negative; times in the record are relative to the end of the warm-up. */
function expectPlausible(value: unknown, path: string): void {
  if (typeof value === 'number') {
    // Idle: pods without a limit may use more than a small node has.
    const mayBeNegative =
      path.includes('.decision') ||
      path.includes('.skipped') ||
      path.endsWith('.atSeconds') ||
      path.endsWith('.idleUsdPerHour');
    if (!Number.isFinite(value) || (value < 0 && !mayBeNegative)) throw new Error(`${path} is ${value}`);
  } else if (value === undefined) throw new Error(`${path} is undefined`);
  else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) expectPlausible(inner, `${path}.${key}`);
  }
}

/** No rollout has more pods than the most that anybody may ask for and the surge on it; a StatefulSet has none. */
function expectWithinSurge(scenario: Scenario, { rollouts }: ReturnType<typeof simulate>): void {
  const { engine, hpas } = scenario.policies[0]!;
  for (const { service, mostPods } of rollouts ?? []) {
    const index = scenario.services.findIndex(({ name }) => name === service);
    const { replicas, controller } = scenario.services[index]!;
    const hpa = hpas.find((one) => one.service === index);
    const most = Math.max(replicas, hpa?.maxReplicas ?? 0, engine === null ? 0 : engine.scaler.maxReplicas);
    const isRolling = controller.kind === 'Deployment' && controller.strategy.type === 'RollingUpdate';
    const surge = isRolling ? resolveFenceposts(controller.strategy, most).surge : 0;
    if (mostPods > most + surge) throw new Error(`${mostPods} pods of ${service}, ${most} + ${surge} allowed`);
  }
}

function expectSums(scenario: Scenario, result: ReturnType<typeof simulate>): void {
  const { requests, latencyMs } = result.total;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const equal = (name: string, a: number, b: number): void => {
    if (a !== b) throw new Error(`${name}: ${a} and ${b}`);
  };
  equal('total = succeeded + failed', requests.total, requests.succeeded + requests.failed);
  equal('total = sum of the loads', requests.total, sum(result.loads.map((load) => load.requests.total)));
  equal('failed = sum of the loads', requests.failed, sum(result.loads.map((load) => load.requests.failed)));
  if (latencyMs.mean === null) equal('no mean without answers', requests.succeeded, 0);
  const ascending = [latencyMs.p50, latencyMs.p90, latencyMs.p95, latencyMs.p99].filter((ms) => ms !== null);
  equal('quantiles ascend', sum(ascending.map((ms, i) => (i > 0 && ms < ascending[i - 1]! ? 1 : 0))), 0);
  for (const edge of result.edges) {
    if (edge.crossZoneShare !== null && edge.crossZoneShare > 1) throw new Error('crossZoneShare above 1');
  }
  if (scenario.cluster.nodes.some((node) => node.priceUsdPerHour === null)) {
    const { nodesUsdPerHour, totalUsdPerHour } = result.cost;
    if (nodesUsdPerHour !== null || totalUsdPerHour !== null) throw new Error('an unknown price has a sum');
    return;
  }
  const nodes = sum(scenario.cluster.nodes.map((node) => node.priceUsdPerHour!));
  if (scenario.policies[0]!.nodeAutoscaler === null) {
    if (Math.abs(result.cost.nodesUsdPerHour! - nodes) > 1e-5) throw new Error('the nodes cost their price');
  } else {
    // Machines cost 0.11 or 0.2 an hour.
    const { meanNodes } = result.nodeScaling!;
    const isDear = result.cost.nodesUsdPerHour! > 0.2 * meanNodes + 1e-3;
    if (isDear || result.cost.nodesUsdPerHour! < 0.11 * meanNodes - 1e-3) throw new Error('nodes cost their price');
  }
  const parts = result.cost.workloadUsdPerHour! + result.cost.idleUsdPerHour!;
  if (Math.abs(parts - result.cost.nodesUsdPerHour!) > 1e-9) throw new Error('workload and idle are the nodes');
}
