/**
 * How pods share a node's cores when they want more than there are, at one moment: water poured into vessels as wide as
 * their weight, each closed at the height where demand or limit is met. Guaranteed pods stand beside two groups that hold
 * all burstable and all best-effort pods, as their cgroups do.
 */
import { cpuShares, cpuWeight, type WeightFormula } from '../../sim/cluster/cpuShares.js';
import type { QosClass } from '../../sim/cluster/oom.js';

export interface CpuClaim {
  readonly weight: number;
  readonly demandCores: number;
  /** Infinity: no limit. */
  readonly limitCores: number;
}

/** Cores each claim gets, in the order given; together they never exceed `cores`. */
export function shareCores(claims: readonly CpuClaim[], cores: number): number[] {
  const caps = claims.map(({ demandCores, limitCores }) => Math.min(demandCores, limitCores));
  // Whoever is filled at the lowest water level is filled first, and frees the rest for the others.
  const order = claims
    .map((_, c) => c)
    .sort((a, b) => caps[a]! / claims[a]!.weight - caps[b]! / claims[b]!.weight || a - b);
  let left = cores;
  let weightLeft = claims.reduce((sum, { weight }) => sum + weight, 0);
  const given = claims.map(() => 0);
  for (const c of order) {
    const { weight } = claims[c]!;
    const share = Math.min(caps[c]!, (left * weight) / weightLeft);
    given[c] = share;
    left -= share;
    weightLeft -= weight;
  }
  return given;
}

export interface CpuPod {
  readonly qos: QosClass;
  readonly requestMillicores: number;
  readonly demandCores: number;
  /** Infinity: no limit. */
  readonly limitCores: number;
}

/** Cores each pod of a node gets, in the order given, with the QoS groups in between. */
export function shareNodeCores(pods: readonly CpuPod[], cores: number, formula: WeightFormula): number[] {
  const weightOf = (requestMillicores: number) => cpuWeight(cpuShares(requestMillicores), formula);
  const claimOf = (pod: CpuPod): CpuClaim => ({ ...pod, weight: weightOf(pod.requestMillicores) });
  const groups = (['Burstable', 'BestEffort'] as const)
    .map((qos) => pods.flatMap((pod, p) => (pod.qos === qos ? [p] : [])))
    .filter((members) => members.length > 0);
  const guaranteed = pods.flatMap((pod, p) => (pod.qos === 'Guaranteed' ? [p] : []));
  const groupClaims = groups.map((members): CpuClaim => {
    const sum = (of: (pod: CpuPod) => number) => members.reduce((total, p) => total + of(pods[p]!), 0);
    return {
      weight: weightOf(sum(({ requestMillicores }) => requestMillicores)),
      demandCores: sum(({ demandCores, limitCores }) => Math.min(demandCores, limitCores)),
      limitCores: Infinity,
    };
  });
  const top = shareCores([...guaranteed.map((p) => claimOf(pods[p]!)), ...groupClaims], cores);
  const given = pods.map(() => 0);
  guaranteed.forEach((p, g) => (given[p] = top[g]!));
  groups.forEach((members, g) => {
    const inside = shareCores(
      members.map((p) => claimOf(pods[p]!)),
      top[guaranteed.length + g]!,
    );
    members.forEach((p, m) => (given[p] = inside[m]!));
  });
  return given;
}
