/** Properties of the exported functions on random input. The seed is printed; WAVETANK_SEED replays it. */
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
  candidateNodesToAdd,
  l1Distance,
  nodeToRemoveFrom,
  scorePlacement,
  stepToward,
  targetDistribution,
  type RoomyNode,
  type SourceDistribution,
} from '../../engine/index.js';
import { toPercents } from '../../engine/percents.js';
import { targetShares } from '../../engine/target-distribution.js';
import { SEED } from '../seed.js';
import { deepFreeze } from './fixtures.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void, numRuns = 500): void =>
  fc.assert(fc.property(arbitrary, property), { numRuns, seed: SEED });

/** Rows that sum to 100, over at most six places. */
const row = fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }).filter((weights) => weights.some((w) => w > 0));
const distribution = (rows: readonly (readonly number[])[]): SourceDistribution[] =>
  rows.map((weights, i) => ({
    from: `s${i}`,
    to: Object.fromEntries(toPercents(weights).flatMap((share, place) => (share > 0 ? [[`p${place}`, share]] : []))),
  }));
const positive = fc.double({ min: 0.01, max: 300, noNaN: true });
const stepSettings = fc
  .record({
    minStep: fc.double({ min: 0, max: 100, noNaN: true }),
    maxStep: fc.double({ min: 0.01, max: 100, noNaN: true }),
    urgencyThreshold: positive,
    epsilon: fc.double({ min: 0, max: 5, noNaN: true }),
    urgencyScope: fc.constantFrom('perSource' as const, 'total' as const),
  })
  .map((s) => ({ ...s, minStep: Math.min(s.minStep, s.maxStep) }));

test('steps arrive within epsilon of any target under every setting, and never swing back', (t) => {
  const world = fc.record({
    rows: fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 5 }),
    settings: stepSettings,
  });
  check(
    world,
    ({ rows, settings }) => {
      let current = distribution(rows.map(([from]) => from));
      const target = deepFreeze(distribution(rows.map(([, to]) => to)));
      const isThere = (source: number): boolean => {
        const [now, then] = [current[source]!.to, target[source]!.to];
        return [...new Set([...Object.keys(now), ...Object.keys(then)])].every(
          (place) => Math.abs((now[place] ?? 0) - (then[place] ?? 0)) <= settings.epsilon,
        );
      };
      // Every step takes at least two points of at most 200 off the distance of a source that is not there.
      for (let cycle = 0; cycle <= 100; cycle++) {
        const { next } = stepToward({ current: deepFreeze(current), target, settings });
        next.forEach((after, source) => {
          const before = l1Distance([current[source]!], [target[source]!]);
          const left = l1Distance([after], [target[source]!]);
          if (!isThere(source)) t.true(left < before, JSON.stringify({ rows, settings, cycle }));
        });
        current = next;
      }
      for (let source = 0; source < rows.length; source++) t.true(isThere(source), JSON.stringify({ rows, settings }));
    },
    300,
  );
});

test('l1Distance is a distance', (t) => {
  const rows = fc.array(row, { maxLength: 3 });
  check(fc.tuple(rows, rows, rows), (three) => {
    const [a, b, c] = three.map(distribution) as [SourceDistribution[], SourceDistribution[], SourceDistribution[]];
    t.is(l1Distance(a, a), 0);
    t.is(l1Distance(a, b), l1Distance(b, a));
    t.true(l1Distance(a, c) <= l1Distance(a, b) + l1Distance(b, c));
  });
});

interface Scene {
  readonly pods: readonly { place: number; load: number | null }[];
  readonly rtts: readonly number[];
  readonly p95: readonly (number | null)[];
  readonly changed: number;
  readonly by: number;
  readonly minLocalShare: number;
}

const PLACES = 4;
const scene: fc.Arbitrary<Scene> = fc.record({
  pods: fc.array(
    fc.record({ place: fc.nat(PLACES - 1), load: fc.option(fc.double({ min: 0, max: 3, noNaN: true })) }),
    { maxLength: 12 },
  ),
  rtts: fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: PLACES * 2, maxLength: PLACES * 2 }),
  p95: fc.array(fc.option(fc.double({ min: 0, max: 2000, noNaN: true })), { minLength: PLACES, maxLength: PLACES }),
  changed: fc.nat(PLACES * 2 - 1),
  by: fc.double({ min: 0, max: 2, noNaN: true }),
  minLocalShare: fc.constantFrom(0, 0.35, 1),
});

type Target = Parameters<typeof targetDistribution>[0];

