/**
 * Compiles a scenario into the integer tables that the hot loop runs on. Nothing here changes during a run; what does
 * (pods, routes, counters) is in sim/world.ts.
 *
 * Services are put in the order in which the loads reach them (depth first, calls in their order), the idle ones last.
 * So neither names nor the order of the services in the file have any part in a draw, a tie or a placement, and an
 * added idle service comes after everyone else.
 */
import type { Call, Distribution, Endpoint, MessageQueue, Scenario, Service } from '../scenarios/types.js';
import { compilePlaces, type Places } from './places.js';
import { pooledHosts, PoolTableSet, versionsInOrder, type PoolTables } from './pools.js';
import { fillQuantileTable, TABLE_SIZE } from './quantileTable.js';
import { appOf, callerOf, loadClasses, TargetSet, type RequestPolicy, type RequestRoute } from './targets.js';

/** Operations: four integers each, [code, a, b, c]. */
export const OP_CPU = 0; // a: table of the demand
export const OP_WAIT = 1; // a: table of the delay
export const OP_CALL = 2; // a: first call row, b: rows, c: unused
export const OP_END = 3;
/** At an external or a broker: count the bytes to and from outside, take the message (sim/queues.ts). */
export const OP_OUTSIDE = 4; // a: endpoint
export const OP_ENQUEUE = 5; // a: queue
export const OP_WORDS = 4;

/** Calls: two integers each, one call at most; a call with a count stands there several times. */
/** A target, or ~route; see sim/targets.ts. */
export const CALL_TARGET = 0;
/** The call is made when the draw (unsigned) is below this; -1 (all ones) stands for always. */
export const CALL_PROBABILITY = 1;
export const CALL_WORDS = 2;

/** The source of external requests, in the place of a service. */
export const GATEWAY_NAME = 'gateway';

export interface Program extends PoolTables {
  readonly scenario: Scenario;
  /** Services in internal order; `order[i]` is the position in the scenario, `indexOf[j]` the way back. */
  readonly services: readonly Service[];
  readonly order: readonly number[];
  readonly indexOf: readonly number[];
  readonly serviceCount: number;
  /** Index that stands for the gateways in tables by service: serviceCount. */
  readonly gateway: number;
  /** Destinations from here on are pools; the number before stands for the end of the gateways' slots. */
  readonly firstPool: number;
  readonly ops: Int32Array;
  readonly calls: Int32Array;
  /** By endpoint (global index): service, first operation, bytes of request plus response. */
  readonly endpointStart: Int32Array;
  readonly endpointService: Int32Array;
  readonly endpointBytes: Float64Array;
  readonly endpointRequestBytes: Float64Array;
  readonly edgeSource: Int32Array;
  readonly edgeDestination: Int32Array;
  /** The service that is called over an edge: the destination, unless that is a waypoint in front of it. */
  readonly edgeHost: Int32Array;
  readonly edgeCount: number;
  readonly places: Places;
  /** By service (the gateways' too) as caller: its proxies choose a pod for each request, and apply rules and routes. */
  readonly balancesRequests: readonly boolean[];
  /** By target: edge, endpoint (global index; ~row of `pooledEndpoint` for a pool) and policy; 1 where that policy has a time-out. */
  readonly targetEdge: Int32Array;
  readonly targetEndpoint: Int32Array;
  readonly targetPolicy: Int32Array;
  readonly policies: readonly RequestPolicy[];
  readonly policyTimed: Uint8Array;
  readonly routes: readonly RequestRoute[];
  /** By load: a target, or ~route, from the gateways. */
  readonly loadTarget: Int32Array;
  /** By load, its class for routes that ask for headers; and whether there are any: then every call bears its load. */
  readonly loadClass: Int32Array;
  readonly tellsLoads: boolean;
  readonly tables: Float64Array;
  /** Zones, and one more place for each service outside of them. */
  readonly placeCount: number;
  /** By service: its place outside of the zones, or -1. */
  readonly outsidePlace: Int32Array;
  /** Queues of messages, in the order of the services; and by service (the gateways' too) the number of its queue, or -1. */
  readonly queues: readonly CompiledQueue[];
  readonly queueOf: Int32Array;
  /** One-way delay in microseconds by [from x places + to]; and between pods of one node. */
  readonly zoneDelayUs: Float64Array;
  readonly sameNodeDelayUs: number;
  /** What pairs of nodes add to the delay of their zones, by [from x nodes + to]; null: no pair differs. */
  readonly nodeExtraUs: Float64Array | null;
  /** Table of the jitter factor, or -1. */
  readonly jitterTable: number;
  /** Table of the unit exponential, for arrivals. */
  readonly exponentialTable: number;
  /** By service: a fault may steal CPU time of its pods. */
  readonly mayBeSlowed: readonly boolean[];
  /** Most child spans one step can start, plus what an event may need besides: the reserve of free records. */
  readonly reserve: number;
}

