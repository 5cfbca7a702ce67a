/** The part of the page about nodes that come and go; only where a policy of the scenario has an autoscaler of nodes. */
import type { NodeScaling, RunResult } from '../traces/run-result.js';
import { nodesChart } from './charts.js';
import { formatNumber, formatSeconds } from './format.js';
import { htmlTable, markup, type Markup } from './markup.js';
import { meanOf } from './summary.js';

export async function nodesSection(result: RunResult): Promise<Markup | null> {
  if (result.policies.every(({ replications }) => replications.every(({ nodeScaling }) => nodeScaling === undefined)))
    return null;
  const chart = await nodesChart(result, {
    id: 'nodes',
    description: 'Nodes by zone over time, one panel a policy',
  });
  const rows = result.policies.map((policy) => {
    const mean = (read: (scaling: NodeScaling) => number | null): number | null =>
      meanOf(policy, ({ nodeScaling }) => (nodeScaling === undefined ? null : read(nodeScaling)));
    return [
      policy.policy,
      formatNumber(mean(({ meanNodes }) => meanNodes)),
      formatNumber(mean(({ nodesAdded }) => nodesAdded)),
      formatNumber(mean(({ nodesRemoved }) => nodesRemoved)),
      formatNumber(mean(({ podsThatWaited }) => podsThatWaited)),
      formatSeconds(mean(({ meanWaitSeconds }) => meanWaitSeconds)),
    ];
  });
  const head = ['policy', 'nodes', 'added', 'removed', 'pods that waited', 'for'];
  return markup`<p class="soft">Nodes that the cluster has, by zone, mean over the seeds. In the table: nodes that were paid for, nodes that became ready and that went, and pods that got a node which came after them.</p>${chart}${htmlTable('Nodes that come and go', head, rows)}`;
}
