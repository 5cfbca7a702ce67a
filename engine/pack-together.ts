/**
 * Packs items that belong together onto as few nodes as they allow. What belongs together is a bundle: the items that
 * traffic connects, in whatever direction (one-way calls cross the network as two-way ones do), or an affinity group.
 * Bundles are taken by decreasing size. One that fits onto a node as a whole goes to the fullest such node; of the others
 *
 *     the largest item goes to the emptiest node, then always the item most pulled by those placed
 *     (ties: larger first), each to the node that pulls it most among those with room (ties: the fuller one),
 *     and where none of these has room, by best fit
 *
 * where the pull of a node is the traffic to the items on it, or how many of the group it holds. Items in no bundle come
 * last, by best fit. Costs items + traffic, times the logarithm of either.
 */
import { sizeOf, type PackInput, type Shelf } from './pack.js';

export function packTogether(input: PackInput, order: readonly number[], shelf: Shelf): void {
  const { items } = input;
  const ties = input.strategy === 'network-aware' ? byTraffic(input, order) : byGroup(input, order);
  const rank = new Int32Array(items.length);
  order.forEach((item, position) => (rank[item] = position));

  for (const bundle of ties.bundles) {
    let [cpuMillicores, memoryBytes] = [0, 0];
    for (const item of bundle) {
      cpuMillicores += items[item]!.cpuMillicores;
      memoryBytes += items[item]!.memoryBytes;
    }
    const [largest] = bundle;
    let start = shelf.findFor(largest!, cpuMillicores, memoryBytes);
    if (start < 0) start = shelf.findEmptiest(largest!);
    const pull = new Map<number, number>();
    const queue = createQueue((a, b) => a.pull - b.pull || rank[b.item]! - rank[a.item]!);
    const done = new Set<number>();
    const place = (item: number, node: number): void => {
      done.add(item);
      shelf.put(item, node);
      if (node < 0) return;
      ties.placed(item, node, (other, weight) => {
        if (done.has(other)) return;
        const sum = (pull.get(other) ?? 0) + weight;
        pull.set(other, sum);
        queue.push({ item: other, pull: sum });
      });
    };
    place(largest!, start);
    let next = 0;
    while (done.size < bundle.length) {
      const head = queue.pop();
      // An older entry of an item whose pull has grown since, or that is placed.
      if (head && (done.has(head.item) || pull.get(head.item) !== head.pull)) continue;
      while (!head && done.has(bundle[next]!)) next++;
      const item = head ? head.item : bundle[next]!;
      place(item, bestHome(item, ties.homes(item, shelf), shelf));
    }
  }
  for (const item of ties.single) shelf.put(item, shelf.find(item));
}

interface Ties {
  readonly bundles: readonly (readonly number[])[];
  readonly single: readonly number[];
  /** The item stands on the node: calls with every item that this pulls, and how much. */
  placed(item: number, node: number, call: (other: number, weight: number) => void): void;
  /** How much each node pulls the item, by what stands on it. */
  homes(item: number, shelf: Shelf): ReadonlyMap<number, number>;
}

function bestHome(item: number, homes: ReadonlyMap<number, number>, shelf: Shelf): number {
  let best = -1;
  let most = 0;
  for (const [node, pull] of homes) {
    if (pull < most || !shelf.mayTake(node, item)) continue;
    const isFuller = best < 0 || shelf.free(node) < shelf.free(best);
    const isEarlier = best >= 0 && shelf.free(node) === shelf.free(best) && node < best;
    if (pull > most || isFuller || isEarlier) [best, most] = [node, pull];
  }
  return best >= 0 ? best : shelf.find(item);
}

