/**
 * What is out of order in the control plane, as the faults that act now make it: Istiod, Prometheus, the scrapes, the
 * Kubernetes API. Proxies keep the routes they have while Istiod is down, and a new sidecar gets none, so new pods do not
 * become ready; once it is back, everything that has changed is pushed.
 */
import { GOLDEN, mix, seedWord, TWO_TO_MINUS_32 } from '../random.js';
import { scrape } from './sensors.js';
import type { Sim } from './state.js';

export interface Outages {
  istiodDown: boolean;
  /** Prometheus answers nothing and scrapes nothing. */
  prometheusDown: boolean;
  /** Prometheus answers, from scrapes that end with the fault. */
  scrapesMissing: boolean;
  /** Prometheus and the metrics server serve what they had when the fault began. */
  metricsStale: boolean;
  /** Share (0..1) of the writes of autoscalers and engine that fail, and what others take longer. */
  apiErrorShare: number;
  apiDelayUs: number;
  /** What waits for Istiod, in the order in which it came. */
  readonly waiting: Set<(nowUs: number) => void>;
  /** Routes that have changed meanwhile, by internal service. */
  readonly changedRoutes: Set<number>;
  writes: number;
}

export function createOutages(): Outages {
  return {
    istiodDown: false,
    prometheusDown: false,
    scrapesMissing: false,
    metricsStale: false,
    apiErrorShare: 0,
    apiDelayUs: 0,
    waiting: new Set(),
    changedRoutes: new Set(),
    writes: 0,
  };
}

/** A scrape of Prometheus; in a gap only the window moves on. */
export function scrapeUnlessOut(sim: Sim, nowUs: number): void {
  const { outages, sensors, world } = sim;
  const windowUs = world.program.scenario.run.rateWindowUs;
  if (outages.metricsStale) return;
  if (!outages.prometheusDown && !outages.scrapesMissing) return scrape(world, sensors, nowUs, windowUs);
  while (sensors.scrapes.length > 0 && sensors.scrapes[0]!.atUs < nowUs - windowUs) sensors.scrapes.shift();
}

/** What the log says of such a write. */
export const API_ERROR = 'the Kubernetes API answered with an error';

/** Whether a write to the Kubernetes API fails. Each has its own draw, in the order of the writes. */
export function writeFails(sim: Sim): boolean {
  const { apiErrorShare } = sim.outages;
  if (apiErrorShare === 0) return false;
  const word = mix(seedWord(sim.world.seed, 'api') + Math.imul(++sim.outages.writes, GOLDEN));
  return (word >>> 0) * TWO_TO_MINUS_32 < apiErrorShare;
}
