/**
 * How a node autoscaler empties a node. Nothing new comes from the start; pods are evicted under their disruption budgets,
 * each with its grace, all at once and each on its own; the node goes when the last one has left. The Cluster Autoscaler
 * looks once more before it evicts anybody, and gives up where a pod may not go for two minutes: then the node stays, and
 * takes pods again. Karpenter tries for as long as it takes.
 *
 * Source: cluster-autoscaler's core/scaledown/actuation (actuator.go, drain.go: pods are looked for every 5 s); karpenter's
 * node/termination (a look a second) and terminator/eviction.go. Not modelled: the cut of graces beyond 10 min. The time
 * that a cloud takes to end a machine is not paid for there, and is 0 here.
 */
import { MAX_GRACEFUL_TERMINATION_US } from '../cluster/clusterAutoscaler.js';
import { askToLeave } from './drain.js';
import { dropNode } from './nodes.js';
import { deletePod, dropWithNode, nodeChanged, reconcile } from './pods.js';
import type { Sim, SimNode, SimPod } from './state.js';

const SECOND_US = 1_000_000;

interface RemovalRules {
  /** Until the n-th new attempt (from 0) to evict a pod. */
  readonly retryUs: (attempt: number) => number;
  readonly evictForUs: number;
  readonly waitForUs: number;
  readonly lookUs: number;
}

const CLUSTER_AUTOSCALER: RemovalRules = {
  retryUs: () => 10 * SECOND_US,
  /** `--max-pod-eviction-time`. */
  evictForUs: 120 * SECOND_US,
  /** And a headroom of 30 s. */
  waitForUs: MAX_GRACEFUL_TERMINATION_US + 30 * SECOND_US,
  lookUs: 5 * SECOND_US,
};
/** `--node-delete-delay-after-taint`. */
const DELAY_AFTER_TAINT_US = 5 * SECOND_US;

const KARPENTER: RemovalRules = {
  retryUs: (attempt) => Math.min((SECOND_US / 10) * 2 ** attempt, 10 * SECOND_US),
  evictForUs: Infinity,
  waitForUs: Infinity,
  lookUs: SECOND_US,
};

/** `mayGo`: the autoscaler's last look, after its delay. `onEnd` hears whether the node has gone. */
export function removeByClusterAutoscaler(
  sim: Sim,
  node: SimNode,
  mode: 'empty' | 'drain',
  nowUs: number,
  mayGo: (nowUs: number) => boolean,
  onEnd: (gone: boolean, nowUs: number) => void,
): void {
  reserve(node, mode);
  sim.calendar.at(nowUs + DELAY_AFTER_TAINT_US, (laterUs) => {
    if (mayGo(laterUs)) empty(sim, node, CLUSTER_AUTOSCALER, laterUs, onEnd);
    else keep(sim, node, laterUs, onEnd);
  });
}

/** The node was reserved when the command was given. */
export function removeByKarpenter(sim: Sim, node: SimNode, nowUs: number): void {
  empty(sim, node, KARPENTER, nowUs, () => {});
}

/** Nothing new is placed there from now on. */
export function reserve(node: SimNode, mode: 'empty' | 'drain'): void {
  node.deleting = mode;
  node.cordons++;
}

/** The removal is off. */
export function release(sim: Sim, node: SimNode, nowUs: number): void {
  node.deleting = null;
  node.cordons--;
  nodeChanged(sim, 'nodeTaints', node, nowUs);
}

function keep(sim: Sim, node: SimNode, nowUs: number, onEnd: (gone: boolean, nowUs: number) => void): void {
  release(sim, node, nowUs);
  onEnd(false, nowUs);
}

function empty(
  sim: Sim,
  node: SimNode,
  rules: RemovalRules,
  fromUs: number,
  onEnd: (gone: boolean, nowUs: number) => void,
): void {
  let asking = 0;
  let failed = 0;
  const look = (nowUs: number, sinceUs: number): void => {
    // What a lost node still holds will never leave it.
    if (!node.up) for (const pod of [...node.pods]) dropWithNode(sim, pod, nowUs);
    if (node.pods.size === 0) {
      dropNode(sim, node, nowUs);
      onEnd(true, nowUs);
    } else if (nowUs - sinceUs >= rules.waitForUs) keep(sim, node, nowUs, onEnd);
    else sim.calendar.at(nowUs + rules.lookUs, (laterUs) => look(laterUs, sinceUs));
  };
  const answered = (nowUs: number): void => {
    if (--asking > 0) return;
    if (failed > 0) keep(sim, node, nowUs, onEnd);
    else look(nowUs, nowUs);
  };
  const ask = (pod: SimPod, attempt: number, nowUs: number): void => {
    if (evict(sim, node, pod, nowUs)) return answered(nowUs);
    const againUs = nowUs + rules.retryUs(attempt);
    if (againUs - fromUs < rules.evictForUs) sim.calendar.at(againUs, (laterUs) => ask(pod, attempt + 1, laterUs));
    else {
      failed++;
      answered(nowUs);
    }
  };
  const pods = [...node.pods].filter((pod) => pod.deletedUs === null).sort((a, b) => a.uid - b.uid);
  asking = pods.length + 1;
  for (const pod of pods) ask(pod, 0, fromUs);
  answered(fromUs);
}

/** True when the pod is on its way, whoever sent it there. */
function evict(sim: Sim, node: SimNode, pod: SimPod, nowUs: number): boolean {
  if (pod.deletedUs !== null || pod.node !== node) return true;
  if (askToLeave(sim, pod, nowUs).code !== 201) return false;
  deletePod(sim, pod, nowUs);
  reconcile(sim, pod.workload, nowUs);
  return true;
}
