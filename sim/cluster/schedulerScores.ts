/**
 * How much kube-scheduler's default profile likes each node that passed (B7, B8): weighted sum of seven scores of 0..100,
 * divisions cut off.
 *
 * TaintToleration and NodeAffinity are stretched to the largest value (normalize_score.go): trunc(100 x / max), reversed
 * for taints; without any preference all nodes have 100 and 0. BalancedAllocation: up to 1.35 how even the node would be
 * used; from 1.36 on the change that the pod makes to that (50 to 100, 75 for none; pull request 135573, merged after the
 * freeze of 1.35); from 1.33 on nothing for a pod without requests (issue 129138, balanced_allocation.go).
 * Sources: noderesources' least_allocated.go and balanced_allocation.go, image_locality.go, the plugins named above.
 */
import { affinityScores } from './podAffinity.js';
import { isEligible } from './schedulerFilters.js';
import {
  allLabels,
  allTaints,
  type Resources,
  type TotalInput,
  type TotalNode,
  type TotalPod,
} from './schedulerInput.js';
import { matchesNodeTerm } from './selectors.js';
import { countUntoleratedPreferences } from './taints.js';
import { spreadScores } from './topologySpread.js';

export interface NodeScore {
  readonly node: number;
  readonly taints: number;
  readonly nodeAffinity: number;
  readonly leastAllocated: number;
  readonly spread: number;
  readonly podAffinity: number;
  readonly balanced: number;
  readonly images: number;
  /** Weighted. */
  readonly total: number;
}

const WEIGHTS = {
  taints: 3,
  nodeAffinity: 2,
  leastAllocated: 1,
  spread: 2,
  podAffinity: 2,
  balanced: 1,
  images: 1,
} as const;
const PARTS = Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[];
const MAX_NODE_SCORE = 100;
const MI = 2 ** 20;
/** Smaller images count as nothing, and above the second one per container more is no better. */
const IMAGE_BYTES_MIN = 23 * MI;
const IMAGE_BYTES_MAX_PER_CONTAINER = 1000 * MI;
/** What LeastAllocated assumes for a pod that requests nothing. */
const ASSUMED_REQUESTS: Resources = { cpuMillicores: 100, memoryBytes: 200 * MI };

export function scoreNodes(input: TotalInput, feasible: readonly number[]): NodeScore[] {
  const { pod, nodes, kubernetesMinor } = input;
  const passed = feasible.map((node) => nodes[node]!);
  const spread = spreadScores(input, feasible, (node) => isEligible(pod, nodes[node]!, node));
  const podAffinity = affinityScores(input, feasible);
  const taints = stretch(passed.map((node) => countUntoleratedPreferences(pod.tolerations, allTaints(node))));
  const nodeAffinity = stretch(passed.map((node) => preferenceOf(pod, node)));
  const imageScore = imageScorer(pod, nodes);
  return feasible.map((node, f) => {
    const { allocatable, requested, nonZeroRequested } = passed[f]!;
    const parts = {
      node,
      total: 0,
      taints: MAX_NODE_SCORE - taints[f]!,
      nodeAffinity: nodeAffinity[f]!,
      leastAllocated: leastAllocatedScore(allocatable, add(nonZeroRequested, nonZeroRequests(pod.requests))),
      spread: spread[f]!,
      podAffinity: podAffinity[f]!,
      balanced: balancedScore(allocatable, requested, pod.requests, kubernetesMinor),
      images: imageScore(passed[f]!),
    };
    for (const part of PARTS) parts.total += WEIGHTS[part] * parts[part];
    return parts;
  });
}

/** Sum of the weights of the preferences that the node meets. */
function preferenceOf(pod: TotalPod, node: TotalNode): number {
  if (pod.preferredNodes.length === 0) return 0;
  const labels = allLabels(node);
  let sum = 0;
  for (const { weight, term } of pod.preferredNodes) if (matchesNodeTerm(term, labels, node.name)) sum += weight;
  return sum;
}

