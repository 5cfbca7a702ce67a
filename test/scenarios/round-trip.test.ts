/** Round trips of a file: stated pairs, published matrices, pairs of nodes, in the order in which they hold. */
import test from 'ava';
import { simulate } from '../../sim/index.js';
import type { Step } from '../../scenarios/types.js';
import { aLoad, aNode, anEndpoint, aScenario, aService, call, constant } from '../sim/builders.js';
import { linesOf, load, small } from './fixtures.js';

const withRoundTrip = (zones: string, roundTrip: string, faults = ''): string =>
  small(
    ['zones: [r1/a, r1/b]', `zones: [${zones}]\n    roundTrip: ${roundTrip}`],
    ['from: {r1/a: 70%, r1/b: 30%}\n', 'arrivals: poisson\n'],
    ['  faults:\n    - {at: 2m, for: 1m, zoneOutage: r1/a}\n', faults],
  );

test('C1: a published matrix gives the round trips between regions, and what is stated comes first', (t) => {
  const zones = 'us-east-1/a, eu-west-1/a, eu-west-1/b';
  const built = load(withRoundTrip(zones, '{matrix: aws-2017}')).cluster.roundTrip;
  t.deepEqual(
    built.pairs.map(({ from, to, roundTripUs }) => [from, to, roundTripUs]),
    [
      [0, 1, 80_500],
      [0, 2, 80_500],
      [1, 0, 80_500],
      [2, 0, 80_500],
    ],
  );
  const stated = load(
    withRoundTrip(zones, '{matrix: aws-2017, pairs: [{between: [us-east-1/a, eu-west-1/a], roundTrip: 75ms}]}'),
  ).cluster.roundTrip;
  t.deepEqual(
    stated.pairs.filter(({ from, to }) => from + to === 1).map(({ roundTripUs }) => roundTripUs),
    [75_000, 75_000],
  );
  t.deepEqual(load(withRoundTrip(zones, '{matrix: aws-2017, crossRegion: 90ms}')).cluster.roundTrip.pairs, []);
});

test('C1: the matrix of Azure in the UK has zones, too', (t) => {
  const { sameZoneUs, crossZoneUs, pairs } = load(
    withRoundTrip('uksouth/1, uksouth/2, ukwest/1', '{matrix: azure-uk, crossZone: 2ms}'),
  ).cluster.roundTrip;
  t.deepEqual([sameZoneUs, crossZoneUs], [908, 2000]);
  t.is(pairs[0]!.roundTripUs, 5387);
});

test('regions that nobody measured are announced', (t) => {
  const { notices } = load(withRoundTrip('us-west-2/a, eu-west-1/a', '{matrix: aws-2017}'));
  t.deepEqual(
    notices.filter(({ code }) => code === 'WT0507').map(({ message }) => message),
    ['aws-2017 has nothing for us-west-2 and eu-west-1: the default of crossRegion holds'],
  );
});

test('pairs of nodes are named as the pool names them', (t) => {
  const two = load(withRoundTrip('r1/a, r1/b', '{nodes: [{between: [pool-r1-a-0, pool-r1-b-1], roundTrip: 5ms}]}'))
    .cluster.roundTrip;
  t.deepEqual(two.nodePairs, [
    { from: 0, to: 3, roundTripUs: 5000 },
    { from: 3, to: 0, roundTripUs: 5000 },
  ]);
  const wrong = linesOf(
    withRoundTrip(
      'r1/a, r1/b',
      '{nodes: [{between: [pool-r1-a-0, pool-r1-c-0], roundTrip: 5ms}, {between: [pool-r1-a-0, pool-r1-a-0], roundTrip: 5ms}]}',
    ),
  );
  t.is(wrong.length, 2, wrong.join('\n'));
});

test('a pair of nodes has its own round trip, and a slower link slows it, too', (t) => {
  // One caller and one callee on two nodes of two zones: 10 ms of waiting, 6 ms there and back instead of 1.2.
  const nodes = [aNode('n0', 0), aNode('n1', 1)];
  const work: Step = { kind: 'wait', delay: constant(10_000) };
  const services = [
    aService({ name: 'front', replicas: 1, replicasPerZone: [1, 0], endpoints: [anEndpoint([call(1)])] }),
    aService({ name: 'back', replicas: 1, replicasPerZone: [0, 1], endpoints: [anEndpoint([work])] }),
  ];
  const base = aScenario({
    zones: 2,
    nodes,
    services,
    loads: [aLoad(1, { arrivals: 'even', from: [{ atUs: 0, shares: [1, 0] }] })],
    run: { warmUpUs: 0, durationUs: 20e6 },
  });
  const nodePairs = [
    { from: 0, to: 1, roundTripUs: 6000 },
    { from: 1, to: 0, roundTripUs: 6000 },
  ];
  const far = { ...base, cluster: { ...base.cluster, roundTrip: { ...base.cluster.roundTrip, nodePairs } } };
  const edgeMs = (scenario: typeof far): number =>
    simulate(scenario, { policy: 0, seed: 1 }).edges.find(({ destination }) => destination === 'back')!.latencyMs.mean!;
  t.is(edgeMs(far), 16);
  const faults = [{ kind: 'linkLatency' as const, from: 0, to: 1, addedUs: 4000, atUs: 0, forUs: null, rampUs: 0 }];
  t.is(edgeMs({ ...far, faults }), 20);
});
