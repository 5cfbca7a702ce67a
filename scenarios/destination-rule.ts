/**
 * A DestinationRule as Istio's own validation sees it: what `kubectl apply` would refuse is refused here, with the place.
 * The rules for `localityLbSetting` follow Istio's ValidateLocalityLbSetting: weights of 1 to 100 that sum to exactly
 * 100, no overlapping localities, `distribute` and `failover` apart, plain and different failover regions.
 * Fields that Istio knows and the simulator does not yet are not errors but `unmodelled`: they become notices.
 */
import { checkConsistentHash, checkWarmUp } from './load-balancer.js';
import { didYouMean } from './problems.js';
import { asList, asRecord, isObject } from './raw.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';
import { duration } from './units.js';

const MODELLED = true;
const KNOWN = false;

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
    zoneAwareLbSetting: KNOWN,
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
  localityLbSetting: { enabled: MODELLED, distribute: MODELLED, failover: MODELLED, failoverPriority: MODELLED },
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
  'ServiceEntry',
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
  readonly report: Report;
  readonly unmodelled: (found: Unmodelled) => void;
}

/** True when the object is a DestinationRule; other kinds are reported or noted. */
export function checkMeshObject(raw: unknown, path: Path, to: RuleReport): boolean {
  const object = asRecord(raw);
  const kind = object['kind'];
  if (typeof kind !== 'string') return false;
  // Checked on its own: see virtual-service.ts.
  if (kind === 'VirtualService') return false;
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
        expected: 'DestinationRule or VirtualService',
        hint: didYouMean(kind, ['DestinationRule', 'VirtualService', ...OTHER_KINDS]),
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
  checkFields(object, 'object', path, to);
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
    checkFields(subset, 'subset', at, to);
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
  checkFields(asRecord(value), name, [...path, name], to);
  if ((name === 'trafficPolicy' || name === 'connectionPool') && Object.keys(asRecord(value)).length === 0)
    to.report('WT0401', [...path, name], { message: 'Istio refuses it empty', expected: 'at least one field' });
  return asRecord(value);
}

function checkFields(
  value: Readonly<Record<string, unknown>>,
  place: keyof typeof FIELDS,
  path: Path,
  to: RuleReport,
): void {
  const fields: Readonly<Record<string, boolean>> = FIELDS[place];
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fields, key)) {
      const known = Object.keys(fields);
      to.report('WT0201', [...path, key], {
        message: `unknown key "${key}"`,
        expected: `one of ${known.join(', ')}`,
        hint: didYouMean(key, known),
        atKey: true,
      });
    } else if (fields[key] === KNOWN)
      to.unmodelled({
        code: 'WT0502',
        path: [...path, key],
        message: `${key} of a DestinationRule is not simulated yet`,
      });
  }
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

/** Also used for the mesh-wide setting. */
export function checkLocalityLbSetting(raw: unknown, path: Path, hasOutlierDetection: boolean, to: RuleReport): void {
  if (!isObject(raw)) return to.report('WT0203', path, { message: 'is not an object', expected: 'an object' });
  const setting = asRecord(raw);
  checkFields(setting, 'localityLbSetting', path, to);
  if ('enabled' in setting && typeof setting['enabled'] !== 'boolean')
    to.report('WT0203', [...path, 'enabled'], { message: 'is not true or false', expected: 'true or false' });
  for (const key of ['distribute', 'failover', 'failoverPriority']) {
    if (key in setting && !Array.isArray(setting[key]))
      to.report('WT0203', [...path, key], { message: 'is not a list', expected: 'a list' });
  }
  const distribute = asList(setting['distribute']);
  const failover = asList(setting['failover']);
  const priorities = asList(setting['failoverPriority']);
  if (distribute.length > 0 && failover.length > 0) {
    to.report('WT0401', [...path, 'failover'], {
      message: 'Istio refuses failover beside distribute',
      hint: 'take one of the two out',
      atKey: true,
    });
  }
  checkDistribute(distribute, [...path, 'distribute'], to);
  checkFailover(failover, [...path, 'failover'], to);
  checkFailoverPriority(priorities, failover.length > 0, [...path, 'failoverPriority'], to);
  if (failover.length + priorities.length > 0 && !hasOutlierDetection && setting['enabled'] !== false) {
    to.unmodelled({
      code: 'WT0504',
      path,
      message: 'without outlierDetection, failover and failoverPriority have no effect',
    });
  }
}

function checkDistribute(entries: readonly unknown[], path: Path, to: RuleReport): void {
  checkEntries(entries, ['from', 'to'], path, to);
  const froms = entries.map((entry, index): [unknown, Path] => [asRecord(entry)['from'], [...path, index, 'from']]);
  checkLocalities(froms, to.report);
  for (const [locality, at] of froms) noticeUnmatched(locality, at, to);
  for (const [index, entry] of entries.map(asRecord).entries()) {
    const weights = asRecord(entry['to']);
    const at = [...path, index, 'to'];
    checkLocalities(
      Object.keys(weights).map((locality): [unknown, Path] => [locality, [...at, locality]]),
      to.report,
      true,
    );
    let sum = 0;
    for (const [locality, weight] of Object.entries(weights)) {
      noticeUnmatched(locality, [...at, locality], to);
      const valid = Number.isInteger(weight) && (weight as number) >= 1 && (weight as number) <= 100;
      if (!valid)
        to.report('WT0401', [...at, locality], { message: 'not a weight', expected: 'a whole number from 1 to 100' });
      sum += typeof weight === 'number' ? weight : 0;
    }
    if (sum !== 100)
      to.report('WT0401', at, { message: `the weights sum to ${sum}`, expected: 'weights that sum to exactly 100' });
  }
}

