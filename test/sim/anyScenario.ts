/**
 * Random whole scenarios, small enough to run in a blink and odd enough to meet in corners: call graphs, worker pools,
 * CPU quotas, autoscalers, the engine, every kind of route and fault.
 */
import fc from 'fast-check';
import { defaultEngineConfig } from '../../engine/index.js';
import type { EngineConfig, KubeObject } from '../../engine/types.js';
import type {
  Call,
  Controller,
  CpuWeights,
  Distribution,
  Endpoint,
  Fault,
  FaultTimes,
  Load,
  Mesh,
  NodeAutoscaler,
  NodePool,
  PodCount,
  Policy,
  Proxy,
  Rollout,
  Scenario,
  Service,
  Step,
  HpaMetricSpec,
} from '../../scenarios/types.js';
import { addWaypoint, type WaypointParts } from '../../scenarios/waypoints.js';
import { PLAIN_POD_SCHEDULING, type PodScheduling } from '../../scenarios/pod-scheduling.js';
import { anyRarity, withSecondQueue } from './anyRarity.js';
import { aLoad, anExternal, aNode, aQueue, aScenario, aService, call } from './builders.js';

const SECOND = 1_000_000;
const ZONE = 'topology.kubernetes.io/zone';
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
      cpuWeights: pick<CpuWeights | null>(null, 'shares', 'linear', 'curved', 'curved'),
      services: fc.tuple(...Array.from({ length: services }, (_, i) => anyService(i, services, zones))),
      loads: fc.array(anyLoad(services, zones), { minLength: 1, maxLength: 2 }),
      faults: fc.array(anyFault(zones), { maxLength: 3 }),
      effects: fc.array(anyEffect(zones, services), { maxLength: 2 }),
      rollouts: fc.array(anyRollout(services), { maxLength: 3 }),
      /** How many of the last services are versions of the first. */
      versions: pick(0, 0, 1, 2),
      routed: fc.tuple(...Array.from({ length: services }, (_, i) => fc.option(anyHttp(i), { nil: null }))),
      maxPods: pick(110, 110, 3),
      tainted: pick(false, false, true),
      subzones: pick<readonly string[]>([], [], ['rack-0', 'rack-1'], ['rack-0', '']),
      kubernetesMinor: pick(31, 32, 33, 37),
      istioMinor: pick(23, 30, 31),
      envoyMinor: pick(26, 39),
      policy: anyPolicy(services, zones),
      nodeAutoscaler: fc.oneof(
        { weight: 2, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: anyNodeAutoscaler() },
      ),
      moreNodes: pick(0, 1, 3),
      jitter: pick<Distribution | null>(null, { kind: 'lognormal', mean: 1, cv: 0.3 }),
      roundTripUs: pick(0, 400, 2000),
      propagationUs: pick(0, 200_000, 3 * SECOND),
      debounce: pick<Mesh['debounce']>(
        null,
        { quietUs: 100_000, maxUs: 10 * SECOND },
        { quietUs: 5 * SECOND, maxUs: 12 * SECOND },
      ),
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
      zoneAware: pick<Record<string, unknown> | null>(null, null, { minClusterSize: 2 }),
      selfDiscovery: fc.boolean(),
      meshSetting: pick<Record<string, unknown> | null>(null, null, { enabled: false }),
      warmUpUs: pick(0, 20 * SECOND),
      durationUs: pick(40 * SECOND, 120 * SECOND, 450 * SECOND),
      outsiders: fc.option(anyOutsiders(services, zones), { nil: null }),
      waypoints: fc.option(anyWaypoints(services, zones), { nil: null, freq: 2 }),
      scrapeUs: pick(5 * SECOND, 15 * SECOND),
      rarity: anyRarity(),
      hasSecondQueue: pick(false, false, true),
    }),
  )
  .map((parts) => {
    const regionOf = (zone: number): string => (parts.regions && zone === 2 ? 's' : 'r');
    const scenario = aScenario({
      zones: parts.zones,
      nodes: Array.from({ length: parts.zones }, (_, zone) =>
        Array.from({ length: parts.nodesPerZone }, (_, i) =>
          aNode(`n${zone}-${i}`, zone, {
            cpuMillicores: parts.nodeMillicores,
            memoryBytes: 4e9,
            maxPods: parts.maxPods,
            labels: { ...(i === 0 ? { disk: 'ssd' } : {}), ...inSubzone(parts.subzones[i % 2]) },
            taints: parts.tainted && i === 1 ? [{ key: 'dedicated', value: '', effect: 'NoSchedule' }] : [],
          }),
        ),
      ).flat(),
      pools: [aPool(parts.zones, parts.nodesPerZone, parts.moreNodes, parts.nodeMillicores, parts.subzones[0])],
      services: parts.services.map((service, i) =>
        i === 0 || i < parts.services.length - parts.versions
          ? service
          : { ...service, versionOf: 0, labels: { ...service.labels, app: 's0', version: `v${i}` } },
      ),
      loads: parts.loads,
      policies: [{ ...parts.policy, nodeAutoscaler: parts.nodeAutoscaler }],
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
    const whole = parts.rarity({
      ...scenario,
      cluster: {
        ...scenario.cluster,
        zones: scenario.cluster.zones.map((zone, i) => ({
          ...zone,
          name: `${regionOf(i)}/${zone.zone}`,
          region: regionOf(i),
        })),
        cpuWeights: parts.cpuWeights,
        roundTrip: { ...scenario.cluster.roundTrip, crossZoneUs: 2 * parts.roundTripUs, jitter: parts.jitter },
      },
      mesh: {
        ...scenario.mesh,
        routing: parts.routing,
        virtualServices: parts.routed.flatMap((http, service) =>
          http ? [{ service, object: routes(service, http) }] : [],
        ),
        propagationUs: parts.propagationUs,
        debounce: parts.routing.kind === 'istio' ? parts.debounce : null,
        proxy: parts.proxy,
        connectTimeoutUs: parts.connectTimeoutUs,
        localityLbSetting: parts.meshSetting,
        zoneAwareLbSetting: parts.zoneAware,
        selfDiscovery: parts.selfDiscovery,
      },
      compat: { istioMinor: parts.istioMinor, envoyMinor: parts.envoyMinor, kubernetesMinor: parts.kubernetesMinor },
      rollouts: parts.rollouts,
      faults: [
        ...parts.faults.map((fault) => (fault.kind === 'nodeLoss' ? { ...fault, node: fault.node % nodes } : fault)),
        ...parts.effects,
      ],
    });
    const outside = parts.outsiders === null ? whole : withOutsiders(whole, parts.outsiders);
    const withAll = parts.outsiders !== null && parts.hasSecondQueue ? withSecondQueue(outside) : outside;
    return parts.waypoints === null ? withAll : withWaypoints(withAll, parts.waypoints);
  });

interface Waypoints {
  readonly parts: readonly Omit<WaypointParts, 'hosts'>[];
  /** By service: which waypoint stands in front of it. */
  readonly of: readonly (number | null)[];
  readonly connectionsPerCaller: number | null;
  readonly failing: Fault | null;
}

/** One or two waypoints, of pods as odd as those of services. */
function anyWaypoints(services: number, zones: number): fc.Arbitrary<Waypoints> {
  const parts = fc.record({
    pods: anyService(0, 1, zones),
    ingress: pick<readonly number[]>([], [0], [0, 1, 2, 3, 4]),
    figures: fc.record({ fixedUs: pick(0, 300), meanUs: pick(0, 200), cpuUsPerRequest: pick(0, 250, 4000) }),
  });
  return fc.record({
    parts: fc.array(parts, { minLength: 1, maxLength: 2 }),
    of: fc.array(pick(null, 0, 0, 1), { minLength: services, maxLength: services }),
    connectionsPerCaller: pick(null, null, 2),
    failing: pick<Fault | null>(
      null,
      null,
      { kind: 'crashLoop', service: 0, pods: null, everyUs: 7 * SECOND, atUs: 20 * SECOND, forUs: null, rampUs: 0 },
      { kind: 'serviceFailure', service: 0, share: 0.3, atUs: 0, forUs: null, rampUs: 0 },
    ),
  });
}

function withWaypoints(scenario: Scenario, waypoints: Waypoints): Scenario {
  const { connectionsPerCaller, failing, of, parts } = waypoints;
  const first = scenario.services.length;
  const services = parts.reduce<readonly Service[]>((before, { pods, ...rest }, index) => {
    // A version is behind the waypoint of its host.
    const hosts = of.flatMap((which, service) =>
      which === index && scenario.services[service]!.versionOf === null ? [service] : [],
    );
    if (hosts.length === 0) return before;
    return addWaypoint(before, { ...rest, hosts, pods: { ...pods, name: `w${index}` } });
  }, scenario.services);
  if (services.length === first) return scenario;
  const hpa = { minReplicas: 1, maxReplicas: 4, targetCpuPercent: 30, metrics: null, behavior: null };
  const [policy] = scenario.policies;
  // A ztunnel is no container of a pod.
  const hpas = policy!.hpas.filter(({ metrics }) => !JSON.stringify(metrics).includes('"sidecar"'));
  return {
    ...scenario,
    services,
    mesh: {
      ...scenario.mesh,
      routing: { kind: 'ambient', connectionsPerCaller, maxAgeUs: null },
      proxy: scenario.mesh.proxy && { ...scenario.mesh.proxy, mode: 'ambient' },
    },
    faults: failing === null ? scenario.faults : [...scenario.faults, { ...failing, service: first } as Fault],
    policies: [{ ...policy!, hpas: hpas.length > 0 ? [...hpas, { ...hpa, service: first }] : [] }],
  };
}

interface Outsiders {
  readonly external: Service;
  readonly queue: Service;
  /** Who calls the external, and who publishes. */
  readonly callers: readonly number[];
  readonly publishers: readonly number[];
  readonly count: number;
  readonly rule: Record<string, unknown> | null;
  readonly onLag: boolean;
  /** Errors of the queue. */
  readonly failing: FaultTimes | null;
}

/** An external and a queue behind the services; the last of these, which calls no other, consumes. */
function anyOutsiders(services: number, zones: number): fc.Arbitrary<Outsiders> {
  const perZone = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: zones, maxLength: zones });
  const place = fc.oneof(
    fc.constant({ perZone: null, roundTripUs: 6000 }),
    perZone.map((counts) => ({
      perZone: counts.some((count) => count > 0) ? counts : counts.map(() => 1),
      roundTripUs: 0,
    })),
  );
  const before = fc.subarray(Array.from({ length: services - 1 }, (_, i) => i));
  const setting = fc.record({
    maxLength: pick<number | null>(null, null, 2),
    attempts: pick(1, 3),
    redeliveryDelayUs: pick(0, 2 * SECOND),
    visibilityTimeoutUs: pick(0, 0, 30_000, 5 * SECOND),
    concurrency: pick(1, 3, 50),
  });
  const broker = fc.oneof(
    fc.constant({ perZone: null, roundTripUs: 4000 }),
    fc.constant({ perZone: Array.from({ length: zones }, () => 1), roundTripUs: 0 }),
    fc.constant({ perZone: Array.from({ length: zones }, (_, zone) => (zone === 0 ? 1 : 0)), roundTripUs: 0 }),
  );
  return fc
    .record({
      ...{ place, broker, setting, callers: before, publishers: before, count: pick(1, 0.5, 3) },
      protocol: pick('http', 'tcp'),
      connectionsPerCaller: pick<number | null>(null, 1, 4),
      workers: pick(1, 4, 1000),
      places: pick<number | null>(null, null, 0, 5),
      work: pick(0, 3000, 40_000).chain(anyDistribution),
      rule: fc.option(anyRule(zones), { nil: null }),
      onLag: fc.boolean(),
      failing: pick<FaultTimes | null>(null, null, { atUs: 10 * SECOND, forUs: 40 * SECOND, rampUs: 0 }),
    })
    .map(({ protocol, connectionsPerCaller, workers, places, work, ...parts }): Outsiders => {
      const { concurrency, ...setting } = parts.setting;
      const consumers = [{ service: services - 1, endpoint: 0, concurrency }];
      const instances = parts.place.perZone?.reduce((sum, count) => sum + count, 0) ?? 1;
      return {
        ...parts,
        external: anExternal(
          { ...parts.place, protocol, connectionsPerCaller: protocol === 'tcp' ? connectionsPerCaller : null },
          {
            ...{ name: `s${services}`, replicas: instances, workers, queue: places },
            endpoints: [{ name: 'e', steps: [{ kind: 'wait', delay: work }], requestBytes: 300, responseBytes: 900 }],
          },
        ),
        queue: aQueue({ ...setting, consumers }, parts.broker),
      };
    });
}

