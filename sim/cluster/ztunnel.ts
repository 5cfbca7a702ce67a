/**
 * Which endpoints a ztunnel may use for a Service: the ready ones that share most places with the client, in the order
 * region, zone and, for `PreferSameNode`, subzone and node; without a distribution all ready ones. A connection then gets
 * one of them at random.
 *
 * Source: ztunnel's load balancing with scopes and its mode "failover", and the scopes that Istiod sends with each
 * distribution (the labels of SEMANTICS A6). There is one network.
 */
import { splitLocality } from '../../engine/locality-match.js';
import type { Service } from '../../scenarios/types.js';

export interface ZtunnelEndpoint {
  /** `region/zone` or `region/zone/subzone`. */
  readonly locality: string;
  readonly node: string;
  readonly ready: boolean;
}

/** In the order given; none: connections are refused. */
export function nearestEndpoints<E extends ZtunnelEndpoint>(
  endpoints: readonly E[],
  distribution: Service['trafficDistribution'],
  client: { readonly locality: string; readonly node: string },
): E[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (distribution === null) return ready;
  const scopes = distribution === 'PreferSameNode' ? 4 : 2;
  const here = placesOf(client);
  const shared = ready.map((endpoint) => {
    const there = placesOf(endpoint);
    const differs = here.findIndex((place, i) => i >= scopes || place !== there[i]);
    return differs < 0 ? scopes : differs;
  });
  const most = Math.max(...shared);
  return ready.filter((_, e) => shared[e] === most);
}

function placesOf({ locality, node }: { readonly locality: string; readonly node: string }): readonly string[] {
  const { region, zone, subzone } = splitLocality(locality);
  return [region, zone, subzone, node];
}
