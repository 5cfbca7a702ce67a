import test from 'ava';
import { candidateNodesToAdd, nodeToRemoveFrom, scorePlacement, type RoomyNode } from '../../engine/index.js';

const GIB = 2 ** 30;

function node(name: string, zone: string, requested = 0, requestedGib = 0): RoomyNode {
  return {
    name,
    zone,
    allocatable: { cpuMillicores: 4000, memoryBytes: 16 * GIB },
    requested: { cpuMillicores: requested, memoryBytes: requestedGib * GIB },
    free: { cpuMillicores: 4000 - requested, memoryBytes: (16 - requestedGib) * GIB },
  };
}

const ZONES = { a: ['a1', 'a2'], b: ['b1'], c: ['c1'], d: ['d1'], e: ['e1'] };
const ALL = Object.entries(ZONES).flatMap(([zone, names]) => names.map((name) => node(name, zone)));
const SPREAD = { maxZones: 3, maxZoneSkew: 2 };
const podsOn = (...nodes: string[]) => nodes.map((name, index) => ({ name: `p${index}`, node: name }));
const add = (pods: string[], nodes = ALL, settings = SPREAD) =>
  candidateNodesToAdd({ zones: ZONES, pods: podsOn(...pods), nodes, settings });

test('until enough zones hold a replica, every fresh zone with room is a candidate and no other', (t) => {
  t.deepEqual(add([]), ['a1', 'a2', 'b1', 'c1', 'd1', 'e1']);
  t.deepEqual(add(['a1', 'a1', 'a1', 'a1']), ['b1', 'c1', 'd1', 'e1']);
  t.deepEqual(add(['a1', 'b1']), ['c1', 'd1', 'e1']);
});

test('full zones at the head of the list do not hide free ones at its end', (t) => {
  t.deepEqual(
    add(
      ['a1'],
      ALL.filter(({ zone }) => zone === 'a' || zone === 'e'),
    ),
    ['e1'],
  );
});

test('when no fresh zone has room the covered ones take the replica', (t) => {
  t.deepEqual(
    add(
      ['a1', 'b1'],
      ALL.filter(({ zone }) => zone === 'a' || zone === 'b'),
    ),
    ['b1', 'a2'].sort(),
  );
});

test('after that a zone holds at most the skew more than the emptiest candidate', (t) => {
  // a 3, b 1, c 1: a fourth in a would be 3 above. a 2: a third would be 2 above, allowed, and b and c come first.
  t.deepEqual(add(['a1', 'a1', 'a2', 'b1', 'c1']), ['b1', 'c1']);
  t.deepEqual(add(['a1', 'a2', 'b1', 'c1']), ['b1', 'c1', 'a1', 'a2']);
  t.deepEqual(add(['a1', 'a2', 'b1', 'c1'], ALL, { maxZones: 3, maxZoneSkew: 1 }), ['b1', 'c1']);
});

test('a full zone is not the emptiest candidate', (t) => {
  // b and c are full: a is the only candidate, whatever it holds.
  t.deepEqual(
    add(
      ['a1', 'a1', 'a1', 'b1', 'c1'],
      ALL.filter(({ zone }) => zone === 'a'),
    ),
    ['a2'],
  );
});

test('nodes that hold a replica come only when their zone has no other', (t) => {
  t.deepEqual(add(['a1', 'b1', 'c1']), ['a2', 'b1', 'c1']);
});

test('when the covered zones are full another zone takes the replica, and no room is no candidate', (t) => {
  t.deepEqual(
    add(
      ['a1', 'b1', 'c1'],
      ALL.filter(({ zone }) => zone === 'd'),
    ),
    ['d1'],
  );
  t.deepEqual(add(['a1'], []), []);
});

const remove = (pods: string[], nodes: RoomyNode[], metric: 'cpu' | 'memory' | 'cpu-memory' = 'cpu') =>
  nodeToRemoveFrom({
    zones: ZONES,
    pods: podsOn(...pods),
    nodes,
    settings: { metric, cpuWeight: 50, memoryWeight: 50 },
  });

test('a replica leaves the fullest zone, from its node with least free', (t) => {
  const nodes = [node('a1', 'a', 1000, 8), node('a2', 'a', 2000, 1), node('b1', 'b', 3900, 15)];
  t.is(remove(['a1', 'a2', 'b1'], nodes).node, 'a2');
  t.is(remove(['a1', 'a2', 'b1'], nodes, 'memory').node, 'a1');
  // Free fractions: a1 (0.75 + 0.5)/2 = 0.625, a2 (0.5 + 0.9375)/2 = 0.719.
  t.is(remove(['a1', 'a2', 'b1'], nodes, 'cpu-memory').node, 'a1');
});

test('with one replica in every zone the least free of all gives its up', (t) => {
  t.is(remove(['a1', 'b1'], [node('a1', 'a', 1000), node('a2', 'a', 4000), node('b1', 'b', 3000)]).node, 'b1');
});

