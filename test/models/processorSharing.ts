/**
 * Processor sharing with a CFS quota in exact time: go from one moment at which something changes to the next (a job
 * comes, a job is done, the quota is used up, a period begins) and hand out min(1, cores / jobs) to everybody in
 * between. No virtual time, no heap, no rounding. Answers when each job is done, in microseconds with fractions.
 */
export function processorSharing(
  jobs: readonly { readonly atUs: number; readonly demandUs: number }[],
  coreCount: number,
  quotaUs: number,
  periodUs: number,
): number[] {
  const left = jobs.map((job) => job.demandUs);
  const doneUs = jobs.map(() => -1);
  let quotaLeftUs = quotaUs;
  let nowUs = 0;
  while (doneUs.some((done) => done < 0)) {
    const present = jobs.flatMap((job, i) => (job.atUs <= nowUs && doneUs[i]! < 0 ? [i] : []));
    const share = quotaLeftUs > 1e-9 ? Math.min(1, coreCount / Math.max(1, present.length)) : 0;
    const moments = [Math.floor(nowUs / periodUs + 1e-12) * periodUs + periodUs];
    for (const job of jobs) if (job.atUs > nowUs) moments.push(job.atUs);
    for (const i of present) if (share > 0) moments.push(nowUs + left[i]! / share);
    if (share > 0 && present.length > 0) moments.push(nowUs + quotaLeftUs / (share * present.length));
    const nextUs = Math.min(...moments);
    quotaLeftUs -= (nextUs - nowUs) * share * present.length;
    if (nextUs === moments[0]) quotaLeftUs = quotaUs;
    for (const i of present) {
      left[i]! -= (nextUs - nowUs) * share;
      if (left[i]! <= 1e-7) doneUs[i] = nextUs;
    }
    nowUs = nextUs;
  }
  return doneUs;
}
