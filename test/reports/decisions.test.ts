/**
 * Decisions as text, as patches and as differences: nothing wider than a terminal, nothing in a patch that is not ours,
 * nothing from a snapshot that could break out of a comment.
 */
import test from 'ava';
import { parseAllDocuments } from 'yaml';
import { step } from '../../engine/index.js';
import type { Decision, StepOutput, WorkloadRef } from '../../engine/index.js';
import { diffStep, diffText } from '../../reports/decision-diff.js';
import { decisionWords } from '../../reports/decision-words.js';
import { decisionsText } from '../../reports/decisions-text.js';
import { cellsOf } from '../../reports/format.js';
import { patchesYaml, type PatchedStep } from '../../reports/patches.js';
import { aPod, aRule, aSnapshot, aWorkload, anEdge, anInput } from '../engine/fixtures.js';

const web: WorkloadRef = { namespace: 'shop', kind: 'Deployment', name: 'web' };
const why = { because: 'cpu at 90 %, above 70 %.', signals: { utilizationPercent: 90 }, rejected: [] } as const;

const up = (workload: WorkloadRef, to: number, because: string = why.because): Decision => ({
  kind: 'scaleUp',
  workload,
  ...why,
  because,
  replicasFrom: 2,
  replicasTo: to,
  placements: [{ node: 'n-a', zone: 'eu/a' }],
});
const down = (workload: WorkloadRef): Decision => ({
  kind: 'scaleDown',
  workload,
  ...why,
  replicasFrom: 3,
  replicasTo: 2,
  victims: [{ pod: 'web-2', node: 'n-c' }],
});
const place: Decision = { kind: 'place', workload: web, ...why, pod: 'web-3', node: 'n-b', zone: 'eu/b' };
const route = (create: boolean): Decision => {
  const distribute = [{ from: 'eu/a/*', to: { 'eu/a/*': 60, 'eu/b/*': 40 } }];
  return {
    kind: 'setRoute',
    workload: web,
    ...why,
    host: 'web.shop.svc.cluster.local',
    destinationRule: { namespace: 'shop', name: 'web', create },
    distribute,
    localityLbSetting: { enabled: true, distribute },
  };
};

const stepOf = (decisions: readonly Decision[], over: Partial<PatchedStep> = {}): PatchedStep => ({
  file: 'a.json',
  observedAtMs: 60_000,
  destinationRules: [],
  output: { decisions, skipped: [], memory: anInput(aSnapshot()).memory },
  ...over,
});

const objectsOf = (yaml: string): unknown[] =>
  parseAllDocuments(yaml)
    .filter((document) => 'errors' in document)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0]!;
      return document.toJS() as unknown;
    })
    .filter((object) => object !== null);

test('a patch holds the fields that are ours and no other', (t) => {
  const rollout = { ...web, kind: 'Rollout' as const, name: 'canary' };
  const yaml = patchesYaml([stepOf([up(web, 4), down(rollout), place, route(true)])]);
  t.deepEqual(objectsOf(yaml), [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'shop', name: 'web' }, spec: { replicas: 4 } },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { namespace: 'shop', name: 'canary' },
      spec: { replicas: 2 },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { namespace: 'shop', name: 'web' },
      spec: {
        host: 'web.shop.svc.cluster.local',
        trafficPolicy: {
          loadBalancer: {
            localityLbSetting: {
              enabled: true,
              distribute: [{ from: 'eu/a/*', to: { 'eu/a/*': 60, 'eu/b/*': 40 } }],
            },
          },
        },
      },
    },
  ]);
  t.regex(yaml, /# place shop\/web: pod web-3 on n-b/);
  t.regex(yaml, /# because cpu at 90 %, above 70 %\./);
});

test('a standing rule is patched in the version it has, and its host is not claimed', (t) => {
  const standing = {
    ...aRule('web'),
    apiVersion: 'networking.istio.io/v1beta1',
    metadata: { name: 'web', namespace: 'shop' },
  };
  const [object] = objectsOf(patchesYaml([stepOf([route(false)], { destinationRules: [standing] })])) as {
    apiVersion: string;
    spec: object;
  }[];
  t.is(object!.apiVersion, 'networking.istio.io/v1beta1');
  t.deepEqual(Object.keys(object!.spec), ['trafficPolicy']);
});

