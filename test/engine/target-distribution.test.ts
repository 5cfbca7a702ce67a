import test from 'ava';
import { targetDistribution, type TargetSettings } from '../../engine/index.js';

const SETTINGS: TargetSettings = {
  metric: 'cpu',
  cpuWeight: 50,
  memoryWeight: 50,
  responseTimeTargetMs: 100,
  minLocalShare: 0,
};

const pod = (node: string, cpu: number, memory = 0.5) => ({
  name: `${node}-${cpu}`,
  node,
  utilization: { cpu, memory },
});
const row = (from: string, to: string, rttMs: number) => ({ from, to, rttMs });

/** Shares from one source `s`, by place. */
function shares(input: Partial<Parameters<typeof targetDistribution>[0]>): Record<string, number> {
  const edges = targetDistribution({
    pods: [],
    upstreamNodes: ['s'],
    latencies: [],
    p95ByNode: {},
    settings: SETTINGS,
    ...input,
  });
  return Object.fromEntries(edges.map(({ to, percent }) => [to, percent]));
}

test('distance, replicas and load share out as the inherited formula says', (t) => {
  // rtt 1 and 3 of 4: factors 0.75, 0.25. Pods 1 of 3, 2 of 3. Loads 0.2 and 0.5, mean 0.4: load factors 0.5 and 0.1.
  // Weights 0.75/3*0.5 = 0.125 and 0.25*2/3*0.1 = 0.016667: 88.24 % and 11.76 %.
  const pods = [pod('a', 0.2), pod('b', 0.5), pod('b', 0.5)];
  t.deepEqual(shares({ pods, latencies: [row('s', 'a', 1), row('s', 'b', 3)] }), { a: 88, b: 12 });
});

test('the sum of round trips is taken over the edges of all sources', (t) => {
  // Four edges, 1+3+2+2 = 8: factors 7/8, 5/8 and 6/8, 6/8; equal pods and loads: 58.33/41.67 and 50/50.
  const pods = [pod('a', 0.5), pod('b', 0.5)];
  const latencies = [row('s', 'a', 1), row('s', 'b', 3), row('u', 'a', 2), row('u', 'b', 2)];
  const edges = targetDistribution({ pods, upstreamNodes: ['s', 'u'], latencies, p95ByNode: {}, settings: SETTINGS });
  t.deepEqual(edges, [
    { from: 's', to: 'a', percent: 58 },
    { from: 's', to: 'b', percent: 42 },
    { from: 'u', to: 'a', percent: 50 },
    { from: 'u', to: 'b', percent: 50 },
  ]);
});

// penalty = 1 - 1/(1 + ln r): 2 -> .4094, 3 -> .5235, 5 -> .6168, 10 -> .6972. Against an equal place with none, the
// slow one gets (1-p)/(2-p): .3713, .3227, .2770, .2324.
for (const [times, percent] of [
  [1, 50],
  [2, 37],
  [3, 32],
  [5, 28],
  [10, 23],
] as const) {
  test(`a place at ${times} times the response time target gets ${percent} %`, (t) => {
    const pods = [pod('a', 0.5), pod('b', 0.5)];
    const latencies = [row('s', 'a', 1), row('s', 'b', 1)];
    t.deepEqual(shares({ pods, latencies, p95ByNode: { a: 100 * times, b: 50 } }), { a: percent, b: 100 - percent });
  });
}

test('largest remainder gives the point left over to the earlier of equal places', (t) => {
  const pods = [pod('a', 0.5), pod('b', 0.5), pod('c', 0.5)];
  t.deepEqual(shares({ pods, latencies: ['a', 'b', 'c'].map((to) => row('s', to, 1)) }), { a: 34, b: 33, c: 33 });
});

test('an edge that rounds to 0 is dropped, or kept at the least percent of a place', (t) => {
  // 400 pods at a, 1 at b, equal distance and load: b earns 0.25 %.
  const pods = [...Array.from({ length: 400 }, () => pod('a', 0.5)), pod('b', 0.5)];
  const latencies = [row('s', 'a', 1), row('s', 'b', 1)];
  t.deepEqual(shares({ pods, latencies }), { a: 100 });
  t.deepEqual(shares({ pods, latencies, settings: { ...SETTINGS, minPlacePercent: 1 } }), { a: 99, b: 1 });
});

test('the local share is raised to its floor only where the local place is staffed as well as any', (t) => {
  const settings = { ...SETTINGS, minLocalShare: 0.35 };
  const latencies = ['a', 'b', 'c', 'd'].map((to) => row('a', to, 1));
  const even = ['a', 'b', 'c', 'd'].map((node) => pod(node, 0.5));
  // 25 % each; raised to 35, the others keep 65/3 = 21.67 each: 35, 22, 22, 21.
  t.deepEqual(shares({ pods: even, upstreamNodes: ['a'], latencies, settings }), { a: 35, b: 22, c: 22, d: 21 });
  // b holds two pods: 20, 40, 20, 20 stays.
  const uneven = [...even, pod('b', 0.5)];
  t.deepEqual(shares({ pods: uneven, upstreamNodes: ['a'], latencies, settings }), { a: 20, b: 40, c: 20, d: 20 });
});

test('weights of 50 and 50 mean the same as 0.5 and 0.5', (t) => {
  const pods = [pod('a', 0.1, 0.6), pod('b', 0.5, 0.5)];
  const latencies = [row('s', 'a', 1), row('s', 'b', 2)];
  const combined = { ...SETTINGS, metric: 'cpu-memory' as const };
  const percent = shares({ pods, latencies, settings: combined });
  t.deepEqual(shares({ pods, latencies, settings: { ...combined, cpuWeight: 0.5, memoryWeight: 0.5 } }), percent);
  // Loads 0.35 and 0.5, mean 0.425: factors 1-0.8235 and 0.1; distance 2/3 and 1/3: 0.1176 to 0.0333 = 77.9 %.
  t.deepEqual(percent, { a: 78, b: 22 });
});

test('idle pods everywhere leave distance and replicas to decide', (t) => {
  const pods = [pod('a', 0), pod('b', 0)];
  t.deepEqual(shares({ pods, latencies: [row('s', 'a', 1), row('s', 'b', 3)] }), { a: 75, b: 25 });
});

test('with nothing to share the list is empty', (t) => {
  t.deepEqual(shares({ pods: [], latencies: [row('s', 'a', 1)] }), {});
  t.deepEqual(shares({ pods: [pod('a', 0.5)], latencies: [] }), {});
  t.deepEqual(shares({ pods: [pod('a', 0.5)], upstreamNodes: [], latencies: [row('s', 'a', 1)] }), {});
});
