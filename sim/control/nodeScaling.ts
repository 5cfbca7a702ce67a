/**
 * Nodes that come and go, as a whole: which autoscaler a policy has, what it hears of pods and nodes, and what the record
 * says of it in the end.
 */
import type { NodeScaling, RunSeries } from '../../traces/run-result.js';
import { billedUs } from '../nodeHours.js';
import { planClusterAutoscaler } from './clusterAutoscaling.js';
import { planKarpenter } from './karpenterControl.js';
import { unschedulablePods } from './scheduling.js';
import type { NodeWatch, Sim } from './state.js';

/** Pods that got a node which came after them, in the measured part. */
export interface NodeWaits {
  pods: number;
  waitedUs: number;
}

export function planNodeAutoscaler(sim: Sim): void {
  const { nodeAutoscaler } = sim.policy;
  if (nodeAutoscaler === null) return;
  const unschedulable =
    nodeAutoscaler.kind === 'clusterAutoscaler'
      ? planClusterAutoscaler(sim, nodeAutoscaler)
      : planKarpenter(sim, nodeAutoscaler);
  sim.nodeWatch = watchOf(sim, unschedulable);
  for (const pod of unschedulablePods(sim, 0)) unschedulable(pod, 0);
}

function watchOf(sim: Sim, unschedulable: NodeWatch['unschedulable']): NodeWatch {
  return {
    unschedulable,
    bound(pod, node, nowUs) {
      node.lastPodEventUs = nowUs;
      if (node.registeredUs! <= pod.createdUs || nowUs < sim.world.measureFromUs) return;
      sim.nodeWaits.pods++;
      // Pods of the start are made older than the simulation.
      sim.nodeWaits.waitedUs += nowUs - Math.max(pod.createdUs, 0);
    },
    left(node, nowUs) {
      node.lastPodEventUs = nowUs;
    },
  };
}

/** True where a policy of the scenario has an autoscaler: then every policy's record speaks of nodes. */
export function tellsNodes(sim: Sim): boolean {
  return sim.world.program.scenario.policies.some(({ nodeAutoscaler }) => nodeAutoscaler !== null);
}

/** Over the measured part. */
export function nodeScalingFigures(sim: Sim): NodeScaling {
  const { measureFromUs } = sim.world;
  const { pods, waitedUs } = sim.nodeWaits;
  const since = (atUs: number | null): boolean => atUs !== null && atUs >= measureFromUs;
  const existedUs = sim.fleet.reduce((sum, node) => sum + billedUs(node, measureFromUs, sim.endUs), 0);
  return {
    nodesAdded: sim.fleet.filter(({ registeredUs }) => since(registeredUs)).length,
    nodesRemoved: sim.fleet.filter(({ registeredUs, goneUs }) => registeredUs !== null && since(goneUs)).length,
    meanNodes: Math.round((existedUs / (sim.endUs - measureFromUs)) * 1000) / 1000,
    podsThatWaited: pods,
    meanWaitSeconds: pods === 0 ? null : Math.round(waitedUs / pods / 1000) / 1000,
  };
}

export interface NodeCounts {
  record(): void;
  readonly series: NonNullable<RunSeries['nodes']>;
}

/** Nodes that the API has at the end of each step, by zone. */
export function countNodes(sim: Sim): NodeCounts {
  const series = sim.world.program.scenario.cluster.zones.map(({ name }) => ({ zone: name, values: [] as number[] }));
  return {
    series,
    record() {
      series.forEach(({ values }, zone) => values.push(sim.nodes.filter(({ spec }) => spec.zone === zone).length));
    },
  };
}
