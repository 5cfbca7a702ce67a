/**
 * The mesh: DestinationRules and VirtualServices of hosts that are services here, checked where they stand by the same
 * rules that the loader has; the mesh-wide settings; and, from Gateways, Ingresses and load balancers, where users enter.
 * Of two rules of one host Istio takes the older.
 */
import { goDurationUs } from '../../engine/go-duration.js';
import { parse } from 'yaml';
import type { EndpointNames } from '../call-graph.js';
import { checkMeshObject, resolveHost, type RuleReport } from '../destination-rule.js';
import type { Problem } from '../problems.js';
import { asList, asRecord, isObject } from '../raw.js';
import type { Path } from '../source.js';
import { meshOf } from '../references.js';
import { checkVirtualService } from '../virtual-service.js';
import { withNames } from '../externals.js';
import type { ImportedExternal } from './externals.js';
import { fieldsOf, selectsByLabels } from './fields.js';
import type { Ledger } from './ledger.js';
import type { KubeObject, Raw } from './read.js';
import type { ImportedService } from './services.js';
import type { Workload } from './workloads.js';

export interface ImportedMesh {
  /** In Istio's order: oldest first. */
  readonly objects: readonly { readonly object: KubeObject; readonly name: string; readonly spec: Raw }[];
  readonly config: {
    readonly object: KubeObject;
    readonly localityLbSetting: Raw | null;
    readonly connectTimeout: string | null;
  } | null;
}

export interface Entry {
  readonly service: string;
  readonly because: string;
}

/** The one endpoint that each imported service starts with. */
export const ENDPOINT = 'requests';

export function readMesh(
  objects: readonly KubeObject[],
  services: readonly ImportedService[],
  externals: readonly ImportedExternal[],
  places: Pick<RuleReport, 'zones' | 'localities'>,
  ledger: Ledger,
  problems: Problem[],
): ImportedMesh {
  const byHost = new Map(externals.map(({ host, name }) => [host, name]));
  const hosts = [
    ...services.filter(({ versionOf }) => versionOf === null).map(({ name }) => name),
    ...externals.map(({ name }) => name),
  ];
  const nameOf = (host: unknown): string | null =>
    resolveHost(typeof host === 'string' ? (byHost.get(host) ?? host) : host, hosts);
  const endpoints: EndpointNames = new Map(hosts.map((name) => [name, [ENDPOINT]]));
  const seen = { DestinationRule: new Map<string, KubeObject>(), VirtualService: new Map<string, KubeObject>() };
  const names = new Set<string>();
  const kept = byAge(objects.filter(({ kind }) => kind in seen)).flatMap((object) => {
    const kind = object.kind as keyof typeof seen;
    const spec = asRecord(object.value['spec']);
    const meant = kind === 'DestinationRule' ? [spec['host']] : asList(spec['hosts']);
    const ours = meant.filter((host) => nameOf(host) !== null);
    if (ours.length === 0 && meant.length > 0) {
      ledger.leaveOut(object, 'its hosts are none of the services');
      return [];
    }
    const before = ours.map((host) => seen[kind].get(nameOf(host)!)).find((one) => one !== undefined);
    if (before !== undefined) {
      ledger.leaveOut(object, `${before.kind} ${before.name} is older and has the same host`);
      return [];
    }
    const cleaned = kind === 'VirtualService' && ours.length < meant.length ? { ...spec, hosts: ours } : spec;
    if (cleaned !== spec) ledger.note(object, 'only the hosts that are services');
    if (!check(object, { ...object.value, spec: withNames(cleaned, byHost) }, endpoints, places, ledger, problems))
      return [];
    for (const host of ours) seen[kind].set(nameOf(host)!, object);
    ledger.use(object);
    const name = names.has(`${kind} ${object.name}`) ? `${object.name}-${object.namespace}` : object.name;
    names.add(`${kind} ${name}`);
    return [{ object, name, spec: cleaned }];
  });
  const entries = [...new Set(externals.map(({ object }) => object))].map((object) => ({
    object,
    name: object.name,
    spec: asRecord(object.value['spec']),
  }));
  return { objects: [...entries, ...kept], config: readConfig(objects, ledger, problems) };
}

/** False: left out, as a destination is none of the services. */
function check(
  object: KubeObject,
  value: Raw,
  endpoints: EndpointNames,
  places: Pick<RuleReport, 'zones' | 'localities'>,
  ledger: Ledger,
  problems: Problem[],
): boolean {
  const found: Problem[] = [];
  const rule: RuleReport = {
    ...places,
    // Whatever the release is, it has taken the object.
    mesh: { ...meshOf({}), istioMinor: Infinity },
    report: (code, path, detail) => void found.push(object.problem(code, path, detail)),
    unmodelled: ({ message }) => ledger.note(object, message),
  };
  if (object.kind === 'VirtualService') checkVirtualService(value, [], endpoints, rule);
  else checkMeshObject(value, [], rule);
  const wrong = found.filter(({ code }) => code !== 'WT0402');
  problems.push(...wrong);
  if (wrong.length > 0 || found.length === 0) return wrong.length === 0;
  ledger.leaveOut(object, 'routes to a host that is none of the services');
  return false;
}

