/**
 * The snapshots that `decide` is given: files, `-` for standard input, and folders with all that lies in them, by the time
 * at which they were seen. Whatever is wrong with any of them is told at once. In a folder, files of another kind are no
 * mistake (a dump holds answers beside questions); they are counted.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem } from '../scenarios/load.js';
import { readSnapshot, type SnapshotInput } from '../scenarios/snapshot/read.js';
import type { Context } from './context.js';
import { InputError } from './exit-codes.js';
import { readText } from './scenario-input.js';

export interface NamedSnapshot extends SnapshotInput {
  /** As messages call it. */
  readonly file: string;
}

export interface SnapshotFiles {
  readonly snapshots: readonly NamedSnapshot[];
  readonly notices: readonly string[];
}

export async function readSnapshots(given: readonly string[], context: Context): Promise<SnapshotFiles> {
  const missing = given.filter((path) => path !== '-' && !existsSync(path));
  if (missing.length > 0) throw new InputError(missing.map((path) => `${path}: no such file or folder`).join('\n'));

  const snapshots = new Map<string, NamedSnapshot>();
  const notices: string[] = [];
  const problems: string[] = [];
  for (const path of given) {
    const isFolder = path !== '-' && statSync(path).isDirectory();
    const others: string[] = [];
    let found = 0;
    for (const file of isFolder ? filesBelow(path) : [path]) {
      const label = file === '-' ? '<stdin>' : file;
      const read = readSnapshot(file === '-' ? await context.readInput() : readText(file), label);
      if ('otherKind' in read && isFolder) others.push(file);
      else if ('problems' in read) problems.push(...read.problems.map(formatProblem));
      else {
        found++;
        snapshots.set(label, { ...read.input, file: label });
      }
    }
    if (others.length > 0) notices.push(`${path}: ${others.length} of its files hold no snapshot and are passed over`);
    if (isFolder && found === 0 && problems.length === 0) {
      problems.push(`${path}: the folder holds no Snapshot and no StepInput (.json, .yaml or .yml)`);
    }
  }
  if (problems.length > 0) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    throw new InputError([...problems, `${count}; "wavetank explain CODE" tells more about a code`].join('\n'));
  }
  const byTime = [...snapshots.values()].sort(
    (a, b) => a.snapshot.observedAtMs - b.snapshot.observedAtMs || (a.file < b.file ? -1 : 1),
  );
  return { snapshots: byTime, notices: [...notices, ...sharedNotices(byTime)] };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(json|ya?ml)$/i.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** What holds for many files is said once. */
function sharedNotices(snapshots: readonly NamedSnapshot[]): string[] {
  const files = new Map<string, string[]>();
  for (const { file, notices } of snapshots) {
    for (const notice of notices) files.set(notice, [...(files.get(notice) ?? []), file]);
  }
  return [...files].map(([notice, [first, ...more]]) =>
    more.length === 0 ? `${first}: ${notice}` : `${first} and ${more.length} more: ${notice}`,
  );
}
