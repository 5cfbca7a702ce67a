/**
 * The black-hole drill: all endpoints of one service (and its versions) in some zones are gone at once, those that its routes name, and the
 * engine that wrote the routes is dead. Traffic must find what is left, or the replacements, without it.
 *
 * The pods' processes stop and the API knows at once, so their ReplicaSet replaces them right away. Unless the zones are
 * all there are, new pods of any service cannot start in them: otherwise the replacements would fill the hole.
 */
import { deletePod, loseProcess, queueUp, reconcile } from './pods.js';
import { versionsOf } from '../routes.js';
import type { Sim } from './state.js';

export interface Drill {
  readonly atUs: number;
  /** Positions in the scenario. */
  readonly service: number;
  readonly zones: readonly number[];
}

export function planDrill(sim: Sim, { atUs, service, zones }: Drill): void {
  sim.calendar.at(atUs, (nowUs) => {
    const { indexOf, scenario } = sim.world.program;
    if (zones.length < scenario.cluster.zones.length) {
      for (const node of sim.nodes) if (zones.includes(node.spec.zone)) node.ready = false;
      for (const zone of zones) sim.closedZones.add(zone);
    }
    const behind = versionsOf(sim.world.program, indexOf[service]!);
    for (const workload of sim.workloads) {
      if (!behind.includes(workload.service)) continue;
      for (const pod of [...workload.pods]) {
        if (pod.deletedUs !== null || !pod.node || !zones.includes(pod.node.spec.zone)) continue;
        if (!pod.dead) loseProcess(sim, pod, nowUs);
        deletePod(sim, pod, nowUs);
      }
      reconcile(sim, workload, nowUs);
    }
  });
}

/** A dead engine gates nothing, as its webhook lets pods pass when it does not answer, and gates that wait are lifted. */
export function stopEngine(sim: Sim, nowUs: number): void {
  sim.engineStopped = true;
  for (const pod of [...sim.unscheduled]) {
    pod.gated = false;
    queueUp(sim, pod, nowUs);
  }
}
