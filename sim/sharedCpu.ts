/**
 * The CPU of one pod whose requests share it: processor sharing in virtual time. Each request gets the same share of a
 * core, so one clock (virtual microseconds of service per request) serves all, and a request that joins at virtual time V
 * with demand d leaves at V + d. A heap by that number gives the next to leave. The clock starts again at 0 whenever the
 * pod is idle, so rounding cannot pile up. Who sets the share, and the timers: sim/sharing.ts and sim/nodeCpu.ts.
 *
 * A CPU limit is the kernel's CFS quota: `quotaUs` of CPU time per period of 100 ms; when it is used up, nobody runs
 * until the period ends (Kubernetes' default period; SEMANTICS B12).
 *
 * Stolen time is no CPU time of the pod: somebody outside of its cgroup, and outside of what the node can see, runs on
 * its core meanwhile (the hypervisor's other guests). With time accounting of guests on, as in the distributions' kernels,
 * the clock by which the scheduler charges runtime leaves stolen time out, so that it counts neither as used nor against
 * the quota.
 */
import { DEMAND, DOUBLES } from './kernel/records.js';
import type { SharedCpu, World } from './world.js';

/** The kernel's default; Kubernetes does not change it. */
export const CFS_PERIOD_US = 100_000;
/** Far below a microsecond, far above the rounding error of sums of about 1e9. */
const EPSILON = 1e-6;

/** Prepares a pod's CPU: `cores` it may use at once, `quotaUs` per period (Infinity: no limit). */
export function resetSharedCpu(cpu: SharedCpu, coreCount: number, quotaUs: number, nowUs: number): void {
  cpu.coreCount = coreCount;
  cpu.quotaUs = quotaUs;
  cpu.virtualUs = 0;
  cpu.keep = 1;
  cpu.coreShare = 1;
  cpu.rate = 1;
  cpu.updatedUs = nowUs;
  cpu.quotaLeftUs = quotaUs;
  cpu.periodEndUs = nowUs + CFS_PERIOD_US;
  cpu.throttled = false;
  cpu.throttledUs = 0;
  cpu.heapCount = 0;
  cpu.stamp = (cpu.stamp + 1) | 0;
  cpu.timerUs = -1;
  cpu.nextUs = Infinity;
}

/** Moves the clock, the CPU time and the quota to `nowUs`; the state does not change in between but at period ends. */
export function update(world: World, cpu: SharedCpu, nowUs: number): void {
  const elapsedUs = nowUs - cpu.updatedUs;
  if (elapsedUs > 0) {
    if (cpu.heapCount > 0) {
      if (cpu.throttled) cpu.throttledUs += elapsedUs;
      else {
        const usedUs = elapsedUs * cpu.rate * cpu.heapCount;
        cpu.virtualUs += elapsedUs * cpu.rate;
        world.podCpuUs[cpu.pod] = world.podCpuUs[cpu.pod]! + usedUs;
        cpu.quotaLeftUs -= usedUs;
      }
    }
    cpu.updatedUs = nowUs;
  }
  if (cpu.quotaUs === Infinity) return;
  if (nowUs >= cpu.periodEndUs) {
    cpu.periodEndUs += CFS_PERIOD_US * (Math.floor((nowUs - cpu.periodEndUs) / CFS_PERIOD_US) + 1);
    cpu.quotaLeftUs = cpu.quotaUs;
    cpu.throttled = false;
  } else if (cpu.quotaLeftUs <= EPSILON) cpu.throttled = true;
}

/** Each thread runs `coreShare` of the time from now on, less what is stolen from it. */
export function setCoreShare(cpu: SharedCpu, coreShare: number): void {
  cpu.coreShare = coreShare;
  cpu.rate = coreShare * cpu.keep;
}

