/**
 * What the callers of each zone ask of each Service, whatever becomes of it: the requests that client proxies count by
 * destination, with those that they refused and those sent to pods that are gone by now. Retries are requests too.
 */
import type { SnapshotOffered } from '../../engine/types.js';
import { windowOfferedPerSecond } from './sensors.js';
import type { Sim } from './state.js';

export function offeredByZone({ world, sensors }: Sim, namespace: string): SnapshotOffered[] {
  const { program, podBase, podCapacity } = world;
  const { zones } = program.scenario.cluster;
  const rates = new Map<number, number>();
  for (let edge = 0; edge < program.edgeCount; edge++) {
    const source = program.edgeSource[edge]!;
    const destination = program.edgeDestination[edge]!;
    // A pool of versions answers to the names of several: only what was sent to one of them is its.
    const services = new Set<number>();
    for (let slot = 0; slot < podCapacity[destination]!; slot++)
      services.add(world.podService[podBase[destination]! + slot]!);
    for (let caller = podBase[source]!; caller < podBase[source + 1]!; caller++) {
      const zone = world.podZone[caller]!;
      if (zone >= zones.length) continue;
      const callerSlot = caller - podBase[source]!;
      const row = world.connectionBase[edge]! + callerSlot * podCapacity[destination]!;
      for (const service of services) {
        const from = row + podBase[service]! - podBase[destination]!;
        const refusedAt = services.size === 1 ? world.rotationBase[edge]! + callerSlot : -1;
        const rate = windowOfferedPerSecond(sensors, caller, from, from + podCapacity[service]!, refusedAt);
        if (rate > 0) rates.set(service * zones.length + zone, (rates.get(service * zones.length + zone) ?? 0) + rate);
      }
    }
  }
  return [...rates].map(([key, requestsPerSecond]) => ({
    sourceZone: zones[key % zones.length]!.name,
    destination: { namespace, service: program.services[Math.floor(key / zones.length)]!.name },
    requestsPerSecond,
  }));
}
