/**
 * What keeps the pods of a workload: its Deployment (deployments.ts) or StatefulSet (statefulSets.ts), as the scenario
 * says. Here is what both share: revisions of the pod template, when a pod counts as available, and that the controller
 * looks again when a pod has become ready, has ceased to be, or is gone.
 */
import type { Service } from '../../scenarios/types.js';
import { reconcile } from './pods.js';
import { newDeployment, syncDeployment } from './deployments.js';
import { newStatefulSet, syncStatefulSet } from './statefulSets.js';
import { lookAtRollout } from './rollout.js';
import type { Revision, Sim, SimWorkload } from './state.js';

/** The part of a new workload that its controller works on. */
export function newController(
  { controller, startUp: { imagePull, ready } }: Service,
  replicas: number,
): Pick<SimWorkload, 'desired' | 'revision' | 'controller' | 'sync' | 'syncPlanned' | 'rollout'> {
  const revision: Revision = { imagePull, ready, neverReady: false };
  const isDeployment = controller.kind === 'Deployment';
  const sync = isDeployment ? syncDeployment : syncStatefulSet;
  return {
    desired: replicas,
    revision,
    controller: isDeployment ? newDeployment(controller, revision, replicas) : newStatefulSet(controller, revision),
    sync(sim, workload, nowUs, hints) {
      lookAtRollout(workload, nowUs);
      sync(sim, workload, nowUs, hints);
      lookAtRollout(workload, nowUs);
    },
    syncPlanned: false,
    rollout: null,
  };
}

/** Whether anything happens between the wishes of autoscalers and engine: else nobody need be told of pods. */
export function watchPods(sim: Sim): void {
  const { rollouts, services } = sim.world.program.scenario;
  if (rollouts.length === 0 && services.every(({ controller }) => controller.kind === 'Deployment')) return;
  sim.onPodChange = (workload, nowUs) => {
    planSync(sim, workload, nowUs);
    const { minReadyUs } = workload.controller;
    if (minReadyUs > 0) sim.calendar.at(nowUs + minReadyUs, (laterUs) => planSync(sim, workload, laterUs));
  };
}

/** A StatefulSet acts on every change; a Deployment only while a rollout is under way. */
function planSync(sim: Sim, workload: SimWorkload, nowUs: number): void {
  const isUnderWay = workload.rollout !== null && workload.rollout.endedUs === null;
  if (workload.syncPlanned || !(isUnderWay || workload.controller.kind === 'StatefulSet')) return;
  workload.syncPlanned = true;
  // Not within the change itself, which may come from a pass of the controller.
  sim.calendar.at(nowUs, (laterUs) => {
    workload.syncPlanned = false;
    reconcile(sim, workload, laterUs);
  });
}
