/**
 * `decide`: one engine step on a file, outside of any simulation. A StepInput (as `run --dump-snapshots` writes it) holds
 * all that the step was told; a bare Snapshot is taken at its own time, without memory, under the default settings or
 * those of --config.
 */
import { defaultEngineConfig, emptyMemory, step } from '../../engine/index.js';
import type { Decision, Snapshot, StepInput, StepOutput } from '../../engine/types.js';
import { stableJson } from '../../reports/json.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { readEngineConfig } from '../engine-config-file.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { readJson } from '../read-json.js';
import { text, texts } from '../run-options.js';

export async function decide(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = parseOutputs(texts(args, 'output'), ['table', 'json'] as const, 'table', false);
  const output = step(await stepInputOf(String(args.snapshot), text(args, 'config'), context));
  await writeOutputs(outputs, { table: () => explainStep(output), json: () => stepOutputJson(output) }, context);
  return EXIT.ok;
}

async function stepInputOf(file: string, configFile: string | undefined, context: Context): Promise<StepInput> {
  const record = await readJson(file, ['StepInput', 'Snapshot'], context);
  if (record.kind === 'Snapshot') {
    const snapshot = record as unknown as Snapshot;
    const config = configFile === undefined ? defaultEngineConfig : readEngineConfig(configFile);
    return { nowMs: snapshot.observedAtMs, snapshot, memory: emptyMemory, config, scope: 'all' };
  }
  if (configFile !== undefined)
    throw new InputError(`${file}: a StepInput holds its own settings; --config is for a Snapshot`);
  for (const key of ['nowMs', 'snapshot', 'memory', 'config', 'scope']) {
    if (!(key in record)) throw new InputError(`${file}: the key "${key}" is missing`);
  }
  const { nowMs, snapshot, memory, config, scope } = record as unknown as StepInput;
  return { nowMs, snapshot, memory, config, scope };
}

function stepOutputJson(output: StepOutput): string {
  return stableJson({ apiVersion: 'wavetank/v1alpha1', kind: 'StepOutput', formatVersion: '1.0', ...output }, 1);
}

function explainStep({ decisions, skipped }: StepOutput): string {
  const lines = decisions.flatMap((decision) => [
    `${decision.kind} ${decision.workload.namespace}/${decision.workload.name}: ${whatOf(decision)}`,
    `  because ${decision.because}`,
    ...Object.entries(decision.signals).map(([name, value]) => `  ${name} = ${value}`),
    ...decision.rejected.map(
      ({ candidate, reason, score }) => `  not ${candidate}: ${reason}${score === null ? '' : ` (${score})`}`,
    ),
  ]);
  const left = skipped.map(
    ({ workload, part, reason, detail }) =>
      `${part} leaves ${workload.namespace}/${workload.name}: ${reason}; ${detail}`,
  );
  const count = `${decisions.length} ${decisions.length === 1 ? 'decision' : 'decisions'}, ${skipped.length} skipped`;
  return [...lines, ...left, count].join('\n');
}

function whatOf(decision: Decision): string {
  switch (decision.kind) {
    case 'scaleUp': {
      const nodes = decision.placements.map(({ node }) => node).join(', ');
      return `${decision.replicasFrom} -> ${decision.replicasTo} replicas, on ${nodes}`;
    }
    case 'scaleDown': {
      const pods = decision.victims.map(({ pod, node }) => `${pod} (${node})`).join(', ');
      return `${decision.replicasFrom} -> ${decision.replicasTo} replicas, without ${pods}`;
    }
    case 'move':
      return `pod ${decision.pod} from ${decision.fromNode} to ${decision.toNode} (${decision.toZone}), ${decision.replicas} replicas stay`;
    case 'place':
      return `pod ${decision.pod} on ${decision.node} (${decision.zone})`;
    case 'setRoute': {
      const routes = decision.distribute.map(({ from, to }) => {
        const shares = Object.entries(to).map(([place, weight]) => `${place} ${weight}%`);
        return `from ${from}: ${shares.join(', ')}`;
      });
      return `${decision.host}; ${routes.join('; ')}`;
    }
  }
}
