/** The event queue as anyone would write it: a list kept sorted by (time, insertion). */
export class SortedQueue {
  private readonly entries: { timeUs: number; id: number }[] = [];

  insert(id: number, timeUs: number): void {
    let at = this.entries.length;
    while (at > 0 && this.entries[at - 1]!.timeUs > timeUs) at--;
    this.entries.splice(at, 0, { timeUs, id });
  }

  remove(ids: ReadonlySet<number>): void {
    const kept = this.entries.filter(({ id }) => !ids.has(id));
    this.entries.splice(0, this.entries.length, ...kept);
  }

  ids(): number[] {
    return this.entries.map(({ id }) => id);
  }

  /** The earliest entry before `untilUs`, taken; null without one. */
  takeBefore(untilUs: number): { timeUs: number; id: number } | null {
    return this.entries.length > 0 && this.entries[0]!.timeUs < untilUs ? this.entries.shift()! : null;
  }
}
