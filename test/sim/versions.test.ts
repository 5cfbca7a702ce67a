/** Subsets in the run (SEMANTICS A17). */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Scenario } from '../../scenarios/types.js';
import { ruleOfSubset, ruleOfVersion, servicesOfSubset } from '../../sim/mesh/subsets.js';
import { SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';
import { aLoad, anEndpoint, aScenario, aService, constant, cpu, runSeeds } from './builders.js';

const SUBSETS = [
  { name: 'v1', labels: { version: 'v1' } },
  { name: 'v2', labels: { version: 'v2' } },
];

/** Two versions of one host, v2 ten times slower, and what routes to them. */
function canary(subsets: readonly object[], route: readonly object[]): Scenario {
  const service = (version: string, demandUs: number) =>
    aService({
      name: version === 'v1' ? 's0' : 's0-v2',
      replicas: 2,
      labels: { version },
      versionOf: version === 'v1' ? null : 0,
      endpoints: [anEndpoint([cpu(constant(demandUs))])],
    });
  const base = aScenario({
    services: [service('v1', 1000), service('v2', 10_000)],
    loads: [aLoad(100)],
    run: { durationUs: 600e6, warmUpUs: 0 },
  });
  const plain = rule(0, {});
  const destinationRule: KubeObject = { ...plain, spec: { host: plain.spec['host'], subsets } };
  const virtualService: KubeObject = { ...plain, kind: 'VirtualService', spec: { hosts: ['s0'], http: [{ route }] } };
  return {
    ...base,
    mesh: {
      ...base.mesh,
      destinationRules: [{ service: 0, object: destinationRule }],
      virtualServices: [{ service: 0, object: virtualService }],
    },
  };
}

const to = (subset: string, weight: number) => ({ destination: { host: 's0', subset }, weight });

test(`A17: 10 % of the requests reach the second version, and only they take its time ${SEED_NOTE}`, (t) => {
  const [result] = runSeeds(canary(SUBSETS, [to('v1', 90), to('v2', 10)]), 1);
  const byName = new Map(result!.services.map((service) => [service.service, service]));
  const [first, second] = [byName.get('s0')!, byName.get('s0-v2')!];
  const share = second.requests.total / (first.requests.total + second.requests.total);
  // 60,000 requests: four standard errors of 10 % are 0.5 %.
  t.true(Math.abs(share - 0.1) < 0.005, `${share}`);
  t.true(first.latencyMs.mean! < 1.5 && second.latencyMs.mean! >= 10);
});

test('A17: a policy of one subset holds for that version alone', (t) => {
  const limited = SUBSETS.map((subset) =>
    subset.name === 'v2'
      ? {
          ...subset,
          trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } } },
        }
      : subset,
  );
  const [result] = runSeeds(canary(limited, [to('v1', 50), to('v2', 50)]), 1);
  const edges = new Map(result!.edges.map((edge) => [edge.destination, edge]));
  // 50 a second of 10 ms through one connection and one place to wait is M/D/1/2 at rho 0.5: some are refused.
  t.true(edges.get('s0-v2')!.responseFlags['UO']! > 0);
  t.is(edges.get('s0')!.responseFlags['UO'], undefined);
});

test('A17: a subset that no rule has is answered with NC, one without pods with UH', (t) => {
  const flags = (subsets: readonly object[]) =>
    runSeeds(canary(subsets, [to('v1', 50), to('v3', 50)]), 1)[0]!.total.responseFlags;
  const missing = flags(SUBSETS);
  t.deepEqual(Object.keys(missing), ['NC']);
  // Half of 60,000, four standard errors.
  t.true(Math.abs(missing['NC']! - 30_000) < 4 * Math.sqrt(60_000), `${missing['NC']}`);
  t.deepEqual(Object.keys(flags([...SUBSETS, { name: 'v3', labels: { version: 'v3' } }])), ['UH']);
});

test('A17: a subset finds its service by labels, and its policy goes before that of the rule, field by field', (t) => {
  const { services } = canary(SUBSETS, []);
  const spec = { host: 's0', subsets: SUBSETS };
  t.deepEqual(servicesOfSubset(services, 0, spec, 'v1'), [0]);
  t.deepEqual(servicesOfSubset(services, 0, spec, 'v2'), [1]);
  t.deepEqual(servicesOfSubset(services, 0, spec, null), [0, 1]);
  t.is(servicesOfSubset(services, 0, spec, 'v3'), 'unknown subset');
  t.is(servicesOfSubset(services, 0, null, 'v1'), 'unknown subset');
  const rules = {
    trafficPolicy: { outlierDetection: {}, loadBalancer: { simple: 'RANDOM' } },
    subsets: [{ name: 'v2', labels: { version: 'v2' }, trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } }],
  };
  t.deepEqual(ruleOfVersion(rules, { version: 'v2' })!['trafficPolicy'], {
    outlierDetection: {},
    loadBalancer: { simple: 'ROUND_ROBIN' },
  });
  t.is(ruleOfVersion(rules, { version: 'v1' }), rules);
  t.deepEqual(ruleOfSubset(rules, 'v2'), ruleOfVersion(rules, { version: 'v2' }));
  t.is(ruleOfSubset(rules, 'v3'), rules);
});

test(`A17: a mirror gets a copy of 30 % of the requests, and whatever it answers the users do not notice ${SEED_NOTE}`, (t) => {
  const scenario = canary(SUBSETS, [to('v1', 100)]);
  const mirrored = (percent: number): Scenario => {
    const [{ object, service }] = scenario.mesh.virtualServices as [(typeof scenario.mesh.virtualServices)[0]];
    const route = {
      route: [to('v1', 100)],
      mirror: { host: 's0', subset: 'v2' },
      mirrorPercentage: { value: percent },
    };
    const spec = { hosts: ['s0'], http: [route] };
    return {
      ...scenario,
      mesh: { ...scenario.mesh, virtualServices: [{ service, object: { ...object, spec } }] },
      faults: [{ kind: 'serviceFailure', service: 1, share: 1, atUs: 0, forUs: null, rampUs: 0 }],
    };
  };
  const [plain] = runSeeds(mirrored(0), 1);
  const [copied] = runSeeds(mirrored(30), 1);
  t.deepEqual(copied!.total, plain!.total);
  t.is(copied!.total.requests.failed, 0);
  const copies = copied!.services.find(({ service }) => service === 's0-v2')!.requests;
  // 60,000 requests: four standard errors of 30 % are 0.75 %.
  t.true(Math.abs(copies.total / 60_000 - 0.3) < 0.0075, `${copies.total}`);
  t.is(copies.failed, copies.total);
});
