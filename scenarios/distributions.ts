/** A random duration of the file as the simulator draws it: a constant, or a law with its mean. */
import type { StepFile } from './schema.js';
import type { Distribution } from './types.js';

export function buildDistribution(file: StepFile['cpu'] & {}): Distribution {
  if (typeof file === 'number') return { kind: 'constant', mean: file };
  if (file.constant !== undefined) return { kind: 'constant', mean: file.constant };
  if (file.exponential !== undefined) return { kind: 'exponential', mean: file.exponential };
  if (file.gamma !== undefined) return { kind: 'gamma', ...file.gamma };
  if (file.lognormal !== undefined) return { kind: 'lognormal', ...file.lognormal };
  const { bounds, weights } = file.empirical!;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const mean = shares.reduce((sum, share, index) => sum + (share * (bounds[index]! + bounds[index + 1]!)) / 2, 0);
  return { kind: 'empirical', bounds, weights: shares, mean };
}
