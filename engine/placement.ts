/**
 * Chooses the node of one new replica: spread first (`nodes-to-add.ts`), then, among the nodes left, the nearest to the
 * workload's neighbours (`score-placement.ts`); nodes that are equally near, or all of them where nobody calls the
 * workload, by least used: requested processor time or memory in absolute terms as the metric says, for `cpu-memory`
 * the weighted mean of the requested fractions. A node has room when the pod's requests fit into what is not yet
 * requested, the scheduler's own rule. The room is taken at once, so that the next choice of the same step sees it.
 */
import {
  addReplica,
  nameKey,
  type ClusterView,
  type NodeView,
  type ReplicaCounts,
  type WorkloadView,
} from './cluster-view.js';
import { zoneChooser, type ZoneChoice } from './model/place.js';
import { eligibleNodes, type SpreadRule } from './nodes-to-add.js';
import type { Location } from './round-trips.js';
import { compareScores, placementScorer, type LocatedNeighbour } from './score-placement.js';
import { normalizedWeights } from './target-distribution.js';
import type { EngineConfig, Rejected, ResourceAmounts } from './types.js';

export interface Choice {
  readonly node: NodeView;
  readonly rule: SpreadRule;
  /** Milliseconds under weightedSum; null where the workload has no neighbours and least used decided. */
  readonly score: number | null;
  readonly rejected: readonly Rejected[];
  /** What decided between zones where the model-based rule did; null: nearness. */
  readonly byModel: ZoneChoice | null;
}

/** Requests of one pod, 0 where none is stated. */
export function podNeed(requests: {
  readonly cpuMillicores: number | null;
  readonly memoryBytes: number | null;
}): ResourceAmounts {
  return { cpuMillicores: requests.cpuMillicores ?? 0, memoryBytes: requests.memoryBytes ?? 0 };
}

/** A chooser for the replicas of one workload; `counts` and the nodes' free room change with every choice. */
export function placer(
  view: ClusterView,
  workload: WorkloadView,
  counts: ReplicaCounts,
  config: EngineConfig,
): (need: ResourceAmounts) => Choice | null {
  const neighbours = neighboursOf(view, workload);
  const rule = config.scaler.placementRule;
  // The weighted sum does not depend on who else is a candidate, the older rule does.
  const chooseZone = zoneChooser(view, workload, config);
  const shared = rule === 'weightedSum' ? placementScorer(neighbours, view.trips, rule, []) : null;

  return (need) => {
    const zones = [...view.zones.values()].map((zone) => ({
      name: zone.name,
      replicas: counts.byZone.get(zone.name) ?? 0,
      roomy: zone.nodes.filter((node) => hasRoom(node, need)),
    }));
    const { nodes: eligible, rule: spreadRule, leftOut } = eligibleNodes(zones, counts.byNode, config.scaler);
    if (eligible.length === 0) return null;
    const byModel = chooseZone?.([...new Set(eligible.map(({ zone }) => zone))], counts.byZone, 1) ?? null;
    const nodes = byModel === null ? eligible : eligible.filter(({ zone }) => zone === byModel.zone);
    const locations: Location[] = shared ? [] : nodes.map(({ name, zone }) => ({ node: name, zone }));
    const score = shared ?? placementScorer(neighbours, view.trips, rule, locations);

    const { best, runnersUp } = bestOf(nodes, score, config);
    const scored = neighbours.length > 0;
    take(best.node, need);
    addReplica(counts, best.node, 1);
    return {
      node: best.node,
      rule: spreadRule,
      score: scored ? best.score : null,
      byModel,
      rejected: [
        ...dearerZones(byModel),
        ...leftOut.slice(0, RIVALS_NAMED).map(({ zone, reason }) => ({ candidate: zone, reason, score: null })),
        ...runnersUp.map((rival) => ({
          candidate: rival.node.name,
          reason: scored && compareScores(rival.score, best.score) > 0 ? 'further from its neighbours' : 'more used',
          score: scored ? rival.score : null,
        })),
      ],
    };
  };
}

