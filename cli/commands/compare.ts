/**
 * `compare`: two sides on the same seeds, so that the difference is the policy's and not luck's. A side is a policy of
 * the scenario, or a parameter file: which policy, and which fields of the scenario differ:
 *
 *     policy: hpa
 *     set:
 *       services.checkout.replicas: 12
 */
import { existsSync } from 'node:fs';
import { parse } from 'yaml';
import { compare as compareSides, sideOf } from '../../reports/compare.js';
import { comparisonText } from '../../reports/comparison-text.js';
import { stableJson } from '../../reports/json.js';
import { didYouMean } from '../../scenarios/problems.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { shellWord } from '../options.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import type { Override } from '../overrides.js';
import { checkPolicyName, executionOf, overridesOf, planOf, texts } from '../run-options.js';
import { runPlans, type Plan } from '../run-plans.js';
import { parseOrExplain, readScenarioText, readText, type ScenarioText } from '../scenario-input.js';

interface Sided {
  readonly label: string;
  readonly policy: string;
  readonly overrides: readonly Override[];
}

export async function compare(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = parseOutputs(texts(args, 'output'), ['table', 'json'] as const, 'table', args.quiet === true);
  const execution = executionOf(args);
  const given = String(args.scenario);
  const source = await readScenarioText(given, context);
  const base = parseOrExplain(source, overridesOf(args));
  const names = base.policies.map(({ name }) => name);
  const sides = [String(args.a), String(args.b)].map((name) => readSide(name, names));
  const plans = sides.map((side) => planOfSide(side, source, given, args));

  const { results, interrupted } = await runPlans(plans, execution, context);
  const seeds = Math.min(...results.map((result) => result.policies[0]!.replications.length));
  if (interrupted) context.say(`interrupted: ${seeds} of ${plans[0]!.seeds.length} seeds are kept`);
  if (seeds > 0) {
    const [a, b] = results.map((result, index) => sideOf(result, sides[index]!.policy, sides[index]!.label));
    const comparison = compareSides(a!, b!);
    const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
    const record = { apiVersion: 'wavetank/v1alpha1', kind: 'Comparison', formatVersion: '1.0', ...comparison };
    const renderers = { table: () => comparisonText(comparison, { color }), json: () => stableJson(record, 1) };
    await writeOutputs(outputs, renderers, context);
  }
  return interrupted ? EXIT.interrupted : EXIT.ok;
}

function planOfSide(side: Sided, source: ScenarioText, given: string, args: Arguments): Plan {
  const scenario = parseOrExplain(source, [...overridesOf(args), ...side.overrides]);
  checkPolicyName(scenario, side.policy);
  const plan = planOf({ scenario, given, file: source.file }, [side.policy], args);
  const more = side.overrides.map(({ path, value }) => ` --set ${shellWord(`${path}=${value}`)}`).join('');
  return { ...plan, command: plan.command + more };
}

/** A policy wins over a file of the same name: the scenario is what the user has just named. */
function readSide(name: string, policies: readonly string[]): Sided {
  if (policies.includes(name)) return { label: name, policy: name, overrides: [] };
  if (existsSync(name)) return readParameterFile(name, policies);
  const hint = didYouMean(name, policies) ?? `policies are ${policies.join(', ')}`;
  throw new InputError(`${name} is neither a policy of the scenario nor a file; ${hint}`);
}

function readParameterFile(file: string, policies: readonly string[]): Sided {
  let value: unknown;
  try {
    value = parse(readText(file));
  } catch (error) {
    throw new InputError(`${file}: not YAML: ${(error as Error).message}`);
  }
  const fields = isFields(value) ? value : {};
  const unknown = Object.keys(fields).filter((key) => key !== 'policy' && key !== 'set');
  if (!isFields(value) || unknown.length > 0 || !(fields.set === undefined || isFields(fields.set))) {
    throw new InputError(
      `${file}: a parameter file holds "policy: NAME" and "set:", a mapping of paths to values${unknown.length > 0 ? `; found ${unknown.join(', ')}` : ''}`,
    );
  }
  if (fields.policy === undefined && policies.length > 1) {
    throw new InputError(`${file}: say "policy:" which of ${policies.join(', ')} it is about`);
  }
  const policy = fields.policy ?? policies[0];
  if (typeof policy !== 'string') throw new InputError(`${file}: "policy" must be a name`);
  const overrides = Object.entries(isFields(fields.set) ? fields.set : {}).map(([path, one]) => ({
    path,
    value: JSON.stringify(one),
  }));
  return { label: file, policy, overrides };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
