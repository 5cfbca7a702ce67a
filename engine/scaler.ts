/**
 * Decides how many replicas a workload should have, and where the new ones go or which ones leave.
 *
 *     up:    utilisation > upper (strictly)   needed = ceil(measured pods * utilisation / upper)
 *     down:  utilisation < lower (strictly)   needed = ceil(replicas * utilisation / lower), at least one fewer
 *
 * so a step is as large as the overshoot and ends at the threshold that was crossed (`stepRule: one` moves by one).
 * Pods that do not report count as idle on the way up and forbid the way down; for their first minutes
 * (`coldPodGraceSeconds`) they forbid both, since a mean over half of the pods is no mean.
 * Cool-down and the guard against flapping are in `flapping.ts`, disruption budgets in `budgets.ts`.
 * A replica count is only ever changed by fresh metrics, and never where somebody else owns it.
 */
import type { Budgets } from './budgets.js';
import { addReplica, type ClusterView, type NodeView, type ReplicaCounts, type WorkloadView } from './cluster-view.js';
import { tooSoon } from './flapping.js';
import { zoneChooser } from './model/place.js';
import { moveUnderWay } from './moves.js';
import { nodeToRemoveFrom } from './node-to-remove.js';
import { figure, skip, type Outcome } from './outcome.js';
import { unreadOwners, type Owners } from './owners.js';
import { modelFigures, whyHere } from './place-gated.js';
import { placer, podNeed, type Choice } from './placement.js';
import { withForecast } from './predictive.js';
import { rolloutUnderWay } from './rollout-watch.js';
import type { EngineConfig, Memory, ScaleDown, ScaleUp, Signals, SkipReason, SnapshotPod } from './types.js';
import { workloadUtilization, type Utilization } from './utilization.js';

export interface ScalerContext {
  readonly nowMs: number;
  readonly view: ClusterView;
  readonly owners: Owners;
  readonly memory: Memory;
  readonly config: EngineConfig;
  readonly budgets: Budgets;
}

/** Adds exactly one decision or skip for the workload; tells the direction when it scaled. */
export function scaleWorkload(
  context: ScalerContext,
  workload: WorkloadView,
  counts: ReplicaCounts,
  outcome: Outcome,
): 'up' | 'down' | null {
  const leave = (reason: SkipReason, detail: string): null => {
    outcome.skipped.push(skip(workload, 'scaler', reason, detail));
    return null;
  };
  const wish = withForecast(context, workload, mostReplicas(workload, context.config), wanted(context, workload));
  if ('reason' in wish) return leave(wish.reason, wish.detail);

  const { nowMs, memory, config } = context;
  const { cooldownSeconds } = config.scaler;
  const soon = tooSoon(memory, { key: workload.key, direction: wish.direction, nowMs, cooldownSeconds });
  if (soon) return leave(soon.reason, soon.detail);
  const move = wish.direction === 'down' ? moveUnderWay(memory, workload, nowMs, config.scaler.moves) : null;
  if (move) return leave('moving', `${wish.because} But ${move.pod} is on the move: one replica goes anyway.`);
  const unread = wish.direction === 'down' ? unreadOwners(context.view.snapshot) : null;
  if (unread !== null) return leave('apiError', `${wish.because} But ${unread}, so nothing is removed.`);
  const decision =
    wish.direction === 'up' ? scaleUp(context, workload, counts, wish) : scaleDown(context, workload, counts, wish);
  if (decision === null) {
    const need = podNeed(workload.workload.podRequests);
    return wish.direction === 'up'
      ? leave('noRoom', `no node has ${need.cpuMillicores} millicores and ${need.memoryBytes} bytes free for one more`)
      : leave('noVictim', NO_VICTIM[workload.ref.kind]);
  }
  if ('reason' in decision) return leave(decision.reason, decision.detail);
  outcome.decisions.push(decision);
  return wish.direction;
}

const NO_VICTIM = {
  Deployment: 'none of its pods runs on a node that the snapshot lists',
  Rollout: 'none of its pods runs on a node that the snapshot lists',
  StatefulSet: 'its highest ordinal runs on no node that the snapshot lists, and no other pod may go before it',
};

export interface Refusal {
  readonly reason: SkipReason;
  readonly detail: string;
}

export interface Wish {
  readonly direction: 'up' | 'down';
  readonly replicas: number;
  readonly because: string;
  readonly percent: number | null;
  /** Further numbers that led here. */
  readonly signals?: Signals;
}

