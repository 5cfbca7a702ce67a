/**
 * What breaks, and when.
 */
import * as z from 'zod';
import * as units from '../units.js';
import { amount, amountOf, duration, fraction, oneOf, positive, positiveDuration, text, whole } from './leaves.js';

const zonePair = z
  .tuple([z.string(), z.string()], { error: 'two zones' })
  .meta({ description: 'Two zones, in either order.' });

/** A fault without settings: `{}`. */
const nothing = (description: string) => z.strictObject({}, { error: '{}' }).meta({ description });

export const fault = oneOf(
  {
    at: duration('When, from the start of the measured part.'),
    for: positiveDuration('How long. Default: for good.').optional(),
    zoneOutage: text('Zone that is lost with all its nodes.').optional(),
    ramp: positiveDuration('Time in which the fault grows to its full strength. Default: at once.').optional(),
    nodeLoss: text('Node that is lost; nothing happens if an autoscaler has removed it by then.').optional(),
    nodeDrain: text('Node that is cordoned and drained, as budgets allow; one that has gone is left alone.').optional(),
    serviceFailure: z
      .strictObject({
        service: text('Service that fails.'),
        share: fraction('Share of its requests that it answers with 500.'),
      })
      .optional(),
    linkLatency: z
      .strictObject({ between: zonePair, added: positiveDuration('Added to each round trip.') })
      .meta({ description: 'Slower network between two zones.' })
      .optional(),
    linkLoss: z
      .strictObject({ between: zonePair, share: fraction('Share of the calls that never arrive.') })
      .meta({ description: 'Lossy network between two zones.' })
      .optional(),
    zonePartition: zonePair.optional(),
    retryStorm: z
      .strictObject({
        load: text('Load whose users are impatient.'),
        retries: z
          .int({ error: 'a whole number from 1 to 7' })
          .min(1)
          .max(7)
          .meta({ description: 'Times that a user sends a failed request again.' }),
      })
      .optional(),
    loadBurst: z.strictObject({ load: text('Load that grows.'), times: amountOf(0, 'Factor on its rate.') }).optional(),
    podCrash: z
      .strictObject({
        service: text('Service whose containers end once, and are started again.'),
        pods: whole(1, 'How many. Default: all.').optional(),
      })
      .optional(),
    crashLoop: z
      .strictObject({
        service: text('Service whose containers end again and again.'),
        pods: whole(1, 'How many. Default: all, new ones too.').optional(),
        every: positiveDuration('Time from the start of a container to its end.'),
      })
      .optional(),
    slowPod: z
      .strictObject({
        service: text('Service whose pods are slow.'),
        pods: whole(1, 'How many. Default: all, new ones too.').optional(),
        share: fraction(
          'Share of their CPU time that is stolen: with a half, all work takes twice as long. It does not count as used.',
        ),
      })
      .optional(),
    memoryLeak: z
      .strictObject({
        service: text('Service that leaks; its containers are killed at their memory limit.'),
        perSecond: amount(positive(units.memory), 'What each container leaks in a second.'),
      })
      .optional(),
    istiodDown: nothing('Istiod is down: proxies keep their routes, new pods do not become ready.').optional(),
    prometheusOutage: nothing('Prometheus answers nothing and scrapes nothing.').optional(),
    scrapeGap: nothing('Prometheus answers, but scrapes nothing.').optional(),
    staleMetrics: nothing('Prometheus and the metrics server go on serving what they had.').optional(),
    apiErrors: z
      .strictObject({ share: fraction('Share of the writes of autoscalers and engine that the API refuses.') })
      .optional(),
    apiSlow: z.strictObject({ added: positiveDuration('Added to each write of autoscalers and engine.') }).optional(),
  },
  'Something that breaks.',
  ['at', 'for', 'ramp'],
).superRefine((fault, context) => {
  const grows = ['serviceFailure', 'linkLatency', 'linkLoss', 'loadBurst', 'slowPod', 'apiErrors', 'apiSlow'] as const;
  if (fault.for !== undefined && fault.podCrash !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['for'],
      message: 'a crash is over at once',
      params: { code: 'WT0207', expected: 'no for, or crashLoop', hint: null },
    });
  if (fault.ramp === undefined || grows.some((kind) => fault[kind] !== undefined)) return;
  context.addIssue({
    code: 'custom',
    path: ['ramp'],
    message: 'this fault is there or not: it cannot grow',
    params: { code: 'WT0207', expected: `ramp with ${grows.join(', ')}`, hint: null },
  });
});
