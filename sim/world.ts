/**
 * The state of a run as flat arrays: pods, connections (caller pod x callee pod of an edge), routes, counters. The hot
 * loop (sim/loop.ts) works on these alone; the control plane (sim/control/) changes them between its slices.
 *
 * Slots: each service owns `capacity` consecutive pod numbers, reused once a pod is gone and nothing refers to it. The
 * gateways are pods of a service of their own (without a node and without work), so that every caller is a pod.
 */
import { createQueue, growQueue, type EventQueue } from './kernel/wheel.js';
import { createRecords, growRecords, type Records } from './kernel/records.js';
import { ENVOY_BUCKETS, HISTOGRAM_SIZE } from './kernel/histogram.js';
import type { NodeSpec } from '../scenarios/types.js';
import type { ComplexRoute } from './pick.js';
import { BY_CALLER, BY_LOCALITY } from './places.js';
import type { OutlierState } from './mesh/outlierState.js';
import type { Breaker } from './breakers.js';
import type { NodeCpu } from './nodeCpu.js';
import type { LongLived } from './connections.js';
import type { RouteChange } from './routes.js';
import { createQueues, type QueueState } from './queues.js';
import { createProxies, type Proxies } from './proxies.js';
import { mix } from './random.js';
import { CAUSES, TRIED_HOSTS } from './spans.js';
import type { Program } from './program.js';

/** What a pod slot holds. Only SERVING and DRAINING pods work; a DEAD one answers nothing. */
export const POD_FREE = 0;
export const POD_STARTING = 1;
export const POD_SERVING = 2;
export const POD_DRAINING = 3;
export const POD_DEAD = 4;

/** How requests of one row pick a pod. */
export const ROUTE_NONE = 0;
export const ROUTE_LEAST_REQUEST = 1;
export const ROUTE_ROUND_ROBIN = 2;
export const ROUTE_RANDOM = 3;
/** Several priorities or locality weights: see sim/pick.ts. */
export const ROUTE_COMPLEX = 4;
/** Algorithms that only a complex route has. */
export const ROUTE_HASHED = 5;
/** Long-lived connections: see sim/connections.ts. */
export const ROUTE_CONNECTED = 6;
/** A pool of connections with a request at a time, opened as `pooledKind` has it: see sim/breakers.ts. */
export const ROUTE_POOLED = 7;

export interface World {
  readonly program: Program;
  readonly seed: number;
  readonly queue: EventQueue;
  readonly records: Records;
  nowUs: number;
  /** Start of the part that counts. */
  measureFromUs: number;
  /** From sending a request to a pod that does not answer until the caller gives up on it, by edge. */
  readonly lossUs: Float64Array;

  // Pods, by slot.
  readonly podCount: number;
  /** First slot and number of slots by service (the gateway's last), and by pool from `program.firstPool` on. */
  readonly podBase: Int32Array;
  readonly podCapacity: Int32Array;
  readonly podService: Int32Array;
  readonly podState: Uint8Array;
  readonly podNode: Int32Array;
  /** Every node there has been, by its index. */
  readonly nodes: NodeSpec[];
  readonly podZone: Int32Array;
  /** Number of its locality (sim/places.ts). */
  readonly podLocality: Int32Array;
  readonly podBusy: Int32Array;
  readonly podQueueHead: Int32Array;
  readonly podQueueTail: Int32Array;
  readonly podQueueLength: Int32Array;
  /** Requests on the pod's CPU now, CPU time used so far and when that was last brought up to date. */
  readonly podOnCpu: Int32Array;
  readonly podCpuUs: Float64Array;
  readonly podCpuAtUs: Float64Array;
  /** 1 where requests may have to share the CPU, 0 where each has a core for sure. */
  readonly podShares: Uint8Array;
  readonly sharing: SharedCpu[];
  /** By node, made when its first pod comes; null where pods cannot meet. See sim/nodeCpu.ts. */
  readonly nodeCpus: (NodeCpu | null)[];
  /** Records that belong to the pod and that no proxy counts as under way: given up on, or waiting for a connection. */
  readonly podHeld: Int32Array;
  /** Proxies that take time and CPU; null: they take none. */
  readonly proxies: Proxies | null;
  readonly podServed: Float64Array;
  readonly podEnvoy: Float64Array;
  /** A word of the pod's own, which the next pod in the same slot does not share. */
  readonly podIdentity: Int32Array;
  /** When the proxies learned of a pod that they know (-Infinity: before the start), by slot. */
  readonly hostSeenUs: Float64Array;

