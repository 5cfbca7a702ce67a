/**
 * From the counters of a finished run to its record (traces/run-result.ts). Figures cover the measured part; services
 * and edges stand in the scenario's order.
 */
import type {
  CheckOutcome,
  EdgeFigures,
  ReplicationResult,
  ResponseFlags,
  RunSeries,
  ServiceFigures,
} from '../traces/run-result.js';
import { costOf, serviceCostUsdPerHour } from './costs.js';
import { nodeScalingFigures, tellsNodes } from './control/nodeScaling.js';
import { rolloutFigures } from './control/rollout.js';
import { latencyFigures, round } from './control/series.js';
import { foldAllConnections } from './control/slots.js';
import type { Sim } from './control/state.js';
import { waitFigures } from './control/waits.js';
import { faultTolerance } from './faultFigures.js';
import { envoyQuantileMs, HISTOGRAM_SIZE, toEnvoyCounts } from './kernel/histogram.js';
import { GATEWAY_NAME } from './program.js';
import { queueFigures } from './queueFigures.js';
import { mix } from './random.js';
import { CAUSE_NAMES, CAUSES } from './spans.js';

export function makeResult(sim: Sim, series: RunSeries, checks: readonly CheckOutcome[]): ReplicationResult {
  const { world } = sim;
  const { counters, program } = world;
  const { scenario } = program;
  foldAllConnections(world);
  const seconds = scenario.run.durationUs / 1e6;
  const edges = edgeFigures(sim, seconds);
  const queues = queueFigures(world, seconds);
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  const succeeded = sum(counters.loadSucceeded);
  const failed = sum(counters.loadFailed);
  const merged = new Uint32Array(HISTOGRAM_SIZE);
  counters.loadHistogram.forEach((count, i) => (merged[i % HISTOGRAM_SIZE] = merged[i % HISTOGRAM_SIZE]! + count));
  const waitingPods = waitFigures(sim);
  const figures = {
    seed: world.seed,
    total: {
      requests: { total: succeeded + failed, succeeded, failed },
      requestsPerSecond: (succeeded + failed) / seconds,
      latencyMs: latencyFigures(merged, 0, succeeded, sum(counters.loadLatencyUs)),
      responseFlags: responseFlags(counters.loadCauses),
    },
    loads: scenario.loads.map((load, i) => {
      const [ok, bad] = [counters.loadSucceeded[i]!, counters.loadFailed[i]!];
      return {
        load: load.name,
        requests: { total: ok + bad, succeeded: ok, failed: bad },
        latencyMs: latencyFigures(counters.loadHistogram, i * HISTOGRAM_SIZE, ok, counters.loadLatencyUs[i]!),
      };
    }),
    services: scenario.services.map((_, declared) => serviceFigures(sim, program.indexOf[declared]!, seconds)),
    edges,
    ...(queues === null ? {} : { queues }),
    ...(program.placeCount > scenario.cluster.zones.length ? { outsideBytes: outsideBytes(edges) } : {}),
    crossZoneShare: crossZoneShare(edges),
    cost: costOf(sim),
    series,
    decisions: sim.decisions
      .filter((logged) => logged.atUs >= world.measureFromUs)
      .map(({ entry }) => ({ ...entry, atSeconds: round(entry.atSeconds - world.measureFromUs / 1e6) })),
    skipped: sim.skipped
      .filter((logged) => logged.atUs >= world.measureFromUs)
      .map(({ atUs, skipped }) => ({ atSeconds: round((atUs - world.measureFromUs) / 1e6), skipped })),
    ...(waitingPods.length > 0 ? { waitingPods } : {}),
    faultTolerance: faultTolerance(sim, series),
    ...(tellsNodes(sim) ? { nodeScaling: nodeScalingFigures(sim) } : {}),
    ...(scenario.rollouts.length > 0 ? { rollouts: rolloutFigures(sim) } : {}),
    checks,
  };
  const { events, spans, arrivals } = counters.whole;
  return { ...figures, digest: digestOf(JSON.stringify(figures)), work: { events, spans, requests: arrivals } };
}

function serviceFigures(sim: Sim, service: number, seconds: number): ServiceFigures {
  const { counters, program } = sim.world;
  const spec = program.services[service]!;
  const { external, isWaypoint } = spec;
  const [succeeded, failed] = [counters.serviceSucceeded[service]!, counters.serviceFailed[service]!];
  const answered = succeeded + failed - counters.serviceRefused[service]!;
  const started = counters.serviceStarted[service]!;
  const cpuMillicores = sim.usage.cpuUs[service]! / seconds / 1000;
  const meanReplicas = external === null ? sim.usage.podUs[service]! / 1e6 / seconds : spec.replicas;
  const requested = meanReplicas * spec.requests.cpuMillicores;
  return {
    service: spec.name,
    requests: { total: succeeded + failed, succeeded, failed },
    requestsPerSecond: (succeeded + failed) / seconds,
    latencyMs: latencyFigures(
      counters.serviceHistogram,
      service * HISTOGRAM_SIZE,
      answered,
      counters.serviceLatencyUs[service]!,
    ),
    bucketedLatencyMs: bucketedFigures(counters.serviceHistogram, service * HISTOGRAM_SIZE),
    waitMs: started > 0 ? round(counters.serviceWaitUs[service]! / started / 1000) : null,
    cpuMillicores: round(cpuMillicores),
    cpuPercentOfRequests: requested > 0 ? round((cpuMillicores / requested) * 100) : null,
    meanReplicas: round(meanReplicas),
    // What a managed service costs is not known; its traffic is charged with all other.
    costUsdPerHour: external === null ? serviceCostUsdPerHour(sim, service) : null,
    ...(sim.world.proxies ? { proxyCpuMillicores: round(sim.usage.proxyCpuUs[service]! / seconds / 1000) } : {}),
    cpuMsPerRequest: answered > 0 ? round(sim.usage.cpuUs[service]! / answered / 1000) : null,
    ...(external === null ? {} : { kind: external.queue === null ? ('external' as const) : ('queue' as const) }),
    ...(isWaypoint ? { kind: 'waypoint' as const } : {}),
  };
}

