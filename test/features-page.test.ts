/** docs/features.md has a row for each documented feature, and what it says to hold is shown by files that are there. */
import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';

interface Row {
  readonly number: number;
  readonly feature: string;
  readonly state: string;
  readonly holds: string;
  readonly files: readonly string[];
}

const rows: Row[] = readFileSync('docs/features.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| *\d/.test(line))
  .map((line) => {
    const cells = line.split('|').slice(1, -1);
    const [number, feature, state, holds, shown] = cells.map((cell) => cell.trim());
    const files = [...shown!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!);
    return { number: Number(number), feature: feature!, state: state!, holds: holds!, files };
  });

test('each of the 81 features has one row, in order', (t) => {
  t.deepEqual(
    rows.map(({ number }) => number),
    Array.from({ length: 81 }, (_, index) => index + 1),
  );
  for (const { number, feature, holds } of rows) {
    t.regex(feature, /\w{4}/, String(number));
    t.regex(holds, /\w{4}/, String(number));
  }
});

test('what holds is shown by files that are there', (t) => {
  for (const { number, state, files } of rows) {
    t.regex(state, /^(engine|sim|open|live|declined)$/, String(number));
    if (state === 'engine' || state === 'sim') t.true(files.length > 0, `row ${number} is shown by nothing`);
    for (const file of files) {
      t.true(existsSync(file), `row ${number}: ${file}`);
      t.regex(file, /^test\/.*\.test\.ts$|^scenarios\/library\/.*\.yaml$/, `row ${number}`);
    }
  }
});

test('what the engine is said to do is shown by a test that runs the engine', (t) => {
  for (const { number, state, files } of rows) {
    if (state !== 'engine') continue;
    const runsEngine = files.some((file) =>
      /from '[./]*\/engine\/|from '\.\/fixtures/.test(readFileSync(file, 'utf8')),
    );
    t.true(runsEngine, `row ${number}`);
  }
});

test('what is declined or open gives a reason of some length', (t) => {
  const some = rows.filter(({ state }) => state === 'declined' || state === 'open' || state === 'live');
  t.true(some.length > 0);
  for (const { number, holds } of some) t.true(holds.length > 20, String(number));
});
