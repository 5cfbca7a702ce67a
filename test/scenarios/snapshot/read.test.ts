/**
 * Snapshots that strangers write: what may be left out is read as the docs say, what is wrong is told at its place and all
 * at once, and the file form keeps step with the type that the engine takes.
 */
import test from 'ava';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { step, emptyMemory, defaultEngineConfig } from '../../../engine/index.js';
import type { Memory, Snapshot, StepInput } from '../../../engine/index.js';
import { readSnapshot, type SnapshotInput } from '../../../scenarios/snapshot/read.js';
import { snapshotJsonSchema, type snapshotSchema, type stepInputSchema } from '../../../scenarios/snapshot/schema.js';
import { aNode, aPod, aRule, aSnapshot, aWorkload, anEdge } from '../../engine/fixtures.js';

/** Types without the index signatures of open objects, so that keys can be compared. */
type Closed<T> = T extends readonly (infer Item)[]
  ? Closed<Item>[]
  : T extends object
    ? { [Key in keyof T as string extends Key ? never : Key]: Closed<T[Key]> }
    : T;
type Keys<T> = keyof Closed<T>;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type FileForm = z.output<typeof snapshotSchema>;

// A field that one side has and the other has not fails to compile here: add it to `scenarios/snapshot/schema.ts`.
const inStep: {
  readonly snapshot: Same<Keys<FileForm>, keyof Snapshot>;
  readonly nodes: Same<Keys<FileForm['nodes'][number]>, keyof Snapshot['nodes'][number]>;
  readonly workloads: Same<Keys<FileForm['workloads'][number]>, keyof Snapshot['workloads'][number]>;
  readonly pods: Same<Keys<FileForm['pods'][number]>, keyof Snapshot['pods'][number]>;
  readonly edges: Same<Keys<NonNullable<FileForm['edges']>[number]>, keyof Snapshot['edges'][number]>;
  readonly responseTimes: Same<
    Keys<NonNullable<FileForm['responseTimes']>[number]>,
    keyof Snapshot['responseTimes'][number]
  >;
  readonly latencies: Same<Keys<NonNullable<FileForm['latencies']>>, keyof Snapshot['latencies']>;
  readonly health: Same<Keys<FileForm['health']>, keyof Snapshot['health']>;
  readonly stepInput: Same<
    Exclude<Keys<z.output<typeof stepInputSchema>>, 'apiVersion' | 'kind' | 'formatVersion'>,
    keyof StepInput
  >;
  readonly memory: Same<
    Exclude<keyof Memory, 'apiVersion' | 'formatVersion'>,
    Keys<NonNullable<z.output<typeof stepInputSchema>['memory']>>
  >;
} = {
  snapshot: true,
  nodes: true,
  workloads: true,
  pods: true,
  edges: true,
  responseTimes: true,
  latencies: true,
  health: true,
  stepInput: true,
  memory: true,
};
test('the file form knows every field of the type, and no other', (t) => {
  t.true(Object.values(inStep).every(Boolean));
});

const SMALL = `
apiVersion: wavetank/v1alpha1
kind: Snapshot
observedAtMs: 1000000
nodes:
  - { name: n1, zone: eu/a, allocatable: { cpuMillicores: 4000, memoryBytes: 8000000000 } }
workloads:
  - { name: web, desiredReplicas: 2, podRequests: { cpuMillicores: 500 } }
pods:
  - { name: web-1, workload: web, node: n1, usage: { cpuMillicores: 400, memoryBytes: 1 } }
  - { name: web-2, workload: web }
`;

function inputOf(text: string): SnapshotInput {
  const read = readSnapshot(text, 'my.yaml');
  if (!('input' in read)) throw new Error(read.problems.map(({ message }) => message).join('\n'));
  return read.input;
}

const problemsOf = (text: string): string[] => {
  const read = readSnapshot(text, 'my.yaml');
  return 'problems' in read
    ? read.problems.map(({ line, path, message, expected }) => `${line} ${path}: ${message}; ${expected}`)
    : [];
};

