/**
 * Containers that end: once (podCrash), again and again (crashLoop), or when their memory is used up (memoryLeak, killed
 * at the limit, SEMANTICS B12). The node and its network live on, so open requests break and new ones are refused at
 * once, not after a time-out. The kubelet starts the container again with its back-off (sim/cluster/restartBackOff.ts).
 */
import type { Fault } from '../../scenarios/types.js';
import { DEFAULT_MAX_DELAY_US, restartAfterExit } from '../cluster/restartBackOff.js';
import { POD_STARTING } from '../world.js';
import { podsHit } from './faultTargets.js';
import { isRunning, leaveEndpoints, restart } from './pods.js';
import { killSlot } from './slots.js';
import type { Sim, SimPod } from './state.js';

export type CrashFault = Extract<Fault, { kind: 'podCrash' | 'crashLoop' | 'memoryLeak' }>;

export function isCrash(fault: Fault): fault is CrashFault {
  return fault.kind === 'podCrash' || fault.kind === 'crashLoop' || fault.kind === 'memoryLeak';
}

/** The kubelet looks at its pods once a second: what has ended is not started again sooner. */
const KUBELET_SYNC_US = 1_000_000;

export function planCrashes(sim: Sim): void {
  for (const fault of sim.world.program.scenario.faults) {
    if (!isCrash(fault) || fault.forUs === 0) continue;
    sim.calendar.at(fault.atUs, (nowUs) => {
      const pods = targets(sim, fault);
      if (fault.kind === 'podCrash') {
        for (const pod of pods) crash(sim, pod, nowUs);
        return;
      }
      const everyUs = livesUs(sim, fault);
      const loop = {
        fault,
        everyUs,
        sinceUs: nowUs,
        pods: fault.kind === 'crashLoop' && fault.pods !== null ? new Set(pods) : null,
      };
      sim.crashLoops.add(loop);
      for (const pod of pods) planCrash(sim, loop, pod, nowUs + everyUs);
      if (fault.forUs !== null) sim.calendar.at(nowUs + fault.forUs, () => sim.crashLoops.delete(loop));
    });
  }
  sim.onStart = (pod, startUs) => {
    for (const loop of sim.crashLoops) if (concerns(sim, loop, pod)) planCrash(sim, loop, pod, startUs + loop.everyUs);
  };
}

/** Bytes that a pod has leaked by now. */
export function leakedBytes(sim: Sim, pod: SimPod, nowUs: number): number {
  let bytes = 0;
  for (const loop of sim.crashLoops) {
    if (loop.fault.kind !== 'memoryLeak' || !concerns(sim, loop, pod) || !isRunning(pod, nowUs) || pod.dead) continue;
    bytes += (Math.max(0, nowUs - Math.max(loop.sinceUs, pod.startedUs!)) / 1e6) * loop.fault.bytesPerSecond;
  }
  return bytes;
}

/** A fault that acts now, on these pods (null: all of its service), each of which lives so long after a start. */
export interface CrashLoop {
  readonly fault: Extract<CrashFault, { kind: 'crashLoop' | 'memoryLeak' }>;
  readonly everyUs: number;
  readonly sinceUs: number;
  readonly pods: ReadonlySet<SimPod> | null;
}

function targets(sim: Sim, fault: CrashFault): SimPod[] {
  return podsHit(sim, fault.service, fault.kind === 'memoryLeak' ? null : fault.pods);
}

function concerns(sim: Sim, { fault, pods }: CrashLoop, pod: SimPod): boolean {
  return pods === null ? sim.world.program.indexOf[fault.service] === pod.workload.service : pods.has(pod);
}

/** A leak ends a container when what it uses at first and what has leaked reach the limit. */
function livesUs(sim: Sim, fault: CrashLoop['fault']): number {
  if (fault.kind === 'crashLoop') return fault.everyUs;
  const { limits, memoryUseBytes } = sim.world.program.scenario.services[fault.service]!;
  if (limits.memoryBytes === null) throw new Error('a memory leak without a limit: the loader checks limits');
  return Math.max(0, Math.ceil(((limits.memoryBytes - memoryUseBytes) / fault.bytesPerSecond) * 1e6));
}

function planCrash(sim: Sim, loop: CrashLoop, pod: SimPod, atUs: number): void {
  const { restarts } = pod;
  sim.calendar.at(atUs, (nowUs) => {
    if (sim.crashLoops.has(loop) && pod.restarts === restarts) crash(sim, pod, nowUs);
  });
}

function crash(sim: Sim, pod: SimPod, nowUs: number): void {
  // One on its way out would not be started again, and its drain is over soon.
  if (pod.dead || pod.deletedUs !== null || pod.slot < 0 || !pod.node || !isRunning(pod, nowUs)) return;
  pod.dead = true;
  pod.ready = false;
  killSlot(sim.world, pod.slot, null);
  sim.world.podState[pod.slot] = POD_STARTING;
  leaveEndpoints(sim, pod, nowUs);
  const { restartAtUs, state } = restartAfterExit(pod.restartState, nowUs, DEFAULT_MAX_DELAY_US);
  pod.restartState = state;
  const { restarts } = pod;
  sim.calendar.at(Math.max(restartAtUs, nowUs + KUBELET_SYNC_US), (laterUs) => {
    if (pod.dead && pod.restarts === restarts && pod.deletedUs === null && pod.node?.up) restart(sim, pod, laterUs);
  });
}
