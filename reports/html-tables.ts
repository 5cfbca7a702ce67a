/** The tables of the page: policies with intervals, services, edges, faults, gates, checks, seeds. Each is a pure view of the record. */
import type { CostParts, PolicyResult, RunResult } from '../traces/run-result.js';
import { compare, sideOf, type Word } from './compare.js';
import { figuresOf, latencyOf, type Measure } from './figures.js';
import {
  absent,
  formatCount,
  formatMs,
  formatNumber,
  formatQuantity,
  formatSeconds,
  formatShare,
  formatUsd,
  plural,
} from './format.js';
import type { Judgement } from './gates.js';
import { htmlTable, markup, type Markup, type Part } from './markup.js';
import { estimate, type Estimate } from './statistics.js';
import { crossZoneInto, meanOf } from './summary.js';
import { formatChange, formatInterval, NO_INTERVAL, verdictSymbols } from './terminal.js';
import type { Quantity } from '../scenarios/expectations.js';

const overview: readonly { readonly name: string; readonly quantity: Quantity; readonly measure: Measure }[] = [
  { name: 'mean', quantity: 'latencyMs', measure: { statistic: 'mean', metric: 'latency', labels: {} } },
  { name: 'p50', quantity: 'latencyMs', measure: { statistic: 'p50', metric: 'latency', labels: {} } },
  { name: 'p95', quantity: 'latencyMs', measure: { statistic: 'p95', metric: 'latency', labels: {} } },
  { name: 'p99', quantity: 'latencyMs', measure: { statistic: 'p99', metric: 'latency', labels: {} } },
  { name: 'failed', quantity: 'share', measure: { statistic: 'ratio', metric: 'failed', labels: {} } },
  { name: 'cross-zone', quantity: 'share', measure: { statistic: 'ratio', metric: 'crossZone', labels: {} } },
  { name: 'cost', quantity: 'usdPerHour', measure: { statistic: 'total', metric: 'cost', labels: {} } },
];

/** Value above, interval below: a figure is never without one. */
export function withInterval(found: Estimate, quantity: Quantity): Markup {
  if (found.mean === null) return markup`<span title="${found.reason ?? ''}">${absent}</span>`;
  const show = (value: number): string => formatQuantity(value, quantity);
  const { interval, mean, reason } = found;
  const shown = interval === null ? NO_INTERVAL : formatInterval(interval, mean, show);
  return markup`${show(mean)}<br><span class="soft"${reason === null ? null : markup` title="${reason}"`}>${shown}</span>`;
}

export function policyTable(result: RunResult): Markup {
  const rows = result.policies.map((policy) => [
    markup`<b>${policy.policy}</b><br><span class="soft">${policy.why}</span>`,
    ...overview.map(({ measure, quantity }) => withInterval(estimate(figuresOf(policy, measure)), quantity)),
  ]);
  return htmlTable('Mean over the seeds, 95% interval below it', ['policy', ...overview.map(({ name }) => name)], rows);
}

export function differenceTables(result: RunResult): Markup {
  const [baseline, ...others] = result.policies;
  if (baseline === undefined) return markup``;
  const tables = others.map((policy) => {
    const comparison = compare(sideOf(result, baseline.policy), sideOf(result, policy.policy));
    const rows = comparison.figures.map((figure) => [
      figure.name,
      formatQuantity(figure.a.mean, figure.quantity),
      formatQuantity(figure.b.mean, figure.quantity),
      formatChange(figure.difference.mean, figure.difference.interval, figure.quantity),
      wordMark(figure.word),
      formatShare(figure.difference.varianceReduction),
    ]);
    const worst =
      comparison.seedsLost === 0
        ? `p95 is higher on none of ${plural(comparison.seeds.length, 'seed')}.`
        : `p95 is higher on ${comparison.seedsLost} of ${plural(comparison.seeds.length, 'seed')}, worst first: ${comparison.worstSeeds.map((one) => `seed ${one.seed} by ${formatMs(one.bP95Ms - one.aP95Ms)}`).join(', ')}.`;
    const header = ['', baseline.policy, policy.policy, 'difference [95% interval]', 'word', 'variance reduced'];
    return markup`${htmlTable(`${policy.policy} against ${baseline.policy}, paired by seed`, header, rows)}<p class="soft">${worst}</p>\n`;
  });
  return markup`${tables}`;
}

