/** The tests at the end of the rule's page that need no simulator, by their numbers, on hand-made snapshots. */
import test from 'ava';
import fc from 'fast-check';
import { configProblems, defaultEngineConfig, step } from '../../../engine/index.js';
import { defaultModelSettings } from '../../../engine/model/settings.js';
import { SEED, SEED_NOTE } from '../../seed.js';
import { anInput, deepFreeze } from '../fixtures.js';
import {
  crossShare,
  decideWeb,
  passes,
  routeOf,
  rowsOf,
  utilizations,
  webSnapshot,
  type Rows,
  type WebCase,
} from './fixtures.js';

const EVEN = { 'eu/a': 4, 'eu/b': 4, 'eu/c': 4 };
const EXACT = { hedge: 0, minGainMs: 0.02 };
/** 360 requests/s on 12 pods of 50: 60 %. */
const HOT: WebCase = { pods: EVEN, offered: { 'eu/a': 252, 'eu/b': 54, 'eu/c': 54 } };
const last = (history: Rows[]): Rows => history[history.length - 1]!;

test('1: equal demand on equal pods stays at home, but for the floor', (t) => {
  const one = { pods: EVEN, offered: { 'eu/a': 120, 'eu/b': 120, 'eu/c': 120 } };
  const rows = last(passes(one, 12, EXACT));
  for (const [from, to] of Object.entries(rows)) t.true(to[from]! >= 97, `${from}: ${JSON.stringify(to)}`);
  // With 98/1/1 standing there is nothing to do.
  const standing = {
    'eu/a': { 'eu/a': 98, 'eu/b': 1, 'eu/c': 1 },
    'eu/b': { 'eu/a': 1, 'eu/b': 98, 'eu/c': 1 },
    'eu/c': { 'eu/a': 1, 'eu/b': 1, 'eu/c': 98 },
  };
  t.is(decideWeb({ ...one, rows: standing }).skipped[0]!.reason, 'belowMinDelta');
});

// Zone a offers 252 to a zone that can do 200, 160 at 80 %: at least 92 of 360 must leave, 25.6 %, and the floors of the
// cold rows add 2 % of 108. Queues at 80 % cost more than a wire of 5 ms, so more leaves than must.
test('2: the hot row keeps half at home, the cold ones nearly all', (t) => {
  const rows = last(passes(HOT, 6, EXACT));
  t.true(rows['eu/a']!['eu/a']! >= 45 && rows['eu/a']!['eu/a']! <= 63, JSON.stringify(rows));
  t.true(rows['eu/b']!['eu/b']! >= 90 && rows['eu/c']!['eu/c']! >= 90, JSON.stringify(rows));
  const least = 92 / 360;
  const cross = crossShare(HOT, rows);
  t.true(cross >= least && cross <= least + 0.14, String(cross));
  t.true(
    utilizations(HOT, rows).every((busy) => busy <= 0.805),
    JSON.stringify(utilizations(HOT, rows)),
  );
});

test('3: dearer bytes never make more of them cross, and never fill a zone', (t) => {
  let before = 1;
  for (const transferWeight of [0, 5, 20, 100, 300, 1000]) {
    const rows = last(passes(HOT, 8, { ...EXACT, transferWeight }));
    const cross = crossShare(HOT, rows);
    t.true(cross <= before + 0.012, `${transferWeight}: ${cross} after ${before}`);
    // Whole percents: one of 252 requests/s is 1.3 % of a zone.
    t.true(
      utilizations(HOT, rows).every((busy) => busy <= 0.8 + 0.013),
      `${transferWeight}: ${JSON.stringify(rows)}`,
    );
    before = cross;
  }
});

test('4: a zone with two and a half times what it can do is relieved in one pass, whatever its CPU reads', (t) => {
  const one = { pods: { 'eu/a': 4, 'eu/b': 8, 'eu/c': 8 }, offered: { 'eu/a': 500, 'eu/b': 20 }, nearest: true };
  const pinned = webSnapshot(one).pods.filter(({ node }) => node === 'n-eu/a');
  t.true(pinned.every(({ usage }) => usage!.cpuMillicores === 1000));
  const rows = rowsOf(decideWeb(one))!;
  t.true(
    utilizations(one, rows).every((busy) => busy <= 0.81),
    JSON.stringify(rows),
  );
  t.true(routeOf(decideWeb(one))!.because.includes('250 %'));
});

test('5: nothing swings, however late the metrics are', (t) => {
  const fresh = last(passes({ ...HOT, ageMs: 0 }, 10));
  for (const ageMs of [15_000, 60_000]) t.deepEqual(last(passes({ ...HOT, ageMs }, 10)), fresh);
  for (const ageMs of [0, 60_000, 240_000]) {
    const history = passes({ ...HOT, ageMs, rows: fresh }, 30);
    const moved = (a: Rows, b: Rows): number =>
      Object.keys(a).reduce(
        (sum, from) =>
          sum + Object.keys(EVEN).reduce((all, to) => all + Math.abs((a[from]![to] ?? 0) - (b[from]![to] ?? 0)), 0),
        0,
      );
    t.true(moved(history[28]!, history[29]!) < 2, `${ageMs}`);
    // Late demand is left behind: after 30 passes rows are at capacity, a third each.
    if (ageMs > 60_000) t.true(Math.abs(history[29]!['eu/a']!['eu/b']! - 33) <= 2, JSON.stringify(history[29]));
  }
});

