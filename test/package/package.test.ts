/**
 * The published package, as its users get it: packed, installed into an empty folder without network, type-checked and
 * run from there. Needs `dist/`, which `npm test` builds first.
 */
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

interface Installed {
  readonly folder: string;
  readonly files: readonly string[];
}

const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

let installed: Installed;

const npm = (folder: string, ...words: string[]): string =>
  execFileSync('npm', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const runIn = (folder: string, command: string, ...words: string[]): string =>
  execFileSync(command, words, { cwd: folder, encoding: 'utf8' });

test.before(() => {
  const folder = mkdtempSync(join(tmpdir(), 'wavetank-package-'));
  // Ready-made scripts are left out: dist/ stands, and packing must not build it a second time under a running test.
  const packed = JSON.parse(npm('.', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder)) as unknown;
  const [{ filename, files }] = Object.values(packed as object) as [{ filename: string; files: { path: string }[] }];
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', `./${filename}`);
  installed = { folder, files: files.map(({ path }) => path) };
});

test.after.always(() => rmSync(installed.folder, { recursive: true, force: true }));

test('the package holds what it needs to run, and nothing of the workshop', (t) => {
  const needed = [
    'dist/wavetank.js',
    'dist/worker.js',
    'dist/engine.js',
    'dist/types/engine/index.d.ts',
    'LICENSE',
    'README.md',
  ];
  for (const path of needed) t.true(installed.files.includes(path), path);
  t.true(installed.files.includes('dist/library/online-boutique.yaml'));
  t.deepEqual(
    installed.files.filter((path) => /^(test|sim|scripts|build|node_modules)\/|\.test\.|\.map$/.test(path)),
    [],
  );
});

test('an installed Wavetank pulls in no other package', (t) => {
  t.deepEqual(
    readdirSync(join(installed.folder, 'node_modules')).filter((name) => !name.startsWith('.')),
    ['wavetank'],
  );
});

test('publint has nothing to say about the package', async (t) => {
  const { messages, pkg } = await publint({ pkgDir: '.', strict: true });
  t.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});

const CONSUMER = `
import { l1Distance, step } from 'wavetank/engine';
import type { Decision, StepInput, StepOutput } from 'wavetank/engine';

const today = [{ from: 'n1', to: { n1: 100 } }];
const tomorrow = [{ from: 'n1', to: { n1: 60, n2: 40 } }];
const distance: number = l1Distance(today, tomorrow);
const decide: (input: StepInput) => StepOutput = step;
const kinds = (decisions: readonly Decision[]): string[] => decisions.map((decision) => decision.kind);
console.log(distance, typeof decide, kinds([]).length);
`;

test('a TypeScript program can embed the engine, strictly typed, and run it', (t) => {
  const { folder } = installed;
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  const options = {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom'],
    types: [],
    rootDir: '.',
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['consumer.ts'] }));
  runIn(folder, process.execPath, resolve('node_modules/typescript/bin/tsc'), '-p', '.');
  // 40 points leave n1 and 40 arrive at n2: 80 in all.
  t.is(runIn(folder, process.execPath, 'consumer.js'), '80 function 0\n');
});

test('a wrong use of the engine does not compile', (t) => {
  const { folder } = installed;
  writeFileSync(join(folder, 'wrong.ts'), "import { l1Distance } from 'wavetank/engine';\nl1Distance('n1', 'n2');\n");
  const words = ['--noEmit', '--strict', '--module', 'nodenext', '--ignoreConfig', 'wrong.ts'];
  const error = t.throws(() => runIn(folder, process.execPath, resolve('node_modules/typescript/bin/tsc'), ...words));
  t.regex((error as unknown as { stdout: string }).stdout, /wrong\.ts\(2,12\): error TS2345/);
});

test('both bins run, and each names itself as it was called', (t) => {
  const bin = join(installed.folder, 'node_modules', '.bin');
  t.is(runIn(installed.folder, join(bin, 'wavetank'), '--version'), `${packageJson.version}\n`);
  t.regex(runIn(installed.folder, join(bin, 'wavetank'), '--help'), /^wavetank <command>/);
  t.regex(runIn(installed.folder, join(bin, 'kubectl-wavetank'), '--help'), /^kubectl wavetank <command>/);
});

test('the installed package simulates a built-in scenario', (t) => {
  const words = [
    'run',
    'chain-of-three',
    '-n',
    '1',
    '--set',
    'run.duration=2s',
    '--set',
    'run.warmUp=1s',
    '-o',
    'json',
  ];
  const record = JSON.parse(
    runIn(installed.folder, join(installed.folder, 'node_modules/.bin/wavetank'), ...words),
  ) as {
    policies: { replications: { total: { requests: { total: number } } }[] }[];
  };
  t.true(record.policies[0]!.replications[0]!.total.requests.total > 1000);
});
