/**
 * From which node a replica should go: spread is kept by taking from the zones that hold most replicas, room is made
 * where it is scarce by taking, among those, from the node with least free (processor time or memory as the metric says;
 * for `cpu-memory` the weighted mean of the free fractions, so that millicores and bytes are never added up). Only nodes
 * that hold a replica count. Ties go to the earlier node.
 */
import { zonesOnce, type RoomyNode } from './nodes-to-add.js';
import { normalizedWeights } from './target-distribution.js';
import type { UtilizationMetric } from './types.js';

export interface RemovalSettings {
  readonly metric: UtilizationMetric;
  readonly cpuWeight: number;
  readonly memoryWeight: number;
}

/**
 * @param input `zones`: node names by zone; `nodes`: figures of the nodes, a node without figures is passed over
 * @returns the node and why, or null and why not; never throws, never changes its input
 */
export function nodeToRemoveFrom(input: {
  readonly zones: Readonly<Record<string, readonly string[]>>;
  readonly pods: readonly { readonly name: string; readonly node: string }[];
  readonly nodes: readonly RoomyNode[];
  readonly settings: RemovalSettings;
}): { node: string; reason: string } | { node: null; reason: string } {
  const replicas = new Map<string, number>();
  for (const { node } of input.pods) replicas.set(node, (replicas.get(node) ?? 0) + 1);
  const figures = new Map(input.nodes.map((node) => [node.name, node]));

  const zones = zonesOnce(input.zones).map(([name, nodes]) => ({
    name,
    holders: nodes.filter((node) => replicas.has(node)),
    replicas: nodes.reduce((sum, node) => sum + (replicas.get(node) ?? 0), 0),
  }));
  const most = zones.reduce((top, zone) => Math.max(top, zone.replicas), 0);
  if (most === 0) return { node: null, reason: 'no node of the listed zones holds a replica' };

  let best: { node: string; zone: string; free: number } | null = null;
  for (const zone of zones) {
    if (zone.replicas < most) continue;
    for (const name of zone.holders) {
      const node = figures.get(name);
      if (!node) continue;
      const free = freeScore(node, input.settings);
      if (Number.isNaN(free)) continue;
      if (best === null || free < best.free) best = { node: name, zone: zone.name, free };
    }
  }
  if (best === null) return { node: null, reason: 'no figures for the nodes that hold a replica in the fullest zones' };
  const unit = { cpu: 'millicores', memory: 'bytes', 'cpu-memory': 'of its capacity' }[input.settings.metric];
  const free = input.settings.metric === 'cpu-memory' ? best.free.toFixed(2) : String(best.free);
  return { node: best.node, reason: `zone ${best.zone} holds most replicas (${most}); least free: ${free} ${unit}` };
}

function freeScore(node: RoomyNode, settings: RemovalSettings): number {
  if (settings.metric === 'cpu') return node.free.cpuMillicores;
  if (settings.metric === 'memory') return node.free.memoryBytes;
  const weights = normalizedWeights(settings);
  return (
    weights.cpu * fraction(node.free.cpuMillicores, node.allocatable.cpuMillicores) +
    weights.memory * fraction(node.free.memoryBytes, node.allocatable.memoryBytes)
  );
}

function fraction(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
