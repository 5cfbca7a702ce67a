/**
 * What random scenarios have now and then on top: versions behind one host, further endpoints and queues, the mesh's own
 * rules and their overrides, taints and wishes of every kind, a second pool, behaviours of autoscalers, leaks of memory,
 * prices that nobody knows. Each is a change of a scenario that is without it.
 */
import fc from 'fast-check';
import type { KubeObject } from '../../engine/types.js';
import { PLAIN_POD_SCHEDULING, type PodScheduling } from '../../scenarios/pod-scheduling.js';
import type { Bill, Cluster, HpaMetricSpec, NodePool, Policy, Scenario, Service } from '../../scenarios/types.js';
import { aNode, anEndpoint, aQueue, call, constant, cpu, exponential } from './builders.js';

const SECOND = 1_000_000;
const ZONE = 'topology.kubernetes.io/zone';
const HOSTNAME = 'kubernetes.io/hostname';
const pick = <const T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

type Change = (scenario: Scenario) => Scenario;
const noChange: Change = (scenario) => scenario;

/** Most scenarios have two or three of them. */
export const anyRarity = (): fc.Arbitrary<Change> =>
  fc
    .tuple(
      ...[
        ...[anyBill(), anyRoundTrips(), anyPlacement(), anyPool(), anyAutoscaling(), anyLeak(), anyTimes()],
        ...[anySecondEndpoint(), anyVersion(), anyRuleOfMesh(), anySpread()],
      ].map((change) => fc.oneof({ weight: 3, arbitrary: fc.constant(noChange) }, { weight: 1, arbitrary: change })),
    )
    .map((changes) => (scenario) => changes.reduce((made, change) => change(made), scenario));

const inPolicy =
  (change: (policy: Policy, scenario: Scenario) => Partial<Policy>): Change =>
  (scenario) => ({
    ...scenario,
    policies: scenario.policies.map((policy) => ({ ...policy, ...change(policy, scenario) })),
  });

const inServices =
  (change: (service: Service, index: number) => Partial<Service>): Change =>
  (scenario) => ({
    ...scenario,
    services: scenario.services.map((service, i) => ({ ...service, ...change(service, i) })),
  });

const inCluster =
  (change: (cluster: Cluster, scenario: Scenario) => Partial<Cluster>): Change =>
  (scenario) => ({ ...scenario, cluster: { ...scenario.cluster, ...change(scenario.cluster, scenario) } });

const anyBill = (): fc.Arbitrary<Change> =>
  fc
    .record({
      bill: pick<Bill>(
        {
          loadBalancer: { usdPerHour: 0.0225, usdPerGb: 0.008 },
          internet: { usdPerGb: 0.09 },
          nat: { usdPerHour: 0.09, usdPerGb: 0.045 },
        },
        { loadBalancer: null, internet: { usdPerGb: null }, nat: { usdPerHour: 0.1, usdPerGb: null } },
      ),
      knowsTransfer: fc.boolean(),
      knowsNodes: fc.boolean(),
    })
    .map(({ bill, knowsTransfer, knowsNodes }) =>
      inCluster(({ nodes, transfer }, { policies }) => ({
        bill,
        transfer: knowsTransfer ? transfer : { crossZoneUsdPerGb: null, crossRegionUsdPerGb: 0.02 },
        // Who chooses nodes by price must know it.
        nodes: nodes.map((node) =>
          knowsNodes || policies.some(({ nodeAutoscaler }) => nodeAutoscaler !== null)
            ? node
            : { ...node, priceUsdPerHour: null },
        ),
      })),
    );

const anyRoundTrips = (): fc.Arbitrary<Change> =>
  fc.record({ sameNodeUs: pick(0, 50), pairUs: pick(0, 9000), nodesUs: pick(10, 700) }).map((one) =>
    inCluster(({ roundTrip, zones, nodes }) => {
      const both = (last: number, roundTripUs: number) =>
        last === 0
          ? []
          : [
              { from: 0, to: last, roundTripUs },
              { from: last, to: 0, roundTripUs },
            ];
      return {
        roundTrip: {
          ...roundTrip,
          sameNodeUs: one.sameNodeUs,
          pairs: both(zones.length - 1, one.pairUs),
          nodePairs: both(nodes.length - 1, one.nodesUs),
        },
      };
    }),
  );

const everyPod = { matchLabels: {}, matchExpressions: [] };
const others = { matchLabels: {}, matchExpressions: [{ key: 'parity', operator: 'NotIn' as const, values: ['0'] }] };