function wanted(context: ScalerContext, workload: WorkloadView): Wish | Refusal {
  const { config, nowMs } = context;
  const { desiredReplicas } = workload.workload;
  if (desiredReplicas <= 0) return { reason: 'asleep', detail: 'scaled to 0 replicas' };
  const owner = context.owners.of(workload.ref);
  if (owner) return owner;
  const rollout = rolloutUnderWay(workload);
  if (rollout && workload.ref.kind === 'Rollout') return rollout;
  const { prometheus } = context.view.snapshot.health;
  if (prometheus.status === 'absent') return { reason: 'metricsAbsent', detail: 'Prometheus gives no metrics' };
  if (prometheus.status === 'stale') return { reason: 'metricsStale', detail: staleDetail(prometheus.ageMs) };

  const least = leastReplicas(workload, config);
  if (desiredReplicas < least) {
    const because = `${desiredReplicas} replicas are fewer than the least of ${least}.`;
    return { direction: 'up', replicas: least, because, percent: null };
  }
  if (workload.pods.length === 0) return { reason: 'notReady', detail: `${desiredReplicas} wanted, no pod exists yet` };

  const utilization = workloadUtilization(workload, config);
  if ('missing' in utilization) {
    const detail = `a pod states neither request nor limit for ${utilization.missing}`;
    return { reason: 'noRequestNorLimit', detail };
  }
  const graceMs = config.scaler.coldPodGraceSeconds * 1000;
  const cold = utilization.silentPods.filter(({ createdAtMs }) => nowMs - createdAtMs < graceMs);
  if (cold.length > 0) {
    const detail = `${cold.length} of ${workload.pods.length} pods are younger than ${config.scaler.coldPodGraceSeconds} s and have no metrics yet`;
    return { reason: 'coldPods', detail };
  }
  if (utilization.percent === null) return { reason: 'metricsAbsent', detail: 'none of its pods has metrics' };
  return classify(workload, utilization, utilization.percent, config);
}

function classify(
  workload: WorkloadView,
  utilization: Utilization,
  percent: number,
  config: EngineConfig,
): Wish | Refusal {
  const { upperThresholdPercent: upper, lowerThresholdPercent: lower, metric, scaler } = config;
  const { desiredReplicas, readyReplicas } = workload.workload;
  const silent = utilization.silentPods.length;
  const busy = `${metric} at ${figure(percent)} % of the ${config.utilizationBasis}`;

  // Replicas asked for but not there yet are idle ones too: else a slow start would be answered by ever more pods.
  const counted = Math.max(workload.pods.length, desiredReplicas);
  const percentUp = (percent * utilization.measuredPods) / counted;
  if (percentUp > upper) {
    const most = mostReplicas(workload, config);
    if (desiredReplicas >= most)
      return { reason: 'atMaxReplicas', detail: `${busy}, ${desiredReplicas} of at most ${most}` };
    const needed = wholeUp((utilization.measuredPods * percent) / upper);
    const replicas = scaler.stepRule === 'one' ? desiredReplicas + 1 : Math.max(desiredReplicas + 1, needed);
    const because = `${busy}, above ${figure(upper)} %.`;
    return { direction: 'up', replicas: Math.min(most, replicas), because, percent };
  }

  if (percent < lower) {
    const least = leastReplicas(workload, config);
    if (desiredReplicas <= least)
      return { reason: 'atMinReplicas', detail: `${busy}, ${desiredReplicas} of at least ${least}` };
    if (silent > 0)
      return { reason: 'coldPods', detail: `${busy}, but ${silent} pods do not report: not removed blindly` };
    if (readyReplicas < desiredReplicas) {
      return {
        reason: 'notReady',
        detail: `${busy}, but only ${readyReplicas} of ${desiredReplicas} replicas are ready`,
      };
    }
    const rollout = rolloutUnderWay(workload);
    if (rollout) return { reason: rollout.reason, detail: `${busy}, but ${rollout.detail}` };
    const needed = lower > 0 ? wholeUp((desiredReplicas * percent) / lower) : least;
    const replicas = scaler.stepRule === 'one' ? desiredReplicas - 1 : Math.min(desiredReplicas - 1, needed);
    const because = `${busy}, below ${figure(lower)} %.`;
    return { direction: 'down', replicas: Math.max(least, replicas), because, percent };
  }

  const { hottestNode } = utilization;
  const hot =
    hottestNode !== null && hottestNode.percent > upper
      ? `; node ${hottestNode.name} is at ${figure(hottestNode.percent)} %, which is for the routes to mend`
      : '';
  const idle =
    percent > upper ? `; ${counted - utilization.measuredPods} replicas that do not report count as idle` : '';
  return {
    reason: 'withinThresholds',
    detail: `${busy}, between ${figure(lower)} and ${figure(upper)} %${idle}${hot}`,
  };
}

