/**
 * Sorts the traces of the entry service into a handful of request classes (page kinds) by which operations they call how
 * often, and gives each class its share of the traffic.
 *
 * A minute of spans tells the classes well but their shares only roughly (a share of 3 % of 500 traces is known to a
 * quarter of itself), while hours of rates tell how many calls each service gets per outside request, but not why. The
 * shares are therefore moved as little as possible (least Kullback-Leibler divergence, weighted with the number of traces)
 * until the calls per request agree with the recorded rates within their standard errors. With visits n_c of class c, spans'
 * shares p0 and measured ratios m with standard errors s: minimise N KL(p|p0) + sum ((n.p - m) / s)^2 / 2. The dual is
 * concave in one multiplier a service, and Newton's method solves it.
 */
import { solveLinear } from './linear.js';
import { keyOf } from './call-steps.js';
import { allVisits, type Visit } from './visits.js';

export interface RequestClass {
  /** Operations called and how often, for people. */
  readonly description: string;
  readonly visits: readonly Visit[];
  readonly shareInSpans: number;
  /** Visits of each service in one request of the class, the services below included. */
  readonly visitsByService: ReadonlyMap<string, number>;
}

/** Rarer classes are pooled: with fewer than a dozen traces neither shape nor share is known. */
const minShare = 0.02;
const maxClassCount = 12;

export function requestClasses(roots: readonly Visit[]): RequestClass[] {
  const byCalls = new Map<string, Visit[]>();
  for (const root of roots) {
    const description = describeCalls(root);
    byCalls.set(description, [...(byCalls.get(description) ?? []), root]);
  }
  const ordered = [...byCalls].sort(([left, a], [right, b]) => b.length - a.length || (left < right ? -1 : 1));
  const common = ordered.filter(
    ([, visits], index) => index < maxClassCount && visits.length >= minShare * roots.length,
  );
  const rare = ordered.slice(common.length).flatMap(([, visits]) => visits);
  const groups: [string, Visit[]][] = rare.length > 0 ? [...common, ['all rarer kinds', rare]] : common;
  return groups.map(([description, visits]) => ({
    description,
    visits,
    shareInSpans: visits.length / roots.length,
    visitsByService: visitsPerRequest(visits),
  }));
}

export interface MeasuredRatio {
  readonly service: string;
  readonly perRequest: number;
  readonly standardError: number;
}

/** Shares of the classes that agree with the measured calls per outside request. Sums to 1. */
export function fitShares(
  classes: readonly RequestClass[],
  ratios: readonly MeasuredRatio[],
  traceCount: number,
): number[] {
  const prior = classes.map((entry) => entry.shareInSpans);
  const features = ratios.map((ratio) => classes.map((entry) => entry.visitsByService.get(ratio.service) ?? 0));
  const softness = ratios.map((ratio) => traceCount * ratio.standardError ** 2);
  let multipliers = ratios.map(() => 0);
  for (let round = 0; round < 100; round += 1) {
    const shares = tilt(prior, features, multipliers);
    const expected = features.map((row) => weighted(row, shares));
    const gradient = ratios.map(
      (ratio, i) => (expected[i] as number) - ratio.perRequest - (softness[i] as number) * (multipliers[i] as number),
    );
    const curvature = features.map((left, i) =>
      features.map((right, k) => {
        const product = left.map((value, c) => value * (right[c] as number));
        const covariance = weighted(product, shares) - (expected[i] as number) * (expected[k] as number);
        return covariance + (i === k ? (softness[i] as number) + 1e-12 : 0);
      }),
    );
    const direction = solveLinear(curvature, gradient);
    if (direction === null || Math.max(...direction.map(Math.abs), 0) < 1e-10) break;
    multipliers = lineSearch(multipliers, direction, (point) => dual(prior, features, ratios, softness, point));
  }
  return tilt(prior, features, multipliers);
}

function describeCalls(root: Visit): string {
  const counts = new Map<string, number>();
  for (const call of root.calls) {
    const key = keyOf(call.visit).replace('\t', ' ');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (counts.size === 0) return 'no calls';
  return [...counts]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, count]) => `${shortOperation(key)} x${count}`)
    .join(', ');
}

/** "productcatalogservice hipstershop.ProductCatalogService/GetProduct" -> "productcatalogservice/GetProduct". */
function shortOperation(key: string): string {
  const [service, ...operation] = key.split(' ');
  return `${service}/${operation.join(' ').split('/').at(-1)}`;
}

function visitsPerRequest(roots: readonly Visit[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const visit of allVisits(roots)) counts.set(visit.service, (counts.get(visit.service) ?? 0) + 1 / roots.length);
  return counts;
}

function tilt(
  prior: readonly number[],
  features: readonly (readonly number[])[],
  multipliers: readonly number[],
): number[] {
  const exponents = prior.map(
    (_, c) => -features.reduce((sum, row, i) => sum + (row[c] as number) * (multipliers[i] as number), 0),
  );
  const highest = Math.max(...exponents);
  const raw = prior.map((share, c) => share * Math.exp((exponents[c] as number) - highest));
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
}

function dual(
  prior: readonly number[],
  features: readonly (readonly number[])[],
  ratios: readonly MeasuredRatio[],
  softness: readonly number[],
  multipliers: readonly number[],
): number {
  const exponents = prior.map(
    (_, c) => -features.reduce((sum, row, i) => sum + (row[c] as number) * (multipliers[i] as number), 0),
  );
  const highest = Math.max(...exponents);
  const partition = prior.reduce((sum, share, c) => sum + share * Math.exp((exponents[c] as number) - highest), 0);
  const penalty = multipliers.reduce(
    (sum, value, i) =>
      sum + value * (ratios[i] as MeasuredRatio).perRequest + ((softness[i] as number) * value ** 2) / 2,
    0,
  );
  return -Math.log(partition) - highest - penalty;
}

/** The whole Newton step, or half of it as often as it takes not to fall. */
function lineSearch(
  from: readonly number[],
  direction: readonly number[],
  value: (point: readonly number[]) => number,
): number[] {
  const start = value(from);
  for (let length = 1; length > 1e-9; length /= 2) {
    const point = from.map((x, i) => x + length * (direction[i] as number));
    if (value(point) >= start) return point;
  }
  return [...from];
}

function weighted(values: readonly number[], weights: readonly number[]): number {
  return values.reduce((sum, value, index) => sum + value * (weights[index] as number), 0);
}
