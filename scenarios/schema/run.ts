/**
 * How long and how often a scenario runs, and which releases it stands for.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import { duration, positiveDuration, whole } from './leaves.js';

export const run = z.strictObject({
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

export const compat = z.strictObject({
  istio: release('Istio release whose rules hold.').prefault(DEFAULTS.compat.istio),
  envoy: release('Envoy release whose rules hold.').prefault(DEFAULTS.compat.envoy),
  kubernetes: release('Kubernetes release whose rules hold.').prefault(DEFAULTS.compat.kubernetes),
});
