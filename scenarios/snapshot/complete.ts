/**
 * From what a snapshot file says to a whole Snapshot. What was left out is filled with what follows from the rest, or with
 * "none"; where a decision depends on such a reading, a notice says so, once for each kind of gap.
 */
import type { Snapshot, SnapshotPod } from '../../engine/types.js';
import { didYouMean } from '../problems.js';
import type { SnapshotFile } from './schema.js';

export interface Completed {
  readonly snapshot: Snapshot;
  readonly notices: readonly string[];
}

/** Older than any grace or cool-down that makes sense: a pod of unknown age is not taken for a new one. */
const LONG_AGO_MS = 24 * 3_600_000;

const NONE = { cpuMillicores: null, memoryBytes: null } as const;

/** What a missing list means for the decisions. */
const LEFT_OUT = {
  edges: 'nobody is known to call anybody: the balancer leaves all routes (noTraffic), placement knows no neighbours',
  latencies: 'same node, same zone and same region are taken to be near in this order',
  responseTimes: 'no place is taken to be slow',
  destinationRules: 'the balancer has no route to change (noDestinationRule), unless balancer.createRoutes is true',
  horizontalPodAutoscalers: 'no workload is taken to belong to one',
  scaledObjects: 'no workload is taken to belong to one of KEDA',
  podDisruptionBudgets: 'none is taken to hold pods back',
} as const satisfies Partial<Record<keyof Snapshot, string>>;

export function completeSnapshot(file: SnapshotFile): Completed {
  const notices: string[] = [];
  const many = (count: number, noun: string, rest: string): void => {
    if (count > 0) notices.push(`${count} ${noun}${count === 1 ? '' : 's'} ${rest}`);
  };

  const sources = ['prometheus', 'istio', 'latencyProber'] as const;
  const unsaid = sources.filter((name) => file.health[name] === undefined);
  if (unsaid.length > 0) notices.push(`health says nothing of ${unsaid.join(', ')}: taken to be well`);
  const healthOf = (name: (typeof sources)[number]) => file.health[name] ?? ({ status: 'ok', ageMs: 0 } as const);

  for (const [key, meaning] of Object.entries(LEFT_OUT)) {
    if (file[key] === undefined) notices.push(`${key} is left out: ${meaning}`);
  }

  const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
  const workloadsByName = new Map(file.workloads.map((one) => [keyOf(one.namespace, one.name), one]));
  const pods = file.pods.map((pod): SnapshotPod => {
    const owner = workloadsByName.get(keyOf(pod.namespace, pod.workload));
    return {
      ...pod,
      createdAtMs: pod.createdAtMs ?? file.observedAtMs - LONG_AGO_MS,
      requests: pod.requests ?? owner?.podRequests ?? NONE,
      limits: pod.limits ?? owner?.podLimits ?? NONE,
      usage: pod.usage ?? null,
    };
  });
  many(file.pods.filter((pod) => pod.createdAtMs === undefined).length, 'pod', 'without createdAtMs: taken to be old');
  many(
    file.pods.filter((pod) => pod.usage === undefined && pod.node !== null).length,
    'pod',
    'on a node without usage: no utilisation is known of them',
  );

  const requestedOn = sumOfRequests(pods);
  const nodes = file.nodes.map((node) => ({
    ...node,
    region: node.region ?? node.zone.split('/')[0]!,
    requested: node.requested ?? requestedOn.get(node.name) ?? { cpuMillicores: 0, memoryBytes: 0 },
  }));
  many(
    file.nodes.filter(({ requested }) => requested === undefined).length,
    'node',
    'without requested: taken from the pods listed here, so other pods count for nothing',
  );

  const readyOf = readyPods(pods);
  const workloads = file.workloads.map((workload) => ({
    ...workload,
    readyReplicas: workload.readyReplicas ?? readyOf.get(keyOf(workload.namespace, workload.name)) ?? 0,
    service: workload.service ?? null,
    podRequests: workload.podRequests ?? NONE,
    podLimits: workload.podLimits ?? NONE,
  }));
  many(
    file.workloads.filter(({ service }) => service === undefined).length,
    'workload',
    'without service: the balancer leaves them (noService); write null where there is none',
  );
  many(
    file.workloads.filter(({ podRequests }) => podRequests === undefined).length,
    'workload',
    'without podRequests: what a new pod needs is not known',
  );

  notices.push(...strayNames(file));
  return {
    snapshot: {
      ...file,
      formatVersion: '1.0',
      health: {
        ...file.health,
        prometheus: healthOf('prometheus'),
        istio: healthOf('istio'),
        latencyProber: healthOf('latencyProber'),
      },
      nodes,
      workloads,
      pods,
      edges: file.edges ?? [],
      latencies: file.latencies ?? { zones: [], nodes: [] },
      responseTimes: file.responseTimes ?? [],
      destinationRules: (file.destinationRules ?? []) as Snapshot['destinationRules'],
      horizontalPodAutoscalers: (file.horizontalPodAutoscalers ?? []) as Snapshot['horizontalPodAutoscalers'],
      scaledObjects: (file.scaledObjects ?? []) as Snapshot['scaledObjects'],
      podDisruptionBudgets: (file.podDisruptionBudgets ?? []) as Snapshot['podDisruptionBudgets'],
    },
    notices,
  };
}

