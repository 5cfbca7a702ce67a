/**
 * The architecture, checked: import rules, names that would make a run unrepeatable, file headers, no traces of one
 * machine in the repo, and a reason for every dependency. The scanner itself is tested with samples that must fail.
 */
import test from 'ava';
import { readdirSync, readFileSync } from 'node:fs';
import { scanSource, SOURCE_FOLDERS } from './tidy-scan.js';

const IGNORED_FOLDERS = new Set(['.git', 'node_modules', 'dist', 'build', 'out']);
/** These two name what they forbid. */
const SCANNERS = new Set(['test/tidy.test.ts', 'test/tidy-scan.ts']);

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return IGNORED_FOLDERS.has(entry.name) ? [] : filesUnder(path);
    return entry.isFile() ? [path] : [];
  });
}

test('every source file keeps the import rules, does without banned names and says what it is for', (t) => {
  const files = SOURCE_FOLDERS.flatMap(filesUnder).filter((path) => path.endsWith('.ts'));
  t.true(files.length > 20, `only ${files.length} files found: wrong folder?`);
  const breaches = files.flatMap((path) => scanSource(path, readFileSync(path, 'utf8')));
  t.deepEqual(
    breaches.map((breach) => `${breach.file}:${breach.line}: ${breach.message}`),
    [],
  );
});

const HEADER = '/** What it decides. */\n';

const mustFail = test.macro((t, file: string, code: string, expected: RegExp) => {
  const breaches = scanSource(file, HEADER + code);
  t.is(breaches.length, 1, JSON.stringify(breaches));
  t.regex(breaches[0]!.message, expected);
  t.is(breaches[0]!.line, 2);
});

test(
  'the scanner sees Math.random in the simulator',
  mustFail,
  'sim/a.ts',
  'const x = Math.random();',
  /sim\/random\.ts/,
);
test('the scanner sees Math["random"]', mustFail, 'sim/a.ts', 'const x = Math["random"]();', /sim\/random\.ts/);
test('the scanner sees a destructured random', mustFail, 'sim/a.ts', 'const { random: r } = Math;', /sim\/random\.ts/);
test('the scanner sees the unportable logarithm', mustFail, 'sim/a.ts', 'const x = Math.log(2);', /@stdlib/);
test('the scanner sees Date.now in the engine', mustFail, 'engine/a.ts', 'const x = Date.now();', /nowMs/);
test('the scanner sees new Date', mustFail, 'engine/a.ts', 'const x = new Date(0);', /nowMs/);
test('the scanner sees performance.now', mustFail, 'engine/a.ts', 'const x = performance.now();', /nowMs/);
test('the scanner sees timers', mustFail, 'sim/a.ts', 'setTimeout(() => 1, 5);', /kernel/);
test('the scanner sees a timer under another name', mustFail, 'sim/a.ts', 'const later = setInterval;', /kernel/);
test('the scanner sees process', mustFail, 'engine/a.ts', 'const x = process.env;', /cli\//);
test(
  'the scanner sees input and output in the simulator',
  mustFail,
  'sim/a.ts',
  "import { readFileSync } from 'node:fs';",
  /output/,
);
test(
  'the engine imports no other folder',
  mustFail,
  'engine/a.ts',
  "import type { A } from '../sim/types.js';",
  /must not import sim/,
);
test('the engine imports no package', mustFail, 'engine/a.ts', "import { z } from 'zod';", /imports nothing/);
test(
  'traces take only types from the engine',
  mustFail,
  'traces/a.ts',
  "import { step } from '../engine/index.js';",
  /import type/,
);
test(
  'reports never import the simulator',
  mustFail,
  'reports/a.ts',
  "export * from '../sim/index.js';",
  /must not import sim/,
);
test(
  'a dynamic import is an import',
  mustFail,
  'reports/a.ts',
  "const sim = import('../sim/index.js');",
  /must not import sim/,
);
test(
  'a type import in passing is an import',
  mustFail,
  'engine/a.ts',
  "type A = import('../sim/types.js').A;",
  /must not import sim/,
);
test(
  'the simulator takes only types from scenarios',
  mustFail,
  'sim/mesh/a.ts',
  "import { load } from '../../scenarios/load.js';",
  /import type/,
);
test(
  'only sim/random.ts seeds generators',
  mustFail,
  'sim/load.ts',
  "import seedrandom from 'seedrandom';",
  /sim\/random\.ts/,
);

test('the scanner wants a header', (t) => {
  t.regex(scanSource('cli/a.ts', 'export const a = 1;\n')[0]!.message, /begin with a comment/);
});

test('the scanner lets pass what is allowed', (t) => {
  const code = [
    HEADER,
    "import type { Scenario } from '../scenarios/types.js';",
    "import { step } from '../engine/index.js';",
    '// Date.now() and Math.random() are only talked about here.',
    "const said = 'process.exit() and setTimeout()';",
    'const x = Math.max(table.process, table.Date, { performance: 1 }.performance);',
  ].join('\n');
  t.deepEqual(scanSource('sim/a.ts', code), []);
});

/** Paths of one machine, and hosts of package registries and their mirrors. */
const MACHINE =
  /(^|[^\w.~-])\/(work|home|root|Users|tmp)\/|registry\.(npmjs|yarnpkg|npmmirror)|artifactory|verdaccio|proxy\.golang\.org/;

test('nothing in the repo names a path of one machine or a package registry', (t) => {
  const hits = filesUnder('.')
    // In a linked worktree `.git` is a file.
    .filter((path) => !SCANNERS.has(path) && path !== '.git')
    .flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, index) => (MACHINE.test(line) ? [`${path}:${index + 1}`] : [])),
    );
  t.deepEqual(hits, []);
  t.regex(['cd ', 'work', 'main'].join('/'), MACHINE);
  t.regex(['"resolved": "https://registry', 'npmjs', 'org/yargs"'].join('.'), MACHINE);
  t.notRegex('see network/workloads and https://host/tmp', MACHINE);
});

/** Rows of a table whose first cell is a package name in backticks: `| `name` | reason |`. */
function reasonsOf(markdown: string): Map<string, string> {
  return new Map([...markdown.matchAll(/^\| `([^`]+)` \| (.+?) \|$/gm)].map((row) => [row[1]!, row[2]!]));
}

test('ARCHITECTURE.md gives a reason for every dependency, and for no other', (t) => {
  const reasons = reasonsOf(readFileSync('ARCHITECTURE.md', 'utf8'));
  const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
    string,
    Record<string, string> | undefined
  >;
  t.is(packageJson.dependencies, undefined, 'everything is bundled: an installed Wavetank pulls in nothing');
  t.deepEqual([...reasons.keys()].sort(), Object.keys(packageJson.devDependencies!).sort());
  for (const [name, reason] of reasons) t.true(reason.length >= 15, `${name}: "${reason}" is no reason`);
});

test('versions are exact, so that two installs are the same', (t) => {
  const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string> };
  for (const [name, version] of Object.entries(packageJson.devDependencies)) t.regex(version, /^\d+\.\d+\.\d+$/, name);
});
