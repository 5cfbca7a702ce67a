/**
 * From the file form, known to be right, to the record that the simulator compiles: names become positions in the
 * declared lists, shorthands their long form. A name that is missing here is a bug of the checks before, hence a throw.
 */
import { resolveTarget, endpointNames } from './call-graph.js';
import type { EndpointNames } from './call-graph.js';
import { resolveHost } from './destination-rule.js';
import { buildPodScheduling, labelsOfPool, nodeLabels } from './build-scheduling.js';
import { DEFAULTS } from './defaults.js';
import { buildExternal, buildQueue, PUBLISH, specWithNames } from './externals.js';
import { buildDistribution } from './distributions.js';
import { rateCurve } from './load-curve.js';
import { buildPool, known, ofZone } from './nodePools.js';
import { buildPolicies } from './policies.js';
import { PRICE_BOOKS, type PriceBook } from './prices.js';
import { SIDECAR_PRESETS, WAYPOINT_PRESETS, ZTUNNEL_PRESETS } from './proxy-presets.js';
import { own } from './raw.js';
import { buildRoundTrip } from './round-trip.js';
import { nodeName } from './cluster-references.js';
import { buildController } from './workloads.js';
import type {
  CallFile,
  ClusterFile,
  LoadFile,
  QueueFile,
  ScenarioFile,
  ServiceFile,
  StepFile,
  WaypointFile,
} from './schema.js';
import type {
  Bill,
  Call,
  Cluster,
  Consumer,
  Fault,
  Load,
  NodePool,
  NodeSpec,
  PodCount,
  Proxy,
  Rollout,
  Scenario,
  Service,
  Step,
  Zone,
} from './types.js';
import { durationUs } from './units.js';
import { addWaypoint, type WaypointParts } from './waypoints.js';

/** Everything but expectations and notices, which need the places in the file. */
export function buildScenario(file: ScenarioFile): Omit<Scenario, 'expectations' | 'notices'> {
  const spec = specWithNames(file.spec);
  const queues = spec.queues.map(({ name }) => ({ name, endpoints: [{ name: PUBLISH }] }));
  const names = endpointNames([...spec.services, ...spec.externals, ...queues]);
  const serviceNames = [...names.keys(), ...spec.mesh.waypoints.map(({ name }) => name)];
  const loadNames = spec.load.map((load) => load.name ?? load.entry);
  const cluster = buildCluster(spec.cluster, spec.compat.kubernetes);
  const zones = spec.cluster.zones;
  const services = [
    ...spec.services.map((service) => buildService(service, zones, names, serviceNames)),
    ...spec.externals.map((external) => buildExternal(external, zones, buildDistribution)),
    ...spec.queues.map((queue) =>
      buildQueue(queue, zones, buildDistribution(queue.ack), buildConsumers(queue, spec.services, names)),
    ),
  ];
  return {
    name: file.metadata.name,
    why: file.metadata.why,
    cluster,
    compat: {
      istioMinor: spec.compat.istio,
      envoyMinor: spec.compat.envoy,
      kubernetesMinor: spec.compat.kubernetes,
    },
    gateways: { perZone: spec.gateways.perZone, failoverUs: spec.gateways.failover },
    services: spec.mesh.waypoints.reduce<readonly Service[]>(
      (before, waypoint) => addWaypoint(before, buildWaypoint(waypoint, zones, names, serviceNames)),
      services,
    ),
    mesh: {
      routing:
        spec.mesh.routing === 'istio'
          ? { kind: 'istio' }
          : {
              kind: spec.mesh.routing,
              connectionsPerCaller: spec.mesh.connections?.perCaller ?? null,
              maxAgeUs: spec.mesh.connections?.maxAge ?? null,
            },
      destinationRules: spec.mesh.objects
        .filter((object) => object.kind === 'DestinationRule')
        .map((object) => ({
          service: serviceNames.indexOf(resolveHost(object.spec['host'], serviceNames)!),
          object: object,
        })),
      virtualServices: spec.mesh.objects
        .filter((object) => object.kind === 'VirtualService')
        .flatMap((object) =>
          (object.spec['hosts'] as readonly unknown[]).flatMap((host) => {
            const service = serviceNames.indexOf(resolveHost(host, serviceNames) ?? '');
            return service < 0 ? [] : [{ service, object }];
          }),
        ),
      localityLbSetting: spec.mesh.localityLbSetting ?? null,
      zoneAwareLbSetting: spec.mesh.zoneAwareLbSetting ?? null,
      selfDiscovery: spec.mesh.selfDiscovery,
      ...buildPropagation(spec.mesh),
      proxy: buildProxy(spec.mesh.proxy),
      connectTimeoutUs: spec.mesh.connectTimeout,
    },
    loads: spec.load.map((load) => buildLoad(load, zones, names, spec.run)),
    faults: spec.faults.map((fault) => buildFault(fault, cluster, serviceNames, loadNames, spec.run.warmUp)),
    rollouts: spec.rollouts.map((rollout) => buildRollout(rollout, serviceNames, spec.run.warmUp)),
    policies: buildPolicies(spec.policies, spec.mesh.objects, serviceNames, spec.nodeAutoscaler),
    run: {
      durationUs: spec.run.duration,
      warmUpUs: spec.run.warmUp,
      seed: spec.run.seed,
      replications: spec.run.replications,
      scrapeUs: spec.run.scrape,
      rateWindowUs: spec.run.rateWindow,
      cycleUs: spec.run.cycle,
      seriesUs: spec.run.series,
    },
  };
}

