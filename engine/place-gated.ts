/**
 * Answers for pods that our scheduling gate holds back: where should each one run? Oldest first, each choice sees the
 * ones before it (of all workloads) and the room they took. Needs no metrics: without a service graph the least used
 * node is chosen. Whoever owns the replica count, placement is ours.
 */
import { countReplicas, type ClusterView, type ReplicaCounts, type WorkloadView } from './cluster-view.js';
import type { Outcome } from './outcome.js';
import { figure, skip } from './outcome.js';
import { placer, podNeed, type Choice } from './placement.js';
import type { EngineConfig, SnapshotPod } from './types.js';

/** Adds `place` decisions, and a skip where a pod found no room; `counts` then includes the pods placed. */
export function placeGatedPods(
  view: ClusterView,
  workload: WorkloadView,
  counts: ReplicaCounts,
  config: EngineConfig,
  outcome: Outcome,
): void {
  const waiting = gatedPods(workload);
  if (waiting.length === 0) return;
  const choose = placer(view, workload, counts, config);
  const homeless: SnapshotPod[] = [];
  for (const pod of waiting) {
    const choice = choose(podNeed(pod.requests));
    if (choice === null) {
      homeless.push(pod);
      continue;
    }
    outcome.decisions.push({
      kind: 'place',
      workload: workload.ref,
      because: whyHere(choice),
      signals: {
        spreadRule: choice.rule,
        score: choice.score,
        ...modelFigures(choice),
        replicasInZone: counts.byZone.get(choice.node.zone) ?? 0,
        replicasOnNode: counts.byNode.get(choice.node.name) ?? 0,
      },
      rejected: choice.rejected,
      pod: pod.name,
      node: choice.node.name,
      zone: choice.node.zone,
    });
  }
  if (homeless.length > 0) {
    const names = homeless.slice(0, 3).map(({ name }) => name);
    const detail = `no node has room for ${homeless.length} of ${waiting.length} gated pods (${names.join(', ')}${homeless.length > 3 ? ', ...' : ''})`;
    outcome.skipped.push(skip(workload, 'scaler', 'noRoom', detail));
  }
}

export function gatedPods({ pods }: WorkloadView): SnapshotPod[] {
  return pods.filter(({ gated, node }) => gated && node === null).sort((a, b) => a.createdAtMs - b.createdAtMs);
}

/** Replicas that run or are bound, by node and zone. */
export function replicasOf(view: ClusterView, workload: WorkloadView): ReplicaCounts {
  return countReplicas(view, workload.pods);
}

/** What the model-based rule reckoned for the zone; nothing where it did not choose. */
export function modelFigures({ byModel }: Choice): Record<string, number | null> {
  return byModel === null ? {} : { zoneCostMs: byModel.costMs, surviveZonePriceMs: byModel.priceMs };
}

/** One sentence for the node chosen. */
export function whyHere({ node, rule, score, byModel }: Choice): string {
  const zone = {
    freshZone: `zone ${node.zone} holds no replica yet`,
    withinSkew: `zone ${node.zone} stays within the zone skew`,
    anyZone: `zone ${node.zone} is where room is left`,
  }[rule];
  const near = score === null ? 'is the least used there' : `is nearest to its neighbours (score ${figure(score)})`;
  if (byModel === null) return `${zone}; node ${node.name} ${near}.`;
  const price =
    byModel.priceMs === null
      ? ''
      : `, ${figure(byModel.priceMs)} ms more than the cheapest, so that a zone may be lost`;
  return `${zone}; routes would cost ${figure(byModel.costMs)} ms a request there${price}; node ${node.name} ${near}.`;
}
