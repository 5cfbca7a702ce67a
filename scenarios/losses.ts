/**
 * Which losses to try on a scenario, and the scenario of each: every zone, every node, every pair of nodes that hold pods
 * of some services, and the zones that a route names (the black-hole drill). Each loss stands alone: the scenario's own faults are left out, its load is kept as it is.
 *
 * Nodes of one pool and zone that hold the same services equally often at the start are alike: what is lost with one is
 * what is lost with the other. They are tried once, and the others are named. A pair is alike to another when its nodes are.
 */
import type { Decision } from '../engine/types.js';
import { matchesLocality } from '../engine/locality-match.js';
import { resolveHost } from './destination-rule.js';
import type { Fault, Scenario } from './types.js';

export interface LossWish {
  readonly zones: boolean;
  readonly nodes: boolean;
  /** Pairs of nodes with pods of these services (positions); empty: no pairs. */
  readonly pairsOf: readonly number[];
  /** For each service with a `distribute` route: the zones that the route names, while the engine is dead. */
  readonly blackHoles: boolean;
}

export interface Loss {
  readonly kind: 'zone' | 'node' | 'pair' | 'blackHole';
  readonly name: string;
  /** The losses that this one stands for, itself first. */
  readonly alike: readonly string[];
  readonly zones: readonly number[];
  readonly nodes: readonly number[];
  /** Of a black hole, whose zones are lost for this service alone; else null. */
  readonly service: number | null;
}

/** Services (positions) of the pods on each node at the start, one entry a pod. */
export type Placement = readonly (readonly number[])[];

/** Normal running before the loss: what the figures after it are compared with. */
export const BEFORE_LOSS_US = 60_000_000;
/** A node's pods are replaced about 350 s after its loss (50 s grace, 300 s toleration): some time to start is left. */
export const AFTER_LOSS_US = 420_000_000;
/** Short enough to say when things were well again, long enough for a p95 from 20 requests/s on. */
const STEP_US = 10_000_000;

export function planLosses(scenario: Scenario, placement: Placement, wish: LossWish): readonly Loss[] {
  const { zones, nodes } = scenario.cluster;
  const classOf = nodes.map(({ pool, zone }, node) =>
    JSON.stringify([pool, zone, [...(placement[node] ?? [])].sort((a, b) => a - b)]),
  );
  const singles = nodes.map((_, node) => [node]);
  const losses: Loss[] = [];
  if (wish.zones) {
    zones.forEach(({ name }, zone) =>
      losses.push({
        kind: 'zone',
        name: `zone ${name}`,
        alike: [`zone ${name}`],
        zones: [zone],
        nodes: [],
        service: null,
      }),
    );
  }
  if (wish.nodes) losses.push(...onceOfEach(scenario, classOf, singles));
  const holders = singles.flat().filter((node) => placement[node]?.some((service) => wish.pairsOf.includes(service)));
  const pairs = holders.flatMap((first, i) => holders.slice(i + 1).map((second) => [first, second]));
  return [...losses, ...onceOfEach(scenario, classOf, pairs)];
}

/** The scenario of one loss, or of none: the same seconds without it, to compare with. */
export function lossScenario(scenario: Scenario, loss: Loss | null, forUs: number | null): Scenario {
  const atUs = lossAtUs(scenario);
  const faults: Fault[] = [
    ...(loss?.kind === 'zone' ? loss.zones : []).map((zone): Fault => ({ kind: 'zoneOutage', zone, atUs, forUs })),
    ...(loss?.nodes ?? []).map((node): Fault => ({ kind: 'nodeLoss', node, atUs, forUs })),
  ];
  const run = { ...scenario.run, durationUs: BEFORE_LOSS_US + AFTER_LOSS_US, seriesUs: STEP_US };
  return { ...scenario, faults, rollouts: [], run };
}

export function lossAtUs({ run }: Scenario): number {
  return run.warmUpUs + BEFORE_LOSS_US;
}

/** A rule in force when the loss comes: as the policy has it, or as the engine has written it. */
export interface WrittenRoute {
  readonly service: number;
  readonly localityLbSetting: unknown;
}

