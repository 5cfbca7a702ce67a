/**
 * Do the names of a file fit together? Zones, services, endpoints, nodes, policies and hosts are looked up, shares are
 * summed, pods are held against nodes. Runs on the plain data, so that it finds its part even where the schema has
 * complained about another.
 */
import { checkCalls, endpointNames } from './call-graph.js';
import { checkCluster } from './cluster-references.js';
import type { RuleReport } from './destination-rule.js';
import { specWithNames } from './externals.js';
import { checkFaults, checkRolloutNames } from './fault-references.js';
import { checkLoads } from './load-references.js';
import { localitiesOf } from './localities.js';
import { checkMesh } from './mesh-references.js';
import type { Names } from './names.js';
import { checkNodeScaling } from './nodeScaling.js';
import { checkPolicies } from './policy-references.js';
import { asList, asRecord, type Raw } from './raw.js';
import { checkScheduling } from './scheduling-checks.js';
import { compat } from './schema/run.js';
import { checkExternalRules, checkServiceEntries } from './service-entry.js';
import { checkOutsiders, checkPods, checkServices } from './service-references.js';
import type { Path } from './source.js';
import { checkVersions } from './versions.js';
import { checkAmbientRules, checkWaypoints } from './waypoints.js';
import { checkRollouts } from './workloads.js';

export function checkReferences(file: unknown, to: Pick<RuleReport, 'report' | 'unmodelled'>): void {
  const spec = specWithNames(asRecord(asRecord(file)['spec']));
  const cluster = asRecord(spec['cluster']);
  const services = asList(spec['services']);
  const waypoints = asList(asRecord(spec['mesh'])['waypoints']);
  const endpoints = endpointNames([...services, ...asList(spec['externals'])]);
  const zones = asList(cluster['zones']).filter((zone) => typeof zone === 'string');
  const hasSidecars = asRecord(asRecord(spec['mesh'])['proxy'])['mode'] === 'sidecar';
  const rule: RuleReport = { ...to, zones, localities: localitiesOf(spec, zones), mesh: meshOf(spec) };
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

/** What Istio's objects are held against. One that is no release has been reported by the schema: then the default. */
export function meshOf(spec: Raw): RuleReport['mesh'] {
  const stated = compat.shape.istio.safeParse(asRecord(spec['compat'])['istio']).data;
  return {
    istioMinor: stated ?? compat.shape.istio.parse(undefined),
    selfDiscovery: asRecord(spec['mesh'])['selfDiscovery'] === true,
  };
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
