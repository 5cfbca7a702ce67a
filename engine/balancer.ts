/**
 * Decides where the requests to each Service go, zone by zone: from every zone that calls it, so many percent to every
 * zone that may answer. Per Service: the distribution wanted (`target-distribution.ts`), one careful step towards it from
 * what stands (`step-toward.ts`), and a write only when the step is worth one.
 *
 * A route that is written must never be an outage: a zone that `distribute` leaves out gets nothing even when all listed
 * ones are dead. So every zone that holds a pod of the Service, or could get one, keeps at least `minPlacePercent` (1 or
 * more); a listed zone without endpoints costs nothing, Istio drops it. Zones that can hold no pod are dropped at once.
 *
 * What stands, where no row says so, is what Envoy does by itself (`destination-rules.ts`). Rows of zones that do not call
 * at the moment stay as they are, apart from that floor.
 *
 * The minimum-delta gate (largest L1 of any source) prevents churn. It is skipped for a row that starves a zone with pods,
 * and once after a scaling: as soon as every replica is ready, any change is written and the mark is cleared.
 * Stale or absent sources: nothing is written.
 *
 * With `rule: model` target, step and gate are those of `model/decide.ts`; what stands, what is listed and what is written
 * stays as here.
 */
import { nameKey, type ClusterView, type WorkloadView } from './cluster-view.js';
import { localityKey, serviceHost, zoneOfKey, type RuleIndex, type StandingRule } from './destination-rules.js';
import { decideByModel } from './model/decide.js';
import { figure, skip, type Outcome } from './outcome.js';
import { toPercents } from './percents.js';
import { groupBySource, l1Distance, stepToward, type SourceDistribution } from './step-toward.js';
import { targetDistribution, type LatencyRow, type PlacedPod } from './target-distribution.js';
import type { EngineConfig, Memory, Prediction, SetRoute, SkipReason, SourceStatus } from './types.js';
import { podUtilization } from './utilization.js';

export interface BalancerContext {
  readonly view: ClusterView;
  readonly rules: RuleIndex;
  readonly memory: Memory;
  readonly config: EngineConfig;
  readonly nowMs: number;
  /** What the model-based rule expects, by `namespace/service`: filled as Services are decided. */
  readonly predictions: Map<string, Prediction>;
}

/**
 * Adds one decision or skip per workload of a Service (several workloads behind one Service share its route, decided in
 * the name of the first that is awake); returns the keys whose post-scaling mark has been heeded.
 */
export function balanceService(context: BalancerContext, members: readonly WorkloadView[], outcome: Outcome): string[] {
  const leader = leaderOf(members);
  for (const member of members) {
    if (member === leader) continue;
    const detail = `the route of Service ${member.workload.service} is decided with ${leader.ref.kind} ${leader.ref.name}`;
    outcome.skipped.push(skip(member, 'balancer', 'ownedByAnother', detail));
  }
  const answer = decideRoute(context, leader, members);
  if ('reason' in answer) outcome.skipped.push(skip(leader, 'balancer', answer.reason, answer.detail));
  else outcome.decisions.push(answer.decision);
  return answer.looked && allReady(members) ? members.map(({ key }) => key) : [];
}

/** Who speaks for the workloads of a Service: the first that is awake. */
export function leaderOf(members: readonly WorkloadView[]): WorkloadView {
  return members.find(({ workload }) => workload.desiredReplicas > 0) ?? members[0]!;
}

type Answer =
  | { readonly looked: boolean; readonly reason: SkipReason; readonly detail: string }
  | { readonly looked: true; readonly decision: SetRoute };

