/**
 * Which pod the scheduler tries next, and when it tries again one that fitted nowhere (B5, B6).
 *
 * Three waiting rooms. Active: ready to be tried, higher priority first, then the one queued longer. Parked: fitted nowhere;
 * only an event that may help it, or five minutes, moves it on. Back-off: an event called it, but it failed a short while
 * ago; it waits 1, 2, 4, 8, 10, 10, ... s after its last failure, by its number of failures. It is freed by a look once a
 * second. From 1.33 on the wait is no loss: with nothing active the scheduler takes from the back-off room at once, in the
 * order of whole seconds, and within one by priority.
 *
 * Time is not stepped: each pod notes when time alone makes it active. Gated pods are not added before they are free.
 * Source: scheduler/backend/queue's scheduling_queue.go and backoff_queue.go; queuesort; KEP 5142 for 1.33.
 */
export interface QueueOptions {
  readonly kubernetesMinor: number;
}

interface Entry<Pod> {
  readonly pod: Pod;
  readonly priority: number;
  /** Order of arrival: pods queued at the same time keep it. */
  readonly order: number;
  /** When it was queued, or failed last. */
  queuedAtUs: number;
  attempts: number;
  room: 'active' | 'backoff' | 'parked';
  /** When time alone makes it active. */
  activeFromUs: number;
}

const SECOND_US = 1_000_000;
const INITIAL_BACKOFF_US = SECOND_US;
const MAX_BACKOFF_US = 10 * SECOND_US;
/** How often the back-off room is looked at. */
const BACKOFF_CHECK_US = SECOND_US;
/** A parked pod that no event called is tried again after more than this, ... */
const MAX_PARKED_US = 300 * SECOND_US;
/** ... as found by a look this often. */
const PARKED_CHECK_US = 30 * SECOND_US;

/** How long a pod that failed so often has to wait. */
export function backoffUs(attempts: number): number {
  let durationUs = INITIAL_BACKOFF_US;
  for (let attempt = 1; attempt < attempts && durationUs < MAX_BACKOFF_US; attempt++) durationUs *= 2;
  return Math.min(durationUs, MAX_BACKOFF_US);
}

export class SchedulingQueue<Pod> {
  private readonly waiting = new Map<Pod, Entry<Pod>>();
  private readonly tried = new Map<Pod, Entry<Pod>>();
  private added = 0;

  constructor(private readonly options: QueueOptions) {}

  add(pod: Pod, priority: number, nowUs: number): void {
    const order = this.added++;
    this.waiting.set(pod, {
      pod,
      priority,
      order,
      queuedAtUs: nowUs,
      attempts: 0,
      room: 'active',
      activeFromUs: nowUs,
    });
  }

  /** The pod to try now; the caller then says `failed`, or `remove` once it is bound. Null: none. */
  next(nowUs: number): Pod | null {
    let best: Entry<Pod> | null = null;
    for (const entry of this.waiting.values()) {
      if (this.isAhead(entry, best, nowUs)) best = entry;
    }
    if (best === null) return null;
    this.waiting.delete(best.pod);
    this.tried.set(best.pod, best);
    best.attempts++;
    return best.pod;
  }

  /** It fitted nowhere. */
  failed(pod: Pod, nowUs: number): void {
    const entry = this.tried.get(pod);
    if (entry === undefined) throw new Error('a pod failed that was not being tried');
    this.tried.delete(pod);
    entry.queuedAtUs = nowUs;
    entry.room = 'parked';
    // More than five minutes: the look exactly at their end still waits.
    entry.activeFromUs = (Math.floor((nowUs + MAX_PARKED_US) / PARKED_CHECK_US) + 1) * PARKED_CHECK_US;
    this.waiting.set(pod, entry);
  }

  /** Something changed in the cluster: pods that it may help are called from where they are parked. */
  call(nowUs: number, mayHelp: (pod: Pod) => boolean): void {
    for (const entry of this.waiting.values()) {
      if (entry.room !== 'parked' || entry.activeFromUs <= nowUs || !mayHelp(entry.pod)) continue;
      const freeAtUs = this.freeAtUs(entry);
      entry.room = freeAtUs > nowUs ? 'backoff' : 'active';
      entry.activeFromUs = freeAtUs > nowUs ? nextCheckUs(freeAtUs) : nowUs;
    }
  }

  /** It is bound, or deleted. */
  remove(pod: Pod): void {
    this.waiting.delete(pod);
    this.tried.delete(pod);
  }

  /** When `next` has a pod without any further event; null: never. */
  nextAtUs(nowUs: number): number | null {
    let earliest = Infinity;
    for (const entry of this.waiting.values()) {
      const atOnce = this.takesFromBackoff && entry.room === 'backoff';
      earliest = Math.min(earliest, atOnce ? nowUs : Math.max(nowUs, entry.activeFromUs));
    }
    return earliest === Infinity ? null : earliest;
  }

  private get takesFromBackoff(): boolean {
    return this.options.kubernetesMinor >= 33;
  }

  /** When its back-off is over. From 1.33 on the second in which it ends still counts. */
  private freeAtUs({ queuedAtUs, attempts }: Entry<Pod>): number {
    const endUs = queuedAtUs + backoffUs(attempts);
    return this.takesFromBackoff ? (Math.floor(endUs / SECOND_US) + 1) * SECOND_US : endUs;
  }

  private isAhead(entry: Entry<Pod>, best: Entry<Pod> | null, nowUs: number): boolean {
    const isActive = (one: Entry<Pod>) => one.activeFromUs <= nowUs;
    if (!isActive(entry) && !(this.takesFromBackoff && entry.room === 'backoff')) return false;
    if (best === null) return true;
    if (isActive(entry) !== isActive(best)) return isActive(entry);
    const order =
      (isActive(entry) ? 0 : this.freeAtUs(entry) - this.freeAtUs(best)) ||
      best.priority - entry.priority ||
      entry.queuedAtUs - best.queuedAtUs ||
      entry.order - best.order;
    return order < 0;
  }
}

function nextCheckUs(us: number): number {
  return Math.ceil(us / BACKOFF_CHECK_US) * BACKOFF_CHECK_US;
}
