import test from 'ava';
import { callStepsOf } from '../../../traces/learn/call-steps.js';
import { fitShares, requestClasses, type RequestClass } from '../../../traces/learn/request-classes.js';
import { lawOfQuantiles, lawOfSamples } from '../../../traces/learn/shape.js';
import { visitTrees } from '../../../traces/learn/visits.js';
import type { RecordedSpan } from '../../../traces/recording.js';

/** id, parent, service, operation, start, duration. */
function spans(rows: readonly (readonly [string, string | null, string, string, number, number])[]): RecordedSpan[] {
  return rows.map(([spanId, parentId, service, operation, startMs, durationMs]) => ({
    traceId: 't',
    spanId,
    parentId,
    service,
    operation,
    startMs,
    durationMs,
  }));
}

test('own time is the visit without the union of its calls, and the gap is client span less server span', (t) => {
  const [visit] = visitTrees(
    spans([
      ['r', null, 'web', 'get', 0, 100],
      ['h', 'r', 'web', 'helper', 5, 80],
      ['c1', 'h', 'web', 'call a', 10, 30],
      ['s1', 'c1', 'a', 'a', 12, 25],
      ['c2', 'h', 'web', 'call b', 30, 30],
      ['s2', 'c2', 'b', 'b', 31, 20],
    ]),
  );
  // Calls cover 10..40 and 30..60, together 50 ms of 100.
  t.is(visit?.ownMs, 50);
  t.deepEqual(
    visit?.calls.map((call) => [call.visit.service, call.visit.caller, call.visit.gapMs]),
    [
      ['a', 'web', 5],
      ['b', 'web', 10],
    ],
  );
});

const trace = (id: string, secondStart: number): RecordedSpan[] =>
  spans([
    [id, null, 'web', 'get', 0, 100],
    [`${id}a`, id, 'a', 'a', 10, 30],
    [`${id}b`, id, 'b', 'b', secondStart, 30],
  ]);

test('calls that overlap share a step, calls that follow one another do not', (t) => {
  const parallel = callStepsOf(visitTrees([...trace('1', 15), ...trace('2', 20)]));
  t.deepEqual(
    parallel.map((step) => step.groups.map((group) => group.service)),
    [['a', 'b']],
  );
  const sequential = callStepsOf(visitTrees([...trace('1', 50), ...trace('2', 45)]));
  t.deepEqual(
    sequential.map((step) => step.groups.map((group) => group.service)),
    [['a'], ['b']],
  );
});

test('requests that call differently are different classes, the rare ones pooled', (t) => {
  const many = Array.from({ length: 99 }, (_, i) =>
    spans([
      [`m${i}`, null, 'web', 'get', i, 9],
      [`m${i}a`, `m${i}`, 'a', 'a', i, 5],
    ]),
  ).flat();
  const classes = requestClasses(visitTrees([...many, ...trace('rare', 50)]));
  t.deepEqual(
    classes.map((entry) => [entry.description, entry.visits.length]),
    [
      ['a/a x1', 99],
      ['all rarer kinds', 1],
    ],
  );
});

const kinds = [
  { description: 'view', visits: [], shareInSpans: 0.5, visitsByService: new Map([['catalog', 3]]) },
  { description: 'buy', visits: [], shareInSpans: 0.5, visitsByService: new Map([['cart', 1]]) },
] satisfies RequestClass[];

test('shares follow precise rates and ignore vague ones', (t) => {
  // 2.1 catalog calls a request at 3 a view: 70 % views.
  const precise = fitShares(kinds, [{ service: 'catalog', perRequest: 2.1, standardError: 1e-4 }], 100);
  t.true(Math.abs((precise[0] as number) - 0.7) < 1e-4);
  const vague = fitShares(kinds, [{ service: 'catalog', perRequest: 2.1, standardError: 100 }], 100);
  t.true(Math.abs((vague[0] as number) - 0.5) < 1e-3);
});

test('rates that contradict each other end in between, weighted with their precision', (t) => {
  // 60 % views by the catalog (0.03 of 3 calls = 1 %), 80 % by the cart (1 %): equally sure, so about 70 %.
  const shares = fitShares(
    kinds,
    [
      { service: 'catalog', perRequest: 1.8, standardError: 0.03 },
      { service: 'cart', perRequest: 0.2, standardError: 0.01 },
    ],
    1,
  );
  t.true(Math.abs((shares[0] as number) - 0.7) < 0.005);
});

test('the law of samples keeps their mean, the law of quantiles the quantiles and a mean that fits them', (t) => {
  const law = lawOfSamples([1, 2, 3, 4, 90]);
  t.true(Math.abs(law.mean - 20_000) < 1e-6);
  // Median 10, p90 20, above it up to 30; 0.4 x 15 + 0.1 x 25 = 8.5, so 0.5 x (low + 10) / 2 = 4 for a mean of 12.5: low 6.
  const fitted = lawOfQuantiles(
    new Map([
      [0.5, 10],
      [0.9, 20],
    ]),
    12.5,
  );
  t.true(
    fitted?.kind === 'empirical' &&
      Math.abs((fitted.bounds[0] as number) - 6000) < 1e-6 &&
      Math.abs(fitted.mean - 12_500) < 1e-6,
  );
});
