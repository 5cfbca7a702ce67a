/** Scenarios for tests: everything has a default, so that what a test sets means something to it. */
import type {
  Controller,
  Distribution,
  Endpoint,
  External,
  Load,
  MessageQueue,
  NodePool,
  NodeSpec,
  Policy,
  RunSettings,
  Scenario,
  Service,
  Step,
} from '../../scenarios/types.js';
import { addWaypoint, type WaypointParts } from '../../scenarios/waypoints.js';
import { PLAIN_POD_SCHEDULING } from '../../scenarios/pod-scheduling.js';
import { simulate } from '../../sim/index.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import { SEED } from '../seed.js';

export interface ScenarioParts {
  readonly zones?: number;
  /** One big node per zone unless given. */
  readonly nodes?: readonly NodeSpec[];
  readonly pools?: readonly NodePool[];
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
    controller: aDeployment(),
    preStopUs: 0,
    onTerm: 'drain',
    spread: { zone: 'soft', maxSkew: 5 },
    scheduling: PLAIN_POD_SCHEDULING,
    labels: {},
    annotations: {},
    disruptionBudget: null,
    versionOf: null,
    trafficDistribution: null,
    topologyModeAuto: false,
    external: null,
    waypoint: null,
    isWaypoint: false,
    endpoints: [anEndpoint([cpu(exponential(10_000))])],
    ...parts,
  };
}

/** Kubernetes' defaults: a quarter more, a quarter fewer. */
export function aDeployment(
  strategy: Extract<Controller, { kind: 'Deployment' }>['strategy'] = {
    type: 'RollingUpdate',
    maxSurge: '25%',
    maxUnavailable: '25%',
  },
  minReadyUs = 0,
): Controller {
  return { kind: 'Deployment', minReadyUs, strategy };
}

export function aStatefulSet(parts: Partial<Extract<Controller, { kind: 'StatefulSet' }>> = {}): Controller {
  return { kind: 'StatefulSet', minReadyUs: 0, podManagement: 'OrderedReady', update: { partition: 0 }, ...parts };
}

/** One instance in the first zone, of HTTP, that works 10 ms (exponential) on as many requests as come. */
export function anExternal(parts: Partial<External> = {}, service: Partial<Service> = {}): Service {
  const external: External = {
    host: service.name ?? 'db',
    perZone: [1],
    roundTripUs: 0,
    protocol: 'http',
    connectionsPerCaller: null,
    queue: null,
    ...parts,
  };
  return aService({
    name: 'db',
    replicas: external.perZone?.reduce((sum, count) => sum + count, 0) ?? 1,
    requests: { cpuMillicores: 0, memoryBytes: 0 },
    memoryUseBytes: 0,
    workers: 2 ** 31 - 1,
    holdsWorkerWhileCalling: true,
    endpoints: [anEndpoint([{ kind: 'wait', delay: exponential(10_000) }])],
    external,
    ...service,
  });
}

/** A queue in the first zone, of messages of 1000 bytes, which it takes within a millisecond. */
export function aQueue(queue: Partial<MessageQueue> = {}, parts: Partial<External> = {}): Service {
  const setting: MessageQueue = {
    maxLength: null,
    consumers: [],
    attempts: 20,
    redeliveryDelayUs: 0,
    visibilityTimeoutUs: 0,
    ...queue,
  };
  const steps: Step[] = [{ kind: 'wait', delay: constant(1000) }];
  return {
    ...anExternal({ host: 'orders', protocol: 'tcp', queue: setting, ...parts }, { name: 'orders' }),
    trafficDistribution: 'PreferSameZone',
    endpoints: [{ name: 'publish', steps, requestBytes: 1000, responseBytes: 0 }],
  };
}

/** The services with a waypoint of such pods in front of some: 0.25 ms of CPU for a request and its reply. */
export function behindWaypoint(
  services: readonly Service[],
  pods: Partial<Service> = {},
  parts: Partial<WaypointParts> = {},
): readonly Service[] {
  return addWaypoint(services, {
    pods: aService({ name: 'waypoint', workers: 2, ...pods }),
    hosts: services.map((_, index) => index),
    ingress: [],
    figures: { fixedUs: 0, meanUs: 0, cpuUsPerRequest: 250 },
    ...parts,
  });
}

/** Ztunnels choose among pods at random, for each request, unless connections are kept. */
export const AMBIENT = { kind: 'ambient', connectionsPerCaller: null, maxAgeUs: null } as const;

export function aLoad(perSecond: number, parts: Partial<Load> = {}): Load {
  return {
    name: 'load',
    service: 0,
    endpoint: 0,
    from: [{ atUs: 0, shares: [1] }],
    arrivals: 'poisson',
    users: null,
    request: { method: 'GET', headers: {}, query: {} },
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
    maxPods: 10_000,
    priceUsdPerHour: 0.2,
    ...parts,
  };
}

export const staticPolicy: Policy = {
  name: 'static',
  why: '',
  hpas: [],
  engine: null,
  nodeAutoscaler: null,
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
      pools: parts.pools ?? [],
      roundTrip: {
        sameNodeUs: roundTripUs,
        sameZoneUs: roundTripUs,
        crossZoneUs: roundTripUs,
        crossRegionUs: roundTripUs,
        pairs: [],
        nodePairs: [],
        jitter: null,
      },
      cpuWeights: 'curved',
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
      zoneAwareLbSetting: null,
      selfDiscovery: false,
      propagationUs: 200_000,
      debounce: null,
      proxy: null,
      connectTimeoutUs: 10e6,
    },
    loads: parts.loads ?? [aLoad(50)],
    faults: [],
    rollouts: [],
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
