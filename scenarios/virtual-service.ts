/**
 * A VirtualService as Istio's own validation sees it, and as far as the simulator follows it: weighted destinations,
 * matches on the path and on the caller's app label, time-outs, retries, injected delays and aborts. A request's path is
 * taken to be "/" + the name of the endpoint called. What Istio knows and the simulation leaves out becomes a notice.
 */
import type { EndpointNames } from './call-graph.js';
import { resolveHost, type RuleReport } from './destination-rule.js';
import { checkDuration, checkKnownFields, KNOWN, MODELLED } from './istio-fields.js';
import { didYouMean } from './problems.js';
import { asList, asRecord } from './raw.js';
import type { Path } from './source.js';

type Raw = Readonly<Record<string, unknown>>;

const FIELDS = {
  spec: { hosts: MODELLED, http: MODELLED, gateways: MODELLED, tcp: KNOWN, tls: KNOWN, exportTo: KNOWN },
  http: {
    name: MODELLED,
    match: MODELLED,
    route: MODELLED,
    timeout: MODELLED,
    retries: MODELLED,
    fault: MODELLED,
    redirect: MODELLED,
    directResponse: MODELLED,
    delegate: KNOWN,
    rewrite: KNOWN,
    mirror: MODELLED,
    mirrors: KNOWN,
    mirrorPercentage: MODELLED,
    corsPolicy: KNOWN,
    headers: KNOWN,
  },
  match: {
    name: MODELLED,
    uri: MODELLED,
    ignoreUriCase: MODELLED,
    sourceLabels: MODELLED,
    scheme: KNOWN,
    method: KNOWN,
    authority: KNOWN,
    headers: KNOWN,
    withoutHeaders: KNOWN,
    queryParams: KNOWN,
    port: KNOWN,
    gateways: MODELLED,
    sourceNamespace: KNOWN,
    statPrefix: KNOWN,
  },
  redirect: {
    uri: MODELLED,
    authority: MODELLED,
    port: MODELLED,
    derivePort: MODELLED,
    scheme: MODELLED,
    redirectCode: MODELLED,
  },
  directResponse: { status: MODELLED, body: MODELLED },
  route: { destination: MODELLED, weight: MODELLED, headers: KNOWN },
  destination: { host: MODELLED, subset: MODELLED, port: MODELLED },
  retries: {
    attempts: MODELLED,
    perTryTimeout: MODELLED,
    retryOn: MODELLED,
    backoff: MODELLED,
    retryRemoteLocalities: KNOWN,
    retryIgnorePreviousHosts: KNOWN,
  },
  fault: { delay: MODELLED, abort: MODELLED },
  delay: { fixedDelay: MODELLED, percentage: MODELLED, percent: MODELLED },
  abort: { httpStatus: MODELLED, grpcStatus: MODELLED, percentage: MODELLED, percent: MODELLED },
} as const;

/** Envoy counts shares in millionths: Istio refuses what would become 0. */
const LEAST_PERCENT = 0.0001;

const RETRY_ON = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];

/** The codes by which a call of gRPC can fail, as Istio names them. */
const GRPC_STATUS = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

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
  if (hosts.length === 0)
    to.report('WT0401', 'hosts' in spec ? [...at, 'hosts'] : at, {
      message: 'a VirtualService needs hosts',
      expected: 'a list of hosts',
    });
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
  if (spec['http'] !== undefined && !Array.isArray(spec['http']))
    to.report('WT0203', [...at, 'http'], { message: 'is not a list', expected: 'a list of routes' });
  else if (['http', 'tcp', 'tls'].every((kind) => asList(spec[kind]).length === 0))
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
    checkRoute(asRecord(route), here, routed, endpoints, to);
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

function checkGateways(parent: Raw, path: Path, to: RuleReport): void {
  const { gateways } = parent;
  if (gateways === undefined) return;
  if (!Array.isArray(gateways) || gateways.some((name) => typeof name !== 'string' || name === ''))
    to.report('WT0203', [...path, 'gateways'], {
      message: 'not a list of gateways',
      expected: 'a list of names, mesh for the sidecars',
    });
}

