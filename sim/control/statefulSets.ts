/**
 * A StatefulSet in the run: what sim/cluster/statefulSet.ts says for the pods as they are. Its pods keep their names: who
 * is deleted comes back under the same ordinal, once it is really gone, and so not while its node cannot be asked. Whoever
 * scales it, and whatever pods were named to go, the highest ordinals go first.
 */
import type { Controller } from '../../scenarios/types.js';
import { statefulSetStep, type StatefulPod } from '../cluster/statefulSet.js';
import { isActive, isAvailable } from './availability.js';
import { createPod, deletePod } from './pods.js';
import type { Revision, Sim, SimStatefulSet, SimWorkload, SyncHints } from './state.js';

export function newStatefulSet(
  { minReadyUs, podManagement, update }: Extract<Controller, { kind: 'StatefulSet' }>,
  revision: Revision,
): SimStatefulSet {
  return { kind: 'StatefulSet', minReadyUs, podManagement, update, settled: revision, places: [] };
}

export function syncStatefulSet(sim: Sim, workload: SimWorkload, nowUs: number, hints: SyncHints): void {
  const set = workload.controller as SimStatefulSet;
  if (hints.wanted) set.places = [...hints.wanted];
  if (set.update !== 'OnDelete' && isUpdated(workload, nowUs)) set.settled = workload.revision;
  for (;;) {
    const step = statefulSetStep({
      replicas: workload.desired,
      policy: set.podManagement,
      update: set.update,
      pods: workload.pods.map((pod): StatefulPod => ({
        ordinal: pod.ordinal,
        revision: pod.revision === workload.revision ? 'new' : 'old',
        state: isAvailable(pod, nowUs) ? 'ready' : 'unready',
        terminating: !isActive(pod),
      })),
    });
    for (const ordinal of step.delete)
      deletePod(
        sim,
        workload.pods.find((pod) => isActive(pod) && pod.ordinal === ordinal)!,
        nowUs,
      );
    for (const { ordinal, revision } of step.create) {
      const template = revision === 'new' ? workload.revision : set.settled;
      createPod(sim, workload, nowUs, set.places.shift() ?? null, { ordinal, revision: template });
    }
    if (step.delete.length + step.create.length === 0) return;
  }
}

/** All pods that the update reaches are of the newest template and available, and no others are there. */
export function isUpdated({ controller, desired, revision, pods }: SimWorkload, nowUs: number): boolean {
  const { update } = controller as SimStatefulSet;
  const from = update === 'OnDelete' ? 0 : update.partition;
  const reached = pods.filter(({ ordinal }) => ordinal >= from);
  return (
    pods.length === desired &&
    reached.every((pod) => pod.ordinal < desired && pod.revision === revision && isAvailable(pod, nowUs))
  );
}
