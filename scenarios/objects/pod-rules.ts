/**
 * Where the pods of a workload may run, from its template: the keys that a scenario takes as they stand, and what is left
 * of them. Labels are named in two places, in rules and on what they pick: `labelsNamed` says which of the many labels of
 * pods and nodes some rule asks for, so that those alone are written.
 */
import { HOSTNAME_LABEL, REGION_LABEL, ZONE_LABEL } from '../build-scheduling.js';
import type { Problem } from '../problems.js';
import { asList, asRecord } from '../raw.js';
import { REQUIRED } from '../required.js';
import type { Path } from '../source.js';
import { fieldsOf } from './fields.js';
import type { Ledger } from './ledger.js';
import type { KubeObject, Raw } from './read.js';
import type { Workload } from './workloads.js';

export interface PodRules {
  /** Keys of a scenario's service, those that say nothing left out. */
  readonly keys: Raw;
  readonly unread: readonly string[];
}

const TERM_KEYS = ['labelSelector', 'topologyKey'];
/** What Kubernetes allows users; its own classes lie above. */
const HIGHEST_PRIORITY = 1_000_000_000;
/** Given to every pod by admission. */
const ADMITTED = /^node\.kubernetes\.io\/(not-ready|unreachable)$/;
const ADMITTED_SECONDS = 300;

export function podRules(
  { object, podSpec }: Pick<Workload, 'object' | 'podSpec'>,
  classes: PriorityClasses,
  problems: Problem[],
): PodRules {
  const fields = fieldsOf(object, problems);
  const list = (key: string): readonly Raw[] => fields.list([...podSpec, key]);
  const unread: string[] = [];
  const tolerations = list('tolerations').filter(
    ({ key, tolerationSeconds }) => !(ADMITTED.test(String(key)) && tolerationSeconds === ADMITTED_SECONDS),
  );
  const gates = list('schedulingGates').map(({ name }) => ({ name, liftedAfter: REQUIRED }));
  const priority = classes.priorityOf(object, podSpec, unread);
  const keys: Record<string, unknown> = {
    nodeSelector: asRecord(fields.value([...podSpec, 'nodeSelector'])),
    tolerations: tolerations.map((one) => withoutEmpty(one)),
    affinity: affinityOf(asRecord(fields.value([...podSpec, 'affinity'])), unread),
    topologySpreadConstraints: list('topologySpreadConstraints'),
    priority: priority === 0 ? null : priority,
    schedulingGates: gates,
  };
  if (asRecord(keys['nodeSelector'])[HOSTNAME_LABEL] !== undefined) unread.push('the name of a node in nodeSelector');
  return { keys: withoutEmpty(keys), unread };
}

/** Terms over namespaces are read as if over the own one. */
function affinityOf(affinity: Raw, unread: string[]): Raw {
  const podTerm = (term: Raw): Raw => {
    for (const key of Object.keys(term))
      if (!TERM_KEYS.includes(key)) unread.push(`${key} of an affinity between pods`);
    return Object.fromEntries(Object.entries(term).filter(([key]) => TERM_KEYS.includes(key)));
  };
  const terms = (of: Raw, key: string): Raw[] => asList(of[key]).map(asRecord);
  const between = (of: Raw): Raw =>
    withoutEmpty({
      [REQUIRED_TERMS]: terms(of, REQUIRED_TERMS).map(podTerm),
      [PREFERRED_TERMS]: terms(of, PREFERRED_TERMS).map(({ weight, podAffinityTerm }) => ({
        weight,
        podAffinityTerm: podTerm(asRecord(podAffinityTerm)),
      })),
    });
  return withoutEmpty({
    nodeAffinity: withoutEmpty(asRecord(affinity['nodeAffinity'])),
    podAffinity: between(asRecord(affinity['podAffinity'])),
    podAntiAffinity: between(asRecord(affinity['podAntiAffinity'])),
  });
}

const REQUIRED_TERMS = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED_TERMS = 'preferredDuringSchedulingIgnoredDuringExecution';

/** The API writes empty lists, mappings and texts where nothing is meant. */
function withoutEmpty(record: Raw): Raw {
  const isEmpty = (value: unknown): boolean =>
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && (Array.isArray(value) ? value.length : Object.keys(value).length) === 0);
  return Object.fromEntries(Object.entries(record).filter(([, value]) => !isEmpty(value)));
}

export interface LabelsNamed {
  readonly ofPods: ReadonlySet<string>;
  readonly ofNodes: ReadonlySet<string>;
}

/** Labels that rules of these workloads ask for, but for the place and the name of a node, which every node has. */
export function labelsNamed(rules: readonly PodRules[]): LabelsNamed {
  const ofPods = new Set<string>();
  const ofNodes = new Set<string>();
  const visit = (value: unknown, onNodes: boolean): void => {
    if (Array.isArray(value)) return value.forEach((one) => visit(one, onNodes));
    for (const [key, inner] of Object.entries(asRecord(value))) {
      const isNodeRule = onNodes || key === 'nodeAffinity' || key === 'nodeSelector';
      if (key === 'matchLabels') for (const label of Object.keys(asRecord(inner))) ofPods.add(label);
      else if (key === 'nodeSelector') for (const label of Object.keys(asRecord(inner))) ofNodes.add(label);
      else if (key === 'topologyKey') ofNodes.add(String(inner));
      else if (key === 'matchExpressions') {
        for (const one of asList(inner)) (isNodeRule ? ofNodes : ofPods).add(String(asRecord(one)['key']));
      } else visit(inner, isNodeRule);
    }
  };
  for (const { keys } of rules) visit(keys, false);
  for (const label of [REGION_LABEL, ZONE_LABEL, HOSTNAME_LABEL]) ofNodes.delete(label);
  return { ofPods, ofNodes };
}

export interface PriorityClasses {
  readonly priorityOf: (object: KubeObject, podSpec: Path, unread: string[]) => number;
}

/** PriorityClasses by name, and the one for pods that name none. */
export function readPriorityClasses(
  objects: readonly KubeObject[],
  ledger: Ledger,
  problems: Problem[],
): PriorityClasses {
  const classes = objects.filter(({ kind }) => kind === 'PriorityClass');
  const byName = new Map<string, number>();
  for (const object of classes) {
    const { value } = object.value;
    if (Number.isSafeInteger(value)) byName.set(object.name, value as number);
    else problems.push(object.problem('WT0203', ['value'], { message: 'not a priority', expected: 'a whole number' }));
    ledger.use(object);
    if (object.value['preemptionPolicy'] === 'Never')
      ledger.note(object, 'its preemptionPolicy is not simulated: its pods preempt');
  }
  const standing = classes.find(({ value }) => value['globalDefault'] === true)?.name;
  return {
    priorityOf(object, podSpec, unread) {
      const fields = fieldsOf(object, []);
      const named = fields.text([...podSpec, 'priorityClassName']) ?? standing;
      const stated = fields.value([...podSpec, 'priority']);
      const priority = typeof stated === 'number' ? stated : named === undefined ? 0 : byName.get(named);
      if (priority === undefined) unread.push(`priority class ${named}, which is not in the input`);
      if (priority !== undefined && priority > HIGHEST_PRIORITY) unread.push(`a priority above ${HIGHEST_PRIORITY}`);
      return Math.min(priority ?? 0, HIGHEST_PRIORITY);
    },
  };
}
