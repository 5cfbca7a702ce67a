/**
 * Pods of one node whose threads may want more than its cores. While they want no more, each thread has a core, and a
 * change concerns its own pod only. While they want more, every change in who may run shares the cores out anew, by
 * weight: first between the guaranteed pods, the burstable group and the best-effort group, then inside each group
 * (test/models/coreShares.ts has the same as a plain function). A pod gets no more than a core for each of its threads, and
 * none while its quota is used up. In between all rates are constant, so every moment at which something changes is known:
 * the earliest of them is the node's one timer.
 *
 * A pod is one cgroup here: it has one container that works. A sidecar counts in what the pod requests; what proxies use
 * is taken from the cores as a flow (sim/control/proxyCores.ts). Pods get all of what the node has for them (its allocatable CPU);
 * system daemons stay within what is reserved for them, so the weight of `kubepods` itself never matters.
 *
 * Source: kubelet's qos_container_manager_linux.go (burstable: shares of the sum of its requests, best-effort: 2 shares)
 * and helpers_linux.go; SEMANTICS B12. The kubelet sets the group's shares when it starts a pod and once a minute; here
 * they follow at once.
 */
import { cpuWeight, cpuShares, type WeightFormula } from './cluster/cpuShares.js';
import { qosClass } from './cluster/oom.js';
import { CODE, KEY, POD, takeRecord, WORDS } from './kernel/records.js';
import { insert } from './kernel/wheel.js';
import type { Program } from './program.js';
import { podRequests, sidecarRequests } from './proxies.js';
import { nextChangeUs, popServed, setCoreShare, update } from './sharedCpu.js';
import { EVENT_NODE_CPU } from './spans.js';
import { growWorld, type SharedCpu, type World } from './world.js';

/** Who competes with whom: guaranteed pods side by side with the two groups. */
export const GUARANTEED = 0;
export const BURSTABLE = 1;
const BEST_EFFORT = 2;

/** What is weighed against others: a pod, or a group of them. */
interface Claim {
  weight: number;
  /** Threads that may run now. */
  threads: number;
  /** What each of them gets, 0 to 1. */
  coreShare: number;
}

export interface NodeCpu {
  readonly node: number;
  readonly wholeCores: number;
  /** What proxies leave of them (sim/control/proxyCores.ts). */
  coreCount: number;
  readonly formula: WeightFormula;
  /** Threads that may run now, over all pods. */
  runnable: number;
  /** They are more than the cores, and the shares are those of the last sharing out. */
  contended: boolean;
  /** Pods whose threads are not as many as at that time. */
  changed: number;
  /** Pods with requests on the CPU, and some that had until just now. */
  readonly active: SharedCpu[];
  /** Requests of the burstable pods that are bound here, in millicores. */
  burstableMillicores: number;
  readonly groups: readonly Claim[];
  /** Time of the timer that counts, and its number; older ones are stale. */
  timerUs: number;
  stamp: number;
  /** The timer has gone off and its event is not over: it will be armed again. */
  underWay: boolean;
}

/** The CPU of a node on which pods may meet; null where they never can, or where the scenario says that they do not. */
export function nodeCpuOf(world: World, node: number, cpuMillicores: number): NodeCpu | null {
  const known = world.nodeCpus[node];
  if (known !== undefined) return known;
  const formula = world.program.scenario.cluster.cpuWeights;
  const made =
    formula !== null && mayContend(world, cpuMillicores) ? createNodeCpu(node, cpuMillicores, formula) : null;
  world.nodeCpus[node] = made;
  return made;
}

function createNodeCpu(node: number, cpuMillicores: number, formula: WeightFormula): NodeCpu {
  const claim = (): Claim => ({ weight: weightOf(0, formula), threads: 0, coreShare: 1 });
  return {
    node,
    wholeCores: cpuMillicores / 1000,
    coreCount: cpuMillicores / 1000,
    formula,
    runnable: 0,
    contended: false,
    changed: 0,
    active: [],
    burstableMillicores: 0,
    groups: [claim(), claim(), claim()],
    timerUs: Infinity,
    stamp: 0,
    underWay: false,
  };
}

