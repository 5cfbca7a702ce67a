import test from 'ava';
import fc from 'fast-check';
import {
  autoscaleNodes,
  DEFAULT_AUTOSCALER_SETTINGS,
  newAutoscalerState,
  utilization,
  type AutoscaledNode,
  type AutoscaledPod,
  type AutoscalerDecision,
  type AutoscalerInput,
  type NodeGroup,
  type WaitingPod,
} from '../../../sim/cluster/clusterAutoscaler.js';
import { bestExpansion, estimateNodes } from '../../../sim/cluster/nodeGroups.js';
import { slowNodeCount, slowRemovalLoop } from '../../models/slowAutoscaler.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const GI = 1024 * 1024 * 1024;
const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
const NOW_US = 600 * MINUTE_US;

const size = (cores: number, gi: number) => ({ cpuMillicores: cores * 1000, memoryBytes: gi * GI });

function aGroup(name: string, fields: Partial<NodeGroup> = {}): NodeGroup {
  return {
    name,
    minNodes: 0,
    maxNodes: 10,
    targetNodes: 0,
    priceUsdPerHour: 0.2,
    capacity: size(4, 16),
    allocatable: size(4, 16),
    daemons: size(0, 0),
    podSlots: 110,
    ...fields,
  };
}

function waiting(count: number, cores: number, gi: number, fields: Partial<WaitingPod> = {}): WaitingPod[] {
  return Array.from({ length: count }, (_, p) => ({
    name: `wait-${cores}-${p}`,
    createdAtUs: 0,
    groups: ['a', 'b'],
    ...size(cores, gi),
    ...fields,
  }));
}

function aPod(cores: number, gi: number, fields: Partial<AutoscaledPod> = {}): AutoscaledPod {
  return { name: 'pod', daemon: false, movable: true, groups: ['a', 'b'], ...size(cores, gi), ...fields };
}

function aNode(name: string, pods: AutoscaledPod[], fields: Partial<AutoscaledNode> = {}): AutoscaledNode {
  return {
    name,
    group: 'a',
    createdAtUs: 0,
    ready: true,
    allocatable: size(4, 16),
    podSlots: 110,
    pods,
    scaleDownDisabled: false,
    deleting: null,
    ...fields,
  };
}

function loop(fields: Partial<AutoscalerInput>) {
  return autoscaleNodes({
    nowUs: NOW_US,
    groups: [aGroup('a', { targetNodes: fields.nodes?.filter(({ group }) => group === 'a').length ?? 0 })],
    nodes: [],
    pending: [],
    expander: 'least-waste',
    draw: 0,
    settings: DEFAULT_AUTOSCALER_SETTINGS,
    state: newAutoscalerState(),
    ...fields,
  });
}

/** What the loops from now on decide, one every 10 s, with time in seconds from the first; empty ones left out. */
function loops(fields: Partial<AutoscalerInput>, seconds: number): [number, AutoscalerDecision][] {
  let state = fields.state ?? newAutoscalerState();
  const found: [number, AutoscalerDecision][] = [];
  for (let second = 0; second <= seconds; second += 10) {
    const outcome = loop({ ...fields, nowUs: NOW_US + second * SECOND_US, state });
    state = outcome.state;
    found.push(...outcome.decisions.map((decision): [number, AutoscalerDecision] => [second, decision]));
  }
  return found;
}

const brief = (decision: AutoscalerDecision | undefined) =>
  decision === undefined
    ? 'nothing'
    : decision.kind === 'remove'
      ? `remove ${decision.node}${decision.drain ? ' drain' : ''}`
      : decision.kind === 'halt'
        ? 'halt'
        : `${decision.kind} ${decision.nodes} ${decision.group}`;
const briefs = (decisions: readonly AutoscalerDecision[]) => decisions.map(brief);

const stuck = aPod(3.9, 1, { name: 'stuck', movable: false });
/** A full node to keep company: it has room for nothing, and stays. */
const full = aNode('full', [stuck]);
/** A node that could take a lot, and stays. */
const roomy = aNode('roomy', [aPod(8, 1, { movable: false })], { allocatable: size(16, 64) });

test('B15 worked: 1.8 of 4 cores and 1 of 16 Gi is 0.45 and unneeded, 2.0 of 4 cores is 0.50 and stays', (t) => {
  t.is(utilization(aNode('n', [aPod(1.8, 1)])), 0.45);
  t.is(utilization(aNode('n', [aPod(2, 1)])), 0.5);
  t.is(utilization(aNode('n', [aPod(1, 12)])), 0.75);
  const unneeded = (cores: number) =>
    loop({ nodes: [aNode('n', [aPod(cores, 1)]), roomy] }).state.unneeded.map(({ node }) => node);
  t.deepEqual([unneeded(1.8), unneeded(2)], [['n'], []]);
});

