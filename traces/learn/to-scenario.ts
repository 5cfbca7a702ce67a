/**
 * Writes a learned model down as a Scenario: the recorded rate of each entry as load points, one pod a service without
 * a CPU limit, all round trips equal. CPU limits are left out on purpose: the time that throttling cost was measured as
 * part of the own times, and a simulated quota would charge it twice.
 */
import type { Distribution, Endpoint, Load, Scenario, Service } from '../../scenarios/types.js';
import { findSeries, type Recording } from '../recording.js';
import type { LearnedCpu } from './cpu.js';
import { mean } from './linear.js';
import type { LearnedModel } from './model.js';
import { meanWhere, ratesOf } from './rates.js';

/** Room enough that no learned service queues for a worker: what a real pool costs is already in its own times. */
const workerCount = 4096;

/** A node as large as common cloud machines; with no limits set, it only has to be larger than the work. */
const nodeCpuMillicores = 64_000;
const nodeMemoryBytes = 256 * 1024 ** 3;
/** The one node stands for a whole cluster. */
const nodePods = 10_000;
/** A recording does not say by what rules its pods were placed. */
const anywhere: Service['scheduling'] = {
  nodeSelector: {},
  tolerations: [],
  lostNodeTolerationUs: 300_000_000,
  nodeAffinity: [],
  preferredNodes: [],
  podAffinity: { required: [], preferred: [] },
  podAntiAffinity: { required: [], preferred: [] },
  topologySpread: [],
  priority: 0,
  image: null,
  gates: [],
};

const none: Distribution = { kind: 'constant', mean: 0 };

export interface LearnedParts {
  readonly learnPart: Recording;
  readonly replayPart: Recording;
  readonly mask: readonly boolean[];
  readonly cpu: ReadonlyMap<string, LearnedCpu>;
  readonly notices: readonly string[];
}

export function toScenario(model: LearnedModel, parts: LearnedParts, seed: number): Scenario {
  const { learnPart, replayPart } = parts;
  const serviceIndex = new Map(model.services.map((service, index) => [service.name, index]));
  const endpointIndex = (service: string, endpoint: string): number =>
    (model.services[serviceIndex.get(service) as number] as LearnedModel['services'][number]).endpoints.findIndex(
      (candidate) => candidate.name === endpoint,
    );
  const services = model.services.map((learned): Service => {
    const cpuMs = parts.cpu.get(learned.name)?.cpuMsPerCall ?? 0;
    const endpoints = learned.endpoints.map((endpoint): Endpoint => ({
      name: endpoint.name,
      steps: [
        ...(cpuMs > 0 ? [{ kind: 'cpu' as const, demand: { kind: 'constant' as const, mean: cpuMs * 1000 } }] : []),
        ...(endpoint.wait.mean > 0 ? [{ kind: 'wait' as const, delay: endpoint.wait }] : []),
        ...endpoint.callSteps.map((step) => ({
          kind: 'call' as const,
          calls: step.calls.map((call) => ({
            service: serviceIndex.get(call.service) as number,
            endpoint: endpointIndex(call.service, call.endpoint),
            probability: call.probability,
            count: call.count,
          })),
          repeat: step.repeat,
        })),
      ],
      requestBytes: 0,
      responseBytes: 0,
    }));
    return service(learned.name, endpoints, requestsOf(parts, learned.name));
  });
  const loads = model.entries.map((entry): Load => ({
    name: `${entry.service}/${entry.endpoint}`,
    service: serviceIndex.get(entry.service) as number,
    endpoint: endpointIndex(entry.service, entry.endpoint),
    from: [{ atUs: 0, shares: [1] }],
    arrivals: 'poisson',
    users: null,
    request: { method: 'GET', headers: {}, query: {} },
    rate: ratePoints(replayPart, entry.driver, entry.perDriver),
  }));
  const durationUs = replayPart.pointCount * replayPart.stepMs * 1000;
  return {
    name: `${learnPart.name}-replay`,
    why: `Learned from one part of ${learnPart.name}, loaded with the recorded entry rate of another`,
    cluster: cluster(model.roundTripMs),
    gateways: { perZone: 1, failoverUs: 0 },
    services,
    compat: { istioMinor: 31, envoyMinor: 39, kubernetesMinor: 37 },
    mesh: {
      routing: { kind: 'istio' },
      destinationRules: [],
      virtualServices: [],
      localityLbSetting: null,
      zoneAwareLbSetting: null,
      selfDiscovery: false,
      propagationUs: 1_000_000,
      debounce: null,
      proxy: null,
      connectTimeoutUs: 10_000_000,
    },
    loads: uniqueNames(loads),
    faults: [],
    rollouts: [],
    policies: [
      {
        name: 'static',
        why: 'As recorded: one pod a service',
        hpas: [],
        engine: null,
        nodeAutoscaler: null,
        destinationRules: [],
        spread: [],
        deploymentPerZone: [],
      },
    ],
    run: {
      durationUs,
      warmUpUs: 0,
      seed,
      replications: 1,
      scrapeUs: 15_000_000,
      rateWindowUs: 60_000_000,
      cycleUs: 60_000_000,
      seriesUs: replayPart.stepMs * 1000,
    },
    expectations: [],
    notices: parts.notices.map((message) => ({ code: 'learned', message, file: null, line: null })),
  };
}

