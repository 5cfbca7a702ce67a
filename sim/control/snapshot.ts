/**
 * What the engine is told in the simulator: the cluster's API as it stands, and metrics as the scrapes show them. The
 * counterpart of the adapters in `live/`, on the same type. Names are those of the scenario, in one namespace.
 */
import type { KubeObject, Snapshot, SnapshotEdge, SnapshotPod, SnapshotResponseTime } from '../../engine/types.js';
import { ENVOY_BUCKETS, envoyQuantileMs } from '../kernel/histogram.js';
import { GATEWAY_NAME } from '../program.js';
import { podRequests } from '../proxies.js';
import { POD_SERVING } from '../world.js';
import { leakedBytes } from './crashes.js';
import {
  addWindowResponseTimes,
  windowAnsweredPerSecond,
  windowCpuMillicores,
  windowRequestsPerSecond,
} from './sensors.js';
import { offeredByZone } from './offered.js';
import { metricObjects } from './hpaObject.js';
import type { Sim, SimPod, SimWorkload } from './state.js';

/** All simulated objects live here. */
export const NAMESPACE = 'default';

export function takeSnapshot(sim: Sim, nowUs: number): Snapshot {
  const { zones } = sim.world.program.scenario.cluster;
  const newest = sim.sensors.scrapes[sim.sensors.scrapes.length - 1];
  const isOut = sim.outages.prometheusDown;
  const isStale = newest !== undefined && nowUs - newest.atUs > sim.world.program.scenario.run.rateWindowUs;
  const health =
    newest && !isOut
      ? ({ status: isStale ? 'stale' : 'ok', ageMs: (nowUs - newest.atUs) / 1000 } as const)
      : ({ status: 'absent', ageMs: null } as const);
  // Without proxies nobody counts requests between workloads, and no rule would be read.
  const isMeshed = sim.world.program.scenario.mesh.routing.kind !== 'kubeProxy';
  const istio = isMeshed ? health : ({ status: 'absent', ageMs: null } as const);
  const pods = [...sim.pods].sort((a, b) => a.uid - b.uid);
  return {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'Snapshot',
    formatVersion: '1.0',
    observedAtMs: nowUs / 1000,
    health: { prometheus: health, istio, latencyProber: health },
    nodes: sim.nodes.map((node) => ({
      name: node.spec.name,
      region: zones[node.spec.zone]!.region,
      zone: zones[node.spec.zone]!.name,
      ready: node.ready,
      schedulable: node.cordons === 0,
      allocatable: { cpuMillicores: node.spec.cpuMillicores, memoryBytes: node.spec.memoryBytes },
      requested: { ...node.requested },
      taints: node.spec.taints,
      priceUsdPerHour: node.spec.priceUsdPerHour,
    })),
    workloads: sim.workloads.map((workload) => snapshotWorkload(sim, workload)),
    pods: pods.map((pod) => snapshotPod(sim, pod, nowUs)),
    edges: isOut || !isMeshed ? [] : snapshotEdges(sim),
    latencies: isOut ? { zones: [], nodes: [] } : { zones: zoneLatencies(sim), nodes: nodeLatencies(sim) },
    responseTimes: isOut || !isMeshed ? [] : responseTimes(sim, pods),
    destinationRules: sim.rules.flatMap((rule) => (rule ? [rule] : [])),
    horizontalPodAutoscalers: sim.workloads.flatMap((workload) => (workload.hpa ? [hpaObject(sim, workload)] : [])),
    scaledObjects: [],
    podDisruptionBudgets: budgetObjects(sim),
    offered: isOut ? [] : offeredByZone(sim, NAMESPACE),
  };
}

