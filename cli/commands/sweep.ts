/**
 * `sweep`: every combination of the values of one or more fields, each a full run on the same seeds. All runs of all
 * points are one list of jobs, so that every process stays busy until the last.
 */
import { parse } from 'yaml';
import { sweepJsonl, sweepPoints, sweepText, type ParameterValue, type SweepPoint } from '../../reports/sweep.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { shellWord } from '../options.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { parseOverride } from '../overrides.js';
import { executionOf, overridesOf, planOf, texts } from '../run-options.js';
import { runPlans, type Plan } from '../run-plans.js';
import { parseOrExplain, readScenarioText } from '../scenario-input.js';

interface Axis {
  readonly path: string;
  readonly values: readonly ParameterValue[];
}

type Parameters = SweepPoint['parameters'];

export async function sweep(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = parseOutputs(texts(args, 'output'), ['table', 'jsonl'] as const, 'table', args.quiet === true);
  const execution = executionOf(args);
  const axes = texts(args, 'vary').map(parseAxis);
  if (axes.length === 0)
    throw new InputError('sweep: name at least one field, as in --vary services.cart.replicas=2,4,8');
  const given = String(args.scenario);
  const source = await readScenarioText(given, context);
  const grid = gridOf(axes);
  const plans = grid.map((parameters): Plan => {
    const own = parameters.map(({ path, value }) => ({ path, value: JSON.stringify(value) }));
    const scenario = parseOrExplain(source, [...overridesOf(args), ...own]);
    const plan = planOf({ scenario, given, file: source.file }, texts(args, 'policy'), args);
    const more = own.map(({ path, value }) => ` --set ${shellWord(`${path}=${value}`)}`).join('');
    return { ...plan, command: plan.command + more };
  });

  const { results, interrupted } = await runPlans(plans, execution, context);
  const whole = results.flatMap((result, index) =>
    result.policies[0]!.replications.length === plans[index]!.seeds.length ? sweepPoints(grid[index]!, result) : [],
  );
  if (interrupted) context.say(`interrupted: ${whole.length} points are kept`);
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  if (whole.length > 0) {
    await writeOutputs(outputs, { table: () => sweepText(whole, { color }), jsonl: () => sweepJsonl(whole) }, context);
  }
  return interrupted ? EXIT.interrupted : EXIT.ok;
}

/** The values are a YAML list without its brackets: 2,4,8 or 30s,60s or "a, b",c. */
function parseAxis(text: string): Axis {
  const { path, value } = parseOverride(text, '--vary');
  let values: unknown;
  try {
    values = parse(`[${value}]`);
  } catch (error) {
    throw new InputError(`--vary ${text}: the values are no list: ${(error as Error).message}`);
  }
  if (!Array.isArray(values) || values.length === 0 || values.some((one) => typeof one === 'object' && one !== null)) {
    throw new InputError(`--vary ${text}: expected plain values separated by commas, as in ${path}=2,4,8`);
  }
  return { path, values: values as ParameterValue[] };
}

/** The last axis runs fastest, as the digits of a counter do. */
function gridOf(axes: readonly Axis[]): Parameters[] {
  return axes.reduce<Parameters[]>(
    (points, { path, values }) => points.flatMap((point) => values.map((value) => [...point, { path, value }])),
    [[]],
  );
}
