/**
 * A ServiceEntry as Istio's own validation sees it (ValidateServiceEntry), and the external of the scenario that it
 * stands for: the entry says how the mesh sees a host, the external what the host does. Where both speak of the protocol
 * they must agree. And what rules say that has no effect on connections without HTTP.
 */
import { resolveHost, type RuleReport } from './destination-rule.js';
import { externalHosts } from './externals.js';
import { checkKnownFields, known, modelled } from './istio-fields.js';
import { asList, asRecord } from './raw.js';
import type { Path } from './source.js';

type Raw = Readonly<Record<string, unknown>>;

const RESOLUTIONS = ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'];
const LOCATIONS = ['MESH_EXTERNAL', 'MESH_INTERNAL'];

const FIELDS = {
  spec: {
    hosts: modelled('texts'),
    ports: modelled('list'),
    resolution: modelled(RESOLUTIONS),
    location: modelled(LOCATIONS),
    endpoints: modelled('list'),
    addresses: known('texts'),
    exportTo: known('texts'),
    subjectAltNames: known('texts'),
    workloadSelector: known('object'),
  },
} as const;

/** What Istio reads as HTTP; HTTPS and TLS it passes on without looking inside. */
const HTTP = ['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB'];
const PROTOCOLS = [...HTTP, 'HTTPS', 'TCP', 'TLS', 'MONGO', 'MYSQL', 'REDIS', 'UDP'];

/** Checks every ServiceEntry of the mesh against Istio and against the externals. */
export function checkServiceEntries(spec: Raw, to: RuleReport): void {
  const externals = asList(spec['externals']).map(asRecord);
  const names = externals.map(({ name }) => String(name));
  const hosts = [...externalHosts(externals).keys()];
  const seen = new Map<string, string>();
  for (const [index, object] of asList(asRecord(spec['mesh'])['objects']).map(asRecord).entries()) {
    if (object['kind'] !== 'ServiceEntry') continue;
    const path: Path = ['spec', 'mesh', 'objects', index];
    checkServiceEntry(object, path, to);
    const entry = asRecord(object['spec']);
    for (const [position, host] of asList(entry['hosts']).entries()) {
      const at: Path = [...path, 'spec', 'hosts', position];
      const external = externals[names.indexOf(String(host))];
      if (external === undefined) {
        to.report('WT0402', at, {
          message: 'the host is none of the externals',
          expected: hosts.length === 0 ? 'an external with this host' : `one of ${hosts.join(', ')}`,
        });
        continue;
      }
      const other = seen.get(String(host));
      if (other !== undefined)
        to.report('WT0403', at, { message: `the ServiceEntry "${other}" speaks of this host already` });
      seen.set(String(host), String(asRecord(object['metadata'])['name']));
      checkProtocol(entry, external, [...path, 'spec', 'ports'], to);
    }
  }
}

/** What Istio would refuse. */
export function checkServiceEntry(object: Raw, path: Path, to: RuleReport): void {
  const apiVersion = object['apiVersion'];
  if (typeof apiVersion === 'string' && !apiVersion.startsWith('networking.istio.io/'))
    to.report('WT0401', [...path, 'apiVersion'], {
      message: 'not an API of ServiceEntries',
      expected: 'networking.istio.io/v1',
    });
  const spec = asRecord(object['spec']);
  const at: Path = [...path, 'spec'];
  checkKnownFields(spec, FIELDS.spec, at, to, (key) => `${key} of a ServiceEntry is not simulated`);
  const hosts = asList(spec['hosts']);
  if (hosts.length === 0)
    to.report('WT0401', 'hosts' in spec ? [...at, 'hosts'] : at, {
      message: 'a ServiceEntry needs hosts',
      expected: 'a list of hosts',
    });
  checkEndpoints(spec, hosts, at, to);
  checkPorts(asList(spec['ports']).map(asRecord), [...at, 'ports'], to);
}

function checkEndpoints(spec: Raw, hosts: readonly unknown[], at: Path, to: RuleReport): void {
  const endpoints = asList(spec['endpoints']);
  const resolution = textOf(spec['resolution'] ?? 'NONE');
  const refuse = (message: string, expected: string): void =>
    to.report('WT0401', [...at, 'endpoints'], { message, expected });
  if (resolution === 'NONE' && endpoints.length > 0)
    refuse('Istio refuses endpoints with the resolution NONE', 'resolution: STATIC or DNS, or no endpoints');
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1)
    refuse('Istio takes at most one endpoint with DNS_ROUND_ROBIN', 'one endpoint, or resolution: DNS');
  if (endpoints.length > 0 && spec['workloadSelector'] !== undefined)
    refuse('Istio refuses endpoints beside a workloadSelector', 'one of them');
  if (resolution.startsWith('DNS') && endpoints.length === 0 && hosts.some((host) => String(host).startsWith('*')))
    to.report('WT0401', [...at, 'hosts'], {
      message: 'a wildcard cannot be looked up in the DNS',
      expected: 'full names, or endpoints',
    });
}

