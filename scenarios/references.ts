/**
 * Do the names of a file fit together? Zones, services, endpoints, nodes, policies and hosts are looked up, shares are
 * summed, pods are held against nodes. Runs on the plain data, so that it finds its part even where the schema has
 * complained about another.
 */
import { checkVersions } from './versions.js';
import { checkCalls, checkTarget, endpointNames } from './call-graph.js';
import type { EndpointNames } from './call-graph.js';
import { checkMeshObject, resolveHost } from './destination-rule.js';
import { checkLocalityLbSetting } from './locality-setting.js';
import { checkKeys, checkName } from './names.js';
import { checkNodeScaling } from './nodeScaling.js';
import type { RuleReport } from './destination-rule.js';
import { checkExternals, specWithNames } from './externals.js';
import { SIDECAR_CONTAINER } from './policies.js';
import { checkExternalRules, checkServiceEntries } from './service-entry.js';
import { PRICE_BOOKS } from './prices.js';
import { checkZoneAwareLbSetting } from './zone-aware-setting.js';
import { checkVirtualService, placesOf } from './virtual-service.js';
import { ZTUNNEL_PRESETS } from './proxy-presets.js';
import { checkScheduling } from './scheduling-checks.js';
import { compat } from './schema/run.js';
import { checkAmbientRules, checkWaypoints } from './waypoints.js';
import { didYouMean } from './problems.js';
import { asList, asRecord, isObject, reportDuplicates, own } from './raw.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';
import * as units from './units.js';
import type { Amount } from './units.js';
import { checkRollouts, checkWorkload } from './workloads.js';

interface Names {
  readonly zones: readonly string[];
  /** With pods. */
  readonly services: readonly string[];
  /** What rules may speak of: services, and what is external. */
  readonly hosts: readonly string[];
  readonly queues: readonly string[];
  readonly endpoints: EndpointNames;
  readonly report: Report;
  readonly rule: RuleReport;
  readonly hasSidecars: boolean;
}

type Raw = Readonly<Record<string, unknown>>;

/** What Istio's objects are held against. One that is no release has been reported by the schema: then the default. */
export function meshOf(spec: Raw): RuleReport['mesh'] {
  const stated = compat.shape.istio.safeParse(asRecord(spec['compat'])['istio']).data;
  return {
    istioMinor: stated ?? compat.shape.istio.parse(undefined),
    selfDiscovery: asRecord(spec['mesh'])['selfDiscovery'] === true,
  };
}

export function checkReferences(file: unknown, to: Pick<RuleReport, 'report' | 'unmodelled'>): void {
  const spec = specWithNames(asRecord(asRecord(file)['spec']));
  const cluster = asRecord(spec['cluster']);
  const services = asList(spec['services']);
  const waypoints = asList(asRecord(spec['mesh'])['waypoints']);
  const endpoints = endpointNames([...services, ...asList(spec['externals'])]);
  const zones = asList(cluster['zones']).filter((zone) => typeof zone === 'string');
  const hasSidecars = asRecord(asRecord(spec['mesh'])['proxy'])['mode'] === 'sidecar';
  const rule: RuleReport = { ...to, zones, mesh: meshOf(spec) };
  const names: Names = {
    zones,
    services: [...endpointNames([...services, ...waypoints]).keys()],
    hosts: [...endpoints.keys()],
    queues: [...endpointNames(asList(spec['queues'])).keys()],
    ...{ endpoints, report: to.report, rule, hasSidecars },
  };
  checkCluster(cluster, names);
  checkServices(services, cluster, names);
  waypoints
    .map(asRecord)
    .forEach((waypoint, index) => checkPods(waypoint, ['spec', 'mesh', 'waypoints', index], cluster, names));
  checkWaypoints(spec, [...endpointNames(services).keys()], names.report);
  checkOutsiders(spec, names);
  checkCalls(services, asList(spec['queues']), endpoints, names.report);
  const rules = checkMesh(asRecord(spec['mesh']), names);
  checkServiceEntries(spec, names.rule);
  checkExternalRules(spec, names.rule);
  checkLoads(asList(spec['load']), { ...names, endpoints: endpointNames(services) });
  const loads = asList(spec['load']).map((load) => String(asRecord(load)['name'] ?? asRecord(load)['entry']));
  const withoutMesh = asRecord(spec['mesh'])['routing'] === 'kubeProxy';
  checkFaults(asList(spec['faults']), cluster, loads, [...services, ...waypoints], withoutMesh, names);
  checkRolloutNames(asList(spec['rollouts']), names);
  checkRollouts(asList(spec['rollouts']), names.report);
  checkPolicies(asRecord(spec['policies']), rules, names);
  checkVersions(spec, names.rule);
  checkNodeScaling(spec, names.rule);
  checkScheduling(spec, names.report);
  checkAmbientRules(spec, names.hosts, names.rule);
  if (withoutMesh) checkWithoutMesh(asRecord(spec['policies']), names);
}

