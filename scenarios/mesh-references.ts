/**
 * The mesh of a file: which service each rule speaks of, so that no two speak of one, and what there is only with a mesh,
 * or only without.
 */
import { checkMeshObject, resolveHost } from './destination-rule.js';
import { checkLocalityLbSetting } from './locality-setting.js';
import type { Names } from './names.js';
import { didYouMean } from './problems.js';
import { ZTUNNEL_PRESETS } from './proxy-presets.js';
import { asList, asRecord, isObject, own, reportDuplicates, type Raw } from './raw.js';
import type { Path } from './source.js';
import { checkVirtualService, placesOf } from './virtual-service.js';
import { checkZoneAwareLbSetting } from './zone-aware-setting.js';

/** Names of the rules by service, for the policies that replace them. */
export type RulesByService = ReadonlyMap<string, string>;

export function checkMesh(mesh: Raw, names: Names): RulesByService {
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

function checkMeshZoneAware(mesh: Raw, isPerConnection: boolean, names: Names): void {
  const path: Path = ['spec', 'mesh', 'zoneAwareLbSetting'];
  if (mesh['zoneAwareLbSetting'] === undefined) return;
  if (isPerConnection)
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
export function checkRules(
  objects: readonly unknown[],
  path: Path,
  inherited: RulesByService,
  names: Names,
): RulesByService {
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
