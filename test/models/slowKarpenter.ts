/**
 * Karpenter's packing by lists alone: what lies where is added up anew for each question. And a check from outside for
 * consolidation: is there any way at all, tried out one by one, to put these pods into that room?
 */
interface Load {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

interface Machine {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly podSlots: number;
}

function holds(machine: Omit<Machine, 'name'>, loads: readonly Load[]): boolean {
  const sum = (of: (load: Load) => number) => loads.map(of).reduce((a, b) => a + b, 0);
  return (
    loads.length <= machine.podSlots &&
    sum(({ cpuMillicores }) => cpuMillicores) <= machine.cpuMillicores &&
    sum(({ memoryBytes }) => memoryBytes) <= machine.memoryBytes
  );
}

/** Pods by place: names of nodes, then of bins `bin 0`, `bin 1` in the order opened, and `none`. */
export function slowPack(
  pods: readonly Load[],
  nodes: readonly Machine[],
  types: readonly Machine[],
): Record<string, string[]> {
  const waiting = [...pods];
  const onNode = nodes.map((node) => ({ node, loads: [] as Load[] }));
  const inBin: { name: string; loads: Load[] }[] = [];
  const left: Load[] = [];
  while (waiting.length > 0) {
    let next = waiting[0]!;
    for (const pod of waiting) {
      const more = pod.cpuMillicores - next.cpuMillicores || pod.memoryBytes - next.memoryBytes;
      if (more > 0 || (more === 0 && pod.name < next.name)) next = pod;
    }
    waiting.splice(waiting.indexOf(next), 1);
    const node = onNode.find((one) => holds(one.node, [...one.loads, next]));
    const emptiest = [...inBin].sort((a, b) => a.loads.length - b.loads.length || (a.name < b.name ? -1 : 1));
    const bin = emptiest.find((one) => types.some((type) => holds(type, [...one.loads, next])));
    if (node) node.loads.push(next);
    else if (bin) bin.loads.push(next);
    else if (types.some((type) => holds(type, [next]))) inBin.push({ name: `bin ${inBin.length}`, loads: [next] });
    else left.push(next);
  }
  const places = [
    ...onNode.map(({ node, loads }) => [node.name, loads] as const),
    ...inBin.map((b) => [b.name, b.loads] as const),
    ['none', left] as const,
  ];
  return Object.fromEntries(
    places.filter(([, loads]) => loads.length > 0).map(([name, loads]) => [name, loads.map((one) => one.name)]),
  );
}

/** Whether the pods fit somehow; `lying` is what the machines hold already. */
export function anyPlacement(
  pods: readonly Load[],
  machines: readonly { readonly machine: Omit<Machine, 'name'>; readonly lying: readonly Load[] }[],
): boolean {
  const [pod, ...rest] = pods;
  if (!pod) return true;
  return machines.some(({ machine, lying }, m) => {
    const lies = [...lying, pod];
    return holds(machine, lies) && anyPlacement(rest, machines.with(m, { machine, lying: lies }));
  });
}
