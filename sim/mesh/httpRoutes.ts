/**
 * The HTTP routes of a VirtualService as the caller's proxy applies them, in order, the first match winning: where to,
 * with which time-outs and retries, and what is injected (SEMANTICS A16, A17). Without a VirtualService there is one
 * route with Istio's defaults: no time-out, two retries of what never reached an application.
 *
 * A request's path is taken to be "/" + the name of the endpoint. Headers, methods and query parameters are not
 * modelled: a match on one of them never holds, and the loader says so. The ingress gateways of a scenario stand for every
 * gateway that an object may name; "mesh" are the sidecars. An object that names none holds for both: users come in as
 * if their gateway routed as the mesh does.
 */
import { goDurationUs } from '../../engine/go-duration.js';
import type { Spec } from './localitySetting.js';

export interface RetryConditions {
  readonly connectFailure: boolean;
  readonly refusedStream: boolean;
  readonly unavailable: boolean;
  readonly cancelled: boolean;
  readonly gatewayError: boolean;
  readonly fiveXx: boolean;
  readonly reset: boolean;
  readonly retriable4xx: boolean;
  readonly statusCodes: readonly number[];
}

export interface HttpRoute {
  /** `sourceService` null: the gateways. */
  matches(endpointName: string, sourceService: string | null): boolean;
  /** The status with which the proxy answers itself, by `redirect` or `directResponse`; null: it does not. */
  readonly answer: number | null;
  /** Empty: the called host itself. */
  readonly destinations: readonly { readonly host: string; readonly subset: string | null; readonly weight: number }[];
  /** 0: none. */
  readonly timeoutUs: number;
  readonly retries: {
    readonly attempts: number;
    readonly retryOn: RetryConditions;
    /** 0: none. Ignored by Envoy when it is not below the time-out of the whole. */
    readonly perTryTimeoutUs: number;
    readonly backOffBaseUs: number;
  };
  readonly fault: {
    readonly delay: { readonly percent: number; readonly fixedUs: number } | null;
    /** With a gRPC status, the status of HTTP is 200. */
    readonly abort: { readonly percent: number; readonly httpStatus: number; readonly grpc: boolean } | null;
  } | null;
  readonly mirror: { readonly host: string; readonly subset: string | null; readonly percent: number } | null;
}

/** Istio's default since 1.24; before, 503 responses were tried again too. */
const DEFAULT_RETRY_ON = 'connect-failure,refused-stream,unavailable,cancelled';
const DEFAULT_ATTEMPTS = 2;
const DEFAULT_BASE_US = 25_000;

export function readHttpRoutes(spec: Spec | null, istioMinor: number): readonly HttpRoute[] {
  const http = list(spec?.['http']);
  if (http.length === 0) return [readRoute({}, istioMinor)];
  return http.map((route) => readRoute(route, istioMinor));
}

/** Whether an object's routes hold for the gateways, or for sidecars. */
export function holdsFor(spec: Spec, gateways: boolean): boolean {
  const named = list(spec['gateways']) as readonly unknown[];
  return named.length === 0 || isAmong(named, gateways);
}

function isAmong(named: readonly unknown[], gateways: boolean): boolean {
  return gateways ? named.some((name) => name !== MESH) : named.includes(MESH);
}

/** Istio's name for all sidecars, among those of gateways. */
const MESH = 'mesh';

function readRoute(route: Spec, istioMinor: number): HttpRoute {
  const matches = list(route['match']);
  const timeoutUs = goDurationUs(route['timeout']) ?? 0;
  return {
    matches: (endpointName, sourceService) =>
      matches.length === 0 || matches.some((match) => holds(match, `/${endpointName}`, sourceService)),
    destinations: list(route['route']).map((entry, _, all) => ({
      ...destinationOf(record(entry['destination'])),
      weight: number(entry['weight'], all.length === 1 ? 1 : 0),
    })),
    answer: readAnswer(route),
    timeoutUs,
    retries: readRetries(route['retries'], timeoutUs, istioMinor),
    fault: readFault(route['fault']),
    mirror:
      route['mirror'] === undefined
        ? null
        : {
            ...destinationOf(record(route['mirror'])),
            percent: number(record(route['mirrorPercentage'])['value'], 100),
          },
  };
}