function checkPorts(ports: readonly Raw[], path: Path, to: RuleReport): void {
  const seen = new Set<unknown>();
  for (const [index, { number, name, protocol }] of ports.entries()) {
    const at: Path = [...path, index];
    if (!Number.isInteger(number) || (number as number) < 1 || (number as number) > 65_535)
      to.report('WT0401', [...at, 'number'], { message: 'not a port', expected: 'a whole number from 1 to 65535' });
    if (typeof name !== 'string' || name === '')
      to.report('WT0401', at, { message: 'a port without a name', expected: 'a name' });
    for (const one of [number, name]) {
      if (one !== undefined && seen.has(one))
        to.report('WT0401', at, { message: `a second port ${textOf(one)}`, expected: 'another number and name' });
      seen.add(one);
    }
    if (protocol !== undefined && !PROTOCOLS.includes(textOf(protocol).toUpperCase()))
      to.report('WT0401', [...at, 'protocol'], {
        message: 'no protocol of Istio',
        expected: `one of ${PROTOCOLS.join(', ')}`,
      });
  }
}

/** What is neither text nor number is told of by its type. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : typeof value;
}

/** `http` or `tcp`, as the ports have it; null where they do not say, or differ. */
export function protocolOf(entry: Raw): 'http' | 'tcp' | null {
  const protocols = asList(entry['ports']).map((port) => asRecord(port)['protocol']);
  if (protocols.length === 0 || protocols.some((protocol) => typeof protocol !== 'string')) return null;
  const isHttp = protocols.map((protocol) => HTTP.includes(String(protocol).toUpperCase()));
  if (isHttp.every((one) => one)) return 'http';
  return isHttp.some((one) => one) ? null : 'tcp';
}

function checkProtocol(entry: Raw, external: Raw, path: Path, to: RuleReport): void {
  const seen = protocolOf(entry);
  const stated = external['protocol'] ?? 'http';
  if (seen === null || seen === stated) return;
  to.report('WT0401', path, {
    message: `proxies see these ports as ${seen}, and the external "${String(external['name'])}" is ${textOf(stated)}`,
    expected: `protocol: ${seen} there, or other ports here`,
  });
}

/** Rules of HTTP on hosts of TCP, and subsets, whose labels externals do not have. */
export function checkExternalRules(spec: Raw, to: RuleReport): void {
  const externals = asList(spec['externals']).map(asRecord);
  const names = externals.map(({ name }) => String(name));
  const without = (path: Path, message: string): void => to.unmodelled({ code: 'WT0504', path, message });
  const places: (readonly [unknown, Path])[] = [
    [asRecord(spec['mesh'])['objects'], ['spec', 'mesh', 'objects']],
    ...Object.entries(asRecord(spec['policies'])).map(
      ([name, policy]) =>
        [asRecord(policy)['destinationRules'], ['spec', 'policies', name, 'destinationRules']] as const,
    ),
  ];
  for (const [objects, path] of places) {
    for (const [index, object] of asList(objects).map(asRecord).entries()) {
      const rule = asRecord(object['spec']);
      const at: Path = [...path, index, 'spec'];
      if (object['kind'] === 'VirtualService') {
        const isTcp = asList(rule['hosts']).some((host) => isTcpOf(externals, names, host));
        if (isTcp) without([...at, 'hosts'], 'routes of HTTP have no effect on an external of TCP');
        continue;
      }
      const name = resolveHost(rule['host'], names);
      if (object['kind'] !== 'DestinationRule' || name === null) continue;
      if (rule['subsets'] !== undefined)
        to.unmodelled({
          code: 'WT0502',
          path: [...at, 'subsets'],
          message: 'subsets of an external are not simulated',
        });
      if (isTcpOf(externals, names, name)) checkTcpRule(asRecord(rule['trafficPolicy']), [...at, 'trafficPolicy'], to);
    }
  }
}

function isTcpOf(externals: readonly Raw[], names: readonly string[], host: unknown): boolean {
  const name = resolveHost(host, names);
  return name !== null && externals[names.indexOf(name)]!['protocol'] === 'tcp';
}

function checkTcpRule(policy: Raw, path: Path, to: RuleReport): void {
  const balancer = asRecord(policy['loadBalancer']);
  const notice = (code: 'WT0502' | 'WT0504', at: Path, message: string): void =>
    to.unmodelled({ code, path: [...path, ...at], message });
  if (asRecord(policy['connectionPool'])['http'] !== undefined)
    notice('WT0504', ['connectionPool', 'http'], 'limits of HTTP have no effect on an external of TCP');
  if (policy['retryBudget'] !== undefined)
    notice('WT0504', ['retryBudget'], 'nothing is tried again on an external of TCP');
  if (policy['outlierDetection'] !== undefined)
    notice('WT0502', ['outlierDetection'], 'an external of TCP ejects nobody here; localities have priorities by it');
  for (const key of ['consistentHash', 'warmup', 'warmupDurationSecs'])
    if (balancer[key] !== undefined)
      notice('WT0502', ['loadBalancer', key], `${key} is not simulated for an external of TCP`);
}
