/**
 * The model-based rule for one Service, from signals to the rows to write: what the cost model makes of the snapshot, why
 * it is worth writing or not, what it expects, and how true its last expectation was.
 */
import type { ClusterView, WorkloadView } from '../cluster-view.js';
import { figure } from '../outcome.js';
import { l1Distance, type SourceDistribution } from '../step-toward.js';
import type { EngineConfig, Prediction, Rejected, Signals, SkipReason } from '../types.js';
import { totalDemand } from './problem.js';
import { hindsight, hindsightSentence, predict } from './prediction.js';
import { leastPercents, planRoute, rowFloors, type RouteAnswer } from './route.js';
import { serviceProblem, serviceSignals, wireMs, type ServiceSignals } from './signals.js';

export interface ModelInput {
  readonly nowMs: number;
  readonly view: ClusterView;
  readonly config: EngineConfig;
  readonly members: readonly WorkloadView[];
  /** Ready pods by zone, and every zone that a route may list. */
  readonly ready: ReadonlyMap<string, number>;
  readonly listed: readonly string[];
  /** Zones that may send requests, in the order of the snapshot. */
  readonly mayCall: readonly string[];
  /** Zones that have a row of their own in the standing rule; null: nothing is distributed. */
  readonly standing: ReadonlyMap<string, ReadonlyMap<string, number>> | null;
  /** Percent by zone in force for a source, said by a row or not. */
  readonly inForce: (from: string) => SourceDistribution;
  readonly leastPercent: number;
  /** What is wrong with the metrics; null: nothing. */
  readonly trouble: { readonly reason: SkipReason; readonly detail: string } | null;
  readonly before: Prediction | undefined;
}

export type ModelOutput =
  | {
      readonly kind: 'leave';
      readonly reason: SkipReason;
      readonly detail: string;
      readonly prediction: Prediction | null;
    }
  | {
      readonly kind: 'write';
      readonly rows: readonly SourceDistribution[];
      readonly because: string;
      readonly signals: Signals;
      readonly rejected: readonly Rejected[];
      readonly prediction: Prediction;
    };

export function decideByModel(input: ModelInput): ModelOutput {
  const { view, config, members, ready, listed, before } = input;
  const { model } = config.balancer;
  const leave = (reason: SkipReason, detail: string, prediction: Prediction | null = before ?? null): ModelOutput => ({
    kind: 'leave',
    reason,
    detail,
    prediction,
  });
  const { ageMs } = view.snapshot.health.prometheus;
  const isOld = input.trouble !== null || (ageMs !== null && ageMs > model.maxDemandAgeSeconds * 1000);
  const signals = serviceSignals(view, members, config, before?.cpuMsPerRequest ?? null);
  if (isOld && input.standing === null) {
    const { reason, detail } = input.trouble ?? { reason: 'metricsStale', detail: 'metrics are stale' };
    return leave(reason, `${detail}, and no route stands that they could have misled`);
  }
  if (!isOld && signals.demand.size === 0) return leave('noTraffic', 'no zone sends it requests');
  if (!isOld && signals.cpuMsPerRequest === null) {
    return leave('metricsAbsent', 'how long a request keeps a pod busy is not known yet');
  }

  const sources = [...new Set([...input.mayCall, ...signals.demand.keys()])];
  const zones = [...ready.keys()];
  const current = sources.map((from) => input.inForce(from));
  const floors = sources.map((from) =>
    rowFloors(
      from,
      listed,
      (zone) => wireMs(view, from, zone, signals.bytesPerRequest, config),
      (zone) => ready.has(zone) && (signals.zones.get(zone)?.utilization ?? 0) < model.maxUtilization,
      input.leastPercent,
      model.floorZones,
    ),
  );
  const least = leastPercents(sources.length, listed, zones, (source) => floors[source]!);
  const problem = serviceProblem(view, signals, sources, ready, least, config);
  const answer = planRoute({ problem, zones, sources, listed, current: current.map(({ to }) => to), isOld, config });

  const rows = sources.map((from, i): SourceDistribution => ({ from, to: answer.next[i]! }));
  const speaking = sources.flatMap((from, i) =>
    signals.demand.has(from) || (isOld && input.standing!.has(from)) ? [i] : [],
  );
  const moved = Math.max(0, ...speaking.map((i) => l1Distance([current[i]!], [rows[i]!])));
  const starved = starvedSource(input, signals, isOld);
  const expect = (shares: Float64Array): Prediction =>
    predict(problem, sources, zones, shares, input.nowMs, signals.cpuMsPerRequest ?? 0);

  const pays = isOld || (answer.urgent ? answer.gainMs > 0 : answer.gainMs >= model.minGainMs);
  if (starved === null && (moved === 0 || !pays)) {
    const busy = `the busiest zone is at ${figure(100 * answer.utilization)} % of its capacity by offered demand`;
    const detail = isOld
      ? 'metrics are stale, and the routes are at shares by capacity'
      : `the best routes would gain ${figure(answer.gainMs)} ms a request, the least worth writing is ${model.minGainMs}; ${busy}${hindsightSentence(before, signals)}`;
    return leave('belowMinDelta', detail, isOld ? (before ?? null) : expect(answer.currentShares));
  }
  const prediction = expect(answer.nextShares);
  const because = whyWrite(input, answer, starved, isOld);
  return {
    kind: 'write',
    rows,
    because,
    signals: {
      ...routeFigures(answer, signals, prediction, totalDemand(problem)),
      ...rowFigures(sources, signals, current, answer),
      ...hindsight(before, signals, input.nowMs),
    },
    rejected: [
      { candidate: 'leave the route as it stands', reason: because, score: answer.costMs },
      ...(l1Distance(
        rows,
        sources.map((from, i) => ({ from, to: answer.target[i]! })),
      ) > 0
        ? [
            {
              candidate: 'go to the best route at once',
              reason: isOld ? 'old demand is left behind little by little' : 'nothing burns: half the way is enough',
              score: answer.costMs - answer.gainMs,
            },
          ]
        : []),
    ],
    prediction,
  };
}

