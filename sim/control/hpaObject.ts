/** The metrics of an autoscaler as they stand in the Kubernetes API: the way back from what the loader read. */
import type { HpaMetricSpec, HpaPolicy, Service } from '../../scenarios/types.js';

export function metricObjects(policy: HpaPolicy, services: readonly Service[]): readonly Record<string, unknown>[] {
  const metrics = policy.metrics ?? [
    { type: 'Resource', resource: 'cpu', target: { utilizationPercent: policy.targetCpuPercent } } as const,
  ];
  return metrics.map((metric) => metricObject(metric, policy.service, services));
}

function metricObject(metric: HpaMetricSpec, service: number, services: readonly Service[]): Record<string, unknown> {
  switch (metric.type) {
    case 'Resource':
      return { type: 'Resource', resource: { name: metric.resource, target: resourceTarget(metric) } };
    case 'ContainerResource': {
      const container = metric.container === 'sidecar' ? 'istio-proxy' : services[service]!.name;
      const containerResource = { name: metric.resource, container, target: resourceTarget(metric) };
      return { type: 'ContainerResource', containerResource };
    }
    case 'Pods':
      return {
        type: 'Pods',
        pods: {
          metric: { name: metric.figure },
          target: { type: 'AverageValue', averageValue: milli(metric.averageAmount) },
        },
      };
    case 'Object':
    case 'External': {
      const { figure: name } = metric;
      const { name: service, external } = services[metric.service]!;
      const target =
        'amount' in metric.target
          ? { type: 'Value', value: milli(metric.target.amount) }
          : { type: 'AverageValue', averageValue: milli(metric.target.averageAmount) };
      if (metric.type === 'Object') {
        const describedObject = { apiVersion: 'v1', kind: 'Service', name: service };
        return { type: 'Object', object: { metric: { name }, describedObject, target } };
      }
      const matchLabels = external === null ? { service } : { queue: service };
      return { type: 'External', external: { metric: { name, selector: { matchLabels } }, target } };
    }
  }
}

function milli(thousandths: number): string {
  return `${thousandths}m`;
}

type ResourceMetric = Extract<HpaMetricSpec, { type: 'Resource' | 'ContainerResource' }>;

function resourceTarget({ resource, target }: ResourceMetric): Record<string, unknown> {
  if ('utilizationPercent' in target) return { type: 'Utilization', averageUtilization: target.utilizationPercent };
  return {
    type: 'AverageValue',
    averageValue: resource === 'cpu' ? milli(target.averageAmount) : `${target.averageAmount}`,
  };
}
