/**
 * From the endpoints that the API has to the routes that the proxies have. A change of pods or rules reaches every proxy
 * after the propagation time; with debounce Istiod first gathers what else changes, and one push carries all of it
 * (sim/mesh/debounce.ts). While Istiod is down nothing reaches them.
 */
import type { EndpointHints } from '../cluster/kubeProxy.js';
import { topologyHints } from '../cluster/topologyHints.js';
import { firstLookUs, nextLookUs, type Batch, type Debounce } from '../mesh/debounce.js';
import type { RouteEndpoint } from '../mesh/locality.js';
import type { Spec } from '../mesh/localitySetting.js';
import { ruleOfSubset, ruleOfVersion } from '../mesh/subsets.js';
import { refreshOutliers } from '../outliers.js';
import { hostOf, membersOf, poolsWith } from '../pools.js';
import { balancesZones, knowsCallers, proxyEndpoints, sendsNotReady, versionsOf, writeRoutes } from '../routes.js';
import type { World } from '../world.js';
import { externalEndpoints } from './externals.js';
import type { Sim, SimPod } from './state.js';

/** Rewrites the routes of a service once a change at `atUs`, now or later, has reached the proxies. */
export function planRoutes(sim: Sim, serviceIndex: number, atUs: number): void {
  const { debounce, propagationUs } = sim.world.program.scenario.mesh;
  if (debounce === null) {
    sim.calendar.at(atUs + propagationUs, (laterUs) => {
      if (sim.outages.istiodDown) sim.outages.changedRoutes.add(serviceIndex);
      else applyRoutes(sim, serviceIndex, laterUs - propagationUs);
    });
  } else if (atUs > sim.world.nowUs) sim.calendar.at(atUs, (nowUs) => gather(sim, serviceIndex, nowUs, debounce));
  else gather(sim, serviceIndex, atUs, debounce);
}

/** Changes that wait for Istiod's next push. */
export interface Gathered {
  batch: Batch | null;
  readonly services: Set<number>;
}

function gather(sim: Sim, serviceIndex: number, nowUs: number, debounce: Debounce): void {
  const { gathered } = sim;
  gathered.services.add(serviceIndex);
  const isFirst = gathered.batch === null;
  gathered.batch = { firstUs: gathered.batch?.firstUs ?? nowUs, lastUs: nowUs };
  if (isFirst) lookAt(sim, firstLookUs(gathered.batch, debounce), debounce);
}

function lookAt(sim: Sim, lookUs: number, debounce: Debounce): void {
  // Behind what is already planned for that moment: those changes are in time for the push.
  sim.calendar.at(lookUs, (nowUs) => sim.calendar.at(nowUs, () => look(sim, nowUs, debounce)));
}

function look(sim: Sim, nowUs: number, debounce: Debounce): void {
  const { gathered, outages } = sim;
  const nextUs = nextLookUs(gathered.batch!, nowUs, debounce);
  if (nextUs !== null) return lookAt(sim, nextUs, debounce);
  const services = [...gathered.services];
  gathered.batch = null;
  gathered.services.clear();
  for (const service of services) {
    if (outages.istiodDown) outages.changedRoutes.add(service);
    else sim.calendar.at(nowUs + sim.world.program.scenario.mesh.propagationUs, () => applyRoutes(sim, service, nowUs));
  }
}

/** The DestinationRule in force for a service or a pool: that of its host, as its subset has it. */
export function ruleSpecOf(sim: Sim, serviceIndex: number): Spec | null {
  const { services, indexOf, firstPool, pools } = sim.world.program;
  const pool = pools[serviceIndex - firstPool];
  if (pool !== undefined) {
    const spec = sim.rules[pool.host]?.spec ?? null;
    return pool.subset === null ? spec : ruleOfSubset(spec, pool.subset);
  }
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

/** Gives the proxies the routes of a service, and of the pools with its pods, from what the API had at `asOfUs`. */
export function applyRoutes(sim: Sim, serviceIndex: number, asOfUs: number): void {
  const { program } = sim.world;
  for (const destination of [serviceIndex, ...poolsWith(program, serviceIndex)])
    applyRoutesTo(sim, destination, asOfUs);
  followCallers(sim.world, versionsOf(program, serviceIndex));
}

/** What the proxies know at the start. */
export function applyFirstRoutes(sim: Sim): void {
  const { program } = sim.world;
  for (let service = 0; service < program.serviceCount; service++) {
    applyRoutesTo(sim, service, 0);
    followCallers(sim.world, versionsOf(program, service));
  }
  program.pools.forEach((_, i) => applyRoutesTo(sim, program.firstPool + i, 0));
}

function applyRoutesTo(sim: Sim, destination: number, asOfUs: number): void {
  const { program, podLocality } = sim.world;
  const members = membersOf(program, destination);
  const endpoints: RouteEndpoint[] = externalEndpoints(sim, hostOf(program, destination)) ?? [];
  const withNotReady = sendsNotReady(sim.world, destination);
  for (const workload of sim.workloads) {
    if (!members.includes(workload.service)) continue;
    for (const pod of workload.pods) {
      const seen = asOfUs >= pod.endpointChangedUs ? pod.endpoint : !pod.endpoint;
      if (pod.slot < 0 || !pod.node) continue;
      if (!seen && !(withNotReady && pod.deletedUs === null && isKnown(pod, asOfUs))) continue;
      const zone = program.scenario.cluster.zones[pod.node.spec.zone]!.name;
      const locality = program.places.localities[podLocality[pod.slot]!]!;
      endpoints.push({ index: pod.slot, zone, locality, node: pod.node.spec.name, healthy: seen });
    }
  }
  endpoints.sort((a, b) => a.index - b.index);
  const version = (sim.routeVersion[destination] = sim.routeVersion[destination]! + 1);
  const destinationRule = ruleSpecOf(sim, destination);
  const hints = hintsOf(sim, destination, endpoints);
  writeRoutes(sim.world, { service: destination, endpoints, destinationRule, hints, version });
  refreshOutliers(sim.world, destination);
}

/** Where proxies look at their own siblings (A11), a change among these is felt in the routes to what they call. */
export function followCallers(world: World, callers: readonly number[]): void {
  if (!knowsCallers(world)) return;
  const { program, routeInputs } = world;
  const called = new Set<number>();
  for (let edge = 0; edge < program.edgeCount; edge++)
    if (callers.includes(program.edgeSource[edge]!)) called.add(program.edgeDestination[edge]!);
  for (const service of called) {
    const input = routeInputs[service];
    if (!input || !balancesZones(world, input)) continue;
    writeRoutes(world, input);
    refreshOutliers(world, service);
  }
}

/** A pod has an address from its start on. */
function isKnown(pod: SimPod, asOfUs: number): boolean {
  return pod.startedUs !== null && asOfUs >= pod.startedUs;
}

/** The hints of the EndpointSlice controller, from the nodes that are ready now. */
function hintsOf(
  sim: Sim,
  destination: number,
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
  const named = proxyEndpoints(endpoints);
  return topologyHints(program.services[hostOf(program, destination)]!, named, nodes, compat.kubernetesMinor).hints;
}

/** From a change until the proxies have it, while nothing else changes. */
export function propagationUs(sim: Sim): number {
  const { debounce, propagationUs } = sim.world.program.scenario.mesh;
  return (debounce?.quietUs ?? 0) + propagationUs;
}

/** The same at most, while changes follow one another. */
export function longestPropagationUs(sim: Sim): number {
  return propagationUs(sim) + (sim.world.program.scenario.mesh.debounce?.maxUs ?? 0);
}
