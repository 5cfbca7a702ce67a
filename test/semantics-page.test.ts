/** docs/semantics.md tells which rules hold and where they are tested: the files are there, and speak of the section. */
import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';

interface Row {
  readonly section: string;
  readonly state: string;
  readonly files: readonly string[];
}

const rows: Row[] = readFileSync('docs/semantics.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| [ABCD]/.test(line))
  .map((line) => {
    const [section, , , state, tests] = line.split('|').slice(1, -1);
    return {
      section: section!.trim(),
      state: state!.trim(),
      files: [...tests!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!),
    };
  });

test('every section from A0 to D10 has a row, and every row a state', (t) => {
  const expected = [
    ...Array.from({ length: 21 }, (_, i) => `A${i}`),
    ...Array.from({ length: 16 }, (_, i) => `B${i + 1}`),
    ...Array.from({ length: 5 }, (_, i) => `C${i + 1}`),
    ...Array.from({ length: 10 }, (_, i) => `D${i + 1}`),
  ];
  for (const section of expected)
    t.true(
      rows.some((row) => row.section === section),
      section,
    );
  for (const { section, state } of rows) t.regex(state, /^(run|function|no)\b/, section);
});

test('what holds has a test file that is there, and what does not has none', (t) => {
  for (const { section, state, files } of rows) {
    t.is(files.length > 0, state !== 'no', section);
    for (const file of files) t.true(existsSync(file), `${section}: ${file}`);
  }
});

test('some test of every section that holds speaks of it by name', (t) => {
  for (const section of new Set(rows.map((row) => row.section))) {
    const files = rows.filter((row) => row.section === section).flatMap((row) => row.files);
    const named = new RegExp(`\\b${section}\\b`);
    t.true(files.length === 0 || files.some((file) => named.test(readFileSync(file, 'utf8'))), section);
  }
});

test('every open point names a section, says what holds, and on whose word', (t) => {
  const points = readFileSync('docs/open-points.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| [A-D]\d/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  t.true(points.length > 30);
  const sections = new Set(rows.map((row) => row.section));
  for (const [section, question, answer, word] of points) {
    t.true(sections.has(section!), section);
    for (const cell of [question, answer, word]) t.regex(cell ?? '', /\w/, `${section}: ${question}`);
  }
});
