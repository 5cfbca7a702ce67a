/**
 * Slow twin of `failoverPriorityLabels` (A6): label after label, endpoint after endpoint, each with a map of its labels.
 */
import type { RouteEndpoint } from '../../sim/mesh/locality.js';

type Place = Pick<RouteEndpoint, 'zone' | 'locality' | 'node'>;

/** The priority of each endpoint, without gaps. */
export function slowPriorities(
  endpoints: readonly Place[],
  entries: readonly string[],
  client: Place,
  networkIsWish: boolean,
): number[] {
  const own = labelsOf(client);
  for (const entry of entries) {
    const parts = entry.split('=');
    if (parts.length === 2) own.set(parts[0]!, parts[1]!);
  }
  const raw = endpoints.map((endpoint) => {
    const theirs = labelsOf(endpoint);
    let penalty = 0;
    for (const [j, entry] of entries.entries()) {
      const label = entry.split('=')[0]!;
      if ((own.get(label) ?? '') === (theirs.get(label) ?? '')) continue;
      if (networkIsWish && j === 0 && entries[0] === 'topology.istio.io/network') penalty = entries.length;
      else return penalty + entries.length - j;
    }
    return penalty;
  });
  const levels = [...new Set(raw)].sort((a, b) => a - b);
  return raw.map((priority) => levels.indexOf(priority));
}

function labelsOf({ zone, locality = zone, node }: Place): Map<string, string> {
  const [region, zoneName, subzone] = locality.split('/');
  const labels = {
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zoneName,
    'topology.istio.io/subzone': subzone,
    'kubernetes.io/hostname': node,
  };
  return new Map(Object.entries(labels).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