  // Services.
  readonly workers: Int32Array;
  /** Longest queue by service; -1: unbounded. */
  readonly queueLimit: Int32Array;
  readonly holdsWorker: Uint8Array;
  /** 1 for a waypoint: it answers with the failures of what it calls. */
  readonly passesOn: Uint8Array;

  // Connections, by connectionBase[edge] + caller's slot in its service x capacity of the callee + callee's slot.
  readonly connectionBase: Int32Array;
  readonly connectionActive: Int32Array;
  readonly connectionRequests: Float64Array;
  /** Bytes since the last folding into the totals by zone, and the requests up to it. */
  readonly connectionBytes: Float64Array;
  readonly connectionFolded: Float64Array;

  // Routes, by row; an edge has those from routeBase[edge] on, one for each place of callers (sim/places.ts). Hosts are global
  // pod slots.
  readonly routeBase: Int32Array;
  /** The row of a caller, by rotationBase[edge] + its slot in its service. */
  readonly routeRow: Int32Array;
  readonly routeKind: Uint8Array;
  readonly routeHosts: Int32Array;
  readonly routeHostCount: Int32Array;
  readonly hosts: Int32Array;
  readonly routeComplex: (ComplexRoute | null)[];
  readonly pooledKind: Uint8Array;
  /** What routes were last made of, by service or pool. */
  readonly routeInputs: (RouteInputs | null)[];
  /** Routes of single proxies that have ejected pods, by rotationBase[edge] + caller's slot; and how many there are. */
  readonly ownRoutes: (ComplexRoute | null)[];
  ownRouteCount: number;
  /** Detector and circuit breakers by edge; null where there are none. */
  readonly outliers: (OutlierState | null)[];
  readonly breakers: (Breaker | null)[];
  /** Long-lived connections by edge; null where each request has its own. */
  readonly longLived: (LongLived | null)[];
  /** Queues of messages, in the order of the program. */
  readonly queues: readonly QueueState[];
  /** 1 while a sweep is planned, by rotationBase[edge] + caller's slot. */
  readonly sweepArmed: Uint8Array;
  /** What only calls with retries or time-outs need, by record; see sim/calls.ts. */
  readonly calls: {
    stamps: Int32Array;
    tried: Int32Array;
    delaysUs: Int32Array;
    users: Int32Array;
    /** Of a delivery: the number of its message. */
    messages: Int32Array;
  };
  /** A word for the user of a call, by record (`calls.users`) and of the call that picks now; kept only while `tracksUsers`. */
  tracksUsers: boolean;
  pickingUser: number;
  /** Why the last call failed that failed on the spot. */
  failedCause: number;
  /** Rotation of ROUND_ROBIN by connection row (edge, caller). */
  readonly rotation: Int32Array;
  readonly rotationBase: Int32Array;
  /** Calls that the caller's proxy refused, having nobody to send them to or no leave; by the same index. */
  readonly refused: Float64Array;

  // What faults change; nothing else writes these.
  /** One-way delay in microseconds by [from x places + to]. */
  readonly zoneDelayUs: Float64Array;
  /** Probability (0..1) that a call between two zones is lost, by the same index; read only while `anyLoss`. */
  readonly zoneLoss: Float64Array;
  anyLoss: boolean;
  /** Probability (0..1) that a pod of the service answers 500 when it is done; read only while `anyErrors`. */
  readonly serviceErrorShare: Float64Array;
  anyErrors: boolean;
  /** Times that users send a failed request again, by load. */
  readonly userRetries: Int32Array;

  // Loads.
  readonly loads: LoadState[];

  readonly counters: Counters;
}

export interface RouteInputs extends RouteChange {
  /** Endpoints that the proxies know, ejected ones included. */
  readonly hostCount: number;
}

