/**
 * The cluster in the file: zones, round trips, pools of nodes, prices of traffic.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import { ROUND_TRIP_MATRICES } from '../round-trip-matrices.js';
import * as units from '../units.js';
import { poolScaling } from './nodeAutoscaler.js';
import {
  amount,
  byKey,
  byZone,
  cv,
  dnsName,
  duration,
  oneOf,
  positive,
  positiveCv,
  price,
  text,
  whole,
  word,
  zoneName,
} from './leaves.js';
import { labels, subzone, taints } from './scheduling.js';

const nodesPerZone = (description: string) =>
  z
    .union([whole(0, 'Nodes.'), byZone(whole(0, 'Nodes.'), 'Nodes by zone.')], {
      error: 'a number of nodes, or a mapping from zone to it',
    })
    .meta({ description });

const hourAndGb = (description: string) =>
  z
    .strictObject({
      perHour: price('US dollars per hour. Default: from the price book.').optional(),
      perGB: price('US dollars per GB, either way. Default: from the price book.').optional(),
    })
    .optional()
    .meta({ description: `${description} Default: not on the bill.` });

export const cluster = z.strictObject({
  zones: z.array(zoneName, { error: 'a list of zones' }).min(1).meta({ description: 'Zones, each region/zone.' }),
  roundTrip: z
    .strictObject({
      matrix: word(
        Object.keys(ROUND_TRIP_MATRICES) as [string, ...string[]],
        'Published round trips that hold where nothing else is stated.',
      ).optional(),
      sameNode: duration(`Round trip within a node. Default: ${DEFAULTS.roundTrip.sameNode}.`).optional(),
      sameZone: duration(
        `Round trip within a zone. Default: of the matrix, else ${DEFAULTS.roundTrip.sameZone}.`,
      ).optional(),
      crossZone: duration(
        `Round trip between zones of a region. Default: of the matrix, else ${DEFAULTS.roundTrip.crossZone}.`,
      ).optional(),
      crossRegion: duration(
        `Round trip between regions. Default: of the matrix, else ${DEFAULTS.roundTrip.crossRegion}.`,
      ).optional(),
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
      nodes: z
        .array(
          z.strictObject({
            between: z.tuple([z.string(), z.string()], { error: 'two nodes' }),
            roundTrip: duration('Round trip, either way.'),
          }),
          { error: 'a list of pairs' },
        )
        .prefault([])
        .meta({ description: 'Pairs of nodes that differ from their zones.' }),
      jitter: oneOf(
        { lognormal: z.strictObject({ cv }).optional(), gamma: z.strictObject({ cv: positiveCv }).optional() },
        'A random factor of mean 1 on each one-way delay. Default: none.',
      ).optional(),
    })
    .prefault({}),
  cpu: z
    .strictObject({
      contention: word(
        ['cgroupV2', 'cgroupV1', 'none'],
        'How pods share the cores of their node when they want more than there are; none: as if each had the node to itself.',
      ).prefault(DEFAULTS.cpu.contention),
      weights: word(
        ['curved', 'linear'],
        'How CPU requests become weights of cgroup v2. Default: curved from Kubernetes 1.35 on, linear before.',
      ).optional(),
    })
    .superRefine(({ contention, weights }, context) => {
      if (contention === 'cgroupV2' || weights === undefined) return;
      context.addIssue({
        code: 'custom',
        path: ['weights'],
        message: `there are none with contention: ${contention}`,
        params: { code: 'WT0207', expected: 'no weights, or contention: cgroupV2', hint: null },
      });
    })
    .prefault({}),
  nodePools: z
    .array(
      z.strictObject({
        name: dnsName('Name of the pool; its nodes are called name-region-zone-number.'),
        nodesPerZone: nodesPerZone('Nodes in each zone, at the start.'),
        ...poolScaling(nodesPerZone),
        instanceType: text('Instance type, looked up in the price book.').optional(),
        prices: text('Price book, cloud/region.').optional(),
        allocatable: z
          .strictObject({
            cpu: amount(positive(units.cpu), 'CPU for pods.'),
            memory: amount(positive(units.memory), 'Memory for pods.'),
          })
          .meta({ description: 'Room for pods on one node. Default: the full size of the instance type.' })
          .optional(),
        subzone: subzone(
          'Where its nodes stand within each zone, such as a rack: their label topology.istio.io/subzone. Default: none.',
        ).optional(),
        labels: labels('Labels of its nodes, besides those of zone, region, host name and instance type.').prefault({}),
        taints: taints.prefault([]).meta({ description: "Taints of its nodes, in Kubernetes' form." }),
        maxPods: whole(1, 'Pods that the kubelet of a node takes at most.').prefault(DEFAULTS.nodePool.maxPods),
        capacity: word(
          ['onDemand', 'spot', 'committed'],
          'How its nodes are paid for: which price of the instance type holds. Default: what its labels say, else onDemand.',
        ).optional(),
        pricePerHour: price('US dollars per node and hour. Default: from instancePrices or the price book.').optional(),
      }),
      { error: 'a list of node pools' },
    )
    .min(1),
  instancePrices: byKey(
    z.strictObject({
      onDemand: price('On demand.').optional(),
      spot: price('As spot.').optional(),
      committed: price('Under a commitment.').optional(),
    }),
    'US dollars per node and hour by instance type, where the price book has none or another one.',
  ).prefault({}),
  transfer: z
    .strictObject({
      crossZonePerGB: price(
        'US dollars per GB between zones, both ends together. Default: from the price book, else unknown.',
      ).optional(),
      crossRegionPerGB: price(
        'US dollars per GB between regions, both ends together. Default: from the price book, else unknown.',
      ).optional(),
      loadBalancer: hourAndGb('The load balancer in front of the gateways; {} for the price book.'),
      internet: z
        .strictObject({ perGB: price('US dollars per GB sent. Default: from the price book.').optional() })
        .optional()
        .meta({
          description:
            'Replies to users, and what is sent to externals outside; {} for the price book. Default: not on the bill.',
        }),
      nat: z
        .strictObject({
          perHour: price('US dollars per gateway and hour. Default: from the price book.').optional(),
          perGB: price('US dollars per GB, either way. Default: from the price book.').optional(),
          gateways: whole(0, 'Number of gateways. Default: one in each zone, on Google one in each region.').optional(),
        })
        .optional()
        .meta({
          description:
            'NAT gateways, on the way to and from externals outside; {} for the price book. Default: not on the bill.',
        }),
    })
    .prefault({}),
});
