/**
 * Who calls whom, by name, as far as the file can be read: resolves "service/endpoint", and finds circles, in which a
 * request would never end.
 */
import { asList, asRecord } from './raw.js';
import type { Report } from './raw.js';
import { didYouMean } from './problems.js';
import type { Path } from './source.js';

/** Endpoint names by service, in the order of the file. A service declared twice keeps its first endpoints. */
export type EndpointNames = ReadonlyMap<string, readonly string[]>;

export interface Target {
  readonly service: string;
  readonly endpoint: string;
}

export function endpointNames(services: readonly unknown[]): EndpointNames {
  const names = new Map<string, readonly string[]>();
  for (const service of services.map(asRecord)) {
    const name = service['name'];
    if (typeof name !== 'string' || names.has(name)) continue;
    names.set(
      name,
      asList(service['endpoints'])
        .map((endpoint) => asRecord(endpoint)['name'])
        .filter((endpoint) => typeof endpoint === 'string'),
    );
  }
  return names;
}

/** "service/endpoint" split at the first "/" (endpoints may hold more), or a service with one endpoint. */
export function resolveTarget(
  text: string,
  names: EndpointNames,
):
  | { readonly target: Target }
  | { readonly wrong: 'service' | 'endpoint'; readonly service: string; readonly endpoint: string | null } {
  const slash = text.indexOf('/');
  const service = slash < 0 ? text : text.slice(0, slash);
  const endpoint = slash < 0 ? null : text.slice(slash + 1);
  const endpoints = names.get(service);
  if (endpoints === undefined) return { wrong: 'service', service, endpoint };
  if (endpoint === null)
    return endpoints.length === 1
      ? { target: { service, endpoint: endpoints[0]! } }
      : { wrong: 'endpoint', service, endpoint };
  return endpoints.includes(endpoint) ? { target: { service, endpoint } } : { wrong: 'endpoint', service, endpoint };
}

/** The same, telling the reader where it fails. Null: reported. */
export function checkTarget(text: unknown, names: EndpointNames, path: Path, report: Report): Target | null {
  if (typeof text !== 'string') return null;
  const resolved = resolveTarget(text, names);
  if ('target' in resolved) return resolved.target;
  const { service, endpoint } = resolved;
  if (resolved.wrong === 'service') {
    const known = [...names.keys()];
    report('WT0301', path, {
      message: `unknown service "${service}"`,
      expected: `one of ${known.join(', ')}`,
      hint: didYouMean(service, known),
    });
    return null;
  }
  const known = names.get(service)!;
  const full = known.map((name) => `${service}/${name}`);
  if (endpoint === null)
    report('WT0302', path, {
      message: `the service "${service}" has ${known.length} endpoints`,
      expected: `one of ${full.join(', ')}`,
    });
  else
    report('WT0302', path, {
      message: `unknown endpoint "${endpoint}" of "${service}"`,
      expected: `one of ${full.join(', ')}`,
      hint: didYouMean(endpoint, known),
    });
  return null;
}

interface Edge {
  readonly to: string;
  readonly path: Path;
}

/**
 * Checks every call and every publication of the file. A message leads from its queue to those who consume it, and a call
 * of a host to any of its versions, so circles through these are found as well: nothing would ever end them.
 */
