import test from 'ava';
import fc from 'fast-check';
import {
  disruptionsAllowed,
  disruptNodes,
  type DisruptionInput,
  type DisruptionState,
  type KarpenterNode,
  type KarpenterPod,
  type KarpenterPool,
} from '../../../sim/cluster/karpenter.js';
import {
  batchDueUs,
  joinBatch,
  packPods,
  type Batch,
  type Offering,
  type PackingPod,
} from '../../../sim/cluster/karpenterPacking.js';
import { roomOf } from '../../../sim/cluster/nodeRoom.js';
import { anyPlacement, slowPack } from '../../models/slowKarpenter.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const SECOND_US = 1_000_000;
const NOW_US = 3600 * SECOND_US;

/** Sizes in cores; memory follows at 4 to 1 and never binds here. */
const size = (cores: number) => ({ cpuMillicores: cores * 1000, memoryBytes: cores * 4 });

function anOffering(instanceType: string, cores: number, priceUsdPerHour: number, spot = false): Offering {
  const capacityType = spot ? 'spot' : 'on-demand';
  return { instanceType, capacityType, priceUsdPerHour, allocatable: size(cores), podSlots: 110 };
}

const SMALL = anOffering('small', 2, 0.1);
const MEDIUM = anOffering('medium', 4, 0.19);
const LARGE = anOffering('large', 8, 0.4);

function aPool(fields: Partial<KarpenterPool> = {}): KarpenterPool {
  return {
    name: 'pool',
    weight: 1,
    offerings: [LARGE, SMALL, MEDIUM],
    daemons: size(0),
    policy: 'WhenEmptyOrUnderutilized',
    consolidateAfterUs: 0,
    budget: { percent: 100 },
    ...fields,
  };
}

function aPod(name: string, cores: number, fields: Partial<KarpenterPod> = {}): KarpenterPod {
  return {
    name,
    createdAtUs: 0,
    pools: ['pool'],
    daemon: false,
    movable: true,
    evictionCost: 1,
    ...size(cores),
    ...fields,
  };
}

function aNode(name: string, of: Offering, pods: KarpenterPod[], fields: Partial<KarpenterNode> = {}): KarpenterNode {
  return {
    name,
    pool: 'pool',
    ...of,
    pods,
    initialized: true,
    ready: true,
    deleting: false,
    nominated: false,
    doNotDisrupt: false,
    lastPodEventUs: 0,
    ...fields,
  };
}

function look(nodes: KarpenterNode[], fields: Partial<DisruptionInput> = {}) {
  return disruptNodes({
    nowUs: NOW_US,
    nodes,
    pools: [aPool()],
    pending: [],
    spotToSpot: false,
    state: { waiting: null },
    ...fields,
  });
}

/** What waits to be validated, in short: the nodes and the types that could replace them. */
function planned(nodes: KarpenterNode[], fields: Partial<DisruptionInput> = {}) {
  const command = look(nodes, fields).state.waiting?.command;
  if (!command) return null;
  const types = command.replacement?.options.map(({ instanceType }) => instanceType) ?? [];
  return [command.method, command.nodes.join(' '), types.join(' ')];
}

test('B16 worked: a batch ends 1 s after the last new pod, and 10 s after the first', (t) => {
  const dueAfter = (seconds: number[], names = seconds.map(String)) => {
    let batch: Batch | null = null;
    for (const [n, second] of seconds.entries()) batch = joinBatch(batch, names[n]!, second * SECOND_US);
    return batchDueUs(batch!) / SECOND_US;
  };
  t.is(dueAfter([0]), 1);
  t.is(dueAfter([0, 0.5, 1.2]), 2.2);
  t.is(dueAfter([0, 0.9, 1.8, 2.7, 3.6, 4.5, 5.4, 6.3, 7.2, 8.1, 9, 9.9]), 10);
  // The same pod again does not keep it open.
  t.is(dueAfter([0, 0.5], ['p', 'p']), 1);
});

