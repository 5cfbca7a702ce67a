/**
 * What one pod should request and be limited to, from the percentiles of what it used. Per resource, with
 * basis = request, or the limit where no request is set:
 *
 *     used     = the chosen percentile: p95 of processor time, the most memory ever seen (too little memory kills)
 *     over     : used < 30 % of the basis      under : used > 80 %      missing : neither request nor limit is set
 *     request  = ceil(used * (1 + headroom)), headroom 15 % of processor time and 20 % of memory
 *     limit    = ceil(max(request, burst * most used)), burst 1.5, only where a limit is set already
 *
 * both at least 100 millicores and 128 MiB. What is over-provisioned is never raised and what is short never lowered; a
 * resource in between keeps what it has. The thresholds, headrooms, burst and least sizes are those that the documents of
 * the system whose packing the engine carries on give (its code has two other rules, which contradict each other and can
 * ask for whole cores more than now).
 */

export interface UsagePercentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Null fields: not set, or not known. */
export interface MaybeAmounts {
  readonly cpuMillicores: number | null;
  readonly memoryBytes: number | null;
}

export interface RightSizeSettings {
  readonly cpuPercentile: keyof UsagePercentiles;
  readonly memoryPercentile: keyof UsagePercentiles;
  /** Shares of what is used. */
  readonly cpuHeadroom: number;
  readonly memoryHeadroom: number;
  /** Shares of the basis. */
  readonly overBelow: number;
  readonly underAbove: number;
  readonly burst: number;
  readonly leastCpuMillicores: number;
  readonly leastMemoryBytes: number;
  /** Usage over a shorter time recommends nothing: a day holds the busy hours. */
  readonly leastObservedSeconds: number;
}

export const defaultRightSizeSettings: RightSizeSettings = Object.freeze({
  cpuPercentile: 'p95',
  memoryPercentile: 'max',
  cpuHeadroom: 0.15,
  memoryHeadroom: 0.2,
  overBelow: 0.3,
  underAbove: 0.8,
  burst: 1.5,
  leastCpuMillicores: 100,
  leastMemoryBytes: 128 * 2 ** 20,
  leastObservedSeconds: 86_400,
});

export type Provisioning = 'over' | 'under' | 'missing' | 'fits' | 'unknown';

export interface SizeRecommendation {
  readonly requests: MaybeAmounts;
  readonly limits: MaybeAmounts;
  readonly cpu: Provisioning;
  readonly memory: Provisioning;
  /** One sentence with the numbers. */
  readonly because: string;
}

/**
 * @param input usage of one pod in millicores and bytes, over `observedSeconds`; settings left out are the defaults
 * @returns all four figures to set (those that need no change as they stand), or null when nothing needs one or too
 *   little is known; never throws, never changes its input
 */
export function rightSize(input: {
  readonly usage: {
    readonly cpuMillicores: UsagePercentiles | null;
    readonly memoryBytes: UsagePercentiles | null;
    readonly observedSeconds: number;
  };
  readonly requests: MaybeAmounts;
  readonly limits: MaybeAmounts;
  readonly settings?: Partial<RightSizeSettings>;
}): SizeRecommendation | null {
  const { usage, requests, limits } = input;
  const settings = { ...defaultRightSizeSettings, ...input.settings };
  if (!(usage.observedSeconds >= settings.leastObservedSeconds)) return null;
  const cpu = sizeOne(usage.cpuMillicores, requests.cpuMillicores, limits.cpuMillicores, {
    percentile: settings.cpuPercentile,
    headroom: settings.cpuHeadroom,
    least: settings.leastCpuMillicores,
    settings,
  });
  const memory = sizeOne(usage.memoryBytes, requests.memoryBytes, limits.memoryBytes, {
    percentile: settings.memoryPercentile,
    headroom: settings.memoryHeadroom,
    least: settings.leastMemoryBytes,
    settings,
  });
  const isChanged =
    cpu.request !== requests.cpuMillicores ||
    cpu.limit !== limits.cpuMillicores ||
    memory.request !== requests.memoryBytes ||
    memory.limit !== limits.memoryBytes;
  if (!isChanged) return null;
  return {
    requests: { cpuMillicores: cpu.request, memoryBytes: memory.request },
    limits: { cpuMillicores: cpu.limit, memoryBytes: memory.limit },
    cpu: cpu.provisioning,
    memory: memory.provisioning,
    because: `Of processor time ${cpu.detail} millicores; of memory ${memory.detail} bytes.`,
  };
}

interface Rule {
  readonly percentile: keyof UsagePercentiles;
  readonly headroom: number;
  readonly least: number;
  readonly settings: RightSizeSettings;
}

interface Sized {
  readonly provisioning: Provisioning;
  readonly request: number | null;
  readonly limit: number | null;
  readonly detail: string;
}

function sizeOne(
  usage: UsagePercentiles | null,
  request: number | null,
  limit: number | null,
  { percentile, headroom, least, settings }: Rule,
): Sized {
  const as = (provisioning: Provisioning, detail: string): Sized => ({ provisioning, request, limit, detail });
  const used = usage?.[percentile] ?? NaN;
  const most = Math.max(used, usage?.max ?? NaN);
  if (!(used >= 0 && Number.isFinite(most))) return as('unknown', 'the use is not known in');
  const basis = positive(request) ?? positive(limit);
  const detail = `${percentile} of the use is ${used} of ${basis ?? 'no stated'}`;
  const wanted = Math.max(least, wholeUp(used * (1 + headroom)));
  const burst = Math.max(wanted, wholeUp(most * settings.burst));
  if (basis === null) {
    return { provisioning: 'missing', request: wanted, limit, detail };
  }
  // A limit alone counts as the request, as the API server takes it.
  if (used < settings.overBelow * basis && wanted < basis) {
    return { provisioning: 'over', request: wanted, limit: limit && Math.min(limit, burst), detail };
  }
  if (used > settings.underAbove * basis) {
    const higher = Math.max(basis, wanted);
    return { provisioning: 'under', request: higher, limit: limit && Math.max(higher, limit, burst), detail };
  }
  return as('fits', detail);
}

function positive(value: number | null): number | null {
  return value !== null && Number.isFinite(value) && value > 0 ? value : null;
}

/** Rounds up, but not for the noise of a product: 100 * 1.15 is 115. */
function wholeUp(value: number): number {
  return Math.ceil(value - 1e-6);
}
