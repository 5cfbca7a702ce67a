/**
 * `replay`: learns a model from one part of a recording, simulates another part under the recorded entry rate, and says
 * figure by figure how well the simulation fits what was measured.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stableJson } from '../../reports/json.js';
import { fidelityText } from '../../traces/fidelity-text.js';
import { fidelityTable, type LatencyQuantiles, type SimulatedFigures } from '../../traces/fidelity.js';
import { learnAndSplit, type Learned } from '../../traces/learn/learn-and-split.js';
import type { Mapping } from '../../traces/read/mapping.js';
import { findMapping, loadMapping, readRecording } from '../../traces/read/read-recording.js';
import type { Recording } from '../../traces/recording.js';
import type { RunResult } from '../../traces/run-result.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { shellWord } from '../options.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { executionOf, planOf, text, texts } from '../run-options.js';
import { runPlans } from '../run-plans.js';

/** The learned scenario is drawn once; `--seed` chooses the seeds of its runs. */
const LEARNING_SEED = 1;

export async function replay(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = parseOutputs(texts(args, 'output'), ['table', 'json'] as const, 'table', args.quiet === true);
  const execution = executionOf(args);
  const folder = String(args.recording);
  if (!existsSync(folder)) throw new InputError(`${folder}: there is no such folder`);
  const recording = readRecording(folder, mappingFor(folder, text(args, 'mapping'), context));
  if (!execution.quiet) context.say(readingText(recording));
  const learned = learnAndSplit(recording, { learn: null, replay: null, seed: LEARNING_SEED });
  const plan = planOf({ scenario: learned.scenario, given: folder, file: folder }, [], args);
  const command = `wavetank replay ${shellWord(folder)} --seed ${plan.seeds[0]} --replications ${plan.seeds.length}`;

  const { results, interrupted } = await runPlans([{ ...plan, command }], execution, context);
  const result = results[0]!;
  const seeds = result.policies[0]!.replications.length;
  if (interrupted) context.say(`interrupted: ${seeds} of ${plan.seeds.length} seeds are kept`);
  if (seeds > 0) {
    const table = fidelityTable(learned.replayPart, simulatedFigures(result), learned.idleMillicores);
    const { report } = learned;
    const record = { apiVersion: 'wavetank/v1alpha1', kind: 'Fidelity', formatVersion: '1.0', command, table, report };
    const renderers = {
      table: () => `${learningText(learned)}\n${fidelityText(table)}`,
      json: () => stableJson({ ...record, reading: recording.reports }, 1),
    };
    await writeOutputs(outputs, renderers, context);
  }
  return interrupted ? EXIT.interrupted : EXIT.ok;
}

function mappingFor(folder: string, file: string | undefined, context: Context): Mapping {
  if (file !== undefined) {
    if (!existsSync(file)) throw new InputError(`--mapping ${file}: there is no such file`);
    return loadMapping(file);
  }
  const found = findMapping(folder, fileURLToPath(context.mappingsFolder));
  if (found === null) {
    throw new InputError(`${folder}: no shipped mapping fits these files; write one and name it with --mapping FILE`);
  }
  return found.mapping;
}

/** What each service did, as the mean over the seeds. */
function simulatedFigures(result: RunResult): SimulatedFigures {
  const { replications } = result.policies[0]!;
  return new Map(
    result.services.map((service, index) => {
      const figures = replications.map((replication) => replication.services[index]!);
      return [
        service,
        {
          requestsPerSecond: mean(figures.map((one) => one.requestsPerSecond))!,
          cpuMillicores: positive(mean(figures.map((one) => one.cpuMillicores))),
          latencyMs: meanQuantiles(figures.map((one) => one.latencyMs)),
          bucketedLatencyMs: meanQuantiles(figures.map((one) => one.bucketedLatencyMs)),
        },
      ];
    }),
  );
}

/** A service without learned CPU demand has none that could be compared. */
function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function meanQuantiles(all: readonly LatencyQuantiles[]): LatencyQuantiles {
  const of = (name: keyof LatencyQuantiles): number | null => mean(all.map((one) => one[name]));
  return { p50: of('p50'), p90: of('p90'), p95: of('p95'), p99: of('p99') };
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** What was read, and every row that was not: one line per file and kind of irregularity, whatever roles share it. */
function readingText({ name, services, reports }: Recording): string {
  const files = new Set(reports.map((report) => report.file));
  const kept = reports.reduce((sum, report) => sum + report.rowsKept, 0);
  const dropped = reports.reduce((sum, report) => sum + report.rowsRead - report.rowsKept, 0);
  const oddities = new Set(
    reports.flatMap((report) => [
      ...report.dropped.map(
        ({ reason, count, firstLines }) =>
          `${report.file}: ${count} dropped, ${reason}; lines ${firstLines.join(', ')}`,
      ),
      ...report.notes.map((note) => `${report.file}: ${note}`),
    ]),
  );
  const summary = `${name}: ${services.length} services, ${files.size} files, ${kept} values kept, ${dropped} dropped`;
  return [summary, ...[...oddities].map((line) => `  ${line}`)].join('\n');
}

function learningText({ report }: Learned): string {
  const lines = [
    `learned from ${report.basis}, on ${report.learnedSteps} steps (${report.healthySteps} of them outside fault windows)`,
    ...report.notices.map((notice) => `  ${notice}`),
    '',
  ];
  return lines.join('\n');
}
