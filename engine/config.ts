/**
 * The settings of a step and what they may be. Defaults follow the configuration table of the system whose rules the
 * engine carries on (thresholds, weights, balancer steps, zones, cool-down), except where a setting did not exist
 * there: those own their reason below. `configProblems` is asked by the loaders and again by `step`, so that a bad
 * setting is a sentence to its author and never a NaN in a decision.
 */
import { MOST_SLOTS } from './demand-history.js';
import { defaultModelSettings, modelProblems } from './model/settings.js';
import type { EngineConfig } from './types.js';

/** Total, frozen defaults; percent, milliseconds, seconds and shares as the field names say. */
export const defaultEngineConfig: EngineConfig = deepFreeze({
  namespaces: ['default'],
  // Processor time comes back when load goes; memory mostly does not. The environment table's own default is `memory`
  // and `configFromEnvironment` honours it.
  metric: 'cpu',
  upperThresholdPercent: 70,
  lowerThresholdPercent: 20,
  cpuWeight: 50,
  memoryWeight: 50,
  utilizationBasis: 'request',
  responseTimeTargetMs: 100,
  scaler: {
    mode: 'full',
    minReplicas: 1,
    // Finite on purpose: an unbounded count turns a broken metric into an unbounded bill.
    maxReplicas: 10,
    stepRule: 'proportional',
    maxZones: 3,
    maxZoneSkew: 2,
    cooldownSeconds: 60,
    // Two rate windows of 60 s: by then a pod that reports at all has reported.
    coldPodGraceSeconds: 120,
    placementRule: 'weightedSum',
    moves: {
      enabled: false,
      // A pod that moves starts cold: a third of the way must be worth that.
      minSavingPercent: 30,
      maxPerStep: 1,
      // Ten minutes, so that the traffic after a move is what the next one is judged by.
      cooldownSeconds: 600,
      timeoutSeconds: 300,
    },
    // A day of half hours; ten minutes are enough for an image, a start and a warm cache.
    predictive: { enabled: false, horizonSeconds: 600, seasonSeconds: 86_400, sampleSeconds: 1800 },
  },
  balancer: {
    enabled: true,
    minDelta: 5,
    minStep: 5,
    maxStep: 20,
    urgencyThreshold: 50,
    epsilon: 1,
    minLocalShare: 0.35,
    // Istio refuses a weight of 0, and a zone that is left out gets nothing even when all listed ones are dead.
    minPlacePercent: 1,
    createRoutes: false,
    rule: 'inherited',
    model: defaultModelSettings,
  },
  workloads: {},
});

/** What is wrong with a configuration, one sentence per problem; empty when it can be used. */
export function configProblems(config: EngineConfig): string[] {
  const problems: string[] = [];
  const { scaler, balancer } = config;
  const within = (name: string, value: number, least: number, most: number): void => {
    if (!(value >= least && value <= most)) problems.push(`${name} is ${value}, expected ${least} to ${most}`);
  };
  const whole = (name: string, value: number, least: number): void => {
    if (!(Number.isSafeInteger(value) && value >= least)) {
      problems.push(`${name} is ${value}, expected a whole number from ${least}`);
    }
  };

  within('lowerThresholdPercent', config.lowerThresholdPercent, 0, LARGEST);
  within('upperThresholdPercent', config.upperThresholdPercent, 1, LARGEST);
  if (config.lowerThresholdPercent >= config.upperThresholdPercent) {
    problems.push(
      `lowerThresholdPercent ${config.lowerThresholdPercent} is not below upperThresholdPercent ${config.upperThresholdPercent}`,
    );
  }
  within('cpuWeight', config.cpuWeight, 0, LARGEST);
  within('memoryWeight', config.memoryWeight, 0, LARGEST);
  if (config.cpuWeight + config.memoryWeight === 0) problems.push('cpuWeight and memoryWeight are both 0');
  within('responseTimeTargetMs', config.responseTimeTargetMs, Number.MIN_VALUE, LARGEST);

  whole('scaler.minReplicas', scaler.minReplicas, 1);
  whole('scaler.maxReplicas', scaler.maxReplicas, 1);
  if (scaler.minReplicas > scaler.maxReplicas) {
    problems.push(`scaler.minReplicas ${scaler.minReplicas} is above scaler.maxReplicas ${scaler.maxReplicas}`);
  }
  whole('scaler.maxZones', scaler.maxZones, 1);
  whole('scaler.maxZoneSkew', scaler.maxZoneSkew, 1);
  within('scaler.cooldownSeconds', scaler.cooldownSeconds, 0, LARGEST);
  within('scaler.coldPodGraceSeconds', scaler.coldPodGraceSeconds, 0, LARGEST);
  within('scaler.moves.minSavingPercent', scaler.moves.minSavingPercent, 0, 100);
  whole('scaler.moves.maxPerStep', scaler.moves.maxPerStep, 1);
  within('scaler.moves.cooldownSeconds', scaler.moves.cooldownSeconds, 0, LARGEST);
  within('scaler.moves.timeoutSeconds', scaler.moves.timeoutSeconds, 1, LARGEST);
  const { predictive } = scaler;
  whole('scaler.predictive.sampleSeconds', predictive.sampleSeconds, 1);
  whole('scaler.predictive.seasonSeconds', predictive.seasonSeconds, 1);
  const slots = predictive.seasonSeconds / predictive.sampleSeconds;
  if (!(Number.isSafeInteger(slots) && slots >= LEAST_SLOTS && slots <= MOST_SLOTS)) {
    problems.push(
      `scaler.predictive.seasonSeconds ${predictive.seasonSeconds} is ${slots} times sampleSeconds, expected a whole number from ${LEAST_SLOTS} to ${MOST_SLOTS}`,
    );
  }
  within('scaler.predictive.horizonSeconds', predictive.horizonSeconds, 1, predictive.seasonSeconds / 2);

  within('balancer.minDelta', balancer.minDelta, 0, 200);
  within('balancer.minStep', balancer.minStep, 0, 100);
  within('balancer.maxStep', balancer.maxStep, Number.MIN_VALUE, 100);
  if (balancer.minStep > balancer.maxStep) {
    problems.push(`balancer.minStep ${balancer.minStep} is above balancer.maxStep ${balancer.maxStep}`);
  }
  within('balancer.urgencyThreshold', balancer.urgencyThreshold, Number.MIN_VALUE, LARGEST);
  within('balancer.epsilon', balancer.epsilon, 0, 100);
  within('balancer.minLocalShare', balancer.minLocalShare, 0, 1);
  within('balancer.minPlacePercent', balancer.minPlacePercent, 0, 100);
  // Recorded steps may be older than the rule.
  if (balancer.rule === 'model') problems.push(...modelProblems(balancer.model));
  else if ((balancer.rule as string | undefined) !== undefined && balancer.rule !== 'inherited') {
    problems.push(`balancer.rule is ${String(balancer.rule)}, expected inherited or model`);
  }

  for (const [name, own] of Object.entries(config.workloads)) {
    const least = own.minReplicas ?? scaler.minReplicas;
    const most = own.maxReplicas ?? scaler.maxReplicas;
    whole(`workloads["${name}"].minReplicas`, least, 1);
    whole(`workloads["${name}"].maxReplicas`, most, 1);
    if (least > most) problems.push(`workloads["${name}"]: minReplicas ${least} is above maxReplicas ${most}`);
  }
  return problems;
}

// Fewer draw no season.
const LEAST_SLOTS = 4;

// Beyond this a ratio of two settings is no longer exact; no setting comes near it.
const LARGEST = 1e9;

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
