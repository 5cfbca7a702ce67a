/** Which pods a fault hits that names a service and perhaps a number of its pods. */
import type { Sim, SimPod } from './state.js';

/** The oldest pods of a service (its position in the scenario) that are on a node, so many of them; null: all. */
export function podsHit(sim: Sim, declared: number, count: number | null): SimPod[] {
  const service = sim.world.program.indexOf[declared]!;
  const pods = [...sim.pods]
    .filter((pod) => pod.workload.service === service && pod.slot >= 0)
    .sort((a, b) => a.uid - b.uid);
  return count === null ? pods : pods.slice(0, count);
}