/** What policies do to a mesh, in a cluster that has none. */
function checkWithoutMesh(policies: Raw, names: Names): void {
  for (const name of Object.keys(policies)) {
    const policy = asRecord(policies[name]);
    const path: Path = ['spec', 'policies', name];
    if (asList(policy['destinationRules']).length > 0)
      names.report('WT0401', [...path, 'destinationRules'], {
        message: 'Istio objects without a mesh',
        expected: 'routing: istio, or no destinationRules',
        atKey: true,
      });
    if (policy['engine'] !== undefined)
      names.rule.unmodelled({
        code: 'WT0504',
        path: [...path, 'engine'],
        message: 'without a mesh, the routes that the engine writes have no effect',
      });
  }
}

function checkCluster(cluster: Raw, names: Names): void {
  const base: Path = ['spec', 'cluster'];
  reportDuplicates(
    names.report,
    'zone',
    asList(cluster['zones']).map((zone, index) => [zone, [...base, 'zones', index]]),
  );
  const pools = asList(cluster['nodePools']).map(asRecord);
  reportDuplicates(
    names.report,
    'node pool',
    pools.map((pool, index) => [pool['name'], [...base, 'nodePools', index, 'name']]),
  );
  for (const [index, pool] of pools.entries())
    checkPool(pool, asRecord(cluster['instancePrices']), [...base, 'nodePools', index], names);
  checkInstancePrices(cluster, names.report);
  checkPairs(cluster, 'pairs', 'zone', names.zones, names);
  checkPairs(cluster, 'nodes', 'node', rawNodeNames(cluster, names.zones), names);
}

function checkPairs(cluster: Raw, key: string, what: 'zone' | 'node', known: readonly string[], names: Names): void {
  const seen = new Set<string>();
  for (const [index, pair] of asList(asRecord(cluster['roundTrip'])[key]).map(asRecord).entries()) {
    const path = ['spec', 'cluster', 'roundTrip', key, index, 'between'];
    const between = asList(pair['between']);
    for (const [end, name] of between.entries())
      checkName(what === 'zone' ? 'WT0303' : 'WT0311', what, name, known, [...path, end], names.report);
    const both = [...between].map(String).sort().join(' and ');
    if (between.length === 2 && between[0] === between[1])
      names.report('WT0207', path, {
        message: `a pair of one ${what} with itself`,
        expected: `two different ${what}s`,
      });
    if (seen.has(both)) names.report('WT0305', path, { message: `the pair ${both} is declared twice` });
    seen.add(both);
  }
}

function checkPool(pool: Raw, instancePrices: Raw, path: Path, { zones, report }: Names): void {
  if (isObject(pool['nodesPerZone']))
    checkKeys('WT0303', 'zone', pool['nodesPerZone'], zones, [...path, 'nodesPerZone'], report);
  const { prices, instanceType } = pool;
  if (prices !== undefined)
    checkName('WT0308', 'price book', prices, Object.keys(PRICE_BOOKS), [...path, 'prices'], report);
  const book = own(PRICE_BOOKS, prices);
  const stated = {
    allocatable: pool['allocatable'],
    pricePerHour: pool['pricePerHour'] ?? own(instancePrices, instanceType),
  };
  const missing = Object.entries(stated).flatMap(([key, value]) => (value === undefined ? [key] : []));
  if (book !== undefined && instanceType !== undefined && missing.length > 0) {
    checkName('WT0308', 'instance type', instanceType, Object.keys(book.instances), [...path, 'instanceType'], report);
  }
  if (missing.length > 0 && (prices === undefined || instanceType === undefined)) {
    report('WT0308', path, {
      message: `the pool says no ${missing.join(' and no ')}`,
      expected: 'instanceType and prices, or allocatable and pricePerHour',
    });
  }
}

