/**
 * One step of the engine, for both worlds: what was observed and remembered goes in, decisions, skips and the new memory
 * come out. Pods that wait for a node are placed first, then replica counts, then routes; placement and
 * scaling share one account of the room on the nodes. Workloads are taken in the order of the snapshot. Nothing is read but the input, nothing in
 * the input is changed, and odd input ends in a skip, not in a throw.
 */
import { workloadPolicy, type WorkloadPolicy } from './annotations.js';
import { balanceService, leaderOf } from './balancer.js';
import { findBudgets } from './budgets.js';
import { viewCluster, nameKey, workloadKey, type ClusterView, type WorkloadView } from './cluster-view.js';
import { configProblems } from './config.js';
import { indexRules } from './destination-rules.js';
import { noticeChanges } from './flapping.js';
import { nextMemory } from './memory.js';
import { withPredictions } from './model/prediction.js';
import { moveReplica, moveUnderWay, nextMoves } from './moves.js';
import { skip, type Outcome } from './outcome.js';
import { findOwners } from './owners.js';
import { rememberDemand } from './predictive.js';
import { gatedPods, placeGatedPods, replicasOf } from './place-gated.js';
import { scaleWorkload } from './scaler.js';
import type { EngineConfig, Prediction, Skipped, StepInput, StepOutput } from './types.js';

/**
 * @param input snapshot (times in ms, percent, millicores, bytes as the field names say), memory of the step before
 *   (`emptyMemory` at first), total configuration, and `scope`: `placement` answers for gated pods only and leaves the
 *   memory as it is
 * @returns decisions and skips in the order of the snapshot's workloads, scaler before balancer. With scope `all` every
 *   workload has at least one entry from each enabled part (a scaler of mode `off` and a disabled balancer are silent).
 *   A configuration that cannot be used makes every entry a skip `invalid` that says why
 */
export function step(input: StepInput): StepOutput {
  const { snapshot, config, nowMs } = input;
  const view = viewCluster(snapshot);
  const outcome: Outcome = { decisions: [], skipped: [] };
  const usable = usableWorkloads(view, config, input.scope, outcome.skipped).map((workload): Looked => {
    return { workload, policy: workloadPolicy(workload.workload, config) };
  });

  if (input.scope === 'placement') {
    for (const { workload, policy } of usable) {
      if (policy.config.scaler.mode === 'off' || gatedPods(workload).length === 0) continue;
      if (policy.problems.length > 0) outcome.skipped.push(skip(workload, 'scaler', 'invalid', badPolicy(policy)));
      else placeGatedPods(view, workload, replicasOf(view, workload), policy.config, outcome);
    }
    return { ...outcome, memory: input.memory };
  }

  const noticed = noticeChanges(input.memory, view.workloads, nowMs);
  const memory = isMeasured(view) ? rememberDemand(noticed, scalable(usable), nowMs) : noticed;
  const scaled = runScaler({ ...input, memory }, view, usable, outcome);
  const predictions = new Map<string, Prediction>();
  const cleared = runBalancer(input, view, usable, predictions, outcome);
  const marked = usable.filter(({ workload, policy }) => scaled.has(workload.key) && policy.config.balancer.enabled);
  const known = new Set(view.workloads.map(({ key }) => key));
  const moved = outcome.decisions.filter((decision) => decision.kind === 'move');
  const remembered = nextMoves(memory, { nowMs, settings: config.scaler.moves, known, moved });
  return {
    ...outcome,
    memory: withPredictions(
      nextMemory(remembered, {
        nowMs,
        cooldownSeconds: config.scaler.cooldownSeconds,
        scaled,
        marked: new Set(marked.map(({ workload }) => workload.key)),
        cleared: new Set(cleared),
        known,
        seen: countsSeen(input, view, outcome),
      }),
      predictions,
    ),
  };
}

/** A workload and the settings that hold for it. */
interface Looked {
  readonly workload: WorkloadView;
  readonly policy: WorkloadPolicy;
}

function isMeasured({ snapshot }: ClusterView): boolean {
  return snapshot.health.prometheus.status === 'ok';
}

function scalable(looked: readonly Looked[]) {
  return looked
    .filter(({ policy }) => policy.problems.length === 0 && policy.config.scaler.mode === 'full')
    .map(({ workload, policy: { config } }) => ({ workload, config }));
}

function badPolicy({ problems }: WorkloadPolicy): string {
  return `annotations: ${problems.join('; ')}`;
}

function countsSeen({ nowMs, memory, config }: StepInput, view: ClusterView, { decisions }: Outcome) {
  const asked = new Map<string, number>();
  for (const workload of view.workloads) {
    // The end of a move is no change of anybody's.
    const move = moveUnderWay(memory, workload, nowMs, config.scaler.moves);
    if (move) asked.set(workload.key, move.replicas);
  }
  for (const decision of decisions) {
    const key = workloadKey(decision.workload);
    if ('replicasTo' in decision) asked.set(key, decision.replicasTo);
    if (decision.kind === 'move') asked.set(key, decision.replicas + 1);
  }
  return new Map(
    view.workloads.map(({ key, workload }) => {
      return [key, { replicas: workload.desiredReplicas, expected: asked.get(key) ?? null }] as const;
    }),
  );
}

