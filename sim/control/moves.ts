/**
 * Carries out a move of the engine as a controller would: one more replica on the target, wait until it is ready there,
 * then the old one goes and the count is what it was. Looked at once a second. The old one is not taken while the others
 * and the new one are fewer ready ones than the workload had, so a crash elsewhere holds the move up. It is given up,
 * and the extra replica removed, when its time is over, when the new pod is gone or has landed on another node, or when
 * the old one has gone by itself. Whoever else changes the count takes over: the extra replica is then part of theirs.
 */
import type { Move } from '../../engine/types.js';
import { isActive, isAvailable } from './availability.js';
import { logDecision } from './decisionLog.js';
import { writeFails } from './outages.js';
import { reconcile } from './pods.js';
import type { Sim, SimPod, SimWorkload } from './state.js';

const LOOK_EVERY_US = 1_000_000;

export function startMove(sim: Sim, workload: SimWorkload, move: Move, zone: number, nowUs: number): void {
  const old = workload.pods.find((pod) => pod.name === move.pod && isActive(pod));
  // Between the decision and the write the world may have changed: then there is nothing to carry out.
  if (!old || workload.desired !== move.replicas || readyPods(workload).length < move.replicas) {
    return log(sim, move, 'not begun: the workload has changed', nowUs);
  }
  const before = new Set(workload.pods);
  workload.desired = move.replicas + 1;
  reconcile(sim, workload, nowUs, { wanted: [{ node: move.toNode, zone }] });
  const extra = workload.pods.find((pod) => !before.has(pod));
  const endsUs = nowUs + move.timeoutSeconds * 1e6;

  const look = (laterUs: number): void => {
    if (sim.engineStopped) return;
    if (workload.desired !== move.replicas + 1) return log(sim, move, 'left to who has changed the count', laterUs);
    const trouble = troubleOf(move, old, extra, laterUs >= endsUs);
    const isDone = trouble === null && mayGo(workload, extra!, move, laterUs);
    // A write that fails is tried again at the next look.
    if ((trouble === null && !isDone) || writeFails(sim)) {
      sim.calendar.at(laterUs + LOOK_EVERY_US, look);
      return;
    }
    workload.desired = move.replicas;
    const victim = isDone ? old : extraOf(workload, extra);
    reconcile(sim, workload, laterUs, { victims: victim ? [victim.name] : [] });
    log(sim, move, isDone ? 'done' : `given up: ${trouble}`, laterUs);
  };
  sim.calendar.at(nowUs + LOOK_EVERY_US, look);
}

function troubleOf(move: Move, old: SimPod, extra: SimPod | undefined, isLate: boolean): string | null {
  if (!extra || !isActive(extra)) return 'the new pod is gone';
  if (!isActive(old)) return 'the old pod went by itself';
  if (extra.node !== null && extra.node.spec.name !== move.toNode) return `the new pod runs on ${extra.node.spec.name}`;
  return isLate ? `not ready within ${move.timeoutSeconds} s` : null;
}

/** Without the old one as many are ready as there were. */
function mayGo(workload: SimWorkload, extra: SimPod, move: Move, nowUs: number): boolean {
  return isAvailable(extra, nowUs) && readyPods(workload).length > move.replicas;
}

/** Who goes when a move is given up: the new pod, or what has come in its place or in that of another. */
function extraOf(workload: SimWorkload, extra: SimPod | undefined): SimPod | undefined {
  if (extra && isActive(extra)) return extra;
  return workload.pods.filter((pod) => isActive(pod) && !pod.endpoint).at(-1);
}

function readyPods({ pods }: SimWorkload): SimPod[] {
  return pods.filter((pod) => isActive(pod) && pod.endpoint);
}

function log(sim: Sim, { workload, pod, toNode }: Move, what: string, nowUs: number): void {
  logDecision(sim, 'wavetank', `move of ${workload.name} ${pod} to ${toNode} ${what}`, 'The end of a move.', nowUs);
}