test('a small snapshot is filled with what follows from the rest, and with none', (t) => {
  const { snapshot, nowMs, memory } = inputOf(SMALL);
  t.is(nowMs, 1_000_000);
  t.is(memory, null);
  t.is(snapshot.formatVersion, '1.0');
  const [node] = snapshot.nodes;
  t.is(node!.region, 'eu');
  t.true(node!.ready && node!.schedulable);
  // Only web-1 is bound to it: 500 of its template.
  t.deepEqual(node!.requested, { cpuMillicores: 500, memoryBytes: 0 });
  const [workload] = snapshot.workloads;
  t.is(workload!.namespace, 'default');
  t.is(workload!.kind, 'Deployment');
  t.is(workload!.readyReplicas, 2);
  t.is(workload!.service, null);
  t.deepEqual(workload!.podLimits, { cpuMillicores: null, memoryBytes: null });
  const [, waiting] = snapshot.pods;
  t.is(waiting!.node, null);
  t.is(waiting!.usage, null);
  t.deepEqual(waiting!.requests, { cpuMillicores: 500, memoryBytes: null });
  t.true(snapshot.observedAtMs - waiting!.createdAtMs > 3_600_000);
  t.deepEqual(snapshot.edges, []);
  t.deepEqual(snapshot.latencies, { zones: [], nodes: [] });
  t.is(snapshot.health.istio.status, 'ok');
});

test('a notice stands for every gap that a decision may depend on', (t) => {
  const { notices } = inputOf(SMALL);
  for (const word of [
    'health',
    'edges',
    'latencies',
    'responseTimes',
    'destinationRules',
    'horizontalPodAutoscalers',
    'scaledObjects',
    'podDisruptionBudgets',
    'createdAtMs',
    'requested',
    'service',
  ])
    t.is(notices.filter((notice) => new RegExp(`\\b${word}\\b`).test(notice)).length, 1, word);
  t.false(notices.some((notice) => notice.includes('without podRequests')));
});

test('a whole snapshot comes back as it was, and without a notice', (t) => {
  const whole = aSnapshot({
    workloads: [aWorkload('web', 1)],
    pods: [aPod('web', 'n-a', 'web-1')],
    edges: [anEdge('web', 'eu/a', 'web', 5)],
    destinationRules: [aRule('web', { trafficPolicy: {} })],
  });
  const { snapshot, notices } = inputOf(JSON.stringify(whole));
  t.deepEqual(snapshot, whole);
  t.deepEqual(notices, []);
  const yaml = inputOf(JSON.stringify(whole, null, 2).replace('"kind": "Snapshot"', 'kind: Snapshot'));
  t.deepEqual(yaml.snapshot, whole);
});

test('all that is wrong is told at once, each with its line, value and what would be right', (t) => {
  const broken = SMALL.replace('zone: eu/a', 'zone: a')
    .replace('cpuMillicores: 4000', 'cpuMillicores: 4 cores')
    .replace('desiredReplicas: 2', 'desiredReplicas: 2.5')
    .replace('name: web-2, workload: web', 'name: web-2, ready: yes')
    .replace('observedAtMs: 1000000\n', '');
  t.deepEqual(problemsOf(broken), [
    '2 observedAtMs: missing key "observedAtMs"; a number',
    '5 nodes[0].zone: not a valid name; a zone, written region/zone such as eu-1/a',
    '5 nodes[0].allocatable.cpuMillicores: is a text; a number of at least 0',
    '7 workloads[0].desiredReplicas: is not a whole number; a whole number of at least 0',
    '10 pods[1].workload: missing key "workload"; a text',
    '10 pods[1].ready: is a text; true or false',
  ]);
});

test('a file of another kind, of none, of a later format, or that is no text says so', (t) => {
  t.regex(problemsOf(SMALL.replace('kind: Snapshot', 'kind: Snapshit')).join(), /^3 kind: not a kind/);
  t.regex(problemsOf(SMALL.replace('kind: Snapshot', '')).join(), /missing key "kind"/);
  t.regex(problemsOf(SMALL.replace('v1alpha1', 'v2')).join(), /apiVersion/);
  t.regex(problemsOf(`formatVersion: "2.0"${SMALL}`).join(), /formatVersion: not a valid name; a version 1\.x/);
  t.regex(problemsOf('').join(), /the file is empty; a Snapshot/);
  t.regex(problemsOf('[1, 2]').join(), /apiVersion/);
  t.true(problemsOf('a: [').length > 0);
  t.true(problemsOf('{"apiVersion": ').length > 0);
});

