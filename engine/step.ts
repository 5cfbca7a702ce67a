/**
 * One step of the engine, for both worlds: what was observed and remembered goes in, decisions, skips and the new memory
 * come out. Pods that wait for a node are placed first, then replica counts, then routes; placement and
 * scaling share one account of the room on the nodes. Workloads are taken in the order of the snapshot. Nothing is read but the input, nothing in
 * the input is changed, and odd input ends in a skip, not in a throw.
 */
import { balanceService } from './balancer.js';
import { viewCluster, nameKey, type ClusterView, type WorkloadView } from './cluster-view.js';
import { configProblems } from './config.js';
import { indexRules } from './destination-rules.js';
import { nextMemory } from './memory.js';
import { withPredictions } from './model/prediction.js';
import { skip, type Outcome } from './outcome.js';
import { findOwners } from './owners.js';
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
  const { snapshot, memory, config, nowMs } = input;
  const view = viewCluster(snapshot);
  const outcome: Outcome = { decisions: [], skipped: [] };
  const usable = usableWorkloads(view, config, input.scope, outcome.skipped);

  if (input.scope === 'placement') {
    if (config.scaler.mode !== 'off') {
      for (const workload of usable) placeGatedPods(view, workload, replicasOf(view, workload), config, outcome);
    }
    return { ...outcome, memory };
  }

  const scaled = runScaler(input, view, usable, outcome);
  const predictions = new Map<string, Prediction>();
  const cleared = config.balancer.enabled ? runBalancer(input, view, usable, predictions, outcome) : [];
  return {
    ...outcome,
    memory: withPredictions(
      nextMemory(memory, {
        nowMs,
        cooldownSeconds: config.scaler.cooldownSeconds,
        scaled,
        marked: new Set(config.balancer.enabled ? scaled.keys() : []),
        cleared: new Set(cleared),
        known: new Set(view.workloads.map(({ key }) => key)),
      }),
      predictions,
    ),
  };
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
  workloads: readonly WorkloadView[],
  outcome: Outcome,
): Map<string, 'up' | 'down'> {
  const { config, memory, nowMs } = input;
  const scaled = new Map<string, 'up' | 'down'>();
  const { mode } = config.scaler;
  if (mode === 'off') return scaled;

  // All gated pods first: they exist already, so the room they need is not free for replicas still to be made.
  const counts = workloads.map((workload) => {
    const replicas = replicasOf(view, workload);
    placeGatedPods(view, workload, replicas, config, outcome);
    return replicas;
  });
  if (mode === 'placement') {
    for (const workload of workloads) {
      if (gatedPods(workload).length > 0) continue;
      const detail = 'replica counts are not ours in mode placement, and no gated pod waits';
      outcome.skipped.push(skip(workload, 'scaler', 'disabled', detail));
    }
    return scaled;
  }
  const context = { nowMs, view, owners: findOwners(input.snapshot), memory, config };
  workloads.forEach((workload, index) => {
    const direction = scaleWorkload(context, workload, counts[index]!, outcome);
    if (direction !== null) scaled.set(workload.key, direction);
  });
  return scaled;
}

function runBalancer(
  { nowMs, snapshot, memory, config }: StepInput,
  view: ClusterView,
  workloads: readonly WorkloadView[],
  predictions: Map<string, Prediction>,
  outcome: Outcome,
): string[] {
  const services = new Map<string, WorkloadView[]>();
  for (const workload of workloads) {
    const { namespace, service } = workload.workload;
    // A workload without a Service stands alone; the blank cannot be part of a name.
    const key = service === null ? ` ${workload.key}` : nameKey(namespace, service);
    const members = services.get(key);
    if (members) members.push(workload);
    else services.set(key, [workload]);
  }
  const context = { view, rules: indexRules(snapshot.destinationRules), memory, config, nowMs, predictions };
  return [...services.values()].flatMap((members) => balanceService(context, members, outcome));
}