/** The routes at the time of the loss: those of the mesh and the policy, and over them what the engine has decided. */
export function routesInForce(scenario: Scenario, policy: number, decided: readonly Decision[]): WrittenRoute[] {
  const rules = new Map(scenario.mesh.destinationRules.map(({ service, object }) => [service, object]));
  for (const { service, object } of scenario.policies[policy]!.destinationRules) {
    if (object === null) rules.delete(service);
    else rules.set(service, object);
  }
  const settings = new Map<number, unknown>();
  for (const [service, { spec }] of rules) {
    const trafficPolicy = (spec['trafficPolicy'] ?? {}) as { loadBalancer?: { localityLbSetting?: unknown } };
    settings.set(service, trafficPolicy.loadBalancer?.localityLbSetting ?? scenario.mesh.localityLbSetting);
  }
  const names = scenario.services.map(({ name }) => name);
  for (const decision of decided) {
    const host = decision.kind === 'setRoute' ? resolveHost(decision.host, names) : null;
    if (decision.kind === 'setRoute' && host !== null) settings.set(names.indexOf(host), decision.localityLbSetting);
  }
  return names.flatMap((_, service) =>
    settings.has(service) ? [{ service, localityLbSetting: settings.get(service) }] : [],
  );
}

/** One for each service and set of zones that some entry of its `distribute` names. */
export function planBlackHoles({ cluster, services }: Scenario, routes: readonly WrittenRoute[]): Loss[] {
  const losses = new Map<string, Loss>();
  for (const { service, localityLbSetting } of routes) {
    const setting = (localityLbSetting ?? {}) as { enabled?: boolean; distribute?: readonly DistributeEntry[] };
    if (setting.enabled === false) continue;
    for (const { from, to } of setting.distribute ?? []) {
      if (!cluster.zones.some((zone) => matchesLocality(withoutSubzone(from), zone.name))) continue;
      const zones = cluster.zones.flatMap((zone, i) =>
        Object.keys(to).some((key) => matchesLocality(withoutSubzone(key), zone.name)) ? [i] : [],
      );
      if (zones.length === 0) continue;
      const all = zones.length === cluster.zones.length;
      const where = all ? 'all' : zones.map((i) => cluster.zones[i]!.name).join(', ');
      const name = `black hole ${services[service]!.name}: ${where}`;
      losses.set(name, { kind: 'blackHole', name, alike: [name], zones, nodes: [], service });
    }
  }
  return [...losses.values()];
}

/** A zone is lost as a whole. */
function withoutSubzone(locality: string): string {
  return locality.split('/').slice(0, 2).join('/');
}

interface DistributeEntry {
  readonly from: string;
  readonly to: Readonly<Record<string, number>>;
}

/** Mean requests/s of all loads over the measured part: an error budget is a share of the month's requests. */
export function meanRatePerSecond({ loads, run }: Scenario): number {
  const endUs = run.warmUpUs + run.durationUs;
  let requests = 0;
  for (const { rate } of loads) {
    const points = [...rate, { atUs: Math.max(endUs, rate.at(-1)!.atUs), perSecond: rate.at(-1)!.perSecond }];
    for (let i = 1; i < points.length; i++) {
      const [left, right] = [points[i - 1]!, points[i]!];
      const fromUs = Math.max(left.atUs, run.warmUpUs);
      const toUs = Math.min(right.atUs, endUs);
      if (toUs <= fromUs) continue;
      const slope = (right.perSecond - left.perSecond) / (right.atUs - left.atUs);
      const middleUs = (fromUs + toUs) / 2;
      requests += (left.perSecond + slope * (middleUs - left.atUs)) * (toUs - fromUs);
    }
  }
  return requests / run.durationUs;
}

function onceOfEach(scenario: Scenario, classOf: readonly string[], sets: readonly (readonly number[])[]): Loss[] {
  const groups = new Map<string, (readonly number[])[]>();
  for (const nodes of sets) {
    const key = nodes
      .map((node) => classOf[node]!)
      .sort()
      .join('\n');
    groups.set(key, [...(groups.get(key) ?? []), nodes]);
  }
  const nameOf = (nodes: readonly number[]): string =>
    nodes.map((node) => `node ${scenario.cluster.nodes[node]!.name}`).join(' + ');
  return [...groups.values()].map((group) => ({
    kind: group[0]!.length === 1 ? 'node' : 'pair',
    name: nameOf(group[0]!),
    alike: group.map(nameOf),
    zones: [],
    nodes: group[0]!,
    service: null,
  }));
}
