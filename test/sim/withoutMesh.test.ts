/** Routing by kube-proxy, and the Service fields that lead it (SEMANTICS B14, A6, A10). */
import test from 'ava';
import type { Mesh, Scenario, Service } from '../../scenarios/types.js';
import { applyRoutes } from '../../sim/control/endpoints.js';
import { setUp } from '../../sim/control/setUp.js';
import { buildRoute } from '../../sim/mesh/locality.js';
import { compileProgram } from '../../sim/program.js';
import { SEED, SEED_NOTE } from '../seed.js';
import {
  aLoad,
  anEndpoint,
  aNode,
  aScenario,
  aService,
  constant,
  cpu,
  runSeeds,
  staticPolicy,
  type ScenarioParts,
} from './builders.js';

const SECOND = 1e6;
const A_REQUEST_EACH: Mesh['routing'] = { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null };

function without(routing: Mesh['routing'], parts: ScenarioParts): Scenario {
  const base = aScenario({ run: { durationUs: 300 * SECOND, warmUpUs: 0 }, ...parts });
  return { ...base, mesh: { ...base.mesh, routing } };
}

const zones = (perZone: readonly number[], parts: Partial<Service> = {}): Service =>
  aService({ replicas: perZone.reduce((sum, count) => sum + count, 0), replicasPerZone: perZone, ...parts });

/** Share of the requests that each zone's pods get, by the zone of the caller. */
function shares(scenario: Scenario): number[][] {
  const { requestsByZone } = runSeeds(scenario, 1)[0]!.edges[0]!;
  return requestsByZone.map((row) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => count / all);
  });
}

test(`B14: kube-proxy spreads connections at random over all pods, wherever they stand ${SEED_NOTE}`, (t) => {
  const [fromA] = shares(
    without(A_REQUEST_EACH, {
      zones: 2,
      services: [zones([2, 6])],
      loads: [aLoad(200, { from: [{ atUs: 0, shares: [1, 0] }] })],
    }),
  );
  // 60,000 requests: four standard errors of a quarter are 0.7 %.
  t.true(Math.abs(fromA![0]! - 0.25) < 0.0071, `${fromA![0]}`);
});

test(`naive 20: PreferClose sends a zone's whole traffic to its one pod, though it drowns and eight others idle ${SEED_NOTE}`, (t) => {
  // 15 requests a second of 100 ms: one pod can work 10 of them, nine could work 90.
  const run = (trafficDistribution: Service['trafficDistribution']) => {
    const service = zones([1, 8], {
      trafficDistribution,
      queue: 20,
      endpoints: [anEndpoint([cpu(constant(100_000))])],
    });
    const scenario = without(A_REQUEST_EACH, {
      zones: 2,
      services: [service],
      loads: [aLoad(15, { from: [{ atUs: 0, shares: [1, 0] }] })],
    });
    const { requests } = runSeeds(scenario, 1)[0]!.services[0]!;
    return requests.failed / (requests.failed + requests.succeeded);
  };
  t.is(run(null), 0);
  // What is above 10 a second is refused: a third.
  t.true(Math.abs(run('PreferClose') - 1 / 3) < 0.03, `${run('PreferClose')}`);
});

test('B14: without a ready pod in its zone, PreferClose takes them all', (t) => {
  const [fromA] = shares(
    without(A_REQUEST_EACH, {
      zones: 3,
      services: [zones([0, 1, 1], { trafficDistribution: 'PreferClose' })],
      loads: [aLoad(100, { from: [{ atUs: 0, shares: [1, 0, 0] }] })],
    }),
  );
  t.true(Math.abs(fromA![1]! - 0.5) < 0.02, `${fromA![1]}`);
});

test('B14 worked: topology-mode Auto keeps 8 endpoints on CPU 8/4/4 in their zones, and gives up on 4 endpoints of 4/4/4', (t) => {
  const auto = (cores: readonly number[], perZone: readonly number[]): number[][] =>
    shares(
      without(A_REQUEST_EACH, {
        zones: 3,
        nodes: cores.map((count, zone) => aNode(`n${zone}`, zone, { cpuMillicores: count * 1000 })),
        services: [
          zones(perZone, {
            topologyModeAuto: true,
            requests: { cpuMillicores: 100, memoryBytes: 1e6 },
            limits: { cpuMillicores: null, memoryBytes: null },
          }),
        ],
        loads: [aLoad(100, { from: [{ atUs: 0, shares: [0.4, 0.3, 0.3] }] })],
      }),
    );
  t.deepEqual(
    auto([8, 4, 4], [4, 2, 2]).map((row, zone) => row[zone]),
    [1, 1, 1],
  );
  const spread = auto([4, 4, 4], [2, 1, 1]);
  t.true(Math.abs(spread[0]![0]! - 0.5) < 0.03 && Math.abs(spread[1]![0]! - 0.5) < 0.03);
});