function checkRoute(route: Raw, path: Path, routed: readonly string[], endpoints: EndpointNames, to: RuleReport): void {
  checkFields(route, 'http', path, to);
  for (const [index, match] of asList(route['match']).entries())
    checkMatch(asRecord(match), [...path, 'match', index], to);
  const destinations = asList(route['route']);
  const answer = ['redirect', 'directResponse'].filter((key) => route[key] !== undefined);
  checkAnswer(route, answer, path, to);
  if (destinations.length === 0 && answer.length === 0)
    to.report('WT0401', path, {
      message: 'a route needs destinations',
      expected: 'route: a list of destinations, redirect or directResponse',
    });
  let sum = 0;
  for (const [index, entry] of destinations.entries()) {
    const here: Path = [...path, 'route', index];
    const weight = asRecord(entry)['weight'];
    checkFields(asRecord(entry), 'route', here, to);
    checkDestination(asRecord(asRecord(entry)['destination']), [...here, 'destination'], routed, endpoints, to);
    if (weight !== undefined && !(Number.isInteger(weight) && (weight as number) >= 0))
      to.report('WT0401', [...here, 'weight'], { message: 'not a weight', expected: 'a whole number of at least 0' });
    sum += typeof weight === 'number' ? weight : 0;
  }
  if (destinations.length > 1 && sum === 0)
    to.report('WT0401', [...path, 'route'], { message: 'the weights sum to 0', expected: 'a weight above 0' });
  checkDuration(route, 'timeout', path, to, true);
  if (route['mirror'] !== undefined)
    checkDestination(asRecord(route['mirror']), [...path, 'mirror'], routed, endpoints, to);
  const mirrored = asRecord(route['mirrorPercentage'])['value'];
  if (mirrored !== undefined && !(typeof mirrored === 'number' && mirrored >= 0 && mirrored <= 100))
    to.report('WT0401', [...path, 'mirrorPercentage', 'value'], {
      message: 'not a percentage',
      expected: 'a number from 0 to 100',
    });
  checkRetries(asRecord(route['retries']), [...path, 'retries'], to);
  if (route['fault'] !== undefined) checkFault(asRecord(route['fault']), [...path, 'fault'], to);
}

/** Routes that the proxy answers itself, as Istio's validation takes them. */
function checkAnswer(route: Raw, answer: readonly string[], path: Path, to: RuleReport): void {
  const [own, other] = answer;
  if (own === undefined) return;
  for (const beside of [...(other === undefined ? [] : [other]), 'route', 'fault', 'rewrite'])
    if (route[beside] !== undefined)
      to.report('WT0401', [...path, beside], {
        message: `Istio refuses ${beside} beside ${own}`,
        hint: 'take one of the two out',
        atKey: true,
      });
  if (own === 'redirect') {
    const redirect = asRecord(route['redirect']);
    const at: Path = [...path, 'redirect'];
    checkFields(redirect, 'redirect', at, to);
    if (['uri', 'authority', 'port', 'derivePort', 'scheme'].every((key) => redirect[key] === undefined))
      to.report('WT0401', at, { message: 'a redirect to nowhere', expected: 'uri, authority, port or scheme' });
    checkStatus(redirect, 'redirectCode', [300, 399], at, to);
    to.unmodelled({ code: 'WT0504', path: at, message: 'the call ends with the redirect: nobody follows it' });
    return;
  }
  const response = asRecord(route['directResponse']);
  const at: Path = [...path, 'directResponse'];
  checkFields(response, 'directResponse', at, to);
  if (response['status'] === undefined)
    to.report('WT0401', at, { message: 'missing key "status"', expected: 'a status of HTTP' });
  checkStatus(response, 'status', [100, 599], at, to);
}

function checkStatus(
  parent: Raw,
  key: string,
  [least, most]: readonly [number, number],
  path: Path,
  to: RuleReport,
): void {
  const status = parent[key];
  if (status === undefined) return;
  if (Number.isInteger(status) && (status as number) >= least && (status as number) <= most) return;
  to.report('WT0401', [...path, key], {
    message: 'not a status',
    expected: `a whole number from ${least} to ${most}`,
  });
}

