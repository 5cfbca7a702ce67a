/**
 * What the owners of one workload say about it themselves, by annotations `wavetank.io/...` on its Deployment,
 * StatefulSet or Rollout: the annotation wins over `config.workloads`, and that over the rest of the configuration.
 * Each annotation is one setting under the rules that `config.ts` has for it. A setting that cannot be read, or one that
 * nobody knows, makes the workload a skip that says so: to go on with the cluster's setting instead would do what its
 * owners have just forbidden.
 */
import { configProblems } from './config.js';
import type { EngineConfig, SnapshotWorkload } from './types.js';

export interface WorkloadPolicy {
  /** The settings that hold for this workload; the very object given where nothing differs. */
  readonly config: EngineConfig;
  /** One sentence for each annotation that cannot be used. */
  readonly problems: readonly string[];
}

/** @param workload its name, its namespace and its annotations; those of other prefixes are not looked at */
export function workloadPolicy(
  workload: Pick<SnapshotWorkload, 'namespace' | 'name' | 'annotations'>,
  config: EngineConfig,
): WorkloadPolicy {
  const own = Object.entries(workload.annotations).filter(([name]) => name.startsWith(PREFIX));
  if (own.length === 0) return { config, problems: [] };

  const bounds = config.workloads[`${workload.namespace}/${workload.name}`];
  let policy: EngineConfig = { ...config, scaler: { ...config.scaler, ...bounds }, workloads: {} };
  const problems: string[] = [];
  for (const [name, text] of own) {
    const setting = SETTINGS.get(name.slice(PREFIX.length));
    const parsed = setting?.parse(String(text).trim());
    if (!setting) problems.push(`${name} is not a setting; known are ${[...SETTINGS.keys()].join(', ')}`);
    else if (parsed === undefined) problems.push(`${name} is "${text}", expected ${setting.expected}`);
    else policy = setting.apply(policy, parsed);
  }
  if (problems.length === 0) problems.push(...configProblems(policy));
  return problems.length === 0 ? { config: policy, problems } : { config, problems };
}

const PREFIX = 'wavetank.io/';

type Value = string | number | boolean;

interface Setting {
  readonly expected: string;
  /** Undefined: it cannot be read. */
  readonly parse: (text: string) => Value | undefined;
  readonly apply: (config: EngineConfig, value: Value) => EngineConfig;
}

const number = (apply: (config: EngineConfig, value: number) => EngineConfig): Setting => ({
  expected: 'a number',
  parse: (text) => (/^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined),
  apply: (config, value) => apply(config, value as number),
});

const word = <T extends string>(
  words: readonly T[],
  apply: (config: EngineConfig, value: T) => EngineConfig,
): Setting => ({
  expected: `one of ${words.join(', ')}`,
  parse: (text) => words.find((one) => one === text),
  apply: (config, value) => apply(config, value as T),
});

const onOff = (apply: (config: EngineConfig, value: boolean) => EngineConfig): Setting =>
  word(['on', 'off'], (config, value) => apply(config, value === 'on'));

const scaler = (config: EngineConfig, part: Partial<EngineConfig['scaler']>): EngineConfig => ({
  ...config,
  scaler: { ...config.scaler, ...part },
});

const balancer = (config: EngineConfig, part: Partial<EngineConfig['balancer']>): EngineConfig => ({
  ...config,
  balancer: { ...config.balancer, ...part },
});

const SETTINGS: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ['mode', word(['off', 'placement', 'full'], (config, mode) => scaler(config, { mode }))],
  ['metric', word(['cpu', 'memory', 'cpu-memory'], (config, metric) => ({ ...config, metric }))],
  ['upper-threshold-percent', number((config, value) => ({ ...config, upperThresholdPercent: value }))],
  ['lower-threshold-percent', number((config, value) => ({ ...config, lowerThresholdPercent: value }))],
  ['response-time-target-ms', number((config, value) => ({ ...config, responseTimeTargetMs: value }))],
  ['min-replicas', number((config, minReplicas) => scaler(config, { minReplicas }))],
  ['max-replicas', number((config, maxReplicas) => scaler(config, { maxReplicas }))],
  ['moves', onOff((config, enabled) => scaler(config, { moves: { ...config.scaler.moves, enabled } }))],
  ['predictive', onOff((config, enabled) => scaler(config, { predictive: { ...config.scaler.predictive, enabled } }))],
  ['balancer', onOff((config, enabled) => balancer(config, { enabled }))],
  ['balancer-rule', word(['inherited', 'model'], (config, rule) => balancer(config, { rule }))],
  ['balancer-min-delta', number((config, minDelta) => balancer(config, { minDelta }))],
  ['balancer-min-step', number((config, minStep) => balancer(config, { minStep }))],
  ['balancer-max-step', number((config, maxStep) => balancer(config, { maxStep }))],
  ['min-local-share', number((config, minLocalShare) => balancer(config, { minLocalShare }))],
]);
