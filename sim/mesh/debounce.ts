/**
 * When Istiod pushes (SEMANTICS A18): the first change opens a batch; the batch is pushed once no change has come for the
 * quiet time, or when the maximum has passed since its first change. As in Istiod's own loop (pilot/pkg/xds/discovery.go),
 * that is looked at only when the quiet time could be over, so under constant churn a push comes up to a quiet time after
 * the maximum. A change at the moment of a look is in time for it.
 */
export interface Debounce {
  readonly quietUs: number;
  readonly maxUs: number;
}

/** Changes that wait for one push. */
export interface Batch {
  readonly firstUs: number;
  readonly lastUs: number;
}

/** When a batch that was opened now is looked at first. */
export function firstLookUs(batch: Batch, { quietUs }: Debounce): number {
  return batch.firstUs + quietUs;
}

/** Null: the batch is pushed now; else when it is looked at next. */
export function nextLookUs(batch: Batch, nowUs: number, { quietUs, maxUs }: Debounce): number | null {
  if (nowUs - batch.lastUs >= quietUs || nowUs - batch.firstUs >= maxUs) return null;
  return batch.lastUs + quietUs;
}

/** The time of the push that carries each change; `changesUs` ascending. */
export function pushTimes(changesUs: readonly number[], debounce: Debounce): readonly number[] {
  const pushes: number[] = [];
  for (let first = 0; first < changesUs.length; first = pushes.length) {
    let lookUs: number | null = firstLookUs({ firstUs: changesUs[first]!, lastUs: changesUs[first]! }, debounce);
    let pushUs = lookUs;
    let end = first;
    while (lookUs !== null) {
      pushUs = lookUs;
      while (end < changesUs.length && changesUs[end]! <= pushUs) end++;
      lookUs = nextLookUs({ firstUs: changesUs[first]!, lastUs: changesUs[end - 1]! }, pushUs, debounce);
    }
    while (pushes.length < end) pushes.push(pushUs);
  }
  return pushes;
}