/** A pod whose requests share its CPU: processor sharing in virtual time, with the CFS quota. See sim/sharedCpu.ts. */
export interface SharedCpu {
  readonly pod: number;
  coreCount: number;
  /** CPU microseconds per 100 ms; Infinity without a limit. */
  quotaUs: number;
  virtualUs: number;
  /** What is not stolen of the time that its threads run, 0 to 1. */
  keep: number;
  /** Share of a core that each thread has, and how fast it gets on with it: the part that is not stolen. */
  coreShare: number;
  rate: number;
  updatedUs: number;
  quotaLeftUs: number;
  periodEndUs: number;
  throttled: boolean;
  throttledUs: number;
  heap: Int32Array;
  heapCount: number;
  /** Number of the timer that counts; older ones are stale. */
  stamp: number;
  timerUs: number;
  /** Where its pods meet, the node, with this pod's place there; null: it has the node to itself. See sim/nodeCpu.ts. */
  node: NodeCpu | null;
  group: number;
  weight: number;
  requestMillicores: number;
  /** Threads that may run now, as the node counts them, and as it did when it last shared its cores out. */
  threads: number;
  sharedOutTo: number;
  /** Place in the node's list; -1: not in it. */
  activeAt: number;
  /** When something changes next at the present rate. */
  nextUs: number;
}

export interface LoadState {
  readonly seedA: number;
  readonly seedB: number;
  requests: number;
  /** Time of the next arrival, Infinity after the last. */
  nextUs: number;
  next(): number;
  /** Shares of the zones in force, cumulative, scaled to 2^32. */
  zoneBounds: Float64Array;
}

/** Everything counted in the measured part; zeroed at its start. */
export interface Counters {
  readonly arrivals: Float64Array;
  readonly loadSucceeded: Float64Array;
  readonly loadFailed: Float64Array;
  readonly loadLatencyUs: Float64Array;
  readonly loadHistogram: Uint32Array;
  /** External requests in this step of the time series: succeeded, failed, sum of latency; histogram. */
  readonly seriesSums: Float64Array;
  readonly seriesHistogram: Uint32Array;
  readonly serviceArrivals: Float64Array;
  readonly serviceSucceeded: Float64Array;
  readonly serviceFailed: Float64Array;
  readonly serviceRefused: Float64Array;
  readonly serviceLatencyUs: Float64Array;
  readonly serviceWaitUs: Float64Array;
  readonly serviceStarted: Float64Array;
  readonly serviceHistogram: Uint32Array;
  /** For Little's law: number in the system, its integral up to the last change, and the clipped sojourns. */
  readonly inSystem: Float64Array;
  readonly areaUs: Float64Array;
  readonly areaAtUs: Float64Array;
  readonly sojournUs: Float64Array;
  readonly edgeSucceeded: Float64Array;
  readonly edgeFailed: Float64Array;
  readonly edgeLatencyUs: Float64Array;
  readonly edgeHistogram: Uint32Array;
  /** Failures by [edge x CAUSES + cause] and [load x CAUSES + cause]; see sim/spans.ts. */
  readonly edgeCauses: Float64Array;
  readonly loadCauses: Float64Array;
  /** Requests and bytes by [edge x zones x zones + from x zones + to], folded in from the connections. */
  readonly edgeZoneRequests: Float64Array;
  readonly edgeZoneBytes: Float64Array;
  /** Bytes to and from outside of all zones, by edge. */
  readonly outsideSentBytes: Float64Array;
  readonly outsideReceivedBytes: Float64Array;
  /** Since the start of the run, warm-up included, for the checkers. */
  readonly whole: {
    arrivals: number;
    succeeded: number;
    failed: number;
    spans: number;
    events: number;
    retries: number;
    ejections: number;
  };
}

