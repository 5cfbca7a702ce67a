/** What keeps the pods of a service in a file, and how they end. */
import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const withService = (fields: string): string => small(['      workers: 2', `      workers: 2\n      ${fields}`]);

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test('a pause before the end, and an application that does not drain', (t) => {
  const [plain] = load(small()).services;
  t.is(plain!.preStopUs, 0);
  t.is(plain!.onTerm, 'drain');
  const { preStopUs, onTerm } = load(withService('preStop: {sleep: 5s}\n      onTerm: exit')).services[1]!;
  t.deepEqual({ preStopUs, onTerm }, { preStopUs: 5e6, onTerm: 'exit' });
});

test(
  'a pause that is longer than the grace, as Kubernetes refuses it',
  finds,
  withService('preStop: {sleep: ¦31s}'),
  'WT0205 spec.services[1].preStop.sleep: longer than terminationGrace, of which it is a part',
);

const controllerOf = (fields: string) => load(withService(fields)).services[1]!.controller;

test('strategies as Kubernetes writes them, with its defaults', (t) => {
  const rolling = { type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' };
  t.deepEqual(controllerOf('minReadySeconds: 10'), {
    ...{ kind: 'Deployment', minReadyUs: 10e6, strategy: rolling },
  });
  t.deepEqual(controllerOf('strategy: {rollingUpdate: {maxSurge: 150%, maxUnavailable: 0}}'), {
    ...{ kind: 'Deployment', minReadyUs: 0, strategy: { ...rolling, maxSurge: '150%', maxUnavailable: 0 } },
  });
  t.deepEqual(controllerOf('strategy: {type: Recreate}'), {
    ...{ kind: 'Deployment', minReadyUs: 0, strategy: { type: 'Recreate' } },
  });
  const set = { kind: 'StatefulSet', minReadyUs: 0, podManagement: 'OrderedReady', update: { partition: 0 } };
  t.deepEqual(controllerOf('kind: StatefulSet'), set);
  t.deepEqual(
    controllerOf(
      'kind: StatefulSet\n      podManagementPolicy: Parallel\n      updateStrategy: {rollingUpdate: {partition: 2}}',
    ),
    { ...set, podManagement: 'Parallel', update: { partition: 2 } },
  );
  t.deepEqual(controllerOf('kind: StatefulSet\n      updateStrategy: {type: OnDelete}'), {
    ...set,
    update: 'OnDelete',
  });
});

const SERVICE = 'spec.services[1]';
test(
  'fields of the other kind',
  finds,
  withService('kind: StatefulSet\n      ¦strategy: {type: Recreate}'),
  `WT0401 ${SERVICE}.strategy: a StatefulSet has no strategy`,
);
test(
  'a Deployment in order',
  finds,
  withService('¦podManagementPolicy: OrderedReady'),
  `WT0401 ${SERVICE}.podManagementPolicy: a Deployment has no podManagementPolicy`,
);
test(
  'nothing that could move',
  finds,
  withService('strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: ¦0%}}'),
  `WT0401 ${SERVICE}.strategy.rollingUpdate.maxUnavailable: no pod more and none fewer: nothing could move`,
);
test(
  'limits of what is not rolled',
  finds,
  withService('strategy: {type: Recreate, ¦rollingUpdate: {maxSurge: 1}}'),
  `WT0401 ${SERVICE}.strategy.rollingUpdate: Recreate rolls nothing`,
);
test(
  'more than all pods short',
  finds,
  withService('strategy: {rollingUpdate: {maxUnavailable: ¦101%}}'),
  `WT0204 ${SERVICE}.strategy.rollingUpdate.maxUnavailable: not a number of pods`,
);

const withRollout = (rollout: string): string =>
  small(['  policies:\n', `  rollouts:\n    - ${rollout}\n  policies:\n`]);

test('a rollout counts from the start of the measured part', (t) => {
  const { rollouts } = load(withRollout('{at: 2m, service: ledger, ready: 8s}'));
  // The warm-up is one minute.
  const ready = { kind: 'constant', mean: 8e6 };
  t.deepEqual(rollouts, [{ atUs: 180e6, service: 1, imagePull: null, ready, neverReady: false }]);
  t.deepEqual(load(small()).rollouts, []);
});

test(
  'a rollout of what is not there',
  finds,
  withRollout('{at: 2m, service: ¦leger}'),
  'WT0301 spec.rollouts[0].service: unknown service "leger"',
);
test(
  'a start-up time of what never starts up',
  finds,
  withRollout('{at: 2m, service: ledger, neverReady: true, ¦ready: 5s}'),
  'WT0207 spec.rollouts[0].ready: a time until it is ready, for what never is',
);

const ENGINE = ['    hpa:\n      hpa: {checkout: {max: 8}}', '    tank: {engine: {}}'] as const;
const annotated = (annotations: string): string =>
  small(['      workers: 2', `      workers: 2\n      annotations: ${annotations}`], ENGINE);

test('annotations are kept as they stand', (t) => {
  const text = annotated('{wavetank.io/max-replicas: "4", team: books}');
  t.deepEqual(load(text).services[1]!.annotations, { 'wavetank.io/max-replicas': '4', team: 'books' });
  t.deepEqual(load(small()).services[1]!.annotations, {});
});

test(
  'an annotation that the engine would refuse',
  finds,
  annotated('¦{wavetank.io/max-replicas: "4", wavetank.io/mode: always}'),
  'WT0205 spec.services[1].annotations: wavetank.io/mode is "always", expected one of off, placement, full',
);

test(
  'an annotation that is no text',
  finds,
  annotated('{wavetank.io/max-replicas: ¦4}'),
  'WT0203 spec.services[1].annotations["wavetank.io/max-replicas"]: is a number',
);
