import test from 'ava';
import { offeredLoad } from '../../scenarios/saturation.js';
import { linesOf, load, unmarked } from './fixtures.js';

/** checkout in two versions, 90 to 10. */
const CANARY = `apiVersion: wavetank/v1alpha1
kind: Scenario
metadata: {name: canary, why: A test.}
spec:
  cluster:
    zones: [r1/a]
    nodePools:
      - {name: pool, nodesPerZone: 2, instanceType: m5.xlarge, prices: aws/us-east-1}
  services:
    - name: checkout
      replicas: 4
      labels: {version: v1}
      resources: {requests: {cpu: 100m, memory: 256Mi}}
      workers: 4
      endpoints: [{name: pay, cpu: 5ms}]
    - name: checkout-v2
      versionOf: checkout
      replicas: 1
      labels: {version: v2}
      resources: {requests: {cpu: 100m, memory: 256Mi}}
      workers: 4
      endpoints: [{name: pay, cpu: 5ms}]
  mesh:
    objects:
      - apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: rule}
        spec: {host: checkout, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
      - apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: routes}
        spec:
          hosts: [checkout]
          http:
            - route:
                - {destination: {host: checkout, subset: v1}, weight: 90}
                - {destination: {host: checkout, subset: v2}, weight: 10}
  load:
    - {entry: checkout/pay, rate: 100/s}
  policies: {static: {}}
`;

/** The VirtualService. */
const ROUTES = /      - apiVersion: \S+\n        kind: VirtualService[^]*(?=  load:)/;

const with_ = (...replacements: readonly (readonly [string, string])[]): string =>
  replacements.reduce((text, [piece, by]) => {
    if (!text.includes(piece)) throw new Error(`the fixture holds no ${piece}`);
    return text.replace(piece, () => by);
  }, CANARY);

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test('a version stands behind the host of its service, told apart by its labels', (t) => {
  const scenario = load(CANARY);
  t.deepEqual(
    scenario.services.map(({ name, labels, versionOf }) => ({ name, labels, versionOf })),
    [
      { name: 'checkout', labels: { app: 'checkout', version: 'v1' }, versionOf: null },
      { name: 'checkout-v2', labels: { app: 'checkout', version: 'v2' }, versionOf: 0 },
    ],
  );
  t.deepEqual(scenario.notices, []);
});

test(
  'a version is no host: it is neither called nor ruled',
  finds,
  with_(
    ['{entry: checkout/pay', '{entry: ¦checkout-v2/pay'],
    ['{host: checkout, subsets', '{host: ¦checkout-v2, subsets'],
  ),
  'WT0402 spec.mesh.objects[0].spec.host: a version of checkout, not a host',
  'WT0401 spec.load[0].entry: checkout-v2 is a version of checkout, not a host',
);
test(
  'versions must have the same endpoints',
  finds,
  with_(['endpoints: [{name: pay, cpu: 5ms}]\n  mesh', 'endpoints: ¦[{name: refund, cpu: 5ms}]\n  mesh']),
  'WT0302 spec.services[1].endpoints: not the endpoints of checkout',
);
test('a host with versions may be called as a whole, or by a subset of several', (t) => {
  const whole = with_([
    '{destination: {host: checkout, subset: v2}, weight: 10}',
    '{destination: {host: checkout}, weight: 10}',
  ]);
  const several = with_(['labels: {version: v2}\n', 'labels: {version: v1}\n'], ['subset: v2}', 'subset: v1}']);
  const unrouted = CANARY.replace(ROUTES, '');
  for (const text of [whole, several, unrouted]) t.deepEqual(load(text).notices, []);
});
test(
  'a circle of calls through a version is found',
  finds,
  with_([
    'endpoints: [{name: pay, cpu: 5ms}]\n  mesh',
    'endpoints: [{name: pay, steps: [{call: ¦checkout/pay}]}]\n  mesh',
  ]),
  'WT0306 spec.services[1].endpoints[0].steps[0].call: the calls form a circle: checkout/pay -> checkout-v2/pay -> checkout/pay',
);
test('versions of a host are offered shares by their pods', (t) => {
  const text = CANARY.replace(ROUTES, '');
  // 100 a second over 4 + 1 pods.
  t.deepEqual(
    offeredLoad(load(text)).map(({ requestsPerSecond }) => requestsPerSecond),
    [80, 20],
  );
});
test(
  'an unknown service to be a version of is refused',
  finds,
  with_(
    ['versionOf: checkout\n', 'versionOf: ¦check\n'],
    [', subset: v2}, weight: 10', '}, weight: 10'],
    [', subset: v1}', '}'],
  ),
  'WT0302 spec.services[1].versionOf: no service "check"',
);
test('a subset whose labels nobody has is said to be answered by the proxy', (t) => {
  t.deepEqual(
    load(with_(['name: v2, labels: {version: v2}', 'name: v2, labels: {version: v3}'])).notices.map(
      ({ message }) => message,
    ),
    ['no pods have the labels of the subset "v2": answered with 503 (UH)'],
  );
});
