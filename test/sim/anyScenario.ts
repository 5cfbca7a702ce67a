/**
 * Random whole scenarios, small enough to run in a blink and odd enough to meet in corners: call graphs, worker pools,
 * CPU quotas, autoscalers, the engine, every kind of route and fault.
 */
import fc from 'fast-check';
import { defaultEngineConfig } from '../../engine/index.js';
import type { EngineConfig, KubeObject } from '../../engine/types.js';
import type {
  Call,
  Distribution,
  Endpoint,
  Fault,
  Load,
  Mesh,
  Policy,
  Proxy,
  Scenario,
  Service,
  Step,
  HpaMetricSpec,
} from '../../scenarios/types.js';
import { aLoad, aNode, aScenario, aService } from './builders.js';

const SECOND = 1_000_000;
const pick = <const T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Whole scenarios with faults, autoscalers and the engine. */
export const anyScenario: fc.Arbitrary<Scenario> = fc
  .record({ zones: fc.integer({ min: 1, max: 3 }), services: fc.integer({ min: 1, max: 5 }) })
  .chain(({ zones, services }) =>
    fc.record({
      zones: fc.constant(zones),
      regions: fc.boolean(),
      nodesPerZone: fc.integer({ min: 1, max: 3 }),
      nodeMillicores: pick(1000, 4000, 16_000),
      services: fc.tuple(...Array.from({ length: services }, (_, i) => anyService(i, services, zones))),
      loads: fc.array(anyLoad(services, zones), { minLength: 1, maxLength: 2 }),
      faults: fc.array(anyFault(zones), { maxLength: 3 }),
      effects: fc.array(anyEffect(zones, services), { maxLength: 2 }),
      routed: fc.tuple(...Array.from({ length: services }, (_, i) => fc.option(anyHttp(i), { nil: null }))),
      istioMinor: pick(23, 30, 31),
      envoyMinor: pick(26, 39),
      policy: anyPolicy(services, zones),
      jitter: pick<Distribution | null>(null, { kind: 'lognormal', mean: 1, cv: 0.3 }),
      roundTripUs: pick(0, 400, 2000),
      propagationUs: pick(0, 200_000, 3 * SECOND),
      proxy: pick<Mesh['proxy']>(null, null, aProxy('sidecar', 1), aProxy('sidecar', 2), aProxy('ambient', 1)),
      connectTimeoutUs: pick(0, SECOND, 10 * SECOND),
      gatewaysPerZone: pick(1, 2),
      routing: pick<Mesh['routing']>(
        { kind: 'istio' },
        { kind: 'istio' },
        { kind: 'istio' },
        { kind: 'kubeProxy', connectionsPerCaller: null, maxAgeUs: null },
        { kind: 'kubeProxy', connectionsPerCaller: 2, maxAgeUs: 20 * SECOND },
      ),
      meshSetting: pick<Record<string, unknown> | null>(null, null, { enabled: false }),
      warmUpUs: pick(0, 20 * SECOND),
      durationUs: pick(40 * SECOND, 120 * SECOND, 450 * SECOND),
      scrapeUs: pick(5 * SECOND, 15 * SECOND),
    }),
  )
  .map((parts) => {
    const regionOf = (zone: number): string => (parts.regions && zone === 2 ? 's' : 'r');
    const scenario = aScenario({
      zones: parts.zones,
      nodes: Array.from({ length: parts.zones }, (_, zone) =>
        Array.from({ length: parts.nodesPerZone }, (_, i) =>
          aNode(`n${zone}-${i}`, zone, { cpuMillicores: parts.nodeMillicores, memoryBytes: 4e9 }),
        ),
      ).flat(),
      services: parts.services,
      loads: parts.loads,
      policies: [parts.policy],
      roundTripUs: parts.roundTripUs,
      gatewaysPerZone: parts.gatewaysPerZone,
      run: {
        durationUs: parts.durationUs,
        warmUpUs: parts.warmUpUs,
        scrapeUs: parts.scrapeUs,
        rateWindowUs: 4 * parts.scrapeUs,
        cycleUs: 20 * SECOND,
      },
    });
    const nodes = scenario.cluster.nodes.length;
    return {
      ...scenario,
      cluster: {
        ...scenario.cluster,
        zones: scenario.cluster.zones.map((zone, i) => ({
          ...zone,
          name: `${regionOf(i)}/${zone.zone}`,
          region: regionOf(i),
        })),
        roundTrip: { ...scenario.cluster.roundTrip, crossZoneUs: 2 * parts.roundTripUs, jitter: parts.jitter },
      },
      mesh: {
        ...scenario.mesh,
        routing: parts.routing,
        virtualServices: parts.routed.flatMap((http, service) =>
          http ? [{ service, object: routes(service, http) }] : [],
        ),
        propagationUs: parts.propagationUs,
        proxy: parts.proxy,
        connectTimeoutUs: parts.connectTimeoutUs,
        localityLbSetting: parts.meshSetting,
      },
      compat: { istioMinor: parts.istioMinor, envoyMinor: parts.envoyMinor, kubernetesMinor: 37 },
      faults: [
        ...parts.faults.map((fault) => (fault.kind === 'nodeLoss' ? { ...fault, node: fault.node % nodes } : fault)),
        ...parts.effects,
      ],
    };
  });