/** A price for a type that no pool has would do nothing. */
function checkInstancePrices(cluster: Raw, report: Names['report']): void {
  const types = asList(cluster['nodePools'])
    .map(asRecord)
    .flatMap((pool) => [pool['instanceType'], ...asList(pool['instanceTypes'])]);
  const known = types.filter((type): type is string => typeof type === 'string');
  for (const type of Object.keys(asRecord(cluster['instancePrices'])))
    checkName('WT0308', 'instance type of a pool', type, known, ['spec', 'cluster', 'instancePrices', type], report);
}

function checkServices(services: readonly unknown[], cluster: Raw, names: Names): void {
  const declared = services.map(asRecord);
  reportDuplicates(
    names.report,
    'service',
    declared.map((service, index) => [service['name'], ['spec', 'services', index, 'name']]),
  );
  for (const [index, service] of declared.entries()) {
    const path: Path = ['spec', 'services', index];
    const endpoints = asList(service['endpoints']).map(asRecord);
    reportDuplicates(
      names.report,
      'endpoint',
      endpoints.map((endpoint, position) => [endpoint['name'], [...path, 'endpoints', position, 'name']]),
    );
    checkPods(service, path, cluster, names);
  }
}

function checkPods(service: Raw, path: Path, cluster: Raw, names: Names): void {
  if (isObject(service['replicas']))
    checkKeys('WT0303', 'zone', service['replicas'], names.zones, [...path, 'replicas'], names.report);
  checkFit(service, path, cluster, names);
  checkWorkload(service, path, names.report);
}

/** Externals and queues are called by name like services, so no name may stand twice among them all. */
function checkOutsiders(spec: Raw, names: Names): void {
  const all = ['services', 'externals', 'queues'].flatMap((list) =>
    asList(spec[list]).map((raw, index): [unknown, Path] => [asRecord(raw)['name'], ['spec', list, index, 'name']]),
  );
  const others = all.filter(([, path]) => path[1] !== 'services');
  const isTwice = ([name, path]: (typeof all)[number]): boolean =>
    all
      .slice(
        0,
        all.findIndex(([, at]) => at === path),
      )
      .some(([before]) => before === name);
  for (const one of others)
    if (typeof one[0] === 'string' && isTwice(one))
      names.report('WT0305', one[1], { message: `the name "${one[0]}" is declared twice` });
  for (const [index, external] of asList(spec['externals']).map(asRecord).entries())
    reportDuplicates(
      names.report,
      'endpoint',
      asList(external['endpoints']).map((endpoint, position) => [
        asRecord(endpoint)['name'],
        ['spec', 'externals', index, 'endpoints', position, 'name'],
      ]),
    );
  checkExternals(spec, names.zones, names.report);
}

/** A pod larger than every node, or wanted in a zone without a node, would wait for ever. */
function checkFit(service: Raw, path: Path, cluster: Raw, { zones, report }: Names): void {
  const requests = asRecord(asRecord(service['resources'])['requests']);
  const cpu = amountOf(units.cpu, requests['cpu']);
  const memory = amountOf(units.memory, requests['memory']);
  const sizes = poolSizes(cluster, zones);
  if (cpu === null || memory === null || sizes === null) return;
  const fits = (size: PoolSize): boolean => size.cpuMillicores >= cpu && size.memoryBytes >= memory;
  const expected = `at most ${sizes.map((size) => `${size.cpuMillicores}m and ${Math.floor(size.memoryBytes / 2 ** 20)}Mi (${size.name})`).join(', or ')}`;
  if (!sizes.some(fits))
    return report('WT0309', [...path, 'resources', 'requests'], {
      message: 'no node of the cluster has room for such a pod',
      expected,
    });
  for (const [zone, count] of Object.entries(isObject(service['replicas']) ? asRecord(service['replicas']) : {})) {
    const index = zones.indexOf(zone);
    if (index >= 0 && count !== 0 && !sizes.some((size) => fits(size) && size.nodes[index]! > 0)) {
      report('WT0309', [...path, 'replicas', zone], {
        message: `no node in ${zone} has room for such a pod`,
        expected,
      });
    }
  }
}

