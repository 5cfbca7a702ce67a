/**
 * One careful step from the routes that stand to the routes wanted. Per source, the further away the target, the longer
 * the step:
 *
 *     urgency = min(1, L1 / urgencyThreshold)         L1 = sum over places of |target - current|, in points
 *     step    = minStep + urgency * (maxStep - minStep)
 *
 * A share within epsilon of its target stays; any other moves by at most the step; shares at or below 0 are dropped; the
 * rest is brought back to 100 by largest remainder (so a share may move a little further than the step).
 * The inherited rule ends there, and can end away from the target: a step below half a point is rounded away, and what
 * lies within epsilon in many places may be what one place lacks. So a step that brings a row no nearer, though a share
 * is further than epsilon, is done again with both sides in balance: at least one point, no share spared, and the side
 * that moves more slowed to the other's sum. Every share then ends between where it was and its target, one of them a
 * point nearer, so a row always arrives and never swings.
 *
 * L1 is taken per source: summed over all sources it passes any threshold as soon as there are many of them
 * (`urgencyScope: total` keeps that older reading selectable).
 */
import { toPercents } from './percents.js';

/** Where one source sends its requests: whole percents by place. */
export interface SourceDistribution {
  readonly from: string;
  readonly to: Readonly<Record<string, number>>;
}

export interface StepSettings {
  /** Points moved when the target is near, and when it is `urgencyThreshold` or more away. */
  readonly minStep: number;
  readonly maxStep: number;
  readonly urgencyThreshold: number;
  readonly epsilon: number;
  readonly urgencyScope?: 'perSource' | 'total';
}

/**
 * @param input distributions in percent; a source in only one of them counts as empty in the other
 * @returns `next` with whole percents that sum to 100 per source (a source with nothing left is absent), and per source
 *   the step taken and the L1 distance between current and target, both in points
 */
export function stepToward(input: {
  readonly current: readonly SourceDistribution[];
  readonly target: readonly SourceDistribution[];
  readonly settings: StepSettings;
}): { next: SourceDistribution[]; steps: Record<string, number>; l1: Record<string, number> } {
  const { settings } = input;
  const current = bySource(input.current);
  const target = bySource(input.target);
  const sources = [...new Set([...current.keys(), ...target.keys()])];
  const distances = sources.map((from) => rowDistance(current.get(from) ?? NOTHING, target.get(from) ?? NOTHING));
  const total = distances.reduce((sum, distance) => sum + distance, 0);

  const next: SourceDistribution[] = [];
  const steps = sources.map((from, index) => {
    const points = stepLength(settings.urgencyScope === 'total' ? total : distances[index]!, settings);
    const to = moveRow(current.get(from) ?? NOTHING, target.get(from) ?? NOTHING, points, settings.epsilon);
    if (to.length > 0) next.push({ from, to: Object.fromEntries(to) });
    return [from, points] as const;
  });
  return {
    next,
    steps: Object.fromEntries(steps),
    l1: Object.fromEntries(sources.map((from, index) => [from, distances[index]!])),
  };
}

/** Sum over all sources and places of |a - b| in points; a missing share is 0. */
export function l1Distance(a: readonly SourceDistribution[], b: readonly SourceDistribution[]): number {
  const left = bySource(a);
  const right = bySource(b);
  let sum = 0;
  for (const from of new Set([...left.keys(), ...right.keys()])) {
    sum += rowDistance(left.get(from) ?? NOTHING, right.get(from) ?? NOTHING);
  }
  return sum;
}

/** The flat edges of `targetDistribution`, grouped by source in the order in which sources first appear. */
export function groupBySource(
  edges: readonly { readonly from: string; readonly to: string; readonly percent: number }[],
): SourceDistribution[] {
  const rows = new Map<string, [string, number][]>();
  for (const { from, to, percent } of edges) {
    const row = rows.get(from);
    if (row) row.push([to, percent]);
    else rows.set(from, [[to, percent]]);
  }
  return [...rows].map(([from, to]) => ({ from, to: Object.fromEntries(to) }));
}

/** Length of a step in points for a distance `l1` in points. */
function stepLength(l1: number, settings: StepSettings): number {
  const urgency = settings.urgencyThreshold > 0 ? Math.min(1, l1 / settings.urgencyThreshold) : 1;
  return settings.minStep + urgency * (settings.maxStep - settings.minStep);
}

type Row = ReadonlyMap<string, number>;
const NOTHING: Row = new Map();

function bySource(distributions: readonly SourceDistribution[]): Map<string, Row> {
  return new Map(distributions.map(({ from, to }) => [from, new Map(Object.entries(to))]));
}

function rowDistance(current: Row, target: Row): number {
  let sum = 0;
  for (const [place, percent] of current) sum += Math.abs((target.get(place) ?? 0) - percent);
  for (const [place, percent] of target) if (!current.has(place)) sum += Math.abs(percent);
  return sum;
}

/** The inherited step, or the balanced one where that leads nowhere. */
function moveRow(current: Row, target: Row, points: number, epsilon: number): [string, number][] {
  const inherited = inheritedMove(current, target, points, epsilon);
  if (sumOf(current) !== 100 || sumOf(target) !== 100) return inherited;
  const places = [...new Set([...current.keys(), ...target.keys()])];
  const gaps = places.map((place) => (target.get(place) ?? 0) - (current.get(place) ?? 0));
  const isThere = gaps.every((gap) => Math.abs(gap) <= epsilon);
  if (isThere || rowDistance(new Map(inherited), target) < rowDistance(current, target)) return inherited;

  const longest = Math.max(1, points);
  const moves = gaps.map((gap) => Math.sign(gap) * Math.min(Math.abs(gap), longest));
  const rise = moves.reduce((sum, move) => sum + Math.max(0, move), 0);
  const fall = moves.reduce((sum, move) => sum + Math.max(0, -move), 0);
  const moved = places.map((place, index) => {
    const move = moves[index]!;
    return (current.get(place) ?? 0) + move * Math.min(1, move > 0 ? fall / rise : rise / fall);
  });
  return nonZero(places, toPercents(moved));
}

function sumOf(row: Row): number {
  let sum = 0;
  for (const percent of row.values()) sum += percent;
  return sum;
}

function nonZero(places: readonly string[], percents: readonly number[]): [string, number][] {
  return places.flatMap((place, index): [string, number][] =>
    percents[index]! > 0 ? [[place, percents[index]!]] : [],
  );
}

function inheritedMove(current: Row, target: Row, points: number, epsilon: number): [string, number][] {
  const places = [...new Set([...current.keys(), ...target.keys()])];
  const moved = places.map((place) => {
    const from = current.get(place) ?? 0;
    const gap = (target.get(place) ?? 0) - from;
    return Math.abs(gap) <= epsilon ? from : from + Math.sign(gap) * Math.min(Math.abs(gap), points);
  });
  return nonZero(places, toPercents(moved));
}
