/** Packing by hand on small cases, against a slow twin on random ones. */
import test from 'ava';
import fc from 'fast-check';
import { pack, type PackInput, type PackItem, type PackNode, type PackStrategy } from '../../engine/index.js';
import { slowPack } from '../models/slowPack.js';
import { SEED } from '../seed.js';
import { deepFreeze, GIB } from './fixtures.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const item = (name: string, cores: number, gib = 0, over: Partial<PackItem> = {}): PackItem => ({
  name,
  cpuMillicores: cores * 1000,
  memoryBytes: gib * GIB,
  ...over,
});
const node = (name: string, cores: number, gib = 64, zone?: string): PackNode => ({
  name,
  cpuMillicores: cores * 1000,
  memoryBytes: gib * GIB,
  ...(zone === undefined ? {} : { zone }),
});
const STRATEGIES: readonly PackStrategy[] = [
  'first-fit-decreasing',
  'best-fit-decreasing',
  'worst-fit-decreasing',
  'network-aware',
  'affinity-aware',
];
/** `item@node`, in the order of the items. */
const where = (input: PackInput): string =>
  pack(input)
    .assignments.map((one) => `${one.item}@${one.node}`)
    .join(' ');

test('first, best and worst fit differ where they should', (t) => {
  // By size: x 5, y 3, z 2. First fit: x to A (8), y to A (full), z to B. Best fit: x to C (5, the tightest), y to B (6),
  // z to B (3 left is tighter than 8). Worst fit: x to A, y to B (6 left is the most), z to C (5 left against 3 and 3).
  const items = [item('z', 2), item('x', 5), item('y', 3)];
  const nodes = [node('A', 8), node('B', 6), node('C', 5)];
  t.is(where({ items, nodes, strategy: 'first-fit-decreasing' }), 'z@B x@A y@A');
  t.is(where({ items, nodes, strategy: 'best-fit-decreasing' }), 'z@B x@C y@B');
  t.is(where({ items, nodes, strategy: 'worst-fit-decreasing' }), 'z@C x@A y@B');
  t.is(pack({ items, nodes, strategy: 'first-fit-decreasing' }).nodesUsed, 2);
});

test('sizes are cores plus GiB, and ties keep the order given', (t) => {
  // a: 1 core + 4 GiB = 5, b: 4 cores + 1 GiB = 5, c: 6. c takes A, then a (it is named first) B.
  const items = [item('a', 1, 4), item('b', 4, 1), item('c', 3, 3)];
  const nodes = [node('A', 4, 4), node('B', 4, 4), node('C', 4, 4)];
  t.is(where({ items, nodes, strategy: 'first-fit-decreasing' }), 'a@B b@C c@A');
});

test('headroom stays free, of both resources or of each', (t) => {
  // 15 % of 4 cores leave 3.4, 20 % of 10 GiB leave 8.
  const nodes = [node('A', 4, 10)];
  const fits = (cores: number, gib: number, headroom: PackInput['headroom']): boolean =>
    pack({ items: [item('a', cores, gib)], nodes, strategy: 'first-fit-decreasing', ...(headroom ? { headroom } : {}) })
      .nodesUsed === 1;
  t.true(fits(3.4, 8, { cpu: 0.15, memory: 0.2 }));
  t.false(fits(3.401, 8, { cpu: 0.15, memory: 0.2 }));
  t.true(fits(3.6, 9, 0.1));
  t.false(fits(3.601, 9, 0.1));
  t.true(fits(4, 10, undefined));
});

test('what talks to each other comes together, on one node where one has room for all', (t) => {
  // a-b and c-d talk. Best fit alone would put a (4) and c (4) on A (8). Together a+b = 6 fit A, c+d = 6 fit B.
  const items = [item('a', 4), item('b', 2), item('c', 4), item('d', 2)];
  const nodes = [node('A', 8), node('B', 8)];
  const traffic = [
    { from: 'b', to: 'a', weight: 9 },
    { from: 'c', to: 'd', weight: 5 },
  ];
  t.is(where({ items, nodes, strategy: 'network-aware', traffic }), 'a@A b@A c@B d@B');
  t.is(where({ items, nodes, strategy: 'best-fit-decreasing' }), 'a@A b@B c@A d@B');
});

