/**
 * A node's drain as `kubectl drain --ignore-daemonsets` does it: who is asked to leave, when, and when it is over.
 *
 * The caller cordons the node first (`schedulable: false`), so that nothing new comes. Then every pod is asked at once, in
 * the order of the list (namespace, name); each that its budget holds back is asked again 5 s later, for as long as it
 * takes: one blocked pod holds up the drain, not the others. DaemonSet pods stay (they would come right back), and so do
 * mirror pods. A pod that may go has its own grace period; the drain ends when all are gone. An error other than "not now"
 * (two budgets on a pod) fails the drain for that pod, and the others still leave.
 *
 * Source: kubectl's pkg/drain (filters.go; evictPods in drain.go: one routine per pod, a pause of 5 s after a 429).
 */
import type { EvictionAnswer } from './pdb.js';

export interface NodePod {
  readonly name: string;
  readonly namespace: string;
  readonly owner: 'DaemonSet' | 'mirror' | 'other';
  readonly terminationGraceUs: number;
}

export interface DrainState {
  /** Pods not evicted yet, in the order in which they are asked. */
  readonly asking: readonly { readonly pod: NodePod; readonly atUs: number }[];
  /** Evicted pods that are on their way out. */
  readonly leaving: readonly NodePod[];
  readonly failed: readonly { readonly pod: NodePod; readonly because: string }[];
}

export interface DrainPass {
  readonly state: DrainState;
  /** To be deleted now, each with the latest time it may take. */
  readonly evicted: readonly { readonly pod: NodePod; readonly killAtUs: number }[];
  /** When to ask again; null: no pod is left to ask. */
  readonly nextAtUs: number | null;
}

const RETRY_US = 5_000_000;

export function startDrain(pods: readonly NodePod[], nowUs: number): DrainState {
  const leaving = pods.filter(({ owner }) => owner === 'other').sort(compareNames);
  return { asking: leaving.map((pod) => ({ pod, atUs: nowUs })), leaving: [], failed: [] };
}

/** `ask`: the eviction API. It sees the evictions of this pass, so the caller notes each before the next is asked. */
export function drainPass(state: DrainState, nowUs: number, ask: (pod: NodePod) => EvictionAnswer): DrainPass {
  const asking: DrainState['asking'][number][] = [];
  const failed = [...state.failed];
  const evicted: DrainPass['evicted'][number][] = [];
  for (const turn of state.asking) {
    const { pod, atUs } = turn;
    if (atUs > nowUs) {
      asking.push(turn);
      continue;
    }
    const answer = ask(pod);
    if (answer.code === 201) evicted.push({ pod, killAtUs: nowUs + pod.terminationGraceUs });
    else if (answer.code === 429) asking.push({ pod, atUs: nowUs + RETRY_US });
    else failed.push({ pod, because: answer.because });
  }
  const leaving = [...state.leaving, ...evicted.map(({ pod }) => pod)];
  const nextAtUs = asking.length === 0 ? null : Math.min(...asking.map(({ atUs }) => atUs));
  return { state: { asking, leaving, failed }, evicted, nextAtUs };
}

/** The pod is gone, by the drain or by anyone else. */
export function podGone(state: DrainState, gone: NodePod): DrainState {
  const stays = (pod: NodePod) => pod.namespace !== gone.namespace || pod.name !== gone.name;
  return {
    asking: state.asking.filter(({ pod }) => stays(pod)),
    leaving: state.leaving.filter(stays),
    failed: state.failed,
  };
}

export function isDrained({ asking, leaving, failed }: DrainState): boolean {
  return asking.length + leaving.length + failed.length === 0;
}

function compareNames(a: NodePod, b: NodePod): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
