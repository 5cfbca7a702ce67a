/**
 * Where Karpenter puts pods that have no node: on nodes that exist, else on nodes to be bought. Pods go largest first; each
 * is tried on the nodes there, then on the bins opened so far (the one with the fewest pods first), then in a new bin. A bin
 * is no machine yet but the list of all machine types that hold its pods: it grows as long as one type still does, and only
 * at the end the cheapest of the list is bought. So a batch packs towards the largest type, at the price of the cheapest
 * that suffices.
 *
 * A pool's limits count what is there at its full size, and each new bin as the largest machine that it may become. A bin
 * narrows to the zones that all its pods may go to; which of them is bought is the caller's choice.
 *
 * Source: karpenter's provisioning/scheduling (scheduler.go, nodeclaim.go, queue.go) and provisioning/batcher.go. Topology
 * is not looked at here; the caller says which pools and zones suit a pod.
 */
import { fits, occupy, roomOf, type Amounts, type Guest, type Room } from './nodeRoom.js';

export interface Offering {
  readonly instanceType: string;
  readonly capacityType: 'on-demand' | 'spot';
  readonly priceUsdPerHour: number;
  readonly allocatable: Amounts;
  /** The whole machine, which limits count. Left out: `allocatable`. */
  readonly capacity?: Amounts;
  readonly podSlots: number;
}

export interface PoolLimits {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly nodes: number;
}

export interface PackingPool {
  readonly name: string;
  /** Tried before pools of lower weight. */
  readonly weight: number;
  readonly offerings: readonly Offering[];
  /** What DaemonSets ask for on each of its nodes. */
  readonly daemons: Amounts;
  /** Of all its nodes together. Left out: none. */
  readonly limits?: PoolLimits;
  /** Zones in which it buys. Left out: zones do not matter. */
  readonly zones?: readonly string[];
}

export interface PackingPod extends Guest {
  readonly name: string;
  readonly createdAtUs: number;
  /** Pools whose labels and taints suit it. */
  readonly pools: readonly string[];
  /** Left out: any zone. */
  readonly zones?: readonly string[];
}

export interface PackingNode {
  readonly name: string;
  /** Null: not Karpenter's; any pod may go there. */
  readonly pool: string | null;
  readonly initialized: boolean;
  readonly room: Room;
  readonly zone?: string;
  /** The whole machine, for limits; left out where its pool has none. */
  readonly capacity?: Amounts;
}

export interface Bin {
  readonly pool: string;
  readonly pods: readonly PackingPod[];
  /** Every offering that holds all of them, the cheapest first: that one is bought. */
  readonly options: readonly Offering[];
  /** Null: zones do not matter. */
  readonly zones: readonly string[] | null;
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
  const left = new Map(pools.map((pool) => [pool.name, leftOf(pool, nodes)]));
  for (const pod of [...pods].sort(largestFirst)) {
    const home = existing.find(({ node, room }) => suits(pod, node.pool) && mayBeIn(pod, node.zone) && fits(room, pod));
    if (home) {
      occupy(home.room, pod);
      placed.set(pod.name, home.node);
      continue;
    }
    bins.sort((a, b) => a.pods.length - b.pods.length || a.number - b.number);
    if (bins.some((bin) => suits(pod, bin.pool) && add(bin, pod))) continue;
    const opened = order
      .filter(({ name }) => pod.pools.includes(name))
      .map((pool) => openBin(pool, bins.length, left.get(pool.name)!))
      .find((bin) => add(bin, pod));
    if (opened) {
      bins.push(opened);
      takeLargest(left.get(opened.pool)!, opened);
    } else unplaced.push(pod);
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

function mayBeIn(pod: PackingPod, zone: string | undefined): boolean {
  return pod.zones === undefined || zone === undefined || pod.zones.includes(zone);
}

type Left = { -readonly [amount in keyof PoolLimits]: number };

/** What a pool may still buy. */
function leftOf({ name, limits }: PackingPool, nodes: readonly PackingNode[]): Left {
  const left: Left = { cpuMillicores: Infinity, memoryBytes: Infinity, nodes: Infinity, ...limits };
  for (const { pool, capacity } of nodes) if (pool === name) take(left, capacity ?? NOTHING);
  return left;
}

const NOTHING: Amounts = { cpuMillicores: 0, memoryBytes: 0 };

function take(left: Left, { cpuMillicores, memoryBytes }: Amounts): void {
  left.cpuMillicores -= cpuMillicores;
  left.memoryBytes -= memoryBytes;
  left.nodes -= 1;
}

/** Nobody knows yet which machine the bin becomes, so the largest counts. */
function takeLargest(left: Left, { options }: OpenBin): void {
  const most = (of: keyof Amounts) => Math.max(...options.map(({ offering }) => sizeOf(offering)[of]));
  take(left, { cpuMillicores: most('cpuMillicores'), memoryBytes: most('memoryBytes') });
}

function sizeOf({ capacity, allocatable }: Offering): Amounts {
  return capacity ?? allocatable;
}

interface OpenBin {
  readonly number: number;
  readonly pool: string;
  readonly pods: PackingPod[];
  options: { readonly offering: Offering; readonly room: Room }[];
  zones: readonly string[] | null;
}

function openBin(pool: PackingPool, number: number, left: Left): OpenBin {
  const within = pool.offerings.filter((offering) => {
    const { cpuMillicores, memoryBytes } = sizeOf(offering);
    return left.nodes >= 1 && cpuMillicores <= left.cpuMillicores && memoryBytes <= left.memoryBytes;
  });
  const options = within.map((offering) => {
    // DaemonSets' pods are not counted against the slots: `podSlots` is for the others.
    const room = roomOf(offering.allocatable, offering.podSlots, []);
    room.cpuMillicores -= pool.daemons.cpuMillicores;
    room.memoryBytes -= pool.daemons.memoryBytes;
    return { offering, room };
  });
  return { number, pool: pool.name, pods: [], options, zones: pool.zones ?? null };
}

function add(bin: OpenBin, pod: PackingPod): boolean {
  const left = bin.options.filter(({ room }) => fits(room, pod));
  const zones = bin.zones?.filter((zone) => mayBeIn(pod, zone)) ?? null;
  if (left.length === 0 || zones?.length === 0) return false;
  bin.zones = zones;
  for (const { room } of left) occupy(room, pod);
  bin.options = left;
  bin.pods.push(pod);
  return true;
}

function closeBin({ pool, pods, options, zones }: OpenBin): Bin {
  return { pool, pods, zones, options: options.map(({ offering }) => offering).sort(cheapestFirst) };
}

export function cheapestFirst(a: Offering, b: Offering): number {
  return (
    a.priceUsdPerHour - b.priceUsdPerHour ||
    (a.instanceType < b.instanceType ? -1 : a.instanceType > b.instanceType ? 1 : 0) ||
    (a.capacityType < b.capacityType ? -1 : 1)
  );
}

/** Pods wait so long for company after the last newcomer, and so long in all. */
export interface BatchTimes {
  readonly batchIdleUs: number;
  readonly batchMaxUs: number;
}

/** Karpenter's. */
const BATCH_TIMES: BatchTimes = { batchIdleUs: 1_000_000, batchMaxUs: 10_000_000 };

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
export function batchDueUs(batch: Batch, { batchIdleUs, batchMaxUs }: BatchTimes = BATCH_TIMES): number {
  return Math.min(batch.lastNewUs + batchIdleUs, batch.openedAtUs + batchMaxUs);
}
