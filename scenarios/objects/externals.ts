/**
 * ServiceEntries as externals of the scenario: the entry knows the host, the protocol and perhaps the zones of the
 * endpoints; how far away it is and how long it works on a request is asked for.
 */
import type { RuleReport } from '../destination-rule.js';
import { resolveHost } from '../destination-rule.js';
import { meshOf } from '../references.js';
import type { Problem } from '../problems.js';
import { asList, asRecord } from '../raw.js';
import { checkServiceEntry, protocolOf } from '../service-entry.js';
import type { Ledger } from './ledger.js';
import { uniqueName } from './nodes.js';
import type { KubeObject, Raw } from './read.js';
import type { ImportedService } from './services.js';

export interface ImportedExternal {
  readonly name: string;
  readonly host: string;
  readonly object: KubeObject;
  /** Null: the ports do not say. */
  readonly protocol: 'http' | 'tcp' | null;
  /** Endpoints by zone; null: no endpoint says its locality. */
  readonly zones: Readonly<Record<string, number>> | null;
}

/** One for each host that is no service of the cluster; a ServiceEntry with several hosts makes several. */
export function readExternals(
  objects: readonly KubeObject[],
  services: readonly ImportedService[],
  zones: readonly string[],
  ledger: Ledger,
  problems: Problem[],
): readonly ImportedExternal[] {
  const found: ImportedExternal[] = [];
  const taken = new Set(services.map(({ name }) => name));
  for (const object of objects.filter(({ kind }) => kind === 'ServiceEntry')) {
    const rule: RuleReport = {
      ...{ zones, localities: zones },
      mesh: meshOf({}),
      report: (code, path, detail) => void problems.push(object.problem(code, path, detail)),
      unmodelled: ({ message }) => ledger.note(object, message),
    };
    checkServiceEntry(object.value, [], rule);
    const spec = asRecord(object.value['spec']);
    const reason = reasonAgainst(spec, services, found);
    if (reason !== null) {
      ledger.leaveOut(object, reason);
      continue;
    }
    ledger.use(object);
    for (const host of asList(spec['hosts'])) {
      const name = uniqueName(String(host), 'external', taken);
      found.push({
        ...{ name, object, host: String(host) },
        protocol: protocolOf(spec),
        zones: zonesOf(spec, zones),
      });
    }
  }
  return found;
}

function reasonAgainst(
  spec: Raw,
  services: readonly ImportedService[],
  before: readonly ImportedExternal[],
): string | null {
  const hosts = asList(spec['hosts']).map(String);
  if (spec['workloadSelector'] !== undefined) return 'it selects workloads, which are no external service';
  if (hosts.some((host) => host.includes('*'))) return 'a wildcard stands for no one service';
  const names = services.map(({ name }) => name);
  if (hosts.some((host) => resolveHost(host, names) !== null)) return 'its host is a service of the cluster';
  if (hosts.some((host) => before.some((one) => one.host === host))) return 'an earlier ServiceEntry has the same host';
  return null;
}

/** Localities are region/zone/subzone. */
function zonesOf(spec: Raw, zones: readonly string[]): ImportedExternal['zones'] {
  const counts: Record<string, number> = {};
  for (const endpoint of asList(spec['endpoints']).map(asRecord)) {
    const { locality } = endpoint;
    const zone = typeof locality === 'string' ? locality.split('/').slice(0, 2).join('/') : '';
    if (zones.includes(zone)) counts[zone] = (counts[zone] ?? 0) + 1;
  }
  return Object.keys(counts).length === 0 ? null : counts;
}