/** Slots by service, gateway last; each must hold every pod that may exist at once. */
export function createWorld(program: Program, seed: number, capacity: readonly number[], loads: LoadState[]): World {
  const zones = program.scenario.cluster.zones.length;
  const services = program.serviceCount;
  const { firstPool, pools } = program;
  const podBase = new Int32Array(firstPool + pools.length);
  const podCapacity = new Int32Array(firstPool + pools.length);
  podCapacity.set(capacity);
  for (let s = 0; s <= services; s++) podBase[s + 1] = podBase[s]! + capacity[s]!;
  pools.forEach(({ first, end }, i) => {
    podBase[firstPool + i] = podBase[first]!;
    podCapacity[firstPool + i] = podBase[end]! - podBase[first]!;
  });
  const pods = podBase[services + 1]!;
  const podService = new Int32Array(pods);
  for (let s = 0; s <= services; s++) podService.fill(s, podBase[s], podBase[s + 1]);

  const connectionBase = new Int32Array(program.edgeCount + 1);
  const rotationBase = new Int32Array(program.edgeCount + 1);
  const routeBase = new Int32Array(program.edgeCount + 1);
  const hostBase: number[] = [];
  let hostCount = 0;
  for (let edge = 0; edge < program.edgeCount; edge++) {
    const callers = capacity[program.edgeSource[edge]!]!;
    const callees = podCapacity[program.edgeDestination[edge]!]!;
    connectionBase[edge + 1] = connectionBase[edge]! + callers * callees;
    rotationBase[edge + 1] = rotationBase[edge]! + callers;
    const rows = rowsOf(program, edge, callers);
    routeBase[edge + 1] = routeBase[edge]! + rows;
    for (let row = 0; row < rows; row++) {
      hostBase.push(hostCount);
      hostCount += callees;
    }
  }
  const routes = routeBase[program.edgeCount]!;
  const connections = connectionBase[program.edgeCount]!;
  const records = createRecords(4096);
  return {
    program,
    seed,
    queue: createQueue(records.capacity),
    records,
    nowUs: 0,
    measureFromUs: 0,
    lossUs: new Float64Array(program.edgeCount).fill(program.scenario.mesh.connectTimeoutUs),
    podCount: pods,
    podBase,
    podCapacity,
    podService,
    podState: new Uint8Array(pods),
    podNode: new Int32Array(pods).fill(-1),
    nodes: [...program.scenario.cluster.nodes],
    podZone: new Int32Array(pods),
    podLocality: new Int32Array(pods),
    podBusy: new Int32Array(pods),
    podQueueHead: new Int32Array(pods).fill(-1),
    podQueueTail: new Int32Array(pods).fill(-1),
    podQueueLength: new Int32Array(pods),
    podOnCpu: new Int32Array(pods),
    podCpuUs: new Float64Array(pods),
    podCpuAtUs: new Float64Array(pods),
    podShares: new Uint8Array(pods),
    sharing: Array.from({ length: pods }, (_, pod) => createSharedCpu(pod)),
    nodeCpus: [],
    podHeld: new Int32Array(pods),
    proxies: createProxies(program, podBase),
    podServed: new Float64Array(pods),
    podEnvoy: new Float64Array(pods * ENVOY_BUCKETS),
    hostSeenUs: new Float64Array(pods).fill(-Infinity),
    podIdentity: Int32Array.from({ length: pods }, (_, slot) => mix(slot + 1)),
    workers: Int32Array.from([...program.services.map((service) => service.workers), 0]),
    queueLimit: Int32Array.from([...program.services.map((service) => service.queue ?? -1), 0]),
    holdsWorker: Uint8Array.from([...program.services.map((service) => (service.holdsWorkerWhileCalling ? 1 : 0)), 0]),
    passesOn: Uint8Array.from(program.services, ({ isWaypoint }) => (isWaypoint ? 1 : 0)),
    connectionBase,
    connectionActive: new Int32Array(connections),
    connectionRequests: new Float64Array(connections),
    connectionBytes: new Float64Array(connections),
    connectionFolded: new Float64Array(connections),
    routeBase,
    routeRow: new Int32Array(rotationBase[program.edgeCount]!),
    routeKind: new Uint8Array(routes),
    routeHosts: Int32Array.from(hostBase),
    routeHostCount: new Int32Array(routes),
    hosts: new Int32Array(hostCount),
    routeComplex: new Array<ComplexRoute | null>(routes).fill(null),
    pooledKind: new Uint8Array(routes),
    rotation: new Int32Array(rotationBase[program.edgeCount]!),
    rotationBase,
    refused: new Float64Array(rotationBase[program.edgeCount]!),
    routeInputs: new Array<RouteInputs | null>(firstPool + pools.length).fill(null),
    ownRoutes: new Array<ComplexRoute | null>(rotationBase[program.edgeCount]!).fill(null),
    ownRouteCount: 0,
    outliers: new Array<OutlierState | null>(program.edgeCount).fill(null),
    breakers: new Array<Breaker | null>(program.edgeCount).fill(null),
    longLived: new Array<LongLived | null>(program.edgeCount).fill(null),
    queues: createQueues(program, podBase, pods),
    sweepArmed: new Uint8Array(rotationBase[program.edgeCount]!),
    calls: {
      stamps: new Int32Array(records.capacity),
      tried: new Int32Array(records.capacity * TRIED_HOSTS),
      delaysUs: new Int32Array(records.capacity),
      users: new Int32Array(records.capacity),
      messages: new Int32Array(records.capacity),
    },
    tracksUsers: false,
    pickingUser: 0,
    failedCause: 0,
    zoneDelayUs: program.zoneDelayUs.slice(),
    zoneLoss: new Float64Array(program.placeCount * program.placeCount),
    anyLoss: false,
    serviceErrorShare: new Float64Array(services),
    anyErrors: false,
    userRetries: new Int32Array(program.scenario.loads.length),
    loads,
    counters: createCounters(program, zones),
  };
}