/** Rules and wishes of the pods, and taints to bear: those that are rare among the rest. */
const anyPlacement = (): fc.Arbitrary<Change> =>
  fc
    .record({
      index: fc.nat(4),
      effect: pick('NoExecute', 'PreferNoSchedule', 'NoSchedule'),
      tolerations: pick<PodScheduling['tolerations']>(
        [{ key: '', operator: 'Exists', value: '', effect: null }],
        [{ key: 'rare', operator: 'Equal', value: 'yes', effect: 'NoExecute' }],
        [],
      ),
      expression: pick<PodScheduling['nodeAffinity'][number]>(
        { matchExpressions: [{ key: 'size', operator: 'Gt', values: ['1'] }], matchFields: [] },
        { matchExpressions: [{ key: 'size', operator: 'Lt', values: ['2'] }], matchFields: [] },
        { matchExpressions: [{ key: 'size', operator: 'DoesNotExist', values: [] }], matchFields: [] },
        { matchExpressions: [], matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n0-0'] }] },
      ),
      spread: pick<PodScheduling['topologySpread'][number]>(
        aSpread(ZONE, 'ScheduleAnyway', everyPod),
        aSpread(HOSTNAME, 'ScheduleAnyway', others),
        { ...aSpread(ZONE, 'DoNotSchedule', null), minDomains: 3 },
        { ...aSpread('disk', 'DoNotSchedule', everyPod), nodeAffinityPolicy: 'Ignore' },
      ),
      image: pick<PodScheduling['image']>(null, { name: 'large', sizeBytes: 2e9 }),
    })
    .map(({ index, effect, tolerations, expression, spread, image }): Change => {
      const placed = inServices(({ scheduling }, i) =>
        i % 5 !== index
          ? {}
          : {
              scheduling: {
                ...PLAIN_POD_SCHEDULING,
                tolerations,
                nodeAffinity: scheduling.nodeAffinity.length === 0 ? [expression] : scheduling.nodeAffinity,
                podAffinity: scheduling.podAffinity,
                podAntiAffinity: {
                  required: [],
                  preferred: [{ weight: 30, selector: others, topologyKey: ZONE }],
                },
                topologySpread: [spread],
                priority: 1000,
                image,
                gates: [
                  { name: 'first', liftedAfterUs: 0 },
                  { name: 'second', liftedAfterUs: 20 * SECOND },
                ],
              },
            },
      );
      const tainted = inCluster(({ nodes }) => ({
        nodes: nodes.map((node, i) => ({
          ...node,
          labels: { ...node.labels, size: String(i % 3) },
          taints: i === nodes.length - 1 ? [...node.taints, { key: 'rare', value: 'yes', effect }] : node.taints,
        })),
      }));
      return (scenario) => tainted(placed(scenario));
    });

function aSpread(
  topologyKey: string,
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway',
  selector: PodScheduling['topologySpread'][number]['selector'],
): PodScheduling['topologySpread'][number] {
  const policies = { nodeAffinityPolicy: 'Honor', nodeTaintsPolicy: 'Ignore' } as const;
  return { topologyKey, maxSkew: 2, whenUnsatisfiable, selector, minDomains: 1, ...policies };
}

/** A pool besides the first, of half a core to four, perhaps of spot machines, whose taint few bear. */
const anyPool = (): fc.Arbitrary<Change> =>
  fc
    .record({
      cpuMillicores: pick(500, 4000),
      isSpot: fc.boolean(),
      weight: pick(0, 10),
      mostMillicores: pick(Infinity, 8000),
      nodes: pick(0, 1),
      hasGroups: fc.boolean(),
      effect: pick('NoExecute', 'PreferNoSchedule', null),
      maxPods: pick(110, 2),
    })
    .map((one) =>
      inCluster(({ pools, nodes, zones }) => {
        const { cpuMillicores, maxPods } = one;
        const size = { cpuMillicores, memoryBytes: 4e9, wholeCpuMillicores: cpuMillicores, wholeMemoryBytes: 4e9 };
        const machine = { instanceType: 'other', ...size, priceUsdPerHour: 0.15 };
        const taints = one.effect === null ? [] : [{ key: 'rare', value: 'yes', effect: one.effect }];
        const limits = { cpuMillicores: one.mostMillicores, memoryBytes: Infinity, nodes: 4 };
        const pool: NodePool = {
          ...{ name: 'other', labels: zones.map(() => ({ disk: 'ssd' })), taints, maxPods, machine },
          groups: one.hasGroups ? zones.map(() => ({ minNodes: 0, maxNodes: 2 })) : null,
          karpenter: { weight: one.weight, isSpot: one.isSpot, machines: [machine], zones: [0], limits },
        };
        const parts = { pool: 'other', priceUsdPerHour: 0.15, ...size, labels: { disk: 'ssd' }, taints, maxPods };
        return {
          pools: [...pools, pool],
          nodes: [...nodes, ...Array.from({ length: one.nodes }, (_, i) => aNode(`other-${i}`, 0, parts))],
        };
      }),
    );

const anyAutoscaling = (): fc.Arbitrary<Change> =>
  fc
    .record({
      behavior: pick<Readonly<Record<string, unknown>> | null>(
        null,
        {},
        { scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }] } },
        {
          scaleUp: { selectPolicy: 'Disabled' },
          scaleDown: { selectPolicy: 'Min', stabilizationWindowSeconds: 30, tolerance: '50m' },
        },
        {
          scaleUp: {
            stabilizationWindowSeconds: 20,
            policies: [
              { type: 'Percent', value: 50, periodSeconds: 30 },
              { type: 'Pods', value: 1, periodSeconds: 15 },
            ],
            selectPolicy: 'Min',
          },
        },
      ),
      container: pick('app', 'sidecar'),
      resource: pick('cpu', 'memory'),
      isShare: fc.boolean(),
      minReplicas: pick(1, 2),
    })
    .map(({ behavior, container, resource, isShare, minReplicas }) =>
      inPolicy((policy, { mesh }) => ({
        hpas: policy.hpas.map((hpa) => {
          const target = isShare ? { utilizationPercent: 30 } : { averageAmount: resource === 'cpu' ? 80 : 4e7 };
          const metric: HpaMetricSpec = { type: 'ContainerResource', resource, container, target };
          const isThere = container === 'app' || mesh.proxy?.mode === 'sidecar';
          return { ...hpa, behavior, minReplicas, metrics: isThere ? [...(hpa.metrics ?? []), metric] : hpa.metrics };
        }),
      })),
    );

