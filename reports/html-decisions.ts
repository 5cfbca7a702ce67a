/**
 * The decision log of the page: who decided what, when and why, with the numbers used and the rivals that lost. It shows
 * the first seed only: decisions of other seeds happen at other times, and are in the data. What was left alone is
 * counted by reason, with one example each.
 */
import type { Decision } from '../engine/types.js';
import type { LoggedDecision, PolicyResult, ReplicationResult } from '../traces/run-result.js';
import { absent, formatCount, formatNumber } from './format.js';
import { htmlTable, markup, type Markup } from './markup.js';

/** Longer logs are read by machine, not by eye. */
const mostDecisions = 150;

export function decisionLog(policy: PolicyResult): Markup {
  const first = policy.replications[0];
  if (first === undefined) return markup``;
  const { decisions, seed } = first;
  const left = decisions.length - mostDecisions;
  const entries = decisions.slice(0, mostDecisions).map(decisionEntry);
  return markup`<h3>${policy.policy}</h3>
<p class="soft">${formatCount(decisions.length)} decisions under seed ${seed}.</p>
${entries}${left > 0 ? markup`<p class="soft">… and ${left} more, in the data.</p>\n` : null}${skippedTable(first)}`;
}

function decisionEntry({ atSeconds, decidedBy, summary, because, decision }: LoggedDecision): Markup {
  const head = markup`${formatNumber(atSeconds, 2)} s · ${decidedBy} · ${summary}`;
  if (decision === null) return markup`<details><summary>${head}</summary><p>Because: ${because}</p></details>\n`;
  const signals = Object.entries(decision.signals).map(([name, value]) => [name, shown(value)]);
  const rejected = decision.rejected.map(({ candidate, reason, score }) => [candidate, reason, formatNumber(score)]);
  return markup`<details><summary>${head}</summary><p>Because: ${because}</p>
<div>${changeTable(decision)}${signals.length === 0 ? null : htmlTable('Numbers used', ['signal', 'value'], signals)}${rejected.length === 0 ? null : htmlTable('Rejected', ['candidate', 'reason', 'score'], rejected, 2)}</div></details>\n`;
}

function shown(value: number | string | boolean | null): string {
  if (value === null) return absent;
  return typeof value === 'number' ? formatNumber(value, 1) : String(value);
}

function changeTable(decision: Decision): Markup {
  const { workload } = decision;
  const who = `${workload.kind} ${workload.namespace}/${workload.name}`;
  switch (decision.kind) {
    case 'scaleUp':
      return htmlTable(
        `${who}: ${decision.replicasFrom} to ${decision.replicasTo} replicas, new ones on`,
        ['node', 'zone'],
        decision.placements.map(({ node, zone }) => [node, zone]),
        2,
      );
    case 'scaleDown':
      return htmlTable(
        `${who}: ${decision.replicasFrom} to ${decision.replicasTo} replicas, first to go`,
        ['pod', 'node'],
        decision.victims.map(({ pod, node }) => [pod, node]),
        2,
      );
    case 'place':
      return markup`<p>${who}: pod ${decision.pod} on ${decision.node} (${decision.zone})</p>`;
    case 'move':
      return markup`<p>${who}: pod ${decision.pod} from ${decision.fromNode} to ${decision.toNode} (${decision.toZone})</p>`;
    case 'setRoute': {
      const places = [...new Set(decision.distribute.flatMap(({ to }) => Object.keys(to)))].sort();
      const rows = decision.distribute.map(({ from, to }) => [from, ...places.map((place) => `${to[place] ?? 0}%`)]);
      return htmlTable(`Route to ${decision.host}: percent from (rows) to (columns)`, ['from', ...places], rows);
    }
  }
}

function skippedTable({ skipped }: ReplicationResult): Markup | null {
  const groups = new Map<string, { count: number; detail: string }>();
  for (const { skipped: one } of skipped) {
    const key = `${one.part}: ${one.reason}`;
    const group = groups.get(key) ?? { count: 0, detail: `${one.workload.name}: ${one.detail}` };
    groups.set(key, { ...group, count: group.count + 1 });
  }
  if (groups.size === 0) return null;
  const rows = [...groups]
    .sort(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1))
    .map(([reason, { count, detail }]) => [reason, detail, formatCount(count)]);
  return markup`<details><summary>Left alone: ${formatCount(skipped.length)}</summary><div>${htmlTable('By reason, with the first example', ['reason', 'first example', 'times'], rows, 2)}</div></details>\n`;
}
