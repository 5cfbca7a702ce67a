/**
 * What keeps the pods of a service: read from the file, and held before that against what Kubernetes itself refuses:
 * fields of the other kind, limits that let nothing move, a pause before the end that is longer than the grace.
 */
import { DEFAULTS } from './defaults.js';
import { asRecord } from './raw.js';
import type { Report } from './raw.js';
import type { ServiceFile } from './schema.js';
import type { Path } from './source.js';
import type { Controller, PodCount } from './types.js';
import * as units from './units.js';

type Raw = Readonly<Record<string, unknown>>;

export function buildController(file: ServiceFile): Controller {
  const minReadyUs = file.minReadySeconds * 1e6;
  if (file.kind === 'StatefulSet') {
    const { type = 'RollingUpdate', rollingUpdate } = file.updateStrategy ?? {};
    const podManagement = file.podManagementPolicy ?? 'OrderedReady';
    const update = type === 'OnDelete' ? type : { partition: rollingUpdate?.partition ?? 0 };
    return { kind: 'StatefulSet', minReadyUs, podManagement, update };
  }
  const { type = 'RollingUpdate', rollingUpdate } = file.strategy ?? {};
  if (type === 'Recreate') return { kind: 'Deployment', minReadyUs, strategy: { type } };
  // The schema takes numbers and percentages alone.
  const maxSurge = (rollingUpdate?.maxSurge ?? DEFAULTS.service.maxSurge) as PodCount;
  const maxUnavailable = (rollingUpdate?.maxUnavailable ?? DEFAULTS.service.maxUnavailable) as PodCount;
  return { kind: 'Deployment', minReadyUs, strategy: { type, maxSurge, maxUnavailable } };
}

export function checkWorkload(service: Raw, path: Path, report: Report): void {
  checkKind(service, path, report);
  checkStrategies(service, path, report);
  checkPreStop(service, path, report);
}

/** A bad release has no time until it is ready. */
export function checkRollouts(rollouts: readonly unknown[], report: Report): void {
  for (const [index, rollout] of rollouts.map(asRecord).entries()) {
    if (rollout['neverReady'] !== true || rollout['ready'] === undefined) continue;
    report('WT0207', ['spec', 'rollouts', index, 'ready'], {
      message: 'a time until it is ready, for what never is',
      expected: 'ready or neverReady',
      atKey: true,
    });
  }
}

const FIELDS_OF = { Deployment: ['strategy'], StatefulSet: ['podManagementPolicy', 'updateStrategy'] } as const;

function checkKind(service: Raw, path: Path, report: Report): void {
  const kind = service['kind'] === 'StatefulSet' ? 'StatefulSet' : 'Deployment';
  const other = kind === 'StatefulSet' ? 'Deployment' : 'StatefulSet';
  for (const field of FIELDS_OF[other])
    if (service[field] !== undefined)
      report('WT0401', [...path, field], {
        message: `a ${kind} has no ${field}`,
        expected: `kind: ${other}, or no ${field}`,
        atKey: true,
      });
}

function checkStrategies(service: Raw, path: Path, report: Report): void {
  for (const [field, type] of [
    ['strategy', 'Recreate'],
    ['updateStrategy', 'OnDelete'],
  ] as const) {
    const strategy = asRecord(service[field]);
    if (strategy['type'] === type && strategy['rollingUpdate'] !== undefined)
      report('WT0401', [...path, field, 'rollingUpdate'], {
        message: `${type} rolls nothing`,
        expected: 'type: RollingUpdate, or no rollingUpdate',
        atKey: true,
      });
  }
  const { maxSurge, maxUnavailable } = asRecord(asRecord(service['strategy'])['rollingUpdate']);
  if (isNone(maxSurge) && isNone(maxUnavailable))
    report('WT0401', [...path, 'strategy', 'rollingUpdate', 'maxUnavailable'], {
      message: 'no pod more and none fewer: nothing could move',
      expected: 'maxSurge or maxUnavailable above 0',
    });
}

function isNone(count: unknown): boolean {
  return count === 0 || (typeof count === 'string' && /^0+%$/.test(count));
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