function byTraffic({ items, traffic = [] }: PackInput, order: readonly number[]): Ties {
  const indexOf = new Map(order.map((item) => [items[item]!.name, item]));
  const edges = items.map((): Map<number, number> => new Map());
  for (const { from, to, weight } of traffic) {
    const [a, b] = [indexOf.get(from), indexOf.get(to)];
    if (a === undefined || b === undefined || a === b || !(weight > 0) || !Number.isFinite(weight)) continue;
    edges[a]!.set(b, (edges[a]!.get(b) ?? 0) + weight);
    edges[b]!.set(a, (edges[b]!.get(a) ?? 0) + weight);
  }
  const bundleOf = new Map<number, number>();
  for (const item of order) {
    if (bundleOf.has(item)) continue;
    bundleOf.set(item, item);
    const reached = [item];
    for (let next = reached.pop(); next !== undefined; next = reached.pop()) {
      for (const other of edges[next]!.keys()) {
        if (bundleOf.has(other)) continue;
        bundleOf.set(other, item);
        reached.push(other);
      }
    }
  }
  return {
    ...bundled(items, order, (item) => bundleOf.get(item)!),
    placed: (item, _node, call) => {
      for (const [other, weight] of edges[item]!) call(other, weight);
    },
    homes: (item, { nodeOf }) => {
      const homes = new Map<number, number>();
      for (const [other, weight] of edges[item]!) {
        const node = nodeOf[other]!;
        if (node >= 0) homes.set(node, (homes.get(node) ?? 0) + weight);
      }
      return homes;
    },
  };
}

function byGroup({ items }: PackInput, order: readonly number[]): Ties {
  const held = new Map<string, Map<number, number>>();
  const homesOf = (item: number): Map<number, number> => {
    const group = items[item]!.affinityGroup ?? '';
    let homes = held.get(group);
    if (!homes) held.set(group, (homes = new Map<number, number>()));
    return homes;
  };
  return {
    ...bundled(items, order, (item) => items[item]!.affinityGroup ?? item),
    // All pull alike, so the order by size stands.
    placed: (item, node) => {
      homesOf(item).set(node, (homesOf(item).get(node) ?? 0) + 1);
    },
    homes: (item, shelf) => {
      const homes = homesOf(item);
      // A node that turned one down is left to best fit: large groups would ask all their full nodes for every item.
      for (const node of homes.keys()) if (!shelf.mayTake(node, item)) homes.delete(node);
      return homes;
    },
  };
}

/** Bundles of two and more by decreasing size, each in the order of its items; and the items alone. */
function bundled(
  items: PackInput['items'],
  order: readonly number[],
  keyOf: (item: number) => string | number,
): { bundles: number[][]; single: number[] } {
  const byKey = new Map<string | number, number[]>();
  for (const item of order) {
    const key = keyOf(item);
    const bundle = byKey.get(key);
    if (bundle) bundle.push(item);
    else byKey.set(key, [item]);
  }
  const size = (bundle: readonly number[]): number =>
    bundle.reduce((sum, item) => sum + sizeOf(items[item]!.cpuMillicores, items[item]!.memoryBytes), 0);
  const sized = [...byKey.values()].map((bundle) => ({ bundle, size: size(bundle) }));
  return {
    bundles: sized
      .filter(({ bundle }) => bundle.length > 1)
      .sort((a, b) => b.size - a.size)
      .map(({ bundle }) => bundle),
    single: sized.flatMap(({ bundle }) => (bundle.length === 1 ? bundle : [])),
  };
}

interface Pulled {
  readonly item: number;
  readonly pull: number;
}

/** A binary heap, the largest first. */
function createQueue(compare: (a: Pulled, b: Pulled) => number) {
  const heap: Pulled[] = [];
  return {
    push: (entry: Pulled): void => {
      let at = heap.push(entry) - 1;
      while (at > 0) {
        const above = (at - 1) >> 1;
        if (compare(heap[above]!, entry) >= 0) break;
        heap[at] = heap[above]!;
        at = above;
      }
      heap[at] = entry;
    },
    pop: (): Pulled | undefined => {
      const top = heap[0];
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return top;
      let at = 0;
      for (;;) {
        let below = 2 * at + 1;
        if (below >= heap.length) break;
        if (below + 1 < heap.length && compare(heap[below + 1]!, heap[below]!) > 0) below++;
        if (compare(last, heap[below]!) >= 0) break;
        heap[at] = heap[below]!;
        at = below;
      }
      heap[at] = last;
      return top;
    },
  };
}
