/**
 * When a container becomes ready: at the first readiness probe that finds the application up. Probes run at the initial
 * delay after the container's start and then every period, so an application that is up after 12 s with a period of 10 s is
 * ready at 20 s. One success is enough (the default).
 */
export function readyAtUs(input: {
  /** Start of the container. */
  readonly startUs: number;
  /** From the start until the application answers. */
  readonly appUpAfterUs: number;
  readonly initialDelayUs: number;
  readonly periodUs: number;
}): number {
  const { startUs, appUpAfterUs, initialDelayUs, periodUs } = input;
  const failedProbes = Math.max(0, Math.ceil((appUpAfterUs - initialDelayUs) / periodUs));
  return startUs + initialDelayUs + failedProbes * periodUs;
}
