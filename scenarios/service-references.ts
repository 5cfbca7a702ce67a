/**
 * Services, externals and queues of a file: names that stand twice, zones of their replicas, and pods too large for every
 * node, which would wait for ever.
 */
import { checkExternals } from './externals.js';
import { checkKeys, type Names } from './names.js';
import { PRICE_BOOKS } from './prices.js';
import { asList, asRecord, isObject, own, reportDuplicates, type Raw } from './raw.js';
import type { Path } from './source.js';
import { checkWorkload } from './workloads.js';
import * as units from './units.js';

export function checkServices(services: readonly unknown[], cluster: Raw, names: Names): void {
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

/** The pods of a service or of a waypoint. */
export function checkPods(service: Raw, path: Path, cluster: Raw, names: Names): void {
  if (isObject(service['replicas']))
    checkKeys('WT0303', 'zone', service['replicas'], names.zones, [...path, 'replicas'], names.report);
  checkFit(service, path, cluster, names);
  checkWorkload(service, path, names.report);
}

/** Externals and queues are called by name like services, so no name may stand twice among them all. */
export function checkOutsiders(spec: Raw, names: Names): void {
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
  const cpu = units.amountOf(units.cpu, requests['cpu']);
  const memory = units.amountOf(units.memory, requests['memory']);
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
      pool['allocatable'] === undefined
        ? (instance?.cpuMillicores ?? null)
        : units.amountOf(units.cpu, allocatable['cpu']);
    const memoryBytes =
      pool['allocatable'] === undefined
        ? (instance?.memoryBytes ?? null)
        : units.amountOf(units.memory, allocatable['memory']);
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
