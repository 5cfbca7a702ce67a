/** Which losses are planned for a small cluster of two zones and four nodes, counted by hand. */
import test from 'ava';
import type { Decision } from '../../engine/types.js';
import { lossScenario, meanRatePerSecond, planBlackHoles, planLosses, routesInForce } from '../../scenarios/losses.js';
import { load, small } from './fixtures.js';

/** checkout is 0, ledger is 1. The first two nodes stand in zone a, the others in zone b. */
const PLACEMENT = [[0, 1], [1, 0], [0], [0, 0]];
const NONE = { zones: false, nodes: false, pairsOf: [], blackHoles: false };

test('each zone is lost once, and nodes that hold the same services are tried once', (t) => {
  const scenario = load(small());
  const names = scenario.cluster.nodes.map(({ name }) => `node ${name}`);
  const losses = planLosses(scenario, PLACEMENT, { ...NONE, zones: true, nodes: true });
  t.deepEqual(
    losses.map(({ name, alike }) => [name, alike.length]),
    [
      ['zone r1/a', 1],
      ['zone r1/b', 1],
      [names[0], 2],
      [names[2], 1],
      [names[3], 1],
    ],
  );
  t.deepEqual(losses[2]!.alike, names.slice(0, 2));
});

test('nodes of two zones are never alike, whatever they hold', (t) => {
  const losses = planLosses(load(small()), [[0], [0], [0], [0]], { ...NONE, nodes: true });
  t.deepEqual(
    losses.map(({ nodes, alike }) => [nodes[0], alike.length]),
    [
      [0, 2],
      [2, 2],
    ],
  );
});

test('pairs are those of nodes that hold the named services', (t) => {
  const scenario = load(small());
  const pairsOf = (services: number[]): unknown =>
    planLosses(scenario, PLACEMENT, { ...NONE, pairsOf: services }).map(({ nodes, alike }) => [nodes, alike.length]);
  // ledger runs on the first two nodes alone.
  t.deepEqual(pairsOf([1]), [[[0, 1], 1]]);
  // checkout runs everywhere: six pairs, of which 0+2 is alike to 1+2, and 0+3 to 1+3.
  t.deepEqual(pairsOf([0]), [
    [[0, 1], 1],
    [[0, 2], 2],
    [[0, 3], 2],
    [[2, 3], 1],
  ]);
});

test('a loss replaces the faults of the scenario, a minute after the warm-up, and leaves the load alone', (t) => {
  const scenario = load(small());
  const [zone] = planLosses(scenario, PLACEMENT, { ...NONE, zones: true });
  const lost = lossScenario(scenario, zone!, 5e6);
  t.deepEqual(lost.faults, [{ kind: 'zoneOutage', zone: 0, atUs: scenario.run.warmUpUs + 60e6, forUs: 5e6 }]);
  t.is(lost.loads, scenario.loads);
  t.is(lost.run.durationUs, 480e6);
  t.deepEqual(lossScenario(scenario, null, null).faults, []);
  const [pair] = planLosses(scenario, PLACEMENT, { ...NONE, pairsOf: [1] });
  t.deepEqual(
    lossScenario(scenario, pair!, null).faults.map((fault) => fault.kind === 'nodeLoss' && [fault.node, fault.forUs]),
    [
      [0, null],
      [1, null],
    ],
  );
});

test('the mean rate is that of the measured part, ramps and steps included', (t) => {
  // 90/s for a minute, a ramp with mean 120/s for a minute, 150/s for two: (90 + 120 + 2 x 150) / 4.
  const ramp = 'rate: {points: [{at: 0s, rate: 90/s}, {at: 1m, rate: 90/s}, {at: 2m, rate: 150/s}]}';
  const run = '  run: {duration: 4m, warmUp: 1m}\n  policies:';
  const scenario = load(small(['rate: 100/s', ramp], ['  policies:', run]));
  t.true(Math.abs(meanRatePerSecond(scenario) - 127.5) < 1e-9);
  // Twice the rate for 30 of 240 s.
  const burst = 'rate: {base: 80/s, bursts: [{at: 1m, for: 30s, times: 2}]}';
  const stepped = load(small(['rate: 100/s', burst], ['  policies:', run]));
  t.true(Math.abs(meanRatePerSecond(stepped) - 90) < 1e-9);
});

const DISTRIBUTE = `trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [
          {from: r1/a/*, to: {r1/a/*: 100}}, {from: r1/b/*, to: {r1/a/*: 20, r1/b/*: 80}}, {from: r9/z/*, to: {r1/b/*: 100}}]}}}`;
const WITH_ROUTE = ['trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}', DISTRIBUTE] as const;

test('a black hole is planned for each set of zones that an entry of a route names', (t) => {
  const scenario = load(small(WITH_ROUTE));
  const holes = planBlackHoles(scenario, routesInForce(scenario, 0, []));
  // The third entry speaks of callers that there are none of.
  t.deepEqual(
    holes.map(({ name, service, zones }) => [name, service, zones]),
    [
      ['black hole checkout: r1/a', 0, [0]],
      ['black hole checkout: all', 0, [0, 1]],
    ],
  );
  const plain = load(small());
  t.deepEqual(planBlackHoles(plain, routesInForce(plain, 0, [])), []);
});

test('what the engine has written goes before the rule of the file', (t) => {
  const scenario = load(small(WITH_ROUTE));
  const decision: Decision = {
    kind: 'setRoute',
    workload: { namespace: 'default', kind: 'Deployment', name: 'ledger' },
    because: 'test',
    signals: {},
    rejected: [],
    host: 'ledger.default.svc.cluster.local',
    destinationRule: { namespace: 'default', name: 'ledger', create: true },
    distribute: [],
    localityLbSetting: { enabled: true, distribute: [{ from: 'r1/b/*', to: { 'r1/b/*': 100 } }] },
  } as unknown as Decision;
  const off = { ...decision, host: 'checkout', localityLbSetting: { enabled: false } } as Decision;
  const holes = planBlackHoles(scenario, routesInForce(scenario, 0, [decision, off]));
  t.deepEqual(
    holes.map(({ name }) => name),
    ['black hole ledger: r1/b'],
  );
});
