/**
 * The summary at the end of a run, for 80 columns. It goes from the whole to the part and back to the point: the services
 * under one policy (the last: the candidate), cost, faults, the policies side by side, notices, gates, and the verdict
 * as the last line, because that is what remains on the screen.
 */
import type { EdgeFigures, NodeScaling, PolicyResult, ReplicationResult, RunResult } from '../traces/run-result.js';
import { compare, sideOf } from './compare.js';
import { figureOf, latencyOf, type Measure } from './figures.js';
import {
  absent,
  cellsOf,
  clip,
  formatCount,
  formatMs,
  formatNumber,
  formatPerMonth,
  formatSeconds,
  formatShare,
  formatUsd,
  formatUsdPerHour,
  padEnd,
  plural,
  printable,
  wrap,
} from './format.js';
import { judge, type GateOutcome, type Judgement } from './gates.js';
import { rolloutRows, rolloutText } from './rollouts.js';
import { queueLines } from './queues.js';
import { estimate } from './statistics.js';
import {
  formatChange,
  paintOf,
  paintVerdict,
  paintWord,
  table,
  terminalCells,
  verdictSymbols,
  type Paint,
} from './terminal.js';
import { waitsOf, waitText } from './waits.js';

export interface SummaryOptions {
  readonly color: boolean;
  /** Wall clock of the run; null: not said (the summary of a file must not depend on when it is made). */
  readonly elapsedSeconds: number | null;
  readonly reportFile: string | null;
}

/** More rows than this are a page, not a summary: the HTML report has them all. */
const mostServices = 12;

