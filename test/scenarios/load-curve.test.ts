import test from 'ava';
import { peakRate, rateCurve } from '../../scenarios/load-curve.js';
import type { RatePoint } from '../../scenarios/types.js';

const S = 1e6;

/** Straight lines between points; the later of two at one time holds from there on. */
function rateAt(points: readonly RatePoint[], atUs: number): number {
  let index = 0;
  while (index + 1 < points.length && points[index + 1]!.atUs <= atUs) index++;
  const [from, to] = [points[index]!, points[index + 1]];
  if (to === undefined) return from.perSecond;
  return from.perSecond + ((to.perSecond - from.perSecond) * (atUs - from.atUs)) / (to.atUs - from.atUs);
}

test('a constant rate is one point', (t) =>
  t.deepEqual(rateCurve(300, 60 * S, 600 * S), [{ atUs: 0, perSecond: 300 }]));

test('points are moved by the warm-up, which holds the first rate', (t) => {
  t.deepEqual(
    rateCurve(
      {
        points: [
          { at: 0, rate: 10 },
          { at: 5 * S, rate: 20 },
          { at: 5 * S, rate: 40 },
        ],
        bursts: [],
      },
      60 * S,
      600 * S,
    ),
    [
      { atUs: 0, perSecond: 10 },
      { atUs: 60 * S, perSecond: 10 },
      { atUs: 65 * S, perSecond: 20 },
      { atUs: 65 * S, perSecond: 40 },
    ],
  );
});

test('a burst is a step up and a step down', (t) => {
  t.deepEqual(rateCurve({ base: 100, bursts: [{ at: 10 * S, for: 5 * S, times: 3 }] }, 60 * S, 600 * S), [
    { atUs: 0, perSecond: 100 },
    { atUs: 70 * S, perSecond: 100 },
    { atUs: 70 * S, perSecond: 300 },
    { atUs: 75 * S, perSecond: 300 },
    { atUs: 75 * S, perSecond: 100 },
  ]);
});

test('a wave keeps to its cosine within 0.06 % of the amplitude, in the warm-up too', (t) => {
  const [base, amplitude, period, peakAt, warmUp] = [200, 0.4, 1200 * S, 300 * S, 90 * S];
  const curve = rateCurve({ base, diurnal: { amplitude, period, peakAt }, bursts: [] }, warmUp, 1800 * S);
  for (let atUs = 0; atUs <= warmUp + 1800 * S; atUs += 1.7 * S) {
    const exact = base * (1 + amplitude * Math.cos((2 * Math.PI * (atUs - warmUp - peakAt)) / period));
    t.true(Math.abs(rateAt(curve, atUs) - exact) <= 0.0006 * base * amplitude, `${atUs}`);
  }
});

test('over whole periods the wave brings its base on average', (t) => {
  const curve = rateCurve(
    { base: 200, diurnal: { amplitude: 1, period: 600 * S, peakAt: 0 }, bursts: [] },
    0,
    1200 * S,
  );
  let arrivals = 0;
  for (let index = 1; index < curve.length; index++) {
    const [from, to] = [curve[index - 1]!, curve[index]!];
    arrivals += ((from.perSecond + to.perSecond) / 2) * ((to.atUs - from.atUs) / S);
  }
  t.true(Math.abs(arrivals / 1200 - 200) < 1e-6);
  t.true(curve.every((point) => point.perSecond >= 0));
});

test('overlapping bursts multiply, and the peak is seen', (t) => {
  const curve = rateCurve(
    {
      base: 10,
      bursts: [
        { at: 0, for: 10 * S, times: 2 },
        { at: 5 * S, for: 10 * S, times: 3 },
      ],
    },
    0,
    60 * S,
  );
  t.is(rateAt(curve, 2 * S), 20);
  t.is(rateAt(curve, 7 * S), 60);
  t.is(rateAt(curve, 12 * S), 30);
  t.is(rateAt(curve, 16 * S), 10);
  t.is(peakRate(curve), 60);
});
