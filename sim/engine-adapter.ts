/**
 * The engine in the loop: the same `step` that runs in a real cluster (live/controller.ts will call it there), fed from
 * the simulated sensors, its decisions carried out with the delays of the real API. Nothing else in `sim/` decides.
 */
import { step } from '../engine/index.js';
import type { Decision, Skipped, StepInput } from '../engine/types.js';
import { planHostRoutes } from './control/endpoints.js';
import { queueUp, reconcile } from './control/pods.js';
import { startMove } from './control/moves.js';
import { NAMESPACE, takeSnapshot } from './control/snapshot.js';
import { logDecision } from './control/decisionLog.js';
import { API_ERROR, writeFails } from './control/outages.js';
import type { Sim, SimWorkload } from './control/state.js';

/**
 * From the end of a step until its writes stand in the API: a round of requests at the client's default rate. Routes
 * take the mesh's propagation time on top.
 */
const WRITE_DELAY_US = 500_000;

/** One cycle of the engine at `nowUs`; `placement` answers only for gated pods. */
export function engineStep(sim: Sim, nowUs: number, scope: StepInput['scope']): void {
  const config = sim.policy.engine;
  if (!config || sim.engineStopped) return;
  const input: StepInput = {
    nowMs: nowUs / 1000,
    snapshot: takeSnapshot(sim, nowUs),
    memory: sim.memory,
    config,
    scope,
  };
  const output = step(input);
  sim.memory = output.memory;
  sim.onStep?.({ atMs: nowUs / 1000, input, output });
  for (const decision of output.decisions) {
    logDecision(sim, 'wavetank', summarise(decision), decision.because, nowUs, decision);
    sim.calendar.at(nowUs + WRITE_DELAY_US + sim.outages.apiDelayUs, (laterUs) => {
      // Refused: nothing has changed, and the next cycle decides anew.
      if (writeFails(sim)) logDecision(sim, 'wavetank', `refused: ${summarise(decision)}`, API_ERROR, laterUs);
      else carryOut(sim, decision, laterUs);
    });
  }
  if (scope === 'all') logSkips(sim, nowUs, output.skipped);
}

function carryOut(sim: Sim, decision: Decision, nowUs: number): void {
  const workload = sim.workloads.find((candidate) => candidate.name === decision.workload.name);
  if (!workload) throw new Error(`decision for unknown workload ${decision.workload.name} (seed ${sim.world.seed})`);
  switch (decision.kind) {
    case 'scaleUp':
      workload.desired = decision.replicasTo;
      reconcile(sim, workload, nowUs, {
        wanted: decision.placements.map(({ node, zone }) => ({ node, zone: zoneIndex(sim, zone) })),
      });
      break;
    case 'scaleDown':
      workload.desired = decision.replicasTo;
      reconcile(sim, workload, nowUs, { victims: decision.victims.map((victim) => victim.pod) });
      break;
    case 'place':
      place(sim, workload, decision.pod, decision.node, decision.zone, nowUs);
      break;
    case 'setRoute':
      setRoute(sim, workload, decision, nowUs);
      break;
    case 'move':
      startMove(sim, workload, decision, zoneIndex(sim, decision.toZone), nowUs);
      break;
  }
}

function place(sim: Sim, workload: SimWorkload, podName: string, node: string, zone: string, nowUs: number): void {
  const pod = workload.pods.find((candidate) => candidate.name === podName);
  if (!pod || !pod.gated || pod.deletedUs !== null) return;
  pod.wanted = { node, zone: zoneIndex(sim, zone) };
  pod.gated = false;
  queueUp(sim, pod, nowUs);
}

/** Writes `localityLbSetting` and nothing else of the rule, as the live controller does by server-side apply. */
function setRoute(
  sim: Sim,
  workload: SimWorkload,
  decision: Extract<Decision, { kind: 'setRoute' }>,
  nowUs: number,
): void {
  const standing = sim.rules[workload.service];
  const trafficPolicy = (standing?.spec['trafficPolicy'] ?? {}) as Record<string, unknown>;
  const loadBalancer = (trafficPolicy['loadBalancer'] ?? {}) as Record<string, unknown>;
  sim.rules[workload.service] = {
    apiVersion: standing?.apiVersion ?? 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: standing?.metadata ?? { name: decision.destinationRule.name, namespace: NAMESPACE },
    spec: {
      ...(standing?.spec ?? { host: decision.host }),
      trafficPolicy: {
        ...trafficPolicy,
        loadBalancer: { ...loadBalancer, localityLbSetting: decision.localityLbSetting },
      },
    },
  };
  planHostRoutes(sim, workload.service, nowUs);
}

function zoneIndex(sim: Sim, name: string): number {
  return sim.world.program.scenario.cluster.zones.findIndex((zone) => zone.name === name);
}

/** A workload that stays skipped for the same reason is logged once, not every cycle. */
function logSkips(sim: Sim, nowUs: number, skipped: readonly Skipped[]): void {
  for (const skip of skipped) {
    const key = `${skip.part} ${skip.workload.namespace}/${skip.workload.name}`;
    if (sim.lastSkip.get(key) === skip.reason) continue;
    sim.lastSkip.set(key, skip.reason);
    sim.skipped.push({ atUs: nowUs, skipped: skip });
  }
}

function summarise(decision: Decision): string {
  const { name } = decision.workload;
  switch (decision.kind) {
    case 'scaleUp':
      return `scale ${name} ${decision.replicasFrom} -> ${decision.replicasTo} on ${decision.placements.map((p) => p.node).join(', ')}`;
    case 'scaleDown':
      return `scale ${name} ${decision.replicasFrom} -> ${decision.replicasTo}, removing ${decision.victims.map((v) => v.pod).join(', ')}`;
    case 'place':
      return `place ${decision.pod} on ${decision.node} (${decision.zone})`;
    case 'move':
      return `move ${name} ${decision.pod} from ${decision.fromNode} to ${decision.toNode} (${decision.toZone})`;
    case 'setRoute':
      return `route ${name}: ${decision.distribute
        .map(
          ({ from, to }) =>
            `${from} -> ${Object.entries(to)
              .map(([key, percent]) => `${key} ${percent}%`)
              .join(', ')}`,
        )
        .join('; ')}`;
  }
}
