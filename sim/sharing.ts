/**
 * A pod whose requests share its CPU. Processor sharing in virtual time: with n requests on c cores each gets
 * min(1, c / n) cores, so one clock (virtual microseconds of service per request) serves all, and a request that joins
 * at virtual time V with demand d leaves at V + d. A heap by that number gives the next to leave. The clock starts again
 * at 0 whenever the pod is idle, so rounding cannot pile up.
 *
 * A CPU limit is the kernel's CFS quota: `quotaUs` of CPU time per period of 100 ms; when it is used up, nobody runs
 * until the period ends (Kubernetes' default period; SEMANTICS B12). The timer of a pod is the earliest of: a request
 * leaves, the quota ends, the period ends. Older timers stay in the queue and are told by their stamp.
 */
import { CODE, DEMAND, DOUBLES, KEY, POD, takeRecord, WORDS } from './kernel/records.js';
import { insert } from './kernel/wheel.js';
import { EVENT_SHARED_CPU } from './spans.js';
import type { SharedCpu, World } from './world.js';

/** The kernel's default; Kubernetes does not change it. */
export const CFS_PERIOD_US = 100_000;
/** Far below a microsecond, far above the rounding error of sums of about 1e9. */
const EPSILON = 1e-6;

/** Adds up the CPU time of a pod whose requests have a core each. */
export function bringUpToDate(world: World, pod: number, nowUs: number): void {
  world.podCpuUs[pod] = world.podCpuUs[pod]! + world.podOnCpu[pod]! * (nowUs - world.podCpuAtUs[pod]!);
  world.podCpuAtUs[pod] = nowUs;
}

/** CPU time used by a pod up to now, whichever way its requests run. */
export function cpuUsedUs(world: World, pod: number, nowUs: number): number {
  if (world.podShares[pod] === 1) update(world, world.sharing[pod]!, pod, nowUs);
  else bringUpToDate(world, pod, nowUs);
  return world.podCpuUs[pod]!;
}

/** Prepares a pod's CPU: `cores` it may use at once, `quotaUs` per period (Infinity: no limit). */
export function resetSharedCpu(cpu: SharedCpu, coreCount: number, quotaUs: number, nowUs: number): void {
  cpu.coreCount = coreCount;
  cpu.quotaUs = quotaUs;
  cpu.virtualUs = 0;
  cpu.rate = 1;
  cpu.updatedUs = nowUs;
  cpu.quotaLeftUs = quotaUs;
  cpu.periodEndUs = nowUs + CFS_PERIOD_US;
  cpu.throttled = false;
  cpu.throttledUs = 0;
  cpu.heapCount = 0;
  cpu.stamp = (cpu.stamp + 1) | 0;
  cpu.timerUs = -1;
}

/** A request takes its place on the CPU with `demandUs` of work. */
export function joinCpu(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  pod: number,
  id: number,
  demandUs: number,
  nowUs: number,
): void {
  const cpu = world.sharing[pod]!;
  update(world, cpu, pod, nowUs);
  doubles[id * DOUBLES + DEMAND] = cpu.virtualUs + demandUs;
  heapPush(cpu, doubles, id);
  schedule(world, words, doubles, cpu, pod, nowUs);
}

/** The next request whose demand is served, taken off the CPU; -1 (and a new timer) when nobody else is due. */
export function completeDue(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  pod: number,
  nowUs: number,
): number {
  const cpu = world.sharing[pod]!;
  update(world, cpu, pod, nowUs);
  if (cpu.heapCount > 0) {
    const id = cpu.heap[0]!;
    if (doubles[id * DOUBLES + DEMAND]! <= cpu.virtualUs + EPSILON) {
      const surplusUs = cpu.virtualUs - doubles[id * DOUBLES + DEMAND]!;
      heapPop(cpu, doubles);
      giveBack(world, cpu, pod, surplusUs);
      if (cpu.heapCount === 0) cpu.virtualUs = 0;
      setRate(cpu);
      return id;
    }
  }
  schedule(world, words, doubles, cpu, pod, nowUs);
  return -1;
}

