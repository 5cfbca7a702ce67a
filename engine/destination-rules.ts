/**
 * Finds the one DestinationRule whose locality setting decides for a Service, reads the routes that stand in it, and says
 * when they are not ours to change. Istio's rules (SEMANTICS A1, A2, A4):
 * - keys `region/zone` and `region/zone/*` mean the same zone; wider, narrower or starred keys would overlap ours, and
 *   Istio refuses overlaps, as it refuses `failover` beside `distribute`;
 * - port-level settings, subset policies and `zoneAwareLbSetting` override what we would write, so it would do nothing;
 * - without a rule row for its zone a caller spreads by endpoint count, except where nothing at all is distributed and the
 *   rule has outlier detection: then everything goes to the nearest zone that has ready endpoints.
 */
import type { KubeObject, SkipReason } from './types.js';

export type RuleLookup =
  | { readonly found: true; readonly rule: StandingRule }
  | { readonly found: false; readonly reason: SkipReason; readonly detail: string; readonly mayCreate: boolean };

export interface StandingRule {
  readonly namespace: string;
  readonly name: string;
  readonly localityLbSetting: Readonly<Record<string, unknown>>;
  /** Percent by target zone, by source zone; null when the rule distributes nothing. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, number>> | null;
  /** Callers without a row prefer the nearest zone (outlier detection without `distribute`). */
  readonly prefersNearest: boolean;
}

export type RuleIndex = (namespace: string, service: string) => RuleLookup;

export function serviceHost(namespace: string, service: string): string {
  return `${service}.${namespace}${CLUSTER_DOMAIN}`;
}

/** `region/zone/*`. */
export function localityKey(zone: string): string {
  return `${zone}/*`;
}

export function indexRules(rules: readonly KubeObject[]): RuleIndex {
  const byHost = new Map<string, KubeObject[]>();
  const wildcards: { suffix: string; rule: KubeObject }[] = [];
  const names = new Set<string>();
  for (const rule of rules) {
    const namespace = rule.metadata.namespace ?? 'default';
    names.add(`${namespace}/${rule.metadata.name}`);
    const host = rule.spec['host'];
    if (typeof host !== 'string' || host === '') continue;
    if (host.startsWith('*')) wildcards.push({ suffix: host.slice(1), rule });
    else {
      const full = fullHost(host, namespace);
      byHost.set(full, [...(byHost.get(full) ?? []), rule]);
    }
  }

  return (namespace, service) => {
    const host = serviceHost(namespace, service);
    const owned = (detail: string): RuleLookup => ({
      found: false,
      reason: 'ownedByAnother',
      detail,
      mayCreate: false,
    });
    const found = byHost.get(host) ?? [];
    if (found.length > 1) {
      return owned(
        `${found.length} DestinationRules name ${host}: ${found.map(({ metadata }) => metadata.name).join(', ')}`,
      );
    }
    if (found.length === 1) {
      const rule = readRule(found[0]!);
      return typeof rule === 'string'
        ? owned(`DestinationRule ${found[0]!.metadata.name} ${rule}`)
        : { found: true, rule };
    }
    const wide = wildcards.find(({ suffix }) => host.endsWith(suffix));
    if (wide)
      return owned(
        `the wildcard DestinationRule ${wide.rule.metadata.name} decides for ${host}; one of ours would hide it`,
      );
    if (names.has(`${namespace}/${service}`)) {
      return owned(`a DestinationRule named ${service} stands for another host than ${host}`);
    }
    return { found: false, reason: 'noDestinationRule', detail: `no DestinationRule names ${host}`, mayCreate: true };
  };
}

const CLUSTER_DOMAIN = '.svc.cluster.local';

function fullHost(host: string, namespace: string): string {
  if (host.endsWith(CLUSTER_DOMAIN)) return host;
  const labels = host.split('.');
  if (labels.length === 1) return serviceHost(namespace, host);
  if (labels.length === 2 || (labels.length === 3 && labels[2] === 'svc')) return serviceHost(labels[1]!, labels[0]!);
  return host;
}

type Fields = Readonly<Record<string, unknown>>;

/** The rule, or what keeps us from it as the end of a sentence. */
function readRule({ metadata, spec }: KubeObject): StandingRule | string {
  if (isFilled(spec['workloadSelector'])) return 'applies to some callers only (workloadSelector)';
  const policy = fields(spec['trafficPolicy']);
  const loadBalancer = fields(policy['loadBalancer']);
  const setting = fields(loadBalancer['localityLbSetting']);
  if (isFilled(policy['portLevelSettings'])) return 'has portLevelSettings, which override its locality setting';
  for (const subset of Array.isArray(spec['subsets']) ? spec['subsets'] : []) {
    const own = fields(fields(subset)['trafficPolicy']);
    if (isFilled(own['loadBalancer']) || isFilled(own['portLevelSettings'])) {
      return 'has a subset with its own load balancing, which overrides its locality setting';
    }
  }
  if (loadBalancer['zoneAwareLbSetting'] !== undefined)
    return 'has zoneAwareLbSetting, which overrides localityLbSetting';
  if (setting['enabled'] === false) return 'switches locality load balancing off (localityLbSetting.enabled: false)';
  for (const other of ['failover', 'failoverPriority']) {
    if (isFilled(setting[other])) return `has localityLbSetting.${other}, which cannot stand beside distribute`;
  }
  const distribute = setting['distribute'];
  const rows = isFilled(distribute) ? readRows(distribute) : null;
  if (typeof rows === 'string') return rows;
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    localityLbSetting: setting,
    rows,
    prefersNearest:
      rows === null && typeof policy['outlierDetection'] === 'object' && policy['outlierDetection'] !== null,
  };
}

function readRows(distribute: unknown): Map<string, Map<string, number>> | string {
  const unreadable = 'has a distribute list that cannot be read';
  if (!Array.isArray(distribute)) return unreadable;
  const rows = new Map<string, Map<string, number>>();
  for (const entry of distribute) {
    const { from, to } = fields(entry);
    if (typeof from !== 'string' || typeof to !== 'object' || to === null) return unreadable;
    const zone = zoneOfKey(from);
    if (zone === null) return `distributes from ${from}, which is not one zone: a row of ours would overlap`;
    if (rows.has(zone)) return `distributes from ${zone} twice`;
    const row = new Map<string, number>();
    for (const [key, percent] of Object.entries(to)) {
      const target = zoneOfKey(key);
      if (target === null) return `distributes to ${key}, which is not one zone: a key of ours would overlap`;
      if (typeof percent !== 'number' || !Number.isFinite(percent) || percent < 0) return unreadable;
      row.set(target, (row.get(target) ?? 0) + percent);
    }
    rows.set(zone, row);
  }
  return rows;
}

/** `region/zone` of a key that means exactly one zone, else null. */
export function zoneOfKey(key: string): string | null {
  const [region, zone, rest, ...more] = key.split('/');
  if (!region || !zone || region === '*' || zone === '*' || more.length > 0) return null;
  return rest === undefined || rest === '*' ? `${region}/${zone}` : null;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null;
}
