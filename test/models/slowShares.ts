/** Cores by weight, by pouring: a little water at a time to everybody who still wants some, by weight. */
export function slowShares(
  claims: readonly { weight: number; demandCores: number; limitCores: number }[],
  cores: number,
): number[] {
  const given = claims.map(() => 0);
  const wants = (c: number) => Math.min(claims[c]!.demandCores, claims[c]!.limitCores) - given[c]!;
  for (let left = cores; left > 1e-9;) {
    const thirsty = claims.map((_, c) => c).filter((c) => wants(c) > 1e-9);
    if (thirsty.length === 0) break;
    const weight = thirsty.reduce((sum, c) => sum + claims[c]!.weight, 0);
    // As much as fills the first vessel, or as is left.
    const level = Math.min(left / weight, ...thirsty.map((c) => wants(c) / claims[c]!.weight));
    for (const c of thirsty) given[c] = given[c]! + level * claims[c]!.weight;
    left -= level * weight;
  }
  return given;
}
