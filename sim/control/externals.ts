/**
 * Externals and brokers in the control plane: instances that stand in the zones from the start (or outside of them),
 * with neither nodes nor pods. Nobody watches over them: their endpoints are those of a ServiceEntry, which has no
 * probes, so proxies go on sending to one that is lost, until outlier detection ejects it. An outage of a zone takes its
 * instances along; messages outlive it, on the broker's disks.
 */
import type { RouteEndpoint } from '../mesh/locality.js';
import { armDispatch } from '../queues.js';
import { POD_SERVING, type World } from '../world.js';
import { killSlot, takeSlot } from './slots.js';
import type { Sim } from './state.js';

/** Slots that a service without pods needs; null: it has pods. */
export function instanceCount(world: World['program'], service: number): number | null {
  const { external, replicas } = world.services[service]!;
  return external === null ? null : replicas;
}

/** Puts every instance in its place, open for requests. */
export function startExternals(sim: Sim): void {
  const { world } = sim;
  const { program } = world;
  program.services.forEach(({ external }, service) => {
    if (external === null) return;
    const zones = external.perZone?.flatMap((count, zone) => new Array<number>(count).fill(zone)) ?? [
      program.outsidePlace[service]!,
    ];
    zones.forEach((zone, i) => {
      const slot = world.podBase[service]! + i;
      takeSlot(world, slot, -1, zone, 0);
      world.podState[slot] = POD_SERVING;
      sim.sensors.generation[slot] = 1;
    });
  });
}

/** Endpoints of an external as proxies know them; null: a service with pods. One from outside is in no zone. */
export function externalEndpoints({ world }: Sim, service: number): RouteEndpoint[] | null {
  const { program } = world;
  if (program.services[service]!.external === null) return null;
  const endpoints: RouteEndpoint[] = [];
  for (let slot = world.podBase[service]!; slot < world.podBase[service + 1]!; slot++) {
    const zone = program.scenario.cluster.zones[world.podZone[slot]!]?.name ?? '/';
    endpoints.push({ index: slot, zone, node: '', healthy: true });
  }
  return endpoints;
}

/** Instances in a zone that is lost: their requests hang until the callers give up. */
export function loseExternals(sim: Sim, zone: number): void {
  const { connectTimeoutUs } = sim.world.program.scenario.mesh;
  for (const slot of slotsIn(sim.world, zone)) killSlot(sim.world, slot, connectTimeoutUs);
}

export function recoverExternals(sim: Sim, zone: number, nowUs: number): void {
  const { world } = sim;
  for (const slot of slotsIn(world, zone)) world.podState[slot] = POD_SERVING;
  wakeQueues(world, nowUs);
}

/** What kept consumers from their brokers may be over. */
export function wakeQueues(world: World, nowUs: number): void {
  for (const queue of world.queues) armDispatch(world, queue, nowUs);
}

function slotsIn(world: World, zone: number): number[] {
  return world.program.services.flatMap(({ external }, service) => {
    if (external === null) return [];
    const base = world.podBase[service]!;
    return Array.from({ length: world.podCapacity[service]! }, (_, i) => base + i).filter(
      (slot) => world.podZone[slot] === zone,
    );
  });
}
