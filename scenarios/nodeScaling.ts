/**
 * Do the pools and the autoscalers of nodes fit together? Bounds of a pool against each other and against the nodes of the
 * start, instance types against the price book, and whether an autoscaler has any pool to work on. What one autoscaler
 * does not read is said, since pools are shared by policies that may have different ones.
 */
import type { RuleReport } from './destination-rule.js';
import { capacityOf, PRICE_BOOKS } from './prices.js';
import { checkKeys, checkName } from './names.js';
import { asList, asRecord, isObject, own } from './raw.js';
import type { Path } from './source.js';
import * as units from './units.js';

type Raw = Readonly<Record<string, unknown>>;

export function checkNodeScaling(spec: Raw, to: RuleReport): void {
  const pools = asList(asRecord(spec['cluster'])['nodePools']).map(asRecord);
  for (const [index, pool] of pools.entries()) checkPoolScaling(pool, ['spec', 'cluster', 'nodePools', index], to);
  const instancePrices = asRecord(asRecord(spec['cluster'])['instancePrices']);
  const policies = asRecord(spec['policies']);
  const stated: readonly (readonly [unknown, Path])[] = [
    [spec['nodeAutoscaler'], ['spec', 'nodeAutoscaler']],
    ...Object.keys(policies).map(
      (name) =>
        [asRecord(policies[name])['nodeAutoscaler'], ['spec', 'policies', name, 'nodeAutoscaler'] as Path] as const,
    ),
  ];
  const kinds = new Set<string>();
  for (const [autoscaler, path] of stated) {
    for (const kind of ['clusterAutoscaler', 'karpenter'] as const) {
      if (asRecord(autoscaler)[kind] === undefined) continue;
      kinds.add(kind);
      checkAutoscaler(kind, asRecord(asRecord(autoscaler)[kind]), pools, instancePrices, [...path, kind], to);
    }
  }
  for (const [index, pool] of pools.entries()) tellUnread(pool, ['spec', 'cluster', 'nodePools', index], kinds, to);
}

function checkPoolScaling(pool: Raw, path: Path, { zones, report }: RuleReport): void {
  const { minNodesPerZone: least, maxNodesPerZone: most, nodesPerZone: start } = pool;
  for (const key of ['minNodesPerZone', 'maxNodesPerZone'] as const)
    checkKeys('WT0303', 'zone', isObject(pool[key]) ? pool[key] : {}, zones, [...path, key], report);
  if (least !== undefined && most === undefined)
    report('WT0207', [...path, 'minNodesPerZone'], {
      message: 'a least number of nodes without a most: the pool is fixed',
      expected: 'maxNodesPerZone too, or neither',
      atKey: true,
    });
  if (most !== undefined)
    for (const zone of zones) {
      const [min, now, max] = [countIn(least ?? 0, zone), countIn(start, zone), countIn(most, zone)];
      if (min === null || now === null || max === null || (min <= now && now <= max)) continue;
      const key = now > max || min > max ? 'maxNodesPerZone' : 'minNodesPerZone';
      report('WT0205', [...path, key], {
        message: `${zone} starts with ${now} nodes, and may have ${min} to ${max}`,
        expected: 'minNodesPerZone <= nodesPerZone <= maxNodesPerZone in each zone',
      });
    }
  const types = asList(pool['instanceTypes']);
  const book = own(PRICE_BOOKS, pool['prices']);
  if (types.length > 0 && pool['prices'] === undefined)
    report('WT0308', [...path, 'instanceTypes'], {
      message: 'instance types without a price book',
      expected: 'prices',
    });
  const known = Object.keys(book?.instances ?? {});
  for (const [index, type] of types.entries()) {
    if (typeof type !== 'string' || book === undefined) continue;
    const at = [...path, 'instanceTypes', index];
    checkName('WT0308', 'instance type', type, known, at, report);
    if (known.includes(type) && !leavesRoom(pool, type))
      report('WT0309', at, {
        message: `${type} has no room for pods beside what the system keeps of ${String(pool['instanceType'])}`,
        expected: 'a larger type, or more allocatable',
      });
  }
}

