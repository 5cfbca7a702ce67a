/**
 * When a container becomes ready: at the first readiness probe that finds the application up. The kubelet probes at the
 * start of the container and then every period, and skips probes before the initial delay is over: the delay shifts no
 * probe. An application that is up after 12 s with a period of 10 s is ready at 20 s; one that is up at once with a delay
 * of 5 s, at 10 s. One success is enough (the default).
 *
 * Source: kubelet's prober/worker.go (doProbe, run) and prober_manager.go (UpdatePodStatus, which has the first probe run
 * and the periods begin as soon as the container is seen to run: up to a second later, which is left out here).
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
  return startUs + Math.ceil(Math.max(0, appUpAfterUs, initialDelayUs) / periodUs) * periodUs;
}
