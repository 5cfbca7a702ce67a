/**
 * Which item goes on which node, so that few nodes are needed: the heuristics of bin packing, on two resources. Items are
 * taken by decreasing size, cores + GiB, ties in the order given; nothing is ever moved again.
 *
 *     first-fit-decreasing   the first node with room, in the order given
 *     best-fit-decreasing    the node with the least left, by cores + GiB
 *     worst-fit-decreasing   the node with the most left
 *     network-aware          items that talk to each other together (`pack-together.ts`), by traffic
 *     affinity-aware         items of one `affinityGroup` together, likewise
 *
 * First and best fit need at most 11/9 of the optimum plus 6/9 of a node on one resource (Dosa 2007); on two they are
 * heuristics. What is left on a node does not depend on the item, so all nodes stand in one order, in which the first
 * one with room is found in log n (`room-tree.ts`): n items on m nodes cost n log n + n log m.
 */
import { packTogether } from './pack-together.js';
import { createRoomTree } from './room-tree.js';

export interface PackItem {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** Items that belong together, for `affinity-aware`. */
  readonly affinityGroup?: string;
}

export interface PackNode {
  readonly name: string;
  /** What the items may take of it, before headroom. */
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly zone?: string;
}

export type PackStrategy =
  'first-fit-decreasing' | 'best-fit-decreasing' | 'worst-fit-decreasing' | 'network-aware' | 'affinity-aware';

export interface PackConstraints {
  /** Names of the only nodes that an item may go to, by item. */
  readonly allowedNodes?: Readonly<Record<string, readonly string[]>>;
  /** Items of which no two may share a node, or a zone (a node without a zone is one of its own). */
  readonly apart?: readonly { readonly items: readonly string[]; readonly by: 'node' | 'zone' }[];
  readonly maxItemsPerNode?: number;
}

export interface Traffic {
  readonly from: string;
  readonly to: string;
  /** Any scale: bytes/s, requests/s. */
  readonly weight: number;
}

export interface PackInput {
  readonly items: readonly PackItem[];
  readonly nodes: readonly PackNode[];
  readonly strategy: PackStrategy;
  /** Share of each node that stays free, 0 to 1: of both resources, or of each. Default 0. */
  readonly headroom?: number | { readonly cpu: number; readonly memory: number };
  readonly traffic?: readonly Traffic[];
  readonly constraints?: PackConstraints;
}

export interface Packing {
  /** In the order of the items. */
  readonly assignments: readonly { readonly item: string; readonly node: string }[];
  readonly unplaced: readonly { readonly name: string; readonly reason: string }[];
  readonly nodesUsed: number;
}

