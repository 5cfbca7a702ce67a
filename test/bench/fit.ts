/**
 * How far the model of proxies (sim/proxies.ts) carries: its numbers are fitted to the runs of Istio's own benchmark of
 * 2020 at up to 500 requests a second, then the simulator predicts the runs at 1000 to 3000, which it has not seen.
 * Base latency is a lognormal through p50 and p99 of the runs without proxies. One pass is fitted to the mean p50, p90 and
 * p99 of the runs with proxies. CPU per request falls with load, so beside what an idle proxy takes it is a power of the
 * load, a straight line between logarithms. The figures say nothing of newer releases.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { linearRegression } from 'simple-statistics';
import { nextWord, openStream, TWO_TO_MINUS_32 } from '../../sim/random.js';
import { simulate } from '../../sim/index.js';
import { aLoad, anEndpoint, aScenario, aService } from '../sim/builders.js';

export const FIT_DATA = '../shared/data/istio-fortio-2020/benchmark.csv';
const TELEMETRY = ['none_mtls', 'v2-stats-nullvm', 'v2-stats-wasm', 'v2-sd-full-nullvm', 'v2-sd-nologging-nullvm'];
const FITTED_UP_TO_QPS = 500;
const SAMPLES = 20_000;

interface Measured {
  readonly telemetry: string;
  readonly mode: string;
  readonly qps: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly cpu: number;
}

/** The table of docs/proxy-fit.md: predicted against measured, in ms and millicores of the server's proxy. */
export function fitTable(): string {
  const runs = readRuns();
  const rows = TELEMETRY.flatMap((telemetry) => {
    const base = runs.filter((run) => run.mode === 'baseline' && run.qps <= FITTED_UP_TO_QPS);
    const both = runs.filter((run) => run.mode === 'both' && run.telemetry === telemetry);
    const fit = fitPass(
      meanRun(base),
      both.filter((run) => run.qps <= FITTED_UP_TO_QPS),
    );
    return both
      .filter((run) => run.qps > FITTED_UP_TO_QPS)
      .sort((a, b) => a.qps - b.qps)
      .map((run) => {
        const predicted = predict(fit, run.qps);
        const cells = (['p50', 'p90', 'p99'] as const).map((name) => cell(predicted[name], run[name] / 1000, 2));
        return `| ${telemetry} | ${run.qps} | ${cells.join(' | ')} | ${cell(predicted.cpu, run.cpu, 0)} |`;
      });
  });
  return ['| telemetry | req/s | p50 ms | p90 ms | p99 ms | CPU m |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

/** Runs over 16 connections; of repeated ones the mean. */
function readRuns(): readonly Measured[] {
  const records: Record<string, string>[] = parse(readFileSync(FIT_DATA), { columns: true });
  const grouped = new Map<string, Measured[]>();
  for (const record of records) {
    const found = /_qps_(\d+)_c_16_1024_(.+)_(baseline|both)$/.exec(record['Labels']!);
    if (!found) continue;
    const [, qps, telemetry, mode] = found;
    const run = {
      telemetry: telemetry!,
      mode: mode!,
      qps: Number(qps),
      p50: Number(record['p50']),
      p90: Number(record['p90']),
      p99: Number(record['p99']),
      cpu: Number(record['cpu_mili_avg_istio_proxy_fortioserver']),
    };
    const key = `${telemetry}/${mode}/${qps}`;
    grouped.set(key, [...(grouped.get(key) ?? []), run]);
  }
  return [...grouped.values()].map(meanRun);
}

function meanRun(runs: readonly Measured[]): Measured {
  const mean = (read: (run: Measured) => number): number => runs.reduce((sum, run) => sum + read(run), 0) / runs.length;
  const figures = { p50: mean((run) => run.p50), p90: mean((run) => run.p90), p99: mean((run) => run.p99) };
  return { ...runs[0]!, ...figures, cpu: mean((run) => run.cpu) };
}

interface Fit {
  readonly baseMeanUs: number;
  readonly baseCv: number;
  readonly fixedUs: number;
  readonly meanUs: number;
  /** Millicores of a proxy without requests, CPU per request at one a second, and the power of the load it goes with. */
  readonly idleMillicores: number;
  readonly cpuUsAtOne: number;
  readonly cpuExponent: number;
}

/** For each mean of a pass the fixed part follows from the p50; the mean that serves p90 and p99 best wins. */
function fitPass(base: Measured, low: readonly Measured[]): Fit {
  const target = meanRun(low);
  // z(0.99) of the normal distribution.
  const sigma = Math.log(base.p99 / base.p50) / 2.3263;
  const stream = openStream(1, 'fit');
  const uniform = (): number => (nextWord(stream) + 0.5) * TWO_TO_MINUS_32;
  const bases = Array.from({ length: SAMPLES }, () => {
    const z = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return base.p50 * Math.exp(sigma * z);
  });
  const gammas = bases.map(() => -Math.log(uniform() * uniform() * uniform() * uniform()));
  let best = { error: Infinity, fixedUs: 0, meanUs: 0 };
  for (let meanUs = 0; meanUs <= 600; meanUs += 5) {
    const sorted = Float64Array.from(bases, (value, i) => value + meanUs * gammas[i]!).sort();
    const at = (q: number): number => sorted[Math.floor(q * SAMPLES)]!;
    const fixedUs = Math.max(0, (target.p50 - at(0.5)) / 4);
    const error = [
      at(0.5) + 4 * fixedUs - target.p50,
      at(0.9) + 4 * fixedUs - target.p90,
      at(0.99) + 4 * fixedUs - target.p99,
    ].reduce((sum, off) => sum + off * off, 0);
    if (error < best.error) best = { error, fixedUs, meanUs };
  }
  const line = linearRegression(low.map(({ qps, cpu }) => [Math.log(qps), Math.log((1000 * (cpu - base.cpu)) / qps)]));
  return {
    baseMeanUs: base.p50 * Math.exp((sigma * sigma) / 2),
    baseCv: Math.sqrt(Math.exp(sigma * sigma) - 1),
    fixedUs: best.fixedUs,
    meanUs: best.meanUs,
    idleMillicores: base.cpu,
    cpuUsAtOne: Math.exp(line.b),
    cpuExponent: line.m,
  };
}

function predict(fit: Fit, qps: number): { p50: number; p90: number; p99: number; cpu: number } {
  const delay = { kind: 'lognormal', mean: fit.baseMeanUs, cv: fit.baseCv } as const;
  const scenario = aScenario({
    services: [aService({ workers: 1000, endpoints: [anEndpoint([{ kind: 'wait', delay }])] })],
    loads: [aLoad(qps)],
    run: { durationUs: 20e6, warmUpUs: 1e6, seed: 1 },
  });
  const { fixedUs, meanUs } = fit;
  const cpuUsPerRequest = fit.cpuUsAtOne * qps ** fit.cpuExponent;
  const requests = { cpuMillicores: 100, memoryBytes: 1e8 };
  const proxy = { mode: 'sidecar', fixedUs, meanUs, cpuUsPerRequest, workers: 2, requests } as const;
  const result = simulate({ ...scenario, mesh: { ...scenario.mesh, proxy } }, { policy: 0, seed: 1 });
  const { p50, p90, p99 } = result.total.latencyMs;
  return { p50: p50!, p90: p90!, p99: p99!, cpu: fit.idleMillicores + result.services[0]!.proxyCpuMillicores! };
}

function cell(predicted: number, measured: number, digits: number): string {
  const error = Math.round((predicted / measured - 1) * 100);
  return `${predicted.toFixed(digits)} / ${measured.toFixed(digits)} (${error > 0 ? '+' : ''}${error} %)`;
}
