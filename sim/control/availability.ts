/** Which pods of a workload count, as its controller sees them: by the API, not by what their processes do. */
import type { SimPod, SimWorkload } from './state.js';

/** Not on its way out. */
export function isActive(pod: SimPod): boolean {
  return pod.deletedUs === null;
}

/** Ready for minReadySeconds (B10). */
export function isAvailable(pod: SimPod, nowUs: number): boolean {
  return isActive(pod) && pod.endpoint && nowUs - pod.endpointChangedUs >= pod.workload.controller.minReadyUs;
}

export function availablePods({ pods }: SimWorkload, nowUs: number): number {
  return pods.filter((pod) => isAvailable(pod, nowUs)).length;
}
