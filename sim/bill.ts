/**
 * What stands on the bill besides nodes and traffic between zones: the load balancer in front of the gateways, replies
 * that leave for users over the internet, and NAT gateways. The clouds charge the first and the last by the hour and by the
 * GB in either direction, the internet by the GB sent.
 *
 * Bytes are those of users' requests: each request that a gateway accepts, and each reply that succeeded. A failed one
 * sends back a few bytes that nobody states; they are left out.
 */
import type { Bill } from '../scenarios/types.js';
import { transferUsd } from './cluster/cost.js';
import type { World } from './world.js';

const HOUR_US = 3_600_000_000;

export interface UserBytes {
  readonly requests: number;
  readonly replies: number;
}

/** Null: unknown. A part that is not on the bill costs 0. */
export interface BillUsd {
  readonly loadBalancerUsd: number | null;
  readonly internetUsd: number | null;
  readonly natUsd: number | null;
}

/** Of the measured part so far. */
export function userBytes({ program, counters }: World): UserBytes {
  let requests = 0;
  let replies = 0;
  program.scenario.loads.forEach(({ service, endpoint }, load) => {
    const { requestBytes, responseBytes } = program.scenario.services[service]!.endpoints[endpoint]!;
    requests += counters.arrivals[load]! * requestBytes;
    replies += counters.loadSucceeded[load]! * responseBytes;
  });
  return { requests, replies };
}

/** @param outsideBytes passed through the NAT gateways, in either direction */
export function billUsd(bill: Bill, users: UserBytes, outsideBytes: number, forUs: number): BillUsd {
  const { loadBalancer, internet, nat } = bill;
  return {
    loadBalancerUsd: loadBalancer === null ? 0 : hoursAndBytes(loadBalancer, users.requests + users.replies, forUs),
    internetUsd: internet === null ? 0 : bytesUsd(users.replies, internet.usdPerGb),
    natUsd: nat === null ? 0 : hoursAndBytes(nat, outsideBytes, forUs),
  };
}

function hoursAndBytes(
  { usdPerHour, usdPerGb }: NonNullable<Bill['loadBalancer']>,
  bytes: number,
  forUs: number,
): number | null {
  const moved = bytesUsd(bytes, usdPerGb);
  return usdPerHour === null || moved === null ? null : (forUs / HOUR_US) * usdPerHour + moved;
}

/** No bytes cost nothing at any price. */
export function bytesUsd(bytes: number, usdPerGb: number | null): number | null {
  if (bytes === 0) return 0;
  return usdPerGb === null ? null : transferUsd(bytes, usdPerGb);
}
