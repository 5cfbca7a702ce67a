/**
 * The file form of a Snapshot: what a stranger has to write down, and what may be left out because it follows from the
 * rest (`complete.ts`) or has one natural reading (`ready: true`). Fields that are not known here are kept as they are:
 * a newer adapter may say more. A type test keeps this in step with `Snapshot` in `engine/types.ts`.
 */
import * as z from 'zod';
import { amountOf, byKey, flag, text, whole, word, zoneName } from '../schema/leaves.js';

export const API_VERSION = 'wavetank/v1alpha1';

const list = <T extends z.ZodType>(item: T, description: string) =>
  z.array(item, { error: 'a list' }).meta({ description });

const anyNumber = (description: string) => z.number({ error: 'a number' }).meta({ description });

const namespace = z.string({ error: 'a name' }).min(1).default('default').meta({ description: 'Default: default.' });

const amounts = (description: string) =>
  z
    .looseObject({
      cpuMillicores: amountOf(0, 'Thousandths of a core: 500 is half a core.'),
      memoryBytes: amountOf(0, 'Bytes: 1073741824 is 1Gi.'),
    })
    .meta({ description });

const maybeAmounts = (description: string) =>
  z
    .looseObject({
      cpuMillicores: amountOf(0, 'Thousandths of a core; null where none is set.').nullable().default(null),
      memoryBytes: amountOf(0, 'Bytes; null where none is set.').nullable().default(null),
    })
    .meta({ description });

const source = z
  .looseObject({
    status: word(['ok', 'stale', 'absent'], 'Whether its figures can be used.'),
    ageMs: amountOf(0, 'Age of its newest sample; null where there is none.').nullable().default(null),
  })
  .optional();

/** As it stands in the API; what Kubernetes or Istio know of it beyond these fields is kept. */
const kubeObject = z
  .looseObject({
    apiVersion: text('As in the API.'),
    kind: text('As in the API.'),
    metadata: z.looseObject({
      name: text('Name.'),
      namespace: text('Namespace.').optional(),
      labels: byKey(z.string(), 'Labels.').optional(),
      annotations: byKey(z.string(), 'Annotations.').optional(),
    }),
    spec: z.record(z.string(), z.unknown(), { error: 'a mapping' }),
  })
  .meta({ description: 'A Kubernetes object, as kubectl get -o yaml prints it.' });

const node = z.looseObject({
  name: text('Name.'),
  region: text('Default: the part of the zone before its slash.').optional(),
  zone: zoneName,
  ready: flag('Default: true.').default(true),
  schedulable: flag('False where it is cordoned. Default: true.').default(true),
  allocatable: amounts('What pods may request in all.'),
  requested: amounts('What they request. Default: the sum over the pods listed here.').optional(),
  taints: list(
    z.looseObject({
      key: text('Key.'),
      value: z.string({ error: 'a text' }).default(''),
      effect: text('NoSchedule, PreferNoSchedule or NoExecute.'),
    }),
    'Default: none.',
  ).default([]),
  priceUsdPerHour: amountOf(0, 'Default: null, unknown.').nullable().default(null),
});

const workload = z.looseObject({
  namespace,
  kind: word(['Deployment', 'StatefulSet', 'Rollout'], 'Default: Deployment.').default('Deployment'),
  name: text('Name.'),
  desiredReplicas: whole(0, 'spec.replicas.'),
  readyReplicas: whole(0, 'Default: its ready pods.').optional(),
  labels: byKey(z.string(), 'Default: none.').default({}),
  annotations: byKey(z.string(), 'Default: none.').default({}),
  service: text('The Service in front of it. Default: null, none.').nullable().optional(),
  podRequests: maybeAmounts('Requests of one pod of its template.').optional(),
  podLimits: maybeAmounts('Limits of one pod of its template.').optional(),
  updatedReplicas: whole(0, 'status.updatedReplicas. Default: not known.').nullable().exactOptional(),
});

const pod = z.looseObject({
  name: text('Name.'),
  namespace,
  workload: text('Name of the workload that owns it, in the same namespace.'),
  node: text('Where it is bound; null or left out while it waits for a node.').nullable().default(null),
  ready: flag('Default: true.').default(true),
  terminating: flag('Default: false.').default(false),
  gated: flag('Held back by a scheduling gate of ours. Default: false.').default(false),
  createdAtMs: anyNumber('Default: long ago.').optional(),
  requests: maybeAmounts('Default: podRequests of its workload.').optional(),
  limits: maybeAmounts('Default: podLimits of its workload.').optional(),
  usage: amounts('Measured use; null or left out where there is none.').nullable().optional(),
  labels: byKey(z.string(), 'What budgets select by; left out, they forbid.').exactOptional(),
});

const end = z.looseObject({ namespace, workload: text('Name of the workload.') });

const edge = z.looseObject({
  source: end,
  sourceNode: text('Node of the callers, or null.').nullable().default(null),
  sourceZone: zoneName,
  destination: end,
  requestsPerSecond: amountOf(0, 'Requests per second.'),
  bytesPerSecond: amountOf(0, 'Default: 0.').default(0),
});

const trip = z.looseObject({ from: text('From.'), to: text('To.'), rttMs: amountOf(0, 'Round trip, ms.') });

