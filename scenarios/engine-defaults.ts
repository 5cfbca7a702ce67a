/** The engine's default settings, by the settled decisions of the design. */
import type { EngineConfig } from '../engine/types.js';

export const defaultEngineConfig: EngineConfig = {
  namespaces: ['default'],
  metric: 'cpu-memory',
  upperThresholdPercent: 70,
  lowerThresholdPercent: 20,
  cpuWeight: 0.5,
  memoryWeight: 0.5,
  utilizationBasis: 'request',
  responseTimeTargetMs: 100,
  scaler: {
    mode: 'full',
    minReplicas: 1,
    maxReplicas: 10,
    stepRule: 'proportional',
    maxZones: 3,
    maxZoneSkew: 2,
    cooldownSeconds: 300,
    coldPodGraceSeconds: 120,
    placementRule: 'weightedSum',
  },
  balancer: {
    enabled: true,
    minDelta: 5,
    minStep: 5,
    maxStep: 20,
    urgencyThreshold: 50,
    epsilon: 1,
    minLocalShare: 0.35,
    minPlacePercent: 1,
    createRoutes: false,
  },
  workloads: {},
};
