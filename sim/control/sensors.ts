/**
 * What the monitoring of the cluster would show: counters scraped at intervals, rates between scrapes of a window,
 * quantiles from Envoy's coarse buckets. The engine and the HPA see only this, never the world itself.
 *
 * A counter belongs to a pod (its generation); between two scrapes with different generations there is no rate, so a new
 * pod has no figures until its second scrape, as with Prometheus.
 */
import { ENVOY_BUCKETS } from '../kernel/histogram.js';
import { cpuUsedUs } from '../sharing.js';
import { POD_DEAD, POD_FREE, type World } from '../world.js';

/** Prometheus takes a series to be there all along up to this many intervals from the end of a window. */
const GAP_FACTOR = 1.1;

export interface Scrape {
  readonly atUs: number;
  readonly generation: Int32Array;
  readonly cpuUs: Float64Array;
  readonly envoy: Float64Array;
  readonly connectionRequests: Float64Array;
  /** Requests answered since the pod began, and those that wait for a worker now. */
  readonly served: Float64Array;
  readonly queued: Int32Array;
  /** Calls refused by the caller's proxy, by rotationBase[edge] + caller's slot. */
  readonly refused: Float64Array;
  /** Messages that wait, by queue. */
  readonly messages: readonly number[];
}

export interface Sensors {
  /** Oldest first; what is older than the window is dropped, but for one. */
  readonly scrapes: Scrape[];
  /** CPU of the last two readings of the resource metrics server, for the HPA. */
  readonly resource: ResourceReading[];
  /** By slot, raised with each new pod; a slot without a living pod is negative. */
  readonly generation: Int32Array;
}

interface ResourceReading {
  readonly atUs: number;
  readonly generation: Int32Array;
  readonly cpuUs: Float64Array;
  /** The part of the sidecars. */
  readonly sidecarCpuUs: Float64Array;
}

export function createSensors(world: World): Sensors {
  return { scrapes: [], resource: [], generation: new Int32Array(world.podCount) };
}

export function scrape(world: World, sensors: Sensors, nowUs: number, windowUs: number): void {
  sensors.scrapes.push({
    atUs: nowUs,
    generation: livingGenerations(world, sensors),
    cpuUs: readCpu(world, nowUs),
    envoy: world.podEnvoy.slice(),
    connectionRequests: world.connectionRequests.slice(),
    served: world.podServed.slice(),
    queued: world.podQueueLength.slice(),
    refused: world.refused.slice(),
    messages: world.queues.map(({ length }) => length),
  });
  while (sensors.scrapes.length > 2 && sensors.scrapes[0]!.atUs < nowUs - windowUs) sensors.scrapes.shift();
}

/** The metrics server's reading; the HPA's CPU is the rate between the last two. */
export function readResourceMetrics(world: World, sensors: Sensors, nowUs: number): void {
  const { proxies } = world;
  sensors.resource.push({
    atUs: nowUs,
    generation: livingGenerations(world, sensors),
    cpuUs: readCpu(world, nowUs),
    sidecarCpuUs: proxies === null || proxies.perNode ? new Float64Array(world.podCount) : proxies.cpuUs.slice(),
  });
  if (sensors.resource.length > 2) sensors.resource.shift();
}

/** CPU of a pod, or of one of its containers, in millicores between the last two readings of the metrics server; or null. */
export function resourceCpu(
  sensors: Sensors,
  slot: number,
  of: 'pod' | 'app' | 'sidecar',
): { millicores: number; atUs: number; windowUs: number } | null {
  const [before, last] = sensors.resource;
  if (!before || !last || slot < 0) return null;
  if (last.generation[slot]! <= 0 || before.generation[slot] !== last.generation[slot]) return null;
  const windowUs = last.atUs - before.atUs;
  const used = ({ cpuUs, sidecarCpuUs }: ResourceReading): number => {
    const sidecarUs = of === 'pod' ? 0 : sidecarCpuUs[slot]!;
    return of === 'sidecar' ? sidecarUs : cpuUs[slot]! - sidecarUs;
  };
  return { millicores: ((used(last) - used(before)) / windowUs) * 1000, atUs: last.atUs, windowUs };
}

/** CPU of a pod in millicores over the rate window; null before its second scrape. */
export function windowCpuMillicores(sensors: Sensors, slot: number): number | null {
  const range = windowOf(sensors, slot);
  if (!range) return null;
  const { first, last } = range;
  return ((last.cpuUs[slot]! - first.cpuUs[slot]!) / (last.atUs - first.atUs)) * 1000;
}

/**
 * Requests answered per second by one pod of the slot, as `rate()` of Prometheus has it; null with fewer than two scrapes
 * in the window. Between the ends of the window and the scrapes next to them the rate goes on, but not further than half
 * an interval past a gap, nor back before the counter was 0. So a young pod's rate is low, and the sum over old and new
 * pods is right. The simulation begins with the scrapes: before it nothing was missed.
 */
