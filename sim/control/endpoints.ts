/**
 * From the endpoints that the API has to the routes that the proxies have: a change of pods or rules reaches every proxy
 * after the propagation time, unless Istiod is down.
 */
import type { EndpointHints } from '../cluster/kubeProxy.js';
import { topologyHints } from '../cluster/topologyHints.js';
import type { RouteEndpoint } from '../mesh/locality.js';
import type { Spec } from '../mesh/localitySetting.js';
import { ruleOfVersion } from '../mesh/subsets.js';
import { refreshOutliers } from '../outliers.js';
import { sendsNotReady, writeRoutes } from '../routes.js';
import { externalEndpoints } from './externals.js';
import type { Sim, SimPod } from './state.js';

/** Rewrites the routes of a service once a change of now has reached the proxies. */
export function planRoutes(sim: Sim, serviceIndex: number, nowUs: number): void {
  sim.calendar.at(nowUs + propagationUs(sim), (laterUs) => {
    if (sim.outages.istiodDown) sim.outages.changedRoutes.add(serviceIndex);
    else applyRoutes(sim, serviceIndex, laterUs);
  });
}

/** The DestinationRule in force for a service: that of its host, as its subset has it. */
export function ruleSpecOf(sim: Sim, serviceIndex: number): Spec | null {
  const { services, indexOf } = sim.world.program;
  const { versionOf, labels } = services[serviceIndex]!;
  const rule = sim.rules[versionOf === null ? serviceIndex : indexOf[versionOf]!];
  return ruleOfVersion(rule?.spec ?? null, labels);
}

/** Rules of a host have changed: its own routes and those of its further versions follow. */
export function planHostRoutes(sim: Sim, serviceIndex: number, nowUs: number): void {
  const { services, order } = sim.world.program;
  planRoutes(sim, serviceIndex, nowUs);
  for (const [index, { versionOf }] of services.entries())
    if (versionOf === order[serviceIndex]) planRoutes(sim, index, nowUs);
}

export function applyRoutes(sim: Sim, serviceIndex: number, nowUs: number): void {
  const endpoints: RouteEndpoint[] = externalEndpoints(sim, serviceIndex) ?? [];
  const withNotReady = sendsNotReady(sim.world, serviceIndex);
  for (const workload of sim.workloads) {
    if (workload.service !== serviceIndex) continue;
    for (const pod of workload.pods) {
      const seen = nowUs - pod.endpointChangedUs >= propagationUs(sim) ? pod.endpoint : !pod.endpoint;
      if (pod.slot < 0 || !pod.node) continue;
      if (!seen && !(withNotReady && pod.deletedUs === null && isKnown(sim, pod, nowUs))) continue;
      const zone = sim.world.program.scenario.cluster.zones[pod.node.spec.zone]!.name;
      endpoints.push({ index: pod.slot, zone, node: pod.node.spec.name, healthy: seen });
    }
  }
  endpoints.sort((a, b) => a.index - b.index);
  const version = (sim.routeVersion[serviceIndex] = sim.routeVersion[serviceIndex]! + 1);
  const destinationRule = ruleSpecOf(sim, serviceIndex);
  const hints = hintsOf(sim, serviceIndex, endpoints);
  writeRoutes(sim.world, { service: serviceIndex, endpoints, destinationRule, hints, version });
  refreshOutliers(sim.world, serviceIndex);
}

/** A pod has an address from its start on, and the proxies know it a little later. */
function isKnown(sim: Sim, pod: SimPod, nowUs: number): boolean {
  return pod.startedUs !== null && nowUs - pod.startedUs >= propagationUs(sim);
}

/** The hints of the EndpointSlice controller, from the nodes that are ready now. */
function hintsOf(
  sim: Sim,
  serviceIndex: number,
  endpoints: readonly RouteEndpoint[],
): ReadonlyMap<string, EndpointHints> {
  const { program } = sim.world;
  const { cluster, compat } = program.scenario;
  const nodes = sim.nodes.map(({ spec, ready }) => ({
    zone: cluster.zones[spec.zone]!.name,
    cpuMillicores: spec.cpuMillicores,
    ready,
    controlPlane: false,
  }));
  const named = endpoints.map(({ index, zone, node, healthy }) => ({
    name: `${index}`,
    zone,
    node,
    ready: healthy,
    serving: healthy,
    terminating: false,
  }));
  return topologyHints(program.services[serviceIndex]!, named, nodes, compat.kubernetesMinor).hints;
}

/** From a change until the proxies have it. */
export function propagationUs(sim: Sim): number {
  return sim.world.program.scenario.mesh.propagationUs;
}
