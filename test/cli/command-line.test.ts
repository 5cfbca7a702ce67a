/**
 * The command line as a child process, from the built bundle (`npm test` builds it first): what goes to which stream, how
 * each ending is told by its exit code, what a wrong word is answered with, and that nothing but the input decides a byte.
 */
import anyTest from 'ava';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BIN = resolve('dist/wavetank.js');
/** Long enough to hold requests and engine steps, short enough for a test. */
const SHORT = ['--set', 'run.duration=4s', '--set', 'run.warmUp=1s', '-n', '2'];

/** One after the other: each spawns processes of its own. */
const test = anyTest.serial;

const folder = mkdtempSync(join(tmpdir(), 'wavetank-cli-'));
anyTest.after.always(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function wavetank(
  words: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const env: Record<string, string | undefined> = { ...process.env, ...options.env };
  // Set for the test processes themselves; a user's shell has neither.
  if (options.env?.FORCE_COLOR === undefined) delete env.FORCE_COLOR;
  delete env.NODE_OPTIONS;
  const child = spawn(process.execPath, [BIN, ...words], { cwd: folder, env });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  child.stdin.on('error', () => undefined); // A command that ends before it has read all of its input is no failure here.
  child.stdin.end(options.input ?? '');
  return new Promise((ended) => child.on('close', (code) => ended({ code, ...printed })));
}

const fails = anyTest.macro(async (t, words: string[], expected: RegExp) => {
  const { code, stdout, stderr } = await wavetank(words);
  t.is(code, 2, stderr);
  t.is(stdout, '');
  t.regex(stderr, expected);
  t.notRegex(stderr, /at .*\.js:\d+/, 'a mistake of the caller shows no stack');
});

test('an unknown command', fails, ['rnu'], /unknown command "rnu"; did you mean "run"\?/);
test('an unknown option', fails, ['run', 'hot-zone', '--polcy', 'hpa'], /"--polcy"; did you mean "--policy"\?/);
test('no command at all', fails, [], /name a command/);
test('a missing argument', fails, ['run'], /missing: run <scenario>/);
test('one argument too many', fails, ['run', 'hot-zone', 'again'], /unexpected argument "again"/);
test('a scenario that is neither file nor built in', fails, ['run', 'hotzone'], /did you mean "hot-zone"\?/);
test('a policy that the scenario lacks', fails, ['run', 'hot-zone', '--policy', 'hpaa'], /did you mean "hpa"\?/);
test('a seed that is no number', fails, ['run', 'hot-zone', '--seed', 'x'], /--seed x: expected a whole number/);
test('an option given twice', fails, ['run', 'hot-zone', '--seed', '1', '--seed', '2'], /more than once: 1, 2/);
test('an unknown format', fails, ['run', 'hot-zone', '-o', 'jsn=x'], /did you mean "json"\?/);
test('two formats for one stdout', fails, ['run', 'hot-zone', '-o', 'json', '-o', 'junit'], /only one format/);
test('zero processes', fails, ['run', 'hot-zone', '-j', '0'], /--workers 0: expected a whole number, at least 1/);
test(
  'an override of a list item that is not there',
  fails,
  ['run', 'hot-zone', '--set', 'services.x.replicas=1'],
  /no item "x"/,
);
test('a sweep over nothing', fails, ['sweep', 'hot-zone'], /--vary/);
test(
  'a comparison with an unknown side',
  fails,
  ['compare', 'hot-zone', 'hpa', 'hpa-hardspread'],
  /did you mean "hpa-hard-spread"\?/,
);
test('a code that is none', fails, ['explain', 'WT9999'], /there is no such code/);
test('a code that is nearly one', fails, ['explain', 'coldPod'], /did you mean "coldPods"\?/);
test('a record that is not there', fails, ['report', 'missing.json'], /missing\.json/);
test('a recording that is not there', fails, ['replay', 'missing'], /there is no such folder/);
test('an unknown kind of loss', fails, ['run', 'hot-zone', '--losses', 'zone'], /did you mean "zones"\?/);
test('pairs of an unknown service', fails, ['run', 'hot-zone', '--losses', 'pairs:x'], /has no service "x"/);
test('a loss that lasts no time', fails, ['run', 'hot-zone', '--losses', 'all', '--loss-for', '0s'], /needs some time/);
test('a loss without --losses', fails, ['run', 'hot-zone', '--slo', '99%'], /--slo belongs to --losses/);
test(
  'an objective without an error budget',
  fails,
  ['run', 'hot-zone', '--losses', 'all', '--slo', '100%'],
  /no error budget/,
);

test('a broken scenario is answered with every problem at its line, and exit code 2', async (t) => {
  const file = join(folder, 'broken.yaml');
  const source = readFileSync('scenarios/library/chain-of-three.yaml', 'utf8');
  writeFileSync(file, source.replace('services:', 'servics:').replace(/seed: \d+/, 'seed: -3'));
  const { code, stdout, stderr } = await wavetank(['run', 'broken.yaml']);
  t.is(code, 2);
  t.is(stdout, '');
  t.regex(stderr, /^broken\.yaml:\d+:\d+: /m);
  t.regex(stderr, /did you mean "services"\?/);
  t.regex(stderr, /\d+ problems in broken\.yaml/);
});

test('--version and --help answer on stdout, and every command has three examples', async (t) => {
  t.regex((await wavetank(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  const { code, stdout } = await wavetank(['--help']);
  t.is(code, 0);
  const commands = [...stdout.matchAll(/^ {2}wavetank ([\w-]+)/gm)].map((match) => match[1]!);
  t.true(commands.length >= 11, commands.join(' '));
  for (const command of commands) {
    const help = (await wavetank([command, '--help'])).stdout;
    const examples = help.slice(help.indexOf('Examples:')).match(new RegExp(`^ {2}wavetank ${command}\\b`, 'gm'));
    t.is(examples?.length, 3, command);
  }
});

test('explain tells one code in any case, and lists all of them without one', async (t) => {
  const one = await wavetank(['explain', 'nr']);
  t.is(one.code, 0);
  t.regex(one.stdout, /^NR\n {2}No route \(404\)/);
  t.regex(one.stdout, /^ {2}What to do: /m);
  t.regex((await wavetank(['explain', '503'])).stdout, /^503\n/);
  const list = (await wavetank(['explain'])).stdout;
  for (const code of ['scaleUp', 'hpaOwned', 'inconclusive', 'URX', 'WT0604']) t.true(list.includes(code), code);
  for (const line of [...list.split('\n'), ...(await wavetank(['explain', 'all'])).stdout.split('\n')])
    t.true(line.length <= 80, line);
});

test('-o json prints JSON and nothing else, the same for one or two processes', async (t) => {
  const one = await wavetank(['run', 'chain-of-three', ...SHORT, '-o', 'json', '-j', '1']);
  const two = await wavetank(['run', 'chain-of-three', ...SHORT, '-o', 'json', '-j', '2']);
  t.is(one.code, 0, one.stderr);
  t.is((JSON.parse(one.stdout) as { kind: string }).kind, 'RunResult');
  t.is(one.stdout, two.stdout);
});

test('losses are tried one by one, worst first, the same for one or two processes', async (t) => {
  const words = ['run', 'chain-of-three', '--losses', 'all', '--set', 'load[0].rate=20/s', '-o', 'json'];
  const one = await wavetank([...words, '-j', '1']);
  t.is(one.code, 0, one.stderr);
  const { policies } = JSON.parse(one.stdout) as {
    policies: { losses: { loss: string; goodputKept: number; alike: string[] }[] }[];
  };
  for (const { losses } of policies) {
    const goodputs = losses.map(({ goodputKept }) => goodputKept);
    t.deepEqual(
      goodputs,
      [...goodputs].sort((a, b) => a - b),
    );
    t.true(losses.some(({ loss }) => loss.startsWith('zone ')));
    t.true(losses.some(({ loss }) => loss.startsWith('node ')));
  }
  t.is((await wavetank([...words, '-j', '2'])).stdout, one.stdout);
});

test('a loss that is too dear ends with 3 where that is asked for', async (t) => {
  // The only zone: nobody recovers from its loss.
  const words = ['run', 'chain-of-three', '--losses', 'zones', '--set', 'load[0].rate=20/s', '--policy', 'static'];
  const gated = await wavetank([...words, '--fail-on-loss']);
  t.is(gated.code, 3, gated.stderr);
  t.regex(gated.stderr, /1 loss is too dear: zone .* under static/);
  t.is((await wavetank(words)).code, 0);
});

test('the first seeds of a longer run are those of a shorter one', async (t) => {
  const seeds = async (count: string): Promise<unknown[]> => {
    const words = ['run', 'chain-of-three', ...SHORT.slice(0, 4), '-n', count, '-o', 'json'];
    const record = JSON.parse((await wavetank(words)).stdout) as { policies: { replications: unknown[] }[] };
    return record.policies[0]!.replications;
  };
  t.deepEqual((await seeds('3')).slice(0, 2), await seeds('2'));
});

test('a saved record makes the same reports as the run itself', async (t) => {
  const run = await wavetank([
    'run',
    'chain-of-three',
    ...SHORT,
    '-o',
    'json=run.json',
    '-o',
    'html=run.html',
    '-o',
    'junit',
  ]);
  t.is(run.code, 0, run.stderr);
  t.regex(run.stderr, /json: run\.json\nhtml: run\.html\n/);
  t.is((await wavetank(['report', 'run.json', '-o', 'junit'])).stdout, run.stdout);
  t.is((await wavetank(['report', 'run.json', '-o', 'html'])).stdout, readFileSync(join(folder, 'run.html'), 'utf8'));
  t.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.part')),
    [],
    'no half-written file is left',
  );
});

test('a scenario comes from standard input as from a file', async (t) => {
  const input = readFileSync('scenarios/library/chain-of-three.yaml', 'utf8');
  const { code, stdout } = await wavetank(['run', '-', ...SHORT, '-o', 'jsonl'], { input });
  t.is(code, 0);
  t.is(stdout, (await wavetank(['run', 'chain-of-three', ...SHORT, '-o', 'jsonl'])).stdout);
  t.is(stdout.trimEnd().split('\n').length, 2);
});

test('colour is for terminals, and both variables are honoured', async (t) => {
  const escapes = async (words: string[], env: Record<string, string>): Promise<boolean> =>
    (await wavetank(['report', 'colour.json', ...words], { env })).stdout.includes('\u001b[');
  await wavetank(['run', 'chain-of-three', ...SHORT, '-o', 'json=colour.json', '-q']);
  t.false(await escapes([], {}));
  t.true(await escapes([], { FORCE_COLOR: '1' }));
  t.false(await escapes([], { FORCE_COLOR: '1', NO_COLOR: '1' }));
  t.true(await escapes(['--color'], { NO_COLOR: '1' }));
  t.false(await escapes(['--no-color'], { FORCE_COLOR: '1' }));
});

test('progress and notes stay off stderr when it is no terminal, and --quiet is silent', async (t) => {
  const { stderr } = await wavetank(['run', 'chain-of-three', ...SHORT]);
  t.is(stderr, '');
  const quiet = await wavetank(['run', 'chain-of-three', ...SHORT, '--quiet']);
  t.deepEqual([quiet.stdout, quiet.stderr], ['', '']);
});

/** A copy of the chain with other expectations. */
function chainExpecting(name: string, expectations: string[]): string {
  const source = readFileSync('scenarios/library/chain-of-three.yaml', 'utf8').replace(
    /\n {2}expectations:[\s\S]*/,
    '\n',
  );
  const lines = expectations.map((text) => `    - '${text}'\n`).join('');
  writeFileSync(join(folder, name), `${source.trimEnd()}\n  expectations:\n${lines}`);
  return name;
}

test('check tells passed, failed, inconclusive and unreadable apart', async (t) => {
  const good = chainExpecting('good.yaml', ['p50(latency) < 10s']);
  const bad = chainExpecting('bad.yaml', ['p50(latency) < 1ms']);
  t.is((await wavetank(['check', good, ...SHORT])).code, 0);
  const failed = await wavetank(['check', good, bad, ...SHORT, '-o', 'junit=checked.xml']);
  t.is(failed.code, 3);
  t.regex(failed.stdout, /1 passed, 1 failed, 0 inconclusive\n$/);
  t.regex(failed.stdout, /bad\.yaml:\d+/);
  t.regex(readFileSync(join(folder, 'checked.xml'), 'utf8'), /<failure /);
  // One seed has no interval: nothing can be claimed from it.
  const single = ['check', good, ...SHORT.slice(0, 4), '-n', '1'];
  t.regex((await wavetank(single)).stdout, /1 inconclusive/);
  t.is((await wavetank(single)).code, 0);
  t.is((await wavetank([...single, '--fail-on-inconclusive'])).code, 4);
  writeFileSync(join(folder, 'unreadable.yaml'), 'kind: [');
  t.is((await wavetank(['check', good, 'unreadable.yaml', ...SHORT])).code, 2);
});

test('a sweep gives one line per point, in the order of the grid, from any number of processes', async (t) => {
  const words = [
    'sweep',
    'chain-of-three',
    ...SHORT,
    '--vary',
    'gateways.perZone=1,2',
    '--vary',
    'run.seed=1,2',
    '-o',
    'jsonl',
  ];
  const { code, stdout, stderr } = await wavetank([...words, '-j', '2']);
  t.is(code, 0, stderr);
  const points = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { parameters: Record<string, number> });
  t.deepEqual(
    points.map(({ parameters }) => [parameters['gateways.perZone'], parameters['run.seed']]),
    [
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ],
  );
  t.is((await wavetank([...words, '-j', '1'])).stdout, stdout);
});

test('a policy compared with itself through a parameter file differs by exactly nothing', async (t) => {
  writeFileSync(join(folder, 'same.yaml'), 'policy: hpa\nset:\n  run.seed: 7\n');
  const { code, stdout, stderr } = await wavetank([
    'compare',
    'hot-zone',
    'hpa',
    'same.yaml',
    ...SHORT,
    '--seed',
    '7',
    '-o',
    'json',
  ]);
  t.is(code, 0, stderr);
  const { figures } = JSON.parse(stdout) as { figures: { difference: { mean: number | null } }[] };
  t.true(figures.length >= 4);
  t.true(figures.some(({ difference }) => difference.mean === 0));
  t.true(figures.every(({ difference }) => difference.mean === 0 || difference.mean === null));
});

test('decisions dumped from a run are made again by decide, byte for byte', async (t) => {
  const words = [
    '--set',
    'run.cycle=2s',
    '--set',
    'run.scrape=1s',
    '--set',
    'run.duration=6s',
    '--set',
    'run.warmUp=1s',
    '-n',
    '1',
  ];
  const run = await wavetank([
    'run',
    'hot-zone',
    '--policy',
    'hpa+wavetank',
    ...words,
    '--dump-snapshots',
    'dump',
    '-q',
  ]);
  t.true(run.code === 0 || run.code === 3, run.stderr);
  const inputs = readdirSync(join(folder, 'dump')).filter((name) => name.endsWith('.input.json'));
  t.true(inputs.length >= 3, `${inputs.length} steps`);
  for (const name of inputs) {
    const again = await wavetank(['decide', join('dump', name), '-o', 'json']);
    t.is(again.code, 0, again.stderr);
    const dumped = readFileSync(join(folder, 'dump', name.replace('.input.', '.output.')), 'utf8');
    t.deepEqual(JSON.parse(again.stdout), JSON.parse(dumped), name);
  }
});

test('a reader that closes the pipe early is no error', async (t) => {
  const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${BIN}" schema Scenario | head -n 1; exit 0`], {
    cwd: folder,
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise((ended) => child.on('close', ended));
  t.is(stderr, '');
});

test('Ctrl-C ends within a second, keeps the seeds that are done and says so with 130', async (t) => {
  const words = [BIN, 'run', 'chain-of-three', '-n', '2000', '-j', '1', '-o', 'json=kept.json'];
  let stderr = '';
  // On a busy machine the first seed may take its time.
  for (const waitMs of [3000, 15_000, 60_000]) {
    const child = spawn(process.execPath, words, { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } });
    stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise((later) => setTimeout(later, waitMs));
    const interruptedMs = Date.now();
    child.kill('SIGINT');
    const code = await new Promise((ended) => child.on('close', ended));
    t.is(code, 130, stderr);
    // Well under a second on a quiet machine; the bound leaves room for a busy one, and still tells a run that goes on.
    t.true(Date.now() - interruptedMs < 5000, `${Date.now() - interruptedMs} ms`);
    if (!stderr.includes('interrupted: 0 of')) break;
  }
  t.regex(stderr, /interrupted: [1-9]\d* of 2000 seeds are kept/);
  const kept = JSON.parse(readFileSync(join(folder, 'kept.json'), 'utf8')) as { notices: string[] };
  t.true(kept.notices.some((notice) => notice.startsWith('interrupted:')));
});
