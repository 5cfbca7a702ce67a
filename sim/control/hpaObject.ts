/** The metrics of an autoscaler as they stand in the Kubernetes API: the way back from what the loader read. */
import type { HpaMetricSpec, HpaPolicy, Service } from '../../scenarios/types.js';

export function metricObjects(policy: HpaPolicy, services: readonly Service[]): readonly Record<string, unknown>[] {
  const metrics = policy.metrics ?? [
    { type: 'Resource', resource: 'cpu', target: { utilizationPercent: policy.targetCpuPercent } } as const,
  ];
  return metrics.map((metric) => metricObject(metric, services));
}

function metricObject(metric: HpaMetricSpec, services: readonly Service[]): Record<string, unknown> {
  switch (metric.type) {
    case 'Resource': {
      const { resource: name, target } = metric;
      if ('utilizationPercent' in target) {
        const { utilizationPercent: averageUtilization } = target;
        return { type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } };
      }
      const averageValue = name === 'cpu' ? milli(target.averageAmount) : `${target.averageAmount}`;
      return { type: 'Resource', resource: { name, target: { type: 'AverageValue', averageValue } } };
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