function decideRoute(context: BalancerContext, leader: WorkloadView, members: readonly WorkloadView[]): Answer {
  const { view, config } = context;
  const { workload } = leader;
  const blind = (reason: SkipReason, detail: string): Answer => ({ looked: false, reason, detail });
  const leave = (reason: SkipReason, detail: string): Answer => ({ looked: true, reason, detail });

  if (workload.service === null) return leave('noService', 'no Service selects its pods');
  if (workload.desiredReplicas <= 0) return leave('asleep', 'scaled to 0 replicas');
  const trouble = sourceTrouble(view.snapshot.health);
  const byModel = config.balancer.rule === 'model';
  // The model has an answer to old demand; without Istio nobody has.
  if (trouble && !(byModel && trouble.reason !== 'istioAbsent')) return blind(trouble.reason, trouble.detail);
  if (view.snapshot.unreadableLists?.includes('destinationRules')) {
    return blind('apiError', 'the DestinationRules could not be listed, so what stands is not known');
  }
  const lookup = context.rules(workload.namespace, workload.service);
  if (!lookup.found && !(lookup.mayCreate && config.balancer.createRoutes)) return leave(lookup.reason, lookup.detail);
  const rule = lookup.found ? lookup.rule : null;

  const places = surveyPlaces(context, members);
  if (places.ready.size === 0) return leave('noTarget', 'none of its pods is ready on a node that the snapshot lists');
  if (byModel) return modelRoute(context, leader, members, rule, places, trouble);
  const callers = callRates(members);
  if (callers.size === 0) return leave('noTraffic', 'no zone sends it requests');
  const target = wantedRows(context, members, places, callers);
  if (target.length === 0) return leave('noTarget', 'no share could be computed');

  const current = [...callers.keys()].map((from) => currentRow(view, rule, places, from));
  const { next: stepped, steps } = stepToward({ current, target, settings: config.balancer });
  const next = stepped.map((row) => keepEveryZoneAlive(row, places, target, config));
  const quiet = quietRows(rule, places, new Set(callers.keys()), config);
  const starved = starvedZone(rule, places);
  const eager = members.some(({ key }) => Object.hasOwn(context.memory.postScalingMarks, key)) && allReady(members);

  const moves = next.map((row, index) => l1Distance([current[index]!], [row]));
  const largest = Math.max(...moves);
  const unchanged = largest === 0 && starved === null;
  if (unchanged || (largest < config.balancer.minDelta && !eager && starved === null)) {
    const detail = `the largest change of a source is ${figure(largest)} points, the least worth writing is ${config.balancer.minDelta}`;
    return leave('belowMinDelta', detail);
  }

  const distribute = distributeOf(view, [...next, ...quiet]);
  const because =
    starved !== null
      ? `The standing route gives zone ${starved} nothing although it holds pods.`
      : eager
        ? 'Its replicas changed and are ready: the routes follow at once.'
        : `The best shares are away from the standing ones by at least ${config.balancer.minDelta} points.`;
  return {
    looked: true,
    decision: setRoute(leader, rule, distribute, {
      because,
      signals: routeSignals(callers, current, target, next, steps, largest, eager),
      rejected: [
        { candidate: 'leave the route as it stands', reason: because, score: 0 },
        ...(l1Distance(next, target) > 0
          ? [
              {
                candidate: 'go to the target at once',
                reason: 'a share moves one step at a time',
                score: l1Distance(next, target),
              },
            ]
          : []),
      ],
    }),
  };
}

/** The rule of `engine/model/`; what stands, what is listed and what is written is as for the other one. */
function modelRoute(
  context: BalancerContext,
  leader: WorkloadView,
  members: readonly WorkloadView[],
  rule: StandingRule | null,
  places: Places,
  trouble: { readonly reason: SkipReason; readonly detail: string } | null,
): Answer {
  const { view, config } = context;
  const { workload } = leader;
  const key = nameKey(workload.namespace, workload.service!);
  const output = decideByModel({
    nowMs: context.nowMs,
    view,
    config,
    members,
    ready: new Map([...places.ready].map(([zone, pods]) => [zone, pods.length])),
    listed: places.listed,
    mayCall: [...view.zones.keys()].filter((zone) => zoneOfKey(zone) === zone),
    standing: rule?.rows ?? null,
    inForce: (from) => currentRow(view, rule, places, from),
    leastPercent: leastPercent(config),
    trouble,
    before: context.memory.predictions?.[key],
  });
  if (output.prediction !== null) context.predictions.set(key, output.prediction);
  if (output.kind === 'leave') return { looked: true, reason: output.reason, detail: output.detail };

  const { because, signals, rejected } = output;
  const quiet = quietRows(rule, places, new Set(output.rows.map(({ from }) => from)), config);
  const distribute = distributeOf(view, [...output.rows, ...quiet]);
  return { looked: true, decision: setRoute(leader, rule, distribute, { because, signals, rejected }) };
}