/** The most that a container may use is twice what it uses at rest. */
const anyLeak = (): fc.Arbitrary<Change> =>
  fc
    .record({ bytesPerSecond: pick(1e6, 2e7), atUs: pick(0, 20 * SECOND), forUs: pick(null, 30 * SECOND) })
    .map((leak): Change => {
      const limited = inServices(({ limits }) => ({ limits: { ...limits, memoryBytes: 1e8 } }));
      return (scenario) => ({
        ...limited(scenario),
        faults: [...scenario.faults, { kind: 'memoryLeak', service: 0, rampUs: 0, ...leak }],
      });
    });

const anyTimes = (): fc.Arbitrary<Change> =>
  fc
    .record({
      cycleUs: pick(7 * SECOND, 60 * SECOND),
      seriesUs: pick(3 * SECOND, 60 * SECOND),
      failoverUs: pick(0, 60e6),
    })
    .map(({ failoverUs, ...times }): Change => (scenario) => ({
      ...scenario,
      gateways: { ...scenario.gateways, failoverUs },
      run: { ...scenario.run, ...times },
    }));

/** Of the first service, with routes of its own, and users who call it. */
const anySecondEndpoint = (): fc.Arbitrary<Change> =>
  fc.record({ timeout: pick('20ms', '2s'), users: pick(null, 1, 40) }).map(({ timeout, users }): Change => {
    const second = { ...anEndpoint([cpu(exponential(2000))]), name: 'second' };
    // Versions have the endpoints of their host.
    const withSecond = inServices(({ endpoints, versionOf }, i) =>
      i === 0 || versionOf === 0 ? { endpoints: [...endpoints, second] } : {},
    );
    return (scenario) => {
      const own = { destination: { host: 's0' } };
      const http = [
        { match: [{ uri: { exact: '/second' } }], route: [own], timeout },
        { match: [{ uri: { prefix: '/' } }], route: [own] },
      ];
      return {
        ...withSecond(scenario),
        mesh: withRoutes(scenario.mesh, http),
        loads: [...scenario.loads, { ...scenario.loads[0]!, name: 'second', service: 0, endpoint: 1, users }],
      };
    };
  });

