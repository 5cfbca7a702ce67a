/** `explain`: the paragraph behind the code of a message. */
import { didYouMean, explain, PROBLEM_CODES } from '../../scenarios/problems.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';

export function explainCode(args: Arguments, context: Context): Promise<ExitCode> {
  const given = String(args.code);
  const codes = given.toLowerCase() === 'all' ? PROBLEM_CODES : [given.toUpperCase()];
  for (const code of codes) {
    const paragraph = explain(code);
    if (paragraph === null) {
      const hint = didYouMean(code, PROBLEM_CODES) ?? `codes run from ${PROBLEM_CODES[0]} to ${PROBLEM_CODES.at(-1)}`;
      throw new InputError(`explain ${given}: there is no such code; ${hint}`);
    }
    context.print(`${code}: ${paragraph}\n`);
  }
  return Promise.resolve(EXIT.ok);
}
