/**
 * Moves a running replica to a node that is nearer to its neighbours, without a moment of fewer replicas: one more is
 * made on the target, the old one goes when the new one is ready, and the count is what it was. Here it is decided
 * whether that is worth it and safe:
 *
 *     saving = (score of its node - score of the target) / score of its node, in percent      score: score-placement.ts
 *
 * always by the weighted sum, which is in milliseconds: a share of the older rule's ratio means nothing. The replica
 * that saves most milliseconds goes first; ties go to the earlier pod, then to the earlier node.
 *
 * The spread is not paid with: no zone that holds a replica is left without, the zone skew does not rise beyond
 * `maxZoneSkew` (nor at all where it is beyond already), no more than `maxZones` zones are used, and no node ends with
 * more replicas than the old one had. Everything unknown forbids a move: nobody waits for one.
 *
 * A StatefulSet is never moved. Its extra replica takes the next ordinal, so it would be the first to go again, and to
 * delete the highest ordinal first is a replica fewer.
 */
import { workloadKey, type NodeView, type ReplicaCounts, type WorkloadView } from './cluster-view.js';
import { restOf } from './flapping.js';
import { recall } from './memory.js';
import { figure, skip, type Outcome } from './outcome.js';
import { hasRoom, neighboursOf, podNeed, take } from './placement.js';
import { rolloutUnderWay } from './rollout-watch.js';
import type { Refusal, ScalerContext } from './scaler.js';
import { placementScorer } from './score-placement.js';
import type { EngineConfig, Memory, Move, SnapshotPod } from './types.js';

/** Adds a `move` or a skip of the part `moves` for the workload; tells whether it moves. */
export function moveReplica(
  context: ScalerContext,
  workload: WorkloadView,
  counts: ReplicaCounts,
  outcome: Outcome,
): boolean {
  const refusal = refused(context, workload) ?? proposed(context, workload, counts);
  if ('kind' in refusal) {
    outcome.decisions.push(refusal);
    return true;
  }
  outcome.skipped.push(skip(workload, 'moves', refusal.reason, refusal.detail));
  return false;
}

/** A move under way, within its time: one replica is there on top of the count to which it comes back. */
export function moveUnderWay(
  memory: Memory,
  { key, workload }: WorkloadView,
  nowMs: number,
  { timeoutSeconds }: EngineConfig['scaler']['moves'],
): { readonly pod: string; readonly replicas: number } | null {
  const last = recall(memory.lastMoves, key);
  if (last === null || Math.abs(nowMs - last.atMs) >= timeoutSeconds * 1000) return null;
  return workload.desiredReplicas === last.replicas + 1 ? last : null;
}

function refused({ nowMs, view, owners, memory, config }: ScalerContext, workload: WorkloadView): Refusal | null {
  const { desiredReplicas, readyReplicas } = workload.workload;
  const { moves, cooldownSeconds } = config.scaler;
  if (workload.ref.kind === 'StatefulSet') {
    return { reason: 'ordered', detail: 'an extra replica of a StatefulSet is the first to go again' };
  }
  if (desiredReplicas <= 0) return { reason: 'asleep', detail: 'scaled to 0 replicas' };
  const owner = owners.of(workload.ref);
  if (owner) return { reason: owner.reason, detail: `${owner.detail}: it would fight the extra replica` };
  const { prometheus, latencyProber } = view.snapshot.health;
  for (const source of [prometheus, latencyProber]) {
    if (source.status === 'ok') continue;
    const what = source === prometheus ? 'metrics are' : 'measured round trips are';
    return {
      reason: source.status === 'absent' ? 'metricsAbsent' : 'metricsStale',
      detail: `${what} ${source.status}`,
    };
  }
  const rollout = rolloutUnderWay(workload);
  if (rollout) return rollout;
  for (const [what, last, restSeconds] of [
    ['moved', recall(memory.lastMoves, workload.key), Math.max(moves.cooldownSeconds, moves.timeoutSeconds)],
    ['scaled', recall(memory.lastScaling, workload.key), cooldownSeconds],
  ] as const) {
    const rest = last === null ? null : restOf(nowMs, last.atMs, restSeconds);
    if (rest) return { reason: 'cooldown', detail: `${what} ${rest.ago}, ${rest.leftSeconds} s to wait` };
  }
  const ready = workload.pods.filter((pod) => pod.ready).length;
  if (ready !== desiredReplicas || workload.pods.length !== desiredReplicas || readyReplicas < desiredReplicas) {
    const detail = `${ready} of ${workload.pods.length} pods are ready, ${desiredReplicas} are wanted: all must be`;
    return { reason: 'notReady', detail };
  }
  return null;
}

