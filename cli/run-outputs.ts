/** The formats that a run record can be turned into, whoever made it: `run`, `demo`, or a file given to `report`. */
import type { RunResult } from '../traces/run-result.js';
import { wantsColor, type Context } from './context.js';
import type { Arguments } from './commands.js';
import { parseOutputs, writeOutputs, type Output } from './outputs.js';
import { texts } from './run-options.js';

const RUN_FORMATS = ['table', 'json', 'jsonl', 'html', 'junit'] as const;
export type RunFormat = (typeof RUN_FORMATS)[number];

export function runOutputs(args: Arguments): readonly Output<RunFormat>[] {
  return parseOutputs(texts(args, 'output'), RUN_FORMATS, 'table', args.quiet === true);
}

export async function writeRun(
  result: RunResult,
  outputs: readonly Output<RunFormat>[],
  elapsedSeconds: number | null,
  args: Arguments,
  context: Context,
): Promise<void> {
  const reportFile = outputs.find((output) => output.format === 'html')?.file ?? null;
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  await writeOutputs(
    outputs,
    {
      table: async () => {
        const { summaryText } = await import('../reports/summary.js');
        return summaryText(result, { color, elapsedSeconds, reportFile });
      },
      json: async () => (await import('../reports/json.js')).runResultJson(result),
      jsonl: async () => {
        const { stableJson } = await import('../reports/json.js');
        return replicationLines(result, stableJson);
      },
      html: async () => (await import('../reports/html.js')).htmlReport(result),
      junit: async () => (await import('../reports/junit.js')).junitXml([{ result }]),
    },
    context,
  );
}

/** One line for each policy and seed: what line-oriented tools want. */
function replicationLines(result: RunResult, toLine: (value: unknown) => string): string {
  return result.policies
    .flatMap(({ policy, replications }) =>
      replications.map((one) => toLine({ kind: 'Replication', scenario: result.scenario.name, policy, ...one })),
    )
    .map((line) => `${line}\n`)
    .join('');
}
