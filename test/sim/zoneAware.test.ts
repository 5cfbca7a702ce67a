/** Zone-aware routing in the run (SEMANTICS A11). */
import test from 'ava';
import type { Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';
import { aLoad, anEndpoint, aScenario, aService, call, constant, cpu } from './builders.js';

/** Ten callers, 4/4/2 by zone, of ten pods, 2/5/3; each zone's callers get requests as they are many. */
function worked(loadBalancer: Record<string, unknown>, mesh: Partial<Scenario['mesh']> = {}): Scenario {
  const base = aScenario({
    zones: 3,
    services: [
      aService({ name: 's0', replicasPerZone: [4, 4, 2], replicas: 10, endpoints: [anEndpoint([call(1)])] }),
      aService({
        name: 's1',
        replicasPerZone: [2, 5, 3],
        replicas: 10,
        workers: 8,
        endpoints: [anEndpoint([cpu(constant(1000))])],
      }),
    ],
    loads: [aLoad(200, { from: [{ atUs: 0, shares: [1 / 3, 1 / 3, 1 / 3] }] })],
    run: { durationUs: 300e6, warmUpUs: 0 },
  });
  return {
    ...base,
    compat: { ...base.compat, istioMinor: 31 },
    mesh: {
      ...base.mesh,
      destinationRules: [{ service: 1, object: rule(1, { loadBalancer }) }],
      selfDiscovery: true,
      ...mesh,
    },
  };
}

/** Shares of zones a, b and c among the calls from zone a. */
function sharesFromA(scenario: Scenario): number[] {
  const edge = simulate(scenario, { policy: 0, seed: SEED }).edges.find(({ source }) => source === 's0')!;
  const [row] = edge.requestsByZone;
  const total = row!.reduce((sum, count) => sum + count, 0);
  return row!.map((count) => count / total);
}

// 20,000 calls from zone a: four standard errors of a half are 1.4 %.
const near = (shares: readonly number[], expected: readonly number[]) =>
  shares.every((share, i) => Math.abs(share - expected[i]!) < 0.015);

test(`A11 worked in a run: callers 4/4/2 and endpoints 2/5/3 send 50, 25 and 25 % ${SEED_NOTE}`, (t) => {
  for (const simple of ['LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM']) {
    const shares = sharesFromA(worked({ simple, zoneAwareLbSetting: {} }));
    t.true(near(shares, [0.5, 0.25, 0.25]), `${simple}: ${shares.join(', ')}`);
  }
});

test(`A11: without self-discovery, before 1.31, or below minClusterSize, all ten are one pool ${SEED_NOTE}`, (t) => {
  const zoneAware = { zoneAwareLbSetting: {} };
  const early = worked(zoneAware);
  const scenarios = [
    worked(zoneAware, { selfDiscovery: false }),
    { ...early, compat: { ...early.compat, istioMinor: 30 } },
    worked({ zoneAwareLbSetting: { minClusterSize: 11 } }),
  ];
  for (const scenario of scenarios) t.true(near(sharesFromA(scenario), [0.2, 0.5, 0.3]));
});

test(`A11: the mesh's own setting does the same, and routes follow when callers are lost ${SEED_NOTE}`, (t) => {
  const whole = worked({}, { zoneAwareLbSetting: {} });
  t.true(near(sharesFromA(whole), [0.5, 0.25, 0.25]));
  // Zone c is lost with its callers and its endpoints from the start; both are out of the tables when measuring begins. Callers 4/4
  // and endpoints 2/5: L = 5000, U = 2857, kept 5714.
  const lost: Scenario = {
    ...whole,
    faults: [{ kind: 'zoneOutage', zone: 2, atUs: 0, forUs: null }],
    mesh: { ...whole.mesh, connectTimeoutUs: 100_000 },
    run: { ...whole.run, warmUpUs: 60e6 },
  };
  const shares = sharesFromA(lost);
  t.true(near(shares, [0.5714, 0.4286, 0]), shares.join(', '));
});