/**
 * Whether any pods that the scheduler could put on such a node have more threads than it has cores. A bound from above:
 * the node is filled with those that have the most threads for what they request, parts of a pod included. A limit does
 * not lower it, as all threads of a pod run at once until its quota is used up. A pod that no second one fits beside
 * meets nobody.
 */
function mayContend({ program, podCapacity, proxies }: World, cpuMillicores: number): boolean {
  // Proxies may take all that their workers can use.
  const proxyThreads = proxies === null || proxies.passCpuUs === 0 ? 0 : proxies.workers;
  // What is external stands on no node.
  const kinds = program.services.flatMap(({ workers: threads, external }, s) =>
    external === null
      ? [
          {
            threads: threads + (proxies?.perNode === false ? proxyThreads : 0),
            requested: podRequests(program, s).cpuMillicores,
            pods: podCapacity[s]!,
          },
        ]
      : [],
  );
  const smallest = kinds
    .flatMap(({ requested, pods }) => (pods > 1 ? [requested, requested] : pods === 1 ? [requested] : []))
    .sort((a, b) => a - b);
  if (smallest.length < 2 || smallest[0]! + smallest[1]! > cpuMillicores) return false;
  kinds.sort((a, b) => b.threads / b.requested - a.threads / a.requested);
  let room = cpuMillicores;
  let threads = proxies?.perNode === true ? proxyThreads : 0;
  for (const kind of kinds) {
    const pods = Math.min(kind.pods, kind.requested > 0 ? room / kind.requested : Infinity);
    room -= pods * kind.requested;
    threads += pods * kind.threads;
  }
  return threads * 1000 > cpuMillicores;
}

function weightOf(requestMillicores: number, formula: WeightFormula): number {
  return cpuWeight(cpuShares(requestMillicores), formula);
}

/** A pod is bound to a node (again, after its container has ended): it has nothing on the CPU yet. */
export function enterNode(world: World, cpu: SharedCpu, node: NodeCpu | null, service: number, nowUs: number): void {
  leaveNode(world, cpu, nowUs);
  if (node === null) return;
  const { program } = world;
  cpu.node = node;
  cpu.group = groupOf(program, service);
  cpu.requestMillicores = podRequests(program, service).cpuMillicores;
  cpu.weight = weightOf(cpu.requestMillicores, node.formula);
  if (cpu.group === BURSTABLE) changeBurstable(world, node, cpu.requestMillicores, nowUs);
}

/** A pod leaves its node: nothing of it is on the CPU any more. */
export function leaveNode(world: World, cpu: SharedCpu, nowUs: number): void {
  const { node } = cpu;
  if (node === null) return;
  withdrawPod(world, cpu, nowUs);
  cpu.node = null;
  if (cpu.group === BURSTABLE) changeBurstable(world, node, -cpu.requestMillicores, nowUs);
}

function groupOf(program: Program, service: number): number {
  const { requests, limits } = program.services[service]!;
  const sidecar = sidecarRequests(program);
  const containers = [
    { requests, limits },
    // Istio's sidecars have limits above their requests.
    ...(sidecar === null ? [] : [{ requests: sidecar, limits: { cpuMillicores: null, memoryBytes: null } }]),
  ];
  const qos = qosClass(
    containers.map((container) => ({
      cpuRequestMillicores: container.requests.cpuMillicores,
      cpuLimitMillicores: container.limits.cpuMillicores,
      memoryRequestBytes: container.requests.memoryBytes,
      memoryLimitBytes: container.limits.memoryBytes,
    })),
  );
  return qos === 'Guaranteed' ? GUARANTEED : qos === 'Burstable' ? BURSTABLE : BEST_EFFORT;
}

