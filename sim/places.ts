/**
 * Where callers stand, as far as their routes can tell. Callers of one zone have the same routes, unless nodes have
 * subzones (SEMANTICS A3): then those of one locality have. Where a rule compares host names, or a Service prefers the same
 * node (A6, B14), each caller has a route of its own. Which of the three holds is compiled by edge before the run, so that
 * only such edges have the larger tables. `routeRow` leads each caller to its row of them.
 *
 * The widest tables are as wide as those of connections are anyway, whatever the number of nodes: a row for each slot of the
 * calling service. Nodes may come and go, as rows belong to callers.
 */
import { statedLocality, SUBZONE_LABEL } from '../engine/locality-match.js';
import type { NodeSpec, Scenario, Service } from '../scenarios/types.js';
import { HOSTNAME_LABEL } from './cluster/schedulerInput.js';
import type { World } from './world.js';

export const BY_ZONE = 0;
export const BY_LOCALITY = 1;
export const BY_CALLER = 2;

export interface Places {
  /** All that pods may be in, as Istio writes them: the zones, in their order, then those with subzones or by labels. */
  readonly localities: readonly string[];
  /** By edge: whose routes are the same. */
  readonly routesBy: Uint8Array;
}

/** `edges`: services (compiled) that call and are called; the gateways are `services.length`. */
export function compilePlaces(
  scenario: Scenario,
  services: readonly Service[],
  order: readonly number[],
  edges: { readonly sources: readonly number[]; readonly destinations: readonly number[] },
): Places {
  const localities = localitiesOf(scenario, services);
  const byNode = services.map((service, index) => comparesNodes(scenario, service, order[index]!));
  const routesBy = Uint8Array.from(edges.sources, (source, edge) => {
    // Gateways and externals stand on no node.
    if (services[source]?.external !== null) return BY_ZONE;
    if (byNode[edges.destinations[edge]!]) return BY_CALLER;
    return localities.length > scenario.cluster.zones.length ? BY_LOCALITY : BY_ZONE;
  });
  return { localities, routesBy };
}

function localitiesOf({ cluster, mesh }: Scenario, services: readonly Service[]): readonly string[] {
  const zones = cluster.zones.map(({ name }) => name);
  if (mesh.routing.kind === 'kubeProxy') return zones;
  const ofNodes = cluster.nodes.map(({ zone, labels }) => inSubzone(zones[zone]!, labels));
  const ofPools = cluster.pools.flatMap(({ labels }) => labels.map((some, zone) => inSubzone(zones[zone]!, some)));
  const ofServices = services.flatMap((service) => statedLocality(service.labels) ?? []);
  return [...new Set([...zones, ...ofNodes, ...ofPools, ...ofServices])];
}

function inSubzone(zone: string, labels: NodeSpec['labels']): string {
  const subzone = labels[SUBZONE_LABEL] ?? '';
  return subzone === '' ? zone : `${zone}/${subzone}`;
}

/** Where Istio takes a pod of the service to be, by the number of the locality. */
export function localityOfPod({ scenario, places }: World['program'], service: Service, node: NodeSpec): number {
  const zone = scenario.cluster.zones[node.zone]!.name;
  if (scenario.mesh.routing.kind === 'kubeProxy') return node.zone;
  return places.localities.indexOf(statedLocality(service.labels) ?? inSubzone(zone, node.labels));
}

/** Whether some rule that may hold for the service looks at the caller's node. One that is found too often costs room alone. */
function comparesNodes({ mesh, policies }: Scenario, service: Service, declared: number): boolean {
  if (service.trafficDistribution === 'PreferSameNode') return true;
  if (mesh.routing.kind === 'kubeProxy') return false;
  const host = service.versionOf ?? declared;
  const rules = [mesh, ...policies].flatMap(({ destinationRules }) =>
    destinationRules.filter((rule) => rule.service === host).map(({ object }) => object?.spec),
  );
  return JSON.stringify([mesh.localityLbSetting, mesh.zoneAwareLbSetting, ...rules]).includes(HOSTNAME_LABEL);
}
