/**
 * What the documents say holds: every command line in them names commands, options, scripts and files that exist, the
 * table of exit codes is the one in the code, and the line about embedding imports what is exported.
 */
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { COMMANDS } from '../cli/commands.js';
import { EXIT } from '../cli/exit-codes.js';
import * as engine from '../engine/index.js';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'];

interface Line {
  readonly document: string;
  readonly words: readonly string[];
}

/** Every call of a program in the documents, in a block or between backticks, cut into words; comments are left out. */
function callsOf(program: string): Line[] {
  return DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(new RegExp(`${program} ([^\`\\n#|>&]*)`, 'g'))].map((match) => ({
      document,
      words: match[1]!.trim().split(/\s+/),
    })),
  );
}

test('every wavetank command in the documents exists, with its options', (t) => {
  const lines = callsOf('npx wavetank');
  t.true(lines.length >= 8, `${lines.length} lines found`);
  for (const { document, words } of lines) {
    const text = `${document}: ${words.join(' ')}`;
    const command = COMMANDS.find(({ usage }) => usage.split(' ')[0] === words[0]);
    t.truthy(command, text);
    const known = Object.entries(command!.options ?? {}).flatMap(([name, { alias }]) => [
      `--${name}`,
      `-${String(alias)}`,
    ]);
    for (const word of words.filter((one) => one.startsWith('-'))) t.true(known.includes(word), `${text}: ${word}`);
  }
});

test('every npm script in the documents exists', (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const own = new Set([...Object.keys(scripts), 'ci', 'cit']);
  for (const { document, words } of callsOf('npm run'))
    t.true(words[0]! in scripts, `${document}: npm run ${words[0]}`);
  for (const { document, words } of callsOf('npm')) {
    if (words[0] !== 'run') t.true(own.has(words[0]!), `${document}: npm ${words[0]}`);
  }
});

test('every source file that the documents name exists', (t) => {
  for (const document of DOCUMENTS) {
    const names = readFileSync(document, 'utf8').matchAll(
      /`((?:cli|engine|reports|scenarios|sim|test|traces)\/[\w./-]*)`/g,
    );
    for (const [, name] of names) t.true(existsSync(name!), `${document}: ${name}`);
  }
});

test('the table of exit codes is the one in the code', (t) => {
  const rows = [...readFileSync('README.md', 'utf8').matchAll(/^\| (\d+) \|/gm)].map((row) => Number(row[1]));
  t.deepEqual(rows, Object.values(EXIT));
});

test('the line about embedding imports what the engine exports', (t) => {
  const names = /import \{ (.*) \} from 'wavetank\/engine'/.exec(readFileSync('README.md', 'utf8'))![1]!.split(', ');
  t.true(names.length >= 3);
  for (const name of names) t.true(name in engine, name);
});

test('the figures in README.md are what the command prints', (t) => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/<!-- figures: (.+?) -->\n+```text\n([^`]+)```/g)];
  t.true(blocks.length >= 1);
  for (const [, command, figures] of blocks) {
    const printed = execFileSync(process.execPath, ['dist/wavetank.js', ...command!.split(' ')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    t.true(printed.includes(figures!), `wavetank ${command} prints:\n${printed}`);
  }
});
