/**
 * Zone-aware routing (SEMANTICS A11): how a proxy shares its requests out over zones so that its own zone gets as much as
 * it can take, while every endpoint still gets about the same. The proxy knows where its siblings are (the pods of its own
 * service, which make the load) and where the endpoints are: a zone with 40 % of the callers and 20 % of the endpoints
 * keeps half of its requests, and the rest goes where endpoints are left over.
 * A zone is what Envoy takes for one: a whole locality, subzone and all.
 *
 * All of it is whole ten-thousandths, as in Envoy's regenerateLocalityRoutingStructures and tryChooseLocalLocalityHosts
 * (source/extensions/load_balancing_policies/common/load_balancer_impl.cc). There a zone whose endpoints are all unhealthy
 * is still a zone; should rounding leave no residual anywhere, any zone may be drawn, even such a one.
 */

/** Pods of the calling service in a locality, as its proxies know them. */
export interface CallerCount {
  readonly total: number;
  readonly healthy: number;
}

export interface ZoneAwareInput {
  readonly clientLocality: string;
  /** By locality. */
  readonly callers: ReadonlyMap<string, CallerCount>;
  /** Localities of the first priority, each once, with their healthy endpoints. */
  readonly upstream: readonly { readonly locality: string; readonly healthy: number }[];
  readonly minClusterSize: number;
}

/** Envoy's `min_cluster_size`, which Istio leaves. */
export const MIN_CLUSTER_SIZE = 6;

const WHOLE = 10_000;

/** Shares of the zones, in the order of `upstream`, summing to 1; null: zones are not looked at, all is one pool. */
export function zoneAwareShares({
  clientLocality,
  callers,
  upstream,
  minClusterSize,
}: ZoneAwareInput): readonly number[] | null {
  const endpoints = upstream.reduce((sum, { healthy }) => sum + healthy, 0);
  if (upstream.length < 2 || callers.size < 2 || endpoints < minClusterSize) return null;
  if ((callers.get(clientLocality)?.total ?? 0) === 0) return null;
  const calling = [...callers.values()].reduce((sum, { healthy }) => sum + healthy, 0);
  const percentages = upstream.map(({ locality, healthy }) => ({
    isLocal: locality === clientLocality,
    callers: healthy === 0 ? 0 : portion(callers.get(locality)?.healthy ?? 0, calling),
    endpoints: portion(healthy, endpoints),
  }));
  const local = percentages.find(({ isLocal }) => isLocal);
  if (local && local.endpoints > 0 && local.endpoints >= local.callers)
    return percentages.map(({ isLocal }) => (isLocal ? 1 : 0));
  const kept = local && local.callers > 0 ? Math.floor((local.endpoints * WHOLE) / local.callers) / WHOLE : 0;
  const residuals = percentages.map((zone) => (zone.isLocal ? 0 : Math.max(0, zone.endpoints - zone.callers)));
  const residual = residuals.reduce((sum, value) => sum + value, 0);
  return percentages.map(
    ({ isLocal }, i) =>
      (isLocal ? kept : 0) + (1 - kept) * (residual === 0 ? 1 / upstream.length : residuals[i]! / residual),
  );
}

function portion(count: number, all: number): number {
  return all === 0 ? 0 : Math.floor((WHOLE * count) / all);
}
