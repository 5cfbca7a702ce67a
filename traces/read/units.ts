/**
 * Turns recorded values into canonical units, and says when a series looks as if it had been declared in the wrong one.
 * The bounds are wide on purpose: they are there to catch a factor of a thousand, not to argue with a slow service.
 */
import type { SeriesRole } from '../recording.js';

/** What a value is multiplied by; null where the factor depends on the grid (a count over the step is a rate). */
const factors: Readonly<Record<SeriesRole, Readonly<Record<string, number>>>> = {
  requestRate: { 'per second': 1, 'per minute': 1 / 60, 'per 300s': 1 / 300 },
  callCount: { calls: 1 },
  latency: { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 },
  cpu: { millicores: 1, '10 millicores': 10, cores: 1000 },
  cpuPercentOfLimit: { percent: 1, fraction: 100 },
  memory: { bytes: 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 },
};

/** Medians outside these bounds are called suspicious. Canonical units. */
const plausible: Readonly<Record<SeriesRole, readonly [low: number, high: number]>> = {
  requestRate: [0, 1e7],
  callCount: [0, 1e9],
  latency: [0.02, 120_000],
  cpu: [0.05, 1e6],
  cpuPercentOfLimit: [0.01, 10_000],
  memory: [1e5, 1e14],
};

export function unitNames(role: SeriesRole): readonly string[] {
  return Object.keys(factors[role]);
}

export function unitFactor(role: SeriesRole, unit: string): number | undefined {
  return factors[role][unit];
}

/** A sentence when the median of a series (canonical units, zeros left out) is out of all proportion; else null. */
export function suspicionOf(role: SeriesRole, unit: string, values: readonly (number | null)[]): string | null {
  const positive = values.filter((value): value is number => value !== null && value > 0).sort((a, b) => a - b);
  const median = positive[positive.length >> 1];
  if (median === undefined) return null;
  const [low, high] = plausible[role];
  if (median >= low && median <= high) return null;
  const factor = factors[role][unit] ?? 1;
  const better = Object.entries(factors[role])
    .filter(([name, other]) => name !== unit && (median / factor) * other >= low && (median / factor) * other <= high)
    .map(([name]) => name);
  const hint = better.length > 0 ? `; is it ${better.join(' or ')}?` : '';
  return `suspicious unit: as ${unit} the median is ${Number(median.toPrecision(3))} (canonical), outside ${low}..${high}${hint}`;
}
