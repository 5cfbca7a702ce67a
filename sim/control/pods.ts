/**
 * The life of pods, as a ReplicaSet, the scheduler and the kubelet make it: created -> (gated) -> bound to a node ->
 * image pulled and started -> ready at a probe tick -> in the endpoints -> deleted, draining -> gone; or lost with its
 * node. Times come from the scenario's start-up distributions, keyed by workload and number, so that the n-th pod of a
 * workload starts equally fast under every policy.
 */
import { readyAtUs } from '../cluster/probe.js';
import { shutdownTimes } from '../cluster/shutdown.js';
import { podRequests } from '../proxies.js';
import { joinConsumers } from '../queues.js';
import { fillQuantileTable, quantileOf, TABLE_SIZE } from '../quantileTable.js';
import { GOLDEN, mix, seedWord } from '../random.js';
import { closeUsage, openUsage } from '../usage.js';
import { sendsNotReady } from '../routes.js';
import { POD_DEAD, POD_DRAINING, POD_SERVING, POD_STARTING } from '../world.js';
import { longestPropagationUs, planRoutes, propagationUs } from './endpoints.js';
import { findNode } from './scheduling.js';
import { slowDown } from './slowPods.js';
import { findSlot, giveBackSlot, hasCalls, isBusy, killSlot, leaveSlot, takeSlot } from './slots.js';
import type { Place, Revision, Sim, SimNode, SimPod, SimWorkload, SyncHints } from './state.js';

/** Pods that ran before the start look this old: past every start-up rule of the HPA and the engine. */
export const AGE_AT_START_US = 3_600_000_000;
/** How often a pod without a node or without a slot is tried again; the scheduler's own retries are driven by events. */
const RETRY_US = 5_000_000;
/** How often a draining pod is looked at. */
const DRAIN_CHECK_US = 1_000_000;

/** Brings the number of pods to what the workload asks for, and their template, as its controller does it. */
export function reconcile(sim: Sim, workload: SimWorkload, nowUs: number, hints: SyncHints = {}): void {
  workload.sync(sim, workload, nowUs, hints);
}

/** A pod that runs from the start: bound, and ready since `sinceUs`. Where it fits no node it stays pending. */
export function startReady(sim: Sim, pod: SimPod, sinceUs: number): void {
  if (!pod.node) return;
  pod.startedUs = sinceUs;
  pod.endpointChangedUs = sinceUs;
  becomeReady(sim, pod, sinceUs);
}

/** Makes one pod and tries to place it, unless it is gated. */
export function createPod(
  sim: Sim,
  workload: SimWorkload,
  nowUs: number,
  wanted: Place | null,
  as: { readonly ordinal?: number; readonly revision?: Revision } = {},
): SimPod {
  const made = workload.podsMade++;
  const ordinal = as.ordinal ?? made;
  const pod: SimPod = {
    uid: sim.podsMade++,
    name: `${workload.name}-${ordinal}`,
    ordinal,
    made,
    revision: as.revision ?? workload.revision,
    workload,
    createdUs: sim.starting ? -AGE_AT_START_US : nowUs,
    node: null,
    slot: -1,
    gated: false,
    wanted,
    startedUs: null,
    ready: false,
    readyAtUs: null,
    endpointChangedUs: nowUs,
    endpoint: false,
    deletedUs: null,
    dead: false,
    restarts: 0,
    evictionAllowedUs: null,
    restartState: null,
  };
  workload.pods.push(pod);
  sim.pods.add(pod);
  sim.unscheduled.push(pod);
  if (!wanted && sim.gatesPods && !sim.engineStopped && !sim.starting) {
    pod.gated = true;
    sim.onGated?.(nowUs);
  } else schedulePending(sim, nowUs);
  return pod;
}

/** Tries every pod that has no node, in the order in which they were made. */
export function schedulePending(sim: Sim, nowUs: number): void {
  let left = false;
  for (const pod of [...sim.unscheduled]) {
    if (pod.gated) continue;
    const node = findNode(sim, pod);
    const slot = node ? findSlot(sim.world, pod.workload.service) : -1;
    if (!node || slot < 0) {
      left = true;
      if (!node) sim.nodeWatch?.unschedulable(pod, nowUs);
      continue;
    }
    sim.unscheduled.splice(sim.unscheduled.indexOf(pod), 1);
    bind(sim, pod, node, slot, nowUs);
  }
  if (left && !sim.retryPlanned) {
    sim.retryPlanned = true;
    sim.calendar.at(nowUs + RETRY_US, (laterUs) => {
      sim.retryPlanned = false;
      schedulePending(sim, laterUs);
    });
  }
}

