/** Scenarios for tests: everything has a default, so that what a test sets means something to it. */
import type {
  Distribution,
  Endpoint,
  Load,
  NodeSpec,
  Policy,
  RunSettings,
  Scenario,
  Service,
  Step,
} from '../../scenarios/types.js';
import { PLAIN_POD_SCHEDULING } from '../../scenarios/pod-scheduling.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED } from '../seed.js';

export interface ScenarioParts {
  readonly zones?: number;
  /** One big node per zone unless given. */
  readonly nodes?: readonly NodeSpec[];
  readonly services?: readonly Service[];
  readonly loads?: readonly Load[];
  readonly policies?: readonly Policy[];
  readonly run?: Partial<RunSettings>;
  readonly roundTripUs?: number;
  readonly gatewaysPerZone?: number;
  readonly over?: Partial<Scenario>;
}

export const exponential = (mean: number): Distribution => ({ kind: 'exponential', mean });
export const constant = (mean: number): Distribution => ({ kind: 'constant', mean });
export const cpu = (demand: Distribution): Step => ({ kind: 'cpu', demand });
export const call = (service: number, probability = 1, count = 1): Step => ({
  kind: 'call',
  calls: [{ service, endpoint: 0, probability, count }],
  repeat: 'sequential',
});

export function anEndpoint(steps: readonly Step[]): Endpoint {
  return { name: 'e', steps, requestBytes: 1000, responseBytes: 4000 };
}

/** One pod with one worker that has a core, an unbounded queue, exponential work of 10 ms. */
export function aService(parts: Partial<Service> = {}): Service {
  return {
    name: 'service',
    replicas: 1,
    replicasPerZone: null,
    requests: { cpuMillicores: 1000, memoryBytes: 1e8 },
    limits: { cpuMillicores: null, memoryBytes: null },
    memoryUseBytes: 5e7,
    workers: 1,
    queue: null,
    holdsWorkerWhileCalling: false,
    startUp: { imagePull: constant(2e6), ready: constant(3e6), probeInitialDelayUs: 0, probePeriodUs: 1e6 },
    terminationGraceUs: 30e6,
    preStopUs: 0,
    onTerm: 'drain',
    spread: { zone: 'soft', maxSkew: 5 },
    scheduling: PLAIN_POD_SCHEDULING,
    labels: {},
    disruptionBudget: null,
    versionOf: null,
    trafficDistribution: null,
    topologyModeAuto: false,
    endpoints: [anEndpoint([cpu(exponential(10_000))])],
    ...parts,
  };
}

export function aLoad(perSecond: number, parts: Partial<Load> = {}): Load {
  return {
    name: 'load',
    service: 0,
    endpoint: 0,
    from: [{ atUs: 0, shares: [1] }],
    arrivals: 'poisson',
    users: null,
    rate: [{ atUs: 0, perSecond }],
    ...parts,
  };
}

export function aNode(name: string, zone: number, parts: Partial<NodeSpec> = {}): NodeSpec {
  return {
    name,
    pool: 'general',
    zone,
    cpuMillicores: 1e6,
    memoryBytes: 1e13,
    labels: {},
    taints: [],
    maxPods: 110,
    priceUsdPerHour: 0.2,
    ...parts,
  };
}

export const staticPolicy: Policy = {
  name: 'static',
  why: '',
  hpas: [],
  engine: null,
  destinationRules: [],
  spread: [],
  deploymentPerZone: [],
};

export function aScenario(parts: ScenarioParts = {}): Scenario {
  const zones = Array.from({ length: parts.zones ?? 1 }, (_, i) => 'abcdefghij'[i]!);
  const roundTripUs = parts.roundTripUs ?? 0;
  return {
    name: 'test',
    why: '',
    cluster: {
      zones: zones.map((zone) => ({ name: `r/${zone}`, region: 'r', zone })),
      nodes: parts.nodes ?? zones.map((zone, i) => aNode(`node-${zone}`, i)),
      roundTrip: {
        sameNodeUs: roundTripUs,
        sameZoneUs: roundTripUs,
        crossZoneUs: roundTripUs,
        crossRegionUs: roundTripUs,
        pairs: [],
        nodePairs: [],
        jitter: null,
      },
      transfer: { crossZoneUsdPerGb: 0.02, crossRegionUsdPerGb: 0.02 },
      bill: { loadBalancer: null, internet: null, nat: null },
      priceBooks: [],
    },
    gateways: { perZone: parts.gatewaysPerZone ?? 1, failoverUs: 10e6 },
    services: parts.services ?? [aService()],
    compat: { istioMinor: 31, envoyMinor: 39, kubernetesMinor: 37 },
    mesh: {
      routing: { kind: 'istio' },
      destinationRules: [],
      virtualServices: [],
      localityLbSetting: null,
      propagationUs: 200_000,
      debounce: null,
      proxy: null,
      connectTimeoutUs: 10e6,
    },
    loads: parts.loads ?? [aLoad(50)],
    faults: [],
    policies: parts.policies ?? [staticPolicy],
    run: {
      durationUs: 600e6,
      warmUpUs: 60e6,
      seed: SEED,
      replications: 1,
      scrapeUs: 15e6,
      rateWindowUs: 60e6,
      cycleUs: 60e6,
      seriesUs: 10e6,
      ...parts.run,
    },
    expectations: [],
    notices: [],
    ...parts.over,
  };
}

/** Runs the first policy once per seed. */
export function runSeeds(scenario: Scenario, seeds: number, policy = 0): ReplicationResult[] {
  return Array.from({ length: seeds }, (_, i) => simulate(scenario, { policy, seed: scenario.run.seed + i }));
}

/** Mean over the seeds and the half width of its 95 % interval (Student t; table for 2..20 seeds). */
export function meanAndMargin(values: readonly number[]): { mean: number; margin: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, margin: T_975[values.length - 1]! * Math.sqrt(variance / values.length) };
}

/** t quantiles at 0.975 by degrees of freedom (any table); index 0 is unused. */
const T_975 = [
  NaN,
  12.706,
  4.303,
  3.182,
  2.776,
  2.571,
  2.447,
  2.365,
  2.306,
  2.262,
  2.228,
  2.201,
  2.179,
  2.16,
  2.145,
  2.131,
  2.12,
  2.11,
  2.101,
  2.093,
];
