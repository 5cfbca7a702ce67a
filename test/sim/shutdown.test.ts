/** Pods that end: grace, preStop, and applications that do not drain (SEMANTICS B5). */
import test from 'ava';
import type { KubeObject } from '../../engine/types.js';
import type { Mesh, Service } from '../../scenarios/types.js';
import { shutdownTimes } from '../../sim/cluster/shutdown.js';
import { simulate } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, constant, cpu } from './builders.js';

const SECOND = 1e6;

test('B5: TERM comes after preStop, KILL at the end of the grace, which began with the deletion', (t) => {
  const at = (preStopUs: number, terminationGraceUs: number) =>
    shutdownTimes({ preStopUs, terminationGraceUs }, 100 * SECOND);
  t.deepEqual(at(0, 30 * SECOND), { termUs: 100 * SECOND, killUs: 130 * SECOND });
  t.deepEqual(at(5 * SECOND, 30 * SECOND), { termUs: 105 * SECOND, killUs: 130 * SECOND });
  // A hook that takes all of it, or more, leaves the application two seconds.
  t.deepEqual(at(29 * SECOND, 30 * SECOND), { termUs: 129 * SECOND, killUs: 131 * SECOND });
  t.deepEqual(at(60 * SECOND, 30 * SECOND), { termUs: 130 * SECOND, killUs: 132 * SECOND });
  // Without grace there is no time for a hook.
  t.deepEqual(at(5 * SECOND, 0), { termUs: 100 * SECOND, killUs: 100 * SECOND });
});

const RATE = 1000;

function virtualService(attempts: number): Mesh['virtualServices'][number] {
  const http = [{ route: [{ destination: { host: 'service' } }], retries: { attempts } }];
  const object: KubeObject = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'service' },
    spec: { hosts: ['service'], http },
  };
  return { service: 0, object };
}

const roundRobin: KubeObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'service' },
  spec: { host: 'service', trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } },
};

/** Ten pods on two nodes, one of which is drained; requests take a microsecond, so none is under way when a pod ends. */
function failures(service: Partial<Service>, { propagationUs = 200_000, attempts = 0, millis = 0 } = {}): number {
  const base = aScenario({
    // A core for everybody: 3000 requests are under way in the longest of these runs.
    nodes: ['n0', 'n1'].map((name) => aNode(name, 0, { cpuMillicores: 1e7 })),
    services: [
      aService({
        replicas: 10,
        workers: 100,
        endpoints: [anEndpoint([cpu(constant(Math.max(1, millis * 1000)))])],
        ...service,
      }),
    ],
    loads: [aLoad(RATE, { arrivals: 'even' })],
    run: { warmUpUs: 0, durationUs: 60 * SECOND },
    over: { faults: [{ kind: 'nodeDrain', node: 0, atUs: 20 * SECOND, forUs: null }] },
  });
  const rules = [{ service: 0, object: roundRobin }];
  const mesh = { ...base.mesh, propagationUs, destinationRules: rules, virtualServices: [virtualService(attempts)] };
  return simulate({ ...base, mesh }, { policy: 0, seed: SEED }).total.requests.failed;
}

test('B5: an application that exits at once fails d x rate / pods requests for each pod that goes', (t) => {
  // Five pods go, each with a tenth of the requests: 5 x 0.2 s x 1000/s / 10 = 100, and with 2 s 1000.
  t.is(failures({ onTerm: 'exit' }), 100);
  t.is(failures({ onTerm: 'exit' }, { propagationUs: 2 * SECOND }), 1000);
});

test('B5: a preStop of at least d removes these failures, a shorter one its part', (t) => {
  t.is(failures({ onTerm: 'exit', preStopUs: SECOND }), 0);
  t.is(failures({ onTerm: 'exit', preStopUs: 200_000 }), 0);
  t.is(failures({ onTerm: 'exit', preStopUs: 150_000 }), 25);
});

test('an application that drains fails nobody, preStop or not', (t) => {
  t.is(failures({}), 0);
  t.is(failures({ preStopUs: 5 * SECOND }, { millis: 50 }), 0);
});

test('A16: two retries save most of whom a pod that exits refuses, but not whom it was working for', (t) => {
  // 200 requests in that time; each must meet three of the five pods: 200 x 5/10 x 4/9 x 3/8 = 16.7.
  const refused = failures({ onTerm: 'exit' }, { attempts: 2 });
  t.true(Math.abs(refused - 16.7) <= 6, `${refused}`);
  // 40 ms x 1000/s are under way, half of them in pods that end.
  const lost = failures({ onTerm: 'exit' }, { attempts: 2, millis: 40 }) - refused;
  t.true(Math.abs(lost - 20) <= 6, `${lost}`);
});

test('what still runs at the end of the grace is lost', (t) => {
  // Requests of 3 s: those of the last 3 s before the deletion are under way, in five pods 1500; a grace of 1 s saves
  // those that have less than that to go, 500 of them. New ones come for d, and none of them can end in time.
  const failed = failures({ workers: 1000, terminationGraceUs: SECOND }, { millis: 3000 });
  t.true(Math.abs(failed - 1100) <= 60, `${failed}`);
});
