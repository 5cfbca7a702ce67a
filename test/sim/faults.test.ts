/** Node losses and zone outages, with the times that SEMANTICS B13 gives and figures that can be worked out by hand. */
import test from 'ava';
import type { Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED_NOTE } from '../seed.js';
import { aLoad, anEndpoint, aScenario, aService, constant, type ScenarioParts } from './builders.js';

const SECOND = 1e6;

/** 10 requests a second, evenly, to one pod on one node; each waits for `waitUs`. */
function onePod(waitUs: number, over: Partial<Scenario>, parts: ScenarioParts = {}): Scenario {
  return aScenario({
    services: [aService({ workers: 1000, endpoints: [anEndpoint([{ kind: 'wait', delay: constant(waitUs) }])] })],
    loads: [aLoad(10, { arrivals: 'even' })],
    run: { durationUs: 120 * SECOND, warmUpUs: 0, seriesUs: SECOND },
    over,
    ...parts,
  });
}

test(`requests lost with a node are not lost again when it goes down a second time ${SEED_NOTE}`, (t) => {
  const lossAt = (atUs: number) => ({ kind: 'nodeLoss' as const, node: 0, atUs, forUs: SECOND });
  // Each takes 30 s, so that those of the first loss still have their event under way at the second.
  const scenario = onePod(30 * SECOND, { faults: [lossAt(20 * SECOND), lossAt(24 * SECOND)] });
  const { requests } = simulate(scenario, { policy: 0, seed: 1 }).total;
  // 200 before the loss all fail; the checkers find any that is counted twice.
  t.true(requests.failed >= 200);
});
