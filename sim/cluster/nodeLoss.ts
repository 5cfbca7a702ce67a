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
  /** Lease renewals fall on leasePhaseUs + k x 10 s. */
  readonly leasePhaseUs: number;
  /** Checks of the node controller fall on checkPhaseUs + k x 5 s. Left out: 0. */
  readonly checkPhaseUs?: number;
  /** Nodes of the same zone whose taints come before this one's. Left out: 0, a single loss. */
  readonly nodesTaintedBefore?: number;
  /** Left out: from 1.32 on. */
  readonly kubernetes?: KubernetesLevel;
  /** How long its pods tolerate the loss. Left out: 300 s. */
  readonly tolerationUs?: number;
}

/** For a node that stays away: the caller drops what lies after its return. */
export interface NodeLossTimeline {
  /** The node turns NotReady and its pods leave the endpoints. */
  readonly notReadyAtUs: number;
  /** Its pods are deleted, and their replacements created. */
  readonly evictedAtUs: number;
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
  const { lostAtUs, leasePhaseUs, checkPhaseUs = 0, nodesTaintedBefore = 0, kubernetes = '>=1.32' } = input;
  const { tolerationUs = TOLERATION_US } = input;
  const checkFrom = (us: number) => nextTick(us, checkPhaseUs, CHECK_PERIOD_US);
  const lastRenewalUs = leasePhaseUs + Math.floor((lostAtUs - leasePhaseUs) / LEASE_RENEWAL_US) * LEASE_RENEWAL_US;
  const seenUs = checkFrom(lastRenewalUs);
  // More than the grace period: the check exactly at its end still waits.
  const notReadyAtUs = checkFrom(seenUs + GRACE_US[kubernetes] + 1);
  return { notReadyAtUs, evictedAtUs: notReadyAtUs + nodesTaintedBefore * TAINT_INTERVAL_US + tolerationUs };
}

/** The first tick at or after `us`. */
function nextTick(us: number, phaseUs: number, periodUs: number): number {
  return phaseUs + Math.ceil((us - phaseUs) / periodUs) * periodUs;
}