function packed(cores: number[], pools = [aPool()], rooms: { name: string; cores: number; ready?: boolean }[] = []) {
  const pods = cores.map((one, p) => aPod(`p${p}`, one, { pools: pools.map(({ name }) => name) }));
  const nodes = rooms.map((room) => ({
    name: room.name,
    pool: 'pool',
    initialized: room.ready ?? true,
    room: roomOf(size(room.cores), 110, []),
  }));
  return packPods(pods, nodes, pools);
}
const bought = (cores: number[], pools?: KarpenterPool[]) =>
  packed(cores, pools).bins.map(({ options, pods }) => `${options[0]!.instanceType} ${pods.length}`);

test('B16: the cheapest type that holds a bin is bought', (t) => {
  t.deepEqual(bought([1.5]), ['small 1']);
  // 3 cores.
  t.deepEqual(bought([1.5, 1.5]), ['medium 2']);
  t.deepEqual(packed([1.5, 1.5]).bins[0]!.options, [MEDIUM, LARGE]);
});

test('B16: bins grow towards the largest type, even where smaller machines would be cheaper together', (t) => {
  // 4.5 cores on one large machine at 0.40; three small ones would be 0.30.
  t.deepEqual(bought([1.5, 1.5, 1.5]), ['large 3']);
});

test('B16: the bin with the fewest pods is tried first', (t) => {
  // 5 | 5, then 1 goes to the first, the next to the second, and so on.
  const { bins } = packed([5, 5, 1, 1, 1, 1]);
  t.deepEqual(
    bins.map(({ pods }) => pods.map(({ name }) => name)),
    [
      ['p0', 'p2', 'p4'],
      ['p1', 'p3', 'p5'],
    ],
  );
});

test('B16: nodes that exist are used before new ones, those that are up first', (t) => {
  const rooms = [
    { name: 'a', cores: 4, ready: false },
    { name: 'b', cores: 4 },
  ];
  const { placed, bins } = packed([3, 3, 3], undefined, rooms);
  t.deepEqual(
    [...placed].map(([pod, { name }]) => [pod, name]),
    [
      ['p0', 'b'],
      ['p1', 'a'],
    ],
  );
  t.is(bins.length, 1);
});

test('B16: pools go by weight, DaemonSets take their part, and what fits nowhere is named', (t) => {
  const heavy = aPool({ name: 'heavy', weight: 9, offerings: [SMALL], daemons: size(1) });
  const poolsOf = (cores: number[]) => packed(cores, [aPool(), heavy]).bins.map(({ pool }) => pool);
  // A small machine less 1 core takes 1, not 1.5; a bin that is open already goes before a heavier pool.
  t.deepEqual([poolsOf([1]), poolsOf([1.5]), poolsOf([1.5, 1])], [['heavy'], ['pool'], ['pool']]);
  t.deepEqual(
    packed([9, 1], [aPool(), heavy]).unplaced.map(({ name }) => name),
    ['p0'],
  );
});

test('B16: limits count nodes at their full size, and each new bin as the largest that it may become', (t) => {
  const limited = (limits: Partial<NonNullable<KarpenterPool['limits']>>) =>
    aPool({ limits: { cpuMillicores: Infinity, memoryBytes: Infinity, nodes: Infinity, ...limits } });
  // 11 cores: the first bin may become a large machine of 8, so only types up to 3 cores are left for the next.
  t.deepEqual(bought([6, 2, 2, 2], [limited({ cpuMillicores: 11_000 })]), ['large 2', 'small 1']);
  t.is(packed([6, 2, 2, 2], [limited({ cpuMillicores: 11_000 })]).unplaced.length, 1);
  t.deepEqual(bought([6, 6], [limited({ nodes: 1 })]), ['large 1']);
  // A node that is there counts against the limit with its whole size.
  const full = { name: 'n', pool: 'pool', initialized: true, room: roomOf(size(8), 110, [size(8)]), capacity: size(8) };
  const one = (cores: number) => packPods([aPod('p', 2)], [full], [limited({ cpuMillicores: cores * 1000 })]);
  t.is(one(9).bins.length, 0);
  t.is(one(10).bins[0]!.options[0], SMALL);
});

