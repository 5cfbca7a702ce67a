/**
 * How numbers and names look in every report: three significant digits where that says enough, thousands apart, one unit
 * a figure, and a dash where there is none. Widths are counted in terminal cells, so that a name in any script keeps the
 * columns straight. No locale is asked: the same input gives the same bytes on every machine.
 */
import type { Quantity } from '../scenarios/expectations.js';

export const absent = '-';

/** Of money that rests on a price which nobody has stated: neither nothing nor 0. */
export const unknown = 'unknown';

/** 730 hours: the month of cloud price lists (8,760 hours a year over 12). */
export const hoursPerMonth = 730;

export function formatCount(value: number): string {
  return value.toFixed(0).replace(/\B(?=(?:\d{3})+$)/gu, ',');
}

/** Three significant digits, never in scientific notation. `extra` digits more where rounding would hide a verdict. */
export function formatNumber(value: number | null, extra = 0): string {
  if (value === null) return absent;
  if (value === 0) return '0';
  const size = Math.abs(value);
  const rounded = Number(size.toPrecision(3 + extra));
  const decimals = Math.min(9, Math.max(0, 2 + extra - Math.floor(Math.log10(rounded))));
  const [whole = '0', fraction = ''] = size.toFixed(decimals).split('.');
  const kept = fraction.replace(/0+$/u, '');
  const text = `${formatCount(Number(whole))}${kept === '' ? '' : `.${kept}`}`;
  return text === '0' || value > 0 ? text : `-${text}`;
}

export function formatMs(value: number | null, extra = 0): string {
  if (value === null) return absent;
  const size = Math.abs(value);
  if (size >= 10_000) return `${formatNumber(value / 1000, extra)} s`;
  return size !== 0 && size < 0.1 ? `${formatNumber(value * 1000, extra)} us` : `${formatNumber(value, extra)} ms`;
}

export function formatSeconds(value: number | null, extra = 0): string {
  return value === null ? absent : `${formatNumber(value, extra)} s`;
}

/** A share of 0..1 as a percentage. */
export function formatShare(value: number | null, extra = 0): string {
  return value === null ? absent : `${formatNumber(value * 100, extra)}%`;
}

export function formatUsd(value: number | null, extra = 0): string {
  return value === null ? unknown : formatNumber(value, extra);
}

export function formatUsdPerHour(value: number | null, extra = 0): string {
  return value === null ? unknown : `${formatNumber(value, extra)} USD/h`;
}

export function formatPerMonth(usdPerHour: number | null): string {
  return usdPerHour === null ? unknown : formatNumber(Math.round(usdPerHour * hoursPerMonth));
}

export function formatQuantity(value: number | null, quantity: Quantity, extra = 0): string {
  switch (quantity) {
    case 'latencyMs':
      return formatMs(value, extra);
    case 'share':
      return formatShare(value, extra);
    case 'usdPerHour':
      return formatUsdPerHour(value, extra);
    case 'count':
      return formatNumber(value, extra);
    case 'perSecond':
      return value === null ? absent : `${formatNumber(value, extra)}/s`;
    case 'percent':
      return value === null ? absent : `${formatNumber(value, extra)}%`;
    case 'seconds':
      return formatSeconds(value, extra);
    case 'yesNo':
      return value === null ? absent : value === 1 ? 'yes' : 'no';
  }
}

export function signed(text: string): string {
  return text.startsWith('-') || text === absent || /^0(?:[^\d.]|$)/u.test(text) ? text : `+${text}`;
}

/** Names come from files: control characters would move the cursor or forge lines. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, '\uFFFD').replace(/[\u202A-\u202E\u2066-\u2069]/gu, '');
}

const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Cells the text takes in a terminal: East Asian characters and emoji take two, combining marks none. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const { segment } of segmenter.segment(text)) cells += wide.test(segment) ? 2 : 1;
  return cells;
}

/** Cut to a number of cells, the cut marked by an ellipsis. */
export function clip(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const width = wide.test(segment) ? 2 : 1;
    if (used + width > cells - 1) break;
    kept += segment;
    used += width;
  }
  return `${kept}…`;
}

export function padEnd(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - cellsOf(text)));
}

export function padStart(text: string, cells: number): string {
  return ' '.repeat(Math.max(0, cells - cellsOf(text))) + text;
}

/** Broken at spaces into lines of at most so many cells; a longer word is cut into pieces. */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && cellsOf(line) + 1 + cellsOf(word) > cells) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (cellsOf(line) > cells) {
      const head = [...line].slice(0, cells).join('');
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** One seed, 2 seeds. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
