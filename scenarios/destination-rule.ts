/**
 * A DestinationRule as Istio's own validation sees it: what `kubectl apply` would refuse is refused here, with the place.
 * The rules for `localityLbSetting` follow Istio's ValidateLocalityLbSetting: weights of 1 to 100 that sum to exactly
 * 100, no overlapping localities, `distribute` and `failover` apart, plain and different failover regions.
 * Fields that Istio knows and the simulator does not yet are not errors but `unmodelled`: they become notices.
 */
import { checkDuration, checkKnownFields, KNOWN, MODELLED } from './istio-fields.js';
import { checkLocalityLbSetting } from './locality-setting.js';
import { checkConsistentHash, checkWarmUp } from './load-balancer.js';
import { didYouMean } from './problems.js';
import { asRecord, isObject } from './raw.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';
import { checkZoneAwareLbSetting, ZONE_AWARE_MINOR } from './zone-aware-setting.js';

/** Fields by place: modelled here, or only known to Istio. */
const FIELDS = {
  object: { apiVersion: MODELLED, kind: MODELLED, metadata: MODELLED, spec: MODELLED, status: MODELLED },
  spec: { host: MODELLED, trafficPolicy: MODELLED, subsets: MODELLED, exportTo: KNOWN, workloadSelector: KNOWN },
  subset: { name: MODELLED, labels: MODELLED, trafficPolicy: MODELLED },
  trafficPolicy: {
    loadBalancer: MODELLED,
    outlierDetection: MODELLED,
    connectionPool: MODELLED,
    tls: KNOWN,
    portLevelSettings: KNOWN,
    tunnel: KNOWN,
    proxyProtocol: KNOWN,
    retryBudget: MODELLED,
  },
  loadBalancer: {
    simple: MODELLED,
    localityLbSetting: MODELLED,
    consistentHash: MODELLED,
    zoneAwareLbSetting: MODELLED,
    warmup: MODELLED,
    warmupDurationSecs: MODELLED,
  },
  connectionPool: { tcp: MODELLED, http: MODELLED },
  tcp: {
    maxConnections: MODELLED,
    connectTimeout: MODELLED,
    tcpKeepalive: KNOWN,
    maxConnectionDuration: KNOWN,
    idleTimeout: KNOWN,
  },
  http: {
    http1MaxPendingRequests: MODELLED,
    http2MaxRequests: MODELLED,
    maxRetries: MODELLED,
    maxRequestsPerConnection: KNOWN,
    idleTimeout: KNOWN,
    h2UpgradePolicy: KNOWN,
    useClientProtocol: KNOWN,
    maxConcurrentStreams: KNOWN,
  },
  retryBudget: { percent: MODELLED, minRetryConcurrency: MODELLED },
  outlierDetection: {
    consecutiveErrors: MODELLED,
    consecutive5xxErrors: MODELLED,
    consecutiveGatewayErrors: MODELLED,
    consecutiveLocalOriginFailures: MODELLED,
    splitExternalLocalOriginErrors: MODELLED,
    interval: MODELLED,
    baseEjectionTime: MODELLED,
    maxEjectionPercent: MODELLED,
    minHealthPercent: MODELLED,
  },
} as const;

const SIMPLE = ['LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM'];
/** Istio's other words: simulated as LEAST_REQUEST, with a notice. */
const SIMPLE_KNOWN = ['LEAST_CONN', 'UNSPECIFIED', 'PASSTHROUGH'];

/** Kinds that may stand beside DestinationRules in a dump of a cluster; they are known, and left out. */
const OTHER_KINDS = [
  'Gateway',
  'Sidecar',
  'WorkloadEntry',
  'WorkloadGroup',
  'EnvoyFilter',
  'PeerAuthentication',
  'RequestAuthentication',
  'AuthorizationPolicy',
  'Telemetry',
  'ProxyConfig',
  'HTTPRoute',
  'Service',
];

/** A known thing that the simulation leaves out. */
export interface Unmodelled {
  readonly code: 'WT0502' | 'WT0504';
  readonly path: Path;
  readonly message: string;
}

export interface RuleReport {
  /** `region/zone` of the cluster, to notice localities that match none. */
  readonly zones: readonly string[];
  readonly mesh: {
    /** Istio 1.x. */
    readonly istioMinor: number;
    readonly selfDiscovery: boolean;
  };
  readonly report: Report;
  readonly unmodelled: (found: Unmodelled) => void;
}

