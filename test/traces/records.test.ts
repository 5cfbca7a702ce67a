import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { RecordError, readRunResult, writeJsonFile } from '../../traces/records.js';

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a record is written whole into a new folder, replaces the old one and leaves nothing beside it', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'out', 'run.json');
  writeJsonFile(file, { kind: 'RunResult', formatVersion: '1.0', seed: 1 });
  writeJsonFile(file, { kind: 'RunResult', formatVersion: '1.0', seed: 2 });
  t.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { kind: 'RunResult', formatVersion: '1.0', seed: 2 });
  t.deepEqual(readdirSync(join(folder, 'out')), ['run.json']);
});

test('a value without a JSON form leaves the old record as it was', (t) => {
  const file = join(temporaryFolder(t), 'run.json');
  writeJsonFile(file, 1);
  t.throws(() => writeJsonFile(file, undefined), { instanceOf: RecordError });
  t.is(readFileSync(file, 'utf8'), '1\n');
});

test('a newer minor version is read, another major version and other files are refused by name', (t) => {
  const file = join(temporaryFolder(t), 'run.json');
  const write = (value: unknown): void => writeFileSync(file, JSON.stringify(value));
  write({ kind: 'RunResult', formatVersion: '1.7', command: 'run' });
  t.is(readRunResult(file).command, 'run');
  write({ kind: 'RunResult', formatVersion: '2.0' });
  t.throws(() => readRunResult(file), {
    instanceOf: RecordError,
    message: /run\.json: formatVersion 2\.0 is not readable here/,
  });
  write({ kind: 'Scenario' });
  t.throws(() => readRunResult(file), { instanceOf: RecordError, message: /kind is "Scenario"/ });
  writeFileSync(file, '{"kind":');
  t.throws(() => readRunResult(file), { instanceOf: RecordError });
});
