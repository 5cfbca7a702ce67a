import test from 'ava';
import { fidelityTable, type SimulatedFigures, type SimulatedService } from '../../traces/fidelity.js';
import { fidelityText } from '../../traces/fidelity-text.js';
import type { FaultWindow, RecordedSeries, Recording } from '../../traces/recording.js';

const latencies = { web: 160, cart: 8, ads: 30, store: 3 } as const;
const rates = { web: 10, cart: 4, ads: 20, store: 55 } as const;
const cpus = { web: 50, cart: 12, ads: 90, store: 200 } as const;
const names = ['ads', 'cart', 'store', 'web'] as const;

/** Twenty steps around the given levels, alternating 2 % above and below. */
function recording(faults: readonly FaultWindow[] = [], bucketed = false): Recording {
  const around = (level: number): number[] => Array.from({ length: 20 }, (_, i) => level * (i % 2 ? 1.02 : 0.98));
  const series = names.flatMap((service): RecordedSeries[] => {
    const base = { service, source: null, reportedBy: 'destination', buckets: bucketed ? 'envoy' : 'none' } as const;
    return [
      { ...base, role: 'requestRate', quantile: null, values: around(rates[service]) },
      { ...base, role: 'cpu', quantile: null, values: around(cpus[service]) },
      { ...base, role: 'latency', quantile: 0.5, values: around(latencies[service]) },
      { ...base, role: 'latency', quantile: 0.9, values: around(2 * latencies[service]) },
    ];
  });
  return {
    name: 'shop',
    startMs: 0,
    stepMs: 60_000,
    pointCount: 20,
    entry: 'web',
    services: names,
    edges: [],
    asynchronous: [],
    series,
    spans: [],
    faults,
    split: null,
    reports: [],
  };
}

function figures(
  change: (service: (typeof names)[number]) => Partial<SimulatedService> = () => ({}),
): SimulatedFigures {
  return new Map(
    names.map((service) => {
      const latencyMs = { p50: latencies[service], p90: 2 * latencies[service], p95: null, p99: null };
      const exact = {
        requestsPerSecond: rates[service],
        cpuMillicores: cpus[service],
        latencyMs,
        bucketedLatencyMs: latencyMs,
      };
      return [service, { ...exact, ...change(service) }];
    }),
  );
}

test('a faithful simulation passes every figure that is asked', (t) => {
  const table = fidelityTable(recording(), figures(), {});
  // Four rates, four CPU figures, p50 and p90 of the entry.
  t.is(table.passed, 10);
  t.is(table.missed, 0);
  t.true(table.score < 0.01);
});

test('a trace with permuted labels comes out visibly worse', (t) => {
  const next = (service: (typeof names)[number]): (typeof names)[number] =>
    names[(names.indexOf(service) + 1) % 4] as 'web';
  const good = fidelityTable(recording(), figures(), {});
  const permuted = new Map(names.map((service) => [service, figures().get(next(service)) as SimulatedService]));
  const bad = fidelityTable(recording(), permuted, {});
  t.true(bad.score > good.score + 0.5, `${good.score} -> ${bad.score}`);
  t.is(bad.passed, 0);
});

test('latencies scaled by three come out visibly worse, rates and CPU as before', (t) => {
  const scaled: Recording = {
    ...recording(),
    series: recording().series.map((series) =>
      series.role === 'latency' ? { ...series, values: series.values.map((value) => 3 * (value as number)) } : series,
    ),
  };
  const table = fidelityTable(scaled, figures(), {});
  // |1/3 - 1| = 0.667 for each latency.
  t.true(Math.abs((table.medianError.latency ?? 0) - 2 / 3) < 0.01);
  t.true((table.medianError.rates ?? 1) < 0.001);
  const misses = table.rows.filter((row) => row.verdict === 'miss');
  t.deepEqual(
    misses.map((row) => `${row.service} ${row.figure} ${row.cause}`),
    ['web p50 model', 'web p90 model'],
  );
});

test('idle CPU is added to what was simulated', (t) => {
  const busy = figures((service) => ({ cpuMillicores: cpus[service] / 2 }));
  const idle = Object.fromEntries(names.map((service) => [service, cpus[service] / 2]));
  t.true((fidelityTable(recording(), busy, idle).medianError.cpu ?? 1) < 0.001);
  t.is(fidelityTable(recording(), busy, {}).medianError.cpu, 0.5);
});

test('two figures in one histogram bucket cannot be told apart, and the row says so', (t) => {
  // 160 ms measured, 240 ms simulated: both in (100, 250], though 50 % apart.
  const slow = { p50: 240, p90: 320, p95: null, p99: null };
  const change = (service: string): Partial<SimulatedService> =>
    service === 'web' ? { latencyMs: slow, bucketedLatencyMs: slow } : {};
  const row = fidelityTable(recording([], true), figures(change), {}).rows.find(
    (entry) => entry.service === 'web' && entry.figure === 'p50',
  );
  t.is(row?.cause, 'measurement');
  t.regex(row?.word ?? '', /one histogram bucket \(100\.\.250 ms\)/);
});

test('a service at its CPU limit is called saturated, not the model wrong', (t) => {
  const base = recording();
  const limit: RecordedSeries = {
    ...(base.series[0] as RecordedSeries),
    role: 'cpuPercentOfLimit',
    service: 'store',
    values: new Array<number>(20).fill(97),
  };
  const change = (service: string): Partial<SimulatedService> => (service === 'store' ? { cpuMillicores: 400 } : {});
  const table = fidelityTable({ ...base, series: [...base.series, limit] }, figures(change), {});
  t.is(table.rows.find((row) => row.service === 'store' && row.figure === 'cpu')?.cause, 'saturated');
});

test('steps in fault windows are not compared', (t) => {
  const base = recording([{ service: 'ads', kind: 'cpu', fromMs: 0, toMs: 9 * 60_000 }]);
  const spoilt = {
    ...base,
    series: base.series.map((series) => ({
      ...series,
      values: series.values.map((value, i) => (i < 10 ? 9 * (value as number) : value)),
    })),
  };
  const table = fidelityTable(
    spoilt,
    figures((service) => ({ requestsPerSecond: 5 * rates[service] })),
    {},
  );
  t.is(table.healthySteps, 10);
  // The simulated mean covers all steps, of which half carry nine times the load: 5 x as much; healthy ones carry 1/5 of it.
  t.is(table.missed, 0);
});

test('the text ends with the verdict and fits 80 columns', (t) => {
  const lines = fidelityText(fidelityTable(recording(), figures(), {}))
    .trimEnd()
    .split('\n');
  t.is(lines.at(-1), '10 of 10 figures within tolerance.');
  t.true(Math.max(...lines.map((line) => line.length)) <= 80);
});
