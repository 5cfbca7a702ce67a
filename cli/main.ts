#!/usr/bin/env node
/**
 * The start of the command line: gathers the outside world into a Context, hands over to the command line proper, and
 * turns every way of ending into an exit code. Addresses of the other parts of the package are known here alone, as only
 * this file lies at a fixed place in `dist/`.
 */
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { runCommandLine } from './command-line.js';
import type { Context } from './context.js';
import { EXIT } from './exit-codes.js';

/** Put in by the bundler from package.json. */
declare const WAVETANK_VERSION: string;

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second Ctrl-C is from somebody who does not want to wait for what is kept.
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
});

// `wavetank ... | head` closes the pipe early: that is the reader's good right, and no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
    throw error;
  });
}

/** By name: to import the classes would load the readers before anybody asked for them. */
const INPUT_ERRORS = new Set(['InputError', 'RecordError', 'TraceInputError']);

const CLEAR_LINE = '\r\u001b[2K';

const context: Context = {
  version: WAVETANK_VERSION,
  programName: basename(process.argv[1]!).startsWith('kubectl-') ? 'kubectl wavetank' : 'wavetank',
  libraryFolder: new URL('library/', import.meta.url),
  mappingsFolder: new URL('mappings/', import.meta.url),
  workerFile: new URL('worker.js', import.meta.url),
  readInput: () => text(process.stdin),
  env: process.env,
  stdoutIsTerminal: process.stdout.isTTY,
  stderrIsTerminal: process.stderr.isTTY,
  print: (words) => void process.stdout.write(words),
  say: (words) => void process.stderr.write(`${words}\n`),
  rewriteLine: (words) => void process.stderr.write(CLEAR_LINE + words),
  interrupt: interrupt.signal,
};

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), context);
} catch (error) {
  if (error instanceof Error && INPUT_ERRORS.has(error.name)) {
    context.say(error.message);
    process.exitCode = EXIT.input;
  } else {
    context.say(`wavetank ${WAVETANK_VERSION}: internal error, please report it with the command line`);
    context.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = EXIT.internal;
  }
}
