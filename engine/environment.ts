/**
 * Reads the environment variables that clusters already set for the system whose rules the engine carries on (its
 * configuration table: names and defaults as they stand there), and `WAVETANK_*`, which win over them. A pure function
 * of the record it is given. An empty value counts as not set, as Helm charts write it; everything that cannot be
 * understood is reported at once, with the variable, its value and what was expected.
 */
import { configProblems, defaultEngineConfig } from './config.js';
import type { EngineConfig } from './types.js';

/** Settings of the process around the engine. */
export interface RuntimeSettings {
  /** `production`: credentials of the pod; anything else: the user's kubeconfig. */
  readonly environment: string;
  readonly port: number;
  readonly prometheusUrl: string;
  readonly cycleCron: string;
  readonly localityLabelsCron: string;
  readonly logLevel: string;
}

export interface EnvironmentConfig {
  readonly config: EngineConfig;
  readonly runtime: RuntimeSettings;
  /** One sentence per variable that could not be used; its default stands in `config`. */
  readonly errors: readonly string[];
}

/** @param environment such as `process.env`; other variables are ignored */
export function configFromEnvironment(environment: Readonly<Record<string, string | undefined>>): EnvironmentConfig {
  const errors: string[] = [];
  const read: Reader = (names, parse, fallback) => {
    for (const name of names) {
      const text = (Object.hasOwn(environment, name) ? environment[name] : undefined)?.trim();
      if (text === undefined || text === '') continue;
      const parsed = parse(text);
      if ('value' in parsed) return parsed.value;
      errors.push(`${name} is "${text}", expected ${parsed.expected}`);
      return fallback;
    }
    return fallback;
  };

  const config = readConfig(read);
  const runtime: RuntimeSettings = {
    environment: read(['WAVETANK_ENV', 'ENV'], anyText, 'production'),
    port: read(['WAVETANK_PORT', 'APP_PORT'], integer(1, 65535), 3000),
    prometheusUrl: read(
      ['WAVETANK_PROMETHEUS_URL', 'PROMETHEUS_URL'],
      httpUrl,
      'http://prometheus.prometheus.svc.cluster.local:9090',
    ),
    cycleCron: read(['WAVETANK_CYCLE_CRON', 'CRONJOB_EXPRESSION'], cron, '* * * * *'),
    localityLabelsCron: read(['WAVETANK_LOCALITY_LABELS_CRON', 'LOCALITY_LABELS_CRON'], cron, '* * * * *'),
    logLevel: read(['WAVETANK_LOG_LEVEL', 'LOG_LEVEL'], oneOf(['debug', 'info', 'warn', 'error']), 'debug'),
  };
  for (const name of ['SCALER_RESPECT_HPA', 'SCALER_RESPECT_PDB']) {
    if (!read([name], flag, true)) errors.push(`${name} is "false", expected true: other owners are always respected`);
  }
  for (const name of Object.keys(environment)) {
    if (/^WAVETANK_(SCALER|BALANCER)_/.test(name) && !KNOWN.has(name)) errors.push(`${name} is not a setting`);
  }
  for (const problem of configProblems(config)) errors.push(problem);
  return { config, runtime, errors };
}

