/**
 * The life of pods, as a ReplicaSet, the scheduler and the kubelet make it: created -> (gated) -> bound to a node ->
 * image pulled and started -> ready at a probe tick -> in the endpoints -> deleted, draining -> gone; or lost with its
 * node. Times come from the scenario's start-up distributions, keyed by workload and number, so that the n-th pod of a
 * workload starts equally fast under every policy.
 */
import { readyAtUs } from '../cluster/probe.js';
import { describeGates } from '../cluster/scheduler.js';
import { shutdownTimes } from '../cluster/shutdown.js';
import { joinConsumers } from '../queues.js';
import { drawFrom } from '../quantileTable.js';
import { GOLDEN, mix, seedWord } from '../random.js';
import { closeUsage, openUsage } from '../usage.js';
import { sendsNotReady } from '../routes.js';
import { POD_DEAD, POD_DRAINING, POD_SERVING, POD_STARTING } from '../world.js';
import { longestPropagationUs, planRoutes, propagationUs } from './endpoints.js';
import { callForNode, callForPod, findNode } from './scheduling.js';
import { noteBound, noteGone, recordOf } from './schedulerView.js';
import { slowDown } from './slowPods.js';
import { findSlot, giveBackSlot, hasCalls, isBusy, killSlot, leaveSlot, takeSlot } from './slots.js';
import type { Place, Revision, Sim, SimNode, SimPod, SimWorkload, SyncHints } from './state.js';
import { endWait, noteWait } from './waits.js';

/** Pods that ran before the start look this old: past every start-up rule of the HPA and the engine. */
export const AGE_AT_START_US = 3_600_000_000;
/** How often a pod is tried again for which the simulation has no slot, if none is given back before. */
const SLOT_RETRY_US = 5_000_000;
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
    heldUntilUs: -Infinity,
    queued: false,
    rejection: null,
    wait: null,
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
  if (!wanted && sim.gatesPods[workload.service] && !sim.engineStopped && !sim.starting) {
    pod.gated = true;
    sim.onGated?.(nowUs);
  }
  if (!sim.starting) hold(sim, pod, nowUs);
  queueUp(sim, pod, nowUs);
  return pod;
}

/** Gates of the template: lifted one by one, each so long after the creation. */
function hold(sim: Sim, pod: SimPod, nowUs: number): void {
  const { gates } = service(sim, pod).scheduling;
  if (gates.length === 0) return;
  pod.heldUntilUs = nowUs + Math.max(...gates.map(({ liftedAfterUs }) => liftedAfterUs));
  noteWait(sim, pod, describeGates(gates.map(({ name }) => name)), nowUs);
  sim.calendar.at(pod.heldUntilUs, (laterUs) => queueUp(sim, pod, laterUs));
}

/** Hands a pod to the scheduler, unless something still holds it. */
export function queueUp(sim: Sim, pod: SimPod, nowUs: number): void {
  if (pod.gated || nowUs < pod.heldUntilUs || pod.queued || pod.node || pod.deletedUs !== null) return;
  pod.queued = true;
  sim.scheduler.queue.add(pod, service(sim, pod).scheduling.priority, nowUs);
  schedulePending(sim, nowUs);
}

/** Lets the scheduler try every pod that is due, and look again when the next one is. */
export function schedulePending(sim: Sim, nowUs: number): void {
  const { scheduler } = sim;
  const { queue } = scheduler;
  for (let pod = queue.next(nowUs); pod !== null; pod = queue.next(nowUs)) schedule(sim, pod, nowUs);
  const nextUs = queue.nextAtUs(nowUs);
  if (nextUs === null || nextUs >= scheduler.lookAtUs) return;
  scheduler.lookAtUs = nextUs;
  sim.calendar.at(nextUs, (laterUs) => {
    if (scheduler.lookAtUs <= laterUs) scheduler.lookAtUs = Infinity;
    schedulePending(sim, laterUs);
  });
}

/** Something has happened to a node that may help pods that wait. */
export function nodeChanged(sim: Sim, kind: 'nodeAdded' | 'nodeTaints', node: SimNode, nowUs: number): void {
  callForNode(sim, kind, node, nowUs);
  schedulePending(sim, nowUs);
}

function schedule(sim: Sim, pod: SimPod, nowUs: number): void {
  const { queue } = sim.scheduler;
  const node = findNode(sim, pod);
  if (!node) {
    queue.failed(pod, nowUs);
    noteWait(sim, pod, pod.rejection!.message, nowUs);
    sim.onUnschedulable?.(pod, nowUs);
    // Where room is being made for it no node is asked for.
    if (!sim.scheduler.nominated.has(pod)) sim.nodeWatch?.unschedulable(pod, nowUs);
    return;
  }
  queue.remove(pod);
  pod.queued = false;
  sim.scheduler.nominated.delete(pod);
  const slot = findSlot(sim.world, pod.workload.service);
  if (slot < 0) {
    noteWait(sim, pod, 'no free slot in the simulation', nowUs);
    sim.calendar.at(nowUs + SLOT_RETRY_US, (laterUs) => queueUp(sim, pod, laterUs));
    return;
  }
  sim.unscheduled.splice(sim.unscheduled.indexOf(pod), 1);
  endWait(sim, pod, nowUs);
  bind(sim, pod, node, slot, nowUs);
  callForPod(sim, 'podBound', pod, nowUs);
}

