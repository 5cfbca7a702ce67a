/**
 * The cluster in the file: zones, round trips, pools of nodes, prices of traffic.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import {
  amount,
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
  zoneName,
} from './leaves.js';
import { labels, taints } from './scheduling.js';

export const cluster = z.strictObject({
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
        labels: labels('Labels of its nodes, besides those of zone, region, host name and instance type.').prefault({}),
        taints: taints.prefault([]).meta({ description: "Taints of its nodes, in Kubernetes' form." }),
        maxPods: whole(1, 'Pods that the kubelet of a node takes at most.').prefault(DEFAULTS.nodePool.maxPods),
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
