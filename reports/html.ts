/**
 * A run record as one HTML file that needs nothing else: no script, no network (its policy forbids both), drawings made
 * beforehand. It answers in the order in which a reader asks: did it pass, what changed, when, where, why, and how to make
 * it again. The same record gives the same bytes.
 */
import type { PolicyResult, RunResult } from '../traces/run-result.js';
import { costChart, latencyChart, replicasChart } from './charts.js';
import { compare, sideOf } from './compare.js';
import { absent, formatMs, formatNumber, formatQuantity, plural } from './format.js';
import { judge, type Judgement } from './gates.js';
import { decisionLog } from './html-decisions.js';
import { nodesSection } from './html-nodes.js';
import { downloadLink, htmlPage } from './html-page.js';
import {
  checkTable,
  costBars,
  costTable,
  differenceTables,
  edgeTable,
  faultTables,
  gateTable,
  policyTable,
  seedTable,
  serviceTable,
  withInterval,
  WORD_LINKS,
  wordMark,
} from './html-tables.js';
import { stableJson } from './json.js';
import { htmlTable, markup, raw, type Markup } from './markup.js';
import { rolloutTable } from './rollouts.js';
import { queueSection } from './queues.js';
import { bandOf, mostScaledService, replicasIn } from './series.js';
import { serviceGraph } from './service-graph.js';
import { estimate } from './statistics.js';
import { meanOf } from './summary.js';
import { formatChange } from './terminal.js';
import { waitTable } from './waits.js';

export async function htmlReport(result: RunResult): Promise<string> {
  const judgement = judge(result);
  const queues = await queueSection(result);
  const nodes = await nodesSection(result);
  const rollouts = rolloutTable(result);
  const sections: readonly (readonly [id: string, title: string, body: Markup])[] = [
    ['policies', 'Policies', markup`${policyTable(result)}${differenceTables(result)}${wordsNote(result)}`],
    ['gates', 'Gates', gateTable(judgement)],
    ['latency', 'Latency over time', await latencySection(result)],
    ['replicas', 'Replicas over time', await replicasSection(result)],
    ...(queues === null ? [] : [['queues', 'Queues of messages', queues] as const]),
    ...(nodes === null ? [] : [['nodes', 'Nodes over time', nodes] as const]),
    ['cost', 'Cost', await costSection(result)],
    ['faults', 'Fault tolerance', faultTables(result)],
    ...(rollouts === null ? [] : [['rollouts', 'Rollouts', rollouts] as const]),
    ['graph', 'Service graph', graphSection(result)],
    [
      'services',
      'Services',
      markup`${result.policies.map((policy) => foldedUnlessLast(result, policy, serviceTable(policy)))}`,
    ],
    [
      'edges',
      'Edges',
      markup`${result.policies.map((policy) => foldedUnlessLast(result, policy, edgeTable(policy, result.zones)))}`,
    ],
    ['decisions', 'Decisions and their reasons', markup`${result.policies.map(decisionLog)}`],
    ['checks', 'Checks and notices', markup`${checkTable(result)}${noticeList(result)}`],
    ['inputs', 'Inputs', inputSection(result)],
  ];
  return htmlPage({
    title: `${result.scenario.name}: ${verdictWord(judgement, result)}`,
    heading: result.scenario.name,
    lead: markup`<p>${result.scenario.why}</p>
${verdictMarkup(judgement, result)}
<p class="provenance">${provenance(result)}</p>`,
    cards: cards(result),
    sections,
  });
}

function isBroken(result: RunResult): boolean {
  return result.policies.some((policy) => policy.replications.some((one) => one.checks.some((check) => !check.passed)));
}

function verdictWord({ verdict, outcomes }: Judgement, result: RunResult): string {
  if (isBroken(result)) return 'invalid';
  return outcomes.length === 0 ? 'no gates' : verdict;
}

