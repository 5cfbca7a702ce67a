/**
 * The HTTP routes of a VirtualService as the caller's proxy applies them, in order, the first match winning: where to,
 * with which time-outs and retries, and what is injected (SEMANTICS A16, A17). Without a VirtualService there is one
 * route with Istio's defaults: no time-out, two retries of what never reached an application.
 *
 * A request's path is taken to be "/" + the name of the endpoint. Headers are those of the load, which applications pass
 * on; methods and query parameters are known of users' requests alone, and of calls between services a match on one of them
 * never holds, as the loader says. The ingress gateways of a scenario stand for every
 * gateway that an object may name; "mesh" are the sidecars. An object that names none holds for both: users come in as
 * if their gateway routed as the mesh does.
 */
import { goDurationUs } from '../../engine/go-duration.js';
import { isPlainHeader } from '../../engine/header-names.js';
import { re2 } from '../../engine/re2.js';
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

/** What a match may ask of a request besides its path; names of headers in lower case. Null: not known. */
export interface RequestFacts {
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string | null;
  readonly query: Readonly<Record<string, string>> | null;
}

const NO_FACTS: RequestFacts = { headers: {}, method: null, query: null };

export interface HttpRoute {
  /** `sourceService` null: the gateways. */
  matches(endpointName: string, sourceService: string | null, request?: RequestFacts): boolean;
  /** False: none of its matches is for that caller, whose proxy does not even get to know it. */
  appliesTo(sourceService: string | null): boolean;
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
  const isOfGateways = list(spec?.['gateways']).length > 0;
  return http.map((route) => readRoute(route, istioMinor, isOfGateways));
}

/** The route of a request; null: 404. A VirtualService without any route for a caller leaves it the default. */
export function routeOfRequest(
  routes: readonly HttpRoute[],
  endpointName: string,
  sourceService: string | null,
  istioMinor: number,
  request: RequestFacts = NO_FACTS,
): HttpRoute | null {
  if (!routes.some((route) => route.appliesTo(sourceService))) return readRoute({}, istioMinor);
  return routes.find((route) => route.matches(endpointName, sourceService, request)) ?? null;
}

/**
 * Whether an object's routes hold for the gateways, or for sidecars and waypoints. `isRoutedLater`: behind the gateways a
 * waypoint applies what names no gateway, as Istio has it.
 */
export function holdsFor(spec: Spec, gateways: boolean, isRoutedLater = false): boolean {
  const named = list(spec['gateways']) as readonly unknown[];
  return named.length === 0 ? !isRoutedLater : isAmong(named, gateways);
}

function isAmong(named: readonly unknown[], gateways: boolean): boolean {
  return gateways ? named.some((name) => name !== MESH) : named.includes(MESH);
}

/** Istio's name for all sidecars, among those of gateways. */
const MESH = 'mesh';

/** `isOfGateways`: a gateway that the object names knows its host by nothing else, and so answers 404 for the rest. */
function readRoute(route: Spec, istioMinor: number, isOfGateways = false): HttpRoute {
  const matches = list(route['match']);
  const timeoutUs = goDurationUs(route['timeout']) ?? 0;
  return {
    matches: (endpointName, sourceService, request = NO_FACTS) =>
      matches.length === 0 || matches.some((match) => holds(match, `/${endpointName}`, sourceService, request)),
    appliesTo: (sourceService) =>
      (isOfGateways && sourceService === null) ||
      matches.length === 0 ||
      matches.some((match) => isFor(match, sourceService)),
    destinations: list(route['route']).map((entry, _, all) => ({
      ...destinationOf(record(entry['destination'])),
      // Alone it takes all, whatever its weight.
      weight: number(entry['weight'], 0) || (all.length === 1 ? 1 : 0),
    })),
    answer: readAnswer(route),
    timeoutUs,
    retries: readRetries(route['retries'], timeoutUs, istioMinor),
    fault: readFault(route['fault']),
    mirror:
      route['mirror'] === undefined
        ? null
        : { ...destinationOf(record(route['mirror'])), percent: mirrorPercent(route) },
  };
}

function readAnswer(route: Spec): number | null {
  if (route['redirect'] !== undefined) return number(record(route['redirect'])['redirectCode'], 301);
  return route['directResponse'] === undefined ? null : number(record(route['directResponse'])['status'], 200);
}

