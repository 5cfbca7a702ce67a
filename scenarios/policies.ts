/**
 * Policies as the simulator wants them: each whole, with what it inherits by `extends` folded in. A policy says what
 * differs from the world of the scenario, so a rule that stands as in the mesh is left out.
 */
import { defaultEngineConfig } from '../engine/config.js';
import type { EngineConfig, KubeObject } from '../engine/types.js';
import { resolveHost } from './destination-rule.js';
import { buildNodeAutoscaler } from './nodePools.js';
import { own } from './raw.js';
import type { HpaMetricFile, NodeAutoscalerFile, PolicyFile } from './schema.js';
import type { HpaMetricSpec, HpaPolicy, Policy } from './types.js';

/** Services of a scenario all live in one namespace: nothing in a scenario depends on several. */
export const SCENARIO_NAMESPACE = 'default';

type RuleFile = PolicyFile['destinationRules'][number];
type EngineFile = NonNullable<PolicyFile['engine']>;

export function buildPolicies(
  policies: Readonly<Record<string, PolicyFile>>,
  meshObjects: readonly RuleFile[],
  services: readonly string[],
  nodeAutoscaler: NodeAutoscalerFile | null | undefined,
): readonly Policy[] {
  const meshRules = applyRules(new Map(), meshObjects, services);
  return Object.entries(policies).map(([name, policy]) => {
    const chain = lineage(name, policies);
    const rules = chain.reduce((before, policy) => applyRules(before, policy.destinationRules, services), meshRules);
    const hpas = Object.assign({}, ...chain.map((policy) => policy.hpa)) as PolicyFile['hpa'];
    const spread = Object.assign({}, ...chain.map((policy) => policy.spread)) as PolicyFile['spread'];
    const perZone = new Set(chain.flatMap((policy) => policy.deploymentPerZone));
    return {
      name,
      why: policy.why ?? '',
      hpas: services.flatMap((service, index) => buildHpa(own(hpas, service) ?? null, index, services)),
      engine: buildEngine(chain.map((policy) => policy.engine)),
      nodeAutoscaler: buildNodeAutoscaler([nodeAutoscaler, ...chain.map((policy) => policy.nodeAutoscaler)]),
      destinationRules: differences(meshRules, rules),
      spread: services.flatMap((service, index) => {
        const differs = own(spread, service);
        return differs === undefined ? [] : [{ service: index, spread: differs }];
      }),
      deploymentPerZone: services.flatMap((service, index) => (perZone.has(service) ? [index] : [])),
    };
  });
}

/** The farthest ancestor first, the policy itself last. */
function lineage(name: string, policies: Readonly<Record<string, PolicyFile>>): readonly PolicyFile[] {
  const policy = policies[name]!;
  return policy.extends === undefined ? [policy] : [...lineage(policy.extends, policies), policy];
}

function buildHpa(file: PolicyFile['hpa'][string], service: number, services: readonly string[]): readonly HpaPolicy[] {
  if (file === null) return [];
  return [
    {
      service,
      minReplicas: file.min,
      maxReplicas: file.max,
      targetCpuPercent: file.targetCpu,
      metrics: file.metrics?.map((metric) => buildMetric(metric, services)) ?? null,
      behavior: file.behavior ?? null,
    },
  ];
}

/** What Istio calls its container in a pod. */
export const SIDECAR_CONTAINER = 'istio-proxy';

function buildMetric(file: HpaMetricFile, services: readonly string[]): HpaMetricSpec {
  switch (file.type) {
    case 'Resource':
      return { type: 'Resource', resource: file.resource.name, target: resourceTarget(file.resource.target) };
    case 'ContainerResource': {
      const { name: resource, container, target } = file.containerResource;
      const of = container === SIDECAR_CONTAINER ? 'sidecar' : 'app';
      return { type: 'ContainerResource', resource, container: of, target: resourceTarget(target) };
    }
    case 'Pods': {
      const { metric, target } = file.pods;
      return { type: 'Pods', figure: metric.name, averageAmount: target.averageValue };
    }
    case 'Object':
    case 'External': {
      const { metric, target } = file.type === 'Object' ? file.object : file.external;
      const service =
        file.type === 'Object' ? file.object.describedObject.name : labelled(file.external.metric.selector);
      return {
        type: file.type,
        figure: metric.name,
        service: services.indexOf(service),
        target: target.type === 'Value' ? { amount: target.value } : { averageAmount: target.averageValue },
      };
    }
  }
}