/** The recorded rate of a service as load points; a step without a value is bridged by the straight line over it. */
function ratePoints(replayPart: Recording, service: string, factor: number): Load['rate'] {
  const stepUs = replayPart.stepMs * 1000;
  return (ratesOf(replayPart, service) ?? []).flatMap((value, index) =>
    value === null ? [] : [{ atUs: index * stepUs, perSecond: value * factor }],
  );
}

function service(
  name: string,
  endpoints: readonly Endpoint[],
  requests: Service['requests'] & { useBytes: number },
): Service {
  return {
    name,
    replicas: 1,
    replicasPerZone: null,
    requests: { cpuMillicores: requests.cpuMillicores, memoryBytes: requests.memoryBytes },
    limits: { cpuMillicores: null, memoryBytes: null },
    memoryUseBytes: requests.useBytes,
    workers: workerCount,
    queue: null,
    holdsWorkerWhileCalling: false,
    startUp: { imagePull: none, ready: none, probeInitialDelayUs: 0, probePeriodUs: 1_000_000 },
    terminationGraceUs: 30_000_000,
    controller: {
      kind: 'Deployment',
      minReadyUs: 0,
      strategy: { type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' },
    },
    preStopUs: 0,
    onTerm: 'drain',
    spread: { zone: 'soft', maxSkew: 1 },
    scheduling: anywhere,
    labels: {},
    annotations: {},
    disruptionBudget: null,
    versionOf: null,
    trafficDistribution: null,
    topologyModeAuto: false,
    external: null,
    waypoint: null,
    isWaypoint: false,
    endpoints,
  };
}

/** The pod's limit where the recording shows it (CPU over percent of limit), else twice its mean use, at least 10m. */
function requestsOf(parts: LearnedParts, name: string): Service['requests'] & { useBytes: number } {
  const cpu = findSeries(parts.learnPart, 'cpu', name)?.values;
  const percent = findSeries(parts.learnPart, 'cpuPercentOfLimit', name)?.values;
  const limits = (cpu ?? []).flatMap((value, index) => {
    const share = percent?.[index];
    return value !== null && share ? [(value / share) * 100] : [];
  });
  const twice = 2 * (parts.cpu.get(name)?.meanMillicores ?? 0);
  const useBytes = meanWhere(findSeries(parts.learnPart, 'memory', name)?.values ?? [], parts.mask) ?? 0;
  return {
    cpuMillicores: Math.max(10, Math.round(limits.length > 0 ? mean(limits) : twice)),
    memoryBytes: Math.max(16 * 1024 ** 2, Math.ceil(2 * useBytes)),
    useBytes: Math.round(useBytes),
  };
}

function cluster(roundTripMs: number): Scenario['cluster'] {
  const roundTripUs = roundTripMs * 1000;
  return {
    zones: [{ name: 'recorded/a', region: 'recorded', zone: 'a' }],
    nodes: [
      {
        name: 'recorded-1',
        pool: 'recorded',
        zone: 0,
        cpuMillicores: nodeCpuMillicores,
        memoryBytes: nodeMemoryBytes,
        labels: {},
        taints: [],
        maxPods: nodePods,
        priceUsdPerHour: null,
      },
    ],
    pools: [],
    roundTrip: {
      sameNodeUs: roundTripUs,
      sameZoneUs: roundTripUs,
      crossZoneUs: roundTripUs,
      crossRegionUs: roundTripUs,
      pairs: [],
      nodePairs: [],
      jitter: null,
    },
    // Recordings do not say which pods shared a node: this one stands for all of them.
    cpuWeights: null,
    transfer: { crossZoneUsdPerGb: 0, crossRegionUsdPerGb: 0 },
    bill: { loadBalancer: null, internet: null, nat: null },
    priceBooks: [],
  };
}

/** Two drivers may feed one endpoint; their loads need names of their own. */
function uniqueNames(loads: readonly Load[]): Load[] {
  return loads.map((load, index) => {
    const before = loads.slice(0, index).filter((other) => other.name === load.name).length;
    return before === 0 ? load : { ...load, name: `${load.name}-${before + 1}` };
  });
}
