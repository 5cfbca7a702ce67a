/** The scheduling queue as three lists that a clock moves pods between, second by second. */
interface Waiting {
  id: number;
  priority: number;
  sinceUs: number;
  fails: number;
}

const S = 1_000_000;
const PENALTIES_S = [0, 1, 2, 4, 8, 10];

export class SlowQueue {
  private active: Waiting[] = [];
  private backoff: Waiting[] = [];
  private parked: Waiting[] = [];
  private trying: Waiting[] = [];
  private lookedAtS = 0;

  constructor(private readonly minor: number) {}

  add(id: number, priority: number, nowUs: number): void {
    this.tick(nowUs);
    this.active.push({ id, priority, sinceUs: nowUs, fails: 0 });
  }

  next(nowUs: number): number | null {
    this.tick(nowUs);
    let taken = this.active.sort((a, b) => this.compare(a, b)).shift();
    if (!taken && this.minor >= 33) {
      const second = (one: Waiting) => Math.floor(this.expiryUs(one) / S);
      taken = this.backoff.sort((a, b) => second(a) - second(b) || this.compare(a, b)).shift();
    }
    if (!taken) return null;
    this.trying.push(taken);
    return taken.id;
  }

  failed(id: number, nowUs: number): void {
    this.tick(nowUs);
    const pod = this.trying.find((one) => one.id === id)!;
    this.trying = this.trying.filter((one) => one !== pod);
    this.parked.push({ ...pod, sinceUs: nowUs, fails: pod.fails + 1 });
  }

  call(nowUs: number, mayHelp: (id: number) => boolean): void {
    this.tick(nowUs);
    for (const pod of this.parked.filter(({ id }) => mayHelp(id))) {
      this.parked = this.parked.filter((one) => one !== pod);
      (this.waits(pod, nowUs) ? this.backoff : this.active).push(pod);
    }
  }

  remove(id: number): void {
    this.trying = this.trying.filter((one) => one.id !== id);
  }

  private compare(a: Waiting, b: Waiting): number {
    // Ids are given out in order of arrival.
    return b.priority - a.priority || a.sinceUs - b.sinceUs || a.id - b.id;
  }

  private expiryUs({ sinceUs, fails }: Waiting): number {
    return sinceUs + PENALTIES_S[Math.min(fails, 5)]! * S;
  }

  private waits(pod: Waiting, nowUs: number): boolean {
    const expiryUs = this.expiryUs(pod);
    return this.minor >= 33 ? Math.floor(expiryUs / S) >= Math.floor(nowUs / S) : expiryUs > nowUs;
  }

  private tick(nowUs: number): void {
    while ((this.lookedAtS + 1) * S <= nowUs) {
      const atUs = ++this.lookedAtS * S;
      const over = this.backoff.filter((pod) => !this.waits(pod, atUs));
      this.backoff = this.backoff.filter((pod) => !over.includes(pod));
      this.active.push(...over);
      if (this.lookedAtS % 30 !== 0) continue;
      const forgotten = this.parked.filter(({ sinceUs }) => atUs - sinceUs > 300 * S);
      this.parked = this.parked.filter((pod) => !forgotten.includes(pod));
      this.active.push(...forgotten);
    }
  }
}