function usableWorkloads(
  view: ClusterView,
  config: EngineConfig,
  scope: StepInput['scope'],
  skipped: Skipped[],
): WorkloadView[] {
  const problems = configProblems(config);
  const namespaces = new Set(config.namespaces);
  const parts: Skipped['part'][] = [];
  if (config.scaler.mode !== 'off') parts.push('scaler');
  if (config.balancer.enabled && scope === 'all') parts.push('balancer');

  return view.workloads.filter((workload) => {
    const { ref } = workload;
    const refuse = (reason: 'invalid' | 'disabled', detail: string): false => {
      if (scope === 'all' || gatedPods(workload).length > 0) {
        for (const part of parts) skipped.push(skip(workload, part, reason, detail));
      }
      return false;
    };
    if (problems.length > 0) return refuse('invalid', `configuration: ${problems.join('; ')}`);
    if (!namespaces.has(ref.namespace))
      return refuse('disabled', `namespace ${ref.namespace} is not among those to look after`);
    if (workload.ambiguous) {
      return refuse(
        'invalid',
        `several workloads are named ${ref.name} in ${ref.namespace}: their pods cannot be told apart`,
      );
    }
    return true;
  });
}

function runScaler(
  input: StepInput,
  view: ClusterView,
  looked: readonly Looked[],
  outcome: Outcome,
): Map<string, 'up' | 'down'> {
  const { memory, nowMs } = input;
  const scaled = new Map<string, 'up' | 'down'>();
  const awake = looked.filter(({ workload, policy }) => {
    if (policy.problems.length > 0 && input.config.scaler.mode !== 'off') {
      outcome.skipped.push(skip(workload, 'scaler', 'invalid', badPolicy(policy)));
    } else if (policy.config.scaler.mode === 'off' && input.config.scaler.mode !== 'off') {
      outcome.skipped.push(skip(workload, 'scaler', 'disabled', 'its annotation wavetank.io/mode is off'));
    }
    return policy.problems.length === 0 && policy.config.scaler.mode !== 'off';
  });
  if (awake.length === 0) return scaled;

  // All gated pods first: they exist already, so the room they need is not free for replicas still to be made.
  const counts = awake.map(({ workload, policy }) => {
    const replicas = replicasOf(view, workload);
    placeGatedPods(view, workload, replicas, policy.config, outcome);
    return replicas;
  });
  const budgets = findBudgets(view);
  const context = { nowMs, view, owners: findOwners(input.snapshot), memory, budgets };
  awake.forEach(({ workload, policy: { config } }, index) => {
    if (config.scaler.mode === 'placement') {
      if (gatedPods(workload).length > 0) return;
      const detail = 'replica counts are not ours in mode placement, and no gated pod waits';
      outcome.skipped.push(skip(workload, 'scaler', 'disabled', detail));
      return;
    }
    const direction = scaleWorkload({ ...context, config }, workload, counts[index]!, outcome);
    if (direction !== null) scaled.set(workload.key, direction);
  });
  let moved = 0;
  awake.forEach(({ workload, policy: { config } }, index) => {
    const { mode, moves } = config.scaler;
    if (!moves.enabled || mode !== 'full') return;
    const leave = (reason: 'cooldown' | 'moveLimit', detail: string): void => {
      outcome.skipped.push(skip(workload, 'moves', reason, detail));
    };
    if (scaled.has(workload.key)) leave('cooldown', 'scaled in this step');
    else if (moved >= moves.maxPerStep) leave('moveLimit', `${moved} moves in this step, at most ${moves.maxPerStep}`);
    else if (moveReplica({ ...context, config }, workload, counts[index]!, outcome)) moved++;
  });
  return scaled;
}

function runBalancer(
  { nowMs, snapshot, memory, config }: StepInput,
  view: ClusterView,
  looked: readonly Looked[],
  predictions: Map<string, Prediction>,
  outcome: Outcome,
): string[] {
  // Off and nobody says otherwise: nothing is gone through.
  if (!config.balancer.enabled && !looked.some(({ policy }) => policy.config.balancer.enabled)) return [];
  const policies = new Map(looked.map(({ workload, policy }) => [workload, policy]));
  const services = new Map<string, WorkloadView[]>();
  for (const { workload } of looked) {
    const { namespace, service } = workload.workload;
    // A workload without a Service stands alone; the blank cannot be part of a name.
    const key = service === null ? ` ${workload.key}` : nameKey(namespace, service);
    const members = services.get(key);
    if (members) members.push(workload);
    else services.set(key, [workload]);
  }
  const context = { view, rules: indexRules(snapshot.destinationRules), memory, nowMs, predictions };
  return [...services.values()].flatMap((members) => {
    // One route serves them all, so one that cannot be read stops it, and else the leader speaks.
    const bad = members.map((member) => policies.get(member)!).find(({ problems }) => problems.length > 0);
    const own = policies.get(leaderOf(members))!.config;
    if (!bad && own.balancer.enabled) return balanceService({ ...context, config: own }, members, outcome);
    if (!config.balancer.enabled) return [];
    for (const member of members) {
      outcome.skipped.push(
        bad
          ? skip(member, 'balancer', 'invalid', badPolicy(bad))
          : skip(member, 'balancer', 'disabled', 'the annotation wavetank.io/balancer is off'),
      );
    }
    return [];
  });
}
