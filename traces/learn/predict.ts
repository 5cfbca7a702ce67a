/**
 * The latency law of an endpoint without any queueing, exactly: sums of independent times are products of Fourier
 * transforms, mixtures are weighted sums of them. Used to check a learned scenario before it is simulated (and the
 * simulator at low load): a difference to the measurement that stands here already cannot come from queues.
 *
 * Grid: 1 ms, 16.4 s. A value between two grid points is split over both so that means stay exact; what is longer than
 * the grid folds back, which is harmless while such times are rare. Parallel calls multiply distribution functions.
 */
import type { Distribution, Load, RatePoint, Scenario, Step } from '../../scenarios/types.js';
import { envoyBoundsMs } from '../envoy-buckets.js';

const size = 16_384;
const stepMs = 1;

interface Transform {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

export interface PredictedLatency {
  /** Exact quantile in milliseconds. */
  readonly quantileMs: (q: number) => number;
  readonly meanMs: number;
  /** Probability per Envoy bucket. */
  readonly bucketShares: readonly number[];
}

/** What each service would show without any queueing: mean rates by flow conservation, latency as its pods see it. */
export interface PredictedService {
  readonly service: string;
  readonly requestsPerSecond: number;
  /** Simulated CPU: demand times rate; idle CPU not included. */
  readonly cpuMillicores: number;
  readonly latency: PredictedLatency;
}

export function predictServices(scenario: Scenario): PredictedService[] {
  const rates = endpointRates(scenario);
  const cache = new Map<string, Transform>();
  return scenario.services.flatMap((service, index) => {
    const mine = rates[index] as number[];
    const total = mine.reduce((sum, rate) => sum + rate, 0);
    if (total === 0) return [];
    const mix = scalar(0);
    mine.forEach((rate, endpoint) => addTo(mix, endpointTransform(scenario, index, endpoint, cache), rate / total));
    const cpuMillicores = service.endpoints.reduce((sum, endpoint, position) => {
      const demandUs = endpoint.steps.reduce((all, step) => all + (step.kind === 'cpu' ? step.demand.mean : 0), 0);
      return sum + ((mine[position] as number) * demandUs) / 1000;
    }, 0);
    return [{ service: service.name, requestsPerSecond: total, cpuMillicores, latency: describe(mix) }];
  });
}

/** Mean requests per second of every endpoint, [service][endpoint], from the loads down the call graph. */
export function endpointRates(scenario: Scenario): number[][] {
  const rates = scenario.services.map((service) => service.endpoints.map(() => 0));
  const flow = (service: number, endpoint: number, rate: number): void => {
    const row = rates[service] as number[];
    row[endpoint] = (row[endpoint] as number) + rate;
    for (const step of scenario.services[service]?.endpoints[endpoint]?.steps ?? []) {
      if (step.kind !== 'call') continue;
      for (const call of step.calls) flow(call.service, call.endpoint, rate * call.probability * call.count);
    }
  };
  for (const load of scenario.loads) flow(load.service, load.endpoint, meanRate(load, scenario.run.durationUs));
  return rates;
}

/** Mean of a piecewise linear rate over the run (constant before the first and after the last point). */
function meanRate(load: Load, durationUs: number): number {
  const points = load.rate;
  const first = points[0];
  const last = points[points.length - 1];
  if (first === undefined || last === undefined) return 0;
  const knots = [{ ...first, atUs: 0 }, ...points, { ...last, atUs: Math.max(durationUs, last.atUs) }];
  const area = knots.slice(1).reduce((sum, point, index) => {
    const before = knots[index] as RatePoint;
    return sum + ((point.atUs - before.atUs) * (point.perSecond + before.perSecond)) / 2;
  }, 0);
  return area / Math.max(durationUs, last.atUs);
}

function endpointTransform(
  scenario: Scenario,
  service: number,
  endpoint: number,
  cache: Map<string, Transform>,
): Transform {
  const key = `${service}/${endpoint}`;
  const known = cache.get(key);
  if (known) return known;
  let result = scalar(1);
  for (const step of scenario.services[service]?.endpoints[endpoint]?.steps ?? []) {
    result = product(result, stepTransform(scenario, step, cache));
  }
  cache.set(key, result);
  return result;
}

function stepTransform(scenario: Scenario, step: Step, cache: Map<string, Transform>): Transform {
  if (step.kind === 'cpu') return lawTransform(step.demand);
  if (step.kind === 'wait') return lawTransform(step.delay);
  const network = lawTransform({ kind: 'constant', mean: scenario.cluster.roundTrip.sameZoneUs });
  const branches = step.calls.map((call) => {
    const one = product(network, endpointTransform(scenario, call.service, call.endpoint, cache));
    const whole = Math.floor(call.count);
    const partly = scalar(1 - (call.count - whole));
    addTo(partly, one, call.count - whole);
    const join = step.repeat === 'sequential' ? product : slower;
    let made = partly;
    for (let repetition = 0; repetition < whole; repetition += 1) made = join(made, one);
    const branch = scalar(1 - call.probability);
    addTo(branch, made, call.probability);
    return branch;
  });
  return branches.reduce((left, right) => slower(left, right));
}

/** The law of the larger of two independent times. */
function slower(left: Transform, right: Transform): Transform {
  const [a, b] = [cumulative(inverse(left)), cumulative(inverse(right))];
  const masses = a.map(
    (value, index) =>
      value * (b[index] as number) - (index === 0 ? 0 : (a[index - 1] as number) * (b[index - 1] as number)),
  );
  return forward(masses);
}

function lawTransform(law: Distribution): Transform {
  const masses = new Float64Array(size);
  const put = (valueMs: number, weight: number): void => {
    const position = valueMs / stepMs;
    const low = Math.floor(position);
    (masses[low % size] as number) += weight * (1 - (position - low));
    (masses[(low + 1) % size] as number) += weight * (position - low);
  };
  if (law.kind === 'constant') put(law.mean / 1000, 1);
  else if (law.kind === 'empirical') {
    law.weights.forEach((weight, index) => {
      const [from, to] = [(law.bounds[index] as number) / 1000, (law.bounds[index + 1] as number) / 1000];
      const parts = Math.max(1, Math.ceil(((to - from) / stepMs) * 4));
      for (let part = 0; part < parts; part += 1) put(from + ((to - from) * (part + 0.5)) / parts, weight / parts);
    });
  } else if (law.kind === 'exponential') {
    const meanMs = law.mean / 1000;
    const survival = (x: number): number => Math.exp(-x / meanMs);
    for (let index = 0; index < 4 * size; index += 1)
      put((index + 0.5) / 4, survival(index / 4) - survival((index + 1) / 4));
  } else throw new Error(`no transform for the ${law.kind} law`);
  return forward(masses);
}

function describe(transform: Transform): PredictedLatency {
  const masses = inverse(transform);
  const below = cumulative(masses);
  const quantileMs = (q: number): number => {
    const index = below.findIndex((value) => value >= q);
    const before = index <= 0 ? 0 : (below[index - 1] as number);
    return index < 0
      ? size * stepMs
      : (index - 1 + (q - before) / Math.max(1e-15, (below[index] as number) - before)) * stepMs;
  };
  const bucketShares = [...envoyBoundsMs, Infinity].map(() => 0);
  masses.forEach((mass, index) => {
    const bucket = envoyBoundsMs.findIndex((bound) => index * stepMs <= bound);
    (bucketShares[bucket < 0 ? envoyBoundsMs.length : bucket] as number) += Math.max(0, mass);
  });
  return { quantileMs, meanMs: masses.reduce((sum, mass, index) => sum + mass * index * stepMs, 0), bucketShares };
}

function scalar(value: number): Transform {
  return { re: new Float64Array(size).fill(value), im: new Float64Array(size) };
}

function addTo(sum: Transform, term: Transform, weight: number): void {
  for (let i = 0; i < size; i += 1) {
    (sum.re[i] as number) += weight * (term.re[i] as number);
    (sum.im[i] as number) += weight * (term.im[i] as number);
  }
}

function product(left: Transform, right: Transform): Transform {
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    const [a, b, c, d] = [left.re[i] as number, left.im[i] as number, right.re[i] as number, right.im[i] as number];
    re[i] = a * c - b * d;
    im[i] = a * d + b * c;
  }
  return { re, im };
}

