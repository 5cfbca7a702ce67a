/**
 * How a command ends, as scripts and CI see it. A wrong input is never mistaken for a failed gate, and neither for a bug
 * of ours. 130 is the shell's own convention for SIGINT (128 + 2).
 */
export const EXIT = {
  ok: 0,
  internal: 1,
  input: 2,
  gateFailed: 3,
  /** Only with --fail-on-inconclusive: without it, "cannot tell yet" does not stop a build. */
  inconclusive: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something the caller can mend: printed as it is, without a stack, and ended with `EXIT.input`. */
export class InputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InputError';
  }
}
