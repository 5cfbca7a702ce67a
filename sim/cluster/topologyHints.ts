/**
 * The hints that the EndpointSlice controller puts on a Service's ready endpoints, from the Service's fields and the
 * nodes' CPU. Two ways: `trafficDistribution` hints each endpoint to its own zone (and node), whatever the numbers; the
 * older annotation `topology-mode: Auto` shares endpoints out by each zone's part of the CPU, moves whole endpoints from
 * zones that have too many, and gives up where a zone's endpoints would be overloaded by more than 20 %.
 *
 * Source: endpointslice/trafficdist and endpointslice/topologycache. Hints are worked out afresh each time; the
 * controller leaves slices that are still acceptable alone. Where it walks a map in no order, zones go by name here.
 */
import type { EndpointHints, ProxyEndpoint } from './kubeProxy.js';

export type TrafficDistribution = 'PreferClose' | 'PreferSameZone' | 'PreferSameNode';

export interface TopologyNode {
  readonly zone: string | null;
  readonly cpuMillicores: number;
  readonly ready: boolean;
  /** Its CPU is not for this traffic. */
  readonly controlPlane: boolean;
}

export interface Hinting {
  readonly hints: ReadonlyMap<string, EndpointHints>;
  /** Why there are none, where some were asked for. */
  readonly because: string | null;
}

/** PreferClose is on by default from 1.31 (KEP-4444), the two newer names from 1.34 (KEP-3015). */
const PREFER_CLOSE_MINOR = 31;
const PREFER_SAME_MINOR = 34;
/** An endpoint may get at most this much more than its fair part. */
const OVERLOAD_THRESHOLD = 0.2;

export function topologyHints(
  service: { readonly trafficDistribution: TrafficDistribution | null; readonly topologyModeAuto: boolean },
  endpoints: readonly ProxyEndpoint[],
  nodes: readonly TopologyNode[],
  kubernetesMinor: number,
): Hinting {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  // The annotation wins over the field.
  if (service.topologyModeAuto) return autoHints(ready, nodes);
  const wanted = service.trafficDistribution;
  if (wanted === null) return { hints: new Map(), because: null };
  const since = wanted === 'PreferClose' ? PREFER_CLOSE_MINOR : PREFER_SAME_MINOR;
  if (kubernetesMinor < since) return none(`${wanted} is off by default before 1.${since}`);
  const hintOf = ({ zone, node }: ProxyEndpoint): EndpointHints => ({
    forZone: zone,
    forNode: wanted === 'PreferSameNode' ? node : null,
  });
  return { hints: new Map(ready.map((endpoint) => [endpoint.name, hintOf(endpoint)])), because: null };
}

function none(because: string): Hinting {
  return { hints: new Map(), because };
}

function autoHints(ready: readonly ProxyEndpoint[], nodes: readonly TopologyNode[]): Hinting {
  const desired = desiredByZone(ready.length, nodes);
  if (typeof desired === 'string') return none(desired);
  if (ready.some(({ zone }) => zone === null)) return none('an endpoint has no zone');
  const { giving, receiving } = moves(desired, ready);
  const hints = new Map<string, EndpointHints>();
  for (const { name, zone } of ready) {
    const taker = take(giving, zone!) ? receiving.find(({ count }) => count > 0)! : null;
    if (taker) taker.count--;
    hints.set(name, { forZone: taker ? taker.zone : zone, forNode: null });
  }
  return { hints, because: null };
}

function take(giving: readonly ZoneCount[], zone: string): boolean {
  const giver = giving.find((candidate) => candidate.zone === zone && candidate.count > 0);
  if (giver) giver.count--;
  return giver !== undefined;
}

/** Endpoints each zone should have, as a fraction; a sentence where hints are off. */
export function desiredByZone(endpointCount: number, nodes: readonly TopologyNode[]): Map<string, number> | string {
  const counted = nodes.filter(({ ready, controlPlane }) => ready && !controlPlane);
  if (counted.some(({ zone, cpuMillicores }) => zone === null || cpuMillicores === 0)) {
    return 'a node has no zone or no CPU';
  }
  const cpuOf = new Map<string, number>();
  for (const { zone, cpuMillicores } of counted) cpuOf.set(zone!, (cpuOf.get(zone!) ?? 0) + cpuMillicores);
  if (cpuOf.size < 2) return 'ready nodes in fewer than two zones';
  if (cpuOf.size > endpointCount) return `fewer endpoints (${endpointCount}) than zones (${cpuOf.size})`;
  const total = [...cpuOf.values()].reduce((sum, cpu) => sum + cpu, 0);
  const shares = [...cpuOf].sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, cpu]) => [zone, cpu / total] as const);
  let minimumTotal = 0;
  const desired = new Map<string, number>();
  for (const [zone, share] of shares) {
    const exact = share * endpointCount;
    const minimum = Math.ceil(exact * (1 / (1 + OVERLOAD_THRESHOLD)));
    minimumTotal += minimum;
    desired.set(zone, Math.max(exact, minimum));
  }
  return minimumTotal > endpointCount ? 'too few endpoints to keep every zone below the overload threshold' : desired;
}

interface ZoneCount {
  readonly zone: string;
  count: number;
}

/** How many endpoints each zone gives and takes: the greatest surplus to the greatest need, one at a time. */
function moves(desired: ReadonlyMap<string, number>, ready: readonly ProxyEndpoint[]) {
  const zones = [...desired].map(([zone, target]) => {
    const surplus = ready.filter((endpoint) => endpoint.zone === zone).length - target;
    return { zone, surplus: Math.max(surplus, 0), need: Math.max(-surplus, 0), gives: 0, takes: 0 };
  });
  for (;;) {
    const giver = zones.reduce((most, zone) => (zone.surplus > most.surplus ? zone : most));
    const taker = zones.reduce((most, zone) => (zone.need > most.need ? zone : most));
    // A whole endpoint moves only if it mends more than it spoils, on both sides, and clearly so on one.
    if (giver.surplus < 0.5 || taker.need < 0.5 || (giver.surplus < 1 && taker.need < 1)) break;
    giver.surplus--;
    giver.gives++;
    taker.need--;
    taker.takes++;
  }
  return {
    giving: zones.map(({ zone, gives }): ZoneCount => ({ zone, count: gives })),
    receiving: zones.map(({ zone, takes }): ZoneCount => ({ zone, count: takes })),
  };
}