function rowsOf({ scenario, places }: Program, edge: number, callers: number): number {
  const by = places.routesBy[edge];
  if (by === BY_CALLER) return callers;
  return by === BY_LOCALITY ? places.localities.length : scenario.cluster.zones.length;
}

/** Doubles the room for records; called between slices of the hot loop. */
export function growWorld(world: World): void {
  growRecords(world.records);
  growQueue(world.queue, world.records.capacity);
  const { calls } = world;
  calls.stamps = grown(calls.stamps, world.records.capacity);
  calls.delaysUs = grown(calls.delaysUs, world.records.capacity);
  calls.users = grown(calls.users, world.records.capacity);
  calls.messages = grown(calls.messages, world.records.capacity);
  calls.tried = grown(calls.tried, world.records.capacity * TRIED_HOSTS);
}

function grown(values: Int32Array, length: number): Int32Array {
  const larger = new Int32Array(length);
  larger.set(values);
  return larger;
}

function createSharedCpu(pod: number): SharedCpu {
  return {
    pod,
    coreCount: 1,
    quotaUs: Infinity,
    virtualUs: 0,
    keep: 1,
    coreShare: 1,
    rate: 1,
    updatedUs: 0,
    quotaLeftUs: Infinity,
    periodEndUs: 0,
    throttled: false,
    throttledUs: 0,
    heap: new Int32Array(0),
    heapCount: 0,
    stamp: 0,
    timerUs: -1,
    node: null,
    group: 0,
    weight: 0,
    requestMillicores: 0,
    threads: 0,
    sharedOutTo: 0,
    activeAt: -1,
    nextUs: Infinity,
  };
}

function createCounters(program: Program, zones: number): Counters {
  const loads = program.scenario.loads.length;
  const services = program.serviceCount;
  const edges = program.edgeCount;
  return {
    arrivals: new Float64Array(loads),
    loadSucceeded: new Float64Array(loads),
    loadFailed: new Float64Array(loads),
    loadLatencyUs: new Float64Array(loads),
    loadHistogram: new Uint32Array(loads * HISTOGRAM_SIZE),
    seriesSums: new Float64Array(3),
    seriesHistogram: new Uint32Array(HISTOGRAM_SIZE),
    serviceArrivals: new Float64Array(services),
    serviceSucceeded: new Float64Array(services),
    serviceFailed: new Float64Array(services),
    serviceRefused: new Float64Array(services),
    serviceLatencyUs: new Float64Array(services),
    serviceWaitUs: new Float64Array(services),
    serviceStarted: new Float64Array(services),
    serviceHistogram: new Uint32Array(services * HISTOGRAM_SIZE),
    inSystem: new Float64Array(services),
    areaUs: new Float64Array(services),
    areaAtUs: new Float64Array(services),
    sojournUs: new Float64Array(services),
    edgeSucceeded: new Float64Array(edges),
    edgeFailed: new Float64Array(edges),
    edgeLatencyUs: new Float64Array(edges),
    edgeHistogram: new Uint32Array(edges * HISTOGRAM_SIZE),
    edgeCauses: new Float64Array(edges * CAUSES),
    loadCauses: new Float64Array(loads * CAUSES),
    edgeZoneRequests: new Float64Array(edges * zones * zones),
    edgeZoneBytes: new Float64Array(edges * zones * zones),
    outsideSentBytes: new Float64Array(edges),
    outsideReceivedBytes: new Float64Array(edges),
    whole: { arrivals: 0, succeeded: 0, failed: 0, spans: 0, events: 0, retries: 0, ejections: 0 },
  };
}
