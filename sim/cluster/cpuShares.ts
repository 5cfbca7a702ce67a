/**
 * The weight of a pod, of a container or of a QoS class against others when they want more CPU than their node has. It
 * follows from the CPU request, by a formula that depends on the container runtime: the old one is a straight line, the new
 * one bends, so that 500m and 1000m no longer share 1 : 2.
 *
 * Cgroups nest: guaranteed pods stand beside two groups that hold all burstable and all best-effort pods. The burstable
 * group weighs as the sum of its requests, the best-effort group the least there is (kubelet's qos_container_manager).
 * What the weights then give each pod is in sim/nodeCpu.ts.
 *
 * Source: Kubernetes blog "New Conversion from cgroup v1 CPU Shares to v2 CPU Weight" (2026-01-30), kubelet's
 * MilliCPUToShares; SEMANTICS B12. Idle cores are free to all: without contention the weights do not matter.
 */
import log from '@stdlib/math-base-special-ln';
import pow from '@stdlib/math-base-special-pow';
import type { CpuWeights } from '../../scenarios/types.js';

/** `shares`: cgroup v1, whose shares are the weights themselves. */
export type WeightFormula = CpuWeights;

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const MAX_WEIGHT = 10_000;

/** `cpu.shares` of a request (cgroup v1). */
export function cpuShares(requestMillicores: number): number {
  return Math.min(Math.max(Math.trunc((requestMillicores * 1024) / 1000), MIN_SHARES), MAX_SHARES);
}

/**
 * `cpu.weight` of shares (cgroup v2). The cgroup of a container has it from the runtime: linear before runc 1.3.2 and crun
 * 1.23, curved since. Those of a pod and of a QoS class have it from the kubelet's copy of the same code: curved from
 * Kubernetes 1.35 on (kubernetes/enhancements issue 5246, comment of 2025-09-26; kubernetes/kubernetes pull 132791).
 */
export function cpuWeight(shares: number, formula: WeightFormula): number {
  if (formula === 'shares') return shares;
  if (formula === 'linear')
    return 1 + Math.trunc(((shares - MIN_SHARES) * (MAX_WEIGHT - 1)) / (MAX_SHARES - MIN_SHARES));
  if (shares <= MIN_SHARES) return 1;
  if (shares >= MAX_SHARES) return MAX_WEIGHT;
  const l = log2(shares);
  return Math.ceil(pow(10, (l * l + 125 * l) / 612 - 7 / 34));
}

/** Exact for powers of two, where the curve meets whole numbers and a last bit would round up. */
function log2(shares: number): number {
  const exponent = 31 - Math.clz32(shares);
  const fraction = shares / (1 << exponent);
  return fraction === 1 ? exponent : exponent + 1 + log(fraction / 2) * Math.LOG2E;
}
