/**
 * Round-trip times between nodes, from what was measured: a node pair first, then its zones, then a guess by how far
 * apart the two are. A pair that nobody measured must never look like the best one, so a guess is at least the largest
 * figure known for the same or a nearer class. The guesses are ordinary cloud figures (SEMANTICS: same node 0.05 ms,
 * same zone 0.3 to 0.5, other zone 1.0 to 1.5; another region is tens of milliseconds).
 */
const SAME_NODE_MS = 0.05;
const SAME_ZONE_MS = 0.5;
const CROSS_ZONE_MS = 1.5;
const CROSS_REGION_MS = 60;

export interface RttRow {
  readonly from: string;
  readonly to: string;
  readonly rttMs: number;
}

/** Where a node (or, with `node` null, a gateway known only by its zone) stands; null zone: unknown. */
export interface Location {
  readonly node: string | null;
  readonly zone: string | null;
}

export interface RoundTrips {
  /** Between any node of one zone and another one of the other; null stands for an unknown zone. */
  betweenZones(from: string | null, to: string | null): number;
  /** Between two nodes, override first. */
  between(from: Location, to: Location): number;
  /** Measured node pairs that end, or start, at the node: other end -> ms. */
  measuredTo(node: string): ReadonlyMap<string, number>;
  measuredFrom(node: string): ReadonlyMap<string, number>;
}

/**
 * @param zoneRows between zones, @param nodeRows between nodes; the first row of a pair counts
 * @param zoneOfNode and @param regionOfZone null where not known: such pairs count as different regions
 */
export function roundTrips(
  zoneRows: readonly RttRow[],
  nodeRows: readonly RttRow[],
  zoneOfNode: (node: string) => string | null,
  regionOfZone: (zone: string) => string | null,
): RoundTrips {
  const zones = nested(zoneRows, 'from', 'to');
  const fromNode = nested(nodeRows, 'from', 'to');
  const toNode = nested(nodeRows, 'to', 'from');

  const classOf = (from: string | null, to: string | null): number => {
    if (from === null || to === null) return CROSS_REGION;
    if (from === to) return SAME_ZONE;
    const region = regionOfZone(from);
    return region !== null && region === regionOfZone(to) ? CROSS_ZONE : CROSS_REGION;
  };
  const guesses = [SAME_ZONE_MS, CROSS_ZONE_MS, CROSS_REGION_MS];
  const learn = (from: string | null, to: string | null, rttMs: number): void => {
    for (let farther = classOf(from, to); farther < guesses.length; farther++) {
      guesses[farther] = Math.max(guesses[farther]!, rttMs);
    }
  };
  for (const [from, row] of zones) for (const [to, rttMs] of row) learn(from, to, rttMs);
  for (const [from, row] of fromNode) {
    for (const [to, rttMs] of row) if (from !== to) learn(zoneOfNode(from), zoneOfNode(to), rttMs);
  }

  const betweenZones = (from: string | null, to: string | null): number => {
    const measured = from !== null && to !== null ? zones.get(from)?.get(to) : undefined;
    return measured ?? guesses[classOf(from, to)]!;
  };
  return {
    betweenZones,
    between: (from, to) => {
      if (from.node !== null && to.node !== null) {
        const measured = fromNode.get(from.node)?.get(to.node);
        if (measured !== undefined) return measured;
        if (from.node === to.node) return Math.min(SAME_NODE_MS, betweenZones(from.zone, to.zone));
      }
      return betweenZones(from.zone, to.zone);
    },
    measuredTo: (node) => toNode.get(node) ?? NONE,
    measuredFrom: (node) => fromNode.get(node) ?? NONE,
  };
}

const SAME_ZONE = 0;
const CROSS_ZONE = 1;
const CROSS_REGION = 2;
const NONE: ReadonlyMap<string, number> = new Map();

function nested(rows: readonly RttRow[], outer: 'from' | 'to', inner: 'from' | 'to'): Map<string, Map<string, number>> {
  const result = new Map<string, Map<string, number>>();
  for (const row of rows) {
    if (!Number.isFinite(row.rttMs) || row.rttMs < 0) continue;
    let ends = result.get(row[outer]);
    if (!ends) result.set(row[outer], (ends = new Map<string, number>()));
    if (!ends.has(row[inner])) ends.set(row[inner], row.rttMs);
  }
  return result;
}
