/**
 * Our filters and scores against the plugins of the released kube-scheduler in its default profile (README.md), each for
 * itself, on the same pods and nodes; and the weighted total, by which a node is chosen.
 */
import test from 'ava';
import { buildFilters } from '../../sim/cluster/schedulerFilters.js';
import { completeInput, type TotalInput } from '../../sim/cluster/schedulerInput.js';
import { scoreNodes, type NodeScore } from '../../sim/cluster/schedulerScores.js';
import { casesOf } from './cases.js';
import { scheduleInput, type WorldNode, type WorldPod } from './world.js';

interface World {
  readonly nodes: WorldNode[];
  readonly bound: WorldPod[];
  readonly asked: [WorldPod, number[], (number[] | null)[]][];
}

/** Our reasons for what a plugin rejects, in the order of the bits. A cordon is a taint, too. */
const FILTERS: readonly (readonly [string, RegExp])[] = [
  ['NodeUnschedulable', /^cordoned/],
  ['TaintToleration', /^(cordoned|not ready|with a taint)/],
  ['NodeAffinity', /^not of the node affinity/],
  ['NodePorts', /^without a free host port/],
  ['NodeResourcesFit', /^(with too many pods|without enough)/],
  ['PodTopologySpread', /^over the .* spread/],
  ['InterPodAffinity', /^(off|against) /],
];

const SCORES: readonly (readonly [string, keyof NodeScore])[] = [
  ['TaintToleration', 'taints'],
  ['NodeAffinity', 'nodeAffinity'],
  ['NodeResourcesFit (LeastAllocated)', 'leastAllocated'],
  ['PodTopologySpread', 'spread'],
  ['InterPodAffinity', 'podAffinity'],
  ['NodeResourcesBalancedAllocation', 'balanced'],
  ['ImageLocality', 'images'],
  ['the weighted sum', 'total'],
];

/** Fewer cases that tell nodes apart would compare little. */
const LEAST_TELLING = 40;

const cases = casesOf<World>('scheduler', 40).flatMap(({ nodes, bound, asked }) =>
  asked.map(([pod, rejections, scores]) => {
    const input = completeInput(scheduleInput(nodes, bound, pod));
    const feasible = scores.flatMap((answer, node) => (answer === null ? [] : [node]));
    const scored = scoreNodes(input, feasible);
    return { input, scores, rejections, scored, shown: JSON.stringify({ nodes, bound, pod }) };
  }),
);

FILTERS.forEach(([plugin, reasons], bit) => {
  test(`the filters reject the nodes that ${plugin} does`, (t) => {
    let telling = 0;
    for (const { input, rejections, shown } of cases) {
      const expected = rejections.map((bits) => ((bits >> bit) & 1) === 1);
      if (new Set(expected).size > 1) telling++;
      t.deepEqual(rejectedBy(input, reasons), expected, shown);
    }
    t.true(telling >= LEAST_TELLING, `${telling} cases tell nodes apart`);
  });
});

function rejectedBy(input: TotalInput, reasons: RegExp): boolean[] {
  const filters = buildFilters(input).filter(({ reason }) => reasons.test(reason));
  return input.nodes.map((_, node) => filters.some(({ passes }) => !passes(node)));
}

SCORES.forEach(([plugin, part], column) => {
  test(`nodes score as ${plugin} does`, (t) => {
    let telling = 0;
    for (const { scores, scored, shown } of cases) {
      const expected = scores.flatMap((answer, node) => (answer === null ? [] : [[node, answer[column]]]));
      if (new Set(expected.map(([, score]) => score)).size > 1) telling++;
      t.deepEqual(
        scored.map((score) => [score.node, score[part]]),
        expected,
        shown,
      );
    }
    t.true(telling >= LEAST_TELLING, `${telling} cases tell nodes apart`);
  });
});