function snapshotWorkload(sim: Sim, workload: SimWorkload): Snapshot['workloads'][number] {
  const service = sim.world.program.services[workload.service]!;
  return {
    namespace: NAMESPACE,
    kind: workload.controller.kind,
    name: workload.name,
    desiredReplicas: workload.desired,
    // As the API has it: a lost node's pods count until the node controller has noticed.
    readyReplicas: workload.pods.filter((pod) => pod.endpoint && pod.deletedUs === null).length,
    labels: { app: service.name },
    annotations: service.annotations,
    service: service.name,
    podRequests: podRequests(sim.world.program, workload.service),
    podLimits: service.limits,
    updatedReplicas: workload.pods.filter((pod) => pod.deletedUs === null && pod.revision === workload.revision).length,
  };
}

function snapshotPod(sim: Sim, pod: SimPod, nowUs: number): SnapshotPod {
  const service = sim.world.program.services[pod.workload.service]!;
  const isSeen = pod.slot >= 0 && !sim.outages.prometheusDown;
  const cpuMillicores = isSeen ? windowCpuMillicores(sim.sensors, pod.slot) : null;
  return {
    name: pod.name,
    namespace: NAMESPACE,
    workload: pod.workload.name,
    node: pod.node?.spec.name ?? null,
    ready: pod.endpoint,
    terminating: pod.deletedUs !== null,
    gated: pod.gated,
    createdAtMs: pod.createdUs / 1000,
    requests: podRequests(sim.world.program, pod.workload.service),
    limits: service.limits,
    usage:
      cpuMillicores === null
        ? null
        : { cpuMillicores, memoryBytes: service.memoryUseBytes + leakedBytes(sim, pod, nowUs) },
    labels: { ...service.labels, [SERVICE_LABEL]: service.name },
  };
}

/** Traffic by calling workload and node (a gateway: and zone) to destination workload. */
function snapshotEdges(sim: Sim): SnapshotEdge[] {
  const { world } = sim;
  const { program } = world;
  const podOfSlot = new Map<number, SimPod>();
  for (const pod of sim.pods) if (pod.slot >= 0) podOfSlot.set(pod.slot, pod);
  const rows = new Map<string, { edge: SnapshotEdge; requestsPerSecond: number; bytesPerSecond: number }>();
  for (let edge = 0; edge < program.edgeCount; edge++) {
    const source = program.edgeSource[edge]!;
    const destination = program.edgeDestination[edge]!;
    const end = world.podBase[destination]! + world.podCapacity[destination]!;
    let connection = world.connectionBase[edge]! - 1;
    for (let caller = world.podBase[source]!; caller < world.podBase[source + 1]!; caller++) {
      for (let callee = world.podBase[destination]!; callee < end; callee++) {
        connection++;
        const calleePod = podOfSlot.get(callee);
        if (!calleePod) continue;
        const requestsPerSecond = windowRequestsPerSecond(sim.sensors, connection, caller, callee);
        if (requestsPerSecond === 0) continue;
        const callerPod = podOfSlot.get(caller);
        if (source !== program.gateway && !callerPod) continue;
        const key = `${source} ${destination} ${callerPod ? callerPod.node!.index : world.podZone[caller]} ${callerPod?.workload.index ?? -1} ${calleePod.workload.index}`;
        const bytesPerRequest = meanBytes(sim, world.podService[callee]!);
        const row = rows.get(key);
        if (row) {
          row.requestsPerSecond += requestsPerSecond;
          row.bytesPerSecond += requestsPerSecond * bytesPerRequest;
          continue;
        }
        rows.set(key, {
          edge: {
            source: { namespace: NAMESPACE, workload: callerPod?.workload.name ?? GATEWAY_NAME },
            sourceNode: callerPod?.node?.spec.name ?? null,
            sourceZone: program.scenario.cluster.zones[world.podZone[caller]!]!.name,
            destination: { namespace: NAMESPACE, workload: calleePod.workload.name },
            requestsPerSecond: 0,
            bytesPerSecond: 0,
          },
          requestsPerSecond,
          bytesPerSecond: requestsPerSecond * bytesPerRequest,
        });
      }
    }
  }
  return [...rows.values()].map(({ edge, requestsPerSecond, bytesPerSecond }) => ({
    ...edge,
    requestsPerSecond,
    bytesPerSecond,
  }));
}