export function deletePod(sim: Sim, pod: SimPod, nowUs: number): void {
  if (pod.deletedUs !== null) return;
  pod.deletedUs = nowUs;
  leaveEndpoints(sim, pod, nowUs);
  if (pod.slot < 0) {
    sim.unscheduled.splice(sim.unscheduled.indexOf(pod), 1);
    forget(sim, pod, nowUs);
    return;
  }
  if (pod.dead) {
    if (!isHeld(pod)) remove(sim, pod, nowUs);
    return;
  }
  const { world } = sim;
  if (world.podState[pod.slot] === POD_STARTING) {
    killSlot(world, pod.slot, nowUs);
    remove(sim, pod, nowUs);
    return;
  }
  const { termUs, killUs } = shutdownTimes(service(sim, pod), nowUs);
  const knownUs = nowUs + propagationUs(sim) + DRAIN_CHECK_US;
  const isGone = (): boolean => pod.dead || pod.slot < 0;
  const stop = (laterUs: number): void => {
    pod.dead = true;
    killSlot(world, pod.slot, laterUs);
  };
  // The application goes on serving until the proxies know better and its last request is answered.
  const check = (laterUs: number): void => {
    if (isGone()) return;
    if (laterUs >= killUs) {
      stop(laterUs);
      remove(sim, pod, laterUs);
    } else if (!isBusy(world, pod.slot)) remove(sim, pod, laterUs);
    else sim.calendar.at(Math.min(killUs, laterUs + DRAIN_CHECK_US), check);
  };
  const terminate = (laterUs: number): void => {
    if (isGone()) return;
    if (service(sim, pod).onTerm === 'exit') {
      stop(laterUs);
      // Whoever does not know yet is refused at once, and the address is not given away before all know.
      world.podState[pod.slot] = POD_STARTING;
      remove(sim, pod, laterUs, nowUs + longestPropagationUs(sim) + DRAIN_CHECK_US);
      return;
    }
    world.podState[pod.slot] = POD_DRAINING;
    sim.calendar.at(Math.min(killUs, Math.max(laterUs, knownUs)), check);
  };
  if (termUs > nowUs) sim.calendar.at(termUs, terminate);
  else terminate(nowUs);
}

/** The node under a pod is gone: its requests hang until their callers give up. */
export function loseProcess(sim: Sim, pod: SimPod, nowUs: number): void {
  pod.dead = true;
  pod.ready = false;
  killSlot(sim.world, pod.slot, nowUs + sim.world.program.scenario.mesh.connectTimeoutUs);
  if (pod.deletedUs !== null && !isHeld(pod)) remove(sim, pod, nowUs);
}

/** Its name is not given to another while its node may still run it: two of one name must never be. */
function isHeld({ workload, node }: SimPod): boolean {
  return workload.controller.kind === 'StatefulSet' && node !== null && !node.up;
}

/** A pod on its way out goes with its node, even one whose name was held: nothing can run it any more. */
export function dropWithNode(sim: Sim, pod: SimPod, nowUs: number): void {
  if (pod.deletedUs !== null && pod.dead && pod.slot >= 0) remove(sim, pod, nowUs);
}

/** The node came back before its pods were evicted: containers start again, the image is there. */
export function restart(sim: Sim, pod: SimPod, nowUs: number): void {
  if (!pod.node || pod.slot < 0) return;
  if (pod.deletedUs !== null) return remove(sim, pod, nowUs);
  closeUsage(sim, sim.usage, pod, nowUs);
  pod.dead = false;
  pod.restarts++;
  sim.sensors.generation[pod.slot] = sim.sensors.generation[pod.slot]! + 1;
  takeSlot(sim.world, pod.slot, pod.node.index, pod.node.spec.zone, nowUs);
  slowDown(sim, pod, nowUs);
  openUsage(sim, sim.usage, pod, nowUs);
  start(sim, pod, nowUs, 0);
}

/** Takes a pod out of the endpoints; the proxies follow once the change has reached them. */
export function leaveEndpoints(sim: Sim, pod: SimPod, nowUs: number): void {
  if (!pod.endpoint) return;
  pod.endpoint = false;
  pod.endpointChangedUs = nowUs;
  planRoutes(sim, pod.workload.service, nowUs);
  sim.onPodChange?.(pod.workload, nowUs);
}