test('a node without a replica is never chosen, however full', (t) => {
  t.is(remove(['a1', 'a1'], [node('a1', 'a', 100), node('a2', 'a', 4000)]).node, 'a1');
});

test('without replicas or figures there is no decision, and nothing throws', (t) => {
  t.is(remove([], ALL).node, null);
  t.is(remove(['elsewhere'], ALL).node, null);
  t.is(remove(['a1'], []).node, null);
});

const up = (name: string, rps: number) => ({ node: name, requestsPerSecond: rps, direction: 'upstream' as const });
const WEIGHTED = { placementRule: 'weightedSum' as const };

test('the score is the mean round trip to the neighbours by their share of the requests', (t) => {
  // x: 0.9*1 + 0.1*10 = 1.9; y: 0.9*4 + 0.1*1 = 3.7.
  const latencies = [
    { from: 'u', to: 'x', rttMs: 1 },
    { from: 'v', to: 'x', rttMs: 10 },
    { from: 'u', to: 'y', rttMs: 4 },
    { from: 'v', to: 'y', rttMs: 1 },
  ];
  const input = { candidates: ['y', 'x'], neighbours: [up('u', 90), up('v', 10)], latencies };
  const weighted = scorePlacement({ ...input, settings: WEIGHTED });
  t.deepEqual(
    weighted.map(({ node: name, score }) => [name, score.toFixed(6)]),
    [
      ['x', '1.900000'],
      ['y', '3.700000'],
    ],
  );
  // The older rule, sum of round trips 16: u->x .1 + 1/16 = .1625, u->y .1 + 4/16 = .35 (v's edges are .9 and more).
  const older = scorePlacement({ ...input, settings: { placementRule: 'minEdge' } });
  t.deepEqual(
    older.map(({ node: name, score }) => [name, score.toFixed(4)]),
    [
      ['x', '0.1625'],
      ['y', '0.3500'],
    ],
  );
});

test('the rules differ where the busiest caller is near one node and all others near another', (t) => {
  const pairs = { u: [1, 2], v: [20, 2], w: [20, 2] } as const;
  const latencies = Object.entries(pairs).flatMap(([from, [x, y]]) => [
    { from, to: 'x', rttMs: x },
    { from, to: 'y', rttMs: y },
  ]);
  const input = { candidates: ['x', 'y'], neighbours: [up('u', 40), up('v', 30), up('w', 30)], latencies };
  // Weighted: x .4*1+.6*20 = 12.4, y 2. Single edges: x .6+1/47, y .6+2/47.
  t.is(scorePlacement({ ...input, settings: WEIGHTED })[0]!.node, 'y');
  t.is(scorePlacement({ ...input, settings: { placementRule: 'minEdge' } })[0]!.node, 'x');
});

test('a round trip that nobody measured is never the best one', (t) => {
  // Only u -> near is known; 80 ms is slower than any guess, so the unknown pair is guessed at 80 and more.
  const ranked = scorePlacement({
    candidates: ['unknown', 'near'],
    neighbours: [up('u', 1)],
    latencies: [{ from: 'u', to: 'near', rttMs: 0.4 }],
    settings: WEIGHTED,
  });
  t.is(ranked[0]!.node, 'near');
});

test('without measurements the same node beats the same zone, that another zone, that another region', (t) => {
  const place = (zone: string, region: string) => ({ zone, region });
  const topology = {
    far: place('us/x', 'us'),
    other: place('eu/b', 'eu'),
    same: place('eu/a', 'eu'),
    u: place('eu/a', 'eu'),
  };
  const ranked = scorePlacement({
    candidates: ['far', 'other', 'same', 'u'],
    neighbours: [up('u', 5)],
    latencies: [],
    settings: { ...WEIGHTED, topology },
  });
  t.deepEqual(
    ranked.map(({ node: name }) => name),
    ['u', 'same', 'other', 'far'],
  );
  t.true(ranked.every(({ score }, index) => index === 0 || score > ranked[index - 1]!.score));
});

test('a caller counts with the way to the node, a callee with the way from it', (t) => {
  const latencies = [
    { from: 'n', to: 'x', rttMs: 1 },
    { from: 'x', to: 'n', rttMs: 9 },
    { from: 'n', to: 'y', rttMs: 9 },
    { from: 'y', to: 'n', rttMs: 1 },
  ];
  const best = (direction: 'upstream' | 'downstream') =>
    scorePlacement({
      candidates: ['x', 'y'],
      neighbours: [{ node: 'n', requestsPerSecond: 1, direction }],
      latencies,
      settings: WEIGHTED,
    })[0];
  t.deepEqual(best('upstream'), { node: 'x', score: 1 });
  t.deepEqual(best('downstream'), { node: 'y', score: 1 });
});

test('equal scores keep the order of the candidates', (t) => {
  const ranked = scorePlacement({ candidates: ['b', 'a'], neighbours: [], latencies: [], settings: WEIGHTED });
  t.deepEqual(ranked, [
    { node: 'b', score: 0 },
    { node: 'a', score: 0 },
  ]);
});