test('of a bundle that is too large the strongest ties hold', (t) => {
  // 4 + 3 + 3 > 8. a goes to the emptiest, B; then c (pull 7) beside it; b (pull 2 to a) finds only 1 left there.
  const items = [item('a', 4), item('b', 3), item('c', 3)];
  const nodes = [node('A', 7), node('B', 8)];
  const traffic = [
    { from: 'a', to: 'b', weight: 2 },
    { from: 'a', to: 'c', weight: 7 },
  ];
  t.is(where({ items, nodes, strategy: 'network-aware', traffic }), 'a@B b@A c@B');
});

test('an affinity group goes to one node, or to few', (t) => {
  const items = [
    item('a1', 3, 0, { affinityGroup: 'a' }),
    item('b1', 3, 0, { affinityGroup: 'b' }),
    item('a2', 3, 0, { affinityGroup: 'a' }),
    item('b2', 3, 0, { affinityGroup: 'b' }),
    item('alone', 2),
  ];
  t.is(
    where({ items, nodes: [node('A', 8), node('B', 8)], strategy: 'affinity-aware' }),
    'a1@A b1@B a2@A b2@B alone@A',
  );
  // No node takes both: a1 to the first of the emptiest, a2 by best fit to the next.
  const small = ['A', 'B', 'C', 'D'].map((name) => node(name, 5));
  t.is(pack({ items, nodes: small, strategy: 'affinity-aware' }).assignments.length, 5);
});

test('constraints hold under every strategy', (t) => {
  const items = [item('a', 1), item('b', 1), item('c', 1)];
  const nodes = [node('A', 8, 64, 'z1'), node('B', 8, 64, 'z1'), node('C', 8, 64, 'z2')];
  const traffic = [
    { from: 'a', to: 'b', weight: 1 },
    { from: 'b', to: 'c', weight: 1 },
  ];
  for (const strategy of STRATEGIES) {
    const names = ['a', 'b', 'c'];
    const spread = pack({
      items,
      nodes,
      strategy,
      traffic,
      constraints: { apart: [{ items: names, by: 'node' }] },
    });
    t.is(spread.nodesUsed, 3, strategy);
    const zones = pack({ items, nodes, strategy, traffic, constraints: { apart: [{ items: names, by: 'zone' }] } });
    t.is(zones.assignments.length, 2, strategy);
    t.regex(zones.unplaced[0]!.reason, /constraints allow none/);
    const only = pack({ items, nodes, strategy, traffic, constraints: { allowedNodes: { b: ['C'], c: [] } } });
    t.is(only.assignments.find((one) => one.item === 'b')?.node, 'C', strategy);
    t.deepEqual(
      only.unplaced.map(({ name }) => name),
      ['c'],
    );
    t.is(pack({ items, nodes, strategy, traffic, constraints: { maxItemsPerNode: 1 } }).nodesUsed, 3, strategy);
  }
});

test('odd input is answered with reasons', (t) => {
  const nodes = [node('A', 8), node('A', 99), { name: 'N', cpuMillicores: NaN, memoryBytes: 1 }];
  for (const strategy of STRATEGIES) {
    t.deepEqual(pack({ items: [], nodes: [], strategy }), { assignments: [], unplaced: [], nodesUsed: 0 });
    const odd = pack({ items: [item('a', 1), item('a', 1), item('b', NaN), item('c', 9)], nodes, strategy });
    t.deepEqual(odd.assignments, [{ item: 'a', node: 'A' }]);
    t.deepEqual(
      odd.unplaced.map(({ reason }) => reason),
      [
        'an earlier item has the same name',
        'its size is not a number from 0',
        'no node has 9000 millicores and 0 bytes free',
      ],
    );
    t.regex(pack({ items: [item('a', 1)], nodes, strategy, headroom: -1 }).unplaced[0]!.reason, /headroom -1/);
    t.is(pack({ items: [item('a', 1)], nodes, strategy, headroom: NaN }).assignments.length, 0);
  }
});

