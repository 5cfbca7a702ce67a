/**
 * What a reader of the results should know before the run, though nothing is wrong: services that are offered more than
 * they can do, pods that will wait for room, and fields that the declared release of Kubernetes does not read.
 */
import { asList, asRecord } from './raw.js';
import { capacityOf } from './prices.js';
import { betweenRegionsMs, ROUND_TRIP_MATRICES } from './round-trip-matrices.js';
import { offeredLoad } from './saturation.js';
import type { OfferedLoad } from './saturation.js';
import type { Path, Source } from './source.js';
import type { ProblemCode } from './problems.js';
import type { Cluster, Notice, Scenario } from './types.js';

type Raw = Readonly<Record<string, unknown>>;
type Bare = Omit<Scenario, 'expectations' | 'notices'>;

export function notice(source: Source, code: ProblemCode, path: Path, message: string): Notice {
  return { code, message, file: source.file, line: source.locate(path).line };
}

export function scenarioNotices(scenario: Bare, source: Source): readonly Notice[] {
  return [
    ...saturationNotices(scenario, source),
    ...roomNotices(scenario, source),
    ...toleranceNotices(scenario, source),
    ...distributionNotices(scenario, source),
    ...priceNotices(scenario, source),
    ...matrixNotices(scenario, source),
  ];
}

function saturationNotices(scenario: Bare, source: Source): readonly Notice[] {
  return offeredLoad(scenario).flatMap((offered) => {
    const service = scenario.services[offered.service]!;
    // Who gets how much is up to the routes then.
    if (isSplitByRoutes(scenario, offered.service)) return [];
    const words = saturation(offered);
    if (words === null) return [];
    const instances = service.external === null ? 'pods' : 'instances';
    const message = `${service.name} is saturated: ${offered.requestsPerSecond.toFixed(1)} requests/s at the peak keep ${words} busy with ${service.replicas} ${instances}`;
    return [notice(source, 'WT0501', [...placeOf(scenario.services, offered.service), 'name'], message)];
  });
}

function isSplitByRoutes({ services, mesh }: Bare, service: number): boolean {
  const host = services[service]!.versionOf ?? service;
  return (
    services.some(({ versionOf }) => versionOf === host) && mesh.virtualServices.some((one) => one.service === host)
  );
}

/** Where a service stands in the file: workloads come first in the record, then externals, queues and waypoints. */
export function placeOf(services: Scenario['services'], service: number): Path {
  const lists: Path[] = [['services'], ['externals'], ['queues'], ['mesh', 'waypoints']];
  const listOf = ({ external, isWaypoint }: (typeof services)[number]): number =>
    isWaypoint ? 3 : external === null ? 0 : external.queue === null ? 1 : 2;
  const list = listOf(services[service]!);
  return ['spec', ...lists[list]!, service - services.filter((one) => listOf(one) < list).length];
}

/** The scarcer of workers and cores, or null when both suffice. */
function saturation({ busyWorkers, workers, busyCores, cores }: OfferedLoad): string | null {
  const byWorkers = share(busyWorkers, workers);
  const byCpu = cores === null ? 0 : share(busyCores, cores);
  if (byWorkers <= 1 && byCpu <= 1) return null;
  const percent = (ratio: number): string => (Number.isFinite(ratio) ? ` (${(ratio * 100).toFixed(0)}%)` : '');
  return byWorkers >= byCpu
    ? `${busyWorkers.toFixed(1)} of ${workers} workers${percent(byWorkers)}`
    : `${busyCores.toFixed(2)} of ${cores!.toFixed(2)} cores${percent(byCpu)}`;
}

function share(busy: number, capacity: number): number {
  return busy === 0 ? 0 : busy / capacity;
}