test('of several snapshots only the newest is applied: an old count would undo what has happened since', (t) => {
  const old = stepOf([up(web, 4), route(true)]);
  const newest = stepOf([down({ ...web, name: 'cart' })], { file: 'b.json', observedAtMs: 120_000 });
  const yaml = patchesYaml([old, newest]);
  t.deepEqual(
    objectsOf(yaml).map((object) => (object as { metadata: { name: string } }).metadata.name),
    ['cart'],
  );
  t.regex(yaml, /# == a\.json, seen at 60 s\n# scaleUp shop\/web: 2 -> 4 replicas\n/);
  t.regex(yaml, /---\n# == b\.json, seen at 120 s\n/);
  const quiet = patchesYaml([old, stepOf([], { file: 'b.json' })]);
  t.deepEqual(objectsOf(quiet), []);
  t.regex(quiet, /# No decisions: nothing to apply\.\n$/);
});

test('a reason that spans lines stays a comment, and no decision is no document', (t) => {
  const yaml = patchesYaml([stepOf([up(web, 4, 'busy\n---\nkind: Secret\u2028evil: 1')])]);
  t.is(objectsOf(yaml).length, 1);
  t.true(yaml.split('\n').every((line) => /^(#|---$|\s|apiVersion|kind: Deployment|metadata|spec|$)/.test(line)));
  const none = patchesYaml([stepOf([])]);
  t.deepEqual(objectsOf(none), []);
  t.regex(none, /No decisions: nothing to apply/);
});

test('no line of the text is wider than 80 cells, and colour comes only when asked for', (t) => {
  const long = { ...web, name: 'a-service-with-a-very-long-name-'.repeat(4) };
  const skipped = [{ workload: long, part: 'scaler', reason: 'cooldown', detail: 'x '.repeat(90) }] as const;
  const output: StepOutput = { ...stepOf([up(long, 4), down(web), place, route(true)]).output, skipped };
  const steps = [stepOf([], { output }), stepOf([route(false)], { file: 'b.json' })];
  const plain = decisionsText(steps, false);
  for (const line of plain.split('\n')) t.true(cellsOf(line) <= 80, line);
  t.notRegex(plain, /\u001B/);
  t.regex(decisionsText(steps, true), /\u001B\[/);
  t.is(decisionsText(steps, true).replace(/\u001B\[\d+m/g, ''), plain);
  for (const text of [
    '2 -> 4 replicas',
    'without web-2 on n-c',
    'new DestinationRule shop/web',
    'eu/b/* 40%',
    '== b.json',
  ])
    t.true(plain.includes(text), text);
});

test('every kind of decision has a matter of its own', (t) => {
  const slots = [up(web, 4), place, route(true)].map((decision) => decisionWords(decision).slot);
  t.is(new Set(slots).size, 3);
  // Only one of them can stand.
  t.is(decisionWords(up(web, 4)).slot, decisionWords(down(web)).slot);
});

test('a difference says what would come, go and be otherwise, with the reasons of both sides', (t) => {
  const other = { ...web, name: 'cart' };
  const now: StepOutput = {
    ...stepOf([up(web, 4), route(false)]).output,
    skipped: [{ workload: other, part: 'scaler', reason: 'cooldown', detail: '30 s left' }],
  };
  const then: StepOutput = {
    ...stepOf([up(web, 6, 'another reason'), up(other, 3)]).output,
    skipped: [{ workload: web, part: 'balancer', reason: 'disabled', detail: 'off' }],
  };
  const diff = diffStep({ file: 'a.json', observedAtMs: 0, now, then });
  t.deepEqual(
    diff.changes.map(({ change, about, now: one, then: two }) => [change, about, one.because, two.because]),
    [
      ['different', 'replicas of Deployment shop/web', why.because, 'another reason'],
      ['removed', 'route to web.shop.svc.cluster.local', why.because, 'disabled; off'],
      ['added', 'replicas of Deployment shop/cart', 'cooldown; 30 s left', why.because],
    ],
  );
  t.is(diff.unchanged, 0);
  const text = diffText([diff], 'other.yaml', false);
  t.regex(text, /^~ replicas of Deployment shop\/web$/m);
  t.regex(text, /1 added, 1 removed, 1 different, 0 unchanged$/);
  for (const line of text.split('\n')) t.true(cellsOf(line) <= 80, line);
});

test('the same act for another reason is no change', (t) => {
  const now = stepOf([up(web, 4)]).output;
  const diff = diffStep({ file: 'a', observedAtMs: 0, now, then: stepOf([up(web, 4, 'otherwise put')]).output });
  t.deepEqual(diff.changes, []);
  t.is(diff.unchanged, 1);
});

test('what a real step decides has words, and its patches can be read', (t) => {
  const pods = ['a', 'b', 'c'].map((zone) => aPod('web', `n-${zone}`, `web-${zone}`, 900));
  const snapshot = aSnapshot({
    workloads: [aWorkload('web', 3)],
    pods,
    edges: [anEdge('front', 'eu/a', 'web', 50)],
    destinationRules: [aRule('web', { trafficPolicy: { outlierDetection: {} } })],
  });
  const output = step(anInput(snapshot));
  t.deepEqual(
    output.decisions.map(({ kind }) => kind),
    ['scaleUp', 'setRoute'],
  );
  const yaml = patchesYaml([stepOf([], { output, destinationRules: snapshot.destinationRules })]);
  const weights = objectsOf(yaml).flatMap((object) => JSON.stringify(object).match(/(?<=\*":)\d+/g) ?? []);
  t.is(
    weights.reduce((sum, weight) => sum + Number(weight), 0),
    100,
  );
});