export function wordMark(word: Word): Markup {
  return markup`<span class="${word}">${word}</span>`;
}

/** What follows the word before the policy that is the measure. */
export const WORD_LINKS: Readonly<Record<Word, string>> = {
  better: 'than',
  worse: 'than',
  same: 'as',
  unclear: 'against',
};

export function serviceTable(policy: PolicyResult): Markup {
  const services = policy.replications[0]?.services ?? [];
  const hasProxies = services.some((one) => one.proxyCpuMillicores !== undefined);
  const rows = services.map(({ service }, index) => {
    const own = (
      read: (one: NonNullable<PolicyResult['replications'][number]['services'][number]>) => number | null,
    ): number | null =>
      meanOf(policy, (one) => {
        const found = one.services[index];
        return found === undefined ? null : read(found);
      });
    return [
      service,
      formatNumber(own((one) => one.requestsPerSecond)),
      ...(['mean', 'p50', 'p95', 'p99'] as const).map((statistic) => formatMs(own((one) => latencyOf(one, statistic)))),
      formatMs(own((one) => one.waitMs)),
      formatShare(own((one) => (one.requests.total === 0 ? null : one.requests.failed / one.requests.total))),
      formatShare(meanOf(policy, (one) => crossZoneInto(one.edges, service))),
      formatNumber(own((one) => one.meanReplicas)),
      formatNumber(own((one) => one.cpuMillicores)),
      formatQuantity(
        own((one) => one.cpuPercentOfRequests),
        'percent',
      ),
      formatMs(own((one) => one.cpuMsPerRequest)),
      ...(hasProxies ? [formatNumber(own((one) => one.proxyCpuMillicores ?? null))] : []),
      formatUsd(own((one) => one.costUsdPerHour)),
    ];
  });
  const header = [
    'service',
    'req/s',
    'mean',
    'p50',
    'p95',
    'p99',
    'waiting',
    'failed',
    'cross-zone',
    'replicas',
    'CPU m',
    'of requests',
    'CPU/request',
    ...(hasProxies ? ['proxy CPU m'] : []),
    'USD/h',
  ];
  return htmlTable(`Services under ${policy.policy}, means over the seeds`, header, rows);
}

export function edgeTable(policy: PolicyResult, zones: readonly string[]): Markup {
  const edges = policy.replications[0]?.edges ?? [];
  const nameOf = ({ destination, via }: (typeof edges)[number]): string =>
    via === undefined ? destination : `${destination} (through ${via})`;
  const rows = edges.map((edge, index) => {
    const own = (
      read: (one: NonNullable<PolicyResult['replications'][number]['edges'][number]>) => number | null,
    ): number | null =>
      meanOf(policy, (one) => {
        const found = one.edges[index];
        return found === undefined ? null : read(found);
      });
    return [
      edge.source,
      nameOf(edge),
      formatNumber(own((one) => one.requestsPerSecond)),
      formatMs(own((one) => latencyOf(one, 'p50'))),
      formatMs(own((one) => latencyOf(one, 'p95'))),
      formatMs(own((one) => latencyOf(one, 'p99'))),
      formatShare(own((one) => (one.requests.total === 0 ? null : one.requests.failed / one.requests.total))),
      formatShare(own((one) => one.crossZoneShare)),
      `${formatNumber(own((one) => one.bytes / 1e6))} MB`,
    ];
  });
  const header = ['from', 'to', 'req/s', 'p50', 'p95', 'p99', 'failed', 'cross-zone', 'moved'];
  const matrices = edges.map((edge, index) => {
    const cells = zones.map((from, row) => [
      from,
      ...zones.map((_, column) => {
        const mean = meanOf(policy, (one) => one.edges[index]?.requestsByZone[row]?.[column] ?? null);
        return mean === null ? absent : formatCount(mean);
      }),
    ]);
    return htmlTable(
      `${edge.source} to ${nameOf(edge)}: requests from zone (rows) to zone (columns)`,
      ['from', ...zones],
      cells,
    );
  });
  return markup`${htmlTable(`Edges under ${policy.policy}, as the caller sees them, means over the seeds`, header, rows, 2)}<details><summary>Requests by zone for each edge</summary><div>${matrices}</div></details>\n`;
}