function roomNotices(scenario: Bare, source: Source): readonly Notice[] {
  const wanted = { cpu: 0, memory: 0, pods: 0 };
  for (const service of scenario.services) {
    wanted.cpu += service.replicas * service.requests.cpuMillicores;
    wanted.memory += service.replicas * service.requests.memoryBytes;
    wanted.pods += service.replicas;
  }
  const room = { cpu: 0, memory: 0, pods: 0 };
  for (const node of scenario.cluster.nodes) {
    room.cpu += node.cpuMillicores;
    room.memory += node.memoryBytes;
    room.pods += node.maxPods;
  }
  const short: string[] = [];
  if (wanted.cpu > room.cpu) short.push(`${wanted.cpu / 1000} cores of ${room.cpu / 1000}`);
  if (wanted.memory > room.memory) short.push(`${mebibytes(wanted.memory)}Mi of ${mebibytes(room.memory)}Mi`);
  if (wanted.pods > room.pods) short.push(`${wanted.pods} places of ${room.pods}`);
  if (short.length === 0) return [];
  return [
    notice(
      source,
      'WT0505',
      ['spec', 'cluster', 'nodePools'],
      `the pods at the start ask for ${short.join(' and ')}: some will wait for room`,
    ),
  ];
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** See sim/cluster/hpa.ts: on by default from 1.35 on (KEP-4951). */
const TOLERANCE_FIELD_MINOR = 35;

function toleranceNotices({ compat, policies, services }: Bare, source: Source): readonly Notice[] {
  if (compat.kubernetesMinor >= TOLERANCE_FIELD_MINOR) return [];
  return policies.flatMap((policy) =>
    policy.hpas.flatMap(({ service, behavior }) =>
      ['scaleUp', 'scaleDown'].flatMap((direction) => {
        const rules = behavior?.[direction] as Readonly<Record<string, unknown>> | undefined;
        if (rules?.['tolerance'] === undefined) return [];
        const at: Path = ['spec', 'policies', policy.name, 'hpa', services[service]!.name, 'behavior', direction];
        const message = `tolerance is read from Kubernetes 1.${TOLERANCE_FIELD_MINOR} on: 0.1 holds`;
        return [notice(source, 'WT0502', [...at, 'tolerance'], message)];
      }),
    ),
  );
}

/** See sim/cluster/topologyHints.ts: on by default from these releases on (KEP-4444, KEP-3015). */
const DISTRIBUTION_MINORS = { PreferClose: 31, PreferSameZone: 34, PreferSameNode: 34 };

function distributionNotices({ compat, mesh, services }: Bare, source: Source): readonly Notice[] {
  if (mesh.routing.kind !== 'kubeProxy') return [];
  return services.flatMap(({ external, trafficDistribution }, index) => {
    if (external !== null || trafficDistribution === null) return [];
    const since = DISTRIBUTION_MINORS[trafficDistribution];
    if (compat.kubernetesMinor >= since) return [];
    const message = `${trafficDistribution} is read from Kubernetes 1.${since} on: any pod is chosen`;
    return [notice(source, 'WT0502', ['spec', 'services', index, 'trafficDistribution'], message)];
  });
}

function matrixNotices({ cluster }: Bare, source: Source): readonly Notice[] {
  const raw = asRecord(asRecord(asRecord(asRecord(source.value)['spec'])['cluster'])['roundTrip']);
  const name = raw['matrix'];
  if (typeof name !== 'string' || raw['crossRegion'] !== undefined) return [];
  const pairs = asList(raw['pairs']).map((pair) => asList(asRecord(pair)['between']));
  const isStated = (from: string, to: string): boolean =>
    pairs.some((pair) => pair.includes(from) && pair.includes(to));
  const missing = new Set<string>();
  for (const [i, from] of cluster.zones.entries())
    for (const to of cluster.zones.slice(i + 1)) {
      if (from.region === to.region || isStated(from.name, to.name)) continue;
      if (betweenRegionsMs(ROUND_TRIP_MATRICES[name]!, from.region, to.region) === null)
        missing.add(`${from.region} and ${to.region}`);
    }
  const path: Path = ['spec', 'cluster', 'roundTrip', 'matrix'];
  return [...missing].map((pair) =>
    notice(source, 'WT0507', path, `${name} has nothing for ${pair}: the default of crossRegion holds`),
  );
}

/** A price left out, not one that is said to be unknown. */
function priceNotices({ cluster }: Bare, source: Source): readonly Notice[] {
  const stated = asRecord(asRecord(asRecord(asRecord(source.value)['spec'])['cluster'])['transfer']);
  const regions = new Set(cluster.zones.map(({ region }) => region));
  const missing = (isCrossed: boolean, price: number | null, key: string): string[] =>
    isCrossed && price === null && stated[key] === undefined ? [key] : [];
  const bill = billNotices(cluster, stated, source);
  const keys = [
    ...missing(cluster.zones.length > regions.size, cluster.transfer.crossZoneUsdPerGb, 'crossZonePerGB'),
    ...missing(regions.size > 1, cluster.transfer.crossRegionUsdPerGb, 'crossRegionPerGB'),
  ];
  return [
    ...keys.map((key) =>
      notice(
        source,
        'WT0506',
        ['spec', 'cluster', 'transfer', key],
        'no price is stated: what such bytes cost is unknown',
      ),
    ),
    ...bill,
  ];
}

/** Parts of the bill, and pools, whose price neither the scenario nor a price book has. */
function billNotices(cluster: Cluster, stated: Raw, source: Source): readonly Notice[] {
  const { loadBalancer, internet, nat } = cluster.bill;
  const parts = Object.entries({ loadBalancer, internet, nat }).filter(
    ([key, part]) =>
      part !== null && Object.values(part).includes(null) && !Object.values(asRecord(stated[key])).includes('unknown'),
  );
  const pools = asList(asRecord(asRecord(asRecord(source.value)['spec'])['cluster'])['nodePools']).map(asRecord);
  const unpriced = pools.flatMap((pool, index) => {
    const isUnknown = cluster.nodes.some((node) => node.pool === pool['name'] && node.priceUsdPerHour === null);
    return isUnknown && pool['pricePerHour'] !== 'unknown' ? [{ pool, index }] : [];
  });
  return [
    ...parts.map(([key]) =>
      notice(source, 'WT0506', ['spec', 'cluster', 'transfer', key], 'no price is stated: what it costs is unknown'),
    ),
    ...unpriced.map(({ pool, index }) =>
      notice(
        source,
        'WT0506',
        ['spec', 'cluster', 'nodePools', index, 'capacity'],
        `no price is stated for ${pool['name'] as string} as ${capacityOf(pool['capacity'], asRecord(pool['labels']))}: what it costs is unknown`,
      ),
    ),
  ];
}
