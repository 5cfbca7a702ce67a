/** Checks that every Istio object needs: keys that Istio knows, and durations as it takes them. */
import type { RuleReport } from './destination-rule.js';
import { didYouMean } from './problems.js';
import type { Path } from './source.js';
import { goDurationUs } from '../engine/go-duration.js';

/** Istio knows the field, and the simulation follows it; or it only knows it. */
export const MODELLED = true;
export const KNOWN = false;

type Raw = Readonly<Record<string, unknown>>;

/** Unknown keys are errors; known ones that are not modelled become notices, as `notice` words them. */
export function checkKnownFields(
  value: Raw,
  fields: Readonly<Record<string, boolean>>,
  path: Path,
  to: RuleReport,
  notice: (key: string) => string,
): void {
  checkKeys(value, Object.keys(fields), path, to);
  for (const key of Object.keys(value))
    if (Object.hasOwn(fields, key) && fields[key] === KNOWN)
      to.unmodelled({ code: 'WT0502', path: [...path, key], message: notice(key) });
}

export function checkKeys(value: Raw, known: readonly string[], path: Path, to: RuleReport): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    to.report('WT0201', [...path, key], {
      message: `unknown key "${key}"`,
      expected: `one of ${known.join(', ')}`,
      hint: didYouMean(key, known),
      atKey: true,
    });
  }
}

/** Istio takes no duration below a millisecond, but where 0 switches a thing off. */
export function checkDuration(parent: Raw, key: string, path: Path, to: RuleReport, zeroIsOff = false): void {
  const value = parent[key];
  if (value === undefined) return;
  const us = goDurationUs(value);
  if (us === null || (us < 1000 && !(zeroIsOff && us === 0)))
    to.report('WT0401', [...path, key], {
      message: us === null ? 'not a duration' : 'below a millisecond',
      expected: 'a duration such as 1.5s or 250ms',
    });
}