export interface CompiledQueue {
  readonly service: number;
  readonly setting: MessageQueue;
  readonly messageBytes: number;
  readonly consumers: readonly { readonly service: number; readonly target: number; readonly concurrency: number }[];
}

export function compileProgram(scenario: Scenario): Program {
  const order = serviceOrder(scenario, pooledHosts(scenario));
  const indexOf = new Array<number>(order.length);
  order.forEach((declared, index) => (indexOf[declared] = index));
  const services = order.map((declared) => scenario.services[declared]!);
  const gateway = services.length;
  const firstPool = gateway + 2;

  const endpointIndex: number[][] = [];
  let endpointCount = 0;
  for (const service of services) endpointIndex.push(service.endpoints.map(() => endpointCount++));
  const globalEndpoint = (service: number, endpoint: number) => endpointIndex[indexOf[service]!]![endpoint]!;

  const tables = new TableSet();
  const edges = new EdgeSet();
  const poolTables = new PoolTableSet(scenario, indexOf, globalEndpoint);
  const callers = [...services, null].map((service) => callerOf(scenario, service));
  const edgeTo = (source: number, service: number): number => edges.of(source, indexOf[service]!, indexOf[service]!);
  const targets: TargetSet = new TargetSet(
    scenario,
    (source, called, pool, host) => {
      if (pool === null) return edges.of(source, indexOf[called.service]!, indexOf[host]!);
      const edge = edges.of(source, firstPool + targets.pools.indexOf(pool), indexOf[pool.host]!);
      for (const service of [pool.host, ...pool.members]) edgeTo(source, service);
      return edge;
    },
    (called, pool) =>
      pool === null ? globalEndpoint(called.service, called.endpoint) : poolTables.endpointOf(pool, called.endpoint),
    (source) => callers[source]!,
  );
  const loadTarget = Int32Array.from(scenario.loads, (load) => targets.ofLoad(gateway, load));
  const queueServices = services.flatMap(({ external }, service) => (external?.queue ? [service] : []));
  const queueOf = Int32Array.from({ length: services.length + 1 }, (_, service) => queueServices.indexOf(service));
  const outside = services.flatMap(({ external }, service) => (external?.perZone === null ? [service] : []));
  const outsidePlace = Int32Array.from(services, (_, service) =>
    outside.includes(service) ? scenario.cluster.zones.length + outside.indexOf(service) : -1,
  );
  const ops: number[] = [];
  const calls: number[] = [];
  const endpointStart = new Int32Array(endpointCount);
  const endpointService = new Int32Array(endpointCount);
  const endpointBytes = new Float64Array(endpointCount);
  const endpointRequestBytes = new Float64Array(endpointCount);
  let widest = 1;
  services.forEach((service, index) => {
    service.endpoints.forEach((endpoint, position) => {
      const global = endpointIndex[index]![position]!;
      endpointStart[global] = ops.length / OP_WORDS;
      endpointService[global] = index;
      endpointBytes[global] = endpoint.requestBytes + endpoint.responseBytes;
      endpointRequestBytes[global] = endpoint.requestBytes;
      if (outsidePlace[index]! >= 0) ops.push(OP_OUTSIDE, global, 0, 0);
      widest = Math.max(
        widest,
        compileEndpoint(endpoint, queueOf[index]!, ops, calls, tables, (call) =>
          targets.of(index, appOf(scenario, service), call),
        ),
      );
    });
  });
  const queues = queueServices.map((service): CompiledQueue => {
    const setting = services[service]!.external!.queue!;
    const consumers = setting.consumers.map((consumer) => ({
      service: indexOf[consumer.service]!,
      target: targets.delivery(service, consumer, setting.visibilityTimeoutUs),
      concurrency: consumer.concurrency,
    }));
    return { service, setting, messageBytes: services[service]!.endpoints[0]!.requestBytes, consumers };
  });

  const { roundTrip, zones } = scenario.cluster;
  const jitterTable = roundTrip.jitter ? tables.of(roundTrip.jitter) : -1;
  const exponentialTable = tables.of({ kind: 'exponential', mean: 1 });
  return {
    scenario,
    services,
    order,
    indexOf,
    serviceCount: services.length,
    gateway,
    firstPool,
    ...poolTables.tables(targets.pools, edges, firstPool, (source, service) => edges.of(source, service, service)),
    ops: Int32Array.from(ops),
    calls: Int32Array.from(calls),
    endpointStart,
    endpointService,
    endpointBytes,
    endpointRequestBytes,
    edgeSource: Int32Array.from(edges.sources),
    edgeDestination: Int32Array.from(edges.destinations),
    edgeHost: Int32Array.from(edges.hosts),
    balancesRequests: callers.map(({ balances }) => balances),
    edgeCount: edges.sources.length,
    places: compilePlaces(scenario, services, order, {
      sources: edges.sources,
      // A pool is routed to by the rules of its host.
      destinations: edges.destinations.map((to) =>
        to < firstPool ? to : indexOf[targets.pools[to - firstPool]!.host]!,
      ),
    }),
    targetEdge: Int32Array.from(targets.edges),
    targetEndpoint: Int32Array.from(targets.endpoints),
    targetPolicy: Int32Array.from(targets.policyOf),
    policies: targets.policies,
    policyTimed: Uint8Array.from(targets.policies, ({ perTryTimeoutUs, timeoutUs }) =>
      perTryTimeoutUs > 0 || timeoutUs > 0 ? 1 : 0,
    ),
    routes: targets.routes,
    loadTarget,
    loadClass: Int32Array.from(loadClasses(scenario).classOf),
    tellsLoads: targets.routes.some(({ byClass }) => byClass !== null),
    tables: tables.fill(),
    placeCount: scenario.cluster.zones.length + outside.length,
    outsidePlace,
    queues,
    queueOf,
    zoneDelayUs: zoneDelays(
      scenario,
      outside.map((service) => services[service]!.external!.roundTripUs),
    ),
    sameNodeDelayUs: roundTrip.sameNodeUs / 2,
    nodeExtraUs: nodeExtras(scenario),
    jitterTable,
    exponentialTable,
    mayBeSlowed: order.map((declared) =>
      scenario.faults.some((fault) => fault.kind === 'slowPod' && fault.service === declared && fault.forUs !== 0),
    ),
    // Two for each call: its span, and its time-out; as many again for a copy of it.
    reserve: (targets.routes.some(({ mirror }) => mirror >= 0) ? 4 : 2) * widest + 8 + zones.length + 2 * queues.length,
  };
}

