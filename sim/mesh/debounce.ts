/**
 * When istiod pushes (SEMANTICS A18): a change opens a batch; the batch is pushed once no change has come for the quiet time,
 * at the latest when the maximum has passed since its first change. Changes at the moment of the push are in it.
 */
export interface Debounce {
  readonly quietUs: number;
  readonly maxUs: number;
}

/** Istio's PILOT_DEBOUNCE_AFTER and PILOT_DEBOUNCE_MAX. */
export const ISTIOD_DEBOUNCE: Debounce = { quietUs: 100_000, maxUs: 10_000_000 };

/** The time of the push that carries each change; `changesUs` ascending. */
export function pushTimes(changesUs: readonly number[], debounce: Debounce): readonly number[] {
  const pushes: number[] = [];
  let first = 0;
  for (let i = 0; i < changesUs.length; i++) {
    const latestUs = changesUs[first]! + debounce.maxUs;
    const dueUs = Math.min(changesUs[i]! + debounce.quietUs, latestUs);
    const next = changesUs[i + 1];
    if (next !== undefined && next <= dueUs) continue;
    while (first <= i) {
      pushes.push(dueUs);
      first++;
    }
  }
  return pushes;
}