function scaleUp(context: ScalerContext, workload: WorkloadView, counts: ReplicaCounts, wish: Wish): ScaleUp | null {
  const { config } = context;
  const from = workload.workload.desiredReplicas;
  const need = podNeed(workload.workload.podRequests);
  const choose = placer(context.view, workload, counts, config);
  const choices: Choice[] = [];
  while (from + choices.length < wish.replicas) {
    const choice = choose(need);
    if (choice === null) break;
    choices.push(choice);
  }
  const first = choices[0];
  if (!first) return null;
  return {
    kind: 'scaleUp',
    workload: workload.ref,
    because: `${wish.because} First new replica: ${whyHere(first)}`,
    signals: {
      ...figures(config, wish.percent),
      replicasWanted: wish.replicas,
      // Many runtimes never give memory back, so what is added for memory alone may never be removed again.
      memoryAloneWarning: config.metric === 'memory' && wish.percent !== null,
      score: first.score,
      ...modelFigures(first),
      ...wish.signals,
    },
    rejected: first.rejected,
    replicasFrom: from,
    replicasTo: from + choices.length,
    placements: choices.map(({ node }) => ({ node: node.name, zone: node.zone })),
  };
}

function scaleDown(
  context: ScalerContext,
  workload: WorkloadView,
  counts: ReplicaCounts,
  wish: Wish,
): ScaleDown | Refusal | null {
  const { view, config } = context;
  const from = workload.workload.desiredReplicas;
  const podsOn = new Map<string, SnapshotPod[]>();
  for (const pod of workload.pods) {
    const node = pod.node === null ? undefined : view.nodes.get(pod.node);
    if (!node) continue;
    const there = podsOn.get(node.name);
    if (there) there.push(pod);
    else podsOn.set(node.name, [pod]);
  }

  const isOrdered = workload.ref.kind === 'StatefulSet';
  const chooseZone = isOrdered ? null : zoneChooser(view, workload, config);
  const victims: { pod: string; node: string }[] = [];
  const reasons: string[] = [];
  const unplaced = workload.pods.filter((pod) => pod.node === null || !view.nodes.has(pod.node));
  let heldBack: string | null = null;
  while (from - victims.length > wish.replicas) {
    // Its controller would take a pod that waits for a node first, whatever is named here.
    if (isOrdered && hasHigherOrdinal(unplaced, podsOn)) break;
    const holding = [...podsOn].filter(([, pods]) => pods.length > 0).map(([node]) => view.nodes.get(node)!);
    const cheapest = chooseZone?.(zonesToTakeFrom(counts, config), counts.byZone, -1) ?? null;
    const there = cheapest === null ? [] : holding.filter(({ zone }) => zone === cheapest.zone);
    const holders = there.length > 0 ? there : holding;
    const choice = isOrdered
      ? nodeOfLast(podsOn)
      : nodeToRemoveFrom({
          zones: zonesOf(holders),
          pods: holders.flatMap(({ name }) => podsOn.get(name)!.map((pod) => ({ name: pod.name, node: name }))),
          nodes: holders,
          settings: config,
        });
    if (choice.node === null) break;
    const victim = (isOrdered ? takeLast : takeVictim)(podsOn.get(choice.node)!);
    heldBack = context.budgets.refusal(victim);
    if (heldBack !== null) break;
    context.budgets.spend(victim);
    const node = view.nodes.get(choice.node)!;
    const { cpuMillicores, memoryBytes } = podNeed(victim.requests);
    node.free.cpuMillicores += cpuMillicores;
    node.free.memoryBytes += memoryBytes;
    node.requested.cpuMillicores -= cpuMillicores;
    node.requested.memoryBytes -= memoryBytes;
    addReplica(counts, node, -1);
    victims.push({ pod: victim.name, node: choice.node });
    reasons.push(
      cheapest === null || there.length === 0
        ? choice.reason
        : `without it routes cost ${figure(cheapest.costMs)} ms a request, the least`,
    );
  }
  if (victims.length === 0) {
    return heldBack === null ? null : { reason: 'disruptionBudget', detail: `${wish.because} But ${heldBack}.` };
  }
  const spared = [...podsOn].filter(([, pods]) => pods.length > 0).slice(0, NODES_NAMED);
  return {
    kind: 'scaleDown',
    workload: workload.ref,
    because: `${wish.because} First to go: ${victims[0]!.pod} on ${victims[0]!.node}, since ${reasons[0]!}.`,
    signals: {
      ...figures(config, wish.percent),
      replicasWanted: wish.replicas,
      ...(heldBack === null ? {} : { heldBackBy: heldBack }),
    },
    rejected: spared.map(([node]) => ({
      candidate: node,
      reason: isOrdered ? LAST_FIRST : 'its zone holds fewer replicas, or it has more free',
      score: null,
    })),
    replicasFrom: from,
    replicasTo: from - victims.length,
    victims,
  };
}

