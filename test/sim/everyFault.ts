/** One fault of each kind, hard enough to be felt; a kind that is new must be added here before the tests compile. */
import type { Fault, FaultTimes } from '../../scenarios/types.js';

/** From `atUs` for `forUs`: zone 0 and its links, node 0, service and load 0. */
export function everyFault(atUs: number, forUs: number | null): Readonly<Record<Fault['kind'], Fault>> {
  const times: FaultTimes = { atUs, forUs, rampUs: 0 };
  return {
    zoneOutage: { kind: 'zoneOutage', zone: 0, atUs, forUs },
    nodeLoss: { kind: 'nodeLoss', node: 0, atUs, forUs },
    nodeDrain: { kind: 'nodeDrain', node: 0, atUs, forUs },
    serviceFailure: { kind: 'serviceFailure', service: 0, share: 0.5, ...times },
    linkLatency: { kind: 'linkLatency', from: 0, to: 0, addedUs: 100_000, ...times },
    linkLoss: { kind: 'linkLoss', from: 0, to: 0, share: 0.3, ...times },
    zonePartition: { kind: 'zonePartition', from: 0, to: 0, ...times },
    retryStorm: { kind: 'retryStorm', load: 0, retries: 3, ...times },
    loadBurst: { kind: 'loadBurst', load: 0, times: 5, ...times },
    podCrash: { kind: 'podCrash', service: 0, pods: null, ...times },
    crashLoop: { kind: 'crashLoop', service: 0, pods: null, everyUs: 1_000_000, ...times },
    slowPod: { kind: 'slowPod', service: 0, pods: null, share: 0.5, ...times },
    memoryLeak: { kind: 'memoryLeak', service: 0, bytesPerSecond: 1e9, ...times },
    istiodDown: { kind: 'istiodDown', ...times },
    prometheusOutage: { kind: 'prometheusOutage', ...times },
    scrapeGap: { kind: 'scrapeGap', ...times },
    staleMetrics: { kind: 'staleMetrics', ...times },
    apiErrors: { kind: 'apiErrors', share: 1, ...times },
    apiSlow: { kind: 'apiSlow', addedUs: 20_000_000, ...times },
  };
}
