/**
 * What a DestinationRule says about one cluster (a host, or one subset of it) beyond locality: algorithm, outlier
 * detection, connection pool, warm-up, as numbers with Istio's defaults filled in (SEMANTICS A12 to A15). A subset's
 * policy replaces the rule's field by field, as Istio merges them.
 */
import { goDurationUs } from '../../engine/go-duration.js';
import type { Spec } from './localitySetting.js';

export type EndpointAlgorithm = 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM' | 'RING_HASH' | 'MAGLEV';

export interface ClusterPolicy {
  readonly algorithm: EndpointAlgorithm;
  /** Of RING_HASH and MAGLEV, else null. */
  readonly hash: {
    /** What is hashed: the caller's own address, the user (header, cookie, query parameter), or nothing that a request has. */
    readonly by: 'source' | 'user' | 'nothing';
    /** Smallest ring, or size of the Maglev table. */
    readonly size: number;
  } | null;
  readonly outlier: {
    /** Failures in a row that eject; 0: never. */
    readonly consecutive5xx: number;
    readonly consecutiveGateway: number;
    readonly intervalUs: number;
    readonly baseEjectionUs: number;
    readonly maxEjectionPercent: number;
    readonly minHealthPercent: number;
    /** Failures without an answer are counted apart. */
    readonly splitLocalOrigin: boolean;
    readonly consecutiveLocalOrigin: number;
  } | null;
  /** Infinity: no limit. Istio's defaults of 2^32 - 1 are that; Envoy's own 1024 and 3 do not hold under Istio. */
  readonly pool: {
    readonly maxConnections: number;
    readonly maxPending: number;
    readonly maxRequests: number;
    readonly maxRetries: number;
    readonly maxRequestsPerConnection: number;
    readonly connectTimeoutUs: number | null;
    readonly retryBudget: { readonly percent: number; readonly minRetryConcurrency: number } | null;
  };
  readonly warmup: {
    readonly windowUs: number;
    readonly aggression: number;
    readonly minimumPercent: number;
  } | null;
}

export function readClusterPolicy(ruleSpec: Spec | null, subset: string | null): ClusterPolicy {
  const subsets = (ruleSpec?.['subsets'] ?? []) as readonly Spec[];
  const own = subset === null ? undefined : subsets.find((candidate) => candidate['name'] === subset);
  const policy = { ...record(ruleSpec?.['trafficPolicy']), ...defined(record(own?.['trafficPolicy'])) };
  const loadBalancer = record(policy['loadBalancer']);
  return {
    algorithm: algorithmOf(loadBalancer),
    hash: readHash(loadBalancer['consistentHash']),
    outlier: readOutlier(policy['outlierDetection']),
    pool: readPool(record(policy['connectionPool']), policy['retryBudget']),
    warmup: readWarmup(loadBalancer),
  };
}

function algorithmOf(loadBalancer: Spec): EndpointAlgorithm {
  const hash = loadBalancer['consistentHash'];
  if (hash !== undefined && hash !== null) return 'maglev' in record(hash) ? 'MAGLEV' : 'RING_HASH';
  const simple = loadBalancer['simple'];
  return simple === 'ROUND_ROBIN' || simple === 'RANDOM' ? simple : 'LEAST_REQUEST';
}

/** Istio's defaults: 1,024 for the ring, 65,537 for Maglev. */
function readHash(raw: unknown): ClusterPolicy['hash'] {
  if (raw === undefined || raw === null) return null;
  const hash = record(raw);
  const byUser = ['httpHeaderName', 'httpCookie', 'httpQueryParameterName'].some((key) => key in hash);
  const size =
    'maglev' in hash
      ? count(record(hash['maglev'])['tableSize'], 0) || 65_537
      : // `minimumRingSize` beside the others is the old place.
        count(record(hash['ringHash'])['minimumRingSize'], 0) || count(hash['minimumRingSize'], 0) || 1024;
  return { by: hash['useSourceIp'] === true ? 'source' : byUser ? 'user' : 'nothing', size };
}

function readOutlier(raw: unknown): ClusterPolicy['outlier'] {
  if (raw === undefined || raw === null) return null;
  const field = record(raw);
  return {
    // `consecutiveErrors` is still taken, and no longer read.
    consecutive5xx: count(field['consecutive5xxErrors'], 5),
    consecutiveGateway: count(field['consecutiveGatewayErrors'], 0),
    intervalUs: goDurationUs(field['interval']) ?? 10_000_000,
    baseEjectionUs: goDurationUs(field['baseEjectionTime']) ?? 30_000_000,
    // 0 means unset here.
    maxEjectionPercent: count(field['maxEjectionPercent'], 0) || 10,
    minHealthPercent: count(field['minHealthPercent'], 0),
    splitLocalOrigin: field['splitExternalLocalOriginErrors'] === true,
    consecutiveLocalOrigin: count(field['consecutiveLocalOriginFailures'], 0) || 5,
  };
}

function readPool(pool: Spec, retryBudget: unknown): ClusterPolicy['pool'] {
  const [tcp, http] = [record(pool['tcp']), record(pool['http'])];
  const budget = record(retryBudget);
  return {
    maxConnections: limit(tcp['maxConnections']),
    maxPending: limit(http['http1MaxPendingRequests']),
    maxRequests: limit(http['http2MaxRequests']),
    maxRetries: limit(http['maxRetries']),
    maxRequestsPerConnection: limit(http['maxRequestsPerConnection']),
    connectTimeoutUs: goDurationUs(tcp['connectTimeout']),
    retryBudget:
      retryBudget === undefined || retryBudget === null
        ? null
        : { percent: count(budget['percent'], 20), minRetryConcurrency: count(budget['minRetryConcurrency'], 0) || 3 },
  };
}

function readWarmup(loadBalancer: Spec): ClusterPolicy['warmup'] {
  const warmup = loadBalancer['warmup'];
  const windowUs = goDurationUs(record(warmup)['duration'] ?? loadBalancer['warmupDurationSecs']);
  if (windowUs === null || windowUs === 0) return null;
  return {
    windowUs,
    aggression: count(record(warmup)['aggression'], 1),
    minimumPercent: count(record(warmup)['minimumPercent'], 10),
  };
}

/** Istio cannot set a limit to 0: 0 and below keep the default. */
function limit(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : Infinity;
}

/** Numbers, also where they stand in a wrapper message `{value: 5}`. */
function count(value: unknown, otherwise: number): number {
  if (typeof value === 'number') return value;
  const wrapped = record(value)['value'];
  return typeof wrapped === 'number' ? wrapped : otherwise;
}

function record(value: unknown): Spec {
  return typeof value === 'object' && value !== null ? (value as Spec) : {};
}

function defined(fields: Spec): Spec {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
