/**
 * Whether a pod bears a node's taints. NoSchedule and NoExecute keep an intolerant pod away, PreferNoSchedule only costs
 * the node score (B8). A cordon and a lost heartbeat are taints too, so that pods which tolerate them (DaemonSets) come.
 * Source: api/core/v1/toleration.go and the plugin tainttoleration.
 */
import type { Taint, Toleration } from '../../scenarios/pod-scheduling.js';

export type { Taint, TaintEffect, Toleration } from '../../scenarios/pod-scheduling.js';

/** What a cordon sets. */
export const CORDON_TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };
/** Pods tolerate the NoExecute form for 300 s by default, so it is this one that keeps new pods away. */
export const NOT_READY_TAINT: Taint = { key: 'node.kubernetes.io/not-ready', value: '', effect: 'NoSchedule' };

export function toleratesTaint(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(
    ({ key, operator, value, effect }) =>
      (effect === null || effect === taint.effect) &&
      (key === taint.key || (key === '' && operator === 'Exists')) &&
      (operator === 'Exists' || value === taint.value),
  );
}

/** No taint that forbids scheduling is left untolerated. */
export function toleratesAll(tolerations: readonly Toleration[], taints: readonly Taint[]): boolean {
  return taints.every((taint) => taint.effect === 'PreferNoSchedule' || toleratesTaint(tolerations, taint));
}

export function countUntoleratedPreferences(tolerations: readonly Toleration[], taints: readonly Taint[]): number {
  return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !toleratesTaint(tolerations, taint)).length;
}
