/**
 * What runs: Deployments and StatefulSets, and ReplicaSets and Pods that stand alone in the dump. A Pod belongs to its
 * owner, and that to its own: where the owner is in the dump the Pod is only evidence (of an injected proxy), where it is
 * not, the Pods of one owner are counted and the first speaks for all.
 */
import type { Problem } from '../problems.js';
import { asList, asRecord } from '../raw.js';
import type { Path } from '../source.js';
import { fieldsOf } from './fields.js';
import type { Ledger } from './ledger.js';
import type { KubeObject } from './read.js';

export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** The object that speaks for it. */
  readonly object: KubeObject;
  readonly podSpec: Path;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** Where `replicas` was counted rather than read. */
  readonly counted: string | null;
  /** Pods of the dump that run under it. */
  readonly pods: readonly KubeObject[];
}

const TEMPLATED = ['Deployment', 'StatefulSet'];
const TEMPLATE: Path = ['spec', 'template', 'spec'];

export function readWorkloads(
  objects: readonly KubeObject[],
  ledger: Ledger,
  problems: Problem[],
): readonly Workload[] {
  const workloads = new Map<string, Workload>();
  for (const object of objects.filter(({ kind }) => TEMPLATED.includes(kind))) {
    ledger.use(object);
    workloads.set(keyOf(object.kind, object), {
      ...templated(object, object.kind, object.name, problems),
      replicas: fieldsOf(object, problems).whole(['spec', 'replicas']) ?? 1,
    });
  }
  const replicaSets = objects.filter(({ kind }) => kind === 'ReplicaSet');
  /** By the key of a ReplicaSet: the key of what owns it. */
  const rootOf = new Map<string, string>();
  for (const object of replicaSets) {
    const owner = ownerOf(object);
    const [kind, name] = owner === null ? ['ReplicaSet', object.name] : [owner.kind, owner.name];
    const key = keyOf(kind, { namespace: object.namespace, name });
    rootOf.set(keyOf('ReplicaSet', object), key);
    const count = fieldsOf(object, problems).whole(['spec', 'replicas']) ?? 1;
    const before = workloads.get(key);
    if (before !== undefined && TEMPLATED.includes(before.object.kind)) ledger.use(object);
    else if (count === 0) ledger.leaveOut(object, 'an old revision, scaled to 0');
    else {
      ledger.use(object);
      workloads.set(
        key,
        before === undefined
          ? { ...templated(object, kind, name, problems), replicas: count }
          : { ...before, replicas: before.replicas + count, counted: 'sum over its ReplicaSets' },
      );
    }
  }
  for (const object of objects.filter(({ kind }) => kind === 'Pod'))
    readPod(object, workloads, rootOf, ledger, problems);
  return [...workloads.values()];
}

function readPod(
  object: KubeObject,
  workloads: Map<string, Workload>,
  rootOf: ReadonlyMap<string, string>,
  ledger: Ledger,
  problems: Problem[],
): void {
  const fields = fieldsOf(object, problems);
  const owner = ownerOf(object);
  const reason = podReason(String(fields.value(['status', 'phase'])), owner?.kind ?? null, object);
  if (reason !== null) return ledger.leaveOut(object, reason);
  ledger.use(object);
  const labels = fields.labels(['metadata', 'labels']);
  const { kind, name } = rootFromName(owner, object.name, labels['pod-template-hash']);
  const direct = owner === null ? undefined : rootOf.get(keyOf(owner.kind, { ...object, name: owner.name }));
  const key = direct ?? keyOf(kind, { namespace: object.namespace, name });
  const before = workloads.get(key);
  if (before === undefined) {
    workloads.set(key, {
      ...{ kind, name, namespace: object.namespace, object, podSpec: ['spec'], podLabels: labels },
      ...{ replicas: 1, counted: 'pods that run', pods: [object] },
    });
  } else {
    const replicas = before.object.kind === 'Pod' ? before.replicas + 1 : before.replicas;
    workloads.set(key, { ...before, replicas, pods: [...before.pods, object] });
  }
}

function podReason(phase: string, ownerKind: string | null, { value }: KubeObject): string | null {
  if (phase === 'Succeeded' || phase === 'Failed') return 'has ended';
  if (asRecord(value['metadata'])['deletionTimestamp'] !== undefined) return 'is being deleted';
  if (ownerKind === 'Job') return 'a job serves no requests';
  if (ownerKind === 'Node') return 'a static pod of a node';
  return ownerKind === 'DaemonSet' ? 'counted with its DaemonSet' : null;
}

interface Owner {
  readonly kind: string;
  readonly name: string;
}

function ownerOf({ value }: KubeObject): Owner | null {
  const owners = asList(asRecord(value['metadata'])['ownerReferences']).map(asRecord);
  const { kind, name } = owners.find(({ controller }) => controller === true) ?? owners[0] ?? {};
  return typeof kind === 'string' && typeof name === 'string' ? { kind, name } : null;
}

/** A Deployment calls its ReplicaSets by its own name and the hash of the template, which the pods carry as a label. */
function rootFromName(owner: Owner | null, podName: string, hash: string | undefined): Owner {
  if (owner === null) return { kind: 'Pod', name: podName };
  if (owner.kind !== 'ReplicaSet' || hash === undefined || !owner.name.endsWith(`-${hash}`)) return owner;
  return { kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) };
}

function templated(object: KubeObject, kind: string, name: string, problems: Problem[]): Omit<Workload, 'replicas'> {
  const podLabels = fieldsOf(object, problems).labels(['spec', 'template', 'metadata', 'labels']);
  return { kind, name, namespace: object.namespace, object, podSpec: TEMPLATE, podLabels, counted: null, pods: [] };
}

function keyOf(kind: string, { namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return [kind, namespace, name].join('\n');
}
