/**
 * What keeps the pods of a service in the file, in the words of Kubernetes. That they fit together is checked by
 * scenarios/workloads.ts.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import { whole, word } from './leaves.js';

/** 0% to 100%, whole. */
export const PERCENTAGE = /^(\d{1,2}|100)%$/;
/** A surge may be more than all. */
const LARGE_PERCENTAGE = /^\d{1,4}%$/;

export const podCount = (pattern: RegExp, description: string) =>
  z
    .union([whole(0, 'Number of pods.'), z.string().meta({ pattern: pattern.source })], {
      error: 'a number of pods, or a percentage such as 50%',
    })
    .superRefine((value, context) => {
      if (typeof value === 'number' || pattern.test(value)) return;
      context.addIssue({
        code: 'custom',
        message: 'not a number of pods',
        params: { code: 'WT0204', expected: 'a number of pods, or a percentage such as 50%', hint: null },
      });
    })
    .meta({ description });

/** Fields of a service. */
export const workload = {
  kind: word(['Deployment', 'StatefulSet'], 'What keeps its pods.').prefault(DEFAULTS.service.kind),
  minReadySeconds: whole(0, 'Seconds for which a pod must be ready before it counts as available.').prefault(
    DEFAULTS.service.minReadySeconds,
  ),
  strategy: z
    .strictObject({
      type: word(['RollingUpdate', 'Recreate'], 'Recreate: all old pods go before the first new one is made.').prefault(
        'RollingUpdate',
      ),
      rollingUpdate: z
        .strictObject({
          maxSurge: podCount(LARGE_PERCENTAGE, 'Pods above the wanted number, rounded up.').prefault(
            DEFAULTS.service.maxSurge,
          ),
          maxUnavailable: podCount(PERCENTAGE, 'Pods short of the wanted number, rounded down.').prefault(
            DEFAULTS.service.maxUnavailable,
          ),
        })
        .optional(),
    })
    .meta({ description: 'How a Deployment replaces its pods.' })
    .optional(),
  podManagementPolicy: word(
    ['OrderedReady', 'Parallel'],
    'Whether a StatefulSet starts and stops its pods one by one. Default: OrderedReady.',
  ).optional(),
  updateStrategy: z
    .strictObject({
      type: word(
        ['RollingUpdate', 'OnDelete'],
        'OnDelete: pods keep their template until somebody deletes them.',
      ).prefault('RollingUpdate'),
      rollingUpdate: z
        .strictObject({ partition: whole(0, 'Pods below this ordinal keep their template.').prefault(0) })
        .optional(),
    })
    .meta({ description: 'How a StatefulSet replaces its pods.' })
    .optional(),
};
