/**
 * A node whose pods share its cores, in exact time: from one moment at which something changes to the next (a job comes, a
 * job is done, a quota is used up, a period begins) every thread runs at the rate that the weights give it. The cores are
 * poured drop by drop, the groups of pods first (test/models/slowShares.ts). No virtual time, no heap, no rounding.
 */
import { slowShares } from './slowShares.js';

export interface FluidPod {
  readonly qos: 'Guaranteed' | 'Burstable' | 'BestEffort';
  readonly weight: number;
  /** CPU microseconds per period; Infinity: no limit. */
  readonly quotaUs: number;
  /** Part of its time (0..1) that is stolen. */
  readonly stolen: number;
}

export interface FluidJob {
  readonly pod: number;
  readonly atUs: number;
  readonly demandUs: number;
}

export interface FluidNode {
  readonly coreCount: number;
  readonly periodUs: number;
  /** Weights of the groups, which do not follow from those of their pods. */
  readonly burstableWeight: number;
  readonly bestEffortWeight: number;
}

/** When each job is done, in microseconds with fractions, and what each pod has used by then. */
export function contendedNode(
  node: FluidNode,
  pods: readonly FluidPod[],
  jobs: readonly FluidJob[],
): { readonly doneUs: number[]; readonly usedUs: number[] } {
  const left = jobs.map((job) => job.demandUs);
  const doneUs = jobs.map(() => -1);
  const usedUs = pods.map(() => 0);
  const quotaLeftUs = pods.map((pod) => pod.quotaUs);
  let nowUs = 0;
  while (doneUs.some((done) => done < 0)) {
    const present = jobs.flatMap((job, j) => (job.atUs <= nowUs && doneUs[j]! < 0 ? [j] : []));
    const threads = pods.map((_, p) => (quotaLeftUs[p]! > 1e-9 ? present.filter((j) => jobs[j]!.pod === p).length : 0));
    const cores = coresOf(node, pods, threads);
    const speed = pods.map((pod, p) => (threads[p]! > 0 ? (cores[p]! / threads[p]!) * (1 - pod.stolen) : 0));
    const periodEndUs = Math.floor(nowUs / node.periodUs + 1e-12) * node.periodUs + node.periodUs;
    const moments = [periodEndUs, ...jobs.flatMap((job) => (job.atUs > nowUs ? [job.atUs] : []))];
    for (const j of present) if (speed[jobs[j]!.pod]! > 0) moments.push(nowUs + left[j]! / speed[jobs[j]!.pod]!);
    for (const [p] of pods.entries())
      if (speed[p]! > 0) moments.push(nowUs + quotaLeftUs[p]! / (speed[p]! * threads[p]!));
    const nextUs = Math.min(...moments);
    for (const [p] of pods.entries()) {
      const ranUs = (nextUs - nowUs) * speed[p]! * threads[p]!;
      usedUs[p]! += ranUs;
      quotaLeftUs[p] = nextUs === periodEndUs ? pods[p]!.quotaUs : quotaLeftUs[p]! - ranUs;
    }
    for (const j of present) {
      left[j]! -= (nextUs - nowUs) * speed[jobs[j]!.pod]!;
      if (left[j]! <= 1e-7) doneUs[j] = nextUs;
    }
    nowUs = nextUs;
  }
  return { doneUs, usedUs };
}

/** Guaranteed pods stand beside two groups; inside a group its pods share what it got. */
function coresOf(node: FluidNode, pods: readonly FluidPod[], threads: readonly number[]): number[] {
  const claim = (p: number) => ({ weight: pods[p]!.weight, demandCores: threads[p]!, limitCores: Infinity });
  const of = (qos: FluidPod['qos']): number[] => pods.flatMap((pod, p) => (pod.qos === qos ? [p] : []));
  const groups = [of('Burstable'), of('BestEffort')];
  const guaranteed = of('Guaranteed');
  const given = slowShares(
    [
      ...guaranteed.map(claim),
      ...groups.map((members, g) => ({
        weight: g === 0 ? node.burstableWeight : node.bestEffortWeight,
        demandCores: members.reduce((sum, p) => sum + threads[p]!, 0),
        limitCores: Infinity,
      })),
    ],
    node.coreCount,
  );
  const cores = pods.map(() => 0);
  guaranteed.forEach((p, i) => (cores[p] = given[i]!));
  groups.forEach((members, g) => {
    const inside = slowShares(members.map(claim), given[guaranteed.length + g]!);
    members.forEach((p, i) => (cores[p] = inside[i]!));
  });
  return cores;
}