function dearerZones(byModel: ZoneChoice | null): Rejected[] {
  return [...(byModel?.costs ?? [])]
    .filter(([zone]) => zone !== byModel!.zone)
    .slice(0, RIVALS_NAMED)
    .map(([zone, costMs]) => ({
      candidate: zone,
      reason:
        costMs < byModel!.costMs ? 'would not let any one zone be lost' : 'routes would cost more per request (ms)',
      score: costMs,
    }));
}

// Enough to see why the winner won; a cluster of thousands of nodes must not fill the decision log.
const RIVALS_NAMED = 3;

interface Scored {
  readonly node: NodeView;
  readonly score: number;
  readonly used: number;
}

function bestOf(
  nodes: readonly NodeView[],
  score: (candidate: Location) => number,
  config: EngineConfig,
): { best: Scored; runnersUp: Scored[] } {
  // The best few in one pass; a later node must be strictly better, so ties stay with the earlier one.
  const top: Scored[] = [];
  for (const node of nodes) {
    const entry = { node, score: score({ node: node.name, zone: node.zone }), used: usedScore(node, config) };
    let at = top.length;
    while (at > 0 && isBetter(entry, top[at - 1]!)) at--;
    if (at > RIVALS_NAMED) continue;
    top.splice(at, 0, entry);
    if (top.length > RIVALS_NAMED + 1) top.pop();
  }
  return { best: top[0]!, runnersUp: top.slice(1) };
}

function isBetter(a: Scored, b: Scored): boolean {
  const byScore = compareScores(a.score, b.score);
  return byScore < 0 || (byScore === 0 && a.used < b.used);
}

function usedScore({ requested, allocatable }: NodeView, config: EngineConfig): number {
  if (config.metric === 'cpu') return requested.cpuMillicores;
  if (config.metric === 'memory') return requested.memoryBytes;
  const weights = normalizedWeights(config);
  const fraction = (part: number, whole: number): number => (whole > 0 ? part / whole : 1);
  return (
    weights.cpu * fraction(requested.cpuMillicores, allocatable.cpuMillicores) +
    weights.memory * fraction(requested.memoryBytes, allocatable.memoryBytes)
  );
}

export function hasRoom({ takesPods, free }: NodeView, need: ResourceAmounts): boolean {
  return takesPods && need.cpuMillicores <= free.cpuMillicores && need.memoryBytes <= free.memoryBytes;
}

export function take(node: NodeView, need: ResourceAmounts): void {
  node.requested.cpuMillicores += need.cpuMillicores;
  node.requested.memoryBytes += need.memoryBytes;
  node.free.cpuMillicores -= need.cpuMillicores;
  node.free.memoryBytes -= need.memoryBytes;
}

/** Callers as the edges locate them; callees at their pods, the rate divided evenly among these. */
export function neighboursOf(view: ClusterView, workload: WorkloadView): LocatedNeighbour[] {
  const neighbours: LocatedNeighbour[] = [];
  for (const { sourceNode, sourceZone, requestsPerSecond } of workload.callers) {
    neighbours.push({ node: sourceNode, zone: sourceZone, requestsPerSecond, direction: 'upstream' });
  }
  const rateTo = new Map<string, number>();
  for (const { destination, requestsPerSecond } of workload.callees) {
    const key = nameKey(destination.namespace, destination.workload);
    rateTo.set(key, (rateTo.get(key) ?? 0) + requestsPerSecond);
  }
  for (const [key, rate] of rateTo) {
    const places = (view.byName.get(key)?.pods ?? []).flatMap((pod) => {
      const node = pod.ready && pod.node !== null ? view.nodes.get(pod.node) : undefined;
      return node ?? [];
    });
    for (const { name, zone } of places) {
      neighbours.push({ node: name, zone, requestsPerSecond: rate / places.length, direction: 'downstream' });
    }
  }
  return neighbours;
}