/** True when the object is a DestinationRule; other kinds are reported or noted. */
export function checkMeshObject(raw: unknown, path: Path, to: RuleReport): boolean {
  const object = asRecord(raw);
  const kind = object['kind'];
  if (typeof kind !== 'string') return false;
  // Checked on their own: see virtual-service.ts and service-entry.ts.
  if (kind === 'VirtualService' || kind === 'ServiceEntry') return false;
  if (kind !== 'DestinationRule') {
    if (OTHER_KINDS.includes(kind))
      to.unmodelled({
        code: 'WT0502',
        path: [...path, 'kind'],
        message: `objects of kind ${kind} are not simulated yet`,
      });
    else
      to.report('WT0404', [...path, 'kind'], {
        message: `unknown kind "${kind}"`,
        expected: 'DestinationRule, VirtualService or ServiceEntry',
        hint: didYouMean(kind, ['DestinationRule', 'VirtualService', 'ServiceEntry', ...OTHER_KINDS]),
      });
    return false;
  }
  checkRule(object, path, to);
  return true;
}

function checkRule(object: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  const apiVersion = object['apiVersion'];
  if (typeof apiVersion === 'string' && !apiVersion.startsWith('networking.istio.io/')) {
    to.report('WT0401', [...path, 'apiVersion'], {
      message: 'not an API of DestinationRules',
      expected: 'networking.istio.io/v1',
    });
  }
  checkOwn(object, 'object', path, to);
  const spec = section(object, 'spec', path, to);
  checkTrafficPolicy(spec, [...path, 'spec'], to);
  checkSubsets(spec['subsets'], [...path, 'spec', 'subsets'], to);
}

/** Names that differ, labels, and a policy like that of the whole. */
function checkSubsets(raw: unknown, path: Path, to: RuleReport): void {
  if (raw === undefined) return;
  if (!Array.isArray(raw))
    return to.report('WT0203', path, { message: 'is not a list', expected: 'a list of subsets' });
  const seen = new Set<unknown>();
  for (const [index, subset] of raw.map(asRecord).entries()) {
    const at = [...path, index];
    checkOwn(subset, 'subset', at, to);
    const { name, labels } = subset;
    if (typeof name !== 'string' || name === '')
      to.report('WT0401', name === undefined ? at : [...at, 'name'], {
        message: 'a subset without a name',
        expected: 'a name',
      });
    else if (seen.has(name))
      to.report('WT0207', [...at, 'name'], { message: `a second subset "${name}"`, expected: 'another name' });
    seen.add(name);
    if (
      labels !== undefined &&
      !(isObject(labels) && Object.values(asRecord(labels)).every((value) => typeof value === 'string'))
    )
      to.report('WT0203', [...at, 'labels'], { message: 'not labels', expected: 'a mapping from label to text' });
    checkTrafficPolicy(subset, at, to);
  }
}

function checkTrafficPolicy(parent: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  const policy = section(parent, 'trafficPolicy', path, to);
  const policyPath = [...path, 'trafficPolicy'];
  const balancer = section(policy, 'loadBalancer', policyPath, to);
  const balancerPath = [...policyPath, 'loadBalancer'];
  checkSimple(balancer, balancerPath, to);
  if ('consistentHash' in balancer)
    checkConsistentHash(balancer['consistentHash'], [...balancerPath, 'consistentHash'], to);
  checkWarmUp(balancer, balancerPath, to);
  if ('localityLbSetting' in balancer)
    checkLocalityLbSetting(
      balancer['localityLbSetting'],
      [...balancerPath, 'localityLbSetting'],
      'outlierDetection' in policy,
      to,
    );
  if ('zoneAwareLbSetting' in balancer) {
    checkZoneAwareLbSetting(balancer['zoneAwareLbSetting'], [...balancerPath, 'zoneAwareLbSetting'], to);
    if ('localityLbSetting' in balancer && to.mesh.istioMinor >= ZONE_AWARE_MINOR)
      to.unmodelled({
        code: 'WT0504',
        path: [...balancerPath, 'localityLbSetting'],
        message: 'beside zoneAwareLbSetting, Istio does not read localityLbSetting',
      });
  }
  checkOutlierDetection(section(policy, 'outlierDetection', policyPath, to), [...policyPath, 'outlierDetection'], to);
  checkConnectionPool(section(policy, 'connectionPool', policyPath, to), [...policyPath, 'connectionPool'], to);
  const budget = section(policy, 'retryBudget', policyPath, to);
  checkCount(budget, 'minRetryConcurrency', [...policyPath, 'retryBudget'], to);
  const { percent } = budget;
  if (percent !== undefined && !(typeof percent === 'number' && percent >= 0 && percent <= 100))
    to.report('WT0401', [...policyPath, 'retryBudget', 'percent'], {
      message: 'not a percentage',
      expected: 'a number from 0 to 100',
    });
}

