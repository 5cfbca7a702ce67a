/**
 * Pods whose requests share CPU (sim/sharedCpu.ts): a request joins, the served ones leave. A pod that cannot meet others
 * on its node has the node to itself: with n requests on c cores each gets min(1, c / n) cores. The timer of such a pod is
 * the earliest of: a request leaves, the quota ends, the period ends. Older timers stay in the queue and are told by
 * their stamp. A pod on a node where pods may want more than its cores is left to sim/nodeCpu.ts.
 */
import { CODE, KEY, POD, takeRecord, WORDS } from './kernel/records.js';
import { insert } from './kernel/wheel.js';
import { settlePod, withdrawPod } from './nodeCpu.js';
import { emptyCpu, nextChangeUs, popServed, pushDemand, setCoreShare, update } from './sharedCpu.js';
import { EVENT_SHARED_CPU } from './spans.js';
import { growWorld, type SharedCpu, type World } from './world.js';

/** Adds up the CPU time of a pod whose requests have a core each. */
export function bringUpToDate(world: World, pod: number, nowUs: number): void {
  world.podCpuUs[pod] = world.podCpuUs[pod]! + world.podOnCpu[pod]! * (nowUs - world.podCpuAtUs[pod]!);
  world.podCpuAtUs[pod] = nowUs;
}

/** CPU time used by a pod up to now, whichever way its requests run. */
export function cpuUsedUs(world: World, pod: number, nowUs: number): number {
  if (world.podShares[pod] === 1) update(world, world.sharing[pod]!, nowUs);
  else bringUpToDate(world, pod, nowUs);
  return world.podCpuUs[pod]!;
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
  update(world, cpu, nowUs);
  pushDemand(cpu, doubles, id, demandUs);
  settle(world, words, doubles, cpu, nowUs);
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
  update(world, cpu, nowUs);
  const id = popServed(world, cpu, doubles);
  if (id < 0) schedule(world, words, doubles, cpu, nowUs);
  else setOwnShare(cpu);
  return id;
}

/** Drops everybody from the CPU of a pod that died. Called between slices of the hot loop. */
export function clearCpu(world: World, pod: number, nowUs: number): void {
  const cpu = world.sharing[pod]!;
  update(world, cpu, nowUs);
  emptyCpu(cpu);
  if (cpu.node !== null) withdrawPod(world, cpu, nowUs);
}

/** From now on so much (0..1) of the time that the pod's threads would run is stolen. Between slices of the hot loop. */
export function setStolenShare(world: World, pod: number, stolen: number, nowUs: number): void {
  const cpu = world.sharing[pod]!;
  if (cpu.keep === 1 - stolen) return;
  while (world.records.freeCount < world.program.reserve) growWorld(world);
  update(world, cpu, nowUs);
  cpu.keep = 1 - stolen;
  setCoreShare(cpu, cpu.coreShare);
  settle(world, world.records.words, world.records.doubles, cpu, nowUs);
}

function settle(world: World, words: Int32Array, doubles: Float64Array, cpu: SharedCpu, nowUs: number): void {
  if (cpu.node === null) schedule(world, words, doubles, cpu, nowUs);
  else settlePod(world, words, doubles, cpu, nowUs);
}

function setOwnShare(cpu: SharedCpu): void {
  setCoreShare(cpu, cpu.heapCount <= cpu.coreCount ? 1 : cpu.coreCount / cpu.heapCount);
}

/** Arms the timer for the next thing that happens on this CPU, if it is not armed for that moment already. */
function schedule(world: World, words: Int32Array, doubles: Float64Array, cpu: SharedCpu, nowUs: number): void {
  setOwnShare(cpu);
  const nextUs = nextChangeUs(doubles, cpu, nowUs);
  if (nextUs === Infinity) {
    cpu.stamp = (cpu.stamp + 1) | 0;
    cpu.timerUs = -1;
  } else if (nextUs !== cpu.timerUs) arm(world, words, cpu, nextUs);
}

/** Looks at the CPU of a pod once more at `nowUs`, whatever its timer says. */
export function wakeCpu(world: World, words: Int32Array, pod: number, nowUs: number): void {
  arm(world, words, world.sharing[pod]!, nowUs);
}

function arm(world: World, words: Int32Array, cpu: SharedCpu, timeUs: number): void {
  cpu.timerUs = timeUs;
  cpu.stamp = (cpu.stamp + 1) | 0;
  const id = takeRecord(world.records);
  words[id * WORDS + CODE] = EVENT_SHARED_CPU;
  words[id * WORDS + POD] = cpu.pod;
  words[id * WORDS + KEY] = cpu.stamp;
  insert(world.queue, words, id, timeUs);
}
