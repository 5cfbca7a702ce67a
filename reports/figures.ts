/**
 * Reads one figure out of one replication: the p95 of a service, the failed share of an edge, the cost. Gates, summary,
 * comparison and page all ask here, so that a name means the same number everywhere. A figure that does not exist is null.
 */
import type { Gate, Label, Metric, Statistic } from '../scenarios/expectations.js';
import type { LatencyFigures, PolicyResult, ReplicationResult, RequestCounts } from '../traces/run-result.js';

export interface Measure {
  readonly statistic: Statistic;
  readonly metric: Metric;
  readonly labels: Readonly<Partial<Record<Label, string>>>;
}

/** What the measure is in each replication, in the order of the seeds. */
export function figuresOf(policy: PolicyResult, measure: Measure | Gate): (number | null)[] {
  return policy.replications.map((replication) => figureOf(replication, measure));
}

export function figureOf(replication: ReplicationResult, { statistic, metric, labels }: Measure): number | null {
  switch (metric) {
    case 'latency':
      return latencyOf(scopeOf(replication, labels), statistic);
    case 'failed': {
      const counts = scopeOf(replication, labels)?.requests;
      return counts === undefined || counts.total === 0 ? null : counts.failed / counts.total;
    }
    case 'requests':
      return scopeOf(replication, labels)?.requestsPerSecond ?? null;
    case 'crossZone':
      if (labels.source === undefined) return replication.crossZoneShare;
      return edgeOf(replication, labels)?.crossZoneShare ?? null;
    case 'cost':
      return costOf(replication, labels);
    case 'replicas':
      return ofSums(replication.series.readyReplicas, statistic, labels);
    case 'nodes':
      return ofSums(replication.series.nodes ?? [], statistic, labels);
    case 'cpu':
      return cpuOf(replication, statistic, labels);
    case 'goodput':
      return leastOf(replication.faultTolerance.faults.map((fault) => fault.goodputKept));
    case 'recovery':
      return mostOf(replication.faultTolerance.faults.map((fault) => fault.recoverySeconds));
    case 'survives':
      return survivesOf(replication, labels);
    case 'queueLength':
    case 'queueTime':
    case 'deadLettered':
      return queueFigureOf(replication, statistic, metric, labels);
  }
}

function queueFigureOf(
  { queues = [] }: ReplicationResult,
  statistic: Statistic,
  metric: 'queueLength' | 'queueTime' | 'deadLettered',
  labels: Measure['labels'],
): number | null {
  const queue = queues.find((one) => one.queue === labels.queue);
  if (queue === undefined) return null;
  const { length, published, waitMs, processed, deadLettered } = queue;
  if (metric === 'queueLength') return statistic === 'max' ? length.most : length.mean;
  const ended = processed + deadLettered;
  if (metric === 'deadLettered') return ended === 0 ? null : deadLettered / ended;
  return latencyOf({ requests: { total: published, succeeded: published, failed: 0 }, latencyMs: waitMs }, statistic);
}

/**
 * A quantile rests on the requests beyond it; with fewer than ten of them it says more about the seed than about the
 * system: 1,000 requests for p99, 200 for p95, 100 for p90, 20 for p50.
 */
const leastRequests: Readonly<Record<keyof LatencyFigures, number>> = {
  mean: 1,
  p50: 20,
  p90: 100,
  p95: 200,
  p99: 1000,
};

interface Scope {
  readonly requests: RequestCounts;
  readonly latencyMs: LatencyFigures;
  readonly requestsPerSecond?: number;
}

export function latencyOf(scope: Scope | undefined, statistic: Statistic): number | null {
  if (scope === undefined || !isLatencyName(statistic)) return null;
  return scope.requests.total < leastRequests[statistic] ? null : scope.latencyMs[statistic];
}

function isLatencyName(statistic: Statistic): statistic is keyof LatencyFigures {
  return statistic in leastRequests;
}