/** Two sources, p0 and p1, and four places. */
function targetOf({ pods, rtts, p95, minLocalShare }: Scene): Target {
  return {
    pods: pods.map(({ place, load }, i) => ({
      name: `pod-${i}`,
      node: `p${place}`,
      utilization: load === null ? null : { cpu: load, memory: 0 },
    })),
    upstreamNodes: ['p0', 'p1'],
    latencies: rtts.map((rttMs, i) => ({ from: `p${Math.floor(i / PLACES)}`, to: `p${i % PLACES}`, rttMs })),
    p95ByNode: Object.fromEntries(p95.flatMap((ms, place) => (ms === null ? [] : [[`p${place}`, ms]]))),
    settings: { metric: 'cpu', cpuWeight: 1, memoryWeight: 1, responseTimeTargetMs: 100, minLocalShare },
  };
}

function shareOf(input: Target, from: string, to: string): number | null {
  const found = targetShares(input).find((one) => one.from === from);
  return found ? (found.shares[found.ends.indexOf(to)] ?? null) : null;
}

function percentOf(input: Target, from: string, to: string): number {
  return targetDistribution(input).find((edge) => edge.from === from && edge.to === to)?.percent ?? 0;
}

const NOISE = 1e-9;

/** Shares of every source that the change may touch: `worse` must get no more, and at most a point by rounding. */
function getsNoMore(t: ExecutionContext, better: Target, worse: Target, from: string, to: string): void {
  const [before, after] = [shareOf(better, from, to), shareOf(worse, from, to)];
  if (before === null || after === null) return;
  t.true(after <= before + NOISE, JSON.stringify({ better, worse, before, after }));
  t.true(percentOf(worse, from, to) <= percentOf(better, from, to) + 1);
}

test('more load on a place never raises its share', (t) => {
  check(scene, (s) => {
    const place = s.changed % PLACES;
    const heavier = s.pods.map((pod) =>
      pod.place === place && pod.load !== null ? { ...pod, load: pod.load + s.by } : pod,
    );
    for (const from of ['p0', 'p1']) getsNoMore(t, targetOf(s), targetOf({ ...s, pods: heavier }), from, `p${place}`);
  });
});

test('a smaller latency to a place never lowers its share', (t) => {
  check(scene, (s) => {
    const longer = s.rtts.map((rttMs, i) => (i === s.changed ? rttMs * (1 + s.by) : rttMs));
    const from = `p${Math.floor(s.changed / PLACES)}`;
    getsNoMore(t, targetOf(s), targetOf({ ...s, rtts: longer }), from, `p${s.changed % PLACES}`);
  });
});

test('a longer response time of a place never raises its share', (t) => {
  check(scene, (s) => {
    const place = s.changed % PLACES;
    const slower = s.p95.map((ms, i) => (i === place && ms !== null ? ms * (1 + s.by) : ms));
    for (const from of ['p0', 'p1']) getsNoMore(t, targetOf(s), targetOf({ ...s, p95: slower }), from, `p${place}`);
  });
});

test('percents of a target sum to 100 per source, whatever is missing or not a number', (t) => {
  const odd = fc.constantFrom(NaN, Infinity, -1);
  check(fc.tuple(scene, odd, fc.boolean(), fc.boolean()), ([s, bad, badLoad, badRtt]) => {
    const input = targetOf(s);
    const spoilt = deepFreeze({
      ...input,
      pods: badLoad
        ? input.pods.map((pod, i) => (i % 2 ? pod : { ...pod, utilization: { cpu: bad, memory: bad } }))
        : input.pods,
      latencies: badRtt ? input.latencies.map((one, i) => (i % 3 ? one : { ...one, rttMs: bad })) : input.latencies,
    });
    const edges = targetDistribution(spoilt);
    t.deepEqual(targetDistribution(spoilt), edges);
    const held = new Set(spoilt.pods.map(({ node }) => node));
    for (const { to, percent } of edges) t.true(held.has(to) && Number.isInteger(percent) && percent > 0);
    for (const from of new Set(edges.map((edge) => edge.from))) {
      const sum = edges.filter((edge) => edge.from === from).reduce((total, { percent }) => total + percent, 0);
      t.is(sum, 100, JSON.stringify(spoilt));
    }
  });
});

const cluster = fc.record({
  zones: fc.array(fc.array(fc.nat(9), { maxLength: 4 }), { minLength: 1, maxLength: 4 }),
  pods: fc.array(fc.nat(11), { maxLength: 12 }),
  roomy: fc.array(fc.nat(9), { maxLength: 10 }),
  free: fc.array(fc.constantFrom(0, 100, 100, 2000, NaN), { minLength: 10, maxLength: 10 }),
  maxZones: fc.integer({ min: 1, max: 4 }),
  maxZoneSkew: fc.integer({ min: 1, max: 3 }),
  metric: fc.constantFrom('cpu' as const, 'memory' as const, 'cpu-memory' as const),
});

