/** The scheduler against its slow twin: same nodes, same scores, on random small clusters with every rule in play. */
import test from 'ava';
import fc from 'fast-check';
import { explainScores } from '../../../sim/cluster/scheduler.js';
import type { BoundPod, ScheduleInput, SchedulerNode, SchedulerPod } from '../../../sim/cluster/schedulerInput.js';
import type { Requirement } from '../../../sim/cluster/selectors.js';
import type { Taint, Toleration } from '../../../sim/cluster/taints.js';
import { slowScores } from '../../models/slowScheduler.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const MI = 2 ** 20;
const few = <T>(item: fc.Arbitrary<T>, max = 2) => fc.array(item, { maxLength: max });
const mostly = <T>(usual: T, other: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, other);

const key = fc.constantFrom('app', 'tier');
const value = fc.constantFrom('1', '2', '3');
const labels = fc.dictionary(key, value, { maxKeys: 2 });
const labelRequirement = fc.record({
  key,
  operator: fc.constantFrom<Requirement['operator']>('In', 'NotIn', 'Exists', 'DoesNotExist'),
  values: fc.array(value, { minLength: 1, maxLength: 2 }),
});
const nodeRequirement = fc.record({
  key: fc.constantFrom('disk', 'rack', 'topology.kubernetes.io/zone'),
  operator: fc.constantFrom<Requirement['operator']>('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
  values: fc.array(value, { minLength: 1, maxLength: 2 }),
});
const field = fc.record({
  key: fc.constant('metadata.name'),
  operator: fc.constantFrom<Requirement['operator']>('In', 'NotIn'),
  values: fc.array(fc.constantFrom('0', '1', 'spare'), { minLength: 1, maxLength: 2 }),
});
const nodeTerm = fc.record({ matchExpressions: few(nodeRequirement), matchFields: few(field, 1) });
const selector = fc.record({ matchLabels: labels, matchExpressions: few(labelRequirement, 1) });
const topologyKey = fc.constantFrom('zone', 'hostname', 'rack');
const namespace = fc.constantFrom('default', 'other');
const term = fc.record({
  selector: fc.oneof({ weight: 8, arbitrary: selector }, fc.constant(null)),
  topologyKey,
  namespaces: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, fc.constant(['default', 'other'])),
});
const weighted = fc.tuple(term, fc.integer({ min: 1, max: 100 })).map(([plain, weight]) => ({ ...plain, weight }));
const terms = (max: number) => fc.record({ required: few(term, max), preferred: few(weighted) });
const effect = fc.constantFrom<Taint['effect']>('NoSchedule', 'PreferNoSchedule', 'PreferNoSchedule', 'NoExecute');
const taint = fc.record({ key: fc.constantFrom('gpu', 'spot'), value, effect });
const toleration: fc.Arbitrary<Toleration> = fc.record({
  key: fc.constantFrom('gpu', 'spot', '', 'node.kubernetes.io/unschedulable', 'node.kubernetes.io/not-ready'),
  operator: fc.constantFrom('Equal' as const, 'Exists' as const),
  value,
  effect: fc.option(effect),
});
const port = fc.record({
  protocol: fc.constantFrom('TCP', 'UDP'),
  port: fc.constantFrom(80, 81),
  hostIp: fc.constantFrom('0.0.0.0', '10.0.0.1', '10.0.0.2'),
});
const resources = (cpu: number, memoryMi: number) =>
  fc.record({
    cpuMillicores: fc.integer({ min: 0, max: cpu }),
    memoryBytes: fc.integer({ min: 0, max: memoryMi }).map((mi) => mi * MI),
  });

