/**
 * Preemption in the run: a pod that fits nowhere may take the place of pods of lower priority (sim/cluster/preemption.ts).
 * Its victims are deleted, each with its own grace and without asking their budgets, and the node is kept for it
 * (nominatedNodeName): pods of no higher priority see it there until it is bound or has found another place.
 *
 * Kept simple: every node is looked at. Pods of the start are placed in order of priority, and preempt nobody.
 */
import { choosePreemption, type PreemptablePod } from '../cluster/preemption.js';
import { buildFilters } from '../cluster/schedulerFilters.js';
import type { Resources, TotalNode } from '../cluster/schedulerInput.js';
import { mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import { logDecision } from './decisionLog.js';
import { evictionsAllowed } from './drain.js';
import { deletePod, reconcile } from './pods.js';
import { clusterSeenBy, priorityOf, withPods } from './nominations.js';
import { schedulerPod } from './schedulerView.js';
import type { Sim, SimNode, SimPod } from './state.js';

/** Until the API has deleted a victim: short against all that follows, but no two things follow each other in no time. */
const DELETION_US = 10_000;

/** Nothing at all where all services have one priority. */
export function planPreemption(sim: Sim): void {
  const priorities = new Set(sim.world.program.services.map(({ scheduling }) => scheduling.priority));
  if (priorities.size > 1) sim.onUnschedulable = (pod, nowUs) => preempt(sim, pod, nowUs);
}

function preempt(sim: Sim, pod: SimPod, nowUs: number): void {
  const { nominated } = sim.scheduler;
  const priority = priorityOf(sim, pod);
  const kept = nominated.get(pod);
  // Its victims take their time.
  if (kept?.victims.some((victim) => kept.node.pods.has(victim))) return;
  nominated.delete(pod);
  const offset = mix(seedWord(sim.world.seed, `preempt/${pod.workload.index}`) + pod.made) >>> 0;
  const first = Math.floor(offset * TWO_TO_MINUS_32 * sim.nodes.length);
  const order = [...sim.nodes.slice(first), ...sim.nodes.slice(0, first)];
  const dryRun = dryRunOf(sim, pod);
  const chosen = choosePreemption(
    priority,
    order.map((node) => ({
      name: node.spec.name,
      pods: [...node.pods].map((one) => preemptable(sim, one, nowUs)),
      fitsWithout: (gone) => dryRun(node, gone),
    })),
    budgetsOf(sim, nowUs),
  );
  if (chosen === null) return;
  const node = sim.nodes.find(({ spec }) => spec.name === chosen.node)!;
  for (const [other, there] of nominated)
    if (there.node === node && priorityOf(sim, other) < priority) nominated.delete(other);
  const uids = new Set(chosen.victims.map(({ uid }) => uid));
  const leaving = [...node.pods].filter(({ uid }) => uids.has(uid));
  nominated.set(pod, { node, victims: leaving });
  const victims = leaving.filter(({ deletedUs }) => deletedUs === null);
  if (victims.length === 0) return;
  const names = victims.map(({ name }) => name).join(', ');
  logDecision(sim, 'scheduler', `preempt ${names} on ${chosen.node}`, `${pod.name} fits nowhere else`, nowUs);
  for (const victim of victims) {
    sim.calendar.at(nowUs + DELETION_US, (laterUs) => {
      deletePod(sim, victim, laterUs);
      reconcile(sim, victim.workload, laterUs);
    });
  }
}

function preemptable(sim: Sim, pod: SimPod, nowUs: number): PreemptablePod {
  const { disruptionBudget, name } = sim.world.program.services[pod.workload.service]!;
  // One that was evicted has been taken off its budget.
  const isGuarded = disruptionBudget !== null && pod.evictionAllowedUs === null;
  return {
    uid: pod.uid,
    priority: priorityOf(sim, pod),
    startedUs: pod.startedUs ?? nowUs,
    budgets: isGuarded ? [name] : [],
  };
}

function budgetsOf(sim: Sim, nowUs: number): Map<string, number> {
  return new Map(
    sim.world.program.services.flatMap(({ disruptionBudget, name }, service) =>
      disruptionBudget === null ? [] : [[name, evictionsAllowed(sim, service, nowUs)]],
    ),
  );
}

/** Whether the pod passes all filters on a node once some of its pods are gone. */
function dryRunOf(sim: Sim, pod: SimPod): (node: SimNode, gone: ReadonlySet<number>) => boolean {
  const { view } = sim.scheduler;
  const { service } = pod.workload;
  const seen = clusterSeenBy(sim, pod);
  const asked = schedulerPod(view, pod, null);
  return (node, uids) => {
    const gone = [...node.pods].filter(({ uid }) => uids.has(uid));
    const position = view.positions.get(node)!;
    const podsOfService = [...seen.podsOfService];
    for (const one of gone)
      if (one.workload.service === service && one.deletedUs === null)
        podsOfService.splice(podsOfService.indexOf(position), 1);
    const records = new Set(gone.map((one) => view.services[one.workload.service]!.bound.get(one)));
    const filters = buildFilters({
      pod: asked,
      nodes: seen.nodes.map((record, i) => (i === position ? without(record, gone, sim) : record)),
      podsOfService,
      boundPods: seen.boundPods.filter((one) => !records.has(one)),
      visitOrder: [],
      visitFrom: 0,
      kubernetesMinor: sim.world.program.scenario.compat.kubernetesMinor,
      pick: () => 0,
    });
    return filters.every(({ passes }) => passes(position));
  };
}

function without(record: TotalNode, gone: readonly SimPod[], { scheduler }: Sim): TotalNode {
  const requests = gone.map(({ workload }): Resources => scheduler.view.services[workload.service]!.requests);
  return withPods(record, requests, -1);
}