/** Declared positions of the services in the order of first use, depth first from the loads; pooled versions together. */
function serviceOrder(scenario: Scenario, pooled: ReadonlySet<number>): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const visit = (service: number): void => {
    if (seen.has(service)) return;
    const host = scenario.services[service]!.versionOf ?? service;
    const together = pooled.has(host) ? versionsInOrder(scenario, host) : [service];
    for (const one of together) {
      seen.add(one);
      order.push(one);
    }
    // A waypoint of the host; its versions have none.
    const { waypoint } = scenario.services[host]!;
    if (waypoint !== null) visit(waypoint.service);
    for (const one of together) visitCallees(one);
  };
  const visitCallees = (service: number): void => {
    for (const endpoint of scenario.services[service]!.endpoints) {
      for (const step of endpoint.steps) if (step.kind === 'call') for (const call of step.calls) visit(call.service);
    }
    for (const consumer of scenario.services[service]!.external?.queue?.consumers ?? []) visit(consumer.service);
  };
  for (const load of scenario.loads) visit(load.service);
  scenario.services.forEach((_, index) => visit(index));
  return order;
}

/** Appends the operations of one endpoint; returns the most calls that one of its steps can have under way. */
function compileEndpoint(
  endpoint: Endpoint,
  queue: number,
  ops: number[],
  calls: number[],
  tables: TableSet,
  target: (call: Call) => number,
): number {
  let widest = 0;
  for (const step of endpoint.steps) {
    if (step.kind === 'cpu') ops.push(OP_CPU, tables.of(step.demand), 0, 0);
    else if (step.kind === 'wait') ops.push(OP_WAIT, tables.of(step.delay), 0, 0);
    else {
      const rounds = step.repeat === 'parallel' ? [repeats(step.calls).flat()] : repeats(step.calls);
      for (const round of rounds) {
        ops.push(OP_CALL, calls.length / CALL_WORDS, round.length, 0);
        widest = Math.max(widest, round.length);
        for (const call of round) {
          calls.push(target(call), threshold(call.probability));
        }
      }
    }
  }
  if (queue >= 0) ops.push(OP_ENQUEUE, queue, 0, 0);
  ops.push(OP_END, 0, 0, 0);
  return widest;
}

