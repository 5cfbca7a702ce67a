/** What the caller's proxy answers itself, and whose routes an object holds (SEMANTICS A17). */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { aLoad, anEndpoint, aScenario, aService, call, constant, cpu } from './builders.js';

const ABORT = { abort: { percentage: { value: 100 }, httpStatus: 500 } };

interface Routed {
  readonly host: number;
  readonly http: object;
  readonly gateways?: readonly string[];
}

/** Users call s0, which calls s1, and s1 itself; each host is routed by the given objects. */
function scenarioWith(routed: readonly Routed[]): Scenario {
  const base = aScenario({
    services: [
      aService({ name: 's0', endpoints: [anEndpoint([call(1)])] }),
      aService({ name: 's1', endpoints: [anEndpoint([cpu(constant(1000))])] }),
    ],
    loads: [aLoad(20, { name: 'to s0' }), aLoad(20, { name: 'to s1', service: 1 })],
    run: { durationUs: 100e6, warmUpUs: 0 },
  });
  const object = (host: number, http: object, gateways?: readonly string[]): KubeObject => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: `s${host}` },
    spec: { hosts: [`s${host}`], http: [http], ...(gateways ? { gateways } : {}) },
  });
  const virtualServices = routed.map(({ host, http, gateways }) => ({
    service: host,
    object: object(host, http, gateways),
  }));
  return { ...base, mesh: { ...base.mesh, virtualServices } };
}

const run = (...routed: readonly Routed[]) => simulate(scenarioWith(routed), { policy: 0, seed: SEED });

/** Why calls of a host failed, for its sidecars' callers and for users. */
const flagsOf = ({ edges }: ReturnType<typeof run>, source: string, destination: string) =>
  edges.find((edge) => edge.source === source && edge.destination === destination)!.responseFlags;

const route = (host: number) => ({ route: [{ destination: { host: `s${host}` } }] });

test('A17: a redirect is an answer of the proxy, takes no time and reaches nobody', (t) => {
  const { loads, services, edges } = run({ host: 0, http: { redirect: { uri: '/elsewhere' } } });
  t.is(loads[0]!.requests.failed, 0);
  t.is(loads[0]!.latencyMs.mean, 0);
  t.is(services.find(({ service }) => service === 's0')!.requests.total, 0);
  t.is(edges.find(({ destination }) => destination === 's0')!.requests.succeeded, loads[0]!.requests.total);
});

test('A17: a caller that is redirected goes on', (t) => {
  const { loads } = run({ host: 1, http: { redirect: { uri: '/elsewhere' } }, gateways: ['mesh'] });
  t.is(loads[0]!.requests.failed, 0);
  t.true(loads[0]!.requests.total > 1000);
});

test('A17: a direct response of 400 and more is a failure of its own kind, one below is an answer', (t) => {
  const failing = run({ host: 0, http: { directResponse: { status: 503 } } });
  const { requests } = failing.loads[0]!;
  t.is(requests.failed, requests.total);
  t.deepEqual(flagsOf(failing, 'gateway', 's0'), { direct: requests.total });
  t.is(run({ host: 0, http: { directResponse: { status: 204 } } }).loads[0]!.requests.failed, 0);
});

test(`A17: an abort with a gRPC status is counted by itself; one with a status below 400 fails nobody ${SEED_NOTE}`, (t) => {
  const quarter = { ...route(0), fault: { abort: { percentage: { value: 25 }, grpcStatus: 'UNAVAILABLE' } } };
  const result = run({ host: 0, http: quarter });
  const { requests } = result.loads[0]!;
  const responseFlags = flagsOf(result, 'gateway', 's0');
  t.deepEqual(Object.keys(responseFlags), ['FI-gRPC']);
  // 2,000 requests: four standard errors of a quarter are 3.9 %.
  t.true(Math.abs(responseFlags['FI-gRPC']! / requests.total - 0.25) < 0.039);
  const mild = { ...route(0), fault: { abort: { percentage: { value: 100 }, httpStatus: 200 } } };
  t.is(run({ host: 0, http: mild }).loads[0]!.requests.failed, 0);
});

test('A17: an answer waits for an injected delay', (t) => {
  const abort = { percentage: { value: 100 }, httpStatus: 204 };
  const delayed = { ...route(0), fault: { abort, delay: { percentage: { value: 100 }, fixedDelay: '50ms' } } };
  // Within a bucket of the histogram.
  t.true(Math.abs(run({ host: 0, http: delayed }).loads[0]!.latencyMs.p50! - 50) < 0.5);
});

test('A17: routes of gateways are not those of sidecars', (t) => {
  // s1 is called by s0, through a sidecar, and by users, through a gateway.
  const failed = (gateways?: readonly string[]) => {
    const { loads } = run({ host: 1, http: { ...route(1), fault: ABORT }, ...(gateways ? { gateways } : {}) });
    return loads.map(({ requests }) => requests.failed / requests.total);
  };
  t.deepEqual(failed(['mesh']), [1, 0]);
  t.deepEqual(failed(['shop']), [0, 1]);
  t.deepEqual(failed(['prod/shop', 'mesh']), [1, 1]);
  t.deepEqual(failed(), [1, 1]);
});

test('A17: a match on gateways holds for those alone, and one host may have an object for each', (t) => {
  const matched = { ...route(1), fault: ABORT, match: [{ gateways: ['shop'] }] };
  const both = run({ host: 1, http: matched, gateways: ['shop', 'mesh'] });
  // No route is for the sidecar of s0, which so never hears of the object: the default.
  t.deepEqual(Object.keys(flagsOf(both, 's0', 's1')), []);
  t.deepEqual(Object.keys(flagsOf(both, 'gateway', 's1')), ['FI']);
  const apart = run(
    { host: 1, http: { ...route(1), fault: ABORT }, gateways: ['mesh'] },
    { host: 1, http: route(1), gateways: ['shop'] },
  ).loads;
  t.deepEqual(
    apart.map(({ requests }) => requests.failed / requests.total),
    [1, 0],
  );
});
