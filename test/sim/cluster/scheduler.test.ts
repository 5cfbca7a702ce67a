import test from 'ava';
import fc from 'fast-check';
import {
  balancedAllocationScore,
  explainScores,
  feasibleNodesToFind,
  interleaveZones,
  leastAllocatedScore,
  nonZeroRequests,
  schedulePod,
  type ScheduleInput,
  type SchedulerNode,
  type SchedulerPod,
  type SpreadConstraint,
} from '../../../sim/cluster/scheduler.js';
import { SEED as seed } from '../../seed.js';

const GI = 2 ** 30;

/** `used`: CPU in millicores and memory in Gi bound already. */
function aNode(
  zone: number,
  used: { cpu?: number; memoryGi?: number } = {},
  fields: Partial<SchedulerNode> = {},
): SchedulerNode {
  const requested = { cpuMillicores: used.cpu ?? 0, memoryBytes: (used.memoryGi ?? 0) * GI };
  const allocatable = { cpuMillicores: 4000, memoryBytes: 16 * GI };
  return { zone, ready: true, schedulable: true, allocatable, requested, nonZeroRequested: requested, ...fields };
}

function aPod(fields: Partial<SchedulerPod> = {}): SchedulerPod {
  return {
    requests: { cpuMillicores: 500, memoryBytes: GI },
    requiredZone: null,
    requiredNode: null,
    preferredNode: null,
    spread: [],
    ...fields,
  };
}

function given(nodes: SchedulerNode[], fields: Partial<ScheduleInput> = {}): ScheduleInput {
  return {
    pod: aPod(),
    nodes,
    podsOfService: [],
    visitOrder: nodes.map((_, node) => node),
    visitFrom: 0,
    pick: () => 0,
    ...fields,
  };
}

function hard(maxSkew: number, nodeTaintsPolicy: 'Ignore' | 'Honor' = 'Ignore'): SpreadConstraint[] {
  return [{ topologyKey: 'zone', maxSkew, whenUnsatisfiable: 'DoNotSchedule', nodeTaintsPolicy }];
}

/** The node chosen, or the reason for none. */
function chosen(input: ScheduleInput): number | string {
  const result = schedulePod(input);
  return 'node' in result ? result.node : result.unschedulable;
}

test('B6 worked: the search stops at 100 of 150 nodes, 420 of 1000, 500 of 5000', (t) => {
  t.deepEqual([99, 100, 150, 1000, 5000, 10_000].map(feasibleNodesToFind), [99, 100, 100, 420, 500, 500]);
});

test('B6: each search starts where the last one stopped, and only looks at so many nodes', (t) => {
  const nodes = Array.from({ length: 150 }, () => aNode(0));
  // The best node by far is the last one, which the first search does not reach.
  const half = nodes.map((node, n) => (n === 149 ? node : aNode(0, { cpu: 2000, memoryGi: 8 })));
  const first = schedulePod(given(half));
  t.deepEqual(first, { node: 0, visitFrom: 100 });
  t.deepEqual(schedulePod(given(half, { visitFrom: first.visitFrom })), { node: 149, visitFrom: 50 });
});

test('B6: nodes are visited zone by zone in turn', (t) => {
  t.deepEqual(interleaveZones([7, 7, 7, 2, 2, 5]), [0, 3, 5, 1, 4, 2]);
});

test('B6: equal scores are drawn', (t) => {
  const nodes = [aNode(0), aNode(1), aNode(2)];
  const asked: number[] = [];
  const pick = (n: number) => (asked.push(n), n - 1);
  t.is(chosen(given(nodes, { pick })), 2);
  t.deepEqual(asked, [3]);
});

test('B8 worked: 1 CPU and 3 Gi bound plus 500m and 1 Gi on 4 CPU and 16 Gi score 68 and 93', (t) => {
  const allocatable = { cpuMillicores: 4000, memoryBytes: 16 * GI };
  const requested = { cpuMillicores: 1500, memoryBytes: 4 * GI };
  t.is(leastAllocatedScore(allocatable, requested), 68);
  t.is(balancedAllocationScore(allocatable, requested), 93);
  const [score] = explainScores(given([aNode(0, { cpu: 1000, memoryGi: 3 })]));
  // One node is its own maximum: spread 100 x weight 2. No taints: 100 x weight 3.
  t.is(score!.total, 68 + 93 + 200 + 300);
});

test('B8: a pod that requests nothing counts as 100m and 200 MiB for LeastAllocated', (t) => {
  t.deepEqual(nonZeroRequests({ cpuMillicores: 0, memoryBytes: 0 }), {
    cpuMillicores: 100,
    memoryBytes: 200 * 2 ** 20,
  });
  t.deepEqual(nonZeroRequests({ cpuMillicores: 5, memoryBytes: 6 }), { cpuMillicores: 5, memoryBytes: 6 });
});

test('B8 worked: with 2 and 0 pods in one zone and 1 in the other the default spread scores 75, 100, 100', (t) => {
  const scores = explainScores(given([aNode(0), aNode(0), aNode(1)], { podsOfService: [0, 0, 2] }));
  t.deepEqual(
    scores.map(({ spread }) => spread),
    [75, 100, 100],
  );
});

test('B8: without pods all nodes score alike, and a full node loses to an empty one', (t) => {
  const scores = explainScores(given([aNode(0), aNode(1)]));
  t.is(scores[0]!.total, scores[1]!.total);
  t.is(chosen(given([aNode(0, { cpu: 3000, memoryGi: 12 }), aNode(1)])), 1);
});

