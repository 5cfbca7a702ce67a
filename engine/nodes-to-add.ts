/**
 * On which nodes a new replica may go, before anybody asks which of them is nearest. Spread first: until `maxZones` zones
 * hold a replica, only zones without one (all of them that have room). After that the zones that hold replicas, as long
 * as the new one would not leave its zone more than `maxZoneSkew` above the emptiest of them with room; fewest first.
 * When none of them has room, any zone with room: a pod that runs elsewhere beats one that does not run.
 * Within a zone, nodes without a replica come alone if there are any: losing one node should cost one replica.
 */
import type { ResourceAmounts } from './types.js';

export interface RoomyNode {
  readonly name: string;
  readonly zone: string;
  readonly allocatable: ResourceAmounts;
  readonly requested: ResourceAmounts;
  readonly free: ResourceAmounts;
}

export interface SpreadSettings {
  /** Zones over which replicas are spread, 1 or more. */
  readonly maxZones: number;
  /** Replicas that a zone may hold more than the emptiest candidate zone. */
  readonly maxZoneSkew: number;
}

/**
 * @param input `zones`: node names by zone; `nodes`: only those with room for the replica
 * @returns node names, emptier zones first, then in the order given; empty when no listed zone has a node with room
 */
export function candidateNodesToAdd(input: {
  readonly zones: Readonly<Record<string, readonly string[]>>;
  readonly pods: readonly { readonly name: string; readonly node: string }[];
  readonly nodes: readonly RoomyNode[];
  readonly settings: SpreadSettings;
}): string[] {
  const replicasOnNode = new Map<string, number>();
  for (const { node } of input.pods) replicasOnNode.set(node, (replicasOnNode.get(node) ?? 0) + 1);
  const roomy = new Map(input.nodes.map((node) => [node.name, node]));
  const zones = zonesOnce(input.zones).map(([name, nodes]) => ({
    name,
    replicas: nodes.reduce((sum, node) => sum + (replicasOnNode.get(node) ?? 0), 0),
    roomy: nodes.flatMap((node) => roomy.get(node) ?? []),
  }));
  return eligibleNodes(zones, replicasOnNode, input.settings).nodes.map(({ name }) => name);
}

/** A node that is listed again, in its zone or in another, stays where it was first. */
export function zonesOnce(zones: Readonly<Record<string, readonly string[]>>): [string, string[]][] {
  const placed = new Set<string>();
  return Object.entries(zones).map(([name, nodes]) => [
    name,
    nodes.filter((node) => !placed.has(node) && placed.add(node)),
  ]);
}

export interface ZoneRoom<Node> {
  readonly name: string;
  readonly replicas: number;
  readonly roomy: readonly Node[];
}

export type SpreadRule = 'freshZone' | 'withinSkew' | 'anyZone';

/** The same on prepared zones, with the rule that chose them and the zones it left out. */
export function eligibleNodes<Node extends { readonly name: string }>(
  zones: readonly ZoneRoom<Node>[],
  replicasOnNode: ReadonlyMap<string, number>,
  settings: SpreadSettings,
): { nodes: Node[]; rule: SpreadRule; leftOut: { zone: string; reason: string }[] } {
  const { rule, chosen } = chooseZones(zones, settings);
  const nodes = chosen.flatMap((zone) => {
    const without = zone.roomy.filter(({ name }) => !replicasOnNode.has(name));
    return without.length > 0 ? without : zone.roomy;
  });
  const kept = new Set(chosen);
  const leftOut = zones
    .filter((zone) => !kept.has(zone))
    .map((zone) => ({ zone: zone.name, reason: whyLeftOut(zone, rule, settings) }));
  return { nodes, rule, leftOut };
}

function chooseZones<Node>(
  zones: readonly ZoneRoom<Node>[],
  settings: SpreadSettings,
): { rule: SpreadRule; chosen: ZoneRoom<Node>[] } {
  const withRoom = zones.filter(({ roomy }) => roomy.length > 0);
  const fresh = withRoom.filter(({ replicas }) => replicas === 0);
  const covered = zones.filter(({ replicas }) => replicas > 0).length;
  if (covered < settings.maxZones && fresh.length > 0) return { rule: 'freshZone', chosen: fresh };

  const held = withRoom.filter(({ replicas }) => replicas > 0);
  if (held.length === 0) return { rule: 'anyZone', chosen: withRoom };
  const emptiest = held.reduce((least, { replicas }) => Math.min(least, replicas), Infinity);
  const allowed = held.filter(
    ({ replicas }) => replicas === emptiest || replicas + 1 - emptiest <= settings.maxZoneSkew,
  );
  return { rule: 'withinSkew', chosen: allowed.sort((a, b) => a.replicas - b.replicas) };
}

function whyLeftOut<Node>(zone: ZoneRoom<Node>, rule: SpreadRule, settings: SpreadSettings): string {
  if (zone.roomy.length === 0) return 'no node has room';
  if (rule === 'freshZone')
    return `holds ${zone.replicas} already and fewer than ${settings.maxZones} zones are covered`;
  if (zone.replicas === 0) return `${settings.maxZones} zones are covered and those have room`;
  return `one more than ${zone.replicas} would pass the skew of ${settings.maxZoneSkew}`;
}