interface PoolSize {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly nodes: readonly number[];
}

/** Null where a pool cannot be read: then nothing can be said about room. Pools without nodes do not count. */
function poolSizes(cluster: Raw, zones: readonly string[]): readonly PoolSize[] | null {
  const sizes: PoolSize[] = [];
  for (const pool of asList(cluster['nodePools']).map(asRecord)) {
    const instance = own(own(PRICE_BOOKS, pool['prices'])?.instances ?? {}, pool['instanceType']);
    const allocatable = asRecord(pool['allocatable']);
    const cpuMillicores =
      pool['allocatable'] === undefined ? (instance?.cpuMillicores ?? null) : amountOf(units.cpu, allocatable['cpu']);
    const memoryBytes =
      pool['allocatable'] === undefined
        ? (instance?.memoryBytes ?? null)
        : amountOf(units.memory, allocatable['memory']);
    const perZone = pool['nodesPerZone'];
    if (cpuMillicores === null || memoryBytes === null || perZone === undefined) return null;
    const countIn = (count: unknown, zone: string): number =>
      Number((isObject(count) ? own(asRecord(count), zone) : count) ?? 0) || 0;
    // Room that an autoscaler may add counts, too.
    const most = pool['maxNodesPerZone'] ?? (pool['limits'] === undefined ? perZone : 1);
    const nodes = zones.map((zone) => Math.max(countIn(perZone, zone), countIn(most, zone)));
    if (nodes.some((count) => count > 0)) sizes.push({ name: String(pool['name']), cpuMillicores, memoryBytes, nodes });
  }
  return sizes;
}

/** Names of the rules by service, for the policies that replace them. */
type RulesByService = ReadonlyMap<string, string>;

function checkMesh(mesh: Raw, names: Names): RulesByService {
  const path: Path = ['spec', 'mesh'];
  const withoutMesh = mesh['routing'] === 'kubeProxy';
  if (withoutMesh && asList(mesh['objects']).length > 0)
    names.report('WT0401', [...path, 'objects'], {
      message: 'Istio objects without a mesh',
      expected: 'routing: istio, or no objects',
    });
  const isPerConnection = withoutMesh || mesh['routing'] === 'ambient';
  if (!isPerConnection && mesh['connections'] !== undefined)
    names.report('WT0401', [...path, 'connections'], {
      message: 'sidecars choose a pod for each request, whatever the connection',
      expected: 'routing: kubeProxy or ambient, or no connections',
      atKey: true,
    });
  if (withoutMesh && isObject(mesh['propagation']))
    names.report('WT0401', [...path, 'propagation'], {
      message: 'without a mesh there is no Istiod that pushes',
      expected: 'routing: istio, or one duration',
    });
  checkProxy(asRecord(mesh['proxy']), isPerConnection, names);
  if (mesh['localityLbSetting'] !== undefined)
    checkLocalityLbSetting(mesh['localityLbSetting'], [...path, 'localityLbSetting'], true, names.rule);
  checkMeshZoneAware(mesh, isPerConnection, names);
  const objects = asList(mesh['objects']);
  checkVirtualServices(objects, [...path, 'objects'], names);
  return checkRules(objects, [...path, 'objects'], new Map(), names);
}

