/**
 * `run --losses`: one run for each loss of a zone, a node or a pair of nodes, and each black hole that a route could leave,
 * under each policy, beside a run without any on the same seed. One seed only: what is asked is which loss hurts most, not by how much to a tenth.
 */
import { startingServices } from '../../sim/index.js';
import {
  AFTER_LOSS_US,
  BEFORE_LOSS_US,
  lossScenario,
  meanRatePerSecond,
  lossAtUs,
  planBlackHoles,
  planLosses,
  routesInForce,
  type WrittenRoute,
} from '../../scenarios/losses.js';
import { duration, fraction } from '../../scenarios/units.js';
import {
  lossFigures,
  lossJson,
  lossName,
  lossText,
  lossVerdict,
  worstFirst,
  type LossReport,
  type LossTerms,
} from '../../reports/losses.js';
import type { Scenario } from '../../scenarios/types.js';
import type { ReplicationResult } from '../../traces/run-result.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { parseLossWish } from '../loss-wish.js';
import { shellWord } from '../options.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import type { Job } from '../pool.js';
import { executionOf, overridesOf, planOf, text, texts } from '../run-options.js';
import { runWithProgress, type Execution } from '../run-plans.js';
import { loadScenario } from '../scenario-input.js';

const DEFAULT_SLO = 0.999;
/** So many are named in the last line: the table has them all. */
const NAMED_LOSSES = 3;

export async function losses(args: Arguments, context: Context): Promise<ExitCode> {
  for (const name of ['replications', 'dump-snapshots', 'fail-on-inconclusive']) {
    if (args[name] !== undefined) throw new InputError(`--${name} does not go with --losses, which runs one seed`);
  }
  const outputs = parseOutputs(
    texts(args, 'output'),
    ['table', 'json', 'html', 'junit'] as const,
    'table',
    args.quiet === true,
  );
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
  const baselines = await runAll(
    policies.map((policy): Job => ({ scenario: baseline, policy, seed, dumpTo: null })),
    execution,
    context,
  );
  if (baselines === null) return EXIT.interrupted;
  const tries = policies.map((policy, i) => {
    const holes = wish.blackHoles ? planBlackHoles(scenario, routesBeforeLoss(scenario, policy, baselines[i]!)) : [];
    const placement = startingServices(baseline, { policy, seed });
    return { policy, without: baselines[i]!, losses: [...planLosses(scenario, placement, wish), ...holes] };
  });
  const jobs = tries.flatMap(({ policy, losses }) =>
    losses.map((loss): Job => {
      const drill =
        loss.service === null ? null : { atUs: lossAtUs(scenario), service: loss.service, zones: loss.zones };
      const tried = drill === null ? lossScenario(scenario, loss, lossUs) : baseline;
      return { scenario: tried, policy, seed, dumpTo: null, drill };
    }),
  );
  const found = await runAll(jobs, execution, context);
  if (found === null) return EXIT.interrupted;

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
    policies: tries.map(({ policy, without, losses }) => {
      const own = found.slice(next, (next += losses.length));
      const rows = losses.map((loss, i) => ({
        loss: loss.name,
        kind: loss.kind,
        alike: loss.alike,
        ...lossFigures(own[i]!, without, terms),
      }));
      return {
        policy: scenario.policies[policy]!.name,
        blackHoles: wish.blackHoles ? losses.filter(({ kind }) => kind === 'blackHole').length : null,
        baseline: lossFigures(without, without, terms),
        losses: worstFirst(rows),
      };
    }),
  };
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  await writeOutputs(
    outputs,
    {
      table: () => lossText(report, { color }),
      json: () => lossJson(report),
      html: async () => (await import('../../reports/html-losses.js')).lossHtml(report),
      junit: async () => (await import('../../reports/junit.js')).junitXml([{ losses: report }]),
    },
    context,
  );
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  const processes = Math.min(execution.workers, jobs.length);
  if (!execution.quiet) {
    context.say(`${baselines.length + jobs.length} runs in ${processes} processes took ${seconds} s`);
  }
  const bad = report.policies.flatMap(({ policy, losses }) =>
    losses.filter((row) => lossVerdict(row) === 'failed').map((row) => `${lossName(row)} under ${policy}`),
  );
  if (args['fail-on-loss'] !== true || bad.length === 0) return EXIT.ok;
  const count = bad.length === 1 ? '1 loss is' : `${bad.length} losses are`;
  context.say(`${count} too dear: ${bad.slice(0, NAMED_LOSSES).join('; ')}${bad.length > NAMED_LOSSES ? '; ...' : ''}`);
  return EXIT.gateFailed;
}

/** Null on an interrupt: worst first needs all of them, a part would name the wrong one. */
async function runAll(
  jobs: readonly Job[],
  execution: Execution,
  context: Context,
): Promise<readonly ReplicationResult[] | null> {
  const found = await runWithProgress(jobs, execution, context);
  const whole = found.filter((one) => one !== null);
  if (whole.length === jobs.length) return whole;
  context.say('interrupted: the worst loss cannot be told from a part of them');
  return null;
}

/** The engine decides the same in the drill's run until then: same seed, same scenario. */
function routesBeforeLoss(scenario: Scenario, policy: number, { decisions }: ReplicationResult): WrittenRoute[] {
  const before = decisions.filter(({ atSeconds }) => atSeconds < BEFORE_LOSS_US / 1e6);
  return routesInForce(
    scenario,
    policy,
    before.flatMap(({ decision }) => decision ?? []),
  );
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