interface CostName {
  readonly name: string;
  readonly read: (cost: CostParts) => number | null;
}

const costNames: readonly CostName[] = [
  { name: 'nodes in use', read: (cost) => cost.workloadUsdPerHour },
  { name: 'nodes idle', read: (cost) => cost.idleUsdPerHour },
  { name: 'cross-zone traffic', read: (cost) => cost.crossZoneUsdPerHour },
  { name: 'cross-region traffic', read: (cost) => cost.crossRegionUsdPerHour },
  { name: 'load balancer', read: (cost) => cost.loadBalancerUsdPerHour },
  { name: 'internet', read: (cost) => cost.internetUsdPerHour },
  { name: 'NAT', read: (cost) => cost.natUsdPerHour },
];

const withinUse: readonly CostName[] = [
  { name: 'in sidecars', read: (cost) => cost.sidecarUsdPerHour },
  { name: 'requested, unused', read: (cost) => cost.unusedUsdPerHour },
];

/** Nodes, and whatever else costs anything under some policy: most scenarios have neither NAT nor sidecars on their bill. */
function costsOf(result: RunResult, names: readonly CostName[]): readonly CostName[] {
  return names.filter(
    ({ name, read }) =>
      name.startsWith('nodes') || result.policies.some((policy) => meanOf(policy, (one) => read(one.cost)) !== 0),
  );
}

/** Mean cost by policy and part, in USD an hour; the parts add up to the total. */
export function costBars(result: RunResult): { policy: string; part: string; usdPerHour: number }[] {
  const parts = costsOf(result, costNames);
  return result.policies.flatMap((policy) =>
    parts.flatMap(({ name, read }) => {
      const mean = meanOf(policy, (one) => read(one.cost));
      return mean === null ? [] : [{ policy: policy.policy, part: name, usdPerHour: mean }];
    }),
  );
}

export function costTable(result: RunResult): Markup {
  const [parts, within] = [costsOf(result, costNames), costsOf(result, withinUse)];
  const rows = result.policies.map((policy) => [
    policy.policy,
    ...parts.map(({ read }) =>
      formatUsd(
        meanOf(policy, (one) => read(one.cost)),
        1,
      ),
    ),
    withInterval(estimate(policy.replications.map((one) => one.cost.totalUsdPerHour)), 'usdPerHour'),
    ...within.map(({ read }) =>
      formatUsd(
        meanOf(policy, (one) => read(one.cost)),
        1,
      ),
    ),
  ]);
  return htmlTable(
    'USD an hour, means over the seeds; the parts add up to the total. What stands after it is a share of the nodes in use',
    ['policy', ...parts.map(({ name }) => name), 'total', ...within.map(({ name }) => name)],
    rows,
  );
}