function checkMeshZoneAware(mesh: Raw, withoutMesh: boolean, names: Names): void {
  const path: Path = ['spec', 'mesh', 'zoneAwareLbSetting'];
  if (mesh['zoneAwareLbSetting'] === undefined) return;
  if (withoutMesh)
    return names.report('WT0401', path, {
      message: 'a setting of sidecars without any',
      expected: 'routing: istio, or no zoneAwareLbSetting',
      atKey: true,
    });
  checkZoneAwareLbSetting(mesh['zoneAwareLbSetting'], path, 0, names.rule);
}

/** A sidecar needs a mesh of sidecars; a ztunnel knows connections only, as kube-proxy does. */
function checkProxy(proxy: Raw, isPerConnection: boolean, names: Names): void {
  const path: Path = ['spec', 'mesh', 'proxy'];
  if (proxy['mode'] === 'sidecar' && isPerConnection)
    names.report('WT0401', [...path, 'mode'], {
      message: 'sidecars without a mesh of sidecars',
      expected: 'routing: istio, or mode: ambient',
    });
  if (proxy['mode'] !== 'ambient') return;
  if (!isPerConnection)
    names.report('WT0401', [...path, 'mode'], {
      message: 'a ztunnel balances connections, not requests',
      expected: 'routing: ambient or kubeProxy, or mode: sidecar',
    });
  const preset = proxy['preset'];
  if (typeof preset === 'string' && own(ZTUNNEL_PRESETS, preset) === undefined)
    names.report('WT0401', [...path, 'preset'], {
      message: `no figures of a ztunnel for "${preset}"`,
      expected: Object.keys(ZTUNNEL_PRESETS).join(', '),
    });
}

function checkVirtualServices(objects: readonly unknown[], path: Path, names: Names): void {
  const byService = new Map<string, string>();
  for (const [index, raw] of objects.entries()) {
    const object = asRecord(raw);
    if (object['kind'] !== 'VirtualService') continue;
    const name = asRecord(object['metadata'])['name'];
    const places = placesOf(asRecord(object['spec']));
    for (const service of checkVirtualService(object, [...path, index], names.endpoints, names.rule)) {
      const other = places.map((place) => byService.get(`${place} ${service}`)).find((found) => found !== undefined);
      if (other !== undefined)
        names.report('WT0403', [...path, index, 'spec', 'hosts'], {
          message: `the VirtualService "${other}" speaks of "${service}" already`,
          hint: 'put the routes into one VirtualService',
        });
      for (const place of places) byService.set(`${place} ${service}`, typeof name === 'string' ? name : '');
    }
  }
}

/** `inherited` is what held before; a rule of the same name replaces, `{remove}` takes away. */
function checkRules(objects: readonly unknown[], path: Path, inherited: RulesByService, names: Names): RulesByService {
  const rules = new Map(inherited);
  const isRule = objects.map(
    (object, index) => !('remove' in asRecord(object)) && checkMeshObject(object, [...path, index], names.rule),
  );
  const ruleName = (object: unknown): unknown => asRecord(asRecord(object)['metadata'])['name'];
  reportDuplicates(
    names.report,
    'DestinationRule',
    objects.flatMap((object, index): [unknown, Path][] =>
      isRule[index] ? [[ruleName(object), [...path, index, 'metadata', 'name']]] : [],
    ),
  );
  for (const [index, object] of objects.entries()) {
    const removed = asRecord(object)['remove'];
    const name = removed ?? (isRule[index] ? ruleName(object) : undefined);
    if (typeof name !== 'string') continue;
    if (removed !== undefined && ![...inherited.values()].includes(name)) {
      const known = [...inherited.values()];
      names.report('WT0207', [...path, index, 'remove'], {
        message: `no DestinationRule "${name}" to remove`,
        expected: known.length === 0 ? 'no removal: there are no rules' : `one of ${known.join(', ')}`,
        hint: didYouMean(name, known),
      });
    }
    for (const [service, rule] of rules) if (rule === name) rules.delete(service);
  }
  for (const [index, object] of objects.entries()) {
    if (!isRule[index]) continue;
    const at: Path = [...path, index, 'spec', 'host'];
    const host = asRecord(asRecord(object)['spec'])['host'];
    const service = resolveHost(host, names.hosts);
    if (service === null) {
      const short = typeof host === 'string' ? host.split('.')[0]! : '';
      names.report('WT0402', at, {
        message: host === undefined ? 'missing key "host"' : `the host is none of the services`,
        expected: `one of ${names.hosts.join(', ')}`,
        hint: didYouMean(short, names.hosts),
      });
      continue;
    }
    const other = rules.get(service);
    if (other !== undefined && other !== ruleName(object)) {
      names.report('WT0403', at, {
        message: `the rule "${other}" speaks of "${service}" already`,
        hint: 'give it the same metadata.name to replace it, or {remove: NAME} the other',
      });
    }
    if (typeof ruleName(object) === 'string') rules.set(service, ruleName(object) as string);
  }
  return rules;
}

