/**
 * A HorizontalPodAutoscaler in the file: spec.metrics and spec.behavior as Kubernetes writes them.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import type { Amount } from '../units.js';
import { amount, positive, text, whole, word } from './leaves.js';

const scalingRules = z.strictObject({
  stabilizationWindowSeconds: z.int({ error: 'whole seconds from 0 to 3600' }).min(0).max(3600).optional(),
  selectPolicy: word(['Max', 'Min', 'Disabled'], 'Which policy wins.').optional(),
  tolerance: z.union([z.string(), z.number()], { error: 'a quantity such as 0.1' }).optional(),
  policies: z
    .array(
      z.strictObject({
        type: word(['Pods', 'Percent'], 'Unit of value.'),
        value: z.int({ error: 'a whole number of at least 1' }).min(1),
        periodSeconds: z.int({ error: 'whole seconds from 1 to 1800' }).min(1).max(1800),
      }),
      { error: 'a list of policies' },
    )
    .optional(),
});

const utilization = z.strictObject({
  type: z.literal('Utilization', { error: 'one of Utilization, AverageValue' }),
  averageUtilization: whole(1, 'Percent of the requests.'),
});
const average = (kind: Amount, description: string) =>
  z.strictObject({
    type: z.literal('AverageValue', { error: 'one of AverageValue, Value or Utilization, as the metric has it' }),
    averageValue: amount(positive(kind), description),
  });
const value = z.strictObject({
  type: z.literal('Value', { error: 'one of Value, AverageValue' }),
  value: amount(positive(units.quantity), 'The figure as a whole, which should fall as pods are added.'),
});
const wholeOrAverage = z.union([value, average(units.quantity, 'The figure, divided by the pods.')], {
  error: 'a target with type Value or AverageValue',
});
const resourceTarget = (kind: Amount) =>
  z.union([utilization, average(kind, 'Mean over the pods.')], {
    error: 'a target with type Utilization or AverageValue',
  });
const resourceMetric = (name: 'cpu' | 'memory', kind: Amount) =>
  z.strictObject({
    name: z.literal(name, { error: 'one of cpu, memory' }),
    target: resourceTarget(kind),
  });
const containerMetric = (name: 'cpu' | 'memory', kind: Amount) =>
  z.strictObject({
    name: z.literal(name, { error: 'one of cpu, memory' }),
    container: text("The application's container, called as its service, or istio-proxy."),
    target: resourceTarget(kind),
  });
const figure = word(
  ['requests_per_second', 'queue_length'],
  'requests_per_second: answered, over the rate window; queue_length: requests that wait for a worker, or messages.',
);
const metricType = <const T extends string>(type: T) =>
  z.literal(type, { error: 'one of Resource, ContainerResource, Pods, Object, External' });

/** spec.metrics as Kubernetes writes it. */
export const hpaMetric = z.union(
  [
    z.strictObject({
      type: metricType('Resource'),
      resource: z.union([resourceMetric('cpu', units.cpu), resourceMetric('memory', units.memory)], {
        error: 'a resource with name and target',
      }),
    }),
    z.strictObject({
      type: metricType('ContainerResource'),
      containerResource: z.union([containerMetric('cpu', units.cpu), containerMetric('memory', units.memory)], {
        error: 'a resource with name, container and target',
      }),
    }),
    z.strictObject({
      type: metricType('Pods'),
      pods: z.strictObject({
        metric: z.strictObject({ name: figure }),
        target: average(units.quantity, 'Mean over the pods.'),
      }),
    }),
    z.strictObject({
      type: metricType('Object'),
      object: z.strictObject({
        metric: z.strictObject({ name: figure }),
        describedObject: z.strictObject({
          apiVersion: text('v1').optional(),
          kind: z.literal('Service', { error: 'Service' }),
          name: text('Service whose pods the figure is summed over.'),
        }),
        target: wholeOrAverage,
      }),
    }),
    z.strictObject({
      type: metricType('External'),
      external: z.strictObject({
        metric: z.strictObject({
          name: figure,
          selector: z.strictObject({
            matchLabels: z.union(
              [
                z.strictObject({ service: text('Service whose pods the figure is summed over.') }),
                z.strictObject({ queue: text('Queue whose waiting messages are counted.') }),
              ],
              { error: 'labels service or queue' },
            ),
          }),
        }),
        target: wholeOrAverage,
      }),
    }),
  ],
  { error: 'a metric with type Resource, ContainerResource, Pods, Object or External' },
);

export const hpa = z.strictObject({
  min: whole(1, 'minReplicas.').prefault(DEFAULTS.hpa.min),
  max: whole(1, 'maxReplicas.'),
  targetCpu: amount(units.percent, 'averageUtilization: CPU in percent of the request.').prefault(
    DEFAULTS.hpa.targetCpu,
  ),
  metrics: z.array(hpaMetric, { error: 'a list of metrics' }).min(1).optional().meta({
    description: 'spec.metrics as Kubernetes writes it, in place of targetCpu: the one that asks for most wins.',
  }),
  behavior: z
    .strictObject({ scaleUp: scalingRules.optional(), scaleDown: scalingRules.optional() })
    .optional()
    .meta({ description: 'spec.behavior as Kubernetes writes it.' }),
});
