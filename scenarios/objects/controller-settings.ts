/**
 * How a workload replaces its pods and how they end, and what its owners tell the engine: the fields of a scenario's service that say so, without what is the
 * default of Kubernetes. A preStop hook is read where it sleeps, by its own field or by the command; the longest of the
 * containers counts, and no longer than the grace, at whose end the kubelet leaves it behind.
 */
import { DEFAULTS } from '../defaults.js';
import type { Problem } from '../problems.js';
import { asList, asRecord } from '../raw.js';
import type { Path } from '../source.js';
import { fieldsOf, type Fields } from './fields.js';
import type { KubeObject, Raw } from './read.js';
import type { Workload } from './workloads.js';

export interface ControllerSettings {
  /** Ready to be written into the file. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What is said and a scenario cannot say. */
  readonly unread: readonly string[];
}

export function controllerSettings({ kind, object, podSpec }: Workload, problems: Problem[]): ControllerSettings {
  const fields = fieldsOf(object, problems);
  const isSet = kind === 'StatefulSet';
  // A bare pod or ReplicaSet of it says nothing of its Deployment or StatefulSet.
  const own = object.kind === 'StatefulSet' ? statefulSet(fields) : deployment(object, fields, problems);
  const isSpeaking = object.kind === 'StatefulSet' || object.kind === 'Deployment';
  const minReadySeconds = isSpeaking ? (fields.whole(['spec', 'minReadySeconds']) ?? 0) : 0;
  const { sleepSeconds, unread } = preStop(fields, podSpec);
  const graceSeconds = fields.whole([...podSpec, 'terminationGracePeriodSeconds']) ?? DEFAULT_GRACE_SECONDS;
  const pauseSeconds = Math.min(sleepSeconds, graceSeconds);
  return {
    fields: {
      ...(isSet ? { kind } : {}),
      ...(isSpeaking ? own.fields : {}),
      ...(minReadySeconds > 0 ? { minReadySeconds } : {}),
      ...(pauseSeconds > 0 ? { preStop: { sleep: `${pauseSeconds}s` } } : {}),
      ...(isSpeaking ? engineAnnotations(fields) : {}),
    },
    unread: [...(isSpeaking ? own.unread : []), ...unread],
  };
}

const DEFAULT_GRACE_SECONDS = 30;

/** Of all annotations those that the engine reads. */
function engineAnnotations(fields: Fields): Raw {
  const all = Object.entries(fields.labels(['metadata', 'annotations']));
  const own = all.filter(([name]) => name.startsWith('wavetank.io/'));
  return own.length > 0 ? { annotations: Object.fromEntries(own) } : {};
}

function deployment(object: KubeObject, fields: Fields, problems: Problem[]): ControllerSettings {
  const at: Path = ['spec', 'strategy'];
  if (fields.text([...at, 'type']) === 'Recreate') return { fields: { strategy: { type: 'Recreate' } }, unread: [] };
  const limit = (key: 'maxSurge' | 'maxUnavailable'): Raw => {
    const value = fields.value([...at, 'rollingUpdate', key]);
    if (value === undefined || value === DEFAULTS.service[key]) return {};
    const isCount = Number.isSafeInteger(value) && (value as number) >= 0;
    if (isCount || (typeof value === 'string' && /^\d{1,4}%$/.test(value))) return { [key]: value };
    const said = { message: 'not a number of pods', expected: 'a number of pods, or a percentage such as 25%' };
    problems.push(object.problem('WT0203', [...at, 'rollingUpdate', key], said));
    return {};
  };
  const rollingUpdate = { ...limit('maxSurge'), ...limit('maxUnavailable') };
  return { fields: Object.keys(rollingUpdate).length > 0 ? { strategy: { rollingUpdate } } : {}, unread: [] };
}

function statefulSet(fields: Fields): ControllerSettings {
  const at: Path = ['spec', 'updateStrategy'];
  const partition = fields.whole([...at, 'rollingUpdate', 'partition']) ?? 0;
  const unavailable = fields.value([...at, 'rollingUpdate', 'maxUnavailable']) ?? 1;
  const update =
    fields.text([...at, 'type']) === 'OnDelete'
      ? { updateStrategy: { type: 'OnDelete' } }
      : partition > 0
        ? { updateStrategy: { rollingUpdate: { partition } } }
        : {};
  const isParallel = fields.text(['spec', 'podManagementPolicy']) === 'Parallel';
  return {
    fields: { ...(isParallel ? { podManagementPolicy: 'Parallel' } : {}), ...update },
    unread: [
      ...(unavailable === 1 ? [] : ['maxUnavailable of its updateStrategy']),
      ...(fields.list(['spec', 'volumeClaimTemplates']).length > 0 ? ['volumeClaimTemplates'] : []),
    ],
  };
}

function preStop(fields: Fields, podSpec: Path): { readonly sleepSeconds: number; readonly unread: readonly string[] } {
  const hooks = fields
    .list([...podSpec, 'containers'])
    .filter(({ name }) => name !== 'istio-proxy')
    .map(({ lifecycle }) => asRecord(asRecord(lifecycle)['preStop']))
    .filter((hook) => Object.keys(hook).length > 0);
  const sleeps = hooks.map(sleepOf);
  return {
    sleepSeconds: Math.max(0, ...sleeps.map((sleep) => sleep?.seconds ?? 0)),
    unread: sleeps.every((sleep) => sleep?.isAll) ? [] : ['a preStop hook that does more than sleep'],
  };
}

const SHELL = /^(\/usr)?(\/bin\/)?(ba|da|a)?sh$/;
const SLEEP = /^\s*(?:(?:\/usr)?\/bin\/)?sleep\s+(\d+(?:\.\d+)?)(s|m)?\s*(?:$|(;|&&))/;

/** Null: no sleep. `isAll`: and nothing after it. */
function sleepOf({ sleep, exec }: Raw): { readonly seconds: number; readonly isAll: boolean } | null {
  const { seconds } = asRecord(sleep);
  if (typeof seconds === 'number') return { seconds, isAll: true };
  const words = asList(asRecord(exec)['command']).map(String);
  const isScript = SHELL.test(words[0] ?? '') && /^-[a-z]*c$/.test(words[1] ?? '');
  const match = SLEEP.exec(isScript ? (words[2] ?? '') : words.join(' '));
  if (match === null) return null;
  return { seconds: Number(match[1]) * (match[2] === 'm' ? 60 : 1), isAll: match[3] === undefined };
}
