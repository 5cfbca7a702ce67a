/** The three decreasing heuristics as they are written in a textbook: look at every node for every item. */
import type { PackInput } from '../../engine/index.js';

export function slowPack({ items, nodes, strategy, headroom = 0 }: PackInput): (string | null)[] {
  const share = typeof headroom === 'number' ? { cpu: headroom, memory: headroom } : headroom;
  const free = nodes.map(({ cpuMillicores, memoryBytes }) => ({
    cpu: Math.floor(cpuMillicores * (1 - share.cpu) + 1e-6),
    memory: Math.floor(memoryBytes * (1 - share.memory) + 1e-6),
  }));
  const size = (cpu: number, memory: number): number => cpu / 1000 + memory / 2 ** 30;
  const order = items.map((item, index) => ({ ...item, index, size: size(item.cpuMillicores, item.memoryBytes) }));
  order.sort((a, b) => b.size - a.size || a.index - b.index);
  const homes = items.map((): string | null => null);
  for (const { cpuMillicores, memoryBytes, index } of order) {
    let chosen = -1;
    free.forEach(({ cpu, memory }, node) => {
      if (cpuMillicores > cpu || memoryBytes > memory) return;
      if (chosen < 0) return void (chosen = node);
      const left = size(cpu, memory);
      const least = size(free[chosen]!.cpu, free[chosen]!.memory);
      if (strategy === 'best-fit-decreasing' && left < least) chosen = node;
      if (strategy === 'worst-fit-decreasing' && left > least) chosen = node;
    });
    if (chosen < 0) continue;
    homes[index] = nodes[chosen]!.name;
    free[chosen]!.cpu -= cpuMillicores;
    free[chosen]!.memory -= memoryBytes;
  }
  return homes;
}