/** A source that sends and whose standing row leaves ready zones without weight, fewer than there should be. */
function starvedSource(
  { standing, ready, config }: ModelInput,
  { demand }: ServiceSignals,
  isOld: boolean,
): string | null {
  if (standing === null || isOld) return null;
  const enough = ready.size <= 5 ? ready.size : Math.min(ready.size, config.balancer.model.floorZones);
  for (const from of demand.keys()) {
    const row = standing.get(from);
    let reached = 0;
    for (const zone of ready.keys()) if ((row?.get(zone) ?? 0) >= 1) reached++;
    if (reached < enough) return from;
  }
  return null;
}

function whyWrite(input: ModelInput, answer: RouteAnswer, starved: string | null, isOld: boolean): string {
  const { maxUtilization } = input.config.balancer.model;
  if (starved !== null) return `The standing route leaves zones with pods out for callers in ${starved}.`;
  if (isOld) return 'Demand is too old to solve for: the rows go towards shares by capacity.';
  if (answer.urgent) {
    return `A zone would be at ${figure(100 * answer.utilization)} % of its capacity by offered demand, above ${figure(100 * maxUtilization)} %: all the way at once.`;
  }
  return `The best routes cost ${figure(answer.gainMs)} ms a request less: half the way.`;
}

function routeFigures(
  answer: RouteAnswer,
  signals: ServiceSignals,
  prediction: Prediction,
  offered: number,
): Record<string, number | boolean | null> {
  return {
    offeredPerSecond: offered,
    cpuMsPerRequest: signals.cpuMsPerRequest,
    urgent: answer.urgent,
    costMs: answer.costMs,
    gainMs: answer.gainMs,
    costAfterMs: prediction.costMs,
    meanWaitMs: prediction.meanWaitMs,
    crossZoneShare: prediction.crossZoneShare,
    ...Object.fromEntries(
      Object.entries(prediction.zones).map(([zone, { utilization }]) => [`${zone} utilization`, utilization]),
    ),
  };
}

function rowFigures(
  sources: readonly string[],
  { demand }: ServiceSignals,
  current: readonly SourceDistribution[],
  answer: RouteAnswer,
): Record<string, number | string> {
  const figures: Record<string, number | string> = {};
  const words = (to: Readonly<Record<string, number>>): string =>
    Object.entries(to)
      .map(([zone, percent]) => `${zone} ${percent}`)
      .join(', ');
  sources.forEach((from, i) => {
    const rate = demand.get(from);
    if (rate === undefined) return;
    figures[`${from} requestsPerSecond`] = rate;
    figures[`${from} current`] = words(current[i]!.to);
    figures[`${from} target`] = words(answer.target[i]!);
    figures[`${from} next`] = words(answer.next[i]!);
  });
  return figures;
}