/** Each at most one "*", at the end; no empty part; no two that could match one place. */
function checkLocalities(
  localities: readonly (readonly [locality: unknown, path: Path])[],
  report: Report,
  atKey = false,
): void {
  const earlier: string[] = [];
  for (const [locality, path] of localities) {
    if (typeof locality !== 'string') {
      report('WT0203', path, { message: 'is not a text', expected: 'a locality such as region/zone/*', atKey });
      continue;
    }
    const stars = locality.split('*').length - 1;
    const parts = locality.split('/');
    if (stars > 1 || (stars === 1 && !locality.endsWith('*')))
      report('WT0401', path, {
        message: 'Istio takes one "*", and only at the end',
        expected: 'a locality such as region/zone/*',
        atKey,
      });
    else if (parts.length > 3 || parts.some((part) => part === ''))
      report('WT0401', path, { message: 'not a locality', expected: 'a locality such as region/zone/*', atKey });
    const other = earlier.find((before) => overlap(before, locality));
    if (other !== undefined)
      report('WT0401', path, {
        message: `"${locality}" overlaps "${other}"`,
        hint: 'Istio refuses localities that match the same place',
        atKey,
      });
    earlier.push(locality);
  }
}

/** Part by part equal, or one of them a star or ended. */
function overlap(a: string, b: string): boolean {
  const [partsA, partsB] = [a.split('/'), b.split('/')];
  return [0, 1, 2].every((index) => {
    const [partA, partB] = [partsA[index] ?? '*', partsB[index] ?? '*'];
    return partA === '*' || partB === '*' || partA === partB;
  });
}

/** Istio takes any locality; one that no zone of the cluster matches is most likely misspelt. */
function noticeUnmatched(locality: unknown, path: Path, to: RuleReport): void {
  if (typeof locality !== 'string' || to.zones.some((zone) => overlap(zone, locality))) return;
  to.unmodelled({ code: 'WT0504', path, message: `"${locality}" matches no zone of the cluster` });
}

function checkFailover(entries: readonly unknown[], path: Path, to: RuleReport): void {
  checkEntries(entries, ['from', 'to'], path, to);
  for (const [index, entry] of entries.map(asRecord).entries()) {
    for (const key of ['from', 'to']) {
      const region = entry[key];
      if (typeof region !== 'string' || region === '' || /[/*]/.test(region)) {
        to.report('WT0401', [...path, index, key], {
          message: 'not a plain region',
          expected: 'a region, without "/" or "*"',
        });
      }
    }
    if (typeof entry['from'] === 'string' && entry['from'] === entry['to'])
      to.report('WT0401', [...path, index, 'to'], {
        message: 'a failover within one region',
        expected: 'another region than from',
      });
  }
}

const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

function checkFailoverPriority(labels: readonly unknown[], besideFailover: boolean, path: Path, to: RuleReport): void {
  for (const [index, label] of labels.entries()) {
    if (typeof label !== 'string' || label === '')
      to.report('WT0203', [...path, index], { message: 'is not a label', expected: 'a label, or label=value' });
    else if (besideFailover && TOPOLOGY_LABELS.includes(label.split('=')[0]!)) {
      to.report('WT0401', [...path, index], {
        message: 'Istio refuses a topology label in failoverPriority beside failover',
        hint: 'take one of the two out',
      });
    }
  }
}

function checkEntries(entries: readonly unknown[], keys: readonly string[], path: Path, to: RuleReport): void {
  for (const [index, entry] of entries.entries()) {
    if (!isObject(entry))
      to.report('WT0203', [...path, index], {
        message: 'is not an object',
        expected: `an object with ${keys.join(' and ')}`,
      });
    for (const key of Object.keys(asRecord(entry))) {
      if (!keys.includes(key))
        to.report('WT0201', [...path, index, key], {
          message: `unknown key "${key}"`,
          expected: `one of ${keys.join(', ')}`,
          hint: didYouMean(key, keys),
          atKey: true,
        });
    }
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

/** Istio takes no duration below a millisecond. */
function checkDuration(parent: Readonly<Record<string, unknown>>, key: string, path: Path, to: RuleReport): void {
  const value = parent[key];
  if (value === undefined) return;
  const parsed = typeof value === 'string' ? duration.parse(value) : null;
  const us = parsed?.ok === true ? parsed.value : null;
  if (us === null || us < 1000)
    to.report('WT0401', [...path, key], {
      message: us === null ? 'not a duration' : 'below a millisecond',
      expected: 'a duration such as 1.5s or 250ms',
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