/** @returns where each item goes, or why nowhere; never throws, never changes its input */
export function pack(input: PackInput): Packing {
  const { items, nodes, strategy, headroom = 0, constraints = {} } = input;
  const keep = typeof headroom === 'number' ? { cpu: headroom, memory: headroom } : headroom;
  const reasons = items.map(() => null) as (string | null)[];
  if (!isShare(keep.cpu) || !isShare(keep.memory)) {
    const reason = `headroom ${keep.cpu} of processor time and ${keep.memory} of memory is not from 0 to 1`;
    return packing(
      items,
      nodes,
      [],
      items.map(() => reason),
    );
  }
  const seen = new Set<string>();
  items.forEach(({ name, cpuMillicores, memoryBytes }, index) => {
    if (seen.has(name)) reasons[index] = 'an earlier item has the same name';
    else if (!isAmount(cpuMillicores) || !isAmount(memoryBytes)) reasons[index] = 'its size is not a number from 0';
    seen.add(name);
  });
  const usable = items.flatMap((_, index) => (reasons[index] === null ? [index] : []));
  const size = (index: number): number => sizeOf(items[index]!.cpuMillicores, items[index]!.memoryBytes);
  const order = usable.sort((a, b) => size(b) - size(a) || a - b);

  const rules = readConstraints(items, nodes, constraints);
  const shelf = openShelf(items, nodes, keep, strategy, order, rules);
  if (strategy === 'network-aware' || strategy === 'affinity-aware') packTogether(input, order, shelf);
  else for (const item of order) shelf.put(item, shelf.find(item));
  for (const item of order) {
    if (shelf.nodeOf[item]! >= 0) continue;
    const { cpuMillicores, memoryBytes } = items[item]!;
    const need = `${cpuMillicores} millicores and ${memoryBytes} bytes`;
    reasons[item] = shelf.hasRoom(item)
      ? `its constraints allow none of the nodes that have ${need} free`
      : `no node has ${need} free`;
  }
  return packing(items, nodes, shelf.nodeOf, reasons);
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** Cores + GiB. */
export function sizeOf(cpuMillicores: number, memoryBytes: number): number {
  return cpuMillicores / 1000 + memoryBytes / 2 ** 30;
}

/** The nodes while they fill up; items and nodes by their index. */
export interface Shelf {
  /** Node of each item, -1 while it has none. */
  readonly nodeOf: Int32Array;
  /** The node that the strategy takes for the item, or -1. */
  find(item: number): number;
  /** The emptiest node that may take the item, or -1. */
  findEmptiest(item: number): number;
  /** The fullest node that has room for so much in all and may take the item, or -1. */
  findFor(item: number, cpuMillicores: number, memoryBytes: number): number;
  mayTake(node: number, item: number): boolean;
  /** Some node has room, whatever the constraints say. */
  hasRoom(item: number): boolean;
  free(node: number): number;
  put(item: number, node: number): void;
}

function openShelf(
  items: readonly PackItem[],
  nodes: readonly PackNode[],
  keep: { readonly cpu: number; readonly memory: number },
  strategy: PackStrategy,
  order: readonly number[],
  rules: Rules,
): Shelf {
  const cpu = Float64Array.from(nodes, ({ cpuMillicores }) => leftOf(cpuMillicores, keep.cpu));
  const memory = Float64Array.from(nodes, ({ memoryBytes }) => leftOf(memoryBytes, keep.memory));
  const nodeOf = new Int32Array(items.length).fill(-1);
  let [cpuSum, memorySum] = [1, 1];
  for (const item of order) {
    cpuSum += items[item]!.cpuMillicores;
    memorySum += items[item]!.memoryBytes;
  }
  const units = { cpu: cpuSum, memory: memorySum };
  const free = (node: number): number => sizeOf(cpu[node]!, memory[node]!);
  const keyed = (key: (node: number) => number) => {
    const tree = createRoomTree(nodes.length, units);
    const update = (node: number): void => {
      tree.update(node, key(node), cpu[node]!, memory[node]!);
    };
    const names = new Set<string>();
    nodes.forEach(({ name }, node) => {
      if (!names.has(name)) update(node);
      names.add(name);
    });
    return { tree, update };
  };
  const isTogether = strategy === 'network-aware' || strategy === 'affinity-aware';
  const main = keyed(
    strategy === 'first-fit-decreasing' ? () => 0 : strategy === 'worst-fit-decreasing' ? (node) => -free(node) : free,
  );
  const emptiest = isTogether ? keyed((node) => -free(node)) : main;
  const roomFor = ({ tree }: typeof main, item: number, need: PackItem = items[item]!): number =>
    tree.first(need.cpuMillicores, need.memoryBytes, (node) => rules.allows(node, item));

  return {
    nodeOf,
    free,
    find: (item) => roomFor(main, item),
    findEmptiest: (item) => roomFor(emptiest, item),
    findFor: (item, cpuMillicores, memoryBytes) => roomFor(main, item, { ...items[item]!, cpuMillicores, memoryBytes }),
    mayTake: (node, item) =>
      items[item]!.cpuMillicores <= cpu[node]! && items[item]!.memoryBytes <= memory[node]! && rules.allows(node, item),
    hasRoom: (item) => main.tree.first(items[item]!.cpuMillicores, items[item]!.memoryBytes, () => true) >= 0,
    put: (item, node) => {
      if (node < 0) return;
      nodeOf[item] = node;
      cpu[node] = cpu[node]! - items[item]!.cpuMillicores;
      memory[node] = memory[node]! - items[item]!.memoryBytes;
      rules.note(node, item);
      main.update(node);
      if (emptiest !== main) emptiest.update(node);
    },
  };
}

/** Below 0, where nothing fits, for a node whose size is not a number. */
function leftOf(capacity: number, keep: number): number {
  // A hair more than the product, which may fall short of a whole number by its rounding.
  return isAmount(capacity) ? Math.floor(capacity * (1 - keep) + 1e-6) : -1;
}

interface Rules {
  allows(node: number, item: number): boolean;
  note(node: number, item: number): void;
}

function readConstraints(
  items: readonly PackItem[],
  nodes: readonly PackNode[],
  { allowedNodes = {}, apart = [], maxItemsPerNode = Infinity }: PackConstraints,
): Rules {
  const allowed = items.map(({ name }) => (Object.hasOwn(allowedNodes, name) ? new Set(allowedNodes[name]) : null));
  const groupsOf = new Map<string, number[]>();
  apart.forEach((group, index) => {
    for (const name of new Set(group.items)) groupsOf.set(name, [...(groupsOf.get(name) ?? []), index]);
  });
  const taken = apart.map(() => new Set<string>());
  const domain = (node: number, group: number): string => {
    const { name, zone } = nodes[node]!;
    // A node's name and a zone's never meet: only zones have the mark.
    return apart[group]!.by === 'zone' && zone !== undefined ? `zone ${zone}` : name;
  };
  const count = new Int32Array(nodes.length);
  return {
    allows: (node, item) =>
      !(count[node]! >= maxItemsPerNode) &&
      allowed[item]?.has(nodes[node]!.name) !== false &&
      (groupsOf.get(items[item]!.name) ?? []).every((group) => !taken[group]!.has(domain(node, group))),
    note: (node, item) => {
      count[node] = count[node]! + 1;
      for (const group of groupsOf.get(items[item]!.name) ?? []) taken[group]!.add(domain(node, group));
    },
  };
}

function packing(
  items: readonly PackItem[],
  nodes: readonly PackNode[],
  nodeOf: ArrayLike<number>,
  reasons: readonly (string | null)[],
): Packing {
  const placed = items.flatMap(({ name }, item) => {
    const node = reasons[item] === null ? nodes[nodeOf[item]!] : undefined;
    return node ? [{ item: name, node: node.name }] : [];
  });
  return {
    assignments: placed,
    unplaced: items.flatMap(({ name }, item) => (reasons[item] === null ? [] : [{ name, reason: reasons[item]! }])),
    nodesUsed: new Set(placed.map(({ node }) => node)).size,
  };
}
