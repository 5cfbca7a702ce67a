/**
 * The file form of a scenario as one schema. It says which keys there are, reads the amounts into our base units, fills
 * the defaults, and yields the JSON Schema for editors. Names are not resolved here: that is `references.ts` (are they
 * there?) and `build.ts` (which index?). Every object is strict, so that a misspelt key is an error.
 *
 * Leaves carry, as their `error`, the words "expected ..." of a message; `schema-problems.ts` builds on that.
 */
import * as z from 'zod';
import { DEFAULTS } from './defaults.js';
import * as units from './units.js';
import type { Amount } from './units.js';

export const API_VERSION = 'wavetank/v1alpha1';

const duration = (description: string) => amount(units.duration, description);
const positiveDuration = (description: string) => amount(positive(units.duration), description);
const fraction = (description: string) => amount(units.fraction, description);

/** Text (or a number, where its unit is clear) to an amount in base units. */
function amount(kind: Amount, description: string) {
  return z
    .union([z.string().meta({ pattern: kind.pattern }), z.number().meta({ ...kind.bareNumber })], {
      error: kind.expected,
    })
    .transform((input, context) => {
      const parsed = kind.parse(input);
      if (parsed.ok) return parsed.value;
      const params = {
        code: parsed.wrong === 'unit' ? 'WT0204' : 'WT0205',
        expected: kind.expected,
        hint: parsed.hint,
      };
      context.addIssue({ code: 'custom', message: parsed.message, params });
      return z.NEVER;
    })
    .meta({ description: `${description} (${kind.expected})` });
}

function positive(kind: Amount): Amount {
  return {
    ...kind,
    parse(input) {
      const parsed = kind.parse(input);
      return parsed.ok && parsed.value === 0
        ? { ok: false, wrong: 'range', message: 'must be more than 0', hint: null }
        : parsed;
    },
  };
}

function whole(least: number, description: string) {
  return z
    .int({ error: `a whole number of at least ${least}` })
    .min(least)
    .meta({ description });
}

function amountOf(least: number, description: string, most = Infinity) {
  const expected = most === Infinity ? `a number of at least ${least}` : `a number from ${least} to ${most}`;
  const base = z.number({ error: expected }).min(least);
  return (most === Infinity ? base : base.max(most)).meta({ description });
}

/** Money that may be unknown: said so, it is not taken for 0. */
const price = (description: string) =>
  z
    .union([z.number().min(0), z.literal('unknown')], { error: 'an amount of at least 0, or unknown' })
    .meta({ description });

const text = (description: string) => z.string({ error: 'a text' }).min(1).meta({ description });
const flag = (description: string) => z.boolean({ error: 'true or false' }).meta({ description });
const word = <const T extends readonly [string, ...string[]]>(words: T, description: string) =>
  z.enum(words, { error: `one of ${words.join(', ')}` }).meta({ description });

/** Names become parts of pod and host names: the rule of Kubernetes for those. */
const dnsName = (description: string) =>
  z
    .string({ error: 'a name' })
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, {
      error: 'lower-case letters, digits and "-", at most 63 characters',
    })
    .meta({ description });
