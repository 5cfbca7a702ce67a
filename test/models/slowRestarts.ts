/** Restarts of one container, second by second: the kubelet asks at every second whether the container may start. */
export function slowRestarts(runsForSeconds: readonly number[], maxDelaySeconds: number): number[] {
  const starts: number[] = [];
  let waiting: { delay: number; noted: number } | null = null;
  let now = 0;
  for (const runs of runsForSeconds) {
    now += runs;
    const ended = now;
    if (waiting !== null && ended - waiting.noted > 600) waiting = null;
    while (waiting !== null && now - ended < waiting.delay) now++;
    starts.push(now);
    const delay: number = waiting === null ? 10 : waiting.delay * 2;
    waiting = { delay: delay > maxDelaySeconds ? maxDelaySeconds : delay, noted: now };
  }
  return starts;
}