/** Bytes of request and response, mean over the endpoints of a service: what byte counters by service would show. */
function meanBytes(sim: Sim, service: number): number {
  const { endpoints } = sim.world.program.services[service]!;
  return (
    endpoints.reduce((sum, endpoint) => sum + endpoint.requestBytes + endpoint.responseBytes, 0) / endpoints.length
  );
}

/** The latency prober measures round trips between zones; jitter has mean 1, so the means are the configured ones. */
function zoneLatencies(sim: Sim): Snapshot['latencies']['zones'] {
  const { program } = sim.world;
  const { zones } = program.scenario.cluster;
  return zones.flatMap((from, i) =>
    zones.map((to, j) => ({
      from: from.name,
      to: to.name,
      rttMs: (2 * program.zoneDelayUs[i * program.placeCount + j]!) / 1000,
    })),
  );
}

function nodeLatencies(sim: Sim): Snapshot['latencies']['nodes'] {
  const { nodes, roundTrip } = sim.world.program.scenario.cluster;
  // Nobody measures what is gone.
  const isThere = (node: number): boolean => sim.fleet[node]!.phase === 'registered';
  const pairs = roundTrip.nodePairs.filter(({ from, to }) => isThere(from) && isThere(to));
  return pairs.map(({ from, to, roundTripUs }) => ({
    from: nodes[from]!.name,
    to: nodes[to]!.name,
    rttMs: roundTripUs / 1000,
  }));
}

function responseTimes(sim: Sim, pods: readonly SimPod[]): SnapshotResponseTime[] {
  const rows = new Map<string, { pod: SimPod; counts: Float64Array; answeredPerSecond: number }>();
  for (const pod of pods) {
    if (pod.slot < 0 || sim.world.podState[pod.slot] !== POD_SERVING) continue;
    const key = `${pod.workload.index} ${pod.node!.index}`;
    const row = rows.get(key) ?? { pod, counts: new Float64Array(ENVOY_BUCKETS), answeredPerSecond: 0 };
    if (!addWindowResponseTimes(sim.sensors, pod.slot, row.counts)) continue;
    row.answeredPerSecond += windowAnsweredPerSecond(sim.sensors, pod.slot)!;
    rows.set(key, row);
  }
  return [...rows.values()].flatMap(({ pod, counts, answeredPerSecond }) => {
    const p95Ms = envoyQuantileMs(counts, 0, 0.95);
    if (p95Ms === null) return [];
    return [
      {
        namespace: NAMESPACE,
        workload: pod.workload.name,
        node: pod.node!.spec.name,
        p95Ms,
        requestsPerSecond: answeredPerSecond,
      },
    ];
  });
}

/** On every pod, so that a budget can select those of its service and no others. */
const SERVICE_LABEL = 'wavetank.io/service';

function budgetObjects(sim: Sim): KubeObject[] {
  return sim.world.program.services.flatMap(({ name, disruptionBudget }): KubeObject[] => {
    if (disruptionBudget === null) return [];
    const { limit, unhealthyPodEviction } = disruptionBudget;
    return [
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, namespace: NAMESPACE },
        spec: {
          selector: { matchLabels: { [SERVICE_LABEL]: name } },
          ...limit,
          unhealthyPodEvictionPolicy: unhealthyPodEviction,
        },
      },
    ];
  });
}

function hpaObject(sim: Sim, workload: SimWorkload): KubeObject {
  const hpa = workload.hpa!;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: workload.name, namespace: NAMESPACE },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: workload.controller.kind, name: workload.name },
      minReplicas: hpa.minReplicas,
      maxReplicas: hpa.maxReplicas,
      metrics: metricObjects(hpa.policy, sim.world.program.scenario.services),
    },
  };
}
