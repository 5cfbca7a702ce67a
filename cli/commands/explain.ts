/** `explain`: what a code means, where it usually comes from and what to do; without a code, all codes by group. */
import { wrap } from '../../reports/format.js';
import { paintOf, terminalCells } from '../../reports/terminal.js';
import type { Arguments } from '../commands.js';
import { wantsColor, type Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { findCode, groups, nearestCode, type Group } from '../explanations/index.js';

export function explainCode(args: Arguments, context: Context): Promise<ExitCode> {
  const given = typeof args.code === 'string' ? args.code : null;
  const color = wantsColor(args.color as boolean | undefined, context.env, context.stdoutIsTerminal);
  const { strong } = paintOf(color);
  if (given === null) {
    const lists = groups.map(({ title, codes }) => [strong(title), ...indented(codes.join(', '))].join('\n'));
    context.print(
      `${lists.join('\n\n')}\n\n"${context.programName} explain CODE" tells more, "explain all" tells all.\n`,
    );
  } else if (given.toLowerCase() === 'all') {
    const texts = groups.map(({ title, codes, ...rest }) =>
      [`== ${title}`, ...codes.map((code) => explained(code, { title, codes, ...rest }, strong))].join('\n\n'),
    );
    context.print(`${texts.join('\n\n')}\n`);
  } else {
    const found = findCode(given);
    if (found === null) throw new InputError(`explain ${given}: there is no such code; ${nearestCode(given)}`);
    context.print(`${explained(found.code, found.group, strong)}\n`);
  }
  return Promise.resolve(EXIT.ok);
}

function explained(code: string, group: Group, strong: (text: string) => string): string {
  const text = group.textOf(code);
  const head = strong(code);
  if (typeof text === 'string') return [head, ...indented(text)].join('\n');
  const rows = [text.meaning, `Usual cause: ${text.cause}`, `What to do: ${text.remedy}`];
  return [head, ...rows.flatMap(indented)].join('\n');
}

function indented(text: string): string[] {
  return wrap(text, terminalCells - 2).map((line) => `  ${line}`);
}