/** What the system keeps of the pool's own type is kept of every type. */
function leavesRoom(pool: Raw, type: string): boolean {
  const instances = own(PRICE_BOOKS, pool['prices'])!.instances;
  const ownType = own(instances, pool['instanceType']);
  if (pool['allocatable'] === undefined || ownType === undefined) return true;
  const room = asRecord(pool['allocatable']);
  const read = (kind: units.Amount, value: unknown): number => {
    const parsed = kind.parse(value as string);
    return parsed.ok ? parsed.value : Infinity;
  };
  const { cpuMillicores, memoryBytes } = instances[type]!;
  return (
    cpuMillicores - Math.max(0, ownType.cpuMillicores - read(units.cpu, room['cpu'])) > 0 &&
    memoryBytes - Math.max(0, ownType.memoryBytes - read(units.memory, room['memory'])) > 0
  );
}

/** Null where it cannot be read. */
function countIn(perZone: unknown, zone: string): number | null {
  const count = isObject(perZone) ? (own(asRecord(perZone), zone) ?? 0) : perZone;
  return Number.isInteger(count) ? (count as number) : null;
}

function checkAutoscaler(
  kind: 'clusterAutoscaler' | 'karpenter',
  settings: Raw,
  pools: readonly Raw[],
  instancePrices: Raw,
  path: Path,
  { report, unmodelled }: RuleReport,
): void {
  const mine = pools.filter(
    (pool) => pool['maxNodesPerZone'] !== undefined || (kind === 'karpenter' && pool['limits'] !== undefined),
  );
  if (mine.length === 0)
    report('WT0207', path, {
      message: 'no node pool may grow',
      expected: `a node pool with maxNodesPerZone${kind === 'karpenter' ? ' or limits' : ''}`,
      atKey: true,
    });
  const needsPrices = kind === 'karpenter' || settings['expander'] === 'price';
  const unpriced = mine.find((pool) => !isPriced(pool, instancePrices, kind));
  if (needsPrices && unpriced !== undefined)
    report('WT0207', path, {
      message: `${kind === 'karpenter' ? 'Karpenter' : 'the expander price'} chooses by price, and that of ${String(unpriced['name'])} is unknown`,
      expected: 'a price',
      atKey: true,
    });
  if (kind === 'karpenter' && mine.some((pool) => pool['minNodesPerZone'] !== undefined))
    unmodelled({
      code: 'WT0504',
      path,
      message: 'Karpenter knows no least number of nodes: minNodesPerZone is not held',
    });
}

/** Whether every machine that it may add has a price. */
function isPriced(pool: Raw, instancePrices: Raw, kind: 'clusterAutoscaler' | 'karpenter'): boolean {
  const ownType = pool['instanceType'];
  const types = kind === 'karpenter' && pool['instanceTypes'] !== undefined ? asList(pool['instanceTypes']) : [ownType];
  const capacity = capacityOf(pool['capacity'], asRecord(pool['labels']));
  return types.every((type) => {
    const stated =
      (type === ownType ? pool['pricePerHour'] : undefined) ?? asRecord(own(instancePrices, type))[capacity];
    if (stated !== undefined) return stated !== 'unknown';
    return own(own(PRICE_BOOKS, pool['prices'])?.instances ?? {}, type)?.usdPerHour[capacity] !== undefined;
  });
}

/** What a pool says to an autoscaler that no policy has. */
function tellUnread(pool: Raw, path: Path, kinds: ReadonlySet<string>, { unmodelled }: RuleReport): void {
  const tell = (key: string, who: string): void => {
    if (pool[key] !== undefined)
      unmodelled({ code: 'WT0504', path: [...path, key], message: `${key} is read by ${who}, which no policy has` });
  };
  if (kinds.size === 0) for (const key of ['minNodesPerZone', 'maxNodesPerZone']) tell(key, 'an autoscaler of nodes');
  if (!kinds.has('karpenter')) for (const key of ['instanceTypes', 'limits', 'weight']) tell(key, 'Karpenter');
}
