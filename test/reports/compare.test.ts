import test from 'ava';
import { compare, sideOf, wordOf } from '../../reports/compare.js';
import { comparisonText } from '../../reports/comparison-text.js';
import { cellsOf } from '../../reports/format.js';
import { rankPoints, sweepJsonl, sweepPoints, sweepText } from '../../reports/sweep.js';
import { aRun, hpa } from './fixtures.js';

test('the words follow from where the interval lies', (t) => {
  t.is(wordOf({ low: -3, high: -2 }, 1), 'better');
  t.is(wordOf({ low: 2, high: 3 }, 1), 'worse');
  t.is(wordOf({ low: -0.9, high: -0.5 }, 1), 'same');
  t.is(wordOf({ low: -2, high: 0.5 }, 1), 'unclear');
  t.is(wordOf({ low: -2, high: -0.5 }, 1), 'better');
  t.is(wordOf(null, 1), 'unclear');
});

test('a policy is the same as itself in every figure', (t) => {
  const run = aRun();
  const { figures, seedsLost } = compare(sideOf(run, 'hpa'), sideOf(run, 'hpa'));
  t.deepEqual(new Set(figures.map((figure) => figure.word)), new Set(['same']));
  t.deepEqual(
    figures.map((figure) => figure.difference.mean),
    figures.map(() => 0),
  );
  t.is(seedsLost, 0);
});

test('a quarter off the mean is better, in latency, and the seeds explain most of the variance', (t) => {
  const run = aRun();
  const comparison = compare(sideOf(run, 'hpa'), sideOf(run, 'hpa+wavetank'));
  const mean = comparison.figures.find((figure) => figure.name === 'mean');
  t.is(mean?.word, 'better');
  // 18 ms against 24 ms in the fixture.
  t.true(Math.abs((mean?.relative?.change ?? 0) + 0.25) < 0.005);
  t.true((mean?.difference.varianceReduction ?? 0) > 0.8);
});

test('only shared seeds are paired, and it is said', (t) => {
  const a = sideOf(aRun({ seeds: [1, 2, 3] }), 'hpa');
  const b = sideOf(aRun({ seeds: [3, 2, 9] }), 'hpa', 'other');
  const comparison = compare(a, b);
  t.deepEqual(comparison.seeds, [2, 3]);
  t.regex(comparison.notices.join(), /only the 2 seeds/);
  t.is(comparison.figures[0]?.difference.mean, 0);
  t.regex(compare(a, sideOf(aRun({ seeds: [8] }), 'hpa')).notices.join(), /no seed in common/);
});

test('seeds that lose stand worst first, and can be replayed', (t) => {
  const run = aRun({ seeds: [1, 2, 3, 4, 5, 6, 7] });
  const { worstSeeds, seedsLost } = compare(sideOf(run, 'hpa+wavetank'), sideOf(run, 'hpa'));
  t.is(seedsLost, 7);
  t.is(worstSeeds.length, 5);
  const losses = worstSeeds.map((one) => one.bP95Ms - one.aP95Ms);
  t.deepEqual(
    losses,
    [...losses].sort((a, b) => b - a),
  );
});

test('the comparison fits 80 columns', (t) => {
  const run = aRun({
    policies: [
      { ...hpa, policy: 'a'.repeat(90) },
      { ...hpa, policy: 'b'.repeat(90) },
    ],
  });
  const text = comparisonText(compare(sideOf(run, 'a'.repeat(90)), sideOf(run, 'b'.repeat(90))), { color: false });
  for (const line of text.split('\n')) t.true(cellsOf(line) <= 80, `${cellsOf(line)}: ${line}`);
});

test('the Pareto front holds what nothing beats in both p95 and cost', (t) => {
  const point = (meanMs: number, nodesUsdPerHour: number) =>
    sweepPoints(
      [{ path: 'spec.x', value: meanMs }],
      aRun({ policies: [{ ...hpa, meanMs, nodesUsdPerHour, crossZoneShare: 0 }] }),
    );
  // (10, 5) and (20, 3) trade; (30, 4) is beaten by (20, 3); (10, 6) by (10, 5); the last is a twin of the first.
  const points = [point(10, 5), point(20, 3), point(30, 4), point(10, 6), point(10, 5)].flat();
  t.deepEqual(
    rankPoints(points).map((one) => one.pareto),
    [true, true, false, false, true],
  );
  const parsed = sweepJsonl(points)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { parameters: object; pareto: boolean });
  t.deepEqual(
    parsed.map((one) => one.pareto),
    [true, true, false, false, true],
  );
  t.deepEqual(parsed[0]?.parameters, { 'spec.x': 10 });
  t.is(
    sweepText(points, { color: false })
      .split('\n')
      .filter((line) => line.startsWith('  * ') && !line.includes('Pareto')).length,
    3,
  );
});