function buildPropagation({
  propagation,
  routing,
}: ScenarioFile['spec']['mesh']): Pick<Scenario['mesh'], 'propagationUs' | 'debounce'> {
  if (propagation === undefined) {
    const { debounce, push, withoutMesh } = DEFAULTS.mesh;
    if (routing === 'kubeProxy') return { propagationUs: durationUs(withoutMesh), debounce: null };
    return {
      propagationUs: durationUs(push),
      debounce: { quietUs: durationUs(debounce.quiet), maxUs: durationUs(debounce.max) },
    };
  }
  if (typeof propagation === 'number') return { propagationUs: propagation, debounce: null };
  const { debounce, push } = propagation;
  return { propagationUs: push, debounce: { quietUs: debounce.quiet, maxUs: debounce.max } };
}

function buildProxy(file: ScenarioFile['spec']['mesh']['proxy']): Proxy | null {
  if (file === undefined || file.mode === 'none') return null;
  const figures =
    file.mode === 'sidecar'
      ? own(SIDECAR_PRESETS, file.preset ?? DEFAULTS.proxy.sidecarPreset)!
      : own(ZTUNNEL_PRESETS, file.preset ?? DEFAULTS.proxy.ztunnelPreset)!;
  return {
    mode: file.mode,
    fixedUs: file.fixed ?? figures.fixedUs,
    meanUs: file.mean ?? figures.meanUs,
    cpuUsPerRequest: file.cpuPerRequest ?? figures.cpuUsPerRequest,
    workers: file.workers,
    requests: { cpuMillicores: file.requests.cpu, memoryBytes: file.requests.memory },
  };
}

/** From this minor release on the kubelet converts shares to weights by the curve; see sim/cluster/cpuShares.ts. */
const CURVED_WEIGHTS_MINOR = 35;

function cpuWeights({ cpu }: ClusterFile, kubernetesMinor: number): Cluster['cpuWeights'] {
  if (cpu.contention === 'none') return null;
  if (cpu.contention === 'cgroupV1') return 'shares';
  return cpu.weights ?? (kubernetesMinor >= CURVED_WEIGHTS_MINOR ? 'curved' : 'linear');
}

function buildCluster(file: ClusterFile, kubernetesMinor: number): Cluster {
  const zones = file.zones.map((name) => {
    const [region, zone] = name.split('/');
    return { name, region: region!, zone: zone! };
  });
  const pools = file.nodePools.map((pool) => buildPool(pool, file, zones));
  const nodes = buildNodes(file, pools, zones);
  const book = own(PRICE_BOOKS, file.nodePools.find((pool) => pool.prices !== undefined)?.prices);
  return {
    zones,
    nodes,
    pools,
    roundTrip: buildRoundTrip(file.roundTrip, zones, nodes),
    cpuWeights: cpuWeights(file, kubernetesMinor),
    transfer: {
      crossZoneUsdPerGb: known(file.transfer.crossZonePerGB, book?.crossZoneUsdPerGb),
      crossRegionUsdPerGb: known(file.transfer.crossRegionPerGB, book?.crossRegionUsdPerGb),
    },
    bill: buildBill(file, book, zones, nodes.length),
    priceBooks: Object.entries(PRICE_BOOKS).flatMap(([name, { asOf }]) =>
      file.nodePools.some((pool) => pool.prices === name) ? [{ name, asOf }] : [],
    ),
  };
}

