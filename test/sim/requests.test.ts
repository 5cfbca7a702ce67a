/** Headers of loads, and the routes that ask for them (SEMANTICS A17). */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Load, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { readHttpRoutes, type RequestFacts } from '../../sim/mesh/httpRoutes.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';
import { aLoad, anEndpoint, aQueue, aScenario, aService, call, constant, cpu } from './builders.js';

const SECOND = 1e6;
const run = (scenario: Scenario): ReplicationResult => simulate(scenario, { policy: 0, seed: SEED });

/** Everything is answered before the end. */
function load(name: string, perSecond: number, headers: Readonly<Record<string, string>>): Load {
  const rate = [
    { atUs: 0, perSecond },
    { atUs: 100 * SECOND, perSecond },
    { atUs: 100 * SECOND, perSecond: 0 },
  ];
  return aLoad(perSecond, { name, rate, request: { method: 'GET', headers, query: {} } });
}

const LOADS = [load('users', 90, {}), load('testers', 10, { 'x-canary': '1', 'user-agent': 'probe' })];
const quick = { workers: 100, endpoints: [anEndpoint([cpu(constant(1000))])] };
const v1 = aService({ name: 'cart', labels: { version: 'v1' }, replicas: 2, ...quick });
const versions = (host: number): Service[] => [
  v1,
  aService({ name: 'cart-v2', labels: { version: 'v2' }, versionOf: host, ...quick }),
];
const toVersion = (subset: string) => ({ route: [{ destination: { host: 'cart', subset } }] });
const TESTERS = { match: [{ headers: { 'X-Canary': { exact: '1' } } }] };

/** The cart stands at `host`, after the services in front of it. */
function scenarioOf(front: readonly Service[], http: readonly object[], loads: readonly Load[] = LOADS): Scenario {
  const host = front.length;
  const base = aScenario({
    services: [...front, ...versions(host)],
    loads,
    run: { durationUs: 120 * SECOND, warmUpUs: 0 },
  });
  const plain = rule(host, {});
  const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
  const object: KubeObject = { ...plain, spec: { host: 'cart', subsets } };
  const routes: KubeObject = { ...plain, kind: 'VirtualService', spec: { hosts: ['cart'], http } };
  return {
    ...base,
    mesh: {
      ...base.mesh,
      destinationRules: [{ service: host, object }],
      virtualServices: http.length > 0 ? [{ service: host, object: routes }] : [],
    },
  };
}

const requestsOf = (result: ReplicationResult, name: string): number =>
  result.services.find(({ service }) => service === name)!.requests.total;
const loadOf = (result: ReplicationResult, name: string) => result.loads.find((one) => one.load === name)!.requests;

for (const [title, front] of Object.entries<readonly Service[]>({
  'from the gateways': [],
  'two calls further down': [
    aService({ name: 'front', ...quick, endpoints: [anEndpoint([cpu(constant(1000)), call(1)])] }),
    aService({ name: 'middle', ...quick, endpoints: [anEndpoint([call(2)])] }),
  ],
  'through a queue': [
    aService({ name: 'front', ...quick, endpoints: [anEndpoint([call(1)])] }),
    aQueue({ consumers: [{ service: 2, endpoint: 0, concurrency: 5 }] }),
    aService({ name: 'worker', ...quick, endpoints: [anEndpoint([call(3)])] }),
  ],
}))
  test(`A17: testers get the canary and all others the first version, ${title} ${SEED_NOTE}`, (t) => {
    const result = run(scenarioOf(front, [{ ...TESTERS, ...toVersion('v2') }, toVersion('v1')]));
    t.true(loadOf(result, 'testers').total > 800);
    t.is(result.total.requests.failed, 0);
    t.is(requestsOf(result, 'cart-v2'), loadOf(result, 'testers').total);
    t.is(requestsOf(result, 'cart'), loadOf(result, 'users').total);
  });

test(`A17: where nothing matches, the proxy answers 404 ${SEED_NOTE}`, (t) => {
  for (const front of [[], [aService({ name: 'front', ...quick, endpoints: [anEndpoint([call(1)])] })]]) {
    const result = run(scenarioOf(front, [{ ...TESTERS, ...toVersion('v2') }]));
    t.is(loadOf(result, 'users').failed, loadOf(result, 'users').total);
    t.is(loadOf(result, 'testers').failed, 0);
    const nr = result.edges.reduce((sum, { responseFlags }) => sum + (responseFlags['NR'] ?? 0), 0);
    t.is(nr, loadOf(result, 'users').total);
  }
});

