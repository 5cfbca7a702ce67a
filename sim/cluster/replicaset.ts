/**
 * Which pods a ReplicaSet deletes first when it is scaled down. The first difference decides: unassigned, Pending, not
 * ready, cheap to delete, on a crowded node, ready for less time, restarted more often, younger.
 *
 * Ages are compared by the power of two they lie in (of nanoseconds: edges at 34.36, 68.72, 137.44, 274.88 s, ...); within
 * one, the lower UID goes. So among pods of similar age the choice is as good as random, and it never looks at zones or
 * latencies. Timestamps have a resolution of one second.
 *
 * Because of the UID rule this order is not always transitive (two pods equally old, a third in the same power of two
 * between them); pods are sorted by UID first, so that the outcome does not depend on the order given.
 *
 * Source: kube-controller-manager's controller_utils.go.
 */

export interface ReplicaPod {
  readonly uid: string;
  /** Any name of the node; null while unassigned. */
  readonly node: string | number | null;
  readonly phase: 'Pending' | 'Unknown' | 'Running';
  readonly ready: boolean;
  /** Since when it is ready; null while it is not. */
  readonly readySinceUs: number | null;
  readonly createdAtUs: number;
  /** Annotation `controller.kubernetes.io/pod-deletion-cost`, 0 where absent. */
  readonly deletionCost: number;
  /** Restarts of the container that restarted most. */
  readonly restarts: number;
}

const SECOND_US = 1_000_000;
const PHASE_RANK = { Pending: 0, Unknown: 1, Running: 2 } as const;

/** `related`: all active pods of the ReplicaSets of one owner, which crowd its nodes. First to go first. */
export function victimOrder<Pod extends ReplicaPod>(
  pods: readonly Pod[],
  nowUs: number,
  related: readonly ReplicaPod[] = pods,
): Pod[] {
  const podsOnNode = new Map<string | number, number>();
  for (const { node } of related) if (node !== null) podsOnNode.set(node, (podsOnNode.get(node) ?? 0) + 1);
  const crowd = (pod: ReplicaPod) => (pod.node === null ? 0 : podsOnNode.get(pod.node)!);

  const compare = (a: Pod, b: Pod): number =>
    Number(a.node !== null) - Number(b.node !== null) ||
    PHASE_RANK[a.phase] - PHASE_RANK[b.phase] ||
    Number(a.ready) - Number(b.ready) ||
    a.deletionCost - b.deletionCost ||
    crowd(b) - crowd(a) ||
    (a.ready ? compareAges(a, b, a.readySinceUs, b.readySinceUs, nowUs) : 0) ||
    b.restarts - a.restarts ||
    compareAges(a, b, a.createdAtUs, b.createdAtUs, nowUs) ||
    compareUids(a, b);
  return pods.toSorted(compareUids).sort(compare);
}

/** Younger first; 0 only for timestamps that are the same to the second. */
function compareAges(
  a: ReplicaPod,
  b: ReplicaPod,
  sinceA: number | null,
  sinceB: number | null,
  nowUs: number,
): number {
  if (sinceA === null || sinceB === null) return Number(sinceB === null) - Number(sinceA === null);
  const [secondA, secondB] = [Math.floor(sinceA / SECOND_US), Math.floor(sinceB / SECOND_US)];
  if (secondA === secondB) return 0;
  return ageBucket(nowUs - secondA * SECOND_US) - ageBucket(nowUs - secondB * SECOND_US) || compareUids(a, b);
}

function compareUids(a: ReplicaPod, b: ReplicaPod): number {
  return a.uid < b.uid ? -1 : Number(a.uid > b.uid);
}

/** floor(log2(age in nanoseconds)), -1 for no age; by halving, which is exact where a logarithm might round up. */
export function ageBucket(ageUs: number): number {
  let bucket = -1;
  for (let rest = ageUs * 1000; rest >= 1; rest /= 2) bucket++;
  return bucket;
}
