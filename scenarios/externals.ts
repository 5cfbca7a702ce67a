/**
 * What stands beside the cluster, from the file to the record: external services and queues become services without pods,
 * and are checked where they differ from those. A host of an external, as Istio's objects have it, is replaced by its
 * name before anybody reads the objects, so that routes and rules find it like a service.
 */
import { PLAIN_POD_SCHEDULING } from './pod-scheduling.js';
import { asList, asRecord, isObject, own, type Report } from './raw.js';
import { checkKeys, checkName } from './names.js';
import type { ExternalFile, QueueFile } from './schema.js';
import type { Path } from './source.js';
import type { Distribution, Endpoint, External, MessageQueue, Service } from './types.js';

type Raw = Readonly<Record<string, unknown>>;

/** The one endpoint of a queue. */
export const PUBLISH = 'publish';

/** Far more requests than a run has: no limit. */
const UNBOUNDED = 2 ** 31 - 1;

/** Names by host, of the externals that have a host of their own. */
export function externalHosts(externals: readonly unknown[]): ReadonlyMap<string, string> {
  return new Map(
    externals
      .map(asRecord)
      .flatMap(({ host, name }): [string, string][] =>
        typeof host === 'string' && typeof name === 'string' ? [[host, name]] : [],
      ),
  );
}

/** The same Istio objects, with the names of externals in the place of their hosts. */
export function withNames<T>(objects: T, hosts: ReadonlyMap<string, string>): T {
  if (hosts.size === 0) return objects;
  const named = (host: unknown): unknown => (typeof host === 'string' ? (hosts.get(host) ?? host) : host);
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(asRecord(value)).map(([key, inner]) => {
        if (key === 'host') return [key, named(inner)];
        return [key, key === 'hosts' && Array.isArray(inner) ? inner.map(named) : walk(inner)];
      }),
    );
  };
  return walk(objects) as T;
}

/** A spec of a scenario file, as it stands or as the schema read it, with names in the place of hosts in all Istio objects. */
export function specWithNames<Spec extends object>(spec: Spec): Spec {
  const raw = spec as Raw;
  const hosts = externalHosts(asList(raw['externals']));
  if (hosts.size === 0) return spec;
  const within = (parent: unknown, key: string): unknown => {
    const record = asRecord(parent);
    return key in record ? { ...record, [key]: withNames(record[key], hosts) } : parent;
  };
  const policies = Object.entries(asRecord(raw['policies'])).map(([name, policy]) => [
    name,
    within(policy, 'destinationRules'),
  ]);
  return {
    ...spec,
    ...('mesh' in spec ? { mesh: within(spec.mesh, 'objects') } : {}),
    ...('policies' in spec ? { policies: Object.fromEntries(policies) as unknown } : {}),
  };
}

/** Zones that are there, names and hosts that differ. Names among services are checked with theirs. */
export function checkExternals(spec: Raw, zones: readonly string[], report: Report): void {
  const seen = new Map<string, string>();
  for (const [index, external] of asList(spec['externals']).map(asRecord).entries()) {
    const path: Path = ['spec', 'externals', index];
    const places = external['zones'];
    if (Array.isArray(places))
      places.forEach((name, i) => checkName('WT0303', 'zone', name, zones, [...path, 'zones', i], report));
    else checkKeys('WT0303', 'zone', places, zones, [...path, 'zones'], report);
    const host = external['host'] ?? external['name'];
    if (typeof host !== 'string') continue;
    const other = seen.get(host);
    if (other !== undefined)
      report('WT0305', [...path, 'host'], { message: `the host "${host}" is that of "${other}" already` });
    seen.set(host, String(external['name']));
  }
  for (const [index, queue] of asList(spec['queues']).map(asRecord).entries()) {
    checkName('WT0303', 'zone', queue['zone'], zones, ['spec', 'queues', index, 'zone'], report);
    // A pod has places for a queue, not for each of its endpoints.
    const consumers = asList(queue['consumers']).map(
      (consumer) => String(asRecord(consumer)['endpoint']).split('/')[0],
    );
    for (const [position, service] of consumers.entries())
      if (consumers.indexOf(service) < position)
        report('WT0305', ['spec', 'queues', index, 'consumers', position, 'endpoint'], {
          message: `"${service}" consumes from this queue already`,
        });
  }
}

