/**
 * What each loss costs, as one page: the worst loss first, then losses by policies as a matrix of the goodput kept (where
 * does a policy help?), then each policy's table with all figures. The same report gives the same bytes.
 */
import { absent, formatCount, formatMs, formatNumber, formatSeconds, formatShare } from './format.js';
import { downloadLink, htmlPage } from './html-page.js';
import {
  keptText,
  lossJson,
  lossName,
  lossNotes,
  neverRecovers,
  recoveryText,
  type LossFigures,
  type LossReport,
  type LossRow,
} from './losses.js';
import { htmlTable, markup, type Markup, type Part } from './markup.js';

type LossPolicy = LossReport['policies'][number];

export function lossHtml(report: LossReport): string {
  const { scenario, policies } = report;
  const matrix = policies.length > 1 ? [['matrix', 'Losses by policy', matrixTable(report)] as const] : [];
  return htmlPage({
    title: `${scenario.name}: losses`,
    heading: `${scenario.name}: what each loss costs`,
    lead: markup`<p>${scenario.why}</p>\n${verdict(report)}\n<p class="provenance">${provenance(report)}</p>`,
    cards: markup`<div class="cards">${policies.map(worstCard)}</div>`,
    sections: [
      ...matrix,
      ['losses', 'Losses, worst first', markup`${policies.map((policy) => policyTable(policy))}`],
      ['notes', 'How to read it', markup`<ul>${lossNotes(report).map((note) => markup`<li>${note}</li>\n`)}</ul>\n`],
      ['inputs', 'Inputs', inputs(report)],
    ],
  });
}

function verdict({ policies }: LossReport): Markup {
  const rows = policies.flatMap(({ losses }) => losses);
  const never = rows.filter(neverRecovers).length;
  if (rows.length === 0) return markup`<p class="verdict">No loss was tried.</p>`;
  return never === 0
    ? markup`<p class="verdict passed">✓ Users recover from each of the ${rows.length} losses.</p>`
    : markup`<p class="verdict failed">✗ Users do not recover from ${never} of the ${rows.length} losses.</p>`;
}

function provenance(report: LossReport): string {
  const facts = [
    `one loss at a time, each a run of its own on seed ${report.seed}`,
    `${formatNumber(report.meanRequestsPerSecond)} requests/s`,
    `lost ${report.lossSeconds === null ? 'for good' : `for ${formatSeconds(report.lossSeconds)}`} after ${formatSeconds(report.beforeSeconds)}`,
    `watched for ${formatSeconds(report.afterSeconds)}`,
    `objective ${formatShare(report.sloShare, 2)}`,
    `wavetank ${report.wavetankVersion}`,
  ];
  return `${facts.join(' · ')}.`;
}

function worstCard({ policy, losses }: LossPolicy): Markup {
  const [worst] = losses;
  if (worst === undefined) return markup`<div class="card"><span>${policy}</span><b>${absent}</b></div>\n`;
  return markup`<div class="card"><span>Worst under ${policy}</span><b>${keptText(worst)}</b><span>${lossName(worst)}</span><span class="soft">goodput kept in its first five minutes; recovery: ${recoveryText(worst)}</span></div>\n`;
}

/** Rows in the order of the worst that any policy makes of them. */
function matrixTable({ policies }: LossReport): Markup {
  const leastKept = new Map<string, number>();
  const order: string[] = [];
  for (const row of policies.flatMap(({ losses }) => losses)) {
    if (!leastKept.has(row.loss)) order.push(row.loss);
    leastKept.set(row.loss, Math.min(leastKept.get(row.loss) ?? Infinity, row.goodputKept ?? Infinity));
  }
  const place = new Map(order.map((loss, index) => [loss, index]));
  const names = [...order].sort((a, b) => leastKept.get(a)! - leastKept.get(b)! || place.get(a)! - place.get(b)!);
  const rows = names.map((loss): Part[] => {
    const found = policies.map(({ losses }) => losses.find((row) => row.loss === loss));
    return [lossName(found.find((row) => row !== undefined)!), ...found.map((row) => (row ? cell(row) : absent))];
  });
  const header = ['loss', ...policies.map(({ policy }) => policy)];
  return htmlTable('Goodput kept, time to recover below it', header, rows);
}

function cell(row: LossRow): Markup {
  return markup`${keptText(row)}<br><span class="soft">${recovery(row)}</span>`;
}

function recovery(row: LossFigures): Markup {
  return neverRecovers(row) ? markup`<span class="failed">never</span>` : markup`${recoveryText(row)}`;
}

function policyTable({ policy, baseline, losses }: LossPolicy): Markup {
  const hasBudgets = losses.some(({ pdbViolations }) => pdbViolations !== null);
  const row = (name: string, figures: LossFigures): Part[] => [
    name,
    keptText(figures),
    recovery(figures),
    figures.goodputRecoverySeconds === null ? 'never' : formatSeconds(figures.goodputRecoverySeconds),
    formatCount(figures.failedRequests),
    figures.errorBudgetPercent === null ? absent : `${formatNumber(figures.errorBudgetPercent)}%`,
    formatMs(figures.p95BeforeMs),
    formatMs(figures.p95AfterMs),
    ...(hasBudgets ? [figures.pdbViolations === null ? absent : String(figures.pdbViolations)] : []),
  ];
  const header = [
    ...['loss', 'goodput kept', 'recovery', 'of failures alone', 'failed', 'of the budget', 'p95 before', 'p95 after'],
    ...(hasBudgets ? ['PDBs broken'] : []),
  ];
  const rows = [...losses.map((one) => row(lossName(one), one)), row('(none)', baseline)];
  return markup`<h3>${policy}</h3>${htmlTable(`Losses under ${policy}, worst first`, header, rows)}${standFor(losses)}`;
}

/** Which other losses a row speaks for. */
function standFor(losses: readonly LossRow[]): Markup | null {
  const some = losses.filter(({ alike }) => alike.length > 1);
  if (some.length === 0) return null;
  return markup`<details><summary>Losses that are alike</summary><ul>${some.map(({ alike }) => markup`<li>${alike.join(', ')}</li>\n`)}</ul></details>\n`;
}

function inputs(report: LossReport): Markup {
  const { scenario, command } = report;
  const rows = [
    ['scenario', scenario.file ?? scenario.name],
    ['policies', report.policies.map(({ policy }) => policy).join(', ')],
  ];
  return markup`<pre>${command}</pre>${htmlTable('Inputs', ['input', 'value'], rows, 2)}${downloadLink(`${scenario.name}-losses`, lossJson(report), 'every figure of this page.')}`;
}