function checkLoads(loads: readonly unknown[], names: Names): void {
  const declared = loads.map(asRecord);
  reportDuplicates(
    names.report,
    'load',
    declared.map((load, index) =>
      load['name'] === undefined
        ? [load['entry'], ['spec', 'load', index, 'entry']]
        : [load['name'], ['spec', 'load', index, 'name']],
    ),
  );
  for (const [index, load] of declared.entries()) {
    const path: Path = ['spec', 'load', index];
    checkTarget(load['entry'], names.endpoints, [...path, 'entry'], names.report);
    const from = load['from'];
    if (!Array.isArray(from)) {
      if (isObject(from)) checkShares(asRecord(from), [...path, 'from'], names);
      continue;
    }
    let before = -1;
    for (const [position, entry] of from.map(asRecord).entries()) {
      const at: Path = [...path, 'from', position];
      if (isObject(entry['shares'])) checkShares(asRecord(entry['shares']), [...at, 'shares'], names);
      const time = amountOf(units.duration, entry['at']);
      if (time === null) continue;
      if (position === 0 && time !== 0)
        names.report('WT0310', [...at, 'at'], { message: 'the first entry must be at 0s', expected: '0s' });
      if (time <= before)
        names.report('WT0310', [...at, 'at'], {
          message: 'not later than the entry before',
          expected: 'ascending times',
        });
      before = time;
    }
  }
}

/** Room for the last bit of sums like 0.1 + 0.2 + 0.7, far below any share that someone would write. */
const SHARE_SUM_TOLERANCE = 1e-9;

function checkShares(shares: Raw, path: Path, { zones, report }: Names): void {
  checkKeys('WT0303', 'zone', shares, zones, path, report);
  let sum = 0;
  for (const share of Object.values(shares)) {
    const value = amountOf(units.fraction, share);
    if (value === null) return;
    sum += value;
  }
  if (Math.abs(sum - 1) > SHARE_SUM_TOLERANCE)
    report('WT0307', path, {
      message: `the shares sum to ${Number((sum * 100).toFixed(6))}%`,
      expected: 'shares that sum to 100%',
    });
}

function checkPair(pair: unknown, path: Path, zones: readonly string[], report: Report): void {
  const names = asList(pair);
  for (const [end, zone] of names.entries()) checkName('WT0303', 'zone', zone, zones, [...path, end], report);
  if (names.length === 2 && names[0] === names[1])
    report('WT0207', path, { message: 'a pair of one zone with itself', expected: 'two different zones' });
}

function checkRolloutNames(rollouts: readonly unknown[], { services, report }: Names): void {
  for (const [index, rollout] of rollouts.map(asRecord).entries())
    checkName('WT0301', 'service', rollout['service'], services, ['spec', 'rollouts', index, 'service'], report);
}

