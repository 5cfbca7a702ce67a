/**
 * CPU and memory that pods ask for and nodes have, as both node autoscalers count them: requests against allocatable,
 * usage does not matter. A pod takes one slot of `podSlots` beside, and may bear some kinds of pods beside it on its node
 * only in some number, or not at all: anti-affinity and spread by host, which decide how many nodes a batch needs.
 */
export interface Amounts {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** What a pod is to the others of its node. */
export interface Company {
  /** Left out: no rule speaks of it. */
  readonly kind?: number;
  /** Of each list of kinds no more than `most` pods may be there before it. Left out: it bears everybody. */
  readonly bears?: readonly { readonly kinds: readonly number[]; readonly most: number }[];
}

export type Guest = Amounts & Company;

/** What is left of a node; changed in place while pods are tried on it. */
export interface Room {
  cpuMillicores: number;
  memoryBytes: number;
  podSlots: number;
  /** Of the pods there that rules speak of; a list is never changed, so that a copied room has its own. */
  kinds: readonly number[];
}

export function roomOf(capacity: Amounts, podSlots: number, pods: readonly Guest[]): Room {
  const { cpuMillicores, memoryBytes } = capacity;
  const room: Room = { cpuMillicores, memoryBytes, podSlots, kinds: [] };
  for (const pod of pods) occupy(room, pod);
  return room;
}

export function fits(room: Room, pod: Guest): boolean {
  return (
    room.podSlots >= 1 &&
    room.cpuMillicores >= pod.cpuMillicores &&
    room.memoryBytes >= pod.memoryBytes &&
    (pod.bears === undefined ||
      pod.bears.every(({ kinds, most }) => room.kinds.filter((kind) => kinds.includes(kind)).length <= most))
  );
}

export function occupy(room: Room, pod: Guest): void {
  room.cpuMillicores -= pod.cpuMillicores;
  room.memoryBytes -= pod.memoryBytes;
  room.podSlots -= 1;
  if (pod.kind !== undefined) room.kinds = [...room.kinds, pod.kind];
}

export function sumOfAmounts(amounts: readonly Amounts[]): Amounts {
  return {
    cpuMillicores: amounts.reduce((sum, { cpuMillicores }) => sum + cpuMillicores, 0),
    memoryBytes: amounts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}
