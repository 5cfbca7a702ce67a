/** `run`: simulates a scenario under its policies, writes the reports, and judges the scenario's expectations. */
import { judge } from '../../reports/gates.js';
import type { RunResult } from '../../traces/run-result.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { executionOf, overridesOf, planOf, texts } from '../run-options.js';
import { runOutputs, writeRun } from '../run-outputs.js';
import { runPlans } from '../run-plans.js';
import { loadScenario } from '../scenario-input.js';

export async function run(args: Arguments, context: Context): Promise<ExitCode> {
  if (texts(args, 'losses').length > 0) return (await import('./losses.js')).losses(args, context);
  for (const name of ['loss-for', 'slo', 'fail-on-loss']) {
    if (args[name] !== undefined) throw new InputError(`--${name} belongs to --losses, as in --losses all`);
  }
  const outputs = runOutputs(args);
  const execution = executionOf(args);
  const input = await loadScenario(String(args.scenario), overridesOf(args), context);
  const plan = planOf(input, texts(args, 'policy'), args);
  const startedMs = Date.now();
  const { results, interrupted } = await runPlans([plan], execution, context);
  const result = results[0]!;
  const seeds = result.policies[0]!.replications.length;
  if (interrupted) context.say(`interrupted: ${seeds} of ${plan.seeds.length} seeds are kept`);
  if (seeds > 0) await writeRun(result, outputs, (Date.now() - startedMs) / 1000, args, context);
  return interrupted ? EXIT.interrupted : exitCodeOf([result], args);
}

/** A failed gate beats an undecided one; the latter counts only where that was asked for. */
export function exitCodeOf(results: readonly RunResult[], args: Arguments): ExitCode {
  const verdicts = results.map((result) => judge(result).verdict);
  if (verdicts.includes('failed')) return EXIT.gateFailed;
  if (verdicts.includes('inconclusive') && args['fail-on-inconclusive'] === true) return EXIT.inconclusive;
  return EXIT.ok;
}