function checkDestination(
  destination: Raw,
  path: Path,
  routed: readonly string[],
  endpoints: EndpointNames,
  to: RuleReport,
): void {
  checkFields(destination, 'destination', path, to);
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

function checkMatch(match: Raw, path: Path, to: RuleReport): void {
  checkFields(match, 'match', path, to, 'so this match never holds');
  checkGateways(match, path, to);
  const uri = match['uri'];
  if (uri !== undefined) {
    const kinds = Object.keys(asRecord(uri));
    const valid = kinds.length === 1 && ['exact', 'prefix', 'regex'].includes(kinds[0]!);
    if (!valid || typeof asRecord(uri)[kinds[0]!] !== 'string' || asRecord(uri)[kinds[0]!] === '')
      to.report('WT0401', [...path, 'uri'], { message: 'not a text match', expected: 'exact, prefix or regex' });
    else if (kinds[0] === 'regex' && !isRegex(asRecord(uri)['regex'] as string))
      to.report('WT0401', [...path, 'uri', 'regex'], { message: 'not a regular expression', expected: 'RE2 syntax' });
  }
  for (const label of Object.keys(asRecord(match['sourceLabels'])))
    if (label !== 'app')
      to.unmodelled({
        code: 'WT0502',
        path: [...path, 'sourceLabels', label],
        message: `callers have no label ${label} here (only app): this match never holds`,
      });
}

/** RE2 has no look-around and no back-references. */
function isRegex(text: string): boolean {
  if (/\(\?<?[=!]|\\[1-9]/.test(text)) return false;
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

function checkRetries(retries: Raw, path: Path, to: RuleReport): void {
  checkFields(retries, 'retries', path, to);
  const attempts = retries['attempts'];
  if (
    attempts !== undefined &&
    !(Number.isInteger(attempts) && (attempts as number) >= 0 && (attempts as number) <= 15)
  )
    to.report('WT0401', [...path, 'attempts'], {
      message: 'not a number of retries',
      expected: 'a whole number from 0 to 15',
    });
  if (attempts === 0 && Object.keys(retries).length > 1)
    to.report('WT0401', path, {
      message: 'Istio refuses a retry policy whose attempts are 0',
      expected: 'attempts: 0 alone, or attempts of at least 1',
    });
  checkDuration(retries, 'perTryTimeout', path, to);
  checkDuration(retries, 'backoff', path, to);
  const { retryOn } = retries;
  if (retryOn === undefined) return;
  const words = typeof retryOn === 'string' ? retryOn.split(',').map((word) => word.trim()) : [''];
  for (const word of words) {
    if (retryOn === '' || RETRY_ON.includes(word) || /^[1-5]\d\d$/.test(word)) continue;
    to.report('WT0401', [...path, 'retryOn'], {
      message: `no retry condition "${word}"`,
      expected: `status codes, or ${RETRY_ON.join(', ')}`,
      hint: didYouMean(word, RETRY_ON),
    });
  }
}

function checkFault(fault: Raw, path: Path, to: RuleReport): void {
  checkFields(fault, 'fault', path, to);
  if (fault['delay'] === undefined && fault['abort'] === undefined)
    to.report('WT0401', path, { message: 'a fault that injects nothing', expected: 'delay, abort or both' });
  for (const kind of ['delay', 'abort'] as const) {
    if (fault[kind] === undefined) continue;
    const injected = asRecord(fault[kind]);
    const here: Path = [...path, kind];
    checkFields(injected, kind, here, to);
    const value = asRecord(injected['percentage'])['value'] ?? injected['percent'];
    if (value === undefined)
      to.unmodelled({ code: 'WT0504', path: here, message: `${kind} without percentage injects nothing` });
    else if (typeof value !== 'number' || value < 0 || value > 100 || (value > 0 && value < LEAST_PERCENT))
      to.report('WT0401', here, {
        message: 'not a percentage',
        expected: `0, or a number from ${LEAST_PERCENT} to 100`,
      });
  }
  if (fault['delay'] !== undefined) {
    if (asRecord(fault['delay'])['fixedDelay'] === undefined)
      to.report('WT0401', [...path, 'delay'], { message: 'missing key "fixedDelay"', expected: 'a duration' });
    checkDuration(asRecord(fault['delay']), 'fixedDelay', [...path, 'delay'], to);
  }
  const abort = asRecord(fault['abort']);
  const { grpcStatus } = abort;
  if (grpcStatus !== undefined && !(typeof grpcStatus === 'string' && GRPC_STATUS.includes(grpcStatus)))
    to.report('WT0401', [...path, 'abort', 'grpcStatus'], {
      message: 'not a status of gRPC',
      expected: GRPC_STATUS.join(', '),
      hint: typeof grpcStatus === 'string' ? didYouMean(grpcStatus, GRPC_STATUS) : null,
    });
  const status = abort['httpStatus'];
  if (fault['abort'] !== undefined && status === undefined && abort['grpcStatus'] === undefined)
    to.report('WT0401', [...path, 'abort'], { message: 'aborts with nothing', expected: 'httpStatus or grpcStatus' });
  if (status !== undefined && !(Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 600))
    to.report('WT0401', [...path, 'abort', 'httpStatus'], {
      message: 'not a status',
      expected: 'a whole number from 200 to 600',
    });
}

function checkFields(
  value: Raw,
  place: keyof typeof FIELDS,
  path: Path,
  to: RuleReport,
  consequence = 'it is left out',
): void {
  checkKnownFields(
    value,
    FIELDS[place],
    path,
    to,
    (key) => `${key} of a VirtualService is not simulated yet: ${consequence}`,
  );
}
