/**
 * Nodes in an order that may change, with the question "which is the first that has room?". A treap: a search tree by
 * (key, index) that is balanced by fixed pseudo-random priorities, so that the same calls build the same tree. Each
 * subtree knows the most free processor time and memory below it, and the most that is free of both at once (in units of
 * what all items need together): a subtree in which one node has only the one and another only the other is not entered.
 * Finding and moving a node cost log n, but for nodes that a caller's `accepts` turns down.
 */
export interface RoomTree {
  /** First node, in order of (key, index), that has room and is accepted; -1: none. */
  first(cpu: number, memory: number, accepts: (node: number) => boolean): number;
  /** The node has this much free now; its place in the order is the new key. */
  update(node: number, key: number, cpu: number, memory: number): void;
}

const NIL = -1;

/** @param units of processor time and memory in which "both at once" is measured; any positive numbers are right */
export function createRoomTree(size: number, units: { readonly cpu: number; readonly memory: number }): RoomTree {
  const left = new Int32Array(size).fill(NIL);
  const right = new Int32Array(size).fill(NIL);
  const priority = Uint32Array.from({ length: size }, (_, node) => scramble(node));
  const isIn = new Uint8Array(size);
  const keys = new Float64Array(size);
  const cpus = new Float64Array(size);
  const memories = new Float64Array(size);
  const mostCpu = new Float64Array(size);
  const mostMemory = new Float64Array(size);
  const mostBoth = new Float64Array(size);
  let root = NIL;

  const both = (cpu: number, memory: number): number => Math.min(cpu / units.cpu, memory / units.memory);
  const isBefore = (a: number, b: number): boolean => keys[a]! < keys[b]! || (keys[a]! === keys[b]! && a < b);
  const refresh = (node: number): void => {
    mostCpu[node] = cpus[node]!;
    mostMemory[node] = memories[node]!;
    mostBoth[node] = both(cpus[node]!, memories[node]!);
    for (const child of [left[node]!, right[node]!]) {
      if (child === NIL) continue;
      mostCpu[node] = Math.max(mostCpu[node], mostCpu[child]!);
      mostMemory[node] = Math.max(mostMemory[node], mostMemory[child]!);
      mostBoth[node] = Math.max(mostBoth[node], mostBoth[child]!);
    }
  };

  /** The two halves of a subtree, before and after the node, which is not in it. */
  const split = (tree: number, node: number): [number, number] => {
    if (tree === NIL) return [NIL, NIL];
    if (isBefore(tree, node)) {
      const [low, high] = split(right[tree]!, node);
      right[tree] = low;
      refresh(tree);
      return [tree, high];
    }
    const [low, high] = split(left[tree]!, node);
    left[tree] = high;
    refresh(tree);
    return [low, tree];
  };
  const merge = (low: number, high: number): number => {
    if (low === NIL) return high;
    if (high === NIL) return low;
    const top = priority[low]! >= priority[high]! ? low : high;
    if (top === low) right[low] = merge(right[low]!, high);
    else left[high] = merge(low, left[high]!);
    refresh(top);
    return top;
  };
  const without = (tree: number, node: number): number => {
    if (tree === node) return merge(left[node]!, right[node]!);
    if (isBefore(node, tree)) left[tree] = without(left[tree]!, node);
    else right[tree] = without(right[tree]!, node);
    refresh(tree);
    return tree;
  };

  const search = (tree: number, cpu: number, memory: number, accepts: (node: number) => boolean): number => {
    if (tree === NIL || mostCpu[tree]! < cpu || mostMemory[tree]! < memory) return NIL;
    if (mostBoth[tree]! < both(cpu, memory)) return NIL;
    const earlier = search(left[tree]!, cpu, memory, accepts);
    if (earlier !== NIL) return earlier;
    if (cpus[tree]! >= cpu && memories[tree]! >= memory && accepts(tree)) return tree;
    return search(right[tree]!, cpu, memory, accepts);
  };

  return {
    first: (cpu, memory, accepts) => search(root, cpu, memory, accepts),
    update: (node, key, cpu, memory) => {
      if (isIn[node]) root = without(root, node);
      isIn[node] = 1;
      keys[node] = key;
      cpus[node] = cpu;
      memories[node] = memory;
      left[node] = right[node] = NIL;
      refresh(node);
      const [low, high] = split(root, node);
      root = merge(merge(low, node), high);
    },
  };
}

/** Any fixed scattering of the indices would do: this is the finaliser of MurmurHash3. */
function scramble(node: number): number {
  let word = Math.imul((node + 1) ^ ((node + 1) >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