test(`B14: a client with one long-lived connection loads one pod; more connections, and an age, spread ${SEED_NOTE}`, (t) => {
  const toFirst = (connectionsPerCaller: number, maxAgeUs: number | null): number =>
    shares(
      without(
        { kind: 'kubeProxy', connectionsPerCaller, maxAgeUs },
        {
          zones: 2,
          services: [zones([1, 1])],
          loads: [aLoad(50, { from: [{ atUs: 0, shares: [1, 0] }] })],
        },
      ),
    )[0]![0]!;
  t.true([0, 1].includes(toFirst(1, null)));
  // About 300 choices of one second each: four standard errors of a half are 11.5 %.
  t.true(Math.abs(toFirst(1, SECOND) - 0.5) < 0.12, `${toFirst(1, SECOND)}`);
  // 64 connections: four standard errors are 25 %.
  const many = toFirst(64, null);
  t.true(Math.abs(many - 0.5) < 0.25 && many > 0 && many < 1, `${many}`);
});

test('without a mesh nobody tries again: every request to a lost pod fails', (t) => {
  const scenario = without(A_REQUEST_EACH, {
    zones: 2,
    services: [zones([1, 1])],
    loads: [aLoad(20, { from: [{ atUs: 0, shares: [1, 0] }] })],
  });
  const lost = { ...scenario, faults: [{ kind: 'nodeLoss' as const, node: 1, atUs: 100 * SECOND, forUs: null }] };
  const failedShare = (tested: Scenario): number => {
    const { total } = runSeeds(tested, 1)[0]!;
    return total.requests.failed / (total.requests.failed + total.requests.succeeded);
  };
  // Half of the requests of about 50 s in 300, and those in the pod's hands: 8.3 %.
  const plain = failedShare(lost);
  t.true(plain > 0.07 && plain < 0.1, `${plain}`);
  // The same with sidecars: two choices avoid the pod that does not answer, and retries save most others.
  const meshed = failedShare({ ...lost, mesh: { ...lost.mesh, routing: { kind: 'istio' } } });
  t.true(meshed < plain / 2, `${meshed}`);
});

test('A6: trafficDistribution keeps traffic in the zone without outlier detection, by readiness', (t) => {
  const pods = (local: number, notReady: number, remote: number) =>
    Array.from({ length: local + remote }, (_, index) => ({
      index,
      zone: index < local ? 'r/a' : 'r/b',
      node: 'n',
      healthy: index >= notReady,
    }));
  const loads = (endpoints: ReturnType<typeof pods>, destinationRule: object | null = null): number[] =>
    buildRoute({
      clientLocality: 'r/a',
      clientNode: '',
      endpoints,
      destinationRule: destinationRule as Record<string, unknown> | null,
      meshSetting: null,
      trafficDistribution: 'PreferClose',
    }).priorities.map(({ loadPercent }) => loadPercent);
  t.deepEqual(loads(pods(2, 0, 8)), [100, 0]);
  // 7 of 10 ready: floor(140 x 7 / 10) = 98.
  t.deepEqual(loads(pods(10, 3, 5)), [98, 2]);
  // The rule's own block goes first, and disabled it ends the search.
  t.deepEqual(
    loads(pods(2, 0, 8), { trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } } }),
    [100],
  );
});

test('A10: a pod that is not ready is an endpoint from Istio 1.31 on, or with trafficDistribution', (t) => {
  const listed = (istioMinor: number, trafficDistribution: Service['trafficDistribution']) => {
    const base = aScenario({ services: [aService({ replicas: 3, trafficDistribution })] });
    const scenario = { ...base, compat: { ...base.compat, istioMinor } };
    const sim = setUp(compileProgram(scenario), staticPolicy, SEED, null);
    const pod = sim.workloads[0]!.pods[1]!;
    pod.endpoint = false;
    pod.endpointChangedUs = -SECOND;
    applyRoutes(sim, 0, 10 * SECOND);
    return sim.world.routeInputs[0]!.endpoints.map(({ healthy }) => healthy);
  };
  t.deepEqual(listed(30, null), [true, true]);
  t.deepEqual(listed(31, null), [true, false, true]);
  t.deepEqual(listed(30, 'PreferClose'), [true, false, true]);
});
