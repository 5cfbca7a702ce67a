/**
 * Whether the pod template of a workload is being rolled out, from `updatedReplicas` where the snapshot tells it. While
 * two templates run side by side their mean says nothing about either, and a pod named to go may be the one that its
 * controller needs. So nothing is removed and nothing moved meanwhile. Deployments and StatefulSets still grow, as with
 * an HPA: overload is the worse mistake. Argo's Rollout weighs canary against stable by counts of its own and is left
 * alone both ways.
 */
import type { WorkloadView } from './cluster-view.js';
import type { SkipReason } from './types.js';

export function rolloutUnderWay({ workload, pods }: WorkloadView): { reason: SkipReason; detail: string } | null {
  const { updatedReplicas, desiredReplicas, readyReplicas } = workload;
  // Replicas that are still to be made are of no template yet.
  const made = Math.min(desiredReplicas, pods.length);
  if (typeof updatedReplicas !== 'number' || updatedReplicas >= made) return null;
  return {
    reason: 'rolloutRunning',
    detail: `a rollout runs: ${updatedReplicas} of ${made} pods have the newest template, ${readyReplicas} are ready`,
  };
}