function withOutsiders(scenario: Scenario, parts: Outsiders): Scenario {
  const { callers, publishers, external, queue, count } = parts;
  const at = scenario.services.length;
  const services = scenario.services.map((service, i): Service => ({
    ...service,
    endpoints: service.endpoints.map((endpoint) => ({
      ...endpoint,
      steps: [
        ...(callers.includes(i) ? [call(at, 1, count)] : []),
        ...endpoint.steps,
        ...(publishers.includes(i) ? [call(at + 1, 0.8, count)] : []),
      ],
    })),
  }));
  const onLag: HpaMetricSpec = { type: 'External', figure: 'queue_length', service: at + 1, target: { amount: 4000 } };
  const policies = scenario.policies.map((policy): Policy => ({
    ...policy,
    hpas: policy.hpas.map((hpa) => (parts.onLag ? { ...hpa, metrics: [...(hpa.metrics ?? []), onLag] } : hpa)),
    destinationRules: [
      ...policy.destinationRules,
      ...(parts.rule === null ? [] : [{ service: at, object: rule(at, parts.rule) }]),
    ],
  }));
  const failing: Fault[] =
    parts.failing === null ? [] : [{ kind: 'serviceFailure', service: at + 1, share: 0.5, ...parts.failing }];
  const faults = [...scenario.faults, ...failing];
  return { ...scenario, services: [...services, external, queue], policies, faults };
}