test(`A17: a copy of a request bears its headers ${SEED_NOTE}`, (t) => {
  const front = [
    aService({ name: 'front', ...quick, endpoints: [anEndpoint([call(1)])] }),
    aService({ name: 'shadow', ...quick, endpoints: [anEndpoint([call(2)])] }),
  ];
  const scenario = scenarioOf(front, [{ ...TESTERS, ...toVersion('v2') }, toVersion('v1')]);
  const mirrored: KubeObject = {
    ...rule(0, {}),
    kind: 'VirtualService',
    spec: { hosts: ['front'], http: [{ route: [{ destination: { host: 'front' } }], mirror: { host: 'shadow' } }] },
  };
  const virtualServices = [...scenario.mesh.virtualServices, { service: 0, object: mirrored }];
  const result = run({ ...scenario, mesh: { ...scenario.mesh, virtualServices } });
  // Each request reaches the cart twice: by the shadow itself, and by its copy.
  t.is(requestsOf(result, 'cart-v2'), 2 * loadOf(result, 'testers').total);
  t.is(requestsOf(result, 'cart'), 2 * loadOf(result, 'users').total);
});

test(`headers that no route asks for change no byte ${SEED_NOTE}`, (t) => {
  const front = [aService({ name: 'front', ...quick, endpoints: [anEndpoint([call(1)])] })];
  const [bare, dressed] = [{}, { 'x-canary': '1' }].map((headers) =>
    JSON.stringify(run(scenarioOf(front, [toVersion('v1')], [load('users', 50, {}), load('testers', 50, headers)]))),
  );
  t.is(dressed, bare);
});

const facts: RequestFacts = {
  headers: { 'x-user': 'ann', 'x-empty': '' },
  method: 'PUT',
  query: { page: '2' },
};

/** What the API says of StringMatch, presence, withoutHeaders and full-text expressions. */
for (const [match, holds] of [
  [{ headers: { 'x-user': { exact: 'ann' } } }, true],
  [{ headers: { 'X-User': { exact: 'ann' } } }, true],
  [{ headers: { 'x-user': { exact: 'Ann' } } }, false],
  [{ headers: { 'x-user': { prefix: 'an' } } }, true],
  [{ headers: { 'x-user': { regex: 'a.*' } } }, true],
  [{ headers: { 'x-user': { regex: 'a' } } }, false],
  [{ headers: { 'x-user': {} } }, true],
  [{ headers: { 'x-empty': {} } }, true],
  [{ headers: { 'x-none': {} } }, false],
  [{ headers: { 'x-user': { exact: 'ann' }, 'x-none': {} } }, false],
  [{ headers: { '@request.auth.claims.sub': {} } }, false],
  [{ withoutHeaders: { 'x-user': {} } }, false],
  [{ withoutHeaders: { 'x-none': {} } }, true],
  [{ withoutHeaders: { 'x-none': null } }, true],
  [{ withoutHeaders: { 'x-user': { regex: '*' } } }, false],
  [{ withoutHeaders: { 'x-user': { exact: 'bob' } } }, true],
  [{ withoutHeaders: { 'x-none': { exact: 'bob' } } }, true],
  [{ withoutHeaders: { 'x-none': { regex: '.*' } } }, false],
  [{ headers: { 'x-user': {} }, withoutHeaders: { 'x-user': { exact: 'ann' } } }, false],
  [{ method: { exact: 'PUT' } }, true],
  [{ method: { regex: 'GET|PUT' } }, true],
  [{ method: { exact: 'put' } }, false],
  [{ queryParams: { page: { exact: '2' } } }, true],
  [{ queryParams: { page: {} } }, true],
  [{ queryParams: { other: {} } }, false],
  [{ queryParams: { page: { prefix: '3' } } }, false],
] as const)
  test(`A17: ${JSON.stringify(match)} ${holds ? 'holds' : 'does not hold'}`, (t) => {
    const [route] = readHttpRoutes({ http: [{ match: [match] }] }, 31);
    t.is(route!.matches('pay', null, facts), holds);
  });

test('A17: of calls between services neither method nor query is known', (t) => {
  const between: RequestFacts = { ...facts, method: null, query: null };
  for (const match of [{ method: { exact: 'PUT' } }, { method: { regex: '.*' } }, { queryParams: { page: {} } }])
    t.false(readHttpRoutes({ http: [{ match: [match] }] }, 31)[0]!.matches('pay', 'web', between));
});
