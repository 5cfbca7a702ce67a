/**
 * Checks versions of a service: a service with `versionOf` runs beside another behind the same host, told apart by its
 * labels. Callers only know the host: a call of it goes to the pods of all versions, unless a VirtualService names a subset.
 */
import { resolveHost, type RuleReport } from './destination-rule.js';
import { asList, asRecord, own, type Raw } from './raw.js';
import type { Path } from './source.js';

export function checkVersions(spec: Raw, to: RuleReport): void {
  const services = asList(spec['services']).map(asRecord);
  const names = services.map((service) => String(service['name']));
  const baseOf = new Map<string, string>();
  for (const [index, service] of services.entries()) {
    const base = service['versionOf'];
    if (typeof base !== 'string') continue;
    checkVersion(service, services[names.indexOf(base)] ?? null, ['spec', 'services', index], to);
    baseOf.set(names[index]!, base);
  }
  const objects = asList(asRecord(spec['mesh'])['objects']).map(asRecord);
  checkHosts(objects, names, baseOf, to);
  checkDestinations(objects, names, services, to);
  for (const [target, path] of callsOf(spec, services)) {
    const called = target.split('/')[0]!;
    const base = baseOf.get(called);
    if (base !== undefined)
      to.report('WT0401', path, {
        message: `${called} is a version of ${base}, not a host`,
        expected: `a call of ${base}`,
      });
  }
}

function checkVersion(service: Raw, base: Raw | null, path: Path, to: RuleReport): void {
  if (base === null)
    return to.report('WT0302', [...path, 'versionOf'], {
      message: `no service "${String(service['versionOf'])}"`,
      expected: 'the name of another service',
    });
  if (base['versionOf'] !== undefined || base === service)
    to.report('WT0401', [...path, 'versionOf'], {
      message: 'a version of a version',
      expected: 'a service of its own',
    });
  const endpoints = (of: Raw): string =>
    asList(of['endpoints'])
      .map((endpoint) => String(asRecord(endpoint)['name']))
      .sort()
      .join(', ');
  if (endpoints(service) !== endpoints(base))
    to.report('WT0302', [...path, 'endpoints'], {
      message: `not the endpoints of ${String(base['name'])}`,
      expected: endpoints(base),
    });
}

/** DestinationRules and VirtualServices speak of hosts. */
function checkHosts(
  objects: readonly Raw[],
  names: readonly string[],
  baseOf: ReadonlyMap<string, string>,
  to: RuleReport,
): void {
  for (const [index, object] of objects.entries()) {
    const spec = asRecord(object['spec']);
    const path: Path = ['spec', 'mesh', 'objects', index, 'spec'];
    const hosts: [unknown, Path][] =
      object['kind'] === 'DestinationRule'
        ? [[spec['host'], [...path, 'host']]]
        : asList(spec['hosts']).map((host, at) => [host, [...path, 'hosts', at]]);
    for (const [host, at] of hosts) {
      const base = baseOf.get(resolveHost(host, names) ?? '');
      if (base !== undefined)
        to.report('WT0402', at, { message: `a version of ${base}, not a host`, expected: `${base}, with subsets` });
    }
  }
}

function checkDestinations(
  objects: readonly Raw[],
  names: readonly string[],
  services: readonly Raw[],
  to: RuleReport,
): void {
  for (const [index, object] of objects.entries()) {
    if (object['kind'] !== 'VirtualService') continue;
    for (const [r, route] of asList(asRecord(object['spec'])['http']).map(asRecord).entries()) {
      const at: Path = ['spec', 'mesh', 'objects', index, 'spec', 'http', r];
      const found: [unknown, Path][] = asList(route['route']).map((entry, d) => [
        asRecord(entry)['destination'],
        [...at, 'route', d, 'destination'],
      ]);
      if (route['mirror'] !== undefined) found.push([route['mirror'], [...at, 'mirror']]);
      for (const [destination, path] of found)
        checkDestination(asRecord(destination), path, objects, names, services, to);
    }
  }
}

function checkDestination(
  destination: Raw,
  path: Path,
  objects: readonly Raw[],
  names: readonly string[],
  services: readonly Raw[],
  to: RuleReport,
): void {
  const host = resolveHost(destination['host'], names);
  if (host === null) return;
  const { subset } = destination;
  if (typeof subset !== 'string') return;
  const rule = objects.find(
    (object) => object['kind'] === 'DestinationRule' && resolveHost(asRecord(object['spec'])['host'], names) === host,
  );
  const labels = asList(asRecord(rule?.['spec'])['subsets'])
    .map(asRecord)
    .find(({ name }) => name === subset);
  const at = [...path, 'subset'];
  if (labels === undefined)
    return to.unmodelled({
      code: 'WT0504',
      path: at,
      message: `no DestinationRule of ${host} has a subset "${subset}": answered with 503 (NC)`,
    });
  const wanted = Object.entries(asRecord(labels['labels']));
  const isHeld = services.some(
    (service) =>
      (service['name'] === host || service['versionOf'] === host) &&
      wanted.every(([key, value]) => own(asRecord(service['labels']), key) === value),
  );
  if (!isHeld)
    to.unmodelled({
      code: 'WT0504',
      path: at,
      message: `no pods have the labels of the subset "${subset}": answered with 503 (UH)`,
    });
}

/** Who calls what, and where that is written. */
function* callsOf(spec: Raw, services: readonly Raw[]): Generator<[string, Path]> {
  for (const [index, load] of asList(spec['load']).map(asRecord).entries())
    if (typeof load['entry'] === 'string') yield [load['entry'], ['spec', 'load', index, 'entry']];
  for (const [s, service] of services.entries()) {
    for (const [e, endpoint] of asList(service['endpoints']).map(asRecord).entries()) {
      for (const [i, step] of asList(endpoint['steps']).map(asRecord).entries()) {
        const at: Path = ['spec', 'services', s, 'endpoints', e, 'steps', i];
        const calls: [unknown, Path][] = asList(step['parallel']).map((call, c) => [call, [...at, 'parallel', c]]);
        if (step['call'] !== undefined) calls.push([step['call'], [...at, 'call']]);
        for (const [call, path] of calls) {
          const target = typeof call === 'string' ? call : asRecord(call)['to'];
          if (typeof target === 'string') yield [target, path];
        }
      }
    }
  }
}
