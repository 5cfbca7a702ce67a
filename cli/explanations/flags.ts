/**
 * Response flags: why a request failed, in the words of Envoy's access log, and the few words of results that Envoy has
 * no flag for. `simulated` ones stand in run records; the others are met in real logs.
 */
import type { Explanation } from './engine.js';

export interface FlagExplanation extends Explanation {
  readonly simulated: boolean;
}

const simulated = (meaning: string, cause: string, remedy: string): FlagExplanation => ({
  meaning,
  cause,
  remedy,
  simulated: true,
});

const logged = (meaning: string, cause: string, remedy: string): FlagExplanation => ({
  meaning,
  cause,
  remedy,
  simulated: false,
});

export const responseFlags: Readonly<Record<string, FlagExplanation>> = {
  UH: simulated(
    'No healthy upstream (503): the proxy knows no endpoint that it may send to.',
    'All pods are gone, not ready or ejected, or distribute lists only places without any.',
    'Check readiness and outlierDetection.maxEjectionPercent, and give every zone with pods a weight.',
  ),
  UF: simulated(
    'Upstream connection failure (503): the connection was refused or not made in time.',
    'The pod or its node has just died, and its endpoint still stands.',
    'Retries with connect-failure, a shorter connectTimeout, and outlier detection.',
  ),
  UO: simulated(
    'Upstream overflow (503): a circuit breaker of the calling proxy is full. Never retried.',
    'More requests at once than connectionPool allows: the callee is slow, or the limit low.',
    'Raise http1MaxPendingRequests, http2MaxRequests or maxConnections, or add replicas.',
  ),
  UC: simulated(
    'Upstream connection termination (503): the connection broke under the request.',
    'The pod was killed or ended before it had answered.',
    'Graceful ends (preStop, terminationGracePeriodSeconds), and retries where calls may be repeated.',
  ),
  UT: simulated(
    'Upstream request time-out (504): no answer within the time-out of the route or of one attempt.',
    'A slow or overloaded callee, a lost node, or too short a time-out.',
    'Look at the latency of the callee; lengthen timeout or perTryTimeout, or relieve it.',
  ),
  NR: simulated(
    'No route (404): no route of the VirtualService matches the request.',
    'Matches without a last route that takes the rest, or a host that is not known.',
    'Add a route without match at the end.',
  ),
  NC: simulated(
    'No cluster (503): the route names a subset that no DestinationRule defines.',
    'The VirtualService came before, or without, the subset.',
    'Define the subset first, and apply in that order.',
  ),
  FI: simulated(
    'Fault injection: the proxy has aborted the request on purpose.',
    'fault.abort of a VirtualService.',
    'Nothing where it is a test; else remove the fault.',
  ),
  'FI-gRPC': simulated(
    'Fault injection with a gRPC status: HTTP says 200, the call has failed.',
    'fault.abort.grpcStatus of a VirtualService.',
    'Nothing where it is a test; else remove the fault.',
  ),
  '500': simulated(
    'The application has answered 500.',
    'An error of its own, or a failed call behind it that it passes on.',
    'Look at the edges behind it: where one fails, that is the cause.',
  ),
  '503': simulated(
    'The application has refused with 503.',
    'Its queue is full, or a waypoint passes a failure on.',
    'Add replicas or workers, or shed load earlier.',
  ),
  '504': simulated(
    'A waypoint has answered 504: its own call was timed out.',
    'As for UT, behind the waypoint.',
    'Look at the edge from the waypoint on.',
  ),
  direct: simulated(
    'A direct response of 400 or more: the proxy has answered by itself.',
    'directResponse of a VirtualService; behind a waypoint any such answer of its own.',
    'Nothing where it is meant.',
  ),
  unreachable: simulated(
    'The user found no gateway.',
    'The zone of the gateway is lost, and its users have not been sent elsewhere yet.',
    'Gateways in several zones, and a faster failover (gateways.failover).',
  ),
  DI: logged(
    'Delay injection: the proxy has held the request on purpose. Not a failure by itself.',
    'fault.delay of a VirtualService.',
    'Nothing where it is a test. Runs count the delay in latencies.',
  ),
  DC: logged(
    'Downstream connection termination: the caller went away before the answer.',
    'A time-out or a cancel on the caller, or its death.',
    'Look at the time-outs of the callers: they are shorter than the answers take.',
  ),
  DPE: logged(
    'Downstream protocol error: the caller does not speak proper HTTP.',
    'Another protocol on an HTTP port, or broken headers.',
    'Name the port by its protocol, or set appProtocol.',
  ),
  URX: logged(
    'Retry limit exceeded: all retries of HTTP, or all attempts to connect of TCP, were used up.',
    'The failure lasts longer than the retries.',
    'Look at the flag of the last attempt for the cause. Runs count the call by that cause.',
  ),
  UR: logged(
    'Upstream remote reset (503): the callee has reset the stream.',
    'The application or its proxy has given the request up.',
    'Look at the log of the callee.',
  ),
  UPE: logged(
    'Upstream protocol error: the answer is not proper HTTP.',
    'Another protocol on an HTTP port.',
    'Name the port by its protocol, or set appProtocol.',
  ),
  UMSDR: logged(
    'The stream has lasted longer than max_stream_duration allows.',
    'A limit of the proxy on long calls.',
    'Raise the limit for streams that are meant to last.',
  ),
  LR: logged(
    'Connection reset by the proxy itself (503).',
    'A limit or an error on its own side.',
    'Look at the log of the proxy.',
  ),
  LH: logged(
    'The own service has failed its health check (503).',
    'Active health checks of Envoy, which Istio does not use by default.',
    'Look at the health check.',
  ),
  SI: logged(
    'Stream idle time-out (408 or 504): nothing moved on the stream for too long.',
    'A caller that sends its body too slowly, or a stream that is quiet.',
    'Raise the idle time-out for quiet streams.',
  ),
  IH: logged(
    'Invalid value of a strictly checked header (400).',
    'Headers of Envoy that a caller sets wrongly.',
    'Correct the headers of the caller.',
  ),
  RL: logged('Rate limited (429).', 'A local or global rate limit.', 'Slow the caller down, or raise the limit.'),
  RLSE: logged(
    'The rate limit service has failed.',
    'It does not answer, and the filter refuses what it cannot ask about.',
    'Look at the rate limit service.',
  ),
  UAEX: logged(
    'Refused by the external authorization service.',
    'A policy of that service, or its failure.',
    'Look at the AuthorizationPolicy with action CUSTOM and at the service behind it.',
  ),
  OM: logged(
    'The overload manager of the proxy has refused the request.',
    'The proxy itself is short of memory or another resource.',
    'Give the proxy more memory.',
  ),
  DF: logged('The name of the upstream could not be resolved.', 'DNS fails or does not know it.', 'Check the host.'),
  NFCF: logged(
    'The configuration of a filter has not arrived in time.',
    'An extension that Istiod does not deliver.',
    'Look at the configuration of the extension.',
  ),
};