/** Zones that may give up a replica: none may fall further below the fullest than the skew allows, or be emptied. */
function zonesToTakeFrom({ byZone }: ReplicaCounts, { scaler }: EngineConfig): string[] {
  const most = Math.max(...byZone.values());
  const allowed = [...byZone].filter(
    ([, count]) => count === most || (count > 1 && most - (count - 1) <= scaler.maxZoneSkew),
  );
  return allowed.map(([zone]) => zone);
}

// Rivals named in a decision; the log must not grow with the cluster.
const NODES_NAMED = 3;

function zonesOf(nodes: readonly NodeView[]): Record<string, string[]> {
  const zones = new Map<string, string[]>();
  for (const { name, zone } of nodes) zones.set(zone, [...(zones.get(zone) ?? []), name]);
  return Object.fromEntries(zones);
}

const LAST_FIRST = 'a StatefulSet gives up its highest ordinals, wherever they are';

/** Nobody may choose among the pods of a StatefulSet: its controller takes the last one. */
function nodeOfLast(podsOn: ReadonlyMap<string, readonly SnapshotPod[]>): { node: string | null; reason: string } {
  let last: { readonly node: string; readonly ordinal: number } | null = null;
  for (const [node, pods] of podsOn)
    for (const { name } of pods)
      if (last === null || ordinalOf(name) > last.ordinal) last = { node, ordinal: ordinalOf(name) };
  return { node: last?.node ?? null, reason: LAST_FIRST };
}

function takeLast(pods: SnapshotPod[]): SnapshotPod {
  let at = 0;
  pods.forEach(({ name }, index) => {
    if (ordinalOf(name) > ordinalOf(pods[at]!.name)) at = index;
  });
  return pods.splice(at, 1)[0]!;
}

function hasHigherOrdinal(pods: readonly SnapshotPod[], podsOn: ReadonlyMap<string, readonly SnapshotPod[]>): boolean {
  const placed = Math.max(...[...podsOn.values()].flat().map(({ name }) => ordinalOf(name)));
  return pods.some(({ name }) => ordinalOf(name) > placed);
}

function ordinalOf(name: string): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? -1);
}

/** Not ready before ready, then the youngest (it has the fewest caches to lose), then the later one in the snapshot. */
function takeVictim(pods: SnapshotPod[]): SnapshotPod {
  let at = 0;
  pods.forEach((pod, index) => {
    const best = pods[at]!;
    if (pod.ready !== best.ready ? !pod.ready : pod.createdAtMs >= best.createdAtMs) at = index;
  });
  return pods.splice(at, 1)[0]!;
}

function figures(config: EngineConfig, percent: number | null): Record<string, number | string | null> {
  return {
    metric: config.metric,
    utilizationPercent: percent,
    upperThresholdPercent: config.upperThresholdPercent,
    lowerThresholdPercent: config.lowerThresholdPercent,
  };
}

function leastReplicas(workload: WorkloadView, config: EngineConfig): number {
  return config.workloads[configKey(workload)]?.minReplicas ?? config.scaler.minReplicas;
}

function mostReplicas(workload: WorkloadView, { scaler, workloads }: EngineConfig): number {
  return Math.max(scaler.minReplicas, workloads[configKey(workload)]?.maxReplicas ?? scaler.maxReplicas);
}

function configKey({ ref }: WorkloadView): string {
  return `${ref.namespace}/${ref.name}`;
}

/** Rounds up, but not for the noise of a division: 4 * 105 / 70 is 6. */
function wholeUp(value: number): number {
  return Math.ceil(value - 1e-9);
}

function staleDetail(ageMs: number | null): string {
  return ageMs === null ? 'metrics are stale' : `the newest sample is ${figure(ageMs / 1000)} s old`;
}
