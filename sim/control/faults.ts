/**
 * Node losses and zone outages, with the delays of the real control plane (SEMANTICS B13): the processes stop at once,
 * the API notices when the node's lease has run out, the endpoints drop then, and the pods are replaced only after their
 * toleration of 300 s. A node that comes back earlier starts its pods again.
 *
 * An outage of a zone takes its gateways and what is external along. Their users fail until the load balancer in front
 * sends them elsewhere.
 */
import { nodeLossTimeline } from '../cluster/nodeLoss.js';
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import { zoneBounds } from '../load.js';
import { POD_SERVING } from '../world.js';
import { planCrashes } from './crashes.js';
import { planDrains } from './drain.js';
import { followCallers } from './endpoints.js';
import { planEffects } from './effects.js';
import { loseExternals, recoverExternals } from './externals.js';
import { deletePod, leaveEndpoints, loseProcess, nodeChanged, reconcile, restart } from './pods.js';
import { killSlot } from './slots.js';
import type { Sim, SimNode } from './state.js';

/** Kubelets renew their lease every 10 s; a loss falls anywhere in that interval. */
const LEASE_RENEWAL_US = 10_000_000;

export function planFaults(sim: Sim): void {
  const { scenario } = sim.world.program;
  planEffects(sim);
  planCrashes(sim);
  planDrains(sim);
  for (const fault of scenario.faults) {
    if (fault.kind !== 'nodeLoss' && fault.kind !== 'zoneOutage') continue;
    if (fault.forUs === 0) continue;
    let nodes: readonly SimNode[] = [];
    sim.calendar.at(fault.atUs, (nowUs) => {
      // Of the zone those that are there by then; a named node that has gone meanwhile cannot be lost any more.
      nodes = sim.nodes.filter((node) =>
        fault.kind === 'nodeLoss' ? node.index === fault.node : node.spec.zone === fault.zone,
      );
      nodes.forEach((node, i) => loseNode(sim, node, i, nowUs));
      if (fault.kind === 'zoneOutage') loseGateways(sim, fault.zone, nowUs);
    });
    if (fault.forUs === null) continue;
    sim.calendar.at(fault.atUs + fault.forUs, (nowUs) => {
      for (const node of nodes) recoverNode(sim, node, nowUs);
      if (fault.kind === 'zoneOutage') recoverGateways(sim, fault.zone, nowUs);
    });
  }
}

/** Sends the users where they go from `nowUs` on: the scenario's shares without the zones that are down. */
export function applyShares(sim: Sim, nowUs: number): void {
  sim.world.program.scenario.loads.forEach((load, i) => {
    const current = load.from.filter((entry) => entry.atUs <= nowUs).at(-1)!;
    const shares = current.shares.map((share, zone) => (sim.zonesDown.has(zone) ? 0 : share));
    const someLeft = shares.some((share) => share > 0);
    sim.world.loads[i]!.zoneBounds = zoneBounds(someLeft ? shares : remaining(sim, current.shares));
  });
}

/** Users whose own zone is the only one with a share go evenly to the zones that are left; with none left they fail. */
function remaining(sim: Sim, shares: readonly number[]): number[] {
  const up = shares.map((_, zone) => (sim.zonesDown.has(zone) ? 0 : 1));
  return up.some((share) => share > 0) ? up : [...shares];
}

function loseNode(sim: Sim, node: SimNode, nodesTaintedBefore: number, nowUs: number): void {
  if (node.faultCount++ > 0) return;
  node.up = false;
  const epoch = ++node.epoch;
  for (const pod of [...node.pods]) if (!pod.dead) loseProcess(sim, pod, nowUs);
  const leasePhaseUs =
    (mix(seedWord(sim.world.seed, `lease/${epoch}`) + Math.imul(node.index, GOLDEN)) >>> 0) *
    TWO_TO_MINUS_32 *
    LEASE_RENEWAL_US;
  const { services, scenario } = sim.world.program;
  const loss = {
    lostAtUs: nowUs,
    leasePhaseUs: Math.floor(leasePhaseUs),
    nodesTaintedBefore,
    kubernetes: scenario.compat.kubernetesMinor >= 32 ? ('>=1.32' as const) : ('<=1.31' as const),
  };
  const timeline = nodeLossTimeline(loss);
  sim.calendar.at(timeline.notReadyAtUs, (laterUs) => {
    if (node.up || node.epoch !== epoch || node.phase === 'gone') return;
    node.ready = false;
    for (const pod of node.pods) leaveEndpoints(sim, pod, laterUs);
    nodeChanged(sim, 'nodeTaints', node, laterUs);
  });
  for (const tolerationUs of new Set(services.map(({ scheduling }) => scheduling.lostNodeTolerationUs))) {
    // Pods that bear the loss for good stay bound.
    if (tolerationUs === null) continue;
    sim.calendar.at(nodeLossTimeline({ ...loss, tolerationUs }).evictedAtUs, (laterUs) => {
      if (node.up || node.epoch !== epoch) return;
      const evicted = [...node.pods].filter(
        ({ workload }) => services[workload.service]!.scheduling.lostNodeTolerationUs === tolerationUs,
      );
      for (const pod of evicted) deletePod(sim, pod, laterUs);
      for (const workload of new Set(evicted.map((pod) => pod.workload))) reconcile(sim, workload, laterUs);
    });
  }
}

function recoverNode(sim: Sim, node: SimNode, nowUs: number): void {
  if (node.phase === 'gone') return;
  if (--node.faultCount > 0) return;
  node.up = true;
  node.ready = true;
  node.epoch++;
  for (const pod of node.pods) {
    leaveEndpoints(sim, pod, nowUs);
    restart(sim, pod, nowUs);
  }
  nodeChanged(sim, 'nodeTaints', node, nowUs);
}

function loseGateways(sim: Sim, zone: number, nowUs: number): void {
  const outages = sim.zoneOutages[zone]!;
  if (outages.underWay++ > 0) return;
  const number = ++outages.begun;
  loseExternals(sim, zone);
  for (const slot of gatewaySlots(sim, zone)) killSlot(sim.world, slot, null);
  followCallers(sim.world, [sim.world.program.gateway]);
  sim.calendar.at(nowUs + sim.world.program.scenario.gateways.failoverUs, (laterUs) => {
    // Only while the same outage lasts: a later one has its own delay.
    if (outages.underWay === 0 || outages.begun !== number) return;
    sim.zonesDown.add(zone);
    applyShares(sim, laterUs);
  });
}

function recoverGateways(sim: Sim, zone: number, nowUs: number): void {
  if (--sim.zoneOutages[zone]!.underWay > 0) return;
  for (const slot of gatewaySlots(sim, zone)) sim.world.podState[slot] = POD_SERVING;
  recoverExternals(sim, zone, nowUs);
  followCallers(sim.world, [sim.world.program.gateway]);
  sim.zonesDown.delete(zone);
  applyShares(sim, nowUs);
}

function gatewaySlots(sim: Sim, zone: number): number[] {
  const { program } = sim.world;
  const { perZone } = program.scenario.gateways;
  return Array.from({ length: perZone }, (_, i) => sim.world.podBase[program.gateway]! + zone * perZone + i);
}