function clusterOf(w: typeof cluster extends fc.Arbitrary<infer W> ? W : never) {
  const zones = Object.fromEntries(w.zones.map((nodes, zone) => [`z${zone}`, nodes.map((node) => `n${node}`)]));
  const zoneOf = new Map<string, string>();
  for (const [zone, nodes] of Object.entries(zones)) for (const n of nodes) if (!zoneOf.has(n)) zoneOf.set(n, zone);
  const nodeOf = (node: number): RoomyNode => ({
    name: `n${node}`,
    zone: zoneOf.get(`n${node}`) ?? 'nowhere',
    allocatable: { cpuMillicores: 4000, memoryBytes: 4000 },
    requested: { cpuMillicores: 0, memoryBytes: 0 },
    free: { cpuMillicores: w.free[node]!, memoryBytes: w.free[node]! },
  });
  const settings = { ...w, cpuWeight: 50, memoryWeight: 50 };
  const pods = w.pods.map((node, i) => ({ name: `pod-${i % 7}`, node: `n${node}` }));
  return { zones, zoneOf, pods, nodeOf, settings };
}

test('nodes to add are listed, have room, come once, and are in a fresh zone while too few are covered', (t) => {
  let fresh = 0;
  check(cluster, (w) => {
    const { zones, zoneOf, pods, nodeOf, settings } = clusterOf(w);
    const nodes = w.roomy.map(nodeOf);
    const input = deepFreeze({ zones, pods, nodes, settings });
    const answer = candidateNodesToAdd(input);
    t.deepEqual(candidateNodesToAdd({ ...input, pods: [...pods].reverse() }), answer);
    t.is(new Set(answer).size, answer.length);
    const roomy = new Set(nodes.map(({ name }) => name).filter((name) => zoneOf.has(name)));
    for (const name of answer) t.true(roomy.has(name));
    t.is(answer.length > 0, roomy.size > 0);
    const covered = new Set(pods.flatMap(({ node }) => zoneOf.get(node) ?? []));
    const freshWithRoom = [...roomy].some((name) => !covered.has(zoneOf.get(name)!));
    if (covered.size >= w.maxZones || !freshWithRoom) return;
    fresh++;
    for (const name of answer) t.false(covered.has(zoneOf.get(name)!));
  });
  t.true(fresh > 50);
});

test('the node to remove from holds a replica, in a zone that holds most', (t) => {
  let found = 0;
  check(cluster, (w) => {
    const { zones, zoneOf, pods, nodeOf, settings } = clusterOf(w);
    const nodes = [...new Set(w.roomy)].map(nodeOf);
    const input = deepFreeze({ zones, pods, nodes, settings });
    const { node, reason } = nodeToRemoveFrom(input);
    t.deepEqual(nodeToRemoveFrom({ ...input, pods: [...pods].reverse() }), { node, reason });
    t.true(reason.length > 0);
    if (node === null) return;
    found++;
    t.true(pods.some((pod) => pod.node === node));
    const inZone = (zone: string): number => pods.filter((pod) => zoneOf.get(pod.node) === zone).length;
    t.is(inZone(zoneOf.get(node)!), Math.max(...Object.keys(zones).map(inZone)));
    t.false(Number.isNaN(nodes.find(({ name }) => name === node)!.free.cpuMillicores));
  });
  t.true(found > 50);
});

test('a placement ranks every candidate once, best first, in whatever order the neighbours stand', (t) => {
  const rps = fc.constantFrom(NaN, -1, 0, 1, 50, 1e6);
  const world = fc.record({
    candidates: fc.uniqueArray(fc.nat(9), { maxLength: 8 }),
    neighbours: fc.array(fc.record({ node: fc.nat(9), rps, upstream: fc.boolean() }), { maxLength: 8 }),
    rtts: fc.array(fc.record({ from: fc.nat(9), to: fc.nat(9), rttMs: fc.constantFrom(NaN, -1, 0, 0.3, 7) }), {
      maxLength: 20,
    }),
    placementRule: fc.constantFrom('weightedSum' as const, 'minEdge' as const),
  });
  check(world, (w) => {
    const input = deepFreeze({
      candidates: w.candidates.map((node) => `n${node}`),
      neighbours: w.neighbours.map((one) => ({
        node: `n${one.node}`,
        requestsPerSecond: one.rps,
        direction: one.upstream ? ('upstream' as const) : ('downstream' as const),
      })),
      latencies: w.rtts.map(({ from, to, rttMs }) => ({ from: `n${from}`, to: `n${to}`, rttMs })),
      settings: { placementRule: w.placementRule },
    });
    const ranked = scorePlacement(input);
    t.deepEqual(ranked.map(({ node }) => node).sort(), [...input.candidates].sort());
    ranked.forEach(({ score }, i) => {
      t.true(Number.isFinite(score));
      if (i > 0) t.true(score >= ranked[i - 1]!.score - 1e-8);
    });
    t.deepEqual(
      scorePlacement({ ...input, neighbours: [...input.neighbours].reverse() }).map(({ node }) => node),
      ranked.map(({ node }) => node),
    );
  });
});