function distributeOf(view: ClusterView, rows: readonly SourceDistribution[]): SetRoute['distribute'] {
  return inZoneOrder(view, rows).map(({ from, to }) => ({ from: localityKey(from), to: withKeys(to) }));
}

function setRoute(
  { ref, workload }: WorkloadView,
  rule: StandingRule | null,
  distribute: SetRoute['distribute'],
  reason: Pick<SetRoute, 'because' | 'signals' | 'rejected'>,
): SetRoute {
  const standing = rule ?? { namespace: workload.namespace, name: workload.service!, localityLbSetting: {} };
  return {
    kind: 'setRoute',
    workload: ref,
    ...reason,
    host: serviceHost(workload.namespace, workload.service!),
    destinationRule: { namespace: standing.namespace, name: standing.name, create: rule === null },
    distribute,
    localityLbSetting: { ...standing.localityLbSetting, enabled: true, distribute },
  };
}

function sourceTrouble(health: {
  readonly prometheus: { readonly status: SourceStatus };
  readonly istio: { readonly status: SourceStatus };
}): { reason: SkipReason; detail: string } | null {
  if (health.istio.status === 'absent') return { reason: 'istioAbsent', detail: 'Istio is not there' };
  if (health.prometheus.status === 'absent') return { reason: 'metricsAbsent', detail: 'Prometheus gives no metrics' };
  if (health.prometheus.status === 'stale') return { reason: 'metricsStale', detail: 'metrics are stale' };
  if (health.istio.status === 'stale') return { reason: 'metricsStale', detail: 'what Istio reports is stale' };
  return null;
}

interface Places {
  /** Ready pods by zone, zones in the order of the snapshot. */
  readonly ready: ReadonlyMap<string, PlacedPod[]>;
  /** Every zone that holds a pod, ready or not. */
  readonly held: ReadonlySet<string>;
  /** Every zone that holds a pod or could get one, in the order of the snapshot: a route lists exactly these. */
  readonly listed: readonly string[];
}

function surveyPlaces({ view, config }: BalancerContext, members: readonly WorkloadView[]): Places {
  const byZone = new Map<string, PlacedPod[]>();
  const held = new Set<string>();
  for (const { pods, workload } of members) {
    for (const pod of pods) {
      const zone = pod.node === null ? undefined : view.nodes.get(pod.node)?.zone;
      // A zone name that is no `region/zone` cannot be a key of Istio's.
      if (zone === undefined || zoneOfKey(zone) !== zone) continue;
      held.add(zone);
      if (!pod.ready) continue;
      const placed = { name: pod.name, node: zone, utilization: podUtilization(pod, workload, config) };
      const there = byZone.get(zone);
      if (there) there.push(placed);
      else byZone.set(zone, [placed]);
    }
  }
  const zones = [...view.zones.values()].filter(({ name }) => zoneOfKey(name) === name);
  const listed = zones.filter(({ name, mayTakePods }) => held.has(name) || mayTakePods).map(({ name }) => name);
  const ready = new Map(listed.flatMap((zone) => (byZone.has(zone) ? [[zone, byZone.get(zone)!] as const] : [])));
  return { ready, held, listed };
}

