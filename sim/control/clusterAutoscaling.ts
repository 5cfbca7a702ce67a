/**
 * The Cluster Autoscaler in the run: at each scan its loop (sim/cluster/clusterAutoscaler.ts) is told what the API shows, and
 * its decisions are carried out. A node group is a pool in a zone, as managed node groups are set up where zones matter.
 * Pods on their way out count as used, and need not move. A budget must spare all pods of the node that it guards.
 */
import type { NodeAutoscaler } from '../../scenarios/types.js';
import {
  autoscaleNodes,
  newAutoscalerState,
  type AutoscaledNode,
  type AutoscaledPod,
  type AutoscalerDecision,
  type NodeGroup,
  type WaitingPod,
} from '../cluster/clusterAutoscaler.js';
import { mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import { evictionsAllowed } from './drain.js';
import { logDecision } from './decisionLog.js';
import { removeByClusterAutoscaler } from './nodeRemoval.js';
import { dropNode, requestNode } from './nodes.js';
import { podPlaces, type Place, type PodPlaces } from './podPlaces.js';
import { guestOf, unschedulablePods } from './scheduling.js';
import type { NodeWatch, Sim, SimNode, SimPod } from './state.js';

type Settings = Extract<NodeAutoscaler, { kind: 'clusterAutoscaler' }>;

interface Group {
  readonly name: string;
  /** Position in the cluster's pools. */
  readonly pool: number;
  readonly zone: number;
  readonly growable: boolean;
}

const NOTHING = { cpuMillicores: 0, memoryBytes: 0 };

export function planClusterAutoscaler(sim: Sim, settings: Settings): NodeWatch['unschedulable'] {
  const groups = groupsOf(sim);
  let state = newAutoscalerState();
  let scans = 0;
  const scan = (nowUs: number): void => {
    const places = podPlaces(
      sim,
      groups.map(({ pool, zone }) => placeOf(sim, pool, zone)),
    );
    const outcome = autoscaleNodes({
      nowUs,
      groups: groups.filter(({ growable }) => growable).map((group) => viewGroup(sim, group)),
      nodes: sim.nodes.map((node) => viewNode(sim, node, groups, places, nowUs)),
      pending: unschedulablePods(sim, nowUs).map((pod) => ({
        ...waitingPod(sim, pod),
        groups: namesOf(groups, places.ofPending(pod)),
      })),
      expander: settings.expander,
      draw: (mix(seedWord(sim.world.seed, `expander/${scans++}`)) >>> 0) * TWO_TO_MINUS_32,
      settings,
      state,
    });
    state = outcome.state;
    for (const decision of outcome.decisions) carryOut(decision, nowUs);
    sim.calendar.at(nowUs + settings.scanIntervalUs, scan);
  };
  sim.calendar.at(settings.scanIntervalUs, scan);
  return () => {};

  function carryOut(decision: AutoscalerDecision, nowUs: number): void {
    const log = (summary: string): void => logDecision(sim, 'clusterAutoscaler', summary, decision.because, nowUs);
    switch (decision.kind) {
      case 'add': {
        const { pool, zone, name } = groups.find((group) => group.name === decision.group)!;
        const order = { pool, zone, machine: poolOf(sim, pool).machine, nodeStart: settings.nodeStart };
        log(`add ${decision.nodes} ${decision.nodes === 1 ? 'node' : 'nodes'} to ${name}`);
        for (let i = 0; i < decision.nodes; i++) requestNode(sim, order, nowUs);
        return;
      }
      case 'remove': {
        const node = sim.nodes.find(({ spec }) => spec.name === decision.node)!;
        const mode = decision.drain ? 'drain' : 'empty';
        log(`remove ${decision.node}${decision.drain ? ', draining it' : ''}`);
        removeByClusterAutoscaler(
          sim,
          node,
          mode,
          nowUs,
          (laterUs) => mayGo(sim, node, mode, laterUs),
          (gone, laterUs) => {
            if (gone) return;
            state = { ...state, failedAtUs: laterUs };
            const because = 'its pods could not leave';
            logDecision(sim, 'clusterAutoscaler', `keep ${decision.node}`, because, laterUs);
          },
        );
        return;
      }
      case 'abandon': {
        const { pool, zone } = groups.find((group) => group.name === decision.group)!;
        const missing = requested(sim, poolOf(sim, pool).name, zone);
        log(`give up ${decision.nodes} nodes of ${decision.group}`);
        for (const node of missing.slice(0, decision.nodes)) dropNode(sim, node, nowUs);
        return;
      }
      case 'halt':
        log('do nothing');
    }
  }
}

function poolOf(sim: Sim, pool: number) {
  return sim.world.program.scenario.cluster.pools[pool]!;
}

function placeOf(sim: Sim, pool: number, zone: number): Place {
  const { name, groups } = poolOf(sim, pool);
  return { pool: name, zone, mayGrow: groups !== null && groups[zone]!.maxNodes > 0 };
}

/** Every pool in every zone; those that may not grow, so that pods of their nodes have a place to stay. */
function groupsOf(sim: Sim): Group[] {
  const { pools, zones } = sim.world.program.scenario.cluster;
  return pools.flatMap((pool, index) =>
    zones.map((zone, zoneIndex) => ({
      name: `${pool.name} in ${zone.name}`,
      pool: index,
      zone: zoneIndex,
      growable: pool.groups !== null,
    })),
  );
}

function namesOf(groups: readonly Group[], chosen: readonly boolean[]): string[] {
  return groups.flatMap(({ name }, i) => (chosen[i] ? [name] : []));
}

/** Those that have not come, the oldest first: the order in which they are given up. */
function requested(sim: Sim, pool: string, zone: number): SimNode[] {
  return sim.fleet.filter(({ phase, spec }) => phase === 'requested' && spec.pool === pool && spec.zone === zone);
}

function viewGroup(sim: Sim, { name, pool, zone }: Group): NodeGroup {
  const { machine, groups, maxPods, name: poolName } = poolOf(sim, pool);
  const there = sim.nodes.filter(({ spec }) => spec.pool === poolName && spec.zone === zone).length;
  const { minNodes, maxNodes } = groups![zone]!;
  return {
    name,
    minNodes,
    maxNodes,
    targetNodes: there + requested(sim, poolName, zone).length,
    priceUsdPerHour: machine.priceUsdPerHour ?? 0,
    capacity: { cpuMillicores: machine.wholeCpuMillicores, memoryBytes: machine.wholeMemoryBytes },
    allocatable: { cpuMillicores: machine.cpuMillicores, memoryBytes: machine.memoryBytes },
    daemons: NOTHING,
    podSlots: maxPods,
  };
}

function viewNode(sim: Sim, node: SimNode, groups: readonly Group[], places: PodPlaces, nowUs: number): AutoscaledNode {
  const { spec } = node;
  const group = groups.find(({ pool, zone }) => zone === spec.zone && poolOf(sim, pool).name === spec.pool) ?? null;
  const movable = movableServices(sim, node, nowUs);
  return {
    name: spec.name,
    group: group?.name ?? null,
    createdAtUs: node.registeredUs!,
    ready: node.ready,
    allocatable: { cpuMillicores: spec.cpuMillicores, memoryBytes: spec.memoryBytes },
    // What is cordoned takes nothing.
    podSlots: node.cordons > 0 ? 0 : spec.maxPods,
    pods: [...node.pods].map((pod): AutoscaledPod => {
      const leaves = pod.deletedUs !== null;
      return {
        name: pod.name,
        ...guestOf(sim, pod),
        daemon: leaves,
        movable: movable.has(pod.workload.service),
        groups: leaves ? [] : namesOf(groups, places.ofBound(pod)),
      };
    }),
    scaleDownDisabled: group === null || !group.growable,
    deleting: node.deleting,
  };
}

/** Services whose budgets spare all of their pods on the node. */
function movableServices(sim: Sim, node: SimNode, nowUs: number): Set<number> {
  const counts = new Map<number, number>();
  for (const pod of node.pods) {
    if (pod.deletedUs === null) counts.set(pod.workload.service, (counts.get(pod.workload.service) ?? 0) + 1);
  }
  return new Set([...counts].flatMap(([service, n]) => (evictionsAllowed(sim, service, nowUs) >= n ? [service] : [])));
}

function mayGo(sim: Sim, node: SimNode, mode: 'empty' | 'drain', nowUs: number): boolean {
  const staying = [...node.pods].filter((pod) => pod.deletedUs === null);
  if (mode === 'empty') return staying.length === 0;
  const movable = movableServices(sim, node, nowUs);
  return staying.every((pod) => movable.has(pod.workload.service));
}

function waitingPod(sim: Sim, pod: SimPod): Omit<WaitingPod, 'groups'> {
  return { name: pod.name, createdAtUs: pod.createdUs, ...guestOf(sim, pod) };
}