function aProxy(mode: 'sidecar' | 'ambient', workers: number): Proxy {
  const requests = { cpuMillicores: 100, memoryBytes: 1.2e8 };
  return { mode, fixedUs: 100, meanUs: 50, cpuUsPerRequest: mode === 'sidecar' ? 200 : 5000, workers, requests };
}

export const anyDistribution = (mean: number): fc.Arbitrary<Distribution> =>
  fc.oneof(
    fc.constant<Distribution>({ kind: 'constant', mean }),
    fc.constant<Distribution>({ kind: 'exponential', mean }),
    fc.constant<Distribution>({ kind: 'lognormal', mean, cv: 1.5 }),
    fc.constant<Distribution>({ kind: 'gamma', mean, cv: 0.5 }),
  );

/** Service `index` calls only later ones, so the graph has no cycles. */
export function anyEndpoint(index: number, services: number): fc.Arbitrary<Endpoint> {
  const work = pick(0, 1, 300, 4000, 30_000).chain(anyDistribution);
  const steps: fc.Arbitrary<Step>[] = [
    work.map((demand) => ({ kind: 'cpu', demand })),
    work.map((delay) => ({ kind: 'wait', delay })),
  ];
  if (index + 1 < services) {
    const made: fc.Arbitrary<Call> = fc.record({
      service: fc.integer({ min: index + 1, max: services - 1 }),
      endpoint: fc.constant(0),
      probability: pick(1, 1, 0.4),
      count: pick(1, 1, 2, 0.5, 2.3),
    });
    steps.push(
      fc.record({
        kind: fc.constant('call' as const),
        calls: fc.array(made, { minLength: 1, maxLength: 3 }),
        repeat: pick('sequential', 'parallel'),
      }),
    );
  }
  return fc.record({
    name: fc.constant('e'),
    steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 4 }),
    requestBytes: fc.constant(500),
    responseBytes: fc.constant(2500),
  });
}

