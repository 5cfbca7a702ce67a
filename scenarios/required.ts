/**
 * The word REQUIRED, which `wavetank init` writes where the objects of a cluster do not say a value. It is refused in its
 * own words: whatever the other checks say of the word is not what the reader has to mend, but what they expected is.
 */
import type { Problem } from './problems.js';
import { formatPath, type Path, type Source } from './source.js';

export const REQUIRED = 'REQUIRED';

/** What is copied from the cluster, where the word may stand for itself. */
const COPIED = ['objects', 'destinationRules', 'labels', 'localityLbSetting'];

/** The problems given, with those of unfilled places put into words of their own. */
export function requiredProblems(source: Source, problems: readonly Problem[]): readonly Problem[] {
  const open = unfilled(source.value, []);
  if (open.length === 0) return problems;
  const texts = new Set(open.map(formatPath));
  // An object whose parts are not known yet cannot be judged as a whole.
  const isEcho = ({ path, code }: Problem): boolean =>
    texts.has(path) || (code === 'WT0308' && open.some((one) => formatPath(one).startsWith(`${path}.`)));
  return [
    ...problems.filter((problem) => !isEcho(problem)),
    ...open.map((path) =>
      source.problem('WT0209', path, {
        message: 'still to be filled in',
        expected: problems.find((problem) => problem.path === formatPath(path))?.expected ?? null,
      }),
    ),
  ];
}

function unfilled(value: unknown, path: Path): Path[] {
  if (value === REQUIRED) return [path];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => unfilled(item, [...path, index]));
  return Object.entries(value).flatMap(([key, item]) => (COPIED.includes(key) ? [] : unfilled(item, [...path, key])));
}