test('B16: a bin narrows to the zones of its pods', (t) => {
  const zoned = aPool({ zones: ['a', 'b', 'c'] });
  const pods = [
    aPod('p0', 1, { zones: ['a', 'b'] }),
    aPod('p1', 1, { zones: ['b', 'c'] }),
    aPod('p2', 1, { zones: ['c'] }),
    aPod('p3', 1),
  ];
  const node = { name: 'n', pool: 'pool', zone: 'c', initialized: true, room: roomOf(size(1), 110, []) };
  const { placed, bins } = packPods(pods, [node], [zoned]);
  t.deepEqual([...placed.keys()], ['p1']);
  t.deepEqual(
    bins.map((bin) => [bin.pods.map(({ name }) => name), bin.zones]),
    [
      // Both have one pod when p3 comes: the older one is first.
      [
        ['p0', 'p3'],
        ['a', 'b'],
      ],
      [['p2'], ['c']],
    ],
  );
});

test('B16: a command waits 15 s, the loop looks every 10 s', (t) => {
  const nodes = [aNode('n', SMALL, [])];
  const first = look(nodes);
  t.is(first.command, null);
  t.is(first.nextUs, NOW_US + 15 * SECOND_US);
  const early = look(nodes, { state: first.state, nowUs: NOW_US + 15 * SECOND_US - 1 });
  t.deepEqual([early.command, early.state], [null, first.state]);
  const due = look(nodes, { state: first.state, nowUs: NOW_US + 15 * SECOND_US });
  t.deepEqual(due.command, { method: 'empty', nodes: ['n'], replacement: null });
  t.deepEqual(due.state, { waiting: null });
  t.is(look([]).nextUs, NOW_US + 10 * SECOND_US);
});

test('B16: empty nodes go before anything else, all that the budget allows', (t) => {
  const nodes = [aNode('busy', LARGE, [aPod('p', 1)]), aNode('x', SMALL, []), aNode('y', SMALL, [])];
  t.deepEqual(planned(nodes), ['empty', 'x y', '']);
  t.deepEqual(planned(nodes, { pools: [aPool({ budget: { nodes: 1 } })] }), ['empty', 'x', '']);
  const daemon = aPod('d', 1, { daemon: true, movable: false });
  t.deepEqual(planned([aNode('n', SMALL, [daemon])]), ['empty', 'n', '']);
});

test('B16: a budget of 10 % rounds up, and nodes that are gone or going count against it', (t) => {
  const pool = aPool({ budget: { percent: 10 } });
  const allowed = (count: number, fields: Partial<KarpenterNode>[] = []) =>
    disruptionsAllowed(
      pool,
      Array.from({ length: count }, (_, n) => aNode(`n${n}`, SMALL, [], fields[n])),
    );
  t.deepEqual(
    [0, 1, 3, 10, 11, 20].map((count) => allowed(count)),
    [0, 1, 1, 1, 2, 2],
  );
  t.deepEqual([allowed(11, [{ ready: false }]), allowed(11, [{ deleting: true }, { ready: false }])], [1, 0]);
  t.is(allowed(3, [{ ready: false }, { deleting: true }]), 0);
  // A node that never came up counts neither way: 10 of 11.
  t.is(allowed(11, [{ initialized: false }]), 1);
});

test('B16: consolidateAfter counts from the last pod that came or went', (t) => {
  const nodes = [aNode('n', SMALL, [], { lastPodEventUs: NOW_US - 30 * SECOND_US })];
  const goes = (consolidateAfterUs: number | null) =>
    planned(nodes, { pools: [aPool({ consolidateAfterUs })] }) !== null;
  t.deepEqual([goes(0), goes(30 * SECOND_US), goes(30 * SECOND_US + 1), goes(null)], [true, true, false, false]);
});

