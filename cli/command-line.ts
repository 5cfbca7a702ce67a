/**
 * Reads the command line with yargs and calls the command. yargs neither prints nor ends the process here: what it has
 * to say comes back as text, so that help goes to stdout, mistakes go to stderr with the nearest right name, and every
 * ending passes through one place.
 */
import yargs, { type Argv } from 'yargs';
import { didYouMean } from '../scenarios/problems.js';
import { COMMANDS, type Arguments, type Command } from './commands.js';
import type { Context } from './context.js';
import { EXIT, InputError, type ExitCode } from './exit-codes.js';

const GLOBAL_OPTIONS = ['color', 'no-color', 'help', 'version'];
const HELP_COLUMNS = 100;

export async function runCommandLine(words: readonly string[], context: Context): Promise<ExitCode> {
  const call: { command?: Command; args?: Arguments } = {};
  const parser = newParser(words, context);
  for (const command of COMMANDS) {
    parser.command(
      command.usage,
      command.describe,
      (own) => describeCommand(own, command, context),
      (args) => {
        call.command = command;
        call.args = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, showDash(value)]));
      },
    );
  }
  let text = '';
  await parser.parseAsync(words.map(hideDash), {}, (_error: unknown, _args: unknown, printed: string) => {
    text = printed;
  });
  if (call.command === undefined || call.args === undefined) {
    context.print(`${text}\n`);
    return EXIT.ok;
  }
  refuseRepeated(call.args, call.command);
  const handle = await call.command.load();
  return handle(call.args, context);
}

/** yargs makes an empty text of a lone `-` that stands for an argument; it passes this one through. */
const DASH = '\u0000-';

function hideDash(word: string): string {
  return word === '-' ? DASH : word;
}

function showDash(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(showDash);
  return value === DASH ? '-' : value;
}

function newParser(words: readonly string[], context: Context): Argv {
  return (
    yargs()
      .scriptName(context.programName)
      .usage('$0 <command> [options]\n\nTries scaling and routing policies on a simulated Kubernetes + Istio cluster.')
      .epilogue(
        'Exit codes: 0 ok, 1 internal error, 2 wrong input, 3 a gate failed, 4 inconclusive (opt-in), 130 interrupted.',
      )
      .option('color', { type: 'boolean', global: true, describe: 'Colour, or --no-color; default: on terminals' })
      .version(context.version)
      .help()
      .alias('help', 'h')
      .strict()
      .demandCommand(1, 'name a command; see --help')
      .locale('en')
      .wrap(HELP_COLUMNS)
      .exitProcess(false)
      // One array option must not swallow the words behind it, and a name must not show up in two spellings.
      .parserConfiguration({ 'greedy-arrays': false, 'camel-case-expansion': false, 'parse-positional-numbers': false })
      .fail((message, error) => {
        throw error ?? new InputError(`${context.programName}: ${withSuggestion(message, words)}`);
      })
  );
}

function describeCommand(parser: Argv, command: Command, context: Context): Argv {
  for (const [name, describe] of Object.entries(command.positionals ?? {})) {
    parser.positional(name, { type: 'string', describe });
  }
  for (const [name, options] of Object.entries(command.options ?? {})) parser.option(name, options);
  return parser.example(
    command.examples.map(([line, what]): [string, string] => [`${context.programName} ${line}`, what]),
  );
}

/** yargs names what it does not know; the nearest name that it does know is ours to find. */
function withSuggestion(message: string, words: readonly string[]): string {
  if (message.startsWith('Not enough non-option arguments')) {
    const usage = COMMANDS.find((command) => command.usage.split(' ')[0] === words[0])?.usage ?? '<command>';
    return `something is missing: ${usage}; see --help`;
  }
  const unknown = /^Unknown (?:arguments?|commands?): ([^,\s]+)/.exec(message)?.[1];
  if (unknown === undefined) return message;
  const command = COMMANDS.find(({ usage }) => usage.split(' ')[0] === words[0]);
  const isOption = words.some((word) => /^--?/.test(word) && word.replace(/^--?/, '').split('=')[0] === unknown);
  if (!isOption) {
    const names = COMMANDS.map(({ usage }) => usage.split(' ')[0]!);
    const said = command === undefined ? `unknown command "${unknown}"` : `unexpected argument "${unknown}"`;
    return [
      said,
      command === undefined ? (didYouMean(unknown, names) ?? `commands are ${names.join(', ')}`) : 'see --help',
    ].join('; ');
  }
  const names = [...Object.keys(command?.options ?? {}), ...GLOBAL_OPTIONS];
  const near = didYouMean(unknown, names)?.replace('"', '"--');
  return `unknown option "${unknown.length > 1 ? '--' : '-'}${unknown}"; ${near ?? 'see --help'}`;
}

/** An option that may stand once and stands twice holds a list: neither value can be the one that was meant. */
function refuseRepeated(args: Arguments, command: Command): void {
  for (const [name, options] of Object.entries(command.options ?? {})) {
    if (options.type !== 'array' && Array.isArray(args[name])) {
      throw new InputError(`--${name} is given more than once: ${(args[name] as unknown[]).join(', ')}`);
    }
  }
}
