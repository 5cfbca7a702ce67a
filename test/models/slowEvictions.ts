/** The order in which a node under memory pressure evicts pods: whoever nobody else goes before, again and again. */
export interface SlowMemoryPod {
  readonly name: string;
  readonly priority: number;
  readonly memoryRequestBytes: number;
  readonly memoryUsedBytes: number;
}

export function slowEvictions(pods: readonly SlowMemoryPod[]): string[] {
  const left = [...pods];
  const order: string[] = [];
  while (left.length > 0) {
    const next = left.find((pod) => left.every((other) => other === pod || goesBefore(pod, other)))!;
    order.push(next.name);
    left.splice(left.indexOf(next), 1);
  }
  return order;
}

function goesBefore(pod: SlowMemoryPod, other: SlowMemoryPod): boolean {
  const [mine, theirs] = [pod, other].map(
    ({ memoryUsedBytes, memoryRequestBytes }) => memoryUsedBytes - memoryRequestBytes,
  );
  if (mine! > 0 && theirs! <= 0) return true;
  if (mine! <= 0 && theirs! > 0) return false;
  if (pod.priority !== other.priority) return pod.priority < other.priority;
  return mine === theirs ? pod.name < other.name : mine! > theirs!;
}
