/**
 * The load in the file: who calls which endpoint, from where, how often.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import { amount, amountOf, byZone, duration, fraction, positive, positiveDuration, text, word } from './leaves.js';

const shares = byZone(
  fraction('Share.'),
  'Share of the users that enter in each zone; the rest have none. They sum to 100%.',
);

/** Letters of a method or of the name of a header (RFC 9110). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const texts = (description: string) =>
  z.record(z.string(), z.string({ error: 'a text' }), { error: 'texts by name' }).meta({ description });

/** HTTP does not tell names of headers apart by case. */
const headers = texts(
  'Headers of its requests, which VirtualServices may match. Applications pass them on in every call.',
).superRefine((value, context) => {
  const names = Object.keys(value);
  for (const [index, name] of names.entries()) {
    const isTwice = names.slice(0, index).some((before) => before.toLowerCase() === name.toLowerCase());
    if (TOKEN.test(name) && !isTwice) continue;
    const message = isTwice ? 'the same header twice' : 'no name of a header';
    const expected = isTwice ? 'each header once, in whatever case' : 'a name such as x-canary';
    context.addIssue({ code: 'custom', path: [name], message, params: { code: 'WT0208', expected, hint: null } });
  }
});

export const load = z.strictObject({
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
  method: z
    .string({ error: 'a text' })
    .regex(TOKEN, { error: 'a method such as GET' })
    .prefault(DEFAULTS.load.method)
    .meta({ description: 'Method of its requests, which VirtualServices of gateways may match.' }),
  headers: headers.prefault({}),
  query: texts('Query parameters of its requests, which VirtualServices of gateways may match.').prefault({}),
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