/** All conditions of one match must hold. */
function holds(match: Spec, path: string, sourceService: string | null, request: RequestFacts): boolean {
  return Object.entries(match).every(([field, wanted]) => {
    switch (field) {
      case 'name':
        return true;
      case 'uri':
        return matchesText(record(wanted), path, match['ignoreUriCase'] === true);
      case 'ignoreUriCase':
        return true;
      case 'gateways':
      case 'sourceLabels':
        return isFor(match, sourceService);
      case 'method':
        return request.method !== null && matchesText(record(wanted), request.method, false);
      case 'headers':
        return Object.entries(record(wanted)).every(
          ([name, value]) => isPlainHeader(name) && matchesValue(value, own(request.headers, name.toLowerCase())),
        );
      case 'withoutHeaders':
        // With anything to compare, Istio lets a missing header count as an empty one.
        return Object.entries(record(wanted)).every(([name, value]) => {
          const given = own(request.headers, name.toLowerCase());
          return isPlainHeader(name) && !matchesValue(value, given ?? (asksPresence(value) ? undefined : ''));
        });
      case 'queryParams':
        return Object.entries(record(wanted)).every(
          ([name, value]) => request.query !== null && matchesValue(value, own(request.query, name)),
        );
      default:
        return false;
    }
  });
}

/**
 * Whether a match is for that caller, whatever it asks. Where it names gateways, its labels are not read (Istio's
 * sourceMatchHTTP). Callers have no label but `app`.
 */
function isFor(match: Spec, sourceService: string | null): boolean {
  const named = list(match['gateways']) as readonly unknown[];
  if (named.length > 0) return isAmong(named, sourceService === null);
  return Object.entries(record(match['sourceLabels'])).every(
    ([label, value]) => label === 'app' && value === sourceService,
  );
}

function own(values: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** An empty match, and `*` as if it were an expression, ask only whether there is a value. */
function asksPresence(wanted: unknown): boolean {
  const match = record(wanted);
  return Object.keys(match).length === 0 || match['regex'] === '*';
}

function matchesValue(wanted: unknown, value: string | undefined): boolean {
  if (value === undefined) return false;
  return asksPresence(wanted) || matchesText(record(wanted), value, false);
}

function matchesText(wanted: Spec, text: string, ignoreCase: boolean): boolean {
  // An empty one is a prefix of every text.
  if (Object.keys(wanted).length === 0) return true;
  const fold = (one: string): string => (ignoreCase ? one.toLowerCase() : one);
  if (typeof wanted['exact'] === 'string') return fold(text) === fold(wanted['exact']);
  if (typeof wanted['prefix'] === 'string') return fold(text).startsWith(fold(wanted['prefix']));
  if (typeof wanted['regex'] === 'string') return re2(wanted['regex'])?.test(text) ?? false;
  return false;
}

function readRetries(raw: unknown, timeoutUs: number, istioMinor: number): HttpRoute['retries'] {
  const field = record(raw);
  const retryOn = typeof field['retryOn'] === 'string' && field['retryOn'] !== '' ? field['retryOn'] : null;
  const perTryUs = goDurationUs(field['perTryTimeout']) ?? 0;
  const byDefault = istioMinor >= 24 ? DEFAULT_RETRY_ON : `${DEFAULT_RETRY_ON},503`;
  return {
    // A policy that says nothing of attempts switches retries off.
    attempts: raw === undefined || raw === null ? DEFAULT_ATTEMPTS : number(field['attempts'], 0),
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

/** `percent` is the old field, which holds where the new one is not there. */
function percent(fault: Spec): number {
  const { percentage, percent: old } = fault;
  return percentage === undefined ? Math.min(100, number(old, 0)) : inMillionths(record(percentage)['value']);
}

function mirrorPercent(route: Spec): number {
  const { mirrorPercentage, mirrorPercent: old, mirror_percent: older } = route;
  if (mirrorPercentage !== undefined) return inMillionths(record(mirrorPercentage)['value']);
  return number(old, number(older, 100));
}

/** Istio counts shares in whole millionths, and cuts off the rest. */
function inMillionths(value: unknown): number {
  return Math.trunc(number(value, 0) * 10_000) / 10_000;
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
