/**
 * A run record as a simulator would leave it, made from a formula instead: policies differ by known factors, seeds by a
 * small deterministic noise that the policies share (so that pairing pays), and every sum adds up. Only what a test cares
 * about is set; the rest has defaults.
 */
import type { Decision } from '../../engine/types.js';
import type {
  CostParts,
  EdgeFigures,
  LatencyFigures,
  LoggedDecision,
  PolicyResult,
  ReplicationResult,
  RunResult,
  ServiceFigures,
} from '../../traces/run-result.js';

export interface PolicyTraits {
  readonly policy: string;
  /** Mean latency at the gateway, of the average seed. */
  readonly meanMs: number;
  readonly crossZoneShare: number;
  readonly failedShare: number;
  readonly nodesUsdPerHour: number;
  readonly replicas: number;
}

export interface RunTraits {
  readonly policies?: readonly PolicyTraits[];
  readonly seeds?: readonly number[];
  readonly services?: readonly string[];
  readonly zones?: readonly string[];
  readonly expectations?: readonly string[];
  readonly notices?: readonly string[];
  readonly fault?: boolean;
  readonly requestsPerSecond?: number;
  readonly durationSeconds?: number;
  readonly failedCheck?: boolean;
  /** Relative size of the noise between seeds. */
  readonly noise?: number;
}

export const hpa: PolicyTraits = {
  policy: 'hpa',
  meanMs: 24,
  crossZoneShare: 0.21,
  failedShare: 0.0006,
  nodesUsdPerHour: 1.22,
  replicas: 12,
};
export const hpaWavetank: PolicyTraits = {
  policy: 'hpa+wavetank',
  meanMs: 18,
  crossZoneShare: 0.34,
  failedShare: 0.0002,
  nodesUsdPerHour: 1.22,
  replicas: 11,
};

export function aRun(traits: RunTraits = {}): RunResult {
  const total: Required<RunTraits> = {
    policies: [hpa, hpaWavetank],
    seeds: [7, 8, 9, 10, 11],
    services: ['ingress', 'checkout', 'ledger', 'rates', 'fraud'],
    zones: ['eu-1/a', 'eu-1/b', 'eu-1/c'],
    expectations: [],
    notices: [],
    fault: true,
    requestsPerSecond: 1400,
    durationSeconds: 600,
    failedCheck: false,
    noise: 0.02,
    ...traits,
  };
  return {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'RunResult',
    formatVersion: '1.0',
    wavetankVersion: '0.1.0',
    scenario: {
      name: 'hot-zone',
      why: 'Seven of ten requests enter in zone a.',
      file: 'hot-zone.yaml',
      digest: 'c0ffee00',
    },
    compat: { istio: '1.31', envoy: '1.39', kubernetes: '1.37' },
    command: 'wavetank run hot-zone.yaml --seed 7',
    zones: total.zones,
    services: total.services,
    nodeCount: 12,
    durationSeconds: total.durationSeconds,
    warmUpSeconds: 60,
    notices: total.notices,
    expectations: total.expectations.map((text, index) => ({
      text,
      file: 'hot-zone.yaml',
      line: 70 + index,
      column: 7,
    })),
    policies: total.policies.map((policy) => aPolicy(policy, total)),
  };
}

function aPolicy(policy: PolicyTraits, traits: Required<RunTraits>): PolicyResult {
  return {
    policy: policy.policy,
    why: `What ${policy.policy} would do.`,
    replications: traits.seeds.map((seed) => aReplication(seed, policy, traits)),
  };
}