const responseTime = z.looseObject({
  namespace,
  workload: text('Name of the workload.'),
  node: text('Node of its pods.'),
  p95Ms: amountOf(0, '95th percentile, ms.'),
  requestsPerSecond: amountOf(0, 'Requests that they answered per second.').exactOptional(),
});

const offered = z.looseObject({
  sourceZone: zoneName,
  destination: z.looseObject({ namespace, service: text('Name of the Service.') }),
  requestsPerSecond: amountOf(0, 'Requests per second, answered or not.'),
});

const header = {
  apiVersion: z.literal(API_VERSION, { error: API_VERSION }),
  formatVersion: z
    .string({ error: 'a text such as "1.0"' })
    .regex(/^1\.\d+$/, { error: 'a version 1.x of the format, written as a text: "1.0"' })
    .default('1.0')
    .meta({ description: 'Default: "1.0".' }),
};

export const snapshotSchema = z
  .looseObject({
    ...header,
    kind: z.literal('Snapshot', { error: 'Snapshot' }),
    observedAtMs: anyNumber('When this was seen: ages of pods and cool-downs are counted from it.'),
    health: z.looseObject({ prometheus: source, istio: source, latencyProber: source }).default({}),
    nodes: list(node, 'All nodes, also those without pods of interest: that is where new ones may go.'),
    workloads: list(workload, 'What is to be scaled and routed to.'),
    pods: list(pod, 'The pods of these workloads.'),
    edges: list(edge, 'Who calls whom, from which zone, and how often.').optional(),
    latencies: z
      .looseObject({
        zones: list(trip, 'Between zones, both directions, a zone to itself too.').default([]),
        nodes: list(trip, 'Between nodes, where they differ from their zones.').default([]),
      })
      .optional(),
    responseTimes: list(responseTime, 'How long requests to the pods on a node take.').optional(),
    destinationRules: list(kubeObject, 'Of Istio.').optional(),
    horizontalPodAutoscalers: list(kubeObject, 'Of Kubernetes.').optional(),
    scaledObjects: list(kubeObject, 'Of KEDA.').optional(),
    podDisruptionBudgets: list(kubeObject, 'Of Kubernetes.').optional(),
    offered: list(offered, 'What callers sent. Default: what the edges show.').exactOptional(),
    unreadableLists: list(
      word(
        ['destinationRules', 'horizontalPodAutoscalers', 'scaledObjects', 'podDisruptionBudgets'],
        'A list that the API server would not give.',
      ),
      'Default: none.',
    ).exactOptional(),
  })
  .meta({ title: 'Snapshot', description: 'A cluster as the engine sees it at one moment.' });

export const stepInputSchema = z.looseObject({
  ...header,
  kind: z.literal('StepInput', { error: 'StepInput' }),
  nowMs: anyNumber('Default: when the snapshot was seen.').optional(),
  snapshot: snapshotSchema,
  memory: z
    .looseObject({
      kind: z.literal('Memory', { error: 'Memory' }),
      lastScaling: byKey(
        z.looseObject({ atMs: anyNumber('When.'), direction: word(['up', 'down'], 'Which way.') }),
        'By namespace/kind/name.',
      ),
      postScalingMarks: byKey(z.looseObject({ atMs: anyNumber('When.') }), 'By namespace/kind/name.'),
      lastSeen: byKey(
        z.looseObject({ replicas: whole(0, 'Count.'), expected: whole(0, 'Asked for.').nullable() }),
        'By namespace/kind/name.',
      ).exactOptional(),
      othersScaling: byKey(
        z.looseObject({ upAtMs: anyNumber('When.').nullable(), downAtMs: anyNumber('When.').nullable() }),
        'By namespace/kind/name.',
      ).exactOptional(),
      predictions: byKey(
        z.looseObject({
          atMs: anyNumber('When.'),
          zones: byKey(
            z.looseObject({ utilization: anyNumber('1 is all.'), share: anyNumber('1 is all.') }),
            'By zone.',
          ),
          meanWaitMs: anyNumber('Mean wait, ms.'),
          crossZoneShare: anyNumber('1 is all.'),
          costMs: anyNumber('Cost of a request, ms.'),
          cpuMsPerRequest: anyNumber('CPU time of a request, ms.'),
        }),
        'By namespace/service.',
      ).exactOptional(),
      demandHistory: byKey(
        z.looseObject({
          slot: anyNumber('Number of the slot.'),
          sum: anyNumber('Of its samples.'),
          count: whole(0, 'Of its samples.'),
          samples: z.string({ error: 'a text' }),
        }),
        'By namespace/kind/name.',
      ).exactOptional(),
      lastMoves: byKey(
        z.looseObject({ atMs: anyNumber('When.'), pod: text('Which.'), replicas: whole(0, 'Count.') }),
        'By namespace/kind/name.',
      ).exactOptional(),
    })
    .optional(),
  config: z.record(z.string(), z.unknown(), { error: 'a mapping of engine settings' }).optional(),
  scope: word(['all', 'placement'], 'placement: only gated pods are looked at.').default('all'),
});

export type SnapshotFile = z.output<typeof snapshotSchema>;
export type StepInputFile = z.output<typeof stepInputSchema>;

/** JSON Schema (draft 2020-12) of what a snapshot file may say. */
export function snapshotJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(snapshotSchema, { target: 'draft-2020-12', io: 'input' });
}

export function stepInputJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(stepInputSchema, { target: 'draft-2020-12', io: 'input' });
}
