/**
 * Engine settings from a YAML file, over the defaults. Unknown keys and values of another type are refused: a misspelt
 * setting that is dropped in silence gives a wrong answer with a straight face. As `config view` prints them, the
 * settings may stand under `engine:`.
 */
import { parse } from 'yaml';
import type { EngineConfig } from '../engine/types.js';
import { configProblems, defaultEngineConfig } from '../engine/index.js';
import { didYouMean } from '../scenarios/problems.js';
import { InputError } from './exit-codes.js';
import { readText } from './scenario-input.js';

type Fields = Readonly<Record<string, unknown>>;

/** Their keys are names from the cluster, not settings. */
const FREE_KEYS = new Set(['workloads']);

export function readEngineConfig(file: string): EngineConfig {
  let value: unknown;
  try {
    value = parse(readText(file));
  } catch (error) {
    throw new InputError(`${file}: not YAML: ${(error as Error).message}`);
  }
  if (!isFields(value)) throw new InputError(`${file}: expected a mapping of engine settings`);
  const settings = isFields(value.engine) ? value.engine : value;
  const config = merge(defaultEngineConfig as unknown as Fields, settings, file, '') as unknown as EngineConfig;
  const problems = configProblems(config);
  if (problems.length > 0) throw new InputError(problems.map((problem) => `${file}: ${problem}`).join('\n'));
  return config;
}

function merge(defaults: Fields, given: Fields, file: string, path: string): Fields {
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    const here = path === '' ? key : `${path}.${key}`;
    const fallback = defaults[key];
    if (fallback === undefined) {
      const known = Object.keys(defaults);
      throw new InputError(
        `${file}: unknown setting ${here}; ${didYouMean(key, known) ?? `known are ${known.join(', ')}`}`,
      );
    }
    if (kindOf(value) !== kindOf(fallback)) {
      throw new InputError(
        `${file}: ${here} is a ${kindOf(value)}, expected a ${kindOf(fallback)} such as ${JSON.stringify(fallback)}`,
      );
    }
    merged[key] =
      isFields(value) && isFields(fallback) && !FREE_KEYS.has(key) ? merge(fallback, value, file, here) : value;
  }
  return merged;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value === 'object' ? 'mapping' : typeof value;
}