function cumulative(masses: Float64Array): Float64Array {
  let sum = 0;
  return masses.map((mass) => (sum += mass));
}

function forward(masses: Float64Array): Transform {
  const result = { re: Float64Array.from(masses), im: new Float64Array(size) };
  fourier(result.re, result.im, -1);
  return result;
}

function inverse(transform: Transform): Float64Array {
  const re = Float64Array.from(transform.re);
  fourier(re, Float64Array.from(transform.im), 1);
  return re.map((value) => value / size);
}

/** Radix-2 transform in place: bit reversal, then butterflies of growing length. */
function fourier(re: Float64Array, im: Float64Array, sign: 1 | -1): void {
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j] as number, re[i] as number];
      [im[i], im[j]] = [im[j] as number, im[i] as number];
    }
  }
  for (let length = 2; length <= size; length <<= 1) {
    const angle = (sign * 2 * Math.PI) / length;
    const half = length >> 1;
    for (let k = 0; k < half; k += 1) {
      const [cos, sin] = [Math.cos(angle * k), Math.sin(angle * k)];
      for (let start = k; start < size; start += length) {
        const other = start + half;
        const [x, y] = [re[other] as number, im[other] as number];
        const [rotatedRe, rotatedIm] = [x * cos - y * sin, x * sin + y * cos];
        re[other] = (re[start] as number) - rotatedRe;
        im[other] = (im[start] as number) - rotatedIm;
        (re[start] as number) += rotatedRe;
        (im[start] as number) += rotatedIm;
      }
    }
  }
}
