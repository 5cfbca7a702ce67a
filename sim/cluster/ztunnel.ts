/**
 * Which endpoints a ztunnel may use for a Service: the ready ones that share most of the labels of its distribution with
 * the client, each label counting only where those before it are shared; without a distribution all ready ones. A
 * connection then gets one of them at random.
 *
 * Source: ztunnel's load balancing with scopes and its mode "failover"; Istiod sends it the labels of SEMANTICS A6.
 */
import { splitLocality } from '../../engine/locality-match.js';
import type { Service } from '../../scenarios/types.js';
import { labelValue, localityOf, type RouteEndpoint } from '../mesh/locality.js';
import { distributionLabels } from '../mesh/localitySetting.js';

type ZtunnelEndpoint = Pick<RouteEndpoint, 'zone' | 'locality' | 'node' | 'healthy'>;

/** In the order given; none: connections are refused. */
export function nearestEndpoints<E extends ZtunnelEndpoint>(
  endpoints: readonly E[],
  distribution: Service['trafficDistribution'],
  client: { readonly locality: string; readonly node: string },
): E[] {
  const ready = endpoints.filter(({ healthy }) => healthy);
  if (distribution === null) return ready;
  const labels = distributionLabels(distribution);
  const valuesOf = (locality: string, node: string): readonly string[] =>
    labels.map((label) => labelValue(label, splitLocality(locality), node));
  const here = valuesOf(client.locality, client.node);
  const shared = ready.map((endpoint) => {
    const there = valuesOf(localityOf(endpoint), endpoint.node);
    const differs = here.findIndex((value, i) => value !== there[i]);
    return differs < 0 ? labels.length : differs;
  });
  const most = Math.max(...shared);
  return ready.filter((_, e) => shared[e] === most);
}
