/**
 * Rollouts of the scenario: at its time the pod template of a service changes, in each of its workloads, and their
 * controllers do the rest. And what became of each: when every pod was new and available, how few were available
 * meanwhile, how many there were at most.
 */
import type { RolloutFigures } from '../../traces/run-result.js';
import { availablePods, isActive, isAvailable } from './availability.js';
import { isRolledOut } from './deployments.js';
import { reconcile } from './pods.js';
import { isUpdated } from './statefulSets.js';
import type { Revision, Rollout, Sim, SimPod, SimWorkload } from './state.js';
import { round } from './series.js';

export function planRollouts(sim: Sim): void {
  const { scenario, services, indexOf } = sim.world.program;
  for (const { atUs, service, ready, imagePull, neverReady } of scenario.rollouts) {
    const index = indexOf[service]!;
    const { startUp } = services[index]!;
    sim.calendar.at(atUs, (nowUs) => {
      const revision: Revision = {
        imagePull: imagePull ?? startUp.imagePull,
        ready: ready ?? startUp.ready,
        neverReady,
      };
      for (const workload of sim.workloads) {
        if (workload.service !== index) continue;
        if (workload.rollout?.endedUs === null) workload.rollout.endedUs = nowUs;
        const available = availablePods(workload, nowUs);
        const { length: pods } = workload.pods.filter(isActive);
        const begun: Rollout = {
          ...{ workload, revision, startedUs: nowUs, endedUs: null, isFinished: false },
          ...{ fewestAvailable: available, mostPods: pods },
        };
        sim.rollouts.push(begun);
        workload.rollout = begun;
        workload.revision = revision;
        reconcile(sim, workload, nowUs);
      }
    });
  }
}

/** Before and after each pass of the controller, and so after every change of a pod. */
export function lookAtRollout(workload: SimWorkload, nowUs: number): void {
  const { rollout } = workload;
  if (rollout === null || rollout.endedUs !== null) return;
  rollout.fewestAvailable = Math.min(rollout.fewestAvailable, availablePods(workload, nowUs));
  rollout.mostPods = Math.max(rollout.mostPods, workload.pods.filter(isActive).length);
  const isDone = workload.controller.kind === 'Deployment' ? isRolledOut : isUpdated;
  if (!isDone(workload, nowUs)) return;
  rollout.isFinished = true;
  rollout.endedUs = nowUs;
}

export function rolloutFigures(sim: Sim): RolloutFigures[] {
  const { services } = sim.world.program;
  return sim.rollouts.map((rollout) => {
    const { workload, startedUs, endedUs, isFinished, fewestAvailable, mostPods } = rollout;
    return {
      service: services[workload.service]!.name,
      workload: workload.name,
      atSeconds: round((startedUs - sim.world.measureFromUs) / 1e6),
      outcome: outcomeOf(sim, rollout),
      tookSeconds: isFinished ? round((endedUs! - startedUs) / 1e6) : null,
      fewestAvailable,
      mostPods,
    };
  });
}

function outcomeOf(sim: Sim, { workload, endedUs, isFinished }: Rollout): RolloutFigures['outcome'] {
  if (isFinished) return 'finished';
  if (endedUs !== null) return 'superseded';
  const missing = workload.pods.filter((pod) => !isAvailable(pod, sim.endUs));
  return missing.length > 0 && missing.every(isHopeless) ? 'stuck' : 'underWay';
}

/** Waiting does not help: it never gets ready, has no room, or cannot go while its node is away. */
function isHopeless(pod: SimPod): boolean {
  if (pod.deletedUs !== null) return pod.node !== null && !pod.node.up;
  return pod.revision.neverReady || pod.node === null;
}
