/**
 * The commands: how they are called, their options and examples. Nothing heavy is imported here: each command is loaded
 * when it is called, so that `--version` and `--help` answer at once.
 */
import type { Options } from 'yargs';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { OPTIONS } from './options.js';

export interface Command {
  readonly usage: string;
  readonly describe: string;
  readonly positionals?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, Options>>;
  /** Three each: the usual call, a richer one, and one for scripts. Without the program's name. */
  readonly examples: readonly (readonly [string, string])[];
  readonly load: () => Promise<(args: Arguments, context: Context) => Promise<ExitCode>>;
}

/** What yargs made of the command line; each command knows which of its own options are texts, lists or flags. */
export type Arguments = Readonly<Record<string, unknown>>;

const SCENARIO = 'A file, - for standard input, or the name of a built-in scenario';
const { policy, seed, replications, set, workers, output, quiet, 'fail-on-inconclusive': failOnInconclusive } = OPTIONS;
const runOptions = { policy, seed, replications, set, workers, output, quiet };

export const COMMANDS: readonly Command[] = [
  {
    usage: 'run <scenario>',
    describe: 'Simulate a scenario under its policies and report latency, cost and fault tolerance',
    positionals: { scenario: SCENARIO },
    options: {
      ...runOptions,
      'fail-on-inconclusive': failOnInconclusive,
      'dump-snapshots': { type: 'string', describe: 'Folder for what the engine was told and what it answered' },
      losses: {
        ...OPTIONS.policy,
        describe: 'Try each loss alone: all, zones, nodes, black-hole, pairs:SERVICE,... (repeatable)',
      },
      'loss-for': { type: 'string', describe: 'With --losses: how long each lasts; default: for good' },
      'fail-on-loss': {
        type: 'boolean',
        describe: "With --losses: exit with 3 where users never recover, or a loss spends a month's error budget",
      },
      slo: { type: 'string', describe: 'With --losses: share of the requests to succeed in a month; default: 99.9%' },
    },
    examples: [
      ['run hot-zone', 'all policies of a built-in scenario'],
      ['run my.yaml --policy hpa --set run.duration=5m -o html=report.html', 'one policy, shorter, with a report'],
      ['run - -o json < my.yaml', 'the run record, for scripts'],
    ],
    load: async () => (await import('./commands/run.js')).run,
  },
  {
    usage: 'compare <scenario> <a> <b>',
    describe: 'Compare two policies or parameter files on the same seeds, with 95 % intervals',
    positionals: { scenario: SCENARIO, a: 'A policy, or a parameter file', b: 'A policy, or a parameter file' },
    options: { seed, replications, set, workers, output, quiet },
    examples: [
      ['compare hot-zone hpa hpa+wavetank', 'two policies of one scenario'],
      ['compare my.yaml today.yaml tomorrow.yaml -n 20', 'two parameter files, 20 seeds'],
      ['compare my.yaml hpa wavetank -o json', 'the differences, for scripts'],
    ],
    load: async () => (await import('./commands/compare.js')).compare,
  },
  {
    usage: 'sweep <scenario>',
    describe: 'Run a grid over any fields of a scenario, on all cores',
    positionals: { scenario: SCENARIO },
    options: {
      vary: { type: 'array', string: true, nargs: 1, describe: 'path=value,value,... (repeatable)' },
      ...runOptions,
    },
    examples: [
      ['sweep hot-zone --policy hpa --vary services.checkout.replicas=6,9,12', 'one field'],
      ['sweep my.yaml --vary run.cycle=30s,60s --vary load[0].rate=100/s,200/s', 'a grid of four'],
      ['sweep my.yaml --vary run.cycle=30s,60s -o jsonl', 'one JSON line per point, for scripts'],
    ],
    load: async () => (await import('./commands/sweep.js')).sweep,
  },
  {
    usage: 'check <paths..>',
    describe: 'Run scenarios and judge their expectations: passed, failed or inconclusive',
    positionals: { paths: 'Scenario files, built-in names, or folders of scenario files' },
    options: { seed, replications, set, workers, output, quiet, 'fail-on-inconclusive': failOnInconclusive },
    examples: [
      ['check scenarios/', 'every scenario of a folder; ends with 3 when a gate fails'],
      ['check a.yaml b.yaml -o junit=results.xml', 'with a JUnit file for CI'],
      ['check scenarios/ --fail-on-inconclusive --quiet', 'strict and silent'],
    ],
    load: async () => (await import('./commands/check.js')).check,
  },
  {
    usage: 'replay <recording>',
    describe: 'Learn a model from one part of a recording, simulate another part, and say how well it fits',
    positionals: { recording: 'Folder or file with recorded data' },
    options: {
      mapping: { type: 'string', describe: 'Mapping file: which columns and queries play which role' },
      seed,
      replications,
      workers,
      output,
      quiet,
    },
    examples: [
      ['replay data/tuesday --mapping tuesday.yaml', 'the fidelity table'],
      ['replay data/tuesday --mapping tuesday.yaml -n 5 -o json=fidelity.json', 'five seeds, with figures for scripts'],
      ['replay data/tuesday --mapping tuesday.yaml -o json', 'figures only'],
    ],
    load: async () => (await import('./commands/replay.js')).replay,
  },
  {
    usage: 'decide <snapshots..>',
    describe: 'What the engine would do on snapshots, with reasons; changes nothing',
    positionals: {
      snapshots: 'Snapshots, StepInputs of run --dump-snapshots, or folders of them; - for standard input',
    },
    options: {
      config: { type: 'string', describe: 'File with engine settings that differ from the defaults, or from the dump' },
      set: { ...set, describe: 'Change an engine setting: path=value, as in scaler.maxReplicas=20 (repeatable)' },
      diff: { type: 'string', describe: 'Another file of engine settings: print what it would change. Ends with 0' },
      output: { ...output, describe: 'table, json or yaml (patches to apply), or format=file (repeatable)' },
    },
    examples: [
      ['decide snapshot.yaml --set scaler.maxReplicas=20', 'what the engine would do, and why'],
      ['decide dump/ --diff other.yaml', 'what other settings would change'],
      ['decide snapshot.yaml -o yaml=patches.yaml', 'patches for kubectl apply --server-side'],
    ],
    load: async () => (await import('./commands/decide.js')).decide,
  },
  {
    usage: 'report <record>',
    describe: 'Make reports from a run record that was saved with -o json=file',
    positionals: { record: 'A RunResult file' },
    options: { output, quiet },
    examples: [
      ['report run.json', 'the summary'],
      ['report run.json -o html=report.html', 'one self-contained page'],
      ['report run.json -o junit=results.xml --quiet', 'for CI'],
    ],
    load: async () => (await import('./commands/report.js')).report,
  },
  {
    usage: 'init [files..]',
    describe: 'Make a scenario file of Kubernetes and Istio objects; what they do not say is left to fill in',
    positionals: { files: 'More of the same as --from' },
    options: {
      from: {
        type: 'array',
        string: true,
        nargs: 1,
        describe: 'Files or folders of objects in YAML or JSON, - for standard input (repeatable)',
      },
      namespace: { ...OPTIONS.policy, describe: 'Only this namespace (repeatable); default: all but system ones' },
      name: { type: 'string', describe: 'Name of the scenario; default: the namespace' },
      force: { type: 'boolean', describe: 'Replace a file that is there' },
      output,
      quiet: { ...quiet, describe: 'No account of what became of each object' },
    },
    examples: [
      ['init --from cluster.yaml -o scenario=my.yaml', 'from a dump of kubectl get ... -o yaml'],
      ['init --from manifests/ --from nodes.json --namespace shop', 'a folder, and nodes from elsewhere'],
      ['init --from - --quiet > my.yaml', 'from a pipe, as of helm template or kubectl'],
    ],
    load: async () => (await import('./commands/init.js')).init,
  },
  {
    usage: 'round-trips <file>',
    describe: 'Print a table of measured round trips as the part of a scenario that holds them',
    positionals: { file: 'CSV with source_zone, destination_zone and rtt_avg_ms, or - for standard input' },
    options: {
      zone: { ...OPTIONS.policy, describe: 'Only this zone, as the table names it (repeatable); default: all' },
    },
    examples: [
      ['round-trips latency.csv', 'all zones of the table'],
      ['round-trips latency.csv --zone eu-1-a --zone eu-1-b', 'two of them'],
      ['round-trips - < latency.csv > pairs.yaml', 'from a pipe, into a file'],
    ],
    load: async () => (await import('./commands/round-trips.js')).roundTrips,
  },
  {
    usage: 'schema <kind>',
    describe: 'Print the JSON Schema of a kind of file, for editors',
    positionals: { kind: 'Scenario or Snapshot' },
    examples: [
      ['schema Scenario', 'to the screen'],
      ['schema Scenario > scenario.schema.json', 'to a file'],
      ['schema Snapshot', 'what decide reads'],
    ],
    load: async () => (await import('./commands/schema.js')).schema,
  },
  {
    usage: 'explain [code]',
    describe: 'Tell what a code means, where it comes from and what to do: errors, decisions, skips, flags, verdicts',
    positionals: { code: 'As printed; none: all codes by group' },
    examples: [
      ['explain WT0201', 'a code in brackets after a message'],
      ['explain atMaxReplicas', 'why the engine left a workload alone'],
      ['explain UO', 'why requests failed'],
    ],
    load: async () => (await import('./commands/explain.js')).explainCode,
  },
  {
    usage: 'config <action>',
    describe: 'Show every setting and its default',
    positionals: { action: 'view' },
    options: { output },
    examples: [
      ['config view', 'as YAML'],
      ['config view -o json', 'as JSON, for scripts'],
      ['config view > engine.yaml', 'a start for decide --config'],
    ],
    load: async () => (await import('./commands/config.js')).config,
  },
  {
    usage: 'demo',
    describe: 'Run a built-in scenario and write a report, without any set-up',
    options: { ...runOptions },
    examples: [
      ['demo', 'the Online Boutique; report in out/'],
      ['demo --policy wavetank', 'one policy'],
      ['demo -o html=demo.html', 'the report elsewhere'],
    ],
    load: async () => (await import('./commands/demo.js')).demo,
  },
];
