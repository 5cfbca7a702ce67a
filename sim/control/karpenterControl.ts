/**
 * Karpenter in the run. Pods that found no node gather in a batch, which is packed onto nodes that are there, on their way,
 * or to be bought (sim/cluster/karpenterPacking.ts); a pod that goes on waiting joins the next batch every 10 s. Beside, the
 * disruption loop (sim/cluster/karpenter.ts) gives nodes up; what takes their place is ready before they go.
 *
 * A NodePool spans its zones. Which of the zones that suit the pods is taken is a matter of what the cloud has; here it is
 * drawn evenly among those that are not out, keyed by the ordinal of the purchase.
 *
 * Source: karpenter's provisioning (provisioner.go, the pod controller's requeue), state/cluster.go (nominations),
 * disruption/queue.go and nodeclaim/lifecycle/liveness.go. A pool is on-demand or spot as
 * a whole, and spot machines are never taken back by the cloud here.
 */
import type { NodeAutoscaler } from '../../scenarios/types.js';
import {
  disruptNodes,
  type DisruptionCommand,
  type DisruptionState,
  type KarpenterNode,
} from '../cluster/karpenter.js';
import { batchDueUs, joinBatch, packPods, type Batch, type Bin } from '../cluster/karpenterPacking.js';
import { mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import { karpenterView, type KarpenterView } from './karpenterView.js';
import { logDecision } from './decisionLog.js';
import { release, removeByKarpenter, reserve } from './nodeRemoval.js';
import { dropNode, requestNode } from './nodes.js';
import type { NodeWatch, Sim, SimNode, SimPod } from './state.js';

type Settings = Extract<NodeAutoscaler, { kind: 'karpenter' }>;

const SECOND_US = 1_000_000;
const RETRIGGER_US = 10 * SECOND_US;
/** `registrationTTL`: a machine that has not come by then is given up. */
const REGISTRATION_US = 15 * 60 * SECOND_US;
/** The disruption loop's period. */
const POLLING_US = 10 * SECOND_US;
/** How often a command looks whether its replacement is up, and after which time it gives up. */
const REPLACEMENT_LOOK_US = SECOND_US;
const REPLACEMENT_WAIT_US = 10 * 60 * SECOND_US;
/** A node that pods are meant for is left alone for two batches, 10 s at least. */
const NOMINATION_MIN_US = 10 * SECOND_US;

export function planKarpenter(sim: Sim, settings: Settings): NodeWatch['unschedulable'] {
  const nominationUs = Math.max(2 * settings.batchMaxUs, NOMINATION_MIN_US);
  const known = new Set<SimPod>();
  let batch: Batch | null = null;
  let state: DisruptionState = { waiting: null };
  let purchases = 0;

  const loop = (nowUs: number): void => {
    const view = karpenterView(sim, settings, nowUs);
    const outcome = disruptNodes({ nowUs, ...view, spotToSpot: false, state });
    state = outcome.state;
    if (outcome.command) carryOut(outcome.command, view, nowUs);
    sim.calendar.at(outcome.nextUs, loop);
  };
  sim.calendar.at(POLLING_US, loop);
  return (pod, nowUs) => {
    if (known.has(pod)) return;
    known.add(pod);
    trigger(pod, nowUs);
  };

  function trigger(pod: SimPod, nowUs: number): void {
    if (!sim.unscheduled.includes(pod)) {
      known.delete(pod);
      return;
    }
    batch = joinBatch(batch, pod.name, nowUs);
    sim.calendar.at(batchDueUs(batch, settings), provision);
    sim.calendar.at(nowUs + RETRIGGER_US, (laterUs) => trigger(pod, laterUs));
  }

  function provision(nowUs: number): void {
    // One that came later has moved the end.
    if (batch === null || batchDueUs(batch, settings) > nowUs) return;
    batch = null;
    const view = karpenterView(sim, settings, nowUs);
    const packing = packPods([...view.pending, ...view.leaving], view.places, view.pools);
    for (const { name } of packing.placed.values()) nominate(name, nowUs);
    for (const bin of packing.bins) {
      const node = buy(bin, nowUs);
      const pods = bin.pods.length === 1 ? '1 pod' : `${bin.pods.length} pods`;
      log(`add ${describe(node)}`, `${pods} found no node`, nowUs);
    }
  }

  function nominate(name: string, nowUs: number): void {
    const node = sim.fleet.find(({ spec, phase }) => spec.name === name && phase !== 'gone')!;
    node.nominatedUntilUs = nowUs + nominationUs;
  }

  function buy({ pool: poolName, options, zones }: Pick<Bin, 'pool' | 'options' | 'zones'>, nowUs: number): SimNode {
    const { cluster } = sim.world.program.scenario;
    const pool = cluster.pools.findIndex(({ name }) => name === poolName);
    const { machines } = cluster.pools[pool]!.karpenter!;
    const suiting = cluster.zones.flatMap(({ name }, zone) => (zones!.includes(name) ? [zone] : []));
    const up = suiting.filter((zone) => sim.zoneOutages[zone]!.underWay === 0);
    const among = up.length > 0 ? up : suiting;
    const draw = (mix(seedWord(sim.world.seed, `nodeZone/${purchases++}`)) >>> 0) * TWO_TO_MINUS_32;
    const node = requestNode(
      sim,
      {
        pool,
        zone: among[Math.floor(draw * among.length)]!,
        machine: machines.find(({ instanceType }) => instanceType === options[0]!.instanceType)!,
        nodeStart: settings.nodeStart,
      },
      nowUs,
    );
    node.nominatedUntilUs = nowUs + nominationUs;
    sim.calendar.at(nowUs + REGISTRATION_US, (laterUs) => {
      if (node.phase !== 'requested') return;
      log(`give up ${node.spec.name}`, 'it did not come within 15 min', laterUs);
      dropNode(sim, node, laterUs);
    });
    return node;
  }

  function carryOut(
    { method, nodes: names, replacement }: DisruptionCommand,
    view: KarpenterView,
    nowUs: number,
  ): void {
    const nodes = names.map((name) => sim.nodes.find(({ spec }) => spec.name === name)!);
    for (const node of nodes) reserve(node, method === 'empty' ? 'empty' : 'drain');
    const substitute = replacement === null ? null : buy(replacement, nowUs);
    const what = nodes.map((node) => describe(node)).join(' and ');
    log(
      substitute === null ? `remove ${what}` : `replace ${what} by ${describe(substitute)}`,
      method === 'empty' ? 'empty' : `its pods fit elsewhere: ${savingOf(view.nodes, names, substitute)}`,
      nowUs,
    );
    const wait = (laterUs: number): void => {
      if (substitute === null || substitute.phase === 'registered') {
        for (const node of nodes) removeByKarpenter(sim, node, laterUs);
      } else if (substitute.phase === 'gone' || laterUs - nowUs > REPLACEMENT_WAIT_US) {
        for (const node of nodes) release(sim, node, laterUs);
        log(`keep ${what}`, 'the node in their place did not come', laterUs);
      } else sim.calendar.at(laterUs + REPLACEMENT_LOOK_US, wait);
    };
    wait(nowUs);
  }

  function log(summary: string, because: string, nowUs: number): void {
    logDecision(sim, 'karpenter', summary, because, nowUs);
  }
}

function describe({ spec, machine }: SimNode): string {
  return `${spec.name} (${machine!.instanceType})`;
}

function savingOf(nodes: readonly KarpenterNode[], names: readonly string[], substitute: SimNode | null): string {
  const before = nodes.reduce((sum, node) => sum + (names.includes(node.name) ? node.priceUsdPerHour : 0), 0);
  const saved = before - (substitute?.spec.priceUsdPerHour ?? 0);
  return `${Number(saved.toFixed(4))} USD/h less`;
}
