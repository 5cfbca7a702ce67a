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
    `What each policy makes of the same ${plural(cases.length, 'case')}: ${plural(seeds.length, 'seed')} (${seeds[0]!} to ${seeds.at(-1)!}), which no`,
    'gate of the library uses, and on each seed the same requests for every policy. `npm run quality` makes this page anew;',
    'it holds simulated figures only, so the same seeds give the same bytes on any machine.',
    '',
    '| policy | what it is |',
    '|---|---|',
    ...policies.map(({ name, about }) => `| ${name} | ${about} |`),
    '',
    'The engine has its defaults, a step every 15 s, and the bounds of the autoscalers; it is given nothing that fits one case',
    "alone. Outlier detection ejects nobody (`consecutive5xxErrors: 0`), so that only routes differ. Calls have Istio's",
    'default retries.',
  ];
  if (leftOut.length > 0)
    lines.push('', `Not in this table, as this version does not know their settings: ${leftOut.join('; ')}.`);
  return lines.join('\n');
}

const GOAL_COLUMNS: readonly CriterionName[] = ['p99', 'failed', 'cheaper', 'perZone'];
const PRIORITY_COLUMNS: readonly CriterionName[] = ['p99Priority', 'costPriority'];

function goalSection({ cases, policies }: QualityTable): string {
  const ours = policies.filter(({ isOurs }) => isOurs).map(({ name }) => name);
  const zoned = cases.filter(({ zones }) => zones > 1);
  const row = (one: CaseTable, policy: string, names: readonly CriterionName[]): string => {
    const judged = names.map((name) => judge(one.figures, policy, GOAL[name]));
    return `| ${one.name} | ${policy} | ${judged.map((cell) => judgedCell(cell, one)).join(' | ')} | ${summary(judged)} |`;
  };
  const priority = zoned.filter(({ againstPriority }) => againstPriority);
  return [
    `One setting for all cases: p99 within 5 % of \`${NO_LOCALITY}\`, at most 0.05 % failed, at least 35 % cheaper than it, and at`,
    `most 10 % dearer than \`${PER_ZONE}\`. Costs are per served request. Each figure has its 95 % interval over paired seeds;`,
    '**met** and **missed** need the whole of it on one side of the limit, anything else is open. *Out of reach*: even with no',
    'byte between zones, the pods of `' + NO_LOCALITY + '` alone cost more than the limit allows.',
    '',
    '| case | policy | p99: at most +5 % | failed: at most 0.05 % | cost: at most -35 % | cost: at most +10 % | goal |',
    '|---|---|---|---|---|---|---|',
    ...zoned.flatMap((one) => ours.map((policy) => row(one, policy, GOAL_COLUMNS))),
    '',
    `With half of the users in one zone, against \`${PRIORITY}\` (locality priority): p99 at least 70 % lower, at most 3 % dearer.`,
    '',
    '| case | policy | p99: at most -70 % | cost: at most +3 % | goal |',
    '|---|---|---|---|---|',
    ...priority.flatMap((one) => ours.map((policy) => row(one, policy, PRIORITY_COLUMNS))),
  ].join('\n');
}

function judgedCell(judged: Judged, one: CaseTable): string {
  const { criterion, value, interval, verdict } = judged;
  if (value === null || interval === null) return `${absent} open`;
  const percent = (share: number): string => signed(share * 100, criterion.against !== null);
  const word =
    verdict === 'missed' && isOutOfReach(judged, one)
      ? 'missed, *out of reach*'
      : verdict === 'open'
        ? verdict
        : `**${verdict}**`;
  return `${percent(value)} % (${percent(interval.low)} to ${percent(interval.high)}) ${word}`;
}

/** What a policy with the pods of locality off would cost if nothing crossed. */
function isOutOfReach({ criterion }: Judged, { figures }: CaseTable): boolean {
  if (criterion !== GOAL.cheaper) return false;
  const { mean } = estimate(column(figures, NO_LOCALITY, 'transferShareOfCost'));
  return mean !== null && -mean > criterion.limit;
}

function summary(judged: readonly Judged[]): string {
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map(({ criterion }) => criterion.name);
  if (missed.length > 0) return `missed: ${missed.join(', ')}`;
  return judged.every(({ verdict }) => verdict === 'met') ? '**met**' : 'open';
}

function lossSection({ cases, policies }: QualityTable): string {
  const ours = policies.filter(({ isOurs }) => isOurs).map(({ name }) => name);
  const rows = cases.flatMap((one) =>
    ours.flatMap((policy) =>
      [PRIORITY, NO_LOCALITY, PER_ZONE].flatMap((against) => {
        const loss = losses(one.figures, policy, against);
        return loss === null ? [] : [`| ${one.name} | ${policy} | ${against} | ${loss.what.join(', ')} |`];
      }),
    ),
  );
  return [
    'Surely worse (the whole interval) than a plain policy by more than the goal allows: p99 by 5 %, cost per served request by',
    '10 %, failures by 0.05 points of all requests.',
    '',
    ...(rows.length === 0
      ? ['Nowhere in these cases.']
      : ['| case | policy | worse than | by |', '|---|---|---|---|', ...rows]),
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
  { figure: 'usdPerHour', title: 'USD/h', times: 1 },
  { figure: 'usdPerMillionServed', title: 'USD per million served', times: 1 },
  { figure: 'crossZoneShare', title: 'cross-zone %', times: 100 },
  { figure: 'pods', title: 'pods', times: 1 },
  { figure: 'weightPointsPerMinute', title: 'weight points/min', times: 1 },
  { figure: 'decisionsPerHour', title: 'decisions/h', times: 1 },
];

function figuresIntroduction(): string {
  return [
    'Mean over the seeds, and half of the 95 % interval. Latencies are those of the requests that were served: where many fail,',
    'a low p99 says little. USD/h is what the pods are charged for of their nodes, and transfer between zones; where nodes come',
    'and go it is the whole bill. Pods are those that exist, those on their way up or down among them. Weight points: how far',
    'the rows of route weights moved, as the sum of the changes of all weights (moving 10 % of a row from one zone to another',
    'is 20). Decisions: those of autoscalers and engine, placements among them.',
  ].join('\n');
}

function caseSection(one: CaseTable, { policies }: QualityTable): string {
  const rows = policies.map(({ name, isOurs }) => {
    const cells = SHOWN.map(({ figure, times }) => figureCell(column(one.figures, name, figure), times));
    return `| ${isOurs ? `**${name}**` : name} | ${cells.join(' | ')} |`;
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

function figureCell(values: readonly (number | null)[], times: number): string {
  const { mean, interval } = estimate(values.map((value) => (value === null ? null : value * times)));
  if (mean === null) return absent;
  if (interval === null) return formatNumber(mean);
  const half = (interval.high - interval.low) / 2;
  return half === 0 ? formatNumber(mean) : `${formatNumber(mean)} +-${Number(half.toPrecision(2))}`;
}

/** Three digits at most: `+4.7`, `-31`, `0.013`. */
function signed(value: number, withSign: boolean): string {
  const size = Math.abs(value);
  const text = size >= 10 ? size.toFixed(0) : size >= 1 ? size.toFixed(1) : size.toFixed(2);
  if (Number(text) === 0) return '0';
  return `${value < 0 ? '-' : withSign ? '+' : ''}${text}`;
}