function checkFaults(
  faults: readonly unknown[],
  cluster: Raw,
  loads: readonly string[],
  rawServices: readonly unknown[],
  withoutMesh: boolean,
  { zones, services, hosts, queues, report }: Names,
): void {
  const nodes = rawNodeNames(cluster, zones);
  for (const [index, fault] of faults.map(asRecord).entries()) {
    const path: Path = ['spec', 'faults', index];
    if (fault['zoneOutage'] !== undefined)
      checkName('WT0303', 'zone', fault['zoneOutage'], zones, [...path, 'zoneOutage'], report);
    if (fault['nodeLoss'] !== undefined)
      checkName('WT0311', 'node', fault['nodeLoss'], nodes, [...path, 'nodeLoss'], report);
    if (fault['nodeDrain'] !== undefined)
      checkName('WT0311', 'node', fault['nodeDrain'], nodes, [...path, 'nodeDrain'], report);
    for (const kind of ['serviceFailure', 'podCrash', 'crashLoop', 'slowPod', 'memoryLeak']) {
      // Containers are of services alone; to fail is open to whatever is called.
      const known = kind === 'serviceFailure' ? [...new Set([...hosts, ...services]), ...queues] : services;
      if (fault[kind] !== undefined)
        checkName('WT0301', 'service', asRecord(fault[kind])['service'], known, [...path, kind, 'service'], report);
    }
    for (const kind of ['retryStorm', 'loadBurst'])
      if (fault[kind] !== undefined)
        checkName('WT0313', 'load', asRecord(fault[kind])['load'], loads, [...path, kind, 'load'], report);
    checkLeak(asRecord(fault['memoryLeak'])['service'], rawServices, [...path, 'memoryLeak'], report);
    if (fault['istiodDown'] !== undefined && withoutMesh)
      report('WT0401', [...path, 'istiodDown'], {
        message: 'without a mesh there is no Istiod',
        expected: 'routing: istio, or another fault',
        atKey: true,
      });
    checkPair(asRecord(fault['linkLatency'])['between'], [...path, 'linkLatency', 'between'], zones, report);
    checkPair(asRecord(fault['linkLoss'])['between'], [...path, 'linkLoss', 'between'], zones, report);
    checkPair(fault['zonePartition'], [...path, 'zonePartition'], zones, report);
  }
}

/** What leaks for ever without a limit would take its whole node along, which is not simulated. */
function checkLeak(name: unknown, services: readonly unknown[], path: Path, report: Report): void {
  const service = services.map(asRecord).find((candidate) => candidate['name'] === name);
  if (typeof name !== 'string' || service === undefined) return;
  if (asRecord(asRecord(service['resources'])['limits'])['memory'] === undefined)
    report('WT0401', [...path, 'service'], {
      message: `${name} has no memory limit to be killed at`,
      expected: 'a service with limits.memory',
    });
}

/** `pool-region-zone-number`, in the order of the record. */
export function nodeName(pool: string, zone: string, number: number): string {
  return `${pool}-${zone.replace('/', '-')}-${number}`;
}

function rawNodeNames(cluster: Raw, zones: readonly string[]): readonly string[] {
  return asList(cluster['nodePools'])
    .map(asRecord)
    .flatMap((pool) =>
      zones.flatMap((zone) => {
        const count = isObject(pool['nodesPerZone']) ? own(asRecord(pool['nodesPerZone']), zone) : pool['nodesPerZone'];
        return Array.from({ length: Number.isInteger(count) ? (count as number) : 0 }, (_, number) =>
          nodeName(String(pool['name']), zone, number),
        );
      }),
    );
}

function checkPolicies(policies: Raw, meshRules: RulesByService, names: Names): void {
  const { report, services } = names;
  const policyNames = Object.keys(policies);
  for (const [name, raw] of Object.entries(policies)) {
    const policy = asRecord(raw);
    const path: Path = ['spec', 'policies', name];
    if (policy['extends'] !== undefined)
      checkName('WT0304', 'policy', policy['extends'], policyNames, [...path, 'extends'], report);
    const chain = extendsChain(name, policies);
    if (chain.at(-1) === name && chain.length > 1)
      report('WT0304', [...path, 'extends'], { message: `the policies extend each other: ${chain.join(' -> ')}` });
    checkKeys('WT0301', 'service', policy['hpa'], services, [...path, 'hpa'], report);
    checkKeys('WT0301', 'service', policy['spread'], services, [...path, 'spread'], report);
    checkKeys(
      'WT0301',
      'service',
      asRecord(policy['engine'])['workloads'],
      services,
      [...path, 'engine', 'workloads'],
      report,
    );
    for (const [index, service] of asList(policy['deploymentPerZone']).entries())
      checkName('WT0301', 'service', service, services, [...path, 'deploymentPerZone', index], report);
    for (const [service, hpa] of Object.entries(asRecord(policy['hpa'])).map(
      ([key, value]) => [key, asRecord(value)] as const,
    )) {
      const { min, max } = hpa;
      if (typeof min === 'number' && typeof max === 'number' && min > max)
        report('WT0205', [...path, 'hpa', service, 'max'], {
          message: `max is below min, ${min}`,
          expected: `a whole number of at least ${min}`,
        });
      checkMetrics(hpa, service, [...path, 'hpa', service], names);
    }
    checkRules(
      asList(policy['destinationRules']),
      [...path, 'destinationRules'],
      inheritedRules(chain, policies, meshRules, names),
      names,
    );
  }
}