test('a pod goes only where its requests fit', (t) => {
  t.is(chosen(given([aNode(0, { cpu: 3501 }), aNode(0, { cpu: 3500 })])), 1);
  t.is(
    chosen(given([aNode(0, { cpu: 3501 }), aNode(0, { memoryGi: 15.5 })])),
    '0 of 2 nodes fit: 1 without enough cpu, 1 without enough memory',
  );
});

test('cordoned and lost nodes take no pods', (t) => {
  const nodes = [aNode(0, {}, { schedulable: false }), aNode(0, {}, { ready: false }), aNode(0, { cpu: 3000 })];
  t.is(chosen(given(nodes)), 2);
  t.is(chosen(given(nodes.slice(0, 2))), '0 of 2 nodes fit: 1 cordoned, 1 not ready');
  t.is(chosen(given([])), '0 of 0 nodes fit');
});

test('a required zone or node is kept even if another is better', (t) => {
  const nodes = [aNode(0), aNode(1, { cpu: 3000, memoryGi: 12 }), aNode(1, { cpu: 3500, memoryGi: 12 })];
  t.is(chosen(given(nodes, { pod: aPod({ requiredZone: 1 }) })), 1);
  t.is(chosen(given(nodes, { pod: aPod({ requiredNode: 2 }) })), 2);
  const full = [aNode(0), aNode(1, { cpu: 4000 })];
  t.is(
    chosen(given(full, { pod: aPod({ requiredZone: 1 }) })),
    '0 of 2 nodes fit: 1 not the required zone or node, 1 without enough cpu',
  );
});

test('a preferred node wins against any score if the pod fits there, else the others are scored', (t) => {
  const nodes = [aNode(0), aNode(1, { cpu: 3400, memoryGi: 15 }), aNode(1, { cpu: 3600 })];
  const at = (preferredNode: number) => given(nodes, { pod: aPod({ preferredNode }), podsOfService: [1, 1, 1] });
  t.is(chosen(at(1)), 1);
  t.is(chosen(at(2)), 0);
});

test('B8: a hard spread of 1 sends the next pod to the emptiest zone, and nowhere when that is full', (t) => {
  const pod = aPod({ spread: hard(1) });
  const nodes = [aNode(0), aNode(1, { cpu: 3000, memoryGi: 12 })];
  t.is(chosen(given(nodes, { pod, podsOfService: [0] })), 1);
  const full = [aNode(0), aNode(1, { cpu: 4000 })];
  t.is(
    chosen(given(full, { pod, podsOfService: [0] })),
    "0 of 2 nodes fit: 1 over the zone spread's maxSkew, 1 without enough cpu",
  );
  // Skew 2 allows a second pod in zone 0.
  t.is(chosen(given(full, { pod: aPod({ spread: hard(2) }), podsOfService: [0] })), 0);
});

test('B8: a dead zone without pods blocks a hard spread unless its taint is honoured', (t) => {
  const nodes = [aNode(0), aNode(1), aNode(2, {}, { ready: false })];
  const at = (policy: 'Ignore' | 'Honor') =>
    given(nodes, { pod: aPod({ spread: hard(1, policy) }), podsOfService: [0, 1] });
  t.is(chosen(at('Ignore')), "0 of 3 nodes fit: 1 not ready, 2 over the zone spread's maxSkew");
  t.is(chosen(at('Honor')), 0);
});

test('B8: a hard spread counts only the zones that the pod may go to', (t) => {
  const pod = aPod({ spread: hard(1), requiredZone: 0 });
  t.is(chosen(given([aNode(0), aNode(1)], { pod, podsOfService: [0, 0, 0] })), 0);
});

test('B8: constraints of its own replace the default ones', (t) => {
  // With a hard zone spread nothing soft is left: node 0 wins on resources alone although it holds 2 pods.
  const nodes = [aNode(0), aNode(0, { cpu: 400, memoryGi: 2 })];
  const podsOfService = [0, 0];
  t.is(chosen(given(nodes, { pod: aPod({ spread: hard(1) }), podsOfService })), 0);
  t.is(chosen(given(nodes, { podsOfService })), 1);
});

test('filling a cluster pod by pod never overfills a node and keeps a hard spread', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 1, max: 3 }),
      (zones, maxSkew) => {
        const nodes = zones.map((zone) => aNode(zone));
        const pod = aPod({ requests: { cpuMillicores: 900, memoryBytes: GI }, spread: hard(maxSkew) });
        const podsOfService: number[] = [];
        for (let i = 0; i < 40; i++) {
          const result = schedulePod(given(nodes, { pod, podsOfService, pick: (n) => (i * 7) % n }));
          if (!('node' in result)) break;
          podsOfService.push(result.node);
          const used = {
            cpu: 900 * podsOfService.filter((n) => n === result.node).length,
            memoryGi: podsOfService.filter((n) => n === result.node).length,
          };
          nodes[result.node] = aNode(zones[result.node]!, used);
        }
        const perZone = [...new Set(zones)].map((zone) => podsOfService.filter((n) => zones[n] === zone).length);
        const perNode = zones.map((_, node) => podsOfService.filter((n) => n === node).length);
        return (
          Math.max(...perZone) - Math.min(...perZone) <= maxSkew &&
          perNode.every((count) => count <= 4) &&
          podsOfService.length > 0
        );
      },
    ),
    { seed, numRuns: 60 },
  );
  t.pass();
});