function proposed(context: ScalerContext, workload: WorkloadView, counts: ReplicaCounts): Move | Refusal {
  const { view, config, budgets } = context;
  const { moves } = config.scaler;
  const neighbours = neighboursOf(view, workload);
  if (neighbours.length === 0)
    return { reason: 'noTraffic', detail: 'no neighbours, so no node is nearer than another' };
  const score = placementScorer(neighbours, view.trips, 'weightedSum', []);
  const targets = targetsByZone(context, workload, score);

  let best: Candidate | null = null;
  for (const pod of workload.pods) {
    const from = pod.node === null ? undefined : view.nodes.get(pod.node);
    if (!from) continue;
    const scoreFrom = score({ node: from.name, zone: from.zone });
    for (const nodes of targets.values()) {
      // The nearest node of a zone comes first, so the first that is allowed is the best there.
      const to = nodes.find((target) => keepsSpread(from, target.node, counts, config));
      if (!to || scoreFrom - to.score <= 0) continue;
      if (best === null || scoreFrom - to.score > best.scoreFrom - best.scoreTo) {
        best = { pod, from, to: to.node, scoreFrom, scoreTo: to.score };
      }
    }
  }
  if (best === null) return { reason: 'belowMinDelta', detail: 'no allowed node is nearer to its neighbours' };
  const { pod, from, to, scoreFrom, scoreTo } = best;
  const savingPercent = (100 * (scoreFrom - scoreTo)) / scoreFrom;
  if (savingPercent < moves.minSavingPercent) {
    const detail = `the best move, ${pod.name} to ${to.name}, saves ${figure(savingPercent)} % of its neighbour latency, least is ${figure(moves.minSavingPercent)} %`;
    return { reason: 'belowMinDelta', detail };
  }
  const heldBack = budgets.refusal(pod);
  if (heldBack !== null) return { reason: 'disruptionBudget', detail: heldBack };
  budgets.spend(pod);
  take(to, podNeed(pod.requests));
  return {
    kind: 'move',
    workload: workload.ref,
    because: `${pod.name} on ${from.name} is ${figure(scoreFrom)} ms from its neighbours, on ${to.name} it would be ${figure(scoreTo)} ms: ${figure(savingPercent)} % less, at least ${figure(moves.minSavingPercent)} % is worth a move.`,
    signals: { scoreFrom, scoreTo, savingPercent, minSavingPercent: moves.minSavingPercent },
    rejected: [{ candidate: from.name, reason: 'further from its neighbours', score: scoreFrom }],
    pod: pod.name,
    fromNode: from.name,
    toNode: to.name,
    toZone: to.zone,
    replicas: workload.workload.desiredReplicas,
    timeoutSeconds: moves.timeoutSeconds,
  };
}

interface Candidate {
  readonly pod: SnapshotPod;
  readonly from: NodeView;
  readonly to: NodeView;
  readonly scoreFrom: number;
  readonly scoreTo: number;
}

interface Target {
  readonly node: NodeView;
  readonly score: number;
}

/** Nodes with room for one more, by zone, nearest first. */
function targetsByZone(
  { view }: ScalerContext,
  workload: WorkloadView,
  score: (place: { node: string; zone: string }) => number,
): Map<string, Target[]> {
  const need = podNeed(workload.workload.podRequests);
  const targets = new Map<string, Target[]>();
  for (const zone of view.zones.values()) {
    const roomy = zone.nodes
      .filter((node) => hasRoom(node, need))
      .map((node) => ({ node, score: score({ node: node.name, zone: node.zone }) }));
    // Array.sort is stable, so equal nodes keep the order of the snapshot.
    if (roomy.length > 0)
      targets.set(
        zone.name,
        roomy.sort((a, b) => a.score - b.score),
      );
  }
  return targets;
}

function keepsSpread(from: NodeView, to: NodeView, counts: ReplicaCounts, { scaler }: EngineConfig): boolean {
  const onNode = (node: NodeView): number => counts.byNode.get(node.name) ?? 0;
  if (from === to || onNode(to) >= onNode(from)) return false;
  if (from.zone === to.zone) return true;
  const { byZone } = counts;
  if ((byZone.get(from.zone) ?? 0) <= 1) return false;
  if (!byZone.has(to.zone) && byZone.size >= scaler.maxZones) return false;
  const after = new Map(byZone);
  after.set(from.zone, byZone.get(from.zone)! - 1);
  after.set(to.zone, (byZone.get(to.zone) ?? 0) + 1);
  return skewOf(after) <= Math.max(scaler.maxZoneSkew, skewOf(byZone));
}

/** Most less fewest, over the zones that hold any. */
function skewOf(byZone: ReadonlyMap<string, number>): number {
  return Math.max(...byZone.values()) - Math.min(...byZone.values());
}

/** What is remembered of moves: those whose cool-down and time-out are not over, of workloads that are still there. */
export function nextMoves(
  memory: Memory,
  change: {
    readonly nowMs: number;
    readonly settings: EngineConfig['scaler']['moves'];
    readonly known: { has(key: string): boolean };
    readonly moved: readonly Move[];
  },
): Memory {
  const keepMs = Math.max(change.settings.cooldownSeconds, change.settings.timeoutSeconds) * 1000;
  const kept = Object.entries(memory.lastMoves ?? {}).filter(
    ([key, { atMs }]) => change.known.has(key) && Math.abs(change.nowMs - atMs) < keepMs,
  );
  const added = change.moved.map(({ workload, pod, replicas }) => {
    return [workloadKey(workload), { atMs: change.nowMs, pod, replicas }] as const;
  });
  if (kept.length === 0 && added.length === 0 && memory.lastMoves === undefined) return memory;
  return { ...memory, lastMoves: Object.fromEntries([...kept, ...added]) };
}
