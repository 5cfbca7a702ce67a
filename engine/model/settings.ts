/** Settings of the model-based rule: their defaults, and what they may be. Percent, ms, USD as the names say. */

export interface ModelSettings {
  /** Milliseconds that one accepts to save a dollar per million requests. */
  readonly transferWeight: number;
  /** Milliseconds of wire that a millisecond of queueing is worth. */
  readonly queueWeight: number;
  /** Utilisation (1: all of `utilizationBasis`) above which a zone has no room left. */
  readonly maxUtilization: number;
  /** Coefficient of variation of the time that a request takes. */
  readonly serviceVariation: number;
  /** Weight of the cases in which the peak moves before the next pass; 0: none. */
  readonly hedge: number;
  /** Requests that one pod serves at once; 0: the cores of its request or limit, as `utilizationBasis` says. */
  readonly podConcurrency: number;
  /** Bytes per request, both ways, where the edges tell none. */
  readonly bytesPerRequest: number;
  readonly crossZoneUsdPerGb: number;
  readonly crossRegionUsdPerGb: number;
  /** Of more than five zones a row lists at least this many, the cheapest ones. */
  readonly floorZones: number;
  /** Gain in milliseconds per request from which a route is written. */
  readonly minGainMs: number;
  /** Older demand is not solved for: rows go towards shares by capacity. */
  readonly maxDemandAgeSeconds: number;
  /** Part of the way that a row goes then, each pass. */
  readonly degradeShare: number;
  /** Window of the snapshot's rates: how many completions stand behind a service time. */
  readonly rateWindowSeconds: number;
  /** `zone`: new replicas keep to places where any one zone may be lost. */
  readonly survive: 'zone' | 'none';
}

export const defaultModelSettings: ModelSettings = {
  // At 0.02 USD/GB and 10 kB a crossing costs 0.20 USD a million, so 4 ms.
  transferWeight: 20,
  // The tail is made in queues; 1 and 20 gave the same 99th percentile.
  queueWeight: 5,
  // 0.15 or more above the autoscaler's target, or each pass is urgent.
  maxUtilization: 0.8,
  serviceVariation: 1,
  hedge: 0.05,
  podConcurrency: 0,
  bytesPerRequest: 10_000,
  // Both ends of a crossing, as the largest cloud bills it.
  crossZoneUsdPerGb: 0.02,
  crossRegionUsdPerGb: 0.02,
  floorZones: 3,
  // Without a hedge 0.02 is enough.
  minGainMs: 0.1,
  maxDemandAgeSeconds: 60,
  degradeShare: 0.25,
  rateWindowSeconds: 60,
  survive: 'none',
};

/** One sentence per value that cannot be used. */
export function modelProblems(model: ModelSettings): string[] {
  const problems: string[] = [];
  const within = (name: keyof ModelSettings, least: number, most: number): void => {
    const value = model[name] as number;
    if (!(value >= least && value <= most)) {
      problems.push(`balancer.model.${name} is ${value}, expected ${least} to ${most}`);
    }
  };
  within('transferWeight', 0, 1e6);
  within('queueWeight', 0, 1e6);
  within('maxUtilization', 0.05, 0.95);
  within('serviceVariation', 0, 100);
  within('hedge', 0, 1);
  within('podConcurrency', 0, 1e6);
  within('bytesPerRequest', 0, 1e12);
  within('crossZoneUsdPerGb', 0, 1000);
  within('crossRegionUsdPerGb', 0, 1000);
  within('minGainMs', 0, 1e6);
  within('maxDemandAgeSeconds', 0, 1e9);
  within('degradeShare', 0, 1);
  within('rateWindowSeconds', 1, 1e6);
  if (!(Number.isSafeInteger(model.floorZones) && model.floorZones >= 1)) {
    problems.push(`balancer.model.floorZones is ${model.floorZones}, expected a whole number from 1`);
  }
  if (model.survive !== 'zone' && model.survive !== 'none') {
    problems.push(`balancer.model.survive is ${String(model.survive)}, expected zone or none`);
  }
  return problems;
}