/** The largest becomes 100; all zero stay so. */
function stretch(counts: readonly number[]): number[] {
  const max = Math.max(0, ...counts);
  return counts.map((count) => (max === 0 ? 0 : Math.trunc((MAX_NODE_SCORE * count) / max)));
}

function add(a: Resources, b: Resources): Resources {
  return { cpuMillicores: a.cpuMillicores + b.cpuMillicores, memoryBytes: a.memoryBytes + b.memoryBytes };
}

/** The requests that LeastAllocated counts for one pod. */
export function nonZeroRequests(requests: Resources): Resources {
  return {
    cpuMillicores: requests.cpuMillicores || ASSUMED_REQUESTS.cpuMillicores,
    memoryBytes: requests.memoryBytes || ASSUMED_REQUESTS.memoryBytes,
  };
}

/** Mean of the free shares in percent, with the incoming pod in `requested`. */
export function leastAllocatedScore(allocatable: Resources, requested: Resources): number {
  const freePercent = (resource: keyof Resources) =>
    requested[resource] > allocatable[resource]
      ? 0
      : Math.trunc(((allocatable[resource] - requested[resource]) * MAX_NODE_SCORE) / allocatable[resource]);
  const counted = resourcesOf(allocatable);
  if (counted.length === 0) return 0;
  return Math.trunc(counted.reduce((sum, resource) => sum + freePercent(resource), 0) / counted.length);
}

/** `requested` without the pod. */
export function balancedScore(
  allocatable: Resources,
  requested: Resources,
  podRequests: Resources,
  kubernetesMinor: number,
): number {
  const requestsNothing = podRequests.cpuMillicores === 0 && podRequests.memoryBytes === 0;
  if (kubernetesMinor >= 33 && requestsNothing) return 0;
  const scoreWith = balancedAllocationScore(allocatable, add(requested, podRequests));
  if (kubernetesMinor < 36) return scoreWith;
  const half = MAX_NODE_SCORE / 2;
  return half + Math.trunc((half + scoreWith - balancedAllocationScore(allocatable, requested)) / 2);
}

/** High where CPU and memory would be used up evenly: 1 minus the standard deviation of the two shares. */
export function balancedAllocationScore(allocatable: Resources, requested: Resources): number {
  const shares = resourcesOf(allocatable).map((resource) => Math.min(1, requested[resource] / allocatable[resource]));
  const deviation = shares.length === 2 ? Math.abs((shares[0]! - shares[1]!) / 2) : 0;
  return Math.trunc((1 - deviation) * MAX_NODE_SCORE);
}

/** A resource that the node does not have is left out. */
function resourcesOf(allocatable: Resources): (keyof Resources)[] {
  return (['cpuMillicores', 'memoryBytes'] as const).filter((resource) => allocatable[resource] > 0);
}

/** An image counts with its size times the share of nodes that hold it, so that one warm node does not draw all pods. */
function imageScorer(pod: TotalPod, nodes: readonly TotalNode[]): (node: TotalNode) => number {
  if (pod.images.length === 0) return () => 0;
  const holders = new Map<string, number>();
  for (const { imageBytes } of nodes) {
    for (const image of new Set(pod.images)) {
      if (imageBytes[image] !== undefined) holders.set(image, (holders.get(image) ?? 0) + 1);
    }
  }
  const mostBytes = IMAGE_BYTES_MAX_PER_CONTAINER * pod.images.length;
  return ({ imageBytes }) => {
    let sumBytes = 0;
    for (const image of pod.images) {
      const bytes = imageBytes[image];
      if (bytes !== undefined) sumBytes += Math.trunc(bytes * (holders.get(image)! / nodes.length));
    }
    const counted = Math.min(mostBytes, Math.max(IMAGE_BYTES_MIN, sumBytes));
    return Math.trunc((MAX_NODE_SCORE * (counted - IMAGE_BYTES_MIN)) / (mostBytes - IMAGE_BYTES_MIN));
  };
}
