/**
 * Money: node hours, bytes that cross zones, and how the price of the nodes splits into workloads and idle.
 *
 * A pod is charged for the larger of what it requested and what it used, per resource, at the node's unit prices. What no
 * pod is charged for is idle.
 *
 * Sources: the clouds' price lists; OpenCost's specification for the allocation.
 */

const HOUR_US = 3_600_000_000;
const BYTES_PER_GB = 1e9;
const BYTES_PER_GIB = 2 ** 30;
/** OpenCost's default prices: only their ratio matters here, it splits a node's price between its CPU and its memory. */
const CPU_HOUR_USD = 0.031611;
const GIB_HOUR_USD = 0.004237;

/** Both ends together: AWS charges 0.01 out and 0.01 in, so `usdPerGb` is 0.02 there. */
export function transferUsd(bytes: number, usdPerGb: number): number {
  return (bytes / BYTES_PER_GB) * usdPerGb;
}

export function nodeHoursUsd(runningUs: number, priceUsdPerHour: number): number {
  return (runningUs / HOUR_US) * priceUsdPerHour;
}

export interface PricedNode {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly priceUsdPerHour: number;
}

export interface UnitPrices {
  readonly usdPerCoreHour: number;
  readonly usdPerGibHour: number;
}

/** Unit prices at which the node, used whole, costs exactly its price. */
export function unitPrices(node: PricedNode): UnitPrices {
  const listUsd = (node.cpuMillicores / 1000) * CPU_HOUR_USD + (node.memoryBytes / BYTES_PER_GIB) * GIB_HOUR_USD;
  const factor = node.priceUsdPerHour / listUsd;
  return { usdPerCoreHour: CPU_HOUR_USD * factor, usdPerGibHour: GIB_HOUR_USD * factor };
}

export interface PodUse {
  readonly requestCpuMillicores: number;
  readonly usedCpuMillicores: number;
  readonly requestMemoryBytes: number;
  readonly usedMemoryBytes: number;
}

/** Of one pod over a time in which requests and use were as given. */
export function podUsd(use: PodUse, forUs: number, prices: UnitPrices): number {
  const cores = Math.max(use.requestCpuMillicores, use.usedCpuMillicores) / 1000;
  return chargedUsd(cores * forUs, Math.max(use.requestMemoryBytes, use.usedMemoryBytes) * forUs, prices);
}

export function chargedUsd(coreUs: number, byteUs: number, prices: UnitPrices): number {
  return (coreUs * prices.usdPerCoreHour + (byteUs / BYTES_PER_GIB) * prices.usdPerGibHour) / HOUR_US;
}
