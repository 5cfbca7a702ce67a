/**
 * A service in the file: its pods, what each of its endpoints does, and how they are spread.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import {
  amount,
  amountOf,
  byZone,
  distribution,
  dnsName,
  duration,
  flag,
  fraction,
  oneOf,
  positive,
  positiveDuration,
  text,
  whole,
  word,
} from './leaves.js';
import { PERCENTAGE, podCount, workload } from './workload.js';
import { labels, podScheduling } from './scheduling.js';

const resources = z.strictObject({
  requests: z
    .strictObject({
      cpu: amount(positive(units.cpu), 'CPU request of one pod.'),
      memory: amount(positive(units.memory), 'Memory request of one pod.'),
    })
    .meta({ description: 'What the scheduler reserves; utilisation is measured against it.' }),
  limits: z
    .strictObject({
      cpu: amount(positive(units.cpu), 'CPU limit of one pod; none: up to its node.').optional(),
      memory: amount(positive(units.memory), 'Memory limit of one pod.').optional(),
    })
    .prefault({}),
});

const call = z
  .union(
    [
      z.string(),
      z.strictObject({
        to: text('service/endpoint, or the service alone where it has one endpoint.'),
        probability: fraction('Chance that the call is made at all.').prefault(1),
        count: amountOf(
          0,
          'Calls made when made; the fraction is drawn: 2.3 is two calls, and a third in 30 %.',
        ).prefault(1),
      }),
    ],
    { error: 'service/endpoint, or {to, probability, count}' },
  )
  .meta({ description: 'A call to another service.' });

const publication = z
  .union(
    [
      z.string(),
      z.strictObject({
        to: text('Name of the queue.'),
        probability: fraction('Chance that anything is published.').prefault(1),
        count: amountOf(0, 'Messages published when any are; the fraction is drawn.').prefault(1),
      }),
    ],
    { error: 'a queue, or {to, probability, count}' },
  )
  .meta({ description: 'A message to a queue; the step ends once the queue has it.' });

const step = oneOf(
  {
    cpu: distribution('CPU time used.').optional(),
    wait: distribution('Time that passes without CPU, as for a disk.').optional(),
    call: call.optional(),
    parallel: z
      .array(call, { error: 'a list of calls' })
      .min(1)
      .meta({ description: 'Calls that start together; the step ends with the last reply.' })
      .optional(),
    publish: publication.optional(),
    repeat: word(
      ['sequential', 'parallel'],
      'How a call with count above 1 makes its calls. Default: one after the other.',
    ).prefault('sequential'),
  },
  'One step of an endpoint; the steps follow one another.',
  ['repeat'],
);

const endpoint = z.strictObject({
  name: text('Name of the endpoint, unique in its service.'),
  cpu: distribution('CPU time used before the steps: short for a first step of cpu.').optional(),
  steps: z.array(step, { error: 'a list of steps' }).prefault([]),
  requestBytes: amount(units.size, 'Size of a request.').prefault(DEFAULTS.service.requestBytes),
  responseBytes: amount(units.size, 'Size of a reply.').prefault(DEFAULTS.service.responseBytes),
});

export const spread = z.strictObject({
  zone: word(
    ['soft', 'hard'],
    'hard: topology spread over zones with DoNotSchedule; soft: the default constraints of the kube-scheduler.',
  ).prefault(DEFAULTS.service.spread),
  maxSkew: whole(1, 'Pods that a zone may hold more than the emptiest, when hard.').prefault(DEFAULTS.service.maxSkew),
});

const budgetCount = podCount(PERCENTAGE, 'A number of pods, or a percentage, rounded up.');

export const service = z.strictObject({
  name: dnsName('Name of the service and of its Deployment.'),
  replicas: z
    .union([whole(0, 'Number of pods.'), byZone(whole(0, 'Number of pods.'), 'Fixed number of pods per zone.')], {
      error: 'a number of pods, or a mapping from zone to it',
    })
    .prefault(DEFAULTS.service.replicas)
    .meta({
      description: 'Pods at the start: a number, placed by the simulated scheduler, or a fixed number per zone.',
    }),
  resources,
  memoryUse: amount(units.memory, 'Memory in use per ready pod. Default: half of the request.').optional(),
  workers: whole(1, 'Requests that one pod works on at once.'),
  queue: z
    .union([whole(0, 'Places.'), z.literal('unbounded')], { error: 'a whole number of at least 0, or unbounded' })
    .prefault(DEFAULTS.service.queue)
    .meta({ description: 'Requests that may wait for a worker in one pod; one more is refused with 503.' }),
  holdsWorkerWhileCalling: flag(
    'Whether a worker is held while its request waits for calls (a thread per request) or not.',
  ).prefault(DEFAULTS.service.holdsWorkerWhileCalling),
  startUp: z
    .strictObject({
      imagePull: distribution('Time to pull the image.').prefault(DEFAULTS.service.imagePull),
      ready: distribution('From container start until the application answers its probe.').prefault(
        DEFAULTS.service.ready,
      ),
      probe: z
        .strictObject({
          initialDelay: duration('initialDelaySeconds of the readiness probe.').prefault(
            DEFAULTS.service.probeInitialDelay,
          ),
          period: positiveDuration('periodSeconds of the readiness probe.').prefault(DEFAULTS.service.probePeriod),
        })
        .prefault({}),
    })
    .prefault({}),
  terminationGrace: duration('terminationGracePeriodSeconds.').prefault(DEFAULTS.service.terminationGrace),
  ...workload,
  preStop: z
    .strictObject({ sleep: positiveDuration('How long the application goes on serving before it is told to stop.') })
    .meta({ description: 'lifecycle.preStop of its container, within terminationGrace. Default: none.' })
    .optional(),
  onTerm: word(
    ['drain', 'exit'],
    'What the application does when told to stop: answer what still comes and then end, or end at once.',
  ).prefault(DEFAULTS.service.onTerm),
  spread: spread.prefault({}),
  ...podScheduling,
  disruptionBudget: oneOf(
    {
      minAvailable: budgetCount.optional(),
      maxUnavailable: budgetCount.optional(),
      unhealthyPodEviction: word(
        ['IfHealthyBudget', 'AlwaysAllow'],
        'unhealthyPodEvictionPolicy of the budget.',
      ).prefault('IfHealthyBudget'),
    },
    'PodDisruptionBudget of its pods. Default: none.',
    ['unhealthyPodEviction'],
  ).optional(),
  labels: labels(
    'Labels of the pods, which selectors read and by which subsets tell versions apart. Default: app, the name.',
  ).optional(),
  annotations: z
    .record(z.string(), z.string({ error: 'a text, so quote numbers' }), {
      error: 'a mapping from annotation to text',
    })
    .optional()
    .meta({
      description:
        'Annotations of its Deployment or StatefulSet. Those of wavetank.io/ are settings of the engine for this service alone.',
    }),
  versionOf: text(
    'Another service behind whose host this one runs, as a further version of it: calls go to the pods of all, but for subsets.',
  ).optional(),
  trafficDistribution: word(
    ['PreferClose', 'PreferSameZone', 'PreferSameNode'],
    "trafficDistribution of the Service: the caller's own zone first, or its own node, whatever the load there.",
  ).optional(),
  topologyModeAuto: flag(
    'Annotation service.kubernetes.io/topology-mode: Auto. Read with routing: kubeProxy.',
  ).prefault(false),
  endpoints: z.array(endpoint, { error: 'a list of endpoints' }).min(1),
});