function edgeFigures(sim: Sim, seconds: number): EdgeFigures[] {
  const { counters, program } = sim.world;
  const { zones } = program.scenario.cluster;
  const declared = (service: number): number => (service === program.gateway ? -1 : program.order[service]!);
  // What a pool was sent is counted on the edges to its versions.
  const rows = Array.from({ length: program.edgeCount }, (_, edge) => edge)
    .filter((edge) => program.edgeMembers[edge]! < 0)
    .sort(
      (a, b) =>
        declared(program.edgeSource[a]!) - declared(program.edgeSource[b]!) ||
        declared(program.edgeHost[a]!) - declared(program.edgeHost[b]!),
    );
  return rows.map((edge) => {
    const [source, destination, host] = [program.edgeSource, program.edgeDestination, program.edgeHost].map(
      (of) => of[edge]!,
    ) as [number, number, number];
    const [succeeded, failed] = [counters.edgeSucceeded[edge]!, counters.edgeFailed[edge]!];
    const at = edge * zones.length * zones.length;
    const requestsByZone = zones.map((_, from) =>
      zones.map((_, to) => counters.edgeZoneRequests[at + from * zones.length + to]!),
    );
    const sent = requestsByZone.flat().reduce((sum, count) => sum + count, 0);
    const crossed = sent - zones.reduce((sum, _, zone) => sum + requestsByZone[zone]![zone]!, 0);
    const end = at + zones.length * zones.length;
    const [sentBytes, receivedBytes] = [counters.outsideSentBytes[edge]!, counters.outsideReceivedBytes[edge]!];
    const ends = [source, destination];
    const isOutside = ends.some((service) => (program.outsidePlace[service] ?? -1) >= 0);
    return {
      source: source === program.gateway ? GATEWAY_NAME : program.services[source]!.name,
      destination: program.services[host]!.name,
      ...(host === destination ? {} : { via: program.services[destination]!.name }),
      requests: { total: succeeded + failed, succeeded, failed },
      requestsPerSecond: (succeeded + failed) / seconds,
      latencyMs: latencyFigures(
        counters.edgeHistogram,
        edge * HISTOGRAM_SIZE,
        succeeded + failed,
        counters.edgeLatencyUs[edge]!,
      ),
      responseFlags: responseFlags(counters.edgeCauses.subarray(edge * CAUSES, (edge + 1) * CAUSES)),
      bytes: counters.edgeZoneBytes.subarray(at, end).reduce((sum, bytes) => sum + bytes, sentBytes + receivedBytes),
      ...(isOutside ? { outside: { sentBytes, receivedBytes } } : {}),
      crossZoneShare: sent > 0 ? round(crossed / sent) : null,
      requestsByZone,
    };
  });
}

function outsideBytes(edges: readonly EdgeFigures[]): { sent: number; received: number } {
  const sum = (of: 'sentBytes' | 'receivedBytes'): number =>
    edges.reduce((bytes, { outside }) => bytes + (outside?.[of] ?? 0), 0);
  return { sent: sum('sentBytes'), received: sum('receivedBytes') };
}

/** Sums the rows of CAUSES numbers, by name. */
function responseFlags(causes: Float64Array): ResponseFlags {
  const flags: Record<string, number> = {};
  CAUSE_NAMES.forEach((name, cause) => {
    let count = 0;
    for (let i = cause; i < causes.length; i += CAUSES) count += causes[i]!;
    if (count > 0) flags[name] = count;
  });
  return flags;
}

/** Share of all calls between pods and from gateways that leave their zone. */
function crossZoneShare(edges: readonly EdgeFigures[]): number | null {
  let sent = 0;
  let local = 0;
  for (const edge of edges) {
    edge.requestsByZone.forEach((row, from) => {
      row.forEach((count, to) => {
        sent += count;
        if (from === to) local += count;
      });
    });
  }
  return sent > 0 ? round((sent - local) / sent) : null;
}

function bucketedFigures(counts: Uint32Array, base: number): ServiceFigures['bucketedLatencyMs'] {
  const envoy = toEnvoyCounts(counts, base);
  const at = (q: number): number | null => {
    const ms = envoyQuantileMs(envoy, 0, q);
    return ms === null ? null : round(ms);
  };
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
}

/** 128 bits over the text, to compare two records at a glance; not meant against forgery. */
export function digestOf(text: string): string {
  const lanes = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  for (let i = 0; i < text.length; i++)
    lanes[i & 3] = mix(lanes[i & 3]! ^ Math.imul(text.charCodeAt(i) + i, 0x9e3779b1));
  for (let i = 0; i < 8; i++) lanes[i & 3] = mix(lanes[i & 3]! + lanes[(i + 1) & 3]!);
  return lanes.map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