test('B16: a node whose pods fit elsewhere goes, and one that is replaced by a cheaper machine', (t) => {
  const other = aNode('other', LARGE, [aPod('fixed', 6, { movable: false })]);
  t.deepEqual(planned([aNode('n', MEDIUM, [aPod('p', 2)]), other]), ['single-node', 'n', '']);
  // 3 cores do not fit the 2 that are left, nor a small machine; a medium one is not cheaper than itself.
  t.is(planned([aNode('n', MEDIUM, [aPod('p', 3)]), other]), null);
  // A large machine for 2 cores: small and medium are cheaper.
  t.deepEqual(planned([aNode('n', LARGE, [aPod('p', 2)])]), ['single-node', 'n', 'small medium']);
});

test('B16: pods that must stay, nodes marked or nominated, and the policy WhenEmpty hold a node', (t) => {
  const held = (pod: Partial<KarpenterPod>, node: Partial<KarpenterNode> = {}, pool: Partial<KarpenterPool> = {}) =>
    planned([aNode('n', LARGE, [aPod('p', 1, pod)], node)], { pools: [aPool(pool)] }) === null;
  t.false(held({}));
  t.true(held({ movable: false }));
  t.true(held({}, { doNotDisrupt: true }));
  t.true(held({}, { nominated: true }));
  t.true(held({}, { deleting: true }));
  t.true(held({}, { initialized: false }));
  t.true(held({}, { pool: null }));
  t.true(held({}, {}, { policy: 'WhenEmpty' }));
  t.true(held({}, {}, { budget: { nodes: 0 } }));
});

test('B16: pods do not move to a node that is not up yet', (t) => {
  const coming = aNode('coming', LARGE, [], { initialized: false });
  t.is(planned([aNode('n', SMALL, [aPod('p', 1)]), coming]), null);
});

test('B16: several nodes go together where one cheaper machine takes their pods', (t) => {
  const nodes = [aNode('x', MEDIUM, [aPod('p', 0.5)]), aNode('y', MEDIUM, [aPod('q', 0.5)])];
  // 1 core fits a small machine; medium is out, as keeping x would be the same.
  t.deepEqual(planned(nodes), ['multi-node', 'x y', 'small']);
});

test('B16: one node is never replaced by two', (t) => {
  // Two pods of 6 cores need two large machines, which at 0.80 would still be cheaper.
  const huge = anOffering('huge', 16, 5);
  t.is(planned([aNode('n', huge, [aPod('p', 6), aPod('q', 6)])]), null);
});

test('B16: several nodes are not replaced by one of their own type', (t) => {
  const nodes = ['x', 'y', 'z'].map((name) => aNode(name, MEDIUM, [aPod(`p${name}`, 1)]));
  // All three would need a medium machine; the first two fit on the third.
  t.deepEqual(planned(nodes), ['multi-node', 'x y', '']);
});

test('B16: nodes go in order of what moving their pods costs', (t) => {
  const busy = (name: string, pods: number) =>
    aNode(
      name,
      MEDIUM,
      Array.from({ length: pods }, (_, p) => aPod(`${name}${p}`, 0.5)),
    );
  // Any one of them fits on the others; with a budget of one only the cheapest to move is asked.
  const pools = [aPool({ budget: { nodes: 1 } })];
  t.deepEqual(planned([busy('x', 3), busy('y', 1), busy('z', 2)], { pools }), ['single-node', 'y', '']);
  const dear = aNode('y', MEDIUM, [aPod('y0', 0.5, { evictionCost: 9 })]);
  t.deepEqual(planned([busy('x', 3), dear, busy('z', 2)], { pools }), ['single-node', 'z', '']);
});

test('B16: on-demand is replaced by spot alone where that is cheaper', (t) => {
  const pools = [aPool({ offerings: [SMALL, anOffering('small', 2, 0.03, true), LARGE] })];
  const waiting = look([aNode('n', LARGE, [aPod('p', 1)])], { pools }).state.waiting!;
  t.deepEqual(
    waiting.command.replacement!.options.map(({ capacityType, priceUsdPerHour }) => [capacityType, priceUsdPerHour]),
    [['spot', 0.03]],
  );
});

