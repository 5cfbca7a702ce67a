/**
 * A StatefulSet, one pass at a time: which pods it creates and deletes now. The caller does so and asks again whenever a
 * pod has become ready or is gone.
 *
 * OrderedReady does one thing at a time, like a queue at a door: pods come in ascending and leave in descending order, and
 * whoever is not ready holds up all behind; even a scale-down waits for the pods that stay. Parallel creates and removes
 * all at once. Updates go one by one from the highest ordinal down to the partition under both policies, each waiting
 * until the pods above are ready. So an OrderedReady set whose update never gets ready is stuck until someone deletes the
 * broken pod, a known trap. `maxUnavailable` above 1 for updates is not modelled.
 *
 * Source: controller/statefulset's stateful_set_control.go and stateful_set_utils.go (newVersionedStatefulSetPod).
 */
export interface StatefulPod {
  readonly ordinal: number;
  /** `new`: of the template as it is now. */
  readonly revision: 'old' | 'new';
  /** `ready`: running and ready for at least minReadySeconds; `finished`: failed or succeeded. */
  readonly state: 'ready' | 'unready' | 'finished';
  readonly terminating: boolean;
}

export interface StatefulSetState {
  readonly replicas: number;
  readonly policy: 'OrderedReady' | 'Parallel';
  /** Pods below the partition keep the old template, and come back with it. */
  readonly update: { readonly partition: number } | 'OnDelete';
  readonly pods: readonly StatefulPod[];
}

export interface StatefulSetStep {
  readonly create: readonly { readonly ordinal: number; readonly revision: 'old' | 'new' }[];
  /** Ordinals, in the order of deletion. */
  readonly delete: readonly number[];
}

export function statefulSetStep(set: StatefulSetState): StatefulSetStep {
  const step = { create: [] as StatefulSetStep['create'][number][], delete: [] as number[] };
  const isDone = fill(set, step) || trim(set, step);
  if (!isDone) update(set, step);
  return step;
}

type Step = { create: StatefulSetStep['create'][number][]; delete: number[] };

/** Makes the missing pods and clears away finished ones. True: the pass ends here. */
function fill(set: StatefulSetState, step: Step): boolean {
  const isOrdered = set.policy === 'OrderedReady';
  const pods = byOrdinal(set);
  for (let ordinal = 0; ordinal < set.replicas; ordinal++) {
    const pod = pods.get(ordinal);
    if (pod === undefined) step.create.push({ ordinal, revision: revisionFor(set, ordinal) });
    else if (pod.state === 'finished' && !pod.terminating) step.delete.push(ordinal);
    if (isOrdered && !isHealthy(pod)) return true;
  }
  return false;
}

/** Removes pods above the wanted number, highest first. True: the pass ends here. */
function trim(set: StatefulSetState, step: Step): boolean {
  const isOrdered = set.policy === 'OrderedReady';
  const condemned = set.pods.filter(({ ordinal }) => ordinal >= set.replicas).sort((a, b) => b.ordinal - a.ordinal);
  const firstUnhealthy = condemned.findLast((pod) => !isHealthy(pod));
  for (const pod of condemned) {
    // An unready pod may go only if all below are well, lest two are missing at once.
    const mayGo = !isOrdered || isHealthy(pod) || pod === firstUnhealthy;
    if (!pod.terminating && mayGo) step.delete.push(pod.ordinal);
    if (isOrdered) return true;
  }
  return false;
}

function update(set: StatefulSetState, step: Step): void {
  if (set.update === 'OnDelete') return;
  const pods = byOrdinal(set);
  for (let ordinal = set.replicas - 1; ordinal >= set.update.partition; ordinal--) {
    const pod = pods.get(ordinal);
    if (pod?.revision === 'old' && !pod.terminating) {
      if (!step.delete.includes(ordinal)) step.delete.push(ordinal);
      return;
    }
    if (!isHealthy(pod)) return;
  }
}

function byOrdinal({ pods }: StatefulSetState): ReadonlyMap<number, StatefulPod> {
  return new Map(pods.map((pod) => [pod.ordinal, pod]));
}

function isHealthy(pod: StatefulPod | undefined): boolean {
  return pod !== undefined && pod.state === 'ready' && !pod.terminating;
}

function revisionFor(set: StatefulSetState, ordinal: number): 'old' | 'new' {
  return set.update !== 'OnDelete' && ordinal < set.update.partition ? 'old' : 'new';
}
