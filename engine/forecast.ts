/**
 * What a series will be some steps ahead, from its own past, or why it should not be asked. Two ways, both old:
 *
 *     seasonalNaive   x[t] = x[t - season]
 *     holtWinters     x[t + h] = level + h * trend + seasonal[t + h], each smoothed (additive, Winters 1960)
 *
 * Three seasons are needed: Holt-Winters starts from the first two, and every way is tried on the last one as it would
 * have been asked then. The better one is believed only where its mean absolute error is at most 80 % of that of
 * knowing nothing: the last value, and the mean of the past (which beats the last value on noise, and foresees nothing).
 */
export interface Forecast {
  readonly model: 'seasonalNaive' | 'holtWinters';
  readonly value: number;
  /** Nine of ten errors of its back-test were no larger. */
  readonly errorBand: number;
  /** Mean absolute errors over the last season. */
  readonly meanError: number;
  readonly lastValueError: number;
}

/** @param history oldest first, evenly spaced; @param season and @param steps in samples, 1 <= steps <= season */
export function forecast(
  history: readonly number[],
  season: number,
  steps: number,
): Forecast | { readonly refused: string } {
  if (history.length < SEASONS * season) {
    return { refused: `${history.length} of ${SEASONS * season} samples are there, three seasons are needed` };
  }
  const from = history.length - season;
  const errorsOf = (guess: (at: number) => number): number[] => {
    const errors: number[] = [];
    for (let at = from; at < history.length; at++) errors.push(Math.abs(history[at]! - guess(at)));
    return errors;
  };

  const lastValueError = mean(errorsOf((at) => history[at - steps]!));
  const sums = [0];
  for (const value of history) sums.push(sums.at(-1)! + value);
  const meanErrorOfMean = mean(errorsOf((at) => sums[at - steps + 1]! / (at - steps + 1)));

  const ways: { model: Forecast['model']; value: number; errors: number[] }[] = [
    {
      model: 'seasonalNaive',
      value: history[history.length + steps - 1 - season]!,
      errors: errorsOf((at) => history[at - season]!),
    },
  ];
  for (const smoothing of SMOOTHINGS) {
    const guesses = holtWinters(history, season, steps, smoothing);
    ways.push({ model: 'holtWinters', value: guesses.at(-1)!, errors: errorsOf((at) => guesses[at - steps]!) });
  }
  // A later way must be better by more than rounding, so that the plainer one wins a tie.
  const best = ways.reduce((least, way) => (mean(way.errors) < mean(least.errors) - ROUNDING ? way : least));
  const meanError = mean(best.errors);
  const rival = Math.min(lastValueError, meanErrorOfMean);
  if (!(meanError <= WORTH_BELIEVING * rival) || rival <= ROUNDING) {
    const name = lastValueError <= meanErrorOfMean ? 'last value' : 'mean';
    return { refused: `its back-test is off by ${short(meanError)}, the plain ${name} by ${short(rival)}` };
  }
  const sorted = [...best.errors].sort((a, b) => a - b);
  return {
    model: best.model,
    value: Math.max(0, best.value),
    errorBand: sorted[Math.ceil(0.9 * sorted.length) - 1]!,
    meanError,
    lastValueError,
  };
}

/** Seasons of history that a forecast rests on; more are not kept. */
export const SEASONS = 3;
const WORTH_BELIEVING = 0.8;
const ROUNDING = 1e-9;

interface Smoothing {
  readonly level: number;
  readonly trend: number;
  readonly seasonal: number;
}

// From calm to nervous. A finer grid fits the noise of the one season by which it is chosen.
const SMOOTHINGS: readonly Smoothing[] = [
  { level: 0.1, trend: 0.01, seasonal: 0.1 },
  { level: 0.3, trend: 0.05, seasonal: 0.3 },
  { level: 0.6, trend: 0.1, seasonal: 0.3 },
];

/** At each sample, what was foreseen for `steps` later. */
export function holtWinters(history: readonly number[], season: number, steps: number, smoothing: Smoothing): number[] {
  const first = mean(history.slice(0, season));
  const second = mean(history.slice(season, 2 * season));
  let trend = (second - first) / season;
  const middle = (season - 1) / 2;
  let level = first - trend * (1 + middle);
  const seasonal = Array.from({ length: season }, (_, i) => {
    const slope = trend * (i - middle);
    return (history[i]! - first - slope + (history[season + i]! - second - slope)) / 2;
  });
  return history.map((value, at) => {
    const i = at % season;
    const before = level;
    level = smoothing.level * (value - seasonal[i]!) + (1 - smoothing.level) * (level + trend);
    trend = smoothing.trend * (level - before) + (1 - smoothing.trend) * trend;
    seasonal[i] = smoothing.seasonal * (value - level) + (1 - smoothing.seasonal) * seasonal[i]!;
    return level + steps * trend + seasonal[(at + steps) % season]!;
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
