/**
 * Placement by the cost of routes: a new replica goes to the zone, among those that spread allows, with which the best
 * routes would cost least; a victim is taken from the zone without which they still do. Without the hedge, which makes all
 * places look alike.
 *
 * `survive: zone` asks more of a zone: that the pods outside of the fullest one can take all of the offered demand,
 *
 *     N - max_z n_z >= sum_i l_i S / (0.95 k)
 *
 * Where demand sits in one zone that excludes what would be cheapest; what it costs is the price in the reason.
 */
import type { ClusterView, WorkloadView } from '../cluster-view.js';
import type { EngineConfig } from '../types.js';
import { costMs, objectiveOf } from './objective.js';
import { capacityShares } from './problem.js';
import { meanCores, serviceProblem, serviceSignals, type ServiceSignals } from './signals.js';
import { solve } from './solve.js';

/** A pod this full is about to refuse requests. */
const FULL = 0.95;

export interface ZoneChoice {
  readonly zone: string;
  readonly costMs: number;
  /** What surviving a zone costs over the cheapest place, in ms a request; null: nothing was given up for it. */
  readonly priceMs: number | null;
  /** Cost by candidate, dearer ones too. */
  readonly costs: ReadonlyMap<string, number>;
}

/** Chooses among zones for one workload; null where the model has nothing to go by (no demand, no service time). */
export type ZoneChooser = (
  candidates: readonly string[],
  replicas: ReadonlyMap<string, number>,
  change: 1 | -1,
) => ZoneChoice | null;

export function zoneChooser(view: ClusterView, workload: WorkloadView, config: EngineConfig): ZoneChooser | null {
  if (config.balancer.rule !== 'model') return null;
  const signals = serviceSignals(view, [workload], config, null);
  if (signals.cpuMsPerRequest === null || signals.demand.size === 0) return null;
  return (candidates, replicas, change) => chooseZone(view, signals, candidates, replicas, change, config);
}

function chooseZone(
  view: ClusterView,
  signals: ServiceSignals,
  candidates: readonly string[],
  replicas: ReadonlyMap<string, number>,
  change: 1 | -1,
  config: EngineConfig,
): ZoneChoice | null {
  const options = candidates.flatMap((zone) => {
    const pods = new Map(replicas);
    pods.set(zone, (pods.get(zone) ?? 0) + change);
    if (pods.get(zone)! <= 0) pods.delete(zone);
    return pods.size === 0 ? [] : [{ zone, pods, costMs: bestCostMs(view, signals, pods, config) }];
  });
  if (options.length === 0) return null;
  const costs = new Map(options.map((option) => [option.zone, option.costMs]));
  const cheapest = leastOf(options);
  if (config.balancer.model.survive === 'none')
    return { zone: cheapest.zone, costMs: cheapest.costMs, priceMs: null, costs };

  const lacking = options.map(({ pods }) => lackWithoutFullest(signals, pods));
  const least = Math.min(...lacking);
  // Where no place lets a zone be lost, the one that comes nearest.
  const safe = leastOf(options.filter((_, index) => lacking[index]! <= least));
  const priceMs = safe.zone === cheapest.zone ? null : safe.costMs - cheapest.costMs;
  return { zone: safe.zone, costMs: safe.costMs, priceMs, costs };
}

/** Cores that the demand wants and the zones other than the fullest do not have; 0: any zone may be lost. */
function lackWithoutFullest(signals: ServiceSignals, pods: ReadonlyMap<string, number>): number {
  let wanted = 0;
  for (const rate of signals.demand.values()) wanted += (rate * signals.cpuMsPerRequest!) / 1000;
  let all = 0;
  let fullest = 0;
  for (const [zone, count] of pods) {
    const cores = count * (signals.zones.get(zone)?.coresPerPod ?? meanCores(signals));
    all += cores;
    fullest = Math.max(fullest, cores);
  }
  return Math.max(0, wanted / FULL - (all - fullest));
}

/** F of the best routes with so many pods by zone. */
function bestCostMs(
  view: ClusterView,
  signals: ServiceSignals,
  pods: ReadonlyMap<string, number>,
  config: EngineConfig,
): number {
  const sources = [...signals.demand.keys()];
  const unhedged = { ...config, balancer: { ...config.balancer, model: { ...config.balancer.model, hedge: 0 } } };
  const least = new Float64Array(sources.length * pods.size);
  const problem = serviceProblem(view, signals, sources, pods, least, unhedged);
  const objective = objectiveOf(problem);
  return costMs(objective, solve(objective, capacityShares(problem)));
}

function leastOf<T extends { readonly costMs: number }>(options: readonly T[]): T {
  return options.reduce((best, option) => (option.costMs < best.costMs - SAME_COST_MS ? option : best));
}

/** The solver's own last digits decide nothing: ties go to the earlier zone. */
const SAME_COST_MS = 1e-3;
