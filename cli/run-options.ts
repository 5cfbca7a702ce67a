/**
 * From the options of a command to a plan: which policies, which seeds, how many processes, and the command line that
 * makes the same record again. That line leaves out what changes no figure (workers, outputs, quiet), so that a record
 * holds the same bytes however it was made.
 */
import { availableParallelism } from 'node:os';
import { didYouMean } from '../scenarios/problems.js';
import type { Scenario } from '../scenarios/types.js';
import type { Arguments } from './commands.js';
import { InputError } from './exit-codes.js';
import { shellWord, wholeNumber } from './options.js';
import { parseOverride, type Override } from './overrides.js';
import type { Execution, Plan } from './run-plans.js';
import type { ScenarioInput } from './scenario-input.js';

export function text(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}

export function texts(args: Arguments, name: string): readonly string[] {
  const value = args[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function overridesOf(args: Arguments): readonly Override[] {
  return texts(args, 'set').map((text) => parseOverride(text));
}

export function executionOf(args: Arguments): Execution {
  return {
    workers: wholeNumber('workers', text(args, 'workers'), 1) ?? availableParallelism(),
    quiet: args.quiet === true,
    dumpTo: text(args, 'dump-snapshots') ?? null,
  };
}

/** A plan for the policies that were asked for, in the scenario's order; none asked for means all. */
export function planOf(input: ScenarioInput, policyNames: readonly string[], args: Arguments): Plan {
  const { scenario, given, file } = input;
  for (const name of policyNames) checkPolicyName(scenario, name);
  const policies = scenario.policies.flatMap(({ name }, index) =>
    policyNames.length === 0 || policyNames.includes(name) ? [index] : [],
  );
  const seeds = seedsOf(scenario, args);
  const words = [
    'wavetank',
    'run',
    given,
    ...(policies.length === scenario.policies.length
      ? []
      : policies.flatMap((index) => ['--policy', scenario.policies[index]!.name])),
    ...['--seed', String(seeds[0]), '--replications', String(seeds.length)],
    ...texts(args, 'set').flatMap((override) => ['--set', override]),
  ];
  return { scenario, file, command: words.map(shellWord).join(' '), policies, seeds };
}

export function checkPolicyName(scenario: Scenario, name: string): void {
  const names = scenario.policies.map((policy) => policy.name);
  if (names.includes(name)) return;
  const hint = didYouMean(name, names) ?? `policies are ${names.join(', ')}`;
  throw new InputError(`scenario ${scenario.name} has no policy "${name}"; ${hint}`);
}

/** Replication i runs on the first seed + i: the first seven of eight are those of a run of seven. */
function seedsOf(scenario: Scenario, args: Arguments): readonly number[] {
  const first = wholeNumber('seed', text(args, 'seed'), 0) ?? scenario.run.seed;
  const count = wholeNumber('replications', text(args, 'replications'), 1) ?? scenario.run.replications;
  return Array.from({ length: count }, (_, index) => first + index);
}