/**
 * Events fall on whole microseconds, so a request may have been served a little beyond its demand. Those who still wait
 * for the CPU get that time, or, when nobody was kept waiting, it was never used: CPU time stays the sum of demands.
 */
function giveBack(world: World, cpu: SharedCpu, pod: number, surplusUs: number): void {
  if (cpu.heapCount > 0 && cpu.heapCount + 1 > cpu.coreCount) cpu.virtualUs += surplusUs / cpu.heapCount;
  else {
    world.podCpuUs[pod] = world.podCpuUs[pod]! - surplusUs;
    cpu.quotaLeftUs += surplusUs;
  }
}

/** Drops everybody from the CPU of a pod that died. */
export function clearCpu(world: World, pod: number, nowUs: number): void {
  const cpu = world.sharing[pod]!;
  update(world, cpu, pod, nowUs);
  cpu.heapCount = 0;
  cpu.virtualUs = 0;
  cpu.stamp = (cpu.stamp + 1) | 0;
  cpu.timerUs = -1;
}

/** Moves the clock, the CPU time and the quota to `nowUs`; the state does not change in between but at period ends. */
function update(world: World, cpu: SharedCpu, pod: number, nowUs: number): void {
  const elapsedUs = nowUs - cpu.updatedUs;
  if (elapsedUs > 0) {
    if (cpu.heapCount > 0) {
      if (cpu.throttled) cpu.throttledUs += elapsedUs;
      else {
        const usedUs = elapsedUs * cpu.rate * cpu.heapCount;
        cpu.virtualUs += elapsedUs * cpu.rate;
        world.podCpuUs[pod] = world.podCpuUs[pod]! + usedUs;
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

function setRate(cpu: SharedCpu): void {
  cpu.rate = cpu.heapCount <= cpu.coreCount ? 1 : cpu.coreCount / cpu.heapCount;
}

/** Arms the timer for the next thing that happens on this CPU, if it is not armed for that moment already. */
function schedule(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  cpu: SharedCpu,
  pod: number,
  nowUs: number,
): void {
  setRate(cpu);
  if (cpu.heapCount === 0) {
    cpu.stamp = (cpu.stamp + 1) | 0;
    cpu.timerUs = -1;
    return;
  }
  let nextUs = cpu.periodEndUs;
  if (!cpu.throttled) {
    const serviceUs = (doubles[cpu.heap[0]! * DOUBLES + DEMAND]! - cpu.virtualUs) / cpu.rate;
    nextUs = nowUs + Math.max(0, Math.ceil(serviceUs - EPSILON));
    if (cpu.quotaUs !== Infinity) {
      // At least 1: a timer for this very moment could be taken for the one that just went off.
      const quotaEndsUs = nowUs + Math.max(1, Math.ceil(cpu.quotaLeftUs / (cpu.rate * cpu.heapCount) - EPSILON));
      nextUs = Math.min(nextUs, quotaEndsUs, cpu.periodEndUs);
    }
  }
  if (nextUs !== cpu.timerUs) arm(world, words, cpu, pod, nextUs);
}

/** Looks at the CPU of a pod once more at `nowUs`, whatever its timer says. */
export function wakeCpu(world: World, words: Int32Array, pod: number, nowUs: number): void {
  arm(world, words, world.sharing[pod]!, pod, nowUs);
}

function arm(world: World, words: Int32Array, cpu: SharedCpu, pod: number, timeUs: number): void {
  cpu.timerUs = timeUs;
  cpu.stamp = (cpu.stamp + 1) | 0;
  const id = takeRecord(world.records);
  words[id * WORDS + CODE] = EVENT_SHARED_CPU;
  words[id * WORDS + POD] = pod;
  words[id * WORDS + KEY] = cpu.stamp;
  insert(world.queue, words, id, timeUs);
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
