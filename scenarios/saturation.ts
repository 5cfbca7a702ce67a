/**
 * Offered load against capacity, by the traffic equations: what enters, times the calls made on the way, gives the
 * requests each service is offered; times what one request takes there, the workers and cores it would keep busy. Queues
 * and network are left out, so the figures are lower bounds: what is above 100 % here is saturated for sure. Versions of a
 * host get shares by their pods; what routes make of that is not looked at.
 */
import { peakRate } from './load-curve.js';
import type { Call, Endpoint, Scenario, Service } from './types.js';

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
  for (const load of loads)
    for (const { service, endpoint, probability } of nextStops(services, null, { ...load, probability: 1, count: 1 }))
      rates[service]![endpoint]! += peakRate(load.rate) * probability;
  for (const [service, endpoint] of callersFirst(services)) {
    for (const call of callsFrom(services, service, endpoint)) {
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
    for (const call of callsFrom(services, service, endpoint)) visit(call.service, call.endpoint);
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
        const means = step.calls.map(
          (call) =>
            (step.repeat === 'parallel' ? Math.min(1, call.count) : call.count) *
            nextStops(services, services[service]!, call).reduce(
              (sum, one) => sum + one.probability * timeOf(one.service, one.endpoint),
              0,
            ),
        );
        totalUs += Math.max(...means);
      }
    }
    known.set(key, totalUs);
    return totalUs;
  };
  return timeOf;
}

function callsFrom(services: readonly Service[], service: number, endpoint: number): readonly Call[] {
  const { steps } = services[service]!.endpoints[endpoint]!;
  const calls = steps.flatMap((step) => (step.kind === 'call' ? step.calls : []));
  return [
    ...calls.flatMap((call) => nextStops(services, services[service]!, call)),
    ...deliveriesOf(services, service),
  ];
}

/** Where a call goes first; `caller` null: a gateway. */
function nextStops(services: readonly Service[], caller: Service | null, call: Call): readonly Call[] {
  const { waypoint } = services[call.service]!;
  if (waypoint === null || caller?.isWaypoint || (caller === null && !waypoint.ingress))
    return toVersions(services, call);
  return [{ ...call, service: waypoint.service, endpoint: waypoint.firstEndpoint + call.endpoint }];
}

/** A call of a host with versions as one of each, by their shares of its pods. */
function toVersions(services: readonly Service[], call: Call): readonly Call[] {
  const isBehind = ({ versionOf }: Service, index: number): boolean =>
    index === call.service || versionOf === call.service;
  const pods = services.reduce((sum, one, index) => sum + (isBehind(one, index) ? one.replicas : 0), 0);
  const { name } = services[call.service]!.endpoints[call.endpoint]!;
  if (pods === services[call.service]!.replicas) return [call];
  return services.flatMap((one, service) => {
    if (!isBehind(one, service)) return [];
    const endpoint = one.endpoints.findIndex((candidate) => candidate.name === name);
    return [{ ...call, service, endpoint, probability: (call.probability * one.replicas) / pods }];
  });
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