function anyService(index: number, services: number, zones: number): fc.Arbitrary<Service> {
  return fc
    .record({
      replicas: fc.integer({ min: 1, max: 6 }),
      perZone: fc.boolean(),
      requestMillicores: pick(100, 500, 1000),
      limitMillicores: pick(null, null, 300, 1500),
      workers: pick(1, 2, 8, 64),
      queue: pick(null, null, 0, 3),
      holds: fc.boolean(),
      pull: pick(0, 2 * SECOND),
      grace: pick(0, SECOND, 30 * SECOND),
      budget: pick<Service['disruptionBudget']>(
        null,
        { limit: { minAvailable: 1 }, unhealthyPodEviction: 'IfHealthyBudget' },
        { limit: { maxUnavailable: '50%' }, unhealthyPodEviction: 'AlwaysAllow' },
      ),
      distribution: pick<Service['trafficDistribution']>(null, null, 'PreferClose', 'PreferSameZone'),
      hard: fc.boolean(),
      endpoint: anyEndpoint(index, services),
    })
    .map((parts) => {
      const perZone = Array.from({ length: zones }, (_, zone) => Math.ceil((parts.replicas - zone) / zones));
      return aService({
        name: `s${index}`,
        replicas: parts.replicas,
        replicasPerZone: parts.perZone ? perZone : null,
        requests: { cpuMillicores: parts.requestMillicores, memoryBytes: 1e8 },
        limits: { cpuMillicores: parts.limitMillicores, memoryBytes: null },
        workers: parts.workers,
        queue: parts.queue,
        holdsWorkerWhileCalling: parts.holds,
        startUp: {
          imagePull: { kind: 'constant', mean: parts.pull },
          ready: { kind: 'exponential', mean: 3 * SECOND },
          probeInitialDelayUs: 0,
          probePeriodUs: SECOND,
        },
        terminationGraceUs: parts.grace,
        spread: { zone: parts.hard ? 'hard' : 'soft', maxSkew: 1 },
        trafficDistribution: parts.distribution,
        disruptionBudget: parts.budget,
        topologyModeAuto: parts.hard,
        endpoints: [parts.endpoint],
      });
    });
}

function anyLoad(services: number, zones: number): fc.Arbitrary<Load> {
  const shares = fc.array(fc.constantFrom<number[]>(0, 1, 3), { minLength: zones, maxLength: zones }).map((weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, i) => (total > 0 ? weight / total : i === 0 ? 1 : 0));
  });
  return fc
    .record({
      service: fc.integer({ min: 0, max: Math.min(1, services - 1) }),
      first: shares,
      later: shares,
      even: fc.boolean(),
      rates: fc.tuple(pick(0, 5, 60, 200), pick(0, 20, 150), pick(0, 30)),
    })
    .map(({ service, first, later, even, rates }) =>
      aLoad(0, {
        name: `load on s${service}`,
        service,
        from: [
          { atUs: 0, shares: first },
          { atUs: 25 * SECOND, shares: later },
        ],
        arrivals: even ? 'even' : 'poisson',
        users: even ? 3 : null,
        rate: [
          { atUs: 0, perSecond: rates[0] },
          { atUs: 30 * SECOND, perSecond: rates[1] },
          { atUs: 35 * SECOND, perSecond: rates[1] },
          { atUs: 35 * SECOND, perSecond: rates[2] },
        ],
      }),
    );
}

function anyEffect(zones: number, services: number): fc.Arbitrary<Fault> {
  const times = fc.record({
    atUs: fc.integer({ min: 0, max: 100 }).map((seconds) => seconds * SECOND),
    forUs: fc.oneof(fc.constant(null), pick(0, 7 * SECOND, 60 * SECOND)),
    rampUs: pick(0, 0, 9 * SECOND),
  });
  const link = { from: 0, to: zones - 1 };
  return fc
    .tuple(
      fc.oneof(
        fc
          .record({ service: fc.nat(services - 1), share: pick(0.1, 1) })
          .map((one) => ({ kind: 'serviceFailure' as const, ...one })),
        fc.constant({ kind: 'linkLatency' as const, ...link, addedUs: 20_000 }),
        fc.constant({ kind: 'linkLoss' as const, ...link, share: 0.2 }),
        fc.constant({ kind: 'zonePartition' as const, ...link }),
        fc.constant({ kind: 'retryStorm' as const, load: 0, retries: 2 }),
        fc.constant({ kind: 'loadBurst' as const, load: 0, times: 3 }),
        fc
          .record({ service: fc.nat(services - 1), pods: pick<number | null>(null, 1) })
          .map((one) => ({ kind: 'podCrash' as const, ...one })),
        fc
          .record({
            service: fc.nat(services - 1),
            pods: pick<number | null>(null, 1),
            everyUs: pick(0, SECOND, 7 * SECOND),
          })
          .map((one) => ({ kind: 'crashLoop' as const, ...one })),
        fc
          .constantFrom('istiodDown', 'prometheusOutage', 'scrapeGap', 'staleMetrics')
          .map((kind) => ({ kind }) as { kind: 'istiodDown' }),
        fc.constant({ kind: 'apiErrors' as const, share: 0.5 }),
        fc.constant({ kind: 'apiSlow' as const, addedUs: 4 * SECOND }),
      ),
      times,
    )
    .map(([kind, when]) => ({ ...kind, ...when }));
}

