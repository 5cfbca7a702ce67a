/**
 * `decide`: engine steps on files, outside of any simulation. A StepInput (as `run --dump-snapshots` writes it) holds all
 * that its step was told; a bare Snapshot is taken at its own time, under the default settings, with what was remembered at
 * the snapshot before it. --config and --set change the settings of both; --diff asks what other settings would change.
 */
import { defaultEngineConfig, emptyMemory, step } from '../../engine/index.js';
import type { EngineConfig, Memory, StepOutput } from '../../engine/types.js';
import { stableJson } from '../../reports/json.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { readEngineSettings } from '../engine-config-file.js';
import { withOverrides, withSettings, type Fields } from '../engine-settings.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { overridesOf, text, texts } from '../run-options.js';
import { readSnapshots, type NamedSnapshot } from '../snapshot-input.js';

export async function decide(args: Arguments, context: Context): Promise<ExitCode> {
  const outputs = parseOutputs(texts(args, 'output'), ['table', 'json', 'yaml'] as const, 'table', false);
  const otherFile = text(args, 'diff');
  if (otherFile !== undefined && outputs.some(({ format }) => format === 'yaml')) {
    throw new InputError('-o yaml prints what to apply, and a difference is nothing to apply: leave out --diff');
  }
  const { snapshots, notices } = await readSnapshots(texts(args, 'snapshots'), context);
  const now = decideAll(snapshots, settingsFor(snapshots, text(args, 'config'), args));
  for (const notice of notices) context.say(`notice: ${notice}`);
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  const colorOf = (): boolean => color && outputs.some(({ format, file }) => format === 'table' && file === null);

  if (otherFile !== undefined) {
    const then = decideAll(snapshots, settingsFor(snapshots, otherFile, args));
    const { diffStep, diffText } = await import('../../reports/decision-diff.js');
    const diffs = now.map((one, index) => diffStep({ ...one, now: one.output, then: then[index]!.output }));
    const table = (): string => diffText(diffs, otherFile, colorOf());
    const json = (): string => stableJson({ ...HEADER, kind: 'DecisionDiff', steps: diffs }, 1);
    await writeOutputs(outputs, { table, json, yaml: table }, context);
    return EXIT.ok;
  }

  const table = async (): Promise<string> =>
    (await import('../../reports/decisions-text.js')).decisionsText(now, colorOf());
  const yaml = async (): Promise<string> => (await import('../../reports/patches.js')).patchesYaml(now);
  await writeOutputs(outputs, { table, json: () => outputJson(now), yaml }, context);
  return EXIT.ok;
}

const HEADER = { apiVersion: 'wavetank/v1alpha1', formatVersion: '1.0' } as const;

interface Decided {
  readonly file: string;
  readonly observedAtMs: number;
  readonly output: StepOutput;
  readonly destinationRules: NamedSnapshot['snapshot']['destinationRules'];
}

function decideAll(snapshots: readonly NamedSnapshot[], configs: readonly EngineConfig[]): Decided[] {
  let carried: Memory = emptyMemory;
  return snapshots.map(({ file, snapshot, nowMs, memory, scope }, index) => {
    const output = step({ nowMs, snapshot, memory: memory ?? carried, config: configs[index]!, scope });
    carried = output.memory;
    return { file, observedAtMs: snapshot.observedAtMs, output, destinationRules: snapshot.destinationRules };
  });
}

/** One step is its answer; several are a list that says which file each belongs to. */
function outputJson(steps: readonly Decided[]): string {
  const outputs = steps.map(({ output }) => ({ ...HEADER, kind: 'StepOutput', ...output }));
  if (outputs.length === 1) return stableJson(outputs[0], 1);
  const items = steps.map(({ file, observedAtMs }, index) => ({ file, observedAtMs, ...outputs[index] }));
  return stableJson({ ...HEADER, kind: 'StepOutputs', items }, 1);
}

/** The file's own settings (defaults for a Snapshot), then those of a settings file, then --set. */
function settingsFor(
  snapshots: readonly NamedSnapshot[],
  settingsFile: string | undefined,
  args: Arguments,
): EngineConfig[] {
  const given: Fields = settingsFile === undefined ? {} : readEngineSettings(settingsFile);
  const overrides = overridesOf(args);
  const problems = new Set<string>();
  const configs = snapshots.map(({ file, config: own }) => {
    const base = withSettings(defaultEngineConfig, own ?? {}, `${file}: config`);
    const overFile = withSettings(base.config, given, settingsFile ?? file);
    const last = withOverrides(overFile.config, overrides);
    const found = base.problems.length > 0 ? base.problems : [...overFile.problems, ...last.problems];
    for (const problem of found) problems.add(problem);
    return last.config;
  });
  if (problems.size > 0) throw new InputError([...problems].join('\n'));
  return configs;
}
