/**
 * A VirtualService as Istio's own validation sees it, and as far as the simulator follows it: weighted destinations,
 * matches on the path, the caller's app label and the headers, method and query of a load, time-outs, retries, injected delays and aborts. A request's path is
 * taken to be "/" + the name of the endpoint called. What Istio knows and the simulation leaves out becomes a notice.
 */
import type { EndpointNames } from './call-graph.js';
import { checkLabels, resolveHost, type RuleReport } from './destination-rule.js';
import { re2 } from '../engine/re2.js';
import { isPlainHeader } from '../engine/header-names.js';
import { checkRouteAction } from './route-action.js';
import { didYouMean } from './problems.js';
import { asList, asRecord, isObject } from './raw.js';
import { checkFault } from './route-fault.js';
import { checkRetries } from './route-retries.js';
import { checkFields } from './virtual-service-fields.js';
import type { Path } from './source.js';

type Raw = Readonly<Record<string, unknown>>;

/** Checks one object; returns the services that it routes for. */
export function checkVirtualService(
  object: Raw,
  path: Path,
  endpoints: EndpointNames,
  to: RuleReport,
): readonly string[] {
  const services = [...endpoints.keys()];
  const apiVersion = object['apiVersion'];
  if (typeof apiVersion === 'string' && !apiVersion.startsWith('networking.istio.io/'))
    to.report('WT0401', [...path, 'apiVersion'], {
      message: 'not an API of VirtualServices',
      expected: 'networking.istio.io/v1',
    });
  const spec = asRecord(object['spec']);
  const at: Path = [...path, 'spec'];
  checkFields(spec, 'spec', at, to);
  const hosts = asList(spec['hosts']);
  if (hosts.length === 0) checkDelegate(spec, at, to);
  for (const [index, host] of hosts.entries())
    if (hosts.indexOf(host) < index)
      to.report('WT0401', [...at, 'hosts', index], { message: 'a host twice', expected: 'each host once' });
  checkGateways(spec, at, to);
  const isOfGateways = !placesOf(spec).includes('mesh');
  const routed = hosts.flatMap((host, index) => {
    const service = resolveHost(host, services);
    if (service !== null) return [service];
    if (isOfGateways) {
      to.unmodelled({
        code: 'WT0502',
        path: [...at, 'hosts', index],
        message: 'a host of gateways that is no service is left out: loads call services',
      });
      return [];
    }
    const short = typeof host === 'string' ? host.split('.')[0]! : '';
    to.report('WT0402', [...at, 'hosts', index], {
      message: 'the host is none of the services',
      expected: `one of ${services.join(', ')}`,
      hint: didYouMean(short, services),
    });
    return [];
  });
  if (['http', 'tcp', 'tls'].every((kind) => asList(spec[kind]).length === 0))
    to.report('WT0401', 'http' in spec ? [...at, 'http'] : at, {
      message: 'Istio refuses a VirtualService without routes',
      expected: 'http: a list of routes',
    });
  let isReached = true;
  for (const [index, route] of asList(spec['http']).entries()) {
    const here: Path = [...at, 'http', index];
    if (!isReached)
      to.unmodelled({
        code: 'WT0504',
        path: here,
        message: 'the route before takes everything: this one is never used',
      });
    if (isObject(route)) checkRoute(asRecord(route), here, spec, routed, endpoints, to);
    else to.report('WT0203', here, { message: 'is not an object', expected: 'a route' });
    if (asList(asRecord(route)['match']).length === 0) isReached = false;
  }
  return routed;
}

/** Whose routes an object holds: those of sidecars, of the gateways, or of both where it names neither. */
export function placesOf(spec: Raw): readonly ('mesh' | 'gateways')[] {
  const named = asList(spec['gateways']);
  if (named.length === 0) return ['mesh', 'gateways'];
  const places = [named.includes('mesh') ? 'mesh' : null, named.some((name) => name !== 'mesh') ? 'gateways' : null];
  return places.filter((place) => place !== null) as readonly ('mesh' | 'gateways')[];
}

/** That they are texts is checked with the other fields. */
function checkGateways(parent: Raw, path: Path, to: RuleReport): void {
  for (const [index, name] of asList(parent['gateways']).entries())
    if (name === '')
      to.report('WT0401', [...path, 'gateways', index], {
        message: 'a gateway without a name',
        expected: 'a name, mesh for the sidecars',
      });
}

