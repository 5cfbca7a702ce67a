/**
 * What happens, and when, after a node is lost: how long its pods still get traffic, and when they are replaced.
 *
 * The kubelet renews its lease every 10 s. The node controller looks every 5 s and notes when it last saw a new renewal;
 * once that is more than the grace period ago it calls the node unreachable and marks its pods not ready, so the endpoints
 * drop out. The pods themselves live on in the API until their toleration of 300 s is over; only then are they deleted and
 * replaced. So: about 50 s of misdirected traffic, about 350 s without the replicas.
 *
 * Where many nodes of a zone go at once, their NoExecute taints are given out one per 10 s (`--node-eviction-rate` 0.1).
 */

/** From 1.32 on the controller waits longer. */
export type KubernetesLevel = '<=1.31' | '>=1.32';

export interface NodeLossInput {
  readonly lostAtUs: number;
  /** When the node runs again; null: never. */
  readonly backAtUs: number | null;
  /** Lease renewals fall on leasePhaseUs + k x 10 s. */
  readonly leasePhaseUs: number;
  /** Checks of the node controller fall on checkPhaseUs + k x 5 s. */
  readonly checkPhaseUs: number;
  /** Nodes of the same zone whose taints come before this one's; 0 for a single loss. */
  readonly nodesTaintedBefore: number;
  readonly kubernetes: KubernetesLevel;
}

export interface NodeLossTimeline {
  /** The node turns NotReady and its pods leave the endpoints; null if it is back before that. */
  readonly endpointsDropAtUs: number | null;
  /** Its pods are deleted and their replacements created; null if it is back before that. */
  readonly podsReplacedAtUs: number | null;
  /** The node is Ready again, where it had turned NotReady and comes back. */
  readonly readyAgainAtUs: number | null;
}

const SECOND_US = 1_000_000;
/** A quarter of the lease's 40 s; longer and one missed renewal would look like a loss. */
const LEASE_RENEWAL_US = 10 * SECOND_US;
const CHECK_PERIOD_US = 5 * SECOND_US;
const GRACE_US: Readonly<Record<KubernetesLevel, number>> = { '<=1.31': 40 * SECOND_US, '>=1.32': 50 * SECOND_US };
/** What admission gives every pod for the taints not-ready and unreachable. */
const TOLERATION_US = 300 * SECOND_US;
const TAINT_INTERVAL_US = 10 * SECOND_US;

export function nodeLossTimeline(input: NodeLossInput): NodeLossTimeline {
  const { lostAtUs, leasePhaseUs, checkPhaseUs } = input;
  const backAtUs = input.backAtUs ?? Infinity;
  const checkFrom = (us: number) => nextTick(us, checkPhaseUs, CHECK_PERIOD_US);

  const lastRenewalUs = leasePhaseUs + Math.floor((lostAtUs - leasePhaseUs) / LEASE_RENEWAL_US) * LEASE_RENEWAL_US;
  const seenUs = checkFrom(lastRenewalUs);
  // More than the grace period: the check exactly at its end still waits.
  const unreachableUs = checkFrom(seenUs + GRACE_US[input.kubernetes] + 1);
  if (backAtUs <= unreachableUs) return { endpointsDropAtUs: null, podsReplacedAtUs: null, readyAgainAtUs: null };

  const replacedUs = unreachableUs + input.nodesTaintedBefore * TAINT_INTERVAL_US + TOLERATION_US;
  const readyAgainUs = backAtUs === Infinity ? null : checkFrom(backAtUs);
  const isBackInTime = readyAgainUs !== null && readyAgainUs <= replacedUs;
  return {
    endpointsDropAtUs: unreachableUs,
    podsReplacedAtUs: isBackInTime ? null : replacedUs,
    readyAgainAtUs: readyAgainUs,
  };
}

/** The first tick at or after `us`. */
function nextTick(us: number, phaseUs: number, periodUs: number): number {
  return phaseUs + Math.ceil((us - phaseUs) / periodUs) * periodUs;
}
