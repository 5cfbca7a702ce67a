/**
 * The autoscaler of nodes in the file: Kubernetes' Cluster Autoscaler or Karpenter, by the names of their own settings,
 * and how long a new node takes. Which pools may grow stands with the pools (`cluster.ts`).
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import { amount, distribution, duration, fraction, oneOf, positive, positiveDuration, whole, word } from './leaves.js';

/** 0% to 100%, whole. */
const PERCENTAGE = /^(\d{1,2}|100)%$/;

const { clusterAutoscaler: flags, karpenter: settings } = DEFAULTS.nodeAutoscaler;

const clusterAutoscaler = z
  .strictObject({
    scanInterval: positiveDuration('How often it looks.').prefault(flags.scanInterval),
    expander: word(
      ['least-waste', 'random', 'price'],
      'How it chooses among the groups that would help. price needs known prices.',
    ).prefault(flags.expander),
    maxNodeProvisionTime: positiveDuration('After this, a node that has not come is given up.').prefault(
      flags.maxNodeProvisionTime,
    ),
    scaleDownUtilizationThreshold: fraction(
      'A node of which less than this share is requested may go (the larger of CPU and memory).',
    ).prefault(flags.scaleDownUtilizationThreshold),
    scaleDownUnneededTime: duration('How long a node must be unneeded before it goes.').prefault(
      flags.scaleDownUnneededTime,
    ),
    scaleDownUnreadyTime: duration('The same for a node that is not ready.').prefault(flags.scaleDownUnreadyTime),
    scaleDownDelayAfterAdd: duration('No node goes for so long after one was added.').prefault(
      flags.scaleDownDelayAfterAdd,
    ),
    scaleDownDelayAfterFailure: duration('No node goes for so long after a removal has failed.').prefault(
      flags.scaleDownDelayAfterFailure,
    ),
  })
  .meta({ description: 'Kubernetes Cluster Autoscaler: each pool with maxNodesPerZone is a node group in each zone.' });

const karpenter = z
  .strictObject({
    batchIdle: duration('Pending pods are packed once no new one has come for so long,').prefault(settings.batchIdle),
    batchMax: duration('or so long after the first.').prefault(settings.batchMax),
    consolidationPolicy: word(
      ['WhenEmpty', 'WhenEmptyOrUnderutilized'],
      'Which nodes may be given up: empty ones, or also those whose pods fit elsewhere or on a cheaper node.',
    ).prefault(settings.consolidationPolicy),
    consolidateAfter: z
      .union([z.literal('Never'), amount(units.duration, 'How long.')], { error: 'a duration, or Never' })
      .meta({ description: 'How long after its last pod came or went a node may be given up; Never: it stays.' })
      .prefault(settings.consolidateAfter),
    disruptionBudget: z
      .union([whole(0, 'Number of nodes.'), z.string().regex(PERCENTAGE)], {
        error: 'a number of nodes, or a percentage such as 10%',
      })
      .transform((value) => (typeof value === 'number' ? { nodes: value } : { percent: parseInt(value, 10) }))
      .meta({ description: 'Nodes of a pool that may be on their way out at once; a percentage rounds up.' })
      .prefault(settings.disruptionBudget),
  })
  .meta({ description: 'Karpenter: each pool with limits or maxNodesPerZone is a NodePool over all its zones.' });

export const nodeAutoscaler = oneOf(
  {
    clusterAutoscaler: clusterAutoscaler.optional(),
    karpenter: karpenter.optional(),
    nodeStart: distribution('From the request of a node until it is ready.').prefault(
      DEFAULTS.nodeAutoscaler.nodeStart,
    ),
  },
  'Who adds and removes nodes.',
  ['nodeStart'],
);

/** What a pool says about nodes that come and go; see `cluster.ts`. */
export const poolScaling = (perZone: (description: string) => z.ZodType<number | Record<string, number>>) => ({
  minNodesPerZone: perZone('Least nodes of the node group of each zone (Cluster Autoscaler). Default: 0.').optional(),
  maxNodesPerZone: perZone(
    'Most nodes of the node group of each zone; under Karpenter their sum is the most of the pool. Default: the pool is fixed.',
  ).optional(),
  instanceTypes: z
    .array(z.string(), { error: 'a list of instance types' })
    .min(1)
    .meta({ description: 'Types of the price book that Karpenter may buy. Default: instanceType.' })
    .optional(),
  limits: z
    .strictObject({
      cpu: amount(positive(units.cpu), 'CPU of all its nodes.').optional(),
      memory: amount(positive(units.memory), 'Memory of all its nodes.').optional(),
      nodes: whole(0, 'Its nodes.').optional(),
    })
    .meta({ description: 'Limits of the NodePool (Karpenter).' })
    .optional(),
  weight: whole(0, 'Karpenter tries pools of higher weight first. Default: 0.').optional(),
});