test('a misspelt optional field is not passed over in silence', (t) => {
  const { notices } = inputOf(SMALL.replace('zone: eu/a', 'zone: eu/a, shedulable: false'));
  t.true(
    notices.includes('unknown field nodes[].shedulable: not looked at; did you mean "schedulable"?'),
    notices.join('\n'),
  );
  t.regex(
    inputOf(SMALL.replace('node: n1', 'node: n11')).notices.join('\n'),
    /pod web-1 names the node "n11", which is not listed: such pods count in no zone; did you mean "n1"\?/,
  );
  t.regex(
    inputOf(SMALL.replaceAll('workload: web', 'workload: webb')).notices.join('\n'),
    /pod web-1 names the workload "default\/webb"/,
  );
});

test('a file that leaves out most nodes is told so in a few lines', (t) => {
  const pods = Array.from({ length: 5000 }, (_, index) => aPod('web', `gone-${index}`, `web-${index}`));
  const { notices } = inputOf(JSON.stringify(aSnapshot({ workloads: [aWorkload('web', 5000)], pods })));
  t.is(notices.length, 11);
  t.is(notices.at(-1), 'and 4990 more names of a node that is not listed');
  const twice = inputOf(JSON.stringify(aSnapshot({ nodes: [aNode('n', 'eu/a'), aNode('n', 'eu/b')] }))).notices;
  t.deepEqual(twice, ['the node "n" is listed twice: the first counts']);
});

test('fields of a later version are kept, and Kubernetes objects may hold anything', (t) => {
  const rule = { ...aRule('web'), status: { observed: 1 } };
  const later = { ...aSnapshot({ destinationRules: [rule] }), nodes: [{ ...aNode('n', 'eu/a'), rack: 7 }] };
  const { snapshot, notices } = inputOf(JSON.stringify(later));
  t.is((snapshot.nodes[0] as unknown as { rack: number }).rack, 7);
  t.deepEqual(snapshot.destinationRules[0], rule);
  t.deepEqual(notices, ['unknown field nodes[].rack: not looked at']);
});

test('a StepInput is checked like a Snapshot, inside and out', (t) => {
  const whole = {
    apiVersion: 'wavetank/v1alpha1',
    kind: 'StepInput',
    nowMs: 5,
    snapshot: aSnapshot(),
    memory: emptyMemory,
    config: defaultEngineConfig,
    scope: 'all',
  };
  const input = inputOf(JSON.stringify(whole));
  t.is(input.nowMs, 5);
  t.deepEqual(input.memory, emptyMemory);
  t.deepEqual(input.snapshot, whole.snapshot);
  const wrong = {
    ...whole,
    scope: 'al',
    memory: { ...emptyMemory, lastScaling: { a: { atMs: 1, direction: 'sideways' } } },
  };
  t.deepEqual(
    problemsOf(JSON.stringify(wrong)).map((one) => one.replace(/^\d+ /, '')),
    [
      'memory.lastScaling.a.direction: not an allowed word; one of up, down',
      'scope: not an allowed word; one of all, placement',
    ],
  );
});

test('the example of the docs is read, fits the printed schema, and leads to the decisions that the docs show', (t) => {
  const text = readFileSync('docs/example-snapshot.yaml', 'utf8');
  const { snapshot } = inputOf(text);
  const output = step({
    nowMs: snapshot.observedAtMs,
    snapshot,
    memory: emptyMemory,
    config: defaultEngineConfig,
    scope: 'all',
  });
  t.deepEqual(
    output.decisions.map(({ kind, workload }) => `${kind} ${workload.name}`),
    ['scaleUp checkout', 'setRoute checkout'],
  );
  t.deepEqual(
    output.skipped.map(({ reason, workload }) => `${reason} ${workload.name}`),
    ['hpaOwned cart', 'noDestinationRule cart'],
  );
  const validate = new Ajv2020({ strict: false }).compile(snapshotJsonSchema());
  t.true(validate(parse(text)), JSON.stringify(validate.errors));
  t.true(validate(aSnapshot()), JSON.stringify(validate.errors));
  t.false(validate({ ...aSnapshot(), nodes: [{}] }));
});
