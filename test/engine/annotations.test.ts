/** What a workload says about itself: which word wins, and what happens where it cannot be read. */
import test from 'ava';
import fc from 'fast-check';
import { defaultEngineConfig, step, workloadPolicy, type EngineConfig, type Snapshot } from '../../engine/index.js';
import { aPod, aRule, aSnapshot, aWorkload, anEdge, anInput, deepFreeze } from './fixtures.js';
import { SEED } from '../seed.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const policy = (annotations: Record<string, string>, config: Partial<EngineConfig> = {}) =>
  workloadPolicy({ namespace: 'default', name: 'web', annotations }, { ...defaultEngineConfig, ...config });
const named = (pairs: Record<string, string>) =>
  Object.fromEntries(Object.entries(pairs).map(([key, value]) => [`wavetank.io/${key}`, value]));

test('each annotation sets its setting', (t) => {
  const { config, problems } = policy(
    named({
      mode: 'placement',
      metric: 'memory',
      'upper-threshold-percent': '80',
      'lower-threshold-percent': '12.5',
      'response-time-target-ms': '250',
      'min-replicas': '2',
      'max-replicas': '40',
      balancer: 'off',
      'balancer-rule': 'model',
      'balancer-min-delta': '3',
      'balancer-min-step': '1',
      'balancer-max-step': '10',
      'min-local-share': '.6',
    }),
  );
  t.deepEqual(problems, []);
  t.deepEqual(config, {
    ...defaultEngineConfig,
    metric: 'memory',
    upperThresholdPercent: 80,
    lowerThresholdPercent: 12.5,
    responseTimeTargetMs: 250,
    scaler: { ...defaultEngineConfig.scaler, mode: 'placement', minReplicas: 2, maxReplicas: 40 },
    balancer: {
      ...defaultEngineConfig.balancer,
      ...{ enabled: false, rule: 'model' as const, minDelta: 3, minStep: 1, maxStep: 10, minLocalShare: 0.6 },
    },
  });
});

test('an annotation wins over config.workloads, and that over the configuration', (t) => {
  const workloads = { 'default/web': { minReplicas: 3, maxReplicas: 6 } };
  const { config } = policy(named({ 'min-replicas': '5' }), { workloads });
  t.deepEqual([config.scaler.minReplicas, config.scaler.maxReplicas], [5, 6]);
  // In a step: two replicas become five, not three.
  const snapshot = web(2, named({ 'min-replicas': '5' }));
  const [decision] = step(anInput(snapshot, { config: { workloads }, balancer: { enabled: false } })).decisions;
  t.is(decision?.kind === 'scaleUp' && decision.replicasTo, 5);
});

test('annotations of others are not read, and without any the configuration itself comes back', (t) => {
  const { config } = defaultPolicy({ 'prometheus.io/scrape': 'yes', 'wavetank.iox/mode': 'on' });
  t.is(config, defaultEngineConfig);
});

const defaultPolicy = (annotations: Record<string, string>) =>
  workloadPolicy({ namespace: 'default', name: 'web', annotations }, defaultEngineConfig);

const refused = test.macro({
  exec(t, annotations: Record<string, string>, expected: RegExp) {
    const { config, problems } = defaultPolicy(named(annotations));
    t.is(config, defaultEngineConfig);
    t.is(problems.length, 1, problems.join());
    t.regex(problems[0]!, expected);
  },
  title: (_title, annotations) => `refused: ${JSON.stringify(annotations)}`,
});
test(refused, { mode: 'On' }, /^wavetank\.io\/mode is "On", expected one of off, placement, full$/);
test(refused, { 'max-replicas': '-1' }, /is "-1", expected a number/);
test(refused, { 'max-replicas': '2.5' }, /maxReplicas is 2.5, expected a whole number from 1/);
test(refused, { 'max-replicas': '1e99' }, /expected a number/);
test(refused, { 'upper-threshold-percent': '80%' }, /expected a number/);
test(refused, { 'upper-threshold-percent': '15' }, /lowerThresholdPercent 20 is not below upperThresholdPercent 15/);
test(refused, { 'min-replicas': '11' }, /minReplicas 11 is above scaler.maxReplicas 10/);
test(refused, { 'max-replica': '3' }, /max-replica is not a setting; known are .*max-replicas/);
test(refused, { constructor: 'x' }, /is not a setting/);
test(refused, { balancer: 'true' }, /expected one of on, off/);