const inSubzone = (subzone?: string) => (subzone === undefined ? {} : { 'topology.istio.io/subzone': subzone });

function aPool(zones: number, nodesPerZone: number, more: number, cpuMillicores: number, subzone?: string): NodePool {
  const size = { cpuMillicores, memoryBytes: 4e9, wholeCpuMillicores: cpuMillicores, wholeMemoryBytes: 4e9 };
  const machine = { instanceType: 'whole', ...size, priceUsdPerHour: 0.2 };
  const half = { ...machine, instanceType: 'half', cpuMillicores: cpuMillicores / 2, priceUsdPerHour: 0.11 };
  return {
    name: 'general',
    labels: Array.from({ length: zones }, () => inSubzone(subzone)),
    taints: [],
    maxPods: 110,
    machine,
    groups: Array.from({ length: zones }, (_, zone) => ({ minNodes: zone % 2, maxNodes: nodesPerZone + more })),
    karpenter: {
      weight: 0,
      isSpot: false,
      machines: more === 1 ? [machine] : [machine, half],
      zones: Array.from({ length: zones }, (_, zone) => zone),
      limits: { cpuMillicores: Infinity, memoryBytes: Infinity, nodes: zones * (nodesPerZone + more) },
    },
  };
}

/** Much faster than the real ones, so that much happens. */
const anyNodeAutoscaler = (): fc.Arbitrary<NodeAutoscaler> =>
  fc
    .record({
      nodeStart: pick(0, 7 * SECOND, 40 * SECOND).chain(anyDistribution),
      expander: pick('least-waste', 'random', 'price'),
      unneededUs: pick(0, 20 * SECOND, 90 * SECOND),
      delayUs: pick(0, 15 * SECOND),
      maxNodeProvisionUs: pick(30 * SECOND, 900 * SECOND),
      utilizationThreshold: pick(0.3, 0.5, 1),
      consolidationPolicy: pick('WhenEmpty', 'WhenEmptyOrUnderutilized'),
      consolidateAfterUs: pick<number | null>(null, 0, 30 * SECOND),
      budget: pick<Extract<NodeAutoscaler, { kind: 'karpenter' }>['budget']>(
        { percent: 10 },
        { percent: 100 },
        { nodes: 2 },
      ),
      isKarpenter: fc.boolean(),
    })
    .map(({ isKarpenter, nodeStart, ...one }) =>
      isKarpenter
        ? {
            kind: 'karpenter',
            nodeStart,
            batchIdleUs: SECOND,
            batchMaxUs: 10 * SECOND,
            consolidationPolicy: one.consolidationPolicy,
            consolidateAfterUs: one.consolidateAfterUs,
            budget: one.budget,
          }
        : {
            kind: 'clusterAutoscaler',
            nodeStart,
            scanIntervalUs: 10 * SECOND,
            expander: one.expander,
            maxNodeProvisionUs: one.maxNodeProvisionUs,
            utilizationThreshold: one.utilizationThreshold,
            unneededReadyUs: one.unneededUs,
            unneededUnreadyUs: 2 * one.unneededUs,
            delayAfterAddUs: one.delayUs,
            delayAfterFailureUs: one.delayUs,
          },
    );

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
    // Three quarters below the mean: 0.75 * mean / 2 + 0.25 * 2.5 * mean.
    fc.constant<Distribution>(
      mean === 0
        ? { kind: 'constant', mean }
        : { kind: 'empirical', bounds: [0, mean, 4 * mean], weights: [0.75, 0.25], mean },
    ),
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
      controller: anyController,
      preStop: pick(0, 0, SECOND, 5 * SECOND),
      onTerm: pick('drain', 'drain', 'exit'),
      budget: pick<Service['disruptionBudget']>(
        null,
        { limit: { minAvailable: 1 }, unhealthyPodEviction: 'IfHealthyBudget' },
        { limit: { maxUnavailable: '50%' }, unhealthyPodEviction: 'AlwaysAllow' },
      ),
      distribution: pick<Service['trafficDistribution']>(null, null, 'PreferClose', 'PreferSameZone', 'PreferSameNode'),
      locality: pick<string | null>(null, null, null, null, 'r.a.rack-1'),
      hard: fc.boolean(),
      scheduling: anyScheduling,
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
        controller: parts.controller,
        preStopUs: parts.preStop,
        onTerm: parts.onTerm,
        spread: { zone: parts.hard ? 'hard' : 'soft', maxSkew: 1 },
        labels: {
          ...{ app: `s${index}`, parity: String(index % 2) },
          ...(parts.locality === null ? {} : { 'istio-locality': parts.locality }),
        },
        scheduling: parts.scheduling,
        trafficDistribution: parts.distribution,
        disruptionBudget: parts.budget,
        topologyModeAuto: parts.hard,
        endpoints: [parts.endpoint],
      });
    });
}