/** By pool, then zone, then number. */
function buildNodes(file: ClusterFile, pools: readonly NodePool[], zones: readonly Zone[]): readonly NodeSpec[] {
  return file.nodePools.flatMap((pool, index) => {
    const { taints, maxPods, machine } = pools[index]!;
    const { cpuMillicores, memoryBytes, priceUsdPerHour } = machine;
    return file.zones.flatMap((zoneName, zone) => {
      const count = ofZone(pool.nodesPerZone, zoneName);
      return Array.from({ length: count }, (_, number) => {
        const name = nodeName(pool.name, zoneName, number);
        return {
          name,
          pool: pool.name,
          zone,
          cpuMillicores,
          memoryBytes,
          labels: nodeLabels(name, zones[zone]!, zones, pool.instanceType, labelsOfPool(pool)),
          taints,
          maxPods,
          priceUsdPerHour,
        };
      });
    });
  });
}

function buildBill(
  { transfer }: ClusterFile,
  book: PriceBook | undefined,
  zones: readonly Zone[],
  nodeCount: number,
): Bill {
  const { loadBalancer, internet, nat } = transfer;
  const places = book?.nat.oneFor === 'region' ? new Set(zones.map(({ region }) => region)).size : zones.length;
  const gateways = nat?.gateways ?? places;
  const ofOne = nat && known(nat.perHour, book?.nat.usdPerHour(nodeCount));
  return {
    loadBalancer: loadBalancer
      ? {
          usdPerHour: known(loadBalancer.perHour, book?.loadBalancer.usdPerHour),
          usdPerGb: known(loadBalancer.perGB, book?.loadBalancer.usdPerGb),
        }
      : null,
    internet: internet ? { usdPerGb: known(internet.perGB, book?.internetUsdPerGb) } : null,
    nat: nat
      ? {
          usdPerHour: ofOne === null ? null : gateways * ofOne!,
          usdPerGb: known(nat.perGB, book?.nat.usdPerGb),
        }
      : null,
  };
}

function buildService(
  file: ServiceFile,
  zones: readonly string[],
  names: EndpointNames,
  serviceNames: readonly string[],
): Service {
  const perZone = typeof file.replicas === 'number' ? null : file.replicas;
  const replicasPerZone = perZone === null ? null : zones.map((zone) => perZone[zone] ?? 0);
  const { requests, limits } = file.resources;
  const labels = { app: file.versionOf ?? file.name, ...file.labels };
  return {
    name: file.name,
    replicas:
      typeof file.replicas === 'number' ? file.replicas : replicasPerZone!.reduce((sum, count) => sum + count, 0),
    replicasPerZone,
    requests: { cpuMillicores: requests.cpu, memoryBytes: requests.memory },
    limits: { cpuMillicores: limits.cpu ?? null, memoryBytes: limits.memory ?? null },
    memoryUseBytes: file.memoryUse ?? requests.memory * DEFAULTS.service.memoryUseOfRequest,
    workers: file.workers,
    queue: file.queue === 'unbounded' ? null : file.queue,
    holdsWorkerWhileCalling: file.holdsWorkerWhileCalling,
    startUp: {
      imagePull: buildDistribution(file.startUp.imagePull),
      ready: buildDistribution(file.startUp.ready),
      probeInitialDelayUs: file.startUp.probe.initialDelay,
      probePeriodUs: file.startUp.probe.period,
    },
    terminationGraceUs: file.terminationGrace,
    controller: buildController(file),
    preStopUs: file.preStop?.sleep ?? 0,
    onTerm: file.onTerm,
    spread: file.spread,
    scheduling: buildPodScheduling(file, labels),
    disruptionBudget: buildBudget(file.disruptionBudget),
    labels,
    annotations: file.annotations ?? {},
    versionOf: file.versionOf === undefined ? null : serviceNames.indexOf(file.versionOf),
    trafficDistribution: file.trafficDistribution ?? null,
    topologyModeAuto: file.topologyModeAuto,
    external: null,
    waypoint: null,
    isWaypoint: false,
    endpoints: file.endpoints.map((endpoint) => ({
      name: endpoint.name,
      steps: [
        ...(endpoint.cpu === undefined ? [] : [{ kind: 'cpu' as const, demand: buildDistribution(endpoint.cpu) }]),
        ...endpoint.steps.map((step) => buildStep(step, names)),
      ],
      requestBytes: endpoint.requestBytes,
      responseBytes: endpoint.responseBytes,
    })),
  };
}

