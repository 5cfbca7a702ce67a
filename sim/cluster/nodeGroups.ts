/**
 * Which node group the Cluster Autoscaler grows for pods that found no node, and by how many: for each group the pods that
 * fit its template are packed first-fit, largest first, onto as many new nodes as they need; an expander then picks one
 * group. Only one group grows in a loop; what it does not help waits for the next.
 *
 * Source: cluster-autoscaler's estimator/binpacking_estimator.go, expander/waste and core/scaleup/orchestrator. The real
 * price expander knows a cloud's price list and preferred machine sizes; here `price` takes the lowest price for the share
 * of the waiting requests that the new nodes serve.
 */
import { fits, occupy, roomOf, sumOfAmounts, type Amounts, type Guest, type Room } from './nodeRoom.js';

export type Expander = 'least-waste' | 'random' | 'price';

export interface NodeGroup {
  readonly name: string;
  readonly minNodes: number;
  readonly maxNodes: number;
  /** What the cloud was last asked for: registered nodes, nodes on their way, nodes being deleted. */
  readonly targetNodes: number;
  readonly priceUsdPerHour: number;
  /** Of a new node: all of it, what pods may use, and what DaemonSets ask for. */
  readonly capacity: Amounts;
  readonly allocatable: Amounts;
  readonly daemons: Amounts;
  /** Pods beside the DaemonSets'. */
  readonly podSlots: number;
}

export interface WaitingPod extends Guest {
  readonly name: string;
  readonly createdAtUs: number;
  /** Node groups whose labels, taints and zone suit it. */
  readonly groups: readonly string[];
}

export interface Expansion {
  readonly group: NodeGroup;
  readonly nodes: number;
  readonly helped: readonly WaitingPod[];
}

/** The best way to grow, or null; `draw` in [0, 1) breaks ties and makes the choice of `random`. */
export function bestExpansion(
  groups: readonly NodeGroup[],
  pods: readonly WaitingPod[],
  expander: Expander,
  draw: number,
): Expansion | null {
  const options = groups
    .map((group) => ({ group, ...estimateNodes(group, pods) }))
    .filter(({ nodes }) => nodes > 0)
    .sort((a, b) => (a.group.name < b.group.name ? -1 : 1));
  if (options.length === 0) return null;
  const scores = options.map((option) => scoreOf(option, pods, expander));
  const best = options.filter((_, o) => scores[o] === Math.min(...scores));
  return best[Math.floor(draw * best.length)]!;
}

/** How many new nodes the pods need that fit this group at all, maximum size aside. */
export function estimateNodes(
  group: NodeGroup,
  pods: readonly WaitingPod[],
): { readonly nodes: number; readonly helped: readonly WaitingPod[] } {
  const { cpuMillicores, memoryBytes } = group.allocatable;
  const helped = pods
    .filter((pod) => pod.groups.includes(group.name) && fits(emptyNode(group), pod))
    .map((pod) => ({ pod, size: pod.cpuMillicores / cpuMillicores + pod.memoryBytes / memoryBytes }))
    .sort((a, b) => b.size - a.size || (a.pod.name < b.pod.name ? -1 : 1))
    .map(({ pod }) => pod);
  const nodes: Room[] = [];
  for (const pod of helped) {
    let room = nodes.find((node) => fits(node, pod));
    if (!room) nodes.push((room = emptyNode(group)));
    occupy(room, pod);
  }
  return { nodes: nodes.length, helped };
}

export function emptyNode(group: NodeGroup): Room {
  const room = roomOf(group.allocatable, group.podSlots, []);
  room.cpuMillicores -= group.daemons.cpuMillicores;
  room.memoryBytes -= group.daemons.memoryBytes;
  return room;
}

/** Less is better. */
function scoreOf({ group, nodes, helped }: Expansion, pods: readonly WaitingPod[], expander: Expander): number {
  const asked = sumOfAmounts(helped);
  switch (expander) {
    case 'random':
      return 0;
    case 'least-waste': {
      // Against the whole machine: what the system and DaemonSets take is waste, too.
      const cpu = group.capacity.cpuMillicores * nodes;
      const memory = group.capacity.memoryBytes * nodes;
      return (cpu - asked.cpuMillicores) / cpu + (memory - asked.memoryBytes) / memory;
    }
    case 'price': {
      const all = sumOfAmounts(pods);
      const part = (of: number, whole: number) => (whole > 0 ? of / whole : 0);
      const served = part(asked.cpuMillicores, all.cpuMillicores) + part(asked.memoryBytes, all.memoryBytes);
      return served > 0 ? (group.priceUsdPerHour * nodes) / served : Infinity;
    }
  }
}
