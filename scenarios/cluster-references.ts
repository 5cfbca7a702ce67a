/**
 * What the cluster of a file names: zones, pairs of them and of nodes, pools with their price books and instance types.
 */
import { checkKeys, checkName, type Names } from './names.js';
import { PRICE_BOOKS } from './prices.js';
import { asList, asRecord, isObject, own, reportDuplicates, type Raw } from './raw.js';
import type { Path } from './source.js';

export function checkCluster(cluster: Raw, names: Names): void {
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

/** `pool-region-zone-number`, in the order of the record. */
export function nodeName(pool: string, zone: string, number: number): string {
  return `${pool}-${zone.replace('/', '-')}-${number}`;
}

export function rawNodeNames(cluster: Raw, zones: readonly string[]): readonly string[] {
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