function verdictMarkup(judgement: Judgement, result: RunResult): Markup {
  if (isBroken(result)) {
    return markup`<p class="verdict failed">✗ Invalid: the simulator contradicts itself (see Checks); these figures must not be used.</p>`;
  }
  const { verdict, passed, failed, inconclusive, outcomes } = judgement;
  if (outcomes.length === 0) return markup`<p class="verdict">No gates were set, so there is no verdict.</p>`;
  const symbol = { passed: '✓ Passed', failed: '✗ Failed', inconclusive: '~ Inconclusive' }[verdict];
  return markup`<p class="verdict ${verdict}">${symbol}: ${plural(failed, 'gate')} failed, ${inconclusive} inconclusive, ${passed} passed.</p>`;
}

function provenance(result: RunResult): string {
  const seeds = result.policies[0]?.replications.length ?? 0;
  const facts = [
    `${formatNumber(result.durationSeconds)} s simulated after ${formatNumber(result.warmUpSeconds)} s of warm-up`,
    plural(seeds, 'seed'),
    `${plural(result.services.length, 'service')}, ${plural(result.nodeCount, 'node')}, ${plural(result.zones.length, 'zone')}`,
    `rules of Istio ${result.compat.istio}, Envoy ${result.compat.envoy}, Kubernetes ${result.compat.kubernetes}`,
    ...(result.priceBooks ?? []).map(({ name, asOf }) => `list prices of ${name} as of ${asOf}`),
    `scenario ${result.scenario.digest}`,
    `wavetank ${result.wavetankVersion}`,
  ];
  return `${facts.join(' · ')}.`;
}

/** What people ask first, of the candidate (the last policy), with what it changes against the baseline (the first). */
function cards(result: RunResult): Markup {
  const [baseline] = result.policies;
  const candidate = result.policies[result.policies.length - 1];
  if (baseline === undefined || candidate === undefined) return markup``;
  const comparison = compare(sideOf(result, baseline.policy), sideOf(result, candidate.policy));
  const titles: Readonly<Record<string, string>> = {
    p95: 'p95 latency',
    failed: 'Failed requests',
    cost: 'Cost',
    'cross-zone': 'Cross-zone requests',
  };
  const shown = Object.entries(titles).flatMap(([name, title]) => {
    const figure = comparison.figures.find((one) => one.name === name);
    return figure === undefined ? [] : [{ title, figure }];
  });
  const alone = candidate === baseline;
  return markup`<div class="cards">${shown.map(({ title, figure }) =>
    alone
      ? markup`<div class="card"><span>${title}</span><b>${formatQuantity(figure.b.mean, figure.quantity)}</b><span class="soft">${candidate.policy}</span>${withInterval(figure.b, figure.quantity)}</div>\n`
      : markup`<div class="card"><span>${title}</span><b>${formatQuantity(figure.b.mean, figure.quantity)}</b><span class="soft">${candidate.policy}</span><span>${formatChange(figure.difference.mean, figure.difference.interval, figure.quantity)}</span><span>${wordMark(figure.word)} <span class="soft">${WORD_LINKS[figure.word]} ${baseline.policy}</span></span></div>\n`,
  )}</div>`;
}

function wordsNote(result: RunResult): Markup | null {
  if (result.policies.length < 2) return null;
  return markup`<p class="soft">Better, worse: the interval of the paired differences excludes 0. Same: it lies within the margin (2% of a latency, 1% of a cost, 0.01 points of failures, 1 point of crossings). Unclear: neither; more seeds would tell. Cost used leaves idle nodes out.</p>\n`;
}

