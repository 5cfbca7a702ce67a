/** `init` as a child process, from the built bundle: streams, exit codes, files that are there, and a run of the result. */
import anyTest from 'ava';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fillIn } from '../scenarios/objects/fill-in.js';

const BIN = resolve('dist/wavetank.js');
const DUMPS = resolve('test/scenarios/objects/dumps');
const test = anyTest.serial;

const folder = mkdtempSync(join(tmpdir(), 'wavetank-init-'));
anyTest.after.always(() => rmSync(folder, { recursive: true, force: true }));

function wavetank(words: readonly string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
  const env: Record<string, string | undefined> = { ...process.env };
  delete env.NODE_OPTIONS;
  const child = spawn(process.execPath, [BIN, ...words], { cwd: folder, env });
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.err += text));
  child.stdin.on('error', () => undefined); // It may end before it has read all of its input.
  child.stdin.end(input);
  return new Promise((ended) => child.on('close', (code) => ended({ code, ...printed })));
}

const boutique = join(DUMPS, 'boutique.yaml');

test('a scenario goes to stdout and the account to stderr, within 80 columns', async (t) => {
  const { code, out, err } = await wavetank(['init', '--from', boutique]);
  t.is(code, 0, err);
  t.true(out.startsWith('# Made by'));
  t.regex(err, /^29 of 41 objects are used: 7 services, 6 nodes$/m);
  t.regex(err, /^ {5}1 {2}Secret: never read \(card-key\)$/m);
  for (const line of err.split('\n')) t.true(line.length <= 80, line);
});

test('the file is written whole, is not replaced without --force, and runs once it is filled in', async (t) => {
  const file = join(folder, 'shop.yaml');
  const first = await wavetank(['init', '--from', boutique, '-o', 'scenario=shop.yaml', '--quiet']);
  t.is(first.code, 0, first.err);
  t.is(first.out, '');
  const unfilled = await wavetank(['run', 'shop.yaml']);
  t.is(unfilled.code, 2);
  t.regex(unfilled.err, /shop\.yaml:\d+:\d+: spec\.load\[0\]\.rate: still to be filled in \[WT0209\]/);

  writeFileSync(file, fillIn(readFileSync(file, 'utf8')));
  const again = await wavetank(['init', '--from', boutique, '-o', 'scenario=shop.yaml']);
  t.is(again.code, 2);
  t.regex(again.err, /shop\.yaml is there already; --force replaces it/);

  const words = ['run', 'shop.yaml', '-n', '1', '--set', 'run.duration=4s', '--set', 'run.warmUp=1s', '-o', 'json'];
  const run = await wavetank(words);
  t.is(run.code, 0, run.err);
  const { policies } = JSON.parse(run.out) as { policies: { policy: string }[] };
  t.is(policies.length, 2);
  t.is((await wavetank(['init', '--from', boutique, '-o', 'scenario=shop.yaml', '--force'])).code, 0);
  t.regex(readFileSync(file, 'utf8'), /REQUIRED/);
});

test('several files after --from, a folder, and standard input are read alike', async (t) => {
  const mixed = join(folder, 'mixed');
  mkdirSync(join(mixed, 'deep'), { recursive: true });
  writeFileSync(join(mixed, 'deep', 'helm.yaml'), readFileSync(join(DUMPS, 'helm.yaml')));
  writeFileSync(join(mixed, 'nodes.json'), readFileSync(join(DUMPS, 'nodes.json')));
  writeFileSync(join(mixed, 'values.yaml'), 'replicas: 3\n');
  const one = await wavetank(['init', '--from', 'mixed']);
  t.regex(one.err, /not read as objects: 1 files \(mixed\/values\.yaml\)/);
  const two = await wavetank(['init', '--from', 'mixed/deep/helm.yaml', 'mixed/nodes.json']);
  const piped = await wavetank(
    ['init', '--from', '-', 'mixed/nodes.json'],
    readFileSync(join(DUMPS, 'helm.yaml'), 'utf8'),
  );
  const services = (text: string): string => text.slice(text.indexOf('- name: web'), text.indexOf('  load:'));
  t.true(services(one.out).length > 100, one.err);
  t.is(services(two.out), services(one.out));
  t.is(services(piped.out), services(one.out));
});

const fails = anyTest.macro(async (t, words: string[], expected: RegExp) => {
  const { code, out, err } = await wavetank(['init', ...words]);
  t.is(code, 2, err);
  t.is(out, '');
  t.regex(err, expected);
  t.notRegex(err, /at .*\.js:\d+/, 'a mistake of the caller shows no stack');
});

test('no input at all', fails, [], /name the objects with --from/);
test('a misspelt option of init', fails, ['--form', 'x'], /did you mean "--from"\?/);
test('inputs that are not there', fails, ['--from', 'a', 'b'], /^a: no such file or folder\nb: no such/);
test('an unknown format of init', fails, ['--from', boutique, '-o', 'scenaro=x'], /did you mean "scenario"\?/);
test('a namespace without workloads', fails, ['--from', boutique, '--namespace', 'none'], /nothing that could serve/);

test('an empty folder and broken files end with 2, and nothing is written', async (t) => {
  mkdirSync(join(folder, 'empty'));
  t.regex((await wavetank(['init', '--from', 'empty'])).err, /empty: the folder holds no \.yaml/);
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken', 'a.yaml'), 'kind: [\n');
  writeFileSync(join(folder, 'broken', 'b.json'), '{"kind": "Pod"}');
  const { code, err } = await wavetank(['init', '--from', 'broken', '-o', 'scenario=half.yaml']);
  t.is(code, 2);
  t.regex(err, /^broken\/a\.yaml:/m);
  t.regex(err, /^broken\/b\.json:1:1: Pod: no Kubernetes object: it has no apiVersion, no metadata\.name \[WT0601\]/m);
  t.regex(err, /^[23] problems; "wavetank explain CODE" tells more/m);
  t.false(existsSync(join(folder, 'half.yaml')));
  t.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('half')),
    [],
  );
});

test('round trips of a table are printed as a scenario holds them; a broken table ends with 2', async (t) => {
  const rows = 'source_zone,destination_zone,rtt_avg_ms\neu-1-a,eu-1-b,1\neu-1-b,eu-1-a,1.5\nus-2-a,us-2-a,0.1\n';
  const { code, out, err } = await wavetank(['round-trips', '-'], rows);
  t.is(code, 0, err);
  t.regex(out, /^ {4}- \{ between: \[eu-1\/a, eu-1\/b\], roundTrip: 1\.25ms \}$/m);
  t.regex(err, /^2 pairs were not measured/);
  const broken = await wavetank(['round-trips', '-'], `${rows}eu-1-a,,2\n`);
  t.is(broken.code, 2);
  t.is(broken.out, '');
  t.regex(broken.err, /^<stdin>:5: "eu-1-a,,2" is no round trip/m);
});
