/**
 * A Deployment and its ReplicaSets: how many pods each set asks for (sim/cluster/rollingUpdate.ts, and
 * proportionalScale.ts where an autoscaler changes its mind within a rollout), and the pods made and deleted for it. Outside
 * of a rollout there is one set. Pods on their way out count nowhere: they come on top of the surge, as in Kubernetes.
 * Budgets hold nothing back here.
 *
 * Sources: deployment's sync.go, rolling.go and recreate.go; replica_set.go.
 */
import type { Controller } from '../../scenarios/types.js';
import { rescaleRollout } from '../cluster/proportionalScale.js';
import { victimOrder } from '../cluster/replicaset.js';
import { rolloutStep, type RolloutState, type RolloutStep } from '../cluster/rollingUpdate.js';
import { GOLDEN, mix } from '../random.js';
import { isActive, isAvailable } from './availability.js';
import { createPod, deletePod, isRunning } from './pods.js';
import type { Place, Revision, Sim, SimDeployment, SimPod, SimReplicaSet, SimWorkload, SyncHints } from './state.js';

export function newDeployment(
  { minReadyUs, strategy }: Extract<Controller, { kind: 'Deployment' }>,
  revision: Revision,
  replicas: number,
): SimDeployment {
  return { kind: 'Deployment', minReadyUs, strategy, sets: [{ revision, replicas }], desiredBefore: replicas };
}

export function syncDeployment(sim: Sim, workload: SimWorkload, nowUs: number, hints: SyncHints): void {
  const deployment = workload.controller as SimDeployment;
  const places = [...(hints.wanted ?? [])];
  if (deployment.sets.at(-1)!.revision !== workload.revision)
    deployment.sets.push({ revision: workload.revision, replicas: 0 });
  let isSettled = false;
  while (!isSettled) {
    isSettled = !resize(workload, deployment, nowUs);
    for (const set of deployment.sets) fillSet(sim, workload, set, nowUs, places, hints.victims ?? []);
  }
  deployment.sets = deployment.sets.filter((set, i) => set.replicas > 0 || i === deployment.sets.length - 1);
}

/** Every pod asked for is of the newest template and available. */
export function isRolledOut({ controller, desired, revision, pods }: SimWorkload, nowUs: number): boolean {
  const { sets } = controller as SimDeployment;
  const active = pods.filter(isActive);
  return (
    sets.length === 1 &&
    sets[0]!.revision === revision &&
    active.length === desired &&
    active.every((pod) => pod.revision === revision && isAvailable(pod, nowUs))
  );
}

/** One pass of the controller over the sizes of the sets. False: nothing to change. */
function resize(workload: SimWorkload, deployment: SimDeployment, nowUs: number): boolean {
  const { sets } = deployment;
  const step = nextSizes(workload, deployment, nowUs);
  deployment.desiredBefore = workload.desired;
  const sizes = [...step.old, step.current];
  const isChanged = sets.some(({ replicas }, i) => replicas !== sizes[i]);
  sets.forEach((set, i) => (set.replicas = sizes[i]!));
  return isChanged;
}

function nextSizes(workload: SimWorkload, deployment: SimDeployment, nowUs: number): RolloutStep {
  const { sets, strategy, desiredBefore } = deployment;
  const { desired, pods } = workload;
  const sizes = sets.map(({ revision, replicas }) => ({
    replicas,
    available: pods.filter((pod) => pod.revision === revision && isAvailable(pod, nowUs)).length,
  }));
  const [current, old] = [sizes.at(-1)!, sizes.slice(0, -1)];
  // Recreate has no surge: a pod more only where there is no other.
  const limits = strategy.type === 'RollingUpdate' ? strategy : { maxSurge: 0, maxUnavailable: 0 };
  const state: RolloutState = { desired, limits, current, old };
  if (desired !== desiredBefore && sizes.some(({ replicas }) => replicas > 0))
    return rescaleRollout(state, desiredBefore);
  if (strategy.type === 'RollingUpdate') return rolloutStep(state);
  if (old.some(({ replicas }) => replicas > 0)) return { current: current.replicas, old: old.map(() => 0) };
  // The new ones wait until the last old one is really gone.
  const isOldLeft = pods.some((pod) => pod.revision !== workload.revision);
  return { current: isOldLeft ? current.replicas : desired, old: old.map(() => 0) };
}

/** The ReplicaSet's own work. `places`: for the next pods made; `named`: pods to go first. */
function fillSet(
  sim: Sim,
  workload: SimWorkload,
  { revision, replicas }: SimReplicaSet,
  nowUs: number,
  places: Place[],
  named: readonly string[],
): void {
  const active = workload.pods.filter((pod) => isActive(pod) && pod.revision === revision);
  const missing = replicas - active.length;
  for (let i = 0; i < missing; i++) createPod(sim, workload, nowUs, places.shift() ?? null, { revision });
  if (missing < 0) {
    const first = named.flatMap((name) => active.filter((pod) => pod.name === name));
    const order = [...first, ...victims(workload, active, nowUs).filter((pod) => !first.includes(pod))];
    for (const pod of order.slice(0, -missing)) deletePod(sim, pod, nowUs);
  }
}

/** A ReplicaSet's order of deletion; see sim/cluster/replicaset.ts. Nodes are crowded by pods of all sets. */
function victims(workload: SimWorkload, pods: readonly SimPod[], nowUs: number): SimPod[] {
  const views = workload.pods.filter(isActive).map((pod) => victimView(pod, nowUs));
  const own = views.filter(({ pod }) => pods.includes(pod));
  return victimOrder(own, nowUs, views).map(({ pod }) => pod);
}

function victimView(pod: SimPod, nowUs: number) {
  return {
    pod,
    // Scattered, as real UIDs are: pods of one age bucket must not go in order of creation.
    uid: (mix(pod.uid + GOLDEN) >>> 0).toString(16).padStart(8, '0'),
    node: pod.node?.spec.name ?? null,
    phase: isRunning(pod, nowUs) ? ('Running' as const) : ('Pending' as const),
    // As the API has it, like all a controller knows.
    ready: pod.endpoint,
    readySinceUs: pod.readyAtUs,
    createdAtUs: pod.createdUs,
    restarts: pod.restarts,
    deletionCost: 0,
  };
}