async function latencySection(result: RunResult): Promise<Markup> {
  const chart = await latencyChart(result, {
    id: 'latency',
    description: 'p95 latency of external requests over time, one line a policy',
  });
  const seeds = Math.max(0, ...result.policies.map((policy) => policy.replications.length));
  const band =
    seeds >= 3
      ? 'Band: the 95% interval over the seeds.'
      : seeds === 2
        ? 'Band: between the two seeds.'
        : 'One seed: no band.';
  const rows = result.policies.map((policy) => {
    const points = bandOf(policy, (one) => one.series.p95Ms).filter((point) => point.middle !== null);
    const worst = points.reduce(
      (most, point) => ((point.middle ?? 0) > (most?.middle ?? -1) ? point : most),
      points[0],
    );
    const best = points.reduce(
      (least, point) => ((point.middle ?? 0) < (least?.middle ?? Infinity) ? point : least),
      points[0],
    );
    return [
      policy.policy,
      formatMs(best?.middle ?? null),
      formatMs(worst?.middle ?? null),
      worst === undefined ? absent : `${formatNumber(worst.atSeconds, 2)} s`,
      formatNumber(meanOf(policy, (one) => one.total.requestsPerSecond)),
    ];
  });
  return markup`<p class="soft">p95 of external requests by the time of their completion. ${band}</p>${chart}${htmlTable('p95 over time', ['policy', 'lowest', 'highest', 'highest at', 'requests/s'], rows)}`;
}

async function replicasSection(result: RunResult): Promise<Markup> {
  const service = mostScaledService(result.policies, result.services, result.zones);
  const all = await replicasChart(result, null, {
    id: 'replicas',
    description: 'Ready replicas of all services by zone over time, one panel a policy',
  });
  const one =
    service === null || result.services.length < 2
      ? null
      : markup`<h3>${service}</h3><p class="soft">The service that scales most.</p>${await replicasChart(result, service, { id: 'replicas-one', description: `Ready replicas of ${service} by zone over time, one panel a policy` })}`;
  const rows = result.policies.flatMap((policy) =>
    result.zones.map((zone) => {
      const values = policy.replications.map((replication) => replicasIn(replication, zone, null));
      const flat = values.flat();
      const mean = estimate(
        values.map((series) =>
          series.length === 0 ? null : series.reduce((sum, value) => sum + value, 0) / series.length,
        ),
      ).mean;
      return [
        policy.policy,
        zone,
        flat.length === 0 ? absent : String(least(flat)),
        formatNumber(mean),
        flat.length === 0 ? absent : String(most(flat)),
      ];
    }),
  );
  return markup`<h3>All services</h3><p class="soft">Ready replicas by zone, mean over the seeds.</p>${all}${htmlTable('Ready replicas of all services', ['policy', 'zone', 'least', 'mean', 'most'], rows, 2)}${one}${waitTable(result)}`;
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

async function costSection(result: RunResult): Promise<Markup> {
  const chart = await costChart(costBars(result), {
    id: 'cost',
    description: 'Cost in USD an hour by part, one bar a policy',
  });
  return markup`${chart}${costTable(result)}`;
}

function graphSection(result: RunResult): Markup {
  const graphs = result.policies.map((policy) =>
    foldedUnlessLast(result, policy, markup`<div class="scroll">${serviceGraph(policy)}</div>`),
  );
  return markup`<p class="soft">Requests a second and share of them that go to another zone. The coloured part <span class="key"></span> of an edge is that share; its width grows with the rate. Figures stand in the tables below.</p>${graphs}`;
}

/** The candidate stands open; the others are one click away. */
function foldedUnlessLast(result: RunResult, policy: PolicyResult, content: Markup): Markup {
  if (result.policies.length === 1) return content;
  const open = policy === result.policies[result.policies.length - 1];
  return markup`<details${open ? raw(' open') : null}><summary>${policy.policy}</summary>\n${content}</details>\n`;
}

function noticeList(result: RunResult): Markup {
  if (result.notices.length === 0) return markup`<p class="soft">No notices.</p>`;
  return markup`<h3>Notices</h3><ul>${result.notices.map((notice) => markup`<li>${notice}</li>`)}</ul>\n`;
}

function inputSection(result: RunResult): Markup {
  const rows = [
    ['scenario', result.scenario.file ?? result.scenario.name],
    ['digest', result.scenario.digest],
    ['zones', result.zones.join(', ')],
    ['policies', result.policies.map((policy) => policy.policy).join(', ')],
  ];
  const words = 'the whole run record; every report can be made from it again.';
  return markup`<pre>${result.command}</pre>${htmlTable('Inputs', ['input', 'value'], rows, 2)}${seedTable(result)}
${downloadLink(result.scenario.name, stableJson(result), words)}`;
}
