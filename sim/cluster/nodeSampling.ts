/**
 * Which nodes the scheduler looks at, and in what order: zone by zone in turn, only until enough have passed, and from
 * where the last search stopped (B6). So a large cluster is searched in part, and every zone has its chance.
 * Source: schedule_one.go (numFeasibleNodesToFind) and the scheduler cache's node_tree.go.
 */

/** Below this many nodes all are examined, and above it never fewer pass before the search stops. */
const MIN_FEASIBLE_NODES = 100;

/** How many passing nodes end the search, where `percentageOfNodesToScore` is left to adapt itself. */
export function feasibleNodesToFind(nodeCount: number): number {
  if (nodeCount < MIN_FEASIBLE_NODES) return nodeCount;
  const percent = Math.max(5, 50 - Math.trunc(nodeCount / 125));
  return Math.max(MIN_FEASIBLE_NODES, Math.trunc((nodeCount * percent) / 100));
}

/** Node indices zone by zone in turn, one of each until all are out. */
export function interleaveZones(zoneOfNode: readonly number[]): number[] {
  const byZone = new Map<number, number[]>();
  zoneOfNode.forEach((zone, node) => {
    const members = byZone.get(zone);
    if (members === undefined) byZone.set(zone, [node]);
    else members.push(node);
  });
  const longest = Math.max(0, ...[...byZone.values()].map(({ length }) => length));
  const order: number[] = [];
  for (let turn = 0; turn < longest; turn++) {
    for (const members of byZone.values()) if (turn < members.length) order.push(members[turn]!);
  }
  return order;
}
