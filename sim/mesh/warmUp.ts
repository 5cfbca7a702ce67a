/**
 * Warm-up of new endpoints (Envoy's slow start, SEMANTICS A13): a pod that a proxy has just learned of counts with part
 * of its weight, which grows with its age there. Young pods start cold: caches are empty, code is not compiled yet.
 */
import pow from '@stdlib/math-base-special-pow';

export interface WarmUp {
  readonly windowUs: number;
  /** 1 grows in a straight line; above 1 faster at first. */
  readonly aggression: number;
  readonly minimumPercent: number;
}

/** An age below this counts as this, so that no weight is 0. */
const SHORTEST_US = 1000;

/** Factor (0..1] on the weight of an endpoint that the proxy has known for `ageUs`. */
export function warmFactor(ageUs: number, { windowUs, aggression, minimumPercent }: WarmUp): number {
  if (ageUs >= windowUs) return 1;
  const grown = Math.max(SHORTEST_US, ageUs) / windowUs;
  return Math.max(minimumPercent / 100, aggression === 1 ? grown : pow(grown, 1 / aggression));
}
