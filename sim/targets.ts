/**
 * What a call may lead to once the routes of VirtualServices are applied (SEMANTICS A16, A17). A target is (edge,
 * endpoint, policy of time-outs and retries); most calls have exactly one and are compiled to its number. Where the
 * proxy has to choose (weighted destinations), to inject faults, or finds no route, the call is compiled to ~route.
 */
import type { Load, LoadRequest, Scenario, Service } from '../scenarios/types.js';
import { holdsFor, readHttpRoutes, routeOfRequest, type HttpRoute, type RequestFacts } from './mesh/httpRoutes.js';
import { servicesOfSubset } from './mesh/subsets.js';
import { CAUSE_DRAW_ROUTE, mix } from './random.js';
import {
  CAUSE_ANSWERED,
  CAUSE_DIRECT,
  CAUSE_FI,
  CAUSE_FI_GRPC,
  CAUSE_APP_500,
  CAUSE_APP_503,
  CAUSE_APP_504,
  CAUSE_NC,
  CAUSE_NR,
  CAUSE_UC,
  CAUSE_UF,
  CAUSE_UH,
  CAUSE_UT,
} from './spans.js';

/** Time-outs and retries of a route. Times in microseconds; 0 is none. */
export interface RequestPolicy {
  /** Retries after the first attempt, at most. */
  readonly attempts: number;
  /** Bit 1 << cause for each cause that is tried again. */
  readonly retryCauses: number;
  readonly perTryTimeoutUs: number;
  readonly timeoutUs: number;
  readonly backOffBaseUs: number;
}

export interface RequestRoute {
  readonly targets: readonly number[];
  /** Cumulative weights of the targets, scaled to 2^32. */
  readonly below: readonly number[];
  /**
   * By target why the proxy answers itself, else 0: no route matches (404), no such subset or no pods in it (503), a
   * redirect or direct response.
   */
  readonly causes: readonly number[];
  /** Shares of the calls that are delayed and aborted, scaled to 2^32. */
  readonly delayBelow: number;
  readonly delayUs: number;
  readonly abortBelow: number;
  readonly abortCause: number;
  /** Target that gets a copy of a share of the calls, scaled to 2^32, whose answers nobody waits for; -1: none. */
  readonly mirror: number;
  readonly mirrorBelow: number;
  /** Where headers matter: by class of loads (`loadClasses`) what the call leads to, and nothing else holds; else null. */
  readonly byClass: readonly number[] | null;
}

const TWO_TO_32 = 4294967296;

/** One attempt, for as long as it takes. */
const ONCE: RequestPolicy = { attempts: 0, retryCauses: 0, perTryTimeoutUs: 0, timeoutUs: 0, backOffBaseUs: 0 };

/** Which of the targets one call through a route gets. */
export function chooseTarget(route: RequestRoute, key: number): number {
  const { targets, below } = route;
  if (targets.length === 1) return 0;
  const word = mix(key ^ CAUSE_DRAW_ROUTE) >>> 0;
  let i = 0;
  while (i < targets.length - 1 && word >= below[i]!) i++;
  return i;
}

/** Who calls. */
export interface Caller {
  /** Null: the gateways. */
  readonly service: Service | null;
  /** Its proxies choose a pod for each request, by rules and routes. */
  readonly balances: boolean;
}

/** `service` null: the gateways. */
export function callerOf({ mesh: { routing } }: Scenario, service: Service | null): Caller {
  const isProxy = service === null || service.isWaypoint;
  return { service, balances: routing.kind === 'istio' || (routing.kind === 'ambient' && isProxy) };
}

export interface EndpointRef {
  /** Declared positions. */
  readonly service: number;
  readonly endpoint: number;
}

/** What its callees see of a service: versions bear the label of their host. */
export function appOf({ services }: Scenario, { name, versionOf }: Service): string {
  return versionOf === null ? name : services[versionOf]!.name;
}