const node: fc.Arbitrary<SchedulerNode> = fc.record({
  zone: fc.integer({ min: 1, max: 3 }),
  ready: mostly(true, fc.boolean()),
  schedulable: mostly(true, fc.boolean()),
  allocatable: fc.constantFrom(
    { cpuMillicores: 4000, memoryBytes: 8192 * MI },
    { cpuMillicores: 3000, memoryBytes: 5000 * MI },
  ),
  requested: resources(3000, 5000),
  nonZeroRequested: resources(3500, 5500),
  labels: fc.dictionary(fc.constantFrom('disk', 'rack'), value, { maxKeys: 2 }),
  taints: few(taint),
  maxPods: fc.constantFrom(3, 110),
  podCount: fc.integer({ min: 0, max: 3 }),
  usedPorts: few(port, 1),
  imageBytes: fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.integer({ min: 1, max: 1500 }).map((mi) => mi * MI),
    { maxKeys: 2 },
  ),
});

const spread = fc.record({
  topologyKey,
  maxSkew: fc.integer({ min: 1, max: 3 }),
  whenUnsatisfiable: fc.constantFrom('DoNotSchedule' as const, 'ScheduleAnyway' as const),
  nodeTaintsPolicy: fc.constantFrom('Ignore' as const, 'Honor' as const),
  nodeAffinityPolicy: fc.constantFrom('Ignore' as const, 'Honor' as const),
  minDomains: fc.integer({ min: 1, max: 3 }),
  selector,
});

const pod: fc.Arbitrary<SchedulerPod> = fc.record({
  requests: fc.oneof(resources(800, 1200), fc.constant({ cpuMillicores: 0, memoryBytes: 0 })),
  requiredZone: mostly<number | null>(null, fc.integer({ min: 1, max: 3 })),
  requiredNode: fc.constant(null),
  preferredNode: fc.constant(null),
  // At least one, so that the default constraints, which count podsOfService, stay out of it.
  spread: fc.array(spread, { minLength: 1, maxLength: 3 }),
  namespace,
  labels,
  tolerations: few(toleration, 3),
  nodeSelector: mostly<Record<string, string>>({}, fc.dictionary(fc.constant('disk'), value, { maxKeys: 1 })),
  nodeAffinity: mostly<{ matchExpressions: Requirement[]; matchFields: Requirement[] }[]>([], few(nodeTerm)),
  preferredNodes: few(fc.record({ weight: fc.integer({ min: 1, max: 100 }), term: nodeTerm })),
  affinity: terms(1),
  antiAffinity: terms(1),
  hostPorts: few(port, 1),
  images: few(fc.constantFrom('a', 'b')),
});

const anyInput: fc.Arbitrary<ScheduleInput> = fc.integer({ min: 1, max: 8 }).chain((nodeCount) =>
  fc.record({
    pod,
    nodes: fc.array(node, { minLength: nodeCount, maxLength: nodeCount }),
    podsOfService: fc.constant([]),
    boundPods: few(
      fc.record<BoundPod>({
        node: fc.nat(nodeCount - 1),
        namespace,
        labels,
        terminating: mostly(false, fc.boolean()),
        affinity: terms(1),
        antiAffinity: fc.record({
          required: mostly<BoundPod['antiAffinity']['required'][number][]>([], few(term, 1)),
          preferred: few(weighted, 1),
        }),
      }),
      8,
    ),
    visitOrder: fc.constant(Array.from({ length: nodeCount }, (_, n) => n)),
    visitFrom: fc.constant(0),
    pick: fc.constant(() => 0),
    kubernetesMinor: fc.constantFrom(31, 33, 36, 37),
  }),
);

test(`the scheduler and its slow twin agree on every node and score ${SEED_NOTE}`, (t) => {
  const seen = { none: 0, some: 0, nodes: 0 };
  fc.assert(
    fc.property(anyInput, (input) => {
      const fast = explainScores(input).map(({ node: index, total }) => [index, total]);
      const slow = [...slowScores(input)];
      seen[slow.length === 0 ? 'none' : 'some']++;
      seen.nodes += slow.length;
      t.deepEqual(fast, slow);
    }),
    { seed, numRuns: 1500 },
  );
  // Else the property would say little.
  t.true(seen.none > 100 && seen.some > 300 && seen.nodes > seen.some, JSON.stringify(seen));
});