/** Requests/s by source zone. */
function callRates(members: readonly WorkloadView[]): Map<string, number> {
  const rates = new Map<string, number>();
  for (const { callers } of members) {
    for (const { sourceZone, requestsPerSecond } of callers) {
      if (zoneOfKey(sourceZone) !== sourceZone) continue;
      rates.set(sourceZone, (rates.get(sourceZone) ?? 0) + requestsPerSecond);
    }
  }
  return rates;
}

function wantedRows(
  { view, config }: BalancerContext,
  members: readonly WorkloadView[],
  places: Places,
  callers: ReadonlyMap<string, number>,
): SourceDistribution[] {
  const latencies: LatencyRow[] = [];
  for (const from of callers.keys()) {
    for (const to of places.ready.keys()) latencies.push({ from, to, rttMs: view.trips.betweenZones(from, to) });
  }
  const wanted = groupBySource(
    targetDistribution({
      pods: [...places.ready.values()].flat(),
      upstreamNodes: [...callers.keys()],
      latencies,
      p95ByNode: Object.fromEntries(zoneResponseTimes(view, members)),
      settings: { ...config, minLocalShare: config.balancer.minLocalShare, minPlacePercent: leastPercent(config) },
    }),
  );
  return wanted.map((row) => ({ from: row.from, to: toRecord(places.listed, withFloors(row, places, config)) }));
}

/**
 * p95 of a zone: mean of its nodes' p95 by ready pods. Quantiles do not average, but one slow pod of ten should not make
 * its zone look as slow as that pod.
 */
function zoneResponseTimes(view: ClusterView, members: readonly WorkloadView[]): Map<string, number> {
  const sums = new Map<string, { p95: number; weight: number }>();
  for (const { responseTimes, pods } of members) {
    const podsOn = new Map<string, number>();
    for (const { node, ready } of pods) if (ready && node !== null) podsOn.set(node, (podsOn.get(node) ?? 0) + 1);
    for (const { node, p95Ms } of responseTimes) {
      const zone = view.nodes.get(node)?.zone;
      const weight = podsOn.get(node) ?? 0;
      if (zone === undefined || weight === 0 || !Number.isFinite(p95Ms)) continue;
      const sum = sums.get(zone) ?? { p95: 0, weight: 0 };
      sums.set(zone, { p95: sum.p95 + p95Ms * weight, weight: sum.weight + weight });
    }
  }
  return new Map([...sums].map(([zone, { p95, weight }]) => [zone, p95 / weight]));
}

/** The share of each listed zone that a source's requests have now, in whole percent. */
function currentRow(view: ClusterView, rule: StandingRule | null, places: Places, from: string): SourceDistribution {
  const standing = rule?.rows?.get(from);
  if (standing && standing.size > 0) return { from, to: Object.fromEntries(standing) };
  const zones = [...places.ready.keys()];
  const nearest = rule?.prefersNearest ? nearestZones(view, zones, from) : zones;
  const percents = toPercents(nearest.map((zone) => places.ready.get(zone)!.length));
  return { from, to: toRecord(nearest, percents) };
}

/** Envoy's first priority that has endpoints: the zone itself, else its region, else all. */
function nearestZones(view: ClusterView, zones: readonly string[], from: string): readonly string[] {
  if (zones.includes(from)) return [from];
  const region = regionOf(view, from);
  const near = zones.filter((zone) => regionOf(view, zone) === region);
  return near.length > 0 ? near : zones;
}

function regionOf(view: ClusterView, zone: string): string {
  return view.zones.get(zone)?.region ?? zone.split('/')[0]!;
}

// Istio refuses a weight of 0, whatever the configuration says.
function leastPercent(config: EngineConfig): number {
  return Math.max(1, Math.ceil(config.balancer.minPlacePercent));
}

/** Percents of the listed zones with the floor under each; all 0 when the row gives them nothing. */
function withFloors({ to }: SourceDistribution, places: Places, config: EngineConfig): number[] {
  const floor = leastPercent(config);
  return toPercents(
    places.listed.map((zone) => to[zone] ?? 0),
    places.listed.map(() => floor),
  );
}

