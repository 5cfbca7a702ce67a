/**
 * The demand of each workload over the last seasons, small enough for a ConfigMap: means over equal slots of time, two
 * characters each (12 bits: 8 of value, 4 of exponent; thousandths of a pod, off by 0.4 % at most), so three seasons of
 * 48 slots are 288 bytes, and `MOST_WORKLOADS` of them well under half a MiB.
 * Demand is counted in pods: what all use, in units of what one asks for. Where pods are saturated it is cut off.
 */
import { SEASONS } from './forecast.js';
import type { EngineConfig, Memory } from './types.js';

export type DemandHistory = NonNullable<Memory['demandHistory']>[string];
type Settings = EngineConfig['scaler']['predictive'];

/** More slots in a season than this would not fit. */
export const MOST_SLOTS = 48;
/** Later ones in the snapshot have no history, so that memory stays bounded. */
export const MOST_WORKLOADS = 1000;
/** As many slots without a figure are filled with the mean before them; a longer silence begins anew. */
const MOST_MISSING = 2;

export function slotOf(atMs: number, { sampleSeconds }: Settings): number {
  return Math.floor(atMs / (sampleSeconds * 1000));
}

export function slotsPerSeason({ seasonSeconds, sampleSeconds }: Settings): number {
  return Math.round(seasonSeconds / sampleSeconds);
}

/** The history with one more figure. */
export function addDemand(
  history: DemandHistory | undefined,
  demand: number,
  nowMs: number,
  settings: Settings,
): DemandHistory {
  const slot = slotOf(nowMs, settings);
  const begun = { slot, sum: rounded(demand), count: 1 };
  const missing = history ? slot - history.slot - 1 : Infinity;
  if (!history || missing < -1 || missing > MOST_MISSING) return { ...begun, samples: '' };
  if (missing === -1) return { ...history, sum: rounded(history.sum + demand), count: history.count + 1 };
  const ended = encode(history.sum / history.count).repeat(1 + missing);
  const kept = 2 * SEASONS * slotsPerSeason(settings);
  return { ...begun, samples: (history.samples + ended).slice(-kept) };
}

/** Means of the slots that are over, oldest first; the last is of `slot - 1`. */
export function samplesOf({ samples }: DemandHistory): number[] {
  return Array.from({ length: samples.length >> 1 }, (_, i) => decode(samples.slice(2 * i, 2 * i + 2)));
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function encode(pods: number): string {
  let mantissa = Math.max(0, pods) * 1000;
  let exponent = 0;
  for (; mantissa >= 255.5 && exponent < 15; exponent++) mantissa /= 2;
  const code = exponent * 256 + Math.min(255, Math.round(mantissa));
  return DIGITS[code >> 6]! + DIGITS[code & 63]!;
}

function decode(text: string): number {
  const code = Math.max(0, DIGITS.indexOf(text[0]!)) * 64 + Math.max(0, DIGITS.indexOf(text[1]!));
  return ((code & 255) * 2 ** (code >> 8)) / 1000;
}

/** Six digits are more than a sample keeps. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