const HOSTNAME = 'kubernetes.io/hostname';
const even = { matchLabels: { parity: '0' }, matchExpressions: [] };
const everyPod = { matchLabels: {}, matchExpressions: [] };
const onSsd = { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: ['ssd'] }], matchFields: [] };

/** Half of the templates say nothing. */
const anyScheduling: fc.Arbitrary<PodScheduling> = fc.oneof(
  fc.constant(PLAIN_POD_SCHEDULING),
  fc.record({
    nodeSelector: pick<PodScheduling['nodeSelector']>({}, {}, { disk: 'ssd' }),
    tolerations: pick<PodScheduling['tolerations']>(
      [],
      [{ key: 'dedicated', operator: 'Exists', value: '', effect: null }],
    ),
    lostNodeTolerationUs: pick(300 * SECOND, 300 * SECOND, 20 * SECOND, 0, null),
    nodeAffinity: pick<PodScheduling['nodeAffinity']>([], [], [onSsd]),
    preferredNodes: pick<PodScheduling['preferredNodes']>([], [{ weight: 50, term: onSsd }]),
    podAffinity: pick<PodScheduling['podAffinity']>(
      { required: [], preferred: [] },
      { required: [{ selector: even, topologyKey: ZONE }], preferred: [] },
      { required: [], preferred: [{ weight: 70, selector: everyPod, topologyKey: HOSTNAME }] },
    ),
    podAntiAffinity: pick<PodScheduling['podAntiAffinity']>(
      { required: [], preferred: [] },
      { required: [], preferred: [] },
      { required: [{ selector: even, topologyKey: HOSTNAME }], preferred: [] },
    ),
    topologySpread: pick<PodScheduling['topologySpread']>(
      [],
      [],
      [
        {
          topologyKey: HOSTNAME,
          maxSkew: 1,
          whenUnsatisfiable: 'DoNotSchedule',
          selector: even,
          minDomains: 2,
          nodeAffinityPolicy: 'Honor',
          nodeTaintsPolicy: 'Honor',
        },
      ],
    ),
    priority: pick(0, 0, 5, -1),
    image: pick<PodScheduling['image']>(null, { name: 'shared', sizeBytes: 5e8 }),
    gates: pick<PodScheduling['gates']>([], [], [{ name: 'g', liftedAfterUs: 7 * SECOND }]),
  }),
);

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
        request: { method: 'GET', headers: first[0] === 0 ? { 'x-canary': '1' } : {}, query: {} },
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
        fc
          .record({
            service: fc.nat(services - 1),
            pods: pick<number | null>(null, 1),
            share: pick(0.3, 0.5, 1),
          })
          .map((one) => ({ kind: 'slowPod' as const, ...one })),
        fc.constant({ kind: 'apiErrors' as const, share: 0.5 }),
        fc.constant({ kind: 'apiSlow' as const, addedUs: 4 * SECOND }),
      ),
      times,
    )
    .map(([kind, when]) => ({ ...kind, ...when }));
}

