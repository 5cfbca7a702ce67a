/**
 * What a command gets from the outside world, gathered once in `main.ts`, so that no command reads globals: where the
 * parts of the package lie, whether people or programs read along, and how to say something to either.
 */
export interface Context {
  readonly version: string;
  /** `wavetank`, or `kubectl wavetank` when called as a kubectl plug-in. */
  readonly programName: string;
  readonly libraryFolder: URL;
  readonly mappingsFolder: URL;
  readonly workerFile: URL;
  /** All of standard input; read once, and only where an argument is `-`. */
  readonly readInput: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Data: goes to stdout as it is. */
  readonly print: (text: string) => void;
  /** For humans: goes to stderr, with a line end. */
  readonly say: (text: string) => void;
  /** Rewrites one line on stderr; callers check `stderrIsTerminal`. */
  readonly rewriteLine: (text: string) => void;
  /** Aborted by Ctrl-C; commands keep what is done and end. */
  readonly interrupt: AbortSignal;
}

/**
 * Colour is for terminals. NO_COLOR (no-color.org) and --no-color turn it off, FORCE_COLOR turns it on where no terminal
 * is; the flag beats the environment, and of the two variables NO_COLOR wins, being the request for less.
 */
export function wantsColor(
  flag: boolean | undefined,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (flag !== undefined) return flag;
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  return isTerminal && env.TERM !== 'dumb';
}