/** A further version of the first service, which gets a share of the requests or their copies. */
const anyVersion = (): fc.Arbitrary<Change> =>
  fc
    .record({
      percent: pick(0, 10, 50),
      replicas: pick(0, 1, 3),
      mirrors: fc.boolean(),
      policy: pick<Readonly<Record<string, unknown>> | null>(
        null,
        { outlierDetection: { consecutive5xxErrors: 1, interval: '1s', baseEjectionTime: '5s' } },
        { connectionPool: { http: { http2MaxRequests: 2 } }, loadBalancer: { simple: 'RANDOM' } },
      ),
    })
    .map(({ percent, replicas, mirrors, policy }): Change => (scenario) => {
      const [base, ...rest] = scenario.services;
      const version: Service = {
        ...base!,
        ...{ name: 's0-v2', replicas, replicasPerZone: null, versionOf: 0 },
        labels: { ...base!.labels, version: 'v2' },
        endpoints: base!.endpoints.map((endpoint) => ({
          ...endpoint,
          steps: [cpu(constant(5000)), ...endpoint.steps],
        })),
      };
      const subsets = [
        { name: 'v1', labels: { version: 'v1' } },
        { name: 'v2', labels: { version: 'v2' }, ...(policy === null ? {} : { trafficPolicy: policy }) },
      ];
      const to = (subset: string) => ({ host: 's0', subset });
      const route = [
        { destination: to('v1'), weight: 100 - percent },
        { destination: to('v2'), weight: percent },
      ];
      const mirror = mirrors ? { mirror: to('v2'), mirrorPercentage: { value: 20 } } : {};
      const mesh = withRoutes(scenario.mesh, [{ route, ...mirror }]);
      return {
        ...scenario,
        services: [{ ...base!, labels: { ...base!.labels, version: 'v1' } }, ...rest, version],
        mesh: { ...mesh, destinationRules: [...mesh.destinationRules, { service: 0, object: object({ subsets }) }] },
      };
    });

/** A rule that holds unless the policy replaces or drops it. */
const anyRuleOfMesh = (): fc.Arbitrary<Change> =>
  pick<'kept' | 'dropped'>('kept', 'dropped').map((fate): Change => (scenario) => {
    const service = scenario.services.length - 1;
    if (scenario.mesh.destinationRules.some((one) => one.service === service)) return scenario;
    const trafficPolicy = {
      loadBalancer: { simple: 'ROUND_ROBIN', localityLbSetting: { enabled: true } },
      outlierDetection: { consecutiveGatewayErrors: 3 },
    };
    const rules = [...scenario.mesh.destinationRules, { service, object: object({ trafficPolicy }, `s${service}`) }];
    const changed: Scenario = { ...scenario, mesh: { ...scenario.mesh, destinationRules: rules } };
    const dropped = inPolicy(({ destinationRules }) => ({
      destinationRules: [...destinationRules.filter((one) => one.service !== service), { service, object: null }],
    }));
    return fate === 'dropped' ? dropped(changed) : changed;
  });

const anySpread = (): fc.Arbitrary<Change> =>
  pick<'hard' | 'soft'>('hard', 'soft').map((zone) =>
    inPolicy(() => ({ spread: [{ service: 0, spread: { zone, maxSkew: 2 } }] })),
  );

/** What has been consumed is published again, for a second endpoint of the same consumer. */
export function withSecondQueue(scenario: Scenario): Scenario {
  const consumer = scenario.services.findIndex(({ external }) => external?.queue?.consumers.length === 1);
  const service = scenario.services[consumer]?.external?.queue?.consumers[0]?.service;
  if (service === undefined) return scenario;
  const queue = scenario.services.length;
  const { endpoints } = scenario.services[service]!;
  const consumers = [{ service, endpoint: endpoints.length, concurrency: 2 }];
  const later = { ...anEndpoint([cpu(exponential(3000))]), name: 'later' };
  const [first, ...rest] = endpoints;
  const publishing = { ...first!, steps: [...first!.steps, call(queue, 0.5)] };
  return {
    ...scenario,
    services: [
      ...scenario.services.map((one, i) => (i === service ? { ...one, endpoints: [publishing, ...rest, later] } : one)),
      { ...aQueue({ consumers }, { host: 'later', perZone: scenario.cluster.zones.map(() => 1) }), name: 'later' },
    ],
  };
}

/** In place of what routes to the first service. */
function withRoutes(mesh: Scenario['mesh'], http: readonly object[]): Scenario['mesh'] {
  const routes: KubeObject = { ...object({}), kind: 'VirtualService', spec: { hosts: ['s0'], http } };
  return {
    ...mesh,
    virtualServices: [...mesh.virtualServices.filter(({ service }) => service !== 0), { service: 0, object: routes }],
  };
}

function object(spec: Readonly<Record<string, unknown>>, host = 's0'): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: host, namespace: 'default' },
    spec: { host, ...spec },
  };
}