test('B16: spot is replaced by spot only with the feature gate and 15 cheaper types', (t) => {
  const spots = (count: number) =>
    Array.from({ length: count }, (_, n) => anOffering(`t${n}`, 2, 0.01 * (n + 1), true));
  const dear = anOffering('dear', 2, 0.5, true);
  const types = (count: number, spotToSpot: boolean, taken = dear) => {
    const fields = { pools: [aPool({ offerings: [...spots(count), taken] })], spotToSpot };
    return look([aNode('n', taken, [aPod('p', 1)])], fields).state.waiting?.command.replacement?.options.length ?? null;
  };
  t.deepEqual([types(20, false), types(14, true), types(15, true), types(20, true)], [null, null, 15, 15]);
  // Without a replacement it may go as any other.
  const room = aNode('room', LARGE, [aPod('fixed', 1, { movable: false })]);
  t.deepEqual(planned([aNode('n', dear, [aPod('p', 1)]), room]), ['single-node', 'n', '']);
});

test('B16: what no longer holds after 15 s is dropped', (t) => {
  const room = aNode('room', LARGE, [aPod('fixed', 1, { movable: false })]);
  const node = aNode('n', SMALL, [aPod('p', 1)]);
  const { state } = look([node, room]);
  const after = (nodes: KarpenterNode[], fields: Partial<DisruptionInput> = {}) =>
    look(nodes, { state, nowUs: NOW_US + 15 * SECOND_US, ...fields }).command;
  t.deepEqual(after([node, room])?.nodes, ['n']);
  t.is(after([{ ...node, nominated: true }, room]), null);
  t.is(after([node, room], { pools: [aPool({ budget: { nodes: 0 } })] }), null);
  const event = { lastPodEventUs: NOW_US + 14 * SECOND_US };
  t.is(after([{ ...node, ...event }, room], { pools: [aPool({ consolidateAfterUs: 5 * SECOND_US })] }), null);
  // Meanwhile the room went to others: now it would take a replacement.
  t.is(after([node, { ...room, pods: [aPod('fixed', 8, { movable: false })] }]), null);
});

test('B16: after a command that no longer holds the loop goes on with the next method', (t) => {
  const nodes = [aNode('empty', SMALL, []), aNode('n', MEDIUM, [aPod('p', 1)])];
  const command = { method: 'multi-node', nodes: ['gone', 'n'], replacement: null } as const;
  const state = { waiting: { command, dueUs: NOW_US } };
  t.deepEqual(planned(nodes), ['empty', 'empty', '']);
  t.deepEqual(planned(nodes, { state }), ['single-node', 'n', '']);
});

test('B16: a replacement must still be among what the pods need, and empty nodes may be fewer', (t) => {
  const node = aNode('n', LARGE, [aPod('p', 1)]);
  const { state } = look([node]);
  const at = { state, nowUs: NOW_US + 15 * SECOND_US };
  t.is(look([node], at).command?.replacement?.options[0]?.instanceType, 'small');
  // A second pod of 2 cores no longer fits a small machine.
  t.is(look([{ ...node, pods: [...node.pods, aPod('q', 2)] }], at).command, null);

  const empty: DisruptionState = look([aNode('x', SMALL, []), aNode('y', SMALL, [])]).state;
  const now = [aNode('x', SMALL, [aPod('new', 1)]), aNode('y', SMALL, [])];
  t.deepEqual(look(now, { ...at, state: empty }).command?.nodes, ['y']);
});

const anyPods = fc.array(fc.record({ cpuMillicores: fc.nat(9), memoryBytes: fc.nat(9) }), { maxLength: 12 });
const named = (sizes: { cpuMillicores: number; memoryBytes: number }[], prefix: string): PackingPod[] =>
  sizes.map((one, p) => ({ name: `${prefix}${String(p).padStart(2, '0')}`, createdAtUs: 0, pools: ['pool'], ...one }));