/** Without hosts it is for other VirtualServices to delegate to. */
function checkDelegate(spec: Raw, path: Path, to: RuleReport): void {
  to.unmodelled({ code: 'WT0504', path, message: 'a VirtualService without hosts routes nothing by itself' });
  for (const key of ['gateways', 'tls', 'tcp'])
    if (asList(spec[key]).length > 0)
      to.report('WT0401', [...path, key], {
        message: 'Istio refuses it without hosts',
        expected: `hosts, or no ${key}`,
        atKey: true,
      });
}

function checkRoute(
  route: Raw,
  path: Path,
  spec: Raw,
  routed: readonly string[],
  endpoints: EndpointNames,
  to: RuleReport,
): void {
  checkFields(route, 'http', path, to);
  for (const [index, match] of asList(route['match']).entries())
    checkMatch(match, [...path, 'match', index], placesOf(spec), to);
  checkRouteAction(route, path, asList(spec['hosts']).length === 0, to);
  const destinations = asList(route['route']);
  let sum = 0;
  for (const [index, entry] of destinations.entries()) {
    const here: Path = [...path, 'route', index];
    const weight = asRecord(entry)['weight'];
    checkFields(asRecord(entry), 'route', here, to);
    checkDestination(asRecord(asRecord(entry)['destination']), [...here, 'destination'], routed, endpoints, to);
    if (typeof weight === 'number' && weight < 0)
      to.report('WT0401', [...here, 'weight'], { message: 'not a weight', expected: 'a whole number of at least 0' });
    sum += typeof weight === 'number' ? weight : 0;
  }
  if (destinations.length > 1 && sum === 0)
    to.report('WT0401', [...path, 'route'], { message: 'the weights sum to 0', expected: 'a weight above 0' });
  checkMirror(route, path, routed, endpoints, to);
  checkRetries(asRecord(route['retries']), [...path, 'retries'], to);
  if (isObject(route['fault'])) checkFault(asRecord(route['fault']), [...path, 'fault'], to);
}

function checkMirror(
  route: Raw,
  path: Path,
  routed: readonly string[],
  endpoints: EndpointNames,
  to: RuleReport,
): void {
  if (isObject(route['mirror']))
    checkDestination(asRecord(route['mirror']), [...path, 'mirror'], routed, endpoints, to);
  if (route['mirror'] !== undefined && asList(route['mirrors']).length > 0)
    to.report('WT0401', [...path, 'mirrors'], {
      message: 'Istio refuses it beside mirror',
      expected: 'one of the two',
      atKey: true,
    });
  const share = asRecord(route['mirrorPercentage']);
  checkFields(share, 'mirrorPercentage', [...path, 'mirrorPercentage'], to);
  for (const [value, at] of [
    [share['value'], [...path, 'mirrorPercentage', 'value']],
    [route['mirrorPercent'], [...path, 'mirrorPercent']],
    [route['mirror_percent'], [...path, 'mirror_percent']],
  ] as const)
    if (typeof value === 'number' && (value < 0 || value > 100))
      to.report('WT0401', [...at], { message: 'not a percentage', expected: 'a number from 0 to 100' });
}

function checkDestination(
  destination: Raw,
  path: Path,
  routed: readonly string[],
  endpoints: EndpointNames,
  to: RuleReport,
): void {
  checkFields(destination, 'destination', path, to);
  const { subset, port } = destination;
  if (typeof subset === 'string' && subset !== '' && !/^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/.test(subset))
    to.report('WT0401', [...path, 'subset'], {
      message: 'no name of a subset',
      expected: 'letters, digits and "-" inside',
    });
  if (isObject(port)) {
    checkFields(asRecord(port), 'port', [...path, 'port'], to);
    const { number = 0 } = asRecord(port);
    if (typeof number === 'number' && (number < 1 || number > 65_535))
      to.report('WT0401', [...path, 'port', 'number'], { message: 'no port', expected: 'a number from 1 to 65535' });
  }
  const services = [...endpoints.keys()];
  const host = destination['host'];
  const service = resolveHost(host, services);
  if (service === null) {
    const short = typeof host === 'string' ? host.split('.')[0]! : '';
    return to.report('WT0402', host === undefined ? path : [...path, 'host'], {
      message: host === undefined ? 'missing key "host"' : 'the host is none of the services',
      expected: `one of ${services.join(', ')}`,
      hint: didYouMean(short, services),
    });
  }
  const own = endpoints.get(service)!;
  const missing = routed.flatMap((from) => endpoints.get(from)!).filter((name) => !own.includes(name));
  if (own.length > 1 && missing.length > 0)
    to.report('WT0302', [...path, 'host'], {
      message: `${service} has no endpoint ${missing.join(', ')}, which would be routed to it`,
      expected: 'a service with the same endpoints, or with one',
    });
}

