/**
 * What the schema found, as problems that point into the file. Of a value that may have several forms, the form that it
 * comes nearest to is the one worth talking about: `{gamma: {mean: 3}}` should hear about the 3, not about being no text.
 */
import type * as z from 'zod';
import { didYouMean } from './problems.js';
import type { Problem, ProblemCode } from './problems.js';
import type { Path, Source } from './source.js';

type Issue = z.core.$ZodIssue;

/** `schema` is the JSON Schema of the same form: it knows the keys of each place. */
export function schemaProblems(
  source: Source,
  issues: readonly Issue[],
  schema: Record<string, unknown>,
): readonly Problem[] {
  const located = issues.flatMap((issue) => nearestForm(issue, []));
  const misspelt = new Set(located.filter(({ issue }) => issue.code === 'unrecognized_keys').map(placeOf));
  return located
    .filter((found) => !(saysTooLittle(found.issue) && misspelt.has(placeOf(found))))
    .flatMap(({ issue, path }) => toProblems(source, issue, path, schema));
}

/** "Says nothing", next to a misspelt key, is an echo of it. */
function saysTooLittle(issue: Issue): boolean {
  return issue.code === 'custom' && issue.params?.['code'] === 'WT0207';
}

function placeOf({ path }: Located): string {
  return JSON.stringify(path);
}

interface Located {
  readonly issue: Issue;
  readonly path: Path;
}

function nearestForm(issue: Issue, prefix: Path): readonly Located[] {
  const path = [...prefix, ...(issue.path as (string | number)[])];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const fitting = issue.errors
    .map((branch) => branch.flatMap((inner) => nearestForm(inner, path)))
    .filter((branch) => !branch.some((found) => found.path.length === path.length && isWrongForm(found.issue)));
  if (fitting.length === 0) return [{ issue, path }];
  return fitting.reduce((best, branch) => (branch.length < best.length ? branch : best));
}

function isWrongForm(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'invalid_value';
}

function toProblems(source: Source, issue: Issue, path: Path, schema: Record<string, unknown>): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path);
    return issue.keys.map((key) =>
      source.problem('WT0201', [...path, key], {
        message: `unknown key "${key}"`,
        expected: `one of ${known.join(', ')}`,
        hint: key === '<<' ? 'merge keys are not part of YAML 1.2: write the keys out' : didYouMean(key, known),
        atKey: true,
      }),
    );
  }
  const present = valueAt(source.value, path);
  if (present === undefined && path.length > 0) {
    return [
      source.problem(isIdentity(path) ? 'WT0106' : 'WT0202', path, {
        message: `missing key "${path.at(-1)}"`,
        expected: expectedOf(issue),
      }),
    ];
  }
  return [wrongValue(source, issue, path, present)];
}

function wrongValue(source: Source, issue: Issue, path: Path, value: unknown): Problem {
  const at = (code: ProblemCode, message: string, expected: string | null, hint: string | null = null): Problem =>
    source.problem(code, path, { message, expected, hint });
  if (issue.code === 'custom') {
    const params = issue.params as { code: ProblemCode; expected: string; hint: string | null };
    return at(params.code, issue.message, params.expected, params.hint);
  }
  if (isIdentity(path)) return at('WT0106', `not a scenario of this version`, `${path[0]}: ${expectedOf(issue)}`);
  if (typeof value === 'number' && !Number.isFinite(value))
    return at('WT0205', 'not a finite number', expectedOf(issue));
  if (issue.code === 'too_small' || issue.code === 'too_big')
    return at('WT0205', boundMessage(issue), expectedOf(issue));
  if (issue.code === 'invalid_format') return at('WT0208', 'not a valid name', issue.message);
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    return at('WT0206', 'not an allowed word', expectedOf(issue), didYouMean(value, issue.values.map(String)));
  }
  return at('WT0203', value === null ? 'is empty' : `is ${describe(value, issue)}`, expectedOf(issue));
}

function boundMessage(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.origin === 'array' || issue.origin === 'string') return 'must not be empty';
  return issue.inclusive === false ? `must be more than ${issue.minimum}` : `must be at least ${issue.minimum}`;
}

/** The schema's own words where it has them: its leaves write them as their error. Bounds speak for themselves. */
function expectedOf(issue: Issue): string | null {
  if (issue.code === 'too_small' || issue.code === 'too_big') return null;
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return issue.expected === 'object' || issue.expected === 'record' ? 'an object' : `${issue.expected}`;
  return issue.message;
}

function describe(value: unknown, issue: Issue): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'true or false';
  return issue.code === 'invalid_type' && issue.expected === 'int' ? 'not a whole number' : 'a number';
}

function isIdentity(path: Path): boolean {
  return path.length === 1 && (path[0] === 'apiVersion' || path[0] === 'kind');
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

type Schema = Record<string, unknown>;

/** Keys that the JSON Schema knows at a path, over all forms the place may have. */
function knownKeys(schema: Schema, path: Path): readonly string[] {
  let places: readonly Schema[] = forms(schema);
  for (const part of path) {
    places = places.flatMap((place) => {
      const next =
        typeof part === 'number'
          ? place['items']
          : ((place['properties'] as Schema | undefined)?.[part] ?? place['additionalProperties']);
      return typeof next === 'object' && next !== null ? forms(next as Schema) : [];
    });
  }
  return [...new Set(places.flatMap((place) => Object.keys((place['properties'] as Schema | undefined) ?? {})))];
}

function forms(schema: Schema): readonly Schema[] {
  const alternatives = schema['anyOf'] as readonly Schema[] | undefined;
  return alternatives === undefined ? [schema] : alternatives.flatMap(forms);
}
