/**
 * Which endpoints a client on a node may reach for a Service without a mesh, from the endpoints' conditions and hints. A
 * connection then picks one of them uniformly at random: load is not looked at, and neither is capacity, so a lone
 * endpoint of a zone gets all of that zone's traffic.
 *
 * Hints say which nodes or zones an endpoint is for (topologyHints.ts writes them). One ready endpoint without a hint
 * switches that kind of hint off for everybody; so does a client whose node or zone no endpoint is meant for.
 *
 * Source: kube-proxy's pkg/proxy/topology.go. Only when no endpoint is ready anywhere (or, for a Local policy, on the
 * node) do terminating endpoints that still serve come into use; topology is then ignored.
 */

export interface ProxyEndpoint {
  readonly name: string;
  readonly node: string;
  readonly zone: string | null;
  readonly ready: boolean;
  /** Ready or not, still answers: what a terminating pod is until its grace period ends. */
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** Where the control plane wants an endpoint to be used; null: no hint of that kind. */
export interface EndpointHints {
  readonly forZone: string | null;
  readonly forNode: string | null;
}

export interface ProxyClient {
  readonly node: string;
  readonly zone: string | null;
}

/** The endpoints that the client's connections spread over evenly, in the order given; none: connections are refused. */
export function usableEndpoints<E extends ProxyEndpoint>(
  endpoints: readonly E[],
  hints: ReadonlyMap<string, EndpointHints>,
  client: ProxyClient,
  trafficPolicy: 'Cluster' | 'Local',
): E[] {
  const inReach = trafficPolicy === 'Local' ? endpoints.filter(({ node }) => node === client.node) : endpoints;
  const ready = inReach.filter((endpoint) => endpoint.ready);
  if (ready.length === 0) return inReach.filter(({ serving, terminating }) => serving && terminating);
  return trafficPolicy === 'Local' ? ready : closest(ready, hints, client);
}

function closest<E extends ProxyEndpoint>(
  ready: readonly E[],
  hints: ReadonlyMap<string, EndpointHints>,
  client: ProxyClient,
): E[] {
  const meantFor = (kind: keyof EndpointHints, place: string | null): E[] => {
    const wanted = ready.map(({ name }) => hints.get(name)?.[kind] ?? null);
    return wanted.includes(null) ? [] : ready.filter((_, e) => wanted[e] === place);
  };
  const onNode = meantFor('forNode', client.node);
  if (onNode.length > 0) return onNode;
  const inZone = meantFor('forZone', client.zone);
  return inZone.length > 0 ? inZone : [...ready];
}
