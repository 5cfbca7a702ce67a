/**
 * The table as a page: first what was reached of the goal, then where the engine loses, then every figure. Only what was
 * simulated stands here, no time and no machine, so the same seeds give the same bytes anywhere.
 */
import { absent, formatNumber, plural } from '../../../reports/format.js';
import { estimate } from '../../../reports/statistics.js';
import type { Figure } from './figures.js';
import { column, GOAL, judge, losses, type CriterionName, type Judged } from './goal.js';
import { NO_LOCALITY, PER_ZONE, PRIORITY } from './policies.js';
import type { CaseTable, QualityTable } from './table.js';

export function qualityPage(table: QualityTable): string {
  const parts = [
    introduction(table),
    '## The goal, and what was reached',
    goalSection(table),
    '## Where the engine loses',
    lossSection(table),
    '## All figures',
    figuresIntroduction(),
    ...table.cases.map((one) => caseSection(one, table)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function introduction({ seeds, policies, leftOut, cases }: QualityTable): string {
  const lines = [
    '# Decision quality',
    '',
    `Every policy meets the same requests in ${plural(cases.length, 'case')}, on ${plural(seeds.length, 'seed')} (from ${seeds[0]!} on) that no gate`,
    'of the library uses. The first cases are variants of the hot zone (`test/bench/quality/hot-zone.ts`), the others the',
    'scenarios of the library. Costs are comparable within a case, not between cases.',
    '',
    '| policy | what it is |',
    '|---|---|',
    ...policies.map(({ name, about, isOurs }) => `| ${nameCell(name, isOurs)} | ${about} |`),
    '',
    'The engine (bold) has its defaults, a step every 15 s, and the bounds of the autoscalers; it is given nothing that fits one',
    "case alone. Calls have Istio's default retries. In the variants of the hot zone, pods that cannot be reached are given up",
    'after a second and ejected after five such calls; in the library nothing is ejected, and a call to a lost node waits ten',
    'seconds.',
    '',
    '`npm run quality` makes this page anew (`-- --seeds N`, `--case NAME`; `test/bench/quality/quality.ts` has the rest). It holds',
    'simulated figures only: the same seeds give the same bytes on any machine.',
  ];
  if (leftOut.length > 0) {
    lines.push('', `Not in this table, as this version does not know their settings: ${leftOut.join('; ')}.`);
  }
  return lines.join('\n');
}

function nameCell(name: string, isOurs: boolean): string {
  return isOurs ? `**${name}**` : name;
}

const GOAL_COLUMNS: readonly CriterionName[] = ['p99', 'failed', 'cheaper', 'perZone'];
const PRIORITY_COLUMNS: readonly CriterionName[] = ['p99Priority', 'costPriority'];

function goalSection({ cases, policies }: QualityTable): string {
  const ours = policies.filter(({ isOurs }) => isOurs).map(({ name }) => name);
  const zoned = cases.filter(({ zones }) => zones > 1);
  const priority = zoned.filter(({ againstPriority }) => againstPriority);
  const row = (one: CaseTable, policy: string, names: readonly CriterionName[]): string => {
    const judged = names.map((name) => judge(one.figures, policy, GOAL[name]));
    return `| ${one.name} | ${judged.map((cell) => judgedCell(cell, one)).join(' | ')} | ${summary(judged)} |`;
  };
  const details = ours.flatMap((policy) => [
    '',
    `### ${policy}`,
    '',
    '| case | p99: at most +5 % | avoidable failures: at most 0.05 % | cost to off: at most -35 % | cost to per zone: at most +10 % | goal |',
    '|---|---|---|---|---|---|',
    ...zoned.map((one) => row(one, policy, GOAL_COLUMNS)),
    ...(priority.length === 0
      ? []
      : [
          '',
          `Against \`${PRIORITY}\`, with half of the users in one zone:`,
          '',
          '| case | p99: at most -70 % | cost: at most +3 % | goal |',
          '|---|---|---|---|',
          ...priority.map((one) => row(one, policy, PRIORITY_COLUMNS)),
        ]),
  ]);
  return [
    `One setting for all cases: p99 within 5 % of \`${NO_LOCALITY}\`, at most 0.05 % failed, at least 35 % cheaper than it, and at`,
    `most 10 % dearer than \`${PER_ZONE}\`; and with half of the users in one zone, p99 at least 70 % below that of \`${PRIORITY}\``,
    '(locality priority) at no more than 3 % more. Costs are per served request. Failures are the avoidable ones: users of a lost',
    'zone find no gateway until DNS has changed, whatever the policy.',
    '',
    'Each figure has its 95 % interval over paired seeds. **met** and **missed** need the whole of it on one side of the limit,',
    'anything else is open. *Out of reach*: for cost, the pods of locality off alone, with no byte between zones, cost more than',
    'the limit allows; for p99, that of locality off is itself above the limit.',
    '',
    'Cases in which each limit is met, of those with more than one zone:',
    '',
    '| policy | p99 | failures | cost to off | cost to per zone | all four |',
    '|---|---|---|---|---|---|',
    ...ours.map((policy) => metRow(zoned, policy)),
    ...details,
  ].join('\n');
}

function metRow(cases: readonly CaseTable[], policy: string): string {
  const judged = cases.map(({ figures }) => GOAL_COLUMNS.map((name) => judge(figures, policy, GOAL[name]).verdict));
  const counts = GOAL_COLUMNS.map((_, index) => judged.filter((verdicts) => verdicts[index] === 'met').length);
  const all = judged.filter((verdicts) => verdicts.every((verdict) => verdict === 'met')).length;
  return `| **${policy}** | ${[...counts, all].map((count) => `${count} of ${cases.length}`).join(' | ')} |`;
}

function judgedCell(judged: Judged, one: CaseTable): string {
  const { criterion, value, interval, verdict } = judged;
  if (value === null || interval === null) return `${absent} open`;
  const percent = (share: number): string => signed(share * 100, criterion.against !== null);
  const word = verdict === 'open' ? verdict : `**${verdict}**`;
  const note = verdict !== 'met' && isOutOfReach(judged, one) ? ', *out of reach*' : '';
  return `${percent(value)} % (${percent(interval.low)} to ${percent(interval.high)}) ${word}${note}`;
}

/** Whether even an ideal policy would miss the limit: no byte between zones, or the tail of one pool of all pods. */
function isOutOfReach({ criterion }: Judged, { figures }: CaseTable): boolean {
  if (criterion === GOAL.cheaper) {
    const { mean } = estimate(column(figures, NO_LOCALITY, 'transferShareOfCost'));
    return mean !== null && -mean > criterion.limit;
  }
  if (criterion !== GOAL.p99Priority) return false;
  const { value } = judge(figures, NO_LOCALITY, criterion);
  return value !== null && value > criterion.limit;
}

function summary(judged: readonly Judged[]): string {
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map(({ criterion }) => criterion.name);
  if (missed.length > 0) return `missed: ${missed.join(', ')}`;
  return judged.every(({ verdict }) => verdict === 'met') ? '**met**' : 'open';
}

function lossSection({ cases, policies }: QualityTable): string {
  const ours = policies.filter(({ isOurs }) => isOurs).map(({ name }) => name);
  const rivals = [PRIORITY, NO_LOCALITY, PER_ZONE];
  const rows = cases.flatMap((one) =>
    ours.flatMap((policy) => {
      const cells = rivals.map((rival) => losses(one.figures, policy, rival)?.what.join(', ') ?? absent);
      return cells.every((cell) => cell === absent) ? [] : [`| ${one.name} | ${policy} | ${cells.join(' | ')} |`];
    }),
  );
  return [
    'Surely worse (the whole interval) than a plain policy by more than the goal allows: p99 by 5 %, cost per served request by',
    '10 %, avoidable failures by 0.05 points of all requests. Cheap rivals may be cheap because they serve slowly or hardly at',
    'all: see their rows below.',
    '',
    ...(rows.length === 0
      ? ['Nowhere in these cases.']
      : [`| case | policy | than ${rivals.join(' | than ')} |`, '|---|---|---|---|---|', ...rows]),
  ].join('\n');
}

interface Shown {
  readonly figure: Figure;
  readonly title: string;
  readonly times: number;
}

const SHOWN: readonly Shown[] = [
  { figure: 'p50Ms', title: 'p50 ms', times: 1 },
  { figure: 'p95Ms', title: 'p95 ms', times: 1 },
  { figure: 'p99Ms', title: 'p99 ms', times: 1 },
  { figure: 'failedShare', title: 'failed %', times: 100 },
  { figure: 'avoidableShare', title: 'avoidable %', times: 100 },
  { figure: 'usdPerHour', title: 'USD/h', times: 1 },
  { figure: 'usdPerMillionServed', title: 'USD/million served', times: 1 },
  { figure: 'crossZoneShare', title: 'cross-zone %', times: 100 },
  { figure: 'pods', title: 'pods', times: 1 },
  { figure: 'weightPointsPerMinute', title: 'weight points/min', times: 1 },
  { figure: 'decisionsPerHour', title: 'decisions/h', times: 1 },
];

function figuresIntroduction(): string {
  return [
    'Mean over the seeds, and half of the 95 % interval (none where the seeds agree).',
    '',
    '- Latencies are those of the requests that were served: where many fail, a low p99 says little.',
    '- Avoidable failures leave out users who found no gateway.',
    '- USD/h is what the pods are charged for of their nodes, and transfer between zones; in `node-autoscaling`, where nodes',
    '  come and go, it is the whole bill.',
    '- Pods are those that exist, those that start, drain or stand on a lost node among them.',
    '- Weight points are the sum of the changes of all weights in all rows: moving 10 % of a row to another zone is 20.',
    '- Decisions are those of autoscalers and engine, placements among them.',
  ].join('\n');
}

function caseSection(one: CaseTable, { policies }: QualityTable): string {
  const rows = policies.map(({ name, isOurs }) => {
    const cells = SHOWN.map(({ figure, times }) => figureCell(column(one.figures, name, figure), times));
    return `| ${nameCell(name, isOurs)} | ${cells.join(' | ')} |`;
  });
  return [
    `### ${one.name}`,
    '',
    one.about,
    '',
    `| policy | ${SHOWN.map(({ title }) => title).join(' | ')} |`,
    `|---${'|---'.repeat(SHOWN.length)}|`,
    ...rows,
  ].join('\n');
}

/** Below this part of the mean a spread is rounding, or nothing that shows in three digits. */
const NO_SPREAD = 1e-3;

function figureCell(values: readonly (number | null)[], times: number): string {
  const { mean, interval } = estimate(values.map((value) => (value === null ? null : value * times)));
  if (mean === null) return absent;
  if (interval === null) return formatNumber(mean);
  const half = (interval.high - interval.low) / 2;
  return half <= Math.abs(mean) * NO_SPREAD
    ? formatNumber(mean)
    : `${formatNumber(mean)} +-${Number(half.toPrecision(2))}`;
}

/** Three digits at most: `+4.7`, `-31`, `0.013`. */
function signed(value: number, withSign: boolean): string {
  const size = Math.abs(value);
  const text = size >= 10 ? size.toFixed(0) : size >= 1 ? size.toFixed(1) : size.toFixed(2);
  if (Number(text) === 0) return '0';
  return `${value < 0 ? '-' : withSign ? '+' : ''}${text}`;
}
