/**
 * `check`: runs every scenario of the given files and folders and judges what each expects. A file that cannot be read as
 * a scenario does not stop the others: it is reported with them, and the command ends with 2, as a gate that was never
 * looked at is worse than one that failed.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from '../../reports/gates.js';
import { verdictJson } from '../../reports/json.js';
import { junitXml, type JUnitEntry } from '../../reports/junit.js';
import { paintOf, paintVerdict, verdictSymbols } from '../../reports/terminal.js';
import type { RunResult } from '../../traces/run-result.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { executionOf, overridesOf, planOf, texts } from '../run-options.js';
import { runPlans, type Plan } from '../run-plans.js';
import { loadScenario } from '../scenario-input.js';
import { exitCodeOf } from './run.js';

interface Broken {
  readonly name: string;
  readonly error: string;
}

export async function check(args: Arguments, context: Context): Promise<ExitCode> {
  const formats = ['table', 'json', 'junit'] as const;
  const outputs = parseOutputs(texts(args, 'output'), formats, 'table', args.quiet === true);
  const execution = executionOf(args);
  const plans: Plan[] = [];
  const broken: Broken[] = [];
  for (const path of texts(args, 'paths').flatMap(scenarioFiles)) {
    try {
      plans.push(planOf(await loadScenario(path, overridesOf(args), context), [], args));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      broken.push({ name: path, error: error.message });
    }
  }
  for (const { error } of broken) context.say(error);

  const { results: all, interrupted } = await runPlans(plans, execution, context);
  const results = all.filter((result, index) => result.policies[0]!.replications.length === plans[index]!.seeds.length);
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  const entries: JUnitEntry[] = [...results.map((result) => ({ result })), ...broken];
  await writeOutputs(
    outputs,
    {
      table: () => verdictText(results, broken, color),
      json: () => verdictJson(results),
      junit: () => junitXml(entries),
    },
    context,
  );
  if (interrupted) return EXIT.interrupted;
  return broken.length > 0 ? EXIT.input : exitCodeOf(results, args);
}

/** The scenario files of a folder, by name; not of its subfolders, as those may hold anything. */
function scenarioFiles(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.(ya?ml|json)$/.test(name));
  if (names.length === 0) throw new InputError(`${path}: the folder holds no .yaml, .yml or .json file`);
  return names.sort().map((name) => join(path, name));
}

function verdictText(results: readonly RunResult[], broken: readonly Broken[], color: boolean): string {
  const paint = paintOf(color);
  const judged = results.map((result) => ({ name: result.scenario.name, ...judge(result) }));
  const lines = judged.flatMap(({ name, verdict, outcomes }) => [
    `${paintVerdict(paint, verdict, verdictSymbols[verdict])} ${name}${outcomes.length === 0 ? ': no expectations' : ''}`,
    ...outcomes.flatMap((one) => {
      const shown = [one.shownValue, one.shownInterval].filter((part) => part !== '').join(' ');
      const symbol = paintVerdict(paint, one.verdict, verdictSymbols[one.verdict]);
      const place = one.verdict === 'passed' ? '' : `  ${one.file}:${one.line}`;
      const reason = one.verdict === 'inconclusive' && one.reason !== null ? [`      ${one.reason}`] : [];
      return [`  ${symbol} ${one.policy}: ${one.text}   ${shown}${place}`, ...reason];
    }),
  ]);
  const sum = (count: (one: (typeof judged)[number]) => number): number =>
    judged.reduce((total, one) => total + count(one), 0);
  const unread = broken.length > 0 ? `, ${broken.length} not readable` : '';
  const totals = `${sum((one) => one.passed)} passed, ${sum((one) => one.failed)} failed, ${sum((one) => one.inconclusive)} inconclusive${unread}`;
  return [...lines, ...broken.map(({ name }) => `✗ ${name}: not a readable scenario`), totals].join('\n');
}