test('a quarter of the way to shares by capacity is gone each pass with old demand', (t) => {
  const rows = { 'eu/a': { 'eu/a': 90, 'eu/b': 5, 'eu/c': 5 } };
  // 90 - (90 - 33.3)/4 = 75.8; 5 + 28.3/4 = 12.1.
  const next = rowsOf(decideWeb({ ...HOT, rows, ageMs: 90_000 }))!;
  t.deepEqual(next['eu/a'], { 'eu/a': 76, 'eu/b': 12, 'eu/c': 12 });
  // No route of ours stands: nothing to leave behind, and nothing is written.
  t.is(decideWeb({ ...HOT, ageMs: 90_000 }).skipped[0]!.reason, 'metricsStale');
});

test('6: a slow zone is told by CPU per answer and relieved, and no zone overflows', (t) => {
  const even: WebCase = { pods: EVEN, offered: { 'eu/a': 110, 'eu/b': 110, 'eu/c': 110 } };
  const slow = { ...even, cpuMs: { 'eu/a': 32 } };
  const shareOf = (one: WebCase) => {
    const rows = last(passes(one, 10, EXACT));
    t.true(
      utilizations(one, rows).every((busy) => busy <= 0.82),
      JSON.stringify(utilizations(one, rows)),
    );
    return Object.values(rows).reduce((sum, row) => sum + (row['eu/a'] ?? 0), 0);
  };
  // At home the slow zone would be at 110 x 32 / 4000 = 88 %.
  t.true(shareOf(slow) <= shareOf(even) - 8);
});

test('7: with ten zones at most six tenths of what no locality sends across', (t) => {
  const zones = Array.from({ length: 10 }, (_, index) => `eu/z${index}`);
  const one: WebCase = {
    pods: Object.fromEntries(zones.map((zone) => [zone, 4])),
    // 1200 requests/s on 40 pods of 50: 60 %, four tenths of it in one zone.
    offered: Object.fromEntries(zones.map((zone, index) => [zone, index === 0 ? 480 : 80])),
  };
  // Without the hedge: rows that are ready for the peak in any of ten zones are nearly those of no locality.
  const rows = last(passes(one, 10, { hedge: 0 }));
  t.true(crossShare(one, rows) <= 0.6 * 0.9, String(crossShare(one, rows)));
  t.true(utilizations(one, rows).every((busy) => busy <= 0.82));
});

const anyCase = fc.integer({ min: 1, max: 7 }).chain((count) =>
  fc.record({
    pods: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: count, maxLength: count }),
    offered: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 500, noNaN: true })), {
      minLength: count,
      maxLength: count,
    }),
    hedge: fc.constantFrom(0, 0.05),
    crossMs: fc.constantFrom(1, 5, 60),
  }),
);
const webOf = (drawn: { pods: number[]; offered: number[]; crossMs: number }, names?: string[]): WebCase => {
  const zone = (index: number): string => names?.[index] ?? `eu/z${index}`;
  return {
    pods: Object.fromEntries(drawn.pods.map((count, index) => [zone(index), count])),
    offered: Object.fromEntries(drawn.offered.flatMap((rate, index) => (rate > 0 ? [[zone(index), rate]] : []))),
    crossMs: drawn.crossMs,
  };
};

test(`9: a map is whole, lists every zone with pods, and a row stands for every zone ${SEED_NOTE}`, (t) => {
  let written = 0;
  fc.assert(
    fc.property(anyCase, (drawn) => {
      const one = webOf(drawn);
      const input = deepFreeze(
        anInput(webSnapshot(one), {
          scaler: { mode: 'off' },
          balancer: { rule: 'model', model: { ...defaultModelSettings, hedge: drawn.hedge } },
        }),
      );
      const output = step(input);
      if (JSON.stringify(step(input)) !== JSON.stringify(output)) return false;
      const rows = rowsOf(output);
      const held = Object.keys(one.pods).filter((zone) => one.pods[zone]! > 0);
      if (rows === null) return true;
      written++;
      return (
        held.length > 0 &&
        Object.keys(one.pods).every((zone) => rows[zone] !== undefined) &&
        Object.entries(rows).every(([from, row]) => {
          const percents = Object.values(row);
          const kept = Object.keys(one.pods).length <= 5 ? held : held.filter((zone) => zone === from);
          return (
            percents.reduce((sum, percent) => sum + percent, 0) === 100 &&
            percents.every((percent) => Number.isInteger(percent) && percent >= 1) &&
            kept.every((zone) => row[zone]! >= 1)
          );
        })
      );
    }),
    { seed: SEED, numRuns: 150 },
  );
  t.true(written > 50, `${written} maps`);
});

