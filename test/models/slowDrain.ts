/**
 * A drain as a clock that ticks every second: every pod not yet evicted asks in each fifth second of its own, and leaves
 * when its budget (so many may be out at once) has room. Replacements are ready `repairS` after an eviction.
 */
export function slowDrain(names: readonly string[], maxOut: number, repairS: number): Map<string, number> {
  const evictedAtS = new Map<string, number>();
  const order = [...names].sort();
  for (let nowS = 0; evictedAtS.size < order.length && nowS < 10_000; nowS++) {
    if (nowS % 5 !== 0) continue;
    for (const name of order) {
      const out = [...evictedAtS.values()].filter((atS) => nowS < atS + repairS).length;
      if (!evictedAtS.has(name) && out < maxOut) evictedAtS.set(name, nowS);
    }
  }
  return evictedAtS;
}