function scopeOf(replication: ReplicationResult, labels: Measure['labels']): Scope | undefined {
  if (labels.service !== undefined) return replication.services.find((one) => one.service === labels.service);
  if (labels.load !== undefined) return replication.loads.find((one) => one.load === labels.load);
  if (labels.source !== undefined) return edgeOf(replication, labels);
  return replication.total;
}

function edgeOf(
  replication: ReplicationResult,
  { source, destination }: Measure['labels'],
): ReplicationResult['edges'][number] | undefined {
  return replication.edges.find((edge) => edge.source === source && edge.destination === destination);
}

function costOf(replication: ReplicationResult, labels: Measure['labels']): number | null {
  if (labels.service !== undefined) {
    return replication.services.find((one) => one.service === labels.service)?.costUsdPerHour ?? null;
  }
  const { cost } = replication;
  switch (labels.part ?? 'total') {
    case 'total':
      return cost.totalUsdPerHour;
    case 'attributed':
      return cost.attributedUsdPerHour;
    case 'nodes':
      return cost.nodesUsdPerHour;
    case 'workload':
      return cost.workloadUsdPerHour;
    case 'sidecar':
      return cost.sidecarUsdPerHour;
    case 'unused':
      return cost.unusedUsdPerHour;
    case 'idle':
      return cost.idleUsdPerHour;
    case 'crossZone':
      return cost.crossZoneUsdPerHour;
    case 'crossRegion':
      return cost.crossRegionUsdPerHour;
    case 'loadBalancer':
      return cost.loadBalancerUsdPerHour;
    case 'internet':
      return cost.internetUsdPerHour;
    case 'nat':
      return cost.natUsdPerHour;
    default:
      return null;
  }
}

/** Of the sum of those series that the labels choose, step by step. */
function ofSums(
  all: readonly { readonly service?: string; readonly zone: string; readonly values: readonly number[] }[],
  statistic: Statistic,
  labels: Measure['labels'],
): number | null {
  const chosen = all.filter((series) => matches(series, labels));
  const length = Math.max(0, ...chosen.map((series) => series.values.length));
  if (length === 0) return null;
  const sums = Array.from({ length }, (_, step) => chosen.reduce((sum, series) => sum + (series.values[step] ?? 0), 0));
  if (statistic === 'mean') return sums.reduce((sum, value) => sum + value, 0) / length;
  return statistic === 'max' ? mostOf(sums) : leastOf(sums);
}

function cpuOf(replication: ReplicationResult, statistic: Statistic, labels: Measure['labels']): number | null {
  const chosen = replication.series.cpuPercent.filter((series) => matches(series, labels));
  if (statistic === 'max') return mostOf(chosen.flatMap((series) => series.values).filter((value) => value !== null));
  if (labels.zone === undefined) {
    return replication.services.find((one) => one.service === labels.service)?.cpuPercentOfRequests ?? null;
  }
  const values = chosen.flatMap((series) => series.values).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function survivesOf(replication: ReplicationResult, labels: Measure['labels']): number | null {
  const covered = replication.faultTolerance.zonesCovered.filter(
    (one) => labels.service === undefined || one.service === labels.service,
  );
  if (covered.length === 0) return null;
  return covered.every((one) => (labels.loss === 'zone' ? one.survivesAnyZoneLoss : one.survivesAnyNodeLoss)) ? 1 : 0;
}

function matches(series: { readonly service?: string; readonly zone: string }, labels: Measure['labels']): boolean {
  return (
    (labels.service === undefined || series.service === labels.service) &&
    (labels.zone === undefined || series.zone === labels.zone)
  );
}

/** Null when there is none, or one of them is unknown: the extreme might be just that one. */
function mostOf(values: readonly (number | null)[]): number | null {
  return values.reduce((most: number | null, value, index) => {
    if (index === 0) return value;
    return most === null || value === null ? null : Math.max(most, value);
  }, null);
}

function leastOf(values: readonly (number | null)[]): number | null {
  const negated = mostOf(values.map((value) => (value === null ? null : -value)));
  return negated === null ? null : 0 - negated;
}
