/**
 * Which endpoints a client may use, tier by tier and from scratch; and how many endpoints each zone is hinted to, by
 * writing out every surplus and need. Shares nothing with the model but the shape of its input.
 */
import type { EndpointHints, ProxyClient, ProxyEndpoint } from '../../sim/cluster/kubeProxy.js';

export function slowUsable(
  endpoints: readonly ProxyEndpoint[],
  hints: ReadonlyMap<string, EndpointHints>,
  client: ProxyClient,
  isLocal: boolean,
): string[] {
  const names = (test: (endpoint: ProxyEndpoint) => boolean) =>
    endpoints
      .filter((endpoint) => (!isLocal || endpoint.node === client.node) && test(endpoint))
      .map(({ name }) => name);
  let zoneWorks = !isLocal;
  let nodeWorks = !isLocal;
  for (const { ready, name } of endpoints) {
    if (!ready) continue;
    if (!hints.get(name)?.forZone) zoneWorks = false;
    if (!hints.get(name)?.forNode) nodeWorks = false;
  }
  const tiers = [
    names(({ ready, name }) => ready && nodeWorks && hints.get(name)!.forNode === client.node),
    names(({ ready, name }) => ready && zoneWorks && hints.get(name)!.forZone === client.zone),
    names(({ ready }) => ready),
    names(({ ready, serving, terminating }) => !ready && serving && terminating),
  ];
  return tiers.find((tier) => tier.length > 0) ?? [];
}

/** Null: hints are off. */
export function slowHintCounts(
  endpointsInZone: Readonly<Record<string, number>>,
  cpuInZone: Readonly<Record<string, number>>,
): Record<string, number> | null {
  const zones = Object.keys(cpuInZone).sort();
  const all = Object.values(endpointsInZone).reduce((a, b) => a + b, 0);
  const cpu = Object.values(cpuInZone).reduce((a, b) => a + b, 0);
  if (zones.length < 2 || all < zones.length) return null;
  // Least whole number n with n x 1.2 >= share, as 6n x cpu >= 5 x all x part.
  const minimum = zones.map((zone) => {
    let n = 0;
    while (6 * n * cpu < 5 * all * cpuInZone[zone]!) n++;
    return n;
  });
  if (minimum.reduce((a, b) => a + b, 0) > all) return null;
  const has = { ...endpointsInZone };
  const want = zones.map((zone, z) => Math.max((all * cpuInZone[zone]!) / cpu, minimum[z]!));
  for (;;) {
    const excess = zones.map((zone, z) => (has[zone] ?? 0) - want[z]!);
    const [most, least] = [Math.max(...excess), Math.min(...excess)];
    const mends = most >= 0.5 && -least >= 0.5 && (most >= 1 || -least >= 1);
    if (!mends) return has;
    const [from, to] = [zones[excess.indexOf(most)]!, zones[excess.indexOf(least)]!];
    has[from] = has[from]! - 1;
    has[to] = (has[to] ?? 0) + 1;
  }
}
