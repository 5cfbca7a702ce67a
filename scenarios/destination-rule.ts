/**
 * A DestinationRule as Istio's own validation sees it: what `kubectl apply` would refuse is refused here, with the place.
 * The rules for `localityLbSetting` follow Istio's ValidateLocalityLbSetting: weights of 1 to 100 that sum to exactly
 * 100, no overlapping localities, `distribute` and `failover` apart, plain and different failover regions.
 * Fields that Istio knows and the simulator does not yet are not errors but `unmodelled`: they become notices.
 */
import { goDurationUs } from '../engine/go-duration.js';
import { checkKnownFields, isWholeMs } from './istio-fields.js';
import { checkLoadBalancer } from './load-balancer.js';
import { didYouMean } from './problems.js';
import { asRecord, isObject } from './raw.js';
import { RULE_FIELDS } from './rule-fields.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';

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
  /** `region/zone` of the cluster. */
  readonly zones: readonly string[];
  /** The same and those with subzones, to notice rules that match none. */
  readonly localities: readonly string[];
  readonly mesh: {
    /** Istio 1.x, whose rules hold. */
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
  if (!Array.isArray(raw)) return;
  const seen = new Set<unknown>();
  for (const [index, value] of raw.entries()) {
    const at = [...path, index];
    if (!isObject(value)) {
      to.report('WT0203', at, { message: 'is not an object', expected: 'an object' });
      continue;
    }
    const subset = asRecord(value);
    checkOwn(subset, 'subset', at, to);
    const { name } = subset;
    if (name === undefined || name === '')
      to.report('WT0401', name === undefined ? at : [...at, 'name'], {
        message: 'a subset without a name',
        expected: 'a name',
      });
    else if (typeof name === 'string' && !(SUBSET_NAME.test(name) && name.length <= 63))
      to.report('WT0401', [...at, 'name'], {
        message: 'not a name that Istio takes',
        expected: 'letters, digits and "-" inside',
      });
    if (seen.has(name))
      to.report('WT0207', [...at, 'name'], { message: `a second subset "${String(name)}"`, expected: 'another name' });
    seen.add(name);
    checkLabels(subset['labels'], [...at, 'labels'], to);
    checkTrafficPolicy(subset, at, to);
  }
}

const SUBSET_NAME = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LABEL_KEY =
  /^([a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Of a subset, or of the callers that a match wants. */
export function checkLabels(labels: unknown, path: Path, to: RuleReport): void {
  for (const [key, value] of Object.entries(asRecord(labels))) {
    if (typeof value !== 'string')
      to.report('WT0203', [...path, key], { message: 'is not a text', expected: 'a text' });
    else if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value))
      to.report('WT0401', [...path, key], {
        message: 'not a label that Istio takes',
        expected: 'letters, digits, "-", "_" and "."',
      });
  }
}

function checkTrafficPolicy(parent: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  const policy = section(parent, 'trafficPolicy', path, to);
  const policyPath = [...path, 'trafficPolicy'];
  if (isObject(parent['trafficPolicy']) && Object.keys(policy).length === 0)
    to.report('WT0401', policyPath, { message: 'Istio refuses it empty', expected: 'at least one field' });
  if (policy['tunnel'] !== undefined && policy['proxyProtocol'] !== undefined)
    to.report('WT0401', [...policyPath, 'proxyProtocol'], {
      message: 'Istio refuses it beside tunnel',
      expected: 'one of the two',
      atKey: true,
    });
  const balancer = section(policy, 'loadBalancer', policyPath, to);
  if (SIMPLE_KNOWN.includes(String(balancer['simple'])))
    to.unmodelled({
      code: 'WT0502',
      path: [...policyPath, 'loadBalancer', 'simple'],
      message: `the balancer ${String(balancer['simple'])} is simulated as LEAST_REQUEST`,
    });
  checkLoadBalancer(balancer, [...policyPath, 'loadBalancer'], 'outlierDetection' in policy, to);
  checkOutlierDetection(section(policy, 'outlierDetection', policyPath, to), [...policyPath, 'outlierDetection'], to);
  checkConnectionPool(policy, policyPath, to);
  section(policy, 'retryBudget', policyPath, to);
}

/** The object of that name, checked for its fields; one of another type is empty here, and has been reported. */
export function section(
  parent: Readonly<Record<string, unknown>>,
  name: keyof typeof RULE_FIELDS,
  path: Path,
  to: RuleReport,
): Readonly<Record<string, unknown>> {
  const value = parent[name];
  if (!isObject(value)) return {};
  checkOwn(asRecord(value), name, [...path, name], to);
  return asRecord(value);
}

