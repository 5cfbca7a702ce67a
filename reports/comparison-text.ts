/** The comparison of two policies as a table of 80 columns, the words explained once below it. */
import type { ComparedFigure, Comparison } from './compare.js';
import { absent, clip, formatMs, formatNumber, printable, signed, wrap } from './format.js';
import { formatInterval, paintOf, paintWord, table, terminalCells } from './terminal.js';

export function comparisonText(comparison: Comparison, options: { readonly color: boolean }): string {
  const paint = paintOf(options.color);
  const [a, b] = [clip(printable(comparison.a), 10), clip(printable(comparison.b), 10)];
  const rows = comparison.figures.map((figure) => figureRow(figure));
  const [head = '', ...lines] = table([['', a, b, 'difference', '95% interval', ''], ...rows]);
  const painted = lines.map((line, index) => {
    const word = comparison.figures[index]?.word ?? 'unclear';
    return line.slice(0, line.length - word.length) + paintWord(paint, word, word);
  });
  const title = `${printable(comparison.b)} against ${printable(comparison.a)}, ${comparison.seeds.length} paired seeds`;
  return [
    ...wrap(title, terminalCells).map(paint.strong),
    '',
    paint.faint(head),
    ...painted,
    '',
    ...relativeLines(comparison),
    ...reductionLines(comparison),
    ...seedLines(comparison),
    ...comparison.notices.flatMap((notice) => wrap(`! ${notice}`, terminalCells - 4).map((line) => `  ${line}`)),
    ...missingLines(comparison),
    ...legend.map(paint.faint),
    '',
  ].join('\n');
}

const legend = [
  '  better, worse: the interval excludes 0. same: it lies within the margin',
  '  (latency 2%, cost 1%, failed 0.01 and cross-zone 1 points). unclear: neither.',
  '  cost used: without idle nodes.',
];

/** One unit a row, named once, so that the columns can be read down and across. */
const rowUnits: Readonly<Record<string, { readonly name: string; readonly factor: number }>> = {
  latencyMs: { name: 'ms', factor: 1 },
  share: { name: '%', factor: 100 },
  usdPerHour: { name: '$/h', factor: 1 },
};

function figureRow({ name, quantity, a, b, difference, word }: ComparedFigure): string[] {
  const unit = rowUnits[quantity] ?? { name: '', factor: 1 };
  const show = (value: number): string => formatNumber(value * unit.factor);
  const change = (value: number): string => signed(show(value));
  return [
    `${name} ${unit.name}`,
    a.mean === null ? absent : show(a.mean),
    b.mean === null ? absent : show(b.mean),
    difference.mean === null ? absent : change(difference.mean),
    difference.interval === null ? absent : `[${change(difference.interval.low)}, ${change(difference.interval.high)}]`,
    word,
  ];
}

function relativeLines(comparison: Comparison): string[] {
  const parts = comparison.figures.flatMap(({ name, relative }) => {
    if (relative === null || !['p95', 'cost'].includes(name)) return [];
    const show = (value: number): string => signed(`${formatNumber(value * 100)}%`);
    return [`${name} ${show(relative.change)} ${formatInterval(relative.interval, relative.change, show)}`];
  });
  return parts.length === 0 ? [] : [`  in percent: ${parts.join(', ')}`];
}

/** Near 100% the shared seeds did their work; near or below 0 they did nothing, and more seeds are the only help. */
function reductionLines(comparison: Comparison): string[] {
  const parts = comparison.figures.flatMap(({ name, difference }) =>
    difference.varianceReduction === null ? [] : [`${name} ${(difference.varianceReduction * 100).toFixed(0)}%`],
  );
  if (parts.length === 0) return [];
  const text = `variance taken off by sharing seeds: ${parts.join(', ')}`;
  return wrap(text, terminalCells - 4).map((line) => `  ${line}`);
}

function seedLines({ worstSeeds, seedsLost, seeds, b }: Comparison): string[] {
  if (seedsLost === 0) return seeds.length === 0 ? [] : [`  p95 is never higher under ${clip(printable(b), 40)}`];
  const shown = worstSeeds.map((one) => `--seed ${one.seed} (+${formatMs(one.bP95Ms - one.aP95Ms)})`).join(', ');
  const text = `higher p95 on ${seedsLost} of ${seeds.length} seeds, worst first: ${shown}`;
  return wrap(text, terminalCells - 4).map((line) => `  ${line}`);
}

function missingLines(comparison: Comparison): string[] {
  if (comparison.seeds.length === 0) return [];
  return comparison.figures.flatMap(({ name, quantity, a, b }) => {
    const reason = a.mean === null ? a.reason : b.mean === null ? b.reason : null;
    if (quantity === 'usdPerHour' && (a.mean === null || b.mean === null))
      return [`  ${name}: a price that it rests on is unknown`];
    if (reason === null) return [];
    return [`  ${name}: ${reason}${name === 'p99' ? ' (p99 needs 1,000 requests a seed)' : ''}`];
  });
}