/** Loads whose requests bear the same headers are one class: nothing else of a load is known deeper in the call tree. */
export function loadClasses({ loads }: Pick<Scenario, 'loads'>): {
  readonly classes: readonly LoadRequest['headers'][];
  readonly classOf: readonly number[];
} {
  const keys = loads.map(({ request: { headers } }) =>
    JSON.stringify(
      Object.keys(headers)
        .sort()
        .map((name) => [name, headers[name]]),
    ),
  );
  const found = [...new Set(keys)];
  const classes = found.map((key) => loads[keys.indexOf(key)]!.request.headers);
  return { classes: classes.length > 0 ? classes : [{}], classOf: keys.map((key) => found.indexOf(key)) };
}

/** Pods of several versions of a host that balance as one (sim/pools.ts). Declared positions. */
export interface HostPool {
  readonly host: number;
  readonly subset: string | null;
  readonly members: readonly number[];
}

/** Collects targets, policies and routes while the program is compiled. */
export class TargetSet {
  readonly edges: number[] = [];
  readonly endpoints: number[] = [];
  readonly policyOf: number[] = [];
  readonly policies: RequestPolicy[] = [];
  readonly routes: RequestRoute[] = [];
  readonly pools: HostPool[] = [];
  private readonly poolIndex = new Map<string, number>();
  private readonly targetIndex = new Map<string, number>();
  private readonly policyIndex = new Map<string, number>();
  private readonly routeIndex = new Map<string, number>();
  private readonly httpRoutes = new Map<string, HttpRoute[]>();
  /** By class of loads what its calls bear. */
  private readonly classes: readonly RequestFacts[];

  constructor(
    private readonly scenario: Scenario,
    private readonly edgeOf: (source: number, destination: EndpointRef, pool: HostPool | null, host: number) => number,
    private readonly endpointOf: (destination: EndpointRef, pool: HostPool | null) => number,
    private readonly callerOf: (source: number) => Caller,
  ) {
    this.classes = loadClasses(scenario).classes.map((headers) => ({ headers, method: null, query: null }));
  }

  /** The call of a service with that app label, `source` being whatever `edgeOf` takes. Returns a target, or ~route. */
  of(source: number, app: string, called: EndpointRef): number {
    const byClass = this.classes.map((request) => this.ofRequest(source, app, called, request));
    const [first] = byClass as [number, ...number[]];
    if (byClass.every((one) => one === first)) return first;
    return ~this.route([], [], null, [], null, byClass);
  }

  /** The same for the requests of a load, from the gateways. */
  ofLoad(source: number, load: Load): number {
    return this.ofRequest(source, null, load, load.request);
  }

  private ofRequest(source: number, sourceName: string | null, called: EndpointRef, request: RequestFacts): number {
    const service = this.scenario.services[called.service]!;
    const endpointName = service.endpoints[called.endpoint]!.name;
    const { istioMinor } = this.scenario.compat;
    const routes = this.routesOf(source, called.service, sourceName === null);
    const route = routeOfRequest(routes, endpointName, sourceName, istioMinor, request);
    if (route === null) return this.answered(source, called, CAUSE_NR);
    if (route.answer !== null) return this.answered(source, called, route.answer < 400 ? CAUSE_ANSWERED : CAUSE_DIRECT);
    const policy = this.policy(policyOf(route));
    const destinations = route.destinations.filter(({ weight }) => weight > 0);
    if (destinations.length === 0) destinations.push({ host: service.name, subset: null, weight: 1 });
    const chosen = destinations.map(({ host, subset }) => this.destination(source, host, subset, called, policy));
    const targets = chosen.map(({ target }) => target);
    const causes = chosen.map(({ cause }) => cause);
    const mirror = this.mirror(source, route.mirror, called);
    if (targets.length === 1 && causes[0] === 0 && route.fault === null && mirror === null) return targets[0]!;
    return ~this.route(
      targets,
      destinations.map(({ weight }) => weight),
      route.fault,
      causes,
      mirror,
    );
  }

  /** A message from its broker to a consumer, which asked for it: no proxy routes it or tries again. */
  delivery(broker: number, consumer: EndpointRef, timeoutUs: number): number {
    return this.target(broker, consumer, this.policy({ ...ONCE, timeoutUs }));
  }

  /** The caller's proxy has the answer itself. */
  private answered(source: number, called: EndpointRef, cause: number): number {
    return ~this.route([this.target(source, called, this.policy(ONCE))], [1], null, [cause]);
  }

