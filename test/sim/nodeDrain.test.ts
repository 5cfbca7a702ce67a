/** Drains and disruption budgets in the run (SEMANTICS B9). */
import test from 'ava';
import type { Fault, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aLoad, aNode, aScenario, aService } from './builders.js';

const SECOND = 1e6;

/** Four pods on two nodes, two each; a new pod is ready 5 s after its creation. */
function run(limit: NonNullable<Service['disruptionBudget']>['limit'] | null, fault: Fault) {
  const scenario = aScenario({
    nodes: [aNode('n0', 0), aNode('n1', 0)],
    services: [
      aService({ replicas: 4, disruptionBudget: limit && { limit, unhealthyPodEviction: 'IfHealthyBudget' } }),
    ],
    loads: [aLoad(1)],
    run: { warmUpUs: 0, durationUs: 300 * SECOND, seriesUs: SECOND },
    over: { faults: [fault] },
  });
  const { series, faultTolerance } = simulate(scenario, { policy: 0, seed: SEED });
  return { ready: series.readyReplicas[0]!.values, budgets: faultTolerance.budgets, faultTolerance };
}

const drained: Fault = { kind: 'nodeDrain', node: 0, atUs: 100 * SECOND, forUs: null };
const least = (values: readonly number[]): number => Math.min(...values);

test('B9: a drain evicts as many as the budget spares, and asks again every 5 s', (t) => {
  const { ready, budgets } = run({ maxUnavailable: 1 }, drained);
  // The second pod goes only when the replacement of the first is ready.
  t.is(least(ready), 3);
  t.is(ready.at(-1), 4);
  t.deepEqual(budgets, [{ service: 'service', brokenSeconds: 0, shortOfPods: 0 }]);
});

test('without a budget both pods of the node go at once', (t) => {
  const { ready, budgets, faultTolerance } = run(null, drained);
  t.is(least(ready), 2);
  t.is(ready.at(-1), 4);
  t.deepEqual(budgets, []);
  // Every pod stands on the one node that takes any.
  t.false(faultTolerance.zonesCovered[0]!.survivesAnyNodeLoss);
});

test('B9: a budget that spares nobody holds a drain up for good', (t) => {
  const { ready, faultTolerance } = run({ minAvailable: '100%' }, drained);
  t.is(least(ready), 4);
  t.true(faultTolerance.zonesCovered[0]!.survivesAnyNodeLoss);
});

test('B9: a budget does not hold back the loss of a node, and is broken by it', (t) => {
  const { budgets } = run({ maxUnavailable: 1 }, { kind: 'nodeLoss', node: 0, atUs: 100 * SECOND, forUs: null });
  const [{ brokenSeconds, shortOfPods }] = budgets as [(typeof budgets)[0]];
  // Not ready 40 to 55 s after the loss (the lease is up to 10 s old), replaced only after the end of the run.
  t.true(brokenSeconds >= 145 && brokenSeconds <= 160, `${brokenSeconds}`);
  t.is(shortOfPods, 1);
});
