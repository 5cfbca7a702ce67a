/** The identities of a run hold under every kind of fault, alone and together, with everything switched on that reacts. */
import test from 'ava';
import { defaultEngineConfig } from '../../engine/index.js';
import type { Fault, Policy, Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';
import { aLoad, anEndpoint, aNode, aScenario, aService, call, cpu, exponential, staticPolicy } from './builders.js';
import { everyFault } from './everyFault.js';

const SECOND = 1e6;
const SECONDS = 240;

const reacting: Policy = {
  ...staticPolicy,
  engine: defaultEngineConfig,
  hpas: [{ service: 0, minReplicas: 2, maxReplicas: 8, targetCpuPercent: 50, metrics: null, behavior: {} }],
};

/**
 * Two zones of two nodes; s0 calls s1; retries, time-outs, breakers, ejections, budgets, proxies; the HPA scales s0, the
 * engine s1.
 */
function scenarioWith(faults: readonly Fault[]): Scenario {
  const limits = { cpuMillicores: null, memoryBytes: 5e8 };
  const budget = { limit: { maxUnavailable: 1 }, unhealthyPodEviction: 'IfHealthyBudget' } as const;
  const common = { replicas: 4, workers: 4, queue: 20, limits, disruptionBudget: budget };
  const scenario = aScenario({
    zones: 2,
    roundTripUs: 1000,
    nodes: [0, 1].flatMap((zone) => [0, 1].map((n) => aNode(`n${zone}${n}`, zone, { cpuMillicores: 6000 }))),
    services: [
      aService({ ...common, name: 's0', endpoints: [anEndpoint([cpu(exponential(20_000)), call(1)])] }),
      aService({ ...common, name: 's1', endpoints: [anEndpoint([cpu(exponential(40_000))])] }),
    ],
    loads: [aLoad(40, { from: [{ atUs: 0, shares: [0.5, 0.5] }] })],
    policies: [reacting],
    run: { warmUpUs: 20 * SECOND, durationUs: (SECONDS - 20) * SECOND, seriesUs: 5 * SECOND },
    over: { faults },
  });
  const pool = { tcp: { maxConnections: 40 }, http: { http1MaxPendingRequests: 20, maxRetries: 5 } };
  const outlierDetection = { consecutive5xxErrors: 5, maxEjectionPercent: 50, interval: '5s', baseEjectionTime: '10s' };
  const route = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 's1' },
    spec: {
      hosts: ['s1'],
      http: [
        {
          route: [{ destination: { host: 's1' } }],
          timeout: '2s',
          retries: { attempts: 2, perTryTimeout: '500ms', retryOn: '5xx,reset,connect-failure' },
        },
      ],
    },
  };
  const requests = { cpuMillicores: 100, memoryBytes: 1e8 };
  return {
    ...scenario,
    mesh: {
      ...scenario.mesh,
      connectTimeoutUs: SECOND,
      destinationRules: [0, 1].map((service) => ({
        service,
        object: rule(service, { connectionPool: pool, outlierDetection }),
      })),
      virtualServices: [{ service: 1, object: route }],
      proxy: { mode: 'sidecar', fixedUs: 50, meanUs: 20, cpuUsPerRequest: 200, workers: 2, requests },
    },
  };
}

/** What a run with a broken identity never comes to: simulate stops with the seed. */
function check(faults: readonly Fault[]): ReplicationResult {
  const result = simulate(scenarioWith(faults), { policy: 0, seed: SEED });
  const { requests, responseFlags } = result.total;
  const flagged = Object.values(responseFlags).reduce((sum, count) => sum + count, 0);
  const broken = result.checks.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`);
  if (flagged !== requests.failed) broken.push(`${flagged} flags for ${requests.failed} failures`);
  if (requests.total !== requests.succeeded + requests.failed) broken.push('total is not succeeded and failed');
  if (broken.length > 0) throw new Error(broken.join('; '));
  return result;
}

/** All that a fault could leave a trace in, but its own line. */
const traces = ({ total, services, decisions, skipped, series }: ReplicationResult) =>
  JSON.stringify([total, services, decisions, skipped, series]);

/** Something to react to, so that a fault of the control plane is felt, too: a burst, and answers that fail. */
const unrest: readonly Fault[] = [
  { kind: 'loadBurst', load: 0, times: 3, atUs: 65 * SECOND, forUs: 80 * SECOND, rampUs: 0 },
  { kind: 'serviceFailure', service: 0, share: 0.02, atUs: 0, forUs: null, rampUs: 0 },
];

const withoutFault = traces(check(unrest));
const kinds = Object.entries(everyFault(60 * SECOND, 60 * SECOND));

for (const [kind, fault] of kinds)
  test(`the books balance under ${kind}, which leaves a trace ${SEED_NOTE}`, (t) => {
    const result = check([...unrest, fault]);
    t.true(traces(result) !== withoutFault);
  });

test(`the books balance under pairs of kinds that overlap ${SEED_NOTE}`, (t) => {
  const half = Math.ceil(kinds.length / 2);
  kinds.slice(0, half).forEach(([, fault], i) => {
    const [, other] = kinds[(i + half) % kinds.length]!;
    check([...unrest, fault, { ...other, atUs: 90 * SECOND, forUs: null }]);
  });
  t.pass();
});

test(`the books balance under all faults at once ${SEED_NOTE}`, (t) => {
  check(Object.values(everyFault(60 * SECOND, 60 * SECOND)));
  check(Object.values(everyFault(0, null)));
  t.pass();
});
