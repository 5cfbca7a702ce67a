/**
 * Latency and CPU of Istio's proxies by release, from the figures that Istio has published (SEMANTICS A19). They are given
 * as added p90 and p99 of a hop: two proxies, each passed twice, on the way there and back. The model of one pass is a
 * fixed time plus an exponential one, so a hop adds 4 x fixed plus a gamma variate of shape 4, whose quantiles are 6.6808
 * (p90) and 10.0451 (p99) times the mean of a pass. Two published quantiles give both numbers, by
 * mean = (p99 - p90) / 3.3643 and 4 x fixed = p90 - 6.6808 x mean. The base latency is taken to be constant in this.
 */
export interface ProxyFigures {
  readonly fixedUs: number;
  readonly meanUs: number;
  /** CPU of one proxy for a request and its reply: 200 is 0.20 vCPU per 1000 requests a second. */
  readonly cpuUsPerRequest: number;
}

export const SIDECAR_PRESETS: Readonly<Record<string, ProxyFigures>> = {
  /** No release: a round proposal for planning, above what 1.20 published. */
  proposal: { fixedUs: 100, meanUs: 50, cpuUsPerRequest: 200 },
  /** CPU as published with 1.24; its latency is published as charts only, so that of 1.20. */
  'istio-1.24': { fixedUs: 22.25, meanUs: 20.81, cpuUsPerRequest: 200 },
  /** +0.228 ms p90, +0.298 ms p99; CPU is that of 1.22, the next release with a figure. */
  'istio-1.20': { fixedUs: 22.25, meanUs: 20.81, cpuUsPerRequest: 500 },
  /** +1.7 ms p90, +2.7 ms p99: more spread than the shape allows, so the p90 alone, without a fixed part (p99 2.56). */
  'istio-1.12': { fixedUs: 0, meanUs: 254.46, cpuUsPerRequest: 350 },
  /** +2.8 ms p90, +2.7 ms p99: no spread, so all fixed; CPU is that of 1.12, the next release with a figure. */
  'istio-1.5': { fixedUs: 700, meanUs: 0, cpuUsPerRequest: 350 },
};

/** Added to the CPU time of a waypoint, as the latency published for it is in charts only. */
export const WAYPOINT_PRESETS: Readonly<Record<string, ProxyFigures>> = {
  'istio-1.24': { fixedUs: 0, meanUs: 0, cpuUsPerRequest: 250 },
};

export const ZTUNNEL_PRESETS: Readonly<Record<string, ProxyFigures>> = {
  /** Latency published with 1.22 (+0.17 ms p90, +0.20 ms p99 for two ztunnels), CPU with 1.24. */
  'istio-1.24': { fixedUs: 27.61, meanUs: 8.92, cpuUsPerRequest: 60 },
};
