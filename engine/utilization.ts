/**
 * How busy a workload is: what its pods use over what they asked for, as HPA counts it (a ratio of sums, so that a pod
 * counts once wherever it runs). The basis is the request, or the limit with `utilizationBasis: limit`; a pod that
 * states only the other one is measured by that. For `cpu-memory` the two ratios are combined by the weights, which
 * count as fractions of their sum.
 */
import type { WorkloadView } from './cluster-view.js';
import { normalizedWeights } from './target-distribution.js';
import type { EngineConfig, ResourceAmounts, SnapshotPod, SnapshotWorkload } from './types.js';

export interface Utilization {
  /** Percent over the pods with metrics; null when none has any. */
  readonly percent: number | null;
  readonly measuredPods: number;
  /** Pods without metrics. */
  readonly silentPods: readonly SnapshotPod[];
  /** The node whose pods are busiest on average, for the reader. */
  readonly hottestNode: { readonly name: string; readonly percent: number } | null;
}

/** Utilisation of a workload, or the name of the resource for which some pod states neither request nor limit. */
export function workloadUtilization(
  { workload, pods }: WorkloadView,
  config: EngineConfig,
): Utilization | { missing: 'cpu' | 'memory' } {
  const total = emptySums();
  const byNode = new Map<string, Sums>();
  const silentPods: SnapshotPod[] = [];
  for (const pod of pods) {
    const basis = podBasis(pod, workload, config);
    const missing = missingResource(basis, config);
    if (missing) return { missing };
    if (pod.usage === null) {
      silentPods.push(pod);
      continue;
    }
    add(total, pod.usage, basis);
    if (pod.node === null) continue;
    let sums = byNode.get(pod.node);
    if (!sums) byNode.set(pod.node, (sums = emptySums()));
    add(sums, pod.usage, basis);
  }

  let hottestNode: Utilization['hottestNode'] = null;
  for (const [name, sums] of byNode) {
    const percent = ratioPercent(sums, config);
    if (hottestNode === null || percent > hottestNode.percent) hottestNode = { name, percent };
  }
  return {
    percent: total.pods > 0 ? ratioPercent(total, config) : null,
    measuredPods: total.pods,
    silentPods,
    hottestNode,
  };
}

/** Fractions of the basis used by one pod; null without metrics or without a basis for the metric. */
export function podUtilization(
  pod: SnapshotPod,
  workload: SnapshotWorkload,
  config: EngineConfig,
): { cpu: number; memory: number } | null {
  if (pod.usage === null) return null;
  const basis = podBasis(pod, workload, config);
  if (missingResource(basis, config)) return null;
  return {
    cpu: fraction(pod.usage.cpuMillicores, basis.cpuMillicores),
    memory: fraction(pod.usage.memoryBytes, basis.memoryBytes),
  };
}

type Basis = { readonly cpuMillicores: number; readonly memoryBytes: number };

/** 0 where neither is stated. */
export function podBasis(pod: SnapshotPod, workload: SnapshotWorkload, config: EngineConfig): Basis {
  const requests = [pod.requests, workload.podRequests];
  const limits = [pod.limits, workload.podLimits];
  const order = config.utilizationBasis === 'request' ? [...requests, ...limits] : [...limits, ...requests];
  return {
    cpuMillicores: firstPositive(order.map(({ cpuMillicores }) => cpuMillicores)),
    memoryBytes: firstPositive(order.map(({ memoryBytes }) => memoryBytes)),
  };
}

function firstPositive(values: readonly (number | null)[]): number {
  return values.find((value) => value !== null && value > 0) ?? 0;
}

function missingResource(basis: Basis, { metric }: EngineConfig): 'cpu' | 'memory' | null {
  if (metric !== 'memory' && basis.cpuMillicores === 0) return 'cpu';
  if (metric !== 'cpu' && basis.memoryBytes === 0) return 'memory';
  return null;
}

interface Sums {
  pods: number;
  cpuUsed: number;
  cpuBasis: number;
  memoryUsed: number;
  memoryBasis: number;
}

function emptySums(): Sums {
  return { pods: 0, cpuUsed: 0, cpuBasis: 0, memoryUsed: 0, memoryBasis: 0 };
}

function add(sums: Sums, usage: ResourceAmounts, basis: Basis): void {
  sums.pods++;
  sums.cpuUsed += usage.cpuMillicores;
  sums.cpuBasis += basis.cpuMillicores;
  sums.memoryUsed += usage.memoryBytes;
  sums.memoryBasis += basis.memoryBytes;
}

function ratioPercent(sums: Sums, config: EngineConfig): number {
  const cpu = 100 * fraction(sums.cpuUsed, sums.cpuBasis);
  const memory = 100 * fraction(sums.memoryUsed, sums.memoryBasis);
  if (config.metric === 'cpu') return cpu;
  if (config.metric === 'memory') return memory;
  const weights = normalizedWeights(config);
  return weights.cpu * cpu + weights.memory * memory;
}

function fraction(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