/** `web` at 90 % of its requests, called from everywhere in equal parts, with a rule that starves nobody. */
function web(replicas: number, annotations: Record<string, string>, over: Partial<Snapshot> = {}): Snapshot {
  const zones = ['eu/a', 'eu/b', 'eu/c'];
  return aSnapshot({
    workloads: [aWorkload('web', replicas, { annotations })],
    pods: Array.from({ length: replicas }, (_, i) => aPod('web', `n-${'abc'[i % 3]!}`, `web-${i}`, 900)),
    edges: zones.map((zone, i) => anEdge('gateway', zone, 'web', i === 0 ? 300 : 10)),
    destinationRules: [
      aRule('web', { trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: true } }, outlierDetection: {} } }),
    ],
    ...over,
  });
}

test('a bad annotation leaves its workload alone in every part and says why; others go on', (t) => {
  const other = aWorkload('other', 1);
  const snapshot = web(3, named({ mode: 'ful', 'min-local-share': '2' }));
  const both = {
    ...snapshot,
    workloads: [...snapshot.workloads, other],
    pods: [...snapshot.pods, aPod('other', 'n-a', 'o-0', 900)],
  };
  const { decisions, skipped } = step(anInput(both));
  t.deepEqual(
    skipped.filter(({ workload }) => workload.name === 'web').map(({ part, reason }) => [part, reason]),
    [
      ['scaler', 'invalid'],
      ['balancer', 'invalid'],
    ],
  );
  t.regex(skipped[0]!.detail, /mode is "ful", expected one of off, placement, full/);
  t.deepEqual(
    decisions.map(({ workload }) => workload.name),
    ['other'],
  );
});

test('off by annotation is off, and says so', (t) => {
  const { decisions, skipped } = step(anInput(web(3, named({ mode: 'off', balancer: 'off' }))));
  t.deepEqual(decisions, []);
  t.deepEqual(
    skipped.map(({ reason, detail }) => `${reason}: ${detail}`),
    ['disabled: its annotation wavetank.io/mode is off', 'disabled: the annotation wavetank.io/balancer is off'],
  );
});

test('in a cluster where the engine is off, a workload may ask for it', (t) => {
  const off = { scaler: { mode: 'off' as const }, balancer: { enabled: false } };
  const { decisions, skipped } = step(anInput(web(3, {}), off));
  t.deepEqual([...decisions, ...skipped], []);
  const asked = step(anInput(web(3, named({ mode: 'full', balancer: 'on' })), off));
  t.is(asked.decisions[0]?.kind, 'scaleUp');
  t.true([...asked.decisions, ...asked.skipped].length >= 2);
});

test('two workloads behind one Service have one route: what one of them says wrongly stops it', (t) => {
  const snapshot = web(3, {});
  const workloads = [
    ...snapshot.workloads,
    aWorkload('web2', 1, { service: 'web', annotations: named({ balancer: 'never' }) }),
  ];
  const pods = [...snapshot.pods, aPod('web2', 'n-a', 'web2-0', 900)];
  const { decisions, skipped } = step(anInput({ ...snapshot, workloads, pods }, { scaler: { mode: 'off' } }));
  t.deepEqual(decisions, []);
  t.deepEqual(
    skipped.map(({ workload, reason }) => [workload.name, reason]),
    [
      ['web', 'invalid'],
      ['web2', 'invalid'],
    ],
  );
});

test('whatever the annotations say, a step gives an answer for each part and changes nothing given to it', (t) => {
  const names = ['mode', 'metric', 'min-replicas', 'max-replicas', 'upper-threshold-percent', 'balancer', 'x'];
  const texts = ['on', 'off', 'full', 'cpu', '', '0', '1', '7', '99', '-3', 'NaN', '1e5', '__proto__'];
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...texts)),
      fc.constantFrom('off' as const, 'placement' as const, 'full' as const),
      (pairs, mode) => {
        const input = deepFreeze(anInput(web(4, named(pairs)), { scaler: { mode } }));
        const { decisions, skipped } = step(input);
        const bad = workloadPolicy(input.snapshot.workloads[0]!, input.config).problems.length > 0;
        const parts = new Set([
          ...skipped.map(({ part }) => part),
          ...decisions.map(({ kind }) => (kind === 'setRoute' ? 'balancer' : 'scaler')),
        ]);
        t.true(parts.has('balancer'));
        if (mode !== 'off') t.true(parts.has('scaler'));
        if (bad) t.deepEqual(decisions, []);
        for (const decision of decisions) {
          if (decision.kind === 'scaleUp' && 'max-replicas' in pairs)
            t.true(decision.replicasTo <= Math.max(4, Number(pairs['max-replicas'])));
        }
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});