function checkMetrics(hpa: Raw, service: string, path: Path, names: Names): void {
  const { report, services, queues, hasSidecars } = names;
  if (hpa['metrics'] !== undefined && hpa['targetCpu'] !== undefined)
    report('WT0207', [...path, 'metrics'], {
      message: 'metrics and targetCpu stand together',
      expected: 'one of them: targetCpu is short for one metric on CPU',
    });
  for (const [index, metric] of asList(hpa['metrics']).entries()) {
    const { object, external, containerResource } = asRecord(metric);
    const named = asRecord(asRecord(object)['describedObject'])['name'];
    const labels = asRecord(asRecord(asRecord(asRecord(external)['metric'])['selector'])['matchLabels']);
    const at: Path = [...path, 'metrics', index];
    const { container } = asRecord(containerResource);
    const containers = [service, ...(hasSidecars ? [SIDECAR_CONTAINER] : [])];
    if (container !== undefined)
      checkName('WT0301', 'container', container, containers, [...at, 'containerResource', 'container'], report);
    if (named !== undefined)
      checkName('WT0301', 'service', named, services, [...at, 'object', 'describedObject', 'name'], report);
    if (labels['service'] !== undefined)
      checkName(
        'WT0301',
        'service',
        labels['service'],
        services,
        [...at, 'external', 'metric', 'selector', 'matchLabels', 'service'],
        report,
      );
    const queuePath = [...at, 'external', 'metric', 'selector', 'matchLabels', 'queue'];
    if (labels['queue'] !== undefined) checkName('WT0315', 'queue', labels['queue'], queues, queuePath, report);
    if (labels['queue'] !== undefined && asRecord(asRecord(external)['metric'])['name'] === 'requests_per_second')
      report('WT0207', [...at, 'external', 'metric', 'name'], {
        message: 'of a queue its length is known',
        expected: 'queue_length',
      });
  }
}

/** The policy, what it extends, and so on; ends early at an unknown name, and with the first name met again. */
function extendsChain(name: string, policies: Raw): readonly string[] {
  const chain = [name];
  for (;;) {
    const next = asRecord(own(policies, chain.at(-1)))['extends'];
    if (typeof next !== 'string' || !Object.hasOwn(policies, next)) return chain;
    const again = chain.includes(next);
    chain.push(next);
    if (again) return chain;
  }
}

/** Rules in force under the policies that one extends, the farthest first. Problems there are reported at home. */
function inheritedRules(
  chain: readonly string[],
  policies: Raw,
  meshRules: RulesByService,
  names: Names,
): RulesByService {
  const silent: Names = {
    ...names,
    report: () => {},
    rule: { ...names.rule, report: () => {}, unmodelled: () => {} },
  };
  const ancestors = [...new Set(chain.slice(1))].filter((name) => name !== chain[0]).reverse();
  return ancestors.reduce(
    (rules, name) => checkRules(asList(asRecord(policies[name])['destinationRules']), [], rules, silent),
    meshRules,
  );
}

/** Null: absent, or not an amount (the schema says so). */
function amountOf(kind: Amount, value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const parsed = kind.parse(value);
  return parsed.ok ? parsed.value : null;
}