export function checkOwn(
  value: Readonly<Record<string, unknown>>,
  place: keyof typeof RULE_FIELDS,
  path: Path,
  to: RuleReport,
): void {
  checkKnownFields(value, RULE_FIELDS[place], path, to, (key) => `${key} of a DestinationRule is not simulated yet`);
}

function checkOutlierDetection(detection: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  for (const key of ['maxEjectionPercent', 'minHealthPercent']) {
    const value = detection[key];
    if (Number.isInteger(value) && ((value as number) < 0 || (value as number) > 100))
      to.report('WT0401', [...path, key], {
        message: 'not a percentage',
        expected: 'a whole number from 0 to 100',
      });
  }
  if (typeof detection['consecutiveErrors'] === 'number' && detection['consecutiveErrors'] !== 0)
    to.unmodelled({
      code: 'WT0504',
      path: [...path, 'consecutiveErrors'],
      message: 'consecutiveErrors has no effect: Istio reads consecutive5xxErrors and consecutiveGatewayErrors',
    });
  const localFailures = detection['consecutiveLocalOriginFailures'];
  if (typeof localFailures === 'number' && localFailures > 0 && detection['splitExternalLocalOriginErrors'] !== true)
    to.report('WT0401', [...path, 'consecutiveLocalOriginFailures'], {
      message: 'Istio refuses a count of local failures that are not counted apart',
      expected: 'splitExternalLocalOriginErrors: true beside it',
    });
}

function checkConnectionPool(policy: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  const pool = section(policy, 'connectionPool', path, to);
  const at = [...path, 'connectionPool'];
  if (isObject(policy['connectionPool']) && !isObject(pool['tcp']) && !isObject(pool['http']))
    to.report('WT0401', at, { message: 'Istio refuses it empty', expected: 'tcp, http or both' });
  const tcp = section(pool, 'tcp', at, to);
  section(tcp, 'tcpKeepalive', [...at, 'tcp'], to);
  checkLimit(tcp, 'maxConnections', [...at, 'tcp'], to);
  const idleUs = goDurationUs(tcp['idleTimeout']);
  // Less than a millisecond is 0 there: the time-out is off.
  if (idleUs !== null && Math.trunc(idleUs / 1000) !== 0 && (idleUs < 0 || !isWholeMs(idleUs)))
    to.report('WT0401', [...at, 'tcp', 'idleTimeout'], {
      message: 'not a duration that Istio takes',
      expected: '0s, or whole milliseconds',
    });
  const http = section(pool, 'http', at, to);
  for (const key of ['http1MaxPendingRequests', 'http2MaxRequests', 'maxRetries'])
    checkLimit(http, key, [...at, 'http'], to);
  for (const key of ['maxRequestsPerConnection', 'maxConcurrentStreams'])
    refuseNegative(http, key, [...at, 'http'], to);
  if (http['h2UpgradePolicy'] === 'UPGRADE' && http['useClientProtocol'] === true)
    to.report('WT0401', [...at, 'http', 'useClientProtocol'], {
      message: 'Istio refuses it beside an upgrade to HTTP/2',
      expected: 'useClientProtocol: false, or another h2UpgradePolicy',
    });
}

/** 0 keeps the default. */
function checkLimit(parent: Readonly<Record<string, unknown>>, key: string, path: Path, to: RuleReport): void {
  refuseNegative(parent, key, path, to);
  if (parent[key] === 0)
    to.unmodelled({ code: 'WT0504', path: [...path, key], message: `${key} 0 keeps Istio's default: no limit` });
}

function refuseNegative(parent: Readonly<Record<string, unknown>>, key: string, path: Path, to: RuleReport): void {
  const value = parent[key];
  if (typeof value === 'number' && value < 0)
    to.report('WT0401', [...path, key], { message: 'Istio refuses numbers below 0', expected: 'at least 0' });
}

/** The service that a host names, or null: short name, name.namespace, name.namespace.svc, or the full name. */
export function resolveHost(host: unknown, services: readonly string[]): string | null {
  if (typeof host !== 'string') return null;
  const match = /^([^.]+)(?:\.[^.]+(?:\.svc(?:\.cluster\.local)?)?)?$/.exec(host);
  return match !== null && services.includes(match[1]!) ? match[1]! : null;
}