export function summaryText(result: RunResult, options: SummaryOptions): string {
  const paint = paintOf(options.color);
  const judgement = judge(result);
  const shown = result.policies[result.policies.length - 1];
  const sections = [
    headerLines(result, options, paint),
    shown === undefined ? [] : [...serviceLines(shown, result.policies.length > 1, paint), ...queueLines(shown, paint)],
    shown === undefined
      ? []
      : [
          ...failureLines(shown),
          ...costLines(shown),
          ...nodeLines(result),
          ...faultLines(result),
          ...rolloutLines(result),
          ...waitLines(result),
        ],
    policyLines(result, paint),
    checkLines(result, paint),
    noticeLines(result, paint),
    gateLines(judgement, result, paint),
    [verdictLine(judgement, result, options, paint)],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headerLines(result: RunResult, options: SummaryOptions, paint: Paint): string[] {
  const seeds = result.policies[0]?.replications.length ?? 0;
  const facts = [
    `${formatNumber(result.durationSeconds)} s simulated`,
    plural(seeds, 'seed'),
    plural(result.services.length, 'service'),
    plural(result.nodeCount, 'node'),
    plural(result.zones.length, 'zone'),
  ].join(', ');
  const elapsed = options.elapsedSeconds === null ? '' : `   ${formatSeconds(options.elapsedSeconds)}`;
  const name = printable(result.scenario.name);
  const tail = `${facts}${elapsed}`;
  if (cellsOf(name) + 3 + cellsOf(tail) <= terminalCells) return [`${paint.strong(name)}   ${tail}`];
  return [paint.strong(clip(name, terminalCells)), `  ${tail}`];
}

function serviceLines(policy: PolicyResult, named: boolean, paint: Paint): string[] {
  const services = policy.replications[0]?.services.map((one) => one.service) ?? [];
  const busiest = [...services]
    .map((service, index) => ({
      service,
      index,
      requests: meanOf(policy, (one) => figureOf(one, requestsOf(service))) ?? 0,
    }))
    .sort((a, b) => b.requests - a.requests || a.index - b.index);
  const chosen = new Set(busiest.slice(0, mostServices).map((one) => one.service));
  const rows = services.filter((service) => chosen.has(service)).map((service) => serviceRow(policy, service));
  const header = ['service', 'rps', 'p50', 'p95', 'p99', 'ok %', 'x-zone', 'cpu', '$/mo'];
  const [head = '', ...lines] = table([header, totalRow(policy), ...rows]);
  const left = services.length - chosen.size;
  return [
    ...(named ? [`  under ${paint.strong(clip(printable(policy.policy), terminalCells - 8))}`] : []),
    paint.faint(head),
    ...lines,
    ...(left > 0 ? [paint.faint(`  … and ${left} more (fewer requests)`)] : []),
  ];
}

function requestsOf(service: string): Measure {
  return { statistic: 'rate', metric: 'requests', labels: { service } };
}

function totalRow(policy: PolicyResult): string[] {
  const latency = (statistic: 'p50' | 'p95' | 'p99'): string =>
    formatMs(meanOf(policy, (one) => latencyOf(one.total, statistic)));
  return [
    '*',
    rate(meanOf(policy, (one) => one.total.requestsPerSecond)),
    latency('p50'),
    latency('p95'),
    latency('p99'),
    okPercent(meanOf(policy, (one) => failedShare(one.total.requests))),
    wholePercent(meanOf(policy, (one) => one.crossZoneShare)),
    wholePercent(meanOf(policy, cpuShare)),
    formatPerMonth(meanOf(policy, (one) => one.cost.totalUsdPerHour)),
  ];
}

function serviceRow(policy: PolicyResult, service: string): string[] {
  const own = <T>(
    read: (one: ReplicationResult['services'][number]) => T | null,
  ): ((replication: ReplicationResult) => T | null) => {
    return (replication) => {
      const found = replication.services.find((one) => one.service === service);
      return found === undefined ? null : read(found);
    };
  };
  const latency = (statistic: 'p50' | 'p95' | 'p99'): string =>
    formatMs(
      meanOf(
        policy,
        own((one) => latencyOf(one, statistic)),
      ),
    );
  const cpu = meanOf(
    policy,
    own((one) => one.cpuPercentOfRequests),
  );
  return [
    clip(printable(service), 20),
    rate(
      meanOf(
        policy,
        own((one) => one.requestsPerSecond),
      ),
    ),
    latency('p50'),
    latency('p95'),
    latency('p99'),
    okPercent(
      meanOf(
        policy,
        own((one) => failedShare(one.requests)),
      ),
    ),
    wholePercent(meanOf(policy, (one) => crossZoneInto(one.edges, service))),
    wholePercent(cpu === null ? null : cpu / 100),
    formatPerMonth(
      meanOf(
        policy,
        own((one) => one.costUsdPerHour),
      ),
    ),
  ];
}

/** Why users' requests failed, most frequent first, as means over the seeds. */
function failureLines(policy: PolicyResult): string[] {
  const counts = new Map<string, number>();
  for (const { total } of policy.replications)
    for (const [flag, count] of Object.entries(total.responseFlags)) counts.set(flag, (counts.get(flag) ?? 0) + count);
  if (counts.size === 0) return [];
  const seeds = policy.replications.length;
  const parts = [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([flag, count]) => `${flag} ${formatNumber(count / seeds)}`);
  return wrap(parts.join(', '), terminalCells - 11).map(
    (line, index) => `  ${index === 0 ? 'failed ' : '       '}  ${line}`,
  );
}

/** Mean over the seeds; null when one of them has no such figure. */
export function meanOf(policy: PolicyResult, read: (replication: ReplicationResult) => number | null): number | null {
  return estimate(policy.replications.map(read)).mean;
}

function failedShare(requests: { readonly total: number; readonly failed: number }): number | null {
  return requests.total === 0 ? null : requests.failed / requests.total;
}

/** Share of the requests to a service that cross a zone, over all that send to its pods, a waypoint among them. */
export function crossZoneInto(edges: readonly EdgeFigures[], service: string): number | null {
  const into = edges.filter((edge) => (edge.via ?? edge.destination) === service && edge.crossZoneShare !== null);
  const total = into.reduce((sum, edge) => sum + edge.requests.total, 0);
  if (total === 0) return null;
  return into.reduce((sum, edge) => sum + edge.requests.total * (edge.crossZoneShare ?? 0), 0) / total;
}

/** CPU used over CPU requested, of all services that state requests. */
function cpuShare(replication: ReplicationResult): number | null {
  let [used, requested] = [0, 0];
  for (const { cpuMillicores, cpuPercentOfRequests } of replication.services) {
    if (cpuPercentOfRequests === null || cpuPercentOfRequests === 0) continue;
    used += cpuMillicores;
    requested += (cpuMillicores / cpuPercentOfRequests) * 100;
  }
  return requested === 0 ? null : used / requested;
}

function rate(value: number | null): string {
  return value === null ? absent : formatNumber(value >= 1000 ? Math.round(value) : value);
}

function wholePercent(share: number | null): string {
  return share === null ? absent : `${formatCount(share * 100)}%`;
}

/** Rounded down, so that 100 means: none failed. */
function okPercent(failed: number | null): string {
  return failed === null ? absent : failed === 0 ? '100' : (Math.floor((1 - failed) * 10_000) / 100).toFixed(2);
}

function costLines(policy: PolicyResult): string[] {
  const part = (read: (one: ReplicationResult) => number | null): number | null => meanOf(policy, read);
  const nodes = part((one) => one.cost.nodesUsdPerHour);
  const idle = part((one) => one.cost.idleUsdPerHour);
  const crossZone = part((one) => one.cost.crossZoneUsdPerHour);
  const crossRegion = part((one) => one.cost.crossRegionUsdPerHour);
  const total = part((one) => one.cost.totalUsdPerHour);
  const idleShare = nodes === null || nodes === 0 || idle === null ? '' : `, ${wholePercent(idle / nodes)}`;
  // Most scenarios have none of these on their bill.
  const others = [
    { name: 'load balancer', usd: part((one) => one.cost.loadBalancerUsdPerHour) },
    { name: 'internet', usd: part((one) => one.cost.internetUsdPerHour) },
    { name: 'NAT', usd: part((one) => one.cost.natUsdPerHour) },
  ].filter(({ usd }) => usd !== 0);
  const text =
    `${formatUsd(nodes)} nodes (idle ${formatUsd(idle)}${idleShare}) + ${formatUsd(crossZone)} cross-zone + ` +
    `${formatUsd(crossRegion)} cross-region${others.map(({ name, usd }) => ` + ${formatUsd(usd)} ${name}`).join('')} = ` +
    formatUsdPerHour(total);
  return labelled('cost', text);
}

/** Of the policies under which nodes come or go. */
function nodeLines(result: RunResult): string[] {
  return result.policies.flatMap((policy) => {
    const mean = (read: (scaling: NodeScaling) => number | null): number | null =>
      meanOf(policy, ({ nodeScaling }) => (nodeScaling === undefined ? null : read(nodeScaling)));
    const [added, removed] = [mean((one) => one.nodesAdded), mean((one) => one.nodesRemoved)];
    if (added === null || removed === null || added + removed === 0) return [];
    const waited = mean((one) => one.podsThatWaited);
    const text =
      `${formatNumber(mean((one) => one.meanNodes))} in the mean, ${formatNumber(added)} added, ${formatNumber(removed)} removed; ` +
      (waited === 0
        ? 'no pod waited for one'
        : `${formatNumber(waited)} pods waited ${formatSeconds(mean((one) => one.meanWaitSeconds))} for one`);
    return underPolicy(result, policy.policy, 'nodes', text);
  });
}

function faultLines(result: RunResult): string[] {
  return result.policies.flatMap((policy) =>
    (policy.replications[0]?.faultTolerance.faults ?? []).flatMap((fault, index) => {
      const goodput = meanOf(policy, (one) => one.faultTolerance.faults[index]?.goodputKept ?? null);
      const recoveries = policy.replications.map((one) => one.faultTolerance.faults[index]?.recoverySeconds ?? null);
      const unrecovered = recoveries.filter((seconds) => seconds === null).length;
      const recovery =
        unrecovered === 0
          ? `recovered in ${formatSeconds(estimate(recoveries).mean)}`
          : `not recovered in ${unrecovered} of ${plural(recoveries.length, 'seed')}`;
      const text = `${fault.fault} at ${formatSeconds(fault.atSeconds)}: ${formatShare(goodput)} goodput kept, ${recovery}`;
      return underPolicy(result, policy.policy, 'faults', text);
    }),
  );
}

function rolloutLines(result: RunResult): string[] {
  return result.policies
    .flatMap(rolloutRows)
    .flatMap((row) => underPolicy(result, row.policy, 'rollouts', rolloutText(row)));
}

function waitLines(result: RunResult): string[] {
  return result.policies.flatMap((policy) =>
    waitsOf(policy).flatMap((row) => underPolicy(result, policy.policy, 'waiting', waitText(row))),
  );
}

/** Labelled; with several policies, the text says under which. */
function underPolicy(result: RunResult, policy: string, label: string, text: string): string[] {
  return labelled(label, printable(result.policies.length > 1 ? `${policy}: ${text}` : text));
}

/** A label in front of the first line, the others indented under its text. */
function labelled(label: string, text: string): string[] {
  const indent = 11;
  return wrap(text, terminalCells - indent).map(
    (line, index) => `  ${padEnd(index === 0 ? label : '', indent - 2)}${line}`,
  );
}

function policyLines(result: RunResult, paint: Paint): string[] {
  const [baseline, ...others] = result.policies;
  if (baseline === undefined || others.length === 0) return [];
  const latency = (policy: PolicyResult, statistic: 'mean' | 'p95' | 'p99'): string =>
    formatMs(meanOf(policy, (one) => latencyOf(one.total, statistic)));
  const rows = result.policies.map((policy) => [
    clip(printable(policy.policy), 22),
    latency(policy, 'mean'),
    latency(policy, 'p95'),
    latency(policy, 'p99'),
    formatShare(meanOf(policy, (one) => failedShare(one.total.requests))),
    wholePercent(meanOf(policy, (one) => one.crossZoneShare)),
    formatUsd(meanOf(policy, (one) => one.cost.totalUsdPerHour)),
  ]);
  const [head = '', ...lines] = table([['policy', 'mean', 'p95', 'p99', 'failed', 'x-zone', 'USD/h'], ...rows]);
  return [paint.faint(head), ...lines, ...others.flatMap((policy) => differenceLines(result, baseline, policy, paint))];
}

function differenceLines(result: RunResult, baseline: PolicyResult, policy: PolicyResult, paint: Paint): string[] {
  const comparison = compare(sideOf(result, baseline.policy), sideOf(result, policy.policy));
  const figures = comparison.figures.filter((figure) => ['p95', 'failed', 'cost'].includes(figure.name));
  const lines = table(
    figures.map((figure) => [
      `    ${figure.name}`,
      formatChange(figure.difference.mean, figure.difference.interval, figure.quantity),
      figure.word,
    ]),
  );
  const title = `  ${clip(`${printable(policy.policy)} against ${printable(baseline.policy)}, paired over ${plural(comparison.seeds.length, 'seed')}`, terminalCells - 2)}`;
  return [
    title,
    ...lines.map((line, index) => {
      const word = figures[index]?.word ?? 'unclear';
      return line.slice(0, line.length - word.length) + paintWord(paint, word, word);
    }),
  ];
}

function checkLines(result: RunResult, paint: Paint): string[] {
  const failed = result.policies.flatMap((policy) =>
    policy.replications.flatMap((one) =>
      one.checks.filter((check) => !check.passed).map((check) => ({ policy, seed: one.seed, check })),
    ),
  );
  if (failed.length === 0) return [];
  const lines = failed
    .slice(0, 5)
    .flatMap(({ policy, seed, check }) =>
      wrap(
        `${verdictSymbols.failed} ${printable(policy.policy)}, seed ${seed}: ${printable(check.name)}: ${printable(check.detail)}`,
        terminalCells - 2,
      ).map((line) => `  ${line}`),
    );
  return [paint.bad('  the simulator contradicts itself: these figures must not be used'), ...lines];
}

function noticeLines(result: RunResult, paint: Paint): string[] {
  const most = 6;
  const lines = result.notices
    .slice(0, most)
    .flatMap((notice) =>
      wrap(printable(notice), terminalCells - 4).map((line, index) => `  ${index === 0 ? '!' : ' '} ${line}`),
    );
  const left = result.notices.length - most;
  return [...lines, ...(left > 0 ? [paint.faint(`  … and ${left} more notices`)] : [])];
}

function gateLines({ outcomes }: Judgement, result: RunResult, paint: Paint): string[] {
  if (outcomes.length === 0) return [];
  const several = result.policies.length > 1;
  return ['  gates', ...outcomes.flatMap((outcome) => gateLine(outcome, several, paint))];
}

function gateLine(outcome: GateOutcome, several: boolean, paint: Paint): string[] {
  const symbol = paintVerdict(paint, outcome.verdict, verdictSymbols[outcome.verdict]);
  const measured = [outcome.shownValue, outcome.shownInterval].filter((text) => text !== '').join('  ');
  const policy = several ? printable(outcome.policy) : '';
  const text = printable(outcome.text);
  const gateCells = 38;
  const rest = [policy, measured].filter((part) => part !== '').join('  ');
  const oneLine = cellsOf(text) <= gateCells && 4 + gateCells + 2 + cellsOf(rest) <= terminalCells;
  const lines = oneLine
    ? [`  ${symbol} ${padEnd(text, gateCells)}  ${rest}`.trimEnd()]
    : [
        `  ${symbol} ${clip(text, terminalCells - 4)}`,
        ...(rest === '' ? [] : wrap(rest, terminalCells - 6).map((line) => `      ${line}`)),
      ];
  return [...lines, ...gateDetail(outcome).map((line) => paint.faint(line))];
}

function gateDetail(outcome: GateOutcome): string[] {
  if (outcome.verdict === 'passed') return [];
  const seeds = outcome.seedsNeeded === null ? '' : `, needs about ${plural(outcome.seedsNeeded, 'seed')}`;
  const why = outcome.reason === null ? outcome.verdict : `${outcome.verdict}: ${printable(outcome.reason)}${seeds}`;
  const place = `${printable(outcome.file)}:${outcome.line}`;
  return wrap(`${why}   ${place}`, terminalCells - 6).map((line) => `      ${line}`);
}

function verdictLine(judgement: Judgement, result: RunResult, options: SummaryOptions, paint: Paint): string {
  const broken = result.policies.some((policy) =>
    policy.replications.some((one) => one.checks.some((check) => !check.passed)),
  );
  const { passed, failed, inconclusive, outcomes } = judgement;
  const counted = [`${failed} failed`, `${inconclusive} inconclusive`, `${passed} passed`]
    .filter((text) => !text.startsWith('0 '))
    .join(', ');
  const [word, color] = broken
    ? ['INVALID', paint.bad]
    : outcomes.length === 0
      ? ['DONE', paint.good]
      : failed > 0
        ? ['FAIL', paint.bad]
        : inconclusive > 0
          ? ['INCONCLUSIVE', paint.unsure]
          : ['PASS', paint.good];
  const text = broken ? 'a check failed' : outcomes.length === 0 ? 'no gates' : counted;
  const report = options.reportFile === null ? '' : `   report: ${printable(options.reportFile)}`;
  return `  ${color(word)}  ${text}${report}`;
}
