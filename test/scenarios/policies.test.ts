import test from 'ava';
import { defaultEngineConfig } from '../../engine/config.js';
import { linesOf, load, problemsOf, small, unmarked } from './fixtures.js';

const RULE = (name: string, host: string, policy = '{loadBalancer: {simple: RANDOM}}') =>
  `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: ${name}}, spec: {host: ${host}, trafficPolicy: ${policy}}}`;

function policiesOf(...lines: readonly string[]) {
  return load(
    small([
      '    static: {}\n    hpa:\n      hpa: {checkout: {max: 8}}\n',
      lines.map((line) => `    ${line}\n`).join(''),
    ]),
  ).policies;
}

test('a policy inherits what it does not change', (t) => {
  const [, child] = policiesOf(
    'base: {hpa: {checkout: {max: 8, targetCpu: 60%}, ledger: {max: 4}}, spread: {ledger: {zone: hard}}, deploymentPerZone: [ledger]}',
    'child: {extends: base, hpa: {checkout: {min: 2, max: 9}}, deploymentPerZone: [checkout]}',
  );
  t.deepEqual(
    child!.hpas.map((hpa) => [hpa.service, hpa.minReplicas, hpa.maxReplicas, hpa.targetCpuPercent]),
    [
      [0, 2, 9, 80],
      [1, 1, 4, 80],
    ],
  );
  t.deepEqual(child!.spread, [{ service: 1, spread: { zone: 'hard', maxSkew: 1 } }]);
  t.deepEqual(child!.deploymentPerZone, [0, 1]);
});

test('null drops an inherited autoscaler', (t) => {
  const [, child] = policiesOf('base: {hpa: {checkout: {max: 8}}}', 'child: {extends: base, hpa: {checkout: null}}');
  t.deepEqual(child!.hpas, []);
});

test('behavior is kept as Kubernetes writes it', (t) => {
  const [policy] = policiesOf(
    'p: {hpa: {checkout: {max: 8, behavior: {scaleDown: {stabilizationWindowSeconds: 60, policies: [{type: Pods, value: 1, periodSeconds: 15}]}}}}}',
  );
  t.deepEqual(policy!.hpas[0]!.behavior, {
    scaleDown: { stabilizationWindowSeconds: 60, policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }] },
  });
});

test('without an engine key the engine is off', (t) => t.is(policiesOf('p: {}')[0]!.engine, null));

test('engine settings lie over the defaults of the engine, with CPU as the metric', (t) => {
  const [policy] = policiesOf(
    'p: {engine: {upperThresholdPercent: 65, scaler: {mode: placement}, workloads: {checkout: {maxReplicas: 6}}}}',
  );
  t.deepEqual(policy!.engine, {
    ...defaultEngineConfig,
    metric: 'cpu',
    upperThresholdPercent: 65,
    scaler: { ...defaultEngineConfig.scaler, mode: 'placement' },
    workloads: { 'default/checkout': { maxReplicas: 6 } },
  });
});

test('engine settings are inherited one by one, and null switches off', (t) => {
  const [, child, off, again] = policiesOf(
    'a: {engine: {scaler: {mode: placement, maxZones: 2}}}',
    'b: {extends: a, engine: {scaler: {maxZones: 3}, balancer: {enabled: false}}}',
    'c: {extends: b, engine: null}',
    'd: {extends: c, engine: {metric: memory}}',
  );
  t.like(child!.engine!.scaler, { mode: 'placement', maxZones: 3 });
  t.false(child!.engine!.balancer.enabled);
  t.is(off!.engine, null);
  t.deepEqual(again!.engine, { ...defaultEngineConfig, metric: 'memory' });
});

test('a rule of the same name replaces that of the mesh, for its policy alone', (t) => {
  const [plain, changed] = policiesOf(
    'plain: {}',
    `changed: {destinationRules: [${RULE('checkout-rule', 'checkout', '{loadBalancer: {simple: RANDOM}}')}]}`,
  );
  t.deepEqual(plain!.destinationRules, []);
  t.deepEqual(
    changed!.destinationRules.map((rule) => [rule.service, rule.object?.spec['trafficPolicy']]),
    [[0, { loadBalancer: { simple: 'RANDOM' } }]],
  );
});

test('a rule can be removed, added, and moved to another host', (t) => {
  const [removed, added, moved, back] = policiesOf(
    'removed: {destinationRules: [{remove: checkout-rule}]}',
    `added: {destinationRules: [${RULE('new', 'ledger')}]}`,
    `moved: {destinationRules: [${RULE('checkout-rule', 'ledger')}]}`,
    `back: {extends: removed, destinationRules: [${RULE('other', 'checkout')}]}`,
  );
  const overrides = (policy: typeof removed) =>
    policy!.destinationRules.map((rule) => [rule.service, rule.object?.metadata.name ?? null]);
  t.deepEqual(overrides(removed), [[0, null]]);
  t.deepEqual(overrides(added), [[1, 'new']]);
  t.deepEqual(overrides(moved), [
    [0, null],
    [1, 'checkout-rule'],
  ]);
  t.deepEqual(overrides(back), [[0, 'other']]);
});

test('a second rule for a host needs the name of the first', (t) => {
  const { text, places } = unmarked(
    small(['static: {}', `static: {destinationRules: [${RULE('other', '¦checkout')}]}`]),
  );
  t.deepEqual(linesOf(text), [
    `${places[0]} WT0403 spec.policies.static.destinationRules[0].spec.host: the rule "checkout-rule" speaks of "checkout" already`,
  ]);
});

test('removing a rule that is not there is an error', (t) => {
  const [problem] = problemsOf(small(['static: {}', 'static: {destinationRules: [{remove: checkout-rul}]}']));
  t.is(problem?.code, 'WT0207');
  t.is(problem?.hint, 'did you mean "checkout-rule"?');
});

test('a misspelt engine setting is an error', (t) => {
  const [problem] = problemsOf(small(['static: {}', 'static: {engine: {balancer: {minDetla: 3}}}']));
  t.is(problem?.path, 'spec.policies.static.engine.balancer.minDetla');
  t.is(problem?.hint, 'did you mean "minDelta"?');
});

test('engine settings that contradict each other are an error, inherited ones too', (t) => {
  const { text, places } = unmarked(
    small(
      ['static: {}', 'static: {engine: ¦{lowerThresholdPercent: 80}}'],
      ['    hpa:\n', '    hpa:\n      ¦extends: static\n'],
    ),
  );
  const found = problemsOf(text);
  t.deepEqual(
    found.map((problem) => [problem.code, problem.path]),
    [
      ['WT0205', 'spec.policies.static.engine'],
      ['WT0205', 'spec.policies.hpa.engine'],
    ],
  );
  t.deepEqual(
    found.map((problem) => `${problem.line}:${problem.column}`),
    places,
  );
  t.regex(found[0]!.message, /80 is not below upperThresholdPercent 70/);
});
