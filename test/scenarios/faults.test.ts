/** Faults in a file: names, pairs, ramps. */
import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const withFault = (fault: string): string => small(['    - {at: 2m, for: 1m, zoneOutage: r1/a}', `    - ${fault}`]);

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

const times = { atUs: 180e6, forUs: 60e6 };

for (const [fault, loaded] of [
  [
    'serviceFailure: {service: ledger, share: 20%}, ramp: 30s',
    { kind: 'serviceFailure', service: 1, share: 0.2, rampUs: 30e6 },
  ],
  [
    'linkLatency: {between: [r1/a, r1/b], added: 50ms}',
    { kind: 'linkLatency', from: 0, to: 1, addedUs: 50_000, rampUs: 0 },
  ],
  ['linkLoss: {between: [r1/b, r1/a], share: 1%}', { kind: 'linkLoss', from: 1, to: 0, share: 0.01, rampUs: 0 }],
  ['zonePartition: [r1/a, r1/b]', { kind: 'zonePartition', from: 0, to: 1, rampUs: 0 }],
  ['retryStorm: {load: checkout/pay, retries: 3}', { kind: 'retryStorm', load: 0, retries: 3, rampUs: 0 }],
  ['loadBurst: {load: checkout/pay, times: 3}, ramp: 30s', { kind: 'loadBurst', load: 0, times: 3, rampUs: 30e6 }],
  ['crashLoop: {service: ledger, every: 30s}', { kind: 'crashLoop', service: 1, pods: null, everyUs: 30e6, rampUs: 0 }],
  [
    'slowPod: {service: ledger, pods: 2, share: 50%}, ramp: 30s',
    { kind: 'slowPod', service: 1, pods: 2, share: 0.5, rampUs: 30e6 },
  ],
  ['istiodDown: {}', { kind: 'istiodDown', rampUs: 0 }],
  ['prometheusOutage: {}', { kind: 'prometheusOutage', rampUs: 0 }],
  ['scrapeGap: {}', { kind: 'scrapeGap', rampUs: 0 }],
  ['staleMetrics: {}', { kind: 'staleMetrics', rampUs: 0 }],
  ['apiErrors: {share: 25%}', { kind: 'apiErrors', share: 0.25, rampUs: 0 }],
  ['apiSlow: {added: 5s}', { kind: 'apiSlow', addedUs: 5e6, rampUs: 0 }],
] as const)
  // The warm-up of a minute is added to the times.
  test(`${loaded.kind} is loaded`, (t) =>
    t.deepEqual(load(withFault(`{at: 2m, for: 1m, ${fault}}`)).faults, [{ ...loaded, ...times }]));

const FAULT = 'spec.faults[0]';
test(
  'a service that is not there',
  finds,
  withFault('{at: 1m, serviceFailure: {service: ¦leger, share: 5%}}'),
  `WT0301 ${FAULT}.serviceFailure.service: unknown service "leger"`,
);
test(
  'a slow pod of no service',
  finds,
  withFault('{at: 1m, slowPod: {service: ¦leger, share: 5%}}'),
  `WT0301 ${FAULT}.slowPod.service: unknown service "leger"`,
);
test(
  'a load that is not there',
  finds,
  withFault('{at: 1m, retryStorm: {load: ¦users, retries: 2}}'),
  `WT0313 ${FAULT}.retryStorm.load: unknown load "users"`,
);
test(
  'a link of a zone with itself',
  finds,
  withFault('{at: 1m, zonePartition: ¦[r1/a, r1/a]}'),
  `WT0207 ${FAULT}.zonePartition: a pair of one zone with itself`,
);
test(
  'a ramp of what cannot grow',
  finds,
  withFault('{at: 1m, ramp: ¦10s, zonePartition: [r1/a, r1/b]}'),
  `WT0207 ${FAULT}.ramp: this fault is there or not: it cannot grow`,
);

test('a drain is loaded, and a disruption budget', (t) => {
  const text = withFault('{at: 2m, for: 1m, nodeDrain: pool-r1-a-0}').replace(
    '    - name: ledger\n',
    '    - name: ledger\n      disruptionBudget: {minAvailable: 50%}\n',
  );
  const { faults, services } = load(text);
  t.deepEqual(faults, [{ kind: 'nodeDrain', node: 0, ...times }]);
  t.deepEqual(services[1]!.disruptionBudget, {
    limit: { minAvailable: '50%' },
    unhealthyPodEviction: 'IfHealthyBudget',
  });
});
test(
  'a drain of a node that is not there',
  finds,
  withFault('{at: 1m, nodeDrain: ¦pool-r1-a-9}'),
  `WT0311 ${FAULT}.nodeDrain: unknown node "pool-r1-a-9"`,
);
test('a crash is loaded, and a leak of a service with a limit', (t) => {
  t.deepEqual(load(withFault('{at: 2m, podCrash: {service: checkout, pods: 2}}')).faults, [
    { kind: 'podCrash', service: 0, pods: 2, atUs: 180e6, forUs: null, rampUs: 0 },
  ]);
  const leaking = withFault('{at: 2m, memoryLeak: {service: checkout, perSecond: 1Mi}}').replace(
    'limits: {cpu: "1"}',
    'limits: {cpu: "1", memory: 512Mi}',
  );
  t.deepEqual(load(leaking).faults, [
    { kind: 'memoryLeak', service: 0, bytesPerSecond: 2 ** 20, atUs: 180e6, forUs: null, rampUs: 0 },
  ]);
});
test(
  'a leak without a limit',
  finds,
  withFault('{at: 1m, memoryLeak: {service: ¦ledger, perSecond: 1Mi}}'),
  `WT0401 ${FAULT}.memoryLeak.service: ledger has no memory limit to be killed at`,
);
test(
  'a crash that lasts',
  finds,
  withFault('{at: 1m, for: ¦10s, podCrash: {service: ledger}}'),
  `WT0207 ${FAULT}.for: a crash is over at once`,
);
test(
  'a burst of a load that is not there',
  finds,
  withFault('{at: 1m, loadBurst: {load: ¦users, times: 2}}'),
  `WT0313 ${FAULT}.loadBurst.load: unknown load "users"`,
);

test(
  'a budget that is neither a number nor a percentage',
  finds,
  small(['    - name: ledger\n', '    - name: ledger\n      disruptionBudget: {minAvailable: ¦120%}\n']),
  'WT0204 spec.services[1].disruptionBudget.minAvailable: not a number of pods',
);
test(
  'a budget that says both',
  finds,
  small([
    '    - name: ledger\n',
    '    - name: ledger\n      disruptionBudget: ¦{minAvailable: 1, maxUnavailable: 1}\n',
  ]),
  'WT0207 spec.services[1].disruptionBudget: minAvailable and maxUnavailable exclude each other',
);