test('B15: a node goes at the first loop more than 10 minutes after it became unneeded', (t) => {
  const found = loops({ nodes: [aNode('n', [aPod(1, 1)]), roomy] }, 700);
  t.deepEqual(found[0], [610, { kind: 'remove', node: 'n', drain: true, because: 'unneeded for 610 s' }]);
});

test('B15: an unready node waits 20 minutes', (t) => {
  const found = loops({ nodes: [aNode('n', [], { ready: false }), roomy] }, 1300);
  t.deepEqual([found[0]![0], brief(found[0]![1])], [1210, 'remove n']);
});

test('B15: pods that cannot move or have nowhere to go keep their node', (t) => {
  const keeps = (pod: AutoscaledPod, other: AutoscaledNode) =>
    loops({ nodes: [aNode('n', [pod]), other] }, 700).length === 0;
  t.true(keeps(aPod(1, 1, { movable: false }), roomy));
  t.true(keeps(aPod(1, 1), full));
  t.true(keeps(aPod(1, 1, { groups: ['b'] }), roomy));
  t.true(keeps(aPod(1, 1), aNode('down', [], { ready: false, scaleDownDisabled: true, allocatable: size(16, 64) })));
  t.false(keeps(aPod(1, 1), roomy));
});

test('B15: a DaemonSet pod counts as used, but need not move', (t) => {
  const daemon = (cores: number) => aPod(cores, 1, { daemon: true, movable: false });
  t.is(brief(loops({ nodes: [aNode('n', [daemon(1.9)]), full] }, 700)[0]?.[1]), 'remove n');
  t.deepEqual(loops({ nodes: [aNode('n', [daemon(2)]), full] }, 700), []);
});

test('B15: two nodes that need each other do not both go', (t) => {
  // Each holds 1 of 4 cores: the first moves to the second, and then there is no third.
  const nodes = [aNode('x', [aPod(1, 1)]), aNode('y', [aPod(1, 1)]), full];
  t.deepEqual(
    loop({ nodes }).state.unneeded.map(({ node }) => node),
    ['x'],
  );
});

test('B15: guests of a node that goes too move on with its own pods', (t) => {
  // x's 1.5 cores go to y, and with y's own 1.5 they need 3; z has 2 left.
  const z = aNode('z', [aPod(2, 1, { movable: false })]);
  const nodes = [aNode('x', [aPod(1.5, 1)]), aNode('y', [aPod(1.5, 1)]), z];
  t.deepEqual(
    loop({ nodes }).state.unneeded.map(({ node }) => node),
    ['x'],
  );
});

test('B15: nodes whose pods found no place are looked at again after 5 minutes', (t) => {
  const first = loop({ nodes: [aNode('n', [aPod(1, 1)]), full] });
  const nodes = [aNode('n', [aPod(1, 1)]), roomy];
  const unneeded = (seconds: number) =>
    loop({ nodes, state: first.state, nowUs: NOW_US + seconds * SECOND_US }).state.unneeded.length;
  t.deepEqual([unneeded(10), unneeded(299), unneeded(300)], [0, 0, 1]);
});

test('B15: up to 10 empty nodes go at once, one drained at a time, and never below the minimum', (t) => {
  const state = (names: string[]) => ({
    ...newAutoscalerState(),
    unneeded: names.map((node) => ({ node, sinceUs: NOW_US - 601 * SECOND_US })),
  });
  const names = Array.from({ length: 12 }, (_, n) => `n${String(n).padStart(2, '0')}`);
  const empty = names.map((name) => aNode(name, []));
  t.is(loop({ nodes: [...empty, roomy], state: state(names) }).decisions.length, 10);
  // Three are on their way out already.
  const leaving = empty.map((node, n) => (n < 3 ? { ...node, deleting: 'empty' as const } : node));
  t.is(loop({ nodes: [...leaving, roomy], state: state(names) }).decisions.length, 7);

  const busy = ['x', 'y'].map((name) => aNode(name, [aPod(0.5, 1)]));
  t.deepEqual(briefs(loop({ nodes: [...busy, roomy], state: state(['x', 'y']) }).decisions), ['remove x drain']);
  const draining = [{ ...busy[0]!, deleting: 'drain' as const }, busy[1]!, roomy];
  t.deepEqual(loop({ nodes: draining, state: state(['y']) }).decisions, []);

  const groups = [aGroup('a', { targetNodes: 13, minNodes: 11 })];
  t.is(loop({ nodes: [...empty, roomy], groups, state: state(names) }).decisions.length, 2);
});