const amount = fc.record({ cpu: fc.nat(8), gib: fc.nat(8) });
const cluster = fc.record({
  items: fc.array(fc.record({ cpu: fc.nat(5), gib: fc.nat(5), group: fc.option(fc.nat(3)) }), { maxLength: 30 }),
  nodes: fc.array(amount, { maxLength: 12 }),
  traffic: fc.array(fc.record({ from: fc.nat(29), to: fc.nat(29), weight: fc.constantFrom(-1, 0, 1, 2, 50) }), {
    maxLength: 30,
  }),
  strategy: fc.constantFrom(...STRATEGIES),
  headroom: fc.constantFrom(0, 0.1, 0.25),
});

const inputOf = (w: typeof cluster extends fc.Arbitrary<infer W> ? W : never): PackInput => ({
  items: w.items.map(({ cpu, gib, group }, i) =>
    item(`i${i}`, cpu / 2, gib, group === null ? {} : { affinityGroup: `g${group}` }),
  ),
  nodes: w.nodes.map(({ cpu, gib }, i) => node(`n${i}`, cpu, gib)),
  traffic: w.traffic.map(({ from, to, weight }) => ({ from: `i${from}`, to: `i${to}`, weight })),
  strategy: w.strategy,
  headroom: w.headroom,
});

test('no node is over its capacity, every item has one answer, and the same input the same', (t) => {
  fc.assert(
    fc.property(cluster, (w) => {
      const input = deepFreeze(inputOf(w));
      const result = pack(input);
      t.deepEqual(pack(input), result);
      const names = [...result.assignments.map((one) => one.item), ...result.unplaced.map(({ name }) => name)];
      t.deepEqual(names.sort(), input.items.map(({ name }) => name).sort());
      const items = new Map(input.items.map((one) => [one.name, one]));
      for (const { name, cpuMillicores, memoryBytes } of input.nodes) {
        const here = result.assignments.filter((one) => one.node === name).map((one) => items.get(one.item)!);
        const sum = (of: (one: PackItem) => number): number => here.reduce((total, one) => total + of(one), 0);
        t.true(sum((one) => one.cpuMillicores) <= cpuMillicores * (1 - w.headroom) + 1e-6);
        t.true(sum((one) => one.memoryBytes) <= memoryBytes * (1 - w.headroom) + 1e-6);
      }
      t.is(result.nodesUsed, new Set(result.assignments.map((one) => one.node)).size);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('first, best and worst fit are those of the slow twin', (t) => {
  fc.assert(
    fc.property(cluster, (w) => {
      const input = inputOf(w);
      if (input.strategy === 'network-aware' || input.strategy === 'affinity-aware') return;
      const homes = new Map(pack(input).assignments.map((one) => [one.item, one.node]));
      t.deepEqual(
        input.items.map(({ name }) => homes.get(name) ?? null),
        slowPack(input),
      );
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('what is unplaced fits nowhere, so that a node with room is never left while an item waits', (t) => {
  fc.assert(
    fc.property(cluster, (w) => {
      const input = inputOf(w);
      const result = pack({ ...input, headroom: 0 });
      const items = new Map(input.items.map((one) => [one.name, one]));
      for (const { name } of result.unplaced) {
        const { cpuMillicores, memoryBytes } = items.get(name)!;
        for (const one of input.nodes) {
          const here = result.assignments.filter((entry) => entry.node === one.name);
          const cpu = here.reduce((sum, entry) => sum + items.get(entry.item)!.cpuMillicores, 0);
          const memory = here.reduce((sum, entry) => sum + items.get(entry.item)!.memoryBytes, 0);
          t.false(cpu + cpuMillicores <= one.cpuMillicores && memory + memoryBytes <= one.memoryBytes);
        }
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
});