function labelled({ matchLabels }: { matchLabels: { service: string } | { queue: string } }): string {
  return 'service' in matchLabels ? matchLabels.service : matchLabels.queue;
}

type ResourceTarget = Extract<HpaMetricFile, { type: 'Resource' }>['resource']['target'];

/** Quantities round up to a whole milli, and bytes to a whole one. */
function resourceTarget(target: ResourceTarget): { utilizationPercent: number } | { averageAmount: number } {
  return target.type === 'Utilization'
    ? { utilizationPercent: target.averageUtilization }
    : { averageAmount: Math.ceil(target.averageValue) };
}

type Rules = ReadonlyMap<number, KubeObject>;

/** Rules by service. A rule of the same name goes first, so that a rule may also change its host. */
function applyRules(before: Rules, objects: readonly RuleFile[], services: readonly string[]): Rules {
  const rules = new Map(before);
  const replaced = new Set(
    objects.map((object) => ('remove' in object ? object.remove : (object as KubeObject).metadata.name)),
  );
  for (const [service, object] of before) if (replaced.has(object.metadata.name)) rules.delete(service);
  for (const object of objects) {
    if ('remove' in object || object['kind'] !== 'DestinationRule') continue;
    const rule = object as unknown as KubeObject;
    rules.set(services.indexOf(resolveHost(rule.spec['host'], services)!), rule);
  }
  return rules;
}

function differences(mesh: Rules, rules: Rules): Policy['destinationRules'] {
  const services = [...new Set([...mesh.keys(), ...rules.keys()])].sort((a, b) => a - b);
  return services
    .filter((service) => mesh.get(service) !== rules.get(service))
    .map((service) => ({ service, object: rules.get(service) ?? null }));
}

/** Nearest word wins: `null` switches off what was inherited, an object adds to it, nothing leaves it. */
function buildEngine(files: readonly (EngineFile | null | undefined)[]): EngineConfig | null {
  let settings: EngineFile | null = null;
  for (const file of files) {
    if (file === null) settings = null;
    else if (file !== undefined) settings = settings === null ? file : mergeSettings(settings, file);
  }
  return settings === null ? null : engineConfig(settings);
}

function mergeSettings(under: EngineFile, over: EngineFile): EngineFile {
  return {
    ...under,
    ...over,
    scaler: {
      ...under.scaler,
      ...over.scaler,
      moves: { ...under.scaler?.moves, ...over.scaler?.moves },
      predictive: { ...under.scaler?.predictive, ...over.scaler?.predictive },
    },
    balancer: {
      ...under.balancer,
      ...over.balancer,
      model: { ...under.balancer?.model, ...over.balancer?.model },
    },
    workloads: { ...under.workloads, ...over.workloads },
  };
}

/** The engine's own defaults, with CPU as the metric whatever they say: scenarios rarely speak of memory. */
function engineConfig(settings: EngineFile): EngineConfig {
  const defaults = defaultEngineConfig;
  const workloads = Object.fromEntries(
    Object.entries(settings.workloads ?? {}).map(([service, bounds]) => [`${SCENARIO_NAMESPACE}/${service}`, bounds]),
  );
  return {
    ...defaults,
    metric: 'cpu',
    ...settings,
    scaler: {
      ...defaults.scaler,
      ...settings.scaler,
      moves: { ...defaults.scaler.moves, ...settings.scaler?.moves },
      predictive: { ...defaults.scaler.predictive, ...settings.scaler?.predictive },
    },
    balancer: {
      ...defaults.balancer,
      ...settings.balancer,
      model: { ...defaults.balancer.model, ...settings.balancer?.model },
    },
    workloads: { ...defaults.workloads, ...workloads },
  } as EngineConfig;
}