function section(
  parent: Readonly<Record<string, unknown>>,
  name: keyof typeof FIELDS,
  path: Path,
  to: RuleReport,
): Readonly<Record<string, unknown>> {
  const value = parent[name];
  if (value === undefined) return {};
  if (!isObject(value)) {
    // `spec` itself is in the schema, which has said so.
    if (name !== 'spec') to.report('WT0203', [...path, name], { message: 'is not an object', expected: 'an object' });
    return {};
  }
  checkOwn(asRecord(value), name, [...path, name], to);
  if ((name === 'trafficPolicy' || name === 'connectionPool') && Object.keys(asRecord(value)).length === 0)
    to.report('WT0401', [...path, name], { message: 'Istio refuses it empty', expected: 'at least one field' });
  return asRecord(value);
}

function checkOwn(
  value: Readonly<Record<string, unknown>>,
  place: keyof typeof FIELDS,
  path: Path,
  to: RuleReport,
): void {
  checkKnownFields(value, FIELDS[place], path, to, (key) => `${key} of a DestinationRule is not simulated yet`);
}

function checkSimple(balancer: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  if (balancer['simple'] === undefined) return;
  const at = [...path, 'simple'];
  const simple = typeof balancer['simple'] === 'string' ? balancer['simple'] : '';
  if (SIMPLE.includes(simple)) return;
  if (SIMPLE_KNOWN.includes(simple)) {
    to.unmodelled({ code: 'WT0502', path: at, message: `the balancer ${simple} is simulated as LEAST_REQUEST` });
  } else {
    to.report('WT0401', at, {
      message: 'no load balancer of Istio',
      expected: `one of ${SIMPLE.join(', ')}`,
      hint: didYouMean(simple, [...SIMPLE, ...SIMPLE_KNOWN]),
    });
  }
}

function checkOutlierDetection(detection: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  for (const key of [
    'consecutiveErrors',
    'consecutive5xxErrors',
    'consecutiveGatewayErrors',
    'consecutiveLocalOriginFailures',
    'maxEjectionPercent',
    'minHealthPercent',
  ]) {
    const value = detection[key];
    if (value === undefined) continue;
    const most = key.endsWith('Percent') ? 100 : 2 ** 32 - 1;
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > most)
      to.report('WT0401', [...path, key], {
        message: 'not a valid number',
        expected: `a whole number from 0 to ${most}`,
      });
  }
  for (const key of ['interval', 'baseEjectionTime']) checkDuration(detection, key, path, to);
  const localFailures = detection['consecutiveLocalOriginFailures'];
  if (typeof localFailures === 'number' && localFailures > 0 && detection['splitExternalLocalOriginErrors'] !== true)
    to.report('WT0401', [...path, 'consecutiveLocalOriginFailures'], {
      message: 'Istio refuses a count of local failures that are not counted apart',
      expected: 'splitExternalLocalOriginErrors: true beside it',
    });
}

function checkConnectionPool(pool: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  const tcp = section(pool, 'tcp', path, to);
  checkCount(tcp, 'maxConnections', [...path, 'tcp'], to);
  checkDuration(tcp, 'connectTimeout', [...path, 'tcp'], to);
  const http = section(pool, 'http', path, to);
  for (const key of ['http1MaxPendingRequests', 'http2MaxRequests', 'maxRetries', 'maxRequestsPerConnection'])
    checkCount(http, key, [...path, 'http'], to);
}

/** Istio's fields are 32-bit; 0 and below keep the default. */
function checkCount(parent: Readonly<Record<string, unknown>>, key: string, path: Path, to: RuleReport): void {
  const value = parent[key];
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) >= 2 ** 32)
    to.report('WT0401', [...path, key], { message: 'not a valid number', expected: 'a whole number below 2^32' });
  else if ((value as number) < 0)
    to.report('WT0401', [...path, key], { message: 'Istio refuses numbers below 0', expected: 'at least 0' });
  else if (value === 0)
    to.unmodelled({ code: 'WT0504', path: [...path, key], message: `${key} 0 keeps Istio's default: no limit` });
}

/** The service that a host names, or null: short name, name.namespace, name.namespace.svc, or the full name. */
export function resolveHost(host: unknown, services: readonly string[]): string | null {
  if (typeof host !== 'string') return null;
  const match = /^([^.]+)(?:\.[^.]+(?:\.svc(?:\.cluster\.local)?)?)?$/.exec(host);
  return match !== null && services.includes(match[1]!) ? match[1]! : null;
}
