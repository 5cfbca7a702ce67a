/**
 * What stands beside the cluster in the file: services that it calls but does not run, and queues of messages.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import { amount, byZone, distribution, dnsName, duration, positiveDuration, text, whole, word } from './leaves.js';

const outside = z
  .strictObject({ roundTrip: duration('Round trip from every zone.') })
  .meta({ description: 'Outside of all zones, as an API on the internet: as far from each.' });

const endpoint = z.strictObject({
  name: text('Name of the endpoint, unique in its service.'),
  wait: distribution('Time that it works on a request.'),
  requestBytes: amount(units.size, 'Size of a request.').prefault(DEFAULTS.service.requestBytes),
  responseBytes: amount(units.size, 'Size of a reply.').prefault(DEFAULTS.service.responseBytes),
});

export const external = z
  .strictObject({
    name: dnsName('Name by which endpoints call it.'),
    host: text(
      'Host by which ServiceEntries, DestinationRules and VirtualServices name it. Default: its name.',
    ).optional(),
    zones: z
      .union(
        [
          z.array(z.string(), { error: 'a list of zones' }).min(1),
          byZone(whole(0, 'Instances.'), 'Instances by zone.'),
        ],
        { error: 'a list of zones, or a mapping from zone to a number of instances' },
      )
      .optional()
      .meta({ description: 'Where its instances stand: one in each zone of a list, or a number for each.' }),
    outside: outside.optional(),
    protocol: word(
      ['http', 'tcp'],
      'http: proxies choose an instance for each request and try again; tcp, as most databases: pools of connections.',
    ).prefault(DEFAULTS.external.protocol),
    concurrency: z
      .union([whole(1, 'Requests.'), z.literal('unbounded')], { error: 'a whole number of at least 1, or unbounded' })
      .prefault(DEFAULTS.external.concurrency)
      .meta({ description: 'Requests that one instance works on at once; the others wait in its queue.' }),
    queue: z
      .union([whole(0, 'Places.'), z.literal('unbounded')], { error: 'a whole number of at least 0, or unbounded' })
      .prefault(DEFAULTS.service.queue)
      .meta({ description: 'Requests that may wait in one instance; one more is refused.' }),
    connectionsPerCaller: whole(
      1,
      'With protocol: tcp, connections in the pool of one calling pod, each with a request at a time. Default: no limit.',
    ).optional(),
    endpoints: z.array(endpoint, { error: 'a list of endpoints' }).min(1),
  })
  .superRefine(({ zones, outside: beyond, protocol, connectionsPerCaller }, context) => {
    const wrong = (path: string, message: string, expected: string) =>
      context.addIssue({ code: 'custom', path: [path], message, params: { code: 'WT0207', expected, hint: null } });
    if (zones === undefined && beyond === undefined) wrong('name', 'says not where it stands', 'zones or outside');
    if (zones !== undefined && beyond !== undefined)
      wrong('outside', 'zones and outside exclude each other', 'one of them');
    if (zones !== undefined && !Array.isArray(zones) && !Object.values(zones).some((count) => count > 0))
      wrong('zones', 'no instance anywhere', 'at least one');
    if (connectionsPerCaller !== undefined && protocol !== 'tcp')
      wrong(
        'connectionsPerCaller',
        'the connections of HTTP are those of the proxies',
        'protocol: tcp, or connectionPool in a DestinationRule',
      );
  })
  .meta({ description: 'A service that the cluster calls and does not run.' });

export const queue = z
  .strictObject({
    name: dnsName('Name by which endpoints publish to it.'),
    zone: text('Zone of the broker. Default: a node of it in each zone, which its own zone uses.').optional(),
    outside: outside.optional(),
    ack: distribution('Time until the broker has a message and says so.'),
    messageBytes: amount(units.size, 'Size of a message.').prefault(DEFAULTS.service.requestBytes),
    maxLength: whole(1, 'Messages that may wait; one more is refused. Default: any number.').optional(),
    consumers: z
      .array(
        z.strictObject({
          endpoint: text('service/endpoint that works on a message, or the service alone where it has one endpoint.'),
          concurrency: whole(1, 'Messages that one pod takes at once. Default: its workers.').optional(),
        }),
        { error: 'a list of {endpoint, concurrency}' },
      )
      .min(1)
      .meta({ description: 'Whose pods take the messages; several compete.' }),
    deliver: z
      .strictObject({
        attempts: whole(1, 'Deliveries of one message before it counts as dead.').prefault(DEFAULTS.queue.attempts),
        delay: duration('From a failed delivery to the next.').prefault(DEFAULTS.queue.delay),
        visibilityTimeout: positiveDuration(
          'A message that is not done by then goes to another consumer, too. Default: only when its consumer is gone.',
        ).optional(),
      })
      .prefault({}),
  })
  .superRefine(({ zone, outside: beyond }, context) => {
    if (zone === undefined || beyond === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['outside'],
      message: 'zone and outside exclude each other',
      params: { code: 'WT0207', expected: 'one of them', hint: null },
    });
  })
  .meta({ description: 'A queue of messages between those who publish and the pods that consume.' });
