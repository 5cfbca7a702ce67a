/**
 * Where Karpenter puts pods that have no node: on nodes that exist, else on nodes to be bought. Pods go largest first; each
 * is tried on the nodes there, then on the bins opened so far (the one with the fewest pods first), then in a new bin. A bin
 * is no machine yet but the list of all machine types that hold its pods: it grows as long as one type still does, and only
 * at the end the cheapest of the list is bought. So a batch packs towards the largest type, at the price of the cheapest
 * that suffices.
 *
 * Source: karpenter's provisioning/scheduling (scheduler.go, nodeclaim.go, queue.go) and provisioning/batcher.go. Zones,
 * limits and topology are not looked at here; the caller says which pools suit a pod.
 */
import { fits, occupy, roomOf, type Amounts, type Room } from './nodeRoom.js';

export interface Offering {
  readonly instanceType: string;
  readonly capacityType: 'on-demand' | 'spot';
  readonly priceUsdPerHour: number;
  readonly allocatable: Amounts;
  readonly podSlots: number;
}

export interface PackingPool {
  readonly name: string;
  /** Tried before pools of lower weight. */
  readonly weight: number;
  readonly offerings: readonly Offering[];
  /** What DaemonSets ask for on each of its nodes. */
  readonly daemons: Amounts;
}

export interface PackingPod extends Amounts {
  readonly name: string;
  readonly createdAtUs: number;
  /** Pools whose labels and taints suit it. */
  readonly pools: readonly string[];
}

export interface PackingNode {
  readonly name: string;
  /** Null: not Karpenter's; any pod may go there. */
  readonly pool: string | null;
  readonly initialized: boolean;
  readonly room: Room;
}

export interface Bin {
  readonly pool: string;
  readonly pods: readonly PackingPod[];
  /** Every offering that holds all of them, the cheapest first: that one is bought. */
  readonly options: readonly Offering[];
}

export interface Packing {
  /** Pod to node. */
  readonly placed: ReadonlyMap<string, PackingNode>;
  readonly bins: readonly Bin[];
  readonly unplaced: readonly PackingPod[];
}

export function packPods(
  pods: readonly PackingPod[],
  nodes: readonly PackingNode[],
  pools: readonly PackingPool[],
): Packing {
  const existing = nodes
    .map((node) => ({ node, room: { ...node.room } }))
    .sort((a, b) => Number(b.node.initialized) - Number(a.node.initialized) || (a.node.name < b.node.name ? -1 : 1));
  const order = [...pools].sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
  const placed = new Map<string, PackingNode>();
  const unplaced: PackingPod[] = [];
  const bins: OpenBin[] = [];
  for (const pod of [...pods].sort(largestFirst)) {
    const home = existing.find(({ node, room }) => suits(pod, node.pool) && fits(room, pod));
    if (home) {
      occupy(home.room, pod);
      placed.set(pod.name, home.node);
      continue;
    }
    bins.sort((a, b) => a.pods.length - b.pods.length || a.number - b.number);
    if (bins.some((bin) => suits(pod, bin.pool) && add(bin, pod))) continue;
    const opened = order
      .filter(({ name }) => pod.pools.includes(name))
      .map((pool) => openBin(pool, bins.length))
      .find((bin) => add(bin, pod));
    if (opened) bins.push(opened);
    else unplaced.push(pod);
  }
  bins.sort((a, b) => a.number - b.number);
  return { placed, unplaced, bins: bins.map(closeBin) };
}

function largestFirst(a: PackingPod, b: PackingPod): number {
  return (
    b.cpuMillicores - a.cpuMillicores ||
    b.memoryBytes - a.memoryBytes ||
    a.createdAtUs - b.createdAtUs ||
    (a.name < b.name ? -1 : 1)
  );
}

function suits(pod: PackingPod, pool: string | null): boolean {
  return pool === null || pod.pools.includes(pool);
}

interface OpenBin {
  readonly number: number;
  readonly pool: string;
  readonly pods: PackingPod[];
  options: { readonly offering: Offering; readonly room: Room }[];
}

function openBin(pool: PackingPool, number: number): OpenBin {
  const options = pool.offerings.map((offering) => {
    // DaemonSets' pods are not counted against the slots: `podSlots` is for the others.
    const room = roomOf(offering.allocatable, offering.podSlots, []);
    room.cpuMillicores -= pool.daemons.cpuMillicores;
    room.memoryBytes -= pool.daemons.memoryBytes;
    return { offering, room };
  });
  return { number, pool: pool.name, pods: [], options };
}

function add(bin: OpenBin, pod: PackingPod): boolean {
  const left = bin.options.filter(({ room }) => fits(room, pod));
  if (left.length === 0) return false;
  for (const { room } of left) occupy(room, pod);
  bin.options = left;
  bin.pods.push(pod);
  return true;
}

function closeBin({ pool, pods, options }: OpenBin): Bin {
  return { pool, pods, options: options.map(({ offering }) => offering).sort(cheapestFirst) };
}

export function cheapestFirst(a: Offering, b: Offering): number {
  return (
    a.priceUsdPerHour - b.priceUsdPerHour ||
    (a.instanceType < b.instanceType ? -1 : a.instanceType > b.instanceType ? 1 : 0) ||
    (a.capacityType < b.capacityType ? -1 : 1)
  );
}

/** Pods wait so long for company after the last newcomer, and so long in all. */
const BATCH_IDLE_US = 1_000_000;
const BATCH_MAX_US = 10_000_000;

export interface Batch {
  readonly openedAtUs: number;
  readonly lastNewUs: number;
  readonly pods: readonly string[];
}

/** A pod that found no node; one that is in the batch already does not keep it open. */
export function joinBatch(batch: Batch | null, pod: string, nowUs: number): Batch {
  if (batch === null) return { openedAtUs: nowUs, lastNewUs: nowUs, pods: [pod] };
  return batch.pods.includes(pod) ? batch : { ...batch, lastNewUs: nowUs, pods: [...batch.pods, pod] };
}

/** When the batch is packed. */
export function batchDueUs(batch: Batch): number {
  return Math.min(batch.lastNewUs + BATCH_IDLE_US, batch.openedAtUs + BATCH_MAX_US);
}