function changeBurstable(world: World, node: NodeCpu, addedMillicores: number, nowUs: number): void {
  node.burstableMillicores += addedMillicores;
  node.groups[BURSTABLE]!.weight = weightOf(node.burstableMillicores, node.formula);
  if (node.contended) shareOutSoon(world, node, nowUs);
}

/** Takes a pod off the list of those with requests; it has none left. Called between slices of the hot loop. */
export function withdrawPod(world: World, cpu: SharedCpu, nowUs: number): void {
  const node = cpu.node!;
  recount(node, cpu);
  if (node.contended && node.changed > 0) shareOutSoon(world, node, nowUs);
  if (cpu.activeAt >= 0) prune(node, cpu);
}

/** From now on the pods have so many cores. Between slices of the hot loop. */
export function setCores(world: World, node: NodeCpu, coreCount: number, nowUs: number): void {
  node.coreCount = coreCount;
  if (node.contended || node.runnable > coreCount) shareOutSoon(world, node, nowUs);
}

function shareOutSoon(world: World, node: NodeCpu, nowUs: number): void {
  while (world.records.freeCount < world.program.reserve) growWorld(world);
  const { words, doubles } = world.records;
  shareOut(world, doubles, node, nowUs);
  arm(world, words, node, earliest(node));
}

/** The threads or the speed of a pod have changed and its clock is up to date: what follows for the node. */
export function settlePod(world: World, words: Int32Array, doubles: Float64Array, cpu: SharedCpu, nowUs: number): void {
  const node = cpu.node!;
  if (cpu.activeAt < 0 && cpu.heapCount > 0) cpu.activeAt = node.active.push(cpu) - 1;
  recount(node, cpu);
  if (!node.underWay && isToShareOut(node)) {
    shareOut(world, doubles, node, nowUs);
    arm(world, words, node, earliest(node));
    return;
  }
  if (!node.contended) setCoreShare(cpu, 1);
  cpu.nextUs = nextChangeUs(doubles, cpu, nowUs);
  if (cpu.nextUs < node.timerUs) arm(world, words, node, cpu.nextUs);
}

/**
 * The node's timer: the next request of any of its pods whose demand is served, taken off the CPU; -1 (and a new timer)
 * when nobody else is due. What is set going in between may join the same CPU; the cores are shared out once, at the end.
 */
export function completeOnNode(
  world: World,
  words: Int32Array,
  doubles: Float64Array,
  node: NodeCpu,
  nowUs: number,
): number {
  node.underWay = true;
  node.timerUs = nowUs;
  const { active } = node;
  for (let i = 0; i < active.length; i++) {
    const cpu = active[i]!;
    if (cpu.nextUs > nowUs) continue;
    update(world, cpu, nowUs);
    const id = popServed(world, cpu, doubles);
    recount(node, cpu);
    // Its next moment stays now: it will be looked at once more.
    if (id >= 0) return id;
    if (cpu.heapCount === 0 && !node.contended) {
      prune(node, cpu);
      i--;
    } else cpu.nextUs = nextChangeUs(doubles, cpu, nowUs);
  }
  if (isToShareOut(node)) shareOut(world, doubles, node, nowUs);
  node.underWay = false;
  arm(world, words, node, earliest(node));
  return -1;
}

/** Looks at the node once more at `nowUs`, whatever its timer says. */
export function wakeNode(world: World, words: Int32Array, node: NodeCpu, nowUs: number): void {
  node.underWay = false;
  arm(world, words, node, nowUs);
}

function recount(node: NodeCpu, cpu: SharedCpu): void {
  const threads = cpu.throttled ? 0 : cpu.heapCount;
  if (threads === cpu.threads) return;
  node.runnable += threads - cpu.threads;
  if (node.contended) {
    if (cpu.threads === cpu.sharedOutTo) node.changed++;
    else if (threads === cpu.sharedOutTo) node.changed--;
  }
  cpu.threads = threads;
}

