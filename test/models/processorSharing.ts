/**
 * Processor sharing with a CFS quota, one microsecond at a time: in each microsecond every job on the CPU gets
 * min(1, cores / jobs) of it, unless the quota of the current 100 ms period is used up. Jobs: arrival and demand in
 * whole microseconds; answers when each is done. Slow and obvious.
 */
export function processorSharingByTicks(
  jobs: readonly { readonly atUs: number; readonly demandUs: number }[],
  coreCount: number,
  quotaUs: number,
  periodUs: number,
): number[] {
  const left = jobs.map((job) => job.demandUs);
  const doneUs = jobs.map(() => -1);
  let quotaLeftUs = quotaUs;
  for (let nowUs = 0; doneUs.some((done) => done < 0); nowUs++) {
    if (nowUs % periodUs === 0) quotaLeftUs = quotaUs;
    const present = jobs.flatMap((job, i) => (job.atUs <= nowUs && doneUs[i]! < 0 ? [i] : []));
    if (present.length > 0 && quotaLeftUs > 1e-6) {
      const share = Math.min(1, coreCount / present.length, quotaLeftUs / present.length);
      quotaLeftUs -= share * present.length;
      for (const i of present) left[i]! -= share;
    }
    for (const i of present) if (left[i]! <= 1e-6) doneUs[i] = nowUs + 1;
  }
  return doneUs;
}
