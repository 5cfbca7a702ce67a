/**
 * The fault `nodeDrain`: a node is cordoned and its pods are asked to leave, as `kubectl drain` does it
 * (sim/cluster/drain.ts), each as far as its disruption budget allows (sim/cluster/pdb.ts). Their ReplicaSets make new
 * ones elsewhere. When the fault ends, the node takes pods again. And how long budgets were broken, by whatever did it:
 * budgets hold back evictions alone.
 */
import type { Fault } from '../../scenarios/types.js';
import type { FaultTolerance } from '../../traces/run-result.js';
import { drainPass, startDrain, type DrainState, type NodePod } from '../cluster/drain.js';
import {
  budgetStatus,
  requestEviction,
  type BudgetPod,
  type BudgetStatus,
  type DisruptionBudget,
} from '../cluster/pdb.js';
import { deletePod, isRunning, nodeChanged, reconcile } from './pods.js';
import { NAMESPACE } from './snapshot.js';
import type { Sim, SimNode, SimPod } from './state.js';

export function planDrains(sim: Sim): void {
  for (const fault of sim.world.program.scenario.faults) {
    if (fault.kind !== 'nodeDrain' || fault.forUs === 0) continue;
    const node = sim.fleet[fault.node]!;
    sim.calendar.at(fault.atUs, (nowUs) => {
      if (node.phase !== 'gone') drain(sim, node, fault, nowUs);
    });
    if (fault.forUs === null) continue;
    sim.calendar.at(fault.atUs + fault.forUs, (nowUs) => {
      node.cordons--;
      nodeChanged(sim, 'nodeTaints', node, nowUs);
    });
  }
}

function drain(sim: Sim, node: SimNode, fault: Extract<Fault, { kind: 'nodeDrain' }>, nowUs: number): void {
  node.cordons++;
  nodeChanged(sim, 'nodeTaints', node, nowUs);
  const endUs = fault.forUs === null ? Infinity : fault.atUs + fault.forUs;
  const podOf = new Map<string, SimPod>();
  for (const pod of node.pods) if (pod.deletedUs === null) podOf.set(pod.name, pod);
  const pods = [...podOf.values()].map((pod): NodePod => {
    const { terminationGraceUs } = sim.world.program.services[pod.workload.service]!;
    return { name: pod.name, namespace: NAMESPACE, owner: 'other', terminationGraceUs };
  });
  const turn = (state: DrainState, atUs: number): void => {
    if (atUs >= endUs) return;
    const pass = drainPass(state, atUs, ({ name }) => askToLeave(sim, podOf.get(name)!, atUs));
    for (const { pod } of pass.evicted) {
      const gone = podOf.get(pod.name)!;
      deletePod(sim, gone, atUs);
      reconcile(sim, gone.workload, atUs);
    }
    if (pass.nextAtUs !== null) sim.calendar.at(pass.nextAtUs, (laterUs) => turn(pass.state, laterUs));
  };
  turn(startDrain(pods, nowUs), nowUs);
}

/** The eviction API. */
export function askToLeave(sim: Sim, pod: SimPod, nowUs: number) {
  const budget = budgetOf(sim, pod.workload.service);
  const answer = requestEviction(budgetPod(pod, nowUs), budget ? [budget] : [], () =>
    statusOf(sim, pod.workload.service, budget!, nowUs),
  );
  if (answer.code === 201 && answer.spendsBudget) pod.evictionAllowedUs = nowUs;
  return answer;
}

/** Pods of the service that may be evicted just now; Infinity without a budget. */
export function evictionsAllowed(sim: Sim, service: number, nowUs: number): number {
  const budget = budgetOf(sim, service);
  return budget === null ? Infinity : statusOf(sim, service, budget, nowUs).disruptionsAllowed;
}

/** Only the pods of its own service are ever put before a budget. */
const EVERY_POD = { matchLabels: {}, matchExpressions: [] };

function budgetOf(sim: Sim, service: number): DisruptionBudget | null {
  const { disruptionBudget, name } = sim.world.program.services[service]!;
  if (disruptionBudget === null) return null;
  const { limit, unhealthyPodEviction } = disruptionBudget;
  return { name, namespace: NAMESPACE, selector: EVERY_POD, limit, unhealthyPodEviction };
}

function statusOf(sim: Sim, service: number, budget: DisruptionBudget, nowUs: number): BudgetStatus {
  const workloads = sim.workloads.filter((workload) => workload.service === service);
  const pods = workloads.flatMap((workload) => workload.pods.map((pod) => budgetPod(pod, nowUs)));
  const scale = workloads.reduce((sum, { desired }) => sum + desired, 0);
  return budgetStatus(budget, pods, scale, nowUs);
}

function budgetPod(pod: SimPod, nowUs: number): BudgetPod {
  return {
    name: pod.name,
    namespace: NAMESPACE,
    labels: {},
    phase: isRunning(pod, nowUs) ? 'Running' : 'Pending',
    ready: pod.endpoint,
    deleting: pod.deletedUs !== null,
    evictionAllowedAtUs: pod.evictionAllowedUs,
  };
}

/** How often budgets are looked at. */
export const BUDGET_CHECK_US = 1_000_000;

/** Notes which budgets have fewer healthy pods than they want, once a second of the measured part. */
export function checkBudgets(sim: Sim, nowUs: number): void {
  for (const watch of sim.budgets) {
    const budget = budgetOf(sim, watch.service);
    if (budget === null) continue;
    const { currentHealthy, desiredHealthy } = statusOf(sim, watch.service, budget, nowUs);
    if (currentHealthy < desiredHealthy) watch.brokenSeconds += BUDGET_CHECK_US / 1e6;
    watch.leastSpare = Math.min(watch.leastSpare, currentHealthy - desiredHealthy);
  }
}

export interface BudgetWatch {
  readonly service: number;
  brokenSeconds: number;
  /** Healthy pods above (below 0: short of) what the budget wants, at worst. */
  leastSpare: number;
}

export function budgetFigures(sim: Sim): FaultTolerance['budgets'] {
  const { program } = sim.world;
  return program.order
    .flatMap((declared, index) => {
      const watch = sim.budgets.find(({ service }) => service === index);
      return watch ? [{ declared, watch }] : [];
    })
    .sort((a, b) => a.declared - b.declared)
    .map(({ declared, watch }) => ({
      service: program.scenario.services[declared]!.name,
      brokenSeconds: watch.brokenSeconds,
      shortOfPods: Math.max(0, -watch.leastSpare),
    }));
}
