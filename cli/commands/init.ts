/**
 * `init`: the objects of a cluster become a scenario file, to be completed by hand. The file goes to standard output or to
 * `-o scenario=FILE`, the account of what became of each object to stderr. A file that is there already is not replaced,
 * as somebody may have filled it in.
 */
import { existsSync } from 'node:fs';
import { formatProblem } from '../../scenarios/problems.js';
import { importObjects, type Finding, type Imported } from '../../scenarios/objects/index.js';
import { wrap } from '../../reports/format.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { readObjectFiles } from '../object-files.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { shellWord } from '../options.js';
import { text, texts } from '../run-options.js';

const COLUMNS = 80;
const NAMES_SHOWN = 3;

export async function init(args: Arguments, context: Context): Promise<ExitCode> {
  const given = texts(args, 'output');
  const outputs = parseOutputs(given, ['scenario'] as const, 'scenario', given.length > 0);
  const paths = [...texts(args, 'from'), ...texts(args, 'files')];
  if (paths.length === 0)
    throw new InputError('init: name the objects with --from: files, folders, or - for standard input');
  const target = outputs.find(({ file }) => file !== null)?.file ?? null;
  if (target !== null && args.force !== true && existsSync(target))
    throw new InputError(`${target} is there already; --force replaces it`);

  const { files, skipped } = await readObjectFiles(paths, context);
  const wishes = { name: text(args, 'name') ?? null, namespaces: texts(args, 'namespace') };
  const imported = importObjects(files, wishes);
  if ('problems' in imported) {
    const { length } = imported.problems;
    const summary = `${length} ${length === 1 ? 'problem' : 'problems'}; "wavetank explain CODE" tells more about a code`;
    throw new InputError([...imported.problems.map(formatProblem), summary].join('\n'));
  }
  await writeOutputs(outputs, { scenario: () => imported.text }, context);
  if (args.quiet !== true) context.say(account(imported, skipped, target).join('\n'));
  return EXIT.ok;
}

function account(imported: Imported, skipped: readonly string[], target: string | null): string[] {
  const { objects, used, services, nodes, partly, leftOut, required, refused } = imported;
  const file = target === null ? 'FILE' : shellWord(target);
  return [
    `${used} of ${objects} objects are used: ${services} services, ${nodes} nodes`,
    ...section('left out:', leftOut),
    ...section('used in part:', partly),
    ...(skipped.length > 0 ? ['', `not read as objects: ${skipped.length} files (${shortList(skipped)})`] : []),
    ...(refused.length > 0
      ? [
          '',
          'also to be mended in the scenario:',
          ...refused.map((one) => `  line ${one.line}: ${one.path}: ${one.message}`),
        ]
      : []),
    '',
    ...wrap(`${required} values stand as REQUIRED; "wavetank check ${file}" names each until it is filled in`, COLUMNS),
  ];
}

/** One row for each kind and reason, the most objects first. */
function section(title: string, findings: readonly Finding[]): string[] {
  const rows = new Map<string, { kind: string; reason: string; names: string[] }>();
  for (const { kind, name, reason } of findings) {
    const key = `${kind}\n${reason}`;
    const row = rows.get(key) ?? { kind, reason, names: [] };
    row.names.push(name);
    rows.set(key, row);
  }
  if (rows.size === 0) return [];
  const sorted = [...rows]
    .sort(([a, one], [b, other]) => other.names.length - one.names.length || (a < b ? -1 : 1))
    .map(([, row]) => row);
  return [
    '',
    title,
    ...sorted.flatMap(({ kind, reason, names }) =>
      wrap(`${kind}: ${reason} (${shortList(names)})`, COLUMNS - 8).map((line, index) =>
        index === 0 ? `${String(names.length).padStart(6)}  ${line}` : `        ${line}`,
      ),
    ),
  ];
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length > NAMES_SHOWN ? `${shown}, ...` : shown;
}
