/**
 * One line on stderr that counts runs while they are made, with the time left as the mean run so far suggests. Only
 * where a person looks: a terminal, and no --quiet. Logs of CI stay free of it.
 */
import type { Context } from './context.js';

export interface Progress {
  readonly update: (done: number, total: number) => void;
  readonly clear: () => void;
}

export function showProgress(context: Context, quiet: boolean): Progress {
  if (quiet || !context.stderrIsTerminal) return { update: () => undefined, clear: () => undefined };
  const startedMs = Date.now();
  return {
    update: (done, total) => {
      const leftSeconds = ((Date.now() - startedMs) / 1000 / done) * (total - done);
      context.rewriteLine(`${done} of ${total} runs, about ${Math.ceil(leftSeconds)} s left`);
    },
    clear: () => context.rewriteLine(''),
  };
}