/** Oldest first, then by namespace and name; without a time: last, as not yet created. */
function byAge(objects: readonly KubeObject[]): readonly KubeObject[] {
  const created = ({ value }: KubeObject): string => {
    const time = asRecord(value['metadata'])['creationTimestamp'];
    return typeof time === 'string' ? time : '~';
  };
  const key = (one: KubeObject): string => [created(one), one.namespace, one.name].join('\n');
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const CONFIG_KEYS = ['localityLbSetting', 'connectTimeout'];

function readConfig(objects: readonly KubeObject[], ledger: Ledger, problems: Problem[]): ImportedMesh['config'] {
  const [object, ...more] = objects.filter(
    ({ kind, value }) => kind === 'ConfigMap' && typeof asRecord(value['data'])['mesh'] === 'string',
  );
  if (object === undefined) return null;
  for (const other of more) ledger.leaveOut(other, 'a second mesh configuration: the first is used');
  const at: Path = ['data', 'mesh'];
  let config: unknown;
  try {
    config = parse(String(asRecord(object.value['data'])['mesh']));
  } catch (error) {
    const message = `not YAML: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}`;
    problems.push(object.problem('WT0102', at, { message }));
    return null;
  }
  ledger.use(object);
  for (const key of Object.keys(asRecord(config)))
    if (!CONFIG_KEYS.includes(key)) ledger.note(object, `${key} is not simulated`);
  const { localityLbSetting, connectTimeout = null } = asRecord(config);
  const isDuration = typeof connectTimeout === 'string' && goDurationUs(connectTimeout) !== null;
  if (connectTimeout !== null && !isDuration)
    problems.push(object.problem('WT0204', at, { message: 'connectTimeout is not a duration' }));
  return {
    object,
    localityLbSetting: isObject(localityLbSetting) ? asRecord(localityLbSetting) : null,
    connectTimeout: isDuration ? connectTimeout : null,
  };
}

/** Workloads whose pods a Gateway selects: proxies, not services. */
export function gatewayWorkloads(
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
  problems: Problem[],
): readonly Workload[] {
  const selectors = objects
    .filter(({ kind, value }) => kind === 'Gateway' && String(value['apiVersion']).startsWith('networking.istio.io/'))
    .map((object) => fieldsOf(object, problems).labels(['spec', 'selector']));
  return workloads.filter(({ podLabels }) => selectors.some((selector) => selectsByLabels(selector, podLabels)));
}

/** Where users come in: what gateways and ingresses route to, else the Services that are open to the outside. */
export function findEntries(
  objects: readonly KubeObject[],
  services: readonly ImportedService[],
  ledger: Ledger,
): readonly Entry[] {
  const hosts = services.filter(({ versionOf }) => versionOf === null).map(({ name }) => name);
  const entries: Entry[] = [];
  for (const object of objects) {
    const found = routedFromOutside(object)
      .map((host) => resolveHost(host, hosts))
      .filter((host) => host !== null);
    if (found.length > 0) ledger.use(object);
    if (found.length > 0 && object.kind === 'VirtualService') ledger.note(object, 'as an entry of users');
    for (const service of found)
      if (!entries.some((one) => one.service === service))
        entries.push({ service, because: `${object.where} routes to it` });
  }
  if (entries.length > 0) return entries;
  for (const type of ['LoadBalancer', 'NodePort']) {
    const open = services.filter(
      ({ service, versionOf }) => versionOf === null && asRecord(service?.value['spec'])['type'] === type,
    );
    if (open.length > 0)
      return open.map(({ name, service }) => ({ service: name, because: `${service!.where} is of type ${type}` }));
  }
  return [];
}

function routedFromOutside({ kind, value }: KubeObject): readonly unknown[] {
  const spec = asRecord(value['spec']);
  if (kind === 'VirtualService') {
    if (!asList(spec['gateways']).some((name) => name !== 'mesh')) return [];
    return ['http', 'tls', 'tcp']
      .flatMap((way) => asList(spec[way]))
      .flatMap((route) => asList(asRecord(route)['route']))
      .map((entry) => asRecord(asRecord(entry)['destination'])['host']);
  }
  if (kind === 'Ingress') {
    const backends = [
      spec['defaultBackend'],
      ...asList(spec['rules'])
        .flatMap((rule) => asList(asRecord(asRecord(rule)['http'])['paths']))
        .map((path) => asRecord(path)['backend']),
    ];
    return backends.map((backend) => asRecord(asRecord(backend)['service'])['name']);
  }
  if (kind !== 'HTTPRoute') return [];
  const isFromGateway = asList(spec['parentRefs']).some((one) => (asRecord(one)['kind'] ?? 'Gateway') === 'Gateway');
  if (!isFromGateway) return [];
  return asList(spec['rules'])
    .flatMap((rule) => asList(asRecord(rule)['backendRefs']))
    .map((backend) => asRecord(backend)['name']);
}