export function faultTables(result: RunResult): Markup {
  const rows = result.policies.flatMap((policy) =>
    (policy.replications[0]?.faultTolerance.faults ?? []).map((fault, index) => {
      const recoveries = policy.replications.map((one) => one.faultTolerance.faults[index]?.recoverySeconds ?? null);
      const lost = recoveries.filter((seconds) => seconds === null).length;
      return [
        policy.policy,
        `${fault.fault} at ${formatSeconds(fault.atSeconds)}`,
        withInterval(
          estimate(policy.replications.map((one) => one.faultTolerance.faults[index]?.goodputKept ?? null)),
          'share',
        ),
        lost > 0
          ? `not in ${lost} of ${plural(recoveries.length, 'seed')}`
          : withInterval(estimate(recoveries), 'seconds'),
      ];
    }),
  );
  const covered = result.services.map((service) => [
    service,
    ...result.policies.map((policy) => {
      const found = policy.replications.flatMap((one) =>
        one.faultTolerance.zonesCovered.filter((cover) => cover.service === service),
      );
      if (found.length === 0) return absent;
      const zones = Math.min(...found.map((cover) => cover.zones));
      const [zone, node] = [
        found.every((cover) => cover.survivesAnyZoneLoss),
        found.every((cover) => cover.survivesAnyNodeLoss),
      ];
      return markup`${plural(zones, 'zone')}, ${zone ? 'any zone' : markup`<span class="failed">not any zone</span>`}, ${node ? 'any node' : markup`<span class="failed">not any node</span>`}`;
    }),
  ]);
  const faults =
    rows.length === 0
      ? markup`<p class="soft">The scenario has no faults.</p>`
      : htmlTable('Faults', ['policy', 'fault', 'goodput kept', 'recovered in'], rows, 2);
  return markup`${faults}${htmlTable('Replicas at the end of the run: zones covered, and the losses that each service survives in every seed', ['service', ...result.policies.map((one) => one.policy)], covered, 1 + result.policies.length)}`;
}

export function gateTable({ outcomes }: Judgement): Markup {
  if (outcomes.length === 0) return markup`<p class="soft">The scenario has no expectations.</p>`;
  const rows: Part[][] = outcomes.map((one) => [
    markup`<span class="${one.verdict}">${verdictSymbols[one.verdict]} ${one.verdict}</span>`,
    markup`<code>${one.text}</code>`,
    one.policy,
    [one.reason, one.seedsNeeded === null ? null : `needs about ${plural(one.seedsNeeded, 'seed')}`]
      .filter((part) => part !== null)
      .join('; '),
    `${one.file}:${one.line}`,
    one.shownValue === '' ? absent : `${one.shownValue} ${one.shownInterval}`.trim(),
  ]);
  return htmlTable(
    'Judged by the 95% interval over the seeds',
    ['verdict', 'gate', 'policy', 'note', 'where', 'measured'],
    rows,
    5,
  );
}

export function checkTable(result: RunResult): Markup {
  const names = new Map<string, { passed: number; failed: number; detail: string }>();
  for (const policy of result.policies) {
    for (const replication of policy.replications) {
      for (const check of replication.checks) {
        const one = names.get(check.name) ?? { passed: 0, failed: 0, detail: '' };
        const detail =
          check.passed || one.failed > 0 ? one.detail : `${policy.policy}, seed ${replication.seed}: ${check.detail}`;
        names.set(check.name, {
          passed: one.passed + (check.passed ? 1 : 0),
          failed: one.failed + (check.passed ? 0 : 1),
          detail,
        });
      }
    }
  }
  const rows = [...names].map(([name, { passed, failed, detail }]) => [
    failed > 0 ? markup`<span class="failed">✗ failed</span>` : markup`<span class="passed">✓ passed</span>`,
    name,
    detail,
    `${passed} of ${passed + failed}`,
  ]);
  return rows.length === 0
    ? markup`<p class="soft">No checks were recorded.</p>`
    : htmlTable(
        'Identities checked from outside in every run',
        ['outcome', 'check', 'first failure', 'passed'],
        rows,
        3,
      );
}

export function seedTable(result: RunResult): Markup {
  const seeds = [...new Set(result.policies.flatMap((policy) => policy.replications.map((one) => one.seed)))];
  const rows = seeds.map((seed) => [
    String(seed),
    ...result.policies.map((policy) => policy.replications.find((one) => one.seed === seed)?.digest ?? absent),
  ]);
  return htmlTable('Digest of every run', ['seed', ...result.policies.map((policy) => policy.policy)], rows);
}
