/**
 * What Kubernetes would refuse of the pods of a service, looked at on the plain data: a pause before the end that is
 * longer than the grace.
 */
import { DEFAULTS } from './defaults.js';
import { asRecord } from './raw.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';
import * as units from './units.js';

type Raw = Readonly<Record<string, unknown>>;

export function checkWorkload(service: Raw, path: Path, report: Report): void {
  checkPreStop(service, path, report);
}

function checkPreStop(service: Raw, path: Path, report: Report): void {
  const sleepUs = durationOf(asRecord(service['preStop'])['sleep']);
  const graceUs = durationOf(service['terminationGrace'] ?? DEFAULTS.service.terminationGrace);
  if (sleepUs === null || graceUs === null || sleepUs <= graceUs) return;
  report('WT0205', [...path, 'preStop', 'sleep'], {
    message: 'longer than terminationGrace, of which it is a part',
    expected: `at most ${graceUs / 1e6}s`,
  });
}

/** Null: absent, or not a duration (the schema says so). */
function durationOf(value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const parsed = units.duration.parse(value);
  return parsed.ok ? parsed.value : null;
}
