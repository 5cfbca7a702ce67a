/** Counts what became of the rows of one file under one role, and makes the ReadReport of it. */
import type { ReadReport } from '../recording.js';

/** Enough to find the trouble in an editor; a corrupt file of a million rows must not fill the screen. */
const shownLineCount = 5;

export class ReadCounter {
  private rowsRead = 0;
  private readonly dropped = new Map<string, { count: number; firstLines: number[] }>();
  private readonly notes: string[] = [];
  private readonly tallies = new Map<string, { count: number; series: number }>();

  constructor(
    private readonly file: string,
    private readonly role: string,
  ) {}

  read(count = 1): void {
    this.rowsRead += count;
  }

  drop(reason: string, line: number): void {
    const entry = this.dropped.get(reason) ?? { count: 0, firstLines: [] };
    entry.count += 1;
    if (entry.firstLines.length < shownLineCount && !entry.firstLines.includes(line)) entry.firstLines.push(line);
    this.dropped.set(reason, entry);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** Adds up an irregularity over the series of the file, so that a wide file gives one note and not forty. */
  tally(what: string, count: number): void {
    const entry = this.tallies.get(what) ?? { count: 0, series: 0 };
    this.tallies.set(what, { count: entry.count + count, series: entry.series + 1 });
  }

  report(): ReadReport {
    const tallied = [...this.tallies].map(([what, { count, series }]) => `${count} ${what} (${series} series)`);
    const notes = [...this.notes, ...tallied];
    const dropped = [...this.dropped].map(([reason, entry]) => ({ reason, ...entry }));
    const lost = dropped.reduce((sum, entry) => sum + entry.count, 0);
    return {
      file: this.file,
      role: this.role,
      rowsRead: this.rowsRead,
      rowsKept: this.rowsRead - lost,
      dropped,
      notes,
    };
  }
}
