/**
 * The baseline autoscaler: Kubernetes' HPA, synced every 15 s, on what the metrics server and Prometheus last read. The
 * rules are in sim/cluster/hpa.ts, its view of the pods in hpaFigures.ts; here its answer is carried out.
 */
import {
  behaviorAsOf,
  desiredReplicas,
  desiredReplicasByMetrics,
  HPA_SYNC_PERIOD_US,
  type HpaOutcome,
} from '../cluster/hpa.js';
import { logDecision } from './decisionLog.js';
import { hpaPod, isHpaReady, readMetrics } from './hpaFigures.js';
import { reconcile } from './pods.js';
import { API_ERROR, writeFails } from './outages.js';
import { readResourceMetrics } from './sensors.js';
import type { Sim, SimWorkload } from './state.js';

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
  const outcome = ask(sim, workload, nowUs);
  if (outcome.replicas !== workload.desired && writeFails(sim)) {
    logDecision(sim, 'hpa', `scale ${workload.name} refused`, API_ERROR, nowUs);
    return;
  }
  hpa.state = outcome.state;
  if (outcome.replicas === workload.desired) return;
  logDecision(sim, 'hpa', `scale ${workload.name} ${workload.desired} -> ${outcome.replicas}`, outcome.because, nowUs);
  const write = (laterUs: number): void => {
    workload.desired = outcome.replicas;
    reconcile(sim, workload, laterUs);
  };
  if (sim.outages.apiDelayUs > 0) sim.calendar.at(nowUs + sim.outages.apiDelayUs, write);
  else write(nowUs);
}

function ask(sim: Sim, workload: SimWorkload, nowUs: number): HpaOutcome {
  const { policy, minReplicas, maxReplicas, state } = workload.hpa!;
  const { targetCpuPercent, metrics, behavior } = policy;
  const { pods, desired: currentReplicas } = workload;
  const bounds = { minReplicas, maxReplicas };
  const { kubernetesMinor } = sim.world.program.scenario.compat;
  if (metrics === null) {
    return desiredReplicas({
      nowUs,
      spec: { ...bounds, targetCpuPercent, behavior: behaviorAsOf(behavior, kubernetesMinor) },
      currentReplicas,
      pods: pods.map((pod) => hpaPod(sim, pod, 'pod', nowUs)),
      state,
    });
  }
  return desiredReplicasByMetrics({
    nowUs,
    kubernetesMinor,
    spec: { ...bounds, behavior },
    metrics: readMetrics(sim, workload, metrics, nowUs),
    currentReplicas,
    statusReplicas: pods.filter((pod) => pod.deletedUs === null).length,
    readyPodCount: pods.length === 0 ? null : pods.filter((pod) => isHpaReady(pod, nowUs)).length,
    state,
  });
}