function anyFault(zones: number): fc.Arbitrary<Fault> {
  const forUs = pick<number | null>(null, 0, SECOND, 15 * SECOND, 90 * SECOND);
  const atUs = fc.integer({ min: 0, max: 60 }).map((second) => second * SECOND);
  return fc.oneof(
    fc.record({ kind: fc.constant<'nodeDrain'>('nodeDrain'), node: fc.constant(0), atUs, forUs }),
    fc.record({
      kind: fc.constant<'zoneOutage'>('zoneOutage'),
      zone: fc.integer({ min: 0, max: zones - 1 }),
      atUs,
      forUs,
    }),
    fc.record({ kind: fc.constant<'nodeLoss'>('nodeLoss'), node: fc.integer({ min: 0, max: 20 }), atUs, forUs }),
  );
}

const ANY_METRICS: readonly HpaMetricSpec[] = [
  { type: 'Resource', resource: 'cpu', target: { averageAmount: 40 } },
  { type: 'Resource', resource: 'memory', target: { utilizationPercent: 45 } },
  { type: 'Pods', figure: 'requests_per_second', averageAmount: 7000 },
  { type: 'Object', figure: 'queue_length', service: 0, target: { amount: 2000 } },
  { type: 'External', figure: 'requests_per_second', service: 0, target: { averageAmount: 9000 } },
];

function anyPolicy(services: number, zones: number): fc.Arbitrary<Policy> {
  const some = fc.subarray(Array.from({ length: services }, (_, i) => i));
  return fc
    .record({
      hpas: some,
      hpaTarget: pick(20, 60),
      hpaMetrics: pick(null, ANY_METRICS, ANY_METRICS.slice(0, 2), ANY_METRICS.slice(2)),
      maxReplicas: pick(3, 8),
      engine: anyEngine,
      ruled: some,
      rules: fc.array(anyRule(zones), { minLength: services, maxLength: services }),
      perZone: fc.oneof(fc.constant<number[]>([]), some),
    })
    .map((parts) => ({
      name: 'any',
      why: '',
      hpas: parts.hpas.map((service) => ({
        service,
        minReplicas: 1,
        maxReplicas: parts.maxReplicas,
        targetCpuPercent: parts.hpaTarget,
        metrics: parts.hpaMetrics,
        behavior: null,
      })),
      engine: parts.engine,
      destinationRules: parts.ruled.map((service) => ({ service, object: rule(service, parts.rules[service]!) })),
      spread: [],
      deploymentPerZone: parts.perZone,
    }));
}

const anyEngine: fc.Arbitrary<EngineConfig | null> = fc.oneof(
  fc.constant(null),
  fc
    .record({
      mode: pick('off', 'placement', 'full'),
      enabled: fc.boolean(),
      createRoutes: fc.boolean(),
      stepRule: pick('one', 'proportional'),
      placementRule: pick('weightedSum', 'minEdge'),
      cooldownSeconds: pick(0, 60),
    })
    .map(({ mode, enabled, createRoutes, stepRule, placementRule, cooldownSeconds }) => ({
      ...defaultEngineConfig,
      upperThresholdPercent: 40,
      scaler: {
        ...defaultEngineConfig.scaler,
        mode,
        stepRule,
        placementRule,
        cooldownSeconds,
        coldPodGraceSeconds: 30,
      },
      balancer: { ...defaultEngineConfig.balancer, enabled, createRoutes },
    })),
);