function bind(sim: Sim, pod: SimPod, node: SimNode, slot: number, nowUs: number): void {
  const requests = podRequests(sim.world.program, pod.workload.service);
  pod.node = node;
  pod.slot = slot;
  node.pods.add(pod);
  node.requestedCpuMillicores += requests.cpuMillicores;
  node.requestedMemoryBytes += requests.memoryBytes;
  sim.nodeWatch?.bound(pod, node, nowUs);
  takeSlot(sim.world, slot, node.index, node.spec.zone, nowUs);
  slowDown(sim, pod, nowUs);
  sim.sensors.generation[slot] = sim.sensors.generation[slot]! + 1;
  openUsage(sim, sim.usage, pod, nowUs);
  if (!node.up) {
    // The API has not noticed yet that the node is gone: nothing starts there.
    pod.dead = true;
    sim.world.podState[slot] = POD_DEAD;
  } else if (!sim.starting) start(sim, pod, nowUs, draw(sim, pod, 'imagePull'));
}

function start(sim: Sim, pod: SimPod, nowUs: number, pullUs: number): void {
  const { startUp } = service(sim, pod);
  const startUs = nowUs + pullUs;
  pod.startedUs = startUs;
  sim.onStart?.(pod, startUs);
  if (sendsNotReady(sim.world, pod.workload.service)) planRoutes(sim, pod.workload.service, startUs);
  if (pod.revision.neverReady) return;
  const readyUs = readyAtUs({
    startUs,
    appUpAfterUs: draw(sim, pod, 'ready'),
    initialDelayUs: startUp.probeInitialDelayUs,
    periodUs: startUp.probePeriodUs,
  });
  sim.calendar.at(readyUs, (laterUs) => {
    const goOn = (atUs: number): void => {
      if (pod.startedUs === startUs && !pod.dead && pod.deletedUs === null) becomeReady(sim, pod, atUs);
    };
    // A sidecar without configuration is not ready, and so its pod is not.
    if (sim.outages.istiodDown) sim.outages.waiting.add(goOn);
    else goOn(laterUs);
  });
}

function becomeReady(sim: Sim, pod: SimPod, nowUs: number): void {
  pod.ready = true;
  pod.readyAtUs = nowUs;
  sim.world.podState[pod.slot] = POD_SERVING;
  joinConsumers(sim.world, pod.slot, nowUs);
  if (!pod.endpoint) {
    pod.endpoint = true;
    pod.endpointChangedUs = nowUs;
    if (!sim.starting) {
      planRoutes(sim, pod.workload.service, nowUs);
      sim.onPodChange?.(pod.workload, nowUs);
    }
  }
}

/** The pod leaves its node and the list; its slot goes free once no call touches it. */
function remove(sim: Sim, pod: SimPod, nowUs: number, slotUntilUs = nowUs): void {
  const requests = podRequests(sim.world.program, pod.workload.service);
  const node = pod.node!;
  closeUsage(sim, sim.usage, pod, nowUs);
  node.pods.delete(pod);
  sim.nodeWatch?.left(node, nowUs);
  node.requestedCpuMillicores -= requests.cpuMillicores;
  node.requestedMemoryBytes -= requests.memoryBytes;
  forget(sim, pod, nowUs);
  const slot = pod.slot;
  leaveSlot(sim.world, slot);
  pod.slot = -1;
  pod.dead = true;
  const release = (laterUs: number): void => {
    if (hasCalls(sim.world, slot)) sim.calendar.at(laterUs + DRAIN_CHECK_US, release);
    else giveBackSlot(sim.world, slot);
  };
  if (slotUntilUs > nowUs) sim.calendar.at(slotUntilUs, release);
  else release(nowUs);
  if (sim.unscheduled.length > 0) schedulePending(sim, nowUs);
}

function forget(sim: Sim, pod: SimPod, nowUs: number): void {
  sim.pods.delete(pod);
  pod.workload.pods.splice(pod.workload.pods.indexOf(pod), 1);
  sim.onPodChange?.(pod.workload, nowUs);
}

/** The phase: Pending until the image is there and the container started. */
export function isRunning(pod: SimPod, nowUs: number): boolean {
  return pod.startedUs !== null && pod.startedUs <= nowUs;
}

/** A start-up time of the pod, keyed by workload and number. */
function draw(sim: Sim, pod: SimPod, what: 'imagePull' | 'ready'): number {
  const table = new Float64Array(TABLE_SIZE);
  fillQuantileTable(table, 0, pod.revision[what], 1);
  const base = seedWord(sim.world.seed, `startUp/${what}/${pod.workload.index}`);
  return Math.round(quantileOf(table, 0, mix(base + Math.imul(pod.made, GOLDEN))));
}

function service(sim: Sim, pod: SimPod) {
  return sim.world.program.services[pod.workload.service]!;
}
