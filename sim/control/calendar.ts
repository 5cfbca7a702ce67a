/**
 * Control-plane events: few, so they are callbacks in a sorted list. Between two of them the hot loop runs alone. Order
 * is (time, insertion); an action due at a moment runs before the requests of that moment.
 */
export interface Calendar {
  /** Runs `action` at `timeUs`, or now if that has passed. */
  at(timeUs: number, action: (nowUs: number) => void): void;
  /** Time of the earliest action; Infinity without one. */
  nextUs(): number;
  /** Runs the earliest action. */
  runNext(): void;
}

interface Entry {
  readonly timeUs: number;
  readonly action: (nowUs: number) => void;
}

export function createCalendar(): Calendar {
  // Latest first, so that the earliest is popped off the end; equal times keep their order of insertion.
  const entries: Entry[] = [];
  let nowUs = 0;
  return {
    at(timeUs, action) {
      const dueUs = Math.max(nowUs, Math.round(timeUs));
      let low = 0;
      let high = entries.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (entries[middle]!.timeUs > dueUs) low = middle + 1;
        else high = middle;
      }
      entries.splice(low, 0, { timeUs: dueUs, action });
    },
    nextUs: () => entries[entries.length - 1]?.timeUs ?? Infinity,
    runNext() {
      const entry = entries.pop();
      if (!entry) throw new Error('the calendar is empty');
      nowUs = entry.timeUs;
      entry.action(nowUs);
    },
  };
}
