/**
 * Who else owns a workload's replica count. An HPA or a ScaledObject names its target by kind and name in its own
 * namespace; where one does, the scaler keeps its hands off (placement and routing stay ours). An owner whose target
 * cannot be read might own anything in its namespace, so everything there counts as owned.
 */
import { workloadKey } from './cluster-view.js';
import type { KubeObject, Snapshot, SkipReason, WorkloadRef } from './types.js';

export interface Owners {
  of(workload: WorkloadRef): { reason: SkipReason; detail: string } | null;
}

export function findOwners(snapshot: Snapshot): Owners {
  // A ScaledObject makes an HPA of its own; it is asked first so that the real owner is named.
  const scaledObjects = byTarget(snapshot.scaledObjects);
  const autoscalers = byTarget(snapshot.horizontalPodAutoscalers);
  return {
    of: (workload) => {
      const scaledObject = ownerOf(scaledObjects, workload);
      if (scaledObject)
        return { reason: 'scaledObjectOwned', detail: `ScaledObject ${scaledObject} owns the replica count` };
      const autoscaler = ownerOf(autoscalers, workload);
      if (autoscaler) {
        return { reason: 'hpaOwned', detail: `HorizontalPodAutoscaler ${autoscaler} owns the replica count` };
      }
      return null;
    },
  };
}

/** Nobody may know who owns a count: reason enough to remove nothing, none to leave an overload alone. */
export function unreadOwners({ unreadableLists = [] }: Snapshot): string | null {
  if (unreadableLists.includes('horizontalPodAutoscalers')) {
    return 'the HorizontalPodAutoscalers could not be listed and one may own the replica count';
  }
  if (unreadableLists.includes('scaledObjects')) {
    return 'the ScaledObjects could not be listed and one may own the replica count';
  }
  return null;
}

function byTarget(objects: readonly KubeObject[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { metadata, spec } of objects) {
    const namespace = metadata.namespace ?? 'default';
    const target = spec['scaleTargetRef'];
    const { name, kind } = (typeof target === 'object' && target !== null ? target : {}) as Record<string, unknown>;
    const readable = typeof name === 'string';
    // KEDA's own default: a target without a kind is a Deployment.
    const targetKind = typeof kind === 'string' ? kind : 'Deployment';
    const key = readable ? `${namespace}/${targetKind}/${name}` : unreadable(namespace);
    if (!owners.has(key)) owners.set(key, readable ? metadata.name : `${metadata.name} (its target cannot be read)`);
  }
  return owners;
}

function ownerOf(owners: ReadonlyMap<string, string>, workload: WorkloadRef): string | undefined {
  return owners.get(workloadKey(workload)) ?? owners.get(unreadable(workload.namespace));
}

function unreadable(namespace: string): string {
  return `${namespace}//`;
}