function buildWaypoint(
  file: WaypointFile,
  zones: readonly string[],
  names: EndpointNames,
  serviceNames: readonly string[],
): WaypointParts {
  const { services, ingress, preset, cpuPerRequest, fixed, mean, ...pods } = file;
  const { fixedUs, meanUs, cpuUsPerRequest } = own(WAYPOINT_PRESETS, preset)!;
  const plain = { queue: 'unbounded', holdsWorkerWhileCalling: false, topologyModeAuto: false } as const;
  return {
    pods: buildService({ ...pods, ...plain, endpoints: [] }, zones, names, serviceNames),
    hosts: services.map((name) => serviceNames.indexOf(name)),
    ingress: ingress.map((name) => serviceNames.indexOf(name)),
    figures: {
      fixedUs: fixed ?? fixedUs,
      meanUs: mean ?? meanUs,
      cpuUsPerRequest: cpuPerRequest ?? cpuUsPerRequest,
    },
  };
}

function buildConsumers(file: QueueFile, services: readonly ServiceFile[], names: EndpointNames): Consumer[] {
  return file.consumers.map(({ endpoint, concurrency }) => {
    const called = target(endpoint, names);
    return { ...called, concurrency: concurrency ?? services[called.service]!.workers };
  });
}

function buildBudget(file: ServiceFile['disruptionBudget']): Service['disruptionBudget'] {
  if (file === undefined) return null;
  const { minAvailable, maxUnavailable, unhealthyPodEviction } = file;
  // The schema takes numbers and percentages alone.
  const limit =
    minAvailable !== undefined
      ? { minAvailable: minAvailable as PodCount }
      : { maxUnavailable: maxUnavailable as PodCount };
  return { limit, unhealthyPodEviction };
}

function buildRollout(
  file: ScenarioFile['spec']['rollouts'][number],
  services: readonly string[],
  warmUpUs: number,
): Rollout {
  const { at, service, imagePull, ready, neverReady } = file;
  return {
    atUs: at + warmUpUs,
    service: services.indexOf(service),
    imagePull: imagePull === undefined ? null : buildDistribution(imagePull),
    ready: ready === undefined ? null : buildDistribution(ready),
    neverReady,
  };
}

function buildStep(step: StepFile, names: EndpointNames): Step {
  if (step.cpu !== undefined) return { kind: 'cpu', demand: buildDistribution(step.cpu) };
  if (step.wait !== undefined) return { kind: 'wait', delay: buildDistribution(step.wait) };
  const calls = step.call !== undefined ? [step.call] : (step.parallel ?? [step.publish!]);
  return { kind: 'call', calls: calls.map((call) => buildCall(call, names)), repeat: step.repeat };
}

function buildCall(call: CallFile, names: EndpointNames): Call {
  if (typeof call === 'string') return { ...target(call, names), probability: 1, count: 1 };
  return { ...target(call.to, names), probability: call.probability, count: call.count };
}

function target(text: string, names: EndpointNames): { readonly service: number; readonly endpoint: number } {
  const resolved = resolveTarget(text, names);
  if (!('target' in resolved)) throw new Error(`the target "${text}" passed the checks but does not resolve`);
  const { service, endpoint } = resolved.target;
  return { service: [...names.keys()].indexOf(service), endpoint: names.get(service)!.indexOf(endpoint) };
}

