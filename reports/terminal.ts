/**
 * The few marks of text reports: colours (only when asked for, and never the only carrier of a meaning), the symbols of
 * verdicts and words, and tables whose numbers stand right-aligned.
 */
import type { Word } from './compare.js';
import { cellsOf, clip, formatNumber, formatQuantity, padEnd, padStart, signed } from './format.js';
import type { Verdict } from './gates.js';
import type { Interval } from './statistics.js';
import type { Quantity } from '../scenarios/expectations.js';

export const terminalCells = 80;

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly unsure: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function paintOf(color: boolean): Paint {
  const code =
    (open: number, close: number) =>
    (text: string): string =>
      color && text !== '' ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return { good: code(32, 39), bad: code(31, 39), unsure: code(33, 39), faint: code(2, 22), strong: code(1, 22) };
}

export const verdictSymbols: Readonly<Record<Verdict, string>> = { passed: '✓', failed: '✗', inconclusive: '~' };

export function paintVerdict(paint: Paint, verdict: Verdict, text: string): string {
  return verdict === 'passed' ? paint.good(text) : verdict === 'failed' ? paint.bad(text) : paint.unsure(text);
}

export function paintWord(paint: Paint, word: Word, text: string): string {
  return word === 'better'
    ? paint.good(text)
    : word === 'worse'
      ? paint.bad(text)
      : word === 'unclear'
        ? paint.unsure(text)
        : text;
}

/**
 * Columns as wide as their widest cell, two spaces between; the first ones left-aligned, the others right. Where that is
 * too wide for the terminal, the first column gives way: a name can be cut, a number cannot.
 */
export function table(rows: readonly (readonly string[])[], indent = '  ', leftColumns = 1): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => cellsOf(row[column] ?? ''))),
  );
  const total = cellsOf(indent) + widths.reduce((sum, width) => sum + width + 2, -2);
  const leastName = 6;
  widths[0] = Math.max(Math.min(leastName, widths[0] ?? 0), (widths[0] ?? 0) - Math.max(0, total - terminalCells));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return (column < leftColumns ? padEnd : padStart)(column === 0 ? clip(cell, width) : cell, width);
    });
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/** In place of one, where there are too few seeds. */
export const NO_INTERVAL = '[no interval]';

/** `-18.4 ms [-18.9, -17.9]`: the unit once, beside the value, where both ends share it. */
export function formatChange(value: number | null, interval: Interval | null, quantity: Quantity): string {
  const show = (number: number): string => signed(formatDifference(number, quantity));
  if (value === null) return '-';
  return interval === null
    ? `${show(value)} ${NO_INTERVAL}`
    : `${show(value)} ${formatInterval(interval, value, show)}`;
}

/** Differences of shares are points: 20% to 22% is 2 points more, and 10% more. */
export function formatDifference(value: number, quantity: Quantity): string {
  return quantity === 'share' ? `${formatNumber(value * 100)} points` : formatQuantity(value, quantity);
}

/** The unit stands once, beside the value; where an end has another one than the value, all keep theirs. */
export function formatInterval(interval: Interval, value: number, show: (value: number) => string): string {
  const ends = [show(interval.low), show(interval.high)];
  const unit = unitOf(show(value));
  const same = ends.every((end) => unitOf(end) === unit || unitOf(end) === '');
  return `[${ends.map((end) => (same ? end.slice(0, end.length - unitOf(end).length) : end)).join(', ')}]`;
}

function unitOf(text: string): string {
  return /[^\d.]*$/u.exec(text)?.[0] ?? '';
}