export function servedPerSecond(
  sensors: Sensors,
  slot: number,
  generation: number,
  nowUs: number,
  windowUs: number,
): number | null {
  const fromUs = Math.max(0, nowUs - windowUs);
  const samples = sensors.scrapes.filter(
    (scrape) => scrape.generation[slot] === generation && scrape.atUs > nowUs - windowUs,
  );
  const [first, last] = [samples[0], samples[samples.length - 1]];
  if (first === undefined || last === undefined || first === last) return null;
  let increase = 0;
  samples.reduce((before, after) => {
    const change = after.served[slot]! - before.served[slot]!;
    // A container that starts again counts from 0.
    increase += change < 0 ? after.served[slot]! : change;
    return after;
  });
  const sampledUs = last.atUs - first.atUs;
  const intervalUs = sampledUs / (samples.length - 1);
  const bridged = (gapUs: number): number => (gapUs < intervalUs * GAP_FACTOR ? gapUs : intervalUs / 2);
  const sinceZeroUs = increase > 0 ? (sampledUs * first.served[slot]!) / increase : Infinity;
  const beforeUs = Math.min(bridged(first.atUs - fromUs), sinceZeroUs);
  const afterUs = bridged(nowUs - last.atUs);
  return (increase * ((sampledUs + beforeUs + afterUs) / sampledUs)) / ((nowUs - fromUs) / 1e6);
}

/** The pod that was last seen alive in the slot within the window; 0: none. */
export function generationSeen(sensors: Sensors, slot: number, nowUs: number, windowUs: number): number {
  for (let at = sensors.scrapes.length - 1; at >= 0; at--) {
    const scrape = sensors.scrapes[at]!;
    if (scrape.atUs <= nowUs - windowUs) return 0;
    if (scrape.generation[slot]! > 0) return scrape.generation[slot]!;
  }
  return 0;
}

/** Requests that waited in a pod at the last scrape; null before its first. */
export function scrapedQueueLength(sensors: Sensors, slot: number): number | null {
  const last = sensors.scrapes[sensors.scrapes.length - 1];
  return last && last.generation[slot]! > 0 ? last.queued[slot]! : null;
}

/** Messages that waited in a queue at the last scrape; null before the first. */
export function scrapedMessages(sensors: Sensors, queue: number): number | null {
  return sensors.scrapes.at(-1)?.messages[queue] ?? null;
}

/** Response-time counts of a pod over the rate window are added to `into` (Envoy's buckets); false without two scrapes. */
export function addWindowResponseTimes(sensors: Sensors, slot: number, into: Float64Array): boolean {
  const range = windowOf(sensors, slot);
  if (!range) return false;
  for (let i = 0; i < ENVOY_BUCKETS; i++) {
    const at = slot * ENVOY_BUCKETS + i;
    into[i] = into[i]! + range.last.envoy[at]! - range.first.envoy[at]!;
  }
  return true;
}

/** Requests per second of one connection over the window both its pods share; 0 before the second scrape. */
export function windowRequestsPerSecond(sensors: Sensors, connection: number, caller: number, callee: number): number {
  const callerRange = windowOf(sensors, caller);
  const calleeRange = windowOf(sensors, callee);
  if (!callerRange || !calleeRange) return 0;
  const first = callerRange.first.atUs > calleeRange.first.atUs ? callerRange.first : calleeRange.first;
  const { last } = calleeRange;
  const requests = last.connectionRequests[connection]! - first.connectionRequests[connection]!;
  return requests / ((last.atUs - first.atUs) / 1e6);
}

/** Requests per second that a pod answered between the ends of the window; null before its second scrape. */
export function windowAnsweredPerSecond(sensors: Sensors, slot: number): number | null {
  const range = windowOf(sensors, slot);
  if (!range) return null;
  return (range.last.served[slot]! - range.first.served[slot]!) / ((range.last.atUs - range.first.atUs) / 1e6);
}

/**
 * Calls per second that a caller's proxy sent on connections `from` to `to` (exclusive) or refused (`refusedAt`), whether
 * the other end still lives or not; 0 before the caller's second scrape.
 */
export function windowOfferedPerSecond(
  sensors: Sensors,
  caller: number,
  from: number,
  to: number,
  refusedAt: number,
): number {
  const range = windowOf(sensors, caller);
  if (!range) return 0;
  const { first, last } = range;
  let calls = refusedAt < 0 ? 0 : last.refused[refusedAt]! - first.refused[refusedAt]!;
  for (let connection = from; connection < to; connection++) {
    calls += last.connectionRequests[connection]! - first.connectionRequests[connection]!;
  }
  return calls / ((last.atUs - first.atUs) / 1e6);
}

/** The newest scrape and the oldest one of the window that saw the same pod. */
function windowOf(sensors: Sensors, slot: number): { first: Scrape; last: Scrape } | null {
  const { scrapes } = sensors;
  const last = scrapes[scrapes.length - 1];
  if (!last || last.generation[slot]! <= 0) return null;
  const first = scrapes.find((candidate) => candidate.generation[slot] === last.generation[slot])!;
  return first === last ? null : { first, last };
}

function livingGenerations(world: World, sensors: Sensors): Int32Array {
  return sensors.generation.map((generation, slot) =>
    world.podState[slot] === POD_FREE || world.podState[slot] === POD_DEAD ? 0 : generation,
  );
}

/** CPU of whole pods, sidecars included (a ztunnel is a pod of its own), as requests count them both. */
function readCpu(world: World, nowUs: number): Float64Array {
  const cpuUs = new Float64Array(world.podCount);
  for (let slot = 0; slot < world.podCount; slot++) {
    if (world.podState[slot] !== POD_FREE) cpuUs[slot] = cpuUsedUs(world, slot, nowUs);
  }
  const { proxies } = world;
  if (proxies !== null && !proxies.perNode) cpuUs.forEach((used, slot) => (cpuUs[slot] = used + proxies.cpuUs[slot]!));
  return cpuUs;
}
