/**
 * The baseline autoscaler: Kubernetes' HPA on CPU, synced every 15 s, on what the metrics server last read. The rules
 * are in sim/cluster/hpa.ts; here its view of the pods is put together and its answer carried out.
 */
import { desiredReplicas, HPA_SYNC_PERIOD_US, type HpaPod } from '../cluster/hpa.js';
import { podRequests } from '../proxies.js';
import { isRunning, reconcile } from './pods.js';
import { writeFails } from './outages.js';
import { readResourceMetrics, resourceCpu } from './sensors.js';
import type { Sim, SimPod, SimWorkload } from './state.js';

/** The metrics server's resolution in its official manifests (SEMANTICS B4). */
const METRICS_RESOLUTION_US = 15_000_000;
/** Sync follows the reading by this much; the real phase is arbitrary, the middle of the interval is its mean. */
const SYNC_OFFSET_US = 7_500_000;

export function planHpas(sim: Sim): void {
  if (!sim.workloads.some((workload) => workload.hpa)) return;
  const read = (nowUs: number): void => {
    if (!sim.outages.metricsStale) readResourceMetrics(sim.world, sim.sensors, nowUs);
    sim.calendar.at(nowUs + METRICS_RESOLUTION_US, read);
  };
  const sync = (nowUs: number): void => {
    for (const workload of sim.workloads) if (workload.hpa) syncHpa(sim, workload, nowUs);
    sim.calendar.at(nowUs + HPA_SYNC_PERIOD_US, sync);
  };
  sim.calendar.at(0, read);
  sim.calendar.at(METRICS_RESOLUTION_US + SYNC_OFFSET_US, sync);
}

function syncHpa(sim: Sim, workload: SimWorkload, nowUs: number): void {
  const hpa = workload.hpa!;
  const { policy, minReplicas, maxReplicas } = hpa;
  const outcome = desiredReplicas({
    nowUs,
    spec: { minReplicas, maxReplicas, targetCpuPercent: policy.targetCpuPercent, behavior: policy.behavior },
    currentReplicas: workload.desired,
    pods: workload.pods.map((pod) => hpaPod(sim, pod, nowUs)),
    state: hpa.state,
  });
  if (outcome.replicas !== workload.desired && writeFails(sim)) {
    sim.decisions.push({
      atUs: nowUs,
      entry: {
        atSeconds: nowUs / 1e6,
        decidedBy: 'hpa',
        summary: `scale ${workload.name} refused`,
        decision: null,
        because: 'the Kubernetes API answered with an error',
      },
    });
    return;
  }
  hpa.state = outcome.state;
  if (outcome.replicas === workload.desired) return;
  sim.decisions.push({
    atUs: nowUs,
    entry: {
      atSeconds: nowUs / 1e6,
      decidedBy: 'hpa',
      summary: `scale ${workload.name} ${workload.desired} -> ${outcome.replicas}`,
      decision: null,
      because: outcome.because,
    },
  });
  const write = (laterUs: number): void => {
    workload.desired = outcome.replicas;
    reconcile(sim, workload, laterUs);
  };
  if (sim.outages.apiDelayUs > 0) sim.calendar.at(nowUs + sim.outages.apiDelayUs, write);
  else write(nowUs);
}

function hpaPod(sim: Sim, pod: SimPod, nowUs: number): HpaPod {
  const sample = pod.dead ? null : resourceCpu(sim.sensors, pod.slot);
  return {
    phase: isRunning(pod, nowUs) ? 'Running' : 'Pending',
    deleting: pod.deletedUs !== null,
    startedAtUs: pod.startedUs,
    readyCondition: pod.startedUs === null ? null : { ready: pod.endpoint, changedAtUs: pod.endpointChangedUs },
    cpuRequestMillicores: podRequests(sim.world.program, pod.workload.service).cpuMillicores,
    sample: sample && { cpuMillicores: sample.millicores, atUs: sample.atUs, windowUs: sample.windowUs },
  };
}