const NONE: Distribution = { kind: 'constant', mean: 0 };

/** What every service has, for one that has no pods. */
function withoutPods(name: string, replicas: number, endpoints: readonly Endpoint[], external: External): Service {
  return {
    name,
    replicas,
    replicasPerZone: null,
    requests: { cpuMillicores: 0, memoryBytes: 0 },
    limits: { cpuMillicores: null, memoryBytes: null },
    memoryUseBytes: 0,
    workers: UNBOUNDED,
    queue: null,
    holdsWorkerWhileCalling: true,
    startUp: { imagePull: NONE, ready: NONE, probeInitialDelayUs: 0, probePeriodUs: 1 },
    terminationGraceUs: 0,
    preStopUs: 0,
    onTerm: 'drain',
    // Nobody reads these: no workload keeps its instances, and no scheduler places them.
    scheduling: PLAIN_POD_SCHEDULING,
    controller: { kind: 'Deployment', minReadyUs: 0, strategy: { type: 'Recreate' } },
    spread: { zone: 'soft', maxSkew: 1 },
    disruptionBudget: null,
    labels: {},
    annotations: {},
    versionOf: null,
    trafficDistribution: null,
    topologyModeAuto: false,
    endpoints,
    external,
    waypoint: null,
    isWaypoint: false,
  };
}

export function buildExternal(
  file: ExternalFile,
  zones: readonly string[],
  distribution: (wait: ExternalFile['endpoints'][number]['wait']) => Distribution,
): Service {
  const { outside, zones: places } = file;
  const perZone =
    places === undefined
      ? null
      : zones.map((zone) =>
          Array.isArray(places) ? places.filter((name) => name === zone).length : (own(places, zone) ?? 0),
        );
  const endpoints = file.endpoints.map(({ name, wait, requestBytes, responseBytes }): Endpoint => ({
    ...{ name, requestBytes, responseBytes },
    steps: [{ kind: 'wait', delay: distribution(wait) }],
  }));
  const external: External = {
    host: file.host ?? file.name,
    perZone,
    roundTripUs: outside?.roundTrip ?? 0,
    protocol: file.protocol,
    connectionsPerCaller: file.connectionsPerCaller ?? null,
    queue: null,
  };
  return {
    ...withoutPods(file.name, perZone?.reduce((sum, count) => sum + count, 0) ?? 1, endpoints, external),
    workers: file.concurrency === 'unbounded' ? UNBOUNDED : file.concurrency,
    queue: file.queue === 'unbounded' ? null : file.queue,
  };
}

export function buildQueue(
  file: QueueFile,
  zones: readonly string[],
  ack: Distribution,
  consumers: MessageQueue['consumers'],
): Service {
  const { zone, outside, messageBytes, deliver } = file;
  const perZone: number[] | null =
    outside === undefined ? zones.map((name) => (zone === undefined || name === zone ? 1 : 0)) : null;
  const endpoint: Endpoint = {
    name: PUBLISH,
    steps: [{ kind: 'wait', delay: ack }],
    requestBytes: messageBytes,
    responseBytes: 0,
  };
  const external: External = {
    host: file.name,
    perZone,
    roundTripUs: outside?.roundTrip ?? 0,
    protocol: 'tcp',
    connectionsPerCaller: null,
    queue: {
      maxLength: file.maxLength ?? null,
      consumers,
      attempts: deliver.attempts,
      redeliveryDelayUs: deliver.delay,
      visibilityTimeoutUs: deliver.visibilityTimeout ?? 0,
    },
  };
  const instances = perZone?.reduce((sum, count) => sum + count, 0) ?? 1;
  // Who publishes uses the node of the broker in its own zone, where there is one.
  return { ...withoutPods(file.name, instances, [endpoint], external), trafficDistribution: 'PreferSameZone' };
}
