/**
 * The cluster as Karpenter sees it: nodes with their pods, machines on their way, pods that wait or will have to move, and
 * its pools with what they may buy. A pool that is not Karpenter's has nodes on which any pod may be placed whose zone suits.
 */
import type { NodeAutoscaler } from '../../scenarios/types.js';
import type { KarpenterNode, KarpenterPod, KarpenterPool } from '../cluster/karpenter.js';
import type { PackingNode, PackingPod } from '../cluster/karpenterPacking.js';
import { roomOf } from '../cluster/nodeRoom.js';
import { evictionsAllowed } from './drain.js';
import { podPlaces, type Place } from './podPlaces.js';
import { guestOf, unschedulablePods } from './scheduling.js';
import type { Sim, SimNode, SimPod } from './state.js';

type Settings = Extract<NodeAutoscaler, { kind: 'karpenter' }>;

export interface KarpenterView {
  readonly nodes: readonly KarpenterNode[];
  readonly pools: readonly KarpenterPool[];
  readonly pending: readonly PackingPod[];
  /** Pods of nodes on their way out: they will look for a place, too. */
  readonly leaving: readonly PackingPod[];
  /** Nodes that stay, as places for pods. */
  readonly places: readonly PackingNode[];
}

const NOTHING = { cpuMillicores: 0, memoryBytes: 0 };

export function karpenterView(sim: Sim, settings: Settings, nowUs: number): KarpenterView {
  const { pools, zones } = sim.world.program.scenario.cluster;
  const places: Place[] = pools.flatMap(({ name, karpenter }) =>
    zones.map((_, zone) => ({ pool: name, zone, mayGrow: karpenter?.zones.includes(zone) ?? false })),
  );
  const suited = podPlaces(sim, places);
  const packed = (pod: SimPod, fits: readonly boolean[]): PackingPod => ({
    name: pod.name,
    createdAtUs: pod.createdUs,
    ...guestOf(sim, pod),
    pools: pools.map(({ name }) => name).filter((name) => places.some((place, i) => place.pool === name && fits[i])),
    zones: zones.map(({ name }) => name).filter((_, zone) => places.some((place, i) => place.zone === zone && fits[i])),
  });
  const isMovable = movableBy(sim, nowUs);
  const viewPod = (pod: SimPod): KarpenterPod => ({
    ...(pod.deletedUs === null ? packed(pod, suited.ofBound(pod)) : packed(pod, [])),
    daemon: pod.deletedUs !== null,
    movable: isMovable(pod.workload.service),
    evictionCost: 1,
  });
  const there = sim.fleet.filter(({ phase }) => phase !== 'gone');
  const nodes = there.map((node) => viewNode(sim, node, [...node.pods].map(viewPod), nowUs));
  return {
    nodes,
    pools: karpenterPools(sim, settings),
    pending: unschedulablePods(sim, nowUs).map((pod) => packed(pod, suited.ofPending(pod))),
    leaving: nodes.filter(({ deleting }) => deleting).flatMap(({ pods }) => pods.filter(({ daemon }) => !daemon)),
    places: nodes
      .filter(({ deleting }) => !deleting)
      .map((node) => ({ ...node, room: roomOf(node.allocatable, node.podSlots, node.pods) })),
  };
}

function karpenterPools(sim: Sim, { consolidationPolicy, consolidateAfterUs, budget }: Settings): KarpenterPool[] {
  const { pools, zones } = sim.world.program.scenario.cluster;
  return pools.flatMap(({ name, karpenter, maxPods }) => {
    if (karpenter === null) return [];
    return [
      {
        name,
        weight: karpenter.weight,
        limits: karpenter.limits,
        zones: karpenter.zones.map((zone) => zones[zone]!.name),
        daemons: NOTHING,
        offerings: karpenter.machines.map((machine) => ({
          instanceType: machine.instanceType,
          capacityType: karpenter.isSpot ? ('spot' as const) : ('on-demand' as const),
          priceUsdPerHour: machine.priceUsdPerHour!,
          allocatable: { cpuMillicores: machine.cpuMillicores, memoryBytes: machine.memoryBytes },
          capacity: { cpuMillicores: machine.wholeCpuMillicores, memoryBytes: machine.wholeMemoryBytes },
          podSlots: maxPods,
        })),
        policy: consolidationPolicy,
        consolidateAfterUs,
        budget,
      },
    ];
  });
}

function viewNode(sim: Sim, node: SimNode, pods: readonly KarpenterPod[], nowUs: number): KarpenterNode {
  const { pools, zones } = sim.world.program.scenario.cluster;
  const { spec, machine } = node;
  const karpenter = pools.find(({ name }) => name === spec.pool)?.karpenter ?? null;
  return {
    name: spec.name,
    pool: karpenter === null ? null : spec.pool,
    instanceType: machine?.instanceType ?? '',
    capacityType: karpenter?.isSpot ? 'spot' : 'on-demand',
    priceUsdPerHour: spec.priceUsdPerHour ?? 0,
    allocatable: { cpuMillicores: spec.cpuMillicores, memoryBytes: spec.memoryBytes },
    capacity:
      machine === null ? NOTHING : { cpuMillicores: machine.wholeCpuMillicores, memoryBytes: machine.wholeMemoryBytes },
    zone: zones[spec.zone]!.name,
    // What is cordoned or not ready any more takes nothing.
    podSlots: node.cordons > 0 || (node.phase === 'registered' && !node.ready) ? 0 : spec.maxPods,
    pods,
    initialized: node.phase === 'registered',
    ready: node.ready,
    deleting: node.deleting !== null,
    nominated: node.nominatedUntilUs > nowUs,
    doNotDisrupt: false,
    lastPodEventUs: node.lastPodEventUs,
  };
}

/** Whether the budget of a service spares a pod just now. */
function movableBy(sim: Sim, nowUs: number): (service: number) => boolean {
  const spared = new Map<number, boolean>();
  return (service) => {
    const known = spared.get(service) ?? evictionsAllowed(sim, service, nowUs) > 0;
    spared.set(service, known);
    return known;
  };
}
