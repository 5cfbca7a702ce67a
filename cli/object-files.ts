/**
 * The texts behind `init --from`: files, `-` for standard input, and folders with all that lies below them, in the order
 * of their names. Files that tools keep beside manifests but are no manifests are skipped by name, and counted.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { InputFile } from '../scenarios/objects/index.js';
import type { Context } from './context.js';
import { InputError } from './exit-codes.js';
import { readText } from './scenario-input.js';

/** Of Helm, kustomize and Skaffold. */
const NO_MANIFESTS = /^(Chart|Chart\.lock|values.*|kustomization|skaffold.*|requirements|index)\.(ya?ml|lock|json)$/i;

export async function readObjectFiles(
  given: readonly string[],
  context: Context,
): Promise<{ readonly files: readonly InputFile[]; readonly skipped: readonly string[] }> {
  const missing = given.filter((path) => path !== '-' && !existsSync(path));
  if (missing.length > 0) throw new InputError(missing.map((path) => `${path}: no such file or folder`).join('\n'));
  const skipped: string[] = [];
  const paths = new Set(given.flatMap((path) => (path === '-' || !isFolder(path) ? [path] : below(path, skipped))));
  const files: InputFile[] = [];
  for (const path of paths)
    files.push(
      path === '-' ? { name: '<stdin>', text: await context.readInput() } : { name: path, text: readText(path) },
    );
  return { files, skipped };
}

function below(folder: string, skipped: string[]): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/(^|[/\\])(\.[^./\\]|node_modules[/\\])/.test(path.slice(folder.length)) && !isFolder(path))
    .sort();
  const isManifest = (path: string): boolean => /\.(ya?ml|json)$/.test(path) && !NO_MANIFESTS.test(basename(path));
  const found = entries.filter(isManifest);
  if (found.length === 0) throw new InputError(`${folder}: the folder holds no .yaml, .yml or .json file with objects`);
  skipped.push(...entries.filter((path) => !isManifest(path)));
  return found;
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