test('9: without a ready endpoint nothing is written', (t) => {
  const one = { pods: { 'eu/a': 0, 'eu/b': 0 }, offered: { 'eu/a': 10 } };
  t.deepEqual(decideWeb(one).decisions, []);
});

test(`10: nobody passes through a zone that sends its own away, when he could go there himself ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(anyCase, (drawn) => {
      const one = webOf(drawn);
      const rows = last(passes(one, 8, EXACT));
      const zones = Object.keys(one.pods).filter((zone) => one.pods[zone]! > 0);
      for (const i of Object.keys(one.offered)) {
        for (const b of zones) {
          for (const c of zones) {
            if (i === b || b === c || i === c || one.offered[b] === undefined) continue;
            // A floor of one, and two for rounding.
            if ((rows[i]?.[b] ?? 0) > 3 && (rows[b]?.[c] ?? 0) > 3 && worth(one, i, b) && worth(one, b, c))
              return false;
          }
        }
      }
      return true;
    }),
    { seed: SEED, numRuns: 60 },
  );
  t.pass();
});

/** Rows of next to no traffic are not worth a write. */
function worth(one: WebCase, ...[i, b]: [string, string]): boolean {
  const total = Object.values(one.offered).reduce((sum, rate) => sum + rate, 0);
  return one.offered[i]! > 0.1 * total && (one.offered[b] ?? 1) >= 0;
}

test(`12: other names, the same weights ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(anyCase, (drawn) => {
      const names = drawn.pods.map((_, index) => `us/q${index * 7}`);
      const translate = (rows: Rows | null) =>
        JSON.stringify(rows).replace(/us\/q(\d+)/g, (_, n) => `eu/z${Number(n) / 7}`);
      return translate(rowsOf(decideWeb(webOf(drawn, names)))) === JSON.stringify(rowsOf(decideWeb(webOf(drawn))));
    }),
    { seed: SEED, numRuns: 60 },
  );
  t.pass();
});

test('12: twice the pods and twice the demand do not cross more', (t) => {
  const double = (of: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(of).map(([zone, count]) => [zone, 2 * count]));
  const twice = { pods: double(HOT.pods), offered: double(HOT.offered) };
  t.true(crossShare(twice, last(passes(twice, 8, EXACT))) <= crossShare(HOT, last(passes(HOT, 8, EXACT))) + 0.012);
});

test('the next step says how true the prediction was', (t) => {
  const first = decideWeb({ ...HOT, nearest: true });
  const rows = rowsOf(first)!;
  const predicted = first.memory.predictions!['default/web']!;
  const expected = utilizations(HOT, rows);
  Object.values(predicted.zones).forEach(({ utilization }, index) =>
    t.true(Math.abs(utilization - expected[index]!) < 0.01),
  );
  const second = decideWeb({ ...HOT, rows }, {}, { memory: first.memory });
  const { detail } = second.skipped[0]!;
  // The snapshot follows the rows, so what was predicted is what is seen.
  const [, before, now] = /was predicted at ([\d.]+) % and is at ([\d.]+) %/.exec(detail)!;
  t.true(Math.abs(Number(before) - Number(now)) < 1, detail);

  const surprised = decideWeb(
    { ...HOT, offered: { 'eu/a': 20, 'eu/b': 300, 'eu/c': 20 }, rows },
    {},
    { memory: first.memory },
  );
  t.is(routeOf(surprised)!.signals['eu/b predictedUtilization'], predicted.zones['eu/b']!.utilization);
  t.true((routeOf(surprised)!.signals['eu/b observedUtilization'] as number) > 0.9);
});

test('what was refused counts: the same answers with more offered send more away', (t) => {
  const full = { ...HOT, offered: { 'eu/a': 200, 'eu/b': 54, 'eu/c': 54 }, nearest: true };
  const over = { ...full, offered: { ...full.offered, 'eu/a': 300 } };
  const away = (one: WebCase) => one.offered['eu/a']! * (1 - rowsOf(decideWeb(one))!['eu/a']!['eu/a']! / 100);
  // A pinned CPU and 200 answers a second in both; of the 100 more, most must leave.
  t.true(away(over) > away(full) + 50, `${away(over)}, ${away(full)}`);
});

test('settings that cannot be used are named, all of them', (t) => {
  const model = { ...defaultModelSettings, maxUtilization: 1.2, floorZones: 0, hedge: Number.NaN };
  const config = {
    ...defaultEngineConfig,
    balancer: { ...defaultEngineConfig.balancer, rule: 'model' as const, model },
  };
  t.deepEqual(configProblems(config), [
    'balancer.model.maxUtilization is 1.2, expected 0.05 to 0.95',
    'balancer.model.hedge is NaN, expected 0 to 1',
    'balancer.model.floorZones is 0, expected a whole number from 1',
  ]);
});