const zoneName = z
  .string({ error: 'a zone, written region/zone' })
  .regex(/^[^/*\s]+\/[^/*\s]+$/, { error: 'a zone, written region/zone such as eu-1/a' });
const byZone = <T extends z.ZodType>(value: T, description: string) =>
  z.record(z.string(), value, { error: 'a mapping from zone to value' }).meta({ description });

/** An object of which exactly one key is given. */
function oneOf<T extends z.ZodRawShape>(shape: T, description: string, besides: readonly string[] = []) {
  const keys = Object.keys(shape).filter((key) => !besides.includes(key));
  return z
    .strictObject(shape, { error: `an object with one of ${keys.join(', ')}` })
    .superRefine((value, context) => {
      const given = keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined);
      if (given.length === 1) return;
      const message = given.length === 0 ? 'says nothing' : `${given.join(' and ')} exclude each other`;
      context.addIssue({
        code: 'custom',
        message,
        params: { code: 'WT0207', expected: `exactly one of ${keys.join(', ')}`, hint: null },
      });
    })
    .meta({ description });
}

const cv = amountOf(0, 'Standard deviation over mean.');
const positiveCv = z.number({ error: 'a number above 0' }).gt(0).meta({ description: 'Standard deviation over mean.' });

/** A random duration: a constant, or a law with its mean. */
function distribution(description: string) {
  const mean = duration('Mean.');
  const object = oneOf(
    {
      constant: duration('Always the same.').optional(),
      exponential: duration('Exponential law, by its mean.').optional(),
      gamma: z.strictObject({ mean, cv: positiveCv }).optional(),
      lognormal: z.strictObject({ mean, cv }).optional(),
      empirical: z
        .strictObject({
          bounds: z
            .array(duration('Edge.'), { error: 'a list of durations' })
            .min(2)
            .meta({ description: 'Edges of the buckets, ascending.' }),
          weights: z
            .array(amountOf(0, 'Weight.'), { error: 'a list of numbers' })
            .min(1)
            .meta({ description: 'Weight of each bucket: one fewer than bounds. Scaled to sum to 1.' }),
        })
        .superRefine(({ bounds, weights }, context) => {
          const wrong = (code: string, message: string, expected: string) =>
            context.addIssue({ code: 'custom', message, params: { code, expected, hint: null } });
          if (weights.length !== bounds.length - 1)
            wrong('WT0207', `${bounds.length} bounds and ${weights.length} weights`, 'one weight fewer than bounds');
          if (bounds.some((bound, index) => index > 0 && bound <= bounds[index - 1]!))
            wrong('WT0310', 'the bounds do not ascend', 'ascending bounds');
          if (weights.every((weight) => weight === 0))
            wrong('WT0205', 'all weights are 0', 'at least one weight above 0');
        })
        .optional(),
    },
    'A random amount of time.',
  );
  return z
    .union([duration('Constant.'), object], {
      error: 'a duration, or an object with one of constant, exponential, gamma, lognormal, empirical',
    })
    .meta({ description });
}

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

const step = oneOf(
  {
    cpu: distribution('CPU time used.').optional(),
    wait: distribution('Time that passes without CPU: a disk, an outside service.').optional(),
    call: call.optional(),
    parallel: z
      .array(call, { error: 'a list of calls' })
      .min(1)
      .meta({ description: 'Calls that start together; the step ends with the last reply.' })
      .optional(),
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

const spread = z.strictObject({
  zone: word(
    ['soft', 'hard'],
    'hard: topology spread over zones with DoNotSchedule; soft: the default constraints of the kube-scheduler.',
  ).prefault(DEFAULTS.service.spread),
  maxSkew: whole(1, 'Pods that a zone may hold more than the emptiest, when hard.').prefault(DEFAULTS.service.maxSkew),
});

/** 0% to 100%, whole. */
const PERCENTAGE = /^(\d{1,2}|100)%$/;

const podCount = z
  .union([whole(0, 'Number of pods.'), z.string().meta({ pattern: PERCENTAGE.source })], {
    error: 'a number of pods, or a percentage such as 50%',
  })
  .superRefine((value, context) => {
    if (typeof value === 'number' || PERCENTAGE.test(value)) return;
    context.addIssue({
      code: 'custom',
      message: 'not a number of pods',
      params: { code: 'WT0204', expected: 'a number of pods, or a percentage such as 50%', hint: null },
    });
  })
  .meta({ description: 'A number of pods, or a percentage, rounded up.' });

const service = z.strictObject({
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
  spread: spread.prefault({}),
  disruptionBudget: oneOf(
    {
      minAvailable: podCount.optional(),
      maxUnavailable: podCount.optional(),
      unhealthyPodEviction: word(
        ['IfHealthyBudget', 'AlwaysAllow'],
        'unhealthyPodEvictionPolicy of the budget.',
      ).prefault('IfHealthyBudget'),
    },
    'PodDisruptionBudget of its pods. Default: none.',
    ['unhealthyPodEviction'],
  ).optional(),
  labels: z
    .record(z.string(), z.string({ error: 'a text' }), { error: 'a mapping from label to value' })
    .optional()
    .meta({ description: 'Labels of the pods, by which subsets tell versions apart. Default: app, the name.' }),
  versionOf: text('Another service behind whose host this one runs, as a further version of it.').optional(),
  trafficDistribution: word(
    ['PreferClose', 'PreferSameZone'],
    'trafficDistribution of the Service: its own zone first, whatever the load there.',
  ).optional(),
  topologyModeAuto: flag(
    'Annotation service.kubernetes.io/topology-mode: Auto. Read with routing: kubeProxy.',
  ).prefault(false),
  endpoints: z.array(endpoint, { error: 'a list of endpoints' }).min(1),
});

const cluster = z.strictObject({
  zones: z.array(zoneName, { error: 'a list of zones' }).min(1).meta({ description: 'Zones, each region/zone.' }),
  roundTrip: z
    .strictObject({
      sameNode: duration('Round trip within a node.').prefault(DEFAULTS.roundTrip.sameNode),
      sameZone: duration('Round trip within a zone.').prefault(DEFAULTS.roundTrip.sameZone),
      crossZone: duration('Round trip between zones of a region.').prefault(DEFAULTS.roundTrip.crossZone),
      crossRegion: duration('Round trip between regions.').prefault(DEFAULTS.roundTrip.crossRegion),
      pairs: z
        .array(
          z.strictObject({
            between: z.tuple([z.string(), z.string()], { error: 'two zones' }),
            roundTrip: duration('Round trip, either way.'),
          }),
          { error: 'a list of pairs' },
        )
        .prefault([])
        .meta({ description: 'Zone pairs that differ.' }),
      jitter: oneOf(
        { lognormal: z.strictObject({ cv }).optional(), gamma: z.strictObject({ cv: positiveCv }).optional() },
        'A random factor of mean 1 on each one-way delay. Default: none.',
      ).optional(),
    })
    .prefault({}),
  nodePools: z
    .array(
      z.strictObject({
        name: dnsName('Name of the pool; its nodes are called name-region-zone-number.'),
        nodesPerZone: z
          .union([whole(0, 'Nodes.'), byZone(whole(0, 'Nodes.'), 'Nodes by zone.')], {
            error: 'a number of nodes, or a mapping from zone to it',
          })
          .meta({ description: 'Nodes in each zone.' }),
        instanceType: text('Instance type, looked up in the price book.').optional(),
        prices: text('Price book, cloud/region.').optional(),
        allocatable: z
          .strictObject({
            cpu: amount(positive(units.cpu), 'CPU for pods.'),
            memory: amount(positive(units.memory), 'Memory for pods.'),
          })
          .meta({ description: 'Room for pods on one node. Default: the full size of the instance type.' })
          .optional(),
        pricePerHour: price('US dollars per node and hour. Default: from the price book.').optional(),
      }),
      { error: 'a list of node pools' },
    )
    .min(1),
  transfer: z
    .strictObject({
      crossZonePerGB: price(
        'US dollars per GB between zones, both ends together. Default: from the price book, else unknown.',
      ).optional(),
      crossRegionPerGB: price(
        'US dollars per GB between regions, both ends together. Default: from the price book, else unknown.',
      ).optional(),
    })
    .prefault({}),
});

/** Istio objects as they are in the cluster: checked by `destination-rule.ts`, with Istio's own rules. */
const kubeObject = z.looseObject({
  apiVersion: text('As in the cluster.'),
  kind: text('As in the cluster.'),
  metadata: z.looseObject({ name: text('Name of the object.') }),
  spec: z.record(z.string(), z.unknown(), { error: 'an object' }),
});

const shares = byZone(
  fraction('Share.'),
  'Share of the users that enter in each zone; the rest have none. They sum to 100%.',
);

const load = z.strictObject({
  name: text('Name of the load. Default: its entry.').optional(),
  entry: text('service/endpoint that the gateways call, or the service alone where it has one endpoint.'),
  from: z
    .union(
      [
        shares,
        z
          .array(z.strictObject({ at: duration('From this time on.'), shares }), { error: 'a list of {at, shares}' })
          .min(1),
      ],
      { error: 'shares by zone, or a list of {at, shares}' },
    )
    .optional()
    .meta({
      description: 'Where users enter: shares by zone, or a list of them with times. Default: the same in each zone.',
    }),
  arrivals: word(['poisson', 'even'], 'poisson: independent users; even: like clockwork.').prefault(
    DEFAULTS.load.arrivals,
  ),
  users: z.int({ error: 'a whole number' }).min(1).optional().meta({
    description:
      'Number of users, each as likely, whose header, cookie or address consistentHash sees. Default: each request has a user of its own.',
  }),
  rate: z
    .union(
      [
        amount(positive(units.rate), 'Constant rate.'),
        z.strictObject({
          base: amount(positive(units.rate), 'Mean rate.').optional(),
          diurnal: z
            .strictObject({
              amplitude: fraction('Part of the base by which the peak exceeds it.'),
              period: positiveDuration('From peak to peak.').prefault('24h'),
              peakAt: duration('Time of a peak.').prefault('0s'),
            })
            .optional(),
          bursts: z
            .array(
              z.strictObject({
                at: duration('Start.'),
                for: positiveDuration('Length.'),
                times: amountOf(0, 'Factor on the rate.'),
              }),
              { error: 'a list of {at, for, times}' },
            )
            .prefault([]),
          points: z
            .array(z.strictObject({ at: duration('Time.'), rate: amount(units.rate, 'Rate.') }), {
              error: 'a list of {at, rate}',
            })
            .min(1)
            .meta({ description: 'Linear between points, two at one time make a step, constant after the last.' })
            .optional(),
        }),
      ],
      { error: 'a rate such as 300/s, or an object with base or points' },
    )
    .superRefine((value, context) => {
      if (typeof value === 'number') return;
      const both =
        value.points !== undefined &&
        (value.base !== undefined || value.diurnal !== undefined || value.bursts.length > 0);
      const wrong = (code: string, message: string) =>
        context.addIssue({
          code: 'custom',
          message,
          params: { code, expected: 'base (with diurnal and bursts), or points', hint: null },
        });
      if (both) wrong('WT0207', 'points exclude base, diurnal and bursts');
      if (value.points === undefined && value.base === undefined) wrong('WT0207', 'says no rate');
      if (value.points?.some((point, index) => index > 0 && point.at < value.points![index - 1]!.at))
        wrong('WT0310', 'the points are not in the order of time');
    })
    .meta({ description: 'Requests per time. Times count from the start of the measured part.' }),
});

const zonePair = z
  .tuple([z.string(), z.string()], { error: 'two zones' })
  .meta({ description: 'Two zones, in either order.' });

/** A fault without settings: `{}`. */
const nothing = (description: string) => z.strictObject({}, { error: '{}' }).meta({ description });

const fault = oneOf(
  {
    at: duration('When, from the start of the measured part.'),
    for: positiveDuration('How long. Default: for good.').optional(),
    zoneOutage: text('Zone that is lost with all its nodes.').optional(),
    ramp: positiveDuration('Time in which the fault grows to its full strength. Default: at once.').optional(),
    nodeLoss: text('Node that is lost.').optional(),
    nodeDrain: text('Node that is cordoned and drained, as budgets allow.').optional(),
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
  const grows = ['serviceFailure', 'linkLatency', 'linkLoss', 'loadBurst', 'apiErrors', 'apiSlow'] as const;
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
const resourceMetric = (name: 'cpu' | 'memory', kind: Amount) =>
  z.strictObject({
    name: z.literal(name, { error: 'one of cpu, memory' }),
    target: z.union([utilization, average(kind, 'Mean over the pods.')], {
      error: 'a target with type Utilization or AverageValue',
    }),
  });
const figure = word(
  ['requests_per_second', 'queue_length'],
  'requests_per_second: answered, over the rate window; queue_length: requests that wait for a worker.',
);
const metricType = <const T extends string>(type: T) =>
  z.literal(type, { error: 'one of Resource, Pods, Object, External' });

/** spec.metrics as Kubernetes writes it. */
const hpaMetric = z.union(
  [
    z.strictObject({
      type: metricType('Resource'),
      resource: z.union([resourceMetric('cpu', units.cpu), resourceMetric('memory', units.memory)], {
        error: 'a resource with name and target',
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
            matchLabels: z.strictObject({ service: text('Service whose pods the figure is summed over.') }),
          }),
        }),
        target: wholeOrAverage,
      }),
    }),
  ],
  { error: 'a metric with type Resource, Pods, Object or External' },
);

export type HpaMetricFile = z.output<typeof hpaMetric>;

const hpa = z.strictObject({
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

const percentNumber = (description: string) => amountOf(0, description);

/** Part of an EngineConfig, by its own names; what is left out is the engine's default. */
const engine = z.strictObject({
  metric: word(
    ['cpu', 'memory', 'cpu-memory'],
    'Which utilisation the engine looks at. Default in scenarios: cpu.',
  ).optional(),
  upperThresholdPercent: percentNumber('Above: more replicas.').optional(),
  lowerThresholdPercent: percentNumber('Below: fewer replicas.').optional(),
  cpuWeight: amountOf(0, 'Weight of CPU in cpu-memory.').optional(),
  memoryWeight: amountOf(0, 'Weight of memory in cpu-memory.').optional(),
  utilizationBasis: word(['request', 'limit'], 'What utilisation is measured against.').optional(),
  responseTimeTargetMs: z.number({ error: 'a number above 0' }).gt(0).optional(),
  scaler: z
    .strictObject({
      mode: word(
        ['off', 'placement', 'full'],
        'off; placement: only where new pods go; full: replica counts too.',
      ).optional(),
      minReplicas: whole(1, 'Least replicas.').optional(),
      maxReplicas: whole(1, 'Most replicas.').optional(),
      stepRule: word(['one', 'proportional'], 'Replicas added at once.').optional(),
      maxZones: whole(1, 'Zones that must hold a replica before co-location starts.').optional(),
      maxZoneSkew: whole(0, 'Replicas that a zone may hold more than the emptiest.').optional(),
      cooldownSeconds: amountOf(0, 'Rest between two scalings of a workload.').optional(),
      coldPodGraceSeconds: amountOf(0, 'Time for which pods without metrics hold their workload still.').optional(),
      placementRule: word(['weightedSum', 'minEdge'], 'How places are scored.').optional(),
    })
    .optional(),
  balancer: z
    .strictObject({
      enabled: flag('Whether the engine writes routes.').optional(),
      minDelta: amountOf(0, 'Least change (points) worth writing.').optional(),
      minStep: amountOf(0, 'Least step, in points.').optional(),
      maxStep: amountOf(0, 'Largest step, in points.').optional(),
      urgencyThreshold: z.number({ error: 'a number above 0' }).gt(0).optional(),
      epsilon: amountOf(0, 'Difference (points) that counts as none.').optional(),
      minLocalShare: amountOf(0, 'Least local share.', 1).optional(),
      minPlacePercent: amountOf(0, 'Least weight of a place with endpoints.', 100).optional(),
      createRoutes: flag('Write a DestinationRule where the host has none.').optional(),
    })
    .optional(),
  workloads: z
    .record(
      z.string(),
      z.strictObject({
        minReplicas: whole(1, 'Least replicas.').optional(),
        maxReplicas: whole(1, 'Most replicas.').optional(),
      }),
    )
    .optional()
    .meta({ description: 'By service: bounds that differ.' }),
});

const policy = z
  .strictObject({
    why: text('What the policy stands for.').optional(),
    extends: text('Policy that this one starts from.').optional(),
    hpa: z
      .record(z.string(), hpa.nullable(), { error: 'a mapping from service to autoscaler' })
      .prefault({})
      .meta({ description: 'By service: a HorizontalPodAutoscaler; null drops an inherited one.' }),
    engine: engine
      .nullable()
      .optional()
      .meta({ description: 'The Wavetank engine, by what differs from its defaults; null: off.' }),
    destinationRules: z
      .array(
        z.union([z.strictObject({ remove: text('Name of the rule.') }), kubeObject], {
          error: 'a DestinationRule, or {remove: NAME}',
        }),
        { error: 'a list of DestinationRules' },
      )
      .prefault([])
      .meta({ description: 'Rules that replace those of the mesh by metadata.name, or {remove: NAME}.' }),
    spread: z.record(z.string(), spread, { error: 'a mapping from service to spread' }).prefault({}),
    deploymentPerZone: z
      .array(z.string(), { error: 'a list of services' })
      .prefault([])
      .meta({ description: 'Services with one Deployment (and one autoscaler) per zone.' }),
  })
  .meta({ description: 'One way to run the cluster: a full run on the same arrivals and demands.' });

const run = z.strictObject({
  duration: positiveDuration('Length of the measured part.').prefault(DEFAULTS.run.duration),
  warmUp: duration('Simulated before the measured part, and left out of every figure.').prefault(DEFAULTS.run.warmUp),
  seed: whole(0, 'Seed of all chance.').prefault(DEFAULTS.run.seed),
  replications: whole(1, 'Runs with different chance.').prefault(DEFAULTS.run.replications),
  scrape: positiveDuration('Scrape interval of the metrics.').prefault(DEFAULTS.run.scrape),
  rateWindow: positiveDuration('Window over which rates are taken.').prefault(DEFAULTS.run.rateWindow),
  cycle: positiveDuration('Time between two steps of the engine.').prefault(DEFAULTS.run.cycle),
  series: positiveDuration('Width of one point of the time series.').prefault(DEFAULTS.run.series),
});

/** `1.31` to its minor number. */
const release = (description: string) =>
  z
    .union([z.string(), z.number()], { error: 'a release such as "1.31"' })
    .transform((input, context) => {
      const minor = /^1\.(\d{1,3})(\.\d+)?$/.exec(String(input))?.[1];
      if (minor !== undefined) return Number(minor);
      const params = { code: 'WT0205', expected: 'a release such as "1.31"', hint: 'quote it: 1.30 unquoted is 1.3' };
      context.addIssue({ code: 'custom', message: 'not a release', params });
      return z.NEVER;
    })
    .meta({ description });

const compat = z.strictObject({
  istio: release('Istio release whose rules hold.').prefault(DEFAULTS.compat.istio),
  envoy: release('Envoy release whose rules hold.').prefault(DEFAULTS.compat.envoy),
  kubernetes: release('Kubernetes release whose rules hold.').prefault(DEFAULTS.compat.kubernetes),
});

const proxy = z.strictObject({
  mode: word(
    ['sidecar', 'ambient', 'none'],
    'A sidecar in each pod; a ztunnel on each node, which balances connections (routing: kubeProxy); or nothing.',
  ),
  preset: word(
    ['proposal', 'istio-1.24', 'istio-1.20', 'istio-1.12', 'istio-1.5'],
    'Figures that were published with a release; istio-1.24 alone for ambient.',
  ).optional(),
  fixed: duration(
    'Least time of one pass; a call passes two proxies, there and back. Default: of the preset.',
  ).optional(),
  mean: duration('Mean of the exponential time on top of it. Default: of the preset.').optional(),
  cpuPerRequest: duration(
    'CPU time of one proxy for a request and its reply: 0.2ms is 0.2 cores at 1000 requests a second. Default: of the preset.',
  ).optional(),
  workers: whole(1, 'Threads of one proxy; messages wait for one.').prefault(DEFAULTS.proxy.workers),
  requests: z
    .strictObject({
      cpu: amount(units.cpu, 'CPU request of a sidecar.').prefault(DEFAULTS.proxy.cpu),
      memory: amount(units.memory, 'Memory request of a sidecar.').prefault(DEFAULTS.proxy.memory),
    })
    .prefault({})
    .meta({ description: 'What a sidecar adds to the requests of its pod. A ztunnel adds nothing.' }),
});

export const scenarioSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION, { error: API_VERSION }),
    kind: z.literal('Scenario', { error: 'Scenario' }),
    metadata: z.strictObject({ name: text('Name of the scenario.'), why: text('What question it answers.') }),
    spec: z.strictObject({
      compat: compat.prefault({}).meta({ description: 'Releases, where a rule has changed between them.' }),
      cluster,
      gateways: z
        .strictObject({
          perZone: whole(1, 'Ingress gateway proxies in each zone.').prefault(DEFAULTS.gateways.perZone),
          failover: duration('After a zone is lost: until its users are sent to other zones.').prefault(
            DEFAULTS.gateways.failover,
          ),
        })
        .prefault({}),
      services: z.array(service, { error: 'a list of services' }).min(1),
      mesh: z
        .strictObject({
          objects: z
            .array(kubeObject, { error: 'a list of Istio objects' })
            .prefault([])
            .meta({ description: 'Istio objects as they are in the cluster.' }),
          localityLbSetting: z
            .record(z.string(), z.unknown(), { error: 'an object' })
            .optional()
            .meta({ description: "Mesh-wide localityLbSetting. Default: Istio's, enabled and empty." }),
          routing: word(
            ['istio', 'kubeProxy'],
            'istio: sidecars choose a pod for each request; kubeProxy: no mesh, a random pod for each connection.',
          ).prefault(DEFAULTS.mesh.routing),
          connections: z
            .strictObject({
              perCaller: whole(1, 'Long-lived connections of one pod to a service, used in turn.'),
              maxAge: positiveDuration('Age at which a connection is closed. Default: none.').optional(),
            })
            .optional()
            .meta({
              description: 'With routing: kubeProxy, how gRPC clients connect. Default: a connection for each request.',
            }),
          propagation: duration('From a change of endpoints or rules until every proxy has it.').prefault(
            DEFAULTS.mesh.propagation,
          ),
          proxy: proxy
            .optional()
            .meta({ description: 'Latency and CPU of the proxies. Default: none, whatever the mode of the mesh.' }),
          connectTimeout: positiveDuration('Connect timeout of the proxies.').prefault(DEFAULTS.mesh.connectTimeout),
        })
        .prefault({}),
      load: z.array(load, { error: 'a list of loads' }).min(1),
      faults: z.array(fault, { error: 'a list of faults' }).prefault([]),
      policies: z.record(z.string(), policy, { error: 'a mapping from name to policy' }).prefault({ static: {} }),
      run: run.prefault({}),
      expectations: z.array(text('A gate.'), { error: 'a list of expectations' }).prefault([]),
    }),
  })
  .meta({
    title: 'Scenario',
    description: 'A Wavetank scenario: a cluster, its services, load and faults, and the policies to compare.',
  });

export type ScenarioFile = z.output<typeof scenarioSchema>;
export type ServiceFile = ScenarioFile['spec']['services'][number];
export type StepFile = ServiceFile['endpoints'][number]['steps'][number];
export type CallFile = NonNullable<StepFile['call']>;
export type PolicyFile = ScenarioFile['spec']['policies'][string];
export type LoadFile = ScenarioFile['spec']['load'][number];
export type ClusterFile = ScenarioFile['spec']['cluster'];

/** JSON Schema (draft 2020-12) of a kind of file, for editors. */
export function jsonSchema(kind: 'Scenario'): Record<string, unknown> {
  const schemas = { Scenario: scenarioSchema };
  return z.toJSONSchema(schemas[kind], { target: 'draft-2020-12', io: 'input' });
}