function buildLoad(
  file: LoadFile,
  zones: readonly string[],
  names: EndpointNames,
  run: ScenarioFile['spec']['run'],
): Load {
  const even = Object.fromEntries(zones.map((zone) => [zone, 1 / zones.length]));
  const from = Array.isArray(file.from) ? file.from : [{ at: 0, shares: file.from ?? even }];
  return {
    name: file.name ?? file.entry,
    ...target(file.entry, names),
    from: from.map((entry, index) => ({
      atUs: index === 0 ? 0 : entry.at + run.warmUp,
      shares: zones.map((zone) => own(entry.shares, zone) ?? 0),
    })),
    arrivals: file.arrivals,
    users: file.users ?? null,
    request: {
      method: file.method,
      headers: Object.fromEntries(Object.entries(file.headers).map(([name, value]) => [name.toLowerCase(), value])),
      query: file.query,
    },
    rate: rateCurve(file.rate, run.warmUp, run.duration),
  };
}

function buildFault(
  file: ScenarioFile['spec']['faults'][number],
  cluster: Cluster,
  services: readonly string[],
  loads: readonly string[],
  warmUpUs: number,
): Fault {
  const zone = (name: string): number => cluster.zones.findIndex((candidate) => candidate.name === name);
  const link = ([from, to]: readonly [string, string]) => ({ from: zone(from), to: zone(to) });
  const ramped = { atUs: file.at + warmUpUs, forUs: file.for ?? null, rampUs: file.ramp ?? 0 };
  const { serviceFailure, linkLatency, linkLoss, zonePartition, retryStorm } = file;
  if (serviceFailure !== undefined) {
    const service = services.indexOf(serviceFailure.service);
    return { kind: 'serviceFailure', service, share: serviceFailure.share, ...ramped };
  }
  if (linkLatency !== undefined)
    return { kind: 'linkLatency', ...link(linkLatency.between), addedUs: linkLatency.added, ...ramped };
  if (linkLoss !== undefined) return { kind: 'linkLoss', ...link(linkLoss.between), share: linkLoss.share, ...ramped };
  if (zonePartition !== undefined) return { kind: 'zonePartition', ...link(zonePartition), ...ramped };
  if (retryStorm !== undefined)
    return { kind: 'retryStorm', load: loads.indexOf(retryStorm.load), retries: retryStorm.retries, ...ramped };
  const { loadBurst, podCrash, crashLoop, slowPod, memoryLeak, apiErrors, apiSlow } = file;
  if (loadBurst !== undefined)
    return { kind: 'loadBurst', load: loads.indexOf(loadBurst.load), times: loadBurst.times, ...ramped };
  if (podCrash !== undefined)
    return { kind: 'podCrash', service: services.indexOf(podCrash.service), pods: podCrash.pods ?? null, ...ramped };
  if (crashLoop !== undefined) {
    const service = services.indexOf(crashLoop.service);
    return { kind: 'crashLoop', service, pods: crashLoop.pods ?? null, everyUs: crashLoop.every, ...ramped };
  }
  if (slowPod !== undefined) {
    const service = services.indexOf(slowPod.service);
    return { kind: 'slowPod', service, pods: slowPod.pods ?? null, share: slowPod.share, ...ramped };
  }
  if (memoryLeak !== undefined) {
    const service = services.indexOf(memoryLeak.service);
    return { kind: 'memoryLeak', service, bytesPerSecond: memoryLeak.perSecond, ...ramped };
  }
  if (apiErrors !== undefined) return { kind: 'apiErrors', share: apiErrors.share, ...ramped };
  if (apiSlow !== undefined) return { kind: 'apiSlow', addedUs: apiSlow.added, ...ramped };
  for (const kind of ['istiodDown', 'prometheusOutage', 'scrapeGap', 'staleMetrics'] as const)
    if (file[kind] !== undefined) return { kind, ...ramped };
  const times = { atUs: file.at + warmUpUs, forUs: file.for ?? null };
  if (file.zoneOutage !== undefined)
    return { kind: 'zoneOutage', zone: cluster.zones.findIndex((zone) => zone.name === file.zoneOutage), ...times };
  if (file.nodeDrain !== undefined)
    return { kind: 'nodeDrain', node: cluster.nodes.findIndex((node) => node.name === file.nodeDrain), ...times };
  return { kind: 'nodeLoss', node: cluster.nodes.findIndex((node) => node.name === file.nodeLoss), ...times };
}