test('B15: nothing goes for 10 minutes after growth and 3 minutes after a failure', (t) => {
  const nodes = [aNode('n', []), roomy];
  const unneeded = [{ node: 'n', sinceUs: 0 }];
  const goes = (fields: object) =>
    loop({ nodes, state: { ...newAutoscalerState(), unneeded, ...fields } }).decisions.length;
  t.deepEqual([goes({ grewAtUs: NOW_US - 599 * SECOND_US }), goes({ grewAtUs: NOW_US - 600 * SECOND_US })], [0, 1]);
  t.deepEqual([goes({ failedAtUs: NOW_US - 179 * SECOND_US }), goes({ failedAtUs: NOW_US - 180 * SECOND_US })], [0, 1]);
});

test('B15: the loop halts when more than 3 and more than 45 % of the nodes are unready, and timers begin anew', (t) => {
  const nodes = (unready: number, all: number) =>
    Array.from({ length: all }, (_, n) => aNode(`n${n}`, [stuck], { ready: n >= unready }));
  const halts = (unready: number, all: number) =>
    briefs(loop({ nodes: nodes(unready, all), pending: waiting(1, 1, 1) }).decisions).includes('halt');
  // 3 of 3 is too few, 4 of 9 is 44 %, 9 of 20 is exactly 45 %.
  t.deepEqual([halts(3, 3), halts(4, 9), halts(9, 20), halts(4, 8), halts(10, 20)], [false, false, false, true, true]);
  const state = { ...newAutoscalerState(), unneeded: [{ node: 'n5', sinceUs: 0 }] };
  t.deepEqual(loop({ nodes: nodes(4, 8), state }).state.unneeded, []);
  // Nodes that are only just starting are not unready.
  const young = nodes(8, 8).map((node) => ({ ...node, createdAtUs: NOW_US - MINUTE_US }));
  t.notDeepEqual(briefs(loop({ nodes: young }).decisions), ['halt']);
});

test('B15: pending pods make a group grow by the nodes they need, up to its maximum', (t) => {
  // Two of 1.5 cores fit into 4.
  t.deepEqual(briefs(loop({ pending: waiting(5, 1.5, 1) }).decisions), ['add 3 a']);
  const groups = [aGroup('a', { maxNodes: 2 })];
  t.deepEqual(briefs(loop({ groups, pending: waiting(5, 1.5, 1) }).decisions), ['add 2 a']);
  // Too big for the template, or not allowed there.
  t.deepEqual(loop({ pending: waiting(1, 5, 1) }).decisions, []);
  t.deepEqual(loop({ pending: waiting(1, 1, 1, { groups: ['b'] }) }).decisions, []);
  // DaemonSets leave 3.5 cores: one of 1.9 in each.
  const withDaemons = [aGroup('a', { daemons: size(0.5, 0) })];
  t.deepEqual(briefs(loop({ groups: withDaemons, pending: waiting(2, 1.9, 1) }).decisions), ['add 2 a']);
});

test('B15: room on nodes, and on nodes that are on their way, is used before more are asked for', (t) => {
  t.deepEqual(loop({ nodes: [aNode('n', [])], pending: waiting(2, 2, 1) }).decisions, []);
  const groups = [aGroup('a', { targetNodes: 2 })];
  const state = { ...newAutoscalerState(), requests: [{ group: 'a', dueUs: NOW_US + MINUTE_US }] };
  t.deepEqual(loop({ groups, state, pending: waiting(4, 2, 1) }).decisions, []);
  t.deepEqual(briefs(loop({ groups, state, pending: waiting(5, 2, 1) }).decisions), ['add 1 a']);
});

test('B15: pods that are all younger than 2 s wait a loop, and nothing shrinks meanwhile', (t) => {
  const state = { ...newAutoscalerState(), unneeded: [{ node: 'n', sinceUs: 0 }] };
  const decide = (ageUs: number) =>
    briefs(
      loop({
        nodes: [aNode('n', [])],
        state,
        pending: waiting(1, 4.5, 1, { createdAtUs: NOW_US - ageUs, groups: ['a'] }),
      }).decisions,
    );
  // It fits nowhere, so after the wait the empty node may go.
  t.deepEqual([decide(2 * SECOND_US - 1), decide(2 * SECOND_US)], [[], ['remove n']]);
});

