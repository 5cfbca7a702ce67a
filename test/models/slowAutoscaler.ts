/**
 * Two things the Cluster Autoscaler does, the long way. How many nodes pods need: all pods sorted by counting who is
 * bigger, each tried on every node by adding up what lies there. And when a node is removed: from the whole history of
 * loops, instead of timers that are carried along.
 */
interface Size {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

export function slowNodeCount(pods: readonly Size[], node: Omit<Size, 'name'>, slots: number): number {
  const weight = (pod: Size) => pod.cpuMillicores / node.cpuMillicores + pod.memoryBytes / node.memoryBytes;
  const able = pods.filter((pod) => pod.cpuMillicores <= node.cpuMillicores && pod.memoryBytes <= node.memoryBytes);
  const ordered: Size[] = [];
  for (const pod of able) {
    const before = able.filter((o) => weight(o) > weight(pod) || (weight(o) === weight(pod) && o.name < pod.name));
    ordered[before.length] = pod;
  }
  const nodes: Size[][] = [];
  for (const pod of ordered) {
    const holds = (lying: readonly Size[]) => {
      const all = [...lying, pod];
      const cpu = all.reduce((sum, { cpuMillicores }) => sum + cpuMillicores, 0);
      const memory = all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
      return all.length <= slots && cpu <= node.cpuMillicores && memory <= node.memoryBytes;
    };
    const found = nodes.find(holds);
    if (found) found.push(pod);
    else nodes.push([pod]);
  }
  return nodes.length;
}

/** Per loop, 10 s apart: whether the node is idle enough and whether the cluster grew. The loop of the removal, or -1. */
export function slowRemovalLoop(loops: readonly { idle: boolean; grew: boolean }[]): number {
  return loops.findIndex((loop, now) => {
    if (loop.grew) return false;
    // Looks at the node happen in loops that do not grow; the last row of idle looks must begin over 600 s ago.
    const looks = loops.slice(0, now + 1).flatMap((one, at) => (one.grew ? [] : [{ at, idle: one.idle }]));
    const broken = looks.findLastIndex(({ idle }) => !idle);
    const first = looks[broken + 1];
    const calm = !loops.slice(0, now).some(({ grew }, at) => grew && (now - at) * 10 < 600);
    return first !== undefined && (now - first.at) * 10 > 600 && calm;
  });
}