function aReplication(seed: number, policy: PolicyTraits, traits: Required<RunTraits>): ReplicationResult {
  const { services, durationSeconds, requestsPerSecond } = traits;
  const draw = drawsOf(seed);
  // What the policies share in a seed, and a tenth of it for each alone.
  const luck =
    1 + traits.noise * (draw() - 0.5) + 0.1 * traits.noise * (drawsOf(seed * 31 + policy.policy.length)() - 0.5);
  const requests = Math.round(requestsPerSecond * durationSeconds);
  const total = {
    requests: counts(requests, policy.failedShare),
    requestsPerSecond,
    latencyMs: latencies(policy.meanMs * luck, requests),
    responseFlags: {},
  };
  const edges = edgesOf(services, requests, policy, luck, traits);
  const cost = costOf(policy, luck, edges);
  return {
    seed,
    digest: (seed * 2654435761).toString(16).slice(0, 8),
    total,
    loads: [{ load: 'web', requests: total.requests, latencyMs: total.latencyMs }],
    services: services.map((service, index) => serviceOf(service, index, requests, policy, luck, traits)),
    edges,
    crossZoneShare: policy.crossZoneShare * (2 - luck),
    cost,
    series: seriesOf(policy, luck, traits, cost, drawsOf(seed + 1)),
    decisions: decisionsOf(policy, services, traits),
    skipped: [
      {
        atSeconds: 60,
        skipped: {
          workload: workloadOf(services[0] ?? 'none'),
          part: 'scaler',
          reason: 'hpaOwned',
          detail: `HorizontalPodAutoscaler ${services[0] ?? 'none'} owns the replica count`,
        },
      },
    ],
    faultTolerance: {
      faults: traits.fault
        ? [
            {
              fault: `zone ${traits.zones[1] ?? 'b'} lost`,
              atSeconds: durationSeconds / 2,
              goodputKept: 0.91,
              recoverySeconds: 19,
            },
          ]
        : [],
      budgets: [],
      zonesCovered: services.map((service) => ({
        service,
        zones: traits.zones.length,
        survivesAnyZoneLoss: policy.policy !== 'hpa' || service !== services[1],
        survivesAnyNodeLoss: true,
      })),
    },
    checks: [
      {
        name: 'arrivals = completed + failed + in flight',
        passed: !traits.failedCheck,
        detail: `${requests} = ${requests}`,
      },
      { name: "Little's law", passed: true, detail: 'both sides 41,270,113 request-microseconds' },
    ],
    work: { events: requests * 12, spans: requests * 4, requests },
  };
}

function counts(total: number, failedShare: number): { total: number; succeeded: number; failed: number } {
  const failed = Math.round(total * failedShare);
  return { total, succeeded: total - failed, failed };
}

/** Exponential quantiles: mean x ln(1 / (1 - q)); absent where too few requests stand behind them. */
function latencies(mean: number, requests: number): LatencyFigures {
  const quantile = (q: number): number | null => (requests * (1 - q) < 9.999 ? null : mean * Math.log(1 / (1 - q)));
  return {
    mean: requests === 0 ? null : mean,
    p50: quantile(0.5),
    p90: quantile(0.9),
    p95: quantile(0.95),
    p99: quantile(0.99),
  };
}

function serviceOf(
  service: string,
  index: number,
  entry: number,
  policy: PolicyTraits,
  luck: number,
  traits: Required<RunTraits>,
): ServiceFigures {
  const requests = Math.round(entry / (1 + 0.15 * index));
  const cpuMillicores = (4000 * luck) / (1 + 0.2 * index);
  return {
    service,
    requests: counts(requests, policy.failedShare / (index + 1)),
    requestsPerSecond: requests / traits.durationSeconds,
    latencyMs: latencies((policy.meanMs * luck) / (index + 1.2), requests),
    bucketedLatencyMs: { p50: 7.5, p90: 20, p95: 24, p99: 48 },
    waitMs: (policy.meanMs * luck) / 10,
    cpuMillicores,
    cpuPercentOfRequests: (cpuMillicores / (policy.replicas * 700)) * 100,
    meanReplicas: policy.replicas - index * 0.5,
    costUsdPerHour: (policy.nodesUsdPerHour * 0.7) / traits.services.length,
    cpuMsPerRequest: requests === 0 ? null : (cpuMillicores * traits.durationSeconds) / requests,
  };
}

/** gateway -> first -> second -> each of the others. */
function edgesOf(
  services: readonly string[],
  entry: number,
  policy: PolicyTraits,
  luck: number,
  traits: Required<RunTraits>,
): EdgeFigures[] {
  const zoneCount = traits.zones.length;
  return services.map((destination, index) => {
    const source = index === 0 ? 'gateway' : index === 1 ? (services[0] ?? '') : (services[1] ?? '');
    const requests = Math.round(entry / (1 + 0.15 * index));
    const crossing = index === 1 ? policy.crossZoneShare * 1.5 : policy.crossZoneShare;
    const row = (from: number): number[] =>
      traits.zones.map((_, to) =>
        Math.round((requests / zoneCount) * (from === to ? 1 - crossing : crossing / Math.max(1, zoneCount - 1))),
      );
    return {
      source,
      destination,
      requests: counts(requests, policy.failedShare / (index + 1)),
      requestsPerSecond: requests / traits.durationSeconds,
      latencyMs: latencies((policy.meanMs * luck) / (index + 1), requests),
      responseFlags: {},
      bytes: requests * 10_000,
      crossZoneShare: requests === 0 ? null : crossing,
      requestsByZone: traits.zones.map((_, from) => row(from)),
    };
  });
}