function sumOfRequests(pods: readonly SnapshotPod[]): Map<string, { cpuMillicores: number; memoryBytes: number }> {
  const sums = new Map<string, { cpuMillicores: number; memoryBytes: number }>();
  for (const { node, requests } of pods) {
    if (node === null) continue;
    const sum = sums.get(node) ?? { cpuMillicores: 0, memoryBytes: 0 };
    sum.cpuMillicores += requests.cpuMillicores ?? 0;
    sum.memoryBytes += requests.memoryBytes ?? 0;
    sums.set(node, sum);
  }
  return sums;
}

function readyPods(pods: readonly SnapshotPod[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { namespace, workload, ready, terminating } of pods) {
    if (ready && !terminating)
      counts.set(`${namespace}/${workload}`, (counts.get(`${namespace}/${workload}`) ?? 0) + 1);
  }
  return counts;
}

/** More names that lead nowhere than this, and the file as a whole is partial: hints would help nobody. */
const MOST_STRAY = 10;

/** Names that lead nowhere. The engine passes over them, so a slip of the fingers would change a decision unseen. */
function strayNames(file: SnapshotFile): string[] {
  const nodes = file.nodes.map(({ name }) => name);
  const workloads = file.workloads.map(({ namespace, name }) => `${namespace}/${name}`);
  const ofPods = file.pods.map((pod) => [`pod ${pod.name}`, `${pod.namespace}/${pod.workload}`] as const);
  const onNodes = file.pods.flatMap(({ name, node }) => (node === null ? [] : [[`pod ${name}`, node] as const]));
  const ofEdges = (file.edges ?? []).map(
    ({ destination }) => ['an edge', `${destination.namespace}/${destination.workload}`] as const,
  );
  return [
    ...strays('node', onNodes, nodes, 'such pods count in no zone'),
    ...strays('workload', ofPods, workloads, 'nobody looks at such pods'),
    ...strays('destination', ofEdges, workloads, 'such edges are passed over'),
    ...repeated(nodes).map((name) => `the node "${name}" is listed twice: the first counts`),
  ];
}

function strays(
  what: string,
  uses: readonly (readonly [who: string, name: string])[],
  known: readonly string[],
  so: string,
): string[] {
  const listed = new Set(known);
  const first = new Map<string, string>();
  for (const [who, name] of uses) if (!listed.has(name) && !first.has(name)) first.set(name, who);
  const told = [...first].slice(0, MOST_STRAY).map(([name, who]) => {
    const hint = first.size > MOST_STRAY ? null : didYouMean(name, known);
    return `${who} names the ${what} "${name}", which is not listed: ${so}${hint === null ? '' : `; ${hint}`}`;
  });
  const rest = first.size - told.length;
  return rest > 0 ? [...told, `and ${rest} more names of a ${what} that is not listed`] : told;
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return [...twice];
}
