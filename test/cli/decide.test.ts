/**
 * `decide` as a child process, on files as a stranger would have them: single ones, folders, pipes, wrong ones, and with
 * settings from the command line and from files.
 */
import anyTest from 'ava';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { aPod, aSnapshot, aWorkload, NOW_MS } from '../engine/fixtures.js';

const BIN = resolve('dist/wavetank.js');
const EXAMPLE = resolve('docs/example-snapshot.yaml');

/** One after the other: each spawns processes of its own. */
const test = anyTest.serial;

const folder = mkdtempSync(join(tmpdir(), 'wavetank-decide-'));
anyTest.after.always(() => rmSync(folder, { recursive: true, force: true }));

function decide(words: readonly string[], input = ''): { code: number | null; stdout: string; stderr: string } {
  const env: Record<string, string | undefined> = { ...process.env };
  delete env.FORCE_COLOR;
  delete env.NODE_OPTIONS;
  const ended = spawnSync(process.execPath, [BIN, 'decide', ...words], { cwd: folder, env, input, encoding: 'utf8' });
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

const fails = anyTest.macro((t, words: string[], ...expected: RegExp[]) => {
  const { code, stdout, stderr } = decide(words);
  t.is(code, 2, stderr);
  t.is(stdout, '');
  for (const one of expected) t.regex(stderr, one);
  t.notRegex(stderr, /at .*\.js:\d+/, 'a mistake of the caller shows no stack');
});

test('the example: decisions with reasons on stdout, notices on stderr, no colour in a pipe', (t) => {
  const { code, stdout, stderr } = decide([EXAMPLE]);
  t.is(code, 0, stderr);
  t.regex(stdout, /^scaleUp default\/checkout: 3 -> 4 replicas$/m);
  t.regex(stdout, /scaler default\/cart: hpaOwned; HorizontalPodAutoscaler cart/);
  t.regex(stdout, /2 decisions, 2 left alone\n$/);
  t.notRegex(stdout, /\u001B/);
  t.regex(stderr, /^notice: .*latencies is left out/m);
});

test('what docs/decide.md shows is what the command prints', (t) => {
  const blocks = [...readFileSync('docs/decide.md', 'utf8').matchAll(/<!-- decide(.*?) -->\n+```\w+\n([^`]+)```/g)];
  t.true(blocks.length >= 2);
  writeFileSync(join(folder, 'three.yaml'), 'scaler: { maxReplicas: 3 }\n');
  for (const [, words, shown] of blocks) {
    const { code, stdout } = decide([EXAMPLE, ...words!.trim().split(/\s+/).filter(Boolean)]);
    t.is(code, 0);
    t.true(stdout.includes(shown!), `decide ${words} prints:\n${stdout}`);
  }
});

test('standard input is read as JSON and as YAML', (t) => {
  const snapshot = aSnapshot({ workloads: [aWorkload('web', 1)], pods: [aPod('web', 'n-a', 'web-1', 900)] });
  const json = decide(['-', '-o', 'json'], JSON.stringify(snapshot));
  t.is(json.code, 0, json.stderr);
  t.is(json.stderr, '');
  t.is((JSON.parse(json.stdout) as { kind: string }).kind, 'StepOutput');
  t.is(decide(['-', '-o', 'json'], readFileSync(EXAMPLE, 'utf8')).code, 0);
});

test('--set changes what is decided', (t) => {
  const { stdout } = decide([EXAMPLE, '--set', 'scaler.maxReplicas=3', '--set', 'balancer.enabled=false']);
  t.regex(stdout, /atMaxReplicas/);
  t.notRegex(stdout, /setRoute/);
  t.regex(decide([EXAMPLE, '--set', 'workloads["default/checkout"].maxReplicas=3']).stdout, /atMaxReplicas/);
  t.regex(decide([EXAMPLE, '--set', 'engine.namespaces=[other]']).stdout, /disabled; namespace default/);
});

test('an unknown setting', fails, [EXAMPLE, '--set', 'scaler.maxReplica=3'], /did you mean "maxReplicas"\?/);
test('a setting of another place', fails, [EXAMPLE, '--set', 'maxReplicas=3'], /did you mean "scaler\.maxReplicas"\?/);
test(
  'a word that is none',
  fails,
  [EXAMPLE, '--set', 'scaler.mode=ful'],
  /expected off or placement or full; did you mean "full"/,
);
test(
  'an unknown setting of a workload',
  fails,
  [EXAMPLE, '--set', 'workloads.a.max=3'],
  /unknown setting workloads\["a"\]\.max/,
);
test(
  'all wrong settings at once',
  fails,
  [EXAMPLE, '--set', 'scaler.maxReplicas=many', '--set', 'namespaces=[1]', '--set', 'metric=[a]'],
  /scaler\.maxReplicas is a string, expected a number such as 10/,
  /namespaces is \[1\], expected a list of names/,
  /metric is a list/,
);
test('settings that do not go together', fails, [EXAMPLE, '--set', 'scaler.minReplicas=20'], /minReplicas 20 is above/);
test('a difference as patches', fails, [EXAMPLE, '--diff', 'x.yaml', '-o', 'yaml'], /leave out --diff/);
test('files that are not there', fails, ['x.json', 'y.json'], /x\.json: no such file/, /y\.json: no such file/);

test('wrong files are told with file, line, field, value and what was expected, all of them at once', (t) => {
  const text = readFileSync(EXAMPLE, 'utf8');
  writeFileSync(join(folder, 'one.yaml'), text.replace('desiredReplicas: 3', 'desiredReplicas: three'));
  writeFileSync(
    join(folder, 'two.yaml'),
    text.replace(/^nodes:/m, 'nodez:').replace('requestsPerSecond: 80', 'requestsPerSecond: -8'),
  );
  const { code, stdout, stderr } = decide(['one.yaml', 'two.yaml']);
  t.is(code, 2);
  t.is(stdout, '');
  t.regex(stderr, /^one\.yaml:\d+:\d+: workloads\[0\]\.desiredReplicas: is a text \[WT0203\]$/m);
  t.regex(stderr, /value: {4}"three"\n {6}expected: a whole number of at least 0/);
  t.regex(stderr, /^two\.yaml:\d+:\d+: nodes: missing key "nodes" \[WT0202\]$/m);
  t.regex(stderr, /^two\.yaml:\d+:\d+: edges\[0\]\.requestsPerSecond: must be at least 0/m);
  t.regex(stderr, /^3 problems;/m);
});

/** Busy at 0 s and at 30 s: with the memory of the first step the second is within its cool-down of 60 s. */
function writeTwo(name: string): void {
  mkdirSync(join(folder, name, 'later'), { recursive: true });
  [0, 30_000].forEach((afterMs, index) => {
    const snapshot = aSnapshot({
      observedAtMs: NOW_MS + afterMs,
      workloads: [aWorkload('web', 1)],
      pods: [aPod('web', 'n-a', 'web-1', 900)],
    });
    // Named against their order in time: the names must not decide.
    writeFileSync(join(folder, name, index === 0 ? 'later/z.json' : 'a.json'), JSON.stringify(snapshot));
  });
  writeFileSync(join(folder, name, 'answer.json'), '{"apiVersion": "wavetank/v1alpha1", "kind": "StepOutput"}');
}

test('a folder is taken in the order of time, and what was done is remembered', (t) => {
  writeTwo('two');
  const { code, stdout, stderr } = decide(['two']);
  t.is(code, 0, stderr);
  t.deepEqual(
    [...stdout.matchAll(/^== (\S+),/gm)].map(([, file]) => file),
    ['two/later/z.json', 'two/a.json'],
  );
  t.is([...stdout.matchAll(/^scaleUp/gm)].length, 1);
  t.true(stdout.indexOf('cooldown') > stdout.indexOf('== two/a.json'));
  t.regex(stderr, /two: 1 of its files hold no snapshot/);
  const { items } = JSON.parse(decide(['two', '-o', 'json']).stdout) as { items: { file: string; kind: string }[] };
  t.deepEqual(
    items.map(({ file, kind }) => [file, kind]),
    [
      ['two/later/z.json', 'StepOutput'],
      ['two/a.json', 'StepOutput'],
    ],
  );
});

test('a folder without snapshots is a mistake', (t) => {
  mkdirSync(join(folder, 'empty'));
  const { code, stderr } = decide(['empty']);
  t.is(code, 2);
  t.regex(stderr, /empty: the folder holds no Snapshot/);
});

test('--diff carries a memory for each side: a cool-down of 10 s lets the second step act', (t) => {
  writeTwo('diff');
  writeFileSync(join(folder, 'eager.yaml'), 'scaler: { cooldownSeconds: 10 }\n');
  const { code, stdout } = decide(['diff', '--diff', 'eager.yaml']);
  t.is(code, 0);
  t.regex(stdout, /^\+ replicas of Deployment default\/web$/m);
  t.regex(stdout, /now: {2}nothing: cooldown/);
  t.regex(stdout, /1 added, 0 removed, 0 different, 1 unchanged in 2 files\n$/);
  t.regex(decide(['diff', '--diff', 'eager.yaml', '--set', 'scaler.cooldownSeconds=5']).stdout, /0 added/);
});
