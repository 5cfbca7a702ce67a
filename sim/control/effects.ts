/**
 * Faults that bend the world without taking anything out of it: services that answer 500, slower or lossy links between
 * zones, partitions, users who send failed requests again. Several may act at once; the world's tables are made anew from
 * all that act, so that nothing is left over when the last one ends. With a ramp a fault grows in steps.
 */
import type { Fault } from '../../scenarios/types.js';
import type { World } from '../world.js';
import type { Sim } from './state.js';

export type EffectFault = Exclude<Fault, { kind: 'zoneOutage' | 'nodeLoss' }>;

/** A ramp is climbed in this many steps: fine enough for charts, few enough to cost nothing. */
const RAMP_STEPS = 10;

export function isEffect(fault: Fault): fault is EffectFault {
  return fault.kind !== 'zoneOutage' && fault.kind !== 'nodeLoss';
}

export function planEffects(sim: Sim): void {
  /** How far each fault has grown, 0 to 1. */
  const strength = new Map<EffectFault, number>();
  for (const fault of sim.world.program.scenario.faults) {
    if (!isEffect(fault)) continue;
    const set = (value: number): void => {
      if (value === 0) strength.delete(fault);
      else strength.set(fault, value);
      applyEffects(sim.world, strength);
    };
    const steps = fault.rampUs > 0 ? RAMP_STEPS : 1;
    const endUs = fault.forUs === null ? Infinity : fault.atUs + fault.forUs;
    for (let step = 1; step <= steps; step++) {
      const atUs = fault.atUs + (fault.rampUs * (step - 1)) / steps;
      if (atUs < endUs) sim.calendar.at(atUs, () => set(step / steps));
    }
    if (endUs < Infinity) sim.calendar.at(endUs, () => set(0));
  }
}

/** Writes the tables of the world from the faults that act. Shares of independent faults combine as 1 - (1 - p)(1 - q). */
function applyEffects(world: World, strength: ReadonlyMap<EffectFault, number>): void {
  const { program } = world;
  const zones = program.scenario.cluster.zones.length;
  world.zoneDelayUs.set(program.zoneDelayUs);
  world.zoneLoss.fill(0);
  world.serviceErrorShare.fill(0);
  world.userRetries.fill(0);
  for (const [fault, grown] of strength) {
    switch (fault.kind) {
      case 'serviceFailure':
        combine(world.serviceErrorShare, program.indexOf[fault.service]!, fault.share * grown);
        break;
      case 'linkLatency':
        for (const at of bothWays(fault, zones)) world.zoneDelayUs[at]! += (fault.addedUs * grown) / 2;
        break;
      case 'linkLoss':
        for (const at of bothWays(fault, zones)) combine(world.zoneLoss, at, fault.share * grown);
        break;
      case 'zonePartition':
        for (const at of bothWays(fault, zones)) world.zoneLoss[at] = 1;
        break;
      case 'retryStorm':
        world.userRetries[fault.load] = Math.max(world.userRetries[fault.load]!, fault.retries);
        break;
    }
  }
  world.anyLoss = world.zoneLoss.some((share) => share > 0);
  world.anyErrors = world.serviceErrorShare.some((share) => share > 0);
}

function combine(shares: Float64Array, at: number, share: number): void {
  shares[at] = 1 - (1 - shares[at]!) * (1 - share);
}

function bothWays({ from, to }: { readonly from: number; readonly to: number }, zones: number): number[] {
  return [from * zones + to, to * zones + from];
}