function keepEveryZoneAlive(
  row: SourceDistribution,
  places: Places,
  target: readonly SourceDistribution[],
  config: EngineConfig,
): SourceDistribution {
  const percents = withFloors(row, places, config);
  // All of the row lies in zones that can hold no pod any more: there is nothing to step from.
  if (percents.every((percent) => percent === 0)) return target.find(({ from }) => from === row.from)!;
  return { from: row.from, to: toRecord(places.listed, percents) };
}

/** Standing rows of zones that send nothing now: kept, but no zone is left starving by what we write. */
function quietRows(
  rule: StandingRule | null,
  places: Places,
  callers: ReadonlySet<string>,
  config: EngineConfig,
): SourceDistribution[] {
  const floor = leastPercent(config);
  return [...(rule?.rows ?? [])]
    .filter(([from]) => !callers.has(from))
    .map(([from, row]) => {
      const zones = [...new Set([...row.keys(), ...places.listed])];
      const sum = [...row.values()].reduce((total, percent) => total + percent, 0);
      const sound = sum === 100 && zones.every((zone) => Number.isInteger(row.get(zone)) && row.get(zone)! >= 1);
      if (sound) return { from, to: Object.fromEntries(row) };
      const listed = new Set(places.listed);
      const weights = zones.map((zone) => row.get(zone) ?? 0);
      const even = weights.every((weight) => weight <= 0);
      const percents = toPercents(
        even ? zones.map(() => 1) : weights,
        zones.map((zone) => (listed.has(zone) ? floor : 0)),
      );
      return { from, to: toRecord(zones, percents) };
    });
}

/** A zone that holds pods and gets nothing from some standing row. */
function starvedZone(rule: StandingRule | null, places: Places): string | null {
  for (const row of rule?.rows?.values() ?? []) {
    // With more zones than percents some must go without; such a row is as good as it gets.
    if (places.listed.length > 100) return null;
    for (const zone of places.ready.keys()) if (!((row.get(zone) ?? 0) >= 1)) return zone;
  }
  return null;
}

function allReady(members: readonly WorkloadView[]): boolean {
  return members.every(
    ({ workload, pods }) =>
      workload.readyReplicas >= workload.desiredReplicas &&
      pods.length === workload.desiredReplicas &&
      pods.every(({ ready }) => ready),
  );
}

function inZoneOrder(view: ClusterView, rows: readonly SourceDistribution[]): SourceDistribution[] {
  const order = new Map([...view.zones.keys()].map((zone, index) => [zone, index]));
  const rank = ({ from }: SourceDistribution): number => order.get(from) ?? order.size;
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

function withKeys(to: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(to).map(([zone, percent]) => [localityKey(zone), percent]));
}

function toRecord(zones: readonly string[], percents: readonly number[]): Record<string, number> {
  return Object.fromEntries(zones.flatMap((zone, index) => (percents[index]! > 0 ? [[zone, percents[index]!]] : [])));
}

function routeSignals(
  callers: ReadonlyMap<string, number>,
  current: readonly SourceDistribution[],
  target: readonly SourceDistribution[],
  next: readonly SourceDistribution[],
  steps: Readonly<Record<string, number>>,
  largestChange: number,
  eager: boolean,
): Record<string, number | string | boolean> {
  const signals: Record<string, number | string | boolean> = {
    largestChangePoints: largestChange,
    afterScaling: eager,
  };
  for (const [from, rate] of callers) {
    const row = (rows: readonly SourceDistribution[]): string => {
      const to = rows.find((entry) => entry.from === from)?.to ?? {};
      return Object.entries(to)
        .map(([zone, percent]) => `${zone} ${percent}`)
        .join(', ');
    };
    signals[`${from} requestsPerSecond`] = rate;
    signals[`${from} stepPoints`] = steps[from] ?? 0;
    signals[`${from} current`] = row(current);
    signals[`${from} target`] = row(target);
    signals[`${from} next`] = row(next);
  }
  return signals;
}
