/**
 * Pods that are slow though they use no more CPU than others: a part of their time is stolen by what Kubernetes does not
 * see (the fault slowPod). Those that are hit stay hit when their container starts again; with no number given it is all
 * pods of the service, new ones too.
 */
import type { Fault } from '../../scenarios/types.js';
import { setStolenShare } from '../sharing.js';
import { podsHit } from './faultTargets.js';
import type { Sim, SimPod } from './state.js';

export type SlowPodFault = Extract<Fault, { kind: 'slowPod' }>;

export interface Slowdown {
  /** Null: all of the service. */
  readonly pods: ReadonlySet<SimPod> | null;
  /** Stolen now, 0 to 1; grows while the fault does. */
  share: number;
}

/** `grown`, 0 to 1, says how much of the fault acts from now on. The pods are chosen when it begins. */
export function setSlowdown(sim: Sim, fault: SlowPodFault, grown: number, nowUs: number): void {
  const known = sim.slowdowns.get(fault);
  if (grown === 0) sim.slowdowns.delete(fault);
  else if (known !== undefined) known.share = fault.share * grown;
  else {
    const pods = fault.pods === null ? null : new Set(podsHit(sim, fault.service, fault.pods));
    sim.slowdowns.set(fault, { pods, share: fault.share * grown });
  }
  const service = sim.world.program.indexOf[fault.service]!;
  for (const pod of sim.pods) if (pod.workload.service === service && pod.slot >= 0) slowDown(sim, pod, nowUs);
}

/** Takes from a pod what the faults that act steal from it: those of independent ones combine as 1 - (1 - a)(1 - b). */
export function slowDown(sim: Sim, pod: SimPod, nowUs: number): void {
  const { program } = sim.world;
  const { service } = pod.workload;
  if (program.mayBeSlowed[service] !== true) return;
  let kept = 1;
  for (const [fault, { pods, share }] of sim.slowdowns)
    if (program.indexOf[fault.service] === service && (pods === null || pods.has(pod))) kept *= 1 - share;
  setStolenShare(sim.world, pod.slot, 1 - kept, nowUs);
}
