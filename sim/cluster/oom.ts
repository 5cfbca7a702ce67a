/**
 * What happens when memory runs out: a container over its own limit is killed at once (memory cannot be throttled), and a
 * node that runs low evicts whole pods, one at a time, in an order of its own. The QoS class of a pod follows from its
 * requests and limits.
 *
 * Source: kubelet's eviction/helpers.go (rankMemoryPressure), eviction_manager.go, and apis/core/helper/qos. The order has
 * three keys: pods over their request first, then lower priority, and only then the larger excess. So a pod of high
 * priority far over its request outlives one of low priority just over it, which the short form "by usage above request,
 * then priority" would have the other way round.
 */

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Null: not set. A limit without a request is taken for both, as the API server fills it in. */
export interface ContainerResources {
  readonly cpuRequestMillicores: number | null;
  readonly cpuLimitMillicores: number | null;
  readonly memoryRequestBytes: number | null;
  readonly memoryLimitBytes: number | null;
}

export function qosClass(containers: readonly ContainerResources[]): QosClass {
  const pairs = containers.flatMap((container) => [
    { request: container.cpuRequestMillicores ?? container.cpuLimitMillicores, limit: container.cpuLimitMillicores },
    { request: container.memoryRequestBytes ?? container.memoryLimitBytes, limit: container.memoryLimitBytes },
  ]);
  // A quantity of 0 is the same as none.
  if (pairs.every(({ request, limit }) => !request && !limit)) return 'BestEffort';
  return pairs.every(({ request, limit }) => limit && request === limit) ? 'Guaranteed' : 'Burstable';
}

/** Up to the limit a container lives; null: no limit. */
export function isOomKilled(memoryUsedBytes: number, memoryLimitBytes: number | null): boolean {
  return memoryLimitBytes !== null && memoryUsedBytes > memoryLimitBytes;
}

/** The kubelet's default `evictionHard` threshold for `memory.available` on Linux. */
export const MEMORY_AVAILABLE_MIN_BYTES = 100 * 1024 * 1024;
/** The kubelet looks this often, and evicts at most one pod each time. */
export const EVICTION_MONITORING_PERIOD_US = 10_000_000;
/** `system-cluster-critical` and up: refused, the next in line goes. */
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

export interface MemoryPod {
  readonly name: string;
  readonly priority: number;
  /** Sum over its containers; 0: none. */
  readonly memoryRequestBytes: number;
  /** Working set. */
  readonly memoryUsedBytes: number;
}

/** The pod that the node evicts at this look; null while memory suffices or nobody may go. */
export function podToEvict(pods: readonly MemoryPod[], availableBytes: number): MemoryPod | null {
  if (availableBytes >= MEMORY_AVAILABLE_MIN_BYTES) return null;
  return evictionOrder(pods).find(({ priority }) => priority < SYSTEM_CRITICAL_PRIORITY) ?? null;
}

/** First to go first. */
export function evictionOrder(pods: readonly MemoryPod[]): MemoryPod[] {
  const excess = (pod: MemoryPod) => pod.memoryUsedBytes - pod.memoryRequestBytes;
  return [...pods].sort(
    (a, b) =>
      Number(excess(b) > 0) - Number(excess(a) > 0) ||
      a.priority - b.priority ||
      excess(b) - excess(a) ||
      (a.name < b.name ? -1 : 1),
  );
}