function isToShareOut(node: NodeCpu): boolean {
  return node.contended ? node.changed > 0 : node.runnable > node.coreCount;
}

function prune({ active }: NodeCpu, cpu: SharedCpu): void {
  const last = active.pop()!;
  if (last !== cpu) {
    active[cpu.activeAt] = last;
    last.activeAt = cpu.activeAt;
  }
  cpu.activeAt = -1;
  cpu.sharedOutTo = 0;
  cpu.nextUs = Infinity;
}

/** Brings all pods of the node up to date and sets their rates from now on. */
function shareOut(world: World, doubles: Float64Array, node: NodeCpu, nowUs: number): void {
  const { active } = node;
  for (let i = 0; i < active.length; i++) {
    const cpu = active[i]!;
    update(world, cpu, nowUs);
    recount(node, cpu);
    cpu.sharedOutTo = cpu.threads;
    if (cpu.heapCount > 0) continue;
    prune(node, cpu);
    i--;
  }
  node.changed = 0;
  node.contended = node.runnable > node.coreCount;
  if (node.contended) weigh(node);
  for (const cpu of active) {
    setCoreShare(cpu, node.contended ? cpu.coreShare : 1);
    cpu.nextUs = nextChangeUs(doubles, cpu, nowUs);
  }
}

/** Sets what each thread gets while there are more of them than cores. */
function weigh({ active, groups, coreCount }: NodeCpu): void {
  for (const group of groups) group.threads = 0;
  for (const cpu of active) {
    const group = groups[cpu.group]!;
    group.threads += cpu.threads;
  }
  const [guaranteed, burstable, bestEffort] = groups;
  const kinds =
    (guaranteed!.threads > 0 ? 1 : 0) + (burstable!.threads > 0 ? 1 : 0) + (bestEffort!.threads > 0 ? 1 : 0);
  // Mostly all pods are of one kind: nobody else is there to compete with.
  if (kinds === 1) {
    pour(active, coreCount);
    return;
  }
  const of = (group: number): SharedCpu[] => active.filter((cpu) => cpu.group === group);
  pour([...of(GUARANTEED), burstable!, bestEffort!], coreCount);
  for (const [group, { threads, coreShare }] of groups.entries())
    if (group !== GUARANTEED && threads > 0) pour(of(group), threads * coreShare);
}

/** Cores by weight, to nobody more than one for each thread; what one cannot use goes to the others. */
function pour(claims: readonly Claim[], cores: number): void {
  let left = cores;
  let weight = 0;
  for (const claim of claims) {
    if (claim.threads === 0) continue;
    claim.coreShare = -1;
    weight += claim.weight;
  }
  for (;;) {
    const level = left / weight;
    let filled = false;
    for (const claim of claims) {
      if (claim.coreShare >= 0 || claim.threads > level * claim.weight) continue;
      claim.coreShare = 1;
      left -= claim.threads;
      weight -= claim.weight;
      filled = true;
    }
    if (filled) continue;
    for (const claim of claims) if (claim.coreShare < 0) claim.coreShare = (level * claim.weight) / claim.threads;
    return;
  }
}

function earliest({ active }: NodeCpu): number {
  let nextUs = Infinity;
  for (const cpu of active) if (cpu.nextUs < nextUs) nextUs = cpu.nextUs;
  return nextUs;
}

function arm(world: World, words: Int32Array, node: NodeCpu, timeUs: number): void {
  node.timerUs = timeUs;
  node.stamp = (node.stamp + 1) | 0;
  if (timeUs === Infinity) return;
  const id = takeRecord(world.records);
  words[id * WORDS + CODE] = EVENT_NODE_CPU;
  words[id * WORDS + POD] = node.node;
  words[id * WORDS + KEY] = node.stamp;
  insert(world.queue, words, id, timeUs);
}