  private routesOf(source: number, service: number, gateways: boolean): HttpRoute[] {
    const { balances } = this.callerOf(source);
    const key = `${service} ${gateways} ${balances}`;
    let routes = this.httpRoutes.get(key);
    const isTcp = this.scenario.services[service]!.external?.protocol === 'tcp';
    if (routes === undefined && (isTcp || !balances)) {
      // Nobody but the application could try again, and applications are not known to.
      routes = [...readHttpRoutes({ http: [{ retries: { attempts: 0 } }] }, this.scenario.compat.istioMinor)];
      this.httpRoutes.set(key, routes);
    }
    if (routes === undefined) {
      const object = this.scenario.mesh.virtualServices.find(
        ({ service: host, object }) =>
          host === service && holdsFor(object.spec, gateways, gateways && this.passesWaypoint(source, service)),
      )?.object;
      routes = [...readHttpRoutes(object?.spec ?? null, this.scenario.compat.istioMinor)];
      this.httpRoutes.set(key, routes);
    }
    return routes;
  }

  /** Where copies go; null: nowhere, as to a subset without pods. A copy is sent once, whatever becomes of it. */
  private mirror(
    source: number,
    mirror: HttpRoute['mirror'],
    called: EndpointRef,
  ): { target: number; percent: number } | null {
    if (mirror === null || mirror.percent === 0) return null;
    const once = this.policy(ONCE);
    const { target, cause } = this.destination(source, mirror.host, mirror.subset, called, once);
    return cause === 0 ? { target, percent: mirror.percent } : null;
  }

  /** Where one destination leads; the edge to the host itself where the proxy has nowhere to send it. */
  private destination(
    source: number,
    host: string,
    subset: string | null,
    called: EndpointRef,
    policy: number,
  ): { target: number; cause: number } {
    const at = this.sameEndpoint(host, called);
    const { services, mesh } = this.scenario;
    // It has the choice among the versions.
    if (subset === null && this.passesWaypoint(source, at.service))
      return { target: this.target(source, at, policy), cause: 0 };
    const rule = mesh.destinationRules.find((candidate) => candidate.service === at.service)?.object.spec ?? null;
    const members = servicesOfSubset(services, at.service, rule, subset);
    if (members === 'unknown subset') return { target: this.target(source, at, policy), cause: CAUSE_NC };
    const [service] = members;
    if (service === undefined) return { target: this.target(source, at, policy), cause: CAUSE_UH };
    if (members.length > 1)
      return { target: this.target(source, at, policy, this.pool(at.service, subset, members)), cause: 0 };
    if (service === at.service) return { target: this.target(source, at, policy), cause: 0 };
    const name = services[at.service]!.endpoints[at.endpoint]!.name;
    const endpoint = services[service]!.endpoints.findIndex((candidate) => candidate.name === name);
    return { target: this.target(source, { service, endpoint }, policy), cause: 0 };
  }

  private pool(host: number, subset: string | null, members: readonly number[]): HostPool {
    const key = JSON.stringify([host, subset]);
    const index = indexed(this.poolIndex, key, () => this.pools.push({ host, subset, members }) - 1);
    return this.pools[index]!;
  }

  /** The endpoint of that name at another host; a service with one endpoint answers everything with it. */
  private sameEndpoint(host: string, called: EndpointRef): EndpointRef {
    const { services } = this.scenario;
    // The loader has checked that a host is name, name.namespace or the full name.
    const service = services.findIndex((candidate) => candidate.name === host.split('.')[0]);
    if (service < 0) throw new Error(`route to unknown host ${host}: the loader checks hosts`);
    if (service === called.service) return called;
    const wanted = services[called.service]!.endpoints[called.endpoint]!.name;
    const { endpoints } = services[service]!;
    const endpoint = endpoints.length === 1 ? 0 : endpoints.findIndex((candidate) => candidate.name === wanted);
    if (endpoint < 0) throw new Error(`${host} has no endpoint ${wanted}, which is routed to it`);
    return { service, endpoint };
  }