/**
 * The repeats of a step's calls as rounds of single calls: round r holds each call that has an r-th repeat. Every
 * repeat is drawn on its own, so a call with probability p and count c is made p x c times in the mean; the fraction of
 * a count is the probability of its last repeat.
 */
function repeats(calls: readonly Call[]): Call[][] {
  const rounds: Call[][] = [];
  for (const call of calls) {
    for (let round = 0; round < call.count; round++) {
      const share = Math.min(1, call.count - round);
      (rounds[round] ??= []).push({ ...call, probability: call.probability * share, count: 1 });
    }
  }
  return rounds;
}

/** A probability as a bound on an unsigned 32-bit draw, kept as a signed word; -1 stands for always. */
function threshold(probability: number): number {
  return probability >= 1 ? -1 : Math.floor(probability * 4294967296) | 0;
}

/** `outsideUs`: round trips to the places outside, the same from everywhere. */
function zoneDelays(scenario: Scenario, outsideUs: readonly number[]): Float64Array {
  const { zones, roundTrip } = scenario.cluster;
  const places = zones.length + outsideUs.length;
  const delays = new Float64Array(places * places);
  outsideUs.forEach((roundTripUs, i) => {
    for (let place = 0; place < places; place++) {
      delays[place * places + zones.length + i] = roundTripUs / 2;
      delays[(zones.length + i) * places + place] = roundTripUs / 2;
    }
  });
  zones.forEach((from, i) => {
    zones.forEach((to, j) => {
      const roundTripUs =
        i === j ? roundTrip.sameZoneUs : from.region === to.region ? roundTrip.crossZoneUs : roundTrip.crossRegionUs;
      delays[i * places + j] = roundTripUs / 2;
    });
  });
  for (const pair of roundTrip.pairs) delays[pair.from * places + pair.to] = pair.roundTripUs / 2;
  return delays;
}

/** Kept as what comes on top of the zones, so that a fault on a link between zones slows these pairs, too. */
function nodeExtras(scenario: Scenario): Float64Array | null {
  const { nodes, zones, roundTrip } = scenario.cluster;
  if (roundTrip.nodePairs.length === 0) return null;
  const byZone = zoneDelays(scenario, []);
  const extras = new Float64Array(nodes.length * nodes.length);
  for (const { from, to, roundTripUs } of roundTrip.nodePairs)
    extras[from * nodes.length + to] = roundTripUs / 2 - byZone[nodes[from]!.zone * zones.length + nodes[to]!.zone]!;
  return extras;
}

/** One table per distinct distribution. */
class TableSet {
  private readonly bases = new Map<string, number>();
  private readonly distributions: Distribution[] = [];

  of(distribution: Distribution): number {
    const key = JSON.stringify(distribution);
    let base = this.bases.get(key);
    if (base === undefined) {
      base = this.distributions.length * TABLE_SIZE;
      this.bases.set(key, base);
      this.distributions.push(distribution);
    }
    return base;
  }

  fill(): Float64Array {
    const tables = new Float64Array(this.distributions.length * TABLE_SIZE);
    this.distributions.forEach((distribution, i) => fillQuantileTable(tables, i * TABLE_SIZE, distribution, 1));
    return tables;
  }
}

class EdgeSet {
  readonly sources: number[] = [];
  readonly destinations: number[] = [];
  readonly hosts: number[] = [];
  private readonly indices = new Map<string, number>();

  /** Connections through a waypoint lead to one service each, so they are edges of their own. */
  of(source: number, destination: number, host: number): number {
    const key = `${source}>${destination}>${host}`;
    let index = this.indices.get(key);
    if (index === undefined) {
      index = this.sources.length;
      this.indices.set(key, index);
      this.sources.push(source);
      this.destinations.push(destination);
      this.hosts.push(host);
    }
    return index;
  }
}
