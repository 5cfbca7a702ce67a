/**
 * Faults that bend the world without taking anything out of it: services that answer 500, slower or lossy links between
 * zones, partitions, users who send failed requests again, slow pods, parts of the control plane that are out of order.
 * Several may act at once; the world's tables are made anew from all that act, so that nothing is left over when the last
 * one ends. With a ramp a fault grows in steps.
 */
import type { Fault } from '../../scenarios/types.js';
import { RAMP_STEPS } from '../loadBurst.js';
import { planRoutes } from './endpoints.js';
import { wakeQueues } from './externals.js';
import { setSlowdown } from './slowPods.js';
import type { Sim } from './state.js';

const EFFECTS = [
  'serviceFailure',
  'linkLatency',
  'linkLoss',
  'zonePartition',
  'retryStorm',
  'slowPod',
  'istiodDown',
  'prometheusOutage',
  'scrapeGap',
  'staleMetrics',
  'apiErrors',
  'apiSlow',
] as const;

export type EffectFault = Extract<Fault, { kind: (typeof EFFECTS)[number] }>;

function isEffect(fault: Fault): fault is EffectFault {
  return (EFFECTS as readonly string[]).includes(fault.kind);
}

export function planEffects(sim: Sim): void {
  /** How far each fault has grown, 0 to 1. */
  const strength = new Map<EffectFault, number>();
  for (const fault of sim.world.program.scenario.faults) {
    if (!isEffect(fault)) continue;
    const set = (value: number, nowUs: number): void => {
      if (value === 0) strength.delete(fault);
      else strength.set(fault, value);
      applyEffects(sim, strength);
      wakeQueues(sim.world, nowUs);
      if (fault.kind === 'slowPod') setSlowdown(sim, fault, value, nowUs);
      if (!sim.outages.istiodDown) catchUp(sim, nowUs);
    };
    const steps = fault.rampUs > 0 ? RAMP_STEPS : 1;
    const endUs = fault.forUs === null ? Infinity : fault.atUs + fault.forUs;
    for (let step = 1; step <= steps; step++) {
      const atUs = fault.atUs + (fault.rampUs * (step - 1)) / steps;
      if (atUs < endUs) sim.calendar.at(atUs, (nowUs) => set(step / steps, nowUs));
    }
    if (endUs < Infinity) sim.calendar.at(endUs, (nowUs) => set(0, nowUs));
  }
}

/** Writes the tables of the world from the faults that act. Shares of independent faults combine as 1 - (1 - p)(1 - q). */
function applyEffects({ world, outages }: Sim, strength: ReadonlyMap<EffectFault, number>): void {
  const { program } = world;
  const acts = (kind: EffectFault['kind']): boolean => [...strength.keys()].some((fault) => fault.kind === kind);
  outages.istiodDown = acts('istiodDown');
  outages.prometheusDown = acts('prometheusOutage');
  outages.scrapesMissing = acts('scrapeGap');
  outages.metricsStale = acts('staleMetrics');
  outages.apiErrorShare = 0;
  outages.apiDelayUs = 0;
  const places = program.placeCount;
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
        for (const at of bothWays(fault, places)) world.zoneDelayUs[at]! += (fault.addedUs * grown) / 2;
        break;
      case 'linkLoss':
        for (const at of bothWays(fault, places)) combine(world.zoneLoss, at, fault.share * grown);
        break;
      case 'zonePartition':
        for (const at of bothWays(fault, places)) world.zoneLoss[at] = 1;
        break;
      case 'retryStorm':
        world.userRetries[fault.load] = Math.max(world.userRetries[fault.load]!, fault.retries);
        break;
      case 'apiErrors':
        outages.apiErrorShare = 1 - (1 - outages.apiErrorShare) * (1 - fault.share * grown);
        break;
      case 'apiSlow':
        outages.apiDelayUs += fault.addedUs * grown;
        break;
      case 'slowPod':
      case 'istiodDown':
      case 'prometheusOutage':
      case 'scrapeGap':
      case 'staleMetrics':
        break;
      default:
        throw new Error(`an effect that nothing applies: ${String(fault satisfies never)}`);
    }
  }
  world.anyLoss = world.zoneLoss.some((share) => share > 0);
  world.anyErrors = world.serviceErrorShare.some((share) => share > 0);
}

/** Istiod is back: what has waited for it goes on, and what has changed is pushed. */
function catchUp(sim: Sim, nowUs: number): void {
  const { waiting, changedRoutes } = sim.outages;
  const waited = [...waiting];
  const changed = [...changedRoutes];
  waiting.clear();
  changedRoutes.clear();
  for (const goOn of waited) goOn(nowUs);
  for (const service of changed) planRoutes(sim, service, nowUs);
}

function combine(shares: Float64Array, at: number, share: number): void {
  shares[at] = 1 - (1 - shares[at]!) * (1 - share);
}

function bothWays({ from, to }: { readonly from: number; readonly to: number }, places: number): number[] {
  return [from * places + to, to * places + from];
}