function costOf(policy: PolicyTraits, luck: number, edges: readonly EdgeFigures[]): CostParts {
  const nodes = policy.nodesUsdPerHour;
  const idle = nodes * 0.25 * luck;
  const crossZone = edges.length * policy.crossZoneShare * 0.06 * luck;
  return {
    nodesUsdPerHour: nodes,
    workloadUsdPerHour: nodes - idle,
    sidecarUsdPerHour: 0,
    unusedUsdPerHour: (nodes - idle) / 2,
    idleUsdPerHour: idle,
    crossZoneUsdPerHour: crossZone,
    crossRegionUsdPerHour: 0,
    loadBalancerUsdPerHour: 0,
    internetUsdPerHour: 0,
    natUsdPerHour: 0,
    totalUsdPerHour: nodes + crossZone,
    attributedUsdPerHour: nodes - idle + crossZone,
  };
}

function seriesOf(
  policy: PolicyTraits,
  luck: number,
  traits: Required<RunTraits>,
  cost: CostParts,
  draw: () => number,
): ReplicationResult['series'] {
  const stepSeconds = 10;
  const steps = Math.floor(traits.durationSeconds / stepSeconds);
  const wave = Array.from({ length: steps }, (_, step) => {
    const fault = traits.fault && step >= steps / 2 && step < steps / 2 + 4 ? 2.2 : 1;
    return (1 + 0.25 * Math.sin((2 * Math.PI * step) / steps)) * fault * (1 + 0.15 * (draw() - 0.5));
  });
  const scaled = (factor: number): number[] => wave.map((value) => value * factor * luck);
  const perZone = traits.services.flatMap((service, index) =>
    traits.zones.map((zone, zoneIndex) => ({
      service,
      zone,
      values: wave.map((value) =>
        Math.max(1, Math.round((policy.replicas * value) / traits.zones.length - index * 0.3 + zoneIndex * 0.4)),
      ),
    })),
  );
  return {
    stepSeconds,
    requestsPerSecond: wave.map((value) => traits.requestsPerSecond * Math.min(1.3, value)),
    failedPerSecond: wave.map((value) => traits.requestsPerSecond * policy.failedShare * value),
    // The last step has no request in it, so that every reader meets a gap.
    meanMs: scaled(policy.meanMs).map((value, step) => (step === steps - 1 ? null : value)),
    p50Ms: scaled(policy.meanMs * Math.log(2)),
    p95Ms: scaled(policy.meanMs * Math.log(20)).map((value, step) => (step === steps - 1 ? null : value)),
    p99Ms: scaled(policy.meanMs * Math.log(100)),
    costUsdPerHour: wave.map(() => cost.totalUsdPerHour),
    readyReplicas: perZone,
    cpuPercent: perZone.map((series) => ({
      ...series,
      values: series.values.map((value) => (value === 0 ? null : 40 + value)),
    })),
  };
}

function decisionsOf(policy: PolicyTraits, services: readonly string[], traits: Required<RunTraits>): LoggedDecision[] {
  const service = services[1] ?? services[0] ?? 'none';
  const hpaSteps = [120, 240].map((atSeconds, index) => ({
    atSeconds,
    decidedBy: 'hpa' as const,
    summary: `${service} ${6 + 3 * index} -> ${9 + 3 * index} replicas`,
    decision: null,
    because: 'CPU 81% of requests, target 60%',
  }));
  if (!policy.policy.includes('wavetank')) return hpaSteps;
  const [from = 'a', to = 'b'] = traits.zones;
  const decision: Decision = {
    kind: 'setRoute',
    workload: workloadOf(service),
    because: `${from} is hotter than its share of replicas allows`,
    signals: { l1: 42, stepPoints: 18, p95Ms: 96, eager: true },
    rejected: [
      {
        candidate: `${from} 35%`,
        reason: 'floor of the local share does not hold: fewer replicas than elsewhere',
        score: 0.41,
      },
    ],
    host: `${service}.shop.svc.cluster.local`,
    destinationRule: { namespace: 'shop', name: service, create: false },
    distribute: [{ from: `${from}/*`, to: { [`${from}/*`]: 60, [`${to}/*`]: 40 } }],
    localityLbSetting: { enabled: true },
  };
  return [
    ...hpaSteps,
    {
      atSeconds: 180,
      decidedBy: 'wavetank' as const,
      summary: `${service} from ${from}: 60% ${from}, 40% ${to}`,
      decision,
      because: decision.because,
    },
  ].sort((a, b) => a.atSeconds - b.atSeconds);
}

function workloadOf(name: string): { namespace: string; kind: 'Deployment'; name: string } {
  return { namespace: 'shop', kind: 'Deployment', name };
}

/** Park and Miller's generator: enough to look irregular, the same everywhere. */
function drawsOf(seed: number): () => number {
  let state = (seed * 48_271 + 11) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
