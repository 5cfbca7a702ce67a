/**
 * CPU of one service: how much a call costs and how much is burnt without any. Millicores are milliseconds of CPU per
 * second, so mean CPU over mean rate is the cost of a call if nothing is idle. The idle share is the intercept of CPU over
 * rate, and can only be seen when the rate really varies: samples are first averaged over ten steps, since a rate read
 * from a short window is noisy, and noise in the rate flattens the line and feigns an idle share. Of the blocks' CPU the
 * median counts: a backup job or the aftermath of a fault in one block must not become part of the price of a call.
 */
import { findSeries, type Recording } from '../recording.js';
import { fitLine, mean, standardDeviation } from './linear.js';
import { meanWhere, ratesOf } from './rates.js';
import { median } from './shape.js';

export interface LearnedCpu {
  readonly cpuMsPerCall: number;
  readonly idleMillicores: number;
  readonly idleIdentified: boolean;
  /** Typical use: the median of ten-step means. */
  readonly meanMillicores: number;
  readonly note: string | null;
}

const blockSteps = 10;

/** Relative spread of the block means of the rate from which the line is trusted: 15 % moves CPU well above its noise. */
const minRateVariation = 0.15;

/** A slope whose standard error is more than this share of it says nothing about the intercept. */
const maxSlopeError = 0.15;

/** Null where CPU or rate was not recorded, or the service got no requests. */
export function learnCpu(recording: Recording, service: string, mask: readonly boolean[]): LearnedCpu | null {
  const cpu = findSeries(recording, 'cpu', service)?.values;
  const rates = ratesOf(recording, service);
  if (cpu === undefined || rates === null) return null;
  const both = mask.map(
    (healthy, index) => healthy && (cpu[index] ?? null) !== null && (rates[index] ?? null) !== null,
  );
  const blocks = blockMeans(rates, cpu, both);
  const meanMillicores = median(blocks.map(([, millicores]) => millicores)) ?? meanWhere(cpu, both);
  const meanRate = meanWhere(rates, both);
  if (meanMillicores === null || meanRate === null || meanRate === 0) return null;
  const line = fitLine(
    blocks.map(([rate]) => rate),
    blocks.map(([, millicores]) => millicores),
  );
  const variation = blocks.length < 3 ? 0 : standardDeviation(blocks.map(([rate]) => rate)) / meanRate;
  const trusted =
    line !== null && variation >= minRateVariation && line.slopeStandardError <= maxSlopeError * line.slope;
  if (trusted && line.intercept >= 0) {
    return {
      cpuMsPerCall: line.slope,
      idleMillicores: line.intercept,
      idleIdentified: true,
      meanMillicores,
      note: null,
    };
  }
  const spread = `rate varies by ${(100 * variation).toFixed(0)} %`;
  const note = trusted
    ? 'the line starts below zero: no idle share'
    : `idle share cannot be told (${spread}): all CPU is charged to calls`;
  return { cpuMsPerCall: meanMillicores / meanRate, idleMillicores: 0, idleIdentified: trusted, meanMillicores, note };
}

function blockMeans(
  rates: readonly (number | null)[],
  cpu: readonly (number | null)[],
  mask: readonly boolean[],
): [number, number][] {
  const blocks: [number, number][] = [];
  for (let start = 0; start < mask.length; start += blockSteps) {
    const indices = Array.from({ length: blockSteps }, (_, offset) => start + offset).filter(
      (index) => mask[index] === true,
    );
    if (indices.length < blockSteps / 2) continue;
    blocks.push([
      mean(indices.map((index) => rates[index] as number)),
      mean(indices.map((index) => cpu[index] as number)),
    ]);
  }
  return blocks;
}