function readConfig(read: Reader): EngineConfig {
  const { scaler, balancer } = defaultEngineConfig;
  const base = defaultEngineConfig;
  return {
    ...base,
    namespaces: read(['WAVETANK_NAMESPACES', 'NAMESPACES'], nameList, base.namespaces),
    metric: read(['WAVETANK_METRIC', 'METRICS_TYPE'], oneOf(['cpu', 'memory', 'cpu-memory']), 'memory'),
    upperThresholdPercent: read(
      ['WAVETANK_UPPER_THRESHOLD_PERCENT', 'METRICS_UPPER_THRESHOLD'],
      number,
      base.upperThresholdPercent,
    ),
    lowerThresholdPercent: read(
      ['WAVETANK_LOWER_THRESHOLD_PERCENT', 'METRICS_LOWER_THRESHOLD'],
      number,
      base.lowerThresholdPercent,
    ),
    cpuWeight: read(['WAVETANK_CPU_WEIGHT', 'CPU_WEIGHT'], number, base.cpuWeight),
    memoryWeight: read(['WAVETANK_MEMORY_WEIGHT', 'MEMORY_WEIGHT'], number, base.memoryWeight),
    utilizationBasis: read(['WAVETANK_UTILIZATION_BASIS'], oneOf(['request', 'limit']), base.utilizationBasis),
    responseTimeTargetMs: read(
      ['WAVETANK_RESPONSE_TIME_TARGET_MS', 'RESPONSE_TIME_THRESHOLD'],
      number,
      base.responseTimeTargetMs,
    ),
    scaler: {
      mode: read(['WAVETANK_SCALER_MODE'], oneOf(['off', 'placement', 'full']), scaler.mode),
      minReplicas: read(['WAVETANK_SCALER_MIN_REPLICAS'], number, scaler.minReplicas),
      maxReplicas: read(['WAVETANK_SCALER_MAX_REPLICAS'], number, scaler.maxReplicas),
      stepRule: read(['WAVETANK_SCALER_STEP_RULE'], oneOf(['one', 'proportional']), scaler.stepRule),
      maxZones: read(['WAVETANK_SCALER_MAX_ZONES', 'FT_MAX_ZONES'], number, scaler.maxZones),
      maxZoneSkew: read(['WAVETANK_SCALER_MAX_ZONE_SKEW'], number, scaler.maxZoneSkew),
      cooldownSeconds: read(
        ['WAVETANK_SCALER_COOLDOWN_SECONDS', 'SCALER_COOLDOWN_SECONDS'],
        number,
        scaler.cooldownSeconds,
      ),
      coldPodGraceSeconds: read(['WAVETANK_SCALER_COLD_POD_GRACE_SECONDS'], number, scaler.coldPodGraceSeconds),
      placementRule: read(['WAVETANK_SCALER_PLACEMENT_RULE'], oneOf(['weightedSum', 'minEdge']), scaler.placementRule),
      predictive: {
        ...scaler.predictive,
        enabled: read(['WAVETANK_SCALER_PREDICTIVE'], flag, scaler.predictive.enabled),
      },
      moves: { ...scaler.moves, enabled: read(['WAVETANK_SCALER_MOVES'], flag, scaler.moves.enabled) },
    },
    balancer: {
      enabled: read(['WAVETANK_BALANCER_ENABLED'], flag, balancer.enabled),
      minDelta: read(['WAVETANK_BALANCER_MIN_DELTA', 'BALANCER_MIN_DELTA'], number, balancer.minDelta),
      minStep: read(['WAVETANK_BALANCER_MIN_STEP', 'BALANCER_MIN_STEP_SIZE'], number, balancer.minStep),
      maxStep: read(['WAVETANK_BALANCER_MAX_STEP', 'BALANCER_MAX_STEP_SIZE'], number, balancer.maxStep),
      urgencyThreshold: read(
        ['WAVETANK_BALANCER_URGENCY_THRESHOLD', 'BALANCER_URGENCY_THRESHOLD'],
        number,
        balancer.urgencyThreshold,
      ),
      epsilon: read(['WAVETANK_BALANCER_EPSILON', 'BALANCER_EPSILON'], number, balancer.epsilon),
      minLocalShare: read(['WAVETANK_BALANCER_MIN_LOCAL_SHARE'], number, balancer.minLocalShare),
      minPlacePercent: read(['WAVETANK_BALANCER_MIN_PLACE_PERCENT'], number, balancer.minPlacePercent),
      createRoutes: read(['WAVETANK_BALANCER_CREATE_ROUTES'], flag, balancer.createRoutes),
      rule: read(['WAVETANK_BALANCER_RULE'], oneOf(['inherited', 'model']), balancer.rule),
      model: balancer.model,
    },
  };
}

type Parsed<T> = { readonly value: T } | { readonly expected: string };
type Reader = <T>(names: readonly string[], parse: (text: string) => Parsed<T>, fallback: T) => T;

// Every WAVETANK_SCALER_* and WAVETANK_BALANCER_* name that `readConfig` asks for, collected by letting it ask.
const KNOWN: ReadonlySet<string> = (() => {
  const names = new Set<string>();
  readConfig((asked, _parse, fallback) => {
    for (const name of asked) names.add(name);
    return fallback;
  });
  return names;
})();

function anyText(text: string): Parsed<string> {
  return { value: text };
}

function number(text: string): Parsed<number> {
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? { value: Number(text) } : { expected: 'a number' };
}

function integer(least: number, most: number): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most ? { value } : { expected: `a whole number from ${least} to ${most}` };
  };
}

function flag(text: string): Parsed<boolean> {
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  return { expected: 'true or false' };
}

function oneOf<T extends string>(choices: readonly T[]): (text: string) => Parsed<T> {
  return (text) => {
    const value = choices.find((choice) => choice === text);
    return value === undefined ? { expected: `one of ${choices.join(', ')}` } : { value };
  };
}

function nameList(text: string): Parsed<readonly string[]> {
  const value = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return value.length > 0 ? { value } : { expected: 'names separated by commas' };
}

function httpUrl(text: string): Parsed<string> {
  return /^https?:\/\/[^\s/]+\S*$/.test(text) ? { value: text } : { expected: 'an http or https address' };
}

function cron(text: string): Parsed<string> {
  const count = text.split(/\s+/).length;
  const plain = /^[\d\s*,/A-Za-z?#-]+$/.test(text);
  return plain && (count === 5 || count === 6) ? { value: text } : { expected: 'a cron expression of 5 or 6 fields' };
}
