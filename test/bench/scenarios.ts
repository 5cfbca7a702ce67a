/** Library scenarios run whole, as `wavetank run` runs them: requests and spans per second of the machine's time. */
import { readFileSync } from 'node:fs';
import { parseScenario } from '../../scenarios/load.js';
import type { Distribution, Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';

export interface Speed {
  readonly requestsPerSecond: number;
  readonly spansPerSecond: number;
  readonly digest: string;
}

/** Runs the first policy for `seconds` simulated seconds; a fixed seed, so the digest never changes by itself. */
export function timeScenario(name: string, seconds: number, jitter: Distribution | null): Speed {
  const scenario = libraryScenario(name);
  const { run, cluster } = scenario;
  const timed: Scenario = {
    ...scenario,
    cluster: { ...cluster, roundTrip: { ...cluster.roundTrip, jitter } },
    run: { ...run, durationUs: seconds * 1e6, warmUpUs: 0 },
  };
  const began = performance.now();
  const { work, digest } = simulate(timed, { policy: 0, seed: 1 });
  const tookSeconds = (performance.now() - began) / 1000;
  return { requestsPerSecond: work.requests / tookSeconds, spansPerSecond: work.spans / tookSeconds, digest };
}

export function libraryScenario(name: string): Scenario {
  const file = `scenarios/library/${name}.yaml`;
  const parsed = parseScenario(readFileSync(file, 'utf8'), file);
  if (!('scenario' in parsed)) throw new Error(`${file} has problems: ${JSON.stringify(parsed.problems)}`);
  return parsed.scenario;
}
