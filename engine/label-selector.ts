/**
 * Label selectors as they stand in objects of the API: all pairs of `matchLabels` and all requirements of
 * `matchExpressions` must hold; an empty selector picks everything, a missing one nothing. `NotIn` and `DoesNotExist`
 * hold where the label is missing. Source: apimachinery's labels/selector.go and its validation.
 */
export type Labels = Readonly<Record<string, string>>;

export interface LabelSelector {
  readonly matchLabels: readonly (readonly [string, string])[];
  readonly matchExpressions: readonly Requirement[];
}

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export function matchesLabelSelector({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  return (
    matchLabels.every(([key, value]) => labelOf(labels, key) === value) &&
    matchExpressions.every((requirement) => holds(requirement, labelOf(labels, requirement.key)))
  );
}

// A label may be named like a member that every object has.
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** `value` of the label that a requirement is about; undefined: there is none. */
export function holds(
  { operator, values }: Pick<Requirement, 'operator' | 'values'>,
  value: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** @returns null for a missing selector, `unreadable` for what the API server would refuse or does not know */
export function readLabelSelector(selector: unknown): LabelSelector | null | 'unreadable' {
  if (selector === undefined || selector === null) return null;
  if (!isRecord(selector)) return 'unreadable';
  const { matchLabels = {}, matchExpressions = [], ...unknown } = selector;
  if (Object.keys(unknown).length > 0) return 'unreadable';
  if (!isRecord(matchLabels ?? {}) || !Array.isArray(matchExpressions ?? [])) return 'unreadable';
  const pairs = Object.entries(matchLabels ?? {});
  const requirements = ((matchExpressions ?? []) as unknown[]).map(readRequirement);
  if (!pairs.every((pair): pair is [string, string] => typeof pair[1] === 'string')) return 'unreadable';
  if (!requirements.every((requirement) => requirement !== null)) return 'unreadable';
  return { matchLabels: pairs, matchExpressions: requirements };
}

function readRequirement(value: unknown): Requirement | null {
  if (!isRecord(value)) return null;
  const { key, operator, values } = value;
  const list: unknown = values ?? [];
  if (typeof key !== 'string' || key === '' || !Array.isArray(list)) return null;
  if (!list.every((entry): entry is string => typeof entry === 'string')) return null;
  switch (operator) {
    case 'In':
    case 'NotIn':
      return list.length > 0 ? { key, operator, values: list } : null;
    case 'Exists':
    case 'DoesNotExist':
      return list.length === 0 ? { key, operator, values: list } : null;
    default:
      return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
