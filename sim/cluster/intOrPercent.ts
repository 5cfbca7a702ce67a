/**
 * A number of pods given as such or as a share ("25%"), as Deployments, StatefulSets and budgets take it. Who rounds up
 * and who down is said by the caller, as it differs.
 * Source: apimachinery's intstr.go.
 */
export type IntOrPercent = number | `${number}%`;

export function resolvePods(value: IntOrPercent, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const hundredfold = Number(value.slice(0, -1)) * total;
  return rounding === 'up' ? Math.ceil(hundredfold / 100) : Math.floor(hundredfold / 100);
}
