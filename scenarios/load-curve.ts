/**
 * The rate of arrivals over a run as points with straight lines between, which the simulator can integrate and invert
 * exactly. A diurnal wave is base x (1 + amplitude x cos(2 pi (t - peakAt) / period)), sampled often enough that the
 * chords stay within 0.06 % of the amplitude; a burst multiplies the rate between two steps.
 *
 * Times in the file count from the start of the measured part, in the record from the start of the run: the warm-up lies
 * between. The wave goes on backwards through the warm-up, points hold their first rate there.
 */
import type { LoadFile } from './schema.js';
import type { RatePoint } from './types.js';

/** Chord error of a cosine is (step / 2)^2 / 2 of its amplitude: 2 pi / 96 gives 0.054 %. */
const SAMPLES_PER_PERIOD = 96;

/** Cosines may differ in their last bit between JavaScript engines; a millionth of a request per second does not. */
const DIGITS = 6;

export function rateCurve(rate: LoadFile['rate'], warmUpUs: number, durationUs: number): readonly RatePoint[] {
  if (typeof rate === 'number') return [{ atUs: 0, perSecond: rate }];
  if (rate.points !== undefined) return pointCurve(rate.points, warmUpUs);
  const wave = rate.diurnal;
  const base = rate.base!;
  const endUs = warmUpUs + durationUs;
  const times = new Set<number>([0]);
  if (wave !== undefined) {
    const stepUs = wave.period / SAMPLES_PER_PERIOD;
    for (let index = 0; index * stepUs < endUs; index++) times.add(index * stepUs);
    times.add(endUs);
  }
  const edges = new Set(rate.bursts.flatMap((burst) => [burst.at + warmUpUs, burst.at + burst.for + warmUpUs]));
  for (const edge of edges) times.add(edge);

  const waveAt = (atUs: number): number =>
    wave === undefined
      ? base
      : base * (1 + wave.amplitude * Math.cos((2 * Math.PI * (atUs - warmUpUs - wave.peakAt)) / wave.period));
  /** `after`: the value just after a step, else just before it. */
  const factorAt = (atUs: number, after: boolean): number =>
    rate.bursts
      .filter((burst) => {
        const [from, to] = [burst.at + warmUpUs, burst.at + burst.for + warmUpUs];
        return after ? from <= atUs && atUs < to : from < atUs && atUs <= to;
      })
      .reduce((factor, burst) => factor * burst.times, 1);
  const point = (atUs: number, after: boolean): RatePoint => ({
    atUs,
    perSecond: rounded(waveAt(atUs) * factorAt(atUs, after)),
  });

  return [...times]
    .sort((a, b) => a - b)
    .flatMap((atUs) => (edges.has(atUs) && atUs > 0 ? [point(atUs, false), point(atUs, true)] : [point(atUs, true)]));
}

function pointCurve(
  points: readonly { readonly at: number; readonly rate: number }[],
  warmUpUs: number,
): readonly RatePoint[] {
  const shifted = points.map((point) => ({ atUs: point.at + warmUpUs, perSecond: point.rate }));
  const first = shifted[0]!;
  return first.atUs > 0 ? [{ atUs: 0, perSecond: first.perSecond }, ...shifted] : shifted;
}

function rounded(perSecond: number): number {
  return Number(perSecond.toFixed(DIGITS));
}

export function peakRate(points: readonly RatePoint[]): number {
  return points.reduce((peak, point) => Math.max(peak, point.perSecond), 0);
}
