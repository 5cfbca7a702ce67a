/**
 * How well a node suits a new replica: how long its requests will travel to and from its neighbours.
 *
 *     weightedSum:  score(node) = sum over neighbours of (rps / total rps) * round trip          milliseconds
 *     minEdge:      score(node) = min over neighbours of (total - rps) / total + rtt / sum of rtt   (the older rule)
 *
 * Lower is better. Callers count with the way caller -> node, callees with node -> callee. The older rule looks at
 * callers only (callees where there are none), at those on candidate nodes if there are any, and lets a single edge
 * decide; it is kept for comparison.
 * The weighted sum is taken per zone first and corrected for neighbours on the node itself or with a measured pair, so
 * that a cluster of thousands of nodes costs nodes + neighbours, not their product.
 */
import { roundTrips, type Location, type RoundTrips, type RttRow } from './round-trips.js';

/** A workload that calls the new replica (`upstream`) or is called by it (`downstream`). */
export interface Neighbour {
  readonly node: string;
  readonly requestsPerSecond: number;
  readonly direction: 'upstream' | 'downstream';
}

export interface LocatedNeighbour extends Location {
  readonly requestsPerSecond: number;
  readonly direction: 'upstream' | 'downstream';
}

export interface PlacementSettings {
  readonly placementRule: 'weightedSum' | 'minEdge';
  /** Zone and region by node name, for pairs without a measured latency; a node left out counts as far away. */
  readonly topology?: Readonly<Record<string, { readonly zone: string; readonly region: string }>>;
}

/**
 * @param input candidate node names, neighbours with requests/s, round trips in ms (a row to the node itself too)
 * @returns candidates with their score (ms for weightedSum, a ratio for minEdge), best first, equal scores in the order
 *   given; without neighbours every score is 0
 */
export function scorePlacement(input: {
  readonly candidates: readonly string[];
  readonly neighbours: readonly Neighbour[];
  readonly latencies: readonly RttRow[];
  readonly settings: PlacementSettings;
}): { node: string; score: number }[] {
  const topology = new Map(Object.entries(input.settings.topology ?? {}));
  const regions = new Map([...topology.values()].map(({ zone, region }) => [zone, region]));
  const zoneOf = (node: string): string | null => topology.get(node)?.zone ?? null;
  const trips = roundTrips([], input.latencies, zoneOf, (zone) => regions.get(zone) ?? null);
  const locate = (node: string): Location => ({ node, zone: zoneOf(node) });

  const neighbours = input.neighbours.map((neighbour) => ({ ...neighbour, zone: zoneOf(neighbour.node) }));
  const candidates = input.candidates.map(locate);
  const scorer = placementScorer(neighbours, trips, input.settings.placementRule, candidates);
  return candidates
    .map((candidate, index) => ({ node: input.candidates[index]!, score: scorer(candidate) }))
    .sort((a, b) => compareScores(a.score, b.score));
}

/** Scores within a billionth are equal: sums of the same numbers in another order must tie. */
export function compareScores(a: number, b: number): number {
  return Math.round(a * 1e9) - Math.round(b * 1e9);
}

/** The score as a function of the candidate; prepared once per workload. */
export function placementScorer(
  neighbours: readonly LocatedNeighbour[],
  trips: RoundTrips,
  rule: 'weightedSum' | 'minEdge',
  candidates: readonly Location[],
): (candidate: Location) => number {
  const heard = neighbours.filter(({ requestsPerSecond: rps }) => Number.isFinite(rps) && rps > 0);
  if (heard.length === 0) return () => 0;
  return rule === 'weightedSum' ? weightedSum(heard, trips) : minEdge(heard, trips, candidates);
}

function weightedSum(neighbours: readonly LocatedNeighbour[], trips: RoundTrips): (candidate: Location) => number {
  const total = neighbours.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);
  const shareByZone = { upstream: new Map<string | null, number>(), downstream: new Map<string | null, number>() };
  const byNode = { upstream: new Map<string, NodeShare>(), downstream: new Map<string, NodeShare>() };
  for (const { node, zone, requestsPerSecond, direction } of neighbours) {
    const share = requestsPerSecond / total;
    shareByZone[direction].set(zone, (shareByZone[direction].get(zone) ?? 0) + share);
    if (node === null) continue;
    byNode[direction].set(node, { zone, share: (byNode[direction].get(node)?.share ?? 0) + share });
  }

  const zoneCosts = new Map<string | null, number>();
  const zoneCost = (zone: string | null): number => {
    let cost = zoneCosts.get(zone);
    if (cost === undefined) {
      cost = 0;
      for (const [other, share] of shareByZone.upstream) cost += share * trips.betweenZones(other, zone);
      for (const [other, share] of shareByZone.downstream) cost += share * trips.betweenZones(zone, other);
      zoneCosts.set(zone, cost);
    }
    return cost;
  };

  return (candidate) => {
    let cost = zoneCost(candidate.zone);
    const node = candidate.node;
    if (node === null) return cost;
    for (const direction of ['upstream', 'downstream'] as const) {
      const upstream = direction === 'upstream';
      const measured: ReadonlyMap<string, number> = upstream ? trips.measuredTo(node) : trips.measuredFrom(node);
      const correct = (other: string): void => {
        const neighbour = byNode[direction].get(other);
        if (!neighbour) return;
        const there = { node: other, zone: neighbour.zone };
        const exact = upstream ? trips.between(there, candidate) : trips.between(candidate, there);
        const byZone = upstream
          ? trips.betweenZones(there.zone, candidate.zone)
          : trips.betweenZones(candidate.zone, there.zone);
        cost += neighbour.share * (exact - byZone);
      };
      for (const other of measured.keys()) correct(other);
      if (!measured.has(node)) correct(node);
    }
    return cost;
  };
}

interface NodeShare {
  readonly zone: string | null;
  readonly share: number;
}

function minEdge(
  neighbours: readonly LocatedNeighbour[],
  trips: RoundTrips,
  candidates: readonly Location[],
): (candidate: Location) => number {
  const upstream = neighbours.filter(({ direction }) => direction === 'upstream');
  const heard = upstream.length > 0 ? upstream : neighbours;
  const candidateNames = new Set(candidates.map(({ node }) => node));
  const onCandidates = heard.filter(({ node }) => node !== null && candidateNames.has(node));
  const considered = onCandidates.length > 0 ? onCandidates : heard;

  const trip = (neighbour: LocatedNeighbour, candidate: Location): number =>
    neighbour.direction === 'upstream' ? trips.between(neighbour, candidate) : trips.between(candidate, neighbour);
  const totalRps = considered.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);
  let totalRttMs = 0;
  for (const candidate of candidates) for (const neighbour of considered) totalRttMs += trip(neighbour, candidate);

  return (candidate) => {
    let least = Infinity;
    for (const neighbour of considered) {
      const traffic = (totalRps - neighbour.requestsPerSecond) / totalRps;
      const distance = totalRttMs > 0 ? trip(neighbour, candidate) / totalRttMs : 0;
      least = Math.min(least, traffic + distance);
    }
    return least;
  };
}