export function deletePod(sim: Sim, pod: SimPod, nowUs: number): void {
  if (pod.deletedUs !== null) return;
  pod.deletedUs = nowUs;
  leaveEndpoints(sim, pod, nowUs);
  if (pod.slot < 0) {
    sim.unscheduled.splice(sim.unscheduled.indexOf(pod), 1);
    sim.scheduler.queue.remove(pod);
    sim.scheduler.nominated.delete(pod);
    endWait(sim, pod, nowUs);
    forget(sim, pod, nowUs);
    return;
  }
  if (pod.dead) {
    if (!isHeld(pod)) remove(sim, pod, nowUs);
    return;
  }
  const { world } = sim;
  if (world.podState[pod.slot] === POD_STARTING) {
    killSlot(world, pod.slot, null);
    remove(sim, pod, nowUs);
    return;
  }
  const { termUs, killUs } = shutdownTimes(service(sim, pod), nowUs);
  const knownUs = nowUs + propagationUs(sim) + DRAIN_CHECK_US;
  const isGone = (): boolean => pod.dead || pod.slot < 0;
  const stop = (): void => {
    pod.dead = true;
    killSlot(world, pod.slot, null);
  };
  // The application goes on serving until the proxies know better and its last request is answered.
  const check = (laterUs: number): void => {
    if (isGone()) return;
    if (laterUs >= killUs) {
      stop();
      remove(sim, pod, laterUs);
    } else if (!isBusy(world, pod.slot)) remove(sim, pod, laterUs);
    else sim.calendar.at(Math.min(killUs, laterUs + DRAIN_CHECK_US), check);
  };
  const terminate = (laterUs: number): void => {
    if (isGone()) return;
    if (service(sim, pod).onTerm === 'exit') {
      stop();
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
  killSlot(sim.world, pod.slot, sim.world.program.scenario.mesh.connectTimeoutUs);
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
  pod.node = node;
  pod.slot = slot;
  node.pods.add(pod);
  sim.nodeWatch?.bound(pod, node, nowUs);
  noteBound(sim.scheduler.view, pod);
  takeSlot(sim.world, slot, node.index, node.spec.zone, nowUs);
  slowDown(sim, pod, nowUs);
  sim.sensors.generation[slot] = sim.sensors.generation[slot]! + 1;
  openUsage(sim, sim.usage, pod, nowUs);
  if (!node.up) {
    // The API has not noticed yet that the node is gone: nothing starts there.
    pod.dead = true;
    sim.world.podState[slot] = POD_DEAD;
    return;
  }
  const pullUs = pullTime(sim, pod, node, nowUs);
  if (!sim.starting) start(sim, pod, nowUs, pullUs);
}

/**
 * Time until the image is there: none where the node holds it, the rest of the pull where one is under way (the kubelet
 * pulls one image after the other, and finds that it has come). An image stays for good. The scheduler sees it from the
 * end of the pull on; the kubelet's report, up to 10 s later, is left out.
 */
function pullTime(sim: Sim, pod: SimPod, node: SimNode, nowUs: number): number {
  const { image } = service(sim, pod).scheduling;
  if (image === null) return sim.starting ? 0 : draw(sim, pod, 'imagePull');
  const presentFromUs = node.images.get(image.name);
  if (presentFromUs !== undefined) return Math.max(0, presentFromUs - nowUs);
  const pullUs = sim.starting ? 0 : draw(sim, pod, 'imagePull');
  node.images.set(image.name, nowUs + pullUs);
  // Pods of the start were placed when no node had the image yet: it counts from the first event on.
  sim.calendar.at(nowUs + pullUs, () => recordOf(sim.scheduler.view, node).imageArrived(image));
  return pullUs;
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
  const node = pod.node!;
  closeUsage(sim, sim.usage, pod, nowUs);
  node.pods.delete(pod);
  sim.nodeWatch?.left(node, nowUs);
  noteGone(sim.scheduler.view, pod);
  forget(sim, pod, nowUs);
  const slot = pod.slot;
  leaveSlot(sim.world, slot);
  pod.slot = -1;
  pod.dead = true;
  const release = (laterUs: number): void => {
    if (hasCalls(sim.world, slot)) sim.calendar.at(laterUs + DRAIN_CHECK_US, release);
    else {
      giveBackSlot(sim.world, slot);
      const waiting = sim.unscheduled.filter(({ workload }) => workload.service === pod.workload.service);
      for (const other of waiting) queueUp(sim, other, laterUs);
    }
  };
  if (slotUntilUs > nowUs) sim.calendar.at(slotUntilUs, release);
  else release(nowUs);
  if (sim.unscheduled.length === 0) return;
  callForPod(sim, 'podGone', pod, nowUs);
  schedulePending(sim, nowUs);
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
  const base = seedWord(sim.world.seed, `startUp/${what}/${pod.workload.index}`);
  return Math.round(drawFrom(pod.revision[what], mix(base + Math.imul(pod.made, GOLDEN))));
}

function service(sim: Sim, pod: SimPod) {
  return sim.world.program.services[pod.workload.service]!;
}
