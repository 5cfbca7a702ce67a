/**
 * The C++ floors, compiled on the spot from the folder that WAVETANK_REFERENCE names (default ../shared/reference). They
 * hold nothing but an event loop, so they say what the machine can do at this moment; ratios to them survive a noisy one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Reference {
  /** Requests per second of the bare chain of three. */
  chain(requests: number): number;
  /** Steps per second of the hold model. */
  hold(pending: number, steps: number): number;
}

/** Null, with the reason, where there is no source or no compiler. */
export function compileReference(): { reference: Reference } | { missing: string } {
  const folder = process.env['WAVETANK_REFERENCE'] ?? '../shared/reference';
  if (!existsSync(join(folder, 'chain.cpp'))) return { missing: `no reference sources in ${folder}` };
  const out = mkdtempSync(join(tmpdir(), 'wavetank-reference-'));
  try {
    for (const name of ['chain', 'hold']) {
      execFileSync('g++', ['-O3', '-march=native', '-o', join(out, name), join(folder, `${name}.cpp`)]);
    }
  } catch (error) {
    return { missing: `the reference does not compile: ${String(error)}` };
  }
  const run = (name: string, ...args: number[]): Record<string, number> =>
    JSON.parse(execFileSync(join(out, name), args.map(String), { encoding: 'utf8' })) as Record<string, number>;
  return {
    reference: {
      chain: (requests) => run('chain', 3, 10, 4, requests)['requestsPerSecond']!,
      hold: (pending, steps) => run('hold', pending, steps)['stepsPerSecond']!,
    },
  };
}
