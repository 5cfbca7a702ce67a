/**
 * Pods that wait for a node, as the run record tells of them: how many of each service, for how long in the measured
 * part, and what the scheduler said. A pod that finds its node at once is not among them.
 */
import type { WaitingPods } from '../../traces/run-result.js';
import { round } from './series.js';
import type { Sim, SimPod } from './state.js';

export interface ServiceWaits {
  pods: number;
  mostPods: number;
  /** Time waited by what was said of it, over the waits that are past. */
  readonly podUs: Map<string, number>;
}

export function createWaits(serviceCount: number): ServiceWaits[] {
  return Array.from({ length: serviceCount }, () => ({ pods: 0, mostPods: 0, podUs: new Map() }));
}

/** The pod goes on waiting, for this reason from now on. */
export function noteWait(sim: Sim, pod: SimPod, message: string, nowUs: number): void {
  if (pod.wait?.message === message) return;
  const waits = sim.scheduler.waits[pod.workload.service]!;
  if (pod.wait) addPast(sim, waits, pod.wait, nowUs);
  else {
    waits.pods++;
    waits.mostPods = Math.max(waits.mostPods, waits.pods);
  }
  pod.wait = { message, sinceUs: nowUs };
}

/** It has its node, or is deleted. */
export function endWait(sim: Sim, pod: SimPod, nowUs: number): void {
  if (!pod.wait) return;
  const waits = sim.scheduler.waits[pod.workload.service]!;
  addPast(sim, waits, pod.wait, nowUs);
  waits.pods--;
  pod.wait = null;
}

export function beginWaits(sim: Sim): void {
  for (const waits of sim.scheduler.waits) {
    waits.mostPods = waits.pods;
    waits.podUs.clear();
  }
}

/** More messages than this say little: their counts of nodes change with every pod. */
const MOST_REASONS = 3;

/** In the scenario's order, services whose pods never waited left out. */
export function waitFigures(sim: Sim): WaitingPods[] {
  const { program } = sim.world;
  return program.scenario.services.flatMap(({ name }, declared) => {
    const service = program.indexOf[declared]!;
    const waits = sim.scheduler.waits[service]!;
    if (waits.mostPods === 0) return [];
    const podUs = new Map(waits.podUs);
    for (const pod of sim.unscheduled) {
      if (pod.wait && pod.workload.service === service) {
        podUs.set(pod.wait.message, (podUs.get(pod.wait.message) ?? 0) + measuredUs(sim, pod.wait, sim.endUs));
      }
    }
    const reasons = [...podUs]
      .sort(([a, aUs], [b, bUs]) => bUs - aUs || (a < b ? -1 : 1))
      .map(([message, us]) => ({ message, podSeconds: round(us / 1e6) }));
    return [
      {
        service: name,
        mostPods: waits.mostPods,
        podsAtEnd: waits.pods,
        podSeconds: round(reasons.reduce((sum, { podSeconds }) => sum + podSeconds, 0)),
        reasons: reasons.slice(0, MOST_REASONS),
      },
    ];
  });
}

type Wait = NonNullable<SimPod['wait']>;

function addPast(sim: Sim, { podUs }: ServiceWaits, wait: Wait, nowUs: number): void {
  podUs.set(wait.message, (podUs.get(wait.message) ?? 0) + measuredUs(sim, wait, nowUs));
}

function measuredUs(sim: Sim, { sinceUs }: Wait, untilUs: number): number {
  return Math.max(0, untilUs - Math.max(sinceUs, sim.world.measureFromUs));
}