test('B15: least-waste, price and random choose their group, and the draw breaks ties', (t) => {
  // 4 pods of 1 core, 1 Gi: a takes one node of 4/16 (waste 0 + 12/16), b one of 8/8 (0.5 + 0.5).
  const groups = [aGroup('a'), aGroup('b', { capacity: size(8, 8), allocatable: size(8, 8), priceUsdPerHour: 0.1 })];
  const pods = waiting(4, 1, 1);
  const chosen = (expander: 'least-waste' | 'price' | 'random', draw: number) =>
    bestExpansion(groups, pods, expander, draw)!.group.name;
  t.deepEqual(
    [chosen('least-waste', 0.9), chosen('price', 0), chosen('random', 0.49), chosen('random', 0.5)],
    ['a', 'b', 'a', 'b'],
  );
  const twins = [aGroup('b'), aGroup('a')];
  t.deepEqual(
    [0.49, 0.5].map((draw) => bestExpansion(twins, pods, 'least-waste', draw)!.group.name),
    ['a', 'b'],
  );
});

test('B15: nodes that do not come within 15 minutes are given up, and the group backs off for 5 minutes', (t) => {
  const first = loop({ pending: waiting(1, 1, 1) });
  const groups = [aGroup('a', { targetNodes: 1 })];
  const at = (seconds: number) =>
    loop({ groups, pending: waiting(1, 1, 1), state: first.state, nowUs: NOW_US + seconds * SECOND_US });
  t.deepEqual(at(900).decisions, []);
  const given = at(901);
  t.deepEqual(briefs(given.decisions), ['abandon 1 a']);
  const after = (seconds: number) =>
    briefs(loop({ pending: waiting(1, 1, 1), state: given.state, nowUs: NOW_US + seconds * SECOND_US }).decisions);
  t.deepEqual([after(1200), after(1201)], [[], ['add 1 a']]);
});

test('B15: back-offs go 5, 10, 20, 30, 30 minutes, and a success or 3 quiet hours end the series', (t) => {
  let state = newAutoscalerState();
  let nowUs = NOW_US;
  const lengths: number[] = [];
  for (let failure = 0; failure < 5; failure++) {
    state = loop({ pending: waiting(1, 1, 1), state, nowUs }).state;
    nowUs += 901 * SECOND_US;
    state = loop({ groups: [aGroup('a', { targetNodes: 1 })], state, nowUs }).state;
    lengths.push(state.backOffs[0]!.lengthUs / MINUTE_US);
    nowUs = state.backOffs[0]!.untilUs + 1;
  }
  t.deepEqual(lengths, [5, 10, 20, 30, 30]);
  t.is(loop({ state, nowUs: state.backOffs[0]!.failedAtUs + 180 * MINUTE_US + 1 }).state.backOffs.length, 0);
  const grown = loop({ pending: waiting(1, 1, 1), state, nowUs });
  t.deepEqual(loop({ nodes: [aNode('new', [stuck])], state: grown.state, nowUs: nowUs + 1 }).state.backOffs, []);
});

test(`the nodes that pods need agree with packing them the long way ${SEED_NOTE}`, (t) => {
  const pod = fc.record({ cpuMillicores: fc.integer({ min: 0, max: 9 }), memoryBytes: fc.integer({ min: 0, max: 9 }) });
  const property = fc.property(fc.array(pod, { maxLength: 25 }), fc.integer({ min: 1, max: 6 }), (sizes, podSlots) => {
    const pods = sizes.map((one, p) => ({ name: `p${p}`, createdAtUs: 0, groups: ['a'], ...one }));
    const allocatable = { cpuMillicores: 8, memoryBytes: 8 };
    t.is(estimateNodes(aGroup('a', { allocatable, podSlots }), pods).nodes, slowNodeCount(pods, allocatable, podSlots));
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 1000 }));
});

test(`the loop of a removal agrees with one read off the whole history ${SEED_NOTE}`, (t) => {
  const stretch = fc.record({
    idle: fc.nat(4).map((n) => n > 0),
    grew: fc.nat(9).map((n) => n === 0),
    length: fc.integer({ min: 1, max: 50 }),
  });
  const property = fc.property(fc.array(stretch, { maxLength: 8 }), (stretches) => {
    const history = stretches.flatMap(({ idle, grew, length }) =>
      Array.from({ length }, (_, n) => ({ idle, grew: grew && n === 0 })),
    );
    let state = newAutoscalerState();
    let removed = -1;
    for (const [n, { idle, grew }] of history.entries()) {
      if (removed >= 0) break;
      const nodes = [aNode('n', [aPod(idle ? 1 : 3, 1)]), roomy];
      const outcome = loop({
        nowUs: NOW_US + n * 10 * SECOND_US,
        nodes,
        pending: grew ? waiting(1, 4, 16, { groups: ['b'] }) : [],
        groups: [aGroup('a', { targetNodes: 2 }), aGroup('b')],
        state,
      });
      state = outcome.state;
      if (outcome.decisions.some(({ kind }) => kind === 'remove')) removed = n;
    }
    t.is(removed, slowRemovalLoop(history));
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 300 }));
});