  private target(source: number, destination: EndpointRef, policy: number, pool: HostPool | null = null): number {
    const next = pool === null ? this.nextStop(source, destination) : destination;
    const edge = this.edgeOf(source, next, pool, destination.service);
    const endpoint = this.endpointOf(next, pool);
    return indexed(this.targetIndex, `${edge} ${endpoint} ${policy}`, () => {
      this.edges.push(edge);
      this.endpoints.push(endpoint);
      return this.policyOf.push(policy) - 1;
    });
  }

  /** The waypoint in front of a service, or the service. */
  private nextStop(source: number, destination: EndpointRef): EndpointRef {
    if (!this.passesWaypoint(source, destination.service)) return destination;
    const { service, firstEndpoint } = this.scenario.services[destination.service]!.waypoint!;
    return { service, endpoint: firstEndpoint + destination.endpoint };
  }

  /** A waypoint sends to pods, whatever stands in front of their service; brokers are no part of the mesh. */
  private passesWaypoint(source: number, destination: number): boolean {
    const { waypoint } = this.scenario.services[destination]!;
    if (waypoint === null) return false;
    const { service } = this.callerOf(source);
    return service === null ? waypoint.ingress : !service.isWaypoint && service.external === null;
  }

  private policy(policy: RequestPolicy): number {
    return indexed(this.policyIndex, JSON.stringify(policy), () => this.policies.push(policy) - 1);
  }

  private route(
    targets: readonly number[],
    weights: readonly number[],
    fault: HttpRoute['fault'],
    causes: readonly number[],
    mirror: { readonly target: number; readonly percent: number } | null = null,
    byClass: readonly number[] | null = null,
  ): number {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    const below = weights.map((weight) => ((sum += weight) / total) * TWO_TO_32);
    const scaled = (percent: number | undefined): number => ((percent ?? 0) / 100) * TWO_TO_32;
    const route: RequestRoute = {
      targets,
      below,
      causes,
      delayBelow: scaled(fault?.delay?.percent),
      delayUs: fault?.delay?.fixedUs ?? 0,
      abortBelow: scaled(fault?.abort?.percent),
      abortCause: abortCause(fault?.abort ?? null),
      mirror: mirror?.target ?? -1,
      mirrorBelow: scaled(mirror?.percent),
      byClass,
    };
    return indexed(this.routeIndex, JSON.stringify(route), () => this.routes.push(route) - 1);
  }
}

function abortCause(abort: NonNullable<HttpRoute['fault']>['abort']): number {
  if (abort?.grpc) return CAUSE_FI_GRPC;
  return abort !== null && abort.httpStatus < 400 ? CAUSE_ANSWERED : CAUSE_FI;
}

function indexed(indices: Map<string, number>, key: string, add: () => number): number {
  let index = indices.get(key);
  if (index === undefined) {
    index = add();
    indices.set(key, index);
  }
  return index;
}

function policyOf({ timeoutUs, retries }: HttpRoute): RequestPolicy {
  return {
    attempts: retries.attempts,
    retryCauses: retries.attempts > 0 ? retryCauses(retries.retryOn) : 0,
    perTryTimeoutUs: retries.perTryTimeoutUs,
    timeoutUs,
    backOffBaseUs: retries.backOffBaseUs,
  };
}

/** Which of our causes Envoy's retry conditions cover; gRPC status conditions cover none, as no gRPC status is modelled. */
function retryCauses(on: HttpRoute['retries']['retryOn']): number {
  const resets = (1 << CAUSE_UF) | (1 << CAUSE_UC) | (1 << CAUSE_UT);
  let causes = 0;
  if (on.connectFailure) causes |= 1 << CAUSE_UF;
  if (on.reset || on.gatewayError || on.fiveXx) causes |= resets;
  if (on.gatewayError || on.fiveXx || on.statusCodes.includes(503)) causes |= 1 << CAUSE_APP_503;
  if (on.gatewayError || on.fiveXx || on.statusCodes.includes(504)) causes |= 1 << CAUSE_APP_504;
  if (on.fiveXx || on.statusCodes.includes(500)) causes |= 1 << CAUSE_APP_500;
  return causes;
}
