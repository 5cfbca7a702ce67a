/**
 * CPU and memory that pods ask for and nodes have, as both node autoscalers count them: requests against allocatable,
 * usage does not matter. A pod takes one slot of `podSlots` beside.
 */
export interface Amounts {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** What is left of a node; changed in place while pods are tried on it. */
export interface Room {
  cpuMillicores: number;
  memoryBytes: number;
  podSlots: number;
}

export function roomOf(capacity: Amounts, podSlots: number, pods: readonly Amounts[]): Room {
  const room = { cpuMillicores: capacity.cpuMillicores, memoryBytes: capacity.memoryBytes, podSlots };
  for (const pod of pods) occupy(room, pod);
  return room;
}

export function fits(room: Room, pod: Amounts): boolean {
  return room.podSlots >= 1 && room.cpuMillicores >= pod.cpuMillicores && room.memoryBytes >= pod.memoryBytes;
}

export function occupy(room: Room, pod: Amounts): void {
  room.cpuMillicores -= pod.cpuMillicores;
  room.memoryBytes -= pod.memoryBytes;
  room.podSlots -= 1;
}

export function sumOfAmounts(amounts: readonly Amounts[]): Amounts {
  return {
    cpuMillicores: amounts.reduce((sum, { cpuMillicores }) => sum + cpuMillicores, 0),
    memoryBytes: amounts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}
