/**
 * Waypoints of an ambient mesh, from the file to the record. A waypoint is a Deployment of proxies in front of services:
 * a call of one of them goes to a waypoint's pod first, and that applies rules and routes, tries again, chooses the pod and
 * sends the request there. So it becomes a service like any other, with an endpoint for each endpoint behind it, which
 * uses CPU on the way there, calls on, and uses CPU on the way back. Its pods, places, cost, autoscaler and faults are those
 * of a service; what differs (nobody calls it by name, and it passes failures on) is in `Service.waypoint` and
 * `isWaypoint`.
 */
import { resolveHost, type RuleReport } from './destination-rule.js';
import { checkName } from './names.js';
import { asList, asRecord, type Raw, type Report } from './raw.js';
import type { ProxyFigures } from './proxy-presets.js';
import type { Path } from './source.js';
import type { Distribution, Endpoint, Service, Step } from './types.js';
import { placesOf } from './virtual-service.js';

export interface WaypointParts {
  /** Its pods; the endpoints are made here. */
  readonly pods: Service;
  /** Positions of the services behind it. */
  readonly hosts: readonly number[];
  /** Those of them for which users' requests pass it, too. */
  readonly ingress: readonly number[];
  readonly figures: ProxyFigures;
}

/** The services, those behind the waypoint marked, and the waypoint at the end. */
export function addWaypoint(services: readonly Service[], parts: WaypointParts): readonly Service[] {
  const { pods, hosts, ingress, figures } = parts;
  const first = new Map<number, number>();
  const endpoints: Endpoint[] = [];
  for (const host of hosts) {
    first.set(host, endpoints.length);
    services[host]!.endpoints.forEach((behind, endpoint) => {
      endpoints.push({
        ...behind,
        name: `${services[host]!.name}/${behind.name}`,
        steps: passSteps(host, endpoint, figures),
      });
    });
  }
  return [
    ...services.map((service, index) => {
      const firstEndpoint = first.get(index);
      if (firstEndpoint === undefined) return service;
      const waypoint = { service: services.length, firstEndpoint, ingress: ingress.includes(index) };
      return { ...service, waypoint };
    }),
    { ...pods, endpoints, holdsWorkerWhileCalling: false, isWaypoint: true },
  ];
}

/** Half of the CPU there and half on the way back, and the time of a pass besides; the worker is free meanwhile. */
function passSteps(service: number, endpoint: number, { fixedUs, meanUs, cpuUsPerRequest }: ProxyFigures): Step[] {
  const wait = (kind: 'constant' | 'exponential', mean: number): Step[] => {
    const delay: Distribution = { kind, mean };
    return mean > 0 ? [{ kind: 'wait', delay }] : [];
  };
  const pass: Step[] = [
    { kind: 'cpu', demand: { kind: 'constant', mean: cpuUsPerRequest / 2 } },
    ...wait('constant', fixedUs),
    ...wait('exponential', meanUs),
  ];
  const calls = [{ service, endpoint, probability: 1, count: 1 }];
  return [...pass, { kind: 'call', calls, repeat: 'sequential' }, ...pass];
}

/** Whether anybody but a gateway applies rules and routes of a host: in an ambient mesh its waypoint, if it has one. */
export function routesInMesh(mesh: Raw): (host: string) => boolean {
  const behind = new Set(asList(mesh['waypoints']).flatMap((one) => asList(asRecord(one)['services'])));
  return (host) => mesh['routing'] !== 'ambient' || behind.has(host);
}

/** Rules of hosts without a waypoint, which ztunnels do not read. */
export function checkAmbientRules(spec: Raw, hosts: readonly string[], to: RuleReport): void {
  const mesh = asRecord(spec['mesh']);
  if (mesh['routing'] !== 'ambient') return;
  const applies = routesInMesh(mesh);
  const entries = asList(spec['load']).map((load) => String(asRecord(load)['entry']).split('/')[0]);
  const check = (raw: unknown, path: Path): void => {
    const object = asRecord(raw);
    const inner = asRecord(object['spec']);
    const isRoute = object['kind'] === 'VirtualService';
    if (isRoute && !placesOf(inner).includes('mesh')) return;
    for (const named of isRoute ? asList(inner['hosts']) : [inner['host']]) {
      const host = resolveHost(named, hosts);
      if (host === null || applies(host)) continue;
      const effect = entries.includes(host) ? 'only the gateways apply this' : 'this has no effect';
      to.unmodelled({ code: 'WT0504', path, message: `${host} has no waypoint: ${effect}` });
    }
  };
  for (const [index, object] of asList(mesh['objects']).entries())
    check(object, ['spec', 'mesh', 'objects', index, 'spec']);
  for (const [name, policy] of Object.entries(asRecord(spec['policies'])).map(
    ([key, value]) => [key, asRecord(value)] as const,
  )) {
    const path: Path = ['spec', 'policies', name];
    for (const [index, object] of asList(policy['destinationRules']).entries())
      check(object, [...path, 'destinationRules', index, 'spec']);
    if (policy['engine'] !== undefined)
      to.unmodelled({
        code: 'WT0504',
        path: [...path, 'engine'],
        message: 'the routes that the engine writes have an effect at waypoints and gateways alone',
      });
  }
}

/** Names that differ, services that are there, each behind one waypoint, in a mesh that has them. */
export function checkWaypoints(spec: Raw, services: readonly string[], report: Report): void {
  const mesh = asRecord(spec['mesh']);
  const base: Path = ['spec', 'mesh', 'waypoints'];
  const waypoints = asList(mesh['waypoints']).map(asRecord);
  if (waypoints.length > 0 && mesh['routing'] !== 'ambient')
    report('WT0401', base, {
      message: 'waypoints are of an ambient mesh',
      expected: 'routing: ambient, or no waypoints',
      atKey: true,
    });
  const versions = asList(spec['services'])
    .map(asRecord)
    .filter(({ versionOf }) => versionOf !== undefined);
  const taken = new Set(
    ['services', 'externals', 'queues'].flatMap((list) => asList(spec[list]).map((one) => asRecord(one)['name'])),
  );
  const waypointOf = new Map<unknown, string>();
  for (const [index, waypoint] of waypoints.entries()) {
    const name = waypoint['name'];
    if (taken.has(name))
      report('WT0305', [...base, index, 'name'], { message: `the name "${String(name)}" is declared twice` });
    taken.add(name);
    const own = asList(waypoint['services']).filter((host) => typeof host === 'string');
    for (const [position, host] of asList(waypoint['ingress']).entries())
      checkName('WT0301', 'service of the waypoint', host, own, [...base, index, 'ingress', position], report);
    for (const [position, host] of asList(waypoint['services']).entries()) {
      const path = [...base, index, 'services', position];
      checkName('WT0301', 'service', host, services, path, report);
      const version = versions.find((one) => one['name'] === host);
      if (version !== undefined)
        report('WT0401', path, {
          message: `a version of ${String(version['versionOf'])}, not a host`,
          expected: String(version['versionOf']),
        });
      const other = waypointOf.get(host);
      if (other !== undefined)
        report('WT0305', path, { message: `"${String(host)}" is behind the waypoint "${other}" already` });
      waypointOf.set(host, String(name));
    }
  }
}
