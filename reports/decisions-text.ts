/**
 * What the engine would do, for people: each decision with its reason, the numbers used and the rivals that lost, then
 * what is left alone and why. No line is longer than a terminal, and colour never says anything alone.
 */
import type { Decision, Skipped, StepOutput } from '../engine/types.js';
import { decisionWords, nameOf } from './decision-words.js';
import { absent, formatNumber, plural, printable, wrap } from './format.js';
import { paintOf, terminalCells, type Paint } from './terminal.js';

export interface DecidedStep {
  readonly file: string;
  readonly observedAtMs: number;
  readonly output: StepOutput;
}

export function decisionsText(steps: readonly DecidedStep[], color: boolean): string {
  const paint = paintOf(color);
  const lines = steps.flatMap((step) => [
    ...(steps.length === 1 ? [] : [paint.strong(stepTitle(step)), '']),
    ...stepLines(step.output, paint),
    '',
  ]);
  return lines.join('\n').trimEnd();
}

/** The line above what a file of several leads to. */
export function stepTitle({ file, observedAtMs }: Pick<DecidedStep, 'file' | 'observedAtMs'>): string {
  return `== ${printable(file)}, seen at ${formatNumber(observedAtMs / 1000, 6)} s`;
}

function stepLines({ decisions, skipped }: StepOutput, paint: Paint): string[] {
  const count = `${plural(decisions.length, 'decision')}, ${skipped.length} left alone`;
  return [
    ...decisions.flatMap((decision) => [...decisionLines(decision, paint), '']),
    ...(skipped.length === 0 ? [] : ['Left alone:', ...skipped.flatMap((one) => skippedLines(one, paint)), '']),
    count,
  ];
}

function decisionLines(decision: Decision, paint: Paint): string[] {
  const { title, action, places } = decisionWords(decision);
  return [
    ...hanging(`${title}: ${action}`, '', '    ').map((line) => paint.strong(line)),
    ...places.flatMap((place) => hanging(place, '  ', '    ')),
    ...hanging(`because ${decision.because}`, '  ', '    '),
    ...Object.entries(decision.signals).flatMap(([name, value]) =>
      hanging(`${name} = ${shown(value)}`, '    ', '      '),
    ),
    ...decision.rejected.flatMap(({ candidate, reason, score }) =>
      hanging(
        `not ${candidate}: ${reason}${score === null ? '' : ` (score ${formatNumber(score, 1)})`}`,
        '  ',
        '    ',
      ).map((line) => paint.faint(line)),
    ),
  ];
}

function skippedLines({ part, workload, reason, detail }: Skipped, paint: Paint): string[] {
  const [first = '', ...more] = hanging(`${part} ${nameOf(workload)}: ${reason}; ${detail}`, '  ', '    ');
  return [first.replace(`: ${reason};`, `: ${paint.unsure(reason)};`), ...more];
}

function shown(value: string | number | boolean | null): string {
  if (value === null) return absent;
  return typeof value === 'number' ? formatNumber(value, 2) : String(value);
}

/** Names and sentences may hold anything, as snapshots come from elsewhere. */
export function hanging(text: string, first: string, rest: string): string[] {
  const lines = wrap(printable(text), terminalCells - rest.length);
  return lines.map((line, index) => (index === 0 ? first : rest) + line);
}