export function checkCalls(
  services: readonly unknown[],
  queues: readonly unknown[],
  names: EndpointNames,
  report: Report,
): void {
  const edges = new Map<string, Edge[]>();
  const queueNames = queues.map((queue) => String(asRecord(queue)['name']));
  // Before all other ways, so that a circle is closed, and shown, by a call.
  for (const [index, service] of services.map(asRecord).entries()) {
    const host = service['versionOf'];
    if (typeof host !== 'string') continue;
    for (const endpoint of names.get(host) ?? []) {
      const to = `${String(service['name'])}/${endpoint}`;
      const from = `${host}/${endpoint}`;
      edges.set(from, [...(edges.get(from) ?? []), { to, path: ['spec', 'services', index, 'versionOf'] }]);
    }
  }
  for (const [serviceIndex, service] of services.map(asRecord).entries()) {
    for (const [endpointIndex, endpoint] of asList(service['endpoints']).map(asRecord).entries()) {
      const from = `${String(service['name'])}/${String(endpoint['name'])}`;
      const calls = callsOf(endpoint, ['spec', 'services', serviceIndex, 'endpoints', endpointIndex]);
      for (const { to, path } of calls) {
        const target = checkTarget(to, names, path, report);
        if (target === null) continue;
        if (!edges.has(from)) edges.set(from, []);
        edges.get(from)!.push({ to: `${target.service}/${target.endpoint}`, path });
      }
      for (const { to, path } of publicationsOf(endpoint, [
        'spec',
        'services',
        serviceIndex,
        'endpoints',
        endpointIndex,
      ])) {
        if (typeof to !== 'string') continue;
        if (!queueNames.includes(to))
          report('WT0315', path, {
            message: `unknown queue "${to}"`,
            expected: queueNames.length === 0 ? 'a queue of spec.queues' : `one of ${queueNames.join(', ')}`,
            hint: didYouMean(to, queueNames),
          });
        else edges.set(from, [...(edges.get(from) ?? []), { to, path }]);
      }
    }
  }
  for (const [index, queue] of queues.map(asRecord).entries()) {
    for (const [position, consumer] of asList(queue['consumers']).map(asRecord).entries()) {
      const path = ['spec', 'queues', index, 'consumers', position, 'endpoint'];
      const target = checkTarget(consumer['endpoint'], endpointNames(services), path, report);
      const from = queueNames[index]!;
      if (target !== null)
        edges.set(from, [...(edges.get(from) ?? []), { to: `${target.service}/${target.endpoint}`, path }]);
    }
  }
  reportCycles(edges, report);
}

function callsOf(
  endpoint: Readonly<Record<string, unknown>>,
  base: Path,
): readonly { readonly to: unknown; readonly path: Path }[] {
  return asList(endpoint['steps']).flatMap((raw, stepIndex) => {
    const step = asRecord(raw);
    const path = [...base, 'steps', stepIndex];
    const single = 'call' in step ? [{ call: step['call'], path: [...path, 'call'] as Path }] : [];
    const together = asList(step['parallel']).map((call, index) => ({
      call,
      path: [...path, 'parallel', index] as Path,
    }));
    return [...single, ...together].map(({ call, path: at }) =>
      typeof call === 'string' ? { to: call, path: at } : { to: asRecord(call)['to'], path: [...at, 'to'] },
    );
  });
}

function publicationsOf(
  endpoint: Readonly<Record<string, unknown>>,
  base: Path,
): readonly { readonly to: unknown; readonly path: Path }[] {
  return asList(endpoint['steps']).flatMap((raw, stepIndex) => {
    const publish = asRecord(raw)['publish'];
    const path: Path = [...base, 'steps', stepIndex, 'publish'];
    if (publish === undefined) return [];
    return [
      typeof publish === 'string' ? { to: publish, path } : { to: asRecord(publish)['to'], path: [...path, 'to'] },
    ];
  });
}

/** Depth first in the order of the file; the call that closes a circle is the one pointed at. */
function reportCycles(edges: ReadonlyMap<string, readonly Edge[]>, report: Report): void {
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (endpoint: string): void => {
    open.push(endpoint);
    for (const { to, path } of edges.get(endpoint) ?? []) {
      const start = open.indexOf(to);
      if (start >= 0) {
        const circle = [...open.slice(start), to].join(' -> ');
        report('WT0306', path, { message: `the calls form a circle: ${circle}`, hint: 'take one of these calls out' });
      } else if (!done.has(to)) visit(to);
    }
    open.pop();
    done.add(endpoint);
  };
  for (const endpoint of edges.keys()) if (!done.has(endpoint)) visit(endpoint);
}