const MACHINES = [
  { name: 'wide', cpuMillicores: 12, memoryBytes: 4, podSlots: 3 },
  { name: 'deep', cpuMillicores: 4, memoryBytes: 12, podSlots: 4 },
  { name: 'even', cpuMillicores: 8, memoryBytes: 8, podSlots: 5 },
];

test(`packing agrees with adding up what lies where ${SEED_NOTE}`, (t) => {
  const offerings = MACHINES.map((machine, m): Offering => {
    const { name, podSlots, ...allocatable } = machine;
    return { instanceType: name, capacityType: 'on-demand', priceUsdPerHour: m + 1, allocatable, podSlots };
  });
  const property = fc.property(anyPods, fc.nat(2), (sizes, nodeCount) => {
    const pods = named(sizes, 'p');
    const nodes = MACHINES.slice(0, nodeCount);
    const packing = packPods(
      pods,
      nodes.map((node) => ({
        name: node.name,
        pool: 'pool',
        initialized: true,
        room: roomOf(node, node.podSlots, []),
      })),
      [aPool({ offerings })],
    );
    const found: Record<string, string[]> = {};
    for (const [pod, { name }] of packing.placed) (found[name] ??= []).push(pod);
    packing.bins.forEach((bin, b) => (found[`bin ${b}`] = bin.pods.map(({ name }) => name)));
    if (packing.unplaced.length > 0) found['none'] = packing.unplaced.map(({ name }) => name);
    const byName = [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
    t.deepEqual(found, slowPack(pods, byName, MACHINES));
    // The options of a bin are exactly the types that hold all of it.
    for (const { pods: inside, options } of packing.bins) {
      const able = MACHINES.filter((machine) => anyPlacement(inside, [{ machine, lying: [] }]));
      t.deepEqual(new Set(options.map(({ instanceType }) => instanceType)), new Set(able.map(({ name }) => name)));
    }
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 1000 }));
});

test(`every command leaves room for all pods, costs less and keeps to the budget ${SEED_NOTE}`, (t) => {
  const offerings = [SMALL, MEDIUM, LARGE];
  const node = fc.record({
    of: fc.constantFrom(...offerings),
    cores: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
  });
  let commands = 0;
  const property = fc.property(fc.array(node, { maxLength: 6 }), fc.integer({ min: 0, max: 4 }), (given, budget) => {
    const nodes = given
      .filter(({ of, cores }) => cores.reduce((a, b) => a + b, 0) * 1000 <= of.allocatable.cpuMillicores)
      .map(({ of, cores }, n) =>
        aNode(
          `n${n}`,
          of,
          cores.map((one, p) => aPod(`n${n}p${p}`, one)),
        ),
      );
    const pools = [aPool({ budget: { nodes: budget } })];
    const { state } = look(nodes, { pools });
    const { command } = look(nodes, { pools, state, nowUs: NOW_US + 15 * SECOND_US });
    t.deepEqual(command, state.waiting?.command ?? null, 'nothing changed, so it still holds');
    if (!command) return;
    commands++;
    const gone = nodes.filter(({ name }) => command.nodes.includes(name));
    const bought = command.replacement?.options[0];
    const machines = nodes
      .filter((one) => !gone.includes(one))
      .map((one) => ({ machine: { ...one.allocatable, podSlots: 110 }, lying: one.pods }));
    if (bought) machines.push({ machine: { ...bought.allocatable, podSlots: 110 }, lying: [] });
    const price = gone.reduce((sum, { priceUsdPerHour }) => sum + priceUsdPerHour, 0);
    t.true(
      anyPlacement(
        gone.flatMap(({ pods }) => pods),
        machines,
      ),
    );
    t.true((bought?.priceUsdPerHour ?? 0) < price);
    t.true(gone.length <= budget);
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 500 }));
  t.true(commands > 100, `only ${commands} commands`);
});
