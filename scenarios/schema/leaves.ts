/**
 * The leaves of a scenario file: amounts with their units, names, flags, random durations. Each carries, as its `error`, the
 * words "expected ..." of a message; `schema-problems.ts` builds on that.
 */
import * as z from 'zod';
import * as units from '../units.js';
import type { Amount } from '../units.js';

export const duration = (description: string) => amount(units.duration, description);
export const positiveDuration = (description: string) => amount(positive(units.duration), description);
export const fraction = (description: string) => amount(units.fraction, description);

/** Text (or a number, where its unit is clear) to an amount in base units. */
export function amount(kind: Amount, description: string) {
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

export function positive(kind: Amount): Amount {
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

export function whole(least: number, description: string) {
  return z
    .int({ error: `a whole number of at least ${least}` })
    .min(least)
    .meta({ description });
}

export function amountOf(least: number, description: string, most = Infinity) {
  const expected = most === Infinity ? `a number of at least ${least}` : `a number from ${least} to ${most}`;
  const base = z.number({ error: expected }).min(least);
  return (most === Infinity ? base : base.max(most)).meta({ description });
}

/** Money that may be unknown: said so, it is not taken for 0. */
export const price = (description: string) =>
  z
    .union([z.number().min(0), z.literal('unknown')], { error: 'an amount of at least 0, or unknown' })
    .meta({ description });

export const text = (description: string) => z.string({ error: 'a text' }).min(1).meta({ description });
export const flag = (description: string) => z.boolean({ error: 'true or false' }).meta({ description });
export const word = <const T extends readonly [string, ...string[]]>(words: T, description: string) =>
  z.enum(words, { error: `one of ${words.join(', ')}` }).meta({ description });

/** Names become parts of pod and host names: the rule of Kubernetes for those. */
export const dnsName = (description: string) =>
  z
    .string({ error: 'a name' })
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, {
      error: 'lower-case letters, digits and "-", at most 63 characters',
    })
    .meta({ description });
export const zoneName = z
  .string({ error: 'a zone, written region/zone' })
  .regex(/^[^/*\s]+\/[^/*\s]+$/, { error: 'a zone, written region/zone such as eu-1/a' });
export const byKey = <T extends z.ZodType>(value: T, description: string) =>
  z.record(z.string(), value, { error: 'a mapping from name to value' }).meta({ description });
export const byZone = <T extends z.ZodType>(value: T, description: string) =>
  z.record(z.string(), value, { error: 'a mapping from zone to value' }).meta({ description });

/** An object of which exactly one key is given. */
export function oneOf<T extends z.ZodRawShape>(shape: T, description: string, besides: readonly string[] = []) {
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

export const cv = amountOf(0, 'Standard deviation over mean.');
export const positiveCv = z
  .number({ error: 'a number above 0' })
  .gt(0)
  .meta({ description: 'Standard deviation over mean.' });

/** A random duration: a constant, or a law with its mean. */
export function distribution(description: string) {
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