const anyController: fc.Arbitrary<Controller> = fc
  .record({
    minReadyUs: pick(0, 0, 3 * SECOND),
    maxSurge: pick<PodCount>('25%', '25%', 0, 2, '100%'),
    maxUnavailable: pick<PodCount>('25%', 1, '50%'),
    kind: pick('RollingUpdate', 'RollingUpdate', 'Recreate', 'StatefulSet'),
    podManagement: pick('OrderedReady', 'Parallel'),
    update: pick<Extract<Controller, { kind: 'StatefulSet' }>['update']>(
      { partition: 0 },
      { partition: 1 },
      'OnDelete',
    ),
  })
  .map(({ minReadyUs, maxSurge, maxUnavailable, kind, podManagement, update }): Controller => {
    if (kind === 'StatefulSet') return { kind, minReadyUs, podManagement, update };
    const strategy = kind === 'Recreate' ? { type: kind } : { type: kind, maxSurge, maxUnavailable };
    return { kind: 'Deployment', minReadyUs, strategy };
  });

function anyRollout(services: number): fc.Arbitrary<Rollout> {
  return fc.record({
    atUs: fc.integer({ min: 0, max: 100 }).map((seconds) => seconds * SECOND),
    service: fc.nat(services - 1),
    imagePull: fc.constant(null),
    ready: fc.option(pick(0, 8 * SECOND).chain(anyDistribution), { nil: null }),
    neverReady: pick(false, false, true),
  });
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
      nodeAutoscaler: null,
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
    fc.constant({ failoverPriority: ['topology.istio.io/subzone', HOSTNAME] }),
    fc.constant({ failoverPriority: [`${HOSTNAME}=n0-0`, HOSTNAME], failover: [{ from: 'r', to: 's' }] }),
    fc.constant({ distribute: [{ from: 'r/a/rack-0', to: { 'r/a/rack-0': 70, 'r/a/rack-1': 30 } }] }),
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
      fault: pick<Record<string, unknown> | null>(
        null,
        null,
        {
          delay: { percentage: { value: 20 }, fixedDelay: '300ms' },
          abort: { percentage: { value: 5 }, httpStatus: 500 },
        },
        {
          abort: { percentage: { value: 5 }, grpcStatus: 'UNAVAILABLE' },
        },
      ),
      splits: fc.boolean(),
      mirrors: pick(null, null, 100, 30),
      answer: pick<Record<string, unknown> | null>(
        null,
        null,
        null,
        { redirect: { uri: '/elsewhere' } },
        { directResponse: { status: 503 } },
      ),
      gateways: pick<readonly string[]>([], [], ['mesh'], ['shop']),
      match: pick<readonly object[] | null>(null, null, null, [{ headers: { 'x-canary': { exact: '1' } } }]),
    })
    .map(({ timeout, retries, fault, splits, mirrors, answer, gateways, match }) => ({
      gateways,
      ...(match ? { match } : {}),
      ...(answer ?? {
        // A call of an earlier service to this one could come back to the caller, so only the first service splits itself.
        route: splits ? [own, { ...own, weight: 20 }] : [own],
        ...(timeout ? { timeout } : {}),
        ...(retries ? { retries } : {}),
        ...(fault ? { fault } : {}),
        ...(mirrors === null ? {} : { mirror: own.destination, mirrorPercentage: { value: mirrors } }),
      }),
    }));
}

function routes(service: number, { gateways, ...http }: Record<string, unknown>): KubeObject {
  const own = { route: [{ destination: { host: `s${service}` } }] };
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: `s${service}` },
    // What a match leaves goes on without more ado, in one of two.
    spec: { hosts: [`s${service}`], http: 'match' in http && service % 2 === 0 ? [http, own] : [http], gateways },
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
