/**
 * One pool over several versions of a host (SEMANTICS A17): a call that names no subset, or one whose labels several
 * versions carry, is balanced over the pods of all of them, by one cluster with one choice, one detector and one breaker.
 *
 * A pool is a destination of calls beside the services, numbered after the gateways, so that whatever is kept by edge
 * treats it like any other. The versions of a host with a pool follow one another in the order of services: their slots
 * are one range, and a row of connections covers it. What differs between the versions is looked up once a pod is picked:
 * the endpoint that it runs, and the edge from the caller to that version alone, which keeps the figures of the call.
 */
import type { Scenario } from '../scenarios/types.js';
import type { Program } from './program.js';
import { appOf, callerOf, TargetSet, type HostPool } from './targets.js';

/** Everything by internal index of the services. */
export interface ProgramPool {
  readonly host: number;
  /** Null: all versions of the host. */
  readonly subset: string | null;
  readonly members: readonly number[];
  /** The versions of the host, and with them their slots, stand from `first` up to `end`. */
  readonly first: number;
  readonly end: number;
}

export interface PoolTables {
  readonly pools: readonly ProgramPool[];
  /** By edge: -1, or where in `memberEdge` the edges of a pool's versions stand. */
  readonly edgeMembers: Int32Array;
  /** From there on by service; the one of the gateways stands for the host, for calls that reached no pod. */
  readonly memberEdge: Int32Array;
  /** By ~targetEndpoint x services + service of the pod: the endpoint that it runs. */
  readonly pooledEndpoint: Int32Array;
}

/** Declared positions of all hosts whose pods some call finds in a pool. */
export function pooledHosts(scenario: Scenario): ReadonlySet<number> {
  const { services, loads } = scenario;
  if (services.every(({ versionOf }) => versionOf === null)) return new Set();
  const targets = new TargetSet(
    scenario,
    () => 0,
    () => 0,
    (source) => callerOf(scenario, services[source] ?? null),
  );
  for (const load of loads) targets.ofLoad(services.length, load);
  for (const [source, service] of services.entries())
    for (const { steps } of service.endpoints)
      for (const step of steps)
        if (step.kind === 'call') for (const call of step.calls) targets.of(source, appOf(scenario, service), call);
  return new Set(targets.pools.map(({ host }) => host));
}

/** Declared positions of a host and its versions in an order of their own, whatever the order in the file. */
export function versionsInOrder({ services }: Scenario, host: number): number[] {
  const labelsOf = (index: number): string => {
    const { labels } = services[index]!;
    return JSON.stringify(
      Object.keys(labels)
        .sort()
        .map((key) => [key, labels[key]]),
    );
  };
  const versions = services.flatMap(({ versionOf }, index) => (versionOf === host ? [index] : []));
  return [host, ...versions.sort((a, b) => (labelsOf(a) < labelsOf(b) ? -1 : labelsOf(a) > labelsOf(b) ? 1 : a - b))];
}

/** Collects the tables while the program is compiled. */
export class PoolTableSet {
  private readonly endpointRows = new Map<string, number>();
  private readonly pooledEndpoint: number[] = [];

  constructor(
    private readonly scenario: Scenario,
    private readonly indexOf: readonly number[],
    private readonly globalEndpoint: (service: number, endpoint: number) => number,
  ) {}

  /** What stands for the endpoint of that name at every version: ~row. */
  endpointOf({ host }: HostPool, endpoint: number): number {
    const { services } = this.scenario;
    const { name } = services[host]!.endpoints[endpoint]!;
    const key = `${host} ${name}`;
    let row = this.endpointRows.get(key);
    if (row === undefined) {
      row = this.endpointRows.size;
      this.endpointRows.set(key, row);
      for (let i = 0; i < services.length; i++) this.pooledEndpoint.push(-1);
      for (const version of versionsInOrder(this.scenario, host)) {
        // The loader has checked that versions have the endpoints of their host.
        const own = services[version]!.endpoints.findIndex((candidate) => candidate.name === name);
        this.pooledEndpoint[row * services.length + this.indexOf[version]!] = this.globalEndpoint(version, own);
      }
    }
    return ~row;
  }

  /** `edgeOf`: the edge that leads from a source to a service. */
  tables(
    pools: readonly HostPool[],
    edges: { readonly sources: readonly number[]; readonly destinations: readonly number[] },
    firstPool: number,
    edgeOf: (source: number, service: number) => number,
  ): PoolTables {
    const { services } = this.scenario;
    const compiled = pools.map(({ host, subset, members }): ProgramPool => {
      const first = this.indexOf[host]!;
      const end = first + versionsInOrder(this.scenario, host).length;
      return { host: first, subset, members: members.map((member) => this.indexOf[member]!), first, end };
    });
    const memberEdge: number[] = [];
    const edgeMembers = Int32Array.from(edges.destinations, (destination, edge) => {
      const pool = compiled[destination - firstPool];
      if (pool === undefined) return -1;
      const source = edges.sources[edge]!;
      const at = memberEdge.length;
      for (let service = 0; service < services.length; service++)
        memberEdge.push(pool.members.includes(service) ? edgeOf(source, service) : -1);
      memberEdge.push(edgeOf(source, pool.host));
      return at;
    });
    return {
      pools: compiled,
      edgeMembers,
      memberEdge: Int32Array.from(memberEdge),
      pooledEndpoint: Int32Array.from(this.pooledEndpoint),
    };
  }
}

/** The service whose rules hold for a destination of calls: itself, or the host of a pool. */
export function hostOf({ firstPool, pools }: Program, destination: number): number {
  return destination < firstPool ? destination : pools[destination - firstPool]!.host;
}

/** The services whose pods a destination of calls may have. */
export function membersOf({ firstPool, pools }: Program, destination: number): readonly number[] {
  return destination < firstPool ? [destination] : pools[destination - firstPool]!.members;
}

/** Numbers of the pools that hold pods of a service. */
export function poolsWith({ firstPool, pools }: Program, service: number): number[] {
  return pools.flatMap(({ members }, i) => (members.includes(service) ? [firstPool + i] : []));
}

export function leadsTo(program: Program, edge: number, service: number): boolean {
  const destination = program.edgeDestination[edge]!;
  return (
    destination === service || (destination >= program.firstPool && membersOf(program, destination).includes(service))
  );
}
