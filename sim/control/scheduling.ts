/**
 * The cluster as the scheduler (sim/cluster/scheduler.ts) sees it, and its answer as a node of the simulation. Ties are
 * drawn by a key of the pod, so that one more pod elsewhere changes no other pod's draw.
 */
import { interleaveZones, nonZeroRequests, schedulePod, type SchedulerNode } from '../cluster/scheduler.js';
import { buildFilters } from '../cluster/schedulerFilters.js';
import { completeInput } from '../cluster/schedulerInput.js';
import { podRequests } from '../proxies.js';
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import type { Sim, SimNode, SimPod } from './state.js';

/** The node the scheduler binds the pod to, or null while it fits nowhere. */
export function findNode(sim: Sim, pod: SimPod): SimNode | null {
  const outcome = schedulePod({
    ...inputFor(sim, pod, sim.nodes, boundPods(sim, pod.workload.service)),
    visitOrder: interleaveZones(sim.nodes.map((node) => node.spec.zone)),
    visitFrom: sim.visitFrom,
    pick: tieBreaker(sim, pod),
  });
  sim.visitFrom = outcome.visitFrom;
  return 'node' in outcome ? sim.nodes[outcome.node]! : null;
}

/** Which of the nodes the scheduler's filters let the pod on, were the pods of its service on `bound` (nodes of the list). */
export function nodesThatPass(
  sim: Sim,
  pod: SimPod,
  nodes: readonly SimNode[],
  bound: readonly SimNode[],
): readonly boolean[] {
  const input = completeInput({ ...inputFor(sim, pod, nodes, bound), visitOrder: [], visitFrom: 0, pick: () => 0 });
  const filters = buildFilters(input);
  return nodes.map((_, node) => filters.every(({ passes }) => passes(node)));
}

function inputFor(sim: Sim, pod: SimPod, nodes: readonly SimNode[], bound: readonly SimNode[]) {
  const { workload, wanted } = pod;
  const preferred = wanted ? nodes.findIndex((node) => node.spec.name === wanted.node) : -1;
  const position = new Map(nodes.map((node, i) => [node, i]));
  return {
    pod: {
      requests: podRequests(sim.world.program, workload.service),
      requiredZone: workload.pinnedZone ?? wanted?.zone ?? null,
      requiredNode: null,
      preferredNode: preferred >= 0 ? preferred : null,
      spread:
        workload.spread.zone === 'hard'
          ? [
              {
                topologyKey: 'zone',
                maxSkew: workload.spread.maxSkew,
                whenUnsatisfiable: 'DoNotSchedule' as const,
                nodeTaintsPolicy: 'Ignore' as const,
              },
            ]
          : [],
    },
    nodes: nodes.map((node) => schedulerNode(sim, node)),
    podsOfService: bound.map((node) => position.get(node)!),
    kubernetesMinor: sim.world.program.scenario.compat.kubernetesMinor,
  };
}

function schedulerNode(sim: Sim, node: SimNode): SchedulerNode {
  const nonZero = { cpuMillicores: 0, memoryBytes: 0 };
  for (const pod of node.pods) {
    const requests = nonZeroRequests(podRequests(sim.world.program, pod.workload.service));
    nonZero.cpuMillicores += requests.cpuMillicores;
    nonZero.memoryBytes += requests.memoryBytes;
  }
  return {
    zone: node.spec.zone,
    ready: node.ready,
    schedulable: node.cordons === 0,
    allocatable: { cpuMillicores: node.spec.cpuMillicores, memoryBytes: node.spec.memoryBytes },
    requested: { cpuMillicores: node.requestedCpuMillicores, memoryBytes: node.requestedMemoryBytes },
    nonZeroRequested: nonZero,
  };
}

/** The node of each pod of the service that is to stay. */
export function boundPods(sim: Sim, service: number): SimNode[] {
  const nodes: SimNode[] = [];
  for (const workload of sim.workloads) {
    if (workload.service !== service) continue;
    for (const pod of workload.pods) if (pod.node && pod.deletedUs === null) nodes.push(pod.node);
  }
  return nodes;
}

function tieBreaker(sim: Sim, pod: SimPod): (n: number) => number {
  let word = seedWord(sim.world.seed, `bind/${pod.workload.index}/${pod.workload.podsMade}`);
  return (n) => {
    word = mix(word + GOLDEN);
    return Math.floor((word >>> 0) * TWO_TO_MINUS_32 * n);
  };
}