function readAnswer(route: Spec): number | null {
  if (route['redirect'] !== undefined) return number(record(route['redirect'])['redirectCode'], 301);
  return route['directResponse'] === undefined ? null : number(record(route['directResponse'])['status'], 200);
}

/** All conditions of one match must hold. */
function holds(match: Spec, path: string, sourceService: string | null): boolean {
  return Object.entries(match).every(([field, wanted]) => {
    switch (field) {
      case 'name':
        return true;
      case 'uri':
        return matchesText(record(wanted), path, match['ignoreUriCase'] === true);
      case 'ignoreUriCase':
        return true;
      case 'gateways':
        return isAmong(list(wanted), sourceService === null);
      case 'sourceLabels':
        return Object.entries(record(wanted)).every(([label, value]) => label === 'app' && value === sourceService);
      default:
        return false;
    }
  });
}

function matchesText(wanted: Spec, path: string, ignoreCase: boolean): boolean {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  if (typeof wanted['exact'] === 'string') return fold(path) === fold(wanted['exact']);
  if (typeof wanted['prefix'] === 'string') return fold(path).startsWith(fold(wanted['prefix']));
  if (typeof wanted['regex'] === 'string') return new RegExp(`^(?:${wanted['regex']})$`).test(path);
  return false;
}

function readRetries(raw: unknown, timeoutUs: number, istioMinor: number): HttpRoute['retries'] {
  const field = record(raw);
  const retryOn = typeof field['retryOn'] === 'string' && field['retryOn'] !== '' ? field['retryOn'] : null;
  const perTryUs = goDurationUs(field['perTryTimeout']) ?? 0;
  const byDefault = istioMinor >= 24 ? DEFAULT_RETRY_ON : `${DEFAULT_RETRY_ON},503`;
  return {
    attempts: number(field['attempts'], DEFAULT_ATTEMPTS),
    retryOn: readRetryOn(retryOn ?? byDefault),
    perTryTimeoutUs: timeoutUs > 0 && perTryUs >= timeoutUs ? 0 : perTryUs,
    backOffBaseUs: goDurationUs(field['backoff']) ?? DEFAULT_BASE_US,
  };
}

function readRetryOn(text: string): RetryConditions {
  const words = text.split(',').map((word) => word.trim());
  return {
    connectFailure: words.includes('connect-failure'),
    refusedStream: words.includes('refused-stream'),
    unavailable: words.includes('unavailable'),
    cancelled: words.includes('cancelled'),
    gatewayError: words.includes('gateway-error'),
    fiveXx: words.includes('5xx'),
    reset: words.includes('reset'),
    retriable4xx: words.includes('retriable-4xx'),
    statusCodes: words.filter((word) => /^\d{3}$/.test(word)).map(Number),
  };
}

/** A percentage that is not given injects nothing. */
function readFault(raw: unknown): HttpRoute['fault'] {
  if (raw === undefined || raw === null) return null;
  const [delay, abort] = [record(record(raw)['delay']), record(record(raw)['abort'])];
  return {
    delay: 'fixedDelay' in delay ? { percent: percent(delay), fixedUs: goDurationUs(delay['fixedDelay']) ?? 0 } : null,
    abort:
      'httpStatus' in abort || 'grpcStatus' in abort
        ? { percent: percent(abort), httpStatus: number(abort['httpStatus'], 200), grpc: 'grpcStatus' in abort }
        : null,
  };
}

function percent(fault: Spec): number {
  return number(record(fault['percentage'])['value'], number(fault['percent'], 0));
}

function destinationOf(destination: Spec): { host: string; subset: string | null } {
  const subset = destination['subset'];
  return {
    host: typeof destination['host'] === 'string' ? destination['host'] : '',
    subset: typeof subset === 'string' && subset !== '' ? subset : null,
  };
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function list(value: unknown): readonly Spec[] {
  return Array.isArray(value) ? (value as readonly Spec[]) : [];
}

function record(value: unknown): Spec {
  return typeof value === 'object' && value !== null ? (value as Spec) : {};
}