/** A DestinationRule's trafficPolicy. */
export function anyRule(zones: number): fc.Arbitrary<Record<string, unknown>> {
  const names = ['r/a', 'r/b', 'r/c'].slice(0, zones);
  const distribute = pick(1, 30, 60, 99).map((local) => [
    {
      from: 'r/a/*',
      to: zones === 1 ? { 'r/a/*': 100 } : { [`${names[0]}/*`]: local, [`${names[1]}/*`]: 100 - local },
    },
  ]);
  const setting = fc.oneof(
    distribute.map((entries) => ({ distribute: entries })),
    fc.constant({ failover: [{ from: 'r', to: 's' }] }),
    fc.constant({ failoverPriority: ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'] }),
    fc.constant({ enabled: false }),
    fc.constant(null),
  );
  return fc
    .record({
      simple: pick('LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM'),
      localityLbSetting: setting,
      hashed: pick<Record<string, unknown> | null>(
        null,
        null,
        null,
        { httpHeaderName: 'user' },
        { useSourceIp: true, ringHash: { minimumRingSize: 16 } },
        { httpCookie: { name: 'c' }, maglev: { tableSize: 251 } },
      ),
      warmup: pick<Record<string, unknown> | null>(null, null, { duration: '20s' }, { duration: '60s', aggression: 2 }),
      connectTimeout: pick<string | null>(null, null, '300ms'),
      outlier: pick(
        null,
        { consecutive5xxErrors: 5 },
        { consecutive5xxErrors: 1, interval: '2s', baseEjectionTime: '3s', maxEjectionPercent: 100 },
        { consecutiveGatewayErrors: 2, splitExternalLocalOriginErrors: true, maxEjectionPercent: 50 },
      ),
      pool: pick(
        null,
        null,
        { tcp: { maxConnections: 2 }, http: { http1MaxPendingRequests: 1 } },
        { tcp: { maxConnections: 5 }, http: { http2MaxRequests: 4, maxRetries: 1 } },
      ),
    })
    .map(({ simple, localityLbSetting, hashed, warmup, connectTimeout, outlier, pool }) => ({
      loadBalancer: {
        ...(hashed ? { consistentHash: hashed } : { simple }),
        ...(warmup ? { warmup } : {}),
        ...(localityLbSetting ? { localityLbSetting } : {}),
      },
      ...(outlier ? { outlierDetection: outlier } : {}),
      ...(pool || connectTimeout
        ? {
            connectionPool: {
              ...pool,
              tcp: { ...pool?.tcp, ...(connectTimeout ? { connectTimeout } : {}) },
            },
          }
        : {}),
    }));
}

/** The http of a VirtualService that routes to its own host, sometimes to another too. */
function anyHttp(service: number): fc.Arbitrary<Record<string, unknown>> {
  const own = { destination: { host: `s${service}` }, weight: 80 };
  return fc
    .record({
      timeout: pick(null, null, '40ms', '700ms'),
      retries: pick<Record<string, unknown> | null>(
        null,
        { attempts: 0 },
        { attempts: 3, retryOn: '5xx,reset', perTryTimeout: '30ms' },
        { attempts: 2, retryOn: 'gateway-error', backoff: '5ms' },
      ),
      fault: pick<Record<string, unknown> | null>(null, null, {
        delay: { percentage: { value: 20 }, fixedDelay: '300ms' },
        abort: { percentage: { value: 5 }, httpStatus: 500 },
      }),
      splits: fc.boolean(),
      mirrors: pick(null, null, 100, 30),
    })
    .map(({ timeout, retries, fault, splits, mirrors }) => ({
      // A call of an earlier service to this one could come back to the caller, so only the first service splits itself.
      route: splits ? [own, { ...own, weight: 20 }] : [own],
      ...(timeout ? { timeout } : {}),
      ...(retries ? { retries } : {}),
      ...(fault ? { fault } : {}),
      ...(mirrors === null ? {} : { mirror: own.destination, mirrorPercentage: { value: mirrors } }),
    }));
}

function routes(service: number, http: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: `s${service}` },
    spec: { hosts: [`s${service}`], http: [http] },
  };
}

export function rule(service: number, trafficPolicy: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: `s${service}`, namespace: 'default' },
    spec: { host: `s${service}.default.svc.cluster.local`, trafficPolicy },
  };
}
