/**
 * Engine settings over others: of a file, or of `--set path=value`. Unknown keys, values of another type and words that
 * are none are refused, all at once: a misspelt setting that is dropped in silence gives a wrong answer with a straight
 * face. As `config view` prints them, the settings may stand under `engine`.
 */
import { configProblems, defaultEngineConfig } from '../engine/index.js';
import type { EngineConfig } from '../engine/types.js';
import { didYouMean, nearest } from '../scenarios/problems.js';
import { readValue, splitPath, type Override } from './overrides.js';

export type Fields = Readonly<Record<string, unknown>>;

export interface Settings {
  readonly config: EngineConfig;
  readonly problems: readonly string[];
}

/** `label` names the file in messages. */
export function withSettings(base: EngineConfig, given: Fields, label: string): Settings {
  const found = merged(base, given, label);
  return found.problems.length > 0 ? found : { ...found, problems: together(found.config, label) };
}

/** The changes in order; how they get on with each other is judged when all are made. */
export function withOverrides(base: EngineConfig, overrides: readonly Override[]): Settings {
  const problems: string[] = [];
  let config = base;
  for (const { path, value } of overrides) {
    const found = merged(config, nested(splitPath(path), readValue(path, value)), `--set ${path}=${value}`);
    problems.push(...found.problems);
    config = found.config;
  }
  return { config, problems: problems.length > 0 || overrides.length === 0 ? problems : together(config, '--set') };
}

function together(config: EngineConfig, label: string): string[] {
  return configProblems(config).map((problem) => `${label}: ${problem}`);
}

function nested(keys: readonly (string | number)[], value: unknown): Fields {
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Fields;
}

/** Settings with few words, and all of them. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  metric: ['cpu', 'memory', 'cpu-memory'] satisfies EngineConfig['metric'][],
  utilizationBasis: ['request', 'limit'] satisfies EngineConfig['utilizationBasis'][],
  'scaler.mode': ['off', 'placement', 'full'] satisfies EngineConfig['scaler']['mode'][],
  'scaler.stepRule': ['one', 'proportional'] satisfies EngineConfig['scaler']['stepRule'][],
  'balancer.rule': ['inherited', 'model'] satisfies EngineConfig['balancer']['rule'][],
  'balancer.model.survive': ['zone', 'none'] satisfies EngineConfig['balancer']['model']['survive'][],
  'scaler.placementRule': ['weightedSum', 'minEdge'] satisfies EngineConfig['scaler']['placementRule'][],
};

/** What may stand under a workload, with a value of its type. */
const WORKLOAD_EXAMPLE: Required<EngineConfig['workloads'][string]> = { minReplicas: 1, maxReplicas: 10 };

function merged(base: EngineConfig, given: Fields, label: string): Settings {
  const problems: string[] = [];
  const settings = isFields(given['engine']) ? given['engine'] : given;
  const report = (message: string): void => void problems.push(`${label}: ${message}`);
  const config = merge(base as unknown as Fields, defaultEngineConfig as unknown as Fields, settings, '', report);
  return { config: config as unknown as EngineConfig, problems };
}

function merge(base: Fields, known: Fields, given: Fields, path: string, report: (message: string) => void): Fields {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(given)) {
    const here = path === '' ? key : `${path}.${key}`;
    if (path === '' && key === 'workloads' && isFields(value)) {
      result[key] = mergeWorkloads((base[key] ?? {}) as Fields, value, report);
      continue;
    }
    if (!Object.hasOwn(known, key)) {
      report(`unknown setting ${here}; ${nearestSetting(key, path, known)}`);
      continue;
    }
    const example = known[key];
    // A setting that may be null says nothing about what else it may be: `configProblems` judges it.
    if (example !== null && value !== null && kindOf(value) !== kindOf(example)) {
      report(`${here} is a ${kindOf(value)}, expected a ${kindOf(example)} such as ${JSON.stringify(example)}`);
    } else if (example !== null && value === null) {
      report(`${here} is empty, expected a ${kindOf(example)} such as ${JSON.stringify(example)}`);
    } else if (isFields(value) && isFields(example)) {
      result[key] = merge((base[key] ?? {}) as Fields, example, value, here, report);
    } else if (Array.isArray(value) && !value.every((item) => typeof item === 'string' && item !== '')) {
      report(`${here} is ${JSON.stringify(value)}, expected a list of names`);
    } else {
      const words = WORDS[here];
      if (words && !words.includes(String(value))) {
        const hint = didYouMean(String(value), words);
        report(`${here} is "${String(value)}", expected ${words.join(' or ')}${hint === null ? '' : `; ${hint}`}`);
      }
      result[key] = value;
    }
  }
  return result;
}

function mergeWorkloads(base: Fields, given: Fields, report: (message: string) => void): Fields {
  const entries = Object.entries(given).map(([name, own]): [string, unknown] => {
    const here = `workloads["${name}"]`;
    if (isFields(own)) return [name, merge((base[name] ?? {}) as Fields, WORKLOAD_EXAMPLE, own, here, report)];
    report(`${here} is a ${kindOf(own)}, expected a mapping such as ${JSON.stringify(WORKLOAD_EXAMPLE)}`);
    return [name, {}];
  });
  return { ...base, ...Object.fromEntries(entries) };
}

/** A name of the same place, or the whole path of one elsewhere. */
function nearestSetting(key: string, path: string, known: Fields): string {
  const here = didYouMean(key, Object.keys(known));
  if (here !== null) return here;
  const paths = leafPaths(defaultEngineConfig as unknown as Fields, '');
  const lastOf = (full: string): string => full.slice(full.lastIndexOf('.') + 1);
  const elsewhere = paths.find((full) => lastOf(full) === nearest(key, paths.map(lastOf)));
  if (path === '' && elsewhere !== undefined) return `did you mean "${elsewhere}"?`;
  return `known are ${Object.keys(known).join(', ')}`;
}

function leafPaths(fields: Fields, path: string): string[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return isFields(value) && Object.keys(value).length > 0 ? leafPaths(value, here) : [here];
  });
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value === 'object' ? 'mapping' : typeof value;
}
