/**
 * The files of `run --dump-snapshots`: for each engine step one with what the engine was told (`*.input.json`, which
 * `decide` reads) and one with what it answered (`*.output.json`). Names sort by time: policy, seed, milliseconds, and a
 * number, as a placement between cycles may share its millisecond with a cycle.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StepInput, StepOutput } from '../engine/types.js';
import { writeFileAtomically } from './write-file.js';

export interface EngineStep {
  readonly atMs: number;
  readonly input: StepInput;
  readonly output: StepOutput;
}

const HEADER = { apiVersion: 'wavetank/v1alpha1', formatVersion: '1.0' } as const;

export function writeSnapshots(folder: string, policy: string, seed: number): (step: EngineStep) => void {
  mkdirSync(folder, { recursive: true });
  let number = 0;
  return ({ atMs, input, output }) => {
    const time = String(Math.round(atMs)).padStart(9, '0');
    const name = `${policy.replace(/[^\w+.-]/g, '_')}-seed${seed}-${time}ms-${String(number++).padStart(5, '0')}`;
    writeFileAtomically(join(folder, `${name}.input.json`), toJson({ ...HEADER, kind: 'StepInput', ...input }));
    writeFileAtomically(join(folder, `${name}.output.json`), toJson({ ...HEADER, kind: 'StepOutput', ...output }));
  };
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