function checkMatch(given: unknown, path: Path, places: ReturnType<typeof placesOf>, to: RuleReport): void {
  if (!isObject(given)) return to.report('WT0203', path, { message: 'is not an object', expected: 'a match' });
  const match = asRecord(given);
  checkFields(match, 'match', path, to, 'so this match never holds');
  checkGateways(match, path, to);
  checkText(match['uri'], [...path, 'uri'], to);
  checkRequest(match, path, asList(match['gateways']).length > 0 ? placesOf(match) : places, to);
  const { port, sourceNamespace } = match;
  if (typeof port === 'number' && port > 65_535)
    to.report('WT0401', [...path, 'port'], { message: 'no port', expected: 'a number from 1 to 65535' });
  if (typeof sourceNamespace === 'string' && sourceNamespace !== '' && !NAMESPACE.test(sourceNamespace))
    to.report('WT0401', [...path, 'sourceNamespace'], { message: 'no namespace', expected: 'a name such as default' });
  checkLabels(match['sourceLabels'], [...path, 'sourceLabels'], to);
  for (const label of Object.keys(asRecord(match['sourceLabels'])))
    if (label !== 'app')
      to.unmodelled({
        code: 'WT0502',
        path: [...path, 'sourceLabels', label],
        message: `callers have no label ${label} here (only app): this match never holds`,
      });
}

/** What a match asks of the request besides its path. */
function checkRequest(match: Raw, path: Path, places: ReturnType<typeof placesOf>, to: RuleReport): void {
  checkText(match['method'], [...path, 'method'], to);
  checkNotEmpty(match['method'], [...path, 'method'], to);
  for (const key of ['headers', 'withoutHeaders', 'queryParams'] as const) {
    for (const [name, value] of Object.entries(asRecord(match[key]))) {
      const at: Path = [...path, key, name];
      const isAny = key === 'withoutHeaders' && (value === null || asRecord(value)['regex'] === '*');
      if (isAny) continue;
      if (!isObject(value))
        to.report('WT0203', at, { message: 'is not an object', expected: 'a text match, {} for any' });
      checkText(value, at, to);
      checkNotEmpty(value, at, to);
      if (key !== 'queryParams' && !isPlainHeader(name))
        to.unmodelled({ code: 'WT0502', path: at, message: `no request has ${name} here: this match never holds` });
    }
  }
  if (!places.includes('mesh')) return;
  for (const key of ['method', 'queryParams'])
    if (match[key] !== undefined)
      to.unmodelled({
        code: 'WT0502',
        path: [...path, key],
        message: `${key} is known of users' requests only: for calls between services this match never holds`,
      });
}

function checkText(value: unknown, path: Path, to: RuleReport): void {
  const match = asRecord(value);
  checkFields(match, 'textMatch', path, to);
  if (Object.keys(match).length > 1)
    to.report('WT0401', path, { message: 'not a text match', expected: 'exact, prefix or regex' });
  if (typeof match['regex'] === 'string' && re2(match['regex']) === null)
    to.report('WT0401', [...path, 'regex'], {
      message: 'not a regular expression',
      expected: 'RE2 syntax, here without classes by name and \\Q',
    });
}

/** Of a path, an empty prefix is every one; of anything else, Istio refuses it. */
function checkNotEmpty(value: unknown, path: Path, to: RuleReport): void {
  if (asRecord(value)['prefix'] === '')
    to.report('WT0401', [...path, 'prefix'], {
      message: 'Istio refuses an empty prefix',
      expected: 'a text, or {} for any',
    });
}

const NAMESPACE = /^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