/** A request with `demandUs` of work joins; the clock is up to date. */
export function pushDemand(cpu: SharedCpu, doubles: Float64Array, id: number, demandUs: number): void {
  doubles[id * DOUBLES + DEMAND] = cpu.virtualUs + demandUs;
  heapPush(cpu, doubles, id);
}

/** Takes off a request whose demand is served, or returns -1; the clock is up to date. */
export function popServed(world: World, cpu: SharedCpu, doubles: Float64Array): number {
  if (cpu.heapCount === 0) return -1;
  const id = cpu.heap[0]!;
  const finishUs = doubles[id * DOUBLES + DEMAND]!;
  if (finishUs > cpu.virtualUs + EPSILON) return -1;
  const surplusUs = cpu.virtualUs - finishUs;
  heapPop(cpu, doubles);
  giveBack(world, cpu, surplusUs);
  if (cpu.heapCount === 0) cpu.virtualUs = 0;
  return id;
}

/**
 * Events fall on whole microseconds, so a request may have been served a little beyond its demand. Those who still wait
 * for the CPU get that time, or, when nobody was kept waiting, it was never used: CPU time stays the sum of demands.
 */
function giveBack(world: World, cpu: SharedCpu, surplusUs: number): void {
  if (cpu.heapCount > 0 && cpu.coreShare < 1) cpu.virtualUs += surplusUs / cpu.heapCount;
  else {
    world.podCpuUs[cpu.pod] = world.podCpuUs[cpu.pod]! - surplusUs;
    cpu.quotaLeftUs += surplusUs;
  }
}

/** When something happens next on this CPU at its present rate: a request leaves, the quota ends, the period ends. */
export function nextChangeUs(doubles: Float64Array, cpu: SharedCpu, nowUs: number): number {
  if (cpu.heapCount === 0) return Infinity;
  if (cpu.throttled) return cpu.periodEndUs;
  // All of it is stolen: nothing ends until that does.
  if (cpu.rate === 0) return Infinity;
  const serviceUs = (doubles[cpu.heap[0]! * DOUBLES + DEMAND]! - cpu.virtualUs) / cpu.rate;
  const nextUs = nowUs + Math.max(0, Math.ceil(serviceUs - EPSILON));
  if (cpu.quotaUs === Infinity) return nextUs;
  // At least 1: a timer for this very moment could be taken for the one that just went off.
  const quotaEndsUs = nowUs + Math.max(1, Math.ceil(cpu.quotaLeftUs / (cpu.rate * cpu.heapCount) - EPSILON));
  return Math.min(nextUs, quotaEndsUs, cpu.periodEndUs);
}

/** Drops everybody; the clock is up to date. */
export function emptyCpu(cpu: SharedCpu): void {
  cpu.heapCount = 0;
  cpu.virtualUs = 0;
  cpu.nextUs = Infinity;
  cpu.stamp = (cpu.stamp + 1) | 0;
  cpu.timerUs = -1;
}

function heapPush(cpu: SharedCpu, doubles: Float64Array, id: number): void {
  if (cpu.heapCount === cpu.heap.length) {
    const larger = new Int32Array(Math.max(16, cpu.heap.length * 2));
    larger.set(cpu.heap);
    cpu.heap = larger;
  }
  const heap = cpu.heap;
  const finish = doubles[id * DOUBLES + DEMAND]!;
  let at = cpu.heapCount++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (doubles[heap[parent]! * DOUBLES + DEMAND]! <= finish) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = id;
}

function heapPop(cpu: SharedCpu, doubles: Float64Array): void {
  const heap = cpu.heap;
  const count = --cpu.heapCount;
  const last = heap[count]!;
  const finish = doubles[last * DOUBLES + DEMAND]!;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= count) break;
    if (child + 1 < count && doubles[heap[child + 1]! * DOUBLES + DEMAND]! < doubles[heap[child]! * DOUBLES + DEMAND]!)
      child++;
    if (doubles[heap[child]! * DOUBLES + DEMAND]! >= finish) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
