/**
 * Pools and node autoscalers as the simulator wants them: bounds by zone, machines with their price, settings in
 * microseconds. A machine of the price book has as much room for pods as the pool states for its own type, less or more by
 * the difference of their sizes: what the system keeps for itself is the same on each.
 */
import { labelsOfPool, placeLabels } from './build-scheduling.js';
import { buildDistribution } from './distributions.js';
import { capacityOf, PRICE_BOOKS } from './prices.js';
import { own } from './raw.js';
import type { ClusterFile, NodeAutoscalerFile } from './schema.js';
import type { MachineType, NodeAutoscaler, NodePool, Zone } from './types.js';

type PoolFile = ClusterFile['nodePools'][number];
type PerZone = number | Readonly<Record<string, number>>;

export function buildPool(file: PoolFile, cluster: ClusterFile, places: readonly Zone[]): NodePool {
  const { zones } = cluster;
  const most = file.maxNodesPerZone === undefined ? null : zones.map((zone) => ofZone(file.maxNodesPerZone!, zone));
  const least = zones.map((zone) => ofZone(file.minNodesPerZone ?? 0, zone));
  const { limits } = file;
  const machine = machineOf(file, cluster);
  return {
    name: file.name,
    labels: places.map((zone) => placeLabels(zone, places, labelsOfPool(file))),
    taints: file.taints,
    maxPods: file.maxPods,
    machine,
    groups: most && most.map((maxNodes, zone) => ({ minNodes: least[zone]!, maxNodes })),
    karpenter:
      most === null && limits === undefined
        ? null
        : {
            weight: file.weight ?? 0,
            isSpot: capacityOf(file.capacity, file.labels) === 'spot',
            machines: file.instanceTypes?.map((type) => bookMachine(file, machine, type, cluster)) ?? [machine],
            zones: zones.flatMap((_, zone) => (most !== null && most[zone] === 0 ? [] : [zone])),
            limits: {
              cpuMillicores: limits?.cpu ?? Infinity,
              memoryBytes: limits?.memory ?? Infinity,
              nodes: Math.min(limits?.nodes ?? Infinity, most === null ? Infinity : sum(most)),
            },
          },
  };
}

export function ofZone(perZone: PerZone, zone: string): number {
  return typeof perZone === 'number' ? perZone : (own(perZone, zone) ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function machineOf(file: PoolFile, cluster: ClusterFile): MachineType {
  const instance = own(own(PRICE_BOOKS, file.prices)?.instances ?? {}, file.instanceType);
  const { allocatable } = file;
  const cpuMillicores = allocatable?.cpu ?? instance!.cpuMillicores;
  const memoryBytes = allocatable?.memory ?? instance!.memoryBytes;
  return {
    instanceType: file.instanceType ?? file.name,
    cpuMillicores,
    memoryBytes,
    wholeCpuMillicores: Math.max(instance?.cpuMillicores ?? 0, cpuMillicores),
    wholeMemoryBytes: Math.max(instance?.memoryBytes ?? 0, memoryBytes),
    priceUsdPerHour: nodePrice(cluster, file),
  };
}

/** Of the pool's own instance type, or another one of its book. */
function nodePrice(
  { instancePrices }: Pick<ClusterFile, 'instancePrices'>,
  pool: PoolFile,
  instanceType = pool.instanceType,
): number | null {
  const capacity = capacityOf(pool.capacity, pool.labels);
  const ofType = own(instancePrices, instanceType)?.[capacity];
  const inBook = own(own(PRICE_BOOKS, pool.prices)?.instances ?? {}, instanceType)?.usdPerHour[capacity];
  return known((instanceType === pool.instanceType ? pool.pricePerHour : undefined) ?? ofType, inBook);
}

/** The stated price, else that of the book; null where it is unknown. */
export function known(stated: number | 'unknown' | undefined, inBook: number | undefined): number | null {
  return stated === 'unknown' ? null : (stated ?? inBook ?? null);
}

function bookMachine(file: PoolFile, machine: MachineType, instanceType: string, cluster: ClusterFile): MachineType {
  if (instanceType === file.instanceType) return machine;
  const { cpuMillicores, memoryBytes } = PRICE_BOOKS[file.prices!]!.instances[instanceType]!;
  return {
    instanceType,
    cpuMillicores: cpuMillicores - (machine.wholeCpuMillicores - machine.cpuMillicores),
    memoryBytes: memoryBytes - (machine.wholeMemoryBytes - machine.memoryBytes),
    wholeCpuMillicores: cpuMillicores,
    wholeMemoryBytes: memoryBytes,
    priceUsdPerHour: nodePrice(cluster, file, instanceType),
  };
}

/** The nearest word wins; `null` and nothing at all mean fixed nodes. */
export function buildNodeAutoscaler(words: readonly (NodeAutoscalerFile | null | undefined)[]): NodeAutoscaler | null {
  const file = words.filter((word) => word !== undefined).at(-1) ?? null;
  if (file === null) return null;
  const nodeStart = buildDistribution(file.nodeStart);
  if (file.clusterAutoscaler !== undefined) {
    const flags = file.clusterAutoscaler;
    return {
      kind: 'clusterAutoscaler',
      nodeStart,
      scanIntervalUs: flags.scanInterval,
      expander: flags.expander,
      maxNodeProvisionUs: flags.maxNodeProvisionTime,
      utilizationThreshold: flags.scaleDownUtilizationThreshold,
      unneededReadyUs: flags.scaleDownUnneededTime,
      unneededUnreadyUs: flags.scaleDownUnreadyTime,
      delayAfterAddUs: flags.scaleDownDelayAfterAdd,
      delayAfterFailureUs: flags.scaleDownDelayAfterFailure,
    };
  }
  const settings = file.karpenter!;
  return {
    kind: 'karpenter',
    nodeStart,
    batchIdleUs: settings.batchIdle,
    batchMaxUs: settings.batchMax,
    consolidationPolicy: settings.consolidationPolicy,
    consolidateAfterUs: settings.consolidateAfter === 'Never' ? null : settings.consolidateAfter,
    budget: settings.disruptionBudget,
  };
}
