/**
 * `npm run bench`: one table of speeds and of their ratios to the C++ floors, measured in interleaved rounds; the median
 * is quoted, with the lowest and the highest. `--rounds N` (default 5), `--json FILE`.
 */
import { writeFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { hold } from './hold.js';
import { compileReference } from './reference.js';
import { timeScenario } from './scenarios.js';

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly goal: string;
  readonly value: () => number;
  /** The figure of the same round that this one is divided by: a name of a row, or a floor. */
  readonly against: string | null;
}

const JITTER = { kind: 'lognormal', mean: 1, cv: 0.2 } as const;
const rounds = Number(option('--rounds') ?? 5);
const compiled = compileReference();
if ('missing' in compiled) console.error(`without ratios to C++: ${compiled.missing}`);
const reference = 'reference' in compiled ? compiled.reference : null;

const rows: Row[] = [
  ...(reference
    ? [
        row('C++ chain', 'requests/s', () => reference.chain(1_000_000), null),
        row('C++ hold, 1,000 pending', 'events/s', () => reference.hold(1000, 5_000_000), null),
        row('C++ hold, 10,000 pending', 'events/s', () => reference.hold(10_000, 5_000_000), null),
      ]
    : []),
  row(
    'chain-of-three',
    'requests/s',
    () => timeScenario('chain-of-three', 200, null).requestsPerSecond,
    'C++ chain',
    '0.20',
  ),
  row(
    'chain-of-three, jittered hops',
    'requests/s',
    () => timeScenario('chain-of-three', 200, JITTER).requestsPerSecond,
    'C++ chain',
    '0.20',
  ),
  row('chain-of-three, spans', 'spans/s', () => timeScenario('chain-of-three', 200, null).spansPerSecond, null),
  row(
    'irregular-twelve, spans',
    'spans/s',
    () => timeScenario('irregular-twelve', 300, null).spansPerSecond,
    'chain-of-three, spans',
    '0.60',
  ),
  row('hold, 1,000 pending', 'events/s', () => hold(1000, 5_000_000).perSecond, 'C++ hold, 1,000 pending', '0.50'),
  row('hold, 10,000 pending', 'events/s', () => hold(10_000, 5_000_000).perSecond, 'C++ hold, 10,000 pending', '0.50'),
];

const values = new Map(rows.map(({ name }) => [name, [] as number[]]));
for (const { value } of rows) value();
for (let round = 0; round < rounds; round++) for (const { name, value } of rows) values.get(name)!.push(value());

const table = rows.map(({ name, unit, against, goal }) => {
  const own = values.get(name)!;
  const base = against === null ? undefined : values.get(against);
  return {
    name,
    unit,
    goal,
    median: median(own),
    low: Math.min(...own),
    high: Math.max(...own),
    ratio: base ? median(own.map((value, i) => value / base[i]!)) : null,
    against,
  };
});
console.log(
  `${cpus()[0]?.model ?? arch()}, ${cpus().length} cores, Node ${process.versions.node}; median of ${rounds} interleaved rounds\n`,
);
console.log(
  `${'what'.padEnd(32)}${'median'.padStart(12)}  ${'unit'.padEnd(11)}${'lowest'.padStart(12)}${'highest'.padStart(12)}${'ratio'.padStart(8)}${'goal'.padStart(7)}`,
);
for (const line of table) {
  const number = (value: number): string => Math.round(value).toLocaleString('en').padStart(12);
  const ratio = line.ratio === null ? '' : line.ratio.toFixed(2);
  console.log(
    `${line.name.padEnd(32)}${number(line.median)}  ${line.unit.padEnd(11)}${number(line.low)}${number(line.high)}${ratio.padStart(8)}${line.goal.padStart(7)}`,
  );
}
const jsonFile = option('--json');
if (jsonFile)
  writeFileSync(jsonFile, JSON.stringify({ rounds, node: process.versions.node, rows: table }, null, 2) + '\n');

function row(name: string, unit: string, value: () => number, against: string | null, goal = ''): Row {
  return { name, unit, value, against, goal };
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at >= 0 ? process.argv[at + 1] : undefined;
}
