/**
 * `run --losses`: one run for each loss of a zone, a node or a pair of nodes, under each policy, beside a run without any
 * on the same seed. One seed only: what is asked is which loss hurts most, not by how much to a tenth.
 */
import { availableParallelism } from 'node:os';
import { startingServices } from '../../sim/index.js';
import {
  AFTER_LOSS_US,
  BEFORE_LOSS_US,
  lossScenario,
  meanRatePerSecond,
  planLosses,
  type Loss,
} from '../../scenarios/losses.js';
import { duration, fraction } from '../../scenarios/units.js';
import { lossFigures, lossJson, lossText, worstFirst, type LossReport, type LossTerms } from '../../reports/losses.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { parseLossWish } from '../loss-wish.js';
import { shellWord } from '../options.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { runJobs, type Job } from '../pool.js';
import { showProgress } from '../progress.js';
import { executionOf, overridesOf, planOf, text, texts } from '../run-options.js';
import { loadScenario } from '../scenario-input.js';

const DEFAULT_SLO = 0.999;

export async function losses(args: Arguments, context: Context): Promise<ExitCode> {
  for (const name of ['replications', 'dump-snapshots', 'fail-on-inconclusive']) {
    if (args[name] !== undefined) throw new InputError(`--${name} does not go with --losses, which runs one seed`);
  }
  const outputs = parseOutputs(texts(args, 'output'), ['table', 'json'] as const, 'table', args.quiet === true);
  const execution = executionOf(args);
  const lossUs = amount(args, 'loss-for', duration);
  if (lossUs === 0) throw new InputError('--loss-for 0: a loss needs some time');
  const sloShare = amount(args, 'slo', fraction) ?? DEFAULT_SLO;
  if (sloShare >= 1) throw new InputError('--slo 100%: no error budget is left to spend; try 99.9%');
  const input = await loadScenario(String(args.scenario), overridesOf(args), context);
  const { scenario } = input;
  const { policies, seeds } = planOf(input, texts(args, 'policy'), args);
  const seed = seeds[0]!;
  const wish = parseLossWish(texts(args, 'losses'), scenario);

  const startedMs = Date.now();
  const baseline = lossScenario(scenario, null, null);
  const tries = policies.map((policy) => {
    const found = planLosses(scenario, startingServices(baseline, { policy, seed }), wish);
    return { policy, losses: [null, ...found] as readonly (Loss | null)[] };
  });
  const jobs = tries.flatMap(({ policy, losses }) =>
    losses.map((loss): Job => {
      const tried = loss === null ? baseline : lossScenario(scenario, loss, lossUs);
      return { scenario: tried, policy, seed, dumpTo: null };
    }),
  );
  const progress = showProgress(context, execution.quiet);
  const found = await runJobs(jobs, {
    workerFile: context.workerFile,
    workers: execution.workers,
    interrupt: context.interrupt,
    onProgress: progress.update,
  }).finally(progress.clear);
  // Worst first needs all of them: a part would name the wrong one.
  if (found.includes(null)) {
    context.say(`interrupted: ${found.filter((one) => one !== null).length} of ${jobs.length} runs were made`);
    return EXIT.interrupted;
  }

  const terms: LossTerms = {
    atSeconds: BEFORE_LOSS_US / 1e6,
    sloShare,
    meanRequestsPerSecond: meanRatePerSecond(scenario),
  };
  let next = 0;
  const report: LossReport = {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'LossReport',
    formatVersion: '1.0',
    wavetankVersion: context.version,
    scenario: { name: scenario.name, why: scenario.why, file: input.file },
    command: commandOf(input.given, seed, args),
    seed,
    sloShare,
    meanRequestsPerSecond: terms.meanRequestsPerSecond,
    beforeSeconds: BEFORE_LOSS_US / 1e6,
    afterSeconds: AFTER_LOSS_US / 1e6,
    lossSeconds: lossUs === null ? null : lossUs / 1e6,
    policies: tries.map(({ policy, losses }) => {
      const own = found.slice(next, (next += losses.length));
      const without = own[0]!;
      const rows = losses.flatMap((loss, i) =>
        loss === null ? [] : [{ loss: loss.name, alike: loss.alike, ...lossFigures(own[i]!, without, terms) }],
      );
      return {
        policy: scenario.policies[policy]!.name,
        baseline: lossFigures(without, without, terms),
        losses: worstFirst(rows),
      };
    }),
  };
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  await writeOutputs(outputs, { table: () => lossText(report, { color }), json: () => lossJson(report) }, context);
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  const processes = Math.min(execution.workers, jobs.length, availableParallelism());
  if (!execution.quiet) context.say(`${jobs.length} runs on ${processes} cores took ${seconds} s`);
  return EXIT.ok;
}

function amount(args: Arguments, option: string, kind: typeof duration): number | null {
  const given = text(args, option);
  if (given === undefined) return null;
  const parsed = kind.parse(given);
  if (parsed.ok) return parsed.value;
  const hint = parsed.hint === null ? '' : `; ${parsed.hint}`;
  throw new InputError(`--${option} ${given}: ${parsed.message}; expected ${kind.expected}${hint}`);
}

function commandOf(given: string, seed: number, args: Arguments): string {
  const valued = (option: string): string[] => {
    const value = text(args, option);
    return value === undefined ? [] : [`--${option}`, value];
  };
  const repeated = (option: string): string[] => texts(args, option).flatMap((value) => [`--${option}`, value]);
  const words = ['wavetank', 'run', given, ...repeated('losses'), ...valued('loss-for'), ...valued('slo')];
  return [...words, ...repeated('policy'), '--seed', String(seed), ...repeated('set')].map(shellWord).join(' ');
}
