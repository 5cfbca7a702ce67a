/**
 * One pass of the model-based rule over the rows of a Service: floors, solution, damping, gate.
 *
 * - Floors: up to five zones each row gives every zone its least percent; above five, that alone would send a tenth of
 *   everything across, so only the home zone and the cheapest `floorZones` with room have it.
 * - Urgent, when a zone is above `maxUtilization` under the rows in force: all the way at once. Else half the way, and only
 *   for a gain of `minGainMs`. Feed-forward needs no smaller steps: it does not steer on what it has just changed.
 * - A zone that offers nothing, or of which nothing is known, has shares by capacity: what the mesh does without a row.
 * - Demand that is too old is not solved for: each row goes a part of the way to shares by capacity.
 */
import { toPercents } from '../percents.js';
import type { EngineConfig } from '../types.js';
import { costMs, objectiveOf } from './objective.js';
import { capacityShares, placeLoads, utilizationOf, type Problem } from './problem.js';
import { solve } from './solve.js';

/** Zones up to which a floor under each costs less than it protects. */
const ZONES_WITH_FLOORS = 5;

export interface RouteQuestion {
  readonly problem: Problem;
  /** Zones of the places, all with ready pods. */
  readonly zones: readonly string[];
  readonly sources: readonly string[];
  /** Every zone that a row must or may list: those of `zones`, and those that could get pods. */
  readonly listed: readonly string[];
  /** Percent by zone in force, by source. */
  readonly current: readonly Readonly<Record<string, number>>[];
  readonly isOld: boolean;
  readonly config: EngineConfig;
}

export interface RouteAnswer {
  /** Whole percents by listed zone, in the order of the sources; zones with none are left out. */
  readonly next: readonly Readonly<Record<string, number>>[];
  readonly target: readonly Readonly<Record<string, number>>[];
  /** `next` as the places will see it, where zones without pods are passed over. */
  readonly nextShares: Float64Array;
  readonly currentShares: Float64Array;
  readonly urgent: boolean;
  readonly gainMs: number;
  readonly costMs: number;
  readonly utilization: number;
}

export function planRoute(question: RouteQuestion): RouteAnswer {
  const { problem, config, isOld } = question;
  const { maxUtilization, degradeShare } = config.balancer.model;
  const objective = objectiveOf(problem);
  const fair = capacityShares(problem);
  const inForce = sharesOf(question.current, question.zones, fair);
  const wanted = isOld ? fair : knownRows(problem, solve(objective, inForce), fair);

  const loads = placeLoads(problem, problem.demand, inForce);
  const utilization = loads.reduce((top, load, j) => Math.max(top, utilizationOf(problem, j, load)), 0);
  const urgent = !isOld && utilization > maxUtilization;
  const way = isOld ? degradeShare : urgent ? 1 : 0.5;
  const stepped = inForce.map((share, at) => share + way * (wanted[at]! - share));
  // What nobody sends has nothing to be damped for.
  const next = asRows(question, isOld ? stepped : knownRows(problem, stepped, fair));
  return {
    next,
    target: asRows(question, wanted),
    nextShares: sharesOf(next, question.zones, fair),
    currentShares: inForce,
    urgent,
    gainMs: isOld ? 0 : costMs(objective, inForce) - costMs(objective, wanted),
    costMs: costMs(objective, inForce),
    utilization,
  };
}

/** Least percent by source and place, for the problem: what `asRows` will give in any case. */
export function leastPercents(
  sources: number,
  listed: readonly string[],
  zones: readonly string[],
  floorsOf: (source: number) => readonly number[],
): Float64Array {
  const least = new Float64Array(sources * zones.length);
  for (let i = 0; i < sources; i++) {
    const floors = floorsOf(i);
    zones.forEach((zone, j) => (least[i * zones.length + j] = floors[listed.indexOf(zone)] ?? 0));
  }
  return least;
}

/**
 * Floor of each listed zone in the row of a source.
 * @param wireMs what the way to a listed zone costs, @param hasRoom whether it has ready pods with room
 */
export function rowFloors(
  home: string,
  listed: readonly string[],
  wireMs: (zone: string) => number,
  hasRoom: (zone: string) => boolean,
  floor: number,
  floorZones: number,
): number[] {
  if (listed.length <= ZONES_WITH_FLOORS) return listed.map(() => floor);
  const rank = (zone: string): number => (hasRoom(zone) ? 0 : 1);
  const cheapest = listed
    .map((zone, index) => ({ zone, index }))
    .sort((a, b) => rank(a.zone) - rank(b.zone) || wireMs(a.zone) - wireMs(b.zone) || a.index - b.index)
    .slice(0, floorZones)
    .map(({ index }) => index);
  const kept = new Set([...cheapest, listed.indexOf(home)]);
  return listed.map((_, index) => (kept.has(index) ? floor : 0));
}

function knownRows({ demand, places }: Problem, shares: Float64Array, fair: Float64Array): Float64Array {
  return shares.map((share, at) => (demand[Math.floor(at / places)]! > 0 ? share : fair[at]!));
}

/** Rows over the zones with ready pods alone, as Envoy renormalises them; a row with nothing there: by capacity. */
function sharesOf(
  rows: readonly Readonly<Record<string, number>>[],
  zones: readonly string[],
  fair: Float64Array,
): Float64Array {
  const shares = new Float64Array(fair.length);
  rows.forEach((row, i) => {
    const sum = zones.reduce((all, zone) => all + Math.max(0, row[zone] ?? 0), 0);
    zones.forEach((zone, j) => {
      const at = i * zones.length + j;
      shares[at] = sum > 0 ? (100 * Math.max(0, row[zone] ?? 0)) / sum : fair[at]!;
    });
  });
  return shares;
}

function asRows({ problem, zones, sources, listed }: RouteQuestion, shares: Float64Array): Record<string, number>[] {
  const places = listed.map((zone) => zones.indexOf(zone));
  return sources.map((_, i) => {
    const row = i * zones.length;
    const floor = Math.max(...problem.leastPercent.subarray(row, row + zones.length));
    const few = listed.length > ZONES_WITH_FLOORS;
    const percents = toPercents(
      places.map((place) => (place < 0 ? 0 : shares[row + place]!)),
      // Of few zones, those without pods have theirs too: pods may come at any moment.
      places.map((place) => (place < 0 ? (few ? 0 : floor) : problem.leastPercent[row + place]!)),
    );
    return Object.fromEntries(listed.flatMap((zone, j) => (percents[j]! > 0 ? [[zone, percents[j]!]] : [])));
  });
}
