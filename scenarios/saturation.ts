/**
 * Offered load against capacity, by the traffic equations: what enters, times the calls made on the way, gives the
 * requests each service is offered; times what one request takes there, the workers and cores it would keep busy. Queues
 * and network are left out, so the figures are lower bounds: what is above 100 % here is saturated for sure.
 */
import { peakRate } from './load-curve.js';
import type { Call, Endpoint, Scenario, Service, WaypointOf } from './types.js';

export interface OfferedLoad {
  readonly service: number;
  readonly requestsPerSecond: number;
  /** Workers kept busy, and how many there are. */
  readonly busyWorkers: number;
  readonly workers: number;
  /** Cores kept busy, and the sum of the CPU limits; null without a limit. */
  readonly busyCores: number;
  readonly cores: number | null;
}

type Loaded = Pick<Scenario, 'services' | 'loads'>;

/** Per service at the peak of every load, for the replicas at the start. */
export function offeredLoad(scenario: Loaded): readonly OfferedLoad[] {
  const rates = endpointRates(scenario);
  const timesUs = endpointTimes(scenario.services);
  return scenario.services.map((service, index) => {
    const sum = (perRequestUs: (endpoint: Endpoint, position: number) => number): number =>
      service.endpoints.reduce(
        (total, endpoint, position) => total + rates[index]![position]! * perRequestUs(endpoint, position),
        0,
      ) / 1e6;
    const holdsUs = (endpoint: Endpoint, position: number): number =>
      service.holdsWorkerWhileCalling ? timesUs(index, position) : ownTimeUs(endpoint);
    const limit = service.limits.cpuMillicores;
    return {
      service: index,
      requestsPerSecond: rates[index]!.reduce((total, rate) => total + rate, 0),
      busyWorkers: sum(holdsUs),
      workers: service.replicas * service.workers,
      busyCores: sum(cpuUs),
      cores: limit === null ? null : (service.replicas * limit) / 1000,
    };
  });
}

/** Requests a second by [service][endpoint]. Callers before callees: the graph has no circles. */
function endpointRates({ services, loads }: Loaded): readonly (readonly number[])[] {
  const rates = services.map((service) => service.endpoints.map(() => 0));
  for (const load of loads) {
    const { waypoint } = services[load.service]!;
    const { service, endpoint } = waypoint?.ingress ? behind(waypoint, load) : load;
    rates[service]![endpoint]! += peakRate(load.rate);
  }
  for (const [service, endpoint] of callersFirst(services)) {
    for (const call of [...callsOf(services, service, endpoint), ...deliveriesOf(services, service)]) {
      rates[call.service]![call.endpoint]! += rates[service]![endpoint]! * call.probability * call.count;
    }
  }
  return rates;
}

/** Depth first, each endpoint after everything it calls; then turned round. */
function callersFirst(services: readonly Service[]): readonly (readonly [service: number, endpoint: number])[] {
  const order: (readonly [number, number])[] = [];
  const seen = new Set<string>();
  const visit = (service: number, endpoint: number): void => {
    const key = `${service}/${endpoint}`;
    if (seen.has(key)) return;
    seen.add(key);
    const ahead = [...callsOf(services, service, endpoint), ...deliveriesOf(services, service)];
    for (const call of ahead) visit(call.service, call.endpoint);
    order.push([service, endpoint]);
  };
  services.forEach((service, index) => service.endpoints.forEach((_, endpoint) => visit(index, endpoint)));
  return order.reverse();
}

/** Mean time from first to last step without any waiting, calls included. */
function endpointTimes(services: readonly Service[]): (service: number, endpoint: number) => number {
  const known = new Map<string, number>();
  const timeOf = (service: number, endpoint: number): number => {
    const key = `${service}/${endpoint}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    let totalUs = 0;
    for (const step of services[service]!.endpoints[endpoint]!.steps) {
      if (step.kind === 'cpu') totalUs += step.demand.mean;
      else if (step.kind === 'wait') totalUs += step.delay.mean;
      else {
        const means = step.calls.map((call) => {
          const first = firstStop(services, service, call);
          const times = step.repeat === 'parallel' ? Math.min(1, call.count) : call.count;
          return call.probability * times * timeOf(first.service, first.endpoint);
        });
        totalUs += Math.max(...means);
      }
    }
    known.set(key, totalUs);
    return totalUs;
  };
  return timeOf;
}

function callsOf(services: readonly Service[], service: number, endpoint: number): readonly Call[] {
  const { steps } = services[service]!.endpoints[endpoint]!;
  const calls = steps.flatMap((step) => (step.kind === 'call' ? step.calls : []));
  return calls.map((call) => firstStop(services, service, call));
}

/** The waypoint in front of what is called, for all but itself. */
function firstStop(services: readonly Service[], caller: number, call: Call): Call {
  const { waypoint } = services[call.service]!;
  return waypoint === null || services[caller]!.isWaypoint ? call : { ...call, ...behind(waypoint, call) };
}

function behind(
  { service, firstEndpoint }: WaypointOf,
  called: Pick<Call, 'endpoint'>,
): Pick<Call, 'service' | 'endpoint'> {
  return { service, endpoint: firstEndpoint + called.endpoint };
}

/** Messages of a queue are shared by the places that its consumers have for them. */
function deliveriesOf(services: readonly Service[], service: number): readonly Call[] {
  const consumers = services[service]!.external?.queue?.consumers ?? [];
  const places = consumers.map((consumer) => consumer.concurrency * services[consumer.service]!.replicas);
  const all = places.reduce((sum, count) => sum + count, 0);
  return consumers.map(({ service: consumer, endpoint }, i) => ({
    ...{ service: consumer, endpoint, count: 1 },
    probability: all > 0 ? places[i]! / all : 0,
  }));
}

function cpuUs(endpoint: Endpoint): number {
  return endpoint.steps.reduce((sum, step) => sum + (step.kind === 'cpu' ? step.demand.mean : 0), 0);
}

function ownTimeUs(endpoint: Endpoint): number {
  return endpoint.steps.reduce(
    (sum, step) => sum + (step.kind === 'cpu' ? step.demand.mean : step.kind === 'wait' ? step.delay.mean : 0),
    0,
  );
}
