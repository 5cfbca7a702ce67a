/**
 * The package entry `wavetank/engine`: pure decisions, JSON in and JSON out. `step` is what the simulator and a live
 * cluster both call; the other functions are its rules one by one, for people who embed them.
 */
export { defaultEngineConfig, configProblems } from './config.js';
export { configFromEnvironment } from './environment.js';
export type { EnvironmentConfig, RuntimeSettings } from './environment.js';
export { workloadPolicy } from './annotations.js';
export type { WorkloadPolicy } from './annotations.js';
export { forecast } from './forecast.js';
export type { Forecast } from './forecast.js';
export { emptyMemory } from './memory.js';
export { step } from './step.js';
export { targetDistribution } from './target-distribution.js';
export type { DistributionEdge, LatencyRow, PlacedPod, TargetSettings } from './target-distribution.js';
export { groupBySource, l1Distance, stepToward } from './step-toward.js';
export type { SourceDistribution, StepSettings } from './step-toward.js';
export { candidateNodesToAdd } from './nodes-to-add.js';
export type { RoomyNode, SpreadSettings } from './nodes-to-add.js';
export { nodeToRemoveFrom } from './node-to-remove.js';
export type { RemovalSettings } from './node-to-remove.js';
export { scorePlacement } from './score-placement.js';
export type { Neighbour, PlacementSettings } from './score-placement.js';
export { pack } from './pack.js';
export type { PackConstraints, PackInput, PackItem, Packing, PackNode, PackStrategy, Traffic } from './pack.js';
export { defaultRightSizeSettings, rightSize } from './right-size.js';
export type {
  MaybeAmounts,
  Provisioning,
  RightSizeSettings,
  SizeRecommendation,
  UsagePercentiles,
} from './right-size.js';
export type { ModelSettings } from './model/settings.js';
export type * from './types.js';
